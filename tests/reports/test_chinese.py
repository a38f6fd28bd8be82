"""Taobao's, JD's, Baidu's and Pinduoduo's exports, with the traps that real files hold."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from optimizer.errors import RefusedInput
from optimizer.reports import Told, identify, read_report
from optimizer.reports.profiles import TABLES, load_profile
from optimizer.reports.segments import share_unserved
from optimizer.tables import Report, check_table
from tests.reports.chinese_files import pinduoduo_book
from tests.reports.samples import CONFIGS, DATA
from tests.reports.test_golden import as_json

AS_OF = date(2026, 9, 4)
TOLD = Told(attribution_window_days=15, attribution_basis="click")
TAOBAO = "taobao_keywords_csv"
SAMPLES = (TAOBAO, "taobao_creatives", "taobao_keyword_list", "jd_keywords", "baidu_keywords")


def read(path: Path, told: Told = TOLD) -> Report:
    return read_report(path, CONFIGS, None, AS_OF, told=told, accept_quarantine=True)


def sample(name: str) -> Report:
    return read(DATA / f"{name}.csv")


def lines_of(name: str) -> list[str]:
    return (DATA / f"{name}.csv").read_bytes().decode("gb18030").splitlines()


def written(folder: Path, name: str, lines: list[str], encoding: str = "gb18030") -> Path:
    path = folder / f"{name}.csv"
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode(encoding))
    return path


def by_text(report: Report, *columns: str) -> dict[str, Any]:
    rows = report.rows.astype(object)
    return {row["keyword_text"]: tuple(row[name] for name in columns) for _, row in rows.iterrows()}


def golden(report: Report, name: str) -> None:
    path = DATA / f"{name}.golden.json"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(as_json(report), encoding="utf-8")
    assert as_json(report) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_is_identified_and_becomes_its_golden_file(name: str) -> None:
    assert identify(DATA / f"{name}.csv", CONFIGS) == [name]
    report = sample(name)
    check_table(report.rows, TABLES[load_profile(CONFIGS, name).grain])
    golden(report, name)


def test_pinduoduo_workbook_becomes_its_golden_file(tmp_path: Path) -> None:
    path = pinduoduo_book(tmp_path)
    assert identify(path, CONFIGS) == ["pinduoduo_keywords"]
    golden(read(path), "pinduoduo_keywords")


@pytest.mark.parametrize("name", [TAOBAO, "taobao_creatives", "jd_keywords"])
def test_attribution_that_no_file_states_is_asked(name: str) -> None:
    with pytest.raises(RefusedInput) as caught:
        read(DATA / f"{name}.csv", Told())
    assert caught.value.code == "answer_missing"
    assert caught.value.fields["asks"] == ["attribution_window_days", "attribution_basis"]


def test_what_is_told_of_the_attribution_is_kept_with_the_report() -> None:
    told = read(DATA / f"{TAOBAO}.csv", Told(None, 3, "order")).reconciliation
    assert (told.attribution_window_days, told.attribution_basis) == (3, "order")


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8-sig", "utf-16"])
def test_encodings_of_a_chinese_csv_read_alike(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, TAOBAO, lines_of(TAOBAO), encoding)
    pd.testing.assert_frame_equal(read(path).rows, sample(TAOBAO).rows)


@pytest.mark.parametrize("mark", ["-", "--", "—", "/", "暂无", "N/A", "\\N", ""])
def test_every_null_mark_is_unknown_and_not_zero(tmp_path: Path, mark: str) -> None:
    header = "日期,计划名字,单元名字,词名字/词包名字,展现量,点击量,花费,总成交笔数,总成交金额"
    path = written(tmp_path, "a", [header, f"2026-09-01,a,b,c,10,1,0.5,0,{mark}"])
    assert read(path).rows["value_micros"].isna().all()


def test_units_behind_numbers_multiply(tmp_path: Path) -> None:
    header = "日期,计划名字,单元名字,词名字/词包名字,展现量,点击量,花费,总成交笔数,总成交金额"
    path = written(tmp_path, "a", [header, "2026/09/01,a,b,c,1.2亿,3.05万,￥1.5万,0,12.5元"])
    (row,) = read(path).rows.to_dict("records")
    assert (row["impressions"], row["clicks"]) == (120_000_000, 30_500)
    assert (row["cost_micros"], row["value_micros"]) == (15_000_000_000, 12_500_000)


def test_word_and_package_of_words_are_told_apart() -> None:
    kinds = by_text(sample(TAOBAO), "target_type")
    assert kinds["流量智选"] == ("keyword_package",)
    assert kinds["连衣裙 夏"] == ("keyword",)


def test_scenes_of_a_word_add_up_with_carts_and_presales() -> None:
    first = sample(TAOBAO).rows.iloc[0]
    assert (first["impressions"], first["clicks"]) == (12_200, 364)
    assert (first["add_to_cart"], first["favourites"], first["new_customers"]) == (45, 61, 18)
    assert (first["presale_orders"], first["presale_value_micros"]) == (3, 1_200_000_000)
    parts = first["direct_value_micros"] + first["indirect_value_micros"]
    assert parts == first["value_micros"]


def test_counts_that_a_report_lacks_have_no_column() -> None:
    assert "add_to_cart" not in sample("baidu_keywords").rows
    assert "favourites" not in sample("jd_keywords").rows


def test_summed_period_in_place_of_days_is_a_period(tmp_path: Path) -> None:
    header, *rows = lines_of(TAOBAO)
    summed = ["20260901至20260902" + row[10:] for row in (rows[0], rows[2])]
    report = read(written(tmp_path, TAOBAO, [header, *summed]))
    assert report.grain == "keyword_period"
    assert report.reconciliation.period == (date(2026, 9, 1), date(2026, 9, 2))


def test_period_that_is_not_over_is_refused(tmp_path: Path) -> None:
    header, first, *_ = lines_of(TAOBAO)
    path = written(tmp_path, TAOBAO, [header, "20260901至20260904" + first[10:]])
    with pytest.raises(RefusedInput, match="period_not_over"):
        read(path)


def test_automatic_creative_is_the_one_of_its_item() -> None:
    rows = sample("taobao_creatives").rows
    assert rows["creative_id"].isna().tolist() == [False, True, True]
    assert rows["creative_name"].tolist() == ["白底主图", "雪纺连衣裙", "棉麻连衣裙"]
    assert rows["item_id"].tolist() == ["700000000001", "700000000001", "700000000002"]


def test_keyword_list_holds_bid_match_type_and_quality() -> None:
    found = by_text(sample("taobao_keyword_list"), "bid_micros", "match_type", "status")
    assert found["连衣裙 夏"] == (950_000, "BROAD", "ENABLED")
    assert found["短裙"] == (500_000, "EXACT", "UNKNOWN")
    assert found["裙 促销"] == (700_000, "BROAD", "PAUSED")
    assert sample("taobao_keyword_list").rows["quality_score"].tolist() == [9, 7, pd.NA, 6]


def test_items_that_a_word_sold_add_up_to_the_word() -> None:
    report = sample("jd_keywords")
    assert report.rows["cost_micros"].tolist() == [150_000_000, 20_000_000, 1_160_000_000]
    assert report.rows["conversions"].tolist() == [4, 0, 10]
    assert report.reconciliation.rows_dropped == {"segment_merged": 2, "total_row": 1}
    assert all(check.ok for check in report.reconciliation.checksums)


def jd_lines(days: int, alike: int) -> list[str]:
    """Words that sold two items a day; on `alike` of the days both rows show the word's cost."""
    header = "日期,推广计划,推广单元,关键词,跟单SKU ID,花费,展现数,点击数,总订单行,总订单金额"
    rows = [header]
    for day in range(1, days + 1):
        second = "20.00,400,8" if day <= alike else f"{day}.00,0,0"
        rows.append(f"202608{day:02},a,b,杯,1,20.00,400,8,1,99.00")
        rows.append(f"202608{day:02},a,b,杯,2,{second},1,59.00")
    return rows


