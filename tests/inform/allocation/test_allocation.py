"""Allocation: every charge reaches somebody or stays in sight, and nothing is lost on the way."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_lib.errors import SchemaError
from finops_lib.inform import Allocation, allocate
from finops_lib.inform.allocation.allocation import METRICS
from finops_lib.inform.measures import MONEY_TYPE
from finops_lib.schema import ALLOCATIONS, names
from finops_lib.settings import AllocationRule

TEXT = pd.ArrowDtype(pa.string())


def bill(*rows: dict[str, object]) -> pd.DataFrame:
    """Make charges; the billed cost stands for all metrics that a row does not give."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    frame = pd.DataFrame({name: pd.array([row.get(name) for row in rows], dtype=TEXT) for name in columns if
                          name not in METRICS})  # fmt: skip
    for metric in METRICS:
        values = [row.get(metric, row.get("billed_cost")) for row in rows]
        exact = [None if value is None else Decimal(str(value)) for value in values]
        frame[metric] = pd.array(exact, dtype=MONEY_TYPE)
    if "charge_id" not in frame:
        frame["charge_id"] = pd.array([f"c{place}" for place in range(len(frame))], dtype=TEXT)
    return frame


def use(driver: str = "requests", more: dict[str, object] | None = None, **values: object) -> pd.DataFrame:
    """Make drivers: the receiver ``nobody`` is use that names none."""
    receivers = [None if name == "nobody" else name for name in values]
    frame = pd.DataFrame({"driver": driver, "receiver": receivers, "value": list(values.values())})
    return frame.assign(**(more or {}))


def rule(method: str = "proportional", **more: object) -> AllocationRule:
    """Make a rule that matches everything."""
    needs_driver = method in ("proportional", "weighted", "capacity")
    return AllocationRule(
        **{"name": "rule", "bucket": "proportional", "method": method, "driver": "requests" if needs_driver else None}
        | more
    )


def billed(allocation: Allocation) -> dict[str, Decimal]:
    """Sum the billed cost by receiver; what reaches nobody by its note."""
    parts = allocation.allocations
    who = parts["receiver"].fillna(parts["note"])
    return {str(name): cost.normalize() for name, cost in parts["billed_cost"].groupby(who).sum().items()}


def test_shared_cost_follows_use() -> None:
    """720 USD of a vector database for 5,000, 3,000 and 1,500 requests, and 500 of nobody: half, 30%, 15%, 5%."""
    drivers = use(hr=5000, it=3000, finance=1500, nobody=500)
    parts = allocate(bill({"billed_cost": 720}), [rule()], drivers).allocations

    assert names(ALLOCATIONS) == list(parts.columns)
    assert ["finance", "hr", "it", None] == parts["receiver"].astype(object).where(
        parts["receiver"].notna(), None
    ).tolist()
    assert [108, 360, 216, 36] == parts["billed_cost"].astype(int).tolist()
    assert [0.15, 0.5, 0.3, 0.05] == parts["ratio"].tolist()
    assert [1500.0, 5000.0, 3000.0, 500.0] == parts["driver_value"].tolist()
    assert {"proportional:requests:v1"} == set(parts["method_id"])
    assert {"use that names no team"} == set(parts["note"].dropna())


def test_first_match_decides_and_the_rest_is_listed() -> None:
    """A rule without charges and a charge without a rule are both told; the charge is not lost."""
    charges = bill(
        {"service_name": "Vector database", "billed_cost": 10},
        {"service_name": "Logs", "tags": '{"scope": "shared"}', "billed_cost": 20},
        {"service_name": "Notes", "billed_cost": 3},
    )
    rules = [
        rule(name="vector", match={"service_name": "Vector*"}),
        rule(name="shared", match={"tags.scope": "shared"}),
        rule(name="gone", match={"service_name": "Mainframe"}, bucket="overhead", method="even", driver=None),
    ]
    found = allocate(charges, rules, use(a=1, b=3))

    assert {"a": Decimal("7.5"), "b": Decimal("22.5"), "no rule matches the charge": 3} == billed(found)
    assert [("gone", "overhead", "even", "service_name: Mainframe")] == list(
        found.unused_rules.itertuples(index=False, name=None)
    )
    assert ["c2"] == found.unmatched_charges["charge_id"].tolist()
    assert [("", "unallocated", "unallocated:v1")] == list(
        found.allocations.loc[found.allocations["origin_id"] == "c2", ["rule", "bucket", "method_id"]].itertuples(
            index=False, name=None
        )
    )


def test_direct_goes_to_whom_the_charge_names() -> None:
    """The team that asked pays, whatever account it is on; a charge of nobody and of a team that is gone stay."""
    charges = bill(
        {"team": "brand", "sub_account_name": "shared-account", "billed_cost": 5},
        {"team": None, "sub_account_name": "shared-account", "billed_cost": 2},
        {"team": "dissolved", "sub_account_name": "shared-account", "billed_cost": 1},
    )
    found = allocate(charges, [rule("direct", bucket="direct")], use(), receivers=["brand"])

    assert {"brand": 5, "the charge names no team": 2, "'dissolved' is no known team": 1} == billed(found)


