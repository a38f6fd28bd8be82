"""Which suggestions moved since an act of the audit trail: a list of many is not read anew for a few."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from optimizer.store import audit, records, schema, suggestions
from optimizer.store.protocol import RunRecord
from optimizer.tables import among

RESOLVE, REWRITTEN = "resolve", "rewritten"
"""The act of a re-solve, and the part of its detail that names the rows it moved."""

_NAMED, _FEW = 50, 500
"""Most ids in one audit row, which people read too; most rows that are worth patching."""
_ON_ONE = frozenset({"approve", "edit", "reject", "snooze", "undo"})
_ON_NONE = frozenset({"lock", "unlock"})
_STATE = pa.schema(
    [("id", pa.string()), ("version", pa.int64())]
    + [(name, pa.string()) for name in ("decision", "delivery")]
)
_A = schema.audit.c
_S = schema.suggestions.c


def named(ids: Sequence[str]) -> list[str] | None:
    """The ids as a re-solve's audit row names them; None for more than a few."""
    return sorted(ids) if len(ids) <= _NAMED else None


def refreshed(
    connection: sa.Connection, account: str, run_id: str, rows: pd.DataFrame, stamp: int
) -> pd.DataFrame | None:
    """`rows` of a run, read when act `stamp` was the account's newest, as a fresh read would give them.

    None where that takes a fresh read: acts that do not name their rows, too many, another run.
    """
    moved = _moved_since(connection, account, stamp)
    if moved is None or len(moved) > _FEW:
        return None
    columns = [_S[name] for name in _STATE.names]
    listed = sa.select(*columns).where(_S.run_id == run_id, _S.decision != "superseded")
    ordered = listed.order_by(_S.as_of, _S.position, _S.id)
    now = records.to_typed_frame(_STATE, connection.execute(ordered))
    fresh = suggestions.by_id(connection, account, sorted(moved))
    joined = pd.concat([rows[~among(rows["id"], moved)], fresh], ignore_index=True)
    place = pd.Index(joined["id"]).get_indexer(pd.Index(now["id"]))
    found = joined.take(place[place >= 0]).reset_index(drop=True)
    return found if found[_STATE.names].equals(now) else None


def known_rows(
    connection: sa.Connection, run: RunRecord, rows: pd.DataFrame, stamp: int
) -> pd.DataFrame | None:
    """`suggestions.day_rows` (in another order) from the run's `rows`, read when `stamp` was newest.

    None where that takes a fresh read.
    """
    if audit.last_of(connection, run.account) != stamp:
        fresh = refreshed(connection, run.account, run.run_id, rows, stamp)
        if fresh is None:
            return None
        rows = fresh
    left = suggestions.left_rows(connection, run)
    return pd.concat([rows, left], ignore_index=True) if len(left) else rows


def _moved_since(connection: sa.Connection, account: str, stamp: int) -> set[str] | None:
    """Ids of the rows that acts since `stamp` moved; None where one of them does not tell."""
    query = sa.select(_A.action, _A.subject, _A.detail).where(
        _A.account == account, _A.sequence > stamp
    )
    moved: set[str] = set()
    for action, subject, detail in connection.execute(query.limit(4 * _FEW)):
        ids = _moved_by(action, subject, detail)
        if ids is None:
            return None
        moved.update(ids)
    return moved


def _moved_by(action: str, subject: str, detail: str) -> list[str] | None:
    if action in _ON_ONE:
        return [subject]
    if action in _ON_NONE:
        return []
    told: Any = json.loads(detail) if action == RESOLVE else {}
    ids: list[str] | None = told.get(REWRITTEN)
    return ids
