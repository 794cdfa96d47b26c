"""Measure the ledger: requests → priced ledger, as ratios against peers in one run.

Bars: at 10 million rows at most 1.5 times a mere scan of the same columns and 1.2 GB; at one million at least 11
times naive pandas; at least 500 times a price call per request; reading JSON Lines with quarantine at most 2.5
times a strict read.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from finops_lib.ingest import read_source
from finops_lib.ingest.aggregation import build_rows, price_setting, requests_table, usage_statement
from finops_lib.ingest.engine import connect, fetch, run
from finops_lib.ingest.prices.model_names import match_models
from finops_lib.ingest.prices.price_list import unit_prices
from finops_lib.ingest.prices.rows import read_price_list
from finops_lib.params import Organisation, Params, Settings, Source
from finops_lib.sample import synthetic_requests
from finops_lib.schema import TOKEN_CLASSES

ZONE = "Europe/Berlin"
DIMENSIONS = [
    "provider",
    "model",
    "assistant",
    "workflow",
    "team",
    "environment",
    "data_class",
    "service_tier",
    "run_status",
]
MEASURES = [
    "uncached_input_tokens",
    "cache_read_input_tokens",
    "cache_write_5m_input_tokens",
    "visible_output_tokens",
    "reasoning_output_tokens",
    "retries",
    "tool_calls",
]


def write_log(folder: Path, rows: int) -> list[Path]:
    """Write the synthetic log once, one file a batch."""
    folder.mkdir(parents=True, exist_ok=True)
    batches = list_batches(rows)
    paths = []
    for number, batch in enumerate(batches):
        path = folder / f"{rows}-{number:03d}.parquet"
        pq.write_table(pa.Table.from_batches([batch]), path, compression="zstd")
        paths.append(path)
    return paths


def list_batches(rows: int) -> Any:
    """Generate the log batch by batch."""
    return synthetic_requests(rows)


def relation(paths: list[Path]) -> str:
    """Write the SQL of the log."""
    return "read_parquet([" + ", ".join(f"'{path}'" for path in paths) + "])"


def ledger(paths: list[Path]) -> dict[str, Any]:
    """Do what the kit does: sum, price, exactly."""
    with connect() as connection:
        connection.execute(f"CREATE VIEW requests AS SELECT * FROM {relation(paths)}")
        usage, rows = build_rows(connection, "requests", Organisation(time_zone=ZONE), read_price_list())
    return {"groups": usage.num_rows, "rows": rows.num_rows, "list_cost": str(pc.sum(rows["list_cost"]).as_py())}


def usage(paths: list[Path]) -> dict[str, Any]:
    """Sum only, without prices: what is left is what pricing costs."""
    with connect() as connection:
        connection.execute(f"CREATE VIEW requests AS SELECT * FROM {relation(paths)}")
        columns = [row[0] for row in connection.execute("DESCRIBE requests").fetchall()]
        requests = requests_table(columns)
        setting = price_setting(connection, requests, Organisation(time_zone=ZONE), read_price_list())
        since, until, _, thresholds, changes = setting
        statement = usage_statement(
            requests, zone=ZONE, since=since, until=until, thresholds=thresholds, changes=changes
        )
        return {"groups": run(statement, connection).num_rows}


def scan(paths: list[Path]) -> dict[str, Any]:
    """Touch the same columns with plain aggregates: the floor."""
    with connect() as connection:
        described = connection.execute(f"DESCRIBE SELECT * FROM {relation(paths)}").fetchall()
        unused = ("request_id", "task_id", "user_id", "latency_ms", "satisfaction")
        used = {row[0]: row[1] for row in described if row[0] not in unused}
        plain = ", ".join(
            f"sum({name})" if kind == "BIGINT" or kind.startswith("DECIMAL") else f"max({name})"
            for name, kind in used.items()
        )
        fetch(connection, f"SELECT count(*), {plain} FROM {relation(paths)}")
    return {"columns": len(used)}


def grouped(paths: list[Path]) -> dict[str, Any]:
    """Sum the same columns by the same dimensions in one bare statement: what the engine itself asks for grouping."""
    measures = [f"sum({name})" for name in (*MEASURES, "reported_cost")]
    flags = [f"count_if({name})" for name in ("accepted", "resolved")]
    with connect() as connection:
        found = fetch(
            connection,
            f"SELECT epoch_us(timestamp) // 86400000000 AS day, {', '.join(DIMENSIONS)}, cache_hit, count(*), "
            f"{', '.join(measures + flags)} FROM {relation(paths)} GROUP BY ALL",
        )
    return {"groups": found.num_rows}


def naive(paths: list[Path]) -> dict[str, Any]:
    """Use pandas as an analyst writes it: a price looked up row by row, then groupby."""
    frame = pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)
    table = prices_of(frame)
    columns = {name: column for name, column in TOKEN_CLASSES.items() if column in frame}

    def price(row: pd.Series) -> float:
        found = table.get((row["provider"], row["model"]), {})
        return sum(row[column] * found.get(name, 0.0) for name, column in columns.items())

    frame["day"] = frame["timestamp"].dt.tz_convert(ZONE).dt.date
    frame["cost"] = frame.apply(price, axis=1)
    sums = frame.groupby(["day", *DIMENSIONS], dropna=False)[["cost", *columns.values()]].sum()
    return {"groups": len(sums)}


def prices_of(frame: pd.DataFrame) -> dict[tuple[str, str], dict[str, float]]:
    """Look the standard prices of the models up, as a plain dictionary."""
    pairs = frame[["provider", "model"]].drop_duplicates().reset_index(drop=True)
    matched = match_models(pairs, read_price_list(), {})
    keys = pairs.assign(service_tier=None, context_tier=0, price_period_start=frame["timestamp"].min())
    found: dict[tuple[str, str], dict[str, float]] = {}
    for row in unit_prices(keys, read_price_list(), [], matched).itertuples():
        found.setdefault((row.provider, row.model), {})[row.token_class] = float(row.list_unit_price)
    return found


def per_call(paths: list[Path], sample: int = 20_000) -> dict[str, Any]:
    """Call `genai_prices.calc_price` once a request, on a sample."""
    from genai_prices import Usage, calc_price

    frame = pd.read_parquet(paths[0]).head(sample)
    inputs = [
        c for n, c in TOKEN_CLASSES.items() if c in frame and n in ("uncached_input", "cache_read", "cache_write_5m")
    ]
    outputs = [c for n, c in TOKEN_CLASSES.items() if c in frame and n in ("output", "reasoning")]
    frame["input"], frame["output"] = frame[inputs].sum(axis=1), frame[outputs].sum(axis=1)
    started, priced = time.process_time(), 0
    for row in frame.itertuples():
        usage = Usage(
            input_tokens=int(row.input),
            cache_read_tokens=int(row.cache_read_input_tokens),
            output_tokens=int(row.output),
        )
        try:
            calc_price(usage, model_ref=row.model, genai_request_timestamp=row.timestamp.to_pydatetime())
            priced += 1
        except LookupError:
            continue
    return {"rows": len(frame), "priced": priced, "loop_cpu_s": time.process_time() - started}


def write_lines(paths: list[Path], folder: Path, rows: int, bad: bool) -> Path:
    """Write the log as JSON Lines, with half a percent of bad lines of several kinds or none."""
    path = folder / ("bad.jsonl" if bad else "good.jsonl")
    target = f"'{path}'"
    with connect() as connection:
        connection.execute(
            f"COPY (SELECT * REPLACE (strftime(timestamp, '%Y-%m-%dT%H:%M:%S.%fZ') AS timestamp) "
            f"FROM {relation(paths)} LIMIT {rows}) TO {target} (FORMAT json)"
        )
    if bad:
        lines = path.read_text().splitlines()
        for place in range(0, len(lines), 200):
            text = lines[place]
            kind = (place // 200) % 4
            lines[place] = [
                text[: len(text) // 2],
                text.replace('"uncached_input_tokens":', '"uncached_input_tokens":-'),
                text.replace('"timestamp":"20', '"timestamp":"x'),
                text.replace('"model":"', '"modell":"'),
            ][kind]
        path.write_text("\n".join(lines) + "\n")
    return path


def strict_read(path: Path, folder: Path) -> dict[str, Any]:
    """Read JSON Lines strictly and typed into Parquet, as DuckDB does: the floor of reading."""
    with connect() as connection:
        sample = connection.execute(f"DESCRIBE SELECT * FROM read_json('{path}')").fetchall()
        columns = "{" + ", ".join(f"'{row[0]}': '{row[1]}'" for row in sample) + "}"
        connection.execute(
            f"COPY (SELECT * FROM read_json('{path}', format = 'newline_delimited', columns = {columns})) "
            f"TO '{folder / 'strict.parquet'}' (FORMAT parquet, COMPRESSION zstd)"
        )
    return {}


def full_read(path: Path, folder: Path) -> dict[str, Any]:
    """Read the same lines as the kit does: token classes, attribution, quarantine, one id one row, figures."""
    mapping = folder / "mapping.yaml"
    own = [
        "timestamp",
        "request_id",
        "task_id",
        "user_id",
        *DIMENSIONS,
        "accepted",
        "resolved",
        "latency_ms",
        "retries",
        "cache_hit",
        "reported_cost",
    ]
    columns = {name: name for name in own} | {
        "input_tokens": "uncached_input_tokens",
        "cache_read_input_tokens": "cache_read_input_tokens",
        "cache_write_5m_input_tokens": "cache_write_5m_input_tokens",
        "output_tokens": "visible_output_tokens",
        "reasoning_output_tokens": "reasoning_output_tokens",
    }
    mapping.write_text(json.dumps({"columns": columns, "usage_basis": "exclusive", "reasoning": "outside"}))
    organisation = Organisation(time_zone=ZONE, workspace=str(folder / f"workspace-{path.stem}"))
    params = Params(
        assistant="organisation",
        period="latest",
        settings=Settings(),
        organisation=organisation,
        project=folder,
        assistants={},
    )
    (reading,) = read_source(Source(path=str(path), format="mapped", mapping=str(mapping)), params)
    return reading.counts


def measured(job: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """Run a job in a process of its own: CPU seconds, wall seconds, peak memory."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_timed, (job, arguments))


