"""Before the first order: bids climb only while that brings more, and cost little while it does not."""

import numpy as np
import pytest

from optimizer.planning.adapter import BidAdapter
from optimizer.planning.blind_bids import Purse, Total, blind_factor

PURSE = Purse(20, 0.1, None)


def day(level: float = 0.1, clicks: float = 0.0, impressions: float = 200.0) -> Total:
    return Total(level, impressions, clicks, level * clicks)


def lived(budget: float | None, seed: int, steepness: float, shown: float) -> tuple[float, float]:
    """Highest bid and cost of 35 days without an order: 2 clicks a day at 0.1, each costs its bid."""
    rng, adapter = np.random.default_rng(seed), BidAdapter(20, budget, seed)
    bids, spent, highest = adapter.step(None), 0.0, 0.0
    for _ in range(35):
        growth = (bids / 0.1) ** steepness
        clicks = rng.poisson(0.1 * growth)
        counts = {"impressions": rng.poisson(shown * growth) + clicks, "clicks": clicks}
        rows = {"bid": bids, "cost": clicks * bids, "conversions": 0.0, "revenue": 0.0, **counts}
        spent, highest = spent + rows["cost"].sum(), max(highest, bids.max())
        told = [
            {name: float(np.broadcast_to(part, 20)[place]) for name, part in rows.items()}
            for place in range(20)
        ]
        bids = adapter.step([{**row, "keyword_id": place} for place, row in enumerate(told)])
    return highest, spent


@pytest.mark.parametrize("budget", [None, 20.0])
@pytest.mark.parametrize("shown", [0.0, 10.0])
def test_scarce_clicks_that_no_bid_makes_more_of_cost_little(
    budget: float | None, shown: float
) -> None:
    lives = np.array([lived(budget, seed, 0.0, shown) for seed in range(6)])
    assert lives[:, 0].max() <= 1.0
    assert lives[:, 1].max() < 40


def test_where_bids_do_bring_clicks_they_climb_until_there_are_enough() -> None:
    highest, spent = lived(None, 1, 1.2, 10.0)
    assert 0.3 < highest <= 1.0
    assert spent < 20 * 20


def test_raises_that_bring_nothing_are_taken_back_for_good() -> None:
    trial = [day(clicks=2), *[day(0.3, clicks=2)] * 7]
    assert blind_factor(trial[:-1], True, PURSE) == pytest.approx(1.0)
    assert blind_factor(trial, True, PURSE) == pytest.approx(1 / 3)
    assert blind_factor([*trial, *[day(clicks=2)] * 40], True, PURSE) == pytest.approx(1.0)


def test_a_trial_is_judged_again_by_what_the_old_bids_bring_after_it() -> None:
    unlucky = [day(clicks=2, impressions=3.0), *[day(0.6, clicks=2, impressions=9.0)] * 7]
    assert blind_factor(unlucky, True, PURSE) == pytest.approx(1 / 6)
    rested = [*unlucky, *[day(clicks=0, impressions=1.0)] * 7]
    assert blind_factor(rested[:-1], True, PURSE) == pytest.approx(1.0)
    assert blind_factor(rested, True, PURSE) > 1.0


def test_raises_that_clearly_bring_more_open_the_next() -> None:
    proved = [day(), day(0.3, impressions=700.0)]
    assert blind_factor(proved, True, PURSE) == pytest.approx(3.0)
    assert blind_factor(proved, False, PURSE) == pytest.approx(1.0)
    unproved = [day(), day(0.3, impressions=230.0)]
    assert blind_factor(unproved, True, PURSE) == pytest.approx(1.0)


def test_bids_that_nobody_sees_stop_somewhere() -> None:
    unseen = [day(level, impressions=0.0) for level in (0.1, 0.3, 0.9, 2.7, 8.1)]
    assert blind_factor(unseen[:3], True, PURSE) == pytest.approx(3.0)
    assert blind_factor(unseen, True, PURSE) == pytest.approx(10 / 8.1)
    short = Purse(20, 0.1, 20.0)
    assert blind_factor(unseen[:4], True, short) == pytest.approx(4 / 2.7)
    assert blind_factor([*unseen, *[day(10.0, impressions=0.0)] * 9], True, PURSE) == pytest.approx(
        1.0
    )


def test_clicks_and_cost_without_an_order_wear_patience_out() -> None:
    assert blind_factor([day(clicks=399)], True, PURSE) == pytest.approx(1.0)
    assert blind_factor([day(clicks=401)], True, PURSE) < 1
    assert blind_factor([day(clicks=1001)], True, Purse(500, 0.1, None)) < 1
    dear = [day(clicks=2), Total(0.3, 200.0, 2.0, 45.0)]
    assert blind_factor(dear, True, PURSE) < 1
