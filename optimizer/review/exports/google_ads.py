"""Google Ads web bulk upload (Bulk actions → Uploads): keywords, negatives, ads, ad groups, campaigns.

Each has different columns, so each gets its own file, and a rollback file; a blank cell leaves a
field as it is and `remove_value` clears it. UTF-8, comma, LF, as Google's own downloads. Text and
ids are written exactly as the platform holds them; what cannot be written so is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from optimizer.review.exports.amounts import amount_of, percent, plain, ratio_of
from optimizer.review.exports.changes import (
    NEGATIVE_ACTIONS,
    SETTING_ACTIONS,
    Action,
    Change,
    edits,
)
from optimizer.review.exports.checks import common_refusals, kind_refusals, require_none
from optimizer.review.exports.delimited import Cells, Layout, read_delimited, write_delimited
from optimizer.review.exports.rows import EXPORT_ROWS, Refusal, flag, of_creatives
from optimizer.review.exports.texts import TextRules, match_refusals, text_refusals
from optimizer.settings import BidLimit
from optimizer.tables import check_table

RULES = TextRules(characters=80, words=10, forbidden=r"[!@%,*()^~{}=;`<>?\\|]")
TYPES = {"EXACT": "Exact match", "PHRASE": "Phrase match", "BROAD": "Broad match"}
_MATCH = {text: name for name, text in TYPES.items()}
_CLEAR = "remove_value"

_PLACE = ("Campaign ID", "Campaign", "Ad group ID", "Ad group")
KEYWORD_COLUMNS = (
    *("Row Type", "Action", "Keyword status", *_PLACE),
    *("Keyword ID", "Keyword", "Type", "Default max. CPC"),
)
NEGATIVE_COLUMNS = (
    *("Row Type", "Action", "Keyword status", "Level", *_PLACE),
    *("Keyword ID", "Negative keyword", "Type"),
)
AD_COLUMNS = ("Row Type", "Action", "Ad status", *_PLACE, "Ad ID")
"""No texts: an ad whose texts a file states again would become another ad."""
AD_GROUP_COLUMNS = (
    *("Row Type", "Action", "Ad group status", *_PLACE, "Target CPA", "Target ROAS"),
)
CAMPAIGN_COLUMNS = (
    *("Row Type", "Action", "Campaign status", "Campaign ID", "Campaign"),
    *("Budget", "Target CPA", "Target ROAS"),
)


def write_bulk_upload(rows: pd.DataFrame, limit: BidLimit) -> dict[str, bytes]:
    """File name ending → bytes, for the kinds that occur; `rows` matches EXPORT_ROWS.

    Raises `Conflict` `rows_refused` (`rows`: id, code and fields of each) and writes nothing when any
    row cannot be written.
    """
    require_none(refusals(rows, limit))
    done, undone = edits(rows, limit)
    files = {**_files("", done), **_files("rollback_", undone)}
    return {name: content for name, content in files.items() if content}


def refusals(rows: pd.DataFrame, limit: BidLimit) -> list[Refusal]:
    """Every reason why a row cannot be written, row by row; empty when all can."""
    check_table(rows, EXPORT_ROWS)
    return [
        *kind_refusals(rows),
        *common_refusals(rows, limit),
        *text_refusals(rows, RULES),
        *match_refusals(rows, RULES, found_by="ids"),
        *flag(rows, of_creatives(rows) & rows["keyword_id"].isna(), "id_missing", "keyword_id"),
    ]


def read_changes(files: Mapping[str, bytes]) -> list[Change]:
    """The edits that files of `write_bulk_upload` hold; rollback files are read like any other."""
    found: list[Change] = []
    for name, content in files.items():
        kind = next(one for one in _READ if name.endswith(one))
        layout, read = _READ[kind]
        found += [read(cells) for cells in read_delimited(layout, content)]
    return found


def _files(prefix: str, changes: Sequence[Change]) -> dict[str, bytes]:
    apart = (*NEGATIVE_ACTIONS, *SETTING_ACTIONS)
    ads = [one for one in changes if one.level == "creative"]
    keywords = [one for one in changes if one.action not in apart and one.level != "creative"]
    negatives = [one for one in changes if one.action in NEGATIVE_ACTIONS]
    settings = [one for one in changes if one.action in SETTING_ACTIONS]
    groups = [one for one in settings if one.level == "ad_group"]
    campaigns = [one for one in settings if one.level == "campaign"]
    return {
        f"{prefix}keywords.csv": write_delimited(_KEYWORDS, map(_keyword, keywords)),
        f"{prefix}negatives.csv": write_delimited(_NEGATIVES, map(_negative, negatives)),
        f"{prefix}ads.csv": write_delimited(_ADS, map(_ad, ads)),
        f"{prefix}ad_groups.csv": write_delimited(_AD_GROUPS, map(_ad_group, groups)),
        f"{prefix}campaigns.csv": write_delimited(_CAMPAIGNS, map(_campaign, campaigns)),
    }


_STATES = {
    "pause": "Paused",
    "resume": "Enabled",
    "add_keyword": "Enabled",
    "add_negative": "Enabled",
}
_VERBS = {
    "add_keyword": "Add",
    "add_negative": "Add",
    "remove_keyword": "Remove",
    "remove_negative": "Remove",
}


def _keyword(change: Change) -> Cells:
    """The change itself. Status stays blank on a bid change: someone may have paused the keyword."""
    created = change.action in _VERBS
    return {
        **_place("Keyword", change),
        "Keyword status": _STATES.get(change.action, ""),
        "Keyword ID": "" if created else change.keyword_id,
        "Keyword": change.keyword_text,
        "Type": TYPES.get(change.match_type, ""),
        "Default max. CPC": _CLEAR if change.action == "clear_bid" else plain(change.value),
    }


def _negative(change: Change) -> Cells:
    return {
        **_place("Negative keyword", change),
        "Keyword status": _STATES.get(change.action, ""),
        "Level": "Campaign" if change.level == "campaign" else "Ad group",
        "Negative keyword": change.keyword_text,
        "Type": TYPES[change.match_type],
    }


def _ad(change: Change) -> Cells:
    status = {"Ad status": _STATES[change.action], "Ad ID": change.keyword_id}
    return {**_place("Ad", change), **status}


def _ad_group(change: Change) -> Cells:
    return {**_place("Ad group", change), **target_cells(change)}


def _campaign(change: Change) -> Cells:
    """One setting of a campaign."""
    place = _place("Campaign", change)
    value = (
        {"Budget": plain(change.value)} if change.action == "set_budget" else target_cells(change)
    )
    return {name: place[name] for name in place if not name.startswith("Ad group")} | value


def target_cells(change: Change) -> dict[str, str]:
    """A target CPA as money, a target ROAS as the percentage that Google shows."""
    if change.value is None or change.target == "cpa":
        return {"Target CPA": plain(change.value)}
    return {"Target ROAS": percent(change.value)}


def _place(row_type: str, change: Change) -> dict[str, str]:
    whole = change.level == "campaign"
    return {
        "Row Type": row_type,
        "Action": _VERBS.get(change.action, "Edit"),
        "Campaign ID": change.campaign_id,
        "Campaign": change.campaign_name,
        "Ad group ID": "" if whole else change.ad_group_id,
        "Ad group": "" if whole else change.ad_group_name,
    }


def _read_place(cells: Cells) -> dict[str, Any]:
    return {
        "campaign_id": cells["Campaign ID"],
        "campaign_name": cells["Campaign"],
        "ad_group_id": cells.get("Ad group ID", ""),
        "ad_group_name": cells.get("Ad group", ""),
    }


def _read_keyword(cells: Cells) -> Change:
    bid = cells["Default max. CPC"]
    return Change(
        action=_keyword_action(cells["Action"], cells["Keyword status"], bid),
        keyword_id=cells["Keyword ID"],
        keyword_text=cells["Keyword"],
        match_type=_MATCH.get(cells["Type"], ""),
        value=None if bid == _CLEAR else amount_of(bid),
        **_read_place(cells),
    )


def _keyword_action(verb: str, status: str, bid: str) -> Action:
    if verb != "Edit":
        return "add_keyword" if verb == "Add" else "remove_keyword"
    if status:
        return "pause" if status == "Paused" else "resume"
    return "clear_bid" if bid == _CLEAR else "set_bid"


def _read_negative(cells: Cells) -> Change:
    return Change(
        action="add_negative" if cells["Action"] == "Add" else "remove_negative",
        level="campaign" if cells["Level"] == "Campaign" else "ad_group",
        keyword_text=cells["Negative keyword"],
        match_type=_MATCH[cells["Type"]],
        **_read_place(cells),
    )


def _read_ad(cells: Cells) -> Change:
    action: Action = "pause" if cells["Ad status"] == "Paused" else "resume"
    return Change(action, level="creative", keyword_id=cells["Ad ID"], **_read_place(cells))


def _read_ad_group(cells: Cells) -> Change:
    return _read_target(cells, "ad_group")


def _read_campaign(cells: Cells) -> Change:
    if cells["Budget"]:
        value = amount_of(cells["Budget"])
        return Change("set_budget", level="campaign", value=value, **_read_place(cells))
    return _read_target(cells, "campaign")


def _read_target(cells: Cells, level: str) -> Change:
    share, cost = cells["Target ROAS"], cells["Target CPA"]
    return Change(
        "set_target",
        level=level,
        value=ratio_of(share) if share else amount_of(cost),
        target="roas" if share else "cpa",
        **_read_place(cells),
    )


_KEYWORDS = Layout(KEYWORD_COLUMNS)
_NEGATIVES = Layout(NEGATIVE_COLUMNS)
_ADS = Layout(AD_COLUMNS)
_AD_GROUPS = Layout(AD_GROUP_COLUMNS)
_CAMPAIGNS = Layout(CAMPAIGN_COLUMNS)
_READ: Mapping[str, tuple[Layout, Callable[[Cells], Change]]] = {
    "keywords.csv": (_KEYWORDS, _read_keyword),
    "negatives.csv": (_NEGATIVES, _read_negative),
    "ads.csv": (_ADS, _read_ad),
    "ad_groups.csv": (_AD_GROUPS, _read_ad_group),
    "campaigns.csv": (_CAMPAIGNS, _read_campaign),
}
