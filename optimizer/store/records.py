"""Values to database rows and back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from optimizer.store.audit import canonical
from optimizer.store.protocol import AccountRecord, BatchRecord
from optimizer.tables import Checksum, Reconciliation

_ROWS_AT_ONCE = 4096


def storable(text: str) -> str:
    """`text` as any database takes it: no lone surrogates, NUL shown as its symbol."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\u2400")


def to_records(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    """Rows as dictionaries of plain values; every kind of null becomes None, days become dates."""
    columns = [_plain(frame[name]).tolist() for name in frame.columns]
    names = list(frame.columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def insert_rows(connection: sa.Connection, table: sa.Table, frame: pd.DataFrame) -> None:
    """Insert `frame` through the driver itself: a compiled statement a row costs twice the insert.

    Columns must be text, numbers or days, which both databases take as they are. Those without a value
    are left out: to bind their nulls row by row takes a quarter of the insert.
    """
    frame = frame.dropna(axis="columns", how="all")
    names = [str(name) for name in frame.columns]
    statement = sa.insert(table).compile(dialect=connection.dialect, column_keys=names)
    columns = [_driver_values(frame[name]) for name in statement.positiontup or names]
    rows: list[Any] = list(zip(*columns, strict=True))
    if not statement.positional:
        rows = [dict(zip(names, row, strict=True)) for row in rows]
    connection.exec_driver_sql(str(statement), rows)


def _driver_values(values: pd.Series[Any]) -> list[Any]:
    plain = _plain(values).tolist()
    if not isinstance(next((one for one in plain if one is not None), None), date):
        return plain
    text = {one: None if one is None else one.isoformat() for one in set(plain)}
    return [text[one] for one in plain]


def to_frame(names: Sequence[str], rows: Sequence[Any]) -> pd.DataFrame:
    """Database rows as a frame of objects."""
    columns: Any = zip(*rows, strict=True) if rows else [()] * len(names)
    return pd.DataFrame(
        {
            name: pd.Series(list(values), dtype="object")
            for name, values in zip(names, columns, strict=True)
        }
    )


def to_typed_frame(schema: pa.Schema, result: sa.CursorResult[Any]) -> pd.DataFrame:
    """All rows of `result`, whose columns are those of `schema`: plain numbers and texts.

    Straight from the driver: a hundred thousand rows take a third of the time of `to_frame`.
    """
    parts = [] if result.cursor is None else list(_batches(schema, result.cursor))
    result.close()
    frame: pd.DataFrame = pa.Table.from_batches(parts, schema).to_pandas()
    return frame


def _batches(schema: pa.Schema, cursor: Any) -> Iterator[pa.RecordBatch]:
    """So few rows at a time that they are still in the processor's cache when they are turned."""
    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
        columns = zip(zip(*rows, strict=True), schema.types, strict=True)
        arrays = [pa.array(values, kind) for values, kind in columns]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _plain(values: pd.Series[Any]) -> pd.Series[Any]:
    if getattr(values.dtype, "kind", "O") == "M":
        values = values.dt.date
    plain = values.astype("object")
    return plain.where(plain.notna(), None)


def reconciliation_json(reconciliation: Reconciliation) -> str:
    """Canonical JSON of a reconciliation."""
    return canonical(asdict(reconciliation))


def parse_reconciliation(text: str) -> Reconciliation:
    """The reconciliation that `reconciliation_json` wrote."""
    value = json.loads(text)
    period = value.pop("period")
    checksums = tuple(Checksum(**checksum) for checksum in value.pop("checksums"))
    days = None if period is None else (_day(period[0]), _day(period[1]))
    return Reconciliation(**value, checksums=checksums, period=days)


def _day(text: str) -> date:
    return date.fromisoformat(text)


def batch_record(row: Mapping[Any, Any], *, duplicate: bool = False) -> BatchRecord:
    """A row of `batches` as the protocol's value."""
    names = (
        "batch_id",
        "account",
        "file_name",
        "sha256",
        "as_of",
        "sequence",
        "grain",
        "imported_at",
        "imported_by",
        "rows_changed",
        "keys_missing",
    )
    return BatchRecord(
        **{name: row[name] for name in names},
        reconciliation=parse_reconciliation(row["reconciliation"]),
        duplicate=duplicate,
    )


def account_record(row: Mapping[Any, Any]) -> AccountRecord:
    """A row of `accounts` as the protocol's value."""
    return AccountRecord(**{name: row[name] for name in AccountRecord.__dataclass_fields__})
