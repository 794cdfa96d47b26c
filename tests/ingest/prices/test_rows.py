"""A price list is read strictly: what cannot be used is named by file, row and column."""

from __future__ import annotations

import shutil
from datetime import date, time
from decimal import Decimal

import pandas as pd
import pytest

from finops_lib.errors import PriceError
from finops_lib.ingest.prices.rows import COLUMNS, PACKAGED, read_price_list


@pytest.fixture
def folder(tmp_path):
    """Copy the packaged list, shortened to three rows."""
    for name in ("models.json", "lock.json"):
        shutil.copy(PACKAGED / name, tmp_path / name)
    lines = (PACKAGED / "price_list.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "price_list.csv").write_text("".join(lines[:4]), encoding="utf-8")
    return tmp_path


def edit(folder, row, column, value):
    """Put a value into one cell of the list."""
    file = folder / "price_list.csv"
    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    table.loc[row - 2, column] = value
    table.to_csv(file, index=False)


def test_packaged_list():
    """The packaged list says what it was made from, and holds exact decimals."""
    packaged = read_price_list()
    row = packaged.index["openai", "gpt-4o"]["standard"][0]
    frame = packaged.prices

    assert "genai-prices 0.2.3 + corrections 1" == packaged.version
    assert "genai-prices 0.2.3" == row.source
    assert Decimal("1.25") == row.prices["cache_read"]
    assert list(COLUMNS) == list(frame.columns)
    assert frame["effective_from"].isna().any()
    assert {date(2026, 11, 22)} == set(frame.loc[frame["price_source"].str.startswith("correction"), "verified_on"])


def test_list_is_read_once(folder):
    """A second reading gives the same object, until a file changes."""
    first = read_price_list(folder)

    assert first is read_price_list(folder)
    edit(folder, 2, "output", "1234.5")
    assert Decimal("1234.5") == read_price_list(folder).prices.loc[0, "output"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("output", "-0.5"), ("uncached_input", "NaN"), ("cache_read", "12,5"), ("web_search", "Infinity"),
        ("effective_from", "2026-13-01"), ("time_from", "noon"), ("context_from", "many"), ("model", ""),
        ("verified_on", "yesterday"),
    ],
)  # fmt: skip
def test_bad_cells_are_named(folder, column, value):
    """A negative price, a broken number or date is refused with file, row, column and what was found."""
    edit(folder, 3, column, value)

    with pytest.raises(PriceError, match=rf"price_list\.csv, row 3, column {column}: found '{value}'"):
        read_price_list(folder)


def test_broken_files_are_named(folder):
    """A cut row, a lost column, a repeated key, a lost file and broken JSON are each told apart."""
    file = folder / "price_list.csv"
    text = file.read_text(encoding="utf-8")

    file.write_text(text.rstrip("\n") + "\nopenai,gpt", encoding="utf-8")
    with pytest.raises(PriceError, match="row 5, column all: found 2 cells, expected 19"):
        read_price_list(folder)
    file.write_text(text.replace("reasoning", "thinking", 1), encoding="utf-8")
    with pytest.raises(PriceError, match="row 1: .*wrong: reasoning"):
        read_price_list(folder)
    file.write_text(text + text.splitlines()[1] + "\n", encoding="utf-8")
    with pytest.raises(PriceError, match="row 5, column provider: the key of row 2 a second time"):
        read_price_list(folder)
    file.write_text("", encoding="utf-8")
    with pytest.raises(PriceError, match="row 1: found columns none"):
        read_price_list(folder)
    (folder / "lock.json").write_text("{", encoding="utf-8")
    with pytest.raises(PriceError, match=r"lock\.json: not readable as JSON"):
        read_price_list(folder)
    (folder / "lock.json").write_text('{"version": "x", "generated_on": "soon"}', encoding="utf-8")
    with pytest.raises(PriceError, match=r"lock\.json: generated_on or verified_on is no date"):
        read_price_list(folder)
    (folder / "models.json").write_text("[]", encoding="utf-8")
    with pytest.raises(PriceError, match=r"models\.json: no key 'providers'"):
        read_price_list(folder)
    (folder / "models.json").unlink()
    with pytest.raises(PriceError, match=r"No file .*models\.json"):
        read_price_list(folder)


def test_every_row_can_be_reached():
    """Each date has a price from midnight on and each window one for short calls, so nothing falls between."""
    for tiers in read_price_list().index.values():
        for rows in tiers.values():
            dates = {row.effective_from for row in rows}
            windows = {(row.effective_from, row.time_from) for row in rows}

            assert {(day, time()) for day in dates} <= windows
            assert {(*window, 0) for window in windows} <= {row.place for row in rows}
