"""The list of plants."""

from __future__ import annotations

from finops_lib.sample.organisation import END, START
from finops_lib.sample.plants import PLANTS


def test_ids_run_through() -> None:
    """Every plant has an id of its own, in order."""
    assert [f"P{number:02d}" for number in range(1, len(PLANTS) + 1)] == [plant.id for plant in PLANTS]


def test_every_plant_says_what_where_when_and_how_much() -> None:
    """No field is empty, and the days lie in the sample."""
    for plant in PLANTS:
        assert all([plant.what, plant.where, plant.size, plant.shows_in])
        assert START <= plant.first <= plant.last < END
