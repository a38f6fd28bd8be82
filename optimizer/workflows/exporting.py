"""Approved changes out, as the platform's bulk files: once, whole, and the same bytes every time.

Files are staged and synced under another name, the export is recorded, then they get their names.
After a crash in between the rows count as exported and the staged files are finished by the next
export; under a final name there is never half a file.
"""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd

from optimizer.errors import Conflict, NotFound, OptimizerError, RefusedInput
from optimizer.review.exports import (
    Writer,
    refusals_of,
    write_files,
    writer_for,
    writers_of,
)
from optimizer.review.exports.amounts import on_step
from optimizer.settings import BidLimit
from optimizer.store.protocol import ExportRecord
from optimizer.tables import Actor
from optimizer.workflows.creative_checks import outdated_creatives
from optimizer.workflows.export_state import approved_changes, changes_now
from optimizer.workflows.holdings import Holdings, load_holdings
from optimizer.workflows.values import plain_record
from optimizer.workflows.workspace import Workspace


@dataclass(frozen=True)
class ExportResult:
    """Files by name and where they are. `repeated`: they were exported before and are the same again.

    In a dry run nothing is written and `refused` (id, code, fields) and `excess` say what would
    stand in the way.
    """

    export_id: str
    files: Mapping[str, Path]
    rows: int
    refused: tuple[dict[str, Any], ...] = ()
    excess: tuple[dict[str, Any], ...] = ()
    repeated: bool = False

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return plain_record(asdict(self))


def export_formats(workspace: Workspace, account: str, actor: Actor) -> tuple[str, ...]:
    """File formats of the account's platform, its usual one first. Raises `NotFound` for none."""
    actor.require("viewer", account)
    return tuple(writers_of(workspace.store.account(account).platform))


def export(
    workspace: Workspace,
    account: str,
    out: Path,
    actor: Actor,
    dry_run: bool = False,
    again: str | None = None,
    format_: str | None = None,
) -> ExportResult:
    """Write everything approved and not exported yet into the folder `out`, all or nothing.

    `again` names a recorded export whose files are to be written once more; `format_` one of the
    platform's file formats, where it has several. Raises `NotFound` for a format it does not have,
    `Conflict` with `nothing_to_export`, `over_budget` (`excess`) or `rows_refused` (`rows`).
    """
    actor.require("approver", account)
    if again is not None:
        return _repeat(workspace, account, out, again)
    writer = writer_for(workspace.store.account(account).platform, format_)
    held = load_holdings(workspace, account)
    rows = held.exportable()
    if rows.empty:
        return _finish_interrupted(workspace, account, out)
    return _export_rows(held, rows, writer, out, actor, dry_run)


def _export_rows(
    held: Holdings, rows: pd.DataFrame, writer: Writer, out: Path, actor: Actor, dry_run: bool
) -> ExportResult:
    store, account = held.workspace.store, held.account
    export_id = export_key(rows, held.limit)
    changes = changes_now(held, rows)
    excess = held.excess(held.committed())
    stopped = (*_rivalled(held, rows), *outdated_creatives(held, rows))
    if dry_run:
        return _preview(writer, changes, held.limit, export_id, stopped, excess)
    if stopped:
        raise Conflict("rows_refused", count=len(stopped), rows=list(stopped))
    if excess:
        raise Conflict("over_budget", excess=list(excess))
    platform = store.account(account).platform
    written = write_files(writer, platform, changes, held.limit)
    files = _named(account, export_id, written)
    versions = list(zip(rows["id"].astype(str), rows["version"].astype(int), strict=True))
    paths = write_recorded(
        out,
        files,
        lambda: store.record_export(account, export_id, sorted(files), versions, actor),
    )
    return ExportResult(export_id, paths, len(rows))


def write_recorded(
    out: Path, files: Mapping[str, bytes], record: Callable[[], object]
) -> dict[str, Path]:
    """Stage every file, record that they were made, then give them their names; all or nothing."""
    staged = _stage(out, files)
    try:
        record()
    except OptimizerError:
        _discard(staged)
        raise
    return _publish(out, staged)


def _preview(
    writer: Writer,
    changes: pd.DataFrame,
    limit: BidLimit,
    export_id: str,
    stopped: tuple[dict[str, Any], ...],
    excess: tuple[dict[str, Any], ...],
) -> ExportResult:
    refused = tuple(one.told() for one in refusals_of(writer, changes, limit))
    return ExportResult(export_id, {}, len(changes), (*stopped, *refused), excess)


