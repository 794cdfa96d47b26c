"""Benchmark of the batch: cost per notebook against the bare papermill command, as ratios of one run.

Run ``python benchmarks/batch.py --notebooks 6 --rounds 2``; both sides execute the same generated notebooks
(imports, a table of 50,000 rows, a clustering, two figures). The papermill side writes no pages and keeps no
receipts; the batch does both and writes the site.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[1]
CELLS = (
    "import json, os, pathlib\nimport matplotlib.pyplot as plt\nimport numpy as np\nimport pandas as pd\n"
    "from sklearn.cluster import KMeans",
    "numbers = np.random.default_rng(0)\n"
    "frame = pd.DataFrame({'day': numbers.integers(0, 90, 50_000), 'cost': numbers.gamma(2, 3, 50_000)})",
    "frame.groupby('day').sum().head(10)",
    "groups = KMeans(4, n_init=3, random_state=0).fit(frame.head(5000))\npd.DataFrame(groups.cluster_centers_)",
    "frame.groupby('day').sum().plot()\nplt.show()",
    "frame['cost'].plot.hist(bins=40)\nplt.show()",
)
SIDECAR = (
    "content = {{'notebook': '{name}', 'assistant': assistant, 'period': '2026-09',\n"
    "           'results': {{'month_cost': {{'value': float(frame['cost'].sum()), 'unit': 'USD'}}}}}}\n"
    "folder = pathlib.Path(os.environ.get('FINOPS_OUTPUT', '.'))\n"
    "_ = (folder / '{name}.json').write_text(json.dumps(content))"
)
BATCH = (
    "import sys; from finops_lib.batch import run_batch;"
    "sys.exit(run_batch(sys.argv[1], jobs=int(sys.argv[2])).exit_code)"
)


def make_project(folder: Path, count: int) -> None:
    """Write a project of one assistant and ``count`` notebooks."""
    (folder / "parameters").mkdir()
    (folder / "notebooks").mkdir()
    (folder / "parameters" / "organisation.yaml").write_text("company: Benchmark\n")
    (folder / "parameters" / "bench.yaml").write_text("assistant: bench\nperiod: latest\nsettings: {}\n")
    for number in range(count):
        name = f"{number:02d}_bench"
        cells = [
            new_markdown_cell("# Benchmark"),
            new_code_cell('assistant = "bench"\nperiod = "latest"\nsettings = {}', metadata={"tags": ["parameters"]}),
            *map(new_code_cell, (*CELLS, SIDECAR.format(name=name))),
        ]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        metadata = {"kernelspec": kernel, "finops": {"scope": ["assistant"]}}
        nbformat.write(new_notebook(cells=cells, metadata=metadata), folder / "notebooks" / f"{name}.ipynb")


def measure(work: Callable[[], object]) -> tuple[float, float]:
    """Measure wall and processor seconds of child processes, their kernels included."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    work()
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - started
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def one_round(count: int, jobs: int) -> dict[str, tuple[float, float]]:
    """Measure each side once: wall and processor seconds, per notebook where there are several."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    seen: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_project(folder, count)

        def run(*command: str) -> None:
            subprocess.run([sys.executable, *command], check=True, capture_output=True, env=environment, cwd=folder)

        first = str(folder / "notebooks" / "00_bench.ipynb")
        seen["papermill"] = measure(lambda: run("-m", "papermill", first, "out.ipynb", "-p", "assistant", "bench"))
        for kind, at_once in (("batch, 1 job", 1), ("batch", jobs)):
            # another company name, so that nothing is up to date
            (folder / "parameters" / "organisation.yaml").write_text(f"company: {kind.partition(',')[2] or 'none'}\n")
            wall, processor = measure(lambda at_once=at_once: run("-c", BATCH, str(folder), str(at_once)))
            seen[kind] = (wall / count, processor / count)
        seen["nothing to do"] = measure(lambda: run("-c", BATCH, str(folder), str(jobs)))
    return seen


def main() -> None:
    """Measure both sides in turn and print ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notebooks", type=int, default=6, help="notebooks of the batch (default 6)")
    parser.add_argument("--rounds", type=int, default=2, help="repetitions, taken in turn (default 2)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="notebooks run at once (default: cores)")
    parser.add_argument("--json", action="store_true", help="print one JSON object only")
    options = parser.parse_args()
    rounds = [one_round(options.notebooks, options.jobs) for _ in range(options.rounds)]
    medians = {
        kind: [statistics.median(column) for column in zip(*(one[kind] for one in rounds), strict=True)]
        for kind in rounds[0]
    }
    bare = medians["papermill"]
    measured = {}
    for kind, (wall, processor) in medians.items():
        measured[kind] = {"wall_s": round(wall, 2), "cpu_s": round(processor, 2)}
        if "batch" in kind:
            measured[kind] |= {"wall_ratio": round(bare[0] / wall, 2), "cpu_ratio": round(bare[1] / processor, 2)}
    if not options.json:
        sys.stdout.write("median seconds per notebook (nothing to do: for all); ratio: bare papermill / batch\n")
        for kind, values in measured.items():
            words = "  ".join(f"{name} {value:6.2f}" for name, value in values.items())
            sys.stdout.write(f"{kind:>14}  {words}\n")
    sys.stdout.write(json.dumps(vars(options) | {"measured": measured}) + "\n")


if __name__ == "__main__":
    main()
