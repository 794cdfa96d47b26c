"""Checks: one decision, one row; a failed check means "computed, and it is bad"."""

from __future__ import annotations

import operator
from collections.abc import Iterable

import pandas as pd

COLUMNS = ("check", "statistic", "operator", "threshold", "unit", "passed", "comment")
_OPERATORS = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "==": operator.eq,
}


def check(
    name: str,
    statistic: float | None,
    comparison: str,
    threshold: float,
    *,
    unit: str,
    comment: str = "",
) -> pd.DataFrame:
    """Hold one statistic against its threshold.

    Parameters
    ----------
    name : str
        What is checked, in snake_case.
    statistic : float or None
        The value found. ``None`` means "not known": the check does not pass and says so.
    comparison : {"<=", "<", ">=", ">", "=="}
        How the statistic must stand to the threshold.
    threshold : float
        The value held against, in ``unit``.
    unit : str
        Unit of statistic and threshold, e.g. ``USD`` or ``share``.
    comment : str, optional
        One sentence for the reader.

    Returns
    -------
    DataFrame
        One row with the columns of ``COLUMNS``.

    Raises
    ------
    KeyError
        If ``comparison`` is not one of the five.

    Examples
    --------
    >>> bool(check("budget", 4310.0, "<=", 4000.0, unit="USD/month")["passed"].item())
    False
    """
    known = statistic is not None and not pd.isna(statistic)
    row = {
        "check": name,
        "statistic": float(statistic) if known else float("nan"),
        "operator": comparison,
        "threshold": float(threshold),
        "unit": unit,
        "passed": bool(_OPERATORS[comparison](statistic, threshold)) if known else False,
        "comment": comment if known else (comment or "not known: the data does not hold it"),
    }
    return pd.DataFrame([row], columns=list(COLUMNS))


def checklist(rows: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Stack check rows into one decision table.

    Parameters
    ----------
    rows : iterable of DataFrame
        Frames made by ``check``.

    Returns
    -------
    DataFrame
        One row per check, in the order given; empty with the right columns when there are none.

    Raises
    ------
    ValueError
        If two checks carry the same name.
    """
    rows = list(rows)
    if not rows:
        return pd.DataFrame(columns=list(COLUMNS))
    table = pd.concat(rows, ignore_index=True)
    repeated = table.loc[table["check"].duplicated(), "check"].tolist()
    if repeated:
        message = f"Checks named more than once: {', '.join(repeated)}"
        raise ValueError(message)
    return table
