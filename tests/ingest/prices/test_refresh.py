"""The refresh writes what the package charges, and the same bytes every time."""

from __future__ import annotations

import json
from datetime import date, time
from decimal import Decimal

import pytest

from finops_lib.ingest.prices.refresh import refresh, write_price_list
from finops_lib.ingest.prices.rows import PACKAGED, read_price_list

NO_CORRECTIONS = "version: 0\ncorrections: []\n"


@pytest.fixture(scope="module")
def packaged():
    """Read the list in the package."""
    return read_price_list()


def test_packaged_list_is_what_a_refresh_writes(tmp_path, packaged):
    """Nobody has edited the packaged files by hand: a refresh on the recorded day gives the same bytes."""
    write_price_list(tmp_path / "new" / "prices", *refresh(packaged.generated_on))
    names = sorted(file.name for file in (tmp_path / "new" / "prices").iterdir())

    assert ["lock.json", "models.json", "price_list.csv"] == names
    assert [(PACKAGED / name).read_bytes() for name in names] == [
        (tmp_path / "new" / "prices" / name).read_bytes() for name in names
    ]


def test_packaged_files_stay_small():
    """A review of half a megabyte of text is already long."""
    assert all(file.stat().st_size < 500_000 for file in PACKAGED.iterdir())


def test_lock_records_what_the_list_rests_on():
    """Version, hash and day of the source, the corrections and what is left out."""
    lock = json.loads((PACKAGED / "lock.json").read_text(encoding="utf-8"))

    assert ("genai-prices 0.2.3 + corrections 1", "0.2.3") == (lock["version"], lock["genai_prices_version"])
    assert 64 == len(lock["genai_prices_sha256"])
    assert {"deepseek", "mistral", "*"} == {item["provider"] for item in lock["corrections"]}
    assert 30 == lock["left_out"]["storage_searches_kcount"]
    assert any("Azure" in note and "zones" in note for note in lock["notes"])


def test_without_corrections_the_package_speaks(tmp_path):
    """Batch begins on the day the package records it, and its old rows come back."""
    file = tmp_path / "none.yaml"
    file.write_text(NO_CORRECTIONS, encoding="utf-8")
    write_price_list(tmp_path, *refresh(date(2026, 1, 2), corrections=file))
    plain = read_price_list(tmp_path)

    assert ("genai-prices 0.2.3 + corrections 0", date(2026, 1, 2)) == (plain.version, plain.generated_on)
    assert [date(2026, 10, 14)] == [row.effective_from for row in plain.index["openai", "gpt-4o"]["batch"]]
    assert [time(0), time(0, 30), time(16, 30)] == [
        row.time_from for row in plain.index["deepseek", "deepseek-chat"]["standard"]
    ]
    assert ("mistral", "mistral-large-latest") not in plain.index
    assert {"genai-prices 0.2.3"} == set(plain.prices["price_source"])


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("anthropic", "claude-sonnet-4-5", ("3", "0.3", "3.75", "6", "3", "0.3", "15", "15", "15", "0.01", None)),
        ("google", "gemini-2.5-flash", ("0.3", "0.03", "0.3", "0.3", "1", "0.1", "2.5", "2.5", "2.5", "0.035", None)),
        ("openai", "text-embedding-3-small", ("0.02",) * 6 + (None,) * 5),
        ("perplexity", "sonar", ("1",) * 9 + (None, "0.012")),
        ("perplexity", "sonar-deep-research", ("2",) * 6 + ("8", "3", "8", "0.005", None)),
        ("mistral", "mistral-nemo:free", ("0",) * 9 + (None, None)),
    ],
)
def test_classes_without_a_price_carry_their_parents(packaged, provider, model, expected):
    """Each cell holds what a call would be charged; what is not sold by tokens stays empty."""
    row = packaged.index[provider, model]["standard"][0]
    cells = tuple(row.prices.get(name) for name in packaged.prices.columns[6:17])

    assert tuple(None if text is None else Decimal(text) for text in expected) == cells


def test_history_future_and_long_context_of_a_tier(packaged):
    """Opus 4.6 had a long-context premium until 2026-03-13, in batch as well; Gemini 3.6 doubles in 2027."""
    opus = packaged.index["anthropic", "claude-opus-4-6"]["batch"]
    gemini = packaged.index["google", "gemini-3.6-flash"]["standard"]

    assert [
        (date.min, 0, "2.5"),
        (date.min, 200_000, "5"),
        (date(2026, 3, 13), 0, "2.5"),
        (date(2026, 10, 14), 0, "2.5"),
    ] == [(row.effective_from, row.context_from, str(row.prices["uncached_input"])) for row in opus]
    assert [(date.min, "0.75"), (date(2027, 1, 1), "1.5")] == [
        (row.effective_from, str(row.prices["uncached_input"])) for row in gemini
    ]


def test_conditions_that_are_no_tier_keep_their_name(packaged):
    """A route or search type is a variant of its own, not a service tier by accident."""
    assert {"standard", "route=mistral/eu"} == set(packaged.index["openrouter", "mistralai/mistral-large-4-0"])
    assert {"standard", "batch", "fast"} == set(packaged.index["anthropic", "claude-opus-5"])
