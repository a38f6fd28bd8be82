"""Tiny problems worked out on paper: every field of the answer, every refusal."""

import re

import numpy as np
import pytest

from optimizer.decisions.allocation import (
    BASE,
    Allocation,
    BudgetTree,
    Gates,
    Options,
    SideCaps,
    Target,
    allocate,
    ungated,
)
from optimizer.errors import Infeasible
from tests.decisions.instances import Problem, free, linear_optimum, nested, options

# Steps of 10: the first word at slopes 5 and 4, the second at 3 and 2.
COST, VALUE = [[0, 10, 20], [0, 10, 20]], [[0, 50, 90], [0, 30, 50]]
# Slopes below 1: only a floor or a target buys these.
POOR = [[0, 9, 12], [0, 8, 10], [0, 6, 8]]


def tree(parent: list[int], cap: list[float], floor: list[float] | None = None) -> BudgetTree:
    return BudgetTree(np.array(parent), np.array(cap), np.array(floor or [0.0] * len(cap)))


def problem(cost, value, node, money: BudgetTree, **more) -> Problem:
    told = free(cost, value)
    return Problem(told[0], np.array(node), money, told[1], **more)


def target(per, least, brought=None, spent=None) -> Target:
    nothing = [0.0] * len(least)
    parts = (per, least, brought or nothing, spent or nothing)
    return Target(*(np.array(part, dtype=float) for part in parts))


def sides(group: list[int], per: list[float], limit: list[float]) -> SideCaps:
    return SideCaps(np.array(group), np.array(per), np.array(limit))


def assert_answer(found: Allocation, **expected) -> None:
    for name, value in expected.items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-9, abs=1e-9, nan_ok=True), name


def test_a_cap_is_spent_down_to_the_step_that_no_longer_fits() -> None:
    found = problem(COST, VALUE, [0, 0], tree([-1], [35.0])).solve()
    assert_answer(found, level=[2, 1], line=[2.0, 2.0], setter=[0], binding=[0])
    assert_answer(found, node_line=[2.0], dual_price=2.0, side_price=[], short=[0.0])
    assert_answer(found, next_return=[np.nan, 2.0], cost=30.0, objective=90.0)
    # Half of the last step: 5 at slope 2 less the money.
    assert_answer(found, fractional=95.0, upper_bound=95.0, whole_bound=90.0, gap=0.0)


def test_without_a_cap_the_objective_alone_stops() -> None:
    found = problem(COST, [[0, 50, 55], [0, 5, 6]], [0, 0], tree([-1], [np.inf])).solve()
    assert_answer(found, level=[1, 0], line=[1.0, 1.0], setter=[-1], binding=[BASE])
    assert_answer(found, node_line=[1.0], dual_price=1.0, cost=10.0, objective=40.0)
    assert_answer(found, fractional=40.0, upper_bound=40.0, gap=0.0)
    assert_answer(found, next_return=[np.nan, np.nan])


def test_money_worth_more_stops_sooner() -> None:
    found = problem(COST, VALUE, [0, 0], tree([-1], [np.inf]), base=3.5).solve()
    assert_answer(found, level=[2, 0], line=[3.5, 3.5], dual_price=3.5, objective=20.0)
    assert_answer(found, fractional=20.0, upper_bound=20.0, next_return=[np.nan, np.nan])


def test_keywords_in_any_order_of_nodes_get_their_own_answers() -> None:
    # Campaign 2 (word 0) has room for half a step, campaign 1 (words 1 and 2) for one and a half.
    money = tree([-1, 0, 0], [99.0, 15.0, 5.0])
    cost, value = [[1, 11, 21], [0, 10, 20], [0, 10, 20]], [[2, 52, 92], [0, 30, 50], [0, 40, 60]]
    found = problem(cost, value, [2, 1, 1], money).solve()
    assert_answer(found, level=[0, 0, 1], line=[5.0, 3.0, 3.0], setter=[-1, 1, 2])
    assert_answer(found, binding=[BASE, 0, 0], node_line=[1.0, 3.0, 5.0], dual_price=1.0)
    assert_answer(found, next_return=[5.0, 3.0, 2.0], cost=11.0, objective=31.0)
    assert_answer(found, fractional=1.0 + 4 * 4 + 30 + 5 * 2, upper_bound=57.0)
    # One whole step in campaign 1 and none in campaign 2 is all there can be.
    assert_answer(found, whole_bound=31.0, gap=0.0)