def test_cost_told_beside_every_item_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedInput) as caught:
        read(written(tmp_path, "jd", jd_lines(days=5, alike=4)))
    assert caught.value.code == "segments_repeat_cost"
    assert (caught.value.fields["repeated"], caught.value.fields["split"]) == (4, 5)


def test_hours_that_are_alike_are_summed(tmp_path: Path) -> None:
    lines = [line.replace("跟单SKU ID", "小时") for line in jd_lines(days=5, alike=5)]
    report = read(written(tmp_path, "jd", lines))
    assert report.rows["cost_micros"].tolist() == [40_000_000] * 5
    assert "costs_repeated" not in report.reconciliation.warnings


def test_few_equal_costs_are_told_and_summed(tmp_path: Path) -> None:
    report = read(written(tmp_path, "jd", jd_lines(days=5, alike=2)))
    assert report.reconciliation.warnings["costs_repeated"] == 2
    assert report.rows["cost_micros"].sum() == 152_000_000


def test_hours_add_up_to_days_below_a_preamble() -> None:
    rows = sample("baidu_keywords").rows
    assert rows["impressions"].tolist() == [1000, 500, 100, 50]
    assert rows["source_row"].min() == 8


def test_deleted_names_lose_their_mark_and_are_removed() -> None:
    names = ("status", "campaign_status", "campaign_name", "ad_group_status")
    found = by_text(sample("baidu_keywords"), *names)
    assert found["英语口语"][0] == "REMOVED"
    assert found["少儿英语"][1:] == ("REMOVED", "少儿英语", "REMOVED")
    assert pd.isna(list(found["英语培训"])[:2]).all()


def hourly(last_hours: list[int], campaign: str = "a", shown: int = 100) -> pd.DataFrame:
    """A campaign with the same impressions in each hour of a day up to a last one."""
    rows = [
        (campaign, date(2026, 9, day), hour, shown)
        for day, last in enumerate(last_hours, start=1)
        for hour in range(last + 1)
    ]
    return pd.DataFrame(rows, columns=["campaign", "day", "hour", "impressions"])


def test_day_that_ends_early_lost_the_share_of_its_silent_hours() -> None:
    found = share_unserved(hourly([23, 23, 23, 11, 17]))
    np.testing.assert_allclose(found["unserved"], [0, 0, 0, 0.5, 0.25])


def test_schedule_is_no_loss_and_few_impressions_tell_nothing() -> None:
    assert share_unserved(hourly([17, 17, 17]))["unserved"].tolist() == [0, 0, 0]
    few = pd.concat([hourly([23, 23, 23]), hourly([2], "b", shown=1)])
    found = share_unserved(few).set_index("campaign")["unserved"]
    assert found["b"] == pytest.approx(0.875)
    quiet = pd.concat([hourly([23, 23, 23]), hourly([21], "b", shown=1)])
    assert share_unserved(quiet).set_index("campaign")["unserved"]["b"] == 0


def test_too_few_full_days_leave_the_share_unknown() -> None:
    assert share_unserved(hourly([23, 11]))["unserved"].isna().all()
