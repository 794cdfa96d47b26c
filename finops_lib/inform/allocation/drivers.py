"""Allocation drivers: how much of each measure every receiver used, so that shared cost follows use."""

from __future__ import annotations

import pandas as pd

from finops_lib.inform.measures import ratio
from finops_lib.inform.scope import DAY, TEXT, months
from finops_lib.schema import TOKENS, USAGE, names

GRAIN = ("environment", "assistant", "provider", "model")
COLUMNS = ("driver", "receiver", "receiver_type", *GRAIN, "value")
_MEASURES = {column.name for column in USAGE if column.type == "BIGINT" or column.type.startswith("DECIMAL")}
_COUNTED = {"request_count": "requests"}


def allocation_drivers(
    costs: pd.DataFrame,
    usage: pd.DataFrame,
    *,
    receiver: str,
    users: pd.DataFrame | None = None,
    volumes: pd.DataFrame | None = None,
    capacity: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Measure what each receiver used of everything that shared cost may follow.

    Parameters
    ----------
    costs : DataFrame
        Ledger of the period, one row per day × dimensions × SKU.
    usage : DataFrame
        Usage of the period, one row per day × dimensions.
    receiver : str
        Dimension that receives cost, e.g. ``team``.
    users : DataFrame, optional
        Distinct users: the receiver and ``users``.
    volumes : DataFrame, optional
        Storage, log and retrieval volumes by assistant and day; those of the usage's months count.
    capacity : DataFrame, optional
        Provisioned throughput by hour or day, with ``used_share``; those of the usage's months count.

    Returns
    -------
    DataFrame
        One row per driver, receiver (null: use that names none), environment, assistant, provider and model, with
        ``value`` in the driver's unit. Drivers are ``requests``, ``tokens``, ``cost`` (contracted, USD),
        ``active_users``, every other measure of usage and volumes by its name, and ``used_share`` of provisioned
        capacity by model, with the team it was bought for as the receiver.

    Notes
    -----
    Volumes name an assistant. For other receivers they are passed on by the receivers' requests to that assistant;
    an assistant without requests keeps its volume, and no receiver gets it. A measure that volumes give replaces
    the one of usage.

    References
    ----------
    Requirement C1.
    """
    found = [_of_usage(usage, receiver), _of_costs(costs, receiver)]
    if users is not None:
        found.append(_column(users, receiver).assign(driver="active_users", value=users["users"].astype("float64")))
    if volumes is not None and len(volumes):
        given = _of_volumes(volumes, usage, receiver)
        measured = set(given["driver"])
        found = [frame[~frame["driver"].isin(measured)] for frame in found] + [given]
    if capacity is not None and len(capacity):
        found.append(_of_capacity(capacity, usage, receiver))
    drivers = pd.concat([frame.assign(receiver_type=receiver) for frame in found], ignore_index=True)
    drivers = drivers.reindex(columns=list(COLUMNS))
    texts = [name for name in COLUMNS if name != "value"]
    drivers[texts] = drivers[texts].astype(TEXT)
    drivers["value"] = drivers["value"].astype("float64")
    return drivers.sort_values(list(COLUMNS[:-1]), ignore_index=True)


def _of_usage(usage: pd.DataFrame, receiver: str) -> pd.DataFrame:
    measures = [name for name in usage.columns if name in _MEASURES and name not in ("context_tier", "ambiguous_count")]
    values = usage[measures].fillna(0).astype("float64")
    values["tokens"] = values[[name for name in names(TOKENS) if name in measures]].sum(axis=1)
    return _summed(usage, values.rename(columns=_COUNTED), receiver)


def _of_costs(costs: pd.DataFrame, receiver: str) -> pd.DataFrame:
    return _summed(costs, costs.reindex(columns=["contracted_cost"]).set_axis(["cost"], axis=1), receiver)


def _of_volumes(volumes: pd.DataFrame, usage: pd.DataFrame, receiver: str) -> pd.DataFrame:
    volumes = _of_months(volumes, volumes["date"], usage)
    summed = volumes["quantity"].astype("float64").groupby([volumes["assistant"], volumes["measure"]]).sum()
    given = summed.rename("value").rename_axis(["assistant", "driver"]).reset_index()
    if receiver == "assistant":
        return given.assign(receiver=given["assistant"])
    requests = _of_usage(usage, receiver)
    requests = requests[(requests["driver"] == "requests") & requests["assistant"].notna()]
    whole = requests.groupby("assistant")["value"].sum()
    requests = requests.assign(part=ratio(requests["value"], requests["assistant"].map(whole)))
    parts = requests[["assistant", "environment", "provider", "model", "receiver", "part"]]
    passed = given.merge(parts, on="assistant", how="left")
    passed["value"] = passed["value"] * passed["part"].fillna(1.0)
    return passed.drop(columns="part")


def _of_capacity(capacity: pd.DataFrame, usage: pd.DataFrame, receiver: str) -> pd.DataFrame:
    capacity = _of_months(capacity, capacity["timestamp"], usage)
    size = capacity["units"].astype("float64") * capacity["hours"].astype("float64")
    named = pd.DataFrame({"model": capacity["model"], "receiver": None, "size": size})
    if receiver in capacity.columns:
        named["receiver"] = capacity[receiver]
    named["used"] = size * capacity["used_share"].astype("float64").fillna(0.0)
    summed = named.groupby("model").agg({"size": "sum", "used": "sum", "receiver": "first"}).reset_index()
    summed["value"] = ratio(summed["used"], summed["size"])
    return summed[["model", "receiver", "value"]].assign(driver="used_share")


def _of_months(frame: pd.DataFrame, moments: pd.Series, usage: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows in the months of the usage."""
    dated = moments.rename(DAY).astype(str).str.slice(0, 10).to_frame()
    return frame[months(dated).isin(months(usage[[DAY]]).unique()).to_numpy()]


def _summed(frame: pd.DataFrame, values: pd.DataFrame, receiver: str) -> pd.DataFrame:
    """Sum measures at the grain of drivers, one row per measure; rows of nothing are left out."""
    keys = [_column(frame, name)["receiver"].rename(name) for name in GRAIN]
    keys.append(_column(frame, receiver)["receiver"])
    summed = values.astype("float64").groupby(keys, dropna=False).sum().reset_index()
    tall = summed.melt(id_vars=[*GRAIN, "receiver"], var_name="driver", value_name="value")
    return tall[tall["value"] != 0]


def _column(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a dimension as the column ``receiver``, empty texts as nulls."""
    if name not in frame.columns:
        return pd.DataFrame({"receiver": pd.Series(pd.NA, index=frame.index, dtype=TEXT)})
    text = frame[name].astype(TEXT)
    return pd.DataFrame({"receiver": text.mask(text == "")})
