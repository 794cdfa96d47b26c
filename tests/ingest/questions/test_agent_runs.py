"""Agent runs are told from the steps that are no model calls."""

import json

import pytest

from finops_lib import ingest
from finops_lib.params import Organisation, Params, Settings, Source


def step(span, kind, start, *, parent=None, level="DEFAULT", **more):
    """Make one Langfuse observation."""
    return {
        "id": span,
        "trace_id": "t1",
        "type": kind,
        "parent_observation_id": parent,
        "start_time": f"2026-09-01T10:00:{start:02d}Z",
        "end_time": f"2026-09-01T10:00:{start + 1:02d}Z",
        "name": more.pop("name", span),
        "level": level,
    } | more


@pytest.fixture
def project(tmp_path):
    """A trace of one agent with two calls and two tools, the second of which fails at the end."""
    rows = [
        step("a", "AGENT", 0),
        step("c1", "GENERATION", 1, parent="a", provided_model_name="gpt-4o", usage_details={"input": 10, "output": 5}),
        step("s1", "TOOL", 2, parent="a", name="search"),
        step("c2", "GENERATION", 3, parent="a", provided_model_name="gpt-4o", usage_details={"input": 20, "output": 1}),
        step("s2", "TOOL", 5, parent="a", name="write", level="ERROR"),
    ]
    export = tmp_path / "observations.jsonl"
    export.write_text("".join(json.dumps(row) + "\n" for row in rows))
    params = Params(
        assistant="organisation",
        period="latest",
        settings=Settings(),
        organisation=Organisation(workspace="workspace"),
        project=tmp_path,
        assistants={},
    )
    ingest.read_source(Source(path=str(export), format="langfuse"), params)
    return params


def test_a_run_says_what_it_called_and_where_it_ended(project):
    """Steps, calls, tools, failures, tokens and the last step of a task."""
    (run,) = ingest.agent_runs(project).to_dict("records")

    assert ("t1", 1, 2, 2, 1, 36) == tuple(
        run[name] for name in ("task_id", "agent_steps", "model_calls", "tool_calls", "failed_tools", "tokens")
    )
    assert ("write", "error", 6000.0) == (run["ended_with"], run["ended_status"], run["duration_ms"])


def test_runs_are_of_the_month_they_began_in(project):
    """A month without runs has none."""
    assert 1 == len(ingest.agent_runs(project, "2026-09"))
    assert 0 == len(ingest.agent_runs(project, "2026-10"))


def test_without_agents_there_are_no_runs(tmp_path):
    """An empty workspace gives an empty table with its columns."""
    params = Params(
        assistant="organisation",
        period="latest",
        settings=Settings(),
        organisation=Organisation(workspace="workspace"),
        project=tmp_path,
        assistants={},
    )

    assert "ended_with" in ingest.agent_runs(params).columns
