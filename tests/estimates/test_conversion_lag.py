from datetime import date

import numpy as np
import pandas as pd
import pytest

from optimizer.estimates.conversion_lag import (
    Lags,
    estimate_completion,
    estimate_lags,
    prior_completion,
    stated_lags,
)
from optimizer.estimates.seasonality import event_days
from optimizer.settings import Event, LagPrior
from optimizer.tables import VERSIONS, empty_table

PRIOR = LagPrior(day0=0.5, mean_days=5, strength=20)
START = np.datetime64(date(2026, 3, 1), "s")


def true_share(age: np.ndarray) -> np.ndarray:
    """Far from the prior: 20 % at once, the rest after 8 days on average, 15 % taken back late."""
    arrived = 0.2 + 0.8 * (1 - np.exp(-age / 8.0))
    return arrived - 0.15 * np.clip((age - 30) / 10, 0, 1)


def triangle(
    downloads: list[int], per_day: float = 60.0, seed: int = 0, pace: float = 1.0
) -> pd.DataFrame:
    """Ninety click days seen on irregular download days; arrivals are Poisson, and one campaign."""
    rng, rows = np.random.default_rng(seed), []
    share = true_share(np.arange(61)) / true_share(np.array(60))
    steps = np.diff(share**pace, prepend=0.0) * per_day
    for day in range(90):
        known = np.cumsum(np.sign(steps) * rng.poisson(np.abs(steps)))
        for as_of in downloads:
            if day < as_of <= day + 60:
                rows.append((day, as_of, float(known[as_of - day - 1])))
    frame = pd.DataFrame(rows, columns=["day", "as_of", "conversions"])
    for name in ("day", "as_of"):
        frame[name] = START + frame[name].to_numpy().astype("timedelta64[D]")
    return frame.assign(campaign_name="c", clicks=1.0, value=frame["conversions"] * 50)


IRREGULAR = [20, 23, 31, 40, 44, 45, 58, 66, 71, 80, 89, 90, 97, 110, 125]


def test_the_stated_prior_by_hand() -> None:
    share = prior_completion(PRIOR)
    assert share[0] == pytest.approx(0.5, abs=1e-4)
    assert share[5] == pytest.approx(1 - 0.5 * np.exp(-1), abs=1e-4)
    assert share[-1] == 1.0


def test_without_restated_days_the_prior_speaks() -> None:
    found = estimate_completion(empty_table(VERSIONS), PRIOR)
    assert found.share == pytest.approx(prior_completion(PRIOR))
    assert found.observed == 0.0


def test_one_download_says_nothing_about_lag() -> None:
    assert estimate_completion(triangle([60]), PRIOR).observed == 0.0


def test_an_irregular_triangle_gives_the_true_curve() -> None:
    found = estimate_completion(triangle(IRREGULAR), PRIOR)
    ages = np.arange(3, 40)
    truth = true_share(ages) / true_share(np.array([60]))
    assert found.at(ages) == pytest.approx(truth, abs=0.05)


def test_taken_back_orders_lift_completion_above_one() -> None:
    found = estimate_completion(triangle(IRREGULAR), PRIOR)
    assert found.at(np.array([29]))[0] > 1.05
    assert found.at(np.array([60, 200])).tolist() == [1.0, 1.0]


def test_value_has_its_own_completion() -> None:
    told = triangle(IRREGULAR)
    flat = told.assign(value=1000.0)
    ages = np.arange(0, 20)
    assert (estimate_completion(flat, PRIOR, column="value").at(ages) > 0.95).all()
    assert estimate_completion(told, PRIOR).at(ages).min() < 0.6


def test_more_downloads_leave_less_doubt() -> None:
    few = estimate_completion(triangle([40, 60], per_day=5), PRIOR)
    many = estimate_completion(triangle(IRREGULAR, per_day=50), PRIOR)
    assert many.sd_log[2] < few.sd_log[2]


def test_a_day_seen_before_it_was_over_teaches_nothing() -> None:
    told = triangle(IRREGULAR)
    early = told.groupby("day", as_index=False).first()
    early = early.assign(as_of=early["day"], conversions=0.0)
    both = pd.concat([told, early], ignore_index=True)
    assert estimate_completion(both, PRIOR).share == pytest.approx(
        estimate_completion(told, PRIOR).share
    )


def test_before_a_day_is_over_nothing_is_known() -> None:
    found = estimate_completion(empty_table(VERSIONS), PRIOR)
    assert found.at(np.array([-1, -5])).tolist() == [0.0, 0.0]


DAILY = list(range(50, 100))


def known_at(lags: Lags, age: int, campaign: int = 0) -> float:
    return float(lags.shares(np.array([100]), 101 + age)[campaign, 0])


def two_campaigns(fast: float, slow: float, per_day: float = 60.0) -> Lags:
    parts = [
        triangle(DAILY, per_day, seed, pace).assign(campaign_name=name)
        for name, seed, pace in (("fast", 1, fast), ("slow", 2, slow))
    ]
    return estimate_lags(pd.concat(parts), PRIOR, ["slow", "fast", "new"])


