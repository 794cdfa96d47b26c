"""Bill comparison: log and bill at the grain both know, and what differs in quantity, price and on the bill itself."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from finops_lib.inform.allocation.exact_money import difference, product
from finops_lib.inform.measures import COUNT_TYPE, MONEY_TYPE
from finops_lib.inform.reconciliation.bill_lines import CAPACITY, METERED, billed_account
from finops_lib.inform.scope import DAY, TEXT, days, months

KEYS = ["provider", "account", "model", "service_tier", "token_class", "day"]
"""Grain of the comparison; empty where a side does not know it."""

_LARGEST = 25
HALF_CENT = 0.005
_LOGGED = [
    *("provider", "provider_account", "model", "service_tier", "token_class", DAY),
    *("pricing_quantity", "list_cost", "contracted_cost", "contracted_unit_price"),
]
_BILLED = [
    *(
        "charge_id",
        "billing_account_id",
        "sub_account_id",
        "model",
        "service_tier",
        "token_class",
        "charge_period_start",
    ),
    *("charge_period_end", "quantity", "contracted_cost", "billed_cost", "provider", "line_kind"),
    *("invoice_issuer_name", "invoice_id", "region_id", "billing_currency"),
]
_FOLDED = {"reasoning": "output", "cache_write_1h": "cache_write_5m"}
"""Token classes that many bills do not list apart, and the one that holds them there."""

_SNAPSHOT = r"[-@]20\d\d-?[01]\d-?[0-3]\d$"
EFFECTS = ("volume_effect", "price_effect", "bill_effect")


def compare_with_bill(lines: pd.DataFrame, billing: pd.DataFrame, month: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare what was logged with what was billed, three ways: log × contracted price, log × list price, bill.

    Parameters
    ----------
    lines : DataFrame
        From ``bill_lines``.
    billing : DataFrame
        Ledger by the invoices' clock: columns of ``schema.LEDGER``, days in UTC. Its other months tell which models and
        accounts are ever logged.
    month : str
        ``YYYY-MM``.

    Returns
    -------
    tuple of DataFrame
        First one row per ``KEYS``, for the providers on ``lines``: ``logged_quantity``, ``unpriced_quantity``,
        ``at_list_prices`` and ``estimate`` (log, USD), ``billed_quantity`` and ``billed_cost`` (bill),
        ``expected_cost`` (billed quantity at our contracted prices) and the effects that add up to
        billed_cost − estimate:

        - ``volume_effect`` = expected_cost − estimate: tokens that one side has and the other has not;
        - ``price_effect`` = the bill's contracted cost − expected_cost: the same tokens at another price;
        - ``bill_effect`` = billed_cost − the bill's contracted cost: what the bill itself adds or takes off.

        Also ``unit_price`` and ``expected_unit_price`` (float, USD per unit), ``uncached_unit_price``,
        ``invoice_issuer_name``, ``invoice_id``, ``region_id``, ``billing_currency``, ``is_whole_cents``. Second the
        lines of models or accounts that no log ever names, which are not compared.

    Notes
    -----
    The price expected of a bill line is the contracted price of the ledger that yields its cost; where none does, the
    average of those contracted prices of its key that no other line was billed at.
    """
    counted = billing.loc[billing["pricing_quantity"].fillna(0).gt(0).to_numpy(bool), _LOGGED]
    of_month = (months(counted) == month).to_numpy(bool)
    parts, unlogged = [], set()
    for provider in sorted(lines["provider"].unique()):
        own = (counted["provider"] == provider).to_numpy(bool, na_value=False)
        known = _log_side(counted[own])
        bill = _bill_side(lines[lines["provider"] == provider], known["account"])
        strange = _is_unlogged(bill, known)
        unlogged |= set(bill.loc[strange, "charge_id"])
        parts.append(_compare(*_same_grain(bill[~strange], _log_side(counted[own & of_month]))))
    compared = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=KEYS)
    return compared, lines[lines["charge_id"].isin(unlogged)]


def largest_differences(compared: pd.DataFrame) -> pd.DataFrame:
    """Pick the 25 lines that differ most.

    Parameters
    ----------
    compared : DataFrame
        From ``compare_with_bill``.

    Returns
    -------
    DataFrame
        ``KEYS``, quantities, costs and the three effects; largest difference first.
    """
    shown = [*KEYS, "logged_quantity", "billed_quantity", "estimate", "billed_cost", *EFFECTS]
    if compared.empty:
        return pd.DataFrame(columns=shown)
    size = compared[list(EFFECTS)].astype("float64").abs().sum(axis=1)
    order = size[size > 0].sort_values(ascending=False, kind="stable").index[:_LARGEST]
    held = [name for name in shown if not (name in KEYS and (compared[name] == "").all())]
    return compared.loc[order, held].reset_index(drop=True)


