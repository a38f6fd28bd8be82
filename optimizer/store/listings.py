"""Lists that have no identities and no versions: negatives in force, item tables and logs, organic words.

A batch of one holds its rows as they were on the download day. What holds on a later day is read from
all of them, newest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
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
_ENTRY: Final = ["item_id", "day", "what", "price_micros"]
_WORD: Final = ["item_id", "keyword_text"]
_SUMS: Final = ["visitors", "orders", "sales_micros"]
_NOT_TOLD: Final = ("item_id", "first_day", "day", "position")
_DATED: Final = {"price_day": "price_micros", "stock_day": "stock"}
_EARNED: Final = ("price_micros", "unit_cost_micros", "margin")
"""Cells that only a newer word replaces: without one, what an item earns would be unknown again."""
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
    list fills takes it back, but for price, unit cost and margin. Of unit cost and margin, which say
    the same thing, the list that spoke last stands. Items stand in the order in which they were first
    listed.
    """
    rows = _read(files, "item")
    if rows.empty:
        return empty_table(ITEMS)
    first_listed = rows["item_id"].drop_duplicates().to_numpy()
    names = [name for name in SCHEMAS["item"].names if name not in _NOT_TOLD]
    told = {name: _newest(rows, name) for name in names}
    for name, column in _DATED.items():
        told[name] = _newest(rows, column, "day").where(told[column].notna())
    found = _one_margin(pd.DataFrame(told).reindex(first_listed), rows)
    return _as(found.rename_axis("item_id").reset_index(), ITEMS)


def _one_margin(told: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Items (their index) with the later of unit cost and margin; both where one list states both."""
    cost = _newest(rows, "unit_cost_micros", "sequence_at").reindex(told.index)
    margin = _newest(rows, "margin", "sequence_at").reindex(told.index)
    return told.assign(
        unit_cost_micros=told["unit_cost_micros"].where(~(margin > cost)),
        margin=told["margin"].where(~(cost > margin)),
    )


def _newest(rows: pd.DataFrame, column: str, beside: str = "") -> pd.Series[Any]:
    """By item, the newest word of the lists that fill the column (or what stands beside it)."""
    says = (
        rows[column].notna() if column in _EARNED else [column in each for each in rows["filled"]]
    )
    tells = rows[says]
    newest = tells.drop_duplicates("item_id", keep="last").set_index("item_id")
    return newest[beside or column]


def item_entries(files: Sequence[ListFile], tables: Sequence[ListFile] = ()) -> pd.DataFrame:
    """Table ITEM_ENTRIES: every change of an item, in order of days, as the newest log tells it.

    An entry that only repeats what the one before said of the item is no change. The first price of an
    item is what the others change: that of the item tables `tables` where they told another before
    its log did, else the log's own.
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
    told = newest.loc[~repeats, _ENTRY]
    sold_at = _priced_before(told, tables)
    every = told if sold_at.empty else pd.concat([told, sold_at])
    return _as(every.sort_values(["day", "item_id", "what"], kind="stable"), ITEM_ENTRIES)


def _priced_before(told: pd.DataFrame, tables: Sequence[ListFile]) -> pd.DataFrame:
    """The price that tables told last before each item's first price of `told`, where it is another."""
    rows = _read(tables, "item")
    priced = told[told["price_micros"].notna()].drop_duplicates("item_id")
    if rows.empty or priced.empty:
        return told.iloc[:0]
    before = rows[rows["price_micros"].notna()].merge(
        priced[["item_id", "day", "price_micros"]], on="item_id", suffixes=("", "_after")
    )
    earlier = before[before["day"] < before["day_after"]].drop_duplicates("item_id", keep="last")
    other = earlier[earlier["price_micros"] != earlier["price_micros_after"]]
    return other.assign(what="price")[_ENTRY]


def _of_kind(rows: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Rows of which the cell `kind` is filled, as changes of that kind."""
    price = rows["price_micros"] if kind == "price" else np.nan
    return rows.assign(what=kind, value=rows[kind].astype("str"), price_micros=price)


def organic(files: Sequence[ListFile], since: date) -> pd.DataFrame:
    """Table ORGANIC: per item and word the sums of lists that reach `since` or a later day.

    Rows of days for which a newer list holds the word are not added again. `first_day..last_day` are
    all days of which lists of the item tell: on those without the word nobody came by it.
    """
    rows = _read(files, "organic")
    if not rows.empty:
        rows = _of_lists(rows)
        rows = rows[rows["list_last"] >= pd.Timestamp(since)]
    if rows.empty:
        return empty_table(ORGANIC)
    counted, told = _counted(rows, rows.groupby(_WORD, sort=True).ngroup().to_numpy())
    sums = rows[counted].groupby(_WORD, sort=True)[_SUMS].sum(min_count=1).reset_index()
    first, last = told.argmax(axis=1), told.shape[1] - 1 - told[:, ::-1].argmax(axis=1)
    origin = rows["list_first"].min()
    days = {"first_day": first, "last_day": last}
    dated = {name: origin + pd.to_timedelta(day, "D") for name, day in days.items()}
    return _as(sums.assign(**dated), ORGANIC)


def _of_lists(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with the first and the last day of the list that they stand in."""
    lists = rows.groupby("sequence_at")
    first, last = lists["first_day"].transform("min"), lists["day"].transform("max")
    return rows.assign(list_first=first, list_last=last)


def _counted(rows: pd.DataFrame, word: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which rows count, (rows,), and of which days since the first lists tell, (words, days).

    Newest list first; after all that hold a word, those of its item that leave it out.
    """
    origin = rows["list_first"].min()
    names = ["first_day", "day", "list_first", "list_last"]
    first, last, start, end = ((rows[name] - origin).dt.days.to_numpy() for name in names)
    lists, item = rows["sequence_at"].to_numpy(), rows["item_id"].factorize()[0]
    told = np.zeros((word.max() + 1, end.max() + 1), dtype=bool)
    counted, days = np.zeros(len(rows), dtype=bool), np.arange(told.shape[1])
    item_of = np.zeros(len(told), dtype=np.int64)
    item_of[word] = item
    newest_first = [np.flatnonzero(lists == number) for number in np.unique(lists)[::-1]]
    for own in newest_first:
        inside = (days >= first[own, None]) & (days <= last[own, None])
        counted[own] = ~(inside & told[word[own]]).any(axis=1)
        told[word[own[counted[own]]], start[own[0]] : end[own[0]] + 1] = True
    for own in newest_first:
        span = slice(start[own[0]], end[own[0]] + 1)
        silent = np.isin(item_of, item[own]) & ~told[:, span].any(axis=1)
        told[silent, span] = True
    return counted, told


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