def test_a_node_between_account_and_campaign_caps_both_its_children() -> None:
    money = tree([-1, 0, 1, 1, 0], [99.0, 25.0, 99.0, 10.0, 99.0])
    rows = problem([[0, 10, 20]] * 3, [[0, 50, 90], [0, 60, 80], [0, 30, 45]], [2, 3, 4], money)
    found = rows.solve()
    assert_answer(found, level=[1, 1, 2], line=[4.0, 4.0, 1.0], setter=[-1, 1, 1, 1, -1])
    assert_answer(found, node_line=[1.0, 4.0, 4.0, 4.0, 1.0], binding=[-1, 0, 0, 0, -1])
    assert_answer(found, objective=40 + 50 + 25, fractional=115 + 15, upper_bound=130.0)


def test_a_floor_is_the_node_s_own_line() -> None:
    money = tree([-1, 0, 0], [99.0] * 3, [0.0, 15.0, 0.0])
    found = problem([[0, 10, 20]] * 3, POOR, [1, 1, 2], money).solve()
    # 10 at slope 0.9, then 5 at 0.8 where a whole step of 10 must be taken.
    assert_answer(found, level=[1, 1, 0], line=[0.8, 0.8, 1.0], setter=[-1, 1, -1])
    assert_answer(found, binding=[BASE, 1, BASE], node_line=[1.0, 0.8, 1.0], short=[0.0] * 3)
    assert_answer(found, cost=20.0, objective=-3.0, fractional=-2.0, upper_bound=-2.0, gap=0.5)


def test_a_floor_of_the_account_lowers_every_line() -> None:
    found = problem([[0, 10, 20]] * 3, POOR, [1, 1, 2], tree([-1, 0, 0], [99.0] * 3, [25.0, 0, 0]))
    answer = found.solve()
    assert_answer(answer, level=[1, 1, 1], setter=[0, 0, 0], binding=[1, 1, 1])
    assert_answer(answer, node_line=[0.6, 0.6, 0.6], fractional=-1.0 - 2.0 - 2.0, objective=-7.0)


def test_a_floor_that_no_level_meets_is_told_and_the_nearest_taken() -> None:
    told = problem([[0, 10, 20]], [[0, 8, 12]], [0], tree([-1], [19.0], [15.0])).solve()
    assert_answer(told, level=[1], short=[5.0], cost=10.0, objective=-2.0, fractional=-5.0)


def test_a_target_is_its_own_line_and_its_own_bound() -> None:
    # Revenue per cost 10, 8, 19/3: seven on average leaves room for half of the last step.
    rows = problem([[0, 10, 20, 30]], [[0, 50, 80, 95]], [0], tree([-1], [99.0]))
    found = Problem(**{**vars(rows), "targets": (target([2.0], [7.0]),)}).solve()
    assert_answer(found, level=[2], line=[1.5], setter=[0], binding=[2], dual_price=1.5)
    assert_answer(found, fractional=62.5, upper_bound=62.5, objective=60.0, gap=2.5 / 62.5)
    assert_answer(found, next_return=[1.5])


def test_what_others_brought_and_spent_counts_towards_a_target() -> None:
    # 2·value + 10 ≥ 7·(cost + 5): the others ask for 25 of what these keywords bring above 7.
    rows = problem([[0, 10, 20, 30]], [[0, 50, 80, 95]], [0], tree([-1], [99.0]))
    aim = target([2.0], [7.0], [10.0], [5.0])
    found = Problem(**{**vars(rows), "targets": (aim,)}).solve()
    # The first step brings 30, the second takes 10: there are 5 for half of it.
    assert_answer(found, level=[1], line=[3.0], fractional=50.0, upper_bound=50.0, binding=[2])


def test_the_second_of_two_targets_binds() -> None:
    rows = problem([[0, 10, 20, 30]], [[0, 50, 80, 95]], [0], tree([-1], [99.0]))
    both = (target([2.0], [6.0]), target([1.0], [3.5]))
    found = Problem(**{**vars(rows), "targets": both}).solve()
    assert_answer(found, binding=[3], fractional=62.5, upper_bound=62.5, level=[2])


