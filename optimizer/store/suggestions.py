"""Runs and their suggestions: saving a review, replacing what a re-solve moved, reading back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from optimizer.errors import NotFound
from optimizer.store import records, schema
from optimizer.store.audit import canonical
from optimizer.store.files import Folder, StoredFile
from optimizer.store.protocol import RunRecord
from optimizer.tables import SUGGESTIONS, Actor, among

STATE_COLUMNS = (
    "run_id",
    "account",
    "as_of",
    "version",
    "decision",
    "delivery",
    "approved_bid",
    "decided_by",
    "decided_at",
    "decision_reason",
    "until",
    "export_id",
)
_TABLE = schema.suggestions
_S = _TABLE.c
_RUNS = schema.runs.c
_CHUNK = 5_000
_MOVES = ("raise", "lower")
_UNDECIDED = {
    "decision": "proposed",
    "approved_bid": None,
    "decided_by": None,
    "decided_at": None,
    "decision_reason": None,
    "until": None,
}
_STATE_DTYPES = {
    "as_of": "datetime64[s]",
    "until": "datetime64[s]",
    "decided_at": "datetime64[us, UTC]",
    "version": "int64",
    "approved_bid": "float64",
}

_TYPES = {"str": pa.string(), "float": pa.float64(), "int": pa.int64()}
_STATE_TYPES = {"version": pa.int64(), "approved_bid": pa.float64()}
_TIMES = ("as_of", "decided_at", "until")
_READ = pa.schema(
    [(name, _TYPES[column.dtype]) for name, column in SUGGESTIONS.columns.items()]
    + [(name, _STATE_TYPES.get(name, pa.string())) for name in STATE_COLUMNS]
)
"""A stored suggestion as the driver tells it, times as text: a third of the time of rows as values."""


def next_run(connection: sa.Connection, account: str, as_of: date) -> tuple[str, int]:
    """Id and sequence of the run about to be stored; ask while holding the writers' lock."""
    sequence = (connection.scalar(sa.select(sa.func.max(_RUNS.sequence))) or 0) + 1
    text = f"{account}|{as_of.isoformat()}|{sequence}"
    return hashlib.sha256(text.encode()).hexdigest()[:16], sequence


def write_frames(
    folder: Folder, run_id: str, frames: Mapping[str, pd.DataFrame]
) -> dict[str, StoredFile]:
    """The frames as Parquet files under `runs/`, by name."""
    return {
        name: _write_frame(folder, f"runs/{run_id}-{number}.parquet", frame)
        for number, (name, frame) in enumerate(sorted(frames.items()))
    }


