"""Lists that have no identities and no versions: negatives in force, item tables and logs, organic words.

A batch of one holds its rows as they were on the download day. What holds on a later day is read from
all of them, newest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from optimizer.store.history import NEGATIVES_FILE
from optimizer.tables import (
    ITEM_ENTRIES,
    ITEM_LOG_ROWS,
    ITEM_ROWS,
    ITEMS,
    MICROS,
    ORGANIC,
    ORGANIC_ROWS,
    Table,
    empty_table,
)

_ARROW: Final = {
    "str": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "date": pa.date32(),
}
_MONEY: Final = "_micros"
_NOT_TOLD: Final = ("item_id", "first_day", "day", "position")
_DATED: Final = {"price_day": "price_micros", "stock_day": "stock"}
_CHANGES: Final = ("price", "coupon", "image", "page")


def _schema(table: Table) -> pa.Schema:
    """The file of a table's rows; `day` is their last day, `position` their place in the report."""
    names = [name for name in table.columns if name not in ("last_day", "source_row")]
    own = {name: _ARROW[table.columns[name].dtype] for name in names}
    return pa.schema(own | {"day": pa.date32(), "position": pa.int64()})


SCHEMAS: Final = {
    "negative": NEGATIVES_FILE,
    "item": _schema(ITEM_ROWS),
    "item_log": _schema(ITEM_LOG_ROWS),
    "organic": _schema(ORGANIC_ROWS),
}
"""Schema of the file of each list."""


@dataclass(frozen=True)
class ListFile:
    """One batch's list: its file, its place in time, and the columns that it fills."""

    path: Path
    as_of: Any
    sequence: int
    filled: tuple[str, ...]


def listed(rows: pd.DataFrame, kind: str) -> pa.Table:
    """The rows of a report as the file of its list; columns that the report lacks are null."""
    schema = SCHEMAS[kind]
    named = rows.rename(columns={"last_day": "day"}).assign(position=np.arange(len(rows)))
    arrays = [
        _array(named[field.name], field.type)
        if field.name in named
        else pa.nulls(len(named), field.type)
        for field in schema
    ]
    return pa.table(arrays, schema=schema)


def _array(values: pd.Series[Any], kind: pa.DataType) -> pa.Array:
    plain = values.astype("str") if isinstance(values.dtype, pd.CategoricalDtype) else values
    array = pa.Array.from_pandas(plain)
    whole = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return whole.cast(kind)


def filled(table: pa.Table) -> tuple[str, ...]:
    """Columns of which some row says something."""
    return tuple(name for name in table.column_names if table[name].null_count < len(table))


def items(files: Sequence[ListFile]) -> pd.DataFrame:
    """Table ITEMS: of every cell what the newest list that fills its column says of the item.

    An item that a newer list leaves out keeps what was said; a blank cell in a column that a newer
    list fills takes it back. Items stand in the order in which they were first listed.
    """
    rows = _read(files, "item")
    if rows.empty:
        return empty_table(ITEMS)
    first_listed = rows["item_id"].drop_duplicates().to_numpy()
    names = [name for name in SCHEMAS["item"].names if name not in _NOT_TOLD]
    told = {name: _newest(rows, name) for name in names}
    for name, column in _DATED.items():
        told[name] = _newest(rows, column, "day").where(told[column].notna())
    found = pd.DataFrame(told).reindex(first_listed).rename_axis("item_id").reset_index()
    return _as(found, ITEMS)


def _newest(rows: pd.DataFrame, column: str, beside: str = "") -> pd.Series[Any]:
    """By item, the newest word of the lists that fill the column (or what stands beside it)."""
    tells = rows[[column in names for names in rows["filled"]]]
    newest = tells.drop_duplicates("item_id", keep="last").set_index("item_id")
    return newest[beside or column]


def item_entries(files: Sequence[ListFile]) -> pd.DataFrame:
    """Table ITEM_ENTRIES: every change of an item, in order of days, as the newest log tells it.

    An entry that only repeats what the one before said of the item is no change.
    """
    rows = _read(files, "item_log")
    if rows.empty:
        return empty_table(ITEM_ENTRIES)
    named = rows.assign(price=rows["price_micros"])
    cells = [_of_kind(named[named[kind].notna()], kind) for kind in _CHANGES]
    words = rows[rows["what"].notna()].assign(value=None)
    every = pd.concat([*cells, words], ignore_index=True).sort_values("at", kind="stable")
    # A row that names its kind and fills that kind's cell says one thing.
    every = every.assign(stated=every["value"].notna()).sort_values(["stated", "at"], kind="stable")
    key = ["item_id", "day", "what"]
    newest = every.drop_duplicates(key, keep="last").sort_values(
        ["day", "item_id", "what"], kind="stable"
    )
    before = newest.groupby(["item_id", "what"])["value"].shift()
    repeats = newest["value"].notna() & (newest["value"] == before)
    return _as(newest[~repeats], ITEM_ENTRIES)


def _of_kind(rows: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Rows of which the cell `kind` is filled, as changes of that kind."""
    price = rows["price_micros"] if kind == "price" else np.nan
    return rows.assign(what=kind, value=rows[kind].astype("str"), price_micros=price)


def organic(files: Sequence[ListFile]) -> pd.DataFrame:
    """Table ORGANIC: per item and word the sums of the newest list that holds the word.

    Older lists are not added: the periods of lists overlap.
    """
    rows = _read(files, "organic")
    if rows.empty:
        return empty_table(ORGANIC)
    key = ["item_id", "keyword_text"]
    newest = rows.groupby(key)["sequence_at"].transform("max")
    told = rows[rows["sequence_at"] == newest]
    groups = told.groupby(key, sort=True)
    sums = groups[["visitors", "orders", "sales_micros"]].sum(min_count=1)
    days = groups.agg(first_day=("first_day", "min"), last_day=("day", "max"))
    return _as(sums.join(days).reset_index(), ORGANIC)


def _read(files: Sequence[ListFile], kind: str) -> pd.DataFrame:
    """All rows, oldest list first, with `at` (their place) and the columns their list fills."""
    ordered = sorted(files, key=lambda file: (file.as_of, file.sequence))
    parts: list[pd.DataFrame] = []
    for number, file in enumerate(ordered):
        table = pq.read_table(file.path).cast(SCHEMAS[kind])
        frame = table.to_pandas(date_as_object=False)
        frame = frame.sort_values("position", kind="stable")
        parts.append(frame.assign(sequence_at=number, filled=[file.filled] * len(frame)))
    if not parts:
        return pd.DataFrame()
    rows: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return rows.assign(at=np.arange(len(rows)))


def _as(rows: pd.DataFrame, table: Table) -> pd.DataFrame:
    """`rows` as the table, money in currency under names without `_micros`."""
    names = [str(name) for name in rows.columns if str(name).endswith(_MONEY)]
    money = {name.removesuffix(_MONEY): rows[name].astype("float64") / MICROS for name in names}
    named = rows.assign(**money)[list(table.columns)]
    typed: pd.DataFrame = named.astype(empty_table(table).dtypes).reset_index(drop=True)
    return typed
