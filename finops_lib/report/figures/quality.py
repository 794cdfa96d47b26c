"""Quality figures: what became of the rows read, how much is attributed, which days are covered."""

from __future__ import annotations

import numpy as np
import pandas as pd

from finops_lib.report.axis_units import count_axis, day_axis, share_axis
from finops_lib.report.bars import bar_height, draw_bars, end_labels, legend_above, listing, rows_axis
from finops_lib.report.chart import (
    ACTUAL,
    ANOMALY,
    BUDGET,
    CATEGORIES,
    MUTED,
    UNKNOWN,
    Chart,
    describe,
    new_chart,
    words_only,
)
from finops_lib.report.text import count, share, words

_FATES = {
    "requests": ("model calls", ACTUAL),
    "aggregated": ("daily totals", CATEGORIES[5]),
    "skipped": ("no model calls", "#D9D9D9"),
    "duplicates": ("duplicates", CATEGORIES[1]),
    "quarantined": ("quarantined", ANOMALY),
}
_DAY = "charge_period_start"
_FEW = 0.05


def plot_rows_read(reads: pd.DataFrame) -> Chart:
    """Draw what became of the rows read from each source.

    Parameters
    ----------
    reads : DataFrame
        One row per source: ``source`` and the counts of rows ``requests``, ``aggregated``,
        ``duplicates``, ``quarantined``, ``skipped``.

    Returns
    -------
    Figure
        A bar a source, split by what became of its rows.
    """
    counts = {name: reads[name].astype("float64").fillna(0).to_numpy() for name in _FATES if name in reads.columns}
    total = sum(counts.values()) if counts else np.zeros(0)
    if reads.empty or not total.sum():
        return words_only("No rows were read", "No export has been read into this workspace yet.")
    names = reads["source"].astype(str).tolist()
    shown = {name: values for name, values in counts.items() if values.sum()}
    figure, (axes,) = new_chart(
        _rows_title(counts, total),
        subtitle="Rows read by source",
        height=bar_height(len(names)),
    )
    left = np.zeros(len(names))
    for name, values in shown.items():
        label, color = _FATES[name]
        axes.barh(
            range(len(names)),
            values,
            left=left,
            color=color,
            height=0.62,
            label=label,
            hatch="///" if name == "quarantined" else None,
        )
        left += values
    refused = counts.get("quarantined", np.zeros(len(names)))
    end_labels(axes, total, [_row_label(*pair) for pair in zip(total, refused, strict=True)])
    rows_axis(axes, names)
    axes.set_xlim(0, total.max() * 1.25)
    count_axis(axes.xaxis)
    axes.set_xlabel("Rows read")
    legend_above(figure, len(shown))
    values = [
        ", ".join(f"{count(shown[name][place])} {_FATES[name][0]}" for name in shown) for place in range(len(names))
    ]
    return describe(figure, f"Stacked horizontal bars of rows by source. {listing(names, values)}")


def plot_coverage(coverage: pd.DataFrame, *, target: float) -> Chart:
    """Draw how much of the spend names each dimension, against the target.

    Parameters
    ----------
    coverage : DataFrame
        One row per dimension: ``dimension``, ``coverage`` (share of the cost, NaN when not known).
    target : float
        Share that should be reached.

    Returns
    -------
    Figure
        Horizontal bars and a line at the target.
    """
    shares = coverage["coverage"].astype("float64").to_numpy()
    if not len(shares) or np.isnan(shares).all():
        return words_only("Attribution coverage is not known", "There is no traffic in this scope.")
    names = [words(name) for name in coverage["dimension"].astype(str)]
    lowest = int(np.nanargmin(shares[:-1] if names[-1] == "all of them" else shares))
    reached = np.nan_to_num(shares) >= target
    if reached.all():
        title = f"Every dimension names at least {share(target)} of the spend"
    else:
        allowed = share(1 - target)
        title = f"{share(1 - shares[lowest])} of the spend does not name its {names[lowest]}; at most {allowed} allowed"
    figure, (axes,) = new_chart(
        title, subtitle="Share of the contracted cost that names each dimension", height=bar_height(len(names)) + 0.2
    )
    verdicts = [", target reached" if good else ", target missed" for good in reached]
    labels = [
        f"{share(value, decimals=1)}{verdict}" if value == value else "not known"
        for value, verdict in zip(shares, verdicts, strict=True)
    ]
    draw_bars(axes, names, np.nan_to_num(shares), labels, [ACTUAL if good else MUTED for good in reached])
    axes.set_xlim(0, 1.42)
    axes.axvline(target, color=BUDGET, linewidth=1.5, linestyle=(0, (4, 2)))
    axes.annotate(
        f"target {share(target)}", (target, -0.6), xytext=(0, 2), textcoords="offset points", ha="center", fontsize=9
    )
    share_axis(axes.xaxis)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.set_xlabel("Share of the contracted cost (%)")
    return describe(
        figure, f"Horizontal bars of coverage by dimension, target {share(target)}. {listing(names, labels)}"
    )


