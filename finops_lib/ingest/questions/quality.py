"""Quality: what was read, what was set aside, what has no price; how far the ledger can be relied on."""

from __future__ import annotations

from typing import Any

import pandas as pd

from finops_lib.checks import check, checklist
from finops_lib.ingest import workspace
from finops_lib.ingest.bills.record import BILL_READINGS
from finops_lib.ingest.engine import connect, fetch
from finops_lib.ingest.ledger import Ledger
from finops_lib.ingest.prices.model_names import match_models
from finops_lib.ingest.prices.rows import read_price_list
from finops_lib.ingest.reading.sources import FATES
from finops_lib.ingest.tables import GIVEN
from finops_lib.params import ORGANISATION, Params
from finops_lib.schema import TABLES, TOKEN_CLASSES, names

COUNTED = ("read", *FATES)
_ROWS_SHOWN = 20
_COSTS = ("list_cost", "reported_cost")
_READ = ("source", "files", *COUNTED, "tokens", *_COSTS, "first_timestamp", "last_timestamp", "warnings")


def rows_read(params: Params) -> pd.DataFrame:
    """List what became of the rows of each source.

    Parameters
    ----------
    params : Params
        Project and workspace.

    Returns
    -------
    DataFrame
        One row per format: ``source``, ``files``, ``read`` and the five fates (rows), ``tokens``, ``list_cost`` and
        ``reported_cost`` (USD), ``first_timestamp``, ``last_timestamp``, ``warnings`` (text), most rows first.
    """
    rows: dict[str, dict[str, Any]] = {}
    empty = dict.fromkeys(("files", *COUNTED, "tokens"), 0) | {"warnings": ""}
    for entry in workspace.read_json(params.workspace / "reads.json", {}).values():
        reading, figures = entry["reading"], entry["reading"]["figures"]
        if reading["format"] in (*GIVEN, *BILL_READINGS):
            continue
        row = rows.setdefault(reading["format"], dict.fromkeys(_READ) | empty | {"source": reading["format"]})
        row["files"] += len(reading["files"])
        for name in COUNTED:
            row[name] += reading["counts"][name]
        for name in ("tokens", *_COSTS):
            if figures.get(name) is not None:
                row[name] = (row[name] or 0) + figures[name]
        first, last = figures.get("first_timestamp"), figures.get("last_timestamp")
        row["first_timestamp"] = min(filter(None, (row["first_timestamp"], first)), default=None)
        row["last_timestamp"] = max(filter(None, (row["last_timestamp"], last)), default=None)
        row["warnings"] = "; ".join(filter(None, (row["warnings"], *reading["warnings"])))
    frame = pd.DataFrame(list(rows.values()), columns=_READ)
    return frame.sort_values(["read", "source"], ascending=[False, True], ignore_index=True)


def tables_read(params: Params) -> pd.DataFrame:
    """List what else was given beside calls: bills, outcomes, evaluations, seats and the like, or that it was not.

    Parameters
    ----------
    params : Params
        Project and workspace.

    Returns
    -------
    DataFrame
        One row per table the kit can use: ``table``, ``rows`` kept, ``own_rows`` (those about the parameters'
        assistant; all of them for the organisation and for tables that name no assistant), ``quarantined``.
    """
    found = {name: [0, 0] for name in ("charges", *GIVEN)}
    for entry in workspace.read_json(params.workspace / "reads.json", {}).values():
        reading = entry["reading"]
        table = reading["figures"].get("table", reading["format"])
        if table in found:
            found[table][0] += reading["counts"]["requests"]
            found[table][1] += reading["counts"]["quarantined"]
    rows = [(name, kept, _own_rows(params, name, kept), refused) for name, (kept, refused) in found.items()]
    return pd.DataFrame(rows, columns=["table", "rows", "own_rows", "quarantined"])


def _own_rows(params: Params, table: str, kept: int) -> int:
    if not kept or params.assistant == ORGANISATION or "assistant" not in names(TABLES[table]):
        return kept
    files = workspace.files_of(params.workspace, table)
    with connect() as connection:
        counted = f"SELECT count(*) FROM ({workspace.view_sql(table, files)}) WHERE assistant = ?"
        return int(connection.execute(counted, [params.assistant]).fetchone()[0])


