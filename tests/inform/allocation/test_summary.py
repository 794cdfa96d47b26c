"""Summary of an allocation: whose page it is, what stands first on it, and whether it holds."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from finops_lib import inform, load_params
from finops_lib.inform import Allocation
from finops_lib.inform.measures import MONEY_TYPE
from finops_lib.settings import AllocationRule

TEXT = pd.ArrowDtype(pa.string())


def split(*rows: tuple[str, str | None, str, int]) -> tuple[Allocation, pd.DataFrame]:
    """Give charges of (id, team, source, cost) to the team they name."""
    ids, teams, sources, costs = zip(*rows, strict=True) if rows else ((), (), (), ())
    charges = pd.DataFrame(
        {
            "charge_id": pd.array(ids, dtype=TEXT),
            "team": pd.array(teams, dtype=TEXT),
            "source": pd.array(sources, dtype=TEXT),
            "service_name": pd.array(["service"] * len(ids), dtype=TEXT),
            "billed_cost": pd.array([Decimal(cost) for cost in costs], dtype=MONEY_TYPE),
        }
    )
    rule = AllocationRule(name="own", match={"source": "ledger"}, bucket="direct", method="direct")
    drivers = pd.DataFrame({"driver": [], "receiver": [], "value": []})
    return inform.allocate(charges, [rule], drivers, receivers=["a", "b"]), charges


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two teams and an assistant."""
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / "organisation.yaml").write_text("teams: {a: {}, b: {}}\n")
    (tmp_path / "parameters" / "helper.yaml").write_text("assistant: helper\nsettings: {title: Helper}\n")
    return tmp_path


def test_whose_page_it_is(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An assistant receives as an assistant; a team page is told by the batch; the organisation is about all teams."""
    helper = inform.allocation_page(load_params("helper", project=project))
    whole = inform.allocation_page(load_params(project=project))
    monkeypatch.setenv("FINOPS_TEAM", "b")
    team = inform.allocation_page(load_params(project=project))

    assert ("assistant", "helper", ("helper",), "Helper", "helper") == (
        helper.receiver_type, helper.receiver, helper.receivers, helper.title, helper.assistant,
    )  # fmt: skip
    assert ("team", None, ("a", "b"), "all") == (whole.receiver_type, whole.receiver, whole.receivers, whole.assistant)
    assert ("team", "b", "Team b") == (team.receiver_type, team.receiver, team.title)
    assert (None, 0.05) == (helper.unallocated_limit(0.95), whole.unallocated_limit(0.95))


def test_the_first_numbers(project: Path) -> None:
    """All bills, the largest receiver, the page's own, and the largest part that reaches nobody."""
    found, charges = split(("c1", "a", "ledger", 6), ("c2", None, "ledger", 1), ("c3", None, "focus", 3))
    page = inform.allocation_page(load_params(project=project))
    summary = inform.allocation_summary(found, charges, page, "2026-09")

    assert (10, 4, 1, "a", 6) == tuple(summary[name] for name in ("billed", "unallocated", "bills", "top", "top_cost"))
    assert ("no rule matches the charge", 3, "service") == (
        summary["reason"], summary["reason_cost"], summary["reason_service"],
    )  # fmt: skip
    assert (None, None) == (summary["own_cost"], summary["moved"])


def test_what_moves_between_invoices_is_counted_once(project: Path) -> None:
    """2.00 off one invoice of a provider and onto another are 2.00 moved."""
    found, charges = split(("between-1", "a", "true_up", 2), ("between-2", "a", "true_up", -2), ("c", "a", "ledger", 5))
    page = inform.allocation_page(load_params(project=project))

    assert 2 == inform.allocation_summary(found, charges, page, "2026-09")["moved"]


def test_without_charges_nothing_is_known(project: Path) -> None:
    """An empty month gives no numbers and a check that does not pass."""
    found, charges = split()
    page = inform.allocation_page(load_params(project=project))
    summary = inform.allocation_summary(found, charges, page, "")
    checks = inform.allocation_checks(found, charges, unallocated_limit=0.05).set_index("check")

    assert (None, None, None) == (summary["billed"], summary["top"], summary["reason"])
    assert [False, False, True, False] == checks["passed"].tolist()


def test_checks_name_what_is_left(project: Path) -> None:
    """40% unallocated and a charge without a rule fail; the amounts agree to the last digit."""
    found, charges = split(("c1", "a", "ledger", 6), ("c2", None, "ledger", 1), ("c3", None, "focus", 3))
    checks = inform.allocation_checks(found, charges, unallocated_limit=0.05).set_index("check")

    assert [True, False, False, True] == checks["passed"].tolist()
    assert (0.0, 0.4) == tuple(checks["statistic"].iloc[:2])
    assert "USD 3.00 in all: service" == checks.loc["charges_without_a_rule", "comment"]
    assert "unallocated_share" not in set(inform.allocation_checks(found, charges, unallocated_limit=None)["check"])
