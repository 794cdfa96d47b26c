"""Deliveries: a bill may arrive twice, in parts or corrected; each of its lines counts once, and what gave way is told.

Two lines are the same line of a bill when everything but their amounts is the same. Where two files state it:

- equal amounts: it is a duplicate, and the file read first counts;
- other amounts: the file that came later replaces it, and a finding says what changed;
- but where two files share less than half of their lines of an account and day, they are parts of one bill whose lines
  merely look alike: all of them count, and a finding says how many.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from finops_lib.ingest import workspace
from finops_lib.ingest.engine import fetch
from finops_lib.schema import TABLES, names

SHARED = 0.5
"""Share of the shorter file's lines of an account and day from which two files are two deliveries of it."""

STAGES = {"charges": "bill_lines", "invoice_details": "invoice_lines"}
"""Table → folder of all lines as they were read, whatever became of them."""


def identified_sql(table: str, relation: str, *, exact: bool) -> str:
    """Write the SQL that gives the lines of bills their identity.

    Parameters
    ----------
    table : str
        ``charges`` or ``invoice_details``.
    relation : str
        Lines with all columns of the table but the id; ``charge_id`` holds what the bill gives.
    exact : bool
        Equal lines of two files are one line whatever else the files hold.

    Returns
    -------
    str
        The lines with ``line_key`` (hash of all that is no amount), ``line_number`` (among equal lines of a file and
        invoice), ``amounts`` (hash of the amounts), ``exact``.
    """
    contract = TABLES[table]
    amounts = [c.name for c in contract if c.type.startswith("DECIMAL") and not c.name.startswith("exchange_rate")]
    apart = {*amounts, "invoice_id", "exchange_rate", "exchange_rate_source", "source", "source_file"} | {
        *("source_position", "provider", "model", "token_class", "service_tier", "assistant", "workflow", "team"),
        *("department", "cost_center", "project_code", "environment"),
    }
    named = "charge_id" if table == "charges" else "invoice_detail_id"
    place = "invoice_issuer_name, billing_account_id, billing_period_start"
    key = ", ".join(f"coalesce(CAST({name} AS VARCHAR), '')" for name in names(contract) if name not in apart)
    own = f"CASE WHEN {named} IS NOT NULL THEN sha256(concat_ws('|', {place}, {named}))"
    listed = ", ".join(f"coalesce(CAST({name} AS VARCHAR), '')" for name in amounts)
    keyed = (
        f"SELECT *, {own} ELSE sha256(concat_ws('|', {key})) END AS line_key, "
        f"md5(concat_ws('|', {listed})) AS amounts, {named} IS NOT NULL OR {exact} AS exact FROM {relation}"
    )
    # Equal lines are numbered by their amounts, so that their order in the file does not matter.
    numbered = f"""SELECT *, row_number() OVER (PARTITION BY source_file, line_key, invoice_id
        ORDER BY billed_cost, amounts, source_position) AS line_number FROM ({keyed})"""
    if table == "invoice_details":
        return numbered
    made = "left(sha256(concat_ws('|', line_key, coalesce(invoice_id, ''), line_number)), 24)"
    return f"""SELECT * REPLACE (CASE WHEN charge_id IS NULL THEN {made}
        ELSE concat(charge_id, '@', left({made}, 8)) END AS charge_id) FROM ({numbered})"""


def settle(connection: duckdb.DuckDBPyConnection, folder: Path, table: str, order: Mapping[str, int]) -> list[str]:
    """Settle which lines count, and write them: one file a billing month.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Gets ``settled``: all lines with their ``fate`` (kept, duplicates, replaced).
    folder : Path
        The workspace.
    table : str
        ``charges`` or ``invoice_details``.
    order : mapping
        File → when it came: a later one has the larger number.

    Returns
    -------
    list of str
        Findings: sentences on lines that gave way, look alike or stand twice.
    """
    paths = workspace.files_of(folder, STAGES[table])
    arrivals = {"source_file": pa.array(order, pa.string()), "arrival": pa.array(order.values(), pa.int64())}
    connection.register("arrivals", pa.table(arrivals))
    day = ", CAST(CAST(charge_period_start AS DATE) AS VARCHAR)" if table == "charges" else ""
    connection.execute("CREATE OR REPLACE SEQUENCE line_ids")
    connection.execute(
        f"""CREATE OR REPLACE TABLE lines AS SELECT nextval('line_ids') AS id, arrival,
            concat_ws('|', invoice_issuer_name, billing_account_id, billing_period_start{day}) AS unit,
            strftime(billing_period_start, '%Y-%m') AS month, l.* FROM {workspace.scan(paths)} AS l
        JOIN arrivals USING (source_file)"""
        if paths
        else f"""CREATE OR REPLACE TABLE lines AS SELECT 0 AS id, 0 AS arrival, '' AS unit, '' AS month, *,
            NULL AS line_key, 0 AS line_number, NULL AS amounts, false AS exact, CAST([] AS VARCHAR[]) AS mended
        FROM ({workspace.view_sql(table, [])})"""
    )
    connection.unregister("arrivals")
    connection.execute(_TWINS_SQL)
    connection.execute(_FATES_SQL)
    _write_months(connection, folder / table, table)
    return _findings(connection)


