"""Refusals, odd input, executors."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest

from optimizer.decisions.allocation import (
    Allocation,
    BudgetTree,
    Gates,
    Options,
    SideCaps,
    Target,
    allocate,
    ungated,
)
from optimizer.decisions.allocation import steps as allocation_steps
from optimizer.errors import Infeasible
from tests.decisions.instances import Problem, free, nested, options


def two_campaigns(cap: list[float], floor: list[float]) -> Problem:
    """Each campaign costs at least 5 and at most 20; the account is their parent."""
    told = free([[5, 10, 20], [5, 10, 20]], [[9, 50, 70], [9, 40, 70]])
    money = BudgetTree(np.array([-1, 0, 0]), np.array(cap), np.array(floor))
    return Problem(told[0], np.array([1, 2]), money, told[1])


@pytest.mark.parametrize(
    ("cap", "floor", "code", "node", "nearest"),
    [
        ([9.0, 99.0, 99.0], [0.0, 0.0, 0.0], "cap_unreachable", 0, 10.0),
        ([99.0, 99.0, 4.0], [0.0, 0.0, 0.0], "cap_unreachable", 2, 5.0),
        ([22.0, 99.0, 99.0], [0.0, 15.0, 12.0], "cap_unreachable", 0, 27.0),
        ([99.0, 99.0, 99.0], [0.0, 21.0, 0.0], "floor_unreachable", 1, 20.0),
        ([99.0, 99.0, 12.0], [33.0, 0.0, 0.0], "floor_unreachable", 0, 32.0),
    ],
)
def test_a_refusal_names_the_node_and_a_value_that_works(
    cap: list[float], floor: list[float], code: str, node: int, nearest: float
) -> None:
    cap, floor = cap.copy(), floor.copy()
    with pytest.raises(Infeasible, match=code) as refusal:
        two_campaigns(cap, floor).solve()
    assert (refusal.value.fields["node"], refusal.value.fields["nearest"]) == (node, nearest)
    limits = cap if code == "cap_unreachable" else floor
    assert refusal.value.fields["asked"] == limits[node]
    limits[node] = nearest
    two_campaigns(cap, floor).solve()


def test_a_target_out_of_reach_names_the_best_that_can_be_reached() -> None:
    problem = two_campaigns([99.0] * 3, [0.0] * 3)
    per = np.array([2.0, 2.0])
    with pytest.raises(Infeasible, match="target_unreachable") as refusal:
        replace(problem, targets=(Target.of(per, np.array([0.0, 10.5, 0.0])),)).solve()
    assert refusal.value.fields["nearest"] == pytest.approx(10.0)
    assert (refusal.value.fields["node"], refusal.value.fields["target"]) == (1, 0)


def test_a_target_of_other_numerators_out_of_reach_names_the_best() -> None:
    problem = two_campaigns([99.0] * 3, [0.0] * 3)
    per = np.array([2.0, 3.0])
    with pytest.raises(Infeasible, match="target_unreachable") as refusal:
        replace(problem, targets=(Target.of(per, np.array([12.0, 0.0, 0.0])),)).solve()
    assert refusal.value.fields["nearest"] == pytest.approx((100 + 120) / 20)


def test_a_side_cap_below_the_lowest_levels_is_refused() -> None:
    problem = two_campaigns([99.0] * 3, [0.0] * 3)
    sides = SideCaps(np.array([0, 0]), np.ones(2), np.array([10.0]))
    with pytest.raises(Infeasible, match="side_unreachable") as refusal:
        replace(problem, sides=sides).solve()
    assert refusal.value.fields == {"group": 0, "asked": 10.0, "nearest": 18.0}


def test_floors_and_targets_that_exclude_each_other_are_refused() -> None:
    problem = two_campaigns([99.0] * 3, [0.0, 19.0, 0.0])
    target = Target.of(np.array([1.0, 1.1]), np.array([0.0, 4.9, 4.0]))
    with pytest.raises(Infeasible, match="floor_unreachable"):
        replace(problem, targets=(target,)).solve()


def test_a_raise_gate_above_the_lower_gate_is_a_defect() -> None:
    one = options([[0, 1]], [[0, 2]], hold=0)
    with pytest.raises(ValueError, match="raise_gate"):
        allocate(one, np.array([0]), BudgetTree.flat(9.0), Gates(np.array([2.0]), np.array([1.0])))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(bad: float) -> None:
    told = free([[0, 1]], [[0, bad]])
    with pytest.raises(ValueError, match="finite"):
        allocate(told[0], np.array([0]), BudgetTree.flat(9.0), told[1])


@pytest.mark.parametrize(
    ("parent", "node", "cap"),
    [([-1, 1], 0, 1.0), ([0], 0, 1.0), ([-1, -1], 0, 1.0), ([-1], 1, 1.0), ([-1], 0, np.nan)],
)
def test_a_tree_that_is_none_is_refused(parent: list[int], node: int, cap: float) -> None:
    told = free([[0, 1]], [[0, 2]])
    money = BudgetTree(np.array(parent), np.full(len(parent), cap), np.zeros(len(parent)))
    with pytest.raises(ValueError):
        allocate(told[0], np.array([node]), money, told[1])


@pytest.mark.parametrize(
    ("cost", "value", "level"),
    [
        ([[0.0, 0.0]], [[0.0, 0.0]], [0]),
        ([[0.0, 5.0]], [[0.0, 0.0]], [0]),
        ([[0.0, 5.0]], [[0.0, 9.0]], [0]),
    ],
)
def test_no_clicks_no_value_or_no_money_is_an_answer(cost, value, level) -> None:
    told = free(cost, value)
    found = allocate(told[0], np.array([0]), BudgetTree.flat(0.0), told[1])
    assert found.level.tolist() == level
    assert np.isfinite([found.objective, found.upper_bound, found.gap, found.dual_price]).all()


def test_no_keywords_is_an_answer() -> None:
    told = free([[0, 1]], [[0, 1]])
    nothing = replace(
        told[0],
        cost=np.zeros((0, 3)),
        value=np.zeros((0, 3)),
        allowed=np.zeros((0, 3), dtype=bool),
        hold=np.zeros(0, dtype=np.int64),
    )
    gates = Gates(np.zeros(0), np.zeros(0))
    found = allocate(nothing, np.zeros(0, dtype=np.int64), BudgetTree.flat(5.0), gates)
    assert (len(found.level), found.cost, found.dual_price) == (0, 0.0, 1.0)


def test_only_the_present_bid_allowed_keeps_it() -> None:
    told = options([[2, 4, 6]], [[9, 9.5, 30]], hold=1)
    locked = replace(told, allowed=np.array([[False, True, False]]))
    gates = Gates(np.array([0.0]), np.array([9.0]))
    assert allocate(locked, np.array([0]), BudgetTree.flat(5.0), gates).level.tolist() == [1]


def assert_finite(found: Allocation) -> None:
    told = (found.objective, found.upper_bound, found.whole_bound, found.gap, found.cost)
    assert np.isfinite([*told, found.dual_price, found.fractional]).all()
    assert np.isfinite(found.line).all()
    assert found.objective <= found.whole_bound <= found.upper_bound + 1e-9


@pytest.mark.parametrize("keywords", [1, 60])
def test_budgets_of_zero_switch_everything_off(keywords: int) -> None:
    plain = nested(np.random.default_rng(3), keywords, 8, locks=False)
    nothing = np.zeros(len(plain.tree.cap))
    found = replace(plain, tree=BudgetTree(plain.tree.parent, nothing, nothing)).solve()
    assert_finite(found)
    assert (found.level.max(), found.cost, found.gap) == (0, 0.0, 0.0)


@pytest.mark.parametrize("base", [0.0, 1.0])
def test_a_value_of_zero_buys_nothing(base: float) -> None:
    plain = nested(np.random.default_rng(4), 60, 8, locks=False)
    told = replace(plain.options, value=np.zeros_like(plain.options.value))
    open_tree = replace(plain.tree, floor=np.zeros(len(plain.tree.floor)))
    found = replace(plain, options=told, tree=open_tree, base=base).solve()
    assert_finite(found)
    assert (found.cost, found.objective) == (0.0, 0.0)


def test_a_value_of_zero_still_meets_its_floors() -> None:
    plain = two_campaigns([99.0] * 3, [0.0, 15.0, 0.0])
    problem = replace(plain, options=replace(plain.options, value=np.zeros((2, 3))))
    found = problem.solve()
    assert_finite(found)
    assert (found.level.tolist(), found.short.tolist()) == ([2, 0], [0.0, 0.0, 0.0])


def test_bids_that_are_all_at_the_lowest_can_only_rise() -> None:
    plain = nested(np.random.default_rng(6), 60, 8, locks=False)
    told = replace(plain.options, hold=np.zeros(60, dtype=np.int64))
    gates = Gates(np.full(60, -np.inf), np.full(60, 9.0))
    open_tree = replace(plain.tree, floor=np.zeros(len(plain.tree.floor)))
    shut = replace(plain, options=told, gates=gates, tree=open_tree).solve()
    assert_finite(shut)
    assert shut.level.tolist() == [0] * 60
    free_to_rise = Gates(np.full(60, 9.0), np.full(60, 9.0))
    risen = replace(plain, options=told, gates=free_to_rise, tree=open_tree).solve()
    assert_finite(risen)
    assert risen.objective > shut.objective


def test_ninety_nine_idle_keywords_of_a_hundred_change_nothing() -> None:
    active = nested(np.random.default_rng(8), 300, 8, locks=False)
    rows, size = np.arange(0, 30_000, 100), 30_000
    cost, value = np.zeros((2, size, 8))
    cost[rows], value[rows] = active.options.cost, active.options.value
    told = ungated(Options(cost, value, np.ones(cost.shape, bool), np.zeros(size, int)))
    found = Problem(told[0], np.repeat(active.node, 100), active.tree, told[1]).solve()
    alone = active.solve()
    assert_finite(found)
    assert found.level[rows].tolist() == alone.level.tolist()
    assert (found.objective, found.gap) == pytest.approx((alone.objective, alone.gap))


def processes(count: int) -> ProcessPoolExecutor:
    """Spawned: a fork of a process with threads, as others' tests leave them, may crash."""
    return ProcessPoolExecutor(count, get_context("spawn"))


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, processes])
def test_a_pool_gives_the_same_bits(pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocation_steps, "CHUNK", 37)
    problem = nested(np.random.default_rng(5), 200, 8)
    inline = problem.solve()
    with pool(2) as executor:
        pooled = problem.solve(executor=executor)
    for name, value in vars(inline).items():
        np.testing.assert_array_equal(getattr(pooled, name), value)
