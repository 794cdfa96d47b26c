"""Where the money goes: sums are kept whatever the question."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops_lib import inform
from finops_lib.errors import SchemaError
from finops_lib.inform.measures import MEASURES

TOKENS = ["uncached_input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens"]


def test_spend_is_ranked_and_buckets_stand_apart(costs):
    """Each model shows its billed tokens by bucket, its exact cost and its share."""
    spend = inform.spend_by(costs, "model").set_index("model")

    assert ["large", "small"] == spend.index.tolist()
    assert [1_000_000, 1_000_000, 0, 500_000, 0] == spend.loc["large", TOKENS].tolist()
    assert Decimal("6.5") == spend.loc["large", "contracted_cost"]
    assert Decimal("3.5") == spend.loc["small", "contracted_cost"]
    assert [0.65, 0.35] == spend["share"].tolist()
    assert [0, 300_000] == spend["unpriced_tokens"].tolist()


def test_rows_without_a_value_stay_visible(costs):
    """What names no team is a row of its own, after the named teams."""
    spend = inform.spend_by(costs, "team")

    assert ["brand", "legal", "unattributed"] == spend["team"].tolist()
    assert Decimal("0.5") == spend["contracted_cost"].iloc[2]


def test_the_tail_is_folded_but_never_the_unattributed(costs):
    """With ``top`` the rest is one row that says how many it stands for; a single one keeps its name."""
    spend = inform.spend_by(costs, "team", top=0)
    single = inform.spend_by(costs, "team", top=1)

    assert ["everything else (2)", "unattributed"] == spend["team"].tolist()
    assert [Decimal("9.5"), Decimal("0.5")] == spend["contracted_cost"].tolist()
    assert ["brand", "legal", "unattributed"] == single["team"].tolist()


def test_a_dimension_no_source_filled_is_all_unattributed(costs):
    """A column that is missing, or all null, does not lose the money."""
    missing = inform.spend_by(costs, "customer")
    null = inform.spend_by(costs.assign(customer=None), "customer")

    assert [["unattributed", Decimal("10")]] == missing[["customer", "contracted_cost"]].to_numpy().tolist()
    assert missing["contracted_cost"].tolist() == null["contracted_cost"].tolist()


def test_an_unknown_dimension_is_refused(costs):
    """A misspelt dimension is an error with the nearest name, not a table of nothing."""
    with pytest.raises(SchemaError, match="Hint: did you mean 'workflow'"):
        inform.spend_by(costs, "workflw")


def test_without_prices_cost_is_null_and_tokens_are_counted(make_ledger):
    """Nothing priced: null cost, no share, all tokens unpriced."""
    spend = inform.spend_by(make_ledger([("2026-09-01", "output", 70, None, {"model": "m"})]), "model")

    assert pd.isna(spend["contracted_cost"].item())
    assert pd.isna(spend["share"].item())
    assert 70 == spend["unpriced_tokens"].item()


def test_searches_cost_money_but_are_no_tokens(make_ledger):
    """A web search adds to cost and not to tokens."""
    ledger = make_ledger(
        [
            ("2026-09-01", "web_search", 3, 10_000, {"model": "m"}),
            ("2026-09-01", "output", 100, 10_000, {"model": "m"}),
        ]
    )
    spend = inform.spend_by(ledger, "model")
    classes = inform.token_classes(ledger).set_index("token_class")

    assert 100 == spend["tokens"].item()
    assert Decimal("1.03") == spend["contracted_cost"].item()
    assert pd.isna(classes.loc["web_search", "tokens"])
    assert 3 == classes.loc["web_search", "quantity"]
    assert "Requests" == classes.loc["web_search", "pricing_unit"]


def test_empty_frames_give_empty_answers(costs, usage):
    """No rows in, no rows out, with the same columns."""
    nothing = costs.head(0)

    assert inform.spend_by(costs, "model").columns.tolist() == inform.spend_by(nothing, "model").columns.tolist()
    assert 0 == len(inform.spend_by(nothing, "model", top=3))
    assert (0, 0) == inform.spend_matrix(nothing, "model", "team").shape
    assert 0 == len(inform.token_classes(nothing))
    assert 0 == len(inform.prompt_composition(usage.head(0)))


def test_matrix_tells_no_traffic_from_no_price(make_ledger):
    """A pair that never met costs zero; a pair that met without a price is unknown."""
    ledger = make_ledger(
        [
            ("2026-09-01", "output", 1_000_000, 3, {"model": "a", "team": "x"}),
            ("2026-09-01", "output", 1_000_000, 1, {"model": "b", "team": "x"}),
            ("2026-09-01", "output", 1_000_000, None, {"model": "b", "team": "y"}),
        ]
    )
    matrix = inform.spend_matrix(ledger, "model", "team")

    assert ["a", "b"] == matrix.index.tolist()
    assert ["x", "y"] == matrix.columns.tolist()
    assert [Decimal(3), Decimal(1)] == matrix["x"].tolist()
    assert Decimal(0) == matrix.loc["a", "y"]
    assert pd.isna(matrix.loc["b", "y"])


def test_token_classes_compare_weight_with_cost(costs):
    """Output is 800,000 of 8.3 million tokens and 4.00 of 10.00 USD; its price counts priced tokens only."""
    classes = inform.token_classes(costs).set_index("token_class")

    assert ["uncached_input", "cache_read", "output", "reasoning"] == classes.index.tolist()
    assert 0.4 == classes.loc["output", "share_of_cost"]
    assert pytest.approx(800_000 / 8_300_000) == classes.loc["output", "share_of_tokens"]
    assert 8.0 == classes.loc["output", "usd_per_million"]
    assert 0.75 == classes.loc["uncached_input", "usd_per_million"]


def test_prompt_parts_and_the_rest_are_all_input(make_usage):
    """Retrieved and tool tokens stand apart; what no source itemises is its own row."""
    usage = make_usage(
        [("2026-09-01", 1, {"uncached_input_tokens": 80, "cache_read_input_tokens": 20, "retrieved_tokens": 70})]
    )
    parts = inform.prompt_composition(usage)

    assert ["retrieved context", "not itemised"] == parts["part"].tolist()
    assert [0.7, 0.3] == parts["share_of_input"].tolist()


def test_a_scope_is_asked_before_the_split(costs):
    """The interactive question filters first and then splits."""
    spend = inform.spend_in_scope(costs, group_by="model", period="2026-09", team="legal")

    assert ["small"] == spend["model"].tolist()
    assert Decimal("3.5") == spend["contracted_cost"].item()


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["2026-09-01", "2026-09-02", "2026-10-01"]),
        st.sampled_from(["uncached_input", "cache_read", "cache_write_5m", "output", "reasoning", "audio_input"]),
        st.integers(0, 10**9),
        st.one_of(st.none(), st.decimals("0", "80", places=4)),
        st.fixed_dictionaries(
            {
                "model": st.one_of(st.none(), st.sampled_from("abcdef")),
                "team": st.one_of(st.none(), st.just(""), st.sampled_from("xyz")),
            }
        ),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, top=st.one_of(st.none(), st.integers(0, 4)))
def test_every_split_adds_up_to_the_ledger(make_ledger, rows, top):
    """Whatever the split and the fold, tokens and cost are the ledger's to the last digit."""
    ledger = make_ledger(rows)
    cost = sum((row[2] * Decimal(str(row[3])) / 10**6 for row in rows if row[3] is not None), Decimal(0))
    tokens = sum(row[2] for row in rows)
    spend = inform.spend_by(ledger, "model", top=top)
    matrix = inform.spend_matrix(ledger, "model", "team", top=top)
    daily = inform.daily_spend(ledger)

    assert cost == spend["contracted_cost"].sum()
    assert tokens == spend["tokens"].sum() == spend[TOKENS].sum().sum()
    assert cost == sum(matrix[name].sum() for name in matrix.columns)
    assert cost == daily["contracted_cost"].sum()
    assert tokens == inform.token_classes(ledger)["tokens"].sum()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), rows=ROWS)
def test_the_order_of_the_rows_is_irrelevant(make_ledger, data, rows):
    """Shuffled rows give the same frame, in the same order."""
    shuffled = data.draw(st.permutations(rows))
    one, two = make_ledger(rows), make_ledger(shuffled)

    pd.testing.assert_frame_equal(inform.spend_by(one, "model", top=2), inform.spend_by(two, "model", top=2))
    pd.testing.assert_frame_equal(inform.spend_matrix(one, "model", "team"), inform.spend_matrix(two, "model", "team"))
    assert set(MEASURES) <= set(inform.spend_by(one, "team").columns)
