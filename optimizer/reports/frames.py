"""Query results as Arrow tables with dictionary-encoded texts, and kept rows as a data frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from optimizer.tables import Column, Table

_BATCH_ROWS: Final = 500_000


def arrow_rows(db: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    """All rows of a query in order; a text is stored once, however many rows repeat it."""
    with db.sql(sql).to_arrow_reader(_BATCH_ROWS) as reader:
        schema = _encoded_schema(reader.schema)
        batches = [_encoded(batch, schema) for batch in reader]
    table = pa.Table.from_batches(batches, schema).unify_dictionaries()
    return table.append_column("ordinal", pa.array(np.arange(len(table))))


def _encoded_schema(schema: pa.Schema) -> pa.Schema:
    encoded = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [field.with_type(encoded) if pa.types.is_string(field.type) else field for field in schema]
    )


def _encoded(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns: Iterator[Any] = (
        column.dictionary_encode().cast(field.type)
        if pa.types.is_dictionary(field.type)
        else column
        for field, column in zip(schema, batch.columns, strict=True)
    )
    return pa.RecordBatch.from_arrays(list(columns), schema=schema)


def kept_frame(kept: pa.Table, table: Table, line_of: np.ndarray) -> pd.DataFrame:
    """Kept rows in file order as `table`; texts are categorical, nullable integers Int64."""
    absent = {
        "str": pa.dictionary(pa.int32(), pa.string()),
        "int": pa.int64(),
        "float": pa.float64(),
    }
    frame = {}
    for name, column in table.columns.items():
        if name == "source_row":
            frame[name] = pd.Series(line_of[kept["ordinal"].to_numpy()])
        elif name in kept.column_names:
            frame[name] = _series(kept[name], column)
        elif not column.optional:
            frame[name] = _series(
                pa.chunked_array([pa.nulls(len(kept), absent[column.dtype])]), column
            )
    return pd.DataFrame(frame, copy=False)


def _series(values: pa.ChunkedArray, column: Column) -> pd.Series[Any]:
    if column.dtype == "int" and column.nullable:
        return pd.Series(values.to_pandas(types_mapper=lambda _: pd.Int64Dtype()))
    if column.dtype == "date":
        return pd.Series(values.to_pandas(date_as_object=False).astype("datetime64[s]"))
    if column.dtype == "str":
        return _categories(values)
    return pd.Series(values.to_pandas())


def _categories(values: pa.ChunkedArray) -> pd.Series[Any]:
    """Categories that some row has; not remove_unused_categories alone, which sorts all rows."""
    found = pd.Series(values.to_pandas()).astype("category")
    codes = found.cat.codes.to_numpy()
    seen = np.bincount(codes + 1, minlength=len(found.cat.categories) + 1)[1:]
    return found if seen.all() else found.cat.remove_unused_categories()
