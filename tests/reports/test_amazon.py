"""Amazon's bulk sheet and reports, as the console makes them, with the traps real files hold."""

from __future__ import annotations

import os
from datetime import date
from typing import Any

import pandas as pd
import pytest

from optimizer.errors import RefusedInput
from optimizer.reports import Told, identify
from optimizer.reports.reading import read_report, read_reports
from optimizer.tables import Report
from tests.reports import amazon_files as amazon
from tests.reports.samples import CONFIGS, DATA
from tests.reports.test_golden import as_json

AS_OF = date(2026, 10, 1)
USD = Told(currency="USD")
UNIFIED = (
    "Budget currency,Campaign ID,Campaign name,Ad group ID,Ad group name,Targeting,"
    "Targeting match type,Target type,Target ID,Target status,Target bid,Search term,Date,"
    "Impressions,Clicks,Total cost,Purchases,Sales,Units sold"
)


@pytest.fixture(scope="module")
def bulk(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Report]:
    """What the bulk download becomes, by profile."""
    path = amazon.bulk_book(tmp_path_factory.mktemp("bulk"))
    reports = read_reports(path, CONFIGS, None, AS_OF, told=USD, accept_quarantine=True)
    return {report.reconciliation.profile: report for report in reports}


def by_text(report: Report, *columns: str) -> dict[str, Any]:
    rows = report.rows.set_index("keyword_text")[list(columns)].astype(object)
    return {text: tuple(row) for text, row in zip(rows.index, rows.to_numpy(), strict=True)}


def golden(report: Report, name: str) -> None:
    path = DATA / f"{name}.golden.json"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(as_json(report), encoding="utf-8")
    assert as_json(report) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("part", ["keywords", "statistics", "negatives", "search_terms"])
def test_bulk_sheet_becomes_its_golden_file(bulk: dict[str, Report], part: str) -> None:
    golden(bulk[f"amazon_bulk_{part}"], f"amazon_bulk_{part}")


def test_keyword_without_a_bid_inherits_its_ad_groups(bulk: dict[str, Report]) -> None:
    found = by_text(bulk["amazon_bulk_keywords"], "bid_micros", "bid_source")
    assert found["travel mug"] == (1_100_000, "own")
    assert found["coffee mug"] == (750_000, "inherited")


def test_campaign_and_ad_group_rows_lend_their_settings(bulk: dict[str, Report]) -> None:
    names = ("campaign_name", "ad_group_name", "campaign_budget_micros", "bidding_mode")
    found = by_text(bulk["amazon_bulk_keywords"], *names)
    assert found["travel mug"] == ("Mugs Manual", "Exact mugs", 50_000_000, "manual")
    assert found["close-match"] == ("Mugs Auto", "Auto", 20_000_000, "enhanced")


def test_kinds_of_target_are_told_by_their_expression(bulk: dict[str, Report]) -> None:
    found = by_text(bulk["amazon_bulk_keywords"], "target_type", "match_type")
    assert found["+crocs +charms"] == ("keyword", "BROAD")
    assert found["close-match"] == ("auto", "AUTO")
    assert found['asin="B0RIVAL001"'] == ("product", "PRODUCT")
    assert found['category="Mugs & Cups"'] == ("category", "PRODUCT")


def test_ids_are_texts_and_one_that_lost_digits_is_set_apart(bulk: dict[str, Report]) -> None:
    report = bulk["amazon_bulk_keywords"]
    assert by_text(report, "keyword_id")["+crocs +charms"] == ("0344382946",)
    assert report.quarantine.to_dict("records") == [
        {"line": 12, "column": "Keyword ID", "code": "id_lost_digits", "text": "3.44383E+14"}
    ]


def test_counts_of_other_levels_are_not_counted_again(bulk: dict[str, Report]) -> None:
    told = bulk["amazon_bulk_statistics"].reconciliation
    assert told.totals["clicks"] == 40.0
    assert told.rows_dropped == {"other_row": 11}
    assert told.period == (date(2026, 9, 1), date(2026, 9, 30))


def test_bulk_sheet_states_no_currency_and_asks_for_it(tmp_path: Any) -> None:
    with pytest.raises(RefusedInput, match="answer_missing"):
        read_reports(amazon.bulk_book(tmp_path), CONFIGS, None, AS_OF)


def test_bulk_sheet_under_another_name_is_settings_only(tmp_path: Any) -> None:
    path = amazon.bulk_book(tmp_path, name="mugs.xlsx")
    assert identify(path, CONFIGS) == ["amazon_bulk_keywords", "amazon_bulk_negatives"]
    with pytest.raises(RefusedInput, match="period_missing"):
        read_report(path, CONFIGS, "amazon_bulk_statistics", AS_OF, told=USD)


def test_bulk_sheet_without_names_beside_ids_takes_them_from_the_parents(tmp_path: Any) -> None:
    lent = ("(Informational only)",)
    rows = [
        {name: cell for name, cell in row.items() if not name.endswith(lent)}
        for row in amazon.bulk_rows()
        if row.get("Keyword Text") != "broken id"
    ]
    path = amazon.bulk_book(tmp_path, rows=rows)
    report = read_report(path, CONFIGS, "amazon_bulk_keywords", AS_OF, told=USD)
    found = by_text(report, "ad_group_name", "bid_micros")
    assert found["coffee mug"] == ("Exact mugs", 750_000)


