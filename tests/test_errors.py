"""Errors say what is wrong and how to mend it."""

from __future__ import annotations

import pytest

from finops_lib import FinOpsError
from finops_lib.errors import BatchError, ParamsError, PriceError, SchemaError, SourceError, nearest


@pytest.mark.parametrize("kind", [BatchError, ParamsError, PriceError, SchemaError, SourceError])
def test_every_error_of_the_kit_is_one_family(kind):
    """One except clause catches them all, and so does ValueError."""
    assert issubclass(kind, FinOpsError)
    assert issubclass(kind, ValueError)


def test_the_hint_stands_on_a_line_of_its_own():
    """Message first, then what to do; both can be had apart."""
    error = ParamsError("no key 'x'", hint="did you mean 'y'?")

    assert "no key 'x'\nHint: did you mean 'y'?" == str(error)
    assert ("no key 'x'", "did you mean 'y'?") == (error.message, error.hint)


def test_an_error_without_a_hint_is_its_message():
    """No empty hint is shown."""
    assert ("broken", "") == (str(FinOpsError("broken")), FinOpsError("broken").hint)


def test_the_nearest_name_is_asked_for():
    """Of two equally near the last by name, whatever order they are known in; else what there is to say."""
    assert "did you mean 'team_b'?" == nearest("team", ["team_b", "team_a"]) == nearest("team", ["team_a", "team_b"])
    assert ("", "known: x") == (nearest("team", ["x"]), nearest("team", ["x"], "known: x"))