def test_a_slow_campaign_has_its_own_completion() -> None:
    lags = two_campaigns(0.5, 1.6)
    true = true_share(np.array(5)) / true_share(np.array(60))
    assert known_at(lags, 5, 0) == pytest.approx(true**1.6, abs=0.05)
    assert known_at(lags, 5, 1) == pytest.approx(true**0.5, abs=0.06)


def test_an_unseen_campaign_has_the_accounts_completion() -> None:
    lags = two_campaigns(0.5, 1.6)
    assert known_at(lags, 5, 2) == pytest.approx(float(lags.ordinary.at(np.array([5]))[0]))


def test_campaigns_that_differ_by_luck_alone_stay_together() -> None:
    lags = two_campaigns(1.0, 1.0, per_day=3.0)
    assert lags.pace == pytest.approx([1.0, 1.0, 1.0], abs=0.15)


SALE = Event(name="sale", start=date(2026, 4, 24), end=date(2026, 5, 3), warmup_days=0)


def with_sale() -> pd.DataFrame:
    """Ten sale days on which every order is known at once, amid ordinary days."""
    told = triangle(DAILY)
    inside = told["day"].between(pd.Timestamp(SALE.start), pd.Timestamp(SALE.end))
    return told.assign(conversions=told["conversions"].where(~inside, 900.0))


def test_a_sale_does_not_teach_the_ordinary_lag() -> None:
    ordinary = estimate_lags(triangle(DAILY), PRIOR, ["c"], event_days([SALE]))
    lags = estimate_lags(with_sale(), PRIOR, ["c"], event_days([SALE]))
    assert lags.ordinary.share == pytest.approx(ordinary.ordinary.share)
    assert lags.kinds[2].at(np.array([0]))[0] > 0.9
    mixed = estimate_completion(with_sale(), PRIOR)
    assert mixed.share[0] > 1.5 * lags.ordinary.share[0]


def test_days_of_a_sale_are_completed_by_the_sales_lag() -> None:
    lags = estimate_lags(with_sale(), PRIOR, ["c"], event_days([SALE]))
    sale = (SALE.end - date(1970, 1, 1)).days
    found = lags.shares(np.array([sale, sale + 1]), sale + 2)[0]
    assert found[0] > 0.9
    assert found[1] == pytest.approx(lags.ordinary.share[0])


def coverage(downloads: list[int], per_day: float) -> float:
    ages = np.array([1, 2, 4, 7, 14])
    truth = true_share(ages) / true_share(np.array(60))
    inside = []
    for seed in range(16):
        found = estimate_completion(triangle(downloads, per_day, seed), PRIOR)
        miss = np.abs(np.log(found.at(ages) / truth))
        inside.append(miss <= 1.2816 * found.sd_at(ages))
    return float(np.mean(inside))


@pytest.mark.parametrize("per_day", [6.0, 60.0])
@pytest.mark.parametrize("downloads", [DAILY, IRREGULAR])
def test_four_in_five_intervals_of_completion_hold(downloads: list[int], per_day: float) -> None:
    assert 0.7 <= coverage(downloads, per_day) <= 0.93


def test_orders_in_pairs_leave_more_doubt() -> None:
    told = triangle(DAILY, 20.0)
    pairs = triangle(DAILY, 10.0).assign(conversions=lambda frame: 2 * frame["conversions"])
    single = estimate_completion(told, PRIOR)
    assert estimate_completion(pairs, PRIOR).sd_log[3] > 1.15 * single.sd_log[3]


def test_orders_that_come_and_go_late_leave_doubt_there_alone() -> None:
    calm = triangle(DAILY)
    age = (calm["as_of"] - calm["day"]).dt.days - 1
    swing = np.where(age > 14, 12.0 * (-1.0) ** age, 0.0)
    restless = calm.assign(conversions=calm["conversions"] + swing)
    before, after = (estimate_completion(frame, PRIOR) for frame in (calm, restless))
    assert after.sd_at(np.array([30]))[0] > 2 * before.sd_at(np.array([30]))[0]
    steps = [np.diff(found.sd_log[:4] ** 2) for found in (before, after)]
    assert steps[1] == pytest.approx(steps[0], rel=0.2)


def test_a_stated_lag_holds_for_every_campaign() -> None:
    lags = stated_lags(PRIOR, 3)
    assert known_at(lags, 5, 2) == pytest.approx(prior_completion(PRIOR)[5])


@pytest.mark.parametrize("conversions", [0.0, -4.0])
def test_nothing_or_less_than_nothing_is_still_finite(conversions: float) -> None:
    told = triangle(IRREGULAR).assign(conversions=conversions)
    lags = estimate_lags(told, PRIOR, ["c"])
    assert np.isfinite([lags.ordinary.share, lags.ordinary.sd_log]).all()
    assert (lags.ordinary.share > 0).all()


def test_a_day_taken_back_whole_is_finite() -> None:
    told = triangle([50, 60])
    gone = told.assign(conversions=np.where(told["as_of"] == told["as_of"].max(), 0.0, 10.0))
    found = estimate_completion(gone, PRIOR)
    assert np.isfinite([found.share, found.sd_log]).all()


def test_one_day_seen_every_day_is_finite() -> None:
    told = triangle(DAILY)
    found = estimate_completion(told[told["day"] == told["day"].iloc[40]], PRIOR)
    assert np.isfinite([found.share, found.sd_log]).all()
