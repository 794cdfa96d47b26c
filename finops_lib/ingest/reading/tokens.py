"""Token buckets: from counts as received to disjoint classes that add up to the total of a call.

Sources disagree on whether cached tokens are inside the input and reasoning inside the output. Each row is
decided by its own total where one is given, by its source's convention otherwise. Nothing is clamped: a count
that comes out negative sends the row to quarantine.
"""

from __future__ import annotations

from collections.abc import Collection

from finops_lib.schema import TOKEN_CLASSES

ABSURD_TOKENS = 100_000_000
RAW = (
    "raw_input",
    "raw_output",
    "raw_total",
    "raw_cache_read",
    "raw_cache_write",
    "raw_cache_write_5m",
    "raw_cache_write_1h",
    "raw_reasoning",
    "raw_audio_input",
    "raw_cache_read_audio",
    "raw_audio_output",
)
"""Counts as received, in the names readers use."""


_COUNTED_FROM = {
    "cache_read": {"raw_cache_read"},
    "cache_write_5m": {"raw_cache_write", "raw_cache_write_5m"},
    "cache_write_1h": {"raw_cache_write_1h"},
    "audio_input": {"raw_audio_input"},
    "cache_read_audio": {"raw_cache_read_audio"},
    "reasoning": {"raw_reasoning"},
    "audio_output": {"raw_audio_output"},
}


def counted_columns(observed: Collection[str]) -> list[str]:
    """List the token classes a source can count; of the others it has none.

    Parameters
    ----------
    observed : collection of str
        Names of ``RAW`` the source gives, among others.

    Returns
    -------
    list of str
        Columns of ``schema.TOKEN_CLASSES``; plain input and output are always counted.

    Examples
    --------
    >>> counted_columns({"raw_input", "raw_output", "raw_cache_read"})
    ['uncached_input_tokens', 'cache_read_input_tokens', 'visible_output_tokens']
    """
    return [
        column
        for name, column in TOKEN_CLASSES.items()
        if name not in _COUNTED_FROM or not _COUNTED_FROM[name].isdisjoint(observed)
    ]


def bucket_sql(relation: str) -> str:
    """Write the SQL that adds disjoint token classes to rows with raw counts.

    Parameters
    ----------
    relation : str
        A relation with the BIGINT columns of ``RAW`` and the text columns ``input_basis`` (inclusive or
        exclusive), ``reasoning_basis`` (inside or outside) and ``basis_given`` (true where the source's
        convention is declared by the user and not to be guessed from the counts).

    Returns
    -------
    str
        A select with all columns of the relation, the token classes of ``schema.TOKEN_CLASSES`` and
        ``usage_basis`` (inclusive, exclusive or ambiguous).

    Notes
    -----
    With ``cached = cache reads + cache writes``:

    * inclusive when ``input + output = total``, exclusive when ``input + cached + output = total`` (reasoning
      may stand beside the output in both; ±1 is forgiven after the exact forms); without a total, exclusive
      when ``cached > input``, else as the source does it.
    * reasoning stands outside the output when the total says so or it exceeds the output, else as the source
      does it.
    * a total that no form reaches makes the row ambiguous: counted, and shown with its share.

    References
    ----------
    OpenTelemetry GenAI semantic conventions (input includes cached tokens, output includes reasoning);
    Anthropic Messages API and Amazon Bedrock (input excludes cached tokens); requirement A1.
    """
    return f"""
    WITH counts AS (
        SELECT *,
            coalesce(raw_input, 0) AS i, coalesce(raw_output, 0) AS o, nullif(raw_total, 0) AS t,
            coalesce(raw_cache_read, 0) AS cr, coalesce(raw_cache_write_1h, 0) AS w1,
            greatest(coalesce(raw_cache_write, 0) - coalesce(raw_cache_write_1h, 0),
                     coalesce(raw_cache_write_5m, 0)) AS w5,
            coalesce(raw_reasoning, 0) AS rs, coalesce(raw_audio_input, 0) AS ai,
            coalesce(raw_cache_read_audio, 0) AS cra, coalesce(raw_audio_output, 0) AS ao
        FROM {relation}
    ), basis AS (
        SELECT *, cr + w5 + w1 AS cached,
            CASE
                WHEN cr + w5 + w1 = 0 OR basis_given THEN input_basis
                WHEN t IN (i + o, i + o + rs) THEN 'inclusive'
                WHEN t IN (i + cr + w5 + w1 + o, i + cr + w5 + w1 + o + rs) THEN 'exclusive'
                WHEN abs(i + o - t) <= 1 THEN 'inclusive'
                WHEN abs(i + cr + w5 + w1 + o - t) <= 1 THEN 'exclusive'
                WHEN cr + w5 + w1 > i THEN 'exclusive'
                ELSE input_basis
            END AS decided
        FROM counts
    ), totals AS (
        SELECT *, CASE decided WHEN 'inclusive' THEN i ELSE i + cached END AS input_total,
            CASE
                WHEN rs = 0 OR basis_given THEN reasoning_basis
                WHEN CASE decided WHEN 'inclusive' THEN i ELSE i + cached END + o + rs = t THEN 'outside'
                WHEN CASE decided WHEN 'inclusive' THEN i ELSE i + cached END + o = t THEN 'inside'
                WHEN abs(CASE decided WHEN 'inclusive' THEN i ELSE i + cached END + o - t) <= 1 THEN 'inside'
                WHEN abs(CASE decided WHEN 'inclusive' THEN i ELSE i + cached END + o + rs - t) <= 1 THEN 'outside'
                WHEN rs > o THEN 'outside'
                ELSE reasoning_basis
            END AS reasoning_decided
        FROM basis
    )
    SELECT * EXCLUDE (i, o, t, cr, w1, w5, rs, ai, cra, ao, cached, decided, reasoning_decided, input_total),
        input_total - cached - (ai - cra) AS uncached_input_tokens,
        cr - cra AS cache_read_input_tokens,
        w5 AS cache_write_5m_input_tokens,
        w1 AS cache_write_1h_input_tokens,
        ai - cra AS audio_input_tokens,
        cra AS cache_read_audio_input_tokens,
        CASE reasoning_decided WHEN 'inside' THEN o - rs ELSE o END - ao AS visible_output_tokens,
        rs AS reasoning_output_tokens,
        ao AS audio_output_tokens,
        CASE
            WHEN t IS NULL OR abs(input_total + o - t) <= 1 OR abs(input_total + o + rs - t) <= 1 THEN decided
            ELSE 'ambiguous'
        END AS usage_basis
    FROM totals
    """


def fault_sql(limit: int | None = ABSURD_TOKENS) -> str:
    """Write the SQL that names what is wrong with a row's counts; null when nothing is.

    Parameters
    ----------
    limit : int or None
        Most tokens one call can have; none for buckets of many calls.

    Returns
    -------
    str
        A CASE expression over raw counts and token classes.
    """
    raw_negative = " OR ".join(f"{name} < 0" for name in RAW)
    absurd = " OR ".join(f"{name} > {limit}" for name in RAW) if limit else "false"
    negative = " OR ".join(f"{column} < 0" for column in TOKEN_CLASSES.values())
    return f"""CASE
        WHEN {raw_negative} THEN 'negative token count'
        WHEN {absurd} THEN 'absurd token count: over {limit or 0:,} in one call'
        WHEN uncached_input_tokens + audio_input_tokens < 0 THEN 'cached tokens exceed input tokens'
        WHEN visible_output_tokens + audio_output_tokens < 0 THEN 'reasoning tokens exceed output tokens'
        WHEN {negative} THEN 'token counts contradict each other'
    END"""
