"""Usage shapes: seeded artificial daily series from which the forecast learns before it has seen any spend.

A month of one assistant's spend teaches little about how spend behaves in general. What is generally
known of usage (a working week, growth that fades, level shifts, bursts that die down, holidays that come
back, outages) is written here as a random process, and the model learns from many draws of it.
"""

from __future__ import annotations

import numpy as np

_DAYS_A_YEAR = 365


class _Draw:
    """Random parameters, one a series, as columns that broadcast over days."""

    def __init__(self, count: int, days: int, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.count, self.days = count, days
        self.day = np.arange(days)[None, :]

    def uniform(self, low: float, high: float) -> np.ndarray:
        return self.random.uniform(low, high, (self.count, 1))

    def happens(self, probability: float) -> np.ndarray:
        return self.random.random((self.count, 1)) < probability

    def size(self, typical: float, spread: float = 0.8) -> np.ndarray:
        return typical * np.exp(spread * self.random.normal(size=(self.count, 1)))

    def laplace(self, scale: float) -> np.ndarray:
        return self.random.laplace(0, scale, (self.count, 1))

    def normal(self, columns: int | None = None) -> np.ndarray:
        return self.random.normal(size=(self.count, columns or self.days))

    def heavy(self, freedom: float | np.ndarray) -> np.ndarray:
        return np.clip(self.random.standard_t(freedom, (self.count, self.days)), -8, 8)

    def events(self, rate: float | np.ndarray) -> np.ndarray:
        return self.random.random((self.count, self.days)) < rate


def usage_shapes(count: int, days: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw daily series that look like usage.

    Parameters
    ----------
    count : int
        Series to draw.
    days : int
        Length of each.
    seed : int
        Seed; equal seeds give equal series.

    Returns
    -------
    values : array, count × days
        Usage a day, not negative, each series around one.
    first_weekdays : array, count
        Weekday of the first day, Monday = 0.

    Notes
    -----
    On the logarithmic scale a series is the sum of a wandering level, a trend that breaks once or saturates,
    a yearly wave, a weekday profile that may change, holidays, autocorrelated noise, level shifts, bursts
    and outages; some series are counts of few events.

    References
    ----------
    Training on simulated series: S. Dooley et al., ForecastPFN: Synthetically-Trained Zero-Shot Forecasting,
    NeurIPS 2023.

    Examples
    --------
    >>> values, weekdays = usage_shapes(3, 60, seed=1)
    >>> values.shape, bool((values >= 0).all())
    ((3, 60), True)
    """
    draw = _Draw(count, days, seed)
    first_weekdays = draw.random.integers(0, 7, (count, 1))
    phase = draw.random.integers(0, _DAYS_A_YEAR, (count, 1))
    logs = _level(draw) + _trend(draw) + _year(draw, phase) + _week(draw, first_weekdays) + _holidays(draw, phase)
    logs += _noise(draw) + _shifts(draw) + _bursts(draw) + _outages(draw)
    logs -= logs.mean(axis=1, keepdims=True)
    values = np.exp(np.clip(logs, -12, 8))
    events_a_day = np.exp(draw.uniform(np.log(3), np.log(1e5)))
    counted = draw.random.poisson(np.minimum(values * events_a_day, 1e8)) / events_a_day
    return np.where(draw.happens(0.3), counted, values), first_weekdays[:, 0]


def _level(draw: _Draw) -> np.ndarray:
    """Wander: a third of the series for good, the others back to where they were."""
    steps = draw.normal() * draw.size(0.012)
    return _remember(steps, 1 - np.where(draw.happens(0.3), 0, draw.size(0.03)))


def _trend(draw: _Draw) -> np.ndarray:
    """Grow or shrink, mostly less after one break; some series are taken up along an S-curve."""
    before = np.where(draw.happens(0.6), draw.laplace(0.0008), draw.laplace(0.003))
    faded = before * draw.uniform(-0.3, 0.8) + draw.laplace(0.0008)
    after = np.where(draw.happens(0.4), before, faded)
    turn = draw.uniform(0, draw.days)
    trend = np.where(draw.day < turn, before * draw.day, before * turn + after * (draw.day - turn))
    midway, width = draw.uniform(0, draw.days), draw.size(35, 0.6)
    taken_up = np.log(1 / (1 + np.exp(-np.clip((draw.day - midway) / width, -60, 60))) + draw.uniform(0.005, 0.3))
    return trend + draw.happens(0.15) * taken_up


def _year(draw: _Draw, phase: np.ndarray) -> np.ndarray:
    """Swing over the year in up to three waves."""
    size = np.where(draw.happens(0.6), draw.size(0.12, 0.7), 0)
    angle = 2 * np.pi * (draw.day + phase) / _DAYS_A_YEAR
    wave = np.sin(angle)
    for order, share in ((2, 0.7), (3, 0.4)):
        wave = wave + draw.uniform(0, share) * np.sin(order * angle + draw.uniform(0, 2 * np.pi))
    return size * wave


def _week(draw: _Draw, first_weekdays: np.ndarray) -> np.ndarray:
    """Follow a weekday profile: half quiet at weekends, a fifth busier, a few flat, some changing."""
    swing, kind = draw.size(0.12), draw.uniform(0, 1)
    profile = draw.normal(7) * swing * 0.5
    quiet = -draw.size(0.5, 0.9) * draw.random.uniform(0.7, 1.2, (draw.count, 2))
    profile[:, 5:] += np.where(kind < 0.5, quiet, np.where(kind < 0.7, 2 * swing, 0))
    profile = np.maximum(np.where(kind > 0.93, 0, profile), -4)
    later = profile * draw.size(1, 0.25) + draw.normal(7) * swing * 0.15
    weekday = (first_weekdays + draw.day) % 7
    change = np.clip((draw.day - draw.uniform(0, draw.days)) / draw.uniform(20, 400), 0, 1) * draw.happens(0.4)
    first, last = (np.take_along_axis(table, weekday, axis=1) for table in (profile, later))
    return first * (1 - change) + last * change


def _holidays(draw: _Draw, phase: np.ndarray) -> np.ndarray:
    """Dip on days that come back each year: by date, by weekday (52 weeks later), and a quiet turn of the year."""
    effect = np.zeros((draw.count, draw.days))
    for days_a_year, holidays, share in ((_DAYS_A_YEAR, 12, 0.75), (52 * 7, 6, 0.6)):
        dips = -np.abs(draw.normal(holidays)) * draw.size(0.25)
        sizes = np.where(draw.happens(0.7), dips, 0.1 * draw.normal(holidays)) * draw.happens(share)
        table = np.zeros((draw.count, days_a_year))
        np.put_along_axis(table, draw.random.integers(0, days_a_year, (draw.count, holidays)), sizes, axis=1)
        if days_a_year == _DAYS_A_YEAR:
            turn_of_the_year = np.array([0.5, 0.8, 1, 1, 0.6, 0.5, 0.5, 0.6, 0.8, 1])  # 23 December to 1 January
            table[:, (356 + np.arange(10)) % _DAYS_A_YEAR] -= draw.happens(0.5) * draw.size(0.25) * turn_of_the_year
        effect += np.take_along_axis(np.maximum(table, -2.5), (draw.day + phase) % days_a_year, axis=1)
    return effect


def _noise(draw: _Draw) -> np.ndarray:
    """Scatter around all that, with memory and now and then far out."""
    memory = np.where(draw.happens(0.5), draw.uniform(0, 0.8), draw.uniform(0, 0.3))
    freedom = np.where(draw.happens(0.5), 3.0, 12.0)
    return _remember(draw.heavy(freedom) * np.sqrt(1 - memory**2) * draw.size(0.04, 0.9), memory)


def _shifts(draw: _Draw) -> np.ndarray:
    """Move to another level for good, up to a few times a year, in a third of the series."""
    rate = np.where(draw.happens(0.35), draw.uniform(0.5, 5) / _DAYS_A_YEAR, 0)
    return np.cumsum(draw.events(rate) * draw.heavy(4.0) * draw.size(0.2, 0.6), axis=1)


def _bursts(draw: _Draw) -> np.ndarray:
    """Jump and die down; nearly half of the series are prone to it."""
    rate = np.where(draw.happens(0.45), draw.size(0.02), 0.0005)
    jumps = draw.events(rate) * draw.random.exponential(1, (draw.count, draw.days)) * draw.size(1.0, 0.6)
    fading, bursts, now = draw.uniform(0.2, 0.9)[:, 0], np.empty_like(jumps), np.zeros(draw.count)
    for day in range(draw.days):
        now = np.maximum(fading * now, jumps[:, day])
        bursts[:, day] = now
    return np.minimum(bursts, 4)


def _outages(draw: _Draw) -> np.ndarray:
    """Lose most of a day, rarely."""
    return -2 * np.abs(draw.normal()) * draw.events(np.where(draw.happens(0.2), 0.008, 0.0003))


def _remember(steps: np.ndarray, memory: np.ndarray) -> np.ndarray:
    """Add steps up, keeping a share of the sum from day to day."""
    sums, now = np.empty_like(steps), np.zeros(len(steps))
    for day in range(steps.shape[1]):
        now = memory[:, 0] * now + steps[:, day]
        sums[:, day] = now
    return sums
