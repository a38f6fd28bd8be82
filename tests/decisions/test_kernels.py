import itertools

import numpy as np
import pytest

from optimizer.decisions import kernels, kernels_rounding
from tests.decisions.instances import nested

COST = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
ALL = np.ones(5, dtype=bool)


def hull(half_hull, value: np.ndarray, allowed: np.ndarray = ALL) -> tuple[list, list]:
    out, slopes = np.empty(5, dtype=np.int64), np.empty(5)
    size = half_hull(COST, value, allowed, 0, 4, out, slopes)
    return out[:size].tolist(), slopes[1:size].tolist()


@pytest.mark.parametrize("half_hull", [kernels._half_hull, kernels.half_hull])
def test_the_hull_keeps_only_levels_with_falling_slopes(half_hull) -> None:
    assert hull(half_hull, np.array([0.0, 1.0, 5.0, 5.5, 9.0])) == ([0, 2, 4], [2.5, 2.0])


@pytest.mark.parametrize("half_hull", [kernels._half_hull, kernels.half_hull])
def test_a_forbidden_level_is_not_on_the_hull(half_hull) -> None:
    allowed = np.array([True, False, True, False, True])
    assert hull(half_hull, np.sqrt(COST), allowed)[0] == [0, 2, 4]


def test_slopes_at_equal_cost_are_infinite() -> None:
    out, slopes = np.empty(2, dtype=np.int64), np.empty(2)
    same, both = np.ones(2), np.ones(2, dtype=bool)
    kernels._half_hull(same, np.array([2.0, 3.0]), both, 0, 1, out, slopes)
    assert slopes[1] == np.inf
    kernels._half_hull(same, np.array([3.0, 2.0]), both, 0, 1, out, slopes)
    assert slopes[1] == -np.inf


def test_compiled_and_plain_steps_agree() -> None:
    options, gate = nested(np.random.default_rng(1), 20, 6, locks=False).options, np.full(20, 1.2)
    gates = (gate, gate * 1.5, np.full(20, 0.5))
    told = (options.cost, options.value, options.allowed, np.full(20, 2), *gates)
    for plain, compiled in zip(kernels._steps(*told), kernels.steps(*told), strict=True):
        np.testing.assert_array_equal(plain, compiled)


def test_thresholds_of_a_keyword_fall_across_its_present_bid() -> None:
    options = nested(np.random.default_rng(2), 30, 8, locks=False).options
    low, high = np.full(30, 0.8), np.full(30, 1.6)
    shape = (options.cost, options.value, options.allowed)
    start, reached, threshold, _, _ = kernels._steps(
        *shape, np.full(30, 3), low, high, np.full(30, -np.inf)
    )
    for first, last in itertools.pairwise(start):
        assert (np.diff(threshold[first:last]) <= 0).all()
    assert (threshold[reached > 3] <= 0.8).all()
    assert (threshold[reached <= 3] >= 1.6).all()


def test_steps_below_the_line_kept_are_left_out() -> None:
    cost, value = COST[None, :], np.array([[0.0, 4.0, 7.0, 9.0, 10.0]])
    gates = (np.array([4]), np.array([-np.inf]), np.array([-np.inf]))
    found = kernels._steps(cost, value, ALL[None, :], *gates, np.full(1, 2.5))
    assert (found[1].tolist(), found[2].tolist()) == ([1, 2], [4.0, 3.0])


@pytest.mark.parametrize("select", [kernels._select, kernels.select])
@pytest.mark.parametrize("size", [1, 7, 24, 25, 200, 1000])
def test_the_threshold_found_is_that_of_a_full_sort(select, size: int) -> None:
    rng = np.random.default_rng(size)
    threshold, weight = rng.integers(0, 60, size).astype(float), rng.exponential(1, size)
    for share in (0.0, 0.02, 0.3, 0.9, 0.999):
        room = share * weight.sum()
        order = np.argsort(-threshold, kind="stable")
        first = order[np.searchsorted(np.cumsum(weight[order]), room, side="right")]
        line, above = select(threshold.copy(), weight.copy(), size, room)
        assert line == threshold[first]
        assert above == pytest.approx(weight[threshold > line].sum())


@pytest.mark.parametrize("select", [kernels._select, kernels.select])
def test_nothing_stops_where_all_fits(select) -> None:
    line, above = select(np.arange(50.0), np.ones(50), 50, 50.0)
    assert (line, above) == (-np.inf, 50.0)


@pytest.mark.parametrize("trim", [kernels._trim, kernels.trim])
def test_what_does_not_fit_is_trimmed_ties_in_part(trim) -> None:
    threshold, kept = np.array([5.0, 3.0, 3.0, 1.0]), np.array([2.0, 2.0, 2.0, 2.0])
    assert trim(threshold, kept, 1.0, 0.0, 5.0) == 3.0
    assert kept.tolist() == [2.0, 2.0, 1.0, 0.0]


