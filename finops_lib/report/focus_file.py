"""FOCUS file: rows as the bytes other tools read: CSV without a lost digit, or Parquet."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from finops_lib.errors import ParamsError
from finops_lib.files import replace_file
from finops_lib.report.sidecar import inert_text

ENDINGS = (".csv", ".parquet")


def focus_text(rows: pd.DataFrame) -> pd.DataFrame:
    """Write every cell of a FOCUS frame as the text that stands in the CSV file.

    Parameters
    ----------
    rows : DataFrame
        From ``inform.focus_rows``: text, UTC timestamps, decimals.

    Returns
    -------
    DataFrame
        Text and nulls: dates as ``YYYY-MM-DDTHH:mm:ssZ``; decimals in full without an exponent, whole ones
        with ``.0`` (a column of whole costs would else be read as integers); text that a spreadsheet would take for
        a formula begins with an apostrophe.

    References
    ----------
    FOCUS attributes DateTimeFormat and NumericFormat.

    Examples
    --------
    >>> focus_text(pd.DataFrame({"ListCost": [Decimal("1E+3"), Decimal("0.30")]}))["ListCost"].tolist()
    ['1000.0', '0.3']
    """
    written = {name: _distinct_text(rows[name]) for name in rows.columns}
    return pd.DataFrame(written, index=rows.index, dtype=object)


def columns_of_digits(text: pd.DataFrame) -> list[str]:
    """Find columns of ids that readers of CSV take for numbers.

    Parameters
    ----------
    text : DataFrame
        From ``focus_text``.

    Returns
    -------
    list of str
        Columns whose every value is made of digits alone: many readers drop their leading zeros.
    """
    return [name for name in text.columns if text[name].notna().any() and text[name].dropna().str.isdigit().all()]


def write_focus(rows: pd.DataFrame, path: Path) -> None:
    """Write FOCUS rows to a file, whole or not at all.

    Parameters
    ----------
    rows : DataFrame
        From ``inform.focus_rows``.
    path : Path
        Ends with ``.csv`` (UTF-8) or ``.parquet`` (decimals and UTC timestamps typed); what stood there is replaced.

    Raises
    ------
    ParamsError
        If the file name ends differently.
    """
    if path.suffix not in ENDINGS:
        message = f"--out: found '{path.name}', expected a name that ends with {' or '.join(ENDINGS)}"
        raise ParamsError(message, hint="e.g. --out outputs/focus.parquet")
    if path.suffix == ".csv":
        content = focus_text(rows).to_csv(index=False, lineterminator="\n").encode()
    else:
        buffer = io.BytesIO()
        pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), buffer, compression="zstd")
        content = buffer.getvalue()
    replace_file(path, content)


def _distinct_text(values: pd.Series) -> pd.Series:
    """Write each different value once: most columns of a bill repeat a few."""
    codes, distinct = pd.factorize(values)
    written = pd.Series([_cell_text(value) for value in distinct], dtype=object)
    return pd.Series(written.reindex(codes).to_numpy(), index=values.index, dtype=object).where(codes >= 0, None)


def _cell_text(value: Any) -> str:
    if isinstance(value, Decimal):
        digits = f"{value:f}"
        whole, _, rest = digits.partition(".")
        return f"{whole}.{rest.rstrip('0') or '0'}"
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return inert_text(str(value))
