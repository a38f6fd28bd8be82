"""The state database: SQLite in the store's folder, or PostgreSQL by URL.

Writers are serial on both: SQLite begins IMMEDIATE, PostgreSQL takes one advisory lock. That is what
makes gapless sequences and the audit chain possible; a write transaction is short.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from optimizer.errors import BadSettings, Conflict, OptimizerError, Problem, RefusedInput

_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000")
_WRITERS_LOCK = 7_310_452_118


class Database:
    """Connections to the state of one store: `read()` and `write()` give a transaction each."""

    def __init__(self, url: str) -> None:
        self.engine = _create_engine(url)
        self._writer = self.engine.execution_options(begin="IMMEDIATE")

    @property
    def is_sqlite(self) -> bool:
        """Whether the state is a SQLite file."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that sees one moment and writes nothing."""
        with self.engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that holds the store's writer lock: committed whole, or not at all."""
        try:
            with self._writer.begin() as connection:
                if not self.is_sqlite:
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WRITERS_LOCK)))
                yield connection
        except sa.exc.OperationalError as error:
            raise _refusal(error) from error

    def migrate(self) -> None:
        """Bring the schema to the newest revision; whoever opens at the same time waits."""
        if self._revision() == _scripts().get_current_head():
            return
        with self.write() as connection:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def _revision(self) -> str | None:
        try:
            with self.read() as connection:
                return MigrationContext.configure(connection).get_current_revision()
        except sa.exc.DatabaseError as error:
            raise BadSettings("database_unavailable", why=str(error.orig)) from error

    def integrity(self) -> list[Problem]:
        """What SQLite's own check finds wrong, one `database_corrupt` per finding."""
        if not self.is_sqlite:
            return []
        with self.read() as connection:
            found = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        texts = [text for text in found if text != "ok"]
        texts += [f"foreign key of {row[0]} row {row[1]}" for row in broken]
        return [Problem("database_corrupt", text=text) for text in texts]

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def sqlite_url(directory: Path) -> str:
    """The URL of the state file in a store's folder."""
    return sa.URL.create("sqlite", database=str(directory / "state.sqlite")).render_as_string()


def _refusal(error: sa.exc.OperationalError) -> OptimizerError:
    """Busy is worth another try; a full or read-only disk, or a server that went away, is not."""
    why = str(error.orig)
    if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
        return Conflict("store_busy", why=why)
    return RefusedInput("store_not_writable", why=why)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "optimizer.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _create_engine(url: str) -> sa.Engine:
    parsed = _with_driver(url)
    engine = sa.create_engine(parsed)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _with_driver(url: str) -> sa.URL:
    """`postgres://` and `postgresql://` mean psycopg; anything but PostgreSQL or SQLite is refused."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise BadSettings("database_url_invalid") from error
    backend = parsed.get_backend_name()
    if backend in ("postgres", "postgresql"):
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise BadSettings("database_not_supported", backend=backend)
    return parsed


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own implicit BEGIN is DEFERRED and skips SELECT and DDL: we begin ourselves.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('begin', '')}")