def _write_frame(folder: Folder, path: str, frame: pd.DataFrame) -> StoredFile:
    """Floats hardly ever repeat: looking for a dictionary of them would double the time."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    repeating = [column.name for column in table.schema if not pa.types.is_floating(column.type)]
    return folder.write(path, table, repeating)


def read_frames(connection: sa.Connection, folder: Folder, run_id: str) -> dict[str, pd.DataFrame]:
    """The frames of a run by name. Raises `NotFound`."""
    _run_row(connection, _RUNS.run_id == run_id, run_id=run_id)
    listed = sa.select(schema.run_files).where(schema.run_files.c.run_id == run_id)
    files = connection.execute(listed.order_by(schema.run_files.c.name)).mappings().all()
    return {file["name"]: _read_frame(folder, file["path"]) for file in files}


def _read_frame(folder: Folder, path: str) -> pd.DataFrame:
    where = folder.path(path)
    if not where.exists():
        raise NotFound("run_file_missing", path=str(where))
    frame: pd.DataFrame = pq.read_table(where).to_pandas()
    return frame


def insert_run(connection: sa.Connection, run: RunRecord, sequence: int) -> None:
    """The run, without its files."""
    row = {
        "run_id": run.run_id,
        "account": run.account,
        "as_of": run.as_of,
        "sequence": sequence,
        "created_at": run.created_at,
        "created_by": run.created_by,
        "summary": canonical(run.summary),
    }
    connection.execute(sa.insert(schema.runs), [row])


def list_files(connection: sa.Connection, run: RunRecord, files: Mapping[str, StoredFile]) -> None:
    """Say which files a run has: they must be in their place by now."""
    listed = [{"run_id": run.run_id, "name": name, **vars(file)} for name, file in files.items()]
    if listed:
        connection.execute(sa.insert(schema.run_files), listed)


def latest_run(connection: sa.Connection, account: str, as_of: date | None) -> RunRecord:
    """The newest run (of that day). Raises `NotFound`."""
    wanted = _RUNS.account == account
    if as_of is not None:
        wanted = wanted & (_RUNS.as_of == as_of)
    day = None if as_of is None else as_of.isoformat()
    return _run_row(connection, wanted, account=account, as_of=day)


def run(connection: sa.Connection, run_id: str) -> RunRecord:
    """One run, without frames. Raises `NotFound`."""
    return _run_row(connection, _RUNS.run_id == run_id, run_id=run_id)


def _run_row(connection: sa.Connection, wanted: Any, **asked: Any) -> RunRecord:
    query = sa.select(schema.runs).where(wanted).order_by(_RUNS.sequence.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound("run_not_found", **asked)
    names = ("run_id", "account", "as_of", "created_at", "created_by")
    return RunRecord(**{name: row[name] for name in names}, summary=json.loads(row["summary"]))


def set_summary(connection: sa.Connection, run_id: str, summary: Mapping[str, Any]) -> None:
    """Replace a run's summary after a re-solve."""
    update = sa.update(schema.runs).where(_RUNS.run_id == run_id)
    connection.execute(update.values(summary=canonical(summary)))


def read(
    connection: sa.Connection, account: str, as_of: date | None, ids: Sequence[str] | None
) -> pd.DataFrame:
    """See `protocol.Store.suggestions`."""
    if ids is not None:
        return by_id(connection, account, ids)
    shown = latest_run(connection, account, as_of)
    rows = _S.run_id == shown.run_id
    if latest_run(connection, account, None).run_id == shown.run_id:
        rows = rows & (_S.decision != "superseded")
    return _frame(connection, [rows])


def by_id(connection: sa.Connection, account: str, ids: Sequence[str]) -> pd.DataFrame:
    """Rows of an account by their ids, of any day; those nobody knows are left out."""
    wanted = [_S.id.in_(chunk) for chunk in chunks(ids)]
    return _frame(connection, [(_S.account == account) & each for each in wanted])


def read_approved(
    connection: sa.Connection, account: str, since: datetime | None = None
) -> pd.DataFrame:
    """Approved rows of every day that no file holds yet, and those decided from `since` on."""
    waiting = _S.delivery == "not_exported"
    counted = waiting if since is None else waiting | (_S.decided_at >= since)
    return _frame(connection, [(_S.account == account) & (_S.decision == "approved") & counted])


def chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """`values` in pieces that fit into one statement's parameters."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def _frame(connection: sa.Connection, conditions: Sequence[Any]) -> pd.DataFrame:
    columns = [sa.cast(_S[n], sa.Text) if n in _TIMES else _S[n] for n in _READ.names]
    order = (_S.as_of, _S.position, _S.id)
    parts = [
        records.to_typed_frame(
            _READ, connection.execute(sa.select(*columns).where(condition).order_by(*order))
        )
        for condition in conditions
    ]
    frame = pd.concat(parts or [_READ.empty_table().to_pandas()], ignore_index=True)
    times = {
        name: pd.to_datetime(frame[name], format="ISO8601", utc=name == "decided_at")
        for name in _TIMES
    }
    typed: pd.DataFrame = frame.assign(**times).astype(_STATE_DTYPES)
    return typed


def replace_day(connection: sa.Connection, run: RunRecord, suggestions: pd.DataFrame) -> None:
    """Store a review's rows; earlier days' open rows and this day's gone ones are superseded.

    This day's decided rows move to the new run, where they can still be seen and undone.
    """
    open_rows = _S.decision.in_(["proposed", "awaiting_second", "snoozed"])
    earlier = (_S.account == run.account) & (_S.as_of < run.as_of) & open_rows
    connection.execute(sa.update(_TABLE).where(earlier).values(decision="superseded"))
    known = day_rows(connection, run)
    said = _prepared(suggestions, run)
    gone = _unsaid(known, said)
    _supersede(connection, gone[gone["decision"] == "proposed"])
    kept = gone[gone["decision"].isin(["awaiting_second", "approved", "rejected", "snoozed"])]
    _update(connection, kept[["id"]].assign(run_id=run.run_id), ["run_id"])
    _merge(connection, said, known)


def replace_open(
    connection: sa.Connection,
    run: RunRecord,
    suggestions: pd.DataFrame,
    known: pd.DataFrame | None = None,
) -> list[str]:
    """Store a re-solve's rows: only open ones move, decided ones stay as they are.

    `known` are the day's rows as they are now, read when not given. Returns the ids of rows that
    changed.
    """
    known = day_rows(connection, run) if known is None else known
    said = _prepared(suggestions, run)
    gone = _unsaid(known, said)
    dropped = gone[gone["decision"] == "proposed"]
    _supersede(connection, dropped)
    decided = known.loc[~known["decision"].isin(["proposed", "superseded"]), "id"]
    return [*dropped["id"], *_merge(connection, said[~among(said["id"], decided)], known)]


def propose_beside(connection: sa.Connection, run: RunRecord, rows: pd.DataFrame) -> None:
    """Add suggestions to a review; those it has already keep what was decided on them."""
    said = _prepared(rows, run)
    known = _frame(connection, [_S.id.in_(chunk) for chunk in chunks(said["id"].tolist())])
    _merge(connection, said, known)


def day_rows(connection: sa.Connection, run: RunRecord) -> pd.DataFrame:
    """All rows of the run's day, those that a re-solve or an earlier run left behind among them."""
    return _frame(connection, [(_S.account == run.account) & (_S.as_of == run.as_of)])


def left_rows(connection: sa.Connection, run: RunRecord) -> pd.DataFrame:
    """Of the run's day the rows that its list does not show."""
    left = (_S.run_id != run.run_id) | (_S.decision == "superseded")
    return _frame(connection, [(_S.account == run.account) & (_S.as_of == run.as_of) & left])


