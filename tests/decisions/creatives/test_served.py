"""Sample ratios."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from optimizer.decisions.creatives import check_assignment, check_served
from optimizer.errors import RefusedInput

ONE_TEST = np.array([0])


def test_p_is_that_of_the_chi_square_test() -> None:
    counts, planned = np.array([500.0, 530, 470]), np.array([1.0, 1, 1])
    found = check_assignment(counts, planned, ONE_TEST)
    assert found.p[0] == pytest.approx(stats.chisquare(counts).pvalue)
    assert found.deviation[0] == pytest.approx(0.06)
    assert not found.alarm[0]


def test_planned_shares_need_not_be_even_nor_sum_to_one() -> None:
    found = check_assignment(
        np.array([1000.0, 3000, 51_000, 49_000]), np.array([1.0, 3, 7, 7]), np.array([0, 2])
    )
    assert found.p[0] == 1.0
    assert found.alarm.tolist() == [False, True]


def test_units_in_an_arm_that_was_to_get_none_are_an_alarm() -> None:
    assert check_assignment(np.array([1000.0, 1]), np.array([1.0, 0]), ONE_TEST).alarm[0]


def test_an_arm_that_was_to_get_none_does_not_hide_the_others() -> None:
    counts, planned = np.array([50_900.0, 49_100, 0, 800, 0]), np.array([0.5, 0.5, 0, 1, 0])
    found = check_assignment(counts, planned, np.array([0, 3]))
    assert found.p[0] == pytest.approx(stats.chisquare(counts[:2]).pvalue)
    assert found.p[1] == 1.0


def test_two_per_cent_among_a_hundred_thousand_are_found_and_chance_is_not() -> None:
    rng = np.random.default_rng(0)
    first = np.arange(0, 8000, 2)
    for share, least, most in ((0.5, 0.0, 0.001), (0.51, 0.99, 1.0)):
        one = rng.binomial(100_000, share, 4000)
        counts = np.stack([one, 100_000 - one], axis=1).ravel().astype(float)
        alarm = check_assignment(counts, np.ones(8000), first).alarm.mean()
        assert least <= alarm <= most


def served(shift: float, spread: float, seed: int = 1, tests: int = 500) -> np.ndarray:
    """Impressions of pairs of arms whose share moves by `spread` from day to day around 0.5 + shift."""
    rng = np.random.default_rng(seed)
    share = np.clip(rng.normal(0.5 + shift, spread, (tests, 30)), 0.05, 0.95)
    one = rng.binomial(20_000, share)
    return np.stack([one, 20_000 - one], axis=1).reshape(2 * tests, 30).astype(float)


FIRST = np.arange(0, 1000, 2)


def test_days_that_vary_are_no_alarm() -> None:
    """A chi-square test of the same impressions would cry wolf nearly always."""
    shown = served(0.0, 0.05)
    assert check_served(shown, np.ones(1000), FIRST).alarm.mean() <= 0.004
    assert check_assignment(shown.sum(axis=1), np.ones(1000), FIRST).alarm.mean() > 0.5


def test_a_lasting_shift_is_an_alarm() -> None:
    assert check_served(served(0.05, 0.03), np.ones(1000), FIRST).alarm.mean() > 0.95


def test_less_than_two_per_cent_are_tolerated_however_sure() -> None:
    found = check_served(served(0.005, 0.001), np.ones(1000), FIRST)
    assert (found.p < 1e-4).mean() > 0.9
    assert not found.alarm.any()


def test_shares_may_be_planned_by_day_and_absent_arms_are_none() -> None:
    shown = np.array([[900.0, 100] * 5, [100, 900] * 5, [0, 1000] * 5])
    found = check_served(shown, shown * 7, ONE_TEST)
    assert found.deviation[0] == 0
    assert not found.alarm[0]


def test_a_few_days_tell_nothing() -> None:
    found = check_served(served(0.2, 0.01, tests=1)[:, :4], np.ones(2), ONE_TEST)
    assert np.isnan(found.p[0])
    assert not found.alarm[0]


@pytest.mark.parametrize(
    ("planned", "code"),
    [
        ([1.0], "arm_days_shape"),
        ([1.0, -1.0], "arm_days_negative"),
        ([1.0, np.nan], "arm_days_not_finite"),
    ],
)
def test_plans_that_do_not_fit_are_refused(planned: list[float], code: str) -> None:
    with pytest.raises(RefusedInput, match=code):
        check_assignment(np.array([10.0, 20.0]), np.array(planned), ONE_TEST)
