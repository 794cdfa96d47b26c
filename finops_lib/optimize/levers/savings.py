"""Savings ledger: what each promoted change saved against the forecast without it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from finops_lib.checks import check, checklist
from finops_lib.inform.forecast.daily import sample_paths
from finops_lib.inform.scope import DAYS_A_MONTH, days
from finops_lib.params import ORGANISATION

if TYPE_CHECKING:
    from finops_lib.settings import Promotion

_COURSES = 1000
_MOST_DAYS = 366
_WEEK, _BEFORE = 7, 28
COLUMNS = (
    "assistant", "workflow", "configuration", "lever", "promoted_on", "owner", "verdict", "status", "days",
    "expected_a_month", "expected", "without_change", "actual", "realised", "realised_low", "realised_high",
    "cost_per_request_before", "cost_per_request_after", "cost_per_success_before", "cost_per_success_after", "drift",
)  # fmt: skip


def realised_savings(
    promotions: Sequence[Promotion],
    costs: pd.DataFrame,
    usage: pd.DataFrame,
    tasks: pd.DataFrame,
    as_of: date | None,
    *,
    days_to_judge: int = 14,
) -> pd.DataFrame:
    """Hold each promoted change against what its workflow would have cost without it.

    Parameters
    ----------
    promotions : sequence of Promotion
        Changes on record.
    costs, usage : DataFrame
        Ledger and usage of all months.
    tasks : DataFrame
        As ``ingest.successful_tasks_by_day`` returns it.
    as_of : date or None
        Last complete day.
    days_to_judge : int
        Days before and after a change below which nothing is said about it.

    Returns
    -------
    DataFrame
        One row per promotion by date: names and ``verdict``; ``status`` (``realised``, ``still uncertain``,
        ``costs more``, or ``unproven`` without the gate's promotion); ``days`` since; ``expected_a_month`` and
        ``expected`` to date; ``without_change``, ``actual`` (USD since then), ``realised`` with its 95% interval;
        cost per request and per successful task of the four weeks before and since; ``drift``: cost per request of
        the last seven days against the first seven, as a share. Null where it cannot be told.

    Notes
    -----
    Without the change = Σ_d forecast cost per request(d) × requests(d): forecast from the days before the change,
    courses drawn to give the sum its interval; volume as it came. Of at most the first 366 days.

    References
    ----------
    Requirement F6.
    """
    rows = [
        _row(promotion, costs, usage, tasks, as_of, days_to_judge)
        for promotion in sorted(promotions, key=lambda record: (record.promoted_on, str(record.key)))
        if as_of is not None
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def drift_after_promotion(
    promotions: Sequence[Promotion], costs: pd.DataFrame, usage: pd.DataFrame, as_of: date | None
) -> pd.DataFrame:
    """Tell how the cost per request moved since each promotion.

    Parameters
    ----------
    promotions, costs, usage, as_of
        As for ``realised_savings``.

    Returns
    -------
    DataFrame
        One row per promotion of two weeks or more: ``assistant``, ``workflow``, ``configuration``, ``promoted_on``,
        ``owner``, ``drift`` (cost per request of the last seven days against the first seven, as a share), ``money``
        (USD that the last seven days cost more for it).

    References
    ----------
    Requirement F6.
    """
    columns = ["assistant", "workflow", "configuration", "promoted_on", "owner"]
    rows = []
    for promotion in promotions if as_of is not None else ():
        start, end = pd.Timestamp(promotion.promoted_on), pd.Timestamp(as_of)
        spent, calls = (
            _daily(frame, column, promotion, end)
            for frame, column in ((costs, "contracted_cost"), (usage, "request_count"))
        )
        drift = _drift(spent, calls, start, end)
        if drift is not None:
            last_week = float(spent[end - pd.Timedelta(days=_WEEK - 1) :].sum())
            money = {"drift": drift, "money": last_week * drift / (1 + drift)}
            rows.append(promotion.model_dump(include=set(columns)) | money)
    return pd.DataFrame(rows, columns=[*columns, "drift", "money"])


def promotions_of(promotions: Sequence[Promotion], assistant: str) -> list[Promotion]:
    """Keep the promotions of an assistant; all of them for the organisation.

    Parameters
    ----------
    promotions : sequence of Promotion
        Changes on record.
    assistant : str
        Name, or ``organisation``.

    Returns
    -------
    list of Promotion
        In the order given.
    """
    return [record for record in promotions if assistant in (ORGANISATION, record.assistant)]


def promotion_date(
    promotions: Sequence[Promotion], assistant: str, workflow: str | None, configuration: str
) -> date | None:
    """Find since when a configuration serves a workflow.

    Parameters
    ----------
    promotions : sequence of Promotion
        Changes on record.
    assistant, workflow, configuration
        What is asked for; workflow ``None`` for the whole assistant.

    Returns
    -------
    date or None
        ``None`` where it is not on record, for the workflow or its whole assistant.
    """
    days_on_record = (
        record.promoted_on
        for record in promotions
        if (record.assistant, record.configuration) == (assistant, configuration)
        and record.workflow in (None, workflow)
    )
    return min(days_on_record, default=None)


def shown_promotions(promotions: Sequence[Promotion], savings: pd.DataFrame) -> list[Promotion]:
    """Keep the promotions whose saving is measured beyond chance.

    Parameters
    ----------
    promotions : sequence of Promotion
        Changes on record.
    savings : DataFrame
        As ``realised_savings`` returns it for them.

    Returns
    -------
    list of Promotion
        Those whose ``realised_low`` is above 0.
    """
    proven = savings[savings["realised_low"].astype("float64") > 0].astype(object)
    names = proven[["assistant", "workflow", "configuration"]]
    keys = set(names.where(names.notna(), None).itertuples(index=False, name=None))
    return [record for record in promotions if record.key in keys]


def savings_totals(savings: pd.DataFrame) -> dict[str, float]:
    """Sum what was promised, what is shown and what is open.

    Parameters
    ----------
    savings : DataFrame
        As ``realised_savings`` returns it.

    Returns
    -------
    dict
        USD to date: ``expected`` (of what the gate promoted), ``realised`` (shown, losses included), ``uncertain``
        (expected of what is not shown yet) and ``uncertain_measured`` (measured of it so far, NaN where not known),
        ``unproven`` (claimed without the gate) and ``unproven_measured``.

    Examples
    --------
    >>> rows = [("realised", 10.0, 8.0), ("still uncertain", 5.0, 1.0), ("unproven", 7.0, 9.0)]
    >>> found = savings_totals(pd.DataFrame(rows, columns=["status", "expected", "realised"]))
    >>> found["expected"], found["realised"], found["uncertain"], found["uncertain_measured"]
    (15.0, 8.0, 5.0, 1.0)
    """
    status, measured = savings["status"], savings["realised"].astype("float64")
    shown, still, claimed = (
        status.isin(names) for names in (["realised", "costs more"], ["still uncertain"], ["unproven"])
    )
    return {
        "expected": float(savings.loc[~claimed, "expected"].sum()),
        "realised": float(measured[shown].sum()),
        "uncertain": float(savings.loc[still, "expected"].sum()),
        "uncertain_measured": float(measured[still].sum(min_count=min(1, still.sum()))),
        "unproven": float(savings.loc[claimed, "expected"].sum()),
        "unproven_measured": float(measured[claimed].sum(min_count=min(1, claimed.sum()))),
    }


def savings_checks(savings: pd.DataFrame, drift_limit: float) -> pd.DataFrame:
    """Check that savings are proven and last.

    Parameters
    ----------
    savings : DataFrame
        As ``realised_savings`` returns it.
    drift_limit : float
        Rise of the cost per request after a promotion, as a share, beyond which somebody has to look.

    Returns
    -------
    DataFrame
        Check rows: ``unproven_claims``, ``promotions_that_cost_more``, ``drift_after_promotion``.
    """
    drifts = savings["drift"].astype("float64").dropna()
    worst, named = 0.0, "no change is on record"
    if len(drifts):
        worst, named = drifts.max(), f"most with {savings.loc[drifts.idxmax(), 'configuration']}"
    elif len(savings):
        worst, named = None, "too early to tell"
    named = f"cost per request, last {_WEEK} days against the first {_WEEK} since promotion: {named}"
    unproven = int((savings["status"] == "unproven").sum())
    losing = int((savings["realised_high"].astype("float64") < 0).sum())
    return checklist([
        check("unproven_claims", unproven, "<=", 0, unit="claims", comment="savings claimed without the gate"),
        check("promotions_that_cost_more", losing, "<=", 0, unit="changes", comment="dearer than without the change,"
              " beyond chance, with the gate or without"),
        check("drift_after_promotion", worst, "<=", drift_limit, unit="share", comment=named),
    ])  # fmt: skip


def _row(
    promotion: Promotion, costs: pd.DataFrame, usage: pd.DataFrame, tasks: pd.DataFrame, as_of: date, smallest: int
) -> dict[str, object]:
    start, end = pd.Timestamp(promotion.promoted_on), pd.Timestamp(as_of)
    end = min(end, start + pd.Timedelta(days=_MOST_DAYS - 1))
    spent, calls, solved = (
        _daily(frame, column, promotion, end)
        for frame, column in ((costs, "contracted_cost"), (usage, "request_count"), (tasks, "successful_tasks"))
    )
    since = slice(start, end)
    elapsed = max((end - start).days + 1, 0)
    recent = slice(start - pd.Timedelta(days=_BEFORE), start - pd.Timedelta(days=1))
    row: dict[str, object] = dict.fromkeys(COLUMNS) | promotion.model_dump(include=set(COLUMNS))
    row |= {"expected_a_month": float(promotion.expected_saving), "days": elapsed}
    row |= {"expected": float(promotion.expected_saving) * elapsed / DAYS_A_MONTH, "actual": spent[since].sum()}
    row |= {
        f"cost_per_{unit}_{when}": _ratio(spent[span], units[span])
        for unit, units in (("request", calls), ("success", solved))
        for when, span in (("before", recent), ("after", since))
    }
    unit = spent / calls.where(calls > 0)
    before = unit[: start - pd.Timedelta(days=1)]
    if before.count() >= smallest and elapsed:
        volume = calls.reindex(pd.date_range(start, end), fill_value=0).to_numpy()
        without = sample_paths(before, elapsed, _COURSES) @ volume
        saved = without - spent[since].sum()
        row |= {"without_change": np.median(without), "realised": np.median(saved)}
        row |= dict(zip(("realised_low", "realised_high"), np.quantile(saved, [0.025, 0.975]), strict=True))
    row["drift"] = _drift(spent, calls, start, end)
    row["status"] = _status(promotion, row, elapsed >= smallest)
    return row


def _drift(spent: pd.Series, calls: pd.Series, start: pd.Timestamp, end: pd.Timestamp) -> float | None:
    """Compare the cost per request of the last week with that of the first."""
    if (end - start).days + 1 < 2 * _WEEK:
        return None
    week = pd.Timedelta(days=_WEEK - 1)
    first, last = (_ratio(spent[span], calls[span]) for span in (slice(start, start + week), slice(end - week, end)))
    return last / first - 1 if first and last else None


def _daily(frame: pd.DataFrame, column: str, promotion: Promotion, end: pd.Timestamp) -> pd.Series:
    """Add a measure up by day, in the promotion's scope."""
    own = frame["assistant"] == promotion.assistant
    if promotion.workflow is not None:
        own &= frame["workflow"] == promotion.workflow
    kept = frame[own.fillna(False).astype(bool)]
    daily = kept[column].astype("float64").groupby(days(kept).to_numpy()).sum()
    daily.index = pd.DatetimeIndex(daily.index)
    return daily[:end]


def _ratio(cost: pd.Series, units: pd.Series) -> float | None:
    return float(cost.sum() / units.sum()) if units.sum() else None


def _status(promotion: Promotion, row: dict[str, object], is_long: bool) -> str:
    if promotion.verdict != "promote":
        return "unproven"
    if not is_long or row["realised"] is None or row["realised_low"] <= 0 <= row["realised_high"]:
        return "still uncertain"
    return "realised" if row["realised_low"] > 0 else "costs more"
