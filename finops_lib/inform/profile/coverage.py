"""Coverage: how much of the spend is attributed and priced, so how far the profile can be relied on."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from finops_lib.checks import check, checklist
from finops_lib.inform.measures import MONEY_TYPE, measure, ratio, total
from finops_lib.inform.scope import TEXT, UNATTRIBUTED, dimension_values

COVERAGE_DIMENSIONS = ("workflow", "team", "cost_center")


def attribution_coverage(costs: pd.DataFrame, *, dimensions: Sequence[str] = COVERAGE_DIMENSIONS) -> pd.DataFrame:
    """Measure how much of the spend names its workflow, team, cost center.

    Parameters
    ----------
    costs : DataFrame
        Ledger, one row per day × dimensions × SKU.
    dimensions : sequence of str
        Dimensions that ought to be filled.

    Returns
    -------
    DataFrame
        One row per dimension, then the row "all of them". Columns: ``dimension``,
        ``attributed_cost`` (exact USD), ``coverage`` (share of the cost; of the tokens where nothing
        costs anything), ``coverage_of_tokens``. NaN when there is no traffic.

    Raises
    ------
    SchemaError
        If a dimension is unknown.

    References
    ----------
    Requirement A3.
    """
    measures = measure(costs)
    named = {name: (dimension_values(costs, name) != UNATTRIBUTED).astype(bool) for name in dimensions}
    if len(named) > 1:
        named["all of them"] = pd.concat(named.values(), axis=1).all(axis=1)
    coverage = pd.DataFrame({"dimension": pd.array(list(named), dtype=TEXT)})
    attributed = [measures[rows] for rows in named.values()]
    coverage["attributed_cost"] = pd.array(
        [total(part["contracted_cost"]) or 0 for part in attributed], dtype=MONEY_TYPE
    )
    tokens = pd.Series([total(part["tokens"]) or 0 for part in attributed], dtype="float64")
    of_cost = ratio(coverage["attributed_cost"], total(measures["contracted_cost"]))
    coverage["coverage_of_tokens"] = ratio(tokens, total(measures["tokens"]))
    coverage["coverage"] = of_cost.fillna(coverage["coverage_of_tokens"])
    return coverage[["dimension", "attributed_cost", "coverage", "coverage_of_tokens"]]


def profile_checks(
    costs: pd.DataFrame,
    usage: pd.DataFrame,
    *,
    coverage_target: float,
    unpriced_limit: float,
    ambiguous_limit: float,
    dimensions: Sequence[str] = COVERAGE_DIMENSIONS,
) -> pd.DataFrame:
    """Decide whether the profile can be relied on.

    Parameters
    ----------
    costs : DataFrame
        Ledger, one row per day × dimensions × SKU.
    usage : DataFrame
        Usage, one row per day × dimensions.
    coverage_target : float
        Least share of the cost that names all ``dimensions``.
    unpriced_limit : float
        Largest share of the tokens that may lack a price.
    ambiguous_limit : float
        Largest share of the calls whose token counts may fit no basis.
    dimensions : sequence of str
        Dimensions that ought to be filled.

    Returns
    -------
    DataFrame
        Check rows.

    Raises
    ------
    SchemaError
        If a dimension is unknown.
    """
    coverage = attribution_coverage(costs, dimensions=dimensions)
    measures = measure(costs)
    tokens, unpriced = total(measures["tokens"]), total(measures["unpriced_tokens"])
    counted = {
        name: total(usage[name]) if name in usage.columns else None for name in ("request_count", "ambiguous_count")
    }
    requests, ambiguous = counted["request_count"], counted["ambiguous_count"]
    return checklist(
        [
            check(
                "attribution_coverage",
                coverage["coverage"].iloc[-1],
                ">=",
                coverage_target,
                unit="share",
                comment=f"spend that names {', '.join(name.replace('_', ' ') for name in dimensions)}",
            ),
            check(
                "unpriced_tokens",
                unpriced / tokens if tokens else None,
                "<=",
                unpriced_limit,
                unit="share",
                comment=f"{unpriced or 0:,} tokens without a price" if tokens else "",
            ),
            check(
                "ambiguous_token_counts",
                (ambiguous or 0) / requests if requests else None,
                "<=",
                ambiguous_limit,
                unit="share",
                comment=f"{ambiguous or 0:,} calls whose token counts fit no basis" if requests else "",
            ),
        ]
    )
