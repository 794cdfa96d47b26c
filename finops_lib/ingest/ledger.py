"""Ledger: the itemized, priced account of one assistant or of all, opened for a month."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

import pandas as pd

from finops_lib.errors import ParamsError
from finops_lib.files import replace_file
from finops_lib.ingest import workspace
from finops_lib.ingest.build import months_of
from finops_lib.ingest.engine import connect, fetch, quoted
from finops_lib.params import ORGANISATION, Params
from finops_lib.schema import TABLES, names

COMPLETE_FROM_HOUR = 20


@dataclass(frozen=True)
class Ledger:
    """An opened ledger.

    Parameters
    ----------
    params : Params
        Whose ledger, and by which rules.
    period : str
        The month reported on, ``YYYY-MM``; empty when the ledger holds nothing.
    as_of : date or None
        Last complete day of all data: what "yesterday" and "latest" mean.
    months : tuple of str
        Months held, in order.
    """

    params: Params
    period: str
    as_of: date | None
    months: tuple[str, ...]

    @cached_property
    def costs(self) -> pd.DataFrame:
        """All months' priced rows (``schema.LEDGER``), up to the end of the period."""
        return self._load("ledger")

    @cached_property
    def usage(self) -> pd.DataFrame:
        """All months' quantities (``schema.USAGE``), up to the end of the period."""
        return self._load("usage")

    def month(self, table: pd.DataFrame) -> pd.DataFrame:
        """Cut a frame with ``charge_period_start`` down to the period."""
        days = pd.to_datetime(table["charge_period_start"])
        return table[days.dt.strftime("%Y-%m") == self.period].reset_index(drop=True)

    @property
    def period_choices(self) -> list[str]:
        """The period, all months together, then each month: choices for a control."""
        return list(dict.fromkeys([*filter(None, [self.period]), "all", *(m for m in self.months if m <= self.period)]))

    def choices(self, dimension: str) -> list[str]:
        """List ``all`` and the values a dimension has in the ledger: choices for a control."""
        return ["all", *sorted(self.costs[dimension].dropna().unique())]

    @property
    def files(self) -> list[str]:
        """Files of the workspace the report rests on, relative to the project."""
        paths = [
            self.params.workspace / table / f"{month}.parquet" for table in ("ledger", "usage") for month in self.months
        ]
        return [
            str(path.relative_to(self.params.project)) for path in paths if path.is_relative_to(self.params.project)
        ]

    def _load(self, table: str) -> pd.DataFrame:
        paths = [self.params.workspace / table / f"{m}.parquet" for m in self.months if m <= self.period]
        paths = [path for path in paths if path.is_file()]
        with connect() as connection:
            relation = workspace.view_sql(table, paths)
            whole = self.params.assistant == ORGANISATION
            where = "" if whole else f" WHERE assistant = {quoted(self.params.assistant)}"
            listed = ", ".join(names(TABLES[table]))
            found = fetch(connection, f"SELECT {listed} FROM ({relation}){where} ORDER BY charge_period_start")
        return found.to_pandas(types_mapper=pd.ArrowDtype)


def open_ledger(params: Params) -> Ledger:
    """Open the ledger for the parameters' assistant and month.

    Parameters
    ----------
    params : Params
        From ``load_params``.

    Returns
    -------
    Ledger
        ``latest`` resolved to the month of the last complete day; without any data everything is empty.

    Raises
    ------
    ParamsError
        If the month asked for is not in the ledger, though others are.
    """
    months = months_of(params.workspace)
    last = _last_call(params)
    if not months or last is None:
        return Ledger(params, "" if params.period == "latest" else params.period, None, tuple(months))
    complete = last.hour >= COMPLETE_FROM_HOUR
    as_of = last.date() if complete else last.date() - timedelta(days=1)
    complete_months = [month for month in months if month <= f"{as_of:%Y-%m}"]
    latest = complete_months[-1] if complete_months else months[-1]
    period = latest if params.period == "latest" else params.period
    if period not in months:
        message = f"period: the ledger holds no {period}"
        raise ParamsError(message, hint=f"it holds {', '.join(months)}; or add the month's exports")
    return Ledger(params, period, as_of, tuple(months))


def pseudonym_key(params: Params) -> bytes:
    """Find the key of the user pseudonyms; make one, kept in the workspace, where none is given.

    Parameters
    ----------
    params : Params
        Names the environment variable that holds the key.

    Returns
    -------
    bytes
        The key; never part of a page or the repository.
    """
    given = os.environ.get(params.organisation.pseudonym_key_variable)
    if given:
        return given.encode()
    path = params.workspace / ".pseudonym_key"
    if not path.is_file():
        # two notebooks of a batch that start together must not make two keys
        with workspace.locked(params.workspace):
            if not path.is_file():
                replace_file(path, secrets.token_hex(32))
                path.chmod(0o600)
    return path.read_bytes()


def _last_call(params: Params) -> datetime | None:
    """Last call of all, in the reporting time zone."""
    found = []
    # A provider's day counts for the same date here, so it ends when that date does.
    last = "bucket_end - INTERVAL 1 SECOND"
    day_end = f"timezone('{params.zone.key}', date_trunc('day', timezone('UTC', {last})) + INTERVAL 86399 SECOND)"
    ended = f"CASE WHEN bucket_end - bucket_start > INTERVAL 1 HOUR THEN {day_end} ELSE {last} END"
    with connect() as connection:
        for table, moment in (("requests", "timestamp"), ("usage_buckets", ended)):
            paths = workspace.files_of(params.workspace, table)
            if paths:
                row = fetch(connection, f"SELECT max({moment}) AS last FROM {workspace.scan(paths)}").to_pylist()[0]
                found.append(row["last"])
    known = [moment for moment in found if moment is not None]
    if known:
        return max(known).astimezone(params.zone)
    # Requests that stand in a warehouse are not asked again: their last day may not have been whole.
    day = workspace.read_json(params.workspace / ".built.json", {}).get("last_day")
    return datetime.fromisoformat(day).replace(tzinfo=params.zone) if day else None
