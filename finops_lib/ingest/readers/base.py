"""Reader: what one export format calls things, and how its counts are to be understood."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from finops_lib.ingest.engine import quoted
from finops_lib.ingest.reading.tokens import RAW
from finops_lib.schema import AMOUNTS, COUNTS, DIMENSIONS, FLAGS, names

OBSERVED = (
    "kind",
    "unreadable",
    "span_id",
    "parent_id",
    "span_name",
    "request_id",
    "twin_key",
    "provider_response_id",
    "task_id",
    "user_id",
    "started",
    "ended",
    "updated",
    "latency",
    *RAW,
    "input_basis",
    "reasoning_basis",
    "basis_given",
    "cache_hit",
    "cache_key",
    "assistant_name",
    "business_process",
    "business_purpose",
    "fallback_model",
    "satisfaction",
    "request_count",
    "tags",
    *names(DIMENSIONS),
    *names(COUNTS),
    *names(FLAGS),
    *names(AMOUNTS),
)
"""Everything a reader may say of a record, as text (``tags`` as a list of ``key:value``); the rest is null.

``unreadable`` says why a record of the kind ``call`` or ``bucket`` cannot be one."""

Trust = Literal["tag", "key", "span"]
Expand = Callable[[Any], Iterable[Any]]


@dataclass(frozen=True)
class Reader:
    """One export format.

    Parameters
    ----------
    name : str
        Name for ``finops ingest --format``.
    layer : str
        Capture layer: gateway, trace, provider_log or provider_usage.
    fields : dict
        Fields of a record → ``VARCHAR`` or ``JSON``.
    select : dict
        Name of ``OBSERVED`` → SQL over the fields.
    relation : str
        SQL relation the select reads; has ``source_file`` and ``source_position``.
    input_basis, reasoning_basis : str
        The source's convention: are cached tokens inside the input, is reasoning inside the output.
    basis_given : bool
        The convention is declared by the user, so counts that contradict it are faults.
    signature : tuple of frozenset
        Field names any of which sets marks a record as being of this format.
    unwrap : callable, optional
        Turns a JSON document with an envelope into records.
    aggregated : bool
        Records are buckets of many calls.
    tag_trust, column_trust : str
        How far tags and columns of this source are trusted when they name an owner.
    row_limit : int, optional
        Rows at which the tool cuts an export off.
    shares_tasks : bool
        Rows of a task form a tree by parent ids, so that a parent may repeat its children's usage.
    """

    name: str
    layer: str
    fields: dict[str, str]
    select: dict[str, str]
    relation: str = "records"
    input_basis: str = "inclusive"
    reasoning_basis: str = "inside"
    basis_given: bool = False
    signature: tuple[frozenset[str], ...] = ()
    unwrap: Expand | None = None
    aggregated: bool = False
    tag_trust: Trust = "tag"
    column_trust: Trust = "tag"
    row_limit: int | None = None
    shares_tasks: bool = False
    constants: dict[str, str] = field(default_factory=dict)

    @property
    def observed(self) -> frozenset[str]:
        """Names of ``OBSERVED`` this source can say anything of; the others are null in all its rows."""
        return frozenset(self.select) | frozenset(self.constants)

    def observations_sql(self) -> str:
        """Write the SQL that yields one row of ``OBSERVED`` per record."""
        defaults = {
            "kind": "'call'",
            "input_basis": f"'{self.input_basis}'",
            "reasoning_basis": f"'{self.reasoning_basis}'",
            "basis_given": "true" if self.basis_given else "false",
            "tags": "CAST([] AS VARCHAR[])",
        }
        chosen = {name: self.select.get(name) or defaults.get(name) or "CAST(NULL AS VARCHAR)" for name in OBSERVED}
        for name, value in self.constants.items():
            chosen[name] = f"coalesce(blank({chosen[name]}), {quoted(value)})"
        listed = ",\n    ".join(f"{expression} AS {name}" for name, expression in chosen.items())
        return f"SELECT source_file, source_position,\n    {listed}\nFROM {self.relation}"


MACROS = """
CREATE OR REPLACE MACRO blank(value) AS
    CASE WHEN value < '!' OR value LIKE '% ' THEN nullif(trim(value), '') ELSE value END;
