"""What a change of the creatives shown makes of a rate."""

from __future__ import annotations

import numpy as np
import pytest

from optimizer.estimates.creative_mix import Shown, level_shift, over_days, telling_weight
from optimizer.estimates.posteriors import Gamma

RATE = Gamma(np.array([0.02, 0.04]), np.array([0.01, 0.04]))


def two_days(first: tuple[float, float], second: tuple[float, float]) -> Shown:
    """One ad group, two creatives, two days: amounts of both on each day."""
    return Shown(
        np.zeros(4, dtype=np.int64),
        np.array([0, 1, 0, 1]),
        np.array([0, 0, 1, 1]),
        np.array([*first, *second], dtype=np.float64),
        np.zeros(2, dtype=np.int64),
        1,
        2,
    )


def test_a_change_from_one_creative_to_the_other_is_the_ratio_of_their_rates() -> None:
    found = level_shift(two_days((100, 0), (0, 100)), RATE, np.array([0.0, 1.0]))
    np.testing.assert_allclose(np.exp(found.log_ratio), [[2.0, 1.0]])
    np.testing.assert_allclose(found.variance, [[0.05, 0.0]], atol=1e-15)
    np.testing.assert_allclose(found.rate, [[0.02, 0.04]])


def test_mixes_by_hand() -> None:
    """Half and half: c = 0.03, a = (1/3, 2/3); ahead c = 0.035, a = (1/7, 6/7)."""
    found = level_shift(two_days((50, 50), (50, 50)), RATE, np.array([0.25, 0.75]))
    assert np.exp(found.log_ratio[0, 0]) == pytest.approx(0.035 / 0.03)
    moved = 2 / 3 - 6 / 7
    assert found.variance[0, 0] == pytest.approx(moved**2 * (0.01 + 0.04))


def test_the_same_mix_shifts_nothing_however_little_is_known() -> None:
    unsure = Gamma(RATE.mean, np.array([5.0, 5.0]))
    found = level_shift(two_days((30, 70), (0, 0)), unsure, np.array([0.3, 0.7]))
    np.testing.assert_allclose(found.log_ratio, 0.0, atol=1e-12)
    np.testing.assert_allclose(found.variance, 0.0, atol=1e-12)


def test_days_of_which_nothing_is_known_stay_as_they_are() -> None:
    found = level_shift(two_days((100, 0), (0, 0)), RATE, np.array([0.0, 1.0]))
    assert (found.log_ratio[0, 1], found.variance[0, 1]) == (0, 0)
    nothing = level_shift(two_days((100, 0), (0, 0)), RATE, np.zeros(2))
    assert (nothing.log_ratio == 0).all()


def test_records_of_several_days_take_the_mean_of_what_is_known() -> None:
    panel = np.array([[1.0, 3.0, 5.0]])
    group, first, last = np.array([0, 0, -1]), np.array([0, -1, 0]), np.array([1, 0, 2])
    np.testing.assert_allclose(over_days(panel, group, first, last), [2.0, 0.5, 0.0])


def test_many_events_before_an_uncertain_change_tell_as_few() -> None:
    """X events at variance v tell as X/(1 + Xv): 100 at 0.04 as 20; days of the same mix as themselves."""
    unit = np.array([0, 0, 1])
    weight = telling_weight(unit, np.array([100.0, 30.0, 1.0]), np.array([0.04, 0.0, 0.04]), 2)
    np.testing.assert_allclose(weight, [0.2, 1.0, 1 / 1.04])
