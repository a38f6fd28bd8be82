"""A report into the store: compare with history, write files, then list everything in one commit.

The writers' lock is held from the comparison to the commit, so two imports never compare with the
same past; the database transaction at the end is short, so decisions need not wait for an import.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from optimizer.errors import NotFound, RefusedInput
from optimizer.store import audit, history, incoming, records, schema
from optimizer.store.database import Database
from optimizer.store.entities import ENTITY_COLUMNS
from optimizer.store.files import Folder, StoredFile
from optimizer.store.history import HistoryFile
from optimizer.store.protocol import AccountRecord, BatchRecord
from optimizer.tables import QUARANTINE, Actor, Report, empty_table

_ENTITIES = schema.entities.c
_FILES = schema.history_files.c


@dataclass(frozen=True)
class _Import:
    """One import under way: who, what, and its place in the order of things."""

    report: Report
    account: str
    as_of: date
    actor: Actor
    at: datetime
    sequence: int
    is_newest: bool

    @property
    def batch_id(self) -> str:
        """The same file for the same account under the same profile has the same id everywhere."""
        parts = [self.account, self.report.sha256, self.report.reconciliation.profile]
        return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class _Files:
    """Files written for a batch, with what the manifest says of each."""

    rows: list[dict[str, Any]]
    stored: list[StoredFile]
    comparison: history.Comparison


def find_batch(
    database: Database, account: str, sha256: str, profile: str, *, duplicate: bool = False
) -> BatchRecord | None:
    """The batch these bytes became under this profile."""
    table = schema.batches
    query = sa.select(table).where(
        table.c.account == account, table.c.sha256 == sha256, table.c.profile == profile
    )
    with database.read() as connection:
        row = connection.execute(query).mappings().first()
    return None if row is None else records.batch_record(row, duplicate=duplicate)


def append_report(
    database: Database,
    folder: Folder,
    report: Report,
    account: str,
    as_of: date,
    actor: Actor,
    at: datetime,
) -> BatchRecord:
    """See `protocol.Store.append_report`."""
    key = (account, report.sha256, report.reconciliation.profile)
    if (known := find_batch(database, *key, duplicate=True)) is not None:
        return known
    with folder.writing():
        if (known := find_batch(database, *key, duplicate=True)) is not None:
            return known
        return _append(database, folder, _begin(database, report, account, as_of, actor, at))


def _begin(
    database: Database, report: Report, account: str, as_of: date, actor: Actor, at: datetime
) -> _Import:
    with database.read() as connection:
        check_account(connection, account, report)
        batches = schema.batches.c
        last = connection.scalar(sa.select(sa.func.max(batches.sequence))) or 0
        newest = connection.scalar(
            sa.select(sa.func.max(batches.as_of)).where(batches.account == account)
        )
    is_newest = newest is None or newest <= as_of
    return _Import(report, account, as_of, actor, at, last + 1, is_newest)


def check_account(connection: sa.Connection, account: str, report: Report) -> AccountRecord | None:
    """The account, if it exists. Raises `RefusedInput` when the report is not in its terms."""
    row = find_account(connection, account)
    currency = report.reconciliation.currency
    if row is None:
        if currency is None:
            raise RefusedInput("currency_unknown", account=account, file=report.file_name)
        return None
    if currency is not None and currency != row.currency:
        _refuse("currency_differs", report, account, row.currency, currency)
    if report.platform != row.platform:
        _refuse("platform_differs", report, account, row.platform, report.platform)
    return row


def _refuse(code: str, report: Report, account: str, expected: str, found: str) -> None:
    raise RefusedInput(code, account=account, file=report.file_name, expected=expected, found=found)


def find_account(connection: sa.Connection, name: str) -> AccountRecord | None:
    """The account of that name, if the store has it."""
    query = sa.select(schema.accounts).where(schema.accounts.c.name == name)
    row = connection.execute(query).mappings().first()
    return None if row is None else records.account_record(row)


def _append(database: Database, folder: Folder, item: _Import) -> BatchRecord:
    with database.read() as connection:
        known = _known_entities(connection, item)
        next_key = (connection.scalar(sa.select(sa.func.max(_ENTITIES.entity_key))) or 0) + 1
        listed = manifest(connection, item.account)
    stamp = (item.as_of, item.sequence)
    draft = incoming.draft(item.report, known, next_key, stamp, newest_report=item.is_newest)
    files = _write_files(folder, item, draft, listed)
    try:
        with database.write() as connection:
            _insert(connection, item, draft, files)
    except BaseException:
        folder.remove(files.stored)
        raise
    found = find_batch(
        database, item.account, item.report.sha256, item.report.reconciliation.profile
    )
    assert found is not None
    return found


def _known_entities(connection: sa.Connection, item: _Import) -> pd.DataFrame:
    kind = incoming.kind_of(item.report.grain)
    return read_entities(connection, item.account, kind)


def read_entities(connection: sa.Connection, account: str, kind: str) -> pd.DataFrame:
    """The account's entities of one kind, columns ENTITY_COLUMNS."""
    columns = [_ENTITIES[name] for name in ENTITY_COLUMNS]
    query = sa.select(*columns).where(_ENTITIES.account == account, _ENTITIES.kind == kind)
    rows = connection.execute(query).all()
    return records.to_frame(ENTITY_COLUMNS, rows).astype({"entity_key": "int64"})


