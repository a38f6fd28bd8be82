"""Bid tests: proposed, decided and exported step by step, each act with its audit row.

A test holds its members' bids from its approval until a report later than its last step comes in;
one that was never exported, until its last day is over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
import sqlalchemy as sa

from optimizer.errors import Conflict
from optimizer.store import audit, schema
from optimizer.store.audit import Entry, canonical
from optimizer.store.protocol import ExperimentRecord, NewExperiment, StepRecord
from optimizer.store.records import to_records
from optimizer.tables import EXPERIMENT_MEMBERS, EXPERIMENT_STEPS, Actor, Table, empty_table

_E = schema.experiments.c
_X = schema.experiment_exports.c
_OPEN = ("approved", "running")
_BUSY = (*_OPEN, "finished", "stopped")
_ENDED = ("finished", "stopped")
_FIGURES = ("cost_mean", "cost_low", "cost_high", "extra_spend", "value")


def save(
    connection: sa.Connection, proposal: NewExperiment, actor: Actor, at: datetime
) -> ExperimentRecord:
    """See `protocol.Store.save_experiment`."""
    before = read(connection, proposal.account)
    if before is not None and before.state in _OPEN:
        raise Conflict("experiment_open", account=proposal.account, id=before.id)
    known = read(connection, proposal.account, proposal.id)
    if known is not None:
        if known.state in _BUSY:
            raise Conflict("experiment_decided", id=known.id, state=known.state)
        if known.state == "proposed" and _same(known, proposal):
            return known
        _delete(connection, known.id)
    supersede = sa.update(schema.experiments).where(
        _E.account == proposal.account, _E.state == "proposed"
    )
    connection.execute(supersede.values(state="superseded"))
    version = 1 if known is None else known.version + 1
    _insert(connection, proposal, version, actor, at)
    detail = {"version": version, "keywords": len(proposal.members), **proposal.figures}
    _log(connection, proposal.account, "experiment_propose", proposal.id, detail, actor, at)
    return _found(connection, proposal.account, proposal.id)


def _same(known: ExperimentRecord, proposal: NewExperiment) -> bool:
    figures = {name: float(proposal.figures[name]) for name in _FIGURES}
    return known.figures == figures and known.steps.equals(_sorted(proposal.steps))


def _delete(connection: sa.Connection, experiment_id: str) -> None:
    for table in (schema.experiment_steps, schema.experiment_members):
        connection.execute(sa.delete(table).where(table.c.experiment_id == experiment_id))
    connection.execute(sa.delete(schema.experiments).where(_E.id == experiment_id))


def _insert(
    connection: sa.Connection, proposal: NewExperiment, version: int, actor: Actor, at: datetime
) -> None:
    row = {
        "id": proposal.id,
        "account": proposal.account,
        "as_of": proposal.as_of,
        "version": version,
        "state": "proposed",
        "last_day": proposal.last_day,
        "weeks": proposal.weeks,
        **{name: float(proposal.figures[name]) for name in _FIGURES},
        "proposed_at": at,
        "proposed_by": actor.name,
    }
    connection.execute(sa.insert(schema.experiments), [row])
    members = proposal.members.assign(position=range(len(proposal.members)))
    for table, frame in (
        (schema.experiment_members, members),
        (schema.experiment_steps, proposal.steps),
    ):
        named = frame.assign(experiment_id=proposal.id)
        connection.execute(sa.insert(table), to_records(named))


def read(
    connection: sa.Connection, account: str, experiment_id: str | None = None
) -> ExperimentRecord | None:
    """The account's newest test that is not superseded, or the one with this id."""
    query = sa.select(schema.experiments).where(_E.account == account)
    wanted = _E.state != "superseded" if experiment_id is None else _E.id == experiment_id
    query = query.where(wanted)
    newest = query.order_by(_E.as_of.desc(), _E.proposed_at.desc()).limit(1)
    row = connection.execute(newest).mappings().first()
    return None if row is None else _record(connection, row)


def _found(connection: sa.Connection, account: str, experiment_id: str) -> ExperimentRecord:
    found = read(connection, account, experiment_id)
    if found is None:
        raise Conflict("experiment_unknown", account=account, id=experiment_id)
    return found


