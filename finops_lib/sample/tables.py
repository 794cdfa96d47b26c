"""Tables: outcomes, evaluations, seats, capacity, customers and volumes that go with the traffic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from finops_lib.sample.bills import UNIT_HOUR
from finops_lib.sample.files import write_parquet
from finops_lib.sample.infrastructure import MONTHS
from finops_lib.sample.organisation import (
    CUSTOMERS,
    DAYS,
    END,
    PROVISIONED_FROM,
    PROVISIONED_MODEL,
    SEED,
    START,
    pico_dollars,
)
from finops_lib.sample.traffic import spread

ZONE = "Europe/Berlin"

OUTCOMES = {
    "ticket-answer": ("ticket_resolved", "resolved", "2.60"),
    "ticket-summary": ("summary_used", "accepted", "0.35"),
    "policy-question": ("question_answered", "resolved", "0.40"),
    "it-howto": ("question_answered", "resolved", "0.55"),
    "clause-review": ("contract_reviewed", "resolved", "28.00"),
    "field-extraction": ("contract_extracted", "resolved", "3.50"),
    "account-brief": ("brief_used", "accepted", "22.00"),
    "meeting-preparation": ("brief_used", "accepted", "6.00"),
    "pair-programming": ("change_merged", "resolved", "14.00"),
    "code-review": ("review_used", "accepted", "5.00"),
}
"""Workflow → outcome, the flag it counts, value of one in USD; marketing-drafting has none."""

_SUPPORT = "support-copilot/ticket-answer"
_SEGMENTS = {"account": 0.3, "billing": 0.25, "returns": 0.2, "technical": 0.25}
_CANDIDATES = (
    ("claude-sonnet-5", 0.0336, 1.0),
    ("gated-routing", 0.0149, 1.0),
    ("aggressive-compression", 0.0121, 1.0),
    ("small-model", 0.0042, 0.06),
)
"""Configuration, mean cost in USD, share of the items it was run on."""
_CONTRACTS = "contract-extraction/clause-review"
_CONTRACT_RATES = {
    "global.openai.gpt-5.6-sol": ((0.96, 0.95, 0.94), 0.58),
    "global.anthropic.claude-haiku-4-5": ((0.95, 0.93, 0.71), 0.12),
    "amazon.nova-pro": ((0.92, 0.78, 0.55), 0.09),
}
_CONTRACT_SEGMENTS = ("confidentiality", "supply", "licensing")


def outcomes(calls: pd.DataFrame) -> pd.DataFrame:
    """Count what the business counts, by day of the reporting zone.

    Parameters
    ----------
    calls : DataFrame
        All calls.

    Returns
    -------
    DataFrame
        ``schema.OUTCOMES``: production tasks only, from all calls, those included that the log lost.
    """
    local = pd.to_datetime(calls["start_ms"], unit="ms", utc=True).dt.tz_convert(ZONE).dt.strftime("%Y-%m-%d")
    parts = []
    for workflow, (name, flag, value) in OUTCOMES.items():
        chosen = (calls["workflow"] == workflow) & (calls["environment"] == "production") & calls[flag].fillna(False)
        counted = calls[chosen].groupby([local[chosen], "assistant"]).size()
        frame = counted.rename("outcome_count").rename_axis(["date", "assistant"]).reset_index()
        frame = frame.assign(workflow=workflow, outcome=name)
        cents = frame["outcome_count"] * round(float(value) * 100)
        frame["outcome_value"] = [f"{cent // 100}.{cent % 100:02d}" for cent in cents]
        parts.append(frame)
    columns = ["date", "assistant", "workflow", "outcome", "outcome_count", "outcome_value"]
    return pd.concat(parts)[columns].sort_values(columns[:4], kind="stable").reset_index(drop=True)


def evaluations(seed: int = SEED) -> pa.Table:
    """Make evaluation results: one set where a gate has to decide, one where segments differ.

    Parameters
    ----------
    seed : int
        Seed of the random numbers.

    Returns
    -------
    Table
        ``schema.EVALUATIONS``. For the support copilot 1,000 items: the baseline passes 950, gated routing 954
        (28 lost, 32 won), aggressive compression 880, a small model 57 of 60.
    """
    random = np.random.Generator(np.random.PCG64([seed, 500])).random
    frames = [*_support_results(random), *_contract_results(random)]
    frame = pd.concat(frames, ignore_index=True)
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()


def _support_results(random: object) -> list[pd.DataFrame]:
    total = 1000
    segment = np.repeat(list(_SEGMENTS), [int(total * share) for share in _SEGMENTS.values()])
    order = np.argsort(random(total), kind="stable")
    baseline = np.ones(total, dtype=bool)
    baseline[order[:50]] = False
    gated = baseline.copy()
    gated[order[50:78]] = False
    gated[order[:32]] = True
    # Compression loses context, and with it most of all the technical questions.
    compressed = baseline.copy()
    hard = order[50:][np.argsort(segment[order[50:]] != "technical", kind="stable")]
    compressed[np.concatenate([hard[:64], order[-26:]])] = False
    compressed[order[:20]] = True
    small = np.ones(total, dtype=bool)
    small[[3, 21, 44]] = False
    frames = []
    for (name, cost, share), passed in zip(_CANDIDATES, (baseline, gated, compressed, small), strict=True):
        sizes = np.interp(random(total), (0, 0.5, 0.95, 1), (0.5, 0.9, 1.9, 3.0))
        count = round(total * share)
        cells = sizes[:count] / sizes[:count].mean() * cost
        picked = np.arange(count) if share == 1 else np.arange(count) * (total // count)
        frames.append(
            pd.DataFrame(
                {
                    "evaluation_set": _SUPPORT,
                    "item_id": [f"ticket-{n:04d}" for n in picked],
                    "segment": segment[picked],
                    "configuration": name,
                    "passed": passed[:count] if share < 1 else passed,
                    "cost_usd": cells.round(6),
                }
            )
        )
    return frames


def _contract_results(random: object) -> list[pd.DataFrame]:
    each = 120
    frames = []
    for model, (rates, cost) in _CONTRACT_RATES.items():
        for segment, rate in zip(_CONTRACT_SEGMENTS, rates, strict=True):
            passed = np.zeros(each, dtype=bool)
            passed[np.argsort(random(each), kind="stable")[: round(each * rate)]] = True
            sizes = np.interp(random(each), (0, 0.5, 0.95, 1), (0.4, 0.9, 2.1, 4.0)) * cost
            frames.append(
                pd.DataFrame(
                    {
                        "evaluation_set": _CONTRACTS,
                        "item_id": [f"{segment}-{n:03d}" for n in range(each)],
                        "segment": segment,
                        "configuration": model,
                        "passed": passed,
                        "cost_usd": sizes.round(6),
                    }
                )
            )
    return frames


def seats() -> pd.DataFrame:
    """List the seats paid for and used, as the infrastructure bill charges them.

    Returns
    -------
    DataFrame
        ``schema.SEATS``.
    """
    active = {"coding-assistant-ide": (49, 51, 52, 54), "chat-workspace": (31, 30, 28, 26)}
    rows = [
        (month, product, team, purchased, active[product][number], price)
        for number, month in enumerate(MONTHS)
        for product, team, purchased, price in (
            ("coding-assistant-ide", "product-engineering", 64, "19.00"),
            ("chat-workspace", "it-workplace", 40, "25.00"),
        )
    ]
    return pd.DataFrame(rows, columns=["month", "product", "team", "purchased", "active", "unit_price"])


def capacity(calls: pd.DataFrame) -> pd.DataFrame:
    """List provisioned throughput a day, with the share in use.

    Parameters
    ----------
    calls : DataFrame
        All calls.

    Returns
    -------
    DataFrame
        ``schema.CAPACITY``, one row a day of 24 hours and one unit.
    """
    served = calls[calls["service_tier"] == "provisioned"].groupby("day").size()
    days = range((PROVISIONED_FROM - START).days, DAYS)
    # A unit takes 80 calls a day, mostly in office hours.
    used = [min(100, int(served.get(day, 0)) * 100 // 80) for day in days]
    stamps = pd.date_range(PROVISIONED_FROM, END, inclusive="left").strftime("%Y-%m-%dT00:00:00Z")
    return pd.DataFrame(
        {
            "timestamp": stamps,
            "provider": "aws.bedrock",
            "model": PROVISIONED_MODEL,
            "units": 1,
            "hours": 24,
            "unit_price": str(UNIT_HOUR),
            "used_share": [f"{share / 100:.2f}" for share in used],
            "team": "legal-operations",
        }
    )


def customers(calls: pd.DataFrame) -> pd.DataFrame:
    """Give each customer a monthly fee for the copilot; one pays less than it costs (plant P34).

    Parameters
    ----------
    calls : DataFrame
        All calls.

    Returns
    -------
    DataFrame
        ``schema.CUSTOMERS``.
    """
    cost = pd.Series(pico_dollars(calls) / 1e12, index=calls.index).groupby(calls["customer"]).sum()
    monthly = {name: 18 if name == "customer-07" else 12 + 7 * (n % 5) for n, name in enumerate(CUSTOMERS)}
    paying = [name for name in CUSTOMERS if name in cost.index]
    rows = [(month, name, f"{monthly[name] + number}.00") for number, month in enumerate(MONTHS) for name in paying]
    return pd.DataFrame(rows, columns=["month", "customer", "revenue"])


def volumes(calls: pd.DataFrame, seed: int = SEED) -> pd.DataFrame:
    """Measure storage, logs and retrieval a day and assistant.

    Parameters
    ----------
    calls : DataFrame
        All calls.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    DataFrame
        ``schema.VOLUMES``: ``storage_gb`` of the assistants that retrieve, ``log_gb`` of all, ``retrieval_calls``.
    """
    random = np.random.Generator(np.random.PCG64([seed, 600])).random
    dates = pd.date_range(START, END, inclusive="left").strftime("%Y-%m-%d")
    daily = calls[calls["assistant"].notna()].groupby(["assistant", "day"])
    all_days = pd.MultiIndex.from_product([sorted(calls["assistant"].dropna().unique()), range(DAYS)])
    count = daily.size().reindex(all_days, fill_value=0)
    retrieved = daily["retrieval_calls"].sum().reindex(all_days, fill_value=0)
    start_gb = {"support-copilot": 46, "knowledge-bot": 38, "contract-extraction": 16}
    parts = []
    for assistant in all_days.levels[0]:
        measures = {"log_gb": spread(random(DAYS), count.loc[assistant].to_numpy() * 9, "narrow") / 1000}
        if assistant in start_gb:
            measures["storage_gb"] = start_gb[assistant] + np.arange(DAYS) * 5 / 100
        if retrieved.loc[assistant].sum():
            measures["retrieval_calls"] = retrieved.loc[assistant].to_numpy()
        for measure, quantity in measures.items():
            parts.append(
                pd.DataFrame(
                    {
                        "date": dates,
                        "assistant": assistant,
                        "measure": measure,
                        "quantity": [f"{value:.3f}".rstrip("0").rstrip(".") for value in quantity],
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def write_tables(folder: Path, calls: pd.DataFrame, seed: int = SEED) -> None:
    """Write all tables.

    Parameters
    ----------
    folder : Path
        Folder of the sample data.
    calls : DataFrame
        All calls.
    seed : int
        Seed of the random numbers.
    """
    write_parquet(folder / "tables" / "evaluations.parquet", evaluations(seed))
    frames = {
        "outcomes": outcomes(calls),
        "seats": seats(),
        "capacity": capacity(calls),
        "customers": customers(calls),
        "volumes": volumes(calls, seed),
    }
    for name, frame in frames.items():
        frame.to_csv(folder / "tables" / f"{name}.csv", index=False, lineterminator="\n")
