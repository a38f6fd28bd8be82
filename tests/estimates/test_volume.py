from dataclasses import replace

import numpy as np
import pytest

from optimizer.estimates.exposure import Records
from optimizer.estimates.hierarchy import Hierarchy
from optimizer.estimates.volume import discounted_days, estimate_volume, served_share

TODAY, HALF_LIFE = 100, 14.0
ONE_GROUP = np.zeros(2, dtype=np.int64)
PAIR = Hierarchy(ONE_GROUP, ONE_GROUP, (ONE_GROUP, np.zeros(1, np.int64)))


def daily(first: int = 60, last: int = 99, clicks: float = 4.0) -> Records:
    """Two keywords, the same every day: 50 impressions, clicks at 1.5 each."""
    day = np.tile(np.arange(first, last + 1), 2)
    unit = np.repeat([0, 1], len(day) // 2)
    counts = np.full(len(day), clicks)
    return Records(unit, day, day, counts * 12.5, counts, counts * 1.5, counts * 0, counts * 0)


def volume(rows: Records, bid: float = 2.0):
    return estimate_volume(rows, PAIR, np.full(2, bid), TODAY, HALF_LIFE)


def test_the_share_served_weighs_days_by_their_demand() -> None:
    """Half of the days lose half of their demand: 4 of 8 and 4 of 4 clicks were bought."""
    rows = daily()
    lost = np.where(rows.last % 2 == 0, 0.5, 0.0)
    recent = rows.last >= TODAY - 8
    even = Records(*(getattr(rows, name)[recent] for name in rows.__dataclass_fields__))
    kept = even.last > TODAY - 7
    share, known = served_share(even, ONE_GROUP, np.where(kept, lost[recent], 0.9), TODAY, 2)
    days = np.arange(TODAY - 6, TODAY)
    demand = np.where(days % 2 == 0, 8.0, 4.0).sum()
    oldest = 4.0 / 0.1
    assert share[0] == pytest.approx(4.0 * 7 / (demand + oldest))
    assert known.tolist() == [True, False]


def test_without_a_share_in_the_reports_it_is_a_guess() -> None:
    rows = daily()
    share, known = served_share(rows, ONE_GROUP, np.full(len(rows.unit), np.nan), TODAY, 1)
    assert (share.tolist(), known.tolist()) == ([0.75], [False])


def test_steady_clicks_are_found_as_they_are() -> None:
    found = volume(daily())
    assert found.clicks.mean == pytest.approx(4.0, rel=0.01)
    assert found.cpc == pytest.approx(1.5)


def test_a_period_row_means_the_same_as_its_days() -> None:
    days, sums = daily(), ("impressions", "clicks", "cost", "conversions", "value")
    ends = {"first": np.array([60, 60]), "last": np.array([99, 99]), "unit": np.array([0, 1])}
    whole = {name: np.bincount(days.unit, getattr(days, name)) for name in sums}
    found = volume(replace(days, **ends, **whole))
    assert found.clicks.mean == pytest.approx(volume(days).clicks.mean, rel=0.01)


def test_reports_that_end_earlier_do_not_look_like_falling_demand() -> None:
    assert volume(daily(last=80)).clicks.mean == pytest.approx(4.0, rel=0.02)


def test_a_gap_between_reports_is_not_a_quiet_month() -> None:
    rows = daily()
    kept = (rows.first < 65) | (rows.first >= 95)
    gappy = Records(*(getattr(rows, name)[kept] for name in rows.__dataclass_fields__))
    assert volume(gappy).clicks.mean == pytest.approx(4.0, rel=0.02)


def test_a_new_keyword_is_not_diluted_by_the_days_before_it() -> None:
    rows = daily()
    kept = (rows.unit == 0) | (rows.first >= 90)
    fresh = Records(*(getattr(rows, name)[kept] for name in rows.__dataclass_fields__))
    assert volume(fresh).clicks.mean == pytest.approx([4.0, 4.0], rel=0.01)


def test_quiet_days_of_a_known_keyword_count() -> None:
    rows = daily()
    kept = (rows.unit == 0) | (rows.first % 2 == 0)
    every_other = Records(*(getattr(rows, name)[kept] for name in rows.__dataclass_fields__))
    assert volume(every_other).clicks.mean[1] == pytest.approx(2.0, rel=0.05)


def test_recent_days_count_more() -> None:
    rows = daily()
    rising = replace(rows, clicks=np.where(rows.first >= 80, 8.0, 4.0))
    assert 6.0 < volume(rising).clicks.mean[0] < 8.0


def test_a_keyword_without_clicks_gets_its_groups_price() -> None:
    rows = daily()
    one = replace(rows, clicks=rows.clicks * (rows.unit == 0), cost=rows.cost * (rows.unit == 0))
    found = estimate_volume(one, PAIR, np.array([2.0, 4.0]), TODAY, HALF_LIFE)
    assert found.cpc == pytest.approx([1.5, 3.0])
    assert 0 < found.clicks.mean[1] < 0.12


def test_a_share_of_the_bid_never_stands_in_for_a_price() -> None:
    """The second keyword's bid is unknown and never clicked; prices here are around 150."""
    rows = daily()
    one = replace(rows, clicks=rows.clicks * (rows.unit == 0), cost=rows.cost * (rows.unit == 0))
    dear = replace(one, cost=one.cost * 100)
    found = estimate_volume(dear, PAIR, np.array([200.0, np.nan]), TODAY, HALF_LIFE)
    assert found.cpc == pytest.approx([150.0, 150.0])


def test_units_without_rows_have_finite_days() -> None:
    assert np.isfinite(discounted_days(daily(), TODAY, 3, HALF_LIFE)).all()