_TWINS_SQL = f"""CREATE OR REPLACE TABLE twins AS
WITH sizes AS (SELECT source_file, unit, count(*) AS lines FROM lines GROUP BY ALL),
pairs AS (
    SELECT a.id, b.id AS twin, a.unit, a.source_file, b.source_file AS other_file, b.arrival > a.arrival AS later,
        a.amounts = b.amounts AS same, a.exact AND b.exact AS exact
    FROM lines AS a JOIN lines AS b ON a.line_key = b.line_key AND a.line_number = b.line_number
        AND a.source_file <> b.source_file
        -- an invoice gets its number when it is issued: before, it may be any
        AND (a.invoice_id = b.invoice_id OR a.invoice_id IS NULL OR b.invoice_id IS NULL)),
shared AS (SELECT source_file, other_file, unit, count(DISTINCT id) AS shared FROM pairs GROUP BY ALL)
SELECT p.*, p.exact OR s.shared >= {SHARED} * least(mine.lines, theirs.lines) AS one_bill
FROM pairs AS p JOIN shared AS s USING (source_file, other_file, unit) JOIN sizes AS mine USING (source_file, unit)
LEFT JOIN sizes AS theirs ON theirs.source_file = p.other_file AND theirs.unit = p.unit"""
_FATES_SQL = """CREATE OR REPLACE TABLE settled AS
WITH replaced AS (SELECT DISTINCT id FROM twins WHERE one_bill AND later AND NOT same),
repeated AS (SELECT DISTINCT id FROM twins WHERE one_bill AND NOT later AND same
    AND twin NOT IN (SELECT id FROM replaced) AND id NOT IN (SELECT id FROM replaced))
SELECT l.*, CASE WHEN id IN (SELECT id FROM replaced) THEN 'replaced'
    WHEN id IN (SELECT id FROM repeated) THEN 'duplicates' ELSE 'kept' END AS fate FROM lines AS l"""


def _write_months(connection: duckdb.DuckDBPyConnection, folder: Path, table: str) -> None:
    months = [m for (m,) in connection.execute("SELECT DISTINCT month FROM settled WHERE fate = 'kept'").fetchall()]
    listed = ", ".join(names(TABLES[table]))
    order = "invoice_issuer_name, billing_account_id, source_file, source_position, line_key, line_number"
    for month in sorted(months):
        kept = f"SELECT {listed} FROM settled WHERE fate = 'kept' AND month = '{month}' ORDER BY {order}"
        workspace.write_table(folder / f"{month}.parquet", fetch(connection, kept))
    for path in folder.glob("*.parquet"):
        if path.stem not in months:
            path.unlink()


def _findings(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Say what gave way, what looks alike and what stands twice."""

    def rows(query: str) -> list[tuple]:
        return connection.execute(query).fetchall()

    place = "l.invoice_issuer_name, l.month, l.source_file"
    found = [
        f"{issuer} {month}: {lines:,} lines of {file} give way to {other}, which came later with other amounts: "
        f"{_money(was, currency)} become {_money(now, currency)}"
        for issuer, month, file, other, currency, lines, was, now in rows(
            f"""SELECT {place}, t.other_file, l.billing_currency, count(*),
                CAST(sum(l.billing_currency_billed_cost) AS VARCHAR),
                CAST(sum(o.billing_currency_billed_cost) AS VARCHAR)
            FROM twins AS t JOIN lines AS l ON l.id = t.id JOIN lines AS o ON o.id = t.twin
            WHERE t.one_bill AND t.later AND NOT t.same GROUP BY ALL ORDER BY ALL"""
        )
    ]
    found += [
        f"{issuer} {month}: {lines:,} lines of {file} ({_money(cost, currency)}) are not in {other}, which replaces "
        "others of the same account and day; they still count"
        for issuer, month, file, other, currency, lines, cost in rows(
            f"""WITH given_way AS (SELECT DISTINCT source_file, other_file, unit FROM twins
                WHERE one_bill AND later AND NOT same)
            SELECT {place}, w.other_file, l.billing_currency, count(*),
                CAST(sum(l.billing_currency_billed_cost) AS VARCHAR)
            FROM settled AS l JOIN given_way AS w USING (source_file, unit)
            WHERE l.fate = 'kept' AND l.id NOT IN (SELECT id FROM twins AS t WHERE t.other_file = w.other_file)
            GROUP BY ALL ORDER BY ALL"""
        )
    ]
    found += [
        f"{issuer} {month}: {lines:,} lines look alike in {file} and {other}, which share less than half of their "
        "lines: all of them count"
        for issuer, month, file, other, lines in rows(
            f"""SELECT {place}, t.other_file, count(*) FROM twins AS t JOIN settled AS l ON l.id = t.id
            WHERE NOT t.one_bill AND t.later AND l.fate = 'kept' GROUP BY ALL ORDER BY ALL"""
        )
    ]
    found += [
        f"{issuer} {month}: each of its {lines:,} lines stands at least twice in {file}: is the bill in it twice?"
        for issuer, month, file, lines in rows(
            f"""WITH repeats AS (SELECT {place}, line_key, amounts, count(*) AS times FROM lines AS l GROUP BY ALL)
            SELECT invoice_issuer_name, month, source_file, count(*) FROM repeats GROUP BY ALL
            HAVING count(*) > 1 AND min(times) > 1 ORDER BY ALL"""
        )
    ]
    found += [
        f"{issuer} {month}: its bill is given as {formats}; both count, so keep one of the sources"
        for issuer, month, formats in rows(
            """SELECT invoice_issuer_name, month, string_agg(DISTINCT source, ' and ' ORDER BY source) FROM settled
            WHERE fate = 'kept' GROUP BY ALL HAVING count(DISTINCT source) > 1 ORDER BY ALL"""
        )
    ]
    return found


def _money(amount: str, currency: str) -> str:
    return f"{currency} {float(amount):,.2f}"
