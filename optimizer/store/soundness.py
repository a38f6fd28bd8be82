"""Whether the files that the database lists are there, as they were written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from optimizer.errors import Problem
from optimizer.store import schema
from optimizer.store.files import Folder, digest


def listed(connection: sa.Connection) -> list[Mapping[Any, Any]]:
    """Path, size and SHA-256 of every file of the history and of reviews."""
    found: list[Mapping[Any, Any]] = []
    for table in (schema.history_files, schema.run_files):
        query = sa.select(table.c.path, table.c.bytes, table.c.sha256).order_by(table.c.path)
        found += connection.execute(query).mappings().all()
    return found


def file_problems(folder: Folder, files: Iterable[Mapping[Any, Any]]) -> list[Problem]:
    """Those of the `listed` files that are missing or were changed."""
    return [problem for row in files if (problem := _file_problem(folder, row))]


def _file_problem(folder: Folder, row: Mapping[Any, Any]) -> Problem | None:
    path = folder.path(row["path"])
    if not path.exists():
        return Problem("store_file_missing", file=row["path"])
    if path.stat().st_size != row["bytes"] or digest(path) != row["sha256"]:
        return Problem("store_file_changed", file=row["path"])
    return None
