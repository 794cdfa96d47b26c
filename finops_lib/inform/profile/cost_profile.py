"""Cost profile: where the money goes, by dimension and token class."""

from __future__ import annotations

from typing import Any

import pandas as pd

from finops_lib.inform.measures import COUNT_TYPE, MEASURED, MEASURES, MONEY_TYPE, measure, ratio, tally, total
from finops_lib.inform.scope import DAY, TEXT, UNATTRIBUTED, dimension_values, filter_scope
from finops_lib.schema import INPUT_CLASSES, QUANTITIES, TOKEN_CLASSES

_PROMPT_PARTS = {
    "system prompt": "system_tokens",
    "conversation history": "history_tokens",
    "retrieved context": "retrieved_tokens",
    "tool definitions": "tool_schema_tokens",
    "tool results": "tool_result_tokens",
    "user's words": "user_tokens",
}


def spend_by(costs: pd.DataFrame, dimension: str, *, top: int | None = None) -> pd.DataFrame:
    """Add up tokens and cost by one dimension.

    Parameters
    ----------
    costs : DataFrame
        Ledger, one row per day × dimensions × SKU.
    dimension : str
        Dimension to split by, e.g. ``model``.
    top : int, optional
        Named values to keep; the others become one row "everything else (n)".

    Returns
    -------
    DataFrame
        One row per value, costliest first, then "everything else", then "unattributed" (rows without
        a value, never dropped or folded). Columns: the dimension, billed tokens by bucket and as
        ``tokens``, ``contracted_cost``, ``list_cost``, ``avoided_cost`` (exact USD; null when nothing
        in the row has a price), ``share`` of the contracted cost, ``unpriced_tokens``. The sums are
        those of the ledger, to the last digit.

    Raises
    ------
    SchemaError
        If the dimension is unknown.

    References
    ----------
    Requirement B1.
    """
    spend = _fold(tally(costs, [dimension]), dimension, top)
    spend["share"] = ratio(spend["contracted_cost"], total(spend["contracted_cost"]))
    leading = [dimension, *MEASURES[:-1], "share", "unpriced_tokens"]
    return spend[leading]


def spend_in_scope(
    costs: pd.DataFrame,
    *,
    group_by: str = "model",
    period: str | None = None,
    top: int | None = 8,
    **dimensions: Any,
) -> pd.DataFrame:
    """Add up cost by a dimension within a scope, as an interactive control asks for it.

    Parameters
    ----------
    costs : DataFrame
        Ledger, one row per day × dimensions × SKU.
    group_by : str
        Dimension to split by.
    period, **dimensions
        The scope, as ``filter_scope`` takes it.
    top : int, optional
        Named values to keep.

    Returns
    -------
    DataFrame
        As ``spend_by`` returns it.

    Raises
    ------
    SchemaError
        If a dimension is unknown.
    """
    # rows are copied when they are filtered: only the columns that count are
    wanted = {DAY, group_by, *dimensions, *MEASURED}
    narrow = costs[[name for name in costs.columns if name in wanted]]
    return spend_by(filter_scope(narrow, period=period, **dimensions), group_by, top=top)


def spend_matrix(costs: pd.DataFrame, rows: str, columns: str, *, top: int | None = None) -> pd.DataFrame:
    """Cross two dimensions: what each pair costs.

    Parameters
    ----------
    costs : DataFrame
        Ledger, one row per day × dimensions × SKU.
    rows, columns : str
        Two different dimensions.
    top : int, optional
        Named values to keep on either side; the others become "everything else (n)".

    Returns
    -------
    DataFrame
        Contracted cost in exact USD: index the values of ``rows``, columns the values of
        ``columns``, both costliest first. Zero where a pair has no traffic, null where its traffic
        has no price; all cells together are the ledger's cost.

    Raises
    ------
    SchemaError
        If a dimension is unknown.

    References
    ----------
    Requirement B1.
    """
    keys = []
    for dimension in (rows, columns):
        values = dimension_values(costs, dimension).rename(dimension)
        keys.append(values.replace(_folding(tally(costs, [dimension]), dimension, top)))
    cells = tally(costs, keys).set_index([rows, columns])["contracted_cost"]
    order = [_fold(tally(costs, [key]), key.name, None)[key.name].tolist() for key in keys]
    grid = pd.MultiIndex.from_product(order, names=[rows, columns])
    absent = ~grid.isin(cells.index)
    full = cells.reindex(grid).astype(MONEY_TYPE).mask(absent, 0)
    wide = {name: pd.array(full.xs(name, level=columns).reindex(order[0]), dtype=MONEY_TYPE) for name in order[1]}
    return pd.DataFrame(
        wide, index=pd.Index(order[0], name=rows, dtype=object), columns=pd.Index(order[1], name=columns, dtype=object)
    )