@pytest.mark.parametrize("commit", [kernels._commit, kernels.commit])
def test_what_must_be_spent_is_taken_best_first(commit) -> None:
    threshold, kept = np.array([5.0, 3.0, 1.0]), np.array([2.0, 2.0, 2.0])
    committed = np.zeros(3)
    assert commit(threshold, kept, committed, 1.0, 0.0, 3.0) == (3.0, 3.0, 13.0)
    assert (kept.tolist(), committed.tolist()) == ([0.0, 1.0, 2.0], [2.0, 1.0, 0.0])
    assert commit(threshold, kept, committed, 1.0, 0.0, 3.0) == (1.0, 3.0, 5.0)
    assert committed.tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("subtrees", [kernels_rounding._subtrees, kernels_rounding.subtrees])
def test_a_subtree_is_one_range_of_places(subtrees) -> None:
    #      0
    #    1   2
    #   4 5  3
    place, size = subtrees(np.array([-1, 0, 0, 2, 1, 1]))
    assert place.tolist() == [0, 1, 4, 5, 2, 3]
    assert size.tolist() == [6, 3, 2, 1, 1, 1]


def test_a_line_is_the_median_of_cap_parent_and_floor() -> None:
    parent = np.array([-1, 0, 0, 2])
    upper, lower = np.array([2.0, 5.0, 1.0, 1.0]), np.array([np.inf, np.inf, 1.5, np.inf])
    line, path, setter = kernels_rounding._down_lines(parent, upper, lower, 1.0)
    assert line.tolist() == [2.0, 5.0, 1.5, 1.5]
    assert path.tolist() == [2.0, 5.0, 2.0, 2.0]
    assert setter.tolist() == [0, 1, 2, 2]