def test_even_and_fixed() -> None:
    """Even parts go to all teams that exist, or to the list; fixed ones follow the weights."""
    charges = bill({"billed_cost": 100})

    assert {
        "a": Decimal("33.333333333334"),
        "b": Decimal("33.333333333333"),
        "c": Decimal("33.333333333333"),
    } == billed(allocate(charges, [rule("even")], use(), receivers=["c", "a", "b"]))
    assert {"a": 50, "'z' is no known team": 50} == billed(
        allocate(charges, [rule("even", receivers=["a", "z"])], use(), receivers=["a", "b"])
    )
    assert {"a": 75, "b": 25} == billed(allocate(charges, [rule("fixed", weights={"a": "1.5", "b": "0.5"})], use()))


def test_environments_weigh_as_agreed() -> None:
    """Production counts twice: 100 production and 100 sandbox requests against 100 sandbox ones are 3 : 1."""
    drivers = pd.concat(
        [
            use(a=100, more={"environment": "production"}),
            use(a=100, b=100, more={"environment": "sandbox"}),
        ]
    )
    found = allocate(bill({"billed_cost": 8}), [rule("weighted", multipliers={"production": 2})], drivers)

    assert {"a": 6, "b": 2} == billed(found)
    assert [200.0, 100.0] == found.allocations["driver_value"].tolist()


def test_only_the_use_of_the_charges_own_assistant_counts() -> None:
    """A GPU that serves one assistant is shared by the teams that use this assistant."""
    charges = bill({"assistant": "helper", "billed_cost": 9}, {"assistant": "other", "billed_cost": 4})
    drivers = pd.concat([use(a=1, b=2, more={"assistant": "helper"}), use(a=7, more={"assistant": "other"})])

    assert {"a": 3 + 4, "b": 6} == billed(allocate(charges, [rule(among={"assistant": "same"})], drivers))


@pytest.mark.parametrize(
    ("idle", "expected"),
    [
        ("unallocated", {"a": 3, "b": 1, "idle capacity": 16}),
        ("owner", {"a": 3, "b": 1, "owner": 16}),
        ("shared", {"a": 15, "b": 5}),
    ],
)
def test_capacity_keeps_its_idle_part_apart(idle: str, expected: dict[str, int]) -> None:
    """Of 20 USD a fifth was used, 3 : 1; the other 16 go where the rule says, as rows of their own."""
    capacity = rule("capacity", used_share=0.2, idle=idle, owner="owner" if idle == "owner" else None)
    found = allocate(bill({"billed_cost": 20}), [capacity], use(a=3, b=1))

    assert expected == billed(found)
    assert 16 == found.allocations.loc[found.allocations["driver"] == "idle", "billed_cost"].sum()


def test_lone_user_does_not_pay_for_what_stood_idle() -> None:
    """0.93 USD used and 48.84 USD idle: the user carries 0.93, the rest stays in sight."""
    capacity = rule("capacity", used_share=0.93 / 49.77)
    found = allocate(bill({"billed_cost": "49.77"}), [capacity], use(lone=1))

    assert {"lone": Decimal("0.93"), "idle capacity": Decimal("48.84")} == {
        name: round(cost, 12) for name, cost in billed(found).items()
    }


def test_used_share_comes_from_the_capacity_table() -> None:
    """The table names the part in use and whom the capacity was bought for."""
    drivers = pd.concat([use(a=1, b=1, more={"model": "m"}), use("used_share", owner=0.5, more={"model": "m"})])
    capacity = rule("capacity", among={"model": "m"}, idle="owner")

    assert {"a": 5, "b": 5, "owner": 10} == billed(allocate(bill({"billed_cost": 20}), [capacity], drivers))
    unknown = rule("capacity", among={"model": "other"}, idle="owner")
    assert {"the part of the capacity in use is not known": 20} == billed(
        allocate(bill({"billed_cost": 20}), [unknown], drivers)
    )


