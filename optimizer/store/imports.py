"""A report into the store: compare with history, write files, then list everything in one commit.

The writers' lock is held from the comparison to the commit, so two imports never compare with the
same past; the database transaction at the end is short, so decisions need not wait for an import.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from optimizer.errors import NotFound, RefusedInput
from optimizer.store import audit, history, incoming, records, schema
from optimizer.store.database import Database
from optimizer.store.entities import ENTITY_COLUMNS
from optimizer.store.files import Folder, StoredFile
from optimizer.store.history import HistoryFile
from optimizer.store.protocol import AccountRecord, BatchRecord, Tell, nobody
from optimizer.store.report_rows import Facts
from optimizer.tables import QUARANTINE, Actor, Report, empty_table

_BATCH_ROWS: Final = 250_000
_SNAPSHOTS: Final = ("keyword_state", "negative", "item")
"""Grains without days of their own: the same bytes on another day say that it is so again."""
_SHAPED: Final = 0.7
_WRITTEN: Final = 0.9
"""Shares of storing a report after which its rows are known, and after which its files are written."""
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
        """The same file for the same account under the same profile has the same id everywhere.

        A list of what is the case on its day has another on every day.
        """
        parts = [self.account, self.report.sha256, self.report.reconciliation.profile]
        if self.report.grain in _SNAPSHOTS:
            parts.append(self.as_of.isoformat())
        return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class _Files:
    """Files written for a batch, with what the manifest says of each."""

    rows: list[dict[str, Any]]
    stored: list[StoredFile]
    comparison: history.Comparison


def find_batch(
    database: Database, report: Report, account: str, as_of: date, *, duplicate: bool = False
) -> BatchRecord | None:
    """The batch these bytes became under this profile; of a snapshot, the one of the same day."""
    table = schema.batches
    query = sa.select(table).where(
        table.c.account == account,
        table.c.sha256 == report.sha256,
        table.c.profile == report.reconciliation.profile,
    )
    if report.grain in _SNAPSHOTS:
        query = query.where(table.c.as_of == as_of)
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
    tell: Tell = nobody,
) -> BatchRecord:
    """See `protocol.Store.append_report`."""
    if (known := find_batch(database, report, account, as_of, duplicate=True)) is not None:
        return known
    with folder.writing():
        if (known := find_batch(database, report, account, as_of, duplicate=True)) is not None:
            return known
        return _append(database, folder, _begin(database, report, account, as_of, actor, at), tell)


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


def _append(database: Database, folder: Folder, item: _Import, tell: Tell) -> BatchRecord:
    with database.read() as connection:
        known = _known_entities(connection, item)
        next_key = (connection.scalar(sa.select(sa.func.max(_ENTITIES.entity_key))) or 0) + 1
        listed = manifest(connection, item.account)
    stamp = (item.as_of, item.sequence)
    facts = folder.path(f"{_path(item, item.report.grain)}.facts.tmp")
    try:
        draft = incoming.draft(
            item.report, known, next_key, stamp, facts, newest_report=item.is_newest, tell=tell
        )
        tell(_SHAPED)
        files = _write_files(folder, item, draft, listed)
        tell(_WRITTEN)
    finally:
        facts.unlink(missing_ok=True)
    try:
        with database.write() as connection:
            _insert(connection, item, draft, files)
    except BaseException:
        folder.remove(files.stored)
        raise
    found = find_batch(database, item.report, item.account, item.as_of)
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


def _path(item: _Import, content: str) -> str:
    return f"history/{item.sequence:08d}-{item.batch_id}-{content}.parquet"


def _write_files(
    folder: Folder, item: _Import, draft: incoming.Draft, listed: pd.DataFrame
) -> _Files:
    comparison = _compare(folder, item, draft, listed)
    stored: list[tuple[str, StoredFile]] = []
    try:
        for content, file in _written(folder, item, draft, comparison):
            stored.append((content, file))
    except BaseException:
        folder.remove(file for _, file in stored)
        raise
    rows = [_manifest_row(item, content, file, folder) for content, file in stored]
    return _Files(rows, [file for _, file in stored], comparison)


def _written(
    folder: Folder, item: _Import, draft: incoming.Draft, comparison: history.Comparison
) -> Iterator[tuple[str, StoredFile]]:
    """Each file of the batch that has rows, once it is in its place."""
    if draft.facts:
        yield from _write_facts(folder, item, draft.facts, comparison)
    for content, table in ((f"{draft.kind}_state", draft.states), (draft.kind, draft.listing)):
        if table.num_rows:
            yield content, folder.write(_path(item, content), table)


def _write_facts(
    folder: Folder, item: _Import, facts: Facts, comparison: history.Comparison
) -> Iterator[tuple[str, StoredFile]]:
    """The facts that are news, then the keys of those that are none."""
    grain, changed, again = item.report.grain, comparison.changed, comparison.reaffirmed
    if changed.all() and not again.num_rows:
        yield grain, folder.adopt(_path(item, grain), facts.path, facts.rows)
        return
    schema, news = pq.read_schema(facts.path), []
    if again.num_rows:
        schema = pa.unify_schemas([schema, again.schema])
        news = _shaped(again, schema).to_batches()
    rows = {
        grain: (schema, chain(_chosen(facts, changed, schema), news)),
        f"{grain}_seen": (history.SEEN, _chosen(facts, ~changed, history.SEEN)),
    }
    for content, table in rows.items():
        file = folder.write_batches(_path(item, content), *table)
        if file.rows:
            yield content, file
        else:
            folder.remove([file])


def _chosen(facts: Facts, chosen: np.ndarray, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows of the file for which `chosen` is true, piece by piece."""
    start = 0
    with pq.ParquetFile(facts.path) as file:
        for batch in file.iter_batches(_BATCH_ROWS):
            kept = chosen[start : start + batch.num_rows]
            start += batch.num_rows
            rows = pa.Table.from_batches([batch.filter(pa.array(kept))])
            own = [name for name in schema.names if name in rows.column_names]
            yield from _shaped(rows.select(own), schema).to_batches()


