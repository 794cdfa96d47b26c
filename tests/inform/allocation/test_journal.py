"""Journal: balanced to the cent, one entry a cost center, nothing a spreadsheet would run."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_lib.errors import SchemaError
from finops_lib.inform import Allocation, journal, journal_totals
from finops_lib.inform.measures import MONEY_TYPE
from finops_lib.report.sidecar import csv_bytes
from finops_lib.settings import Team

TEXT = pd.ArrowDtype(pa.string())
TEAMS = {
    "a": Team(cost_center="CC-1"),
    "b": Team(cost_center="CC-2"),
    "c": Team(cost_center="CC-1"),
    "homeless": Team(),
}


def given_to(*parts: tuple[str | None, object], kind: str = "team") -> Allocation:
    """Make an allocation of (receiver, billed cost)."""
    frame = pd.DataFrame(
        {
            "receiver": pd.array([name for name, _ in parts], dtype=TEXT),
            "receiver_type": pd.array([kind] * len(parts), dtype=TEXT),
            "billed_cost": pd.array([Decimal(str(cost)) for _, cost in parts], dtype=MONEY_TYPE),
        }
    )
    return Allocation(frame, pd.DataFrame(), pd.DataFrame())


def written(allocation: Allocation, **more: object) -> pd.DataFrame:
    """Write the journal of a month."""
    return journal(allocation, TEAMS, **({"period": "2026-09", "currency": "USD"} | more))


def test_one_entry_a_cost_center_and_the_rest_stays_central() -> None:
    """Teams of one cost center share an entry; what nobody carries is an entry of the central account with itself."""
    entries = written(given_to(("a", "1.005"), ("c", "2"), ("b", "3.004"), ("homeless", "0.5"), (None, "0.491")))

    assert [
        ("AI-2026-09-001", "CC-1", "3.01", ""),
        ("AI-2026-09-001", "central", "", "3.01"),
        ("AI-2026-09-002", "CC-2", "3.00", ""),
        ("AI-2026-09-002", "central", "", "3.00"),
        ("AI-2026-09-003", "central", "0.99", ""),
        ("AI-2026-09-003", "central", "", "0.99"),
    ] == list(entries[["entry", "cost_center", "debit", "credit"]].itertuples(index=False, name=None))
    assert {"final"} == set(entries["status"])
    assert (Decimal("7.00"), Decimal("7.00")) == journal_totals(entries)


def test_money_back_is_credited() -> None:
    """A credit larger than the cost turns the sides around: no amount is negative."""
    entries = written(given_to(("a", "-2.50"), ("b", 4)))

    assert [("CC-1", "", "2.50"), ("central", "2.50", "")] == sorted(
        entries.loc[entries["entry"] == "AI-2026-09-001", ["cost_center", "debit", "credit"]].itertuples(
            index=False, name=None
        )
    )


def test_what_may_change_says_so_in_every_row() -> None:
    """A provisional journal carries the word in its status and its description."""
    entries = written(given_to(("a", 1)), provisional=True)

    assert {"PROVISIONAL"} == set(entries["status"])
    assert {"PROVISIONAL: AI cost of 2026-09"} == set(entries["description"])


def test_a_spreadsheet_runs_nothing() -> None:
    """A cost center that is a formula is written as text."""
    teams = {"a": Team(cost_center='=HYPERLINK("x")')}
    lines = csv_bytes(journal(given_to(("a", 1)), teams, period="2026-09", currency="USD")).decode().splitlines()

    assert ',"\'=HYPERLINK(""x"")",' in lines[1]
    assert not any(cell.startswith("=") for line in lines for cell in line.split(","))


def test_only_teams_have_a_cost_center() -> None:
    """Parts of assistants cannot be posted."""
    with pytest.raises(SchemaError, match="went to assistants"):
        written(given_to(("helper", 1), kind="assistant"))


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "c", "homeless", None]), st.decimals(-(10**7), 10**7, places=12)),
        max_size=12,
    ),
)
@settings(max_examples=60, deadline=None)
def test_debits_equal_credits_and_the_bills(parts: list[tuple[str | None, Decimal]]) -> None:
    """Every entry balances; what is posted sums to the bills, to half a cent."""
    entries = written(given_to(*parts))
    debits, credits = journal_totals(entries)

    assert debits == credits
    own = entries[entries["account"] == "AI cost"]
    posted = sum(
        (Decimal(d or 0) - Decimal(c or 0) for d, c in zip(own["debit"], own["credit"], strict=True)), Decimal(0)
    )
    assert abs(posted - sum((cost for _, cost in parts), Decimal(0))) * 2 <= Decimal("0.01")
    assert entries.empty or (entries.groupby("entry").size() == 2).all()
