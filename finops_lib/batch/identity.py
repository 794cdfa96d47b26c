"""Identity of a run: a hash of everything that may change its result, so that equal runs are not run twice."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import finops_lib
from finops_lib.batch.plan import Run
from finops_lib.files import replace_file
from finops_lib.params import ORGANISATION, Params

CONTENT_HASHES = ".content-hashes.json"
_LIBRARIES = (
    "duckdb", "genai-prices", "holidays", "ipykernel", "matplotlib", "nbclient", "nbconvert", "numpy", "pandas",
    "papermill", "pyarrow", "scikit-learn", "scipy", "sqlalchemy", "statsmodels",
)  # fmt: skip


def workspace_fingerprint(params: Params) -> str:
    """Hash the names, sizes and contents of the workspace's files.

    A file is read again only when its size, time or inode has changed since the last call; the hashes
    found are kept in a hidden file of the workspace.

    Parameters
    ----------
    params : Params
        Parameters of the project.

    Returns
    -------
    str
        SHA-256; the one of no files when there is no workspace yet.
    """
    workspace = params.workspace
    known = _read_hashes(workspace / CONTENT_HASHES)
    found: dict[str, list[Any]] = {}
    for path in sorted(workspace.rglob("*")) if workspace.is_dir() else ():
        name = path.relative_to(workspace).as_posix()
        if any(part.startswith(".") for part in name.split("/")) or not path.is_file():
            continue
        status = path.stat()
        seen = [status.st_size, status.st_mtime_ns, status.st_ino]
        entry = known.get(name)
        found[name] = entry if entry and entry[:3] == seen else [*seen, file_hash(path)]
    if found != known and workspace.is_dir():
        # A workspace that cannot be written to (another user's) is merely hashed again next time.
        with contextlib.suppress(OSError):
            replace_file(workspace / CONTENT_HASHES, json.dumps(found, sort_keys=True))
    return _hash({name: [entry[0], entry[3]] for name, entry in found.items()})


def environment() -> dict[str, Any]:
    """Name the versions that a result may depend on.

    Returns
    -------
    dict
        ``kit`` (version), ``kit_sha256`` (its source), ``python``, ``libraries`` (name → version).
    """
    return {
        "kit": getattr(finops_lib, "__version__", "unknown"),
        "kit_sha256": _kit_hash(),
        "python": platform.python_version(),
        "libraries": _library_versions(),
    }


def identify(runs: Iterable[Run], params: Params) -> dict[Run, dict[str, Any]]:
    """Hash everything that may change the result of each run.

    Parameters
    ----------
    runs : iterable of Run
        The runs of a batch.
    params : Params
        Parameters of the project.

    Returns
    -------
    dict
        Run → ``key`` (SHA-256 of all of it) and its parts ``notebook_sha256``, ``parameters_sha256``,
        ``workspace_sha256`` and ``environment``.
    """
    runs = list(runs)
    shared = {"workspace_sha256": workspace_fingerprint(params), "environment": environment()}
    organisation = params.organisation.model_dump(mode="json")
    records = _record_hashes(params)
    settings = {name: one.model_dump(mode="json") for name, one in params.assistants.items()}
    notebooks = {path: file_hash(path) for path in {run.path for run in runs}}
    identities = {}
    for run in runs:
        whole = run.assistant == ORGANISATION
        dump = {
            "run": [run.assistant, run.team, run.period, run.notebook],
            "settings": params.settings.model_dump(mode="json") if whole else settings[run.assistant],
            "assistants": settings if whole else None,
            "organisation": organisation,
            "records": records,
        }
        parts = {"notebook_sha256": notebooks[run.path], "parameters_sha256": _hash(dump), **shared}
        identities[run] = {"key": _hash(parts), **parts}
    return identities


def file_hash(path: Path) -> str:
    """Hash a file's bytes with SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _read_hashes(path: Path) -> dict[str, list[Any]]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none yet, or one cut short: everything is hashed again
        return {}


def _record_hashes(params: Params) -> dict[str, str]:
    """Hash what lies beside the assistants' files, such as decisions or a price list."""
    folder = params.project / "parameters"
    parsed = {folder / f"{name}.yaml" for name in (ORGANISATION, *params.assistants)}
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path not in parsed)
    return {path.relative_to(folder).as_posix(): file_hash(path) for path in files}


@lru_cache(maxsize=1)
def _kit_hash() -> str:
    """Hash the kit's own source, which changes without its version while somebody works on it."""
    package = Path(__file__).resolve().parent.parent
    return _hash(_file_hashes(package))


def _file_hashes(package: Path) -> dict[str, str]:
    names = {path: path.relative_to(package) for path in sorted(package.rglob("*")) if path.is_file()}
    apart = {"__pycache__", "notebooks"}
    return {name.as_posix(): file_hash(path) for path, name in names.items() if not apart & {*name.parts}}


@lru_cache(maxsize=1)
def _library_versions() -> dict[str, str]:
    versions = {}
    for name in _LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions
