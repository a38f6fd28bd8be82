import numpy as np
import pytest

from optimizer.decisions import kernels
from tests.decisions.instances import nested

COST = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
ALL = np.ones(5, dtype=bool)


@pytest.mark.parametrize("half_hull", [kernels._half_hull, kernels.half_hull])
def test_the_hull_keeps_only_levels_with_falling_slopes(half_hull) -> None:
    out = np.empty(5, dtype=np.int64)
    size = half_hull(COST, np.array([0.0, 1.0, 5.0, 5.5, 9.0]), ALL, 0, 4, out)
    assert out[:size].tolist() == [0, 2, 4]


@pytest.mark.parametrize("half_hull", [kernels._half_hull, kernels.half_hull])
def test_a_forbidden_level_is_not_on_the_hull(half_hull) -> None:
    out, allowed = np.empty(5, dtype=np.int64), np.array([True, False, True, False, True])
    size = half_hull(COST, np.sqrt(COST), allowed, 0, 4, out)
    assert out[:size].tolist() == [0, 2, 4]


def test_slopes_at_equal_cost_are_infinite() -> None:
    cost, value = np.array([1.0, 1.0]), np.array([2.0, 3.0])
    assert kernels._slope(cost, value, 0, 1) == np.inf
    assert kernels._slope(cost, value[::-1], 0, 1) == -np.inf


def test_compiled_and_plain_steps_agree() -> None:
    problem = nested(np.random.default_rng(1), 20, 6, 2)
    options, gate = problem.options, np.full(20, 1.2)
    told = (options.cost, options.value, options.allowed, np.full(20, 2), gate, gate * 1.5)
    for plain, compiled in zip(kernels._steps(*told), kernels.steps(*told), strict=True):
        np.testing.assert_array_equal(plain, compiled)


def test_thresholds_of_a_keyword_fall_across_its_present_bid() -> None:
    problem = nested(np.random.default_rng(2), 30, 8, 2)
    low, high = np.full(30, 0.8), np.full(30, 1.6)
    shape = (problem.options.cost, problem.options.value, problem.options.allowed)
    owner, reached, _, threshold, _ = kernels._steps(*shape, np.full(30, 3), low, high)
    same = owner[1:] == owner[:-1]
    assert (np.diff(threshold)[same] <= 0).all()
    assert (threshold[reached > 3] <= 0.8).all()
    assert (threshold[reached <= 3] >= 1.6).all()


@pytest.mark.parametrize("fill", [kernels._fill, kernels.fill])
def test_a_step_waits_for_the_one_below_it_and_for_money(fill) -> None:
    cost, level = np.array([[0.0, 6.0, 8.0]]), np.zeros(1, dtype=np.int64)
    steps = (np.array([0, 0]), np.array([1, 2]), np.array([0, 1]), np.ones(2, dtype=bool))
    owner, reached, position, opened = steps
    order, campaign = np.array([0, 1]), np.zeros(1, dtype=np.int64)
    left = fill(
        order, owner, reached, position, opened, campaign, cost, level, 5.0, np.array([9.0])
    )
    assert (left, level.tolist()) == (5.0, [0])