def rows_set_aside(params: Params) -> pd.DataFrame:
    """List why rows are not in the ledger.

    Parameters
    ----------
    params : Params
        Project and workspace.

    Returns
    -------
    DataFrame
        One row per source, fate and reason: ``source``, ``fate`` (quarantined, duplicates, skipped), ``reason``,
        ``rows``; most rows first.
    """
    found = [
        {"source": entry["reading"]["format"], **reason}
        for entry in workspace.read_json(params.workspace / "reads.json", {}).values()
        for reason in entry["reading"]["reasons"]
    ]
    frame = pd.DataFrame(found, columns=["source", "fate", "reason", "rows"])
    summed = frame.groupby(["source", "fate", "reason"], as_index=False)["rows"].sum()
    return summed.sort_values(["rows", "source", "reason"], ascending=[False, True, True], ignore_index=True)


def quarantined_rows(params: Params) -> pd.DataFrame:
    """Show quarantined rows with the place where they stand.

    Parameters
    ----------
    params : Params
        Project and workspace.

    Returns
    -------
    DataFrame
        ``source``, ``source_file``, ``source_position``, ``reason`` of 20 rows, the first of every reason before
        others. Their text stays in the workspace, since it may hold what users wrote.
    """
    files = workspace.files_of(params.workspace, "quarantine")
    with connect() as connection:
        return fetch(
            connection,
            f"""SELECT source, CASE WHEN source_file LIKE '/%' THEN parse_filename(source_file) ELSE source_file END
                AS source_file, source_position, reason FROM ({workspace.view_sql("quarantine", files)})
            ORDER BY row_number() OVER (PARTITION BY reason ORDER BY source_file, source_position), reason, source_file
            LIMIT {_ROWS_SHOWN}""",
        ).to_pandas()


def captured_days(params: Params) -> pd.DataFrame:
    """List which capture layer saw which days, and which one feeds the ledger.

    Parameters
    ----------
    params : Params
        Project and workspace.

    Returns
    -------
    DataFrame
        One row per provider account (the provider, where the source names no account), layer and day: ``source``
        (``account (layer)``), ``charge_period_start``, ``calls``, ``tokens``, ``feeds_ledger``.
    """
    path = params.workspace / "coverage.parquet"
    columns = ["source", "charge_period_start", "calls", "tokens", "feeds_ledger"]
    if not path.is_file():
        return pd.DataFrame(columns=columns)
    seen = pd.read_parquet(path, dtype_backend="pyarrow")
    provider = seen["provider"].where(seen["provider"] != "", "provider not known")
    account = seen["account"].astype("string[pyarrow]").fillna(provider.astype("string[pyarrow]"))
    named = pd.DataFrame(
        {
            "source": account + " (" + seen["layer"].str.replace("_", " ") + ")",
            "charge_period_start": seen["day"],
            "calls": seen["calls"],
            "tokens": seen["tokens"],
            "feeds_ledger": seen["covered_by"].isna(),
        }
    )
    keys = ["source", "charge_period_start", "feeds_ledger"]
    return named.groupby(keys, as_index=False)[["calls", "tokens"]].sum()[columns]


def covered_twice(params: Params) -> pd.DataFrame:
    """Sum what a second capture layer saw and does not add to the ledger.

    Parameters
    ----------
    params : Params
        Project and workspace.

    Returns
    -------
    DataFrame
        One row per provider and layer: ``days``, ``calls``, ``tokens``, ``covered_by``.
    """
    path = params.workspace / "coverage.parquet"
    columns = ["provider", "layer", "covered_by", "days", "calls", "tokens"]
    if not path.is_file():
        return pd.DataFrame(columns=columns)
    seen = pd.read_parquet(path, dtype_backend="pyarrow").dropna(subset=["covered_by"])
    grouped = seen.groupby(["provider", "layer", "covered_by"], as_index=False)
    return grouped.agg(days=("day", "nunique"), calls=("calls", "sum"), tokens=("tokens", "sum"))[columns]


def unpriced_models(ledger: Ledger) -> pd.DataFrame:
    """List the models without a price, with the nearest name the price list knows.

    Parameters
    ----------
    ledger : Ledger
        Opened for a month.

    Returns
    -------
    DataFrame
        One row per provider and model of the month: ``tokens`` that are not in any cost, ``nearest_known_name``.
    """
    costs = ledger.month(ledger.costs)
    missing = costs[costs["contracted_cost"].isna()]
    columns = ["provider", "model", "tokens", "nearest_known_name"]
    if missing.empty:
        return pd.DataFrame(columns=columns)
    grouped = missing.groupby(["provider", "model"], as_index=False, dropna=False)["pricing_quantity"].sum()
    pairs = grouped[["provider", "model"]].astype("string[pyarrow]")
    matched = match_models(pairs, read_price_list(), ledger.params.organisation.model_aliases)
    grouped["nearest_known_name"] = matched["suggestion"].to_numpy()
    named = grouped.rename(columns={"pricing_quantity": "tokens"})
    return named.sort_values("tokens", ascending=False, ignore_index=True)[columns]


