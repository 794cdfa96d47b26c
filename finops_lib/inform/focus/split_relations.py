"""FOCUS split relations: the parts of a charge are documented, and sum to it in every metric."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext
from typing import Any

import pandas as pd

from finops_lib.inform.focus.cells import FocusTable, findings_where, parsed
from finops_lib.schema.focus import SUMMED_METRICS, split_name

_DIGITS = 120
_RATIO_TOLERANCE = Decimal("1e-9")
_PART_TOLERANCE = Decimal("1e-6")
_ORIGIN = "x_SplitOriginId"
_OF_ORIGIN = (
    *("ResourceId", "SubAccountId", "ServiceName", "SkuId", "SkuPriceId", "InvoiceId", "ChargePeriodStart"),
    *("ChargePeriodEnd", "ListUnitPrice", "ContractedUnitPrice", "BillingCurrency", "Tags"),
)


def split_findings(table: FocusTable) -> Iterator[pd.DataFrame]:
    """Check the rows that replace a charge by its receivers' parts.

    Parameters
    ----------
    table : FocusTable
        The file; parts of one charge share ``x_SplitOriginId``, or else its resource, SKU and period.

    Yields
    ------
    DataFrame
        Findings: nullability of the split columns, repeated tags, ratios, sums, mixed methods, receivers named twice.

    References
    ----------
    FOCUS 1.3, split cost allocation; JSON Schema of AllocatedMethodDetails.
    """
    method, details, receiver, name, tags = (
        split_name(column, table.version)
        for column in (
            *("AllocatedMethodId", "AllocatedMethodDetails", "AllocatedResourceId", "AllocatedResourceName"),
            "AllocatedTags",
        )
    )
    split, received = table.column(method).notna(), table.column(receiver).notna()
    for column in (details, receiver, name, tags):
        cell = table.column(column)
        yield findings_where("split_without_method", column, ~split & cell.notna(), cell, f"nothing without {method}")
    yield findings_where(
        "split_details", details, split & table.column(details).isna(), table.column(details), "a value"
    )
    yield findings_where(
        "receiver_name",
        name,
        table.column(name).notna() != received,
        table.column(name),
        f"a value exactly with {receiver}",
    )
    lost = split & ~received & table.column(tags).notna()
    yield findings_where("receiver_tags", tags, lost, table.column(tags), "nothing: the part has no receiver")
    cells = zip(table.column("Tags"), table.column(tags), strict=True)
    repeated = pd.Series([bool(_keys(one) & _keys(other)) for one, other in cells], index=table.text.index)
    yield findings_where("repeated_tags", tags, repeated, table.column(tags), "no key that Tags has")
    shape = table.column(details).map(_fault, na_action=None)
    yield findings_where("method_details", details, shape.notna(), table.column(details), shape)
    if split.any():
        yield from _origin_findings(table, split, method, details, receiver)


def _origin_findings(
    table: FocusTable, split: pd.Series, method: str, details: str, receiver: str
) -> Iterator[pd.DataFrame]:
    """Check the parts of each origin together."""
    parts = table.text[split]
    stated = parts[_ORIGIN] if _ORIGIN in parts else pd.Series([None] * len(parts), index=parts.index, dtype=object)
    described = parts.reindex(columns=["ResourceId", "SkuPriceId", "SubAccountId", "ChargePeriodStart", "InvoiceId"])
    origin = stated.fillna(described.fillna("").agg(" · ".join, axis=1))

    def of_parts(rule: str, column: str, wrong: pd.Series, found: pd.Series, expected: str | pd.Series) -> pd.DataFrame:
        return findings_where(rule, column, wrong.reindex(table.text.index, fill_value=False), found, expected)

    methods = parts[method].groupby(origin).transform("nunique") > 1
    yield of_parts("one_method", method, methods, table.column(method), "one method for all parts of a charge")
    twice = pd.DataFrame({"origin": origin, "receiver": parts[receiver].fillna("")}).duplicated(keep="first")
    yield of_parts("receiver_twice", receiver, twice, table.column(receiver), "each receiver once a charge")
    for column in [name for name in _OF_ORIGIN if name in parts]:
        differs = parts[column].fillna("").groupby(origin).transform("nunique") > 1
        yield of_parts("same_as_origin", column, differs, table.column(column), "the same on all parts of a charge")
    with localcontext(prec=_DIGITS):
        ratio = parts[details].map(_ratio, na_action=None)
        whole = _summed(ratio, origin)
        off = whole.map(lambda total: abs(total - 1) > _RATIO_TOLERANCE)
        yield of_parts("ratio_sum", details, off, whole, "ratios that sum to 1 over a charge")
        for metric in [name for name in SUMMED_METRICS if name in table.numbers]:
            yield from _sum_findings(table, metric, origin, ratio, of_parts)


def _sum_findings(
    table: FocusTable, metric: str, origin: pd.Series, ratio: pd.Series, of_parts: Any
) -> Iterator[pd.DataFrame]:
    """Hold the sum of a metric to its origin; where that is not told, each part to its ratio."""
    part = table.numbers.loc[origin.index, metric]
    total = _summed(part, origin)
    stated = table.number("x_SplitOriginCost" if metric == "BilledCost" else f"x_SplitOrigin{metric}")
    stated = stated.loc[origin.index]
    wrong = stated.notna() & (total != stated)
    yield of_parts("split_sum", metric, wrong, total.reindex(table.text.index), stated.reindex(table.text.index))
    due = ratio * total
    apart = (part.map(lambda value: value or Decimal(0)) - due).abs() > total.abs() * _PART_TOLERANCE
    expected = due.map(lambda value: f"about {value.normalize():f}: its ratio of the charge")
    told = stated.notna() | part.isna()
    yield of_parts("split_part", metric, apart & ~told, table.column(metric), expected.reindex(table.text.index))


def _summed(values: pd.Series, origin: pd.Series) -> pd.Series:
    """Add Decimals up per origin, exactly."""
    known = values.map(lambda value: value or Decimal(0), na_action=None)
    return origin.map(known.groupby(origin).agg(lambda group: sum(group, Decimal(0))))


def _keys(text: str | None) -> set[str]:
    value = parsed(text)
    return set(value) if isinstance(value, dict) else set()


def _elements(text: str | None) -> list[Any]:
    value = parsed(text)
    elements = value.get("Elements") if isinstance(value, dict) else None
    return elements if isinstance(elements, list) else []


def _ratio(text: str | None) -> Decimal:
    ratios = [element.get("AllocatedRatio") for element in _elements(text) if isinstance(element, dict)]
    return sum((ratio for ratio in ratios if isinstance(ratio, Decimal)), Decimal(0))


def _fault(text: str | None) -> str | None:
    """Say what AllocatedMethodDetails should hold, where it does not."""
    if text is None:
        return None
    elements = _elements(text)
    if not elements or not all(isinstance(element, dict) for element in elements):
        return "a list of Elements"
    for element in elements:
        ratio = element.get("AllocatedRatio")
        if not isinstance(ratio, Decimal) or not 0 <= ratio <= 1:
            return "an AllocatedRatio from 0 to 1"
        if element.get("UsageQuantity") is not None and not isinstance(element.get("UsageUnit"), str):
            return "a UsageUnit with the UsageQuantity"
    return None
