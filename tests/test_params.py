"""Parameters are merged in layers, validated once, and refused in words that point at the line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops_lib.errors import FinOpsError, ParamsError
from finops_lib.params import ORGANISATION, Organisation, PriceOverride, find_project, list_assistants, load_params

SAMPLE = Path(__file__).parents[1]


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    """Write a project: ``project(organisation, name=text)`` gives its folder."""

    def write(organisation: str | None = "", **assistants: str) -> Path:
        folder = tmp_path / "project" / "parameters"
        folder.mkdir(parents=True, exist_ok=True)
        if organisation is not None:
            (folder / "organisation.yaml").write_text(organisation, encoding="utf-8")
        for name, text in assistants.items():
            (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        return folder.parent

    return write


def refusal(*args: Any, **kwargs: Any) -> str:
    """Load what must be refused; give what the user is told."""
    with pytest.raises(ParamsError) as caught:
        load_params(*args, **kwargs)
    assert caught.value.hint
    return str(caught.value)


def test_defaults_of_the_package_hold_when_nothing_is_said(project):
    """An empty organisation file is a valid one."""
    params = load_params(project=project(""))

    assert (ORGANISATION, "latest", "All assistants") == (params.assistant, params.period, params.title)
    assert (7, 0.95, None) == (params.settings.window_days, params.settings.coverage_target, params.settings.success)
    assert ZoneInfo("UTC") == params.zone
    assert params.project / "outputs" / "workspace" == params.workspace
    assert {} == params.assistants


def test_layers_win_in_order(project):
    """Package ← organisation ← file ← settings: each layer changes what it names and nothing else."""
    folder = project(
        "defaults: {window_days: 14, coverage_target: 0.9, unpriced_limit: 0.5}\n",
        bot="assistant: bot\nsettings: {coverage_target: 0.8, unpriced_limit: 0.4}\n",
    )

    found = load_params("bot", "2026-09", {"unpriced_limit": 0.3}, project=folder).settings

    expected = (0.01, 14, 0.8, 0.3)
    assert expected == (found.quarantine_limit, found.window_days, found.coverage_target, found.unpriced_limit)


def test_mappings_are_merged_and_lists_replaced(project):
    """One owner may be changed alone; a list of names is taken as a whole."""
    folder = project(
        "defaults: {owners: {business: finance}, match: [a, b], defaults: {environment: production}}\n",
        bot="assistant: bot\nsettings: {owners: {technical: platform}, match: [c], defaults: {team: cx}}\n",
    )

    found = load_params("bot", settings={"owners": {"technical": "data"}}, project=folder).settings

    assert ("finance", "data") == (found.owners.business, found.owners.technical)
    assert ["c"] == found.match
    assert {"environment": "production", "team": "cx"} == found.defaults


def test_what_if_values_change_only_the_assistant_asked_for(project):
    """The others keep what their files say, and the caller's mapping stays as it was."""
    folder = project("", bot="assistant: bot\n", desk="assistant: desk\n")
    given_settings = {"owners": {"business": "sales"}}

    params = load_params("bot", settings=given_settings, project=folder)

    assert "sales" == params.settings.owners.business
    assert (None, None) == tuple(params.assistants[name].owners.business for name in ("bot", "desk"))
    assert {"owners": {"business": "sales"}} == given_settings


def test_organisation_takes_what_if_values_too(project):
    """The reserved name has settings of its own."""
    params = load_params(ORGANISATION, settings={"window_days": 30}, project=project("defaults: {window_days: 14}"))

    assert 30 == params.settings.window_days


def test_parameters_are_frozen(project):
    """Nobody changes them on the way."""
    params = load_params(project=project(""))

    with pytest.raises(ValueError, match="frozen"):
        params.period = "2026-09"


UNKNOWN = [
    ("compny: X\n", "", "organisation.yaml, line 1: unknown key 'compny'", "did you mean 'company'?"),
    (
        "time_zone: UTC\nteams:\n  cx:\n    departmen: X\n",
        "",
        "line 4: unknown key 'teams.cx.departmen'",
        "'department'",
    ),
    ("teams:\n  cx:\n    owners: {busines: X}\n", "", "line 3: unknown key 'teams.cx.owners.busines'", "'business'"),
    ("sources:\n  - path: a\n  - path: b\n    fromat: c\n", "", "line 4: unknown key 'sources.1.fromat'", "'format'"),
    ("prices:\n  - {kind: free, modell: a}\n", "", "line 2: unknown key 'prices.0.modell'", "'model'"),
    ("attribution:\n  tag: {}\n", "", "line 2: unknown key 'attribution.tag'", "'tags'"),
    (
        "defaults:\n  window_day: 3\n",
        "",
        "organisation.yaml, line 2: unknown key 'defaults.window_day'",
        "'window_days'",
    ),
    ("", "settings:\n  clas: support\n", "bot.yaml, line 3: unknown key 'settings.clas'", "did you mean 'class'?"),
    (
        "",
        "settings:\n  owners:\n    xyz: a\n",
        "line 4: unknown key 'settings.owners.xyz'",
        "known keys: business, technical",
    ),
    ("", "perid: latest\n", "bot.yaml, line 2: unknown key 'perid'", "put it under 'settings'"),
    ("", "window_days: 3\n", "bot.yaml, line 2: unknown key 'window_days'", "put it under 'settings'"),
]