def token_classes(costs: pd.DataFrame) -> pd.DataFrame:
    """Compare what each token class weighs with what it costs.

    Parameters
    ----------
    costs : DataFrame
        Ledger, one row per day × dimensions × SKU.

    Returns
    -------
    DataFrame
        One row per token class with traffic, in the order of the contract. Columns: ``token_class``,
        ``tokens`` (null for searches, which are no tokens), ``quantity`` (in ``pricing_unit``),
        ``pricing_unit``, ``contracted_cost`` (exact USD), ``share_of_tokens``, ``share_of_cost``,
        ``usd_per_million`` (effective price of the priced tokens) and ``unpriced_tokens``.

    Notes
    -----
    usd_per_million = contracted_cost / (tokens − unpriced_tokens) × 10⁶.

    References
    ----------
    Requirement B1.
    """
    measures = measure(costs)
    measures["quantity"] = costs["pricing_quantity"].astype(COUNT_TYPE).fillna(0)
    kind = costs["token_class"].astype(TEXT).rename("token_class")
    summed = measures.groupby(kind, observed=True).sum(min_count=1).reset_index()
    summed = summed[(summed["quantity"] != 0) | (summed["contracted_cost"].fillna(0) != 0)]
    position = {name: place for place, name in enumerate(QUANTITIES)}
    summed = summed.sort_values(
        "token_class", key=lambda names: names.map(lambda name: (position.get(name, len(position)), name))
    ).reset_index(drop=True)
    is_token = summed["token_class"].isin(list(TOKEN_CLASSES))
    summed["pricing_unit"] = is_token.map({True: "Tokens", False: "Requests"}).astype(TEXT)
    summed["tokens"] = summed["tokens"].where(is_token)
    summed["share_of_tokens"] = ratio(summed["tokens"], total(summed["tokens"]))
    summed["share_of_cost"] = ratio(summed["contracted_cost"], total(summed["contracted_cost"]))
    summed["usd_per_million"] = ratio(summed["contracted_cost"], summed["tokens"] - summed["unpriced_tokens"]) * 1e6
    return summed[
        [
            "token_class",
            "tokens",
            "quantity",
            "pricing_unit",
            "contracted_cost",
            "share_of_tokens",
            "share_of_cost",
            "usd_per_million",
            "unpriced_tokens",
        ]
    ]


def prompt_composition(usage: pd.DataFrame) -> pd.DataFrame:
    """Split the input tokens by what they carry, as far as the sources say.

    Parameters
    ----------
    usage : DataFrame
        Usage, one row per day × dimensions.

    Returns
    -------
    DataFrame
        One row per part of the prompt with tokens, largest first, then the part "not itemised".
        Columns: ``part``, ``tokens``, ``share_of_input``; the tokens add up to all input served.

    References
    ----------
    Requirement B1: retrieval and tool tokens apart.
    """
    columns = [TOKEN_CLASSES[name] for name in INPUT_CLASSES]
    served = sum(int(total(usage[name]) or 0) for name in columns if name in usage.columns)
    parts = {label: int(total(usage[name]) or 0) for label, name in _PROMPT_PARTS.items() if name in usage.columns}
    parts = dict(sorted(((k, v) for k, v in parts.items() if v), key=lambda item: (-item[1], item[0])))
    rest = served - sum(parts.values())
    if rest:
        parts["not itemised"] = rest
    composition = pd.DataFrame(
        {"part": pd.array(list(parts), dtype=TEXT), "tokens": pd.array(list(parts.values()), dtype=COUNT_TYPE)}
    )
    composition["share_of_input"] = ratio(composition["tokens"], served)
    return composition


def _folding(summed: pd.DataFrame, dimension: str, top: int | None) -> dict[str, str]:
    """Map each value beyond the ``top`` costliest to the row that stands for all of them."""
    ordered = summed.sort_values(["contracted_cost", "tokens", dimension], ascending=[False, False, True])
    named = [value for value in ordered[dimension] if value != UNATTRIBUTED]
    # Folding one value away would save no row.
    rest = named[top:] if top is not None and len(named) > top + 1 else []
    return dict.fromkeys(rest, f"everything else ({len(rest)})")


def _fold(summed: pd.DataFrame, dimension: str, top: int | None) -> pd.DataFrame:
    """Fold the tail and order the rows: costliest first, then everything else, then unattributed."""
    folding = _folding(summed, dimension, top)
    spend = summed.assign(**{dimension: summed[dimension].replace(folding)})
    spend = spend.groupby(dimension, observed=True).sum(min_count=1).reset_index()
    last = {UNATTRIBUTED: 2} | dict.fromkeys(folding.values(), 1)
    # a matrix arrives folded already: its row keeps the place of the rest
    spend["place"] = [last.get(value, int(value.startswith("everything else ("))) for value in spend[dimension]]
    spend = spend.sort_values(["place", "contracted_cost", "tokens", dimension], ascending=[True, False, False, True])
    return spend.drop(columns="place").reset_index(drop=True)
