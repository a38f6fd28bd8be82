"""Small answers from the database, and how far a long one has come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import duckdb

Tell = Callable[[float], None]
"""Called with the share of the work that is done, from 0 to 1."""
_SECONDS: Final = 0.5


def nobody(share: float) -> None:
    """Of those who do not watch."""


def stretch(tell: Tell, since: float, until: float) -> Tell:
    """`tell` for a part of the work, which is `since` to `until` of all of it."""
    return lambda share: tell(since + (until - since) * share)


@contextmanager
def watched(db: duckdb.DuckDBPyConnection, tell: Tell) -> Iterator[None]:
    """Within it `tell` hears twice a second how much of the query under way is done."""
    db.execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false")
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_SECONDS):
            tell(min(max(db.query_progress(), 0.0), 100.0) / 100.0)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def one_row(db: duckdb.DuckDBPyConnection, sql: str) -> Mapping[str, Any]:
    """The only row of a query, by column name."""
    cursor = db.execute(sql)
    names = [column[0] for column in cursor.description or ()]
    # fetchall, since a result left open blocks the connection.
    (row,) = cursor.fetchall()
    return dict(zip(names, row, strict=True))
