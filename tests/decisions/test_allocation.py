import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.decisions.allocation import BASE, BudgetTree, Gates, Options, allocate
from tests.decisions.instances import Problem, free, linear_optimum, nested, options

ROOT = np.zeros(2, dtype=np.int64)
seeds = st.integers(0, 10_000)


def tree(parent: list[int], cap: list[float], floor: list[float] | None = None) -> BudgetTree:
    return BudgetTree(np.array(parent), np.array(cap), np.array(floor or [0.0] * len(cap)))


def test_two_keywords_share_the_budget_by_what_the_next_step_returns() -> None:
    # Slopes: 5, 2 for the first word, 4, 3 for the second; 30 buys the steps 5, 4 and 3.
    told = free([[0, 10, 20], [0, 10, 20]], [[0, 50, 70], [0, 40, 70]])
    found = allocate(told[0], ROOT, BudgetTree.flat(30.0), told[1])
    assert found.level.tolist() == [1, 2]
    assert (found.cost, found.objective, found.dual_price) == (30.0, 90.0, 2.0)
    assert found.next_return[0] == 2.0
    assert np.isnan(found.next_return[1])
    assert found.gap == pytest.approx(0.0)


def test_money_that_returns_less_than_itself_is_not_spent() -> None:
    told = free([[0, 10, 20], [0, 10, 20]], [[0, 15, 24], [0, 8, 12]])
    found = allocate(told[0], ROOT, BudgetTree.flat(1000.0), told[1])
    assert found.level.tolist() == [1, 0]
    assert (found.dual_price, found.binding.tolist()) == (1.0, [BASE])


def test_at_base_zero_all_useful_money_is_spent() -> None:
    told = free([[0, 10, 20], [0, 10, 20]], [[0, 15, 24], [0, 8, 8]])
    found = allocate(told[0], ROOT, BudgetTree.flat(1000.0), told[1], base=0.0)
    assert found.level.tolist() == [2, 1]
    assert (found.dual_price, found.objective) == (0.0, 32.0)


def test_a_level_inside_the_hull_is_skipped() -> None:
    told = free([[0, 10, 20]], [[0, 1, 60]])
    found = allocate(told[0], np.array([0]), BudgetTree.flat(20.0), told[1])
    assert found.level.tolist() == [2]


def test_a_level_inside_the_hull_spends_money_no_whole_step_can() -> None:
    told = free([[0, 10, 20]], [[0, 20, 60]])
    found = allocate(told[0], np.array([0]), BudgetTree.flat(15.0), told[1])
    assert (found.level.tolist(), found.objective) == ([1], 10.0)
    assert found.upper_bound == found.fractional == pytest.approx(30.0)


def test_log_curves_end_at_equal_marginal_returns() -> None:
    """value = a log(1 + c/s): spending is a/Λ - s, and the budget fixes Λ = Σa / (B + Σs)."""
    scale, offset, money = np.array([40.0, 90.0, 25.0]), np.array([5.0, 20.0, 3.0]), 60.0
    cost = np.tile(np.linspace(0, 60, 6001), (3, 1))
    told = free(cost.tolist(), (scale[:, None] * np.log1p(cost / offset[:, None])).tolist())
    found = allocate(told[0], np.zeros(3, dtype=np.int64), BudgetTree.flat(money), told[1])
    line = scale.sum() / (money + offset.sum())
    assert found.dual_price == pytest.approx(line, rel=1e-3)
    assert cost[0, found.level] == pytest.approx(scale / line - offset, abs=0.02)


def test_the_line_of_a_node_is_the_median_of_cap_parent_and_floor() -> None:
    # Steps of 10 with slopes 5, 3, 2 in every campaign: one is capped, one must spend, one is free.
    cost, value = [[0, 10, 20, 30]] * 3, [[0, 50, 80, 100]] * 3
    told = free(cost, value)
    money = tree([-1, 0, 0, 0], [45.0, 5.0, 90.0, 90.0], [0.0, 0.0, 25.0, 0.0])
    found = allocate(told[0], np.array([1, 2, 3]), money, told[1])
    assert found.node_line.tolist() == [3.0, 5.0, 2.0, 3.0]
    assert (found.setter.tolist(), found.binding.tolist()) == ([0, 1, 2, 0], [0, 0, 1, 0])
    assert found.line.tolist() == [5.0, 2.0, 3.0]
    assert found.fractional == found.upper_bound


def test_a_floor_buys_what_does_not_pay() -> None:
    told = free([[0, 10, 20], [0, 10, 20]], [[0, 8, 12], [0, 9, 11]])
    money = tree([-1, 0], [99.0, 99.0], [0.0, 15.0])
    found = allocate(told[0], np.array([1, 1]), money, told[1])
    assert found.level.tolist() == [1, 1]
    assert found.node_line.tolist() == [1.0, pytest.approx(0.8)]
    assert found.short.tolist() == [0.0, 0.0]


