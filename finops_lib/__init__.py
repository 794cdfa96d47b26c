"""AI FinOps kit: who caused the bill, where it is heading, which lever bends it, who owns the answer."""

from finops_lib.errors import FinOpsError
from finops_lib.params import load_params

__version__ = "0.1.0"

__all__ = ["FinOpsError", "__version__", "load_params"]
