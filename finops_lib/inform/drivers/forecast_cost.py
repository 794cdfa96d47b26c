"""Cost forecast by driver: calls, context, output, cache and mix forecast apart, put together at dated prices."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from finops_lib.inform.drivers.history import BUCKETS, RECENT_DAYS, UNPRICED, DriverHistory, driver_history
from finops_lib.inform.forecast.daily import path_scores, path_summary
from finops_lib.inform.forecast.fan import forecast_fan
from finops_lib.inform.forecast.holiday_effect import public_holidays
from finops_lib.inform.forecast.intervals import at_scores
from finops_lib.inform.forecast.projection import days_to_project, project_paths
from finops_lib.ingest.prices.announced import announced_prices
from finops_lib.settings import HolidaySettings, Params

_PERIODS = ("month", "next_month", "quarter", "next_quarter", "year")
_DEPENDENCE_DAYS = 56
_MIN_PAIRS = 14


@dataclass(frozen=True)
class CostForecast:
    """A forecast by driver.

    Attributes
    ----------
    history : Series
        Contracted cost a day up to the last complete one (USD).
    daily : DataFrame
        Cost of each day ahead (USD): ``mean`` (the middle, as in ``forecast_daily``), ``lower_80`` ….
    courses : array, draws × days
        Sampled cost of the days ahead (USD), to the end of the last period projected.
    drivers : DataFrame
        One row per driver × day: ``driver``, ``day``, ``actual`` (past days), ``mean``, ``lower_80``, ``upper_80`` …
        (days ahead). Drivers: calls a day, input and output tokens a call, share of input read from the prompt
        cache, share of each model in the calls.
    projection : DataFrame
        Month end, next month, quarter, next quarter, year end: as ``project`` returns it.
    unpriced : DataFrame
        ``model``, ``tokens_per_day``: used in the last four weeks, without a price, and so in no figure of money.
    prices : DataFrame
        Announced prices that it rests on.
    notes : list of str
        What a reader has to know about the history.
    """

    history: pd.Series
    daily: pd.DataFrame
    courses: np.ndarray
    drivers: pd.DataFrame
    projection: pd.DataFrame
    unpriced: pd.DataFrame
    prices: pd.DataFrame
    notes: list[str]


def forecast_by_driver(params: Params, costs: pd.DataFrame, usage: pd.DataFrame, as_of: date | None) -> CostForecast:
    """Forecast the cost of a scope as every page and message tells it: by the parameters, at announced prices.

    Parameters
    ----------
    params : Params
        Prices, holidays, the horizon shown and the first month of the financial year.
    costs, usage, as_of
        As in ``forecast_cost``.

    Returns
    -------
    CostForecast
        Equal scopes have equal figures, whichever page asks.
    """
    return forecast_cost(
        costs,
        usage,
        as_of,
        prices=announced_prices(params, costs, as_of),
        horizon_days=params.settings.forecast.horizon_days,
        calendar=params.organisation.holidays,
        year_start=params.settings.forecast.year_start,
    )


def forecast_cost(
    costs: pd.DataFrame,
    usage: pd.DataFrame,
    as_of: date | None,
    *,
    prices: pd.DataFrame | None = None,
    horizon_days: int = 90,
    levels: Sequence[float] = (80, 95),
    calendar: HolidaySettings | None = None,
    year_start: int = 1,
    count: int = 1001,
    seed: int = 0,
) -> CostForecast:
    """Forecast cost from its drivers.

    Parameters
    ----------
    costs, usage : DataFrame
        Ledger and usage of one scope, all months known.
    as_of : date or None
        Last complete day; ``None`` of an empty ledger.
    prices : DataFrame, optional
        Announced prices: ``effective_from``, ``model``, ``token_class``, ``unit_price`` (USD). What they do not hold
        goes on at the effective price of the last four weeks.
    horizon_days : int
        Days to show ahead; the projection looks as far as it needs.
    levels : sequence of float
        Coverage of the intervals in percent.
    calendar : HolidaySettings, optional
        Public holidays; they move the calls.
    year_start : int
        First month of the financial year.
    count, seed : int
        Courses drawn, and their seed.

    Returns
    -------
    CostForecast
        Without any traffic everything is empty, and a note says so.

    Notes
    -----
    On a sampled day, cost = calls × Σ over models of share × (input a call × (fresh × price + read × price) + output
    a call × price + searches). A model's context, output and cache relative to the whole stay as in the last four
    weeks. Drivers move together as their weekday-adjusted changes did over eight weeks (shrunken correlation, O.
    Ledoit and M. Wolf 2004, in a Gaussian copula). A factor that makes the last four weeks come out right stands for
    what moves within days.

    References
    ----------
    Requirements D1, D3 and D4.
    """
    if as_of is None or costs.empty:
        return _nothing("No model call is known: there is nothing to forecast.", levels, prices)
    history = driver_history(costs, usage, as_of)
    if not history.cost.to_numpy().any():
        nothing = _nothing(f"Nothing was spent up to {as_of}: there is nothing to forecast.", levels, prices)
        return replace(nothing, unpriced=_named(history))
    ahead = max(horizon_days, days_to_project(history.cost.index[-1], as_of, _PERIODS, year_start))
    drivers, paths, notes = simulate_cost(history, ahead, prices, calendar, (count, seed))
    future = history.cost.index[-1] + pd.to_timedelta(np.arange(1, ahead + 1), unit="D")
    daily = path_summary(paths[:, :horizon_days], future[:horizon_days], levels)
    projection = project_paths(history.cost, paths, as_of, levels=levels, periods=_PERIODS, year_start=year_start)
    long = _driver_rows(history.drivers(), drivers, future[:horizon_days], levels)
    return CostForecast(history.cost, daily, paths, long, projection, _named(history), _listed(prices), notes)


def simulate_cost(
    history: DriverHistory,
    horizon_days: int,
    prices: pd.DataFrame | None,
    calendar: HolidaySettings | None,
    draws: tuple[int, int],
) -> tuple[dict[str, np.ndarray], np.ndarray, list[str]]:
    """Draw courses of every driver together, and the cost that follows from them; draws × days."""
    count, seed = draws
    known = history.drivers()
    last = known.index[-1] + pd.Timedelta(days=horizon_days)
    holidays = public_holidays(calendar or HolidaySettings(), known.index[0].date(), last.date())
    moving = [name for name in known if known[name].fillna(0).to_numpy().any()]
    scores = np.stack([path_scores(horizon_days, count, [seed, place]) for place in range(len(moving))])
    scores = np.tensordot(np.linalg.cholesky(_dependence(known[moving])), scores, axes=1)
    drawn = {name: np.zeros((count, horizon_days)) for name in known}
    notes: list[str] = []
    for place, name in enumerate(moving):
        fan = forecast_fan(known[name], horizon_days, holidays if name == "calls" else None)
        values = np.maximum(at_scores(fan.quantiles, scores[place]), 0)
        drawn[name] = np.minimum(values, 1) if "share" in name else values
        notes += fan.notes if name == "calls" else []
    if not history.counted:
        notes.append("The sources do not count calls: a thousand billed tokens stand for one.")
    shares = [name for name in known if name.startswith("share of ")]
    whole = np.maximum(sum((drawn[name] for name in shares), np.zeros((count, horizon_days))), 1e-12)
    drawn |= {name: drawn[name] / whole for name in shares}
    first = history.cost.index[-1] + pd.Timedelta(days=1)
    rates = _rates(history.recent, prices, pd.date_range(first, periods=horizon_days, freq="D"))
    cost = _cost(history, drawn, rates) * _calibration(history, prices)
    # skewed drivers would push the middle of their product up; the first course keeps each of them in its middle
    return drawn, cost * (cost[0] / np.maximum(np.median(cost, axis=0), 1e-12)), notes


def _cost(history: DriverHistory, drawn: dict[str, np.ndarray], rates: dict[tuple[str, str], np.ndarray]) -> np.ndarray:
    """Put drivers and prices together: days × courses of cost, or days of it."""
    days = slice(-RECENT_DAYS, None)
    calls, tokens = history.calls.iloc[days].sum(), history.tokens.iloc[days].sum()
    used = {
        group: {bucket: float(tokens.get((group, bucket), 0.0)) for bucket in BUCKETS}
        for group in history.calls.columns
    }
    served = {group: part["fresh_input"] + part["cache_read"] for group, part in used.items()}
    overall_input, overall_output = sum(served.values()), sum(part["output"] for part in used.values())
    overall_read = sum(part["cache_read"] for part in used.values())
    total = np.zeros_like(drawn["calls"])
    for group in history.calls.columns:
        weight = drawn.get(f"share of {group}", 1.0) * drawn["calls"]
        per_call = calls.sum() / calls[group] if calls[group] else 0.0
        context = drawn["input_tokens_per_call"] * per_call * _part(served[group], overall_input)
        likelier = _part(_part(used[group]["cache_read"], served[group]), _part(overall_read, overall_input))
        read = np.minimum(drawn["cache_read_share"] * likelier, 1)
        output = drawn["output_tokens_per_call"] * per_call * _part(used[group]["output"], overall_output)
        price = functools.partial(_rate, rates, group)
        a_call = context * ((1 - read) * price("fresh_input") + read * price("cache_read")) + output * price("output")
        total += weight * (a_call + _part(used[group]["other"], calls[group]) * price("other"))
    return total


def _calibration(history: DriverHistory, prices: pd.DataFrame | None) -> float:
    """Return what the last four weeks cost at today's prices, against what their drivers put together give."""
    today = history.cost.index[-1:]
    rates = _rates(history.recent, prices, today)
    tokens = history.tokens.iloc[-RECENT_DAYS:].sum()
    spent = sum(quantity * _rate(rates, group, bucket) for (group, bucket), quantity in tokens.items())
    recent = history.drivers().iloc[-RECENT_DAYS:].fillna(0.0)
    put_together = _cost(history, {name: recent[name].to_numpy() for name in recent}, rates).sum()
    return float(np.squeeze(spent)) / put_together if put_together > 0 else 1.0