def manifest(connection: sa.Connection, account: str) -> pd.DataFrame:
    """Listed files of an account: path, content, batch_id, as_of, sequence, first_day, last_day."""
    batches = schema.batches.c
    query = (
        sa.select(
            _FILES.path,
            _FILES.content,
            _FILES.batch_id,
            batches.as_of,
            batches.sequence,
            batches.state_columns,
            _FILES.first_day,
            _FILES.last_day,
        )
        .join(schema.batches, _FILES.batch_id == batches.batch_id)
        .where(batches.account == account)
        .order_by(_FILES.path)
    )
    rows = connection.execute(query)
    return records.to_frame(list(rows.keys()), rows.all())


def files_of(folder: Folder, listed: pd.DataFrame, content: str) -> list[HistoryFile]:
    """Files of one content. Raises `NotFound` when a listed one is gone."""
    own = listed[listed["content"] == content]
    paths = [folder.path(path) for path in own["path"]]
    gone = [str(path) for path in paths if not path.exists()]
    if gone:
        raise NotFound("history_file_missing", path=gone[0], count=len(gone))
    return [
        HistoryFile(*file) for file in zip(paths, own["first_day"], own["last_day"], strict=True)
    ]


def _write_files(
    folder: Folder, item: _Import, draft: incoming.Draft, listed: pd.DataFrame
) -> _Files:
    comparison = _compare(folder, item, draft, listed)
    grain = item.report.grain
    fresh = draft.facts.take(pa.array(comparison.changed))
    unchanged = _without(draft.facts, comparison.changed).select(history.SEEN.names)
    tables = [
        (grain, pa.concat_tables([fresh, comparison.reaffirmed], promote_options="default")),
        (f"{grain}_seen", unchanged),
        (f"{draft.kind}_state", draft.states),
        (draft.kind, draft.listing),
    ]
    rows, stored = [], []
    for content, table in tables:
        if table.num_rows:
            path = f"history/{item.sequence:08d}-{item.batch_id}-{content}.parquet"
            stored.append(folder.write(path, table))
            rows.append(_manifest_row(item, content, stored[-1], table))
    return _Files(rows, stored, comparison)


def _compare(
    folder: Folder, item: _Import, draft: incoming.Draft, listed: pd.DataFrame
) -> history.Comparison:
    grain = item.report.grain
    days = listed[_overlapping(listed, draft.facts)]
    known = files_of(folder, days, grain)
    seen = files_of(folder, days[days["as_of"] > item.as_of], f"{grain}_seen")
    return history.compare(draft.facts, known, seen, (item.as_of, item.sequence))


def _overlapping(listed: pd.DataFrame, facts: pa.Table) -> pd.Series[Any]:
    if not facts.num_rows:
        return pd.Series(False, index=listed.index)
    days = facts["last_day"].to_numpy()
    first, last = days.min().item(), days.max().item()
    inside: pd.Series[Any] = (listed["first_day"] <= last) & (listed["last_day"] >= first)
    return inside


def _without(table: pa.Table, positions: Any) -> pa.Table:
    rest = pd.RangeIndex(table.num_rows).difference(pd.Index(positions))
    return table.take(pa.array(rest.to_numpy()))


def _manifest_row(
    item: _Import, content: str, stored: StoredFile, table: pa.Table
) -> dict[str, Any]:
    days = table["last_day" if "last_day" in table.column_names else "day"].to_numpy()
    return {
        "path": stored.path,
        "batch_id": item.batch_id,
        "content": content,
        "rows": stored.rows,
        "bytes": stored.bytes,
        "sha256": stored.sha256,
        "first_day": days.min().item(),
        "last_day": days.max().item(),
    }


