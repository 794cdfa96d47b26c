"""The month of record: all charges of a month and who gets them, as exports and closed books need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finops_lib.errors import ParamsError

if TYPE_CHECKING:
    import pandas as pd

    from finops_lib.inform import Allocation
    from finops_lib.params import Params


_NOTHING = "the workspace holds no calls and no bills yet"
_SOURCES = "name their files under `sources` in parameters/organisation.yaml"


def latest_month(params: Params) -> str:
    """Name the last month of the ledger; without any calls that of the bills."""
    import pandas as pd

    from finops_lib import ingest

    period = ingest.open_ledger(params.model_copy(update={"period": "latest"})).period
    billed = ingest.load_charges(params)["billing_period_start"].max() if not period else None
    if not period and pd.isna(billed):
        raise ParamsError(_NOTHING, hint=_SOURCES)
    return period or f"{billed:%Y-%m}"


def charges_of_month(params: Params, period: str) -> pd.DataFrame:
    """List the charges of a month; a closed one keeps the true-ups it was closed with, one without any is refused."""
    from finops_lib import inform, ingest

    ingest.refresh_ledger(params)
    ledger = ingest.open_ledger(params.model_copy(update={"period": period}))
    bills = ingest.load_charges(params)
    if not ledger.months and bills.empty:
        raise ParamsError(_NOTHING, hint=_SOURCES)
    if period in set(ingest.closed_months(params)["month"]):
        return inform.charges_of_record(ledger.costs, bills, ingest.closed_true_ups(params, period), period)
    rules, billing = params.organisation.reconciliation, ingest.billing_usage(params, [period])
    return inform.reconciled_charges(ledger.costs, bills, month=period, settings=rules, billing=billing)


def allocation_of_month(params: Params, period: str) -> tuple[pd.DataFrame, Allocation]:
    """Give the charges of a month to teams by the organisation's rules."""
    from finops_lib import inform, ingest

    charges = charges_of_month(params, period)
    ledger = ingest.open_ledger(params.model_copy(update={"period": period}))
    drivers = inform.allocation_drivers(
        ledger.month(ledger.costs),
        ledger.month(ledger.usage),
        receiver="team",
        users=ingest.distinct_users(ledger, ["team"]),
        volumes=ingest.load_table(params, "volumes"),
        capacity=ingest.load_table(params, "capacity"),
    )
    teams = params.organisation.teams or None
    return charges, inform.allocate(charges, params.organisation.allocation, drivers, receivers=teams)


def check_final(params: Params, period: str) -> None:
    """Refuse a month that is not closed, did not meet its invoices when it was, or was billed anew since."""
    from finops_lib import ingest

    closed = ingest.closed_months(params)
    record = closed[closed["month"] == period]
    if record.empty:
        message, how = f"{period} is not closed", f"finops close --period {period}"
    elif not record["reconciled"].item():
        message, how = f"{period} is closed, but does not meet its invoices", "see the page 02_reconciliation"
    elif record["changed_since"].item():
        message, how = record["changed_since"].item(), f"finops reopen --period {period}, then close it again"
    else:
        return
    raise ParamsError(message, hint=f"{how}; or --provisional for a journal that says it may change")