def test_a_floor_that_whole_levels_cannot_meet_says_by_how_much() -> None:
    told = free([[0, 10]], [[0, 30]])
    found = allocate(told[0], np.array([0]), tree([-1], [8.0], [5.0]), told[1])
    assert (found.level.tolist(), found.short.tolist()) == ([0], [5.0])


@pytest.mark.parametrize("block", range(4))
def test_the_bound_and_the_fractional_plan_are_the_linear_optimum(block: int) -> None:
    """Random trees with caps, floors and locked levels, against HiGHS."""
    for seed in range(80 * block, 80 * (block + 1)):
        rng = np.random.default_rng(seed)
        problem = nested(rng, int(rng.integers(1, 25)), int(rng.integers(2, 8)))
        found, best = problem.solve(), linear_optimum(problem)
        tolerance = 1e-8 * max(abs(best), 1e-2)
        assert found.upper_bound == pytest.approx(best, abs=tolerance), seed
        assert found.fractional == pytest.approx(best, abs=tolerance), seed


@settings(max_examples=60, deadline=None)
@given(seed=seeds, keywords=st.integers(1, 40))
def test_no_cap_is_ever_passed_and_short_floors_are_told(seed: int, keywords: int) -> None:
    problem = nested(np.random.default_rng(seed), keywords, 6)
    found = problem.solve()
    spent = problem.spent(found.level)
    assert (spent <= problem.tree.cap * (1 + 1e-9) + 1e-9).all()
    assert found.short == pytest.approx(np.maximum(problem.tree.floor - spent, 0), abs=1e-9)
    assert problem.options.allowed[np.arange(keywords), found.level].all()
    if not found.short.any():
        assert found.objective <= found.upper_bound + 1e-9


def test_many_keywords_spend_a_budget_to_a_ten_thousandth() -> None:
    problem = nested(np.random.default_rng(3), 5000, 12, locks=False)
    money = BudgetTree.flat(4000.0)
    found = allocate(problem.options, np.zeros(5000, dtype=np.int64), money, problem.gates)
    assert found.cost == pytest.approx(money.cap[0], rel=1e-4)
    assert found.cost <= money.cap[0]
    assert found.gap < 1e-6


@settings(max_examples=40, deadline=None)
@given(seed=seeds)
def test_the_order_of_keywords_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem, order = nested(rng, 30, 6), rng.permutation(30)
    told = problem.options
    shuffled = Problem(
        Options(told.cost[order], told.value[order], told.allowed[order], told.hold[order]),
        problem.node[order],
        problem.tree,
        problem.gates,
    )
    one, other = problem.solve(), shuffled.solve()
    assert other.upper_bound == pytest.approx(one.upper_bound, rel=1e-9, abs=1e-9)
    assert other.line == pytest.approx(one.line[order], rel=1e-9)


@settings(max_examples=50, deadline=None)
@given(seed=seeds, share=st.floats(0.05, 1.5), spread=st.floats(0.01, 1.0))
def test_moves_pass_their_gate_at_the_line_found(seed: int, share: float, spread: float) -> None:
    rng = np.random.default_rng(seed)
    problem = nested(rng, 30, 7, locks=False)
    hold = rng.integers(0, 7, 30)
    held = Options(problem.options.cost, problem.options.value, problem.options.allowed, hold)
    middle = np.exp(rng.normal(0.3, 0.6, 30))
    gates = Gates(middle * np.exp(-spread), middle * np.exp(spread))
    money = BudgetTree.flat(share * held.cost[:, 3].sum())
    found = allocate(held, np.zeros(30, dtype=np.int64), money, gates)
    up, down = found.level > hold, found.level < hold
    assert (gates.raise_gate[up] >= found.line[up]).all()
    assert (gates.lower_gate[down] <= found.line[down] + 1e-12).all()
    assert found.upper_bound >= found.objective - 1e-9


def test_a_sure_keyword_moves_and_an_unsure_one_waits() -> None:
    both = options([[8, 10, 12], [8, 10, 12]], [[30, 40, 49], [30, 40, 49]], hold=1)
    gates = Gates(np.array([3.0, 0.9]), np.array([6.0, 9.0]))
    assert allocate(both, ROOT, BudgetTree.flat(np.inf), gates).level.tolist() == [2, 1]


def test_value_that_costs_nothing_is_taken() -> None:
    told = free([[0, 0, 10]], [[0, 3, 5]])
    assert allocate(told[0], np.array([0]), BudgetTree.flat(0.0), told[1]).level.tolist() == [1]
