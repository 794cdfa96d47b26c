"""Monthly review: what the month asks to decide, each with its evidence, its money and the command to record it."""

from __future__ import annotations

import shlex
from datetime import date

import pandas as pd

from finops_lib.checks import check, checklist
from finops_lib.operate.review.decisions_held import DAYS_A_MONTH
from finops_lib.settings import ORGANISATION, Decision, Params

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
_OVERRUNS = ("stop reached", "over budget", "probable overrun")
_RETIRED = {"unused seats": "return the unused seats", "idle provisioned throughput": "give back the idle capacity"}


def propose_decisions(
    params: Params,
    as_of: date | None,
    *,
    budgets: pd.DataFrame,
    alerts: pd.DataFrame,
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
    alerts : DataFrame
        As ``alerts`` lists them: of budgets within one another, those to decide on.
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
        records it. Of waste that a decision ends in part the rest is proposed. What is below half a percent of the
        month's cost is left out.

    References
    ----------
    Requirement G5.
    """
    if as_of is None:
        return pd.DataFrame(columns=list(_COLUMNS))
    least = _SMALLEST * float(wasted["cost"].sum()) if len(wasted) else 0.0
    found = [
        *_budget_rows(budgets, alerts, proposals),
        *_routing_rows(breaches, least),
        *_waste_rows(waste, wasted, least),
        *_exception_rows(exceptions),
    ]
    still_open = [one for one in params.decisions if one.decided <= as_of < one.review]
    records = {(one.kind, one.assistant, one.workflow, one.waste): one for one in still_open}
    rows = []
    for row in found:
        row = {"assistant": params.assistant, "workflow": None, "waste": None, "on_record": None} | row
        row["owner"] = row.get("owner") or _owner(params, row["assistant"], row["kind"])
        row["review"] = (pd.Timestamp(as_of) + pd.DateOffset(months=1)).date()
        record = records.get(tuple(row[name] for name in ("kind", "assistant", "workflow", "waste")))
        row |= _beside_record(row, record) if record else {}
        rows.append(row | {"command": _command(row)})
    table = pd.DataFrame(rows, columns=list(_COLUMNS)).astype({"effect": "float64"})
    order = table.assign(later=table["on_record"].notna(), size=-table["effect"].abs().fillna(0))
    order = order.sort_values(["later", "size"], kind="stable").index
    return table.loc[order].reset_index(drop=True)


def overrun_budgets(budgets: pd.DataFrame, alerts: pd.DataFrame) -> pd.DataFrame:
    """Keep the budgets that are overrun or probably will be, each overrun once.

    Parameters
    ----------
    budgets : DataFrame
        ``summary`` of ``burn``.
    alerts : DataFrame
        As ``alerts`` lists them.

    Returns
    -------
    DataFrame
        The budgets an alert is about, with ``also``: those they are part of, or that are part of them, and that the
        same overrun concerns.
    """
    told = alerts[alerts["kind"].isin(_OVERRUNS)].set_index("subject")["also"]
    kept = budgets[budgets["budget"].isin(told.index)]
    return kept.assign(also=kept["budget"].map(told)).reset_index(drop=True)


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


def _beside_record(row: dict[str, object], record: Decision) -> dict[str, object]:
    """Say that a proposal is on record already; of a quantity decided in part, propose the rest."""
    whole = row.get("quantity")
    if not whole or not record.quantity or record.quantity >= whole:
        return {"on_record": f"{record.decided}: {record.decision}"}
    left = whole - record.quantity
    return {
        "decision": f"{row['decision']}: {left:,.0f} beyond the {record.quantity:,.0f} decided on {record.decided}",
        "effect": row["effect"] * left / whole,
        "quantity": left,
    }


def _budget_rows(budgets: pd.DataFrame, alerts: pd.DataFrame, proposals: pd.DataFrame) -> list[dict[str, object]]:
    rows = []
    for row in overrun_budgets(budgets, alerts).to_dict("records"):
        length = (row["last_day"] - row["first_day"]).days + 1
        over = (row["projected"] - float(row["allowed"])) / length * DAYS_A_MONTH
        sure = (
            "it is exceeded" if row["used_share"] >= 1 else f"an overrun is {row['overrun_probability']:.0%} probable"
        )
        rows.append({
            "kind": "budget",
            "assistant": row["assistant"] if isinstance(row["assistant"], str) else ORGANISATION,
            "decision": f"budget {row['budget']}: spend less, or raise it to USD {row['projected']:,.0f}",
            "evidence": f"USD {row['projected']:,.0f} of {float(row['allowed']):,.0f} by {row['last_day'].date()}, "
            + (f"{sure}; the same overrun in {row['also']}" if isinstance(row["also"], str) else sure),
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
        found = {"waste": row["waste"], "quantity": row["quantity"], "evidence": evidence, "effect": -row["cost"]}
        rows.append({"kind": "retirement", "decision": _RETIRED[row["waste"]]} | found)
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
            "evidence": f"lapsed {ended}, USD {row['cost_since_lapse']:,.2f} spent in the month after it; "
            f"{row['reason']}",
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
    for name in ("assistant", "workflow", "decision", "owner", "waste", "quantity"):
        value = row.get(name) or ("ROLE" if name == "owner" else None)
        parts += [f"--{name}", f"{value:g}" if name == "quantity" else value] if value else []
    effect = row.get("effect")
    parts += ["--effect", f"{effect:.2f}"] if effect is not None and not pd.isna(effect) else []
    if row["kind"] == "exception":
        parts += ["--approver", row["owner"], "--reason", "WHY", "--expires", row["review"]]
    return shlex.join(str(part) for part in [*parts, "--review", row["review"]])
