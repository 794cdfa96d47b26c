"""Lever estimates: which share of each part of the month's cost a lever would have saved, and how that is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from finops_lib.inform.scope import UNATTRIBUTED, days, months
from finops_lib.optimize.levers.inputs import LeverInputs
from finops_lib.optimize.levers.levers import BOUNDS, LeverReplay, replay_levers
from finops_lib.optimize.routing.evaluated_routes import configuration_of
from finops_lib.schema import INPUT_CLASSES, OUTPUT_CLASSES, TOKEN_CLASSES
from finops_lib.settings import LeverSettings

if TYPE_CHECKING:
    from finops_lib.settings import Promotion

REPLAY, EVALUATION, ASSUMPTION = "measured replay", "evaluation", "assumption"
_CALLS = ["assistant", "workflow", "environment", "model"]
_SCOPE = ["assistant", "workflow"]


def estimate_levers(inputs: LeverInputs, settings: LeverSettings) -> dict[str, pd.DataFrame]:
    """Estimate for each lever what share of the month's cost it would have saved.

    Parameters
    ----------
    inputs : LeverInputs
        The month.
    settings : LeverSettings
        What is assumed where the ledger cannot tell.

    Returns
    -------
    dict of DataFrame
        Lever → one row per cell it touches: ``low``, ``likely``, ``high`` (shares of the cell's cost), ``evidence``
        (``measured replay``, ``evaluation`` or ``assumption``), ``measure`` in words. An assumption's low end is 0.

    References
    ----------
    Requirement F3.
    """
    if inputs.cells.empty:
        return {}
    found = {
        "policy": _policy(inputs, settings),
        "compression": _compression(inputs, settings),
        "routing": _routing(inputs),
        "context": _context(inputs, settings),
        "response cache": _response_cache(inputs, settings),
        "semantic cache": _semantic_cache(inputs, settings),
        "prompt cache": _prompt_cache(inputs, settings),
        "batch": _batch(inputs, settings),
        "self-hosting": _self_hosting(inputs, settings),
        "contract": _contract(inputs, settings),
    }
    return {lever: shares[shares["high"] > 0] for lever, shares in found.items()}


def replay_at(
    inputs: LeverInputs,
    settings: LeverSettings,
    on_record: Sequence[Promotion],
    shown: Sequence[Promotion] = (),
    **likely: float,
) -> LeverReplay:
    """Replay the levers on the month, at other likely values where an interactive control asks for them.

    Parameters
    ----------
    inputs, settings
        As for ``estimate_levers``.
    on_record, shown : sequence of Promotion
        Changes in production, and those of them whose saving is shown.
    **likely : float
        The likely value of ``compression``, ``cache_hours``, ``avoidable_retries`` or ``commitment`` in place of the
        settings'; the ends give way where it lies beyond them.

    Returns
    -------
    LeverReplay
        As ``replay_levers`` returns it.
    """
    ends = {name: getattr(settings, name) for name in likely}
    spans = {name: (min(ends[name][0], value), value, max(ends[name][2], value)) for name, value in likely.items()}
    estimates = estimate_levers(inputs, settings.model_copy(update=spans))
    done = {"smallest_saving": settings.smallest_saving, "on_record": on_record, "shown": shown}
    return replay_levers(inputs.cells, estimates, period=inputs.period, **done)


def lever_controls(settings: LeverSettings) -> dict[str, tuple[float, ...]]:
    """List what a reader may choose in ``replay_at``, the settings' own likely values first.

    Parameters
    ----------
    settings : LeverSettings
        What is assumed.

    Returns
    -------
    dict
        Choices by the name of the argument.
    """
    others = {"compression": (0.0, 0.1, 0.3), "cache_hours": (1, 168), "avoidable_retries": (0.0, 1.0),
              "commitment": (0.0, 0.1)}  # fmt: skip
    return {name: (getattr(settings, name)[1], *values) for name, values in others.items()}


def hit_rate_curve(repeats: pd.DataFrame) -> pd.DataFrame:
    """Show what a response cache could answer, by how long it keeps answers.

    Parameters
    ----------
    repeats : DataFrame
        As ``ingest.repeated_calls`` returns it.

    Returns
    -------
    DataFrame
        One row per ``hours``: cacheable ``requests``, ``repeats``, ``hit_rate``, ``repeated_cost`` (USD a month).
    """
    curve = repeats.groupby("hours", as_index=False)[["requests", "repeats", "repeated_cost"]].sum()
    curve.insert(3, "hit_rate", curve["repeats"] / curve["requests"])
    return curve


def _shares(cells: pd.DataFrame, bounds: object, evidence: object, measure: object) -> pd.DataFrame:
    """Give cells their low, likely and high share."""
    values = np.broadcast_to(np.asarray(bounds, dtype="float64"), (len(cells), 3)).clip(0, 1)
    frame = pd.DataFrame(values, index=cells.index, columns=list(BOUNDS))
    return frame.fillna(0).assign(evidence=evidence, measure=measure)


def _joined(cells: pd.DataFrame, found: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Lay measures of calls beside the cells they belong to; cells without one are left out."""
    plain = found.astype(dict.fromkeys(keys, object)).fillna(dict.fromkeys(keys, UNATTRIBUTED))
    return cells.reset_index().merge(plain, on=keys, how="inner", suffixes=("", "_found")).set_index("index")


def _per_call(found: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    plain = found.astype(dict.fromkeys(_CALLS, object)).fillna(dict.fromkeys(_CALLS, UNATTRIBUTED))
    return plain.groupby(_CALLS, as_index=False)[columns].sum()


def _policy(inputs: LeverInputs, settings: LeverSettings) -> pd.DataFrame:
    cells = inputs.cells
    stopped = pd.Series(0.0, index=cells.index)
    for (assistant, environment), policy in inputs.environments.items():
        if policy.expires is None:
            continue
        own = inputs.month[(inputs.month["assistant"] == assistant) & (inputs.month["environment"] == environment)]
        late = own[days(own) >= pd.Timestamp(policy.expires)]
        place = (cells["assistant"] == assistant) & (cells["environment"] == environment)
        whole, lost = (float(frame["contracted_cost"].sum() or 0) for frame in (own, late))
        stopped[place] = lost / whole if whole else 0.0
    over = inputs.over_output.assign(tokens_over=inputs.over_output["tokens_over"].astype("float64"))
    answers = cells[cells["token_class"].isin(OUTPUT_CLASSES)]
    written = answers.groupby(["assistant", "environment"])["tokens"].sum().rename("written").reset_index()
    long = _joined(answers, over.merge(written, on=["assistant", "environment"]), ["assistant", "environment"])
    cut = (long["tokens_over"] / long["written"]).reindex(cells.index).fillna(0)
    cut = np.maximum(cut, _breach(answers, inputs.breaches, "output").reindex(cells.index).fillna(0))
    retried = inputs.wasted[inputs.wasted["call_class"] == "retried"]
    again = _joined(cells, _per_call(retried, ["cost"]), _CALLS)
    spent = cells.groupby(_CALLS)["cost"].transform("sum")
    retries = (again["cost_found"].astype("float64") / spent).reindex(cells.index).fillna(0)
    bounds = [1 - (1 - stopped) * (1 - cut) * (1 - retries * part) for part in settings.avoidable_retries]
    labels = {"calls after the sandbox lapsed": stopped, "output over the limit": cut, "billed retries": retries}
    each = pd.DataFrame({label: values * cells["cost"] for label, values in labels.items()})
    by_workflow = each.groupby([cells[name] for name in _SCOPE]).transform("sum") > 0
    measure = by_workflow.apply(lambda row: ", ".join(row.index[row]), axis=1)
    return _shares(cells, np.column_stack(bounds), REPLAY, measure)


def _compression(inputs: LeverInputs, settings: LeverSettings) -> pd.DataFrame:
    """Take prompts back to what they were in the first month; beyond that, what compression usually removes."""
    cells = inputs.cells[inputs.cells["token_class"].isin(INPUT_CLASSES)]
    usage = inputs.usage.assign(month=months(inputs.usage))
    usage["input"] = usage[[TOKEN_CLASSES[name] for name in INPUT_CLASSES]].astype("float64").sum(axis=1)
    usage["request_count"] = usage["request_count"].astype("float64")
    sizes = usage.groupby([*_SCOPE, "month"], dropna=False)[["input", "request_count"]].sum().reset_index()
    sizes["size"] = sizes["input"] / sizes["request_count"].where(sizes["request_count"] > 0)
    first, last = sizes.groupby(_SCOPE, dropna=False)["size"].first(), sizes[sizes["month"] == inputs.period]
    grown = (1 - first / last.set_index(_SCOPE)["size"]).clip(lower=0).fillna(0).rename("grown").reset_index()
    asked = inputs.over_input.assign(
        own=1 - (inputs.over_input["retrieved_tokens"] / inputs.over_input["input_tokens"]).fillna(0)
    )
    laid = _joined(_joined(cells, grown, _SCOPE), asked[[*_CALLS, "own"]], _CALLS)
    usual = np.outer(laid["own"], settings.compression)
    usual[:, 0] = 0
    has_grown = laid["grown"].to_numpy() > 0.02
    bounds = np.where(has_grown[:, None], np.maximum(usual, laid[["grown"]].to_numpy()), usual)
    measure = np.where(has_grown, "prompt back to the size of the first month", "usual range of prompt compression")
    return _shares(laid, bounds, np.where(has_grown, REPLAY, ASSUMPTION), measure)


def _routing(inputs: LeverInputs) -> pd.DataFrame:
    """Follow evaluations where there are some, else what the routing policy says, at the prices of its models."""
    cells, taken, frames = inputs.cells, pd.Series(False, index=inputs.cells.index), []
    for route in inputs.routes:
        own = (cells["assistant"] == route.assistant) & ~taken
        if route.workflow is not None:
            own &= cells["workflow"] == route.workflow
        served = own & cells["model"].map(lambda model, name=route.baseline: configuration_of(model, [name]) == name)
        here = cells[served if served.any() else own]
        frames.append(_shares(here, route.saving, EVALUATION, route.measure))
        taken |= own
    wrong = _breach(cells[~taken], inputs.breaches, "model")
    bounds = np.column_stack([wrong * 0, wrong, wrong])
    frames.append(_shares(cells[~taken], bounds, ASSUMPTION, "the policy's model in place of a dearer one"))
    return pd.concat(frames)


def _breach(cells: pd.DataFrame, breaches: pd.DataFrame, rule: str) -> pd.Series:
    """Tell what share of the cells' cost breaking a rule of the routing policy costs, exceptions apart."""
    broken = breaches[(breaches["rule"] == rule) & (breaches["exception"] != "active")]
    laid = _joined(cells, _per_call(broken, ["breach_cost"]), _CALLS)
    share = laid["breach_cost"] / laid.groupby(_CALLS)["cost"].transform("sum")
    return share.reindex(cells.index).astype("float64").fillna(0).clip(0, 1)


def _context(inputs: LeverInputs, settings: LeverSettings) -> pd.DataFrame:
    cells = inputs.cells[inputs.cells["token_class"].isin(INPUT_CLASSES)]
    laid = _joined(cells, _per_call(inputs.over_input, ["input_tokens", "retrieved_tokens", "tokens_over"]), _CALLS)
    over, retrieved = (laid[name] / laid["input_tokens"] for name in ("tokens_over", "retrieved_tokens"))
    likely = np.maximum(over.fillna(0), _breach(cells, inputs.breaches, "context").reindex(laid.index))
    high = np.maximum(likely, (retrieved * settings.retrieval_cut).fillna(0))
    # That the tokens are there is measured; that quality holds without them is not.
    return _shares(laid, np.column_stack([likely * 0, likely, high]), REPLAY, "tokens over the context budget")


def _response_cache(inputs: LeverInputs, settings: LeverSettings) -> pd.DataFrame:
    cells, spent = inputs.cells, inputs.cells.groupby(_CALLS)["cost"].transform("sum")
    bounds = []
    for hours in settings.cache_hours:
        known = inputs.repeats[inputs.repeats["hours"] <= hours]
        kept = known[known["hours"] == known["hours"].max()] if len(known) else known
        repeated = _joined(cells, _per_call(kept, ["repeated_cost"]), _CALLS)["repeated_cost"]
        bounds.append((repeated / spent).reindex(cells.index).fillna(0))
    return _shares(cells, np.column_stack(bounds), REPLAY, f"calls repeated within {settings.cache_hours[1]} hours")


def _semantic_cache(inputs: LeverInputs, settings: LeverSettings) -> pd.DataFrame:
    """Assume of cacheable calls what the response cache leaves of the usual deflection."""
    cells, spent = inputs.cells, inputs.cells.groupby(_CALLS)["cost"].transform("sum")
    kept = inputs.repeats[inputs.repeats["hours"] == settings.cache_hours[1]]
    laid = _joined(cells, _per_call(kept, ["cost", "repeated_cost"]), _CALLS)
    cacheable = laid["cost_found"] / spent.reindex(laid.index)
    exact = (laid["repeated_cost"] / laid["cost_found"]).fillna(0)
    more = np.column_stack([(part - exact).clip(lower=0) * cacheable for part in settings.semantic_cache])
    more[:, 0] = 0
    return _shares(laid, more, ASSUMPTION, "usual deflection beyond equal questions")


def _prompt_cache(inputs: LeverInputs, settings: LeverSettings) -> pd.DataFrame:
    cells = inputs.cells[inputs.cells["token_class"] == "uncached_input"]
    prices = inputs.cells.groupby(["model", "token_class"])[["cost", "tokens"]].sum()
    price = prices["cost"] / prices["tokens"].where(prices["tokens"] > 0)
    cached = price[price.index.get_level_values(1) == "cache_read"].droplevel(1)
    cached = cached / price[price.index.get_level_values(1) == "uncached_input"].droplevel(1)
    laid = _joined(cells, _per_call(inputs.prefixes, ["missed_tokens"]), _CALLS)
    tokens = laid.groupby(_CALLS)["tokens"].transform("sum")
    rate = laid["model"].map(cached.fillna(settings.cached_price)).astype("float64")
    saved = (laid["missed_tokens"] / tokens * (1 - rate)).clip(lower=0, upper=1)
    return _shares(laid, np.column_stack([saved * 0, saved, saved]), REPLAY, "prefix repeated within five minutes")


def _batch(inputs: LeverInputs, settings: LeverSettings) -> pd.DataFrame:
    cells = inputs.cells
    batched = cells.loc[cells["service_tier"] == "batch", _SCOPE].drop_duplicates()
    partly = pd.MultiIndex.from_frame(cells[_SCOPE]).isin(pd.MultiIndex.from_frame(batched))
    measured = (cells["category"] == "evaluation") | partly
    named = cells["workflow"].isin(settings.batch_workflows)
    here = (measured | named) & ~cells["service_tier"].isin(["batch", "provisioned"])
    saved = 1 - settings.batch_price
    found, known = cells[here], measured[here].to_numpy()
    bounds = np.column_stack([np.where(known, saved, 0), np.full((len(found), 2), saved)])
    measure = np.where(known, "evaluations and parts of batched work", "work that is said to be able to wait")
    return _shares(found, bounds, np.where(known, REPLAY, ASSUMPTION), measure)


def _self_hosting(inputs: LeverInputs, settings: LeverSettings) -> pd.DataFrame:
    """Take workflows that are large enough for own GPUs to be worth a review."""
    cells = inputs.cells
    span = pd.Period(inputs.period, freq="M").days_in_month
    yearly = cells.groupby(_SCOPE)["cost"].transform("sum") * 365 / span
    written = cells["tokens"].where(cells["token_class"].isin(OUTPUT_CLASSES), 0)
    daily = written.groupby([cells[name] for name in _SCOPE]).transform("sum") / span
    large = (yearly >= inputs.triggers.annual_cost) | (daily >= inputs.triggers.output_tokens_per_day)
    return _shares(cells[large], (0, *settings.self_hosting[1:]), ASSUMPTION, "large enough for a hosting review")


def _contract(inputs: LeverInputs, settings: LeverSettings) -> pd.DataFrame:
    """Discount what was spent at list prices in every month: that much can be committed."""
    history = inputs.costs.assign(month=months(inputs.costs), cost=inputs.costs["contracted_cost"].astype("float64"))
    by_month = history.pivot_table("cost", "provider", "month", "sum", fill_value=0)
    steady = (by_month.min(axis=1) / by_month[inputs.period]).clip(upper=1).fillna(0)
    cells = inputs.cells[inputs.cells["is_listed"]]
    part = cells["provider"].map(steady).fillna(0).to_numpy(dtype="float64")
    bounds = np.outer(part, (0, *settings.commitment[1:]))
    return _shares(cells, bounds, ASSUMPTION, "discount on the smallest month's spend at list prices")
