"""Price refresh: turn the genai-prices package and the reviewed corrections into the kit's own price list."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from finops_lib.errors import PriceError
from finops_lib.files import replace_file
from finops_lib.ingest.prices.corrections import (
    Correction,
    Corrections,
    conditional_prices,
    corrected,
    read_corrections,
)
from finops_lib.ingest.prices.model_names import provider_rules, rules_text
from finops_lib.ingest.prices.overrides import STANDARD
from finops_lib.ingest.prices.rows import COLUMNS, PACKAGED, PRICED, SOURCE
from finops_lib.schema import INPUT_CLASSES, OUTPUT_CLASSES

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider

NOTES = (
    "Prices are USD per million tokens; web_search and request are USD each. Every cell holds what the package's "
    "calc_price charges, so a class without a price of its own carries its parent's.",
    "context_from: the price holds for all tokens of a call whose total input is larger. The premium of Claude Sonnet "
    "4.5 above 200,000 tokens is kept as the package has it; other lists dropped it.",
    "Azure: global deployments. Surcharges of the EU and US data zones and of single regions are not in the list; "
    "give them as an override of kind multiplier.",
    "A provider that sells another's models (Azure, Vertex AI) is charged that provider's standard prices; it has no "
    "tier prices of its own there.",
    "Images, video, characters, pages, audio hours and searches in stores are not token classes and are left out.",
)
_USAGE = {
    "uncached_input": (),
    "cache_read": ("cache_read_tokens",),
    "cache_write_5m": ("cache_write_tokens", "cache_write_5m_tokens"),
    "cache_write_1h": ("cache_write_tokens", "cache_write_1h_tokens"),
    "audio_input": ("input_audio_tokens",),
    "cache_read_audio": ("cache_read_tokens", "input_audio_tokens", "cache_audio_read_tokens"),
    "output": (),
    "reasoning": ("output_reasoning_tokens",),
    "audio_output": ("output_audio_tokens",),
}
_COVERED = {
    "input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "cache_write_5m_mtok", "cache_write_1h_mtok",
    "input_audio_mtok", "cache_audio_read_mtok", "output_audio_mtok", "output_reasoning_mtok",
    "web_searches_kcount", "requests_kcount",
}  # fmt: skip
_RATIO = Decimal("1e-9")
Cells = dict[str, Decimal]


@dataclasses.dataclass(frozen=True)
class _Segment:
    """The prices of one tier from a day and time of day on: context size → cells."""

    start: tuple[date | None, time]
    cells: Mapping[int, Cells]
    correction: Correction | None = None


def refresh(
    generated_on: date, *, corrections: Path | None = None
) -> tuple[pd.DataFrame, dict[str, Any], dict[str, Any]]:
    """Compute the price list from the installed genai-prices package.

    Parameters
    ----------
    generated_on : date
        Day to record; the clock is not read.
    corrections : path, optional
        Reviewed corrections; the packaged ones when not given.

    Returns
    -------
    tuple of (DataFrame, dict, dict)
        The prices as text with the columns of ``price_list.COLUMNS``; the match rules; the lock, which names the
        package's version, the hash of its data, the corrections and what is left out.

    Raises
    ------
    PriceError
        If genai-prices is not installed, or the corrections cannot be used.

    References
    ----------
    Requirement A4. Prices are found by asking ``calc_price`` what it charges, never by reading its tables.
    """
    try:
        import genai_prices
        from genai_prices.data import providers as packaged
    except ImportError as error:
        message = "Package genai-prices is not installed; the price list cannot be refreshed"
        raise PriceError(message, hint="install it beside the kit: pip install genai-prices") from error
    reviewed = read_corrections(corrections or PACKAGED / "corrections.yaml")
    providers = [corrected(provider, reviewed) for provider in packaged]
    records = [
        record
        for provider in sorted(providers, key=lambda provider: provider.id)
        for model in sorted(provider.models, key=lambda model: model.id)
        for record in _records(provider.id, model, reviewed)
    ]
    models = {"providers": [provider_rules(provider) for provider in providers]}
    data = Path(genai_prices.__file__).parent
    digest = hashlib.sha256(b"".join((data / name).read_bytes() for name in ("data.py", "data_units.py")))
    lock = {
        "version": f"{SOURCE} {genai_prices.__version__} + corrections {reviewed.version}",
        "genai_prices_version": genai_prices.__version__,
        "genai_prices_sha256": digest.hexdigest(),
        "generated_on": generated_on.isoformat(),
        "verified_on": None,
        "providers": len(providers),
        "models": sum(len(provider.models) for provider in providers),
        "rows": len(records),
        "corrections": [item.model_dump(mode="json", exclude={"steps"}) for item in reviewed.corrections],
        "left_out": dict(sorted(_left_out(providers).items())),
        "notes": list(NOTES),
    }
    return pd.DataFrame(records, columns=list(COLUMNS), dtype=str), models, lock


def write_price_list(
    folder: Path | str, prices: pd.DataFrame, models: Mapping[str, Any], lock: Mapping[str, Any]
) -> None:
    """Write a price list; each file is written beside its place and then moved there.

    Parameters
    ----------
    folder : path
        Folder to write to; made if it is not there.
    prices, models, lock
        As ``refresh`` returns them.

    Notes
    -----
    Equal inputs give equal bytes. One price and one model a line, so that a review reads like a price list.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([prices.columns, *prices.itertuples(index=False, name=None)])
    contents = {
        "price_list.csv": text.getvalue(),
        "models.json": rules_text(models),
        "lock.json": json.dumps(lock, indent=2, ensure_ascii=False) + "\n",
    }
    for name, content in contents.items():
        replace_file(Path(folder) / name, content)


