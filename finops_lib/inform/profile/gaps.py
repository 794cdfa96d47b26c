"""Gaps: what the data does not hold, what cannot be said without it, and what would add it."""

from __future__ import annotations

import pandas as pd

from finops_lib.inform.measures import ratio, tally, total
from finops_lib.inform.profile.cost_profile import prompt_composition
from finops_lib.inform.scope import TEXT, UNATTRIBUTED
from finops_lib.params import ORGANISATION
from finops_lib.schema import TABLES

COLUMNS = ("missing", "consequence", "how_to_add")

_DEFAULTS = "'defaults: {{{0}: …}}' at its source in parameters/organisation.yaml"
_TAG = "a tag '{0}' on the calls, or " + _DEFAULTS
_DIMENSIONS: dict[str, tuple[str, str, str]] = {
    "model": (
        "model",
        "those tokens have no price and are not in the cost",
        "an export grouped by model (OpenAI usage: group_by=model), or the column 'model' in a mapping",
    ),
    "assistant": (
        "assistant",
        "spend is not split between assistants, and their own pages stay empty",
        "'match: [name in the exports]' in parameters/<assistant>.yaml, or " + _DEFAULTS,
    ),
    "workflow": ("workflow", "what the money is spent on stays one block", _TAG),
    "team": ("team", "nobody can be shown their own spend", "'virtual_keys' in parameters/organisation.yaml, " + _TAG),
    "cost_center": (
        "cost center",
        "spend cannot be booked",
        "'cost_center' of each team under 'teams' in parameters/organisation.yaml",
    ),
    "environment": ("environment", "sandbox and production cannot be told apart", _TAG),
    "data_class": ("data class", "where sensitive data goes is not seen", _TAG),
    "user_group": ("user group", "spend is not split between groups of users", _TAG),
}
_TABLES: dict[str, tuple[str, str]] = {
    "charges": ("bills", "the cost is an estimate from list prices, and what stands around the models is not in it"),
    "outcomes": ("outcomes and their value", "what the spend is worth to the business cannot be said"),
    "evaluations": ("evaluation results", "no cheaper model or prompt can be shown to be good enough"),
    "seats": ("subscriptions (seats)", "licences paid for and not used are not seen"),
    "capacity": ("provisioned capacity", "capacity paid by the hour and idle is not seen"),
    "customers": ("revenue by customer", "the margin of a customer is not known"),
    "volumes": ("storage, log and retrieval volumes", "costs around the models have no driver"),
}


def what_is_missing(
    costs: pd.DataFrame,
    usage: pd.DataFrame,
    given: pd.DataFrame,
    *,
    assistant: str = ORGANISATION,
    users: int | None = None,
) -> pd.DataFrame:
    """List what the data does not hold, with what cannot be said and the file or parameter that would add it.

    Parameters
    ----------
    costs : DataFrame
        Ledger of the month, one row per day × dimensions × SKU.
    usage : DataFrame
        Usage of the month, one row per day × dimensions.
    given : DataFrame
        One row per table beside the calls: ``table``, ``own_rows``.
    assistant : str
        Whose page it is; tables that are about no single assistant are asked for on the organisation's.
    users : int, optional
        Distinct users in the data; not judged when not given.

    Returns
    -------
    DataFrame
        One row per thing missing, the gravest first: ``missing``, ``consequence``, ``how_to_add``; empty when
        nothing is missing. A dimension is missing when it names less than half of the tokens.

    Examples
    --------
    >>> nothing = pd.DataFrame({"table": ["outcomes"], "own_rows": [0]})
    >>> what_is_missing(pd.DataFrame(), pd.DataFrame(), nothing, assistant="helpdesk")["missing"].tolist()
    ['model calls of helpdesk', 'outcomes and their value']
    """
    rows = _missing_calls(assistant) if costs.empty else [*_missing_dimensions(costs), *_missing_facts(usage, users)]
    rows += _missing_tables(given, assistant)
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(TEXT)


def _missing_calls(assistant: str) -> list[tuple[str, str, str]]:
    if assistant == ORGANISATION:
        added = "list exports under 'sources' in parameters/organisation.yaml, or run 'finops ingest FILE'"
        return [("model calls", "there is no cost, no token and no task to report", added)]
    added = (
        f"give the name it has in the exports as 'match: [name]' in parameters/{assistant}.yaml, or "
        f"'defaults: {{assistant: {assistant}}}' at its source in parameters/organisation.yaml"
    )
    return [(f"model calls of {assistant}", "this page has nothing to show", added)]


def _missing_dimensions(costs: pd.DataFrame) -> list[tuple[str, str, str]]:
    rows = []
    for dimension, (label, consequence, added) in _DIMENSIONS.items():
        tokens = tally(costs, [dimension]).set_index(dimension)["tokens"].astype("float64")
        unnamed = ratio(tokens.reindex([UNATTRIBUTED]).fillna(0), tokens.sum()).iloc[0]
        # a single call without a model lacks its price; the other dimensions are judged as a whole
        if not unnamed > (0 if dimension == "model" else 0.5):
            continue
        part = "" if unnamed == 1 else f", for {'most' if unnamed > 0.5 else 'some'} of the tokens"
        rows.append((label + part, consequence, added.format(dimension)))
    return rows


def _missing_facts(usage: pd.DataFrame, users: int | None) -> list[tuple[str, str, str]]:
    rows = []
    if not _known(usage, "request_count"):
        consequence = "cost and tokens per request are not known"
        rows.append(("number of calls", consequence, "a gateway log, traces, or a usage export that counts requests"))
    if not _known(usage, "resolved_count") and not _known(usage, "accepted_count"):
        consequence = "a task counts as successful when its last call ended without an error, whatever the user got"
        rows.append(
            ("whether a task was resolved or accepted", consequence, "'resolved' or 'accepted' logged with the call")
        )
    if users == 0:
        rows.append(
            ("users", "how many use it, and who costs most, is not known", "the user's id logged with the call")
        )
    if not (prompt_composition(usage)["part"] != "not itemised").any():
        consequence = "why prompts grow cannot be told"
        added = "'retrieved_tokens', 'history_tokens', 'system_tokens' … logged with the call"
        rows.append(("what the input consists of", consequence, added))
    return rows


def _missing_tables(given: pd.DataFrame, assistant: str) -> list[tuple[str, str, str]]:
    rows = []
    for table in given.loc[given["own_rows"] == 0, "table"]:
        label, consequence = _TABLES[table]
        required = [column.name for column in TABLES[table] if column.required]
        if assistant != ORGANISATION and "assistant" not in required:
            continue
        entry = f"path: {table}.csv, format: mapped, table: {table}"
        columns = f"; columns {', '.join(required)}"
        if table == "charges":
            entry, columns = "path: bills/*.csv, format: focus, table: charges", ""
        rows.append((label, consequence, f"'{{{entry}}}' under 'sources' in parameters/organisation.yaml{columns}"))
    return rows


def _known(usage: pd.DataFrame, column: str) -> bool:
    return column in usage.columns and bool(total(usage[column]))
