"""The sample project with its workspace, made once, and a way to run things side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def at_once() -> Iterator[Callable[..., Future[Any]]]:
    """Run things side by side, one a core."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:

        def start(call: Any, *arguments: Any) -> Future[Any]:
            return pool.submit(call, *arguments)

        yield start
