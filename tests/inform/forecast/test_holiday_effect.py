"""Public holidays in history and forecast."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from finops_lib.inform.forecast.holiday_effect import holiday_factors, public_holidays, without_holidays
from finops_lib.settings import HolidaySettings


def working_weeks(weeks=12):
    """Ten a day on working days, two at weekends, from a Monday on."""
    return pd.Series(np.tile([10.0] * 5 + [2.0] * 2, weeks), index=pd.date_range("2026-01-05", periods=7 * weeks))


def test_holidays_come_from_the_country():
    """Germany has New Year in January, Bavaria Epiphany too; no country has none."""
    january = date(2026, 1, 1), date(2026, 1, 31)

    assert [date(2026, 1, 1)] == public_holidays(HolidaySettings(country="DE"), *january)
    assert [date(2026, 1, 1), date(2026, 1, 6)] == public_holidays(
        HolidaySettings(country="DE", subdivision="BY"), *january
    )
    assert [] == public_holidays(HolidaySettings(), *january)


def test_holidays_tell_nothing_of_ordinary_days():
    """A holiday's value is taken out, the other days stay."""
    history = working_weeks(1)

    assert 6 == without_holidays(history, [date(2026, 1, 6)]).count()


def test_an_unseen_holiday_is_like_a_sunday():
    """Without any past holiday a working day falls to a fifth like a Sunday; weekends stay as they are."""
    days = pd.date_range("2026-03-30", periods=7)
    factors = holiday_factors(working_weeks(), days, [date(2026, 4, 3), date(2026, 4, 5)])

    assert [1.0, 1.0, 1.0, 1.0, 0.212, 1.0, 1.0] == factors.round(3).tolist()


def test_past_holidays_outweigh_the_rule():
    """Four holidays that cost the same as any day draw the factor up to the third root of a Sunday's."""
    off = [date(2026, 1, 20), date(2026, 1, 28), date(2026, 2, 5), date(2026, 2, 13)]
    factor = holiday_factors(working_weeks(), pd.DatetimeIndex(["2026-04-03"]), [*off, date(2026, 4, 3)])

    assert pytest.approx(0.2121 ** (1 / 3), abs=0.01) == factor[0]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"country": "D"}, "no holiday calendar for 'D'"),
        ({"country": "DE", "subdivision": "XX"}, "'DE' has no holiday calendar for 'XX'; it has: BB, BE"),
        ({"subdivision": "BE"}, "subdivision 'BE' stands without a country"),
    ],
)
def test_unknown_calendars_are_refused(settings, words):
    """A country or region without a calendar is named when the parameters are read."""
    with pytest.raises(ValueError, match=words):
        HolidaySettings(**settings)
