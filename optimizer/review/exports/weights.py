"""Shares of creatives as a list for a person: no platform's bulk file takes them.

Whoever splits the impressions (separate ad groups with budgets of these sizes, an experiment, the shop's own
splitter) sets them; the next report tells what was served. UTF-8 with its mark, texts made inert.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pandas as pd

from optimizer.review.exports.checks import require_none
from optimizer.review.exports.delimited import Cells, Layout, read_delimited, write_delimited
from optimizer.review.exports.people import as_written, inert
from optimizer.review.exports.rows import Refusal, flag, sort_rows

NAME = "creative_shares.csv"
_ENGLISH = (
    *("Campaign", "Ad group", "Creative ID", "Creative"),
    *("Share now", "Share asked", "Suggestion"),
)
_CHINESE = ("计划名称", "单元名称", "创意ID", "创意", "现占比", "应占比", "建议编号")
_IN_CHINESE = ("taobao", "jd", "baidu", "pinduoduo")
_FIELDS = ("campaign_name", "ad_group_name", "keyword_id", "keyword_text", "was", "share", "id")
_TEXTS = ("campaign_name", "ad_group_name", "keyword_text")
_OFF = ("PAUSED", "REMOVED", "ARCHIVED")


def refusals(rows: pd.DataFrame) -> list[Refusal]:
    """Why rows of weights (EXPORT_ROWS) cannot be handed over; empty when all can."""
    group, campaign = (rows[name].isin(_OFF) for name in ("ad_group_status", "campaign_status"))
    return [
        *flag(rows, campaign, "campaign_not_active", "campaign_status"),
        *flag(rows, group, "ad_group_not_active", "ad_group_status"),
        *flag(rows, rows["status"].isin(_OFF), "creative_removed"),
        *flag(rows, rows["new_bid"].isna(), "bid_missing"),
    ]


def write_weights(rows: pd.DataFrame, platform: str) -> dict[str, bytes]:
    """The list and its rollback. Raises `Conflict` `rows_refused` and writes nothing."""
    require_none(refusals(rows))
    layout = _layout(platform)
    listed = sort_rows(rows).to_dict("records")
    done = [_cells(layout, row, row["old_bid"], row["new_bid"]) for row in listed]
    undone = [_cells(layout, row, row["new_bid"], row["old_bid"]) for row in listed]
    return {
        NAME: write_delimited(layout, done),
        f"rollback_{NAME}": write_delimited(layout, undone),
    }


def read_weights(content: bytes, platform: str) -> list[dict[str, str]]:
    """The rows of such a list: campaign_name, ad_group_name, keyword_id, keyword_text, was, share, id."""
    layout = _layout(platform)
    rows = read_delimited(layout, content)
    named = [
        dict(zip(_FIELDS, (row[name] for name in layout.columns), strict=True)) for row in rows
    ]
    return [row | {name: as_written(row[name]) for name in _TEXTS} for row in named]


def _layout(platform: str) -> Layout:
    names = _CHINESE if platform in _IN_CHINESE else _ENGLISH
    return Layout(names, line_end="\r\n", encoding="utf-8-sig")


def _cells(layout: Layout, row: Mapping[Any, Any], was: float, share: float) -> Cells:
    told = {**{name: row[name] for name in _FIELDS if name in row}, "was": _percent(was)}
    told["share"] = _percent(share)
    texts = {name: "" if pd.isna(value) else str(value) for name, value in told.items()}
    texts |= {name: inert(texts[name]) for name in _TEXTS}
    return dict(zip(layout.columns, (texts[name] for name in _FIELDS), strict=True))


def _percent(share: float) -> str:
    """43.7%: to a tenth of a percent."""
    if pd.isna(share):
        return ""
    return f"{(Decimal(repr(float(share))) * 100).quantize(Decimal('0.1'))}%"
