"""Decisions on suggestions, the holds they leave, and exports: optimistic, all or none, audited."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import pandas as pd
import sqlalchemy as sa

from optimizer.errors import Conflict
from optimizer.store import audit, experiments, listings, schema
from optimizer.store.audit import Entry, canonical
from optimizer.store.protocol import SETTLED, Beside, Change, ExportRecord, RunRecord
from optimizer.store.suggestions import chunks, latest_run
from optimizer.tables import HOLDS, Actor, empty_table

_TABLE = schema.suggestions
_S = _TABLE.c
_H = schema.holds.c
_JUDGED = (
    *(_S.id, _S.entity_key, _S.slot, _S.version, _S.decision, _S.delivery, _S.export_id),
    *(_S.bid, _S.proposed_bid, _S.approved_bid, _S.decided_by, _S.decided_at),
)
"""What a change is judged by: many thousands are read without their evidence."""
_PRECEDENCE = ("approved", "exported", "locked", "experiment", "rejected", "snoozed")
_HELD = ("rejected", "snoozed")


def apply_changes(
    connection: sa.Connection,
    account: str,
    changes: Sequence[Change],
    actor: Actor,
    action: str,
    at: datetime,
    beside: Beside | None = None,
) -> None:
    """See `protocol.Store.apply_changes`."""
    rows = _rows(connection, account, [change.id for change in changes])
    moved = [row for change in changes if (row := _moved(change, rows.get(change.id)))]
    moved += [{"id": id_, "why": "repeated"} for id_ in _repeated(changes)]
    moved += _rivalled(connection, account, changes)
    moved += _approved_since(connection, account, beside)
    if moved:
        raise Conflict("suggestions_moved", account=account, moved=moved)
    if not changes:
        return
    _write_decisions(connection, changes, rows, actor, at)
    _move_holds(connection, account, changes, rows)
    entries = [Entry(action, change.id, _detail(change)) for change in changes]
    audit.append(connection, entries, account=account, actor=actor, at=at)


def _repeated(changes: Sequence[Change]) -> list[str]:
    counts = Counter(change.id for change in changes)
    return [id_ for id_, count in counts.items() if count > 1]


def _rivalled(
    connection: sa.Connection, account: str, changes: Sequence[Change]
) -> list[dict[str, Any]]:
    """Changes one of whose rivals somebody approved since they were judged, told as that rival."""
    rivals = sorted({rival for change in changes for rival in change.rivals})
    found = _rows(connection, account, rivals)
    taken = {id_: row for id_, row in found.items() if row["decision"] == "approved"}
    return [
        {"why": "rival", "rival_id": rival, **_state(taken[rival]), "id": change.id}
        for change in changes
        for rival in change.rivals
        if rival in taken
    ]


def check_beside(connection: sa.Connection, account: str, beside: Beside | None) -> None:
    """Raise `Conflict` where something counts beside a change that whoever judged it saw not so."""
    moved = _approved_since(connection, account, beside)
    if moved:
        raise Conflict("suggestions_moved", account=account, moved=moved)


def _approved_since(
    connection: sa.Connection, account: str, beside: Beside | None
) -> list[dict[str, Any]]:
    """Approved rows and tests that count beside the changes and were not counted, or otherwise."""
    if beside is None:
        return []
    counts = sa.or_(_S.delivery == "not_exported", _S.decided_at >= beside.since)
    approved = sa.and_(_S.account == account, _S.decision == "approved", counts)
    query = sa.select(_TABLE).where(approved, _S.delivery.notin_(SETTLED))
    rows = connection.execute(query).mappings()
    unseen = [{"why": "beside", **_state(row)} for row in rows if not _counted(row, beside.bids)]
    tests = experiments.approved_ids(connection, account, beside.since)
    return unseen + [{"why": "beside", "id": id_} for id_ in tests if id_ not in beside.tests]


def _counted(row: Mapping[Any, Any], beside: Mapping[str, float | None]) -> bool:
    return row["id"] in beside and _same(row["approved_bid"], beside[row["id"]])


def _rows(
    connection: sa.Connection, account: str, ids: Sequence[str]
) -> dict[str, Mapping[Any, Any]]:
    found: dict[str, Mapping[Any, Any]] = {}
    for chunk in chunks(ids):
        query = sa.select(*_JUDGED).where(_S.account == account, _S.id.in_(chunk))
        found |= {row["id"]: row for row in connection.execute(query).mappings().all()}
    return found


def _moved(change: Change, row: Mapping[Any, Any] | None) -> dict[str, Any] | None:
    """What stands in the way of a change: the row as it is now, who moved it and when."""
    if row is None:
        return {"id": change.id, "why": "unknown"}
    why = _obstacle(change, row)
    return None if why is None else {"why": why, **_state(row)}


def _obstacle(change: Change, row: Mapping[Any, Any]) -> str | None:
    if row["delivery"] != "not_exported":
        return "exported"
    if row["version"] != change.version:
        return "version"
    if row["decision"] != change.from_decision:
        return "decision"
    return None if _same(row["bid"], change.replaced_bid) else "bid"


def _same(left: float | None, right: float | None) -> bool:
    if left is None or right is None:
        return left is right
    return math.isclose(left, right, rel_tol=1e-12, abs_tol=1e-9)


def _state(row: Mapping[Any, Any]) -> dict[str, Any]:
    at = row["decided_at"]
    return {
        "id": row["id"],
        "version": row["version"],
        "decision": row["decision"],
        "delivery": row["delivery"],
        "bid": row["bid"],
        "decided_by": row["decided_by"],
        "decided_at": None if at is None else at.isoformat(),
    }


def _write_decisions(
    connection: sa.Connection,
    changes: Sequence[Change],
    rows: Mapping[str, Mapping[Any, Any]],
    actor: Actor,
    at: datetime,
) -> None:
    """Rows that become the same are written together: of many thousands few differ in more than the id."""
    alike: dict[_Written, list[str]] = {}
    for change in changes:
        same = _Written(
            change.version,
            change.from_decision,
            change.version + _renewed(change, rows[change.id]),
            change.to_decision,
            change.approved_bid,
            change.reason,
            change.until,
        )
        alike.setdefault(same, []).append(change.id)
    written = sum(
        connection.execute(_update(same, actor, at).where(_S.id.in_(chunk))).rowcount
        for same, ids in alike.items()
        for chunk in chunks(ids)
    )
    if written != len(changes):
        raise Conflict("suggestions_moved", moved=[])


class _Written(NamedTuple):
    """What rows of a version and decision become."""

    seen_version: int
    seen_decision: str
    version: int
    decision: str
    bid: float | None
    reason: str | None
    until: date | None


def _update(same: _Written, actor: Actor, at: datetime) -> sa.Update:
    known = (_S.version == same.seen_version, _S.decision == same.seen_decision)
    return (
        sa.update(_TABLE)
        .where(*known, _S.delivery == "not_exported")
        .values(
            version=same.version,
            decision=same.decision,
            approved_bid=same.bid,
            decision_reason=same.reason,
            until=same.until,
            decided_by=actor.name,
            decided_at=at,
        )
    )


def _renewed(change: Change, row: Mapping[Any, Any]) -> bool:
    """Whether a further approval would accept another bid than this version offered so far."""
    parked, to = change.from_decision == "awaiting_second", change.to_decision
    reopened = change.from_decision == "approved" and to in ("proposed", "expired")
    other = reopened and not _same(row["approved_bid"], row["proposed_bid"])
    return other or to == "awaiting_second" or (parked and to != "approved")


def _detail(change: Change) -> dict[str, Any]:
    return {
        "version": change.version,
        "from": change.from_decision,
        "to": change.to_decision,
        "replaced_bid": change.replaced_bid,
        "approved_bid": change.approved_bid,
        "reason": change.reason,
        "until": change.until,
    }


def _move_holds(
    connection: sa.Connection,
    account: str,
    changes: Sequence[Change],
    rows: Mapping[str, Mapping[Any, Any]],
) -> None:
    """Rejections and snoozes bind later reviews; any other decision lifts what was said before.

    Of one keyword a review's own change and one that takes an export back may be refused at once.
    """
    for chunk in chunks([change.id for change in changes]):
        connection.execute(sa.delete(schema.holds).where(_H.suggestion_id.in_(chunk)))
    held = [change for change in changes if change.to_decision in _HELD]
    if not held:
        return
    named = [_hold(account, change, rows[change.id]) for change in held]
    key = [column.name for column in schema.holds.primary_key]
    single = {tuple(row[name] for name in key): row for row in named}
    same = sa.delete(schema.holds).where(*(_H[name] == sa.bindparam(f"old_{name}") for name in key))
    connection.execute(same, [{f"old_{name}": row[name] for name in row} for row in named])
    connection.execute(sa.insert(schema.holds), list(single.values()))


def _hold(account: str, change: Change, row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "account": account,
        "entity_key": row["entity_key"],
        "slot": row["slot"],
        "kind": change.to_decision,
        "until": change.until,
        "suggestion_id": change.id,
    }


def check_reverted(
    connection: sa.Connection, run: RunRecord, replaced: Mapping[str, str], seen: Mapping[str, str]
) -> None:
    """Raise `Conflict` where the review is not the newest, or an export's delivery is not as seen."""
    newest = latest_run(connection, run.account, None)
    rows = _rows(connection, run.account, list(replaced.values()))
    other = [
        {"why": "delivery", **_state(row)}
        for row in rows.values()
        if row["delivery"] != seen[row["id"]]
    ]
    if other or newest.run_id != run.run_id:
        raise Conflict("suggestions_moved", account=run.account, moved=other)


