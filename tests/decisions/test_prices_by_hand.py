"""What has a price outside the tree's own lines: which constraints, which blocks, which limits."""

import numpy as np
import pytest

from optimizer.decisions.allocation import SideCaps, Target, rounding
from optimizer.decisions.allocation import cutting_planes as parts
from optimizer.decisions.allocation.books import levels_at, open_books
from optimizer.decisions.allocation.steps import build_steps
from optimizer.decisions.allocation.tree import rules_of
from tests.decisions.instances import free
from tests.decisions.test_allocation_by_hand import (
    COST,
    VALUE,
    assert_answer,
    problem,
    sides,
    target,
    tree,
)

#      0
#    1   4     the target hangs under 3, so 0, 1 and 2 stand above it
#    2   5
#    3
DEEP = tree([-1, 0, 1, 2, 0, 4], [50, np.inf, 15, 9, 20, 7], [5.0, 0, 0, 0, 0, 3])


def coordinates(crossing: SideCaps, aims: tuple[Target, ...]) -> parts._Coordinates:
    told, gates = free([[0, 10, 20]] * 3, [[0, 50, 90], [0, 30, 50], [0, 40, 60]])
    steps = build_steps(told, np.array([3, 4, 5]), DEEP, gates, -np.inf, None)
    return parts._coordinates(steps, DEEP, rules_of(aims, steps), crossing)


def test_what_stands_above_a_target_has_a_price_and_parts_the_blocks() -> None:
    aim = target([2, 4, 1], [0, 0, 0, 0.5, 0, 0], [0, 0, 0, 7.0, 0, 0], [0, 0, 0, 4.0, 0, 0])
    at = coordinates(SideCaps.none(3), (aim,))
    assert (at.caps.tolist(), at.floors.tolist()) == ([0, 2], [0])
    assert (at.targets.tolist(), at.target_nodes.tolist()) == ([0], [3])
    assert at.limit.tolist() == [50.0, 15.0, -5.0, 7.0 - 2.0]
    assert (at.block.tolist(), at.blocks) == ([0, 1, 1], 2)
    assert at.inner.parent is DEEP.parent
    assert at.inner.cap.tolist() == [np.inf, np.inf, np.inf, 9, 20, 7]
    assert at.inner.floor.tolist() == [0, 0, 0, 0, 0, 3]
    # The steepest step is 5; the target counts up to 4 per unit.
    assert at.box.tolist() == [5e4, 5e4, 5e4, 2500.0]


@pytest.mark.parametrize(("per", "box"), [([0.5, 0.0, 2.0], 2e4), ([0.0, 0.0, 0.0], 1.0)])
def test_one_side_cap_stands_above_the_whole_tree_but_no_further(per, box) -> None:
    at = coordinates(sides([0, -1, 0], per, [6.0]), ())
    assert (at.caps.tolist(), at.floors.tolist(), at.targets.tolist()) == ([0], [0], [])
    assert at.limit.tolist() == [50.0, -5.0, 6.0]
    assert (at.block.tolist(), at.blocks) == ([0, 1, 1], 2)
    assert at.inner.cap.tolist() == [np.inf, np.inf, 15, 9, 20, 7]
    assert at.box.tolist() == [5e4, 5e4, box]


def test_the_box_is_never_small() -> None:
    told, gates = free([[0, 10]], [[0, 2]])
    steps = build_steps(told, np.array([0]), tree([-1], [9.0]), gates, -np.inf, None)
    rules = rules_of((target([0.0], [1.0]),), steps)
    assert parts._box(steps, rules, SideCaps.none(1), 2, np.array([0])).tolist() == [1e4, 1e4, 1e16]


def test_no_rules_are_the_same_keywords_without_targets() -> None:
    told, gates = free(COST, VALUE)
    steps = build_steps(told, np.zeros(2, int), tree([-1], [9.0]), gates, -np.inf, None)
    rules = rules_of((target([1, 2], [3.0], [5.0], [1.5]), target([4, 1], [2.0])), steps)
    assert rules.slack.tolist() == [[0.5], [0.0]]
    for empty in (rules.none(), rules_of((), steps)):
        assert [part.shape for part in vars(empty).values()] == [(0, 2), (0, 1), (0, 1), (0, 1)]


def test_a_group_without_keywords_costs_nothing() -> None:
    crossing = sides([0, 1], [0.1, 0.1], [7.0, 9.0, 5.0])
    found = problem(COST, VALUE, [0, 0], tree([-1], [30.0]), sides=crossing).solve()
    assert_answer(found, side_price=[5.0, 0.0, 0.0], level=[1, 2], upper_bound=80.0)


def test_a_side_cap_of_just_what_must_be_sold_is_kept() -> None:
    crossing = sides([0, 0], [1.0, 1.0], [8.0])
    found = problem([[1, 2]] * 2, [[4, 8]] * 2, [0, 0], tree([-1], [9.0]), sides=crossing).solve()
    assert_answer(found, level=[0, 0], objective=6.0, upper_bound=6.0)


@pytest.mark.parametrize("place", ["slack", "left", "side_left"])
def test_only_what_is_negative_is_broken(place: str) -> None:
    told, gates = free(COST, VALUE)
    money, aims = tree([-1], [0.5]), (target([1, 1], [1.0], [0.5]),)
    steps = build_steps(told, np.zeros(2, int), money, gates, -np.inf, None)
    crossing, none = sides([0, 0], [1.0, 1.0], [0.5]), np.zeros(2, int)
    books = open_books(told, steps, money, rules_of(aims, steps), crossing, none)
    assert not rounding._any_broken(books)
    getattr(books, place)[...] = -0.1
    assert rounding._any_broken(books)


def test_the_level_of_a_word_is_that_of_its_own_steps() -> None:
    told, gates = free([[0, 10, 20], [0, 10, 20]], [[0, 50, 90], [0, 1, 60]])
    steps = build_steps(told, np.zeros(2, int), tree([-1], [9.0]), gates, -np.inf, None)
    assert levels_at(steps, np.array([1, 1])).tolist() == [1, 2]
    assert levels_at(steps, np.array([2, 0])).tolist() == [2, 0]


def test_a_small_floor_buys_a_small_step() -> None:
    rows = problem([[0, 0.5, 1]], [[0, 0.4, 0.6]], [0], tree([-1], [9.0], [0.5])).solve()
    assert_answer(rows, level=[1], cost=0.5, objective=-0.1, short=[0.0])


class Calling:
    """An executor that runs at once and remembers that it did."""

    calls = 0

    def map(self, task, told):
        self.calls += 1
        return map(task, told)


def test_the_steps_are_built_by_the_executor_given() -> None:
    one = Calling()
    found = problem(COST, VALUE, [0, 0], tree([-1], [35.0])).solve(executor=one)
    assert (one.calls, found.level.tolist()) == (1, [2, 1])