def test_a_side_cap_prices_an_item_and_frees_money() -> None:
    rows = problem(COST, VALUE, [0, 0], tree([-1], [30.0]), sides=sides([0, -1], [0.1, 0], [7.0]))
    found = rows.solve()
    # The item sells 0.1 per value, 7 at most: at line 2 its second step is worth 2 = 4·(1 - 0.1·5).
    assert_answer(found, side_price=[5.0], line=[4.0, 2.0], node_line=[2.0], dual_price=2.0)
    assert_answer(found, level=[1, 2], cost=30.0, objective=70.0, setter=[0], binding=[0])
    assert_answer(found, fractional=80.0, upper_bound=80.0, gap=0.125, next_return=[4.0, np.nan])


def test_side_caps_of_two_groups_beside_a_campaign_s_cap() -> None:
    money = tree([-1, 0, 0], [99.0, 99.0, 15.0])
    crossing = sides([1, 0, -1], [0.1, 0.2, 0.0], [4.0, 7.0])
    value = [[0, 50, 90], [0, 30, 50], [0, 40, 60]]
    found = problem([[0, 10, 20]] * 3, value, [1, 2, 2], money, sides=crossing).solve()
    # Group 1 stops in word 0 at slope 4: 4·(1 - 0.1·7.5) = 1. Group 0 is never met.
    assert_answer(found, level=[1, 0, 1], side_price=[0.0, 7.5], line=[4.0, 3.0, 3.0])
    assert_answer(found, setter=[-1, -1, 2], binding=[-1, -1, 0], node_line=[1.0, 1.0, 3.0])
    assert_answer(found, fractional=95.0, upper_bound=95.0, objective=70.0)
    # No whole level of word 2 or 1 fits the five left of 15: 85 is the best of those prices.
    assert_answer(found, whole_bound=85.0, gap=15 / 85)


def test_a_target_of_two_numerators_moves_each_line_by_its_own() -> None:
    found = problem(COST, VALUE, [0, 0], tree([-1], [99.0]), targets=(target([2, 1], [8.0]),))
    # Word 0 leaves 20 whole; word 1 costs 8 - 3 = 5 of it: μ·5 = 3 - 1, so μ = 0.4.
    answer = found.solve()
    assert_answer(answer, level=[2, 0], line=[4.2 / 1.8, 4.2 / 1.4], setter=[0], binding=[2])
    assert_answer(answer, node_line=[1.0], fractional=78.0, upper_bound=78.0, objective=70.0)
    assert_answer(answer, gap=8 / 78, next_return=[np.nan, 3.0], side_price=[])


def test_a_slack_target_of_two_numerators_changes_nothing() -> None:
    found = problem(COST, VALUE, [0, 0], tree([-1], [99.0]), targets=(target([2, 4], [6.0]),))
    assert_answer(found.solve(), level=[2, 2], line=[1.0, 1.0], setter=[-1], binding=[BASE])


ACROSS = [[0, 50, 90], [0, 30, 50], [0, 40, 60]]


def test_the_account_s_cap_above_a_target_of_two_numerators() -> None:
    aim = target([2, 1, 3], [0, 8.0, 0])
    found = problem(
        [[0, 10, 20]] * 3, ACROSS, [1, 1, 2], tree([-1, 0, 0], [25.0, 99.0, 99.0]), targets=(aim,)
    ).solve()
    assert_answer(found, level=[1, 0, 1], line=[4.0] * 3, node_line=[4.0] * 3, dual_price=4.0)
    assert_answer(found, setter=[0, 0, 0], binding=[0, 0, 0], fractional=85.0, upper_bound=85.0)


def test_the_account_s_floor_above_a_target_of_two_numerators() -> None:
    aim, money = target([2, 1, 3], [0, 1.5, 0]), tree([-1, 0, 0], [99.0] * 3, [25.0, 0, 0])
    found = problem([[0, 10, 20]] * 3, POOR, [1, 1, 2], money, targets=(aim,)).solve()
    # Campaign 1: 10 of word 0 earn 3 of slack, word 1 costs 0.7 a unit: 30/7 of it; the rest from 2.
    assert_answer(found, fractional=-1 - 0.2 * 30 / 7 - 4 - 0.8 * 5 / 7, upper_bound=-45 / 7)
    assert_answer(found, setter=[0, 1, 0], binding=[1, 2, 1], node_line=[0.2] * 3)
    assert_answer(found, line=[5.2 / 9.5, 0.8, 0.2], level=[1, 0, 2], objective=-13.0)