def reported_against_ours(ledger: Ledger) -> pd.DataFrame:
    """Hold the cost that sources reported against the list price of the same calls.

    Parameters
    ----------
    ledger : Ledger
        Opened for a month.

    Returns
    -------
    DataFrame
        One row per capture layer and model that reports a cost: ``reported_cost``, ``list_cost`` (USD, exact) and
        ``difference`` (share of the list cost).

    References
    ----------
    Requirement A4.
    """
    usage, costs = ledger.month(ledger.usage), ledger.month(ledger.costs)
    keys = ["capture_layer", "model"]
    reported = usage.dropna(subset=["reported_cost"]).groupby(keys, as_index=False, dropna=False)["reported_cost"].sum()
    listed = costs.groupby(keys, as_index=False, dropna=False)["list_cost"].sum(min_count=1)
    both = reported.merge(listed, on=keys, how="left")
    ours = both["list_cost"].astype("float64")
    both["difference"] = (both["reported_cost"].astype("float64") - ours) / ours.where(ours != 0)
    return both.sort_values("reported_cost", ascending=False, ignore_index=True)


def usage_bases(params: Params) -> pd.DataFrame:
    """Count the calls by how their token counts are to be understood.

    Parameters
    ----------
    params : Params
        Project and workspace.

    Returns
    -------
    DataFrame
        One row per source and basis (inclusive, exclusive, ambiguous): ``requests``, ``tokens_as_received``,
        ``tokens_counted``: what naive adding up gives beside what is billed.
    """
    files = workspace.files_of(params.workspace, "requests")
    with connect() as connection:
        return fetch(
            connection,
            f"""SELECT source, usage_basis, count(*) AS requests,
                CAST(sum(coalesce(raw_input_tokens, 0) + coalesce(raw_output_tokens, 0)
                    + coalesce(raw_cache_read_tokens, 0) + coalesce(raw_cache_write_tokens, 0)
                    + coalesce(raw_reasoning_tokens, 0)) AS BIGINT) AS tokens_as_received,
                CAST(sum({" + ".join(TOKEN_CLASSES.values())}) AS BIGINT)
                    AS tokens_counted
            FROM ({workspace.view_sql("requests", files)}) GROUP BY ALL ORDER BY ALL""",
        ).to_pandas()


def reading_checks(ledger: Ledger) -> pd.DataFrame:
    """Decide whether what was read is whole and the price list fresh.

    Parameters
    ----------
    ledger : Ledger
        Opened for a month.

    Returns
    -------
    DataFrame
        Check rows: share of rows quarantined, warnings of the readers, age of the price list, rows that came after
        their month was closed.
    """
    params, read = ledger.params, rows_read(ledger.params)
    total, bad = int(read["read"].sum()), int(read["quarantined"].sum())
    warned = int((read["warnings"] != "").sum())
    warnings = [text for texts in read["warnings"] if texts for text in texts.split("; ")]
    more = f"; and {len(warnings) - 2} more, told when the sources are read" if len(warnings) > 2 else ""
    prices = read_price_list()
    age = max((ledger.as_of - prices.generated_on).days, 0) if ledger.as_of else None
    late = late_tokens(ledger)
    return checklist(
        [
            check(
                "quarantined_rows",
                bad / total if total else None,
                "<=",
                params.settings.quarantine_limit,
                unit="share",
                comment=f"{bad:,} of {total:,} rows could not be used",
            ),
            check(
                "reader_warnings",
                warned,
                "<=",
                0,
                unit="sources",
                comment="; ".join(warnings[:2]) + more,
            ),
            check(
                "price_list_age",
                age,
                "<=",
                params.organisation.price_age_limit_days,
                unit="days",
                comment=f"prices '{prices.version}' of {prices.generated_on}",
            ),
            check(
                "late_tokens_in_closed_months",
                late,
                "<=",
                0,
                unit="tokens",
                comment="tokens read after their month was closed" if late else "",
            ),
        ]
    )


def late_tokens(ledger: Ledger) -> int:
    """Count tokens that were read after their month was closed, so that its ledger lacks them.

    Parameters
    ----------
    ledger : Ledger
        Any opened ledger.

    Returns
    -------
    int
        Tokens in requests and buckets of closed months beyond what the closed ledgers hold.
    """
    closed: dict[str, Any] = workspace.read_json(ledger.params.workspace / "periods.json", {})
    recorded: dict[str, Any] = workspace.read_json(ledger.params.workspace / ".built.json", {}).get("tokens", {})
    return sum(abs(recorded.get(month, record["tokens"]) - record["tokens"]) for month, record in closed.items())
