"""Item tables, item logs and organic words: what is kept of each file, and what is set apart and why."""

from __future__ import annotations

import os
from datetime import date, datetime
from pathlib import Path

import pytest

from optimizer.errors import RefusedInput
from optimizer.reports import Told, identify, read_report
from optimizer.reports.profiles import TABLES, load_profile
from optimizer.tables import Report, check_table
from tests.reports.amazon_files import write_book
from tests.reports.samples import CONFIGS, DATA
from tests.reports.test_golden import as_json

AS_OF = date(2026, 9, 4)
SAMPLES = ("items", "item_log", "organic_words")
YUAN = Told(currency="CNY")


def read(path: Path, told: Told = YUAN, *, accept: bool = True) -> Report:
    return read_report(path, CONFIGS, None, AS_OF, told=told, accept_quarantine=accept)


def codes(report: Report) -> list[tuple[int, str, str]]:
    apart = report.quarantine
    return list(zip(apart["line"], apart["column"], apart["code"], strict=True))


def written(folder: Path, text: str, name: str = "items.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_is_identified_and_becomes_its_golden_file(name: str) -> None:
    assert identify(DATA / f"{name}.csv", CONFIGS) == [name]
    report = read(DATA / f"{name}.csv")
    check_table(report.rows, TABLES[load_profile(CONFIGS, name).grain])
    golden = DATA / f"{name}.golden.json"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(as_json(report), encoding="utf-8")
    assert as_json(report) == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SAMPLES)
def test_every_line_is_accounted_for(name: str) -> None:
    told = read(DATA / f"{name}.csv").reconciliation
    apart = told.rows_quarantined + sum(told.rows_dropped.values())
    assert told.rows_read == told.rows_kept + apart
    assert told.totals == {}


def test_what_is_wrong_with_an_item_is_named() -> None:
    assert codes(read(DATA / "items.csv")) == [
        (6, "商品ID", "id_lost_digits"),
        (7, "阶段", "word_unknown"),
        (8, "毛利率", "share_above_one"),
        (9, "售价", "not_positive"),
        (10, "商品ID", "duplicate_key"),
        (11, "商品ID", "duplicate_key"),
        (12, "补货日期", "bad_date"),
        (13, "最大亏损", "negative"),
    ]


def test_what_is_wrong_with_a_log_entry_is_named() -> None:
    assert codes(read(DATA / "item_log.csv")) == [
        (7, "Date", "future_day"),
        (8, "SKU", "change_missing"),
        (9, "Price", "not_positive"),
        (10, "SKU", "duplicate_key"),
        (11, "SKU", "duplicate_key"),
        (12, "Date", "bad_date"),
    ]


def test_log_entry_of_the_download_day_counts() -> None:
    rows = read(DATA / "item_log.csv").rows
    assert rows["first_day"].max().date() == AS_OF


def test_organic_words_without_word_or_orders_are_set_apart() -> None:
    report = read(DATA / "organic_words.csv")
    assert [code for _, _, code in codes(report)] == [
        *("value_missing", "not_a_number", "duplicate_key", "duplicate_key")
    ]
    assert report.reconciliation.period == (date(2026, 8, 5), date(2026, 9, 3))


def test_english_workbook_reads_like_the_chinese_file(tmp_path: Path) -> None:
    header = (
        "SKU",
        "stage",
        "Margin rate",
        "Stock",
        "Restock date",
        "Max loss",
        "Value multiplier",
    )
    row = ("A-1", "clearance", 0.45, 12, datetime(2026, 9, 20), 5.5, 1.5)
    book = write_book(
        tmp_path / "items.xlsx", {"Items": (header, [dict(zip(header, row, strict=True))])}
    )
    (found,) = read(book, accept=False).rows.to_dict("records")
    assert (found["item_id"], found["stage"], found["margin"]) == ("A-1", "清仓", 0.45)
    assert (found["stock"], found["max_loss_micros"]) == (12.0, 5_500_000)
    assert found["restock"].date() == date(2026, 9, 20)


def test_currency_is_asked_once(tmp_path: Path) -> None:
    path = written(tmp_path, "item_id,margin\n1,0.4\n")
    with pytest.raises(RefusedInput, match="answer_missing"):
        read(path, Told())
    assert read(path).reconciliation.currency == "CNY"


def test_prices_that_may_be_thousands_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, 'item_id,price\n1,"1.234"\n2,"2.500"\n')
    with pytest.raises(RefusedInput, match="decimals_unclear"):
        read(path)


def test_item_table_without_items_says_which_column_it_lacks(tmp_path: Path) -> None:
    path = written(tmp_path, "阶段,毛利率,库存\n新品,0.4,3\n")
    with pytest.raises(RefusedInput) as refused:
        read(path)
    assert refused.value.code == "profile_near"
    assert refused.value.fields["profile"] == "items"
    assert "item_id" in refused.value.fields["missing"]


@pytest.mark.parametrize("name", ["taobao_keywords_csv", "taobao_keyword_list", "jd_keywords"])
def test_reports_that_name_items_are_no_item_tables(name: str) -> None:
    assert identify(DATA / f"{name}.csv", CONFIGS) == [name]


def test_products_counted_per_day_are_no_item_log(tmp_path: Path) -> None:
    head = "日期,商品ID,商品名称,访客数,支付金额,价格\n"
    path = written(tmp_path, head + "2026-09-01,7001,杯,80,300,20\n", "products.csv")
    with pytest.raises(RefusedInput, match="profile_near"):
        read(path)