def _rivalled(held: Holdings, rows: pd.DataFrame) -> tuple[dict[str, Any], ...]:
    """Rows that contradict another approved one, however they came to be approved."""
    refused = held.rivals(rows).refused(rows["id"].astype(str))
    texts = rows.set_index("id")["keyword_text"]
    return tuple(
        {"keyword_text": texts[one.fields["id"]], "code": one.code, **one.fields} for one in refused
    )


def export_key(rows: pd.DataFrame, limit: BidLimit) -> str:
    """16 hex digits that name a set of (id, version, approved bid)."""
    bids = [on_step(bid, limit.step) for bid in rows["approved_bid"]]
    keyed = sorted(zip(rows["id"].astype(str), rows["version"].astype(int), bids, strict=True))
    text = "\n".join(f"{id_}@{version}={bid}" for id_, version, bid in keyed)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _repeat(workspace: Workspace, account: str, out: Path, export_id: str) -> ExportResult:
    """The files of a recorded export once more, from the rows it was made of."""
    record = workspace.store.find_export(account, export_id)
    if record is None:
        known = [one.export_id for one in workspace.store.exports(account)]
        raise NotFound("export_unknown", account=account, export_id=export_id, available=known)
    held = load_holdings(workspace, account)
    rows = workspace.store.suggestions(account, ids=list(record.suggestion_ids))
    if export_key(rows, held.limit) != export_id:
        raise Conflict("export_changed", account=account, export_id=export_id)
    changes = approved_changes(held, rows)
    automated = changes["new_bid"].isna() & changes["kind"].eq("add_keyword")
    changes = changes.assign(bidding_mode=automated.map({True: "automated", False: None}))
    files = _written_as(record, workspace.store.account(account).platform, changes, held.limit)
    return ExportResult(export_id, _publish(out, _stage(out, files)), len(rows), repeated=True)


def _written_as(
    record: ExportRecord, platform: str, changes: pd.DataFrame, limit: BidLimit
) -> dict[str, bytes]:
    """The files of a recorded export, in the format whose names it recorded."""
    for writer in writers_of(platform).values():
        if not refusals_of(writer, changes, limit):
            written = write_files(writer, platform, changes, limit)
            files = _named(record.account, record.export_id, written)
            if sorted(files) == sorted(record.file_names):
                return files
    raise Conflict("export_changed", account=record.account, export_id=record.export_id)


def _finish_interrupted(workspace: Workspace, account: str, out: Path) -> ExportResult:
    """Complete an export that was recorded but whose files never got their names, else refuse."""
    made = workspace.store.exports(account)
    last = made[0] if made else None
    left = [part for name in (last.file_names if last else ()) for part in _parts(out, name)]
    if last is None or not left:
        told = {"last_export": last.export_id, "files": list(last.file_names)} if last else {}
        raise Conflict("nothing_to_export", account=account, **told)
    result = _repeat(workspace, account, out, last.export_id)
    _discard(left)
    return result


def _named(account: str, export_id: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"{account}_{export_id}_{name}": content for name, content in files.items()}


def _stage(out: Path, files: Mapping[str, bytes]) -> dict[Path, str]:
    """Every file complete and on disk under a name of its own; part → final name."""
    mark = uuid4().hex
    staged = {out / f".{name}.{mark}.part": name for name in files}
    try:
        out.mkdir(parents=True, exist_ok=True)
        for part, name in staged.items():
            _write_synced(part, files[name])
    except OSError as error:
        _discard(staged)
        raise RefusedInput("folder_unwritable", folder=str(out), why=str(error)) from error
    return staged


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _parts(out: Path, name: str) -> list[Path]:
    return sorted(out.glob(f".{glob.escape(name)}.*.part"))


def _publish(out: Path, staged: Mapping[Path, str]) -> dict[str, Path]:
    for part, name in staged.items():
        part.replace(out / name)
    _sync_folder(out)
    return {name: out / name for name in sorted(staged.values())}


def _sync_folder(folder: Path) -> None:
    """Make the renames survive a power cut, where the system lets a folder be synced."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _discard(staged: Iterable[Path]) -> None:
    for part in staged:
        with suppress(FileNotFoundError, NotADirectoryError):
            part.unlink()


def exports(workspace: Workspace, account: str, actor: Actor) -> list[ExportRecord]:
    """What was exported, newest first."""
    actor.require("viewer", account)
    return workspace.store.exports(account)