def test_bulk_sheet_saved_as_csv_reads_the_same(tmp_path: Any, bulk: dict[str, Report]) -> None:
    path = tmp_path / "bulk.csv"
    rows = pd.DataFrame(amazon.bulk_rows(), columns=list(amazon.BULK_HEADER), dtype="object")
    rows.to_csv(path, index=False)
    reports = read_reports(path, CONFIGS, None, AS_OF, told=USD, accept_quarantine=True)
    found = {report.reconciliation.profile: report.rows for report in reports}
    assert found.keys() == {"amazon_bulk_keywords", "amazon_bulk_negatives"}
    pd.testing.assert_frame_equal(
        found["amazon_bulk_keywords"], bulk["amazon_bulk_keywords"].rows, check_categorical=False
    )


def test_daily_targeting_report_becomes_its_golden_file(tmp_path: Any) -> None:
    path = amazon.targeting_book(tmp_path)
    assert identify(path, CONFIGS) == ["amazon_targeting"]
    golden(read_report(path, CONFIGS, None, AS_OF), "amazon_targeting")


def test_orders_above_clicks_and_without_any_are_kept_and_told(tmp_path: Any) -> None:
    told = read_report(amazon.targeting_book(tmp_path), CONFIGS, None, AS_OF).reconciliation
    assert told.rows_quarantined == 0
    assert told.warnings == {
        "clicks_above_impressions": 1,
        "conversions_above_clicks": 1,
        "conversions_without_clicks": 1,
    }
    assert told.attribution_window_days == 7


def test_rows_of_a_summary_stand_for_the_period_of_the_file(tmp_path: Any) -> None:
    report = read_report(amazon.search_term_book(tmp_path), CONFIGS, None, AS_OF)
    golden(report, "amazon_search_terms")
    assert report.grain == "search_term_period"
    assert report.rows["first_day"].unique().tolist() == [pd.Timestamp(2026, 9, 2)]
    assert report.rows["last_day"].unique().tolist() == [pd.Timestamp(2026, 9, 28)]


def test_summary_that_reaches_the_download_day_is_refused(tmp_path: Any) -> None:
    with pytest.raises(RefusedInput, match="period_not_over"):
        read_report(amazon.search_term_book(tmp_path), CONFIGS, None, date(2026, 9, 28))


def csv_report(folder: Any, days: list[str], window: str = "7 Day Total") -> Any:
    names = "Date,Currency,Campaign Name,Ad Group Name,Targeting,Match Type"
    header = f"{names},Impressions,Clicks,Spend,{window} Sales,{window} Orders (#)"
    rows = [f'"{day}",USD,C,G,mug {at},BROAD,10,1,1.00,0,0' for at, day in enumerate(days)]
    path = folder / "targeting.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("days", "first"),
    [
        (["09/03/2026", "13/03/2026"], date(2026, 3, 9)),
        (["03/09/2026", "03/13/2026"], date(2026, 3, 9)),
        (["09/11/2026"], date(2026, 9, 11)),
        (["Mar 09, 2026"], date(2026, 3, 9)),
    ],
)
def test_the_whole_file_says_which_way_round_its_dates_are(
    tmp_path: Any, days: list[str], first: date
) -> None:
    report = read_report(csv_report(tmp_path, days), CONFIGS, None, AS_OF)
    assert report.rows["first_day"].min().date() == first


def test_dates_that_can_be_read_both_ways_are_refused(tmp_path: Any) -> None:
    with pytest.raises(RefusedInput, match="dates_ambiguous"):
        read_report(csv_report(tmp_path, ["09/03/2026", "08/03/2026"]), CONFIGS, None, AS_OF)


def test_window_of_a_vendor_is_read_off_the_header(tmp_path: Any) -> None:
    report = read_report(csv_report(tmp_path, ["2026-09-01"], "14 Day Total"), CONFIGS, None, AS_OF)
    assert report.reconciliation.attribution_window_days == 14


def unified(folder: Any) -> Any:
    mug = 'USD,="0123",Mugs,="456",All,travel mug,Exact,Keyword,="789",ENABLED,1.20'
    auto = 'USD,"=""0123""",Mugs,="456",All,close-match,—,Auto,="790",PAUSED,0.40'
    rows = [
        f'{mug},—,"Sep 07, 2026",90,0,0.00,0,0.00,0',
        f'{mug},best mug,"Sep 07, 2026",10,2,1.50,1,20.00,1',
        f'{auto},mugs,"Sep 07, 2026",5,1,0.40,-,-,-',
    ]
    path = folder / "Targeting_2026.csv"
    path.write_text("\n".join([UNIFIED, *rows]) + "\n", encoding="utf-8-sig")
    return path


def test_unified_report_gives_targets_and_their_terms(tmp_path: Any) -> None:
    targets, terms = sorted(
        read_reports(unified(tmp_path), CONFIGS, None, AS_OF), key=lambda each: each.grain
    )
    golden(targets, "amazon_unified_targeting")
    golden(terms, "amazon_unified_search_terms")
    mug = targets.rows.set_index("keyword_id").loc["789"]
    assert (mug["campaign_id"], mug["impressions"], mug["bid_micros"]) == ("0123", 100, 1_200_000)
    assert terms.reconciliation.rows_dropped == {"other_row": 1}
