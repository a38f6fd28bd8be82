"""The newest review's rows and frames as last read, kept while nothing happened in the account.

A list of tens of thousands takes seconds to read, and every page and decision asks for it. Everything
that changes a suggestion leaves an audit row in the same transaction, so that the number of the
account's newest one tells whether what was read still stands. It is asked first: rows may be newer than
their number says, never older. Who reads gets the kept frame itself and must not write into it.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from weakref import WeakKeyDictionary

import pandas as pd

from optimizer.review.overlaps import twins
from optimizer.review.selection import planned_rows
from optimizer.store.protocol import RunRecord, Store
from optimizer.tables import among

Frames = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class KeptList:
    """A review with its rows and the approved ones of earlier days, as of audit row `stamp`."""

    stamp: int
    run: RunRecord
    rows: pd.DataFrame
    earlier: pd.DataFrame


_LISTS: WeakKeyDictionary[Store, dict[str, KeptList]] = WeakKeyDictionary()
_FRAMES: WeakKeyDictionary[Store, tuple[str, Frames]] = WeakKeyDictionary()
_PLANNED: WeakKeyDictionary[Store, tuple[str, pd.DataFrame]] = WeakKeyDictionary()
_TWINS: WeakKeyDictionary[Store, tuple[str, pd.DataFrame]] = WeakKeyDictionary()
_READING: WeakKeyDictionary[Store, dict[str, Lock]] = WeakKeyDictionary()
_LOCK = Lock()


def kept_list(store: Store, account: str) -> KeptList:
    """The newest review of the account with its rows. Raises `NotFound` without one.

    Those who ask while somebody reads wait for what he reads.
    """
    stamp = store.last_act(account)
    with _LOCK:
        held = _LISTS.setdefault(store, {}).get(account)
        reading = _READING.setdefault(store, {}).setdefault(account, Lock())
    if held is not None and held.stamp >= stamp:
        return held
    with reading:
        return _read(store, account, stamp)


def _read(store: Store, account: str, wanted: int) -> KeptList:
    """The list with all acts up to `wanted`: what was read meanwhile, else read now."""
    with _LOCK:
        held = _LISTS[store].get(account)
    if held is not None and held.stamp >= wanted:
        return held
    stamp = store.last_act(account)
    run = store.latest_run(account)
    rows, earlier = _rows(store, run, held), store.approved(account)
    read = KeptList(stamp, run, rows, earlier[~among(earlier["id"], rows["id"])])
    with _LOCK:
        _LISTS[store][account] = read
    return read


def _rows(store: Store, run: RunRecord, held: KeptList | None) -> pd.DataFrame:
    """The run's rows: those held with what moved since, where the audit trail tells; else all anew."""
    found = None
    if held is not None and held.run.run_id == run.run_id:
        found = store.refreshed(run.account, run.run_id, held.rows, held.stamp)
    return store.suggestions(run.account, as_of=run.as_of) if found is None else found


def kept_frames(store: Store, run_id: str) -> Frames:
    """What a run can be re-solved from; of a store the run asked for last is kept."""
    with _LOCK:
        held = _FRAMES.get(store)
    if held is not None and held[0] == run_id:
        return dict(held[1])
    read = store.run_frames(run_id)
    with _LOCK:
        _FRAMES[store] = (run_id, read)
    return dict(read)


def kept_twins(store: Store, run_id: str) -> pd.DataFrame:
    """Keywords of the run whose text serves twice, as `review.overlaps.twins`; those asked for last."""
    with _LOCK:
        held = _TWINS.get(store)
    if held is not None and held[0] == run_id:
        return held[1]
    found = twins(kept_frames(store, run_id)["plan"])
    with _LOCK:
        _TWINS[store] = (run_id, found)
    return found


def kept_planned(store: Store, run_id: str) -> pd.DataFrame:
    """The run's keywords and terms by entity key; of a store those of the run asked for last are kept."""
    with _LOCK:
        held = _PLANNED.get(store)
    if held is not None and held[0] == run_id:
        return held[1]
    planned = planned_rows(kept_frames(store, run_id))
    with _LOCK:
        _PLANNED[store] = (run_id, planned)
    return planned
