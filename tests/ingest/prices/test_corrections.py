"""Corrections are reviewed data: complete, or refused."""

from __future__ import annotations

from datetime import date

import pytest

from finops_lib.errors import PriceError
from finops_lib.ingest.prices.corrections import conditional_prices, corrected, read_corrections
from finops_lib.ingest.prices.rows import PACKAGED

STEP = """
version: 2
corrections:
  - kind: steps
    provider: openai
    models: [{model}]
    reason: invented for this test
    source: none
    verified_on: 2026-11-22
    steps: [{{effective_from: 2026-01-01, prices: {{output: "7"}}}}]
"""


@pytest.fixture
def openai():
    """Take the provider as packaged."""
    from genai_prices.data import providers

    return next(provider for provider in providers if provider.id == "openai")


def write(folder, text):
    """Write corrections and read them."""
    file = folder / "corrections.yaml"
    file.write_text(text, encoding="utf-8")
    return read_corrections(file)


def test_packaged_corrections_name_reason_source_and_day():
    """Nobody has to guess why a price differs from the package's."""
    packaged = read_corrections(PACKAGED / "corrections.yaml")

    assert all(item.reason and item.source and item.verified_on for item in packaged.corrections)
    assert packaged.of_tier("batch") is packaged.of_tier("flex")
    assert packaged.of_tier("standard") is None
    assert packaged.of_prices("deepseek", "deepseek-chat", date(2025, 9, 5)) is None
    assert packaged.of_prices("deepseek", "deepseek-chat", date(2025, 9, 6)) is packaged.corrections[0]


def test_a_step_comes_after_the_packaged_prices(tmp_path, openai):
    """The correction is one more dated price of a copy; the package is left alone."""
    reviewed = write(tmp_path, STEP.format(model="gpt-4o"))
    before, after = (
        conditional_prices(next(model for model in provider.models if model.id == "gpt-4o"))
        for provider in (openai, corrected(openai, reviewed))
    )

    assert 1 == len(before)
    assert 2 == len(after)
    assert 7 == after[-1].prices.output_mtok


def test_a_correction_that_lost_its_model_is_refused(tmp_path, openai):
    """When the package renames a model the correction must not vanish unseen."""
    with pytest.raises(PriceError, match="no model 'gpt-4oo' any more"):
        corrected(openai, write(tmp_path, STEP.format(model="gpt-4oo")))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("version: 1\ncorrections: [{kind: steps}]", "corrections.0.reason"),
        (STEP.format(model="gpt-4o").replace("output", "out"), "'out' is no token class"),
        ("version: [", "cannot be read"),
    ],
)
def test_incomplete_corrections_are_refused(tmp_path, text, expected):
    """A correction without a reason, with an unknown class or in broken YAML is named."""
    with pytest.raises(PriceError, match=expected):
        write(tmp_path, text)
