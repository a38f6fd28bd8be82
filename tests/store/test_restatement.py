from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from optimizer.store import history, open_store
from optimizer.store.history import HistoryFile, Window
from optimizer.store.sql_store import SqlStore
from tests.store.samples import ANNA, keyword_report, keyword_row, term_report, term_row

START = date(2026, 3, 1)
LATER = date(2026, 4, 1)


def day(number: int) -> date:
    return START + timedelta(days=number)


def told(store: SqlStore, as_of: date, **clicks: int) -> Any:
    """Import a file of `as_of` that gives the clicks of days d1, d2, ... of one keyword."""
    rows = [keyword_row(day(int(name[1:])).isoformat(), clicks=n) for name, n in clicks.items()]
    report = keyword_report(rows, file_name=f"{as_of}.csv")  # other bytes than on other days
    return store.append_report(report, "shop", as_of, ANNA)


def clicks(store: SqlStore, as_of: date = LATER) -> dict[str, float]:
    daily = store.review_tables("shop", as_of, 90).daily
    days = (daily["first_day"] - pd.Timestamp(START)).dt.days
    return {f"d{number}": count for number, count in zip(days, daily["clicks"], strict=True)}


def test_newest_download_wins_and_older_days_stay_readable(store: SqlStore) -> None:
    told(store, day(2), d0=10, d1=5)
    batch = told(store, day(3), d0=10, d1=6, d2=1)
    assert batch.rows_changed == 2
    assert clicks(store) == {"d0": 10, "d1": 6, "d2": 1}
    assert clicks(store, day(2)) == {"d0": 10, "d1": 5}


def test_older_download_imported_late_stays_the_older_version(store: SqlStore) -> None:
    told(store, day(5), d0=9)
    assert told(store, day(3), d0=4).rows_changed == 1
    assert clicks(store) == {"d0": 9}
    assert clicks(store, day(4)) == {"d0": 4}


def test_late_older_download_does_not_hide_what_a_newer_one_confirmed(store: SqlStore) -> None:
    told(store, day(2), d0=5)
    assert told(store, day(6), d0=5).rows_changed == 0
    told(store, day(4), d0=7)
    assert clicks(store) == {"d0": 5}
    assert clicks(store, day(5)) == {"d0": 7}
    assert clicks(store, day(3)) == {"d0": 5}


def test_same_day_downloads_follow_the_order_of_import(store: SqlStore) -> None:
    told(store, day(4), d0=7)
    told(store, day(4), d0=5)
    assert clicks(store) == {"d0": 5}


def test_run_off_triangle_sums_what_was_known(store: SqlStore) -> None:
    told(store, day(2), d0=10, d1=5)
    told(store, day(3), d1=6, d2=1)
    told(store, day(4), d2=1)
    versions = store.review_tables("shop", LATER, 90).versions
    triangle = {
        ((row["day"].date() - START).days, (row["as_of"].date() - START).days): row["clicks"]
        for row in versions.to_dict("records")
    }
    assert triangle == {(0, 2): 10, (1, 2): 5, (1, 3): 6, (2, 3): 1, (2, 4): 1}


def test_unknown_value_stays_unknown(store: SqlStore) -> None:
    rows = [keyword_row("2026-03-01", value_micros=None)]
    store.append_report(keyword_report(rows), "shop", day(2), ANNA)
    assert store.review_tables("shop", day(2), 90).daily["value"].isna().all()
    assert store.review_tables("shop", day(2), 90).versions["value"].isna().all()
    known = [keyword_row("2026-03-01", value_micros=0)]
    batch = store.append_report(keyword_report(known), "shop", day(3), ANNA)
    assert batch.rows_changed == 1
    assert store.review_tables("shop", day(3), 90).daily["value"].tolist() == [0.0]
    assert store.review_tables("shop", day(3), 90).versions["value"].tolist()[1:] == [0.0]


def test_terms_are_restated_too(store: SqlStore) -> None:
    for as_of, conversions in ((day(2), 0.0), (day(3), 1.5)):
        report = term_report([term_row("2026-03-01", conversions=conversions)])
        store.append_report(report, "shop", as_of, ANNA)
    assert store.review_tables("shop", day(3), 90).term_daily["conversions"].tolist() == [1.5]
    assert store.review_tables("shop", day(2), 90).term_daily["conversions"].tolist() == [0.0]


