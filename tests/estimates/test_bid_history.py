"""Which days teach: only those under a bid set at random, of keywords and days that are told of."""

import numpy as np
import pandas as pd
import pytest

from optimizer.estimates.bid_history import bid_history, capped_days, find_trials
from optimizer.estimates.exposure import Records

START = 20_000
KEYS = pd.Series([11, 12, 13])


def changes(*rows: tuple[int, int, float, str]) -> pd.DataFrame:
    """BID_CHANGES from (entity key, day from START, bid, provenance)."""
    key, day, bid, who = zip(*rows, strict=True)
    when = np.datetime64("1970-01-01", "s") + (START + np.array(day)).astype("timedelta64[D]")
    return pd.DataFrame(
        {"entity_key": key, "day": when, "bid": np.array(bid, float), "provenance": who}
    )


def rows_of(*rows: tuple[int, int, float], length: int = 1) -> Records:
    """Rows (unit, day from START, clicks) at a price of 2."""
    unit, day, clicks = (np.array(part) for part in zip(*rows, strict=True))
    clicks = clicks.astype(float)
    first = START + day.astype(np.int64)
    sums = (10 * clicks, clicks, 2 * clicks, 0 * clicks, 0 * clicks)
    return Records(unit.astype(np.int64), first, first + length - 1, *sums)


def found(history: pd.DataFrame, rows: Records, closed: np.ndarray | None = None, days: int = 6):
    open_days = np.zeros((1, days), dtype=bool)
    return find_trials(
        bid_history(history, KEYS, START + days),
        rows,
        np.zeros(3, dtype=np.int64),
        open_days if closed is None else closed,
        START,
    )


TRIED = changes(
    (11, 0, 1.0, "human"),
    (11, 2, 1.1, "randomised"),
    (11, 4, 0.9, "randomised"),
    (11, 5, 1.0, "human"),
    (12, 0, 2.0, "human"),
)
EVERY_DAY = rows_of(*[(0, day, day + 1.0) for day in range(6)], *[(1, d, 5.0) for d in range(6)])


def test_only_randomised_days_teach():
    tested = found(TRIED, EVERY_DAY)
    assert list(tested.index) == [0]
    assert list(tested.trials.day) == [2, 3, 4]
    assert list(tested.trials.clicks) == [3, 4, 5]
    assert list(tested.trials.cost) == [6, 8, 10]
    assert np.exp(tested.trials.log_bid) == pytest.approx([1.1, 1.1, 0.9])
    assert list(tested.trials.step) == [0, 0, 1]
    assert list(tested.trials.stratum) == [0, 0, 0]


def test_keywords_left_alone_tell_the_day():
    assert list(found(TRIED, EVERY_DAY).control) == [0, 0, 5, 5, 5, 5]


def test_a_bid_that_was_meant_starts_a_stratum():
    broken = changes(
        (11, 0, 1.1, "randomised"),
        (11, 1, 1.5, "human"),
        (11, 2, 1.6, "randomised"),
        (11, 3, 1.4, "randomised"),
    )
    tested = found(broken, EVERY_DAY)
    assert list(tested.trials.day) == [0, 2, 3, 4, 5]
    assert list(tested.trials.stratum) == [0, 1, 1, 1, 1]


def test_a_day_without_a_row_is_a_day_without_clicks():
    rows = rows_of(*[(0, day, 4.0) for day in (2, 4)], *[(1, d, 5.0) for d in range(6)])
    assert list(found(TRIED, rows).trials.clicks) == [4, 0, 4]


def test_a_day_of_which_no_report_tells_is_left_out():
    rows = rows_of(*[(0, day, 4.0) for day in (0, 2, 4)], (1, 0, 5.0))
    assert list(found(TRIED, rows).trials.day) == [2, 4]


def test_days_on_which_the_budget_ran_out_are_left_out():
    closed = np.zeros((1, 6), dtype=bool)
    closed[0, 3] = True
    tested = found(TRIED, EVERY_DAY, closed)
    assert list(tested.trials.day) == [2, 4]
    assert not tested.control.any()


def test_history_without_tags_teaches_nothing():
    tested = found(TRIED.assign(provenance="human"), EVERY_DAY)
    assert len(tested.index) == 0
    assert len(tested.trials.unit) == 0


def test_keywords_told_of_in_periods_teach_nothing():
    rows = rows_of((0, 0, 9.0), length=6)
    assert len(found(TRIED, rows).index) == 0


def test_capped_days_by_hand():
    """Unit 0 spends 2 a click in campaign 0, unit 1 in campaign 1 with an unknown budget."""
    rows = rows_of((0, 0, 5.0), (0, 1, 4.0), (1, 1, 50.0))
    campaign = np.array([0, 1, 1])
    capped, start = capped_days(campaign, rows, np.array([10.0, np.nan]), 0.95)
    assert start == START
    assert capped.tolist() == [[True, False], [False, False]]
