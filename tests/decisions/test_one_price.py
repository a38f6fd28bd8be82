"""The lowest point of a convex function of one price, from its tangents."""

import numpy as np
import pytest

from optimizer.decisions.allocation.one_price import Lowest, Tangent, lowest_point


class Corners:
    """The highest of some lines, and how often it was asked."""

    def __init__(self, height: list[float], slope: list[float]) -> None:
        self.height, self.slope, self.asked = np.array(height), np.array(slope), 0

    def __call__(self, at: float) -> Tangent:
        self.asked += 1
        on = int(np.argmax(self.height + self.slope * at))
        return Tangent(at, float(self.height[on] + self.slope[on] * at), float(self.slope[on]))


def test_a_function_that_rises_is_lowest_at_nothing() -> None:
    told = Corners([3.0, 1.0], [0.5, 2.0])
    assert lowest_point(told, 1.0, 9.0, 1e-9) == Lowest(0.0, 3.0, 3.0, 0.0)
    assert told.asked == 1


def test_a_function_level_at_nothing_is_lowest_there() -> None:
    told = Corners([3.0, 1.0], [0.0, 2.0])
    assert lowest_point(told, 1.0, 9.0, 1e-9) == Lowest(0.0, 3.0, 3.0, 0.0)
    assert told.asked == 1


def test_tangents_far_apart_meet_where_they_do() -> None:
    # 8 - 2x, 5 - x/2 and x - 3: the meeting of the outer two lies below the middle one.
    told = Corners([8.0, 5.0, -3.0], [-2.0, -0.5, 1.0])
    found = lowest_point(told, 9.0, 9.0, 1e-12)
    assert (found.at, found.height, found.lower) == pytest.approx((16 / 3, 7 / 3, 7 / 3))


def test_the_tolerance_is_a_share_of_the_height() -> None:
    # Between 0 and 9 the tangents meet at 11/3 and 2/3; the function is not below 7/3.
    for height, asked in [(0.0, 3), (1e3, 2)]:
        told = Corners([height + 8.0, height + 5.0, height - 3.0], [-2.0, -0.5, 1.0])
        found = lowest_point(told, 9.0, 9.0, 0.01)
        assert found.height - found.lower <= 0.01 * found.height
        assert told.asked >= asked
    assert found.lower == pytest.approx(1e3 + 2 / 3)


def test_a_function_that_only_falls_runs_into_the_box() -> None:
    found = lowest_point(Corners([3.0], [-2.0]), 1.0, 10.0, 1e-9)
    assert found == Lowest(10.0, -17.0, -17.0, 20.0)


@pytest.mark.parametrize("guess", [1e-3, 2.0, 1e3])
def test_a_corner_is_met_exactly(guess: float) -> None:
    # 10 - 4x meets 1 + x/2 at 2, where both are 2.
    found = lowest_point(Corners([10.0, 1.0, -5.0], [-4.0, 0.5, 3.0]), guess, 1e4, 1e-12)
    assert (found.at, found.height, found.lower) == pytest.approx((2.0, 2.0, 2.0))
    assert found.unmet == 0.0


def test_a_level_stretch_is_a_minimum() -> None:
    found = lowest_point(Corners([10.0, 1.0, -50.0], [-4.0, 0.0, 3.0]), 4.0, 1e4, 1e-12)
    assert (found.height, found.lower) == (1.0, 1.0)


@pytest.mark.parametrize("lowest", [0.3, 1.0, 5.0])
def test_a_parabola_takes_a_secant(lowest: float) -> None:
    asked = []

    def parabola(at: float) -> Tangent:
        asked.append(at)
        return Tangent(at, (at - lowest) ** 2 + 1.0, 2.0 * (at - lowest))

    found = lowest_point(parabola, 9.0, 1e4, 1e-9)
    assert (found.at, found.height) == pytest.approx((lowest, 1.0))
    assert len(asked) == 3


@pytest.mark.parametrize("seed", range(10))
def test_many_corners_take_few_tangents(seed: int) -> None:
    rng = np.random.default_rng(seed)
    slope = np.sort(rng.normal(0, 5, 2_000))
    corner = np.sort(rng.gamma(2, 0.01, 1_999))
    height = 7.0 + np.append(0.0, np.cumsum(-np.diff(slope) * corner))
    told = Corners(list(height), list(slope))
    found = lowest_point(told, 0.05, 1e4, 1e-9)
    asked, best = told.asked, min(told(at).height for at in [0.0, *corner])
    assert found.lower <= best + 1e-12
    assert best - 1e-12 <= found.height <= best + 1e-9 * abs(best)
    assert asked <= 25