Download = tuple[int, dict[str, int]]
downloads = st.dictionaries(
    st.integers(8, 14),
    st.dictionaries(st.sampled_from(["d0", "d1", "d2", "d3"]), st.integers(0, 3), min_size=1),
    min_size=1,
    max_size=5,
).flatmap(lambda files: st.permutations(sorted(files.items())))


@settings(max_examples=12, deadline=None, phases=[Phase.generate])  # shrinking takes minutes
@given(files=downloads)
def test_order_of_import_does_not_matter(files: Sequence[Download]) -> None:
    """Reads of every as_of equal the files themselves laid over each other by as_of."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        for as_of, counts in files:
            told(store, day(as_of), **counts)
        for known in sorted(as_of for as_of, _ in files):
            expected: dict[str, float] = {}
            for as_of, counts in sorted(files):
                expected |= counts if as_of <= known else {}
            found = store.keyword_days("shop", day(known), 90).daily
            counts_by_day = zip(found["first_day"], found["clicks"], strict=True)
            assert {f"d{(at.date() - START).days}": n for at, n in counts_by_day} == expected
        store.close()


def test_weighted_sums_per_keyword(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    told(store, day(2), d0=10, d1=5)
    told(store, day(3), d1=6)
    files = [
        HistoryFile(path, START, day(1)) for path in (tmp_path / "history").glob("*_day.parquet")
    ]
    window = Window(START, day(5), day(9))
    found = history.sums(files, window, {START: 0.5, day(1): 2.0})
    assert found[["clicks", "cost"]].values.tolist() == [[17.0, 12.5]]
    assert history.sums(files, window)["clicks"].tolist() == [16.0]
    assert history.sums([], window).empty
    store.close()


def test_periods_count_only_where_there_are_no_days(store: SqlStore) -> None:
    month = {"first_day": "2026-03-01", "last_day": "2026-03-31", "clicks": 300}
    blue = keyword_row("", keyword_text="blue shoes") | month
    red = keyword_row("") | month
    store.append_report(keyword_report([red, blue], grain="keyword_period"), "shop", LATER, ANNA)
    told(store, LATER, d1=7)
    found = store.review_tables("shop", LATER, 60)
    assert sorted(found.daily["clicks"]) == [7.0, 300.0]
    assert len(found.keywords) == 2


@pytest.mark.parametrize("newer_first", [True, False])
def test_overlapping_periods_count_once(store: SqlStore, newer_first: bool) -> None:
    half = keyword_row("") | {"first_day": "2026-03-01", "last_day": "2026-03-15", "clicks": 1}
    whole = keyword_row("") | {"first_day": "2026-03-01", "last_day": "2026-03-31", "clicks": 2}
    files = [(half, date(2026, 3, 16)), (whole, LATER)]
    for row, as_of in files[::-1] if newer_first else files:
        report = keyword_report([row], grain="keyword_period")
        store.append_report(report, "shop", as_of, ANNA)
    assert store.review_tables("shop", LATER, 60).daily["clicks"].tolist() == [2.0]


def test_history_as_known_then_is_one_argument(store: SqlStore) -> None:
    told(store, day(2), d0=10, d1=5)
    told(store, day(4), d0=12, d1=5, d2=7)
    known = [clicks(store, day(number)) for number in (2, 3, 4)]
    before = {"d0": 10, "d1": 5}
    assert known == [before, before, {"d0": 12, "d1": 5, "d2": 7}]


@pytest.mark.parametrize("name", ["a*", "a?", "[ab]", "it's [1"])
def test_folder_named_like_a_pattern_reads_its_own_files_alone(tmp_path: Path, name: str) -> None:
    others, own = open_store(tmp_path / "ab"), open_store(tmp_path / name)
    told(others, day(2), d0=3)
    told(own, day(2), d0=10)
    told(own, day(3), d0=12, d1=1)
    assert clicks(own) == {"d0": 12, "d1": 1}
    assert clicks(own, day(2)) == {"d0": 10}
    others.close()
    own.close()
