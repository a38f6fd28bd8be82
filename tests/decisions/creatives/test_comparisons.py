"""Many tests in blocks are the tests one by one."""

import numpy as np
import pytest

from optimizer.decisions.creatives import ArmDays, Assessment, Design, assess
from optimizer.decisions.creatives.arms import arm_blocks
from optimizer.decisions.creatives.served import check_served

ARMS, DAYS = 5, 30


def panels(tests: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    shown = np.where(rng.random((tests * ARMS, DAYS)) < 0.1, 0.0, 500.0)
    clicks = rng.binomial(
        shown.astype(int), np.tile([0.02, 0.02, 0.03, 0.01, 0.02], tests)[:, None]
    )
    return shown, clicks.astype(float), rng.binomial(clicks, 0.05).astype(float)


def assessed(metric: str, shown: np.ndarray, clicks: np.ndarray, orders: np.ndarray) -> Assessment:
    test = np.repeat(np.arange(len(shown) // ARMS), ARMS)
    days = ArmDays(shown, clicks, clicks, orders, orders * 60, test=test)
    return assess(days, Design(metric=metric), np.random.default_rng(1))  # type: ignore[arg-type]


def test_blocks_hold_whole_tests_and_all_of_them() -> None:
    first = np.array([0, 2, 5, 1005, 2005])
    blocks = arm_blocks(first, (3000, 30))
    assert [one.start for one in blocks] == [0, 1005, 2005]
    assert [one.stop for one in blocks] == [1005, 2005, 3000]


@pytest.mark.parametrize("metric", ["ctr", "cvr"])
def test_a_test_is_told_the_same_wherever_it_stands(metric: str) -> None:
    """600 tests are several blocks; the claims of the last are those of itself alone."""
    whole = panels(600)
    many = assessed(metric, *whole)
    last = assessed(metric, *(one[-ARMS:] for one in whole))
    assert many.leader[-1] - 599 * ARMS == last.leader[0]
    assert many.claims.contrasts.other[-4:].tolist() == [
        599 * ARMS + one for one in last.claims.contrasts.other
    ]
    alike = many.claims.contrasts.score[-4:], last.claims.contrasts.score
    np.testing.assert_array_equal(*alike)
    np.testing.assert_array_equal(many.always[0][-4:], last.always[0])


def test_shares_are_checked_the_same_in_blocks() -> None:
    shown = panels(600)[0]
    first = np.arange(0, len(shown), ARMS)
    many = check_served(shown, np.ones(len(shown)), first)
    alone = check_served(shown[-ARMS:], np.ones(ARMS), np.zeros(1, dtype=np.int64))
    assert (many.p[-1], many.deviation[-1]) == (alone.p[0], alone.deviation[0])