@pytest.mark.parametrize(("organisation", "bot", "message", "hint"), UNKNOWN)
def test_unknown_keys_are_refused_at_every_depth(project, organisation, bot, message, hint):
    """The message names file, line and key, the hint the nearest known key."""
    told = refusal("bot", project=project(organisation, bot=f"assistant: bot\n{bot}"))

    assert message in told
    assert hint in told


WRONG = [
    ("time_zone: Europe/Berln\n", "line 1: time_zone: unknown time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?"),
    ("time_zone: localtime\n", "unknown time zone 'localtime'"),
    ("currency: EUR\n", "line 1: currency: Input should be 'USD', found 'EUR'"),
    ("company: A\nteams: [a]\n", "line 2: teams: Input should be a valid dictionary, found ['a']"),
    ("sources:\n  - {format: litellm}\n", "line 2: sources.0.path: Field required"),
    ("sources:\n  - {path: a, layer: gatway}\n", "line 2: sources.0.layer"),
    ("sources:\n  - {path: a, defaults: {teem: x}}\n", "'teem' is no dimension; did you mean 'team'?"),
    ("virtual_keys:\n  k1: {custmer: x}\n", "virtual_keys.k1: 'custmer' is no dimension; did you mean 'customer'?"),
    ("attribution: {tags: {env: enviroment}}\n", "'enviroment' is no dimension; did you mean 'environment'?"),
    ("attribution: {weights: {teem: {a: 1}}}\n", "'teem' is no dimension; did you mean 'team'?"),
    (
        "attribution: {weights: {team: {a: 0}}}\n",
        "attribution.weights.team.a: Input should be greater than or equal to 1",
    ),
    ("attribution: {weights: {team: {a: 1.5}}}\n", "attribution.weights.team.a: Input should be a valid integer"),
    ("defaults:\n  coverage_target: 95\n", "organisation.yaml, line 2: defaults.coverage_target: Input should be less"),
    ("defaults: {defaults: {teem: x}}\n", "'teem' is no dimension"),
    ("prices:\n  - {kind: discont}\n", "line 2: prices.0.kind: Input should be 'absolute', 'discount'"),
    ("prices:\n  - {kind: discount}\n", "an override of kind 'discount' needs share"),
    ("prices:\n  - {kind: provisioned, units: 1}\n", "an override of kind 'provisioned' needs unit_price"),
    ("prices:\n  - {kind: absolute}\n", "an override of kind 'absolute' needs prices"),
    ("prices:\n  - {kind: discount, share: 1.2}\n", "a discount is a share between 0 and 1, found 1.2"),
    ("prices:\n  - {kind: multiplier, factor: -1}\n", "is never negative"),
    (
        "prices:\n  - {kind: absolute, prices: {output: .nan}}\n",
        "prices.0.prices.output: Input should be a finite number",
    ),
    ("prices:\n  - {kind: free, effective_from: 2026-02-30}\n", "day is out of range for month"),
    ("prices:\n  - {kind: free, effective_from: 2026-09-02, effective_to: 2026-09-01}\n", "ends on 2026-09-01, before"),
    ("capture_layers: [gateway, logs]\n", "line 1: capture_layers.1: Input should be 'gateway'"),
    ("- company: X\n", "found a list, expected keys and values"),
    ("company: [\n", "organisation.yaml: not readable as YAML"),
    ("company: A\ncompany: B\n", "key 'company' stands twice"),
    ("teams:\n  cx: {}\n  cx: {}\n", "line 3, column 3"),
]


@pytest.mark.parametrize(("organisation", "message"), WRONG)
def test_wrong_values_are_refused_where_they_stand(project, organisation, message):
    """What was found and what was expected is told with the line."""
    told = refusal(project=project(organisation))

    assert message in told
    assert "organisation.yaml" in told


