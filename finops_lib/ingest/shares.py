"""Shares: calls tagged with several owners are split exactly, after they are summed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from finops_lib.ingest.reading.attribution import split_shares
from finops_lib.params import Organisation
from finops_lib.schema import AMOUNTS, USAGE


def split_shared(usage: pa.Table, organisation: Organisation) -> pa.Table:
    """Split what several owners share, exactly: whole tokens and calls by largest remainder.

    Parameters
    ----------
    usage : Table
        Usage with ``tag_shares``.
    organisation : Organisation
        Departments and cost centers of the teams that receive a share.

    Returns
    -------
    Table
        Columns of ``schema.USAGE``; every sum is what it was.

    Notes
    -----
    Largest remainder (Hamilton): each owner gets the whole part of its share, and what is left over goes one
    by one to the largest fractions, owners in order of their name at a tie.
    """
    if usage["tag_shares"].null_count == usage.num_rows:
        return usage.drop_columns(["tag_shares"])
    shared = pc.is_valid(usage["tag_shares"])
    rows = usage.filter(shared).to_pylist()
    plain = usage.filter(pc.invert(shared)).drop_columns(["tag_shares"])
    if not rows:
        return plain
    scales = {c.name: int(c.type[8:-1].split(",")[1]) for c in AMOUNTS}
    counted = [c.name for c in USAGE if c.type == "BIGINT" and c.name != "context_tier"] + list(scales)
    parts = []
    for row in rows:
        dimension, weights = split_shares(row.pop("tag_shares"))
        split = {name: _largest_remainder(row[name], list(weights.values()), scales.get(name, 0)) for name in counted}
        for place, owner in enumerate(weights):
            part = row | {dimension: owner} | {name: values[place] for name, values in split.items()}
            if dimension == "team" and owner in organisation.teams:
                team = organisation.teams[owner]
                part["department"] = row["department"] or team.department
                part["cost_center"] = row["cost_center"] or team.cost_center
            parts.append(part)
    return pa.concat_tables([plain, pa.Table.from_pylist(parts, schema=plain.schema)])


def _largest_remainder(amount: int | Decimal | None, weights: list[int], scale: int) -> list[Any]:
    if amount is None:
        return [None] * len(weights)
    units = int(amount.scaleb(scale)) if isinstance(amount, Decimal) else int(amount)
    total = sum(weights)
    shares = [units * weight // total for weight in weights]
    fractions = [units * weight % total for weight in weights]
    for place in sorted(range(len(weights)), key=lambda i: -fractions[i])[: units - sum(shares)]:
        shares[place] += 1
    return [Decimal(share).scaleb(-scale) if scale else share for share in shares]