def _unsaid(known: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    """Known rows that are not said again."""
    gone: np.ndarray = pd.Index(said["id"]).get_indexer(pd.Index(known["id"])) < 0
    return known[gone]


def _prepared(suggestions: pd.DataFrame, run: RunRecord) -> pd.DataFrame:
    rows = suggestions[list(SUGGESTIONS.columns)].reset_index(drop=True)
    follows = canonical({"run": run.run_id})
    return rows.assign(
        evidence=rows["evidence"].mask(rows["evidence"].eq(""), follows),
        account=run.account,
        run_id=run.run_id,
        as_of=run.as_of,
        position=range(len(rows)),
    )


def _supersede(connection: sa.Connection, rows: pd.DataFrame) -> None:
    _update(connection, rows[["id"]].assign(decision="superseded"), ["decision"])


def _merge(connection: sa.Connection, said: pd.DataFrame, known: pd.DataFrame) -> list[str]:
    """Insert new rows; a known one keeps its decision unless what it proposes has changed.

    Returns the ids whose content is new.

    The solve repeats an approved bid as its own: a row approved at another bid than the proposed one
    stays as it is.
    """
    old = among(said["id"], known["id"])
    new = said[~old]
    if len(new):
        fresh = new.assign(version=1, delivery="not_exported", **_UNDECIDED)
        records.insert_rows(connection, _TABLE, fresh)
    if known.empty:
        return new["id"].tolist()
    again = said[old].reset_index(drop=True)
    before = known.set_index("id").loc[again["id"]].reset_index()
    other = _differs(again, before, "proposed_bid")
    kept = other & _chosen(before) & ~_differs(again, before, "approved_bid")
    exported = (before["delivery"] != "not_exported").to_numpy() | kept
    reopened = other | before["decision"].isin(["superseded", "expired"]).to_numpy()
    versions = before["version"].to_numpy() + (other | (reopened & _edited(before)))
    shown = ["run_id", "position"]
    content = [*shown, *(name for name in SUGGESTIONS.columns if name != "id")]
    again = again.assign(version=versions, **_UNDECIDED)
    _update(connection, again[exported], shown)
    other_content = ~exported & ~reopened & _rewritten(again, before, content)
    _update(connection, again[other_content], content)
    _update(connection, again[~exported & reopened], [*content, "version", *_UNDECIDED])
    _lift_holds(connection, again.loc[~exported & reopened, "id"].tolist())
    return [*new["id"], *again.loc[other_content | (~exported & reopened), "id"]]


def _rewritten(again: pd.DataFrame, before: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Rows any of whose columns is to be another: a re-solve moves few of many thousands.

    Where a row stands in the list is no reason to write it: one that goes moves all after it.
    """
    found = np.zeros(len(again), dtype=bool)
    for name in (name for name in columns if name != "position"):
        now, then = again[name], before[name]
        known = now.notna().to_numpy() | then.notna().to_numpy()
        found |= known & now.ne(then).fillna(True).to_numpy(dtype=bool)
    return found


def _differs(again: pd.DataFrame, before: pd.DataFrame, value: str) -> np.ndarray:
    """Rows whose kind or replaced value, or proposed value from the stored `value`, differs.

    A raise that somebody edited into a lower is said again as a lower.
    """
    same: np.ndarray = again["kind"].to_numpy() == before["kind"].to_numpy()
    if value == "approved_bid":
        same |= (again["kind"].isin(_MOVES) & before["kind"].isin(_MOVES)).to_numpy()
    for name, stored in (("proposed_bid", value), ("bid", "bid")):
        now = again[name].to_numpy("float64", na_value=np.nan)
        then = before[stored].to_numpy("float64", na_value=np.nan)
        same &= np.isclose(now, then, rtol=1e-12, atol=1e-9, equal_nan=True)
    return ~same


def _edited(before: pd.DataFrame) -> np.ndarray:
    """Rows whose bid a person chose, and not the proposed one."""
    chosen, proposed = (before[name].astype("float64") for name in ("approved_bid", "proposed_bid"))
    edited: np.ndarray = (chosen.notna() & chosen.ne(proposed)).to_numpy()
    return edited


def _chosen(before: pd.DataFrame) -> np.ndarray:
    """Rows whose bid a person chose."""
    chosen: np.ndarray = before["decision"].isin(["awaiting_second", "approved"]).to_numpy()
    return chosen


def _update(connection: sa.Connection, rows: pd.DataFrame, columns: Sequence[str]) -> None:
    if rows.empty:
        return
    values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in columns}
    update = sa.update(_TABLE).where(_S.id == sa.bindparam("new_id")).values(values)
    named = rows[["id", *columns]].add_prefix("new_")
    connection.execute(update, records.to_records(named))


def _lift_holds(connection: sa.Connection, ids: Sequence[str]) -> None:
    holds = schema.holds
    for chunk in chunks(ids):
        connection.execute(sa.delete(holds).where(holds.c.suggestion_id.in_(chunk)))


def new_record(
    run_id: str, account: str, as_of: date, result: Mapping[str, Any], actor: Actor, at: datetime
) -> RunRecord:
    """The record of a run about to be stored; its summary is what JSON keeps of `result`."""
    summary = json.loads(canonical(result))
    return RunRecord(run_id, account, as_of, at, actor.name, summary)
