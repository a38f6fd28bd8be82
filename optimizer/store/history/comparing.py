"""What a new report says that was not known."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from optimizer.kept_rows import unglobbed
from optimizer.store.history.layout import EXTRA_TYPES, KEY, STAMP, HistoryFile, Window
from optimizer.store.history.newest import answer, connect, filled_with, newest_of, scan


@dataclass(frozen=True)
class Comparison:
    """A new report against what was known.

    `changed`: for each of its rows whether it is new or differs. `reaffirmed`: rows (schema of the facts)
    that later reports had confirmed and that the new, older one would otherwise hide. `missing`:
    number of known keys in its days that it does not hold.
    """

    changed: np.ndarray
    reaffirmed: pa.Table
    missing: int


def compare(
    facts: Path,
    rows: int,
    window: Window,
    known: Sequence[HistoryFile],
    seen: Sequence[HistoryFile],
) -> Comparison:
    """Find what the file `facts` (schema FACTS, so many `rows`) says that the `known` files do not.

    Known is the newest version in the `window`; `seen` are the files of keys that reports repeated
    unchanged.
    """
    schema = pq.read_schema(facts)
    if not known:
        return Comparison(np.ones(rows, dtype=bool), schema.empty_table(), 0)
    session = connect()
    name = f"facts_{hashlib.sha256(str(facts).encode()).hexdigest()}"
    read = session.read_parquet([unglobbed(facts)], table_name=name, file_row_number=True)
    new = read.rename(position="file_row_number")
    before = newest_of(session, known, window)
    schema = _with_extras_of(before, schema)
    joined = _beside(new, filled_with(before, EXTRA_TYPES), schema)
    found = answer(joined.filter(joined["changed"]).select("position"))
    changed = np.zeros(rows, dtype=bool)
    changed[found["position"].to_numpy()] = True
    repeated = answer(before.semi_join(new, list(KEY)).count()).as_py()
    missing = answer(before.count()).as_py() - repeated
    later = _reaffirmed(session, joined, known, seen, window.as_of, schema)
    return Comparison(changed, later, missing)


def _with_extras_of(rows: Any, schema: pa.Schema) -> pa.Schema:
    """`schema` with the extra columns that `rows` have beside its own."""
    own = [pa.field(name, kind) for name, kind in EXTRA_TYPES.items() if name in rows.columns]
    return pa.schema([*schema, *(field for field in own if field.name not in schema.names)])


def _beside(new: Any, before: Any, schema: pa.Schema) -> Any:
    """New rows with the known numbers as `known_*` and whether they differ in what both may say."""
    measured = [name for name in schema.names if name not in (*KEY, *STAMP)]
    old = before.select(*KEY, **{f"known_{name}": before[name] for name in measured})
    joined = new.left_join(old, list(KEY))
    is_new = joined["entity_key_right"].isnull()
    differs = is_new
    for name in (name for name in measured if name in new.columns):
        differs = differs | ~joined[name].identical_to(joined[f"known_{name}"])
    return joined.mutate(changed=differs, is_new=is_new)


def _reaffirmed(
    session: Any,
    joined: Any,
    known: Sequence[HistoryFile],
    seen: Sequence[HistoryFile],
    as_of: date,
    schema: pa.Schema,
) -> pa.Table:
    """Known rows that the new version replaces although a later report had seen them unchanged."""
    if not seen:
        return schema.empty_table()
    day = ibis.literal(as_of)
    stored, repeated = scan(session, known), scan(session, seen)
    told = stored.filter(stored["as_of"] > day).select(*KEY, *STAMP).mutate(repeats=False)
    again = repeated.filter(repeated["as_of"] > day).select(*KEY, *STAMP).mutate(repeats=True)
    first = ibis.window(group_by=list(KEY), order_by=list(STAMP))
    later = told.union(again).mutate(rank=ibis.row_number().over(first))
    confirmed = later.filter(later["rank"] == 0, later["repeats"]).select(*KEY, *STAMP)
    replaced = joined.filter(joined["changed"], ~joined["is_new"]).drop(
        *STAMP, "entity_key_right", "first_day_right", "last_day_right"
    )
    rows = replaced.inner_join(confirmed, list(KEY))
    measured = [name for name in schema.names if name not in (*KEY, *STAMP)]
    values = {name: rows[f"known_{name}"] for name in measured}
    return answer(rows.select(*KEY, **values, **{n: rows[n] for n in STAMP})).cast(schema)
