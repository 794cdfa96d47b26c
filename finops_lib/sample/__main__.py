"""Write the sample data: ``python -m finops_lib.sample sample_data``."""

from __future__ import annotations

import argparse

from finops_lib.sample import write_sample_data
from finops_lib.sample.organisation import SEED


def main() -> None:
    """Read the folder and the seed from the command line and write the files."""
    parser = argparse.ArgumentParser(prog="python -m finops_lib.sample", description="Write the sample data.")
    parser.add_argument("folder", help="folder to write into, e.g. sample_data")
    parser.add_argument("--seed", type=int, default=SEED, help=f"seed of the random numbers (default {SEED})")
    given = parser.parse_args()
    write_sample_data(given.folder, seed=given.seed)


if __name__ == "__main__":
    main()