def _peak_gb() -> float:
    """Read this process's own peak memory; the one of getrusage is handed down from the parent on Linux."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / 1024
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024 / 1024


def _timed(job: Callable[..., dict[str, Any]], arguments: tuple[Any, ...]) -> dict[str, Any]:
    before, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    found = job(*arguments)
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu_s": cpu, "wall_s": time.perf_counter() - wall, "peak_gb": _peak_gb(), **found}


def main() -> None:
    """Run what was asked for and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=2, help="the least CPU time of so many runs counts")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = write_log(folder / "log", chosen.rows)
        jobs: dict[str, tuple[Any, ...]] = {
            "scan": (scan, paths),
            "bare grouping": (grouped, paths),
            "usage": (usage, paths),
            "ledger": (ledger, paths),
        }
        if chosen.rows <= 1_000_000:
            jobs["naive pandas"] = (naive, paths)
        found = {
            job: min(
                (measured(*call) for _ in range(1 if job == "naive pandas" else chosen.rounds)),
                key=lambda run: run["cpu_s"],
            )
            for job, call in jobs.items()
        }
        found["price call a request"] = measured(per_call, paths)
        lines = min(chosen.rows, 1_000_000)
        good, bad = (write_lines(paths, folder, lines, kind) for kind in (False, True))
        for job, call in {
            "strict read": (strict_read, good, folder),
            "kit reads clean lines": (full_read, good, folder),
            "kit reads bad lines": (full_read, bad, folder),
        }.items():
            found[job] = measured(*call)
    whole = found["ledger"]["cpu_s"] / chosen.rows
    pricing = max(found["ledger"]["cpu_s"] - found["usage"]["cpu_s"], 0.001) / chosen.rows
    loop = found["price call a request"]
    ratios = {
        "ledger / scan (CPU)": found["ledger"]["cpu_s"] / found["scan"]["cpu_s"],
        "bare grouping / scan (CPU)": found["bare grouping"]["cpu_s"] / found["scan"]["cpu_s"],
        "ledger / bare grouping (CPU)": found["ledger"]["cpu_s"] / found["bare grouping"]["cpu_s"],
        "peak memory of the ledger (GB)": found["ledger"]["peak_gb"],
        "naive pandas / ledger (CPU)": found["naive pandas"]["cpu_s"] / found["ledger"]["cpu_s"]
        if "naive pandas" in found
        else None,
        "price call / pricing in the ledger (CPU a row)": loop["loop_cpu_s"] / loop["rows"] / pricing,
        "price call / whole ledger (CPU a row)": loop["loop_cpu_s"] / loop["rows"] / whole,
        "clean lines / strict read (CPU)": found["kit reads clean lines"]["cpu_s"] / found["strict read"]["cpu_s"],
        "bad lines / strict read (CPU)": found["kit reads bad lines"]["cpu_s"] / found["strict read"]["cpu_s"],
    }
    if chosen.json:
        sys.stdout.write(json.dumps({"rows": chosen.rows, "ratios": ratios, "jobs": found}) + "\n")
        return
    print(f"{chosen.rows:,} requests, DuckDB {duckdb.__version__}")
    for job, timed in found.items():
        extra = {k: v for k, v in timed.items() if k not in ("cpu_s", "wall_s", "peak_gb")}
        print(f"  {job:24} {timed['cpu_s']:8.2f} CPU s {timed['wall_s']:8.2f} s {timed['peak_gb']:6.2f} GB  {extra}")
    for name, value in ratios.items():
        print(f"  {name:48} {'not run' if value is None else f'{value:,.2f}'}")


if __name__ == "__main__":
    main()
