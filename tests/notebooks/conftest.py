"""The sample project with its workspace, made once, and a way to run things side by side."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from finops_lib.ingest import build_ledger
from finops_lib.params import load_params

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def at_once() -> Iterator[Callable[..., Future[Any]]]:
    """Run things side by side, one a core."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:

        def start(call: Any, *arguments: Any) -> Future[Any]:
            return pool.submit(call, *arguments)

        yield start


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the sample project, with an assistant that nobody calls, and build its workspace."""
    project = tmp_path_factory.mktemp("sample")
    for folder in ("parameters", "sample_data", "notebooks"):
        shutil.copytree(ROOT / folder, project / folder)
    idle = "assistant: idle-helper\nperiod: latest\nsettings: {title: Idle helper}\n"
    (project / "parameters" / "idle-helper.yaml").write_text(idle, encoding="utf-8")
    build_ledger(load_params(project=project))
    return project
