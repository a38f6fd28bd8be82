"""拼多多's workbook as its console makes it, small and made up; the other samples are files in `data`."""

from __future__ import annotations

from pathlib import Path

from tests.reports.amazon_files import write_book

PINDUODUO_HEADER = (
    *("日期", "推广计划", "推广单元", "关键词", "花费(元)", "交易额(元)", "投入产出比", "成交笔数"),
    *("店铺关注量", "千次曝光花费(元)", "曝光量", "点击量", "每笔成交花费(元)", "每笔成交金额(元)"),
    *("商品收藏量", "直接交易额(元)", "间接交易额（元）"),
)
_ROWS = (
    ("2026-09-01", "抽纸", "单元1", "抽纸", 12.5, 99.8, 7.98, 5, 2, 12.5, 1000, 50, 2.5, 19.96, 8, 79.8, 20),
    ("2026-09-02", "抽纸", "单元1", "抽纸", 8, 0, 0, "-", "-", 10, 800, 20, "-", "-", "-", 0, 0),
    ("2026-09-01", "抽纸", "单元1", "=纸巾", 0, 0, "-", 0, 0, "-", 30, 0, "-", "-", 0, 0, 0),
    ("合计", "", "", "", 20.5, 99.8, 4.87, 5, 2, 11.2, 1830, 70, 4.1, 19.96, 8, 79.8, 20),
)  # fmt: skip


def pinduoduo_book(folder: Path) -> Path:
    """The keyword report: units in the headers, numbers as numbers, days as texts, dashes."""
    rows = [dict(zip(PINDUODUO_HEADER, row, strict=True)) for row in _ROWS]
    return write_book(folder / "搜索推广_关键词.xlsx", {"Sheet1": (PINDUODUO_HEADER, rows)})
