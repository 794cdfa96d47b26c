"""Who caused a call, in order of trust; what nobody names stays null."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_lib.ingest.engine import connect
from finops_lib.ingest.readers import find_reader
from finops_lib.ingest.readers.base import Reader
from finops_lib.ingest.reading.attribution import TAG_KEYS, ranked, read_tags, register_owners, split_shares
from finops_lib.params import Organisation, Settings

TEAMS = {
    "people": {"department": "hr", "cost_center": "CC-1"},
    "sales": {"department": "revenue", "cost_center": "CC-2"},
}


def owners(exports: Any, *columns: str) -> list[Any]:
    """List columns of what was read."""
    return exports.rows("requests", *columns)


def test_an_explicit_tag_goes_before_a_key_and_a_key_before_the_column(exports: Any) -> None:
    """Tag people, then the key's owner sales, then the gateway's own team, then the source's default, then nobody."""
    exports.bench.organisation |= {"teams": TEAMS, "virtual_keys": {"key-1": {"team": "sales", "workflow": "outreach"}}}
    rows = [
        exports.call(1, request_tags=["team:people"], api_key="key-1", team_id="gateway-team"),
        exports.call(2, api_key="key-1"),
        exports.call(3, api_key="key-2", team_id="gateway-team"),
        exports.call(4, api_key="key-2"),
    ]
    exports.read(rows, defaults={"team": "people", "environment": "staging"})
    assert [
        ("people", "hr", "CC-1", "outreach", "tag"),
        ("sales", "revenue", "CC-2", "outreach", "key"),
        ("gateway-team", None, None, None, "key"),
        ("people", "hr", "CC-1", None, "default"),
    ] == owners(exports, "team", "department", "cost_center", "workflow", "attribution_source")
    assert ["staging"] * 4 == owners(exports, "environment")


def test_a_key_is_known_by_its_alias_or_hash(exports: Any) -> None:
    """As the gateway names it."""
    exports.bench.organisation |= {"virtual_keys": {"hr-bot": {"team": "people"}, "9f8e": {"team": "sales"}}}
    rows = [
        exports.call(1, api_key="9f8e", metadata={"user_api_key_alias": "hr-bot"}),
        exports.call(2, api_key="9f8e"),
        exports.call(3, api_key="unknown"),
    ]
    exports.read(rows)
    assert [("hr-bot", "people"), ("9f8e", "sales"), ("unknown", None)] == owners(exports, "api_key", "team")


