"""Quality: what has no price, what was reported otherwise, what came late; how far the ledger can be relied on."""

from __future__ import annotations

from typing import Any

import pandas as pd

from finops_lib.checks import check, checklist
from finops_lib.ingest import workspace
from finops_lib.ingest.engine import connect, fetch
from finops_lib.ingest.ledger import Ledger
from finops_lib.ingest.prices.model_names import match_models
from finops_lib.ingest.prices.rows import read_price_list
from finops_lib.ingest.questions.readings import rows_read
from finops_lib.params import Params
from finops_lib.schema import TOKEN_CLASSES


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
