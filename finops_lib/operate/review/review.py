"""Monthly review: what the month asks to decide, each with its evidence, its money and the command to record it."""

from __future__ import annotations

import shlex
from datetime import date

import pandas as pd

from finops_lib.checks import check, checklist
from finops_lib.inform.measures import BUCKETS, ratio, tally, total
from finops_lib.inform.scope import dimension_values, months
from finops_lib.operate.review.decisions_held import DAYS_A_MONTH
from finops_lib.settings import ORGANISATION, ModelCatalogue, Params

_COLUMNS = (
    "kind",
    "assistant",
    "workflow",
    "decision",
    "evidence",
    "owner",
    "effect",
    "review",
    "on_record",
    "command",
)
_SMALLEST = 0.005
_EACH = 3
_WASTED = {
    "retried": "mend the calls that fail and are tried again",
    "failed": "mend the calls that fail",
    "abandoned": "find out why users leave before the answer",
    "repeated": "answer repeated questions from the cache",
}
_RETIRED = {"unused seats": "return the unused seats", "idle provisioned throughput": "give back the idle capacity"}
_QUARTERLY = (
    ("prices", "Are list and negotiated prices still the best to be had?", "USD per million tokens"),
    ("providers", "Is each use case served by a provider we can leave?", "share of the largest provider"),
    ("tier policy", "Do premium models serve only what needs them?", "share of cost on premium tiers"),
    ("routing", "Do the routes still hold above the evaluation floor?", None),
    ("cache", "Do caches still hit, and are their answers fresh?", "share of input read from the cache"),
    ("retrieval quality", "Is what is retrieved read and right?", "retrieved tokens a request"),
    ("prompt growth", "Which prompts grew, and why?", "input tokens a request"),
    ("context", "Is history cut where it no longer helps?", "history tokens a request"),
    ("utilisation", "Are seats and capacity in use?", None),
    ("value", "Are outcomes counted, and is their value confirmed?", None),
    ("security", "Do data classes, retention and audits hold?", None),
    ("contracts", "Which commitments end, and what do they save?", "saved against list price"),
)
"""Topic of the quarterly review, its question, and what the ledger says on it; ``None``: a role has to say."""


def propose_decisions(
    params: Params,
    as_of: date | None,
    *,
    budgets: pd.DataFrame,
    proposals: pd.DataFrame,
    breaches: pd.DataFrame,
    waste: pd.DataFrame,
    wasted: pd.DataFrame,
    exceptions: pd.DataFrame,
) -> pd.DataFrame:
    """Propose what to decide this month: the five outputs of the review.

    Parameters
    ----------
    params : Params
        Owners, limits, and the decisions on record.
    as_of : date or None
        Last complete day.
    budgets : DataFrame
        ``summary`` of ``burn``.
    proposals : DataFrame
        As ``propose_budgets`` returns it.
    breaches : DataFrame
        As ``optimize.routing_breaches`` returns it.
    waste : DataFrame
        As ``inform.waste`` returns it.
    wasted : DataFrame
        As ``ingest.wasted_requests`` returns it.
    exceptions : DataFrame
        As ``exceptions_held`` returns it.

    Returns
    -------
    DataFrame
        One row per proposal, most money first: ``kind``, ``assistant``, ``workflow``, ``decision``, ``evidence``,
        ``owner`` (role), ``effect`` (expected change in USD a month; a saving is negative), ``review`` (day),
        ``on_record`` (an open decision on the same, if there is one; such rows come last), and ``command``, which
        records it. What is below half a percent of the month's cost is left out.

    References
    ----------
    Requirement G5.
    """
    if as_of is None:
        return pd.DataFrame(columns=list(_COLUMNS))
    least = _SMALLEST * float(wasted["cost"].sum()) if len(wasted) else 0.0
    found = [
        *_budget_rows(params, budgets, proposals),
        *_routing_rows(breaches, least),
        *_waste_rows(waste, wasted, least),
        *_exception_rows(exceptions),
    ]
    still_open = [one for one in params.decisions if one.decided <= as_of < one.review]
    on_record = {(one.kind, one.assistant, one.workflow): f"{one.decided}: {one.decision}" for one in still_open}
    rows = []
    for row in found:
        row = {"assistant": params.assistant, "workflow": None} | row
        row["owner"] = row.get("owner") or _owner(params, row["assistant"], row["kind"])
        row["review"] = (pd.Timestamp(as_of) + pd.DateOffset(months=1)).date()
        row["on_record"] = on_record.get((row["kind"], row["assistant"], row["workflow"]))
        rows.append(row | {"command": _command(row)})
    table = pd.DataFrame(rows, columns=list(_COLUMNS)).astype({"effect": "float64"})
    order = table.assign(later=table["on_record"].notna(), size=-table["effect"].abs().fillna(0))
    order = order.sort_values(["later", "size"], kind="stable").index
    return table.loc[order].reset_index(drop=True)