def set_lock(
    connection: sa.Connection,
    account: str,
    entity_key: str,
    slot: str,
    locked: bool,
    actor: Actor,
    at: datetime,
) -> None:
    """See `protocol.Store.set_lock`; saying the same again changes nothing."""
    key = {"account": account, "entity_key": entity_key, "slot": slot, "kind": "locked"}
    same = sa.and_(*(_H[name] == value for name, value in key.items()))
    exists = connection.execute(sa.select(_H.kind).where(same)).first() is not None
    if exists == locked:
        return
    statement = (
        sa.insert(schema.holds).values(key) if locked else sa.delete(schema.holds).where(same)
    )
    connection.execute(statement)
    entry = Entry("lock" if locked else "unlock", entity_key, {"slot": slot})
    audit.append(connection, [entry], account=account, actor=actor, at=at)


def read_holds(connection: sa.Connection, account: str, as_of: date) -> pd.DataFrame:
    """See `protocol.Store.holds`; of several holds on one slot the first of _PRECEDENCE counts."""
    stated = sa.select(_H.entity_key, _H.slot, _H.kind, sa.null(), _H.until).where(
        _H.account == account, sa.or_(_H.until.is_(None), _H.until >= as_of)
    )
    rows = [tuple(row) for row in connection.execute(stated)]
    # What awaits a second person is planned with, and shown to that person, as the first chose it.
    parked = sa.and_(_S.decision == "awaiting_second", _S.as_of == as_of)
    chosen = sa.or_(_S.decision == "approved", parked)
    rows += _fixed(connection, account, "approved", chosen, "not_exported")
    newest = _newest_report(connection, account, as_of)
    live = sa.or_(_S.as_of == as_of, _S.as_of >= newest)
    rows += _fixed(connection, account, "exported", live, "exported", "confirmed_live")
    # What the platform refused, or somebody moved since, is left as it is for the rest of its day.
    rows += _fixed(connection, account, "locked", _S.as_of == as_of, *SETTLED)
    rows += experiments.holds(connection, account, newest)
    frame = pd.DataFrame(rows, columns=list(HOLDS.columns), dtype="object")
    ranked = frame.assign(rank=frame["kind"].map(_PRECEDENCE.index)).sort_values(
        "rank", kind="stable"
    )
    single = ranked.drop_duplicates(list(HOLDS.key)).sort_values(list(HOLDS.key), ignore_index=True)
    return single[list(HOLDS.columns)].astype(empty_table(HOLDS).dtypes)


