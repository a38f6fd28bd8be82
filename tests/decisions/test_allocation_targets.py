"""Target ROAS and CPA, and caps on sums that cross the tree, against HiGHS."""

from dataclasses import replace

import numpy as np
import pytest

from optimizer.decisions.allocation import BudgetTree, SideCaps, Target, solve
from optimizer.errors import Infeasible
from tests.decisions.instances import Problem, free, linear_optimum, nested

ALONE = np.array([0])


def target(per: list[float], least: list[float], brought: list[float]) -> Target:
    return Target(np.array(per), np.array(least), np.array(brought), np.zeros(len(least)))


def one_keyword(least: float, brought: float = 0.0) -> Problem:
    """Ten each at slopes 5, 3 and 1.5; revenue is twice the margin."""
    told = free([[0, 10, 20, 30]], [[0, 50, 80, 95]])
    aim = target([2.0], [least], [brought])
    return Problem(told[0], ALONE, BudgetTree.flat(99.0), told[1], targets=(aim,))


def test_a_target_stops_where_the_average_meets_it() -> None:
    # Revenue 100 + 60 - ... per 10: average 10, 8, 6.33; at least 7 allows 20 + 5 of the last ten.
    found = one_keyword(7.0).solve()
    assert found.fractional == pytest.approx(60.0 + 5.0 * 0.5)
    assert found.upper_bound == pytest.approx(found.fractional)
    assert (found.level.tolist(), found.binding.tolist()) == ([2], [2])
    assert found.dual_price == 1.5


def test_what_others_contribute_loosens_or_tightens_a_target() -> None:
    assert one_keyword(7.0, brought=20.0).solve().level.tolist() == [3]
    assert one_keyword(7.0, brought=-20.0).solve().level.tolist() == [2]


def test_a_deficit_elsewhere_must_be_earned_back() -> None:
    """Slack -20 with nothing worth buying for profit: the target itself asks for the spend."""
    told = free([[0, 10, 20]], [[0, 8, 12]])
    aim = target([2.0], [1.0], [-5.0])
    found = Problem(told[0], ALONE, BudgetTree.flat(99.0), told[1], targets=(aim,)).solve()
    assert found.level.tolist() == [1]
    assert found.binding.tolist() == [2]
    assert found.fractional == found.upper_bound == pytest.approx(5 / 6 * -2.0 / 10 * 10)


def with_targets(rng: np.random.Generator, *, same: bool, keywords: int = 25) -> Problem:
    """A random tree with targets at the account and at some nodes, near what they reach without."""
    plain = nested(rng, keywords, int(rng.integers(3, 8)), locks=False)
    per = np.full(keywords, 2.5) if same else 1 / rng.uniform(0.2, 0.6, keywords)
    free_of = replace(plain, tree=replace(plain.tree, floor=np.zeros(len(plain.tree.cap))))
    level = free_of.solve().level
    revenue, cost = per * free_of.gained(level), free_of.spent(level)
    least = np.zeros(len(cost))
    for node in range(len(cost)):
        if cost[node] > 0 and (node == 0 or rng.random() < 0.5):
            least[node] = revenue[free_of.under(node)].sum() / cost[node] * rng.uniform(0.9, 1.3)
    base = float(rng.choice([0.0, 1.0]))
    return replace(free_of, base=base, targets=(Target.of(per, least),))


def assert_linear(seeds: range, *, same: bool, rel: float, absolute: float) -> int:
    """Solve each seed's problem as well as the linear program does; how often a target bound."""
    met = 0
    for seed in seeds:
        problem = with_targets(np.random.default_rng(seed), same=same)
        best = linear_optimum(problem)
        if best is None:
            with pytest.raises(Infeasible):
                problem.solve()
            continue
        found = problem.solve()
        met += (found.binding >= 2).any()
        assert found.fractional == pytest.approx(best, rel=rel, abs=absolute), seed
        assert found.upper_bound == pytest.approx(best, rel=rel, abs=absolute), seed
        assert_targets_met(problem, found.level)
    return met


@pytest.mark.parametrize("block", range(3))
def test_with_one_numerator_the_optimum_is_the_linear_one(block: int) -> None:
    seeds = range(60 * block, 60 * (block + 1))
    assert assert_linear(seeds, same=True, rel=1e-8, absolute=1e-10) > 10