def _insert(connection: sa.Connection, item: _Import, draft: incoming.Draft, files: _Files) -> None:
    """Everything about the batch, in one transaction."""
    if check_account(connection, item.account, item.report) is None:
        connection.execute(sa.insert(schema.accounts), [_account_row(item)])
    connection.execute(sa.insert(schema.batches), [_batch_row(item, draft, files)])
    _insert_entities(connection, item, draft)
    _insert_rows(connection, schema.history_files, files.rows)
    _insert_rows(connection, schema.quarantine, _quarantine_rows(item, draft))
    entry = audit.Entry("import", item.batch_id, _audit_detail(item, draft, files))
    audit.append(connection, [entry], account=item.account, actor=item.actor, at=item.at)


def _insert_rows(
    connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]
) -> None:
    if rows:
        connection.execute(sa.insert(table), list(rows))


def _account_row(item: _Import) -> dict[str, Any]:
    return {
        "name": item.account,
        "platform": item.report.platform,
        "currency": item.report.reconciliation.currency,
        "created_at": item.at,
    }


def _batch_row(item: _Import, draft: incoming.Draft, files: _Files) -> dict[str, Any]:
    days = draft.facts["first_day"].to_numpy(), draft.facts["last_day"].to_numpy()
    some = draft.facts.num_rows > 0
    return {
        "batch_id": item.batch_id,
        "account": item.account,
        "file_name": records.storable(item.report.file_name),
        "sha256": item.report.sha256,
        "profile": item.report.reconciliation.profile,
        "grain": item.report.grain,
        "as_of": item.as_of,
        "sequence": item.sequence,
        "first_day": days[0].min().item() if some else None,
        "last_day": days[1].max().item() if some else None,
        "imported_at": item.at,
        "imported_by": item.actor.name,
        "rows_changed": len(files.comparison.changed),
        "keys_missing": files.comparison.missing,
        "state_columns": json.dumps(draft.state_columns),
        "reconciliation": records.reconciliation_json(draft.reconciliation),
    }


def _insert_entities(connection: sa.Connection, item: _Import, draft: incoming.Draft) -> None:
    new = draft.resolution.new.assign(account=item.account, kind=draft.kind)
    _insert_rows(connection, schema.entities, records.to_records(new))
    changed = draft.resolution.changed
    if len(changed):
        row: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in ENTITY_COLUMNS[1:]}
        update = sa.update(schema.entities).values(row)
        update = update.where(_ENTITIES.entity_key == sa.bindparam("new_entity_key"))
        connection.execute(update, records.to_records(changed.add_prefix("new_")))


def _quarantine_rows(item: _Import, draft: incoming.Draft) -> list[dict[str, Any]]:
    rows = draft.quarantine[list(QUARANTINE.columns)].reset_index(drop=True)
    texts = {name: rows[name].astype("object").map(records.storable) for name in ("column", "text")}
    numbered = rows.assign(**texts, batch_id=item.batch_id, position=rows.index)
    return records.to_records(numbered)


def _audit_detail(item: _Import, draft: incoming.Draft, files: _Files) -> dict[str, Any]:
    return {
        "file": records.storable(item.report.file_name),
        "sha256": item.report.sha256,
        "as_of": item.as_of,
        "sequence": item.sequence,
        "rows_kept": draft.reconciliation.rows_kept,
        "rows_changed": len(files.comparison.changed),
        "history": {file.path: file.sha256 for file in files.stored},
    }


def read_quarantine(connection: sa.Connection, batch_id: str) -> pd.DataFrame:
    """Table QUARANTINE of a batch. Raises `NotFound`."""
    batches = schema.batches.c
    exists = connection.scalar(sa.select(batches.batch_id).where(batches.batch_id == batch_id))
    if exists is None:
        raise NotFound("batch_not_found", batch_id=batch_id)
    columns = [schema.quarantine.c[name] for name in QUARANTINE.columns]
    query = sa.select(*columns).where(schema.quarantine.c.batch_id == batch_id)
    rows = connection.execute(query.order_by(schema.quarantine.c.position)).all()
    names = list(QUARANTINE.columns)
    empty = empty_table(QUARANTINE)
    return pd.DataFrame([tuple(row) for row in rows], columns=names).astype(empty.dtypes)
