"""Dialects: the few things engines say differently, in one place: local day, exact sum, exact quantile, UTC literal.

An engine without an exact quantile raises; nothing is ever approximated.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import CompileError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import IdentifierPreparer, SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class DuckDBDialect(PGDialect):
    """DuckDB speaks PostgreSQL's grammar; statements are compiled to text and run by duckdb itself."""

    name = "duckdb"
    # Drivers that mark parameters with % have it doubled in text; duckdb reads text as it stands.
    default_paramstyle = "qmark"
    supports_statement_cache = False


class _SparkPreparer(IdentifierPreparer):
    def __init__(self, dialect: Any) -> None:
        super().__init__(dialect, initial_quote="`", escape_quote="`")


class _SparkCompiler(SQLCompiler):
    def render_literal_value(self, value: Any, type_: Any) -> str:
        # Spark reads a backslash in a text as the start of an escape.
        return super().render_literal_value(value, type_).replace("\\", "\\\\")


class SparkDialect(DefaultDialect):
    """Spark SQL: standard grammar, names in backticks."""

    name = "spark"
    preparer = _SparkPreparer
    statement_compiler = _SparkCompiler
    supports_native_boolean = True
    supports_statement_cache = False


class local_day(FunctionElement[Any]):  # noqa: N801 - reads as a SQL function
    """Day of a timestamp in a time zone: ``local_day(timestamp, "Europe/Berlin", since, until)``.

    ``since`` and ``until`` bound the timestamps (UTC seconds since 1970): within them DuckDB adds the zone's
    offsets as numbers, which costs a tenth of its own conversion; other engines convert themselves.
    """

    type = sa.Date()
    inherit_cache = True


class exact_sum(FunctionElement[Any]):  # noqa: N801
    """Sum of integers as BIGINT: exact, and an error where it does not fit."""

    type = sa.BigInteger()
    inherit_cache = True


class exact_quantile(FunctionElement[Any]):  # noqa: N801
    """Exact, interpolated quantile: ``exact_quantile(cost, 0.95)``."""

    type = sa.Double()
    inherit_cache = True


class utc(FunctionElement[Any]):  # noqa: N801
    """A UTC instant as a literal."""

    type = sa.TIMESTAMP(timezone=True)
    inherit_cache = True


def _two(element: FunctionElement[Any], compiler: SQLCompiler, **kw: Any) -> tuple[str, str]:
    first, second, *_ = element.clauses
    return compiler.process(first, **kw), compiler.process(second, **kw)