def _rates(
    recent: pd.DataFrame, prices: pd.DataFrame | None, when: pd.DatetimeIndex
) -> dict[tuple[str, str], np.ndarray]:
    """Price a unit of each group and bucket on each day, at the mix of the last four weeks."""
    by_day = recent["cost"].to_numpy()[:, None] / recent["quantity"].to_numpy()[:, None] * np.ones(len(when))
    places = {pair: place for place, pair in enumerate(zip(recent["model"], recent["token_class"], strict=True))}
    for row in (prices.sort_values("effective_from") if prices is not None else pd.DataFrame()).itertuples():
        if (row.model, row.token_class) in places:
            by_day[places[row.model, row.token_class], when >= pd.Timestamp(row.effective_from)] = row.unit_price
    money = pd.DataFrame(by_day * recent["quantity"].to_numpy()[:, None])
    keys = [recent["group"].reset_index(drop=True), recent["bucket"].reset_index(drop=True)]
    sums = money.groupby(keys).sum().div(recent["quantity"].groupby(keys).sum(), axis=0)
    return {key: row.to_numpy() for key, row in sums.iterrows()}


def _rate(rates: dict[tuple[str, str], np.ndarray], group: str, bucket: str) -> np.ndarray | float:
    return 0.0 if group == UNPRICED else rates.get((group, bucket), 0.0)