@pytest.mark.parametrize("seed", range(3))
def test_the_pivot_is_the_median_of_medians_of_nine_spread_evenly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(60):
        threshold, left = rng.permutation(60).astype(float), int(rng.integers(0, 20))
        right = left + int(rng.integers(9, 40))
        nine = threshold[left + (right - left - 1) // 8 * np.arange(9)].reshape(3, 3)
        assert kernels.middle_of(threshold, left, right) == np.median(np.median(nine, axis=1))


def test_weights_of_ties_are_trimmed_one_after_the_other() -> None:
    # Weights 5, 3, 3 and 1 per unit kept: 17.5 is all of the first two and half a unit of the next.
    threshold, kept = np.array([5.0, 3.0, 3.0, 1.0]), np.full(4, 2.0)
    assert kernels.trim(threshold, kept, 0.0, 1.0, 17.5) == 3.0
    assert kept.tolist() == [2.0, 2.0, 0.5, 0.0]


def test_the_lowest_step_that_weighs_is_kept_and_counts() -> None:
    threshold, kept = np.array([5.0, 1.0, 3.0, -1.0]), np.array([2.0, 0.0, 0.5, 3.0])
    assert kernels.lowest_weighing(threshold, kept, 0.0, 1.0) == 3.0
    assert kernels.lowest_weighing(threshold, kept, -2.0, 1.0) == 3.0
    assert kernels.lowest_weighing(threshold, kept, -3.0, 1.0) == 5.0
    assert kernels.lowest_weighing(threshold, kept, -5.0, 1.0) == np.inf


def taken(extra, kept, threshold, line: float = 2.0) -> tuple[int, float, float, list]:
    """Of one keyword: full steps, cost, value and what is kept; a fourth of each step is committed."""
    full, cost, value = np.zeros(1, np.int64), np.ones(1), np.ones(1)
    start, node, steps = np.array([0, len(extra)]), np.zeros(1, np.int64), np.array(kept, float)
    opens, weight = np.array(threshold, float), np.array(extra, float)
    told = (opens, opens, weight, steps, weight / 4)
    kernels.taken(start, node, np.array([line]), *told, full, cost, value)
    return int(full[0]), float(cost[0]), float(value[0]), steps.tolist()


def test_what_is_taken_counts_whole_steps_and_all_the_money() -> None:
    assert taken([4, 4], [3, 3], [5, 3]) == (2, 9.0, 1 + 20 + 12, [3, 3])
    assert taken([4, 4], [3, 2], [5, 2]) == (1, 8.0, 1 + 20 + 6, [3, 2])
    assert taken([4, 4], [3, 3], [5, 1]) == (1, 6.0, 1 + 20 + 1, [3, 0])
    assert taken([4, 4], [2, 3], [5, 3]) == (0, 8.0, 1 + 15 + 12, [2, 3])
    assert taken([4, 4], [3, 3], [5, 0], -1.0)[0] == 1


def test_a_step_that_costs_nothing_is_taken_at_its_line_unless_one_before_is_not() -> None:
    assert taken([0, 4, 0], [0, 3, 0], [9, 3, 2])[0] == 3
    assert taken([0, 4, 0], [0, 3, 0], [9, 3, 1])[0] == 2
    assert taken([4, 0], [2, 0], [3, 2])[0] == 0


def settled(cap, floor, slack, cost, value):
    """Two campaigns of steps 5, 3 and 1 with 2 of cost each; a target of 2 value per cost in both."""
    nothing = np.zeros(3)
    threshold, kept, committed = np.tile([5.0, 3.0, 1.0], 2), np.full(6, 2.0), np.zeros(6)
    spent, worth, free = np.array(cost, float), np.array(value, float), np.full(3, -np.inf)
    upper, lower, by = free.copy(), -free, (np.zeros(3, np.int64), np.full(3, -1))
    aim = (np.array([[0.0, 2.0, 2.0]]), np.ones((1, 3)), np.array([[0.0, *slack]]))
    told = (
        np.array([0, 0, 3]),
        np.array([6, 3, 6]),
        np.array([-1, 0, 0]),
        threshold,
        kept,
        committed,
    )
    found = kernels.settle(
        *told, spent, worth, np.array(cap), nothing + floor, *aim, upper, lower, *by
    )
    return (
        found,
        kept.tolist(),
        committed.tolist(),
        spent.tolist(),
        worth.tolist(),
        upper,
        lower,
        by,
    )


ANY = [np.inf] * 3


def test_a_target_in_deficit_commits_its_best_steps_and_stops_before_it_is_missed() -> None:
    found = settled(ANY, 0.0, [0.0, 50.0], [0, 4, 0], [0, 1.5, 0])
    # Short by 6.5: 2 at 5 make up 6, then half a unit at 3; at 1 a unit and a half may be lost.
    assert found[0] == (-1, 0, 0.0)
    assert found[1] == [0.0, 1.5, 1.5, 2.0, 2.0, 2.0]
    assert found[2] == [2.0, 0.5, 0.0, 0.0, 0.0, 0.0]
    assert (found[3], found[4]) == ([6.5, 6.5, 0.0], [13.0, 13.0, 0.0])
    assert (found[5].tolist(), found[6].tolist()) == (
        [-np.inf, 1.0, -np.inf],
        [np.inf, 3.0, np.inf],
    )
    assert [part.tolist() for part in found[7]] == [[0, 1, 0], [-1, 1, -1]]


def test_what_campaigns_commit_adds_up_in_the_account() -> None:
    found = settled(ANY, np.array([0.0, 3.0, 2.0]), [50.0, 50.0], [1, 0, 1], [7, 0, 4])
    assert found[2] == [2.0, 1.0, 0.0, 1.0, 0.0, 0.0]
    assert (found[3], found[4]) == ([1 + 3 + 2, 3.0, 2.0], [7 + 13 + 9, 13.0, 9.0])
    assert found[6].tolist() == [np.inf, 3.0, 5.0]
    assert found[7][1].tolist() == [-1, 0, 0]


def test_a_small_deficit_is_made_up_too() -> None:
    # The cap leaves 0.2 at 5, which brings 0.6 beyond its own cost's worth.
    found = settled([np.inf, 0.2, 9.0], 0.0, [-0.3, 50.0], [0, 0, 0], [0, 0, 0])
    assert (found[0], found[2][0]) == ((-1, 0, 0.0), pytest.approx(0.1))
    short = settled([np.inf, 0.2, 9.0], 0.0, [-0.7, 50.0], [0, 0, 0], [0, 0, 0])
    assert short[0] == (1, 2, pytest.approx(-0.1))


def test_where_cap_and_target_ask_for_one_line_the_target_sets_it() -> None:
    # The cap takes half a unit of the step at 1, of which the target can bear a quarter.
    found = settled([np.inf, 4.5, 9.0], 0.0, [-7.75, 50.0], [0, 0, 0], [0, 0, 0])
    assert (found[1][2], found[5][1], found[7][0].tolist()) == (0.25, 1.0, [0, 1, 0])


def test_floors_of_just_what_there_is_are_met_and_no_more() -> None:
    found = settled(ANY, np.array([0.0, 7.0, 0.0]), [50.0, 50.0], [0, 1, 0], [0, 0, 0])
    assert (found[0], found[2][:3]) == ((-1, 0, 0.0), [2.0, 2.0, 2.0])
    found = settled(ANY, np.array([0.0, 7.1, 0.0]), [50.0, 50.0], [0, 1, 0], [0, 0, 0])
    assert found[0] == (1, 1, 7.0)
    assert settled([9.0, 0.9, 9.0], 0.0, [50.0, 50.0], [0, 1, 0], [0] * 3)[0] == (1, 0, 1.0)