def _one(element: FunctionElement[Any], compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(next(iter(element.clauses)), **kw)


def _instant(element: FunctionElement[Any]) -> str:
    moment: datetime = next(iter(element.clauses)).value  # type: ignore[attr-defined]
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def zone_offsets(zone: str, since: int, until: int) -> list[tuple[int, int]]:
    """List the UTC offsets a time zone has in a span of time.

    Parameters
    ----------
    zone : str
        IANA name.
    since, until : int
        Span in UTC seconds since 1970.

    Returns
    -------
    list of tuple
        ``(first second it holds, offset in seconds)``, in order; the first holds from ``since``.

    Examples
    --------
    >>> zone_offsets("Europe/Berlin", 1774000000, 1775000000)
    [(1774000000, 3600), (1774746000, 7200)]
    """
    place = ZoneInfo(zone)

    def offset(second: int) -> int:
        return int(datetime.fromtimestamp(second, tz=UTC).astimezone(place).utcoffset().total_seconds())  # type: ignore[union-attr]

    found = [(since, offset(since))]
    for step in range(since, until + 86_400, 86_400):
        if offset(step + 86_400) != found[-1][1]:
            low, high = step, step + 86_400
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == found[-1][1] else (low, middle)
            found.append((high, offset(high)))
    return found


@compiles(local_day, "duckdb")
def _local_day_duckdb(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    moment, zone, since, until = list(element.clauses)
    offsets = zone_offsets(zone.value, since.value, until.value)
    text = compiler.process(moment, **kw)
    shift = str(offsets[0][1] * 1_000_000)
    if len(offsets) > 1:
        later = " ".join(
            f"WHEN {text} >= TIMESTAMPTZ '{datetime.fromtimestamp(start, tz=UTC):%Y-%m-%d %H:%M:%S}+00:00' "
            f"THEN {seconds * 1_000_000}"
            for start, seconds in reversed(offsets[1:])
        )
        shift = f"CASE {later} ELSE {shift} END"
    return f"DATE '1970-01-01' + CAST((epoch_us({text}) + {shift}) // 86400000000 AS INTEGER)"


@compiles(local_day)
@compiles(local_day, "postgresql")
def _local_day(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    moment, zone = _two(element, compiler, **kw)
    return f"CAST({moment} AT TIME ZONE {zone} AS DATE)"


@compiles(local_day, "spark")
def _local_day_spark(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    moment, zone = _two(element, compiler, **kw)
    # A plain cast to DATE would use the session's time zone.
    return f"date_from_unix_date(CAST(unix_seconds(from_utc_timestamp({moment}, {zone})) DIV 86400 AS INT))"


@compiles(local_day, "clickhouse")
@compiles(local_day, "clickhousedb")
def _local_day_clickhouse(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    moment, zone = _two(element, compiler, **kw)
    return f"toDate({moment}, {zone})"


@compiles(local_day, "bigquery")
def _local_day_bigquery(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    moment, zone = _two(element, compiler, **kw)
    return f"DATE({moment}, {zone})"


@compiles(local_day, "snowflake")
def _local_day_snowflake(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    moment, zone = _two(element, compiler, **kw)
    return f"CAST(CONVERT_TIMEZONE({zone}, {moment}) AS DATE)"


@compiles(exact_sum)
@compiles(exact_sum, "postgresql")
@compiles(exact_sum, "spark")
@compiles(exact_sum, "snowflake")
def _exact_sum(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST(SUM(CAST({_one(element, compiler, **kw)} AS DECIMAL(38, 0))) AS BIGINT)"


@compiles(exact_sum, "duckdb")
def _exact_sum_duckdb(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST(SUM({_one(element, compiler, **kw)}) AS BIGINT)"


@compiles(exact_sum, "clickhouse")
@compiles(exact_sum, "clickhousedb")
def _exact_sum_clickhouse(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return f"accurateCast(SUM(toInt128({_one(element, compiler, **kw)})), 'Nullable(Int64)')"


@compiles(exact_sum, "bigquery")
def _exact_sum_bigquery(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST(SUM(CAST({_one(element, compiler, **kw)} AS NUMERIC)) AS INT64)"


@compiles(exact_quantile)
def _no_quantile(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    message = f"{compiler.dialect.name} has no exact quantile"
    raise CompileError(message)


@compiles(exact_quantile, "postgresql")
@compiles(exact_quantile, "snowflake")
def _quantile(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    value, share = _two(element, compiler, **kw)
    return f"PERCENTILE_CONT({share}) WITHIN GROUP (ORDER BY {value})"


@compiles(exact_quantile, "duckdb")
def _quantile_duckdb(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    value, share = _two(element, compiler, **kw)
    return f"quantile_cont({value}, {share})"


@compiles(exact_quantile, "spark")
def _quantile_spark(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    value, share = _two(element, compiler, **kw)
    return f"percentile({value}, {share})"


@compiles(exact_quantile, "clickhouse")
@compiles(exact_quantile, "clickhousedb")
def _quantile_clickhouse(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    value, share = _two(element, compiler, **kw)
    return f"quantileExactInclusive({share})({value})"


@compiles(utc)
@compiles(utc, "duckdb")
@compiles(utc, "postgresql")
def _utc(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return f"TIMESTAMPTZ '{_instant(element)}+00:00'"


@compiles(utc, "spark")
@compiles(utc, "bigquery")
def _utc_zoned(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return f"TIMESTAMP '{_instant(element)}+00:00'"


@compiles(utc, "clickhouse")
@compiles(utc, "clickhousedb")
def _utc_clickhouse(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return f"parseDateTime64BestEffort('{_instant(element)}', 6, 'UTC')"


@compiles(utc, "snowflake")
def _utc_snowflake(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return f"TO_TIMESTAMP_TZ('{_instant(element)}+00:00')"


def to_sql(statement: sa.Executable, dialect: DefaultDialect) -> str:
    """Compile a statement to text with its literals in place.

    Parameters
    ----------
    statement : Executable
        A SQLAlchemy Core statement.
    dialect : Dialect
        ``DuckDBDialect()``, ``SparkDialect()`` or an installed dialect.

    Returns
    -------
    str
        SQL text.

    Raises
    ------
    CompileError
        If the dialect cannot say it exactly.
    """
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
