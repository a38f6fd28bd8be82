"""What meant bid changes teach where reports give the impression share."""

import numpy as np
import pytest

from optimizer.estimates.bid_history import BidHistory
from optimizer.estimates.exposure import Records
from optimizer.estimates.share_response import (
    Changes,
    SlopePrior,
    Standing,
    find_changes,
    fit_clicks,
    fit_prices,
    present_standing,
)

PRIOR = SlopePrior(1.0, 0.5, 0.2, (0.5, 0.5), 1.0)
HALF = Standing(np.array([0.62, np.nan]), np.array([0.75, 0.5]))


def moved(pairs: int, demand: float, rng: np.random.Generator) -> tuple[Changes, np.ndarray]:
    """Pairs of bids at any standing; searches differ by `demand`, ε = 0.8·(standing)^0.9."""
    share, change = rng.uniform(0.2, 1.0, pairs), rng.choice([-0.4, 0.3], pairs)
    standing = Standing(share, np.full(pairs, 0.75))
    exponent = 0.8 * ((1 - 0.98 * share) / (1 - 0.98 * 0.62)) ** 0.9
    eligible = np.stack([np.full(pairs, 2000.0), np.full(pairs, 2000.0 * demand)])
    rate = 0.05 * np.stack([np.ones(pairs), np.exp(exponent * change)])
    clicks = rng.poisson(eligible * rate).astype(float)
    cost = clicks * np.stack([np.ones(pairs), np.exp(0.6 * change)])
    return Changes(change, eligible, clicks, cost, standing), exponent


@pytest.mark.parametrize("demand", [0.5, 1.0, 2.0])
def test_exponents_are_found_whatever_demand_did(demand: float) -> None:
    changes, exponent = moved(600, demand, np.random.default_rng(3))
    found = fit_clicks(changes, PRIOR).exponent(changes.standing)
    assert np.corrcoef(found, exponent)[0, 1] > 0.99
    assert found.mean() == pytest.approx(exponent.mean(), rel=0.06)


def test_prices_are_found() -> None:
    changes, _ = moved(300, 1.0, np.random.default_rng(4))
    prior = SlopePrior(0.7, 0.3, 0.2, (0.0, 0.0), 1.0)
    assert fit_prices(changes, prior).exponent(changes.standing) == pytest.approx(0.6, rel=0.05)


def test_without_changes_what_is_stated_holds() -> None:
    none = Changes(
        *(np.zeros(0), *(np.zeros((2, 0)) for _ in range(3)), Standing(*np.zeros((2, 0))))
    )
    fit = fit_clicks(none, PRIOR)
    assert fit.exponent(HALF) == pytest.approx([1.0, 1.0])
    assert fit.changes == 0


def days(impressions: list[float], share: list[float], clicks: float) -> tuple[Records, np.ndarray]:
    size = len(impressions)
    unit, day = np.zeros(size, dtype=np.int64), np.arange(size)
    counts = (np.array(impressions), np.full(size, clicks), np.full(size, clicks / 2))
    rest = (np.zeros(size), np.zeros(size))
    return Records(unit, day, day, *counts, *rest), np.array(share)


def history(bids: list[float], starts: list[int], end: int, randomised: bool = False) -> BidHistory:
    start, size = np.array(starts), len(bids)
    until = np.append(start[1:], end)
    marks = np.full(size, randomised)
    return BidHistory(np.zeros(size, dtype=np.int64), start, until, np.array(bids), marks)


def test_standing_is_that_of_days_near_the_present_bid() -> None:
    rows, share = days([900.0] * 4 + [300.0] * 4, [0.9] * 4 + [0.3] * 4, 20.0)
    bids = history([2.0, 1.0], [0, 4], 8)
    found = present_standing(bids, rows, share, np.zeros(8), np.array([1.0]), np.ones(8))
    assert found.share == pytest.approx([0.3], abs=0.02)
    assert found.price_ratio == pytest.approx([0.5], abs=0.01)


def test_days_without_an_impression_are_counted_though_no_report_has_them() -> None:
    """One impression of two eligible ones, one in four days unseen: half, not two thirds."""
    rng = np.random.default_rng(5)
    shown = rng.binomial(2, 0.5, 4000)
    seen = shown[shown > 0].astype(float)
    rows, share = days(list(seen), list(seen / 2), 1.0)
    bids = history([1.0], [0], len(seen))
    found = present_standing(
        bids, rows, share, np.zeros(len(seen)), np.array([1.0]), np.ones(len(seen))
    )
    assert found.share == pytest.approx([0.5], abs=0.02)


def test_what_the_budget_lost_the_bid_had_won() -> None:
    """300 shown of 1,000, 400 lost to the budget: the bid wins 300 of the other 600."""
    rows, share = days([300.0], [0.3], 9.0)
    bids = history([1.0], [0], 1)
    found = present_standing(bids, rows, share, np.array([0.4]), np.array([1.0]), np.ones(1))
    assert found.share == pytest.approx([0.5])


def test_days_that_could_only_be_seen_when_won_say_nothing() -> None:
    """One eligible impression a day at 20 %: the days with a row all say 100 %."""
    rows, share = days([1.0] * 200, [1.0] * 200, 0.0)
    bids = history([1.0], [0], 200)
    found = present_standing(bids, rows, share, np.zeros(200), np.array([1.0]), np.ones(200))
    assert np.isnan(found.share).all()


@pytest.mark.parametrize(("randomised", "pairs"), [(False, 1), (True, 0)])
def test_only_meant_changes_with_clicks_pair(randomised: bool, pairs: int) -> None:
    rows, share = days([900.0] * 4 + [300.0] * 4, [0.9] * 4 + [0.3] * 4, 20.0)
    found = find_changes(history([2.0, 1.0], [0, 4], 8, randomised), rows, share, np.zeros(8))
    assert len(found.change) == pairs
    assert found.change == pytest.approx([np.log(0.5)] * pairs)
    assert found.clicks.sum() == 160.0 * pairs
