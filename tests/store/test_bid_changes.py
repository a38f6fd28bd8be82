"""Which bids were set by whom: only tests that reports confirm count as randomised."""

from datetime import date

import pandas as pd
import pytest

from optimizer.store.bid_changes import bid_changes
from optimizer.store.sql_store import SqlStore
from tests.store.samples import ANNA, keyword_report, keyword_row

NONE_TESTED = pd.DataFrame(
    {
        "entity_key": pd.Series(dtype="int64"),
        "bid": pd.Series(dtype="float64"),
        "first_day": pd.Series(dtype="datetime64[s]"),
        "last_day": pd.Series(dtype="datetime64[s]"),
    }
)
NONE_EXPORTED = pd.DataFrame(
    {"entity_key": pd.Series(dtype="int64"), "bid": pd.Series(dtype=float)}
)


def day(number: int) -> pd.Timestamp:
    return pd.Timestamp(2026, 7, number).as_unit("s")


def shown(*rows: tuple[int, int, float, int | None]) -> pd.DataFrame:
    """Reports of keyword 7 and others: (entity key, newest day, bid, day of its last change)."""
    key, newest, bid, changed = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "entity_key": key,
            "day": pd.Series([day(one) for one in newest], dtype="datetime64[s]"),
            "changed_on": pd.Series(
                [pd.NaT if one is None else day(one) for one in changed], dtype="datetime64[s]"
            ),
            "bid_micros": [round(one * 1_000_000) for one in bid],
        }
    )


def bids_tested(*rows: tuple[float, int, int]) -> pd.DataFrame:
    """Test bids of keyword 7: (bid, first day, last day)."""
    bid, first, last = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "entity_key": 7,
            "bid": bid,
            "first_day": pd.Series([day(one) for one in first], dtype="datetime64[s]"),
            "last_day": pd.Series([day(one) for one in last], dtype="datetime64[s]"),
        }
    )


def told(frame: pd.DataFrame) -> list[tuple[int, int, float, str]]:
    return [(row.entity_key, row.day.day, row.bid, row.provenance) for row in frame.itertuples()]


def test_an_unexplained_bid_is_an_operators():
    reports = shown((7, 5, 1.0, None), (7, 9, 1.0, None), (7, 12, 1.3, 11), (8, 5, 2.0, None))
    assert told(bid_changes(reports, NONE_TESTED, NONE_EXPORTED)) == [
        (7, 5, 1.0, "human"),
        (7, 11, 1.3, "human"),
        (8, 5, 2.0, "human"),
    ]


def test_a_bid_we_exported_is_the_optimizers():
    exported = pd.DataFrame({"entity_key": [7], "bid": [1.3]})
    reports = shown((7, 5, 1.0, None), (7, 12, 1.3, 11), (7, 15, 1.4, 14))
    provenance = [row[3] for row in told(bid_changes(reports, NONE_TESTED, exported))]
    assert provenance == ["human", "optimizer", "human"]


def test_a_test_that_went_live_is_randomised_and_hands_back():
    reports = shown((7, 5, 1.0, None), (7, 12, 1.1, 6), (7, 19, 0.9, 13), (7, 26, 1.0, 20))
    frame = bid_changes(reports, bids_tested((1.1, 6, 12), (0.9, 13, 19)), NONE_EXPORTED)
    assert told(frame) == [
        (7, 5, 1.0, "human"),
        (7, 6, 1.1, "randomised"),
        (7, 13, 0.9, "randomised"),
        (7, 20, 1.0, "human"),
    ]


def test_a_test_that_was_never_uploaded_teaches_nothing():
    reports = shown((7, 5, 1.0, None), (7, 12, 1.0, None))
    frame = bid_changes(reports, bids_tested((1.1, 6, 12)), NONE_EXPORTED)
    assert told(frame) == [(7, 5, 1.0, "human")]


def test_a_test_that_no_report_shows_is_not_believed():
    frame = bid_changes(shown((7, 5, 1.0, None)), bids_tested((1.1, 6, 12)), NONE_EXPORTED)
    assert told(frame) == [(7, 5, 1.0, "human")]


def test_a_bid_changed_in_the_middle_of_a_test_ends_it():
    reports = shown((7, 5, 1.0, None), (7, 12, 1.1, 6), (7, 16, 1.5, 15))
    frame = bid_changes(reports, bids_tested((1.1, 6, 12), (0.9, 13, 19)), NONE_EXPORTED)
    assert told(frame) == [
        (7, 5, 1.0, "human"),
        (7, 6, 1.1, "randomised"),
        (7, 13, 1.0, "human"),
        (7, 15, 1.5, "human"),
    ]


def test_a_report_from_before_the_platform_took_the_file_costs_its_own_days_only():
    reports = shown((7, 5, 1.0, None), (7, 6, 1.0, None), (7, 9, 1.1, None), (7, 12, 1.1, None))
    frame = bid_changes(reports, bids_tested((1.1, 6, 12)), NONE_EXPORTED)
    assert told(frame) == [(7, 5, 1.0, "human"), (7, 9, 1.1, "randomised"), (7, 13, 1.0, "human")]


def test_a_test_begins_on_the_day_the_file_tells():
    reports = shown((7, 5, 1.0, None), (7, 6, 1.0, None), (7, 12, 1.1, 8))
    frame = bid_changes(reports, bids_tested((1.1, 6, 12)), NONE_EXPORTED)
    assert told(frame)[1] == (7, 8, 1.1, "randomised")


@pytest.mark.parametrize(("changed", "ends"), [(None, 10), (11, 11)])
def test_a_bid_somebody_moved_ends_the_test_that_reports_had_shown(
    changed: int | None, ends: int
) -> None:
    reports = shown((7, 5, 1.0, None), (7, 9, 1.1, 6), (7, 12, 1.5, changed))
    frame = bid_changes(reports, bids_tested((1.1, 6, 12)), NONE_EXPORTED)
    assert told(frame) == [
        (7, 5, 1.0, "human"),
        (7, 6, 1.1, "randomised"),
        (7, ends, 1.5, "human"),
    ]


def test_the_old_bid_back_in_the_middle_of_a_test_is_no_part_of_it():
    reports = shown((7, 5, 1.0, None), (7, 7, 1.1, 6), (7, 9, 1.0, None), (7, 11, 1.1, None))
    frame = bid_changes(reports, bids_tested((1.1, 6, 12)), NONE_EXPORTED)
    assert told(frame) == [
        (7, 5, 1.0, "human"),
        (7, 6, 1.1, "randomised"),
        (7, 8, 1.0, "human"),
        (7, 11, 1.1, "randomised"),
        (7, 13, 1.0, "human"),
    ]


def test_imported_history_is_human(store: SqlStore):
    for as_of, bid in ((4, 1_000_000), (6, 1_200_000)):
        rows = [keyword_row(f"2026-07-0{as_of - 1}", bid_micros=bid)]
        store.append_report(keyword_report(rows), "shop", date(2026, 7, as_of), ANNA)
    frame = store.review_tables("shop", date(2026, 7, 6), 30).bid_changes
    assert list(frame["bid"]) == pytest.approx([1.0, 1.2])
    assert list(frame["day"].dt.day) == [3, 5]
    assert set(frame["provenance"]) == {"human"}


def test_reports_without_bids_tell_of_none(store: SqlStore):
    rows = [keyword_row("2026-07-03", bid_micros=None)]
    store.append_report(keyword_report(rows), "shop", date(2026, 7, 4), ANNA)
    assert store.review_tables("shop", date(2026, 7, 4), 30).bid_changes.empty
