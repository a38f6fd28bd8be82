import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.decisions import flips
from optimizer.decisions.allocation import Gates, Options
from optimizer.decisions.flips import Turning
from optimizer.estimates.posteriors import Gamma


def one(value: float) -> np.ndarray:
    return np.array([value])


def three_levels(value: list[float], raise_gate: float, lower_gate: float) -> tuple:
    options = Options(
        np.array([[1.0, 2.0, 3.0]]), np.array([value]), np.full((1, 3), True), np.array([1])
    )
    return options, Gates(one(raise_gate), one(lower_gate))


def test_thresholds_are_the_slopes_beside_the_present_bid() -> None:
    up, stay = flips.step_thresholds(*three_levels([1.0, 4.0, 5.5], np.inf, -np.inf))
    assert (up[0], stay[0]) == (1.5, 3.0)


def test_gates_bound_the_thresholds() -> None:
    up, stay = flips.step_thresholds(*three_levels([1.0, 4.0, 5.5], 1.2, 3.4))
    assert (up[0], stay[0]) == (1.2, 3.4)


def test_a_bid_without_levels_never_moves() -> None:
    options, gates = three_levels([1.0, 4.0, 5.5], 2.0, 2.0)
    fixed = Options(options.cost, options.value, np.array([[False, True, False]]), options.hold)
    up, stay = flips.step_thresholds(fixed, gates)
    assert (up[0], stay[0]) == (-np.inf, np.inf)


def turning(**changed: float) -> Turning:
    known = {"up": 2.0, "stay": 4.0, "line": 1.0, "lowest_cpc": 0.5, **changed}
    value = Gamma(one(1.0), one(0.0))
    arrays = {name: one(number) for name, number in known.items()}
    lowest = arrays.pop("lowest_cpc")
    return flips.turning_points(
        **arrays,
        may_pause=np.array([True]),
        lowest_cpc=lowest,
        value=value,
        pause_probability=0.1,
    )


def test_turning_points_are_the_line_over_the_thresholds() -> None:
    found = turning(lowest_cpc=0.1)
    assert (found.stop[0], found.lower[0], found.rise[0]) == (0.1, 0.25, 0.5)


@pytest.mark.parametrize(
    ("ratio", "move"), [(0.05, "pause"), (0.2, "lower"), (0.4, ""), (0.5, "raise"), (9.0, "raise")]
)
def test_moves_follow_the_rate(ratio: float, move: str) -> None:
    assert turning(lowest_cpc=0.1).move(one(ratio)) == [move]


def test_a_worthless_click_never_pays_and_the_stop_has_no_end() -> None:
    found = flips.turning_points(
        one(0.0),
        one(0.0),
        one(1.0),
        np.array([True]),
        one(0.5),
        Gamma(one(0.0), one(0.3)),
        0.1,
    )
    assert (found.stop[0], found.lower[0], found.rise[0]) == (np.inf, np.inf, np.inf)
    assert np.isnan(flips.flip_of_move(found, np.array(["pause"]))[0])


@given(
    st.floats(0.5, 3.0),
    st.floats(0.5, 3.0),
    st.floats(0.0, 2.0),
    st.sampled_from(["raise", "lower", "watch"]),
)
def test_every_decision_has_a_line_that_explains_it(
    line: float, up: float, wider: float, kind: str
) -> None:
    stay = one(up + wider + 0.01)
    taken = flips.line_taken(one(line), one(up), stay, np.array([kind]))
    found = flips.turning_points(
        one(up), stay, taken, np.array([False]), one(1.0), Gamma(one(1.0), one(0.1)), 0.1
    )
    expected = "" if kind == "watch" else kind
    assert found.move(one(1.0)) == [expected]


def test_a_line_that_explains_the_decision_stays() -> None:
    assert flips.line_taken(one(1.5), one(2.0), one(3.0), np.array(["raise"])) == [1.5]


def test_a_pause_keeps_its_line_so_that_past_it_the_bid_still_falls() -> None:
    line, up, stay = one(1.2), one(0.1), one(0.2)
    assert flips.line_taken(line, up, stay, np.array(["pause"])) == line


def test_the_first_change_is_found_either_way() -> None:
    def kind_at(ratio: np.ndarray) -> np.ndarray:
        return np.where((ratio > 0.37) & (ratio < 2.9), "kept", "other")

    ends = np.array([0.02, 50.0, 2.0])
    found = flips.first_change(kind_at, np.full(3, "kept"), ends)
    assert found == pytest.approx([0.37, 2.9, np.nan], rel=1e-6, nan_ok=True)
