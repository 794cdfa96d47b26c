"""A ledger built where the requests are: in the team's own PostgreSQL."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa

from finops_lib import ingest
from finops_lib.errors import SourceError
from finops_lib.params import Organisation, Params, Settings

pytestmark = pytest.mark.engines


def params_of(folder, url):
    """Make parameters of a project whose requests are in a database."""
    return Params(
        assistant="organisation",
        period="latest",
        settings=Settings(),
        organisation=Organisation(workspace="workspace", engine_url=url, time_zone="Europe/Berlin"),
        project=folder,
        assistants={},
    )


def test_sums_are_made_in_the_warehouse_and_priced_here(tmp_path, postgres_url):
    """Two days of calls in PostgreSQL give the ledger of the same calls, by Berlin days and list prices."""
    engine = sa.create_engine(postgres_url)
    rows = [
        (datetime(2026, 9, 1, 21, 59, tzinfo=UTC), "a", "openai", "gpt-4o", "helpdesk", 1000, 100),
        (datetime(2026, 9, 1, 22, 1, tzinfo=UTC), "b", "openai", "gpt-4o", "helpdesk", 3000, 0),
        (datetime(2026, 9, 2, 10, 0, tzinfo=UTC), "c", "openai", "gpt-4o", None, 1000, 0),
    ]
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE IF EXISTS requests"))
        connection.execute(
            sa.text(
                "CREATE TABLE requests (timestamp timestamptz, request_id text, provider text, model text, team text, "
                "uncached_input_tokens bigint, visible_output_tokens bigint)"
            )
        )
        connection.execute(
            sa.text("INSERT INTO requests VALUES (:t, :i, :p, :m, :team, :n, :o)"),
            [dict(zip(("t", "i", "p", "m", "team", "n", "o"), row, strict=True)) for row in rows],
        )
    params = params_of(tmp_path, postgres_url)

    assert ingest.refresh_ledger(params)
    ledger = ingest.open_ledger(params)

    # 5,000 input tokens at 2.50 and 100 output tokens at 10 USD per million
    assert Decimal("0.0135") == ledger.costs["contracted_cost"].sum()
    assert {"2026-09-01": 1, "2026-09-02": 2} == {
        str(day): int(count)
        for day, count in ledger.usage.groupby("charge_period_start")["request_count"].sum().items()
    }
    assert "2026-09" == ledger.period
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE requests"))
    with pytest.raises(SourceError, match="has no table 'requests'"):
        ingest.refresh_ledger(params)
