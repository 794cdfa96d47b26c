"""Matching of charges: the first rule that fits, on columns and tags."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd

from finops_lib.inform.reconciliation.charge_matching import first_match

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


def test_the_empty_text_matches_what_holds_nothing() -> None:
    """Nulls, missing tags and columns that are not there hold nothing."""
    assert [-1, -1, 0, -1] == place({"service_name": ""})
    assert [-1, -1, 0, 0] == place({"tags.scope": ""})
    assert [0, 0, 0, 0] == place({"team": ""})
    assert [-1, -1, -1, -1] == place({"team": "?*"})
