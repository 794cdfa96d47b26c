"""Request logs of any length."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from finops_lib.sample import synthetic, synthetic_requests
from finops_lib.schema import REQUESTS, names

DIMENSIONS = [
    "provider",
    "model",
    "assistant",
    "workflow",
    "team",
    "environment",
    "data_class",
    "service_tier",
    "run_status",
]


def _table(rows: int, **options: object) -> pa.Table:
    return pa.Table.from_batches(synthetic_requests(rows, **options))


def test_shape() -> None:
    """25 columns of the canonical table, ids unique, in order of time, money as DECIMAL(18, 12)."""
    table = _table(20_000)

    assert (20_000, 25) == table.shape
    assert set(table.column_names) <= set(names(REQUESTS))
    assert 20_000 == pc.count_distinct(table["request_id"]).as_py()
    assert table["timestamp"].to_pylist() == sorted(table["timestamp"].to_pylist())
    assert pa.decimal128(18, 12) == table.schema.field("reported_cost").type


def test_equal_seeds_give_equal_requests() -> None:
    """The same seed gives the same rows, another seed others."""
    assert _table(5_000).equals(_table(5_000))
    assert not _table(5_000).equals(_table(5_000, seed=8))


def test_batches_are_bounded(monkeypatch: object) -> None:
    """A log longer than a batch comes in several, none longer than the limit."""
    monkeypatch.setattr(synthetic, "CHUNK", 1_000)
    batches = list(synthetic_requests(2_500))

    assert [1_000, 1_000, 500] == [batch.num_rows for batch in batches]
    assert 2_500 == pc.count_distinct(pa.Table.from_batches(batches)["request_id"]).as_py()


def test_groups_of_day_and_dimensions() -> None:
    """Some 1,230 combinations of nine dimensions occur, so a day of a long log holds about that many groups."""
    table = _table(150_000, days=1)
    groups = table.group_by(DIMENSIONS).aggregate([]).num_rows

    assert 1_150 <= groups <= 1_230


def test_log_lies_in_its_days() -> None:
    """All requests fall between the first and the last day."""
    table = _table(3_000, start=date(2026, 2, 1), days=10)
    moments = table["timestamp"].cast(pa.int64()).to_numpy()
    first = int(np.datetime64("2026-02-01", "us").astype(int))

    assert first <= moments.min()
    assert moments.max() < first + 10 * 86_400_000_000


def test_tokens_fit_together() -> None:
    """No count is negative; a cache hit costs nothing, other calls something."""
    frame = _table(5_000).to_pandas()
    counts = frame.filter(like="_tokens")

    assert (counts >= 0).all().all()
    assert (frame.loc[frame["cache_hit"], "reported_cost"] == 0).all()
    assert (frame.loc[~frame["cache_hit"], "reported_cost"] > 0).all()