def test_a_step_is_exchanged_for_a_better_one() -> None:
    # 10 at slope 5 stand in the way of 30 at slope 4.9: the account has room for one of them.
    found = problem([[0, 10], [0, 30]], [[0, 50], [0, 147]], [0, 0], tree([-1], [35.0])).solve()
    assert_answer(found, level=[0, 1], line=[4.9, 4.9], objective=117.0, fractional=137.5)
    assert_answer(found, next_return=[5.0, np.nan], cost=30.0)


def test_an_exchange_that_loses_is_undone() -> None:
    found = problem([[0, 30], [0, 10]], [[0, 150], [0, 49]], [0, 0], tree([-1], [35.0])).solve()
    assert_answer(found, level=[1, 0], objective=120.0, cost=30.0)


def test_what_is_left_buys_the_next_step_that_fits() -> None:
    rows = problem(
        [[0, 10], [0, 30], [0, 2]], [[0, 50], [0, 147], [0, 6]], [0] * 3, tree([-1], [12])
    )
    assert_answer(rows.solve(), level=[1, 0, 1], cost=12.0, objective=44.0, fractional=47.8)


def test_a_level_between_two_hull_levels_spends_the_rest() -> None:
    found = problem([[0, 5, 10, 20]], [[0, 6, 20, 60]], [0], tree([-1], [15.0])).solve()
    assert_answer(found, level=[2], objective=10.0, upper_bound=30.0, next_return=[3.0])


def test_value_that_is_free_is_in_the_lowest_level() -> None:
    found = problem([[0, 0, 10]], [[0, 3, 5]], [0], tree([-1], [0.0])).solve()
    assert_answer(found, level=[1], cost=0.0, objective=3.0, upper_bound=3.0, gap=0.0)


def test_a_raise_waits_for_its_gate_and_a_cut_for_its_own() -> None:
    # Slopes 4 below the bid, 3 above; gates 2 and 5 in the first word, 0.5 and 0.9 in the second.
    both = options([[0, 10, 20]] * 2, [[0, 40, 70], [0, 8, 15]], hold=1)
    gates = Gates(np.array([2.0, 0.5]), np.array([5.0, 0.9]))
    node = np.zeros(2, dtype=np.int64)
    line = allocate(both, node, tree([-1], [np.inf]), gates)
    assert_answer(line, level=[2, 0], line=[1.0, 1.0], objective=50.0)
    dear = allocate(both, node, tree([-1], [np.inf]), gates, base=2.5)
    assert_answer(dear, level=[1, 0], objective=15.0, next_return=[np.nan, np.nan])


def test_rounding_opens_no_gate_and_sells_no_kept_step() -> None:
    # The cap leaves 5 of the first word's step; the second may not be raised at line 4.
    both = options([[0, 10, 20], [0, 5, 10]], [[0, 50, 90], [0, 40, 50]], hold=1)
    gates = Gates(np.array([9.0, 1.5]), np.array([9.0, 9.0]))
    found = allocate(both, np.zeros(2, dtype=np.int64), tree([-1], [20.0]), gates)
    assert_answer(found, level=[1, 1], line=[4.0, 4.0], cost=15.0, objective=75.0)


@pytest.mark.parametrize(
    ("cap", "floor", "code", "fields"),
    [
        ([-1.0, 9.0], [0.0, 0.0], "cap_unreachable", {"node": 0, "asked": -1.0, "nearest": 0.0}),
        ([99.0, 9.0], [0.0, 10.0], "floor_unreachable", {"node": 1, "asked": 10.0, "nearest": 9.0}),
    ],
)
def test_a_budget_out_of_reach_names_itself(cap, floor, code, fields) -> None:
    with pytest.raises(Infeasible) as refusal:
        problem(COST, VALUE, [1, 1], tree([-1, 0], cap, floor)).solve()
    assert (refusal.value.code, refusal.value.fields) == (code, fields)


@pytest.mark.parametrize("per", [[2.0, 2.0], [2.0, 1.0]])
@pytest.mark.parametrize("place", [0, 1])
def test_a_target_out_of_reach_names_the_best_there_is(per: list[float], place: int) -> None:
    # Word 0 alone brings 2·90 for 20; others took 5 from that and spent 2. One step: 95 / 12.
    easy = target(per, [0.0, 0.0])
    hard = target(per, [0.0, 9.0], [0.0, -5.0], [0.0, 2.0])
    aims = (hard, easy) if place == 0 else (easy, hard)
    with pytest.raises(Infeasible) as refusal:
        problem(COST, VALUE, [1, 1], tree([-1, 0], [99.0] * 2), targets=aims).solve()
    assert refusal.value.code == "target_unreachable"
    best = {"node": 1, "asked": 9.0, "target": place, "nearest": pytest.approx(175 / 22)}
    assert refusal.value.fields == best


