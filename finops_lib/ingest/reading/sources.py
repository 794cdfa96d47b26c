"""Reading: what became of every row of a source, and what it came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FATES = ("requests", "aggregated", "duplicates", "quarantined", "skipped")
"""What can become of a row; read = their sum."""

UNKNOWN_FIGURES: dict[str, Any] = {
    "tokens": 0,
    "ambiguous": 0,
    "unpriced_tokens": 0,
    "list_cost": None,
    "contracted_cost": None,
    "reported_cost": None,
    "attribution_coverage": None,
    "first_timestamp": None,
    "last_timestamp": None,
}
"""What a reading came to where its rows are no calls."""


BILLED = ("mended", "totals")
"""Figures that only a reading of bills has: cells mended by kind, and totals by issuer, month and currency."""


@dataclass
class Reading:
    """What one reading of a source found.

    ``counts`` holds ``read`` and the five fates, which add up to it; ``reasons`` the rows by fate and reason;
    ``warnings`` sentences for the reader.
    """

    format: str
    files: list[str]
    counts: dict[str, int]
    reasons: list[dict[str, Any]] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """Give the one object ``finops ingest --json`` prints."""
        quarantine = {r["reason"]: r["rows"] for r in self.reasons if r["fate"] == "quarantined"}
        return {
            **{name: self.counts[name] for name in ("read", *FATES)},
            **{name: self.figures.get(name, unknown) for name, unknown in UNKNOWN_FIGURES.items()},
            "quarantine_reasons": dict(sorted(quarantine.items())),
            "format": self.format,
            "warnings": self.warnings,
            **{name: self.figures[name] for name in BILLED if name in self.figures},
        }


def label_of(path: Path, project: Path) -> str:
    """Name a file relative to the project where it lies inside, so that pages name no machine's folders."""
    resolved = path.resolve()
    return str(resolved.relative_to(project)) if resolved.is_relative_to(project) else str(resolved)


def covers(reading: Reading, earlier: dict[str, Any]) -> bool:
    """Whether an earlier reading on record is about files that were all read again now."""
    return earlier["format"] == reading.format and set(earlier["files"]) <= set(reading.files)


def combined(readings: Sequence[Reading]) -> dict[str, Any]:
    """Add several readings up to one summary.

    Parameters
    ----------
    readings : sequence of Reading
        Of one command.

    Returns
    -------
    dict
        As ``Reading.summary``; the format names joined.
    """
    if len(readings) == 1:
        return readings[0].summary()
    parts = [reading.summary() for reading in readings]
    total: dict[str, Any] = {key: sum(part[key] for part in parts) for key in ("read", *FATES)}
    for key in ("tokens", "ambiguous", "unpriced_tokens"):
        total[key] = sum(part.get(key, 0) for part in parts)
    for key in ("list_cost", "contracted_cost", "reported_cost"):
        known = [part[key] for part in parts if part.get(key) is not None]
        total[key] = sum(known) if known else None
    shares = [
        (p["attribution_coverage"], p["contracted_cost"]) for p in parts if p.get("attribution_coverage") is not None
    ]
    weight = sum(cost for _, cost in shares)
    total["attribution_coverage"] = sum(share * cost for share, cost in shares) / weight if weight else None
    moments = [part for part in parts if part.get("first_timestamp")]
    total["first_timestamp"] = min((part["first_timestamp"] for part in moments), default=None)
    total["last_timestamp"] = max((part["last_timestamp"] for part in moments), default=None)
    reasons: dict[str, int] = {}
    for part in parts:
        for reason, rows in part["quarantine_reasons"].items():
            reasons[reason] = reasons.get(reason, 0) + rows
    return total | {
        "quarantine_reasons": dict(sorted(reasons.items())),
        "format": ", ".join(part["format"] for part in parts),
        # Bills read together are warned of together.
        "warnings": list(dict.fromkeys(text for part in parts for text in part["warnings"])),
        **{name: [row for p in parts for row in p.get(name, [])] for name in BILLED if any(name in p for p in parts)},
    }
