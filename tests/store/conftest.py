"""A store on SQLite and one on PostgreSQL; every test that takes `store` runs on both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from optimizer.store import open_store
from optimizer.store.sql_store import SqlStore
from simulations.postgres import new_database, temporary_server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URI of a PostgreSQL server that lives as long as the tests."""
    with temporary_server() as uri:
        yield uri


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """None for SQLite in the store's folder, else the URL of an empty PostgreSQL database."""
    if request.param == "sqlite":
        return None
    return new_database(request.getfixturevalue("postgres_server"))


@pytest.fixture
def reopen(tmp_path: Path, database_url: str | None) -> Iterator[Callable[[], SqlStore]]:
    """Opens the same store once more, as another process would."""
    opened: list[SqlStore] = []

    def again() -> SqlStore:
        opened.append(open_store(tmp_path / "store", database_url))
        return opened[-1]

    yield again
    for store in opened:
        store.close()


@pytest.fixture
def store(reopen: Callable[[], SqlStore]) -> SqlStore:
    """An empty store."""
    return reopen()