def _record(connection: sa.Connection, row: Mapping[Any, Any]) -> ExperimentRecord:
    members = _frame(connection, schema.experiment_members, row["id"], "position")
    steps = _frame(connection, schema.experiment_steps, row["id"], "week")
    names = ("id", "account", "as_of", "version", "state", "last_day", "weeks")
    others = ("proposed_at", "proposed_by", "decided_by", "decision_reason")
    return ExperimentRecord(
        **{name: row[name] for name in (*names, *others)},
        figures={name: row[name] for name in _FIGURES},
        members=_typed(members, EXPERIMENT_MEMBERS),
        steps=_sorted(_typed(steps, EXPERIMENT_STEPS)),
        exports=_exports(connection, row["id"]),
    )


def _frame(
    connection: sa.Connection, table: sa.Table, experiment_id: str, order: str
) -> pd.DataFrame:
    query = sa.select(table).where(table.c.experiment_id == experiment_id)
    rows = connection.execute(query.order_by(table.c[order])).mappings().all()
    return pd.DataFrame([dict(row) for row in rows], columns=[one.name for one in table.c])


def _typed(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    return frame[list(table.columns)].astype(empty_table(table).dtypes)


def _sorted(steps: pd.DataFrame) -> pd.DataFrame:
    ordered = steps.sort_values(["entity_key", "week"], ignore_index=True)
    return _typed(ordered, EXPERIMENT_STEPS)


def _exports(connection: sa.Connection, experiment_id: str) -> tuple[StepRecord, ...]:
    query = sa.select(schema.experiment_exports).where(_X.experiment_id == experiment_id)
    rows = connection.execute(query.order_by(_X.day, _X.week)).mappings().all()
    names = ("week", "export_id", "day", "created_at", "created_by")
    return tuple(
        StepRecord(
            **{name: row[name] for name in names},
            file_names=tuple(json.loads(row["file_names"])),
            rows=tuple(json.loads(row["rows"])),
        )
        for row in rows
    )


def decide(
    connection: sa.Connection,
    account: str,
    ref: tuple[str, int],
    to_state: str,
    reason: str | None,
    actor: Actor,
    at: datetime,
) -> None:
    """See `protocol.Store.decide_experiment`."""
    allowed = {"approved": ("proposed",), "rejected": ("proposed", "approved")}[to_state]
    known = _found(connection, account, ref[0])
    if known.version != ref[1] or known.state not in allowed:
        raise _moved(known)
    change = sa.update(schema.experiments).where(_E.id == known.id)
    connection.execute(
        change.values(state=to_state, decided_by=actor.name, decided_at=at, decision_reason=reason)
    )
    detail = {"version": known.version, "from": known.state, "to": to_state, "reason": reason}
    action = "experiment_approve" if to_state == "approved" else "experiment_reject"
    _log(connection, account, action, known.id, detail, actor, at)


def approved_ids(connection: sa.Connection, account: str, since: datetime) -> list[str]:
    """Ids of the bid tests that were approved from `since` on and are under way."""
    counted = (_E.account == account) & _E.state.in_(_OPEN) & (_E.decided_at >= since)
    return list(connection.scalars(sa.select(_E.id).where(counted).order_by(_E.id)))


def approved_since(
    connection: sa.Connection, account: str, since: datetime
) -> list[ExperimentRecord]:
    """See `protocol.Store.approved_experiments`."""
    ids = approved_ids(connection, account, since)
    return [_found(connection, account, each) for each in ids]


def _moved(known: ExperimentRecord) -> Conflict:
    names = ("id", "version", "state", "decided_by")
    return Conflict("experiment_moved", **{name: getattr(known, name) for name in names})


def record_step(
    connection: sa.Connection,
    seen: ExperimentRecord,
    step: StepRecord,
    state: str,
    actor: Actor,
    at: datetime,
) -> None:
    """See `protocol.Store.record_experiment_step`."""
    known = _found(connection, seen.account, seen.id)
    if known.state not in _OPEN:
        raise Conflict("experiment_not_approved", id=known.id, state=known.state)
    if any(made.week == step.week for made in known.exports):
        raise Conflict("experiment_step_exported", id=known.id, week=step.week)
    if _stand(known) != _stand(seen):
        raise _moved(known)
    row = {
        "experiment_id": known.id,
        "week": step.week,
        "export_id": step.export_id,
        "day": step.day,
        "created_at": at,
        "created_by": actor.name,
        "file_names": canonical(list(step.file_names)),
        "rows": canonical(list(step.rows)),
    }
    connection.execute(sa.insert(schema.experiment_exports), [row])
    change = sa.update(schema.experiments).where(_E.id == known.id)
    connection.execute(change.values(state=state))
    detail = {"export_id": step.export_id, "week": step.week, "state": state}
    detail |= {"files": list(step.file_names), "rows": len(step.rows)}
    action = "experiment_stop" if state == "stopped" else "experiment_export"
    _log(connection, known.account, action, known.id, detail, actor, at)


def _stand(record: ExperimentRecord) -> tuple[int, str, list[str]]:
    """What a step's file depends on: the bids of this version, and those exported before it."""
    return record.version, record.state, [step.export_id for step in record.exports]


def holds(
    connection: sa.Connection, account: str, newest_report: date
) -> list[tuple[str, str, str, float, date]]:
    """Rows of table HOLDS: the members of a test that is under way, or whose end no report shows yet.

    `value` is the mean of a member's test bids, around which they go up and down; after the end
    the bid that was handed back.
    """
    query = sa.select(_E.id, _E.state, _E.last_day).where(
        _E.account == account, _E.state.in_(_BUSY)
    )
    found = [
        (row.id, row.last_day)
        for row in connection.execute(query)
        if row.state == "running"
        or (row.state == "approved" and row.last_day >= newest_report)
        or _last_export(connection, row.id) >= newest_report
    ]
    return [
        (str(key), "bid", "experiment", float(bid), last_day)
        for experiment_id, last_day in found
        for key, bid in _held_bids(_found(connection, account, experiment_id)).items()
    ]


def _held_bids(record: ExperimentRecord) -> pd.Series[float]:
    """What each member bids, by key, as far as a plan counts with it."""
    if record.state == "stopped":
        return record.members.set_index("entity_key")["base_bid"]
    over = record.steps["week"].eq(record.weeks)
    counted = record.steps[over if record.state == "finished" else ~over]
    bids: pd.Series[float] = counted.groupby("entity_key")["bid"].mean()
    return bids


def _last_export(connection: sa.Connection, experiment_id: str) -> date:
    found = connection.scalar(
        sa.select(sa.func.max(_X.day)).where(_X.experiment_id == experiment_id)
    )
    return found or date.min


def randomised_bids(connection: sa.Connection, account: str, until: date) -> pd.DataFrame:
    """Bids that a test set at random: `entity_key` (int), `bid`, `first_day`, `last_day`.

    From the day a step was exported to the day before the next, or to `until`; the hand-back and
    ramps are no chance's doing and are not in it. Days of later than `until` are unknown.
    """
    query = sa.select(_E.id).where(_E.account == account, _E.state.in_(_BUSY)).order_by(_E.as_of)
    rows = [
        row
        for experiment_id in connection.scalars(query).all()
        for row in _random_rows(_found(connection, account, experiment_id), until)
    ]
    frame = pd.DataFrame(rows, columns=["entity_key", "bid", "first_day", "last_day"])
    return frame.astype(
        {
            "entity_key": "int64",
            "bid": "float64",
            "first_day": "datetime64[s]",
            "last_day": "datetime64[s]",
        }
    )


def _random_rows(record: ExperimentRecord, until: date) -> list[tuple[int, float, date, date]]:
    ends = [*(step.day - timedelta(days=1) for step in record.exports[1:]), until]
    return [
        (int(row["entity_key"]), float(row["bid"]), step.day, min(end, until))
        for step, end in zip(record.exports, ends, strict=False)
        for row in step.rows
        if step.week < record.weeks and row["arm"] == "dither" and step.day <= min(end, until)
    ]


def _log(
    connection: sa.Connection,
    account: str,
    action: str,
    subject: str,
    detail: dict[str, Any],
    actor: Actor,
    at: datetime,
) -> None:
    audit.append(connection, [Entry(action, subject, detail)], account=account, actor=actor, at=at)
