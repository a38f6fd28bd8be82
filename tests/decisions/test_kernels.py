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
