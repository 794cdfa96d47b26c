"""Bill values: the texts of a bill become exact numbers, times and names; what had to be mended is written down.

What FOCUS asks for is read as it stands. What exporters write instead (``NULL``, ``$1,000.00``, ``4/1/25``) is mended
where there is one way to read it, by what else stands in the file, and refused where there are two.

References
----------
FOCUS specification, attributes DateTimeFormat, NumericFormat, NullHandling, StringHandling.
"""

from __future__ import annotations

import duckdb

from finops_lib.ingest.engine import quoted
from finops_lib.ingest.readers.bill import GIVEN, BillReader
from finops_lib.schema import TABLES, Column

_CATEGORIES = {
    "charge_category": ("Usage", "Purchase", "Tax", "Credit", "Adjustment"),
    "charge_class": ("Correction",),
    "charge_frequency": ("One-Time", "Recurring", "Usage-Based"),
    "pricing_category": ("Standard", "Dynamic", "Committed", "Other"),
}
_JSON = ("tags", "sku_price_details")

_FOCUS_TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"
_ANY_TIME = r"^\d{4}-\d\d-\d\d|^\d{9,}(\.\d+)?$"
_SLASHED = r"^\d{1,2}/\d{1,2}/\d{2,4}"
_POINT = r"\d\.(\d{1,2}|\d{4,})$|,\d{3}\.\d|^-?0\.\d+$"
_COMMA = r"\d,(\d{1,2}|\d{4,})$|\.\d{3},\d|^-?0,\d+$"

_MACROS = r"""
CREATE OR REPLACE MACRO filled(value) AS
    CASE WHEN lower(trim(value)) NOT IN ('null', '\n', 'nan', 'none', 'n/a', '<null>') THEN nullif(trim(value), '') END;
CREATE OR REPLACE MACRO iso(year, month, day) AS
    concat(CASE WHEN length(year) = 2 THEN '20' ELSE '' END, year, '-', lpad(month, 2, '0'), '-', lpad(day, 2, '0'));
"""

_NUMBERS_SQL = r"""
squeezed AS (SELECT *, CASE WHEN regexp_matches(value, '^-?\d*\.?\d+([eE][-+]?\d+)?$') THEN value
    ELSE regexp_replace(regexp_replace(regexp_replace(
        replace(value, '−', '-'), '[\s\x{00A0}\x{202F}''’$€£¥₹]|[A-Z]{3}|^\+', '', 'g'),
        '^\((.*)\)$', '-\1'), '^([^-].*)-$', '-\1') END AS plain FROM filled_cells),
texts AS (SELECT *, CASE
    WHEN regexp_matches(plain, '\..*,') THEN replace(replace(plain, '.', ''), ',', '.')
    WHEN regexp_matches(plain, ',.*\.|^-?\d{1,3}(,\d{3}){2,}$') THEN replace(plain, ',', '')
    WHEN regexp_matches(plain, '^-?[1-9]\d{0,2},\d{3}$')
        THEN CASE comma WHEN true THEN replace(plain, ',', '.') WHEN false THEN replace(plain, ',', '') END
    WHEN regexp_matches(plain, '^-?\d{1,3}(\.\d{3}){2,}$') THEN replace(plain, '.', '')
    WHEN comma AND regexp_matches(plain, '^-?[1-9]\d{0,2}\.\d{3}$') THEN replace(plain, '.', '')
    ELSE replace(plain, ',', '.') END AS text FROM squeezed),
parsed AS (SELECT *, TRY_CAST(text AS DECIMAL(38, 15)) AS parsed FROM texts)
SELECT nth, name, is_text, parsed,
    CASE WHEN text <> value THEN 'number with currency sign, separators or plus'
        WHEN TRY_CAST(text AS DECIMAL(38, 28)) <> parsed THEN 'more than 15 decimals rounded' END AS mend,
    CASE WHEN text IS NULL THEN 'decimal comma and thousands separator cannot be told apart'
        ELSE 'not a number' END AS fault FROM parsed
"""
_TIMES_SQL = r"""
parts AS (SELECT *, string_split(replace(split_part(value, ' ', 1), '.', '/'), '/') AS p,
    regexp_matches(value, '^\d{1,2}/\d{1,2}/(\d{2}|\d{4})($| )') AS slashed,
    regexp_matches(value, '^\d{1,2}\.\d{1,2}\.(\d{2}|\d{4})($| )') AS dotted FROM filled_cells),
texts AS (SELECT *, CASE
    WHEN slashed AND (month_first OR p[1] = p[2]) THEN iso(p[3], p[1], p[2])
    WHEN dotted OR slashed AND NOT month_first THEN iso(p[3], p[2], p[1])
    WHEN NOT slashed THEN split_part(value, ' ', 1) END || CASE WHEN contains(value, ' ')
    THEN substr(value, instr(value, ' ')) ELSE '' END AS text FROM parts),
parsed AS (SELECT *, CASE
    WHEN regexp_matches(text, '^\d{4}-\d{1,2}-\d{1,2}') THEN coalesce(TRY_CAST(text AS TIMESTAMPTZ),
        CAST(try_strptime(text, ['%Y-%m-%d %I:%M:%S %p', '%Y-%m-%d %I:%M %p', '%Y-%m-%d %H:%M']) AS TIMESTAMPTZ))
    WHEN regexp_matches(text, '^\d{9,}(\.\d+)?$') THEN instant(text)
    ELSE CAST(try_strptime(text, ['%Y%m%d', '%Y/%m/%d', '%Y/%m/%d %H:%M:%S', '%b %d, %Y', '%B %d, %Y', '%d %b %Y',
        '%d-%b-%Y', '%d-%b-%y']) AS TIMESTAMPTZ) END AS parsed FROM texts)
SELECT nth, name, is_text, parsed,
    CASE WHEN NOT regexp_matches(value, '{standard}') THEN 'time not written as YYYY-MM-DDTHH:MM:SSZ' END AS mend,
    CASE WHEN slashed AND text IS NULL THEN 'day and month cannot be told apart' ELSE 'not a time' END AS fault
FROM parsed
"""