CREATE OR REPLACE MACRO parsed(value) AS
    CASE WHEN json_type(value) = 'VARCHAR' THEN TRY_CAST((value ->> '$') AS JSON) ELSE value END;
CREATE OR REPLACE MACRO readable(value) AS coalesce(TRY_CAST(value AS JSON),
    TRY_CAST(regexp_replace(value, '\\\\u[dD][89a-fA-F][0-9a-fA-F]{2}', '\ufffd', 'g') AS JSON));
CREATE OR REPLACE MACRO pointer(key) AS '/' || replace(replace(key, '~', '~0'), '/', '~1');
CREATE OR REPLACE MACRO object_tags(value) AS
    CASE WHEN json_type(value) = 'OBJECT' THEN list_transform(
        list_filter(json_keys(value), lambda k: json_type(value, pointer(k))
            IN ('VARCHAR', 'BIGINT', 'UBIGINT', 'DOUBLE', 'BOOLEAN')),
        lambda k: k || ':' || (value ->> pointer(k))) ELSE [] END;
CREATE OR REPLACE MACRO array_tags(value) AS
    CASE WHEN json_type(value) = 'ARRAY' THEN list_filter(CAST(value AS VARCHAR[]), lambda t: t IS NOT NULL)
    ELSE [] END;
CREATE OR REPLACE MACRO whole(value) AS CASE
    WHEN contains(value, '_') THEN NULL
    WHEN contains(value, '.') OR contains(value, 'e') OR contains(value, 'E') THEN
        CASE WHEN TRY_CAST(value AS DOUBLE) = TRY_CAST(value AS DECIMAL(15, 0))
            THEN CAST(TRY_CAST(value AS DECIMAL(15, 0)) AS BIGINT) END
    ELSE CAST(TRY_CAST(value AS DECIMAL(15, 0)) AS BIGINT) END;
CREATE OR REPLACE MACRO duration(value) AS CASE WHEN value >= 0 AND value < CAST('infinity' AS DOUBLE) THEN value END;
CREATE OR REPLACE MACRO size(value) AS abs(TRY_CAST(value AS DOUBLE));
CREATE OR REPLACE MACRO since_1970(micros) AS make_timestamptz(CAST(round(micros) AS BIGINT));
CREATE OR REPLACE MACRO instant(value) AS coalesce(
    TRY_CAST(value AS TIMESTAMPTZ),
    CASE
        WHEN size(value) IS NULL THEN NULL
        WHEN size(value) < 1e11 THEN since_1970(CAST(value AS DOUBLE) * 1e6)
        WHEN size(value) < 1e14 THEN since_1970(CAST(value AS DOUBLE) * 1e3)
        WHEN size(value) < 1e17 THEN since_1970(CAST(value AS DOUBLE))
        WHEN size(value) < 1e20 THEN make_timestamptz(CAST(TRY_CAST(value AS HUGEINT) // 1000 AS BIGINT))
    END);
"""
"""SQL macros readers use: text without blanks, JSON inside a JSON string or cut in half a character, ``key:value``
tags, whole numbers of at most 15 digits (their sums overflow nothing), a time in any unit."""


def first(*expressions: str) -> str:
    """Write SQL for the first of several expressions that is not null."""
    return f"coalesce({', '.join(expressions)})"


def paths(value: str, *keys: str) -> str:
    """Write SQL for the first of several JSON paths that holds something.

    Parameters
    ----------
    value : str
        SQL of a JSON value.
    *keys : str
        JSON paths such as ``$.usage.input`` or ``$."prompt_details.cache_read"``.

    Returns
    -------
    str
        SQL of a text value; one parse of the JSON for all paths.
    """
    listed = ", ".join("'" + key + "'" for key in keys)
    return f"list_filter(json_extract_string({value}, [{listed}]), lambda x: x IS NOT NULL)[1]"
