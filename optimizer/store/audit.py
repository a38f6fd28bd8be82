"""The audit trail: one row per act, in the transaction of the act, chained by hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa

from optimizer.errors import Problem
from optimizer.store import schema
from optimizer.tables import Actor

COLUMNS = ("sequence", "at", "actor", "role", "account", "action", "subject", "detail", "hash")


@dataclass(frozen=True)
class Entry:
    """One act: what was done (`action`) to what (`subject`: an id), with JSON `detail`."""

    action: str
    subject: str
    detail: dict[str, Any] = field(default_factory=dict)


def canonical(value: Any) -> str:
    """JSON with sorted keys and no blanks: equal values have equal text."""
    return _ENCODER.encode(value)


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not JSON")


_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain
)


def append(
    connection: sa.Connection,
    entries: Sequence[Entry],
    *,
    account: str | None,
    actor: Actor,
    at: datetime,
) -> None:
    """Add `entries` to the chain; the connection holds the writer lock."""
    sequence, before = _last(connection)
    rows = []
    for number, entry in enumerate(entries, start=sequence + 1):
        row = _row(entry, account, actor, at, number)
        before = row["hash"] = _chain(before, row)
        rows.append(row)
    if rows:
        connection.execute(sa.insert(schema.audit), rows)


def _row(
    entry: Entry, account: str | None, actor: Actor, at: datetime, number: int
) -> dict[str, Any]:
    return {
        "sequence": number,
        "at": at,
        "actor": actor.name,
        "role": actor.role_on(account) or "none",
        "account": account,
        "action": entry.action,
        "subject": entry.subject,
        "detail": canonical(entry.detail),
    }


def _last(connection: sa.Connection) -> tuple[int, str]:
    newest = sa.select(schema.audit.c.sequence, schema.audit.c.hash).order_by(
        schema.audit.c.sequence.desc()
    )
    row = connection.execute(newest.limit(1)).first()
    return (0, "") if row is None else (row.sequence, row.hash)


def last_of(connection: sa.Connection, account: str) -> int:
    """Sequence of the newest row of one account; 0 for none."""
    newest = sa.select(schema.audit.c.sequence).where(schema.audit.c.account == account)
    query = newest.order_by(schema.audit.c.sequence.desc()).limit(1)
    return int(connection.scalar(query) or 0)


def _chain(before: str, row: dict[str, Any]) -> str:
    content = {name: row[name] for name in COLUMNS if name != "hash"}
    return hashlib.sha256((before + canonical(content)).encode()).hexdigest()


def read(
    connection: sa.Connection, account: str | None, subject: str | None = None
) -> pd.DataFrame:
    """Audit rows in order, of one account or of all, of one subject or of every one."""
    query = sa.select(schema.audit).order_by(schema.audit.c.sequence)
    for column, wanted in ((schema.audit.c.account, account), (schema.audit.c.subject, subject)):
        if wanted is not None:
            query = query.where(column == wanted)
    rows = connection.execute(query).mappings().all()
    frame = pd.DataFrame([dict(row) for row in rows], columns=list(COLUMNS))
    return frame.astype({"sequence": "int64", "at": "datetime64[us, UTC]"})


def verify(connection: sa.Connection) -> list[Problem]:
    """The first broken link of the chain, if any: `audit_chain_broken` with its `sequence`."""
    before = ""
    query = sa.select(schema.audit).order_by(schema.audit.c.sequence)
    for expected, row in enumerate(connection.execute(query).mappings(), start=1):
        if row["sequence"] != expected or row["hash"] != _chain(before, dict(row)):
            return [Problem("audit_chain_broken", fields={"sequence": expected})]
        before = row["hash"]
    return []