def type_lines(connection: duckdb.DuckDBPyConnection, reader: BillReader, account: str | None, text: list[str]) -> None:
    """Give the lines of bills their types.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Has ``records`` and the macros of the readers; gets ``typed``: the columns of ``GIVEN``, ``mended`` (a list of
        ``kind: column``) and ``fault`` (why a line cannot be used).
    reader : BillReader
        The format.
    account : str, optional
        Billing account of lines that name none.
    text : list of str
        Files that hold text, whose numbers and times may be written in a wrong way.
    """
    strict = bool(reader.known)
    connection.execute(_MACROS)
    contract = [c for c in TABLES[reader.table] if c.name in GIVEN[reader.table]]
    cleaned = _cleaned_sql(reader.given_sql(), [c.name for c in contract])
    connection.execute(f"CREATE OR REPLACE TABLE cleaned AS {cleaned}")
    numbers = [c.name for c in contract if c.type.startswith("DECIMAL")]
    times = [c.name for c in contract if c.type == "TIMESTAMPTZ"]
    _tell_conventions(connection, numbers, times)
    standard = _FOCUS_TIME if strict else _ANY_TIME
    _parse_cells(connection, "numbers", numbers, _NUMBERS_SQL, text)
    _parse_cells(connection, "times", times, _TIMES_SQL.replace("{standard}", standard), text)
    connection.execute(f"CREATE OR REPLACE TABLE read_lines AS {_typed_sql(contract, account)}")
    connection.execute(f"CREATE OR REPLACE TABLE typed AS {_completed_sql(contract, strict=strict)}")


def _cleaned_sql(given: str, columns: list[str]) -> str:
    """Write the SQL that takes blanks and words for nothing off all texts; a cell at a time, to be planned once."""
    texts, named = ", ".join(columns), ", ".join(map(quoted, columns))
    listed = ", ".join(f"filled_cells[{place}] AS {name}" for place, name in enumerate(columns, start=1))
    return f"""SELECT nth, source_file, source_position, {listed}, list_filter(list_transform(cells, lambda cell, place:
            CASE WHEN trim(cell) <> '' AND filled_cells[place] IS NULL
                THEN 'the word NULL read as empty: ' || ([{named}])[place]
            WHEN filled_cells[place] <> cell THEN 'blanks around a value taken off: ' || ([{named}])[place] END),
            lambda kind: kind IS NOT NULL) AS mended
        FROM (SELECT *, list_transform(cells, lambda cell: filled(cell)) AS filled_cells
            FROM (SELECT row_number() OVER () AS nth, source_file, source_position, [{texts}] AS cells
                FROM ({given})))"""


