"""Views of an allocation: sums, statements and traces that agree with the parts and the bills."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest

from finops_lib import inform
from finops_lib.inform import Allocation
from finops_lib.inform.allocation import views
from finops_lib.inform.measures import MONEY_TYPE
from finops_lib.settings import AllocationRule

TEXT = pd.ArrowDtype(pa.string())
RULES = [
    AllocationRule(name="own", match={"team": "?*"}, bucket="direct", method="direct"),
    AllocationRule(
        name="capacity",
        match={"service_name": "Throughput"},
        bucket="proportional",
        method="capacity",
        driver="tokens",
        used_share=0.25,
        idle="owner",
        owner="a",
    ),
    AllocationRule(name="logs", match={"service_name": "Logs"}, bucket="proportional", method="proportional",
                   driver="log_gb"),
    AllocationRule(name="security", match={"service_name": "Scans"}, bucket="overhead", method="even"),
    AllocationRule(name="outdated", match={"service_name": "Mainframe"}, bucket="overhead", method="even"),
]  # fmt: skip
ROWS = [
    ("calls-a", "Models", "a", "gateway", 10),
    ("calls-b", "Models", "b", "gateway", 30),
    ("ptu", "Throughput", None, "cloud", 40),
    ("logs", "Logs", None, None, 12),
    ("scans", "Scans", None, None, 6),
    ("notes", "Notes", None, None, 2),
]


@pytest.fixture
def charges() -> pd.DataFrame:
    """A bill of 100 USD."""
    columns = list(zip(*ROWS, strict=True))
    named = ("charge_id", "service_name", "team", "sub_account_name")
    frame = pd.DataFrame({name: pd.array(values, dtype=TEXT) for name, values in zip(named, columns, strict=False)})
    return frame.assign(
        billed_cost=pd.array([Decimal(cost) for cost in columns[4]], dtype=MONEY_TYPE),
        billing_account_id=pd.array(["main"] * len(ROWS), dtype=TEXT),
        invoice_issuer_name=pd.array(["issuer"] * len(ROWS), dtype=TEXT),
    )


@pytest.fixture
def split(charges: pd.DataFrame) -> Allocation:
    """Team a: 10 + 5 used + 30 idle + 4 logs + 3; team b: 30 + 5 used + 6 logs + 3; nobody: 2 logs + 2 notes."""
    drivers = pd.DataFrame(
        {
            "driver": ["tokens", "tokens", "log_gb", "log_gb", "log_gb"],
            "receiver": ["a", "b", "a", "b", None],
            "value": [1, 1, 2, 3, 1],
        }
    )
    return inform.allocate(charges, RULES, drivers, receivers=["a", "b"])


def test_what_each_receiver_carries(split: Allocation) -> None:
    """By bucket, the costliest first and what nobody gets last; idle capacity is in one basis only."""
    billed = inform.spend_by_receiver(split)
    used = inform.spend_by_receiver(split, basis="used")

    assert [
        ("a", 10, 39, 3, 52),
        ("b", 30, 11, 3, 44),
        ("unallocated", 0, 0, 0, 4),
    ] == list(
        billed[["receiver", "direct", "proportional", "overhead", "billed_cost"]].itertuples(index=False, name=None)
    )
    assert [0.52, 0.44, 0.04] == billed["share"].tolist()
    assert {"a": 22, "b": 44, "unallocated": 4} == dict(zip(used["receiver"], used["billed_cost"], strict=True))


def test_the_waterfall_ends_at_nothing(split: Allocation) -> None:
    """The steps after the first sum to the bills."""
    steps = inform.allocation_waterfall(split)

    assert ["billed", "direct", "proportional", "overhead", "unallocated"] == steps["step"].tolist()
    assert [100, 40, 50, 6, 4] == steps["billed_cost"].tolist()
    assert [6, 2, 2, 1, 2] == steps["charges"].tolist()


def test_the_statement_of_a_team(split: Allocation, charges: pd.DataFrame) -> None:
    """Used and idle parts of one charge are one line, whole once; lines sum to what the team carries."""
    lines = inform.statement(split, charges, "a")

    assert [
        ("proportional", "capacity", 40, 0.875, 35),
        ("direct", "own", 10, 1.0, 10),
        ("proportional", "logs", 12, pytest.approx(1 / 3), 4),
        ("overhead", "security", 6, 0.5, 3),
    ] == list(lines[["bucket", "rule", "whole_cost", "ratio", "billed_cost"]].itertuples(index=False, name=None))
    assert 96 == inform.statement(split, charges)["billed_cost"].sum()
    assert inform.statement(split, charges, "nobody-known").empty


def test_one_charge_down_to_its_receivers(split: Allocation, charges: pd.DataFrame) -> None:
    """Each part names its rule, method, driver, value and share, and what else would have matched."""
    logs = Allocation(split.allocations[split.allocations["origin_id"] == "logs"], *[pd.DataFrame()] * 2)
    everything = AllocationRule(name="rest", match={"team": ""}, bucket="overhead", method="even")
    trace = inform.trace_charge(logs, charges, [*RULES, everything])

    assert [("a", 4, 2.0, None), ("b", 6, 3.0, None), (None, 2, 1.0, "use that names no team")] == [
        tuple(None if value is pd.NA else value for value in row)
        for row in trace[["receiver", "billed_cost", "driver_value", "note"]].itertuples(index=False, name=None)
    ]
    assert {("logs", "rest", "proportional:log_gb:v1", 12)} == set(
        trace[["rule", "also_matched", "method_id", "whole_cost"]].itertuples(index=False, name=None)
    )
    assert {"ptu"} == set(inform.trace_charge(split, charges, RULES)["origin_id"])


def test_who_pays_and_who_asked(split: Allocation, charges: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account on the bill against the team; accounts without a name stand under the billed one."""
    paid = inform.payers_and_consumers(split, charges)

    assert (["a", "b", "unallocated"], ["cloud", "gateway", "main"]) == (list(paid.index), list(paid.columns))
    assert [[35, 10, 7], [5, 30, 9], [0, 0, 4]] == paid.astype(int).to_numpy().tolist()
    monkeypatch.setattr(views, "_ACCOUNTS", 1)
    assert ["cloud", "everything else (2)"] == list(inform.payers_and_consumers(split, charges).columns)


def test_what_reaches_nobody_says_why(split: Allocation, charges: pd.DataFrame) -> None:
    """One line a reason, with the rule it falls under."""
    assert [("no rule matches the charge", "", "Notes", 2), ("use that names no team", "logs", "Logs", 2)] == list(
        inform.unallocated_parts(split, charges)[["note", "rule", "service_name", "billed_cost"]].itertuples(
            index=False, name=None
        )
    )


def test_rules_say_what_they_decided(split: Allocation, charges: pd.DataFrame) -> None:
    """Also the one that decided on nothing, and what a later rule would have taken."""
    rules = inform.rules_in_words(RULES, split, charges).set_index("rule")
    rest = AllocationRule(name="rest", match={"service_name": "*o*"}, bucket="overhead", method="even")
    later = inform.rules_in_words([*RULES, rest], split, charges)["also_matched"]

    assert ["rest (2)", "rest (1)", "rest (1)", "", "", ""] == later.tolist()
    assert {""} == set(rules["also_matched"])

    assert [2, 1, 1, 1, 0] == rules["charges"].tolist()
    assert [40, 40, 12, 6, 0] == rules["billed_cost"].tolist()
    assert 10 / 12 == pytest.approx(rules.loc["logs", "allocated_share"])
    assert rules.loc["logs", "sentence"].startswith("Each gets the part of the charge that is its part of all log giga")
