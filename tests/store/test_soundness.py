from __future__ import annotations

import resource
import signal
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from optimizer.errors import BadSettings, Conflict, RefusedInput
from optimizer.store import open_store, suggestions
from optimizer.store.database import Database, sqlite_url
from optimizer.store.files import StoredFile
from optimizer.store.protocol import RunRecord
from optimizer.store.schema import metadata
from optimizer.store.sql_store import SqlStore
from tests.store.samples import ANNA, keyword_report, keyword_row, suggestions_of

DAY = date(2026, 3, 5)


@pytest.fixture
def filled(store: SqlStore) -> SqlStore:
    """A store with a report and a run."""
    store.append_report(keyword_report([keyword_row("2026-03-04")]), "shop", DAY, ANNA)
    store.save_run("shop", DAY, {}, suggestions_of(), {"plan": suggestions_of()}, ANNA)
    return store


def url_of(tmp_path: Path, database_url: str | None) -> str:
    return database_url or sqlite_url(tmp_path / "store")


def test_migrations_make_exactly_the_schema(
    store: SqlStore, tmp_path: Path, database_url: str | None
) -> None:
    database = Database(url_of(tmp_path, database_url))
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    database.close()


def test_many_may_open_a_new_store_at_once(reopen: Callable[[], SqlStore]) -> None:
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: reopen(), range(4)))
    assert all(store.accounts() == [] for store in stores)


def test_sound_store_has_no_defects(filled: SqlStore) -> None:
    assert filled.check() == []


def test_unlisted_files_do_not_exist(
    filled: SqlStore, reopen: Callable[[], SqlStore], tmp_path: Path
) -> None:
    history = tmp_path / "store" / "history"
    listed = set(history.iterdir())
    for name in ("orphan.parquet", "half.parquet.tmp"):
        (history / name).write_bytes(b"PAR1")
    (tmp_path / "store" / "runs" / "orphan.parquet").write_bytes(b"PAR1")
    assert reopen().check() == []
    assert set(history.iterdir()) == listed
    assert len(filled.review_tables("shop", DAY, 30).daily) == 1


def test_run_is_committed_only_once_its_files_are_in_place(
    filled: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, held = suggestions.list_files, list[bool]()

    def look(connection: sa.Connection, run: RunRecord, files: dict[str, StoredFile]) -> None:
        held.append(all((tmp_path / "store" / one.path).exists() for one in files.values()))
        real(connection, run, files)

    monkeypatch.setattr(suggestions, "list_files", look)
    filled.save_run("shop", DAY, {}, suggestions_of(), {"plan": suggestions_of()}, ANNA)
    assert held == [True]


@pytest.mark.parametrize("part", ["write_frames", "replace_day"])
def test_run_that_fails_half_way_leaves_nothing(
    filled: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    before = filled.latest_run("shop"), set((tmp_path / "store" / "runs").iterdir())

    def fail(*_: object) -> None:
        raise RefusedInput("store_not_writable", why="full")

    monkeypatch.setattr(suggestions, part, fail)
    with pytest.raises(RefusedInput, match="store_not_writable"):
        filled.save_run("shop", DAY, {}, suggestions_of(), {"plan": suggestions_of()}, ANNA)
    assert (filled.latest_run("shop"), set((tmp_path / "store" / "runs").iterdir())) == before
    assert filled.check() == []


def test_files_of_a_running_import_are_not_swept(
    filled: SqlStore, reopen: Callable[[], SqlStore], tmp_path: Path
) -> None:
    under_way = tmp_path / "store" / "history" / "new.parquet.tmp"
    with filled._folder.writing():
        under_way.write_bytes(b"PAR1")
        reopen()
        assert under_way.exists()
    reopen()
    assert not under_way.exists()


def test_lost_and_altered_files_are_reported(filled: SqlStore, tmp_path: Path) -> None:
    facts, state = sorted((tmp_path / "store" / "history").iterdir())
    facts.unlink()
    state.write_bytes(state.read_bytes()[:-1] + b"X")
    found = {problem.code: problem.file for problem in filled.check()}
    assert found == {
        "store_file_missing": f"history/{facts.name}",
        "store_file_changed": f"history/{state.name}",
    }


def test_audit_rows_cannot_be_changed_through_the_database(
    filled: SqlStore, tmp_path: Path, database_url: str | None
) -> None:
    database = Database(url_of(tmp_path, database_url))
    for statement in ("UPDATE audit SET actor = 'eve'", "DELETE FROM audit"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), database.write() as connection:
            connection.exec_driver_sql(statement)
    database.close()


def test_forged_audit_row_breaks_the_chain(
    filled: SqlStore, tmp_path: Path, database_url: str | None
) -> None:
    database = Database(url_of(tmp_path, database_url))
    trigger = "audit_no_update" if database_url is None else "audit_append_only ON audit"
    with database.write() as connection:
        connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
        connection.exec_driver_sql("UPDATE audit SET actor = 'eve' WHERE sequence = 2")
    database.close()
    assert [problem.fields for problem in filled.check()] == [{"sequence": 2}]


def test_folder_is_never_swept_by_another_database(
    filled: SqlStore, tmp_path: Path, database_url: str | None
) -> None:
    """Opening a PostgreSQL store without its URL must not delete its history."""
    history = tmp_path / "store" / "history"
    files = set(history.iterdir())
    with pytest.raises(BadSettings, match="database_not_of_store"):
        open_store(tmp_path / "store", f"sqlite:///{tmp_path / 'other.sqlite'}")
    assert set(history.iterdir()) == files


def test_other_databases_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="database_not_supported"):
        open_store(tmp_path, "mysql://localhost/x")
    with pytest.raises(BadSettings, match="database_url_invalid"):
        open_store(tmp_path, "no url")


def test_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").write_bytes(b"not a database, not at all" * 50)
    with pytest.raises(BadSettings, match="database_unavailable"):
        open_store(tmp_path)


def test_busy_database_says_so(filled: SqlStore, tmp_path: Path, database_url: str | None) -> None:
    if database_url is not None:
        pytest.skip("PostgreSQL queues writers")
    other = sqlite3.connect(tmp_path / "store" / "state.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Conflict, match="store_busy"):
        filled.set_lock("shop", "1", "bid", True, ANNA)
    other.close()


def test_full_disk_leaves_nothing_behind(filled: SqlStore, tmp_path: Path) -> None:
    history = tmp_path / "store" / "history"
    files = set(history.iterdir())
    size = len(filled.batches("shop"))
    report = keyword_report([keyword_row("2026-03-05")])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, limits[1]))
    try:
        with pytest.raises(RefusedInput, match="store_not_writable"):
            filled.append_report(report, "shop", DAY, ANNA)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert set(history.iterdir()) == files
    assert len(filled.batches("shop")) == size
    assert not filled.append_report(report, "shop", DAY, ANNA).duplicate


def test_sqlite_is_durable(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path))
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    with database.read() as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted}
    assert found == wanted
    database.close()