def _records(provider: str, model: ModelInfo, reviewed: Corrections) -> Iterator[tuple[str, ...]]:
    """Yield the rows of one model: its standard prices, then those of each tier."""
    contexts: dict[str, dict[str, str]] = {STANDARD: {}}
    for variant in model.price_variants or ():
        contexts.setdefault(_tier_name(variant.when), dict(variant.when))
    contexts.pop("default", None)
    starts = _starts(model)
    standard = {
        start: _Segment(start, _cells(model, start, {}), reviewed.of_prices(provider, model.id, start[0] or date.min))
        for start in starts
    }
    for tier, context in contexts.items():
        if tier == STANDARD:
            segments = list(standard.values())
        else:
            segments = _tier_segments(model, context, standard, reviewed.of_tier(tier))
        for segment in _compact(segments):
            day, clock = segment.start
            mark = segment.correction
            origin = (mark.label, mark.verified_on.isoformat()) if mark else (SOURCE, "")
            for context_from, cells in segment.cells.items():
                key = (provider, model.id, tier, day.isoformat() if day else "", f"{clock:%H:%M}", str(context_from))
                priced = tuple(_text(cells.get(name)) for name in PRICED)
                yield (*key, *priced, *origin)


def _tier_name(when: Mapping[str, str]) -> str:
    """Name a variant: ``batch`` for processing=batch; a condition that is no tier keeps its key."""
    plain = ("processing", "service_tier", "speed")
    return "+".join(value if key in plain else f"{key}={value}" for key, value in when.items())


def _starts(model: ModelInfo) -> list[tuple[date | None, time]]:
    """List the days and times of day at which a price of the model may change; ``None`` is always."""
    dated = (*conditional_prices(model), *(model.price_variants or ()))
    limits = [item.constraint for item in dated if item.constraint]
    days = sorted({limit.start_date for limit in limits if hasattr(limit, "start_date")})
    clocks = {time()}
    for limit in limits:
        if hasattr(limit, "start_time"):
            clocks |= {_utc_clock(limit.start_time), _utc_clock(limit.end_time)}
    return [(day, clock) for day in (None, *days) for clock in sorted(clocks)]


def _utc_clock(clock: time) -> time:
    return datetime.combine(date(2000, 1, 1), clock, clock.tzinfo or UTC).astimezone(UTC).time()


def _moment(start: tuple[date | None, time]) -> datetime:
    return datetime.combine(start[0] or date(1970, 1, 1), start[1], UTC)


def _cells(model: ModelInfo, start: tuple[date | None, time], context: Mapping[str, str]) -> dict[int, Cells]:
    """Ask what the model charges from a moment on, for each context size at which a price steps."""
    price = model.get_prices(_moment(start), context)
    sizes = {tier.start for value in vars(price).values() for tier in getattr(value, "tiers", ())}
    cells: dict[int, Cells] = {}
    for size in (0, *sorted(sizes - {0})):
        found = _charged(price, size, free=model.id.endswith(":free"))
        if found and found not in list(cells.values())[-1:]:
            cells[size] = found
    return cells


