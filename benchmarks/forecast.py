"""Measure the forecast on real daily series against its peers in one run, by group.

Bars, on series kept apart: weighted quantile loss 0.115 at 30 and 0.135 at 90 days, MASE 1.10 at 30 days, 80%
intervals that hold 76–84% and 95% intervals that hold 93–97% of the days at 30 days, month-end error 0.076, 0.060
and 0.047 at day 10, 15 and 20 and nowhere above the run-rate's, 0.2 s a series. Context at most 365 days; relative
errors are capped at 200% a window. The series are no part of the kit.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from finops_lib.inform import fit_panel, forecast_daily, project

SERIES = Path(__file__).parents[1] / ".." / "shared" / "data" / "series" / "daily.parquet"
QUANTILES = np.array([0.025, 0.10, 0.50, 0.90, 0.975])
COLUMNS = ["lower_95", "lower_80", "mean", "upper_80", "upper_95"]
LONGEST, CONTEXT = 90, 365
CAP = 2.0
Forecaster = Callable[[pd.Series], np.ndarray]


def read_series(path: Path, every: int) -> dict[str, tuple[str, pd.Series]]:
    """Read group and values of each series; one that is dead is left out."""
    frame = pd.read_parquet(path)
    names = [name for name in sorted(frame["series_id"].unique()) if name != "m5_3"][::every]
    rows = {name: frame[frame["series_id"] == name].set_index("ds") for name in names}
    return {name: (row["group"].iloc[0], row["y"].set_axis(row.index.normalize())) for name, row in rows.items()}


def gaussian(middle: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Put normal quantiles around a point forecast."""
    return middle[:, None] + spread[:, None] * norm.ppf(QUANTILES)


def run_rate(known: pd.Series) -> np.ndarray:
    """Carry the average of 28 days on."""
    recent = known.iloc[-28:]
    return gaussian(np.full(LONGEST, recent.mean()), np.full(LONGEST, recent.std()))


def weekday_naive(known: pd.Series) -> np.ndarray:
    """Repeat the last week; the spread grows with the number of weeks."""
    errors = known.diff(7).iloc[-91:].std()
    weeks = np.arange(LONGEST) // 7 + 1
    return gaussian(np.resize(known.iloc[-7:].to_numpy(), LONGEST), errors * np.sqrt(weeks))


def theta(known: pd.Series) -> np.ndarray:
    """Fit statsmodels' Theta with a weekly season."""
    from statsmodels.tsa.forecasting.theta import ThetaModel

    fitted = ThetaModel(known.asfreq("D").interpolate(), period=7).fit()
    wide, narrow = (fitted.prediction_intervals(LONGEST, alpha=alpha).to_numpy() for alpha in (0.05, 0.2))
    return np.column_stack([wide[:, 0], narrow[:, 0], fitted.forecast(LONGEST), narrow[:, 1], wide[:, 1]])