def test_targets_that_exclude_each_other_conflict() -> None:
    # Each alone is in reach; word 0 must pay for the first and ruins the second.
    aims = (target([1.0, 0.1], [1.0], [-30.0]), target([0.1, 1.0], [2.0]))
    rows = problem([[0, 10], [0, 10]], [[0, 50], [0, 10]], [0, 0], tree([-1], [99.0]), targets=aims)
    assert linear_optimum(rows) is None
    with pytest.raises(Infeasible) as refusal:
        rows.solve()
    assert (refusal.value.code, refusal.value.fields) == ("targets_conflict", {"node": 0})


def test_a_side_cap_below_what_must_be_sold_names_the_least() -> None:
    rows = problem([[1, 9]] * 3, [[4, 8]] * 3, [0] * 3, tree([-1], [99.0]))
    crossing = sides([1, 1, -1], [0.5, 1.0, 9.0], [0.0, 5.0])
    with pytest.raises(Infeasible) as refusal:
        Problem(**{**vars(rows), "sides": crossing}).solve()
    assert refusal.value.code == "side_unreachable"
    assert refusal.value.fields == {"group": 1, "asked": 5.0, "nearest": 6.0}


def defect(message: str):
    return pytest.raises(ValueError, match="^" + re.escape(message) + "$")


@pytest.mark.parametrize(
    ("raising", "lowering"), [(np.nan, 1.0), (0.0, np.nan), (0.0, np.inf), (np.nan, np.nan)]
)
def test_a_gate_that_is_no_number_is_refused(raising: float, lowering: float) -> None:
    one, gates = options([[0, 1]], [[0, 2]], 0), Gates(np.array([raising]), np.array([lowering]))
    with defect("gates must be numbers, and lower_gate below infinity"):
        allocate(one, np.array([0]), BudgetTree.flat(9.0), gates)


def test_a_raise_gate_may_equal_but_not_exceed_the_lower_gate() -> None:
    one = options([[0, 1]], [[0, 2]], 0)
    allocate(one, np.array([0]), BudgetTree.flat(9.0), Gates(np.array([2.0]), np.array([2.0])))
    with defect("raise_gate must not exceed lower_gate"):
        allocate(one, np.array([0]), BudgetTree.flat(9.0), Gates(np.array([3.0]), np.array([2.0])))


@pytest.mark.parametrize("place", ["cost", "value", "per", "limit", "least", "brought", "spent"])
def test_every_number_must_be_finite(place: str) -> None:
    numbers = {"cost": 0.0, "value": 0.0, "per": 1.0, "limit": 9.0, "least": 0.0}
    numbers |= {"brought": 0.0, "spent": 0.0, place: np.nan}
    aim = target([1.0], [numbers["least"]], [numbers["brought"]], [numbers["spent"]])
    crossing = sides([0], [numbers["per"]], [numbers["limit"]])
    rows = problem([[numbers["cost"], 9]], [[numbers["value"], 9]], [0], tree([-1], [9.0]))
    with defect("costs, values, targets and side caps must be finite"):
        Problem(**{**vars(rows), "targets": (aim,), "sides": crossing}).solve()


def test_the_present_bid_must_be_allowed() -> None:
    told = options([[0, 1], [0, 1]], [[0, 2], [0, 2]], 1)
    locked = Options(told.cost, told.value, np.array([[True, True], [True, False]]), told.hold)
    with defect("the present bid must be allowed"):
        allocate(locked, np.zeros(2, int), BudgetTree.flat(9.0), ungated(told)[1])


@pytest.mark.parametrize("parent", [[0], [-1, 1], [-1, -1], [-1, 0, 2], [-1, 0, 1, -1], [1, -1]])
def test_a_tree_has_one_root_and_parents_first(parent: list[int]) -> None:
    with defect("node 0 is the only root, and parents come before their children"):
        problem([[0, 1]], [[0, 2]], [0], tree(parent, [9.0] * len(parent))).solve()


@pytest.mark.parametrize("node", [-1, 2])
def test_keywords_hang_under_nodes_that_exist(node: int) -> None:
    with defect("a keyword hangs under a node that does not exist"):
        problem([[0, 1]] * 2, [[0, 2]] * 2, [1, node], tree([-1, 0], [9.0] * 2)).solve()


