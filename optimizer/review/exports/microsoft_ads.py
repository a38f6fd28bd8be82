"""Microsoft Advertising bulk file 6.0 (Bulk upload, or the Bulk service): one CSV, and a rollback.

UTF-8 with its mark; the row after the header holds the format version. A blank cell leaves a field as
it is, `delete_value` clears it. `Client Id` carries the suggestion's id: the platform copies it into
its result file. A shared budget and a target of another bid strategy than the campaign's are refused,
or ignored, by the platform.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from optimizer.review.exports.amounts import amount_of, plain
from optimizer.review.exports.by_hand import read_by_hand, with_rollback
from optimizer.review.exports.changes import Action, Change, edits
from optimizer.review.exports.checks import (
    common_refusals,
    id_refusals,
    kind_refusals,
    require_none,
)
from optimizer.review.exports.delimited import Cells, Layout, read_delimited, write_delimited
from optimizer.review.exports.rows import EXPORT_ROWS, Refusal, flag, level_of
from optimizer.review.exports.texts import TextRules, match_refusals, text_refusals
from optimizer.settings import BidLimit
from optimizer.tables import check_table

RULES = TextRules(characters=100, negative_types=("EXACT", "PHRASE"))
_LAYOUT = Layout(
    (
        *("Type", "Status", "Id", "Parent Id", "Campaign", "Ad Group", "Client Id"),
        *("Keyword", "Match Type", "Bid", "Budget"),
        *("Bid Strategy TargetCpa", "Bid Strategy TargetRoas", "Name"),
    ),
    line_end="\r\n",
    encoding="utf-8-sig",
)
_VERSION: Cells = {"Type": "Format Version", "Name": "6.0"}
_CLEAR = "delete_value"
_AD = "Responsive Search Ad"
"""The kind of text ad that Microsoft still takes; the platform refuses the row of an ad of another kind."""
_STATUS = {
    "pause": "Paused",
    "resume": "Active",
    "add_keyword": "Active",
    "add_negative": "Active",
}


def write_bulk_upload(rows: pd.DataFrame, limit: BidLimit) -> dict[str, bytes]:
    """`bulk.csv`, `rollback_bulk.csv` and, for what is created, `rollback_by_hand.csv`.

    Raises `Conflict` `rows_refused` and writes nothing when any row cannot be written.
    """
    require_none(refusals(rows, limit))
    return with_rollback("bulk.csv", _file, *edits(rows, limit))


def refusals(rows: pd.DataFrame, limit: BidLimit) -> list[Refusal]:
    """Every reason why a row cannot be written, row by row; empty when all can."""
    check_table(rows, EXPORT_ROWS)
    grouped = rows["kind"].eq("set_target") & level_of(rows).eq("ad_group")
    return [
        *kind_refusals(rows),
        *flag(rows, grouped, "kind_unsupported", "kind"),
        *common_refusals(rows, limit),
        *id_refusals(rows),
        *text_refusals(rows, RULES),
        *match_refusals(rows, RULES, found_by="ids"),
    ]


def read_changes(files: Mapping[str, bytes]) -> list[Change]:
    """The edits of files of `write_bulk_upload`."""
    found: list[Change] = []
    for name, content in files.items():
        is_list = name.endswith("by_hand.csv")
        found += read_by_hand(content) if is_list else _read(content)
    return found


def _file(changes: Sequence[Change]) -> bytes:
    return write_delimited(_LAYOUT, [_VERSION, *map(_cells, changes)]) if changes else b""


def _read(content: bytes) -> list[Change]:
    _, *rows = read_delimited(_LAYOUT, content)
    return [_change(cells) for cells in rows]


def _cells(change: Change) -> Cells:
    if change.action in ("set_budget", "set_target"):
        return _campaign(change)
    whole, new = change.level == "campaign", change.action.startswith("add_")
    return {
        "Type": _type(change),
        "Status": _STATUS.get(change.action, ""),
        "Id": "" if new else change.keyword_id,
        "Parent Id": change.campaign_id if whole else change.ad_group_id,
        "Campaign": change.campaign_name,
        "Ad Group": "" if whole else change.ad_group_name,
        "Client Id": change.id,
        "Keyword": "" if change.level == "creative" else change.keyword_text,
        "Match Type": change.match_type.capitalize(),
        "Bid": _CLEAR if change.action == "clear_bid" else plain(change.value),
    }


def _type(change: Change) -> str:
    if change.level == "creative":
        return _AD
    if change.action != "add_negative":
        return "Keyword"
    owner = "Campaign" if change.level == "campaign" else "Ad Group"
    return f"{owner} Negative Keyword"


def _campaign(change: Change) -> Cells:
    """A target ROAS is the plain ratio: 3.4 for 340 %."""
    targets = {"cpa": "Bid Strategy TargetCpa", "roas": "Bid Strategy TargetRoas"}
    return {
        "Type": "Campaign",
        "Id": change.campaign_id,
        "Campaign": change.campaign_name,
        "Client Id": change.id,
        targets.get(change.target, "Budget"): plain(change.value),
    }


def _change(cells: Cells) -> Change:
    if cells["Type"] == "Campaign":
        return _read_campaign(cells)
    if cells["Type"] == _AD:
        return _read_ad(cells)
    whole, bid = cells["Type"].startswith("Campaign"), cells["Bid"]
    parent: dict[str, Any] = {"campaign_id" if whole else "ad_group_id": cells["Parent Id"]}
    negative = cells["Type"].endswith("Negative Keyword")
    usual = "ad_group" if negative else "keyword"
    return Change(
        "add_negative" if negative else _keyword_action(cells),
        level="campaign" if whole else usual,
        campaign_name=cells["Campaign"],
        ad_group_name=cells["Ad Group"],
        keyword_id=cells["Id"],
        keyword_text=cells["Keyword"],
        match_type=cells["Match Type"].upper(),
        value=None if bid == _CLEAR else amount_of(bid),
        id=cells["Client Id"],
        **parent,
    )


def _read_ad(cells: Cells) -> Change:
    return Change(
        _keyword_action(cells),
        level="creative",
        campaign_name=cells["Campaign"],
        ad_group_name=cells["Ad Group"],
        ad_group_id=cells["Parent Id"],
        keyword_id=cells["Id"],
        id=cells["Client Id"],
    )


def _keyword_action(cells: Cells) -> Action:
    if not cells["Id"]:
        return "add_keyword"
    if cells["Status"]:
        return "pause" if cells["Status"] == "Paused" else "resume"
    return "clear_bid" if cells["Bid"] == _CLEAR else "set_bid"


def _read_campaign(cells: Cells) -> Change:
    place: dict[str, Any] = {
        "level": "campaign",
        "campaign_id": cells["Id"],
        "campaign_name": cells["Campaign"],
        "id": cells["Client Id"],
    }
    if cells["Budget"]:
        return Change("set_budget", value=amount_of(cells["Budget"]), **place)
    share, cost = cells["Bid Strategy TargetRoas"], cells["Bid Strategy TargetCpa"]
    target = "roas" if share else "cpa"
    return Change("set_target", value=amount_of(share or cost), target=target, **place)
