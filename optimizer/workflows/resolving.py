"""The account solved again around what is decided; who decides at the same time shares one solve.

A solve of a big account takes seconds, and a process runs one at a time for each account. What is decided
during one waits for the next, which answers all of them. A decision is stored before its solve is asked
for: whoever does not wait for the answer loses nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from optimizer.errors import Conflict, Infeasible, OptimizerError
from optimizer.estimates.posteriors import Bools
from optimizer.review.resolve import resolve_account
from optimizer.store.protocol import Store
from optimizer.tables import Actor, among
from optimizer.workflows.attempts import ATTEMPTS
from optimizer.workflows.holdings import Holdings, load_holdings
from optimizer.workflows.reviewing import open_rows, restored_result, stored_summary
from optimizer.workflows.values import plain, plain_record
from optimizer.workflows.workspace import Workspace

LOG = logging.getLogger("optimizer.resolving")


@dataclass(frozen=True)
class ResolveSummary:
    """What one re-solve did: which open rows moved, and the plan now; amounts per day."""

    rows_moved: int
    moved: tuple[str, ...]
    cost_planned: float
    dual_price: float
    budget: float


@dataclass(frozen=True)
class DecisionResult:
    """What a command changed and refused, what the rest became, and which budgets no longer fit.

    `refused` are {id, code, …}; `awaiting` are those that changed and wait for a second person.
    `resolve` is None when nothing changed, while the solve is still under way (`pending`) or, with
    `problem` {code, fields}, when no plan meets the constraints that are left.
    """

    changed: tuple[str, ...]
    refused: tuple[dict[str, Any], ...]
    resolve: ResolveSummary | None
    excess: tuple[dict[str, Any], ...]
    problem: dict[str, Any] | None = None
    awaiting: tuple[str, ...] = ()
    pending: bool = False

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return plain_record(asdict(self))


@dataclass(frozen=True)
class Solving:
    """Whether this process solves the account again just now; else why the last time failed.

    `problem` is {code, fields}, None where the figures are those of all that is decided.
    """

    pending: bool
    problem: dict[str, Any] | None = None


class Turns:
    """Solves of one account, one at a time: each answers all who asked before it began."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="resolve")
        self._next: Future[DecisionResult] | None = None
        self._newest: Future[DecisionResult] | None = None

    def ask(self, solve: Callable[[Callable[[], bool]], DecisionResult]) -> Future[DecisionResult]:
        """The answer of a solve that begins after this call.

        `solve` may ask whether somebody waits whom it does not answer.
        """
        with self._lock:
            if self._next is None:
                self._next = self._newest = self._worker.submit(self._begin, solve)
            return self._next

    def _begin(self, solve: Callable[[Callable[[], bool]], DecisionResult]) -> DecisionResult:
        with self._lock:
            self._next = None
        try:
            return solve(lambda: self._next is not None)
        except OptimizerError:
            raise
        except Exception:
            LOG.exception("the rest could not be solved again")
            raise

    def state(self) -> Solving:
        """Whether a solve is under way or to come, and what the newest one met."""
        newest = self._newest
        if newest is None:
            return Solving(False)
        if not newest.done():
            return Solving(True)
        error = newest.exception()
        if error is None:
            return Solving(False, newest.result().problem)
        if isinstance(error, OptimizerError):
            return Solving(False, {"code": error.code, "fields": plain(error.fields)})
        return Solving(False, {"code": "something_failed", "fields": {}})


_TURNS: WeakKeyDictionary[Store, dict[str, Turns]] = WeakKeyDictionary()
_TURNS_LOCK = Lock()


def _turns(store: Store, account: str) -> Turns:
    with _TURNS_LOCK:
        return _TURNS.setdefault(store, {}).setdefault(account, Turns())


def solving(workspace: Workspace, account: str, actor: Actor) -> Solving:
    """Whether the figures of the account are being brought up to date by this process."""
    actor.require("viewer", account)
    workspace.store.account(account)
    return _turns(workspace.store, account).state()