@pytest.mark.parametrize("block", range(3))
def test_with_margins_per_item_the_optimum_is_the_linear_one(block: int) -> None:
    seeds = range(25 * block, 25 * (block + 1))
    assert assert_linear(seeds, same=False, rel=1e-8, absolute=1e-12) > 5


def assert_targets_met(problem: Problem, level: np.ndarray) -> None:
    cost, value = problem.spent(level), problem.gained(level)
    assert (cost <= problem.tree.cap + 1e-9).all()
    for one in problem.targets:
        for node in np.flatnonzero(one.least):
            counted = (one.per * value)[problem.under(node)].sum() + one.brought[node]
            assert counted >= one.least[node] * cost[node] - 1e-9


@pytest.mark.parametrize("seed", range(30))
def test_caps_across_the_tree_have_the_linear_optimum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    plain = nested(rng, 30, 6, locks=False)
    plain = replace(plain, tree=replace(plain.tree, floor=np.zeros(len(plain.tree.cap))))
    group, per = rng.integers(-1, 3, 30), rng.uniform(0.5, 2.0, 30)
    sold = per * plain.gained(plain.solve().level)
    limit = np.array([sold[group == one].sum() for one in range(3)]) * rng.uniform(0.3, 1.2, 3)
    problem = replace(plain, sides=SideCaps(group, per, limit + 1e-6))
    found, best = problem.solve(), linear_optimum(problem)
    assert found.fractional == pytest.approx(best, rel=1e-6, abs=1e-9)
    assert found.upper_bound == pytest.approx(best, rel=1e-6, abs=1e-9)
    after = per * problem.gained(found.level)
    assert all(after[group == one].sum() <= limit[one] + 1e-6 for one in range(3))
    assert (problem.spent(found.level) <= problem.tree.cap + 1e-9).all()


def test_a_stock_cap_lowers_the_item_and_frees_money_for_others() -> None:
    told = free([[0, 10, 20], [0, 10, 20]], [[0, 50, 90], [0, 30, 50]])
    sides = SideCaps(np.array([0, -1]), np.array([0.1, 0.0]), np.array([5.0]))
    money = BudgetTree.flat(30.0)
    problem = Problem(told[0], np.zeros(2, dtype=np.int64), money, told[1])
    assert problem.solve().level.tolist() == [2, 1]
    found = replace(problem, sides=sides).solve()
    assert found.level.tolist() == [1, 2]
    assert found.side_price[0] > 0


def test_roas_of_the_account_and_cpa_of_a_campaign_hold_together() -> None:
    rng = np.random.default_rng(4)
    plain = nested(rng, 60, 8, locks=False)
    tree = BudgetTree(np.array([-1, 0, 0]), np.array([900.0, 500.0, 500.0]), np.zeros(3))
    margin, worth = rng.uniform(0.2, 0.6, 60), rng.uniform(30, 90, 60)
    told = replace(plain, node=rng.integers(1, 3, 60), tree=tree, base=1.0)
    roas = Target.of(1 / margin, np.array([4.0, 0.0, 0.0]))
    cpa = Target.of(1 / (margin * worth), np.array([0.0, 1 / 14.0, 0.0]))
    problem = replace(told, targets=(roas, cpa))
    found = problem.solve()
    assert found.upper_bound == pytest.approx(linear_optimum(problem), rel=1e-6)
    assert_targets_met(problem, found.level)
    assert found.gap < 0.2


def test_steps_that_serve_neither_objective_nor_target_change_nothing() -> None:
    cost, value = [[0, 10, 20, 30], [0, 10, 20, 30]], [[0, 40, 60, 62], [0, 30, 35, 36]]
    plain, gates = free(cost, value)
    node, per = np.zeros(2, dtype=np.int64), np.array([2.0, 3.0])
    aim = Target.of(per, np.array([4.0]))
    told = Problem(plain, node, BudgetTree.flat(99.0), gates, targets=(aim,))
    # Below slope 1 the objective ends; only slopes above 2 and 4/3 serve the target.
    assert solve._least_line(node, told.tree, (aim,), 1.0) == pytest.approx([1.0, 1.0])
    assert solve._least_line(node, told.tree, (aim,), 3.0) == pytest.approx([2.0, 4 / 3])
    assert solve._least_line(node, told.tree, (), 0.0).tolist() == [0.0, 0.0]
    floored = BudgetTree(told.tree.parent, told.tree.cap, np.array([5.0]))
    assert solve._least_line(node, floored, (aim,), 1.0) == -np.inf
    assert told.solve().fractional == pytest.approx(linear_optimum(told))
