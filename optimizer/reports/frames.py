"""Typed rows in Parquet files beside the lines they were read from, and as views of the database."""

from __future__ import annotations

from pathlib import Path

import duckdb

from optimizer.kept_rows import ORDINAL
from optimizer.reports import cells


def write_rows(db: duckdb.DuckDBPyConnection, sql: str, path: Path) -> int:
    """All rows of a query in order; says how many. A file, since a long report exceeds memory."""
    written = db.execute(
        f"COPY ({sql}) TO {cells.quoted(str(path))} (FORMAT parquet, COMPRESSION snappy)"
    )
    (count,) = written.fetchone() or (0,)
    return int(count)


def numbered_sql(path: Path) -> str:
    """SELECT of the rows of a file with their place in it."""
    renamed = f"* RENAME (file_row_number AS {ORDINAL})"
    return f"SELECT {renamed} FROM read_parquet({cells.path(path)}, file_row_number=true)"
