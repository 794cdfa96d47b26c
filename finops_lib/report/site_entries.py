"""Entries of the site: what the batch has on record about each report."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from finops_lib.params import ORGANISATION


@dataclass(frozen=True)
class Entry:
    """One report of the site: a finished run, a failed one, or a failed one after an older finished one.

    Parameters
    ----------
    folder : Path
        Folder of the run's files.
    subject, period, notebook : str
        What it is about: an assistant, the organisation or a team; the month; the notebook.
    receipt, failure, sidecar : dict
        What the batch recorded, why the newest run failed, what the notebook found; empty where there is none.
    """

    folder: Path
    subject: str
    period: str
    notebook: str
    receipt: dict[str, Any] = field(default_factory=dict)
    failure: dict[str, Any] = field(default_factory=dict)
    sidecar: dict[str, Any] = field(default_factory=dict)

    @property
    def record(self) -> dict[str, Any]:
        """The newest record of the run."""
        return self.failure or self.receipt

    @property
    def title(self) -> str:
        """First heading of the notebook."""
        return self.record["title"]

    @property
    def label(self) -> str:
        """Name of the assistant, organisation or team for headings."""
        return self.record["label"]

    @cached_property
    def state(self) -> str:
        """How it ended: ``ok``, ``FAILED``, or ``no data`` when no result is a number other than zero."""
        if self.failure:
            return "FAILED"
        numbers = [self.result(name) for name in self.sidecar.get("results", {})]
        return "ok" if any(numbers) else "no data"

    @property
    def checks(self) -> list[dict[str, Any]]:
        """Decisions of the report."""
        return self.sidecar.get("checks") or []

    @property
    def failed_checks(self) -> int:
        """How many decisions say "computed, and it is bad"."""
        return sum(not check.get("passed") for check in self.checks)

    def result(self, name: str) -> float | None:
        """Value of a result, if the report has it and it is a number."""
        value = self.sidecar.get("results", {}).get(name, {}).get("value")
        try:
            return None if value is None else float(value)
        except ValueError:  # a result in words
            return None

    def path(self, kind: str = "page") -> str:
        """Path of the page (``page``), its failure page or its notebook, from the site's root."""
        root, ending = {
            "page": ("pages", "failed.html" if self.failure else "html"),
            "former": ("pages", "html"),
            "notebook": ("notebooks", "failed.ipynb" if self.failure else "ipynb"),
            "sidecar": ("data", "json"),
        }[kind]
        return f"{root}/{self.subject}/{self.period}/{self.notebook}.{ending}"

    @property
    def data(self) -> list[tuple[str, str]]:
        """Name and path of each data file behind the report."""
        endings = (".csv", ".parquet", ".json")
        names = [name for name in self.receipt.get("outputs", ()) if name.endswith(endings)]
        return [(name, f"data/{self.subject}/{self.period}/{name}") for name in names]


def read_entries(runs: Path) -> list[Entry]:
    """Read the records of all runs.

    Parameters
    ----------
    runs : Path
        Folder of all runs.

    Returns
    -------
    list of Entry
        By subject (the organisation first, then teams), newest period first, then by notebook.
    """
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for kind in ("receipt", "failure"):
        for path in sorted(runs.glob(f"[!.]*/*/*.{kind}.json")):
            name = path.name.removesuffix(f".{kind}.json")
            key = (path.parent.parent.name, path.parent.name, name)
            found.setdefault(key, {"folder": path.parent})[kind] = json.loads(path.read_text(encoding="utf-8"))
    entries = []
    for (subject, period, name), records in found.items():
        sidecar = records["folder"] / f"{name}.json"
        content = json.loads(sidecar.read_text(encoding="utf-8")) if "receipt" in records else {}
        entries.append(Entry(subject=subject, period=period, notebook=name, sidecar=content, **records))
    entries.sort(key=lambda entry: entry.notebook)
    entries.sort(key=lambda entry: entry.period, reverse=True)
    return sorted(entries, key=lambda entry: (entry.subject != ORGANISATION, "+" not in entry.subject, entry.subject))