def tier_drift(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Compare which tiers of models the calls of two months went to.

    Parameters
    ----------
    now, before : DataFrame
        As ``optimize.tier_mix`` returns them, of the month and of the one before.

    Returns
    -------
    DataFrame
        One row per ``tier``, cheapest first: ``cost`` (USD), ``share_of_cost`` and ``share_before``, and
        ``share_change`` (difference of the two; null without a month before).
    """
    summed = {name: mix.groupby("tier", sort=False)["cost"].sum() for name, mix in (("now", now), ("before", before))}
    tiers = list(dict.fromkeys([*summed["now"].index, *summed["before"].index]))
    table = pd.DataFrame({"tier": tiers, "cost": summed["now"].reindex(tiers).fillna(0).to_numpy(dtype=float)})
    table["share_of_cost"] = ratio(table["cost"], float(table["cost"].sum()))
    earlier = summed["before"].reindex(tiers).fillna(0).reset_index(drop=True)
    table["share_before"] = ratio(earlier, float(earlier.sum()))
    return table.assign(share_change=table["share_of_cost"] - table["share_before"])


def quarterly_list(
    costs: pd.DataFrame, usage: pd.DataFrame, period: str, catalogue: ModelCatalogue, *, year_start: int = 1
) -> pd.DataFrame:
    """List what a quarter's end asks, with what the ledger says on it.

    Parameters
    ----------
    costs, usage : DataFrame
        Ledger and usage, all months known.
    period : str
        Month ``YYYY-MM``.
    catalogue : ModelCatalogue
        Tiers of models.
    year_start : int
        First month of the financial year.

    Returns
    -------
    DataFrame
        One row per topic: ``topic``, ``question``, ``measure`` (what is measured; null where only a role can say),
        ``last_quarter_month`` and ``now`` (value three months before and in this month) and ``quarter_change`` (share).
        Empty unless the month ends a quarter.

    References
    ----------
    Requirement G5.
    """
    ends = bool(period) and (int(period[5:]) - year_start) % 3 == 2
    if not ends:
        return pd.DataFrame(columns=["topic", "question", "measure", "last_quarter_month", "now", "quarter_change"])
    former = str(pd.Period(period, "M") - 3)
    seen = [
        _quarterly_measures(costs[months(costs) == month], usage[months(usage) == month], catalogue)
        for month in (former, period)
    ]
    table = pd.DataFrame(_QUARTERLY, columns=["topic", "question", "measure"])
    for name, values in zip(("last_quarter_month", "now"), seen, strict=True):
        table[name] = table["topic"].map(values).astype("float64")
    return table.assign(quarter_change=ratio(table["now"], table["last_quarter_month"]) - 1)


def review_checks(held: pd.DataFrame, exceptions: pd.DataFrame, period: str) -> pd.DataFrame:
    """Decide whether the review is held and followed up.

    Parameters
    ----------
    held : DataFrame
        As ``decisions_held`` returns it.
    exceptions : DataFrame
        As ``exceptions_held`` returns it.
    period : str
        Month ``YYYY-MM``.

    Returns
    -------
    DataFrame
        Check rows.
    """
    decided = pd.to_datetime(held["decided"]).dt.strftime("%Y-%m") if len(held) else pd.Series(dtype=object)
    due = held[held["state"] == "review due"]
    lapsed = exceptions[(exceptions["status"] == "lapsed") & (exceptions["cost_since_lapse"].fillna(0) > 0)]
    worse = held[held["verdict"].isin(["cost rose instead", "more spent than expected"])]
    return checklist([
        check("decisions_recorded_this_month", int((decided == period).sum()), ">=", 1, unit="decisions",
              comment="finops decide records one"),
        check("reviews_overdue", len(due), "<=", 0, unit="decisions", comment="; ".join(due["decision"])),
        check("decisions_that_went_wrong", len(worse), "<=", 0, unit="decisions", comment="; ".join(worse["decision"])),
        check("cost_after_lapsed_exceptions", float(lapsed["cost_since_lapse"].sum()), "<=", 0, unit="USD",
              comment="; ".join(lapsed["about"].unique())),
    ])  # fmt: skip


def _budget_rows(params: Params, budgets: pd.DataFrame, proposals: pd.DataFrame) -> list[dict[str, object]]:
    limit = params.organisation.alerts.overrun_probability
    rows = []
    for row in budgets[(budgets["overrun_probability"] >= limit) & ~budgets["is_excepted"].astype(bool)].to_dict(
        "records"
    ):
        length = (row["last_day"] - row["first_day"]).days + 1
        over = (row["projected"] - float(row["allowed"])) / length * DAYS_A_MONTH
        rows.append({
            "kind": "budget",
            "assistant": row["assistant"] if isinstance(row["assistant"], str) else ORGANISATION,
            "decision": f"budget {row['budget']}: spend less by then, or raise it to USD {row['projected']:,.0f}",
            "evidence": f"USD {row['projected']:,.0f} of {float(row['allowed']):,.0f} by {row['last_day'].date()}, "
            f"an overrun is {row['overrun_probability']:.0%} probable",
            "owner": row["budget_owner"],
            "effect": -over,
        })  # fmt: skip
    for row in proposals.to_dict("records"):
        evidence = f"no budget; its forecast is USD {row['projected']:,.0f} a quarter"
        words = f"set a budget of USD {row['proposed']:,.0f} a quarter for {row['assistant']}"
        rows.append({"kind": "budget", "assistant": row["assistant"], "decision": words, "evidence": evidence})
    return rows


def _routing_rows(breaches: pd.DataFrame, least: float) -> list[dict[str, object]]:
    open_ones = breaches[(breaches["exception"] != "active") & (breaches["breach_cost"] > least)]
    return [
        {
            "kind": "routing",
            "assistant": row["assistant"],
            "workflow": row["workflow"],
            "decision": f"{row['workflow']}: {row['what_to_do']}",
            "evidence": f"{row['breach']}: {row['requests']:,} calls at USD {row['cost']:,.2f} on {row['model']}",
            "effect": -row["breach_cost"],
        }
        for row in open_ones.drop_duplicates(["assistant", "workflow"]).head(_EACH).to_dict("records")
    ]


def _waste_rows(waste: pd.DataFrame, wasted: pd.DataFrame, least: float) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for row in waste[(waste["cost"] > least) & waste["waste"].isin(list(_RETIRED))].to_dict("records"):
        evidence = f"{row['quantity']:,.0f} {row['unit']}, most of it {row['largest_part']}"
        rows.append(
            {"kind": "retirement", "decision": _RETIRED[row["waste"]], "evidence": evidence, "effect": -row["cost"]}
        )
    lost = wasted[wasted["call_class"].isin(list(_WASTED)) & wasted["workflow"].notna() & wasted["assistant"].notna()]
    summed = lost.groupby(["assistant", "workflow", "call_class"], as_index=False)[["requests", "cost"]].sum()
    summed = (
        summed[summed["cost"] > least].sort_values("cost", ascending=False).drop_duplicates(["assistant", "workflow"])
    )
    for row in summed.head(_EACH).to_dict("records"):
        rows.append({
            "kind": "workflow",
            "assistant": row["assistant"],
            "workflow": row["workflow"],
            "decision": f"{row['workflow']}: {_WASTED[row['call_class']]}",
            "evidence": f"{row['requests']:,} calls {row['call_class']}, USD {row['cost']:,.2f} in the month",
            "effect": -row["cost"],
        })  # fmt: skip
    return rows


def _exception_rows(exceptions: pd.DataFrame) -> list[dict[str, object]]:
    lapsed = exceptions[(exceptions["status"] == "lapsed") & (exceptions["cost_since_lapse"].fillna(0) > 0)]
    rows = []
    for row in lapsed.drop_duplicates("about").head(_EACH).to_dict("records"):
        names = row["about"].split(" / ")
        ended = f"since {row['expires']}" if row["expires"] is not None else "by now"
        rows.append({
            "kind": "exception",
            "assistant": names[0],
            "workflow": names[1] if len(names) > 1 else None,
            "decision": f"{row['about']}: end what the lapsed exception allowed, or renew it",
            "evidence": f"lapsed {ended}, USD {row['cost_since_lapse']:,.2f} spent after; {row['reason']}",
            "owner": row["approver"],
            "effect": None,
        })  # fmt: skip
    return rows


def _owner(params: Params, assistant: str, kind: str) -> str | None:
    chosen = params.settings_in_force.get(assistant)
    alerts = params.organisation.alerts
    business, technical = alerts.default_business, alerts.default_technical
    if chosen:
        business, technical = chosen.owners.business or business, chosen.owners.technical or technical
    return business if kind in ("budget", "retirement", "exception") else technical


def _command(row: dict[str, object]) -> str:
    """Write the command that records a proposal."""
    parts = ["finops", "decide", "--kind", row["kind"]]
    for name in ("assistant", "workflow", "decision", "owner"):
        parts += [f"--{name}", row[name] or "ROLE"] if row[name] or name == "owner" else []
    effect = row.get("effect")
    parts += ["--effect", f"{effect:.2f}"] if effect is not None and not pd.isna(effect) else []
    if row["kind"] == "exception":
        parts += ["--approver", row["owner"], "--reason", "WHY", "--expires", row["review"]]
    return shlex.join(str(part) for part in [*parts, "--review", row["review"]])


def _quarterly_measures(costs: pd.DataFrame, usage: pd.DataFrame, catalogue: ModelCatalogue) -> dict[str, float | None]:
    """Measure what the quarterly topics ask of one month."""
    if costs.empty:
        return {}
    sums = tally(costs, ["provider"])
    spent = sums.set_index("provider")["contracted_cost"].astype("float64").fillna(0)
    cost, tokens, listed = spent.sum(), sums["tokens"].sum(), float(total(sums["list_cost"]) or 0)
    inputs = [name for name in BUCKETS if name not in ("output_tokens", "reasoning_tokens")]
    read, entered = float(sums["cache_read_tokens"].sum()), float(sums[inputs].to_numpy(dtype=float).sum())
    model = dimension_values(costs, "model")
    premium = [name for name in model.unique() if catalogue.tier_of(name) in ("premium", "frontier")]
    on_premium = costs[model.isin(premium).astype(bool)]["contracted_cost"]
    calls = usage["request_count"].astype("float64").sum()

    def a_request(amount: float) -> float | None:
        return amount / calls if calls else None

    return {
        "prices": cost / tokens * 1e6 if tokens else None,
        "providers": spent.max() / cost if cost else None,
        "tier policy": on_premium.astype("float64").sum() / cost if cost else None,
        "cache": read / entered if entered else None,
        "retrieval quality": a_request(usage["retrieved_tokens"].astype("float64").sum(min_count=1)),
        "prompt growth": a_request(entered),
        "context": a_request(usage["history_tokens"].astype("float64").sum(min_count=1)),
        "contracts": 1 - cost / listed if listed else None,
    }
