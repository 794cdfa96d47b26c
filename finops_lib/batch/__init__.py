"""The batch: every notebook for every assistant, run headless, published whole or not at all."""

from __future__ import annotations

from finops_lib.batch.identity import workspace_fingerprint
from finops_lib.batch.outcome import BatchResult, Outcome, Progress, RunEvent, progress_line
from finops_lib.batch.plan import Run, notebooks_folder, plan_runs
from finops_lib.batch.runs import run_batch

__all__ = [
    "BatchResult",
    "Outcome",
    "Progress",
    "Run",
    "RunEvent",
    "notebooks_folder",
    "plan_runs",
    "progress_line",
    "run_batch",
    "workspace_fingerprint",
]
