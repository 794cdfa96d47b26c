"""Sample: a made-up organisation whose exports, bills and tables show everything the kit has to find.

The same traffic model feeds the benchmarks with request logs of any length.
"""

from __future__ import annotations

from pathlib import Path

from finops_lib.sample.bills import write_bills
from finops_lib.sample.exports import write_bedrock, write_mapped, write_usage
from finops_lib.sample.gateway import write_litellm
from finops_lib.sample.infrastructure import infrastructure_lines
from finops_lib.sample.organisation import SEED
from finops_lib.sample.readme import readme
from finops_lib.sample.spans import write_langfuse, write_otlp
from finops_lib.sample.synthetic import synthetic_requests
from finops_lib.sample.tables import write_tables
from finops_lib.sample.traffic import generate_calls

__all__ = ["generate_calls", "synthetic_requests", "write_sample_data"]


def write_sample_data(folder: Path | str, *, seed: int = SEED, scale: float = 1.0) -> Path:
    """Write the sample organisation's files.

    Parameters
    ----------
    folder : path
        Folder to write into; files of the same names are replaced.
    seed : int
        Seed of the random numbers; equal seeds give equal files.
    scale : float
        Share of the tasks to make, for quick tests.

    Returns
    -------
    Path
        The folder.
    """
    folder = Path(folder)
    calls = generate_calls(seed, scale)
    for write in (write_litellm, write_langfuse, write_otlp, write_bedrock, write_usage, write_mapped):
        write(folder, calls)
    write_tables(folder, calls, seed)
    write_bills(folder, calls, infrastructure_lines())
    (folder / "README.md").write_text(readme(calls, seed), encoding="utf-8")
    return folder
