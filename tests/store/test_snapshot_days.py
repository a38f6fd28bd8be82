"""Lists without days of their own: the same bytes on another day are true again, on the same day not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from optimizer.reports.profiles import SNAPSHOTS
from optimizer.store import imports
from optimizer.store.database import Database, _config
from optimizer.store.protocol import BatchRecord
from optimizer.store.sql_store import SqlStore
from optimizer.tables import ITEM_ROWS
from tests.store.samples import ANNA, _report, frame_of, keyword_report, keyword_row
from tests.store.test_listings import FIRST, LAST, SECOND, item

THIRD = date(2026, 3, 6)
BATCH = (
    "INSERT INTO batches VALUES ('{name}', 'shop', 'a.csv', 'x', 'items', 'item', '{day}', {number},"
    " NULL, NULL, '2026-03-02 10:00:00', 'anna', 0, 0, '[]', '{{}}')"
)
FILE = "INSERT INTO history_files VALUES ('p', 'b1', 'item', 1, 1, 'x', '2026-03-02', '2026-03-02')"
ACCOUNT = "INSERT INTO accounts VALUES ('shop', 'other', 'CNY', '2026-03-02 10:00:00')"


def counted(store: SqlStore, stock: float, day: date) -> BatchRecord:
    """A list of the item's stock whose bytes say nothing of the day."""
    row = {"item_id": "1", "stock": stock, "first_day": str(day), "last_day": str(day)}
    report = _report(frame_of([row], ITEM_ROWS), "item", "item", {"sha256": f"{stock}"})
    return store.append_report(report, "shop", day, ANNA)


def test_stock_that_is_back_is_no_duplicate(store: SqlStore) -> None:
    days = ((100.0, FIRST), (0.0, SECOND), (100.0, THIRD))
    assert not any(counted(store, stock, day).duplicate for stock, day in days)
    assert item(store, "1")["stock"] == 100.0
    assert item(store, "1", SECOND)["stock"] == 0.0
    assert counted(store, 100.0, THIRD).duplicate
    assert store.check() == []


def test_snapshots_are_the_grains_that_readers_give_no_days() -> None:
    assert imports._SNAPSHOTS == SNAPSHOTS


def test_report_of_days_is_a_duplicate_on_every_day(store: SqlStore) -> None:
    report = keyword_report([keyword_row("2026-03-01")])
    first = store.append_report(report, "shop", FIRST, ANNA)
    again = store.append_report(report, "shop", LAST, ANNA)
    assert (again.batch_id, again.duplicate) == (first.batch_id, True)


@pytest.fixture
def migrated(database_url: str | None, tmp_path: Path) -> Callable[[str], Database]:
    database = Database(database_url or f"sqlite:///{tmp_path}/state.sqlite")

    def to(revision: str) -> Database:
        config = _config()
        with database.write() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
        return database

    return to


def test_store_of_the_third_schema_keeps_its_batches(migrated: Callable[[str], Database]) -> None:
    with migrated("0003").write() as connection:
        first = BATCH.format(name="b1", day=FIRST, number=1)
        for statement in (ACCOUNT, first, FILE):
            connection.exec_driver_sql(statement)
    database = migrated("0004")
    assert database.integrity() == []
    with database.write() as connection:
        connection.exec_driver_sql(BATCH.format(name="b2", day=SECOND, number=2))
        found = connection.exec_driver_sql("SELECT batch_id FROM batches ORDER BY sequence")
        assert list(found.scalars()) == ["b1", "b2"]
    with pytest.raises(sa.exc.IntegrityError), database.write() as connection:
        connection.exec_driver_sql("DELETE FROM batches WHERE batch_id = 'b1'")
    database.close()
