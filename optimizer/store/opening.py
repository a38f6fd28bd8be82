"""Opening a store: its folder and its database are made, migrated, paired and tidied."""

from __future__ import annotations

import uuid
from pathlib import Path

import sqlalchemy as sa

from optimizer.errors import BadSettings, RefusedInput
from optimizer.store import schema
from optimizer.store.database import Database, sqlite_url
from optimizer.store.files import Folder
from optimizer.store.soundness import listed
from optimizer.store.sql_store import Clock, SqlStore, utc_now


def open_store(
    directory: Path, database_url: str | None = None, *, clock: Clock = utc_now
) -> SqlStore:
    """Open the store in `directory`, making or migrating it as needed.

    State is `directory/state.sqlite`, or PostgreSQL at `database_url`. Raises `BadSettings` when the
    URL is unusable or the database and the folder belong to different stores, `RefusedInput` when
    the folder cannot be made.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RefusedInput("store_not_writable", why=str(error)) from error
    folder = Folder(directory)
    database = Database(database_url or sqlite_url(directory))
    try:
        database.migrate()
        _pair(folder, database)
        _tidy(folder, database)
    except BaseException:
        database.close()
        raise
    return SqlStore(folder, database, clock)


def _pair(folder: Folder, database: Database) -> None:
    """Make sure that folder and database are two halves of one store before anything is swept."""
    with database.write() as connection:
        known = connection.scalar(sa.select(schema.store_identity.c.store_id))
        marked = folder.identity()
        if known is None and marked is not None and folder.holds_files():
            raise BadSettings("database_not_of_store", directory=str(folder.root))
        if known is not None and marked not in (None, known):
            raise BadSettings("database_not_of_store", directory=str(folder.root))
        store_id = known or marked or uuid.uuid4().hex
        if marked is None:
            folder.set_identity(store_id)
        if known is None:
            connection.execute(sa.insert(schema.store_identity).values(store_id=store_id))


def _tidy(folder: Folder, database: Database) -> None:
    """Remove files a crash left unlisted; while somebody writes there is nothing to decide."""
    with folder.writing_if_free() as free:
        if free:
            with database.read() as connection:
                paths = {row["path"] for row in listed(connection)}
            folder.sweep(paths)
