"""Hourly rows: what they tell of the share of the day served, on days of 23 and 25 hours too.

A report names hours by the clock on the wall: when clocks go forward one label is missing, when they
go back one label stands for two hours.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from optimizer.reports.segments import share_unserved
from optimizer.tables import Report
from tests.reports.samples import HEADER, read_text, report_text, row

FORWARD, BACK = date(2026, 3, 29), date(2026, 10, 25)
ORDINARY = tuple(date(2026, 9, day) for day in (1, 2, 3))
HOURS = f"{HEADER},Hour of the day"
SHOWN = 100


def labels(day: date) -> list[int]:
    """The labels of the day's hours, in order."""
    hours = list(range(24))
    return (
        hours[:2] + hours[3:] if day == FORWARD else hours[:2] + hours[1:] if day == BACK else hours
    )


def of_days(*days: date, last: int = 23) -> pd.DataFrame:
    """A campaign shown evenly in every hour of each day up to the label `last`."""
    rows = [("a", day, hour, SHOWN) for day in days for hour in labels(day) if hour <= last]
    return pd.DataFrame(rows, columns=["campaign", "day", "hour", "impressions"])


@pytest.mark.parametrize("day", [FORWARD, BACK])
def test_hour_that_is_missing_or_doubled_is_no_silence(day: date) -> None:
    found = share_unserved(of_days(*ORDINARY, day))
    assert found["unserved"].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("day", [FORWARD, BACK])
def test_such_a_day_that_ends_early_lost_what_others_show_later(day: date) -> None:
    found = share_unserved(pd.concat([of_days(*ORDINARY), of_days(day, last=11)]))
    assert found.set_index("day")["unserved"][day] == pytest.approx(0.5)


@pytest.mark.parametrize("day", [FORWARD, BACK])
def test_such_a_day_hardly_moves_what_is_usual(day: date) -> None:
    short = date(2026, 9, 4)
    found = share_unserved(pd.concat([of_days(*ORDINARY, day), of_days(short, last=11)]))
    assert found.set_index("day")["unserved"][short] == pytest.approx(0.5, abs=0.01)


def hourly(folder: Path, *days: tuple[date, list[int]]) -> Report:
    """One keyword, a row for every hour named of each day."""
    rows = [
        f"{row(day=day, impressions=SHOWN, cost=f'0.{10 + hour}', conversions='0.00')},{hour}"
        for day, hours in days
        for hour in hours
    ]
    return read_text(folder, report_text(rows, HOURS), as_of=date(2026, 11, 1))


def test_hours_of_a_report_sum_into_days_and_tell_what_was_not_served(tmp_path: Path) -> None:
    days = [(day, labels(day)) for day in (*ORDINARY, FORWARD)]
    report = hourly(tmp_path, *days, (date(2026, 9, 4), list(range(12))))
    told = report.rows.set_index("first_day")
    assert told["impressions"].to_dict() == {
        pd.Timestamp(FORWARD): 2300,
        **{pd.Timestamp(day): 2400 for day in ORDINARY},
        pd.Timestamp("2026-09-04"): 1200,
    }
    unserved = told["lost_is_budget"]
    assert unserved[pd.Timestamp("2026-09-04")] == pytest.approx(0.5, abs=0.01)
    assert unserved[pd.Timestamp(FORWARD)] == 0
    assert report.reconciliation.rows_dropped == {"segment_merged": 107 - 5}


def test_hour_that_a_report_tells_twice_is_set_apart_and_not_summed(tmp_path: Path) -> None:
    days = [(day, labels(day)) for day in (*ORDINARY, BACK)]
    report = hourly(tmp_path, *days)
    assert report.quarantine["code"].tolist() == ["duplicate_key"] * 2
    told = report.rows.set_index("first_day")
    assert told["impressions"][pd.Timestamp(BACK)] == 2300
    assert told["lost_is_budget"][pd.Timestamp(BACK)] == 0
