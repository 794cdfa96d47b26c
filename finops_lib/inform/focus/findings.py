"""FOCUS findings: a strict check of a Cost and Usage file, for what the public validators let pass."""

from __future__ import annotations

import pandas as pd

from finops_lib.inform.focus.cells import cell_findings, column_findings, read_cells
from finops_lib.inform.focus.relations import row_findings, table_findings
from finops_lib.inform.focus.split_relations import split_findings

_COLUMNS = ["rule", "column", "row", "found", "expected"]


def focus_findings(frame: pd.DataFrame, version: str, invoices: pd.DataFrame | None = None) -> pd.DataFrame:
    """List everything in a FOCUS file that breaks a rule.

    Parameters
    ----------
    frame : DataFrame
        The file: read from CSV as text (``dtype=str``), or typed.
    version : {"1.2", "1.4"}
        FOCUS version it claims.
    invoices : DataFrame, optional
        Lines of the invoices it must come to, ``schema.CHARGES`` or ``schema.INVOICE_DETAILS``.

    Returns
    -------
    DataFrame
        One row a finding: ``rule``, ``column``, ``row`` (counted from 1; 0 is the whole file), ``found``,
        ``expected``. Empty when the file is right.

    Raises
    ------
    SchemaError
        If the version is unknown.

    Notes
    -----
    The official validator and the 1.4 linter each miss dates, products, nested tags, units, periods, split sums or
    invoice totals; these rules are added to theirs, they do not stand for all of them.

    References
    ----------
    FOCUS 1.2 and 1.4, Cost and Usage; requirement C7.

    Examples
    --------
    >>> focus_findings(pd.DataFrame({"BilledCost": ["1E+7"]}), "1.2").query("rule == 'number_format'")["found"].tolist()
    ['1E+7']
    """
    table = read_cells(frame, version)
    checks = (
        *(column_findings(table), cell_findings(table), row_findings(table)),
        *(table_findings(table, invoices), split_findings(table)),
    )
    found = [findings for check in checks for findings in check if len(findings)]
    if not found:
        return pd.DataFrame(columns=_COLUMNS)
    return pd.concat(found)[_COLUMNS].sort_values("row", kind="stable").reset_index(drop=True)
