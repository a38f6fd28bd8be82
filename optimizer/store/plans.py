"""Scenarios that somebody kept, with their plans."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from optimizer.errors import Conflict, NotFound
from optimizer.store import audit, schema
from optimizer.store.audit import Entry, canonical
from optimizer.store.protocol import PlanRecord
from optimizer.tables import Actor

_TABLE = schema.plans
_P = _TABLE.c


def read(connection: sa.Connection, account: str) -> list[PlanRecord]:
    """See `protocol.Store.plans`."""
    query = sa.select(_TABLE).where(_P.account == account).order_by(_P.saved_at.desc(), _P.name)
    return [_record(row) for row in connection.execute(query).mappings()]


def _record(row: Mapping[Any, Any]) -> PlanRecord:
    told = {str(key): value for key, value in row.items()}
    parsed = {name: json.loads(told.pop(name)) for name in ("scenario", "result")}
    return PlanRecord(**told, **parsed)


def save(
    connection: sa.Connection,
    account: str,
    name: str,
    run_id: str,
    scenario: Mapping[str, Any],
    result: Mapping[str, Any],
    actor: Actor,
    at: datetime,
) -> PlanRecord:
    """See `protocol.Store.save_plan`."""
    taken = next((one for one in read(connection, account) if one.name == name), None)
    if taken is not None:
        raise Conflict("plan_name_taken", name=name, by=taken.saved_by, at=taken.saved_at)
    text = f"{account}|{name}|{at.isoformat()}"
    row = {
        "plan_id": hashlib.sha256(text.encode()).hexdigest()[:16],
        "account": account,
        "name": name,
        "run_id": run_id,
        "scenario": canonical(scenario),
        "result": canonical(result),
        "saved_at": at,
        "saved_by": actor.name,
    }
    connection.execute(sa.insert(_TABLE), [row])
    detail = {"run": run_id, "scenario": dict(scenario)}
    _log(connection, Entry("plan_save", name, detail), account, actor, at)
    return next(one for one in read(connection, account) if one.name == name)


def delete(connection: sa.Connection, account: str, name: str, actor: Actor, at: datetime) -> None:
    """See `protocol.Store.delete_plan`."""
    kept = {one.name: one for one in read(connection, account)}
    if name not in kept:
        raise NotFound("plan_not_found", name=name, known=sorted(kept))
    connection.execute(sa.delete(_TABLE).where(_P.plan_id == kept[name].plan_id))
    detail = {"run": kept[name].run_id, "scenario": dict(kept[name].scenario)}
    _log(connection, Entry("plan_delete", name, detail), account, actor, at)


def _log(connection: sa.Connection, entry: Entry, account: str, actor: Actor, at: datetime) -> None:
    audit.append(connection, [entry], account=account, actor=actor, at=at)