WRONG_SETTINGS = [
    ("settings: [1]\n", "bot.yaml: settings: found [1], expected keys and values"),
    ("settings: 3\n", "bot.yaml: settings: found 3, expected keys and values"),
    (
        "settings:\n  window_days: 1\n",
        "bot.yaml, line 3: settings.window_days: Input should be greater than or equal to 2",
    ),
    ("settings: {success: solved}\n", "bot.yaml, line 2: settings.success: Input should be 'resolved', 'accepted'"),
    ("settings:\n  match: bot2\n", "bot.yaml, line 3: settings.match: Input should be a valid list, found 'bot2'"),
    ("period: soon\n", "bot.yaml, line 2: period: found 'soon', expected a month 'YYYY-MM' or 'latest'"),
    ("period: 2026-09-01\n", "line 2: period: found '2026-09-01'"),
]


@pytest.mark.parametrize(("bot", "message"), WRONG_SETTINGS)
def test_wrong_values_of_an_assistant_are_refused(project, bot, message):
    """An assistant's file is held to the same standard."""
    assert message in refusal("bot", project=project("", bot=f"assistant: bot\n{bot}"))


@pytest.mark.parametrize(
    ("passed", "message"),
    [
        ({"windw_days": 3}, "the settings passed in: unknown key 'settings.windw_days'"),
        ({"window_days": "many"}, "the settings passed in: settings.window_days: Input should be a valid integer"),
        ({"owners": {"busines": "x"}}, "the settings passed in: unknown key 'settings.owners.busines'"),
        ("window_days: 3", "the settings passed in: found 'window_days: 3', expected keys and values"),
        ([1], "the settings passed in: found [1], expected keys and values"),
    ],
)
def test_what_if_values_are_refused_as_such(project, passed, message):
    """No file is blamed for what was passed in."""
    bot = "assistant: bot\nsettings:\n  title: Bot\n  window_days: 7\n  owners: {technical: x}\n"

    assert message in refusal("bot", settings=passed, project=project("", bot=bot))


@pytest.mark.parametrize(
    "period", ["2026-9", "2026-13", "2026-00", "202609", "2026-09-01", "last", "", None, 2026, "2026-09\n"]
)
def test_periods_are_months_or_latest(project, period):
    """Anything else is refused before files are read."""
    assert "expected a month 'YYYY-MM' or 'latest'" in refusal(period=period, project=project(""))


@pytest.mark.parametrize("period", ["latest", "2026-01", "2026-12"])
def test_months_are_taken(project, period):
    """A month or latest is kept as it is."""
    assert period == load_params(period=period, project=project("")).period


@pytest.mark.parametrize("name", ["", "../organisation", "a/b", ".hidden", "it's", None, 3, "a b", "bot\n"])
def test_names_that_are_no_file_names_are_refused(project, name):
    """An assistant's name cannot reach outside the folder."""
    assert "is no assistant's name" in refusal(name, project=project(""))


def test_unknown_assistants_are_told_the_nearest_name(project):
    """A typo is answered with the name that was meant, else with all names."""
    folder = project("", support="assistant: support\n", research="assistant: research\n")

    assert "did you mean 'support'?" in refusal("suport", project=folder)
    assert "known: research, support" in refusal("xxxxx", project=folder)


def test_assistants_are_the_files_that_name_one(project):
    """Other YAML files beside them, such as decisions, are none."""
    folder = project("", support="assistant: support\n", decisions="decisions: []\n", empty="")

    assert ["support"] == list_assistants(folder)
    assert {"support"} == set(load_params(project=folder).assistants)


def test_a_file_whose_name_is_no_assistants_is_refused_for_all(project):
    """Before a batch begins, not on the page of that assistant."""
    assert "is no assistant's name" in refusal(project=project("", **{"it's": 'assistant: "it\'s"\n'}))


def test_a_file_is_named_as_its_assistant_is(project):
    """A copied file whose name was forgotten is found."""
    told = refusal(project=project("", support="assistant: bot\n"))

    assert "support.yaml: assistant is 'bot', expected 'support' as the file is named" in told


def test_a_missing_organisation_file_is_told(project):
    """Its name and what to do."""
    assert "No file" in refusal(project=project(None))


def test_files_in_another_encoding_are_told(project):
    """A file saved as Latin-1 is no traceback."""
    folder = project("")
    (folder / "parameters" / "organisation.yaml").write_bytes("company: Müller".encode("latin-1"))

    assert "not readable as YAML" in refusal(project=folder)


