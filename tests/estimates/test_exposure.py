import numpy as np
import pandas as pd
import pytest

from optimizer.estimates.conversion_lag import Completion
from optimizer.estimates.exposure import Records, exposure_weights, records
from optimizer.estimates.seasonality import Seasonality

TODAY = 100
RAMP = Completion(np.array([0.05, 0.4, 0.7, 1.0]), np.zeros(4), 0.0)


def rows(*spans: tuple[int, int]) -> Records:
    first, last = np.array(spans, dtype=np.int64).T
    ones = np.ones(len(spans))
    return Records(np.zeros(len(spans), dtype=np.int64), first, last, ones, ones, ones, ones, ones)


def test_yesterday_has_age_nought() -> None:
    found = exposure_weights(rows((98, 98), (97, 97), (50, 50)), TODAY, RAMP, None, 0.1)
    assert found.exposure == pytest.approx([0.4, 0.7, 1.0])


def test_a_day_that_knows_too_little_is_left_out() -> None:
    found = exposure_weights(rows((99, 99), (98, 98)), TODAY, RAMP, None, 0.1)
    assert found.used.tolist() == [False, True]
    assert found.exposure.tolist() == [0.0, 0.4]


def test_a_period_counts_the_mean_of_its_days() -> None:
    found = exposure_weights(rows((96, 99)), TODAY, RAMP, None, 0.1)
    assert found.used.tolist() == [True]
    assert found.exposure == pytest.approx((1.0 + 0.7 + 0.4 + 0.05) / 4)


def test_a_strong_weekday_counts_for_more_clicks() -> None:
    index = np.ones(7)
    index[(60 + 3) % 7] = 1.5
    found = exposure_weights(rows((60, 60), (61, 61)), TODAY, RAMP, Seasonality(index, ()), 0.1)
    assert found.exposure.tolist() == [1.5, 1.0]


def test_records_find_their_keyword_by_key_not_by_position() -> None:
    days = pd.to_datetime(["2026-01-02", "2026-01-03"]).as_unit("s")
    frame = pd.DataFrame({"entity_key": [7, 5], "first_day": days, "last_day": days}, index=[4, 2])
    sums = {name: [1.0, 2.0] for name in ("impressions", "clicks", "cost", "conversions", "value")}
    found = records(frame.assign(**sums), pd.Series([5, 6, 7], index=[9, 8, 7]))
    assert found.unit.tolist() == [2, 0]
    assert (found.last - found.last[0]).tolist() == [0, 1]
