"""Full cost: every charge in its layer, and how much of it all the model bill is."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from importlib import resources
from typing import Any, get_args

import pandas as pd
import yaml

from finops_lib.inform.measures import MONEY_TYPE, ratio, total
from finops_lib.inform.reconciliation.charge_matching import first_match
from finops_lib.inform.scope import TEXT
from finops_lib.params import ORGANISATION
from finops_lib.settings import CostLayerRule
from finops_lib.settings.allocation import Layer

LAYERS: tuple[str, ...] = get_args(Layer)
UNPLACED = "unplaced"
MODEL_BILL, OTHER_BILLS, NOT_BILLED = "model bill", "other bills", "not on a bill"
_COLUMNS = ("layer", "item", "basis", "cost", "share", "charges", "placed_by")


def default_cost_layers() -> list[CostLayerRule]:
    """Read the rules that place charges where a company's own do not.

    Returns
    -------
    list of CostLayerRule
        In order of precedence.
    """
    text = (resources.files("finops_lib.inform.economics") / "cost_layers.yaml").read_text(encoding="utf-8")
    return [CostLayerRule(**rule) for rule in yaml.safe_load(text)]


def full_cost(
    charges: pd.DataFrame,
    usage: pd.DataFrame,
    layers: Sequence[CostLayerRule] = (),
    review_hourly_rate: Decimal | None = None,
    *,
    assistant: str = ORGANISATION,
) -> pd.DataFrame:
    """Place every charge in a layer of the true cost, and add the human review that no bill holds.

    Parameters
    ----------
    charges : DataFrame
        Charges of a month (``schema.CHARGES``), with the ledger's dimensions where it itemises them.
    usage : DataFrame
        Usage of the month, for ``review_minutes``.
    layers : sequence of CostLayerRule
        The company's own rules; the first that fits places a charge, then ``default_cost_layers``.
    review_hourly_rate : Decimal, optional
        USD an hour of review costs; without it review has no cost.
    assistant : str
        Whose page it is: an assistant's holds the charges that name it, and no part of what is shared.

    Returns
    -------
    DataFrame
        One row per ``layer`` × ``item`` (service) × ``basis``: ``model bill`` (charged by a model provider),
        ``other bills``, or ``not on a bill`` (human review, an internal cost); ``cost`` (exact USD billed),
        ``share`` of all, ``charges`` (lines), ``placed_by`` (what the rule looks at). In the order of ``LAYERS``,
        costliest item first; charges that no rule fits come last as "unplaced". The costs add up to the charges
        and the review.

    Notes
    -----
    Human review = review minutes × hourly rate / 60.

    References
    ----------
    Requirement B3.
    """
    if assistant != ORGANISATION:
        charges = charges[(charges["assistant"] == assistant).fillna(False)]
    rules = [*layers, *default_cost_layers()]
    place = first_match(charges, rules)
    named = [rule.layer for rule in rules] + [UNPLACED]
    reasons = [", ".join(f"{key} {value}" for key, value in rule.match.items()) for rule in rules] + ["no rule"]
    rows = pd.DataFrame(
        {
            "layer": pd.array([named[at] for at in place], dtype=TEXT),
            "item": _item(charges).array,
            "basis": _text(charges, "provider").notna().map({True: MODEL_BILL, False: OTHER_BILLS}).astype(TEXT).array,
            "placed_by": pd.array([reasons[at] for at in place], dtype=TEXT),
            "cost": charges["billed_cost"].astype(MONEY_TYPE).array,
            "charges": 1,
        }
    )
    review = _review(usage, review_hourly_rate)
    rows = pd.concat([rows, review], ignore_index=True) if len(review) else rows
    by = ["layer", "item", "basis"]
    placed = rows.groupby(by, sort=False).agg({"cost": "sum", "charges": "sum", "placed_by": "first"}).reset_index()
    placed["share"] = ratio(placed["cost"], total(placed["cost"]))
    order = {name: at for at, name in enumerate([*LAYERS, UNPLACED])}
    placed = placed.assign(order=placed["layer"].map(order))
    placed = placed.sort_values(["order", "cost", "item"], ascending=[True, False, True])
    return placed.reset_index(drop=True)[list(_COLUMNS)]


def cost_by_layer(full: pd.DataFrame) -> pd.DataFrame:
    """Add up the full cost by layer, layers that hold nothing included.

    Parameters
    ----------
    full : DataFrame
        As ``full_cost`` returns it.

    Returns
    -------
    DataFrame
        One row per layer in the order of ``LAYERS``, then "unplaced" if there is any: ``layer``, ``model_bill``,
        ``other_bills``, ``not_billed`` and ``true_cost`` (exact USD; null where nothing was placed, which is not known
        rather than nothing), ``share``, ``items`` (what it consists of).
    """
    names = [*LAYERS, *([UNPLACED] if (full["layer"] == UNPLACED).any() else [])]
    table = pd.DataFrame({"layer": pd.array(names, dtype=TEXT)})
    for column, basis in (("model_bill", MODEL_BILL), ("other_bills", OTHER_BILLS), ("not_billed", NOT_BILLED)):
        part = full[full["basis"] == basis].groupby("layer")["cost"].sum()
        table[column] = part.reindex(names).fillna(0).astype(MONEY_TYPE).array
    table["true_cost"] = full.groupby("layer")["cost"].sum().reindex(names).astype(MONEY_TYPE).array
    table["share"] = ratio(table["true_cost"], total(full["cost"]))
    listed = full.groupby("layer")["item"].agg(lambda items: ", ".join(dict.fromkeys(items)))
    table["items"] = listed.reindex(names).astype(TEXT).array
    return table


def full_cost_summary(full: pd.DataFrame, *, bills_read: bool = True) -> dict[str, Any]:
    """Pick what a reader wants to know of the full cost.

    Parameters
    ----------
    full : DataFrame
        As ``full_cost`` returns it.
    bills_read : bool
        Whether any bill was read; without one all charges are the ledger's, at contracted prices.

    Returns
    -------
    dict
        ``cost``, ``model_bill``, ``other_bills``, ``not_billed`` and ``unplaced`` (exact USD); ``true_cost`` (the
        cost again) and ``model_bill_share`` of it, both ``None`` where no bill but the models' is known, for then the
        true cost is not known; ``empty_layers`` (names of the layers in which nothing was placed); ``bills_read``.

    References
    ----------
    Requirement B3.
    """
    layers = cost_by_layer(full)
    amounts = {name: total(layers[name]) or Decimal(0) for name in ("model_bill", "other_bills", "not_billed")}
    whole = sum(amounts.values(), Decimal(0))
    is_known = bool(whole) and bool((full["basis"] == OTHER_BILLS).any())
    unplaced = total(layers.loc[layers["layer"] == UNPLACED, "true_cost"]) or Decimal(0)
    empty = layers.loc[layers["true_cost"].isna(), "layer"].tolist()
    return {
        "cost": whole,
        **amounts,
        "unplaced": unplaced,
        "true_cost": whole if is_known else None,
        "model_bill_share": float(amounts["model_bill"] / whole) if is_known else None,
        "empty_layers": empty,
        "bills_read": bills_read,
    }


def _review(usage: pd.DataFrame, rate: Decimal | None) -> pd.DataFrame:
    """Price the minutes of human review; no row without minutes or rate."""
    minutes = total(usage["review_minutes"]) if "review_minutes" in usage.columns else None
    if not minutes or rate is None:
        return pd.DataFrame()
    cost = (Decimal(minutes) * rate / 60).quantize(Decimal("1E-15"))
    placed = f"{Decimal(minutes).normalize():f} minutes at USD {rate:.2f} an hour"
    row = {"layer": "human review", "item": "human review", "basis": NOT_BILLED, "placed_by": placed}
    frame = pd.DataFrame([row]).astype(TEXT)
    return frame.assign(cost=pd.array([cost], dtype=MONEY_TYPE), charges=0)


def _item(charges: pd.DataFrame) -> pd.Series:
    return _text(charges, "service_name").fillna(_text(charges, "invoice_issuer_name")).fillna("not named")


def _text(charges: pd.DataFrame, column: str) -> pd.Series:
    """Return a column as text, empty texts as nulls; all nulls when the charges lack it."""
    if column not in charges.columns:
        return pd.Series(pd.NA, index=charges.index, dtype=TEXT)
    text = charges[column].astype(TEXT)
    return text.mask(text == "")
