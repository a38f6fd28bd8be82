"""The states of a suggestion and the only commands that change them.

    proposed ── approve, edit ──▶ approved ── export ──▶ approved, exported (final)
       │  ▲─────── undo ───────────┘ ▲
       ├── approve, edit ──▶ awaiting_second ── approve by another person
       │  ▲─────── undo ───────────┘
       ├── reject ──▶ rejected ──┐
       ├── snooze ──▶ snoozed  ──┴── undo ──▶ proposed
       ├── expire ──▶ expired: not decided in time, only the next review proposes it again
       └── supersede ──▶ superseded

A command names the version it was shown and the value it replaces, and is refused with `Conflict`
when either moved or the state forbids it. `watch` rows inform; they are never decided. What awaits a
second person can be refused, snoozed, edited and superseded like what is proposed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import partial
from typing import Any, Literal, NoReturn

import pandas as pd

from optimizer.errors import Conflict, RefusedInput
from optimizer.review.rivals import Rivals
from optimizer.settings import Account, BidLimit

Decision = Literal[
    "proposed", "awaiting_second", "approved", "rejected", "snoozed", "expired", "superseded"
]
Eyes = Literal["first", "same", "unsure", "second"]
Command = Literal["approve", "edit", "reject", "snooze", "undo", "expire", "supersede"]

REJECTION_DAYS = 30
"""How long a rejection binds later reviews when nobody says."""

_STARTS: Mapping[Command, frozenset[Decision]] = {
    "approve": frozenset({"proposed", "awaiting_second"}),
    "edit": frozenset({"proposed", "awaiting_second"}),
    "reject": frozenset({"proposed", "awaiting_second"}),
    "snooze": frozenset({"proposed", "awaiting_second"}),
    "undo": frozenset({"awaiting_second", "approved", "rejected", "snoozed"}),
    "expire": frozenset({"proposed", "awaiting_second", "rejected", "snoozed"}),
    "supersede": frozenset({"proposed", "awaiting_second", "snoozed"}),
}
_BID_KINDS = frozenset({"raise", "lower", "add_keyword"})


@dataclass(frozen=True)
class Standing:
    """One suggestion as stored: what is proposed, what it replaces, and what was decided so far.

    Bids are in account currency; `bid` is the value that would be replaced.
    """

    id: str
    version: int
    kind: str
    decision: Decision
    delivery: str
    bid: float | None
    proposed_bid: float | None
    linked_id: str | None = None
    decided_by: str | None = None
    decided_at: str | None = None
    approved_bid: float | None = None

    @property
    def offered(self) -> float | None:
        """The bid an approval accepts: the proposed one, or the one a first person chose."""
        return self.approved_bid if self.decision == "awaiting_second" else self.proposed_bid


@dataclass(frozen=True)
class Transition:
    """A permitted change of one suggestion's decision, and the state it is valid for."""

    id: str
    version: int
    from_decision: Decision
    to_decision: Decision
    replaced_bid: float | None = None
    approved_bid: float | None = None
    reason: str | None = None
    until: date | None = None


@dataclass(frozen=True)
class BidRange:
    """The bids an edit may choose: multiples of `step` from `low` to `high`."""

    low: Decimal
    high: Decimal
    step: Decimal


def standings(rows: pd.DataFrame) -> dict[str, Standing]:
    """Stored suggestion rows as `Standing` by id."""
    names = list(Standing.__dataclass_fields__)
    table = rows.reindex(columns=names).astype("object")
    known = table.where(table.notna(), None)
    known["decided_at"] = [None if at is None else at.isoformat() for at in known["decided_at"]]
    columns = [known[name].tolist() for name in names]
    return {str(values[0]): Standing(*values) for values in zip(*columns, strict=True)}


def approve(row: Standing, version: int) -> Transition:
    """Accept the value offered: the proposed one, or the one that awaits a second person."""
    return _move(row, version, "approve", "approved", approved_bid=row.offered)


def edit(row: Standing, version: int, bid: float, allowed: BidRange) -> Transition:
    """Accept another bid, which must lie in `allowed` on its step."""
    _require(row, version, "edit")
    if row.kind not in _BID_KINDS:
        raise Conflict("bid_not_editable", id=row.id, kind=row.kind)
    chosen = _checked_bid(row, bid, allowed)
    return _move(row, version, "edit", "approved", approved_bid=float(chosen))


