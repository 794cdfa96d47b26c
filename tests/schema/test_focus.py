"""FOCUS columns: those of the specification, as another transcription of it has them."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

from finops_lib.errors import SchemaError
from finops_lib.schema.focus import ALLOWED_VALUES, focus_columns, split_name


@pytest.fixture(scope="module")
def model():
    """The columns of FOCUS 1.4 that focus-data-toolkit transcribed from the official workbook."""
    pytest.importorskip("focus_data_toolkit", reason="focus-data-toolkit is not installed: pip install -e '.[test]'")
    text = (files("focus_data_toolkit") / "model" / "focus_1_4_model.json").read_text(encoding="utf-8")
    return json.loads(text)["datasets"]["Cost and Usage"]["columns"]


def test_columns_of_1_4_are_those_of_the_specification(model):
    """Names, nullability and kinds agree, column by column."""
    kinds = {"Decimal (any)": "Decimal", "Decimal (non-negative)": "Price", "Date/Time": "DateTime", "Unit": "Unit"}
    kinds |= {"Key-Value": "KeyValue", "JSON Object": "Object"}
    expected = {name: (kinds.get(c["value_format"], "String"), not c["allows_nulls"]) for name, c in model.items()}
    found = {c.name: (c.kind, c.required) for c in focus_columns("1.4") if not c.name.startswith("x_")}
    assert expected == found


def test_allowed_values_are_those_of_the_specification(model):
    """All closed lists, but for the subcategories, whose list is open to a parent's "Other"."""
    listed = {name: tuple(c["allowed_values"]) for name, c in model.items() if c["allowed_values"]}
    listed.pop("ServiceSubcategory", None)
    assert {name: set(values) for name, values in listed.items()} == {
        name: set(v) for name, v in ALLOWED_VALUES.items()
    }


def test_1_2_has_its_own_parties_and_carries_the_split_columns_as_custom_ones():
    """57 columns of the specification; the five of the split come last, with the prefix."""
    names = [column.name for column in focus_columns("1.2")]
    assert 57 == sum(not name.startswith("x_") for name in names)
    assert {"ProviderName", "PublisherName"} <= set(names)
    parts = ("MethodDetails", "MethodId", "ResourceId", "ResourceName", "Tags")
    assert [split_name(f"Allocated{part}", "1.2") for part in parts] == names[-5:]


def test_specified_columns_stand_before_custom_ones_in_alphabetical_order():
    """The order of the specification's own examples."""
    for version in ("1.2", "1.4"):
        names = [column.name for column in focus_columns(version)]
        specified = [name for name in names if not name.startswith("x_")]
        assert sorted(specified) == names[: len(specified)]


def test_another_version_is_refused_with_those_that_are_known():
    """The hint lists what can be written."""
    with pytest.raises(SchemaError, match="version '1.3' is not written") as told:
        focus_columns("1.3")
    assert "known versions: 1.2, 1.4" == told.value.hint
