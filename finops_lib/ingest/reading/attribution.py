"""Attribution: who caused a call, in order of trust.

Explicit tag or header, virtual key → owner, span attribute, source default, assistant default. What none of
them names stays null and is shown as unattributed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import duckdb
import pyarrow as pa

from finops_lib.ingest.readers.base import Reader
from finops_lib.params import Organisation, Settings
from finops_lib.schema import COUNTS, DIMENSIONS, FLAGS, names

TAG_KEYS: dict[str, tuple[str, ...]] = {
    "assistant": ("assistant", "assistant_id", "app", "app_id", "app_name", "application", "bot"),
    "workflow": ("workflow", "workflow_id", "use_case", "usecase", "feature"),
    "team": ("team", "team_id", "team_name", "squad"),
    "department": ("department", "dept", "business_unit"),
    "cost_center": ("cost_center", "costcenter", "cost_centre", "cc"),
    "project_code": ("project_code", "project", "project_id"),
    "workspace": ("workspace", "workspace_id"),
    "user_group": ("user_group", "group"),
    "customer": ("customer", "customer_id", "tenant", "tenant_id", "client"),
    "environment": ("environment", "env", "stage", "deployment_environment", "deployment_environment_name"),
    "data_class": ("data_class", "data_classification", "classification"),
    "request_type": ("request_type",),
    "prompt_version": ("prompt_version",),
    "category": ("category", "traffic"),
    "run_status": ("run_status",),
    "route": ("route",),
    "agent": ("agent", "agent_name"),
    "business_process": ("business_process", "process"),
    "business_purpose": ("business_purpose", "purpose"),
    "user_id": ("user_id", "user"),
    "task_id": ("task_id",),
    "satisfaction": ("satisfaction", "csat", "rating"),
    "review_minutes": ("review_minutes", "human_review_minutes"),
} | {name: (name,) for name in names(COUNTS + FLAGS)}
"""What a tag may say → the keys it is said with; case, dots, dashes and a leading ``finops.`` do not matter."""

SHAREABLE = ("team", "cost_center", "customer", "project_code", "workflow", "department")
"""Dimensions whose cost is split when a call is tagged with several values."""

OWNED = tuple(names(DIMENSIONS))


def register_owners(
    connection: duckdb.DuckDBPyConnection, organisation: Organisation, assistants: Mapping[str, Settings]
) -> None:
    """Lay the parameters' ownership out as small tables the engine can join.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Gets ``tag_aliases``, ``tag_weights``, ``key_owners``, ``team_places``, ``assistant_names`` and
        ``assistant_defaults``.
    organisation : Organisation
        Teams, virtual keys, attribution rules.
    assistants : mapping
        Name → settings, for their other names and defaults.
    """
    aliases = {alias: field for field, keys in TAG_KEYS.items() for alias in keys}
    aliases |= {_normal(key): field for key, field in organisation.attribution.tags.items()}
    weights = [
        (field, value, weight)
        for field, values in organisation.attribution.weights.items()
        for value, weight in values.items()
    ]
    titles = {}
    for name, settings in assistants.items():
        titles |= {other.lower(): name for other in (name, *settings.match, *filter(None, [settings.title]))}
    _table(connection, "tag_aliases", {"alias": list(aliases), "field": list(aliases.values())})
    _table(
        connection,
        "tag_weights",
        {key: [row[i] for row in weights] for i, key in enumerate(("field", "value"))}
        | {"weight": pa.array([row[2] for row in weights], pa.int64())},
    )
    _table(connection, "assistant_names", {"title": list(titles), "name": list(titles.values())})
    _table(
        connection,
        "team_places",
        {
            "team": list(organisation.teams),
            "department": [team.department for team in organisation.teams.values()],
            "cost_center": [team.cost_center for team in organisation.teams.values()],
        },
    )
    _owner_table(connection, "key_owners", organisation.virtual_keys)
    _owner_table(connection, "assistant_defaults", {name: s.defaults for name, s in assistants.items() if s.defaults})


def _normal(key: str) -> str:
    return key.lower().replace("-", "_").replace(".", "_").replace(" ", "_").removeprefix("finops_")


def _table(connection: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, object]) -> None:
    arrays = {
        key: value if isinstance(value, pa.Array) else pa.array(value, pa.string()) for key, value in columns.items()
    }
    connection.register("laid_out", pa.table(arrays))
    connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM laid_out")
    connection.unregister("laid_out")


def _owner_table(connection: duckdb.DuckDBPyConnection, name: str, owners: Mapping[str, Mapping[str, str]]) -> None:
    columns = {"owner_key": list(owners)} | {
        dimension: [str(values[dimension]) if dimension in values else None for values in owners.values()]
        for dimension in OWNED
    }
    _table(connection, name, columns)


def read_tags(connection: duckdb.DuckDBPyConnection, observed: str) -> None:
    """Read the tags of all rows once per distinct set of tags.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Has ``tag_aliases`` and ``tag_weights``; gets ``tag_sets``: ``tags``, one column a field of
        ``TAG_KEYS``, and ``tag_shares`` where a set names several values of one shareable dimension.
    observed : str
        Table with a column ``tags`` (list of ``key:value`` or ``key=value``).
    """
    listed = ", ".join(f"arg_min(value, place) FILTER (field = '{field}') AS {field}" for field in TAG_KEYS)
    shares = ", ".join(
        "CAST('{' || string_agg(CAST(to_json(value) AS VARCHAR) || ':' || weight, ',' ORDER BY value) "
        f"FILTER (field = '{f}') || '}}' AS JSON) AS {f}"
        for f in SHAREABLE
    )
    several = " ".join(f"WHEN len(json_keys(s.{f})) > 1 THEN json_object('{f}', s.{f})" for f in SHAREABLE)
    connection.execute(
        f"""CREATE OR REPLACE TABLE tag_sets AS
        WITH sets AS (SELECT DISTINCT tags FROM {observed} WHERE len(tags) > 0),
        numbered AS (SELECT row_number() OVER () AS id, tags FROM sets),
        parts AS (SELECT id, generate_subscripts(tags, 1) AS place, unnest(tags) AS tag FROM numbered),
        named AS (
            SELECT id, place, a.field, nullif(trim(regexp_replace(tag, '^[^:=]+[:=]', '')), '') AS value
            FROM parts JOIN tag_aliases AS a ON a.alias = regexp_replace(
                regexp_replace(lower(trim(regexp_extract(tag, '^([^:=]+)[:=]', 1))), '[-. ]', '_', 'g'), '^finops_', '')
        ), first_values AS (SELECT id, {listed} FROM named WHERE value IS NOT NULL GROUP BY id),
        weighed AS (
            SELECT DISTINCT n.id, n.field, n.value, coalesce(w.weight, 1) AS weight
            FROM named AS n LEFT JOIN tag_weights AS w ON w.field = n.field AND w.value = n.value
            WHERE n.value IS NOT NULL ORDER BY n.id, n.field, n.value
        ), shared AS (SELECT id, {shares} FROM weighed GROUP BY id)
        SELECT t.tags, f.* EXCLUDE (id), CAST(CASE {several} END AS VARCHAR) AS tag_shares
        FROM numbered AS t JOIN first_values AS f USING (id) JOIN shared AS s USING (id)"""
    )


def ranked(field: str, reader: Reader, with_tags: bool, with_keys: bool) -> list[tuple[str, str]]:
    """List what may name the value of a dimension, most trusted first.

    Parameters
    ----------
    field : str
        A dimension.
    reader : Reader
        Says what it observes and how far its tags and columns are trusted.
    with_tags, with_keys : bool
        Whether there are tags (alias ``g``) and virtual keys with owners (alias ``k``) to look at.

    Returns
    -------
    list of tuple
        Trust (tag, key, span) and SQL over ``o`` (observed), ``g`` and ``k``.

    References
    ----------
    Requirement A3.
    """
    rank = {"tag": 0, "key": 1, "span": 2}
    candidates = []
    if with_keys:
        # What the organisation says of a key goes before what a gateway's own table says of it.
        candidates.append(("key", f"k.{field}"))
    if field in reader.observed:
        candidates.append((reader.column_trust, f"o.{field}"))
    if with_tags and field in TAG_KEYS:
        candidates.append((reader.tag_trust, f"g.{field}"))
    return sorted(candidates, key=lambda pair: rank[pair[0]])


def split_shares(text: str) -> tuple[str, dict[str, int]]:
    """Read ``tag_shares``: the dimension and the weight of each of its values.

    Parameters
    ----------
    text : str
        JSON, e.g. ``{"team":{"a":1,"b":2}}``.

    Returns
    -------
    tuple
        Dimension and value → weight, values in order.

    Examples
    --------
    >>> split_shares('{"team":{"b":2,"a":1}}')
    ('team', {'a': 1, 'b': 2})
    """
    ((dimension, weights),) = json.loads(text).items()
    return dimension, dict(sorted(weights.items()))
