"""The store's folder: Parquet files that appear whole or not at all, and the lock of their writers.

A file is written beside its name, flushed, renamed, and the folder flushed; only then does the state
database list it. `sweep` removes what a crash left behind, unless somebody is writing.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from optimizer.errors import Conflict, RefusedInput

FOLDERS = ("history", "runs")
_IDENTITY = "store.id"
_PATIENCE_SECONDS = 600.0


@dataclass(frozen=True)
class StoredFile:
    """A file as listed in the state database; `path` is relative to the store's folder."""

    path: str
    rows: int
    bytes: int
    sha256: str


class Folder:
    """The files of one store below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in FOLDERS:
            (root / name).mkdir(parents=True, exist_ok=True)

    def path(self, relative: str) -> Path:
        """Where a listed file is."""
        return self.root / relative

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the writers' lock; a crash frees it. Raises `Conflict` after ten minutes of waiting."""
        with self._lock(_PATIENCE_SECONDS) as held:
            if not held:
                raise Conflict("store_busy", why=str(self.root))
            yield

    @contextmanager
    def writing_if_free(self) -> Iterator[bool]:
        """Hold the writers' lock if nobody else does; says whether it is held."""
        with self._lock(0.0) as held:
            yield held

    @contextmanager
    def _lock(self, wait: float) -> Iterator[bool]:
        # SQLite's own file lock: works on every system, and the system frees it when a process dies.
        connection = sqlite3.connect(self.root / "write.lock", timeout=wait, isolation_level=None)
        try:
            yield _try_lock(connection)
        finally:
            connection.close()

    def write(
        self, relative: str, table: pa.Table, repeating: Sequence[str] | bool = True
    ) -> StoredFile:
        """Put `table` under `relative`, durably. Raises `RefusedInput` when the disk does not take it.

        `repeating` names the columns worth a dictionary of their values.
        """
        path = self.path(relative)
        temporary = path.with_name(path.name + ".tmp")
        try:
            pq.write_table(table, temporary, compression="zstd", use_dictionary=repeating)
            _put_in_place(temporary, path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise RefusedInput("store_not_writable", path=str(path), why=str(error)) from error
        return StoredFile(relative, table.num_rows, path.stat().st_size, digest(path))

    def write_batches(
        self, relative: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
    ) -> StoredFile:
        """`write` of a table that is made piece by piece."""
        path = self.path(relative)
        temporary = path.with_name(path.name + ".tmp")
        rows = 0
        try:
            with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
                for batch in batches:
                    writer.write_batch(batch)
                    rows += batch.num_rows
            _put_in_place(temporary, path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise RefusedInput("store_not_writable", path=str(path), why=str(error)) from error
        return StoredFile(relative, rows, path.stat().st_size, digest(path))

    def adopt(self, relative: str, file: Path, rows: int) -> StoredFile:
        """Put a Parquet file that lies in this folder under `relative`, durably."""
        path = self.path(relative)
        try:
            _put_in_place(file, path)
        except OSError as error:
            raise RefusedInput("store_not_writable", path=str(path), why=str(error)) from error
        return StoredFile(relative, rows, path.stat().st_size, digest(path))

    def remove(self, stored: Iterable[StoredFile]) -> None:
        """Remove files that were written but will not be listed."""
        for file in stored:
            self.path(file.path).unlink(missing_ok=True)

    def sweep(self, listed: Collection[str]) -> list[str]:
        """Remove files that are not `listed`; call it only while holding `writing`."""
        unlisted = [path for path in self._present() if path not in listed]
        for relative in unlisted:
            self.path(relative).unlink(missing_ok=True)
        return unlisted

    def holds_files(self) -> bool:
        """Whether any history or run file is here, listed or not."""
        return any(path.endswith(".parquet") for path in self._present())

    def _present(self) -> list[str]:
        return [
            entry.relative_to(self.root).as_posix()
            for name in FOLDERS
            for entry in sorted((self.root / name).rglob("*"))
            if entry.is_file()
        ]

    def identity(self) -> str | None:
        """The store id this folder was given, if any."""
        path = self.root / _IDENTITY
        return path.read_text(encoding="ascii").strip() if path.exists() else None

    def set_identity(self, store_id: str) -> None:
        """Mark the folder as belonging to the state database with this id."""
        temporary = self.root / f"{_IDENTITY}.tmp"
        temporary.write_text(store_id + "\n", encoding="ascii")
        _put_in_place(temporary, self.root / _IDENTITY)


def digest(path: Path) -> str:
    """sha256 of a file's bytes, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _put_in_place(temporary: Path, path: Path) -> None:
    _flush(temporary)
    os.replace(temporary, path)
    _flush(path.parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _try_lock(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            return False
        raise RefusedInput("store_not_writable", why=str(error)) from error
    return True
