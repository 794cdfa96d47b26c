"""One expression gives the same rows on every engine, and raises where it could not be exact."""

from __future__ import annotations

import itertools
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import mssql, mysql, sqlite
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import CompileError

from finops_lib.errors import SourceError
from finops_lib.ingest import engine
from finops_lib.ingest.aggregation import requests_table, usage_statement
from finops_lib.ingest.dialects import (
    DuckDBDialect,
    SparkDialect,
    exact_quantile,
    exact_sum,
    local_day,
    to_sql,
    utc,
    zone_offsets,
)
from finops_lib.ingest.questions.measures import quantiles_statement, tasks_statement, users_statement
from finops_lib.schema import AMOUNTS, COUNTS, DIMENSIONS, FLAGS, INPUT_CLASSES, REQUESTS, TOKEN_CLASSES, TOKENS, names

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland")
ENGINES = ("duckdb", "postgresql", "spark")
INSTANT = timedelta(microseconds=1)
SINCE, UNTIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC)
CHANGE = datetime(2026, 10, 25, tzinfo=UTC)
THRESHOLD = 1_000
HELD = (
    *("timestamp", "request_id", "task_id", "user_id", "provider", "model", "assistant", "workflow", "team"),
    *("environment", "request_type", "service_tier", "run_status", "category", "capture_layer"),
    *("cache_hit", "tag_shares", *names(TOKENS), "retrieval_calls", "retries", "resolved", "accepted"),
    *("reported_cost", "review_minutes", "latency_ms", "usage_basis", "source", "source_file", "source_position"),
)


def _instants() -> list[datetime]:
    """Local midnights around every change of clocks and on a plain day, one microsecond before and after too."""
    days = [date(2026, 3, 8), date(2026, 3, 29), date(2026, 4, 5), date(2026, 7, 1), date(2026, 9, 27)]
    days += [date(2026, 10, 25), date(2026, 11, 1)]
    found = [CHANGE - INSTANT, CHANGE, CHANGE + INSTANT]
    for zone in ZONES:
        for day in days:
            for following in (day, day + timedelta(days=1)):
                midnight = datetime.combine(following, datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)
                found += [midnight - INSTANT, midnight, midnight + INSTANT]
        found += [
            datetime.fromtimestamp(s, UTC) + d for s, _ in _changes(zone) for d in (-INSTANT, timedelta(), INSTANT)
        ]
    return found


def _changes(zone: str) -> list[tuple[int, int]]:
    return zone_offsets(zone, int(SINCE.timestamp()), int(UNTIL.timestamp()))[1:]