def seconded(
    moves: Sequence[Transition],
    rows: Mapping[str, Standing],
    person: str,
    behind: Callable[[str], str],
) -> list[Transition]:
    """`moves` where a second person is needed: approvals that another person began stay, others wait.

    `person` is who decides now, `behind` who stands behind a name that decided earlier. Whoever
    chose the bid is not the second, nor is one of whom nobody knows whether it is another person.
    Linked rows wait together. Raises `Conflict` where nothing would move.
    """
    by_id = {move.id: move for move in moves}
    found: list[Transition] = []
    for group in _linked_groups(rows, by_id):
        own = [by_id[id_] for id_ in group if id_ in by_id]
        eyes = [_eyes(move, rows[move.id], person, behind) for move in own]
        found += _together(own, eyes)
    if moves and not found:
        first = rows[moves[0].id]
        same = eyes_of(behind(str(first.decided_by)), person) == "same"
        code = "second_person_needed" if same else "second_person_unsure"
        _refuse(code, first, proposer=first.decided_by)
    return found


def eyes_of(first: str, now: str) -> Eyes:
    """Whether who decides now is surely another person than the first.

    Addresses are vouched for by a login, other names by a machine: of one of each nobody can say.
    """
    if first == now:
        return "same"
    return "second" if ("@" in first) == ("@" in now) else "unsure"


def _eyes(move: Transition, row: Standing, person: str, behind: Callable[[str], str]) -> Eyes:
    """Whose approval of this very bid it is: nobody's yet, this person's again, or a second one."""
    if row.decision != "awaiting_second" or move.approved_bid != row.approved_bid:
        return "first"
    return eyes_of(behind(str(row.decided_by)), person)


def _together(moves: Sequence[Transition], eyes: Sequence[Eyes]) -> list[Transition]:
    if "first" in eyes:
        pairs = zip(moves, eyes, strict=True)
        return [
            replace(move, to_decision="awaiting_second")
            for move, is_ in pairs
            if is_ not in ("same", "unsure")
        ]
    return list(moves) if set(eyes) == {"second"} else []


def reject(row: Standing, version: int, reason: str, until: date) -> Transition:
    """Refuse it; the present value holds in reviews up to and including `until`."""
    if not reason.strip():
        raise RefusedInput("reason_missing", id=row.id)
    return _move(row, version, "reject", "rejected", reason=reason.strip(), until=until)


def snooze(row: Standing, version: int, until: date) -> Transition:
    """Leave it alone up to and including `until`."""
    return _move(row, version, "snooze", "snoozed", until=until)


def undo(row: Standing, version: int, *, newest: bool = True, lapsed: bool = False) -> Transition:
    """Take a decision back. Nothing of an older review than the newest, or of a `lapsed` one, is
    proposed again: it is superseded or expired."""
    again: Decision = "expired" if lapsed else "proposed"
    return _move(row, version, "undo", again if newest else "superseded")


def expire(row: Standing, version: int) -> Transition:
    """Let go of a row that nobody decided in time."""
    return _move(row, version, "expire", "expired")


def supersede(row: Standing, version: int) -> Transition:
    """Replace an undecided row by a later review's."""
    return _move(row, version, "supersede", "superseded")


def _move(row: Standing, version: int, command: Command, to: Decision, **values: Any) -> Transition:
    _require(row, version, command)
    return Transition(row.id, version, row.decision, to, replaced_bid=row.bid, **values)


def _require(row: Standing, version: int, command: Command) -> None:
    if row.kind == "watch" and command not in ("expire", "supersede"):
        raise Conflict("watch_not_decidable", id=row.id, command=command)
    if row.version != version:
        _refuse("version_moved", row, version=version, now=row.version)
    if row.delivery != "not_exported":
        _refuse("already_exported", row, command=command)
    if row.decision == "expired":
        _refuse("suggestion_expired", row, command=command)
    if row.decision not in _STARTS[command]:
        _refuse("wrong_state", row, command=command, decision=row.decision)


def _refuse(code: str, row: Standing, **fields: Any) -> NoReturn:
    raise Conflict(code, id=row.id, decided_by=row.decided_by, decided_at=row.decided_at, **fields)


