"""Kept rows as a data frame of the table."""

from __future__ import annotations

from typing import Any, Final

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from optimizer.reports.rows import Reading
from optimizer.tables import Column

_SQL_TYPES: Final = {"str": "VARCHAR", "int": "BIGINT", "float": "DOUBLE", "date": "DATE"}


def kept_frame(
    db: duckdb.DuckDBPyConnection, reading: Reading, line_of: np.ndarray
) -> pd.DataFrame:
    """The kept rows in file order, as KEYWORD_ROWS or TERM_ROWS."""
    columns = dict(reading.profile.table.columns)
    del columns["source_row"]
    casts = ", ".join(
        f"CAST({name} AS {_SQL_TYPES[column.dtype]}) AS {name}" for name, column in columns.items()
    )
    kept = db.sql(f"SELECT ordinal, {casts} FROM kept ORDER BY ordinal").to_arrow_table()
    frame = pd.DataFrame({name: _series(kept[name], column) for name, column in columns.items()})
    frame["source_row"] = line_of[kept["ordinal"].to_numpy()]
    return frame


def _series(values: pa.ChunkedArray, column: Column) -> pd.Series[Any]:
    if column.dtype == "int" and column.nullable:
        return pd.Series(values.to_pandas(types_mapper=lambda _: pd.Int64Dtype()))
    if column.dtype == "date":
        return pd.Series(values.to_pandas(date_as_object=False).astype("datetime64[s]"))
    if column.dtype == "str":
        return pd.Series(values.to_pandas().astype("str"))
    return pd.Series(values.to_pandas())
