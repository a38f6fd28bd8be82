from datetime import date

import numpy as np
import pandas as pd
import pytest

from optimizer.estimates.conversion_lag import estimate_completion, prior_completion
from optimizer.settings import LagPrior
from optimizer.tables import VERSIONS, empty_table

PRIOR = LagPrior(day0=0.5, mean_days=5, strength=20)
START = np.datetime64(date(2026, 3, 1), "s")


def true_share(age: np.ndarray) -> np.ndarray:
    """Far from the prior: 20 % at once, the rest after 8 days on average, 15 % taken back late."""
    arrived = 0.2 + 0.8 * (1 - np.exp(-age / 8.0))
    return arrived - 0.15 * np.clip((age - 30) / 10, 0, 1)


def triangle(downloads: list[int], per_day: float = 60.0, seed: int = 0) -> pd.DataFrame:
    """Ninety click days seen on irregular download days; arrivals are Poisson, and one campaign."""
    rng, rows = np.random.default_rng(seed), []
    ages = np.arange(61)
    steps = np.diff(true_share(ages), prepend=0.0) * per_day
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