def _shaped(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """`rows` with the columns of `schema`; one that they lack is null."""
    return pa.concat_tables([schema.empty_table(), rows], promote_options="default").cast(schema)


def _compare(
    folder: Folder, item: _Import, draft: incoming.Draft, listed: pd.DataFrame
) -> history.Comparison:
    facts, grain = draft.facts, item.report.grain
    if facts is None:
        return history.Comparison(np.zeros(0, dtype=bool), pa.table({}), 0)
    days = listed[_overlapping(listed, facts)]
    known = files_of(folder, days, grain)
    seen = files_of(folder, days[days["as_of"] > item.as_of], f"{grain}_seen")
    window = history.Window(facts.first_last_day, facts.last_day, item.as_of)
    return history.compare(facts.path, facts.rows, window, known, seen)


def _overlapping(listed: pd.DataFrame, facts: Facts) -> pd.Series[Any]:
    inside: pd.Series[Any] = listed["first_day"] <= facts.last_day
    return inside & (listed["last_day"] >= facts.first_last_day)


def _manifest_row(
    item: _Import, content: str, stored: StoredFile, folder: Folder
) -> dict[str, Any]:
    path = folder.path(stored.path)
    name = "last_day" if "last_day" in pq.read_schema(path).names else "day"
    days = pq.read_table(path, columns=[name])[name].to_numpy()
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
    facts = draft.facts
    return {
        "batch_id": item.batch_id,
        "account": item.account,
        "file_name": records.storable(item.report.file_name),
        "sha256": item.report.sha256,
        "profile": item.report.reconciliation.profile,
        "grain": item.report.grain,
        "as_of": item.as_of,
        "sequence": item.sequence,
        "first_day": facts.first_day if facts else None,
        "last_day": facts.last_day if facts else None,
        "imported_at": item.at,
        "imported_by": item.actor.name,
        "rows_changed": int(files.comparison.changed.sum()),
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
        "rows_changed": int(files.comparison.changed.sum()),
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