def solved_again(
    workspace: Workspace,
    account: str,
    changed: tuple[str, ...],
    refused: Sequence[Conflict],
    actor: Actor,
) -> DecisionResult:
    """The result of a command that `changed` and `refused`, with the rest solved around it.

    A solve that takes longer than the workspace's patience goes on while the answer says `pending`.
    """

    def solve(awaited: Callable[[], bool]) -> DecisionResult:
        return _solved(load_holdings(workspace, account), actor, awaited)

    told = tuple(told_refusal(one) for one in refused)
    asked = _turns(workspace.store, account).ask(solve)
    try:
        rest = asked.result(workspace.patience)
    except TimeoutError:
        if asked.done():
            raise
        held = load_holdings(workspace, account)
        excess = held.excess(held.committed())
        return DecisionResult(changed, told, None, excess, pending=True)
    return replace(rest, changed=changed, refused=told)


def told_refusal(refusal: Conflict) -> dict[str, Any]:
    """{code, …fields}."""
    return {"code": refusal.code, **refusal.fields}


def _solved(held: Holdings, actor: Actor, awaited: Callable[[], bool]) -> DecisionResult:
    """What the rest became, and which budgets what is approved does not fit."""
    excess = held.excess(held.committed())
    try:
        summary = _resolve(held, actor, awaited)
    except Infeasible as error:
        problem = {"code": error.code, "fields": plain(error.fields)}
        return DecisionResult((), (), None, excess, problem)
    return DecisionResult((), (), summary, excess)


def _resolve(held: Holdings, actor: Actor, awaited: Callable[[], bool]) -> ResolveSummary:
    """Re-solve the open rows around what is decided, from the run's own stored options.

    Holds are read again after the write: whoever decided meanwhile is respected as well, here or,
    where he waits in this process, in the solve that follows.
    """
    store = held.workspace.store
    listed = held.newest()
    before = restored_result(held.run, listed, held.frames)
    holds = store.holds(held.account, held.as_of)
    for _ in range(ATTEMPTS):
        after = resolve_account(before, holds)
        summary = stored_summary(after, held.run.summary["origin"])
        rows = open_rows(held.workspace, held.account, after.proposals(), holds)
        if not store.update_run(held.run.run_id, summary, rows, actor, (listed, held.stamp)):
            return _resolve(load_holdings(held.workspace, held.account), actor, awaited)
        latest = store.holds(held.account, held.as_of)
        if latest.equals(holds) or awaited():
            break
        holds = latest
    moved = _moved(listed, rows)
    told = after.summary
    return ResolveSummary(len(moved), moved, told.cost_planned, told.dual_price, told.budget)


def _moved(before: pd.DataFrame, after: pd.DataFrame) -> tuple[str, ...]:
    """Ids of open rows whose kind or proposed bid is not what it was."""
    waiting = before["decision"].eq("proposed")
    settled = ~waiting & before["decision"].ne("superseded")
    was = before.loc[waiting, ["id", "kind", "proposed_bid"]]
    now = after.loc[~among(after["id"], before.loc[settled, "id"]), was.columns]
    place = pd.Index(was["id"]).get_indexer(pd.Index(now["id"]))
    stays = place >= 0
    then, still = was.iloc[place[stays]], now[stays]
    same = then["kind"].to_numpy() == still["kind"].to_numpy()
    same &= _same_bids(then["proposed_bid"], still["proposed_bid"])
    gone = np.ones(len(was), dtype=bool)
    gone[place[stays]] = False
    ids = [was.loc[gone, "id"], now.loc[~stays, "id"], still.loc[~same, "id"]]
    return tuple(sorted(pd.concat(ids).astype(str)))


def _same_bids(one: pd.Series, other: pd.Series) -> Bools:
    """Whether each pair is the same number, or both are unknown."""
    a, b = (bids.to_numpy(dtype=np.float64, na_value=np.nan) for bids in (one, other))
    same: Bools = (a == b) | (np.isnan(a) & np.isnan(b))
    return same