def bid_range(
    replaced: float | None, limit: BidLimit, account: Account, step_limit: float
) -> BidRange:
    """What an edit may choose: platform and account limits, and ±`step_limit` of the replaced bid.

    A new keyword replaces no bid, so only the limits bind it.
    """
    lows = [limit.minimum, *_decimals(account.min_bid)]
    highs = [limit.maximum, *_decimals(account.max_bid)]
    for bid in _decimals(replaced):
        lows.append(bid * (1 - _decimals(step_limit)[0]))
        highs.append(bid * (1 + _decimals(step_limit)[0]))
    low = (max(lows) / limit.step).to_integral_value(ROUND_CEILING) * limit.step
    high = (min(highs) / limit.step).to_integral_value(ROUND_FLOOR) * limit.step
    return BidRange(low, high, limit.step)


def _decimals(value: float | None) -> list[Decimal]:
    """The value as the decimal people see; nothing for nothing."""
    return [] if value is None else [Decimal(repr(float(value)))]


def _checked_bid(row: Standing, bid: float, allowed: BidRange) -> Decimal:
    chosen = Decimal(repr(float(bid)))
    fields = {
        "id": row.id,
        "bid": float(bid),
        "low": float(allowed.low),
        "high": float(allowed.high),
        "step": float(allowed.step),
    }
    if not (chosen.is_finite() and allowed.low <= chosen <= allowed.high):
        raise Conflict("bid_out_of_range", **fields)
    if chosen % allowed.step:
        raise Conflict("bid_not_multiple", **fields)
    if row.bid is not None and chosen == Decimal(repr(float(row.bid))):
        raise Conflict("bid_unchanged", **fields)
    return chosen


def rejection_until(as_of: date, until: date | None) -> date:
    """The last day a rejection binds; `RefusedInput` when that is before the review's day."""
    return checked_until(as_of, until or as_of + timedelta(days=REJECTION_DAYS))


def checked_until(as_of: date, until: date) -> date:
    """`until` itself; `RefusedInput` when it is before the review's own day."""
    if until < as_of:
        raise RefusedInput("until_in_past", until=until.isoformat(), as_of=as_of.isoformat())
    return until


def decide(
    rows: Mapping[str, Standing],
    versions: Mapping[str, int],
    command: Callable[[Standing, int], Transition],
    rivals: Rivals | None = None,
) -> tuple[list[Transition], list[Conflict]]:
    """Apply `command` to the named (id → version) rows and to whatever is linked to them.

    Linked rows move together or not at all. `rows` must hold the partners too; a partner the
    operator did not name takes part at its present version. Of `rivals` the first named goes
    through, and none beside one that is approved already.
    """
    moves: list[Transition] = []
    refusals: list[Conflict] = []
    rivals = rivals or Rivals()
    taken = set(rivals.approved)
    alone = partial(_unrivalled, command=command, rivals=rivals, taken=taken)
    for group in _linked_groups(rows, versions):
        done, refused = _decide_group([rows[id_] for id_ in group], versions, alone)
        taken.update(move.id for move in done)
        moves += done
        refusals += refused
    return moves, refusals


def _unrivalled(
    row: Standing,
    version: int,
    *,
    command: Callable[[Standing, int], Transition],
    rivals: Rivals,
    taken: Set[str],
) -> Transition:
    move = command(row, version)
    rivals.check(row.id, taken)
    return move


def _decide_group(
    group: Sequence[Standing],
    versions: Mapping[str, int],
    command: Callable[[Standing, int], Transition],
) -> tuple[list[Transition], list[Conflict]]:
    moves: list[Transition] = []
    refusals: list[Conflict] = []
    for row in group:
        try:
            moves.append(command(row, versions.get(row.id, row.version)))
        except Conflict as refusal:
            refusals.append(refusal)
    if not refusals:
        return moves, []
    why = refusals[0]
    held = [
        Conflict("linked_refused", id=move.id, linked_id=why.fields["id"], why=why.code)
        for move in moves
    ]
    return [], refusals + held


def _linked_groups(rows: Mapping[str, Standing], named: Iterable[str]) -> list[list[str]]:
    """Sorted groups of linked ids that hold at least one named id."""
    partners: dict[str, set[str]] = {id_: set() for id_ in rows}
    for row in rows.values():
        if row.linked_id in partners:
            partners[row.id].add(str(row.linked_id))
            partners[str(row.linked_id)].add(row.id)
    groups: dict[str, list[str]] = {}
    for id_ in named:
        members = sorted(_reachable(id_, partners))
        groups[members[0]] = members
    return list(groups.values())


def _reachable(start: str, partners: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = {start}
    while waiting:
        id_ = waiting.pop()
        seen.add(id_)
        waiting |= partners[id_] - seen
    return seen
