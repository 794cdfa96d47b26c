"""Outcomes: how runs ended, for exit codes, progress displays and pipelines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from finops_lib.batch.execution import Failure
from finops_lib.batch.plan import Run

OK, UP_TO_DATE, FAILED = "ok", "up to date", "FAILED"


@dataclass(frozen=True)
class RunEvent:
    """A run has ended; what a progress display is told.

    Parameters
    ----------
    number, total : int
        How many runs have ended, this one included, of how many.
    run : Run
        The run.
    state : {"ok", "up to date", "FAILED"}
        How it ended.
    seconds : float
        How long it took.
    message : str
        Why it failed; else empty.
    """

    number: int
    total: int
    run: Run
    state: str
    seconds: float
    message: str = ""


class Progress(Protocol):
    """What ``run_batch`` calls when a run has ended, always from the thread that called it."""

    def __call__(self, event: RunEvent) -> None:
        """Show the event."""


@dataclass(frozen=True)
class Outcome:
    """How one run ended.

    Parameters
    ----------
    run : Run
        The run.
    state : {"ok", "up to date", "FAILED"}
        How it ended.
    period : str
        The month its page is about.
    seconds : float
        How long it took.
    failure : Failure, optional
        Why there is no report.
    """

    run: Run
    state: str
    period: str
    seconds: float
    failure: Failure | None = None


@dataclass(frozen=True)
class BatchResult:
    """What a batch did.

    Parameters
    ----------
    outcomes : tuple of Outcome
        In the order of the plan.
    site : Path
        Folder of the site; open its ``index.html``.
    """

    outcomes: tuple[Outcome, ...]
    site: Path

    @property
    def failed(self) -> list[Outcome]:
        """The runs that gave no report."""
        return [outcome for outcome in self.outcomes if outcome.state == FAILED]

    def summary(self) -> dict[str, Any]:
        """Count the runs by state and name the failed ones, as one JSON object."""
        states = [outcome.state for outcome in self.outcomes]
        return {
            "planned": len(states),
            "ok": states.count(OK),
            "up_to_date": states.count(UP_TO_DATE),
            "failed": [
                {
                    "assistant": outcome.run.assistant,
                    "team": outcome.run.team,
                    "notebook": outcome.run.notebook,
                    "period": outcome.period,
                    "error": outcome.failure.error if outcome.failure else "",
                }
                for outcome in self.failed
            ],
            "periods": sorted({outcome.period for outcome in self.outcomes}),
            "site": str(self.site),
        }


def progress_line(event: RunEvent) -> str:
    """Word an event as one plain line.

    Parameters
    ----------
    event : RunEvent
        The event.

    Returns
    -------
    str
        Number, assistant or team, notebook, state, seconds; the reason of a failure.

    Examples
    --------
    >>> run = Run("support-copilot", "03_cost_profile", Path("03_cost_profile.ipynb"))
    >>> progress_line(RunEvent(3, 14, run, "ok", 4.21))
    '[3/14] support-copilot 03_cost_profile ok 4.2 s'
    """
    who = f"team {event.run.team}" if event.run.team else event.run.assistant
    time = "" if event.state == UP_TO_DATE else f" {event.seconds:.1f} s"
    reason = f": {event.message.splitlines()[0]}" if event.message else ""
    return f"[{event.number}/{event.total}] {who} {event.run.notebook} {event.state}{time}{reason}"
