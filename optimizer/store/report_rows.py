"""The rows of one report in a database of their own: who they are about, facts and states.

A report may be longer than memory. What it tells of things comes out as a frame of one row each, facts
as a sorted file; what lies between them is DuckDB's, which puts on disk what does not fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from optimizer.errors import RefusedInput
from optimizer.kept_rows import unglobbed
from optimizer.store import history
from optimizer.store.entities import CREATIVE_NAMES, NAME_COLUMNS, Kind
from optimizer.tables import Report

MEMORY_LIMIT: Final = "400MB"
_SQL_TYPES: Final = {
    pa.int64(): "BIGINT",
    pa.int32(): "INTEGER",
    pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR",
    pa.date32(): "DATE",
}
_PLACE: Final = "(last_day - DATE '1970-01-01') * 1099511627776 + ordinal"
"""Greatest for the newest row: that of the latest day, and of equal days the last one."""


@dataclass(frozen=True)
class Facts:
    """A file of facts, sorted by key: its rows, their first day, and the span of their last days."""

    path: Path
    rows: int
    first_day: date
    first_last_day: date
    last_day: date


@contextmanager
def opened(report: Report, kind: Kind) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with the report's `rows`, and the `things` they tell of under the names of entities.

    Within it, `RefusedInput` is raised when what does not fit in memory does not fit on disk either.
    """
    spill = report.kept.path.parent
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(spill),
    }
    names = CREATIVE_NAMES if kind == "creative" else {}
    renamed = ", ".join(f"{theirs} AS {ours}" for theirs, ours in names.items())
    own = f"* RENAME ({renamed})" if renamed else "*"
    with duckdb.connect(":memory:", config=config) as db:
        db.execute(f"CREATE TEMP VIEW all_rows AS {report.kept.rows_sql}")
        db.execute(f"CREATE TEMP VIEW things AS SELECT {own} FROM ({report.kept.things_sql})")
        if report.kept.identities_sql is not None:
            db.execute(f"CREATE TEMP VIEW identities AS {report.kept.identities_sql}")
        # A row whose thing is not good is not kept.
        db.execute(
            "CREATE TEMP VIEW rows AS SELECT all_rows.* FROM all_rows SEMI JOIN things USING (thing)"
        )
        try:
            yield db
        except duckdb.OperationalError as error:
            raise RefusedInput(
                "folder_unwritable", folder=str(spill.parent), why=str(error).splitlines()[0]
            ) from error


