"""Small budgets solved exactly: the best whole levels, and what no whole levels can reach."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, milp

from optimizer.decisions import kernels_blocks
from optimizer.decisions.allocation import (
    BudgetTree,
    Gates,
    Options,
    SideCaps,
    allocate,
    blocks,
    ungated,
)
from optimizer.decisions.allocation.books import open_books
from optimizer.decisions.allocation.steps import build_steps
from optimizer.decisions.allocation.tree import Settled, rules_of
from tests.decisions.instances import Problem, free, logistic_curves
from tests.decisions.test_allocation_by_hand import assert_answer, problem, tree

NOTHING_WIDER = 10_000


def best_of_all(cost: np.ndarray, gain: np.ndarray, allowed: np.ndarray, room: float) -> float:
    """Every mixture of levels, tried one after the other."""
    best, keywords = -np.inf, np.arange(len(cost))
    for level in product(range(cost.shape[1]), repeat=len(cost)):
        if allowed[keywords, level].all() and cost[keywords, level].sum() <= room:
            best = max(best, gain[keywords, level].sum())
    return best


def small_block(seed: int, keywords: int = 4, levels: int = 6):
    """Levels with dents, ties and some that are not allowed."""
    rng = np.random.default_rng(seed)
    cost = np.sort(rng.integers(0, 12, (keywords, levels)), axis=1).astype(float)
    gain = rng.normal(0, 3, (keywords, levels)).cumsum(axis=1) + cost
    allowed = rng.random(cost.shape) < 0.8
    allowed[np.arange(keywords), rng.integers(0, levels, keywords)] = True
    return cost, gain, allowed, float(rng.integers(0, 30))


@pytest.mark.parametrize("seed", range(40))
def test_the_best_mixture_is_that_of_trying_all(seed: int) -> None:
    cost, gain, allowed, room = small_block(seed)
    told = (cost, gain, allowed, room, 0.0, NOTHING_WIDER)
    level, found, bound = kernels_blocks.whole_block(*told)
    best, each = best_of_all(cost, gain, allowed, room), np.arange(len(cost))
    assert found == pytest.approx(best)
    assert bound == pytest.approx(best)
    if np.isfinite(best):
        assert allowed[each, level].all()
        assert cost[each, level].sum() <= room
        assert gain[each, level].sum() == pytest.approx(best)


@pytest.mark.parametrize("seed", range(20))
def test_few_choices_and_a_tolerance_still_bound_the_best(seed: int) -> None:
    cost, gain, allowed, room = small_block(seed, 5, 5)
    best = best_of_all(cost, gain, allowed, room)
    for tolerance, widest in ((0.0, 2), (1.0, NOTHING_WIDER)):
        _, found, bound = kernels_blocks.whole_block(cost, gain, allowed, room, tolerance, widest)
        assert found <= best + 1e-9
        assert bound >= best - 1e-9
    assert bound <= max(found, -1e9) + 1.0 + 1e-9


def test_a_keyword_without_a_level_or_money_has_no_plan() -> None:
    cost, gain = np.array([[2.0, 4.0]]), np.array([[1.0, 5.0]])
    none, every = np.zeros((1, 2), dtype=bool), np.ones((1, 2), dtype=bool)
    assert kernels_blocks.whole_block(cost, gain, none, 9.0, 0.0, 9)[1:] == (-np.inf, -np.inf)
    assert kernels_blocks.whole_block(cost, gain, every, 1.9, 0.0, 9)[1:] == (-np.inf, -np.inf)
    assert kernels_blocks.whole_block(cost, gain, every, 2.0, 0.0, 9)[1:] == (1.0, 1.0)


def test_what_fits_together_beats_the_steepest_step() -> None:
    # Seven bring 25 and leave room for nothing; five and five bring 30 of the ten.
    cost, value = [[0, 7], [0, 5], [0, 5]], [[0, 25], [0, 15], [0, 15]]
    found = problem(cost, value, [0, 0, 0], tree([-1], [10.0])).solve()
    assert_answer(found, level=[0, 1, 1], objective=20.0, cost=10.0, whole_bound=20.0, gap=0.0)
    assert_answer(found, upper_bound=18.0 + 3 * 2, next_return=[25 / 7, np.nan, np.nan])


def test_a_level_off_the_hull_may_be_the_best_that_fits() -> None:
    # Level 1 of the first word lies below the line from 0 to 20 and above what else fits.
    cost, value = [[0, 9, 20], [0, 6, 6]], [[0, 27, 100], [0, 24, 24]]
    found = problem(cost, value, [0, 0], tree([-1], [15.0])).solve()
    assert_answer(found, level=[1, 1], objective=36.0, whole_bound=36.0, next_return=[5.0, np.nan])


@pytest.mark.parametrize("seed", range(6))
def test_of_many_keywords_the_last_follow_the_linear_plan(seed: int) -> None:
    cost, gain, allowed, _ = small_block(seed, 40, 5)
    room = 0.5 * float(cost[:, -1].sum())
    level, found, bound = kernels_blocks.whole_block(cost, gain, allowed, room, 1e-9, 200)
    best = best_by_highs(cost, gain, allowed, room)
    assert found <= best + 1e-6 <= bound + 2e-6
    assert bound - found <= 0.01 * abs(best)
    assert cost[np.arange(40), level].sum() <= room


def best_by_highs(cost: np.ndarray, gain: np.ndarray, allowed: np.ndarray, room: float) -> float:
    owner = np.nonzero(allowed)[0]
    one_each = (owner == np.arange(len(cost))[:, None]).astype(float)
    limits = (LinearConstraint(one_each, 1, 1), LinearConstraint(cost[allowed], -np.inf, room))
    return -milp(-gain[allowed], integrality=np.ones(len(owner)), constraints=limits).fun


def test_gates_hold_in_a_small_budget() -> None:
    # At line 3 the first word may not rise from its level 1, the second not fall below it.
    told = free([[0, 5, 9], [0, 4, 9]], [[0, 20, 38], [0, 8, 10]])[0]
    held = Options(told.cost, told.value, told.allowed, np.array([1, 1]))
    gates = Gates(np.array([0.5, -np.inf]), np.array([9.0, 9.0]))
    found = allocate(held, np.zeros(2, dtype=np.int64), BudgetTree.flat(9.5), gates)
    assert_answer(found, level=[1, 1], cost=9.0, objective=19.0, whole_bound=19.0)


@pytest.mark.parametrize("seed", range(5))
def test_a_world_of_small_budgets_is_solved_to_a_thousandth(seed: int) -> None:
    world = small_budgets(seed)
    found, spent = world.solve(), world.spent(world.solve().level)
    assert (spent <= world.tree.cap * (1 + 1e-9)).all()
    assert found.objective <= found.whole_bound <= found.upper_bound + 1e-9
    assert found.gap < 1e-3 < (found.upper_bound - found.objective) / found.upper_bound


def small_budgets(seed: int) -> Problem:
    """Forty campaigns of six words, each with a cap that binds, under an account that does too."""
    rng = np.random.default_rng(seed)
    cost, value = logistic_curves(rng, 240, 12)
    told, gates = ungated(Options(cost, value, np.ones(cost.shape, bool), np.zeros(240, int)))
    node = np.arange(240) // 6 + 1
    cap = np.bincount(node - 1, cost[:, -1]) * rng.uniform(0.02, 0.2, 40)
    money = BudgetTree(np.array([-1] + [0] * 40), np.append(0.9 * cap.sum(), cap), np.zeros(41))
    return Problem(told, node, money, gates)


def test_without_small_budgets_both_bounds_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_MOST_KEYWORDS", 0)
    found = small_budgets(0).solve()
    assert found.whole_bound == found.upper_bound
    assert found.gap == pytest.approx((found.upper_bound - found.objective) / found.upper_bound)


def test_idle_keywords_do_not_make_a_small_budget_a_big_one() -> None:
    cost, value = [[0, 7], [0, 5], [0, 5]], [[0, 25], [0, 15], [0, 15]]
    idle = [[0, 0]] * (blocks._MOST_KEYWORDS + 1)
    told = problem(cost + idle, value + idle, [0] * (len(idle) + 3), tree([-1], [10.0]))
    assert_answer(told.solve(), objective=20.0, whole_bound=20.0)


def unsettled(price: list[float], setter: list[int], binding: list[int]) -> Settled:
    """Prices of cost per node, and what sets them."""
    nodes, nothing = np.ones(len(price)), np.zeros(0)
    told = (nodes, np.array(setter), np.array(binding), nodes, np.array(price))
    return Settled(*told, 0.0, np.zeros(0, dtype=np.int64), nothing, nothing)


def test_a_cap_adds_to_the_price_of_the_budget_above_it() -> None:
    parent = np.array([-1, 0, 0, 0, 1])
    prices = unsettled([3.0, 5.0, 2.0, 9.0, 5.0], [0, 1, 2, 3, 1], [0, 0, 0, 1, 0])
    assert blocks._cap_duals(parent, prices, 1.0).tolist() == [2.0, 2.0, 0.0, 0.0, 0.0]
    prices = unsettled([3.0, 5.0, 4.0, 9.0, 6.0], [0, 1, -1, 3, 4], [0, 1, 0, 0, 0])
    assert blocks._cap_duals(parent, prices, 2.5).tolist() == [0.5, 0.0, 0.0, 6.0, 1.0]


def worst(best: float = 100.0, dual: float = 1.0, **more) -> tuple[list, list]:
    """Campaigns of two, one and one words and an idle one; each word may win 3, 4, 5, 6 and 7."""
    told, gates = free([[0, 1]] * 4 + [[0, 0]], [[0, 9]] * 4 + [[0, 0]])
    money = tree(
        [-1, 0, 0, 0, 0], [99.0, 5.0, 6.0, 7.0, 8.0], [0.0, 0, 0, *more.get("floor", [0, 0])]
    )
    steps = build_steps(told, np.array([1, 1, 2, 3, 4]), money, gates, 1.0, None)
    level, none = np.zeros(5, dtype=np.int64), unsettled([0.0] * 5, [-1] * 5, [-1] * 5)
    books = open_books(told, steps, money, rules_of((), steps), SideCaps.none(5), level)
    books.left[:] = np.array(more.get("left", [99.0, 5, 6, 7, 8]))
    sought = blocks.Sought(np.ones(5), np.ones(5), np.array([3.0, 4, 5, 6, 7]), none, best)
    found = blocks._worst(told, steps, books, sought, level, np.array([0, dual, dual, dual, dual]))
    return found[0].tolist(), found[1].tolist()


def test_campaigns_that_lose_most_come_first() -> None:
    # What the words may win and what is left, at a price of 1; the idle campaign has nothing to solve.
    assert worst() == ([3, 1, 2], [13.0, 12.0, 11.0])
    assert worst(dual=2.0) == ([3, 1, 2], [20.0, 17.0, 17.0])
    assert worst(left=[99.0, 5, -6, 7, 8]) == ([3, 1, 2], [13.0, 12.0, 5.0])
    assert worst(dual=0.0) == ([], [])


def test_campaigns_that_lose_next_to_nothing_or_miss_a_floor_are_left_alone() -> None:
    assert worst(best=12.5e9) == ([3], [13.0])
    assert worst(best=-12.5e9) == ([3], [13.0])
    assert worst(floor=[0.5, 0.0]) == ([1, 2], [12.0, 11.0])


def test_only_so_many_campaigns_of_so_many_words_are_solved(monkeypatch) -> None:
    monkeypatch.setattr(blocks, "_MOST_KEYWORDS", 1)
    assert worst()[0] == [3, 2]
    monkeypatch.setattr(blocks, "_MOST_KEYWORDS", 2)
    monkeypatch.setattr(blocks, "_MOST_BLOCKS", 2)
    assert worst() == ([3, 1], [13.0, 12.0])


@pytest.mark.parametrize(
    ("cap", "raising", "lowering", "level"),
    [
        (9.0, 3.0, 3.0, [0, 2]),
        (9.0, 3.0, 3.1, [1, 1]),
        (10.0, 3.0, 3.1, [1, 2]),
        (10.0, 2.9, 3.1, [1, 1]),
    ],
)
def test_a_gate_is_open_at_its_own_line(cap, raising, lowering, level) -> None:
    # Two levels of 4 and 6 fit 10, one of 6 fits 9: the line is 3, the bids are at level 1.
    told, every = free([[0, 4, 9], [0, 3, 6]], [[0, 8, 10], [0, 15, 27]])
    steps = build_steps(told, np.zeros(2, dtype=np.int64), tree([-1], [cap]), every, -9.0, None)
    held, full = replace(told, hold=np.array([1, 1])), np.array([1, 1])
    rules, sides = rules_of((), steps), SideCaps.none(2)
    books, now = open_books(told, steps, tree([-1], [cap]), rules, sides, full), full.copy()
    prices, gates = unsettled([3.0], [0], [0]), Gates(np.full(2, raising), np.full(2, lowering))
    sought = blocks.Sought(np.ones(2), np.full(2, 3.0), np.array([0.0, 9.0]), prices, 99.0)
    done, _ = blocks.solve_worst(held, steps, gates, books, sought, full, now, 1.0)
    assert (now.tolist(), done.tolist()) == (level, [True, True])
