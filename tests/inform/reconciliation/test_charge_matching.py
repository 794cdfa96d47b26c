"""Matching of charges: the first rule that fits, on columns and tags."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd

from finops_lib.inform.reconciliation.charge_matching import every_match, first_match

BILL = pd.DataFrame(
    {
        "service_name": ["Vector database", "Logs", None, "Logs"],
        "tags": ['{"scope": "shared", "size": 3}', '{"scope": "shared"}', None, "{}"],
    }
)


def place(*matches: dict[str, str]) -> list[int]:
    """Match the bill against rules."""
    return first_match(BILL, [SimpleNamespace(match=match) for match in matches]).tolist()


def test_the_first_rule_that_fits_decides() -> None:
    """All conditions of a rule must hold; patterns and tags of any type do."""
    assert [0, 1, -1, -1] == place({"tags.size": "3"}, {"tags.scope": "sha*"})
    assert [-1, 0, -1, -1] == place({"service_name": "L?gs", "tags.scope": "shared"})
    assert [0, 0, 0, 0] == place({}, {"service_name": "Logs"})


def test_every_rule_that_fits_is_known() -> None:
    """The second line meets all three rules; only the first of them decides."""
    rules = [SimpleNamespace(match=match) for match in ({"tags.scope": "shared"}, {"service_name": "Logs"}, {})]

    assert [[1, 1, 0, 0], [0, 1, 0, 1], [1, 1, 1, 1]] == [
        fits.astype(int).tolist() for fits in every_match(BILL, rules)
    ]
    assert [0, 0, 2, 1] == first_match(BILL, rules).tolist()


def test_the_empty_text_matches_what_holds_nothing() -> None:
    """Nulls, missing tags and columns that are not there hold nothing."""
    assert [-1, -1, 0, -1] == place({"service_name": ""})
    assert [-1, -1, 0, 0] == place({"tags.scope": ""})
    assert [0, 0, 0, 0] == place({"team": ""})
    assert [-1, -1, -1, -1] == place({"team": "?*"})
