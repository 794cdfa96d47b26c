"""Methods of allocation: documented, and rules that cannot work are refused."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from finops_lib.inform import allocation_methods
from finops_lib.inform.allocation.methods import method_id, sentence_of
from finops_lib.settings import AllocationRule
from finops_lib.settings.allocation import AllocationRules


def make(**more: object) -> AllocationRule:
    """Make a rule that can work, changed as given."""
    return AllocationRule(**{"name": "r", "bucket": "overhead", "method": "even"} | more)


def test_every_method_has_an_id_a_version_and_a_sentence() -> None:
    """The table documents all six methods, and what no rule matches."""
    methods = allocation_methods().set_index("method")

    assert ["capacity", "direct", "even", "fixed", "proportional", "unallocated", "weighted"] == sorted(methods.index)
    assert "proportional:{driver}:v1" == methods.loc["proportional", "method_id"]
    assert {"1"} == set(methods["version"])
    assert all(text.endswith(".") and "{" not in text for text in methods["sentence"])


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (make(), "even:v1"),
        (make(method="direct"), "direct:team:v1"),
        (make(method="fixed", weights={"a": 1}), "fixed:v1"),
        (make(method="proportional", driver="column:index_updates"), "proportional:index_updates:v1"),
        (None, "unallocated:v1"),
    ],
)
def test_ids_name_what_the_split_follows(rule: AllocationRule | None, expected: str) -> None:
    """The id of a method tells driver and version."""
    assert expected == method_id(rule, "team")


def test_a_manager_can_read_the_rule() -> None:
    """The sentence of a rule names its measure."""
    assert (
        "Each gets the part of the charge that is its part of all retrieval calls; what of them names nobody stays "
        "unallocated."
    ) == sentence_of(make(method="proportional", driver="retrieval_calls"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"match": {"servise_name": "x"}}, "'servise_name' is no column of a charge; did you mean 'service_name'"),
        ({"method": "proportional", "driver": "tokenz"}, "did you mean 'tokens'"),
        ({"method": "proportional"}, "method 'proportional' needs 'driver'"),
        ({"method": "fixed"}, "method 'fixed' needs 'weights'"),
        ({"method": "fixed", "weights": {"a": -1}}, "greater than or equal to 0"),
        ({"driver": "tokens"}, "'driver' is for method proportional or weighted or capacity"),
        ({"receiver": "taem"}, "did you mean 'team'"),
        ({"method": "proportional", "driver": "tokens", "among": {"assistent": "same"}}, "did you mean 'assistant'"),
        ({"method": "capacity", "driver": "tokens", "used_share": 1.2}, "less than or equal to 1"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(wrong: dict[str, object], message: str) -> None:
    """The error names what is wrong and the nearest name."""
    with pytest.raises(ValidationError, match=message):
        make(**wrong)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"name": "r", "match": {"service_name": "b"}}, "two rules are named 'r'"),
        ({"name": "s", "match": {"service_name": "a", "team": "x"}}, "rule 's' is never reached: 'r' before it"),
    ],
)
def test_rules_in_conflict_are_refused(second: dict[str, object], message: str) -> None:
    """Two rules of one name, and a rule that an earlier one leaves nothing."""
    rules = [make(match={"service_name": "a"}), make(**second)]
    with pytest.raises(ValidationError, match=message):
        TypeAdapter(AllocationRules).validate_python(rules)
