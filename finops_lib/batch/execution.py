"""Execution: one notebook in one fresh kernel, and an honest verdict on whether it finished."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finops_lib.batch.plan import Run

if TYPE_CHECKING:
    from nbformat import NotebookNode

START_TIMEOUT = 180
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Failure:
    """Why a run gave no report, in words for its reader.

    Parameters
    ----------
    error : str
        What went wrong.
    hint : str
        What to do about it.
    cell : int, optional
        Which code cell failed, counted as in ``In [n]`` of the kept notebook.
    heading : str
        The heading the cell stands under.
    source : str
        The cell's code.
    traceback : str
        Python's own account, without colours.
    """

    error: str
    hint: str
    cell: int | None = None
    heading: str = ""
    source: str = ""
    traceback: str = ""


@dataclass(frozen=True)
class Execution:
    """What came of a run before anything is published.

    Parameters
    ----------
    run : Run
        The run.
    folder : Path
        Private folder with ``executed.ipynb`` and ``output/``.
    seconds : float
        How long it took.
    failure : Failure, optional
        ``None`` when it finished.
    sidecar : dict
        The results file the notebook wrote; empty when it failed.
    """

    run: Run
    folder: Path
    seconds: float
    failure: Failure | None = None
    sidecar: dict[str, Any] = field(default_factory=dict)


def execute(run: Run, folder: Path, project: Path, timeout: float) -> Execution:
    """Execute one notebook with papermill's own engine and judge the result.

    Parameters
    ----------
    run : Run
        What to run.
    folder : Path
        Private folder for its files; made when missing.
    project : Path
        The project folder, given to the notebook as ``FINOPS_PROJECT``.
    timeout : float
        Seconds a cell may take.

    Returns
    -------
    Execution
        A failure is part of it, never raised: the other runs go on.
    """
    import papermill

    started = time.perf_counter()
    executed, output = folder / "executed.ipynb", folder / "output"
    try:
        output.mkdir(parents=True, exist_ok=True)
        papermill.execute_notebook(
            _literal(run.path),
            _literal(executed),
            parameters=run.parameters,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            report_mode=False,
            start_timeout=START_TIMEOUT,
            execution_timeout=timeout,
            kernel_manager_class=own_interpreter(_kernel_environment(run, project, output)),
            shutdown_kernel="immediate",
            record_timing=False,
        )
    except Exception as error:  # whatever stops one notebook must not stop the others
        failure = _explain(error, _read_notebook(executed), timeout)
        return Execution(run, folder, time.perf_counter() - started, failure)
    failure = _unfinished(_read_notebook(executed))
    sidecar: dict[str, Any] = {}
    if failure is None:
        sidecar, failure = _read_sidecar(run, output / f"{run.notebook}.json")
    return Execution(run, folder, time.perf_counter() - started, failure, sidecar)


def own_interpreter(environment: Mapping[str, str]) -> type:
    """Make a kernel manager class that starts this very Python, whatever kernels are registered.

    Parameters
    ----------
    environment : mapping
        Variables of the kernel, on top of those of this process.

    Returns
    -------
    type
        A child of ``jupyter_client.AsyncKernelManager``.
    """
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpec

    spec = KernelSpec(
        argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=ERROR"],
        display_name="Python 3",
        language="python",
        # jupyter_client expands $NAME in these values
        env={name: value.replace("$", "$$") for name, value in environment.items()},
    )

    class OwnInterpreter(AsyncKernelManager):
        @property
        def kernel_spec(self) -> KernelSpec:
            return spec

    return OwnInterpreter


def _kernel_environment(run: Run, project: Path, output: Path) -> dict[str, str]:
    environment = {
        # One thread per kernel: several kernels run at once, and idle OpenMP threads spin.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "FINOPS_HEADLESS": "1",
        "FINOPS_OUTPUT": str(output),
        "FINOPS_PROJECT": str(project),
    }
    return environment | ({"FINOPS_TEAM": run.team} if run.team else {})


def _literal(path: Path) -> str:
    """Escape braces: papermill formats paths with the parameters."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _read_notebook(path: Path) -> NotebookNode | None:
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.reader.NotJSONError):  # never written, or cut short
        return None


