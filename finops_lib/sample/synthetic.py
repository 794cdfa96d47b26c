"""Synthetic requests: a canonical request log of any length, for benchmarks, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import pyarrow as pa

from finops_lib.sample.organisation import PRICES, SEED, TEAMS
from finops_lib.sample.workflows import WORKFLOWS

CHUNK = 1_000_000
_DIMENSIONS = (
    "provider",
    "model",
    "assistant",
    "workflow",
    "team",
    "environment",
    "data_class",
    "service_tier",
    "run_status",
)
_USERS = 20_000
_PROFILES = 1_230
_DAY_US = 86_400_000_000


def synthetic_requests(
    rows: int, *, seed: int = SEED, start: date = date(2026, 7, 1), days: int = 123
) -> Iterator[pa.RecordBatch]:
    """Generate a request log in the columns of ``schema.REQUESTS``.

    Parameters
    ----------
    rows : int
        How many requests.
    seed : int
        Seed of the random numbers; each batch has a stream of its own.
    start : date
        First day (UTC).
    days : int
        Length of the log; rows are spread over it in order of time, fewer at weekends.

    Yields
    ------
    RecordBatch
        At most a million rows of 25 columns. Nine dimensions hang together: 1,230 combinations occur, so that
        123 days hold about 150 thousand groups of day and dimensions.

    Examples
    --------
    >>> batch = next(synthetic_requests(1000))
    >>> batch.num_rows, batch.num_columns
    (1000, 25)
    """
    profiles = _profiles(seed)
    weekday = (start.weekday() + np.arange(days)) % 7
    begun = np.concatenate([[0.0], np.add.accumulate(np.where(weekday >= 5, 0.35, 1.0))])
    first_us = (start - date(1970, 1, 1)).days * _DAY_US
    for number, low in enumerate(range(0, rows, CHUNK)):
        count = min(CHUNK, rows - low)
        random = np.random.Generator(np.random.PCG64([seed, 700, number]))
        place = (low + np.arange(count) + random.random(count)) / rows * begun[-1]
        moment = np.interp(place, begun, np.arange(days + 1))
        yield _batch(profiles, random, low, (first_us + moment * _DAY_US).astype(np.int64))


def _profiles(seed: int) -> dict[str, object]:
    """Draw the combinations of dimensions, their weights, token sizes and prices."""
    random = np.random.Generator(np.random.PCG64([seed, 701])).random
    chat = [price for price in PRICES if not price.above and "output" in price.usd_per_million]
    models = {price.model: price for price in chat}
    workflows = [w for w in WORKFLOWS if w.assistant and w.output]
    drawn: dict[tuple[str, ...], float] = {}
    while len(drawn) < _PROFILES:
        u = random(7)
        workflow = workflows[int(u[0] * len(workflows))]
        price = list(models.values())[int(u[1] * len(models))]
        environment = "production" if u[3] < 0.6 else "staging" if u[3] < 0.8 else "sandbox"
        status = "ok" if u[4] < 0.75 else "error" if u[4] < 0.9 else "abandoned"
        key = (
            price.provider,
            price.model,
            workflow.assistant,
            workflow.name,
            list(TEAMS)[int(u[2] * len(TEAMS))],
            environment,
            workflow.data_class,
            "batch" if u[5] > 0.9 else "standard",
            status,
        )
        usual = (1.0 if status == "ok" else 0.15) * (1.0 if environment == "production" else 0.3)
        drawn.setdefault(key, (0.1 + u[6] * u[6] * u[6]) * usual)
    keys, weights = list(drawn), np.array(list(drawn.values()))
    shapes = {workflow.name: workflow for workflow in workflows}
    sizes = np.array([[max(shapes[key[3]].context, 100), shapes[key[3]].output] for key in keys])
    pico = np.array(
        [
            [
                int(models[key[1]].usd_per_million.get(name, 0) * 10**6)
                for name in ("uncached_input", "cache_read", "cache_write_5m", "output")
            ]
            for key in keys
        ]
    )
    names = [pa.array([key[column] for key in keys]) for column in range(len(_DIMENSIONS))]
    return {"names": names, "steps": np.add.accumulate(weights) / weights.sum(), "sizes": sizes, "pico": pico}


def _batch(profiles: dict[str, object], random: np.random.Generator, low: int, moment: np.ndarray) -> pa.RecordBatch:
    count = len(moment)
    chosen = np.searchsorted(profiles["steps"], random.random(count)).clip(max=_PROFILES - 1).astype(np.int32)
    sizes = profiles["sizes"][chosen] * (0.3 + 1.4 * random.random((count, 1)))
    inputs, output = np.floor(sizes).astype(np.int64).T + 1
    read = np.where(random.random(count) < 0.4, inputs // 2, 0)
    write = np.where(read == 0, inputs // 8, 0) * (profiles["pico"][chosen, 2] > 0)
    reasoning = np.where(random.random(count) < 0.3, output // 2, 0)
    u = random.random(count)
    hit = u < 0.02
    tokens = (inputs - read - write, read, write, output, reasoning)
    pico = profiles["pico"][chosen]
    cost = (tokens[0] * pico[:, 0] + read * pico[:, 1] + write * pico[:, 2] + (output + reasoning) * pico[:, 3]) * ~hit
    number = low + np.arange(count)
    columns: dict[str, pa.Array] = {
        "timestamp": pa.array(moment, pa.timestamp("us", tz="UTC")),
        "request_id": _names("r", number),
        "task_id": _names("t", number // 3),
        "user_id": pa.DictionaryArray.from_arrays(
            pa.array(np.floor(random.random(count) * _USERS).astype(np.int32)), _names("u", np.arange(_USERS))
        ).dictionary_decode(),
    }
    position = pa.array(chosen)
    for name, values in zip(_DIMENSIONS, profiles["names"], strict=True):
        columns[name] = values.take(position)
    classes = ("uncached_input", "cache_read_input", "cache_write_5m_input", "visible_output", "reasoning_output")
    columns |= {f"{name}_tokens": pa.array(count_of) for name, count_of in zip(classes, tokens, strict=True)}
    known = u < 0.7
    columns |= {
        "accepted": pa.array(random.random(count) < 0.8, mask=~known),
        "resolved": pa.array(random.random(count) < 0.7, mask=~known),
        "latency_ms": pa.array(300.0 + 6 * output + np.floor(u * 900)),
        "retries": pa.array(np.floor(random.random(count) * 1.04).astype(np.int64)),
        "tool_calls": pa.array(np.floor(random.random(count) * 1.5).astype(np.int64)),
        "cache_hit": pa.array(hit),
        "reported_cost": _decimals(cost),
    }
    return pa.record_batch(columns)


def _names(prefix: str, numbers: np.ndarray) -> pa.Array:
    """Write numbers as ids of equal length: their bytes are laid out in place, which is fast."""
    text = np.empty((len(numbers), 12), dtype=np.uint8)
    text[:, 0] = ord(prefix)
    rest = numbers.astype(np.int64)
    for column in range(11, 0, -1):
        rest, digit = np.divmod(rest, 10)
        text[:, column] = digit + 48
    offsets = np.arange(len(numbers) + 1, dtype=np.int32) * 12
    return pa.Array.from_buffers(pa.string(), len(numbers), [None, pa.py_buffer(offsets), pa.py_buffer(text)])


def _decimals(pico: np.ndarray) -> pa.Array:
    """Read 10⁻¹² USD as DECIMAL(18, 12): never negative, so the upper half of each number is zero."""
    words = np.zeros((len(pico), 2), dtype=np.int64)
    words[:, 0] = pico
    return pa.Array.from_buffers(pa.decimal128(18, 12), len(pico), [None, pa.py_buffer(words)])