def told(db: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """What rows tell of each thing, in order of appearance: `thing`, names, `place` and `last_day`.

    `place` is greatest for the thing of the newest row. Texts are categorical.
    """
    names = [name for name in NAME_COLUMNS if name in db.table("things").columns]
    listed = ", ".join(f"things.{name}" for name in names)
    found = db.sql(
        f"SELECT thing, {listed}, place, last_day FROM things JOIN (SELECT thing,"
        f" max({_PLACE}) AS place, max(last_day) AS last_day, min(ordinal) AS first FROM rows"
        " GROUP BY thing) USING (thing) ORDER BY first"
    ).to_arrow_table()
    for at, name in enumerate(names, start=1):
        found = found.set_column(at, name, found[name].dictionary_encode())
    frame: pd.DataFrame = found.to_pandas(date_as_object=False)
    return frame.assign(last_day=frame["last_day"].astype("datetime64[s]"))


def settle(
    db: duckdb.DuckDBPyConnection, things: pd.DataFrame, keys: np.ndarray, kind: Kind
) -> pd.DataFrame:
    """Give `things` their entities' `keys`, nan for none; return the rows refused: ordinal, code, text.

    `clean` holds the other rows with their entity_key, `last_rows` the `place` of each thing's newest.
    """
    known = {name: pa.array(things[name]) for name in ("thing", "place")}
    known["entity_key"] = pa.array(keys, pa.int64(), from_pandas=True)
    db.register("keys", pa.table(known))
    db.execute(
        "CREATE TEMP VIEW keyed AS SELECT rows.*, entity_key FROM rows JOIN keys USING (thing)"
    )
    text = "search_term" if kind == "search_term" else "keyword_text"
    unnamed = "campaign_name IS NULL OR ad_group_name IS NULL"
    refused = [
        f"SELECT ordinal, if({unnamed}, 'entity_unknown', 'entity_ambiguous') AS code, {text} AS text"
        " FROM keyed JOIN things USING (thing) WHERE entity_key IS NULL"
    ]
    repeated = kind != "search_term" and _may_repeat(db) and _repeats(db)
    if repeated:
        refused.append(
            f"SELECT ordinal, 'entity_repeated', {text} FROM keyed JOIN things USING (thing)"
            " WHERE entity_key IS NOT NULL"
            " AND hash(entity_key, first_day, last_day) IN (SELECT key FROM repeated)"
        )
    found: pd.DataFrame = db.sql(
        f"SELECT * FROM ({' UNION ALL '.join(refused)}) ORDER BY ordinal"
    ).df()
    db.register("refused", found)
    kept = "ANTI JOIN refused USING (ordinal)" if len(found) else ""
    db.execute(f"CREATE TEMP VIEW clean AS SELECT * FROM keyed {kept}")
    # Without repeats all rows of a thing are clean or none is.
    last = f"SELECT entity_key, thing, max({_PLACE}) AS place FROM clean GROUP BY ALL"
    if not repeated:
        last = "SELECT entity_key, thing, place FROM keys WHERE entity_key IS NOT NULL"
    db.execute(f"CREATE TEMP TABLE last_rows AS {last}")
    return found


def _may_repeat(db: duckdb.DuckDBPyConnection) -> bool:
    """False where each entity is one identity, of which the report has a row per day and no more."""
    if not db.execute("FROM duckdb_views() WHERE view_name = 'identities'").fetchall():
        return True
    found = db.execute(
        "SELECT entity_key FROM keys JOIN identities USING (thing) WHERE entity_key IS NOT NULL"
        " GROUP BY entity_key HAVING min(entity) <> max(entity) LIMIT 1"
    )
    return bool(found.fetchall())


def _repeats(db: duckdb.DuckDBPyConnection) -> bool:
    """Whether two rows tell of the same entity and days; their hashes are in `repeated`."""
    key = "hash(entity_key, first_day, last_day)"
    # Sorted here: a table of all keys to count them in would be five times as large.
    found = db.sql(f"SELECT {key} AS key FROM keyed WHERE entity_key IS NOT NULL").fetchnumpy()
    keys = np.sort(np.asarray(found["key"]))
    twice = np.unique(keys[1:][keys[1:] == keys[:-1]])
    db.register("repeated", pa.table({"key": twice}))
    return bool(len(twice))


def write_facts(
    db: duckdb.DuckDBPyConnection,
    kind: Kind,
    stamp: tuple[date, int],
    path: Path,
    counted: Sequence[str],
) -> Facts | None:
    """The clean rows as a file of `history.FACTS[kind]`, sorted by key; None where there are none.

    `counted` names the columns of EXTRA_TYPES that it gets besides. Raises `RefusedInput` when the
    disk does not take it.
    """
    extra = [pa.field(name, history.EXTRA_TYPES[name]) for name in counted]
    schema = pa.schema([*history.FACTS[kind], *extra])
    source = _summed_over_segments(counted) if kind == "search_term" else "clean"
    key = ", ".join(history.KEY)
    try:
        db.execute(
            f"COPY (SELECT {_cast(schema, stamp)} FROM {source} ORDER BY {key})"
            f" TO '{_escaped(path)}' (FORMAT parquet, COMPRESSION zstd)"
        )
        found = db.execute(
            "SELECT count(*), min(first_day), min(last_day), max(last_day)"
            f" FROM read_parquet('{_escaped(unglobbed(path))}')"
        ).fetchall()
    except duckdb.IOException as error:
        path.unlink(missing_ok=True)
        if path.name not in str(error):
            raise  # It is the folder for what does not fit in memory.
        raise RefusedInput("store_not_writable", path=str(path), why=str(error)) from error
    ((rows, *days),) = found
    if not rows:
        path.unlink()
        return None
    return Facts(path, rows, *days)


def _summed_over_segments(counted: Sequence[str]) -> str:
    """One row per term and day: the report splits a term by the way it matched."""
    # Fractions in order of the file, so that they add up to the same bits every time.
    sums = (
        f"sum({name}{' ORDER BY ordinal' if name == 'conversions' else ''}) AS {name}"
        for name in (*history.SUMS, *counted)
    )
    return f"(SELECT {', '.join([*history.KEY, *sums])} FROM clean GROUP BY ALL)"


def _cast(schema: pa.Schema, stamp: tuple[date, int]) -> str:
    stamps = {"as_of": f"DATE '{stamp[0]}'", "sequence": str(stamp[1])}
    return ", ".join(
        f"CAST({stamps.get(field.name, field.name)} AS {_SQL_TYPES[field.type]}) AS {field.name}"
        for field in schema
    )


def _escaped(path: Path | str) -> str:
    return str(path).replace("'", "''")


def states(db: duckdb.DuckDBPyConnection, kind: Kind, stamp: tuple[date, int]) -> pa.Table:
    """What the newest row of each entity tells, as `history.STATES[kind]`."""
    schema = history.STATES[kind]
    changes = _bid_changes(db) if kind == "keyword" else _NO_CHANGES
    newest = (
        "SELECT entity_key, arg_max(thing, place) AS thing,"
        " DATE '1970-01-01' + CAST(max(place) >> 40 AS INTEGER) AS day"
        " FROM last_rows GROUP BY entity_key"
    )
    found = db.sql(
        f"SELECT {_cast(schema, stamp)} FROM ({newest}) JOIN things USING (thing)"
        f" LEFT JOIN ({changes}) USING (entity_key) ORDER BY entity_key"
    )
    return found.to_arrow_table().cast(schema)


_NO_CHANGES: Final = (
    "SELECT CAST(NULL AS BIGINT) AS entity_key, CAST(NULL AS DATE) AS changed_on WHERE false"
)


def _bid_changes(db: duckdb.DuckDBPyConnection) -> str:
    """SELECT per entity of the last day whose bid differs from that of its row before."""
    # Few keywords show two bids in one report; only their rows are worth ordering.
    db.execute(
        "CREATE TEMP TABLE moved AS SELECT entity_key FROM last_rows JOIN things USING (thing)"
        " GROUP BY entity_key HAVING min(bid_micros) <> max(bid_micros)"
    )
    beside = (
        "SELECT entity_key, first_day, bid_micros, lag(bid_micros) OVER (PARTITION BY entity_key"
        " ORDER BY first_day, ordinal) AS before"
        " FROM clean SEMI JOIN moved USING (entity_key) JOIN things USING (thing)"
    )
    return (
        f"SELECT entity_key, max(first_day) AS changed_on FROM ({beside})"
        " WHERE bid_micros <> before GROUP BY entity_key"
    )


def summary(db: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> Mapping[str, Any]:
    """Of the clean rows: `keys` of the entities, and which `columns` some row fills, as has_COLUMN."""
    filled = {**_filled(db, _TOLD_ROWS, columns), **_filled(db, "clean", columns)}
    keys = db.sql("SELECT DISTINCT entity_key FROM last_rows").fetchnumpy()["entity_key"]
    return {**filled, "keys": keys}


_TOLD_ROWS: Final = "(SELECT things.* FROM things SEMI JOIN last_rows USING (thing))"


def _filled(
    db: duckdb.DuckDBPyConnection, source: str, columns: Sequence[str]
) -> Mapping[str, Any]:
    present = _columns(db, source)
    filled = [f"count({name}) > 0 AS has_{name}" for name in columns if name in present]
    return _one_row(db, f"SELECT {', '.join(filled)} FROM {source}") if filled else {}


def counts_traffic(db: duckdb.DuckDBPyConnection) -> bool:
    """Whether the report has counts."""
    return "clicks" in _columns(db, "clean")


def sums(db: duckdb.DuckDBPyConnection) -> Mapping[str, Any]:
    """Sums of the clean rows by name; empty where the report has no counts."""
    if not counts_traffic(db):
        return {}
    listed = ", ".join(f"sum({name}) AS {name}" for name in history.SUMS)
    return _one_row(db, f"SELECT {listed} FROM clean")


def _columns(db: duckdb.DuckDBPyConnection, source: str) -> list[str]:
    return list(db.sql(f"SELECT * FROM {source} LIMIT 0").columns)


def _one_row(db: duckdb.DuckDBPyConnection, sql: str) -> Mapping[str, Any]:
    """The only row of a query, by column name."""
    found = db.execute(sql)
    names = [column[0] for column in found.description or ()]
    (row,) = found.fetchall()
    return dict(zip(names, row, strict=True))