def _code_cells(notebook: NotebookNode | None) -> list[tuple[int, str, NotebookNode]]:
    """List the code cells with their number and the heading above them."""
    found, heading = [], ""
    for cell in notebook.cells if notebook else ():
        if cell.cell_type == "markdown" and "papermill-error-cell-tag" not in cell.metadata.get("tags", []):
            titles = re.findall(r"^#+\s+(.+)$", cell.source, re.MULTILINE)
            heading = titles[-1].strip() if titles else heading
        elif cell.cell_type == "code" and cell.source.strip():
            found.append((len(found) + 1, heading, cell))
    return found


def _unfinished(notebook: NotebookNode | None) -> Failure | None:
    """Tell why an executed notebook is not complete although nothing was raised."""
    if notebook is None:
        return Failure("The executed notebook cannot be read back.", "free space on the disk of the output folder")
    for number, heading, cell in _code_cells(notebook):
        place = {"cell": number, "heading": heading, "source": cell.source}
        error = next((output for output in cell.outputs if output.output_type == "error"), None)
        if error is not None and error.ename == "SystemExit":
            hint = "raise an error that says what is missing instead of leaving, or let the notebook go on"
            return Failure("The cell ended the notebook by leaving Python (sys.exit).", hint, **place)
        state = cell.metadata.get("papermill", {})
        skipped = "skip-execution" in cell.metadata.get("tags", [])
        ran = state.get("start_time") and state.get("status") == "completed" and cell.execution_count
        if error is not None or state.get("exception") or not (ran or skipped):
            return Failure("The cell did not run to its end.", "run the notebook in JupyterLab", **place)
    if notebook.metadata.get("papermill", {}).get("exception"):
        return Failure("The notebook ended with an error.", "run the notebook in JupyterLab")
    return None


def _explain(error: Exception, notebook: NotebookNode | None, timeout: float) -> Failure:
    """Put an exception of papermill, its engine or the file system into words."""
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    cells = _code_cells(notebook)
    if isinstance(error, PapermillExecutionError):
        place = next((_place(*cell) for cell in cells if cell[2].execution_count == error.exec_count), {})
        message, _, hint = f"{error.ename}: {error.evalue}".partition("\nHint: ")
        hint = hint or "the traceback below and the notebook kept show where it happened"
        return Failure(message, hint, traceback=_ANSI.sub("", "\n".join(error.traceback)), **place)
    # Papermill marks every cell as completed here; the last one that started is the one that failed.
    started = [cell for cell in cells if cell[2].metadata.get("papermill", {}).get("start_time")]
    place = _place(*started[-1]) if started else {}
    if isinstance(error, CellTimeoutError):
        message = f"The cell ran longer than {timeout:g} s and was stopped."
        return Failure(message, "allow more time with --timeout SECONDS, or look at a shorter period", **place)
    if isinstance(error, DeadKernelError):
        message = "The Python process died: it was killed, ran out of memory, or a library crashed."
        return Failure(message, "run the notebook in JupyterLab and watch its memory; run fewer jobs at once", **place)
    if isinstance(error, OSError):
        hint = "free space on the disk and check access rights"
        return Failure(f"A file could not be written: {error}", hint, **place)
    return Failure(f"{type(error).__name__}: {error}", "run the notebook in JupyterLab", **place)


def _place(number: int, heading: str, cell: NotebookNode) -> dict[str, Any]:
    return {"cell": number, "heading": heading, "source": cell.source}


def _read_sidecar(run: Run, path: Path) -> tuple[dict[str, Any], Failure | None]:
    """Read the results file and make sure that it answers what was asked."""
    hint = "the notebook's last cell writes it; compare with the notebooks of the kit"
    try:
        sidecar = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, Failure(f"The notebook finished without writing its results ({path.name}).", hint)
    except (OSError, ValueError) as error:
        return {}, Failure(f"The results {path.name} cannot be read: {error}", hint)
    asked = {"notebook": run.notebook, "assistant": run.assistant}
    if re.fullmatch(r"\d{4}-\d{2}", run.period):
        asked["period"] = run.period
    for key, value in asked.items():
        if not isinstance(sidecar, dict) or sidecar.get(key) != value:
            found = sidecar.get(key) if isinstance(sidecar, dict) else sidecar
            message = f"The results are about another {key}: found {found!r}, expected {value!r}."
            return {}, Failure(message, "pass the parameters cell's names on to load_params and the sidecar")
    return sidecar, None
