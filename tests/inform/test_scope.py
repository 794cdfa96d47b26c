"""Which rows of the ledger a question is asked of."""

from __future__ import annotations

from datetime import date

import pytest

from finops_lib import inform
from finops_lib.errors import SchemaError


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({}, 6),
        ({"period": "all", "team": "all"}, 6),
        ({"period": "latest"}, 6),
        ({"period": "2026-08"}, 0),
        ({"period": (date(2026, 9, 2), date(2026, 9, 2))}, 2),
        ({"team": "unattributed"}, 1),
        ({"team": ["brand", "legal"]}, 5),
        ({"team": []}, 0),
        ({"customer": "unattributed"}, 6),
        ({"customer": "acme"}, 0),
        ({"model": None, "workflow": ("tag",)}, 3),
    ],
)
def test_scope_keeps_the_rows_asked_for(costs, scope, expected):
    """Periods and values narrow the ledger; all and None do not."""
    assert expected == len(inform.filter_scope(costs, **scope))


def test_flags_are_values_too(costs):
    """A boolean column is filtered by True and False."""
    flagged = costs.assign(cache_hit=[True, False, None, True, False, False]).astype({"cache_hit": "bool[pyarrow]"})

    assert 2 == len(inform.filter_scope(flagged, cache_hit=True))


def test_an_unknown_dimension_is_refused(costs):
    """A misspelt dimension does not silently keep nothing."""
    with pytest.raises(SchemaError, match="Hint: did you mean 'team'"):
        inform.filter_scope(costs, taem="brand")


def test_nothing_stays_nothing(costs):
    """An empty ledger has no latest month, and that is fine."""
    assert 0 == len(inform.filter_scope(costs.head(0), period="latest", team="brand"))
