"""Small answers from the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb


def one_row(db: duckdb.DuckDBPyConnection, sql: str) -> Mapping[str, Any]:
    """The only row of a query, by column name."""
    cursor = db.execute(sql)
    names = [column[0] for column in cursor.description or ()]
    # fetchall, since a result left open blocks the connection.
    (row,) = cursor.fetchall()
    return dict(zip(names, row, strict=True))