def _newest_report(connection: sa.Connection, account: str, as_of: date) -> date:
    """An export counts as not yet seen until a report of a later day comes in; lists show no bids."""
    batches = schema.batches.c
    query = sa.select(sa.func.max(batches.as_of)).where(
        batches.account == account,
        batches.as_of <= as_of,
        batches.grain.notin_(list(listings.SCHEMAS)),
    )
    return connection.scalar(query) or as_of


def _fixed(
    connection: sa.Connection, account: str, kind: str, condition: Any, *delivery: str
) -> list[tuple[Any, ...]]:
    value = sa.null() if kind == "locked" else _S.approved_bid
    query = (
        sa.select(_S.entity_key, _S.slot, sa.literal(kind), value, _S.until)
        .where(_S.account == account, _S.delivery.in_(delivery), condition)
        .order_by(_S.as_of.desc(), _S.decided_at.desc())
    )
    return [(*row[:4], None) for row in connection.execute(query)]


def find_export(connection: sa.Connection, account: str, export_id: str) -> ExportRecord | None:
    """The export of that key, if there is one."""
    found = read_exports(connection, account, export_id)
    return found[0] if found else None


def read_exports(
    connection: sa.Connection, account: str, export_id: str | None = None
) -> list[ExportRecord]:
    """Exports of an account, newest first."""
    table = schema.exports
    query = sa.select(table).where(table.c.account == account)
    if export_id is not None:
        query = query.where(table.c.export_id == export_id)
    rows = connection.execute(query.order_by(table.c.sequence.desc())).mappings().all()
    return [_export_record(connection, row) for row in rows]