def _is_unlogged(bill: pd.DataFrame, known: pd.DataFrame) -> np.ndarray:
    """Find the lines of models and accounts that no log names in any month."""
    if known.empty:
        return np.ones(len(bill), bool)
    strange = bill["model"].notna() & ~bill["model"].isin(known["model"])
    if (
        bill["account"].notna().all()
        and known["account"].notna().all()
        and set(bill["account"]) & set(known["account"])
    ):
        strange |= ~bill["account"].isin(known["account"])
    return strange.to_numpy(bool)


def _bill_side(lines: pd.DataFrame, logged: pd.Series) -> pd.DataFrame:
    lines = lines.loc[(lines["line_kind"] == METERED).to_numpy(bool), _BILLED]
    bill = lines.assign(
        account=billed_account(lines, logged),
        day=pd.to_datetime(lines["charge_period_start"], utc=True).dt.strftime("%Y-%m-%d").to_numpy(),
        contracted=lines["contracted_cost"].fillna(lines["billed_cost"]),
        model=lines["model"].astype(TEXT).str.replace(_SNAPSHOT, "", regex=True),
    )
    spans = pd.to_datetime(lines["charge_period_end"], utc=True) - pd.to_datetime(
        lines["charge_period_start"], utc=True
    )
    return bill if (spans <= pd.Timedelta(days=1)).all() else bill.assign(day="")


def _log_side(rows: pd.DataFrame) -> pd.DataFrame:
    unpriced = rows["pricing_quantity"].where(rows["contracted_cost"].isna(), 0)
    log = rows.assign(
        account=rows["provider_account"],
        day=days(rows).dt.strftime("%Y-%m-%d").to_numpy(),
        unpriced_quantity=unpriced,
        model=rows["model"].astype(TEXT).str.replace(_SNAPSHOT, "", regex=True),
        service_tier=rows["service_tier"].astype(TEXT).fillna("standard"),
    )
    hourly = (log["token_class"] == CAPACITY).to_numpy(bool)
    for name in ("model", "service_tier"):
        log[name] = log[name].astype(TEXT).mask(hourly, CAPACITY)
    # what is paid by the hour or costs nothing is on no line for tokens
    return log[(log["contracted_cost"].isna() | (log["contracted_cost"] != 0)).to_numpy(bool)]