def _tell_conventions(connection: duckdb.DuckDBPyConnection, numbers: list[str], times: list[str]) -> None:
    """Tell, for each file, decimal commas from points and month-first dates from day-first, where anything tells."""
    connection.execute(
        f"""CREATE OR REPLACE TABLE conventions AS
        WITH numbers AS (SELECT source_file, unnest([{", ".join(numbers)}]) AS value FROM cleaned),
        separators AS (SELECT source_file, bool_or(regexp_matches(value, '{_POINT}')) AS point,
            bool_or(regexp_matches(value, '{_COMMA}')) AS comma FROM numbers GROUP BY 1),
        times AS (SELECT source_file, unnest([{", ".join(times)}]) AS value, false AS billing FROM cleaned
            UNION ALL SELECT source_file, unnest([billing_period_start, billing_period_end]), true FROM cleaned),
        parts AS (SELECT source_file, billing, TRY_CAST(split_part(value, '/', 1) AS INTEGER) AS first,
            TRY_CAST(split_part(value, '/', 2) AS INTEGER) AS second
            FROM times WHERE regexp_matches(value, '{_SLASHED}')),
        orders AS (SELECT source_file, bool_or(second > 12) AS month_first, bool_or(first > 12) AS day_first,
            -- billing periods begin and end on the first of a month
            bool_and(second = 1) FILTER (billing) AS on_second, bool_and(first = 1) FILTER (billing) AS on_first
            FROM parts GROUP BY 1)
        SELECT source_file, CASE WHEN comma AND NOT point THEN true WHEN point AND NOT comma THEN false END AS comma,
            CASE WHEN month_first <> day_first THEN month_first
                WHEN NOT month_first AND on_second <> on_first THEN on_second END AS month_first
        FROM separators LEFT JOIN orders USING (source_file)"""
    )


def _parse_cells(
    connection: duckdb.DuckDBPyConnection, table: str, columns: list[str], query: str, text: list[str]
) -> None:
    """Parse all cells of one kind at once, then lay them out again a line each, with their mends and faults."""
    files = ", ".join(map(quoted, text)) or "''"
    listed = ", ".join(map(quoted, columns))
    connection.execute(
        f"""CREATE OR REPLACE TABLE parsed_cells AS
        WITH cells AS (SELECT nth, source_file, unnest([{listed}]) AS name, unnest([{", ".join(columns)}]) AS value
            FROM cleaned),
        filled_cells AS (SELECT c.*, v.comma, v.month_first, c.source_file IN ({files}) AS is_text
            FROM cells AS c JOIN conventions AS v USING (source_file) WHERE value IS NOT NULL), {query}"""
    )
    values = ", ".join(f"any_value(parsed) FILTER (name = '{name}') AS {name}" for name in columns)
    rank = "CASE name " + " ".join(f"WHEN '{name}' THEN {place}" for place, name in enumerate(columns)) + " END"
    connection.execute(
        f"""CREATE OR REPLACE TABLE {table} AS SELECT nth, {values},
            list(mend || ': ' || name) FILTER (mend IS NOT NULL AND parsed IS NOT NULL AND is_text) AS mended,
            arg_min(name || ': ' || fault, {rank}) FILTER (parsed IS NULL) AS fault
        FROM parsed_cells GROUP BY nth"""
    )