def _export_record(connection: sa.Connection, row: Mapping[Any, Any]) -> ExportRecord:
    rows = schema.export_rows.c
    query = sa.select(rows.suggestion_id).where(
        rows.export_id == row["export_id"], rows.account == row["account"]
    )
    names = ("export_id", "account", "created_at", "created_by")
    return ExportRecord(
        **{name: row[name] for name in names},
        file_names=tuple(json.loads(row["file_names"])),
        suggestion_ids=tuple(connection.scalars(query.order_by(rows.position))),
    )


def record_export(
    connection: sa.Connection,
    account: str,
    export_id: str,
    file_names: Sequence[str],
    rows: Sequence[tuple[str, int]],
    actor: Actor,
    at: datetime,
) -> ExportRecord:
    """See `protocol.Store.record_export`; the same key with the same rows is the same export."""
    if (known := find_export(connection, account, export_id)) is not None:
        return _same_export(known, rows)
    stored = _rows(connection, account, [suggestion for suggestion, _ in rows])
    refused = [row for ref in rows if (row := _not_exportable(ref, stored.get(ref[0])))]
    if refused or len(stored) < len(rows):
        raise Conflict("not_exportable", account=account, export_id=export_id, moved=refused)
    _insert_export(connection, account, export_id, file_names, actor, at)
    _insert_export_rows(connection, account, export_id, rows, stored)
    detail = {"files": list(file_names), "rows": len(rows)}
    entries = [Entry("export", export_id, detail)]
    entries += [Entry("export", ref, {"export_id": export_id, "version": v}) for ref, v in rows]
    audit.append(connection, entries, account=account, actor=actor, at=at)
    return ExportRecord(
        export_id, account, at, actor.name, tuple(file_names), tuple(ref for ref, _ in rows)
    )


def _same_export(known: ExportRecord, rows: Sequence[tuple[str, int]]) -> ExportRecord:
    if set(known.suggestion_ids) != {suggestion for suggestion, _ in rows}:
        raise Conflict(
            "export_key_reused",
            export_id=known.export_id,
            created_by=known.created_by,
            created_at=known.created_at.isoformat(),
        )
    return known


def _not_exportable(ref: tuple[str, int], row: Mapping[Any, Any] | None) -> dict[str, Any] | None:
    if row is None:
        return {"id": ref[0], "why": "unknown"}
    if row["delivery"] != "not_exported":
        return {"why": "exported", **_state(row), "export_id": row["export_id"]}
    if row["version"] != ref[1]:
        return {"why": "version", **_state(row)}
    return None if row["decision"] == "approved" else {"why": "decision", **_state(row)}


def _insert_export(
    connection: sa.Connection,
    account: str,
    export_id: str,
    file_names: Sequence[str],
    actor: Actor,
    at: datetime,
) -> None:
    newest = connection.scalar(sa.select(sa.func.max(schema.exports.c.sequence))) or 0
    row = {
        "export_id": export_id,
        "account": account,
        "sequence": newest + 1,
        "created_at": at,
        "created_by": actor.name,
        "file_names": canonical(list(file_names)),
    }
    connection.execute(sa.insert(schema.exports), [row])


def _insert_export_rows(
    connection: sa.Connection,
    account: str,
    export_id: str,
    rows: Sequence[tuple[str, int]],
    stored: Mapping[str, Mapping[Any, Any]],
) -> None:
    if not rows:
        return
    listed = [
        {
            "export_id": export_id,
            "account": account,
            "suggestion_id": suggestion,
            "position": position,
            "version": version,
            "bid": stored[suggestion]["approved_bid"],
        }
        for position, (suggestion, version) in enumerate(rows)
    ]
    connection.execute(sa.insert(schema.export_rows), listed)
    update = sa.update(_TABLE).where(_S.id == sa.bindparam("which"))
    marked = update.values(delivery="exported", export_id=export_id)
    connection.execute(marked, [{"which": suggestion} for suggestion, _ in rows])