def exponential_smoothing(known: pd.Series) -> np.ndarray:
    """Fit statsmodels' ETS with damped trend and a weekly season."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    model = ETSModel(
        known.asfreq("D").interpolate(), trend="add", damped_trend=True, seasonal="add", seasonal_periods=7
    )
    fitted = model.fit(disp=False, maxiter=200)
    ahead = fitted.get_prediction(start=len(known), end=len(known) + LONGEST - 1)
    wide, narrow = (ahead.pred_int(alpha=alpha).to_numpy() for alpha in (0.05, 0.2))
    return np.column_stack([wide[:, 0], narrow[:, 0], ahead.predicted_mean, narrow[:, 1], wide[:, 1]])


def prophet(known: pd.Series) -> np.ndarray:
    """Fit Prophet as it comes."""
    from prophet import Prophet

    model = Prophet(uncertainty_samples=500).fit(pd.DataFrame({"ds": known.index, "y": known.to_numpy()}))
    draws = model.predictive_samples(model.make_future_dataframe(LONGEST, include_history=False))["yhat"]
    return np.quantile(draws, QUANTILES, axis=1).T


def kit(known: pd.Series) -> np.ndarray:
    """Forecast with the kit."""
    return forecast_daily(known, LONGEST)[COLUMNS].to_numpy()


def origins(length: int, count: int) -> list[int]:
    """Spread origins over a series so that 90 days follow each."""
    first = CONTEXT if length > CONTEXT + 2 * LONGEST else min(LONGEST, length - LONGEST)
    return sorted({int(end) for end in np.linspace(first, length - LONGEST, count)})


def measure(known: pd.Series, came: np.ndarray, fan: np.ndarray) -> dict[str, float]:
    """Compare one forecast with what came."""
    days, spent = len(came), np.abs(came).sum()
    fan = np.maximum(fan[:days], 0)
    over = came[:, None] - fan
    loss = 2 * np.maximum(QUANTILES * over, (QUANTILES - 1) * over).sum(axis=0).mean() / spent
    error = np.abs(over[:, 2]).mean()
    return {
        "wql": min(loss, CAP),
        "mase": error / max(known.diff(7).abs().mean(), 1e-9),
        "wape": min(error * days / spent, CAP),
        "coverage_80": float(((came >= fan[:, 1]) & (came <= fan[:, 3])).mean()),
        "coverage_95": float(((came >= fan[:, 0]) & (came <= fan[:, 4])).mean()),
        "total_error": min(abs(fan[:, 2].sum() - came.sum()) / spent, CAP),
    }


def daily_errors(series: dict[str, tuple[str, pd.Series]], peers: dict[str, Forecaster], count: int) -> pd.DataFrame:
    """Measure every peer at every origin for 30 and 90 days."""
    rows = []
    for group, values in series.values():
        for end in origins(len(values), count):
            known, came = values.iloc[max(0, end - CONTEXT) : end], values.iloc[end : end + LONGEST].to_numpy()
            if came[:30].sum() <= 0:
                continue
            for name, forecast in peers.items():
                begun = time.perf_counter()
                fan = forecast(known)
                seconds = time.perf_counter() - begun
                for days in (30, LONGEST):
                    found = measure(known, came[:days], fan)
                    rows.append({"method": name, "group": group, "days": days, "seconds": seconds} | found)
    return pd.DataFrame(rows)


def month_errors(series: dict[str, tuple[str, pd.Series]], months: int) -> pd.DataFrame:
    """Measure the month-end projection at day 10, 15 and 20 against the run-rate."""
    rows = []
    for group, values in series.values():
        counted = values.groupby(values.index.to_period("M")).agg(["size", "sum"])
        whole = counted[(counted["size"] == counted.index.days_in_month) & (counted["sum"] > 0)].iloc[2:]
        for month, total in whole["sum"].iloc[-months:].items():
            for day in (10, 15, 20):
                as_of = month.start_time + pd.Timedelta(days=day - 1)
                known = values[:as_of].iloc[-CONTEXT:]
                found = project(known, as_of, periods=("month",)).iloc[0]
                for name, said in (("kit", found["projected"]), ("run-rate", found["run_rate"])):
                    error = min(abs(said - total) / total, CAP)
                    rows.append({"method": name, "group": group, "day": day, "error": error})
    return pd.DataFrame(rows)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=Path, default=SERIES, help="Parquet file: series_id, group, ds, y")
    parser.add_argument("--every", type=int, default=1, help="take every n-th series")
    parser.add_argument("--origins", type=int, default=4, help="origins a series")
    parser.add_argument("--months", type=int, default=10, help="months a series for the month-end projection")
    parser.add_argument("--peers", action="store_true", help="statsmodels' Theta and ETS, and Prophet, too (slow)")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    chosen = parser.parse_args()
    if not chosen.series.exists():
        sys.exit(f"{chosen.series.name} is not there: give a file of daily series with --series")
    warnings.simplefilter("ignore")
    series = read_series(chosen.series, chosen.every)
    begun = time.perf_counter()
    fit_panel()
    fitting = time.perf_counter() - begun
    peers = {"kit": kit, "run-rate": run_rate, "weekday naive": weekday_naive}
    if chosen.peers:
        peers |= {"Theta": theta, "ETS": exponential_smoothing}
        if importlib.util.find_spec("prophet"):
            peers["Prophet"] = prophet
    daily = daily_errors(series, peers, chosen.origins)
    months = month_errors(series, chosen.months)
    tables = {
        "days": daily.groupby(["days", "method"]).mean(numeric_only=True),
        "days_by_group": daily.pivot_table(index=["days", "method"], columns="group", values="wql"),
        "month_end": months.pivot_table(index="method", columns="day", values="error"),
        "month_end_by_group": months.pivot_table(index=["group", "method"], columns="day", values="error"),
    }
    if chosen.json:
        found: dict[str, Any] = {
            name: json.loads(table.reset_index().to_json(orient="records")) for name, table in tables.items()
        }
        sys.stdout.write(json.dumps({"series": len(series), "fitting_s": fitting} | found) + "\n")
        return
    print(f"{len(series)} series, the model fitted in {fitting:.1f} s")
    for name, table in tables.items():
        print(f"\n{name.replace('_', ' ')}\n{table.round(3).to_string()}")


if __name__ == "__main__":
    main()
