"""What the data does not hold, and what would add it."""

from __future__ import annotations

import pandas as pd
import pytest

from finops_lib import inform
from finops_lib.inform.profile.gaps import COLUMNS
from finops_lib.params import ORGANISATION, Settings
from finops_lib.schema import DIMENSIONS, TABLES, names

NOTHING_GIVEN = pd.DataFrame({"table": ["outcomes", "seats"], "own_rows": [0, 0]})
ALL_GIVEN = NOTHING_GIVEN.assign(own_rows=5)


def named(frame):
    """Name every dimension of every row."""
    return frame.assign(**{column.name: "x" for column in DIMENSIONS})


def test_nothing_is_missing_from_full_data(costs, usage):
    """Every dimension named, calls counted, tasks judged, prompts itemised, users known, tables given: no row."""
    full = named(usage).assign(request_count=1, resolved_count=1, retrieved_tokens=1, uncached_input_tokens=1)
    missing = inform.what_is_missing(named(costs), full, ALL_GIVEN, users=3)

    assert list(COLUMNS) == missing.columns.tolist()
    assert missing.empty


@pytest.mark.parametrize("dimension", ["assistant", "workflow", "team", "cost_center", "environment", "user_group"])
def test_a_dimension_that_no_call_names_is_missing(costs, usage, dimension):
    """The row says what cannot be said, and which key of which file would add it."""
    missing = inform.what_is_missing(named(costs).assign(**{dimension: None}), usage, ALL_GIVEN)
    row = missing.set_index("missing").loc[dimension.replace("_", " ")]

    assert row["consequence"]
    assert "parameters/" in row["how_to_add"]
    assert dimension in row["how_to_add"]


def test_a_dimension_named_by_half_the_tokens_is_not_missing(usage):
    """Named by 60 of 100 tokens it is attribution's business; by 40 of them, most of it is missing."""
    ledger = named(
        pd.DataFrame({"token_class": ["output"] * 2, "pricing_quantity": [60, 40], "contracted_cost": [None, None]})
    )
    found = [
        inform.what_is_missing(ledger.assign(team=teams), usage, ALL_GIVEN)["missing"].tolist()
        for teams in (["x", None], [None, "x"])
    ]

    assert "team" not in " ".join(found[0])
    assert "team, for most of the tokens" in found[1]


def test_calls_without_a_model_lack_their_price_however_few(usage):
    """One token in a hundred without a model is said: it is not in the cost."""
    ledger = named(
        pd.DataFrame({"token_class": ["output"] * 2, "pricing_quantity": [99, 1], "contracted_cost": [None, None]})
    ).assign(model=["m", None])

    assert "model, for some of the tokens" == inform.what_is_missing(ledger, usage, ALL_GIVEN)["missing"].iloc[0]


def test_facts_about_calls_and_users(costs, usage):
    """No call is counted, judged, itemised, and nobody is named."""
    counted = [name for name in usage.columns if name.endswith(("_count", "_tokens"))]
    bare = usage.assign(**dict.fromkeys(counted)).assign(uncached_input_tokens=1)
    missing = inform.what_is_missing(named(costs), bare, ALL_GIVEN, users=0)["missing"].tolist()

    assert [
        "number of calls",
        "whether a task was resolved or accepted",
        "users",
        "what the input consists of",
    ] == missing


def test_an_assistant_without_calls_is_told_how_to_be_found(costs, usage):
    """Its page asks for its calls first, then for tables about it, not for those of the whole organisation."""
    missing = inform.what_is_missing(costs.head(0), usage.head(0), NOTHING_GIVEN, assistant="helpdesk")

    assert ["model calls of helpdesk", "outcomes and their value"] == missing["missing"].tolist()
    assert "match: [name]' in parameters/helpdesk.yaml" in missing["how_to_add"].iloc[0]
    assert "match" in Settings.model_fields


def test_an_empty_organisation_is_told_where_to_begin(costs, usage):
    """Without any export: where to list one."""
    missing = inform.what_is_missing(costs.head(0), usage.head(0), NOTHING_GIVEN, assistant=ORGANISATION)

    assert ["model calls", "outcomes and their value", "subscriptions (seats)"] == missing["missing"].tolist()
    assert "'sources' in parameters/organisation.yaml" in missing["how_to_add"].iloc[0]


def test_a_table_is_asked_for_with_the_columns_it_needs(costs, usage):
    """The row can be followed to the letter: path, format, table, and the contract's required columns."""
    missing = inform.what_is_missing(costs, usage, NOTHING_GIVEN).set_index("missing")

    assert (
        "'{path: outcomes.csv, format: mapped, table: outcomes}' under 'sources' in parameters/organisation.yaml; "
        "columns date, assistant, outcome, outcome_count"
    ) == missing.loc["outcomes and their value", "how_to_add"]
    assert {"date", "assistant", "outcome", "outcome_count"} <= set(names(TABLES["outcomes"]))
