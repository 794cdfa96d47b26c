"""Capture: gateway logs, traces and provider reports overlap, so one layer feeds the ledger; the others reconcile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import pandas as pd

from finops_lib.params import CaptureLayer
from finops_lib.schema import TOKEN_CLASSES

COVERAGE_SQL = f"""SELECT coalesce(provider, '') AS provider, provider_account AS account,
    CAST(timestamp AS DATE) AS day, capture_layer AS layer, sum(calls) AS calls,
    sum({" + ".join(TOKEN_CLASSES.values())}) AS tokens
FROM {{relation}} GROUP BY ALL ORDER BY ALL"""
"""SQL of what each layer saw: a provider, account and UTC day."""


def superseded(coverage: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """Find what a more detailed layer already covers.

    Parameters
    ----------
    coverage : DataFrame
        One row per ``provider`` × ``account`` (null where the source does not say) × ``day`` × ``layer``.
    order : sequence of str
        Layers, the one that feeds the ledger first; those not named come after.

    Returns
    -------
    DataFrame
        The rows of ``coverage`` that only reconcile, with ``covered_by``: the layer that feeds the ledger there.

    Notes
    -----
    An account that is not known may be any of the provider's accounts, so it is taken to be the same one: money
    is rather shown as covered twice than billed twice. Only a layer that feeds the ledger itself covers another.

    Examples
    --------
    >>> seen = pd.DataFrame({"provider": ["openai"] * 2, "account": [None, "p1"], "day": ["2026-09-01"] * 2,
    ...                      "layer": ["gateway", "provider_usage"]})
    >>> superseded(seen, ["gateway", "provider_usage"])["layer"].tolist()
    ['provider_usage']
    """
    present = set(coverage["layer"].dropna())
    if len(present) < 2:
        return coverage.head(0).assign(covered_by=pd.Series(dtype="object"))
    listed = [name for name in dict.fromkeys([*order, *get_args(CaptureLayer)]) if name in present]
    ours = coverage.reset_index(names="row")
    feeding, beaten = ours.head(0), []
    for layer in listed:
        own = ours[ours["layer"] == layer]
        pairs = own.merge(feeding, on=["provider", "day"], suffixes=("", "_better"))
        same = pairs["account"].isna() | pairs["account_better"].isna() | (pairs["account"] == pairs["account_better"])
        covered = pairs[same.fillna(value=True)].drop_duplicates("row").set_index("row")["layer_better"]
        beaten.append(covered)
        feeding = pd.concat([feeding, own[~own["row"].isin(covered.index)]])
    best = pd.concat(beaten).sort_index()
    return coverage.loc[best.index].assign(covered_by=best)
