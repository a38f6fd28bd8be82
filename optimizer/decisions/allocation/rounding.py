"""From a fractional plan to whole levels that keep every cap, floor, target and side cap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from optimizer.decisions import kernels, kernels_rounding
from optimizer.decisions.allocation.blocks import Sought, solve_worst
from optimizer.decisions.allocation.books import levels_at, objective
from optimizer.decisions.allocation.problem import Gates, Options
from optimizer.decisions.allocation.steps import Steps
from optimizer.decisions.kernels_rounding import Books
from optimizer.estimates.posteriors import Bools, Floats, Ints

_PASSES = 60
_BESIDE = 2_000
_GRAIN = 0.05
_ENOUGH = 1e-7


@dataclass(frozen=True)
class Rounded:
    """Level per keyword (tree order), the whole steps it stands for, and what of the Lagrangian bound
    no whole levels can reach.
    """

    level: Ints
    full: Ints
    excess: float


def round_plan(
    options: Options,
    steps: Steps,
    gates: Gates,
    books: Books,
    full: Ints,
    base: float,
    sought: Sought,
) -> Rounded:
    """Whole levels from the steps that the lines take whole.

    Mends what is broken, meets the floors, exchanges steps where a cap is met in part, solves the
    caps where most is lost, then spends what is left. Caps, targets and side caps are kept; a floor
    that whole levels within the caps cannot meet stays short.
    """
    full = full.copy()
    _mend(options, steps, books, full)
    for node in np.flatnonzero(books.spare < 0)[::-1]:
        _meet_floor(options, steps, books, full, int(node))
    open_gate = _open_gate(options, steps, gates, sought.line)
    level = levels_at(steps, full)
    mended = objective(options, steps, level, base)
    missing, enough, excess = sought.best - mended, _ENOUGH * abs(mended), 0.0
    if missing > enough:
        kept = _kept_steps(options, steps, gates, sought.line)
        _exchange(steps, books, full, sought.line, base, open_gate, kept)
        level = levels_at(steps, full)
        done, excess = solve_worst(options, steps, gates, books, sought, full, level, base)
        open_gate = _open_beside(open_gate, done)
        _spend(options, steps, books, full, base, enough, open_gate)
        level = np.where(done, level, levels_at(steps, full))
    if missing > enough or (books.spare < 0).any():
        _fill_between(options, steps, books, full, level, base, enough, open_gate)
    return Rounded(level, full, excess)


_Opens = Callable[[Ints, Ints], Bools]


def _open_gate(options: Options, steps: Steps, gates: Gates, line: Floats) -> _Opens:
    """Whether keywords may rise to these levels at their lines."""
    shut = gates.raise_gate[steps.rows] < line
    hold = options.hold[steps.rows]
    return lambda keywords, level: ~((level > hold[keywords]) & shut[keywords])


def _open_beside(open_gate: _Opens, done: Bools) -> _Opens:
    """The same gate, closed to keywords that are `done`."""
    return lambda keywords, level: open_gate(keywords, level) & ~done[keywords]


def _kept_steps(options: Options, steps: Steps, gates: Gates, line: Floats) -> Ints:
    """Steps up to the present bid of keywords whose gate forbids going below it at their line."""
    shut = gates.lower_gate[steps.rows] > line
    if not shut.any():
        return np.zeros(len(line), dtype=np.int64)
    owner = np.repeat(np.arange(len(line)), np.diff(steps.start))
    below = shut[owner] & (steps.reached <= options.hold[steps.rows][owner])
    return np.bincount(owner[below], minlength=len(line))


@dataclass(frozen=True)
class _Moves:
    """One step of some keywords, best first: the level above it, cost, value and threshold."""

    keyword: Ints
    level: Ints
    cost: Floats
    value: Floats
    opens: Floats


def _next(options: Options, steps: Steps, full: Ints, wanted: Bools | None = None) -> _Moves:
    """The next step of the wanted keywords that have one, steepest first."""
    possible = full < np.diff(steps.start)
    keyword = np.flatnonzero(possible if wanted is None else possible & wanted)
    index = steps.start[keyword] + full[keyword]
    order = np.argsort(-steps.threshold[index], kind="stable")
    return _moves(options, steps, keyword[order], index[order])


def _last(options: Options, steps: Steps, full: Ints) -> _Moves:
    """The last step taken of each keyword that took one, flattest first."""
    keyword = np.flatnonzero(full > 0)
    index = steps.start[keyword] + full[keyword] - 1
    order = np.argsort(steps.threshold[index], kind="stable")
    return _moves(options, steps, keyword[order], index[order])


def _moves(options: Options, steps: Steps, keyword: Ints, index: Ints) -> _Moves:
    row, top = steps.rows[keyword], steps.reached[index]
    first = index == steps.start[keyword]
    bottom = np.where(first, steps.lowest[keyword], steps.reached[np.maximum(index - 1, 0)])
    value = options.value[row, top] - options.value[row, bottom]
    return _Moves(keyword, top, steps.extra[index], value, steps.threshold[index])


def _take(
    steps: Steps,
    books: Books,
    full: Ints,
    move: _Moves,
    wanted: Bools,
    watched: int = -1,
    enough: float = -np.inf,
) -> int:
    """Take the wanted moves where they are allowed; returns how many were."""
    taken: int = kernels_rounding.take(
        move.keyword[wanted],
        steps.node,
        full,
        move.cost[wanted],
        move.value[wanted],
        books,
        move.opens[wanted],
        watched,
        enough,
    )
    return taken


def _mend(options: Options, steps: Steps, books: Books, full: Ints) -> None:
    """Take steps that improve a broken target, then give back those that break something."""
    for _ in range(_PASSES):
        if not (books.slack < 0).any():
            break
        move = _next(options, steps, full)
        if not _take(steps, books, full, move, _improves(steps, books, move)):
            break
    for strict in (True, False):
        moved = 1
        while moved and _any_broken(books):
            move = _last(options, steps, full)
            moved = kernels_rounding.give_back(
                move.keyword, steps.node, full, move.cost, move.value, books, strict
            )


def _any_broken(books: Books) -> bool:
    return any(bool((part < 0).any()) for part in (books.slack, books.left, books.side_left))


def _improves(steps: Steps, books: Books, move: _Moves) -> Bools:
    """Whether each move brings a broken target above it nearer."""
    better = np.zeros(len(move.keyword), dtype=bool)
    for target in range(len(books.slack)):
        bar = np.where(books.slack[target] < 0, books.least[target], np.inf)
        lowest = kernels_rounding.path_least(books.parent, bar)[steps.node[move.keyword]]
        better |= books.per[target][move.keyword] * move.value > lowest * move.cost
    return better


def _meet_floor(options: Options, steps: Steps, books: Books, full: Ints, node: int) -> None:
    inside = np.zeros(len(full), dtype=bool)
    inside[steps.begin[node] : steps.end[node]] = True
    for _ in range(_PASSES):
        move = _next(options, steps, full, inside)
        if not _take(steps, books, full, move, move.cost > 0, watched=node):
            break


def _exchange(
    steps: Steps,
    books: Books,
    full: Ints,
    line: Floats,
    base: float,
    open_gate: _Opens,
    kept: Ints,
) -> None:
    """Steps that the lines take in part, taken whole where the keywords beside can pay for it."""
    keyword = np.flatnonzero(full < np.diff(steps.start))
    index = steps.start[keyword] + full[keyword]
    in_part = steps.threshold[index] >= line[keyword] * (1 - 1e-9)
    in_part &= (steps.threshold[index] > base) & open_gate(keyword, steps.reached[index])
    told = (steps.begin, steps.end, steps.start, steps.threshold, steps.extra, steps.node)
    kernels_rounding.exchange(keyword[in_part], *told, full, kept, base, books, _BESIDE)


def _spend(
    options: Options,
    steps: Steps,
    books: Books,
    full: Ints,
    base: float,
    enough: float,
    open_gate: _Opens,
) -> None:
    for _ in range(_PASSES):
        index = np.minimum(steps.start[:-1] + full, len(steps.extra) - 1)
        room = kernels_rounding.path_least(books.parent, books.left)[steps.node]
        fits = (steps.extra[index] <= room) & (steps.threshold[index] >= base)
        fits &= _worth_most(steps, books, index, fits & (full < np.diff(steps.start)))
        move = _next(options, steps, full, fits)
        opened = open_gate(move.keyword, move.level)
        if not _take(steps, books, full, move, opened, enough=enough):
            break


def _worth_most(steps: Steps, books: Books, index: Ints, wanted: Bools) -> Bools:
    """Of the wanted steps the best that cost ten times what is left of the account, or all."""
    picked = index[wanted]
    opens, cost = steps.threshold[picked], steps.extra[picked]
    cut, _ = kernels.select(opens, cost, len(opens), 10.0 * max(books.left[0], 0.0))
    result: Bools = steps.threshold[index] >= cut
    return result


def _fill_between(
    options: Options,
    steps: Steps,
    books: Books,
    full: Ints,
    level: Ints,
    base: float,
    enough: float,
    open_gate: _Opens,
) -> None:
    """Where no whole step of a hull fits, a level between two of them may."""
    told = (options.cost, options.value, options.allowed, base, books)
    room = kernels_rounding.path_least(books.parent, books.left)[steps.node]
    index = np.minimum(steps.start[:-1] + full, max(len(steps.extra) - 1, 0))
    worth = np.zeros(len(full), dtype=bool)
    if len(steps.extra):
        worth = (room > _GRAIN * steps.extra[index]) & (room * steps.threshold[index] > enough)
    for node in np.flatnonzero(books.spare < 0)[::-1]:
        worth[steps.begin[node] : steps.end[node]] = True
    move = _next(options, steps, full, worth)
    opened = open_gate(move.keyword, move.level)
    wanted = move.keyword[opened]
    top = level.copy()
    top[wanted] = move.level[opened]
    for node in np.flatnonzero(books.spare < 0)[::-1]:
        inside = wanted[(wanted >= steps.begin[node]) & (wanted < steps.end[node])]
        kernels_rounding.between(inside, steps.rows, steps.node, level, top, *told, node)
    kernels_rounding.between(wanted, steps.rows, steps.node, level, top, *told, -1)
