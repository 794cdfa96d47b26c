"""Benchmark of allocation: exact parts against naive ones in pandas, as ratios of one run.

Run ``python benchmarks/allocation.py --charges 100000 --receivers 10``. Both sides split six metrics of the same
charges by the same use. The naive side multiplies floats and rounds each part to cents, and loses or invents the cents
that are counted here; the exact side splits decimals by the largest remainder and loses none.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from finops_lib.inform.allocation.allocation import METRICS, allocate
from finops_lib.inform.measures import MONEY_TYPE
from finops_lib.settings import AllocationRule

RULE = AllocationRule(name="shared", bucket="proportional", method="proportional", driver="tokens")


def make_charges(count: int, random: np.random.Generator) -> pd.DataFrame:
    """Make charges with amounts of nine decimals, one in twenty a credit."""
    charges = pd.DataFrame({"charge_id": pd.array([f"c{n}" for n in range(count)], dtype=pd.ArrowDtype(pa.string()))})
    sign = np.where(random.random(count) < 0.05, -1, 1)
    for metric in METRICS:
        units = pa.array(sign * random.integers(1, 10**12, count)).cast(pa.decimal128(19, 0))
        exact = pc.multiply(units, pa.scalar("0.000000001").cast(pa.decimal128(10, 9)))
        charges[metric] = pd.array(exact.cast(MONEY_TYPE.pyarrow_dtype), dtype=MONEY_TYPE)
    return charges


def naive(charges: pd.DataFrame, use: pd.DataFrame) -> pd.DataFrame:
    """Split as it is done by hand: a cross join, a product of floats, a rounding."""
    share = use.assign(share=use["value"] / use["value"].sum())[["receiver", "share"]]
    parts = charges.merge(share, how="cross")
    for metric in METRICS:
        parts[metric] = (parts[metric] * parts["share"]).round(2)
    return parts


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Measure one call."""
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def main() -> None:
    """Measure both sides in turns and print the ratio of their medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--charges", type=int, default=100_000)
    parser.add_argument("--receivers", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    random = np.random.default_rng(0)
    charges = make_charges(options.charges, random)
    receivers = [f"team-{n:03d}" for n in range(options.receivers)]
    use = pd.DataFrame(
        {"driver": "tokens", "receiver": receivers, "value": random.integers(1, 10**9, options.receivers)}
    )
    floats = charges.astype(dict.fromkeys(METRICS, "float64"))
    took: dict[str, list[float]] = {"exact": [], "naive": []}
    for _ in range(options.rounds):
        spent, exact = seconds(lambda: allocate(charges, [RULE], use).allocations)
        took["exact"].append(spent)
        spent, rounded = seconds(lambda: naive(floats, use))
        took["naive"].append(spent)
    whole = charges["billed_cost"].sum()
    exact_seconds, naive_seconds = (statistics.median(took[side]) for side in ("exact", "naive"))
    sums = rounded.groupby("charge_id")["billed_cost"].sum().round(2)
    whole_cents = floats.set_index("charge_id")["billed_cost"].round(2)
    found = {
        "charges": options.charges,
        "receivers": options.receivers,
        "parts": len(exact),
        "exact_seconds": round(exact_seconds, 3),
        "naive_seconds": round(naive_seconds, 3),
        "ratio": round(exact_seconds / naive_seconds, 2),
        "exact_error_usd": float(exact["billed_cost"].sum() - whole),
        "naive_error_usd": round(float(rounded["billed_cost"].sum()) - float(whole), 2),
        "charges_the_naive_parts_miss": int((sums != whole_cents.reindex(sums.index)).sum()),
    }
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name.replace('_', ' '):32} {value:>12,}")


if __name__ == "__main__":
    main()
