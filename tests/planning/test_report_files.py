import csv
import io
from datetime import date, timedelta

import numpy as np
import pytest

from optimizer.planning.market import Log, as_known
from optimizer.planning.report_files import keyword_report, search_terms_report

COUNTS = ("Impr.", "Clicks", "Cost", "Conversions", "Conv. value")


def parsed(content: bytes) -> tuple[list[str], list[dict[str, str]], list[dict[str, str]]]:
    """Preamble, rows and trailer of a report file."""
    title, period, rest = content.decode().split("\n", 2)
    rows = list(csv.DictReader(io.StringIO(rest)))
    totals = [row for row in rows if row["Match type"].startswith("Total: ")]
    return [title, period], rows[: len(rows) - len(totals)], totals


def number(text: str) -> float:
    return float(text.replace(",", ""))


def sums(rows: list[dict[str, str]]) -> list[float]:
    return [round(sum(number(row[name]) for row in rows), 2) for name in COUNTS]


@pytest.fixture(scope="module")
def keyword_file(default_log: Log, end: date) -> bytes:
    return keyword_report(default_log, end, 30)


def test_totals_equal_the_sum_of_rows(keyword_file: bytes) -> None:
    _, rows, totals = parsed(keyword_file)
    assert len(rows) > 20_000
    assert totals[0]["Match type"] == "Total: All but removed keywords"
    for total in totals:
        assert [number(total[name]) for name in COUNTS] == pytest.approx(sums(rows))


def test_rows_are_what_was_known(keyword_file: bytes, default_log: Log, end: date) -> None:
    known = as_known(default_log, end).keywords
    known = known[known["day"] >= np.datetime64(end - timedelta(days=30))]
    _, rows, _ = parsed(keyword_file)
    assert len(rows) == len(known)
    expected = [known["impressions"].sum(), known["clicks"].sum(), known["cost_micros"].sum() / 1e6]
    assert sums(rows)[:3] == pytest.approx(expected)


def test_preamble_names_title_and_days(keyword_file: bytes) -> None:
    preamble, rows, _ = parsed(keyword_file)
    assert preamble == ["Search keyword report", '"July 1, 2026 - July 30, 2026"']
    assert {row["Day"] for row in rows} == {f"2026-07-{day:02}" for day in range(1, 31)}


def test_cells_are_printed_as_the_platform_prints_them(keyword_file: bytes) -> None:
    text = keyword_file.decode()
    _, rows, totals = parsed(keyword_file)
    assert '"""' in text
    assert "\r" not in text
    marks = {(row["Match type"], row["Keyword"][0] in '["') for row in rows}
    assert marks == {("Exact match", True), ("Phrase match", True), ("Broad match", False)}
    bids = {row["Max. CPC"] for row in rows}
    assert " --" in bids
    assert any(bid.endswith(" (enhanced)") for bid in bids)
    assert {row["Keyword status"] for row in rows} == {"Enabled", "Paused"}
    assert "," in totals[0]["Clicks"]
    assert "," not in totals[0]["Cost"]
    idle = next(row for row in rows if row["Clicks"] == "0")
    assert (idle["CTR"], idle["Avg. CPC"], idle["Cost"]) == ("0.00%", "0", "0.00")


def test_search_terms_hide_the_rare_ones_from_rows_only(default_log: Log, end: date) -> None:
    preamble, rows, totals = parsed(search_terms_report(default_log, end, 30))
    by_label = {row["Match type"]: number(row["Impr."]) for row in totals}
    assert preamble[0] == "Search terms report"
    assert by_label["Total: Search terms"] == sums(rows)[0]
    assert by_label["Total: Account"] > by_label["Total: Search terms"]
    assert {row["Added/Excluded"] for row in rows} == {"None", "Added"}
    assert "Exact match (close variant)" in {row["Match type"] for row in rows}


def test_the_same_log_gives_the_same_bytes(default_log: Log, end: date) -> None:
    assert keyword_report(default_log, end, 10) == keyword_report(default_log, end, 10)


def test_a_report_without_rows_has_header_and_zero_totals(default_log: Log) -> None:
    _, rows, totals = parsed(keyword_report(default_log, default_log.first_day, 30))
    assert rows == []
    assert {total["Impr."] for total in totals} == {"0"}
