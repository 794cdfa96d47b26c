"""How each driver is judged: what alarms, and what does not."""

from __future__ import annotations

import numpy as np
import pytest

from finops_lib.operate.anomalies.detectors import count_alarms, rate_alarms, share_alarms, unit_alarms, volume_alarms

QUIET = np.zeros(90, dtype=bool)
MANY = np.full(90, 10_000.0)


def noisy(level, spread, seed=3):
    """Ninety days around a level."""
    return level * np.exp(np.random.default_rng(seed).normal(0, spread, 90))


def test_a_spike_a_level_and_a_drop_of_volume():
    """Three times the traffic alarms at once, 40% more within three days, nothing at all at once."""
    spike, level, drop = (noisy(10_000, 0.05) for _ in range(3))
    spike[60] *= 3
    level[60:] *= 1.4
    drop[60:62] = 0

    assert "spike" == volume_alarms(spike, QUIET, counted=True).kind[60]
    assert set(volume_alarms(level, QUIET, counted=True).kind[60:63]) & {"level", "spike"}
    assert ["drop", "drop"] == volume_alarms(drop, QUIET, counted=True).kind[60:62].tolist()


def test_a_half_is_no_drop_and_few_calls_vary_by_chance():
    """Half of the traffic costs less and is no alarm; zero of four expected calls is chance."""
    half, few = noisy(10_000, 0.05), np.full(90, 4.0)
    half[60] *= 0.5
    few[60] = 0

    assert "" == volume_alarms(half, QUIET, counted=True).kind[60]
    assert "" == volume_alarms(few, QUIET, counted=True).kind[60]


def test_a_place_closed_on_a_holiday_is_no_outage():
    """Nothing on a holiday is expected; nothing on the day after it is an outage."""
    values, quiet = noisy(10_000, 0.05), QUIET.copy()
    values[60:62], quiet[60] = 0, True

    assert ["", "drop"] == volume_alarms(values, quiet, counted=True).kind[60:62].tolist()


def test_creep_is_found_before_it_is_large():
    """Tokens per request that grow by 2% a day are found within nine days, as creep."""
    values = noisy(2_000, 0.039)
    values[60:] *= 1.02 ** np.arange(1, 31)
    kinds = unit_alarms(values, QUIET, MANY).kind
    first = int(np.flatnonzero(kinds[60:] != "")[0])

    assert first <= 9
    assert "creep" == kinds[60 + first]


def test_a_return_from_a_dip_is_no_growth():
    """Two low days and the usual afterwards raise nothing."""
    values = noisy(2_000, 0.02)
    values[60:62] *= 0.5

    assert "" == "".join(unit_alarms(values, QUIET, MANY).kind)


def test_few_requests_make_a_mean_less_sure():
    """Half as many tokens again is an alarm with all requests, and chance with one of a hundred."""
    values, few = noisy(2_000, 0.05), MANY.copy()
    values[60] = 3_000
    few[60] = 100

    assert "spike" == unit_alarms(values, QUIET, MANY).kind[60]
    assert "" == unit_alarms(values, QUIET, few).kind[60]


@pytest.mark.parametrize(("change", "kind"), [(1.1, "mix"), (1.05, ""), (0.7, "")])
def test_dearer_tokens_are_seen_on_the_day(change, kind):
    """Prices do not wander: a tenth more is an alarm on the first day, a price cut is none."""
    rate = noisy(3e-6, 0.005)
    rate[60:] *= change

    assert kind == rate_alarms(rate, MANY).kind[60]


def test_shares_move_beyond_chance():
    """Failures of 20% of 1,000 calls are an alarm where 2% are usual, of 10 calls they are not."""
    share = np.full(90, 0.02)
    share[60] = 0.2

    assert "level" == share_alarms(share, np.full(90, 1_000.0)).kind[60]
    assert "" == "".join(share_alarms(share, np.full(90, 10.0)).kind)
    assert "" == "".join(share_alarms(share, np.full(90, 1_000.0), falls=True).kind)


def test_something_rare_that_happens_often():
    """Five loops on a day where there never was one, and not a single one."""
    often, once = np.zeros(90), np.zeros(90)
    often[60], once[60] = 5, 1

    assert "spike" == count_alarms(often).kind[60]
    assert "" == "".join(count_alarms(once).kind)


def test_nothing_is_said_in_the_first_four_weeks():
    """What is usual is not known yet."""
    values = noisy(10_000, 0.05)
    values[20] *= 10

    assert "" == volume_alarms(values, QUIET, counted=True).kind[20]
