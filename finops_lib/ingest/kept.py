"""Kept results: what takes long to make and rests on nothing of the month is made once for all notebooks."""

from __future__ import annotations

import hashlib
import inspect
import pickle
import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from finops_lib import __version__
from finops_lib.files import replace_file
from finops_lib.ingest.workspace import locked
from finops_lib.params import Params

Result = TypeVar("Result")
_RESTS_ON = ("scikit-learn", "numpy")


def made_once(params: Params, name: str, make: Callable[[], Result]) -> Result:
    """Load what was made before, or make it and keep it in the workspace.

    Parameters
    ----------
    params : Params
        Names the workspace. Kept results are pickled: as with any workspace, open only one you trust.
    name : str
        What is kept, e.g. ``forecast_model``.
    make : callable
        Makes it, without arguments; its result must depend on nothing but the code of its topic and the versions of
        the kit and its libraries.

    Returns
    -------
    object
        What ``make`` returns. Of several notebooks that start together one makes it, the others wait.
    """
    rests_on = [__version__, platform.python_version(), *(version(library) for library in _RESTS_ON)]
    code = [path.read_bytes() for path in sorted(Path(inspect.getfile(make)).parent.glob("*.py"))]
    key = hashlib.sha256(b"|".join(["|".join(rests_on).encode(), *code])).hexdigest()[:16]
    path = params.workspace / ".kept" / f"{name}-{key}.pickle"
    if not path.is_file():
        # a lock of its own: a reading that takes long must not hold up a page
        with locked(path.parent):
            if not path.is_file():
                replace_file(path, pickle.dumps(make()))
    return pickle.loads(path.read_bytes())
