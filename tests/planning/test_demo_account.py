from datetime import date, timedelta

import pytest

from optimizer.planning.account_frames import account_frames
from optimizer.planning.demo_account import DAYS, DemoReport, demo_log, demo_reports
from optimizer.planning.market import MarketSettings
from optimizer.tables import (
    KEYWORD_DAILY,
    KEYWORDS,
    TERM_DAILY,
    TERMS,
    VERSIONS,
    check_table,
)

TODAY = date(2026, 10, 31)


@pytest.fixture(scope="module")
def reports() -> list[DemoReport]:
    return demo_reports(MarketSettings(), 0, TODAY)


def days_of(report: DemoReport) -> set[bytes]:
    lines = report.content.split(b"\n")[3:]
    return {line.split(b"match,")[1][:10] for line in lines if b" match,202" in line}


def test_downloads_overlap_and_cover_every_day(reports: list[DemoReport]) -> None:
    *keyword_reports, terms, ads = reports
    covered = set().union(*(days_of(report) for report in keyword_reports))
    assert len(covered) == DAYS
    assert max(covered) == str(TODAY - timedelta(days=1)).encode()
    assert [r.as_of for r in keyword_reports] == sorted(r.as_of for r in keyword_reports)
    assert len({r.name for r in reports}) == len(reports) == 9
    assert terms.as_of == ads.as_of == TODAY


def test_the_same_seed_gives_the_same_files(reports: list[DemoReport]) -> None:
    assert demo_reports(MarketSettings(), 0, TODAY) == reports


def test_frames_match_the_tables_a_review_reads() -> None:
    log = demo_log(MarketSettings(), 0, TODAY)
    frames = account_frames(log, TODAY, [TODAY - timedelta(days=7)])
    for frame, table in (
        (frames.keywords, KEYWORDS),
        (frames.daily, KEYWORD_DAILY),
        (frames.terms, TERMS),
        (frames.term_daily, TERM_DAILY),
        (frames.versions, VERSIONS),
    ):
        assert list(check_table(frame, table).columns) == list(table.columns)
    assert frames.versions["clicks"].sum() > frames.daily["clicks"].sum()