def _same_grain(bill: pd.DataFrame, log: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Leave out of both sides what only one of them knows."""
    coarse = []
    named = bill["account"].notna().all() and log["account"].notna().all()
    if not named or not set(bill["account"]) & set(log["account"]):
        coarse.append("account")
    if bill["service_tier"].isna().any():
        coarse.append("service_tier")
    if bill["model"].isna().any():
        coarse += ["model", "token_class"]
    if (bill["day"] == "").all():
        coarse.append("day")
    bill, log = bill.assign(**dict.fromkeys(coarse, "")), log.assign(**dict.fromkeys(coarse, ""))
    for fine, wide in _FOLDED.items():
        itemised = bill.loc[bill["token_class"] == fine, "model"]
        folded = (log["token_class"] == fine) & ~log["model"].isin(set(itemised))
        log["token_class"] = log["token_class"].astype(TEXT).mask(folded.to_numpy(bool), wide)
    whole = set(bill.loc[bill["token_class"].isna(), "model"])
    sides = []
    for side in (bill, log):
        classes = side["token_class"].astype(TEXT).mask(side["model"].isin(whole).to_numpy(bool), "")
        keys = side.assign(token_class=classes)[KEYS].astype(TEXT).fillna("").astype(object)
        sides.append(side.assign(**{name: keys[name] for name in KEYS}))
    return sides[0], sides[1]


def _compare(bill: pd.DataFrame, log: pd.DataFrame) -> pd.DataFrame:
    bill = _with_expected_cost(bill.reset_index(drop=True), log)
    money = {"billed_cost": "sum", "contracted": "sum", "expected_cost": "sum"}
    first = dict.fromkeys(("invoice_issuer_name", "invoice_id", "region_id", "billing_currency"), "first")
    bill["counted"] = bill["quantity"].notna() & (bill["quantity"].fillna(0) > 0)
    bill["is_whole_cents"] = _whole_cents(bill["billed_cost"])
    # without a price of ours, or without a quantity, what is billed is the only measure of the volume
    bill["expected_cost"] = bill["expected_cost"].fillna(bill["contracted"])
    shown = {"billed_quantity": ("quantity", "sum"), "counted": ("counted", "all")}
    shown |= {name: (name, how) for name, how in (money | first | {"is_whole_cents": "all"}).items()}
    billed = bill.groupby(KEYS, as_index=False).agg(**shown)
    log = log.rename(columns={"contracted_cost": "estimate", "list_cost": "at_list_prices"})
    summed = ["pricing_quantity", "unpriced_quantity", "estimate", "at_list_prices"]
    logged = log.groupby(KEYS, as_index=False)[summed].sum().rename(columns={"pricing_quantity": "logged_quantity"})
    both = logged.merge(billed, on=KEYS, how="outer")
    for name in ("estimate", "at_list_prices", *money):
        both[name] = both[name].astype(MONEY_TYPE).fillna(0)
    for name in ("logged_quantity", "unpriced_quantity", "billed_quantity"):
        both[name] = both[name].astype(COUNT_TYPE).fillna(0)
    both["volume_effect"] = difference(both["expected_cost"], both["estimate"])
    both["price_effect"] = difference(both["contracted"], both["expected_cost"])
    both["bill_effect"] = difference(both["billed_cost"], both["contracted"])
    for name in ("counted", "is_whole_cents"):
        both[name] = both[name].astype("boolean").fillna(value=False).astype(bool)
    quantity = both["billed_quantity"].astype("float64").replace(0, np.nan)
    both["unit_price"] = both["contracted"].astype("float64") / quantity
    both["expected_unit_price"] = both["expected_cost"].astype("float64") / quantity
    return both.drop(columns="contracted").merge(_uncached_prices(log), on=KEYS[:4], how="left")


def _uncached_prices(log: pd.DataFrame) -> pd.DataFrame:
    """Find the average price of plain input: what cached input must not be billed at."""
    plain = log[log["token_class"] == "uncached_input"].groupby(KEYS[:4], as_index=False)
    summed = plain[["estimate", "pricing_quantity"]].sum()
    price = summed["estimate"].astype("float64") / summed["pricing_quantity"].astype("float64")
    return summed[KEYS[:4]].assign(uncached_unit_price=price)


def _with_expected_cost(bill: pd.DataFrame, log: pd.DataFrame) -> pd.DataFrame:
    """Price the billed quantities with the ledger's contracted prices."""
    priced = log[log["contracted_unit_price"].notna().to_numpy(bool)]
    points = priced.groupby([*KEYS, "contracted_unit_price"], as_index=False)[["pricing_quantity", "contracted_cost"]]
    points = points.sum().rename_axis("point").reset_index()
    pairs = bill[[*KEYS, "quantity", "contracted"]].rename_axis("line").reset_index().merge(points, on=KEYS)
    cost = pairs["contracted"].astype("float64")
    gap = (cost - pairs["quantity"].astype("float64") * pairs["contracted_unit_price"].astype("float64")).abs()
    slack = np.where(_whole_cents(pairs["contracted"]), HALF_CENT, 0) + 1e-9 * cost.abs() + 1e-12
    fitting = pairs.assign(gap=gap)[(gap <= slack).to_numpy(bool)].sort_values(["line", "gap", "point"])
    best = fitting.drop_duplicates("line").set_index("line")
    unit = best["contracted_unit_price"].reindex(bill.index)
    rest = points[~points["point"].isin(best["point"])]
    for left in (rest, points):
        average = left.groupby(KEYS, as_index=False)[["pricing_quantity", "contracted_cost"]].sum()
        rate = average["contracted_cost"].astype("float64") / average["pricing_quantity"].astype("float64")
        average["rate"] = pd.array([Decimal(f"{value:.15f}") for value in rate], dtype=unit.dtype)
        unit = unit.fillna(bill[KEYS].merge(average, on=KEYS, how="left")["rate"].set_axis(bill.index))
    return bill.assign(expected_cost=product(bill["quantity"], unit))


def _whole_cents(amounts: pd.Series) -> np.ndarray:
    exact = pa.array(amounts).cast(pa.decimal128(38, 15))
    return pc.equal(exact, pc.round(exact, ndigits=2)).to_numpy(zero_copy_only=False).astype(bool)
