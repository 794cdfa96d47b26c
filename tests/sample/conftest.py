"""Calls of the full sample, made once."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from finops_lib.sample import generate_calls, write_sample_data
from finops_lib.sample.organisation import pico_dollars


@pytest.fixture(scope="session")
def calls() -> pd.DataFrame:
    """All calls, with their input tokens and list cost in USD."""
    made = generate_calls()
    made["input"] = made[["uncached_input", "cache_read", "cache_write_5m", "cache_write_1h"]].sum(axis=1)
    made["usd"] = pico_dollars(made) / 1e12
    return made


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the files of the full sample."""
    return write_sample_data(tmp_path_factory.mktemp("sample_data"))
