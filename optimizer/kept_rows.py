"""Kept rows of a report in files of their own, so that a report of any length fits in memory.

A report repeats what it says of a keyword on every day. So its rows are two files: `things`, what is
told of each thing once (names, states, bids), and `rows`, the numbers of each thing and day.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from optimizer import scratch

THING: Final = "thing"
ORDINAL: Final = "ordinal"
PROBLEM: Final = "problem"
IDENTITY: Final = "entity"
LINE: Final = "source_row"
_ARROW: Final = {
    "str": pa.dictionary(pa.int32(), pa.string()),
    "int": pa.int64(),
    "float": pa.float64(),
    "date": pa.date32(),
}
_COUNTED: Final = frozenset(
    (
        *("first_day", "last_day", "impressions", "clicks", "cost_micros", "conversions"),
        *("value_micros", "impression_share", "impression_share_censor", "lost_is_budget"),
        *("avg_position", "add_to_cart", "favourites", "presale_orders", "presale_value_micros"),
        *("new_customers", "direct_value_micros", "indirect_value_micros"),
    )
)
"""Columns that differ from row to row; all others are told of a thing."""
_SQL: Final = {"str": "VARCHAR", "int": "BIGINT", "float": "DOUBLE", "date": "DATE"}


class Kind(Protocol):
    """What is asked of a column of `tables`."""

    @property
    def dtype(self) -> str:
        """str, int, float or date."""

    @property
    def nullable(self) -> bool:
        """Whether it may be null."""

    @property
    def optional(self) -> bool:
        """Whether it may be absent."""


class Lookup(Protocol):
    """Lines of a file by the ordinals of its rows: `LineNumbers`, or an array of them."""

    def __getitem__(self, rows: np.ndarray, /) -> Any:
        """The lines on which these rows start."""


@dataclass(frozen=True)
class LineNumbers:
    """The lines that are rows: all from `first` on, without those that `without` lists in order."""

    first: int
    without: np.ndarray

    def __getitem__(self, rows: np.ndarray, /) -> np.ndarray:
        before = self.without - self.first - np.arange(len(self.without))
        found: np.ndarray = self.first + rows + np.searchsorted(before, rows, "right")
        return found


class KeptRows:
    """Two Parquet files, of rows and of what they tell of; they go when the object goes.

    Rows count whose own `problem` and whose thing's are null. `columns` names what a row has; a
    column that neither file has is null throughout.
    """

    def __init__(
        self, rows: Path, things: Path, columns: Mapping[str, Kind], lines: Lookup
    ) -> None:
        """Take the files over."""
        folder = tempfile.mkdtemp(prefix=scratch.prefix("rows"))
        self._remove = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.path = Path(shutil.move(rows, folder))
        self.things_path = Path(shutil.move(things, folder))
        self.columns = columns
        self.lines = lines
        self._counted = frozenset(pq.read_schema(self.path).names)
        self._told = frozenset(pq.read_schema(self.things_path).names)

    @classmethod
    def of(cls, frame: pd.DataFrame, columns: Mapping[str, Kind]) -> KeptRows:
        """A frame's rows, each a thing of its own; columns null throughout need not be there."""
        known = {name: kind for name, kind in columns.items() if name in frame and name != LINE}
        arrays = {name: _array(frame[name], _ARROW[kind.dtype]) for name, kind in known.items()}
        counted = {name: array for name, array in arrays.items() if name in _COUNTED}
        own = {THING: pa.array(np.arange(len(frame)), pa.uint64())}
        own[PROBLEM] = pa.nulls(len(frame), pa.uint16())
        told = {name: array for name, array in arrays.items() if name not in counted}
        with tempfile.TemporaryDirectory(prefix=scratch.prefix("rows")) as folder:
            rows, things = Path(folder) / "rows.parquet", Path(folder) / "things.parquet"
            pq.write_table(pa.table(own | counted), rows)
            pq.write_table(pa.table(own | told), things)
            return cls(rows, things, columns, frame[LINE].to_numpy(dtype=np.int64))

    @property
    def rows_sql(self) -> str:
        """SELECT of `thing`, what is counted of each row, and its `ordinal`, in DuckDB's words."""
        named = self._named(self._counted, counted=True)
        ordinal = ORDINAL if ORDINAL in self._counted else f"file_row_number AS {ORDINAL}"
        return (
            f"SELECT {', '.join([THING, *named, ordinal])}"
            f" FROM read_parquet({_quoted(self.path)}, file_row_number=true)"
            f" WHERE {PROBLEM} IS NULL"
        )

    @property
    def things_sql(self) -> str:
        """SELECT of `thing` and what is told of each."""
        named = self._named(self._told, counted=False)
        return (
            f"SELECT {', '.join([THING, *named])} FROM read_parquet({_quoted(self.things_path)})"
            f" WHERE {PROBLEM} IS NULL"
        )

    @property
    def identities_sql(self) -> str | None:
        """SELECT of `thing` and a hash of what it is, where rows are known to differ in it or in days."""
        if IDENTITY not in self._told:
            return None
        return f"SELECT {THING}, {IDENTITY} FROM read_parquet({_quoted(self.things_path)})"

    def _named(self, present: Collection[str], *, counted: bool) -> list[str]:
        """Columns of one of the files; null where it lacks one that is not optional."""
        own = {
            name: kind
            for name, kind in self.columns.items()
            if name != LINE and (name in _COUNTED) is counted
        }
        return [
            name if name in present else f"CAST(NULL AS {_SQL[kind.dtype]}) AS {name}"
            for name, kind in own.items()
            if name in present or not kind.optional
        ]

    def frame(self) -> pd.DataFrame:
        """All rows in memory, in file order; texts are categorical, integers with nulls Int64."""
        rows, things = self._good(self.path), self._good(self.things_path)
        place = pc.index_in(rows[THING], value_set=things[THING])
        rows = rows.append_column("place", place).filter(pc.is_valid(place)).sort_by(ORDINAL)
        told = things.select(
            [name for name in things.column_names if name not in rows.column_names]
        )
        table = told.take(rows["place"])
        for name in rows.column_names:
            table = table.append_column(name, rows[name])
        lines = pd.Series(self.lines[table[ORDINAL].to_numpy()])
        return pd.DataFrame(
            {
                name: lines if name == LINE else _series(table, name, kind)
                for name, kind in self.columns.items()
                if name == LINE or name in table.column_names or not kind.optional
            },
            copy=False,
        )

    def _good(self, path: Path) -> pa.Table:
        """Rows of a file without a problem; with an ordinal."""
        names = pq.read_schema(path).names
        texts = [name for name in names if self._is_text(name)]
        table = pq.read_table(path, read_dictionary=texts)
        if ORDINAL not in names:
            table = table.append_column(ORDINAL, pa.array(np.arange(len(table))))
        return table.filter(pc.is_null(table[PROBLEM]))

    def _is_text(self, name: str) -> bool:
        return name in self.columns and self.columns[name].dtype == "str"


