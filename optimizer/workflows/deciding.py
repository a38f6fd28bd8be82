"""Decisions on suggestions: each commits at once, then the rest is re-solved in its own transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import cast

from optimizer.errors import Conflict, RefusedInput
from optimizer.review import approvals
from optimizer.review.approvals import Standing, Transition
from optimizer.review.rivals import Rivals
from optimizer.store.protocol import Change
from optimizer.tables import Actor
from optimizer.workflows.at_risk import within_limits
from optimizer.workflows.attempts import done_anew
from optimizer.workflows.holdings import Holdings, load_holdings
from optimizer.workflows.resolving import DecisionResult, solved_again, told_refusal
from optimizer.workflows.workspace import Workspace

Ref = tuple[str, int]
"""A suggestion's id and the version the operator saw."""

Command = Callable[[Standing, int], Transition]
_SLOTS = {"t": ("add", "negative"), "c": ("budget", "target"), "a": ("creative",)}
"""Slots by the letter that the key of what is no keyword begins with."""


def approve(
    workspace: Workspace,
    account: str,
    refs: Sequence[Ref],
    actor: Actor,
    bids: Mapping[str, float] | None = None,
) -> DecisionResult:
    """Accept suggestions as proposed, or at `bids` (id → bid) where given.

    Where the sum needs a second person it waits for one. Raises `Conflict` when none can be approved,
    when approvals would put more spend at risk than the guardrails allow, or when the same person
    approves again.
    """
    actor.require("approver", account)

    def command(held: Holdings) -> Command:
        return partial(accepted, held=held, bids=bids or {})

    action = "edit" if bids else "approve"
    return _decide(workspace, account, refs, actor, action, command, adding=True)


def edit(workspace: Workspace, account: str, ref: Ref, bid: float, actor: Actor) -> DecisionResult:
    """Approve one suggestion at another bid; a linked row is approved as proposed."""
    actor.require("approver", account)
    return approve(workspace, account, [ref], actor, {ref[0]: bid})


def reject(
    workspace: Workspace,
    account: str,
    refs: Sequence[Ref],
    actor: Actor,
    reason: str,
    until: date | None = None,
) -> DecisionResult:
    """Refuse suggestions for a reason; present values hold up to `until` (30 days when not said)."""
    actor.require("operator", account)

    def command(held: Holdings) -> Command:
        last = approvals.rejection_until(held.as_of, until)
        return partial(approvals.reject, reason=reason, until=last)

    return _decide(workspace, account, refs, actor, "reject", command)


def snooze(
    workspace: Workspace, account: str, refs: Sequence[Ref], actor: Actor, until: date
) -> DecisionResult:
    """Leave suggestions alone up to and including `until`."""
    actor.require("operator", account)

    def command(held: Holdings) -> Command:
        return partial(approvals.snooze, until=approvals.checked_until(held.as_of, until))

    return _decide(workspace, account, refs, actor, "snooze", command)


def undo(workspace: Workspace, account: str, refs: Sequence[Ref], actor: Actor) -> DecisionResult:
    """Take back decisions that were not exported; they are proposed again."""
    actor.require("approver", account)

    def command(held: Holdings) -> Command:
        return partial(_taken_back, newest=frozenset(held.newest()["id"]), lapsed=held.lapsed)

    return _decide(workspace, account, refs, actor, "undo", command)


def lock(
    workspace: Workspace,
    account: str,
    target: Ref | str | Sequence[Ref],
    actor: Actor,
    locked: bool = True,
) -> DecisionResult:
    """Keep keywords (by key, or by suggestions on them) as they are in every review, or let go of them."""
    actor.require("operator", account)
    held = load_holdings(workspace, account)
    keys = [_entity_key(held, one) for one in _targets(target)]
    for key in keys:
        for slot in _SLOTS.get(key[:1], ("bid", "state")):
            workspace.store.set_lock(account, key, slot, locked, actor)
    return solved_again(workspace, account, tuple(keys), [], actor)


def _targets(target: Ref | str | Sequence[Ref]) -> list[str]:
    if isinstance(target, str):
        return [target]
    if len(target) == 2 and isinstance(target[0], str):
        return [target[0]]
    return [id_ for id_, _ in cast(Sequence[Ref], target)]


def _entity_key(held: Holdings, target: str) -> str:
    """The key that a suggestion is on; a key itself where the plan or a hold knows it."""
    holds = held.workspace.store.holds(held.account, held.as_of)
    known = (held.frames["plan"], holds)
    if any(frame["entity_key"].astype(str).eq(target).any() for frame in known):
        return target
    rows = held.named([target])
    return str(rows.loc[rows["id"].eq(target), "entity_key"].iloc[0])


def accepted(
    row: Standing, version: int, *, held: Holdings, bids: Mapping[str, float]
) -> Transition:
    """The approval of a row at its bid of `bids`, else as offered. Raises `Conflict`."""
    if row.id not in bids or bids[row.id] == row.offered:
        return approvals.approve(row, version)
    return approved_at(held, row, version, bids[row.id])


def approved_at(held: Holdings, row: Standing, version: int, bid: float) -> Transition:
    """The approval of a row at another bid. Raises `Conflict` for a bid out of reach."""
    guard = held.settings
    allowed = approvals.bid_range(row.bid, held.limit, guard.account, guard.guardrails.step_limit)
    return approvals.edit(row, version, bid, allowed)


def _taken_back(row: Standing, version: int, *, newest: frozenset[str], lapsed: bool) -> Transition:
    return approvals.undo(row, version, newest=row.id in newest, lapsed=lapsed)


def _decide(
    workspace: Workspace,
    account: str,
    refs: Sequence[Ref],
    actor: Actor,
    action: str,
    command_for: Callable[[Holdings], Command],
    adding: bool = False,
) -> DecisionResult:
    """Commit what can be decided, then re-solve the rest."""

    def commit() -> tuple[list[Transition], list[Conflict]]:
        held = load_holdings(workspace, account)
        moves, refused, against = _judge(held, refs, command_for(held), adding)
        beside = None
        if adding:
            moves, beside = within_limits(held, moves, actor)
        changes = [_change(move, against) for move in moves]
        workspace.store.apply_changes(account, changes, actor, action, beside)
        return moves, refused

    moves, refused = done_anew(commit)
    done = solved_again(workspace, account, tuple(move.id for move in moves), refused, actor)
    waiting = tuple(move.id for move in moves if move.to_decision == "awaiting_second")
    return replace(done, awaiting=waiting)


def _judge(
    held: Holdings, refs: Sequence[Ref], command: Command, adding: bool
) -> tuple[list[Transition], list[Conflict], Rivals]:
    """What may be done, and what must not be approved beside it.

    Raises `RefusedInput` for no rows, and the refusal itself when all are refused.
    """
    if not refs:
        raise RefusedInput("nothing_named")
    named = held.named([id_ for id_, _ in refs])
    rivals = held.rivals(named) if adding else Rivals()
    moves, refused = approvals.decide(approvals.standings(named), dict(refs), command, rivals)
    if not moves:
        first = refused[0]
        told = {"refused": [told_refusal(one) for one in refused]} if len(refused) > 1 else {}
        raise Conflict(first.code, **first.fields, **told)
    return moves, refused, rivals


def _change(move: Transition, against: Rivals) -> Change:
    rivals = sorted(against.of.get(move.id, ()))
    return Change(**vars(move), rivals=tuple(rivals))
