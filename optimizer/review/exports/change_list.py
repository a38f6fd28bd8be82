"""A list to work through in a console that takes no bulk file: Taobao, JD, Baidu, Pinduoduo.

One CSV for a person, in the console's words: unit by unit, and in each the rows that get the same
new value together as one step, since a console sets one value for all ticked rows. UTF-8 with its
mark, which spreadsheets open rightly in every locale; texts that could act as formulas are made inert.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from typing import Any, Final

import pandas as pd

from optimizer.review.exports.amounts import amount_of, plain
from optimizer.review.exports.changes import Action, Change, edits
from optimizer.review.exports.checks import common_refusals, kind_refusals, require_none
from optimizer.review.exports.delimited import Cells, Layout, read_delimited, write_delimited
from optimizer.review.exports.people import as_written, inert
from optimizer.review.exports.rows import EXPORT_ROWS, Refusal
from optimizer.review.exports.texts import TextRules, match_refusals, text_refusals
from optimizer.settings import BidLimit
from optimizer.tables import check_table

LAYOUT: Final = Layout(
    (
        *("步骤", "操作", "层级", "计划ID", "计划名称", "单元ID", "单元名称"),
        *("词ID", "关键词", "匹配方式", "原值", "新值", "变动", "建议编号"),
    ),
    line_end="\r\n",
    encoding="utf-8-sig",
)
_DEEDS: Mapping[Action, str] = {
    "set_bid": "改出价",
    "clear_bid": "恢复默认出价",
    "pause": "暂停",
    "resume": "启用",
    "add_keyword": "加词",
    "remove_keyword": "删词",
    "add_negative": "加否词",
    "remove_negative": "删否词",
    "set_budget": "改日限额",
}
_TARGETS = {"roas": "改目标投产比", "cpa": "改目标成本"}
_ORDER = (*_DEEDS.values(), *_TARGETS.values())
_ACTIONS: Mapping[str, Action] = {word: action for action, word in _DEEDS.items()}
_LEVELS = {"keyword": "关键词", "creative": "创意", "ad_group": "单元", "campaign": "计划"}
_LEVEL_OF = {word: level for level, word in _LEVELS.items()}


@dataclass(frozen=True)
class ChangeList:
    """The writer of one platform: its rules for texts and its words for match types."""

    rules: TextRules
    match_words: Mapping[str, str]

    def refusals(self, rows: pd.DataFrame, limit: BidLimit) -> list[Refusal]:
        """Every reason why a row cannot be written, row by row; empty when all can."""
        check_table(rows, EXPORT_ROWS)
        return [
            *kind_refusals(rows),
            *common_refusals(rows, limit),
            *text_refusals(rows, self.rules),
            *match_refusals(rows, self.rules, found_by="person"),
        ]

    def write_bulk_upload(self, rows: pd.DataFrame, limit: BidLimit) -> dict[str, bytes]:
        """`change_list.csv` and `rollback_change_list.csv`.

        Raises `Conflict` `rows_refused` and writes nothing when any row cannot be written.
        """
        require_none(self.refusals(rows, limit))
        return self.files(*edits(rows, limit))

    def files(self, done: Sequence[Change], undone: Sequence[Change]) -> dict[str, bytes]:
        """The two lists of edits that were checked before."""
        return {
            "change_list.csv": self._file(done),
            "rollback_change_list.csv": self._file(undone),
        }

    def read_changes(self, files: Mapping[str, bytes]) -> list[Change]:
        """The edits of files of `write_bulk_upload`."""
        lists = (content for name, content in files.items() if name.endswith(".csv"))
        return [self._change(cells) for one in lists for cells in read_delimited(LAYOUT, one)]

    def _file(self, changes: Sequence[Change]) -> bytes:
        return write_delimited(LAYOUT, (self._cells(*numbered) for numbered in in_steps(changes)))

    def _cells(self, step: int, change: Change) -> Cells:
        whole = change.level == "campaign"
        return {
            "步骤": str(step),
            "操作": _deed(change),
            "层级": _LEVELS[change.level],
            "计划ID": change.campaign_id,
            "计划名称": inert(change.campaign_name),
            "单元ID": "" if whole else change.ad_group_id,
            "单元名称": "" if whole else inert(change.ad_group_name),
            "词ID": change.keyword_id,
            "关键词": ""
            if change.target or change.action == "set_budget"
            else inert(change.keyword_text),
            "匹配方式": self.match_words.get(change.match_type, ""),
            "原值": plain(change.was),
            "新值": plain(change.value),
            "变动": _moved(change),
            "建议编号": change.id,
        }

    def _change(self, cells: Cells) -> Change:
        target = next((name for name, word in _TARGETS.items() if word == cells["操作"]), "")
        matches = {word: name for name, word in self.match_words.items()}
        return Change(
            "set_target" if target else _ACTIONS[cells["操作"]],
            level=_LEVEL_OF[cells["层级"]],
            campaign_id=cells["计划ID"],
            campaign_name=as_written(cells["计划名称"]),
            ad_group_id=cells["单元ID"],
            ad_group_name=as_written(cells["单元名称"]),
            keyword_id=cells["词ID"],
            keyword_text=as_written(cells["关键词"]),
            match_type=matches.get(cells["匹配方式"], ""),
            was=amount_of(cells["原值"]),
            value=amount_of(cells["新值"]),
            target=target,
            id=cells["建议编号"],
        )


def in_steps(changes: Iterable[Change]) -> Iterable[tuple[int, Change]]:
    """Edits with the number of the step they belong to: one unit, one deed, one new value."""
    ordered = sorted(changes, key=lambda one: (_step_of(one), one.keyword_text, one.id))
    for number, (_, together) in enumerate(groupby(ordered, _step_of), start=1):
        yield from ((number, change) for change in together)


def _step_of(change: Change) -> tuple[Any, ...]:
    unit = "" if change.level == "campaign" else change.ad_group_name
    value = Decimal(-1) if change.value is None else change.value
    return (change.campaign_name, unit, _ORDER.index(_deed(change)), change.level, value)


def _deed(change: Change) -> str:
    return _TARGETS[change.target] if change.action == "set_target" else _DEEDS[change.action]


def _moved(change: Change) -> str:
    """▲8.0% or ▼8.0%; blank where there is no old or new value. Never a sign, which could act."""
    if not change.was or change.value is None or change.value == change.was:
        return ""
    share = abs(change.value / change.was - 1) * 100
    arrow = "▲" if change.value > change.was else "▼"
    return f"{arrow}{share.quantize(Decimal('0.1'), ROUND_HALF_UP)}%"


JD = ChangeList(
    TextRules(negative_types=("EXACT", "PHRASE")),
    {"EXACT": "精确", "PHRASE": "短语", "BROAD": "切词"},
)
BAIDU = ChangeList(
    TextRules(gb_bytes=40, negative_types=("EXACT", "PHRASE")),
    {"EXACT": "精确", "PHRASE": "短语", "BROAD": "智能"},
)
PINDUODUO = ChangeList(
    TextRules(keyword_types=("EXACT", "BROAD"), negative_types=("EXACT", "PHRASE")),
    {"EXACT": "精准", "PHRASE": "短语", "BROAD": "广泛"},
)
TAOBAO = PINDUODUO
"""The same rules and words: 精准 and 广泛, no 短语 for keywords."""
