"""The newest version of each row: the session of Ibis on DuckDB that reads files, and what wins there."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import duckdb
import ibis
import pandas as pd
import pyarrow as pa

from optimizer.errors import RefusedInput
from optimizer.kept_rows import unglobbed
from optimizer.store.history.layout import KEY, STAMP, HistoryFile, Window

MEMORY_LIMIT = "2GB"
"""What DuckDB may take; beyond that it works on disk."""
_sessions = threading.local()


def connect() -> Any:
    """The thread's in-memory DuckDB; opening one takes longer than most questions to it."""
    if not hasattr(_sessions, "duckdb"):
        _sessions.duckdb = ibis.duckdb.connect(
            temp_directory=tempfile.gettempdir(), memory_limit=MEMORY_LIMIT
        )
    return _sessions.duckdb


def scan(session: Any, files: Sequence[HistoryFile]) -> Any:
    """All rows of the files, with every column that one of them has."""
    paths = [unglobbed(file.path) for file in files]
    name = hashlib.sha256("|".join(paths).encode()).hexdigest()
    return session.read_parquet(paths, table_name=f"files_{name}", union_by_name=True)


def answer(expression: Any) -> pa.Table:
    """What the expression finds.

    Raises `RefusedInput` where what does not fit in memory does not fit on disk either, or may not be
    written there.
    """
    try:
        return connect().to_pyarrow(expression)
    except duckdb.OperationalError as error:
        if ".parquet" in str(error):
            raise  # A file of the store itself.
        folder = tempfile.gettempdir()
        raise RefusedInput("folder_unwritable", folder=folder, why=str(error)) from error


def to_pandas(expression: Any) -> pd.DataFrame:
    """`answer` as a frame."""
    frame: pd.DataFrame = answer(expression).to_pandas(
        split_blocks=True, self_destruct=True, date_as_object=False
    )
    return frame.rename_axis(columns=None)


def filled_with(rows: Any, types: Mapping[str, pa.DataType]) -> Any:
    """`rows` with the columns that no file of theirs has, as null."""
    absent = {name: str(kind) for name, kind in types.items() if name not in rows.columns}
    names = {"double": "float64"}
    return rows.mutate(**{name: ibis.null(names.get(kind, kind)) for name, kind in absent.items()})


def rows_of(session: Any, files: Sequence[HistoryFile], window: Window) -> Any:
    """Every version of the window's rows."""
    stored = scan(session, files)
    if window.entity_key is not None:
        stored = stored.filter(stored["entity_key"] == window.entity_key)
    return stored.filter(
        stored["last_day"] >= ibis.literal(window.first),
        stored["last_day"] <= ibis.literal(window.last),
        stored["as_of"] <= ibis.literal(window.as_of),
    )


def newest_of(session: Any, files: Sequence[HistoryFile], window: Window) -> Any:
    """Rows of the window, the newest stamp of each key."""
    rows = rows_of(session, files, window)
    newest_first = ibis.window(group_by=list(KEY), order_by=[ibis.desc(name) for name in STAMP])

    def only_newest(several: Any) -> Any:
        ranked = several.mutate(rank=ibis.row_number().over(newest_first))
        return ranked.filter(ranked["rank"] == 0).drop("rank")

    return where_restated(rows, files, only_newest)


def where_restated(rows: Any, files: Sequence[HistoryFile], settle: Callable[[Any], Any]) -> Any:
    """`settle` applied to the days that several files share; other days have one version each."""
    shared = _shared_days(files)
    if not shared:
        return rows
    inside = ibis.or_(*(rows["last_day"].between(*map(ibis.literal, span)) for span in shared))
    settled = settle(rows.filter(inside))
    return settled.union(rows.filter(~inside).select(*settled.columns))


def _shared_days(files: Sequence[HistoryFile]) -> list[tuple[date, date]]:
    """Spans of days on which two files or more may have rows."""
    spans: list[tuple[date, date]] = []
    reach = date.min
    for file in sorted(files, key=lambda file: (file.first_day, file.last_day)):
        if file.first_day <= reach:
            spans.append((file.first_day, min(reach, file.last_day)))
        reach = max(reach, file.last_day)
    return spans


def newest_periods(session: Any, files: Sequence[HistoryFile], window: Window) -> Any:
    """Newest periods; where two of an entity overlap only the later stamped one counts."""
    newest = newest_of(session, files, window)
    other = newest.view()
    return newest.anti_join(
        other,
        [
            newest["entity_key"] == other["entity_key"],
            newest["first_day"] <= other["last_day"],
            newest["last_day"] >= other["first_day"],
            _stamped_later(other, newest),
        ],
    )


def _stamped_later(left: Any, right: Any) -> Any:
    """Whether `left` outranks `right`: later stamp, or in one file the later or longer period."""
    order = ("as_of", "sequence", "last_day")
    outranks = left["first_day"] < right["first_day"]
    for name in reversed(order):
        outranks = (left[name] > right[name]) | ((left[name] == right[name]) & outranks)
    return outranks
