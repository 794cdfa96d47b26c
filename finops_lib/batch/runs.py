"""The batch itself: plan, skip what is up to date, run the rest side by side, publish, write the site."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from finops_lib.batch.execution import Execution, Failure, execute
from finops_lib.batch.identity import identify
from finops_lib.batch.outcome import FAILED, OK, UP_TO_DATE, BatchResult, Outcome, Progress, RunEvent
from finops_lib.batch.plan import Run, check_parameters, plan_runs
from finops_lib.batch.publication import clear, forget_failures, publish, publish_failure, up_to_date
from finops_lib.errors import BatchError, FinOpsError
from finops_lib.params import ORGANISATION, Params, find_project, load_params
from finops_lib.report.site import write_site


def run_batch(
    project: Path | str | None = None,
    *,
    assistants: Iterable[str] | None = None,
    team: str | None = None,
    notebooks: Iterable[str] | None = None,
    period: str = "latest",
    jobs: int | None = None,
    force: bool = False,
    out: Path | str | None = None,
    progress: Progress | None = None,
    timeout: float = 900,
    prepare: Callable[[Params], object] | None = None,
) -> BatchResult:
    """Run notebooks for assistants and write the site.

    Parameters
    ----------
    project : path, optional
        The project folder; found as by ``find_project`` when not given.
    assistants, team, notebooks, period
        What to run, as for ``plan_runs``. Default: everything.
    jobs : int, optional
        Notebooks run at once; default: one per core.
    force : bool
        Run also what is up to date.
    out : path, optional
        Folder of ``runs/`` and ``site/``; default ``outputs/`` of the project.
    progress : callable, optional
        Told of each run when it has ended.
    timeout : float
        Seconds a cell may take.
    prepare : callable, optional
        Called once with the project's parameters before anything is planned, e.g. to bring the ledger up to date.

    Returns
    -------
    BatchResult
        How each run ended. A failed run does not stop the others.

    Raises
    ------
    BatchError
        If another batch is at work, a notebook does not take the parameters, or the site cannot be written.
    ParamsError
        If a parameter file is wrong.
    """
    folder = find_project(project)
    outputs = Path(out).expanduser().resolve() if out else folder / "outputs"
    with _alone(outputs):
        params = load_params(ORGANISATION, period, project=folder)
        if prepare:
            prepare(params)
        batch = _Batch(outputs / "runs", params, progress)
        runs = plan_runs(params, assistants=assistants, team=team, notebooks=notebooks, period=period)
        outcomes = batch.run(runs, jobs=jobs, force=force, timeout=timeout)
        try:
            site = write_site(
                batch.runs,
                outputs / "site",
                company=params.organisation.company,
                workspace_sha256=batch.workspace,
            )
        except OSError as error:
            message = f"The site in {outputs / 'site'} could not be written: {error}"
            raise BatchError(message, hint="the former site is untouched; free space or check access rights") from error
    return BatchResult(tuple(outcomes), site)


@contextmanager
def _alone(outputs: Path) -> Iterator[None]:
    """Hold the lock of an output folder, or refuse."""
    from filelock import FileLock, Timeout

    try:
        outputs.mkdir(parents=True, exist_ok=True)
        lock = FileLock(outputs / ".batch.lock", timeout=0)
        lock.acquire()
    except Timeout as error:
        message = f"Another batch is writing to {outputs}"
        raise BatchError(message, hint="wait until it has ended, or write elsewhere with --out DIR") from error
    except OSError as error:
        message = f"Nothing can be written to {outputs}: {error}"
        raise BatchError(
            message, hint="check access rights and free space, or write elsewhere with --out DIR"
        ) from error
    try:
        yield
    finally:
        lock.release()


class _Batch:
    """The state of one batch: where it writes, whom it tells, what has ended."""

    def __init__(self, runs: Path, params: Params, progress: Progress | None) -> None:
        self.runs = runs
        self.params = params
        self.progress = progress
        self.ended: dict[Run, Outcome] = {}
        self.total = 0
        self.identities: dict[Run, dict[str, Any]] = {}
        home, project = Path.home(), params.project
        self.private = [(project, "."), (runs.parent, "outputs"), (home, "~"), (Path(tempfile.gettempdir()), "tmp")]

    @property
    def workspace(self) -> str:
        return next(iter(self.identities.values()))["workspace_sha256"]

    def run(self, runs: list[Run], *, jobs: int | None, force: bool, timeout: float) -> list[Outcome]:
        self.identities = identify(runs, self.params)
        self.total = len(runs)
        clear(self.runs)
        waiting = [run for run in runs if force or not self._is_done(run)]
        if waiting:
            for path in sorted({run.path for run in waiting}):
                check_parameters(path, waiting[0].parameters)
            try:
                self.runs.mkdir(exist_ok=True)
                with tempfile.TemporaryDirectory(dir=self.runs, prefix=".part-", ignore_cleanup_errors=True) as part:
                    self._run_all(waiting, Path(part), jobs, timeout)
            except OSError as error:
                message = f"Nothing can be written to {self.runs}: {error}"
                raise BatchError(message, hint="check access rights and free space") from error
        return [self.ended[run] for run in runs]

    def _is_done(self, run: Run) -> bool:
        receipt = up_to_date(self.runs, run, self.identities[run]["key"])
        if receipt is None:
            return False
        forget_failures(self.runs, run)
        self._end(Outcome(run, UP_TO_DATE, receipt["period"], 0.0))
        return True

    def _run_all(self, waiting: list[Run], part: Path, jobs: int | None, timeout: float) -> None:
        import joblib

        calls = (
            joblib.delayed(execute)(run, part / str(number), self.params.project, timeout)
            for number, run in enumerate(waiting)
        )
        jobs = min(jobs or joblib.cpu_count(), len(waiting))
        parallel = joblib.Parallel(n_jobs=jobs, prefer="threads", batch_size=1, return_as="generator_unordered")
        executions = [self._settle(execution) for execution in parallel(calls)]
        for execution in executions:
            if execution.failure:
                self._keep(execution)

    def _settle(self, execution: Execution) -> Execution:
        """Publish a finished run; one that cannot be published has failed."""
        if execution.failure is None:
            try:
                period = publish(self.runs, execution, self._about(execution.run), self.private)
                self._end(Outcome(execution.run, OK, period, execution.seconds))
                return execution
            except FinOpsError as error:
                failure = Failure(error.message, error.hint)
            except OSError as error:
                failure = Failure(f"The report could not be written: {error}", "free space and check access rights")
            execution = replace(execution, failure=failure)
        run = execution.run
        self._end(Outcome(run, FAILED, run.period, execution.seconds, execution.failure))
        return execution

    def _keep(self, execution: Execution) -> None:
        """Keep a failure, under the month that the other reports, or else the last ones, turned out to be about."""
        run = execution.run
        known = [one.period for one in self.ended.values() if one.state != FAILED]
        known = known or [path.name for path in self.runs.glob("[!.]*/[0-9]*-[0-9]*")]
        period = max(known, default=run.period) if run.period == "latest" else run.period
        self.ended[run] = replace(self.ended[run], period=period)
        try:
            publish_failure(self.runs, execution, period, self._about(run), self.private)
        except OSError as error:
            also = f"{self.ended[run].failure.error} Nor could the failure be kept: {error}"
            self.ended[run] = replace(self.ended[run], failure=replace(execution.failure, error=also))

    def _about(self, run: Run) -> dict[str, Any]:
        settings = self.params.settings if run.assistant == ORGANISATION else self.params.assistants[run.assistant]
        changed = settings.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        label = self.params.title if run.assistant == ORGANISATION else settings.title or run.assistant
        return self.identities[run] | {
            "label": f"Team {run.team}" if run.team else label,
            "parameters": run.parameters | {"settings": changed},
        }

    def _end(self, outcome: Outcome) -> None:
        self.ended[outcome.run] = outcome
        if self.progress:
            message = outcome.failure.error if outcome.failure else ""
            event = RunEvent(len(self.ended), self.total, outcome.run, outcome.state, outcome.seconds, message)
            self.progress(event)
