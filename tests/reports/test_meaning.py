"""What cells mean: bids, decoration, censored shares, partial days, segments, totals."""

from datetime import date

import pytest

from tests.reports.samples import (
    FILLER_ROWS,
    HEADER,
    filler,
    read_rows,
    read_text,
    report_text,
    row,
)


@pytest.mark.parametrize(
    ("cell", "bid", "mode"),
    [
        ("1.25", 1_250_000, "manual"),
        ("1.25 (enhanced)", 1_250_000, "enhanced"),
        (" --", None, "automated"),
        ("auto: 1.25", 1_250_000, "automated"),
        ("0.00", None, "manual"),
        ('"1,250.00"', 1_250_000_000, "manual"),
    ],
)
def test_bid_cell_tells_the_bid_and_the_mode(tmp_path, cell, bid, mode):
    first = read_rows(tmp_path, row(bid=cell)).rows.iloc[0]
    assert (None if bid is None else int(first["bid_micros"])) == bid
    assert first["bidding_mode"] == mode


@pytest.mark.parametrize(
    ("cell", "match", "text"),
    [
        ("[red shoes]", "Exact match", "red shoes"),
        ('"""red shoes"""', "Phrase match", "red shoes"),
        ("[red shoes]", "Broad match", "[red shoes]"),
        ('"""red shoes"""', "Exact match", '"red shoes"'),
        ("+red +shoes", "Broad match", "+red +shoes"),
        ("=red", "Broad match", "=red"),
    ],
)
def test_decoration_goes_only_where_the_match_type_agrees(tmp_path, cell, match, text):
    rows = read_rows(tmp_path, row(keyword=cell, match=match)).rows
    assert rows["keyword_text"].iloc[0] == text


@pytest.mark.parametrize(
    ("cell", "share", "censor"),
    [("35.20%", 0.352, "none"), ("< 10%", None, "lt"), ("> 90%", None, "gt"), (" --", None, None)],
)
def test_censored_share_is_a_bound_and_no_number(tmp_path, cell, share, censor):
    text = report_text([f"{line},{cell}" for line in filler(3)], HEADER + ",Search impr. share")
    first = read_text(tmp_path, text).rows.iloc[0]
    assert (first["impression_share"] if share else None) == (
        pytest.approx(share) if share else None
    )
    assert (first["impression_share_censor"] if censor else None) == censor


def test_money_is_exact_micros(tmp_path):
    rows = read_rows(tmp_path, row(cost="0.1"), row(keyword="b", cost='"1,234,567.891234"')).rows
    assert rows["cost_micros"].tolist()[:2] == [100_000, 1_234_567_891_234]


def test_export_day_is_dropped_since_it_is_not_over(tmp_path):
    report = read_rows(tmp_path, row(day="2026-09-09"), row(day="2026-09-10"))
    assert report.reconciliation.rows_dropped == {"partial_day": 1}
    assert report.reconciliation.period == (date(2026, 9, 1), date(2026, 9, 9))


def test_day_may_be_written_in_words(tmp_path):
    rows = read_rows(tmp_path, row(day='"Sep 2, 2026"')).rows
    assert rows["first_day"].iloc[0].date() == date(2026, 9, 2)


def test_segments_sum_into_their_day(tmp_path):
    lines = [f"{row(clicks=3)},Mobile", f"{row(clicks=4)},Desktop", f"{row(clicks=9)},Desktop"]
    lines[2] = lines[2].replace("red shoes", "blue shoes")
    report = read_text(tmp_path, report_text(lines, HEADER + ",Device"))
    assert report.rows["clicks"].tolist() == [7, 9]
    assert report.rows["source_row"].tolist() == [4, 6]
    assert report.reconciliation.rows_dropped == {"segment_merged": 1}
    assert report.reconciliation.totals["clicks"] == 16


def test_same_segment_twice_is_a_duplicate(tmp_path):
    lines = [f"{row()},Mobile", f"{row()},Mobile", *(f"{line},Mobile" for line in filler())]
    report = read_text(tmp_path, report_text(lines, HEADER + ",Device"))
    assert report.reconciliation.duplicates == 2
    assert len(report.rows) == FILLER_ROWS


def total(label, **sums):
    return row(day=" --", campaign=" --", ad_group="", keyword="", match=label, bid="", **sums)


def test_trailer_row_that_counts_our_rows_is_the_checksum(tmp_path):
    lines = [
        *filler(2),
        total("Total: Your keywords", impressions=200, clicks=20, cost="10", conversions=2, value=60),
        total("Total: Keywords in your account", impressions=900, clicks=90, cost="50", conversions=9, value=90),
        total("Total: Video", impressions=5, clicks=5, cost="5", conversions=5, value=5),
    ]  # fmt: skip
    found = read_text(tmp_path, report_text(lines)).reconciliation
    assert {check.name: (check.file, check.ok) for check in found.checksums}["clicks"] == (20, True)
    assert found.rows_dropped == {"total_row": 3}
    assert "totals_missing" not in found.warnings


def test_total_that_an_unreadable_row_explains_is_reported_not_refused(tmp_path):
    sums = {"impressions": 4100, "clicks": 410, "cost": "205", "conversions": 41, "value": 1230}
    lines = [row(cost="x"), *filler(40), total("Total: Your keywords", **sums)]
    found = read_text(tmp_path, report_text(lines)).reconciliation
    assert [check.name for check in found.checksums if not check.ok] == ["cost"]
    assert found.warnings["totals_unreconciled"] == 1


def test_keyword_that_begins_with_total_is_a_keyword(tmp_path):
    report = read_rows(tmp_path, row(keyword="Total: gym"))
    assert report.rows["keyword_text"].iloc[0] == "Total: gym"


def test_absent_columns_are_unknown_and_not_zero(tmp_path):
    rows = read_rows(tmp_path).rows
    assert rows[["quality_score", "campaign_id", "first_page_bid_micros"]].isna().all(axis=None)
