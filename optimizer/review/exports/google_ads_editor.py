"""Google Ads Editor import (Account → Import → From file): everything in one file, and a rollback.

UTF-16LE with its mark, tabs and CRLF, as Editor's own export. A row finds its keyword by campaign, ad
group, text and Criterion Type, not by id, and one that finds none is added; a blank cell leaves a
field as it is, `[]` erases it. Editor shows every change before it is posted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from optimizer.review.exports import google_ads
from optimizer.review.exports.amounts import amount_of, plain, ratio_of
from optimizer.review.exports.changes import Action, Change, edits
from optimizer.review.exports.checks import require_none
from optimizer.review.exports.delimited import Cells, Layout, read_delimited, write_delimited
from optimizer.review.exports.rows import Refusal, flag, of_creatives
from optimizer.review.exports.texts import match_refusals
from optimizer.settings import BidLimit

_LAYOUT = Layout(
    (
        *("Campaign", "Budget", "Ad Group", "Keyword", "Criterion Type"),
        *("Max CPC", "Target CPA", "Target ROAS", "Status"),
    ),
    delimiter="\t",
    line_end="\r\n",
    encoding="utf-16-le",
)
_TYPES = {"EXACT": "Exact", "PHRASE": "Phrase", "BROAD": "Broad"}
_MATCH = {text: name for name, text in _TYPES.items()}
_ERASE = "[]"
_STATUS = {
    "pause": "Paused",
    "resume": "Enabled",
    "add_keyword": "Enabled",
    "add_negative": "Enabled",
    "remove_keyword": "Removed",
    "remove_negative": "Removed",
}


def write_bulk_upload(rows: pd.DataFrame, limit: BidLimit) -> dict[str, bytes]:
    """`editor.csv` and `rollback_editor.csv`. Raises `Conflict` `rows_refused` and writes nothing."""
    require_none(refusals(rows, limit))
    done, undone = edits(rows, limit)
    return {
        "editor.csv": write_delimited(_LAYOUT, map(_cells, done)),
        "rollback_editor.csv": write_delimited(_LAYOUT, map(_cells, undone)),
    }


def refusals(rows: pd.DataFrame, limit: BidLimit) -> list[Refusal]:
    """As for the web upload; and without ids every keyword needs its match type."""
    found = [
        *google_ads.refusals(rows, limit),
        # Editor knows an ad by all its texts, which no report of creatives tells in full.
        *flag(rows, of_creatives(rows), "kind_unsupported", "kind"),
        *match_refusals(rows, google_ads.RULES, found_by="names"),
    ]
    return list({(one.id, one.code): one for one in found}.values())


def read_changes(files: Mapping[str, bytes]) -> list[Change]:
    """The edits of `write_bulk_upload`, by name alone.

    Editor knows no verbs: a keyword added without a bid (automated bidding) reads as a resume.
    """
    return [_change(row) for content in files.values() for row in read_delimited(_LAYOUT, content)]


def _cells(change: Change) -> Cells:
    place = {"Campaign": change.campaign_name, "Ad Group": _ad_group(change)}
    if change.action == "set_budget":
        return place | {"Budget": plain(change.value)}
    if change.action == "set_target":
        return place | google_ads.target_cells(change)
    return place | {
        "Keyword": change.keyword_text,
        "Criterion Type": _criterion(change),
        "Max CPC": _ERASE if change.action == "clear_bid" else plain(change.value),
        "Status": _STATUS.get(change.action, ""),
    }


def _ad_group(change: Change) -> str:
    return "" if change.level == "campaign" else change.ad_group_name


def _criterion(change: Change) -> str:
    if change.action not in ("add_negative", "remove_negative"):
        return _TYPES[change.match_type]
    whole = "Campaign " if change.level == "campaign" else ""
    return f"{whole}Negative {_TYPES[change.match_type]}"


def _change(cells: Cells) -> Change:
    place: dict[str, Any] = {
        "campaign_name": cells["Campaign"],
        "ad_group_name": cells["Ad Group"],
        "level": "ad_group" if cells["Ad Group"] else "campaign",
    }
    if cells["Budget"]:
        return Change("set_budget", value=amount_of(cells["Budget"]), **place)
    if cells["Target ROAS"]:
        return Change("set_target", value=ratio_of(cells["Target ROAS"]), target="roas", **place)
    if cells["Target CPA"]:
        return Change("set_target", value=amount_of(cells["Target CPA"]), target="cpa", **place)
    return _keyword(cells, place)


def _keyword(cells: Cells, place: dict[str, Any]) -> Change:
    words = cells["Criterion Type"].split()
    subject: dict[str, Any] = {"keyword_text": cells["Keyword"], "match_type": _MATCH[words[-1]]}
    if "Negative" in words:
        action: Action = "remove_negative" if cells["Status"] == "Removed" else "add_negative"
        return Change(action, **place, **subject)
    bid = cells["Max CPC"]
    return Change(
        _keyword_action(cells["Status"], bid),
        value=None if bid == _ERASE else amount_of(bid),
        **{**place, "level": "keyword"},
        **subject,
    )


def _keyword_action(status: str, bid: str) -> Action:
    if status == "Enabled":
        return "add_keyword" if bid else "resume"
    if status:
        return "pause" if status == "Paused" else "remove_keyword"
    return "clear_bid" if bid == _ERASE else "set_bid"
