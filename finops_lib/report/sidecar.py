"""Sidecar: what a notebook found, for machines: equal inputs give equal bytes."""

from __future__ import annotations

import csv
import hashlib
import importlib.metadata
import io
import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from finops_lib import __version__
from finops_lib.errors import SchemaError
from finops_lib.files import replace_file
from finops_lib.params import Params

SCHEMA = "finops-sidecar/1"
_PACKAGES = ("duckdb", "matplotlib", "numpy", "pandas", "pyarrow")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Sidecar:
    """Collects results, checks and tables of one notebook run and writes them beside its page.

    Money is written as exact decimal text (``"3214.55"``), rates and counts as numbers, anything
    unknown as ``null``.

    Parameters
    ----------
    params : Params
        The run's parameters.
    notebook : str
        Name of the notebook without ending, e.g. ``03_cost_profile``.
    period : str, optional
        The month the results are of, where the parameters say ``latest``.
    inputs : iterable of path or mapping, optional
        Files read: paths (hashed here; relative ones start at the project), or mappings with ``path`` and
        ``sha256``.
    """

    def __init__(
        self,
        params: Params,
        notebook: str,
        *,
        period: str | None = None,
        inputs: Iterable[Path | str | Mapping[str, Any]] = (),
    ) -> None:
        self.params = params
        self.notebook = notebook
        self.period = period or params.period
        self._inputs = [self._input(given) for given in inputs]
        self._results: dict[str, dict[str, Any]] = {}
        self._checks: list[dict[str, Any]] = []
        self._tables: dict[str, pd.DataFrame] = {}

    def glue(self, name: str, value: Any, unit: str = "") -> None:
        """Record one result.

        Parameters
        ----------
        name : str
            In snake_case; once in a notebook.
        value : Decimal, number, str, bool or None
            The result; ``None`` and NaN mean not known.
        unit : str, optional
            E.g. ``USD``, ``USD/request``, ``share``.

        Raises
        ------
        SchemaError
            If the name is taken or is no name.
        """
        self._claim(name, self._results, "result")
        self._results[name] = {"value": plain(value), "unit": unit}

    def glue_checks(self, checks: pd.DataFrame) -> None:
        """Record the decisions.

        Parameters
        ----------
        checks : DataFrame
            Check rows.

        Raises
        ------
        SchemaError
            If a check of that name is recorded already.
        """
        recorded = {row["check"] for row in self._checks}
        for row in checks.to_dict("records"):
            self._claim(str(row["check"]), recorded, "check")
            recorded.add(row["check"])
            self._checks.append({str(key): plain(value) for key, value in row.items()})

    def table(self, name: str, frame: pd.DataFrame) -> pd.DataFrame:
        """Record the data behind a table or figure, and hand it on.

        Parameters
        ----------
        name : str
            In snake_case; once in a notebook.
        frame : DataFrame
            The data, unrounded; a named index becomes a column.

        Returns
        -------
        DataFrame
            The same frame.

        Raises
        ------
        SchemaError
            If the name is taken or is no name.
        """
        self._claim(name, self._tables, "table")
        named = [level for level in frame.index.names if level is not None]
        self._tables[name] = frame.reset_index() if named else frame.reset_index(drop=True)
        return frame

    def write(self, folder: Path | str | None = None) -> Path:
        """Write ``<notebook>.json`` and, for each table, ``<notebook>.<table>.csv`` and ``.parquet``.

        Parameters
        ----------
        folder : path, optional
            Where to; without it the environment's ``FINOPS_OUTPUT``, else
            ``outputs/<assistant>/<period>`` in the project.

        Returns
        -------
        Path
            The JSON file, written last.

        Raises
        ------
        OSError
            If a file cannot be written; each file is either the former or the new one, never half.
        """
        target = Path(folder or os.environ.get("FINOPS_OUTPUT") or self._default_folder())
        for name, frame in sorted(self._tables.items()):
            replace_file(target / f"{self.notebook}.{name}.csv", csv_bytes(frame))
            replace_file(target / f"{self.notebook}.{name}.parquet", _parquet_bytes(frame))
        path = target / f"{self.notebook}.json"
        text = json.dumps(self._content(), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
        replace_file(path, f"{text}\n")
        return path

    def _content(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "notebook": self.notebook,
            "assistant": self.params.assistant,
            "period": self.period,
            "params_sha256": self._params_hash(),
            "versions": _versions(),
            "inputs": sorted(self._inputs, key=lambda given: str(given["path"])),
            "results": self._results,
            "checks": self._checks,
            "tables": {name: f"{self.notebook}.{name}.csv" for name in self._tables},
        }

    def _params_hash(self) -> str:
        # where the project lies is no parameter
        content = self.params.model_dump(mode="json", exclude={"project"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def _default_folder(self) -> Path:
        return self.params.project / "outputs" / self.params.assistant / self.period

    def _input(self, given: Path | str | Mapping[str, Any]) -> dict[str, Any]:
        if isinstance(given, Mapping):
            return {str(key): plain(value) for key, value in given.items()}
        path = self.params.project / given
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        inside = path.resolve().is_relative_to(self.params.project)
        shown = path.resolve().relative_to(self.params.project) if inside else Path(path.name)
        return {"path": shown.as_posix(), "sha256": digest}

    def _claim(self, name: str, taken: Iterable[str], kind: str) -> None:
        if not _NAME.fullmatch(name):
            message = f"{self.notebook}: '{name}' is no name for a {kind}"
            raise SchemaError(message, hint="use lower-case letters, digits and '_', beginning with a letter")
        if name in taken:
            message = f"{self.notebook}: the {kind} '{name}' is recorded already"
            raise SchemaError(message, hint="record each name once; a second value would hide the first")


def plain(value: Any) -> Any:
    """Turn a value into what JSON can hold without losing anything.

    Parameters
    ----------
    value : object
        Decimal, number, text, truth value, date, null, or a list or mapping of them.

    Returns
    -------
    object
        Decimals as text without exponent and trailing zeros, nulls and NaN as ``None``, NumPy
        numbers as Python's, anything else that is no number or text as text.

    Examples
    --------
    >>> plain(Decimal("3214.550")), plain(Decimal("0E-15")), plain(float("nan"))
    ('3214.55', '0', None)
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, Decimal):
        return _decimal_text(value) if value.is_finite() else None
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | bool | int) else str(value)


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """Write a frame as CSV that loses no digit and runs nothing in a spreadsheet.

    Parameters
    ----------
    frame : DataFrame
        Any frame.

    Returns
    -------
    bytes
        UTF-8 with a header. Decimals in full, nulls empty; text that a spreadsheet would take for a
        formula begins with an apostrophe (the Parquet file keeps it as it was).
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([inert_text(str(name)) for name in frame.columns])
    columns = [[_csv_cell(value) for value in frame.iloc[:, place]] for place in range(frame.shape[1])]
    writer.writerows(zip(*columns, strict=True))
    return buffer.getvalue().encode("utf-8")


def _csv_cell(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return "" if pd.isna(value) else value.isoformat().removesuffix("T00:00:00")
    written = plain(value)
    if written is None:
        return ""
    return inert_text(written) if isinstance(value, str) else written


def inert_text(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would take for a formula.

    Parameters
    ----------
    text : str
        Text for a cell of a CSV file.

    Returns
    -------
    str
        The same text where it is harmless.

    Examples
    --------
    >>> inert_text("=1+1"), inert_text("cx-team")
    ("'=1+1", 'cx-team')
    """
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _decimal_text(value: Decimal) -> str:
    if not value:
        return "0"
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _parquet_bytes(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    named = frame.set_axis([str(name) for name in frame.columns], axis=1)
    pq.write_table(pa.Table.from_pandas(named, preserve_index=False), buffer, compression="zstd")
    return buffer.getvalue()


def _versions() -> dict[str, str]:
    found = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return found | {"kit": __version__}