def test_span_attributes_come_after_a_key(exports: Any) -> None:
    """What a span says of its team holds where neither tag nor key say more."""
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in (
        ("gen_ai.operation.name", "chat"), ("gen_ai.request.model", "gpt-4o"), ("finops.team", "people"),
        ("gen_ai.usage.input_tokens", "1"), ("gen_ai.usage.output_tokens", "1"), ("gen_ai.workflow.name", "triage"),
    )]  # fmt: skip
    span = {"traceId": "t", "spanId": "s", "startTimeUnixNano": "1788256800000000000", "attributes": attributes}
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "Help Desk"}}]}
    exports.bench.assistants = {"support": {"match": ["help desk"]}}
    exports.read([{"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}], format="otlp")
    assert [("people", "span", "triage", "support")] == owners(
        exports, "team", "attribution_source", "workflow", "assistant"
    )


def test_an_assistant_gives_what_its_calls_lack(exports: Any) -> None:
    """Its defaults come last, its other names are its own, and a name nobody knows stays as it is."""
    exports.bench.organisation |= {"teams": TEAMS}
    exports.bench.assistants = {
        "support-copilot": {
            "title": "Support Copilot",
            "match": ["helpdesk", "Help-Desk-Bot"],
            "defaults": {"team": "people", "workflow": "answer", "environment": "production"},
        }
    }
    rows = [
        exports.call(1, request_tags=["app:HELPDESK"]),
        exports.call(2, request_tags=["assistant:support copilot", "team:sales"]),
        exports.call(3, request_tags=["application=help-desk-bot"]),
        exports.call(4, request_tags=["app:Somebody Else"]),
        exports.call(5),
    ]
    exports.read(rows)
    assert [
        ("support-copilot", "people", "CC-1", "answer", "default"),
        ("support-copilot", "sales", "CC-2", "answer", "tag"),
        ("support-copilot", "people", "CC-1", "answer", "default"),
        ("Somebody Else", None, None, None, None),
        (None, None, None, None, None),
    ] == owners(exports, "assistant", "team", "cost_center", "workflow", "attribution_source")


def test_the_assistant_of_the_source_names_calls_that_name_none(exports: Any) -> None:
    """And so gives them its defaults."""
    exports.bench.assistants = {"bot": {"defaults": {"team": "people"}}}
    exports.read([exports.call(1), exports.call(2, request_tags=["app:other"])], defaults={"assistant": "bot"})
    assert [("bot", "people"), ("other", None)] == owners(exports, "assistant", "team")


def test_tags_are_spelled_in_many_ways(exports: Any) -> None:
    """Case, dots, dashes, blanks and a leading finops. do not matter; the organisation may add keys of its own."""
    exports.bench.organisation |= {"attribution": {"tags": {"Kostenstelle": "cost_center", "cust-no": "customer"}}}
    rows = [
        exports.call(1, request_tags=["Cost-Center: CC-9 ", "FinOps.Team=people"]),
        exports.call(2, request_tags=["kostenstelle:CC-8", "Cust No:42"]),
        exports.call(3, request_tags=["costcentre:CC-1", "team:", "nonsense", "unknown:x", "a:b:c"]),
        exports.call(4, request_tags=["team:a:b=c"]),
        exports.call(5, metadata={"spend_logs_metadata": {"team": "people", "cost_center": 77, "deep": {"x": 1}}}),
    ]
    exports.read(rows)
    assert [
        ("people", "CC-9", None),
        (None, "CC-8", "42"),
        (None, None, None),
        ("a:b=c", None, None),
        ("people", "77", None),
    ] == owners(exports, "team", "cost_center", "customer")


def test_a_call_tagged_with_several_teams_is_shared_by_weight(exports: Any) -> None:
    """Two to one by the organisation's weights, equal without; its cost stands once and its owner is nobody alone."""
    exports.bench.organisation |= {"teams": TEAMS, "attribution": {"weights": {"team": {"people": 2}}}}
    rows = [
        exports.call(1, request_tags=["team:people", "team:sales", "workflow:w"]),
        exports.call(2, request_tags=["team:sales", "team:legal"]),
        exports.call(3, request_tags=["team:people", "team:people"]),
    ]
    exports.read(rows)
    assert [
        (None, None, None, '{"team":{"people":2,"sales":1}}', "tag"),
        (None, None, None, '{"team":{"legal":1,"sales":1}}', "tag"),
        ("people", "hr", "CC-1", None, "tag"),
    ] == owners(exports, "team", "department", "cost_center", "tag_shares", "attribution_source")
    costs = exports.bench.ledger().costs
    assert Decimal("0.00135") == sum(costs["contracted_cost"])
    # of 100 in at 2.50 and 20 out at 10 USD per million: people 67 and 13, then all; sales 33 and 7, then half
    assert {"people": Decimal("0.0007475"), "sales": Decimal("0.0003775"), "legal": Decimal("0.000225")} == (
        exports.bench.by(costs, "team")
    )
    assert {"hr": Decimal("0.0007475"), "revenue": Decimal("0.0003775"), None: Decimal("0.000225")} == (
        exports.bench.by(costs, "department")
    )


def test_coverage_counts_money_with_team_workflow_and_cost_center(exports: Any) -> None:
    """One of two equal calls has all three: half."""
    exports.bench.organisation |= {"teams": TEAMS}
    rows = [exports.call(1, request_tags=["team:people", "use_case:faq"]), exports.call(2, request_tags=["team:sales"])]
    assert 0.5 == exports.read(rows).figures["attribution_coverage"]


def reader(column: str, tags: str, observed: bool = True) -> Reader:
    """Make a format that trusts its columns and tags so far."""
    return Reader("t", "gateway", {}, {"team": "x"} if observed else {}, column_trust=column, tag_trust=tags)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("column", "tags", "expected"),
    [
        ("tag", "tag", ["o.team", "g.team", "k.team"]),
        ("key", "tag", ["g.team", "k.team", "o.team"]),
        ("span", "span", ["k.team", "o.team", "g.team"]),
        ("span", "tag", ["g.team", "k.team", "o.team"]),
    ],
)
def test_trust_gives_the_order(column: str, tags: str, expected: list[str]) -> None:
    """Tags before keys before spans, however the format spells them."""
    assert expected == [sql for _, sql in ranked("team", reader(column, tags), True, True)]


def test_the_key_owner_comes_before_a_gateways_own_column(exports: Any) -> None:
    """The organisation's word on a key is newer than the gateway's."""
    exports.bench.organisation |= {"virtual_keys": {"key-1": {"team": "sales"}}}
    exports.read([exports.call(1, api_key="key-1", team_id="old-team")])
    assert ["sales"] == owners(exports, "team")


def test_only_what_there_is_to_look_at_is_ranked() -> None:
    """Without tags and keys the column alone; without the column nothing."""
    assert [("tag", "o.team")] == ranked("team", reader("tag", "tag"), False, False)
    assert [] == ranked("team", reader("tag", "tag", observed=False), False, False)
    assert [("key", "k.workflow")] == ranked("workflow", find_reader("vertex"), False, True)


def test_shares_read_back() -> None:
    """The dimension and its values in order."""
    assert ("customer", {"a": 1, "b": 3}) == split_shares('{"customer":{"b":3,"a":1}}')


def test_owners_lie_out_as_tables() -> None:
    """Names in any case, keys with what they own."""
    organisation = Organisation(teams=TEAMS, virtual_keys={"k": {"team": "people"}})
    with connect() as connection:
        register_owners(connection, organisation, {"bot": Settings(match=["Robot"], title="The Bot")})
        assert [("bot", "bot"), ("robot", "bot"), ("the bot", "bot")] == (
            connection.execute("SELECT * FROM assistant_names ORDER BY 1").fetchall()
        )
        assert [("k", "people", None)] == (
            connection.execute("SELECT owner_key, team, workflow FROM key_owners").fetchall()
        )
        assert [("people", "hr", "CC-1"), ("sales", "revenue", "CC-2")] == (
            connection.execute("SELECT * FROM team_places ORDER BY 1").fetchall()
        )


def read_sets(tags: list[list[str]]) -> list[Any]:
    """Read the tags of some rows, without an organisation."""
    with connect() as connection:
        register_owners(connection, Organisation(), {})
        connection.execute("CREATE TABLE observed (tags VARCHAR[])")
        connection.executemany("INSERT INTO observed VALUES (?)", [[row] for row in tags])
        read_tags(connection, "observed")
        return connection.execute("SELECT tags, team, customer, tag_shares FROM tag_sets ORDER BY tags").fetchall()


def test_equal_sets_of_tags_are_read_once() -> None:
    """Rows share their sets; a set without a known key is none."""
    assert [(["team:a"], "a", None, None)] == read_sets([["team:a"], ["team:a"], [], ["x"], ["unknown:1"]])


TAG = st.builds(
    "{}:{}".format, st.sampled_from(["team", "customer", "x"]), st.sampled_from(["a", "b", 'q"', "{}", " "])
)


@settings(max_examples=10, deadline=None)
@given(st.lists(TAG, min_size=1, max_size=4, unique=True))
def test_the_order_of_tags_shares_alike(tags: list[str]) -> None:
    """Whatever stands first, the same owners share by the same weights, and all of them are named."""
    found = {(shares,) for *_, shares in read_sets([list(order) for order in itertools.permutations(tags)])}
    assert len(found) <= 1
    teams = {tag.split(":")[1] for tag in tags if tag.startswith("team:")} - {" "}
    if len(teams) > 1:
        ((shares,),) = found
        assert ("team", dict.fromkeys(sorted(teams), 1)) == split_shares(shares)


def test_every_dimension_has_a_key() -> None:
    """Each key names one field only."""
    keys = [key for names in TAG_KEYS.values() for key in names]
    assert len(keys) == len(set(keys))