def test_idle_and_shared_cost_together() -> None:
    """Costs of 28, 36 and 18 with 20 and 10 idle, the first shared by the others' cost: 54.667 + 20.104 = 74.771.

    The idle 20 are 5 of processors, used 3 : 3, and 15 of memory, used 13 : 3; the idle 10 are used 18 : 18.
    """
    idle = bill(
        {"charge_id": "cpu", "service_name": "cpu", "billed_cost": 5},
        {"charge_id": "ram", "service_name": "ram", "billed_cost": 15},
        {"charge_id": "second", "service_name": "second", "billed_cost": 10},
    )
    drivers = pd.concat(
        [
            use("cpu", ns1=3, ns2=3),
            use("ram", ns1=13, ns2=3),
            use("second", ns2=18, ns3=18),
            use("cost", ns2=36, ns3=18),
        ]
    )
    by_use = [
        rule(name=name, match={"service_name": name}, driver=f"column:{name}") for name in ("cpu", "ram", "second")
    ]
    spread = billed(allocate(idle, by_use, drivers))

    assert {"ns1": Decimal("14.6875"), "ns2": Decimal("10.3125"), "ns3": Decimal(5)} == spread
    shared = bill({"billed_cost": 28, "team": ""}, {"billed_cost": spread["ns1"], "team": ""})
    shared = (
        billed(allocate(shared.iloc[:1], [rule(driver="cost")], drivers)),
        billed(allocate(shared.iloc[1:], [rule(driver="cost")], drivers)),
    )
    without_idle, idle_part = 36 + shared[0]["ns2"], spread["ns2"] + shared[1]["ns2"]
    assert ["54.667", "20.104", "74.771"] == [f"{v:.3f}" for v in (without_idle, idle_part, without_idle + idle_part)]


@pytest.mark.parametrize("drivers", [use(a=0, b=0), use("tokens", a=5), use()])
def test_nothing_to_split_by_leaves_the_charge_whole(drivers: pd.DataFrame) -> None:
    """27 USD of idle graphics processors without any use are one unallocated row."""
    found = allocate(bill({"billed_cost": 27}), [rule()], drivers)

    assert {"no requests to split by": 27} == billed(found)
    assert [1.0] == found.allocations["ratio"].tolist()


def test_what_is_no_single_charge_is_refused() -> None:
    """A charge that stands twice, a part of a split, and negative use are errors that name the culprit."""
    twice = bill({"charge_id": "x", "billed_cost": 1}, {"charge_id": "x", "billed_cost": 1})
    with pytest.raises(SchemaError, match="charge 'x' stands twice"):
        allocate(twice, [rule()], use(a=1))
    with pytest.raises(SchemaError, match="parts of a split already"):
        allocate(bill({"billed_cost": 1, "origin_id": "y"}), [rule()], use(a=1))
    with pytest.raises(SchemaError, match="'requests' is negative for a"):
        allocate(bill({"billed_cost": 1}), [rule()], use(a=-1, b=2))


def test_no_charges_give_an_empty_allocation() -> None:
    """Without a bill the frames are there, with their columns."""
    found = allocate(bill({"billed_cost": 1}).iloc[:0], [rule()], use(a=1))

    assert (0, names(ALLOCATIONS)) == (len(found.allocations), list(found.allocations.columns))
    assert ["rule"] == found.unused_rules["rule"].tolist()


money = st.one_of(st.none(), st.decimals(-(10**12), 10**12, places=15))
method = st.sampled_from(
    [
        rule(),
        rule("even"),
        rule("fixed", weights={"a": "0.3", "b": 2, "gone": 1}),
        rule("direct"),
        rule("weighted", multipliers={"production": "1.7"}),
        rule("capacity", used_share=0.37, idle="shared"),
        rule("capacity", used_share=0.37, idle="owner"),
        rule(match={"team": "a"}),
    ]
)


@given(
    st.lists(st.tuples(st.sampled_from(["a", "gone", None]), *[money] * 5), min_size=1, max_size=6),
    st.dictionaries(st.sampled_from(["a", "b", "c", "nobody"]), st.floats(0, 1e9), max_size=4),
    method,
    st.randoms(use_true_random=False),
)
@settings(max_examples=80, deadline=None)
def test_parts_of_every_charge_sum_to_it(rows, values, chosen, random) -> None:
    """In all six metrics, for any weights, signs and sizes; the order of charges and drivers changes nothing."""
    metrics = dict(zip(METRICS[:3] + METRICS[4:], range(1, 6), strict=True))
    charges = bill(
        *[
            {"charge_id": f"c{n}", "team": row[0], "billed_cost": row[1] or 0}
            | {m: row[at] for m, at in metrics.items()}
            for n, row in enumerate(rows)
        ]
    )
    drivers = use(**values, more={"environment": "production"})
    parts = allocate(charges, [chosen], drivers, receivers=["a", "b", "c"]).allocations

    for metric in METRICS:
        for number, value in enumerate(charges[metric]):
            own = parts.loc[parts["origin_id"] == f"c{number}", metric]
            if value is pd.NA:
                assert own.isna().all()
            else:
                assert Fraction(value) == sum(map(Fraction, own))
    assert [1.0] * len(rows) == pytest.approx(parts.groupby("origin_id")["ratio"].sum().tolist())
    shuffled = allocate(
        charges.sample(frac=1, random_state=random.randint(0, 99)),
        [chosen],
        drivers.iloc[::-1],
        receivers=["c", "b", "a"],
    ).allocations
    key = ["origin_id", "receiver", "driver", "note"]
    pd.testing.assert_frame_equal(
        parts.sort_values(key, ignore_index=True), shuffled.sort_values(key, ignore_index=True)
    )