def _dependence(known: pd.DataFrame) -> np.ndarray:
    """Correlate the drivers' changes against the week before."""
    from sklearn.covariance import ledoit_wolf  # slow to load: only who forecasts waits for it

    logs = np.log(known.where(known > 0))
    change = logs.diff(7).iloc[-_DEPENDENCE_DAYS:]
    change = change.dropna(how="any")
    spread = change.std()
    if len(change) < _MIN_PAIRS or known.shape[1] < 2:
        return np.eye(known.shape[1])
    steady = (spread <= 1e-12).to_numpy()
    covariance = ledoit_wolf(((change - change.mean()) / spread.where(~steady, 1.0)).to_numpy())[0]
    covariance[np.diag_indices_from(covariance)] += np.where(steady, 1.0, 1e-9)
    scale = np.sqrt(np.diag(covariance))
    return covariance / np.outer(scale, scale)


def _driver_rows(
    known: pd.DataFrame, drawn: dict[str, np.ndarray], when: pd.DatetimeIndex, levels: Sequence[float]
) -> pd.DataFrame:
    """Lay past and future of every driver out as rows."""
    parts = []
    for name in known:
        past = pd.DataFrame({"driver": name, "day": known.index, "actual": known[name].to_numpy()})
        ahead = path_summary(drawn[name][:, : len(when)], when, levels).rename_axis("day").reset_index()
        parts += [past, ahead.assign(driver=name)]
    return pd.concat(parts, ignore_index=True)


def _named(history: DriverHistory) -> pd.DataFrame:
    return history.unpriced.rename("tokens_per_day").rename_axis("model").reset_index()


def _listed(prices: pd.DataFrame | None) -> pd.DataFrame:
    return pd.DataFrame(columns=["effective_from", "model", "token_class", "unit_price"]) if prices is None else prices


def _nothing(note: str, levels: Sequence[float], prices: pd.DataFrame | None) -> CostForecast:
    bounds = ["mean", *(f"{side}_{level:g}" for level in levels for side in ("lower", "upper"))]
    empty = pd.DatetimeIndex([], dtype="datetime64[s]")
    drivers = pd.DataFrame({name: [] for name in ("driver", "day", "actual", *bounds)})
    columns = ["period", "first_day", "last_day", "days_known", "days_ahead", "actual", "projected", *bounds[1:]]
    projection = pd.DataFrame({name: [] for name in [*columns, "run_rate"]})
    unpriced = pd.DataFrame({"model": [], "tokens_per_day": []})
    history = pd.Series([], index=empty, dtype="float64")
    daily = pd.DataFrame(columns=bounds, index=empty, dtype="float64")
    courses, listed = np.zeros((1, 0)), _listed(prices)
    return CostForecast(history, daily, courses, drivers, projection, unpriced, listed, [note])


def _part(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else 0.0
