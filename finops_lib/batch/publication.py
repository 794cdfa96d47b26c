"""Publication: a finished run appears whole, with a receipt written last; a failed one never hides a good one."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from finops_lib.batch.execution import Execution
from finops_lib.batch.identity import file_hash
from finops_lib.batch.plan import Run, title
from finops_lib.files import replace_file

RECEIPT = "finops-receipt/1"
FAILURE = "finops-failure/1"


def up_to_date(runs: Path, run: Run, key: str) -> dict[str, Any] | None:
    """Find the receipt of an equal run whose files are all still as they were written.

    Parameters
    ----------
    runs : Path
        Folder of all runs.
    run : Run
        The run.
    key : str
        Hash of everything that may change its result.

    Returns
    -------
    dict or None
        The receipt, or ``None`` when the run has to be done.
    """
    for path in sorted((runs / run.subject).glob(f"*/{run.notebook}.receipt.json")):
        receipt = _read(path)
        whole = receipt.get("key") == key and all(
            (path.parent / name).is_file() and file_hash(path.parent / name) == digest
            for name, digest in receipt["outputs"].items()
        )
        if whole:
            return receipt
    return None


def publish(runs: Path, execution: Execution, about: dict[str, Any], private: list[tuple[Path, str]]) -> str:
    """Put the files of a finished run in place, its receipt last.

    Parameters
    ----------
    runs : Path
        Folder of all runs, on the same disk as the run's private folder.
    execution : Execution
        A run that finished.
    about : dict
        What the receipt says beside the outputs: key and its parts, label, parameters.
    private : list of (Path, str)
        Folders whose names stay private, and what is written instead.

    Returns
    -------
    str
        The period the report is about, as its results say.

    Raises
    ------
    BatchError
        If the page cannot be made offline.
    OSError
        If a file cannot be written; what was published before is then still whole or without receipt.
    """
    import nbformat

    from finops_lib.batch.pages import render_body, shareable

    run, folder = execution.run, execution.folder / "publish"
    folder.mkdir()
    notebook = shareable(nbformat.read(execution.folder / "executed.ipynb", as_version=4))
    notebook = nbformat.from_dict(without_folders(notebook, private))
    body = render_body(notebook, title(run.path))
    (folder / f"{run.notebook}.ipynb").write_text(_dump(notebook, indent=1), encoding="utf-8")
    (folder / f"{run.notebook}.body.html").write_text(body.html, encoding="utf-8")
    for path in sorted((execution.folder / "output").glob(f"{run.notebook}.*")):
        path.replace(folder / path.name)
    outputs = {path.name: file_hash(path) for path in sorted(folder.iterdir())}
    period = _period(execution.sidecar) or run.period
    receipt = {
        **about,
        **_names(run, period),
        "schema": RECEIPT,
        "title": title(run.path),
        "warnings": body.warnings,
        "outputs": outputs,
    }
    (folder / "receipt").write_text(_dump(receipt), encoding="utf-8")
    _replace(folder, runs / run.subject / period, run.notebook, outputs)
    forget_failures(runs, run)
    return period


def publish_failure(
    runs: Path, execution: Execution, period: str, about: dict[str, Any], private: list[tuple[Path, str]]
) -> None:
    """Keep a failed run for its reader: the notebook as far as it came, and what went wrong.

    Parameters
    ----------
    runs : Path
        Folder of all runs.
    execution : Execution
        A run that failed.
    period : str
        The period its page belongs to.
    about : dict
        As for ``publish``.
    private : list of (Path, str)
        As for ``publish``.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    run, folder = execution.run, runs / execution.run.subject / period
    forget_failures(runs, run)
    record = {
        **about,
        **_names(run, period),
        "schema": FAILURE,
        "title": title(run.path),
        "failure": vars(execution.failure),
        "notebook_kept": False,
    }
    executed = execution.folder / "executed.ipynb"
    try:
        kept = _dump(without_folders(json.loads(executed.read_text(encoding="utf-8")), private), indent=1)
    except (OSError, ValueError):  # it never started, or the disk was full: there is nothing to keep
        kept = ""
    if kept:
        record["notebook_kept"] = True
        replace_file(folder / f"{run.notebook}.failed.ipynb", kept)
    replace_file(folder / f"{run.notebook}.failure.json", _dump(without_folders(record, private)))


def forget_failures(runs: Path, run: Run) -> None:
    """Remove what earlier failures of this run left.

    Parameters
    ----------
    runs : Path
        Folder of all runs.
    run : Run
        The run.
    """
    for path in (runs / run.subject).glob(f"*/{run.notebook}.failure.json"):
        if _read(path).get("requested_period") in (run.period, None):
            path.with_name(f"{run.notebook}.failed.ipynb").unlink(missing_ok=True)
            path.unlink()


def without_folders(content: Any, private: list[tuple[Path, str]]) -> Any:
    """Replace the names of private folders, which may name a person.

    Parameters
    ----------
    content : str, list or mapping
        Text, or the content of a JSON file; pictures in it are left alone.
    private : list of (Path, str)
        Folder and what is written instead; of nested folders the inner one wins.

    Returns
    -------
    str, list or dict
        The same without them.

    Examples
    --------
    >>> without_folders("read /home/ada/kit/a.csv, not /home/adam", [(Path("/home/ada"), "~")])
    'read ~/kit/a.csv, not /home/adam'
    """
    if isinstance(content, Mapping):
        return {
            key: value if key.startswith("image/") else without_folders(value, private)
            for key, value in content.items()
        }
    if isinstance(content, list):
        return [without_folders(value, private) for value in content]
    if isinstance(content, str):
        for folder, instead in sorted(private, key=lambda pair: -len(str(pair[0]))):
            if folder != Path(folder.anchor) and str(folder) in content:
                content = re.sub(rf"(?<![\w+]){re.escape(str(folder))}(?![\w-])", lambda _, to=instead: to, content)
    return content


def _names(run: Run, period: str) -> dict[str, Any]:
    return {
        "assistant": run.assistant,
        "team": run.team,
        "subject": run.subject,
        "notebook": run.notebook,
        "period": period,
        "requested_period": run.period,
    }


def _replace(folder: Path, target: Path, name: str, outputs: dict[str, str]) -> None:
    """Move a run's files over the older ones; while they move there is no receipt."""
    target.mkdir(parents=True, exist_ok=True)
    final = target / f"{name}.receipt.json"
    older = set(_read(final).get("outputs", ()))
    final.unlink(missing_ok=True)
    for output in outputs:
        (folder / output).replace(target / output)
    for output in older - set(outputs):
        (target / output).unlink(missing_ok=True)
    (folder / "receipt").replace(final)


def clear(runs: Path) -> None:
    """Remove what a batch that was killed left behind.

    Parameters
    ----------
    runs : Path
        Folder of all runs.
    """
    for path in runs.glob(".part-*"):
        shutil.rmtree(path, ignore_errors=True)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # no receipt, or no whole one, means: not done
        return {}
    return content if isinstance(content, dict) else {}


def _dump(content: Any, indent: int = 2) -> str:
    return json.dumps(content, indent=indent, sort_keys=True, ensure_ascii=False) + "\n"


def _period(sidecar: dict[str, Any]) -> str | None:
    period = str(sidecar.get("period"))
    return period if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", period) else None