def plot_capture_days(captured: pd.DataFrame) -> Chart:
    """Draw which source covers which days, and which of them feeds the ledger.

    Parameters
    ----------
    captured : DataFrame
        One row per source × day with rows: ``source``, ``charge_period_start`` and, if known, ``calls`` and
        ``feeds_ledger`` (false where another layer covers the day and this one only reconciles).

    Returns
    -------
    Figure
        A line of blocks a source; gaps are days without rows.
    """
    if captured.empty:
        return words_only("No day is covered", "No export has been read into this workspace yet.")
    days = pd.to_datetime(captured[_DAY]).astype("datetime64[s]")
    feeds = pd.Series(True, index=captured.index)
    if "feeds_ledger" in captured.columns:
        feeds = captured["feeds_ledger"].astype("boolean").fillna(True).astype(bool)
    only_reconciles = "; hatched days only reconcile, another source feeds the ledger" if not feeds.all() else ""
    sources = sorted(
        captured["source"].astype(str).unique(), key=lambda name: (days[captured["source"] == name].min(), name)
    )
    every = pd.date_range(days.min(), days.max(), freq="D", unit="s")
    empty = len(every.difference(pd.DatetimeIndex(days[feeds].unique())))
    span = f"{len(every)} {'day' if len(every) == 1 else 'days'}"
    title = f"All of the {span} are covered" if not empty else f"{empty} of {span} have no model calls in the ledger"
    title += _largest_gap(captured.assign(day=days)[feeds])
    figure, (axes,) = new_chart(
        title if len(every) > 1 or empty else "One day is covered",
        subtitle=f"Days with rows by source{only_reconciles}",
        height=0.7 + 0.42 * len(sources),
    )
    gaps = []
    for place, source in enumerate(sources):
        of_source = captured["source"].astype(str) == source
        for used, color, hatch in ((True, ACTUAL, None), (False, UNKNOWN, "///")):
            blocks = _runs(days[of_source & (feeds == used)])
            axes.broken_barh(blocks, (place - 0.3, 0.6), facecolors=color, hatch=hatch, edgecolor="white", linewidth=0)
        seen = pd.DatetimeIndex(days[of_source].unique())
        inside = pd.date_range(seen.min(), seen.max(), freq="D", unit="s").difference(seen)
        gaps.append(
            f"{len(seen)} {'day' if len(seen) == 1 else 'days'}"
            + (f", {len(inside)} missing in between" if len(inside) else "")
        )
    rows_axis(axes, sources)
    day_axis(axes, days)
    room = pd.Timedelta(hours=14) + pd.Timedelta(days=max(7 - len(every), 0) / 2)
    axes.set_xlim(every[0] - room, every[-1] + room)
    return describe(figure, f"Blocks of days by source. {listing(sources, gaps)}")


def plot_quarantine(reasons: pd.DataFrame) -> Chart:
    """Draw why rows could not be used.

    Parameters
    ----------
    reasons : DataFrame
        One row per reason: ``reason``, ``rows``.

    Returns
    -------
    Figure
        Horizontal bars; words when no row was refused.
    """
    if reasons.empty or not reasons["rows"].sum():
        return words_only("No row was refused", "Every row read could be used or was set aside for a known reason.")
    ordered = reasons.sort_values(["rows", "reason"], ascending=[False, True])
    names = ordered["reason"].astype(str).tolist()
    rows = ordered["rows"].astype("float64").to_numpy()
    figure, (axes,) = new_chart(
        f"{count(rows.sum())} rows were refused, most often: {names[0]}",
        subtitle="Rows in quarantine by reason",
        height=bar_height(len(names)),
    )
    labels = [f"{count(number)} · {share(number / rows.sum(), decimals=1)}" for number in rows]
    draw_bars(axes, names, rows, labels, [ACTUAL] + [MUTED] * (len(names) - 1))
    count_axis(axes.xaxis)
    axes.set_xlabel("Rows")
    return describe(figure, f"Horizontal bars of refused rows by reason. {listing(names, labels)}")


def _largest_gap(fed: pd.DataFrame) -> str:
    """Name the busiest source that misses a few of its days; one that rests every other day misses none."""
    if "calls" not in fed.columns:
        return ""
    gaps = []
    for source, rows in fed.groupby("source"):
        span = (rows["day"].max() - rows["day"].min()).days + 1
        missing = span - rows["day"].nunique()
        if 0 < missing <= _FEW * span:
            gaps.append((rows["calls"].astype("float64").sum(), str(source), missing))
    if not gaps:
        return ""
    _, source, missing = max(gaps)
    return f"; {source} has no calls on {missing} of its days"


def _rows_title(counts: dict[str, np.ndarray], total: np.ndarray) -> str:
    rows, refused = total.sum(), counts.get("quarantined", np.zeros(1)).sum()
    if refused:
        return f"{count(refused)} of {count(rows)} rows read ({share(refused / rows)}) could not be used"
    used = counts.get("requests", np.zeros(1)).sum() + counts.get("aggregated", np.zeros(1)).sum()
    return f"All {count(rows)} rows read could be used; {count(used)} carry usage"


def _row_label(rows: float, refused: float) -> str:
    return count(rows) + (f" · {count(refused)} quarantined" if refused else "")


def _runs(days: pd.Series) -> list[tuple[pd.Timestamp, pd.Timedelta]]:
    """Join days in a row to blocks of (start, length); a block reaches half a day to either side."""
    ordered = pd.Series(sorted(days.unique()), dtype="datetime64[s]")
    if ordered.empty:
        return []
    block = (ordered.diff() != pd.Timedelta(days=1)).cumsum()
    half = pd.Timedelta(hours=12)
    return [(run.iloc[0] - half, pd.Timedelta(days=len(run))) for _, run in ordered.groupby(block)]