def unglobbed(path: Path) -> str:
    """A path for DuckDB's scans, which would take [, * and ? in it for a pattern."""
    return "".join(f"[{c}]" if c in "[*?" else c for c in str(path))


def _quoted(path: Path) -> str:
    return "'" + unglobbed(path).replace("'", "''") + "'"


def _array(values: pd.Series[Any], kind: pa.DataType) -> pa.Array:
    array = pa.Array.from_pandas(values)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    return array if pa.types.is_dictionary(array.type) else array.cast(kind)


def _series(table: pa.Table, name: str, kind: Kind) -> pd.Series[Any]:
    if name not in table.column_names:
        values = pa.chunked_array([pa.nulls(len(table), _ARROW[kind.dtype])])
    else:
        values = table[name]
    if kind.dtype == "int" and kind.nullable:
        return pd.Series(values.to_pandas(types_mapper=lambda _: pd.Int64Dtype()))
    if kind.dtype == "date":
        return pd.Series(values.to_pandas(date_as_object=False).astype("datetime64[s]"))
    if kind.dtype == "str":
        return _categories(values)
    return pd.Series(values.to_pandas())


def _categories(values: pa.ChunkedArray) -> pd.Series[Any]:
    found = pd.Series(values.unify_dictionaries().to_pandas()).astype("category")
    return found.cat.remove_unused_categories()
