"""People appear as pseudonyms, small groups not at all."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_lib import inform
from finops_lib.errors import ParamsError


def test_pseudonyms_are_stable_and_keyed():
    """Same name and key, same pseudonym; another key, another one; null stays null."""
    users = pd.Series(["ana@example.com", None, "ben@example.com", "ana@example.com"], index=[5, 6, 7, 8])
    hidden = inform.pseudonymise(users, b"one key")

    # hmac-sha256("one key", "ana@example.com"), first 12 hexadecimal digits, by openssl
    assert "user-2bb810687d9e" == hidden[5] == hidden[8]
    assert pd.isna(hidden[6])
    assert hidden[5] != hidden[7]
    assert hidden[5] != inform.pseudonymise(users, b"another key")[5]


def test_an_empty_key_is_refused():
    """A hash without a key is undone by guessing mail addresses."""
    with pytest.raises(ParamsError, match="Hint: set the environment variable"):
        inform.pseudonymise(pd.Series(["ana@example.com"]), b"")


@given(st.lists(st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"])))))
def test_pseudonyms_give_no_name_away(names):
    """Every name becomes a prefix and twelve hexadecimal digits, one for one."""
    hidden = inform.pseudonymise(pd.Series(names, dtype=object), b"key")

    assert [name is None for name in names] == hidden.isna().tolist()
    assert hidden.dropna().str.fullmatch(r"user-[0-9a-f]{12}").all()
    assert len({name for name in names if name is not None}) == hidden.dropna().nunique()


SPEND = pd.DataFrame({"user_group": ["a", "b", "c"], "tokens": [90, 4, 6], "share": [0.9, 0.04, 0.06]})


def test_a_single_small_group_takes_another_with_it():
    """Folding one row alone would show it by subtraction."""
    folded = inform.fold_small_groups(SPEND, pd.Series({"a": 30, "b": 2, "c": 6}))

    assert ["a", "small groups (2)"] == folded["user_group"].tolist()
    assert [90, 10] == folded["tokens"].tolist()


def test_large_groups_are_left_alone():
    """Nothing is folded when every group is large enough."""
    folded = inform.fold_small_groups(SPEND, pd.Series({"a": 30, "b": 20, "c": 6}))

    assert SPEND["user_group"].tolist() == folded["user_group"].tolist()
