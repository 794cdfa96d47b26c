"""The review reads a month of one assistant, or of all, and finds nothing in an empty project."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from finops_lib import ingest, load_params
from finops_lib.operate import MonthReview, review_month

ORGANISATION = """
sources:
  - {path: calls.csv, format: mapped, mapping: parameters/calls.yaml}
prices:
  - {kind: absolute, provider: house, model: large, prices: {uncached_input: 3, output: 15}}
"""
CALLS = """timestamp,request_id,provider,model,assistant,input_tokens,output_tokens
2026-09-01T12:00:00Z,r1,house,large,bot,1000000,0
2026-09-01T12:00:00Z,r2,house,large,clerk,2000000,0
2026-09-02T22:00:00Z,r3,house,large,bot,500000,100000
2026-09-30T22:00:00Z,r4,house,large,clerk,1000000,0
"""


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> dict[str, MonthReview]:
    """Review September of two assistants: 6 dollars of the bot, whose budget is 1, and 9 of the clerk."""
    project = tmp_path_factory.mktemp("review")
    parameters = project / "parameters"
    parameters.mkdir()
    (parameters / "organisation.yaml").write_text(ORGANISATION)
    budgets = "settings: {budgets: [{name: bot, amount: 1, period: month}]}\n"
    (parameters / "bot.yaml").write_text(f"assistant: bot\n{budgets}")
    (parameters / "clerk.yaml").write_text("assistant: clerk\n")
    columns = ", ".join(f"{name}: {name}" for name in CALLS.splitlines()[0].split(","))
    (parameters / "calls.yaml").write_text(f"columns: {{{columns}}}\n")
    (project / "calls.csv").write_text(CALLS)
    ingest.build_ledger(load_params(project=project))
    pages = [load_params(name, "2026-09", project=project) for name in ("bot", "clerk", "organisation")]
    return {params.assistant: review_month(params, ingest.open_ledger(params)) for params in pages}


def test_a_page_is_about_its_own_assistant(reviews: dict[str, MonthReview]) -> None:
    """The bot's budget is exceeded, the clerk has none; each page asks for its own, the organisation's for both."""
    asked = {name: review.proposals for name, review in reviews.items()}

    assert ["bot"] == asked["bot"]["assistant"].tolist()
    assert "it is exceeded" in asked["bot"]["evidence"].iloc[0]
    assert ["clerk"] == asked["clerk"]["assistant"].tolist()
    assert {"bot", "clerk"} == set(asked["organisation"]["assistant"])


def test_an_assistants_verdict_is_that_of_the_organisations_page(reviews: dict[str, MonthReview]) -> None:
    """Whoever looks, the verdict rests on the same days and bills."""
    of_all = reviews["organisation"].viable

    for name in ("bot", "clerk"):
        own = of_all[of_all["assistant"] == name].reset_index(drop=True)
        pd.testing.assert_frame_equal(own, reviews[name].viable)


def test_nothing_to_review(tmp_path: Path) -> None:
    """An empty project has no day, and so no decision, budget or verdict."""
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / "organisation.yaml").write_text("{}")
    params = load_params(project=tmp_path)
    found = review_month(params, ingest.open_ledger(params))

    assert found.as_of is None
    assert all(frame.empty for frame in (found.proposals, found.budgets, found.viable, found.held, found.exceptions))
    assert {"not known"} == set(found.card["state"])