def test_a_byte_order_mark_is_no_part_of_the_first_key(project):
    """Files saved by Windows editors are read."""
    assert "X" == load_params(project=project("\ufeffcompany: X\n")).organisation.company


def test_the_project_is_found_upwards(project, monkeypatch):
    """From any folder below it; FINOPS_PROJECT and an explicit folder win."""
    folder = project("")
    below = folder / "notebooks" / "deep"
    below.mkdir(parents=True)
    monkeypatch.delenv("FINOPS_PROJECT", raising=False)
    monkeypatch.chdir(below)

    assert folder == find_project()
    monkeypatch.setenv("FINOPS_PROJECT", str(SAMPLE))
    assert SAMPLE == find_project()
    assert folder == find_project(folder)
    assert folder == find_project("../..")


def test_a_folder_without_parameters_is_no_project(tmp_path, monkeypatch):
    """Found neither upwards nor where it was said to be."""
    monkeypatch.delenv("FINOPS_PROJECT", raising=False)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ParamsError, match=r"No project found[\s\S]*Hint: .*--project DIR"):
        find_project()
    with pytest.raises(ParamsError, match="No folder 'parameters' in the project folder"):
        find_project(tmp_path)
    monkeypatch.setenv("FINOPS_PROJECT", str(tmp_path / "nowhere"))
    with pytest.raises(ParamsError, match="nowhere"):
        load_params()


def test_price_overrides_keep_their_decimals():
    """A share in quotes is the decimal it reads as; a discount of nothing is one too."""
    override = PriceOverride(kind="discount", share="0.08", effective_from=date(2026, 9, 1))

    assert Decimal("0.08") == override.share
    assert Decimal(0) == PriceOverride(kind="discount", share=0).share


def test_organisation_knows_its_shape_in_python_too():
    """The models can be made without files."""
    made = Organisation(teams={"cx": {"department": "Care", "cost_center": "CC-1"}}, time_zone="Asia/Kolkata")

    assert ("Care", "CC-1", None) == (
        made.teams["cx"].department,
        made.teams["cx"].cost_center,
        made.teams["cx"].owners.business,
    )


@pytest.mark.parametrize(
    ("organisation", "key"),
    [
        ("defaults: {environment_policy: {sandbox: {required: [teem]}}}", "'teem'"),
        ("cost_layers: [{layer: model, match: {servce_name: x}}]", "'servce_name'"),
        ("cost_layers: [{layer: magic, match: {}}]", "'magic'"),
    ],
)
def test_rules_about_columns_and_layers_that_are_none_are_refused(project, organisation, key):
    """A policy or rule that could never match is an error, not silence."""
    with pytest.raises(ParamsError, match=key):
        load_params(project=project(organisation))


def test_policies_in_force_are_those_of_all_assistants_and_of_this_run(project):
    """What is passed in replaces what the file says for the page's own assistant, and for no other."""
    own = "assistant: %s\nsettings: {environment_policy: {sandbox: {output_limit: 10}}}\n"
    folder = project("company: X", a=own % "a", b=own % "b")
    passed = {"environment_policy": {"sandbox": {"output_limit": 99}}}
    policies = load_params("a", settings=passed, project=folder).environment_policies

    assert {("a", "sandbox"): 99, ("b", "sandbox"): 10} == {key: p.output_limit for key, p in policies.items()}


def test_titles_are_what_readers_know_an_assistant_by(project):
    """The title where one is set, else the name."""
    folder = project("", a="assistant: a\nsettings: {title: Copilot}\n", b="assistant: b\n")

    assert ["Copilot", "b"] == [load_params(name, project=folder).title for name in ("a", "b")]


def test_every_sample_assistant_loads():
    """The parameters in the repository are valid."""
    for name in [ORGANISATION, *list_assistants(SAMPLE)]:
        assert name == load_params(name, project=SAMPLE).assistant


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
keys = st.sampled_from(["title", "class", "owners", "match", "defaults", "success", "window_days", "coverage_target"])


@given(passed=st.dictionaries(keys | st.text(max_size=6), json_values, max_size=3))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_passed_in_is_taken_or_refused(project, passed):
    """Settings of any shape are valid or an error of the kit, never another one."""
    folder = project("defaults: {owners: {business: x}, match: [a]}", bot="assistant: bot\nsettings: {title: T}\n")

    try:
        found = load_params("bot", settings=passed, project=folder).settings
    except FinOpsError as error:
        told = error.hint
    else:
        told = "taken"
        assert all(passed[name] == getattr(found, name) for name in ("window_days", "success") if name in passed)
    assert told