def _typed_sql(contract: list[Column], account: str | None) -> str:
    """Write the SQL that puts texts, numbers and times of a line together."""
    values, mends = {}, []
    for column in contract:
        name = column.name
        side = "n" if column.type.startswith("DECIMAL") else "t" if column.type == "TIMESTAMPTZ" else "c"
        values[name] = f"{side}.{name}"
        if name in _CATEGORIES:
            cases = " ".join(f"WHEN '{value.lower()}' THEN '{value}'" for value in _CATEGORIES[name])
            values[name] = f"CASE lower(c.{name}) {cases} ELSE c.{name} END"
        elif name in _JSON:
            values[name] = f"CASE WHEN json_type(TRY_CAST(c.{name} AS JSON)) = 'OBJECT' THEN c.{name} END"
            mends.append((name, "not a JSON object, left out", f"c.{name} IS NOT NULL AND {values[name]} IS NULL"))
        elif name == "billing_currency":
            values[name] = f"upper(c.{name})"
        elif name == "billing_account_id" and account:
            values[name] = f"coalesce(c.{name}, {quoted(account)})"
        if name in _CATEGORIES or name == "billing_currency":
            mends.append((name, "capitals put right", f"{values[name]} <> c.{name}"))
    listed = ", ".join(f"CASE WHEN {condition} THEN '{kind}: {name}' END" for name, kind, condition in mends)
    faults = [
        f"WHEN NOT regexp_matches({values['billing_currency']}, '^[A-Z]{{3}}$') THEN 'billing_currency: no ISO code'"
    ]
    if "charge_category" in values:
        known = ", ".join(f"'{category}'" for category in _CATEGORIES["charge_category"])
        faults.append(f"WHEN {values['charge_category']} NOT IN ({known}) THEN 'charge_category: not one of FOCUS'")
    return f"""SELECT c.source_file, c.source_position, {", ".join(f"{v} AS {name}" for name, v in values.items())},
            c.mended || list_filter([{listed}], lambda kind: kind IS NOT NULL) || coalesce(n.mended, [])
                || coalesce(t.mended, []) AS mended,
            coalesce(n.fault, t.fault, CASE {" ".join(faults)} END) AS fault
        FROM cleaned AS c LEFT JOIN numbers AS n USING (nth)
        LEFT JOIN times AS t USING (nth)"""


def _completed_sql(contract: list[Column], *, strict: bool) -> str:
    """Write the SQL that fills what follows from the rest of a line, then refuses lines that still lack something."""
    month = "date_trunc('month', charge_period_start)"
    filled = {
        "billing_period_start": (f"coalesce(billing_period_start, {month})", "month of the charge taken"),
        "billing_period_end": (
            f"coalesce(billing_period_end, coalesce(billing_period_start, {month}) + INTERVAL 1 MONTH)",
            "month of the charge taken",
        ),
        "charge_period_start": ("coalesce(charge_period_start, billing_period_start)", "billing period taken"),
        "charge_period_end": (
            "coalesce(charge_period_end, CASE WHEN charge_period_start IS NULL THEN billing_period_end "
            "ELSE charge_period_start + INTERVAL 1 DAY END)",
            "billing period or day taken",
        ),
        "invoice_issuer_name": ("coalesce(invoice_issuer_name, service_provider_name)", "provider taken"),
        "contracted_cost": ("coalesce(contracted_cost, effective_cost, billed_cost)", "billed cost taken"),
        "effective_cost": ("coalesce(effective_cost, billed_cost)", "billed cost taken"),
        "charge_category": ("coalesce(charge_category, 'Usage')", "Usage taken"),
    }
    if strict:  # FOCUS knows a charge without an effective cost or category as a fault of the exporter
        del filled["contracted_cost"], filled["effective_cost"], filled["charge_category"]
    held = {column.name for column in contract}
    if "charge_period_start" not in held:
        filled = {}
    made = ", ".join(
        f"CASE WHEN {name} IS NULL AND {value} IS NOT NULL THEN 'missing, {kind}: {name}' END"
        for name, (value, kind) in filled.items()
    )
    added = f" || list_filter([{made}], lambda kind: kind IS NOT NULL)" if made and strict else ""
    values = ", ".join(f"{value} AS {name}" for name, (value, _) in filled.items())
    replaced = f"REPLACE ({values}{', ' if values else ''}mended{added} AS mended)"
    required = [c.name for c in contract if c.required and c.name != "charge_id"]
    faults = [f"WHEN {name} IS NULL THEN 'no {name}'" for name in required]
    for kind in ("billing", "charge"):
        if f"{kind}_period_end" in held:
            condition = f"{kind}_period_end < {kind}_period_start"
            faults.append(f"WHEN {condition} THEN 'the {kind} period ends before it begins'")
    return f"""SELECT * REPLACE (coalesce(fault, CASE {" ".join(faults)} END) AS fault)
        FROM (SELECT * {replaced} FROM read_lines)"""