@pytest.mark.parametrize(("cap", "floor"), [(np.nan, 0.0), (9.0, np.nan), (9.0, np.inf), (9, -1.0)])
def test_caps_and_floors_are_numbers(cap: float, floor: float) -> None:
    with defect("caps and floors must be numbers, floors finite and not negative"):
        problem([[0, 1]], [[0, 2]], [1], tree([-1, 0], [9.0, cap], [0.0, floor])).solve()


def test_what_is_built_for_the_simple_case() -> None:
    one, gates = ungated(options([[0, 1, 2]] * 2, [[0, 2, 3]] * 2, 0))
    assert (one.hold.tolist(), one.hold.dtype) == ([2, 2], np.int64)
    assert gates.raise_gate.tolist() == gates.lower_gate.tolist() == [-np.inf, -np.inf]
    flat, none = BudgetTree.flat(7.0), SideCaps.none(2)
    assert [part.tolist() for part in vars(flat).values()] == [[-1], [7.0], [0.0]]
    assert [part.tolist() for part in vars(none).values()] == [[-1, -1], [0.0, 0.0], []]
    aim = Target.of(np.ones(2), np.array([1.0, 2.0, 3.0]))
    assert (aim.brought.tolist(), aim.spent.tolist()) == ([0.0] * 3, [0.0] * 3)


@pytest.mark.parametrize("seed", range(8))
def test_tiny_trees_agree_with_highs_and_keep_every_limit(seed: int) -> None:
    rows = nested(np.random.default_rng(seed), 6, 4)
    found, best = rows.solve(), linear_optimum(rows)
    assert found.upper_bound == pytest.approx(best, rel=1e-8, abs=1e-10)
    assert found.fractional == pytest.approx(best, rel=1e-8, abs=1e-10)
    assert (rows.spent(found.level) <= rows.tree.cap + 1e-9).all()


def test_the_best_there_is_may_be_nothing_at_all() -> None:
    aim = target([2.0, 2.0], [20.0], [-200.0])
    with pytest.raises(Infeasible) as refusal:
        problem(COST, VALUE, [0, 0], tree([-1], [15.0]), targets=(aim,)).solve()
    assert refusal.value.fields["nearest"] == 0.0
    aim = target([2.0, 2.0], [20.0], [-60.0])
    with pytest.raises(Infeasible) as refusal:
        problem(COST, VALUE, [0, 0], tree([-1], [15.0]), targets=(aim,)).solve()
    assert refusal.value.fields["nearest"] == pytest.approx((140 - 60) / 15)


def test_a_target_missed_by_a_little_is_out_of_reach() -> None:
    # At 9 the first step of word 0 brings 10 and nothing else does: half a unit is short.
    aim = target([2.0, 1.0], [9.0], [-10.5])
    with pytest.raises(Infeasible) as refusal:
        problem(COST, VALUE, [0, 0], tree([-1], [99.0]), targets=(aim,)).solve()
    assert refusal.value.code == "target_unreachable"
    assert refusal.value.fields["nearest"] == pytest.approx((100 - 10.5) / 10)
    reached = target([2.0, 1.0], [9.0], [-10.0])
    found = problem(COST, VALUE, [0, 0], tree([-1], [99.0]), targets=(reached,)).solve()
    assert_answer(found, level=[1, 0], objective=40.0, fractional=40.0)


@pytest.mark.parametrize(("cap", "best", "line"), [(99.0, 78.0, 1.0), (15.0, 55.0, 4.0)])
def test_prices_of_one_campaign_leave_those_before_and_after_alone(cap, best, line) -> None:
    # The target hangs in an ad group of campaign 2; words 0 and 3 are in campaigns 1 and 4.
    money = tree([-1, 0, 0, 2, 0], [99.0, 99.0, cap, 99.0, 99.0])
    aim = target([9, 2, 1, 9], [0, 0, 0, 8.0, 0])
    rows = [[0, 50, 90], *VALUE, [0, 30, 50]]
    found = problem([[0, 10, 20]] * 4, rows, [1, 3, 3, 4], money, targets=(aim,)).solve()
    assert_answer(found, fractional=best + 100, upper_bound=best + 100)
    assert_answer(found, node_line=[1.0, 1.0, line, line, 1.0])
    assert found.line[[0, 3]] == pytest.approx(1.0)
    assert found.level[[0, 3]].tolist() == [2, 2]