def _rows() -> list[dict[str, Any]]:
    """Make calls of a few owners, many of their columns null, spread over the instants."""
    rows = []
    for place, moment in enumerate(_instants() * 2):
        pick = lambda *values, step=1, place=place: values[place // step % len(values)]  # noqa: E731
        row = dict.fromkeys(HELD) | {
            "timestamp": moment,
            "request_id": f"r{place:04}",
            "task_id": pick(f"t{place // 5}", None, step=3),
            "user_id": pick("u1", "u2", None, "u3"),
            "provider": pick("openai", None),
            "model": pick("gpt-a", "gpt-b", "gpt-c", step=2),
            "assistant": pick("bot", "desk", None, step=5),
            "team": pick("team 'one'", None, step=7),
            "request_type": pick("chat", "embeddings", None, step=4),
            "service_tier": pick(None, "batch", step=11),
            "run_status": pick("ok", "error", step=6),
            "category": pick("production", None, "evaluation", step=8),
            "capture_layer": "gateway",
            "cache_hit": pick(False, True, None, step=9),
            "tag_shares": pick(None, '{"team":{"a":1,"b":2}}', step=13),
            "resolved": pick(True, None, False, step=3),
            "accepted": pick(None, True, step=10),
            "reported_cost": pick(None, Decimal("0.000000000001"), Decimal("12.345678901234"), step=2),
            "review_minutes": pick(Decimal("0.001"), None),
            "latency_ms": pick(0.1, 250.5, 33.3, None, 7e5),
            "usage_basis": pick("inclusive", "ambiguous", None, step=5),
            "source": "test",
            "source_file": "calls",
            "source_position": place,
            "retries": pick(0, 1, None),
        }
        row |= {name: place % 7 * 3 for name in names(TOKENS)}
        row["uncached_input_tokens"] = pick(400, 990, 1_000, 1_300, step=3)
        row["reasoning_output_tokens"] = pick(None, 5)
        row["audio_output_tokens"] = None
        rows.append(row)
    return rows


ROWS = _rows()
COSTS = [None if place % 17 == 0 else place % 29 / 1000 + 1e-7 for place in range(len(ROWS))]


def _arrow(rows: list[dict[str, Any]], costs: list[float | None] | None = None) -> pa.Table:
    kinds = {c.name: engine.arrow_type(c.type) for c in REQUESTS}
    table = pa.table({name: pa.array([row[name] for row in rows], kinds[name]) for name in HELD})
    return table.append_column("cost", pa.array(costs or [None] * len(rows), pa.float64()))


Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def ask_duckdb() -> Iterator[Ask]:
    """Ask DuckDB, whose session sits in New York."""
    with engine.connect() as connection:
        connection.execute("SET TimeZone = 'America/New_York'")

        def ask(statement: sa.Executable, table: pa.Table, name: str) -> list[dict[str, Any]]:
            connection.register(name, table)
            return engine.run(statement, connection).to_pylist()

        yield ask


@pytest.fixture(scope="module")
def ask_postgresql(postgres_url: str) -> Iterator[Ask]:
    """Ask a real PostgreSQL, whose session sits in New York."""
    kinds = {"VARCHAR": sa.Text(), "BIGINT": sa.BigInteger(), "BOOLEAN": sa.Boolean(), "DOUBLE": sa.Double()}
    kinds |= {"TIMESTAMPTZ": sa.TIMESTAMP(timezone=True)}
    described = {c.name: kinds.get(c.type) or sa.Numeric(28, 12) for c in REQUESTS} | {"cost": sa.Double()}
    warehouse = sa.create_engine(postgres_url, connect_args={"options": "-c timezone=America/New_York"})

    def ask(statement: sa.Executable, table: pa.Table, name: str) -> list[dict[str, Any]]:
        metadata = sa.MetaData()
        made = sa.Table(name, metadata, *(sa.Column(n, described[n]) for n in table.column_names))
        if not sa.inspect(warehouse).has_table(name):
            metadata.create_all(warehouse)
            with warehouse.begin() as connection:
                connection.execute(made.insert(), table.to_pylist())
        return engine.run(statement, warehouse).to_pylist()

    yield ask
    warehouse.dispose()


@pytest.fixture(scope="module")
def ask_spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Ask Spark, whose session sits in New York and raises on overflow (ANSI)."""
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        pytest.skip("Spark needs Java, which is not installed")
    pyspark_sql = pytest.importorskip("pyspark.sql", reason="Spark is not installed")
    folder = tmp_path_factory.mktemp("spark")
    options = {
        "spark.sql.session.timeZone": "America/New_York",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.shuffle.partitions": "1",
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.log.level": "OFF",
        # A few hundred rows: compiling queries would take longer than running them.
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.adaptive.enabled": "false",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }
    builder = pyspark_sql.SparkSession.builder.master("local[1]").appName("finops-tests")
    for name, value in options.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()

    def ask(statement: sa.Executable, table: pa.Table, name: str) -> list[dict[str, Any]]:
        path = folder / f"{name}.parquet"
        if not path.exists():
            pq.write_table(table, path)
            session.read.parquet(str(path)).createOrReplaceTempView(name)
        return [row.asDict() for row in session.sql(to_sql(statement, SparkDialect())).collect()]

    yield ask
    session.stop()


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.engines) for name in ENGINES])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Ask each engine in turn."""
    return request.getfixturevalue(f"ask_{request.param}")


def _usage(name: str, zone: str) -> sa.Select[Any]:
    table = requests_table(HELD, name)
    return usage_statement(table, zone=zone, since=SINCE, until=UNTIL, thresholds=[THRESHOLD], changes=[CHANGE])


def _total(values: list[Any]) -> Any:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _usage_by_hand(zone: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Do what ``usage_statement`` says, call by call."""
    kept = [name for name in (*names(DIMENSIONS), "cache_hit", "tag_shares") if name in HELD]
    groups = defaultdict(list)
    for row in ROWS:
        size = sum(row[TOKEN_CLASSES[k]] or 0 for k in INPUT_CLASSES)
        key = (row["timestamp"].astimezone(ZoneInfo(zone)).date(), *(row[name] for name in kept))
        groups[(*key, THRESHOLD if size > THRESHOLD else 0, int(row["timestamp"] >= CHANGE))].append(row)
    return {
        key: {"request_count": len(rows), "ambiguous_count": sum(r["usage_basis"] == "ambiguous" for r in rows)}
        | {n: _total([r[n] for r in rows]) for n in names(TOKENS + COUNTS + AMOUNTS) if n in HELD}
        | {f"{n}_count": sum(r[n] is True for r in rows) for n in names(FLAGS) if n in HELD}
        for key, rows in groups.items()
    }


@pytest.mark.parametrize("zone", ZONES)
def test_usage_is_the_same_on_every_engine_in_every_time_zone(ask: Ask, zone: str):
    """Groups, integers and decimals equal those added up call by call, days cut in the reporting zone."""
    expected = _usage_by_hand(zone)

    found = ask(_usage("calls", zone), _arrow(ROWS), "calls")

    measures = list(next(iter(expected.values())))
    actual = {
        tuple(value for name, value in row.items() if name not in measures): {name: row[name] for name in measures}
        for row in found
    }
    assert len(expected) == len(found)
    assert expected == actual


def test_users_are_counted_once_on_every_engine(ask: Ask):
    """Distinct users by team, calls without a user counted as calls only."""
    found = ask(users_statement(requests_table(HELD, "calls"), ["team"]), _arrow(ROWS), "calls")

    actual = {row["team"]: (row["users"], row["requests"]) for row in found}
    teams = {row["team"] for row in ROWS}
    rows = {team: [row for row in ROWS if row["team"] == team] for team in teams}
    expected = {team: (len({r["user_id"] for r in own} - {None}), len(own)) for team, own in rows.items()}
    assert expected == actual
    assert {(3, len(rows[None])), (3, len(rows["team 'one'"]))} == set(actual.values())


def test_quantiles_are_exact_on_every_engine(ask: Ask):
    """The 50th and 95th percentile are interpolated as numpy does it, nulls left out."""
    statement = quantiles_statement(requests_table(HELD, "calls"), "latency_ms", (0.5, 0.95), ["model"])

    found = ask(statement, _arrow(ROWS), "calls")

    for row in found:
        known = [r["latency_ms"] for r in ROWS if r["model"] == row["model"] and r["latency_ms"] is not None]
        assert np.quantile(known, 0.5) == pytest.approx(row["p50"], abs=1e-9)
        assert np.quantile(known, 0.95) == pytest.approx(row["p95"], abs=1e-9)
    assert ["gpt-a", "gpt-b", "gpt-c"] == [row["model"] for row in found]


def _tasks_by_hand() -> dict[str, list[float]]:
    """Split tasks of users by cost; ``bot`` counts resolved ones, ``desk`` accepted ones, others completed ones."""
    tasks = defaultdict(list)
    for row, cost in zip(ROWS, COSTS, strict=True):
        judged = (row["category"] or "production") != "production"
        loose = row["request_type"] == "embeddings" and row["task_id"] is None
        if not judged and not loose:
            tasks[row["task_id"] or row["request_id"]].append((row, cost))
    result: dict[str, list[float]] = defaultdict(lambda: [0.0] * 6)
    for calls in tasks.values():
        last = max(calls, key=lambda call: (call[0]["timestamp"], call[0]["request_id"]))[0]
        said = [
            row["resolved"]
            if row["assistant"] == "bot"
            else row["accepted"]
            if row["assistant"] == "desk"
            else row["run_status"] == "ok"
            if row is last and row["run_status"] is not None
            else None
            for row, _ in calls
        ]
        good, known = True in said, any(word is not None for word in said)
        whole = sum(cost or 0 for _, cost in calls)
        for model in {row["model"] for row, _ in calls}:
            own = [(row, cost) for row, cost in calls if row["model"] == model]
            cost = sum(cost or 0 for _, cost in own)
            share = cost / whole if whole else len(own) / len(calls)
            for place, value in enumerate((share, share * good, cost, cost * good, share * known, cost * known)):
                result[model][place] += value
    return result


def test_tasks_are_split_alike_on_every_engine(ask: Ask):
    """Tasks, successful tasks and their costs by model, each assistant with its own idea of success."""
    priced = requests_table(HELD, "priced_calls")
    priced = sa.table(priced.name, *(sa.column(c.name, c.type) for c in priced.c), sa.column("cost", sa.Double()))
    success = {"bot": "resolved", "desk": "accepted", None: "completed"}

    found = ask(tasks_statement(priced, "model", success), _arrow(ROWS, COSTS), "priced_calls")

    expected = _tasks_by_hand()
    assert set(expected) == {row["model"] for row in found}
    for row in found:
        names = ("tasks", "successful_tasks", "cost", "cost_of_successful_tasks", "known_tasks", "known_cost")
        measured = [float(row[name] or 0) for name in names]
        assert expected[row["model"]] == pytest.approx(measured, abs=1e-9)


def test_sums_beyond_64_bits_are_loud_on_every_engine(ask: Ask):
    """Two calls of 5 × 10^18 tokens do not fit a BIGINT: an error, never another number."""
    rows = [ROWS[0] | {"request_id": str(n), "uncached_input_tokens": 5 * 10**18} for n in range(2)]

    with pytest.raises(Exception, match=r"(?i)out of range|overflow|INT64|bigint"):
        ask(
            sa.select(exact_sum(requests_table(HELD, "huge_calls").c.uncached_input_tokens)),
            _arrow(rows),
            "huge_calls",
        )


def test_sums_within_64_bits_keep_every_digit(ask: Ask):
    """The sum 9,223,372,036,854,775,807 comes back digit by digit."""
    rows = [ROWS[0] | {"request_id": "1", "uncached_input_tokens": 2**63 - 2}]
    rows += [ROWS[0] | {"request_id": "2", "uncached_input_tokens": 1}]

    found = ask(
        sa.select(exact_sum(requests_table(HELD, "large_calls").c.uncached_input_tokens).label("tokens")),
        _arrow(rows),
        "large_calls",
    )

    assert [{"tokens": 9_223_372_036_854_775_807}] == found


@pytest.mark.parametrize("dialect", [DefaultDialect(), sqlite.dialect(), mysql.dialect(), mssql.dialect()])
def test_engines_without_an_exact_quantile_raise(dialect: DefaultDialect):
    """Nothing is approximated where an engine cannot be exact."""
    statement = quantiles_statement(requests_table(HELD), "latency_ms", (0.95,))

    with pytest.raises(CompileError, match=f"{dialect.name} has no exact quantile"):
        to_sql(statement, dialect)


def test_what_differs_between_engines_is_said_in_their_words():
    """Local day, sum, quantile and instant as each engine writes them."""
    column = sa.column("moment", sa.TIMESTAMP(timezone=True))
    day = local_day(column, sa.literal("Europe/Berlin"), sa.literal(1782864000), sa.literal(1782950400))
    berlin = ZoneInfo("Europe/Berlin")
    moment = utc(sa.literal(datetime(2026, 7, 1, 2, 30, tzinfo=berlin)))

    assert "DATE '1970-01-01' + CAST((epoch_us(moment) + 7200000000) // 86400000000 AS INTEGER)" == to_sql(
        day, DuckDBDialect()
    )
    assert "date_from_unix_date(CAST(unix_seconds(from_utc_timestamp(moment, 'Europe/Berlin')) DIV 86400 AS INT))" == (
        to_sql(day, SparkDialect())
    )
    assert "TIMESTAMPTZ '2026-07-01 00:30:00.000000+00:00'" == to_sql(moment, DuckDBDialect())
    assert "TIMESTAMP '2026-07-01 00:30:00.000000+00:00'" == to_sql(moment, SparkDialect())
    assert "percentile(cost, 0.95)" == to_sql(exact_quantile(sa.column("cost"), sa.literal(0.95)), SparkDialect())


def test_names_from_files_cannot_break_out_of_their_quotes():
    """Quotes in names and values are doubled."""
    odd = sa.column('o"dd')

    assert 'o""dd' in to_sql(sa.select(odd), DuckDBDialect())
    assert "'it''s'" in to_sql(sa.select(sa.literal("it's")), DuckDBDialect())
    assert "`a``b`" in to_sql(sa.select(sa.column("a`b")), SparkDialect())


@pytest.mark.parametrize("text", ["it's", "100% mine", "DOMAIN\\new", 'say "hi"', "`tick`", ":name", "naïve ☃"])
def test_text_comes_back_as_it_was_on_every_engine(ask: Ask, text: str):
    """Names from users' files may hold any character."""
    found = ask(sa.select(sa.literal(text).label("text")), _arrow(ROWS), "calls")

    assert [{"text": text}] == found


@given(
    zone=st.sampled_from([*ZONES, "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "America/St_Johns"]),
    since=st.integers(
        int(datetime(2015, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2037, 1, 1, tzinfo=UTC).timestamp())
    ),
    days=st.integers(0, 500),
    seconds=st.lists(st.integers(0, 500 * 86_400), min_size=1, max_size=20),
)
@example(zone="Europe/Berlin", since=1774746000 - 1, days=0, seconds=[0, 1, 2])
@settings(max_examples=60, deadline=None)
def test_zone_offsets_are_those_of_the_time_zone_database(zone: str, since: int, days: int, seconds: list[int]):
    """At every instant of the span the last offset begun is the one zoneinfo gives."""
    until = since + days * 86_400
    offsets = zone_offsets(zone, since, until)
    moments = [*(since + s for s in seconds if s <= days * 86_400), since, until, *(start for start, _ in offsets)]
    moments += [start - 1 for start, _ in offsets[1:]]

    for moment in moments:
        given_by_zone = datetime.fromtimestamp(moment, ZoneInfo(zone)).utcoffset()
        assert given_by_zone is not None
        found = [seconds for start, seconds in offsets if start <= moment][-1]
        assert given_by_zone.total_seconds() == found
    assert since == offsets[0][0]
    assert all(one[0] < other[0] and one[1] != other[1] for one, other in itertools.pairwise(offsets))


@given(
    zone=st.sampled_from(ZONES),
    microseconds=st.lists(
        st.integers(
            int(datetime(2015, 1, 1, tzinfo=UTC).timestamp()) * 10**6,
            int(datetime(2035, 1, 1, tzinfo=UTC).timestamp()) * 10**6,
        ),
        min_size=1,
        max_size=10,
    ),
)
@settings(max_examples=40, deadline=None)
def test_duckdb_days_are_those_of_the_time_zone(zone: str, microseconds: list[int]):
    """Offsets added as numbers give the very day zoneinfo gives."""
    moments = [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us) for us in microseconds]
    low, high = min(microseconds) // 10**6 - 1, max(microseconds) // 10**6 + 1
    day = local_day(sa.column("moment"), sa.literal(zone), sa.literal(low), sa.literal(high))
    table = pa.table({"moment": pa.array(moments, pa.timestamp("us", tz="UTC"))})

    with engine.connect() as connection:
        connection.register("moments", table)
        found = engine.run(sa.select(day.label("day")).select_from(sa.table("moments")), connection)

    assert [moment.astimezone(ZoneInfo(zone)).date() for moment in moments] == found["day"].to_pylist()


def test_connections_keep_utc_and_may_spill(tmp_path: Path):
    """The session's zone is UTC; a folder with a quote in its name can be spilled to."""
    with engine.connect(scratch=tmp_path / "it's") as connection:
        assert [("UTC",)] == connection.execute("SELECT current_setting('TimeZone')").fetchall()
        assert [(str(tmp_path / "it's"),)] == connection.execute("SELECT current_setting('temp_directory')").fetchall()
    with pytest.raises(duckdb.ConnectionException):
        connection.execute("SELECT 1")


def test_fetch_brings_back_arrow():
    """A query comes back as an Arrow table, decimals exact."""
    with engine.connect() as connection:
        found = engine.fetch(connection, "SELECT CAST('0.1' AS DECIMAL(38,15)) AS cost")

    assert [{"cost": Decimal("0.100000000000000")}] == found.to_pylist()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("VARCHAR", pa.string()),
        ("DECIMAL(28,12)", pa.decimal128(28, 12)),
        ("TIMESTAMPTZ", pa.timestamp("us", tz="UTC")),
        ("BIGINT", pa.int64()),
        ("DATE", pa.date32()),
    ],
)
def test_types_of_a_contract_have_an_arrow_type(kind: str, expected: pa.DataType):
    """Every SQL type of a contract is held exactly."""
    assert expected == engine.arrow_type(kind)


@pytest.mark.parametrize(
    "url", ["no url", "nosuchdatabase://user:secret@host/db", "postgresql+nodriver://u:secret@h/d"]
)
def test_urls_that_cannot_be_opened_are_told_without_the_password(url: str):
    """A wrong URL is an error of the kit with a hint, and keeps its password to itself."""
    with pytest.raises(SourceError, match="No connection for the database URL") as caught:
        engine.open_engine(url)

    assert "secret" not in str(caught.value)
    assert caught.value.hint