def _charged(price: ModelPrice, context: int, *, free: bool) -> Cells:
    """Ask ``calc_price`` for the price of each class, in a call whose input is just beyond ``context`` tokens."""
    from genai_prices.types import Usage

    def cost(**usage: int) -> Decimal:
        return price.calc_price(Usage(**usage))["total_price"]

    tokens = context + 1
    request = cost()
    bare = cost(input_tokens=tokens)
    cells = {}
    if free or price.input_mtok is not None:
        for name in INPUT_CLASSES:
            charged = cost(input_tokens=tokens, **dict.fromkeys(_USAGE[name], tokens))
            cells[name] = (charged - request) * 1_000_000 / tokens
    if free or price.output_mtok is not None:
        for name in OUTPUT_CLASSES:
            charged = cost(input_tokens=tokens, output_tokens=tokens, **dict.fromkeys(_USAGE[name], tokens))
            cells[name] = (charged - bare) * 1_000_000 / tokens
    if price.web_searches_kcount is not None:
        cells["web_search"] = cost(web_searches=1) - request
    if price.requests_kcount is not None:
        cells["request"] = request
    return cells


def _tier_segments(
    model: ModelInfo,
    context: Mapping[str, str],
    standard: Mapping[tuple[date | None, time], _Segment],
    correction: Correction | None,
) -> list[_Segment]:
    """List a tier's prices from its first day on, and before that as a correction allows."""
    variants = [variant for variant in model.price_variants if variant.when == context]
    starts = list(standard)
    first = next(
        number
        for number, start in enumerate(starts)
        if any(variant.constraint is None or variant.constraint.active(_moment(start)) for variant in variants)
    )
    known = [_Segment(start, _cells(model, start, context)) for start in starts[first:]]
    if correction is None:
        return known
    reference = standard[starts[first]].cells, known[0].cells
    earlier = [_Segment(start, _scaled(standard[start].cells, *reference), correction) for start in starts[:first]]
    return earlier + known


def _scaled(now: Mapping[int, Cells], standard: Mapping[int, Cells], tier: Mapping[int, Cells]) -> dict[int, Cells]:
    """Price a tier on a day it is not known for, at the ratio to standard of the day it is."""

    def at(cells: Mapping[int, Cells], size: int) -> Cells:
        return cells[max(known for known in cells if known <= size)] if cells else {}

    scaled = {}
    for size in sorted({*now, *standard, *tier}):
        then, reference, wanted = at(now, size), at(standard, size), at(tier, size)
        scaled[size] = {
            name: wanted[name] if then[name] == reference.get(name) or not reference.get(name)
            else (then[name] * wanted[name] / reference[name]).quantize(_RATIO)
            for name in then
            if name in wanted
        }  # fmt: skip
    return {size: cells for size, cells in scaled.items() if size == 0 or cells != at(scaled, size - 1)}


def _compact(segments: Iterable[_Segment]) -> list[_Segment]:
    """Leave out what repeats the window before it, and days that repeat the day before them."""
    kept: list[_Segment] = []
    days: dict[date | None, list[_Segment]] = {}
    for segment in segments:
        windows = days.setdefault(segment.start[0], [])
        if not windows or _priced(windows[-1]) != _priced(segment):
            windows.append(segment)
    before = None
    for windows in days.values():
        content = [(window.start[1], _priced(window)) for window in windows]
        if content != before:
            kept += windows
        before = content
    return kept


def _priced(segment: _Segment) -> tuple[Any, ...]:
    return segment.cells, segment.correction


def _text(price: Decimal | None) -> str:
    """Write a price as plain decimal text without trailing zeros."""
    if price is None:
        return ""
    text = f"{price:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _left_out(providers: Iterable[Provider]) -> Counter[str]:
    """Count the models that are also priced in something the token classes do not hold."""
    return Counter(
        key
        for provider in providers
        for model in provider.models
        for key in {key for item in conditional_prices(model) for key in vars(item.prices)} - _COVERED
    )
