"""Google Ads web bulk upload (Bulk actions → Uploads) of keywords, negatives and campaign settings.

Each has different columns, so each gets its own file, and a rollback file; a blank cell leaves a
field as it is and `remove_value` clears it. UTF-8, comma, LF, as Google's own downloads. Text and
ids are written exactly as the platform holds them; what cannot be written so is refused.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd

from optimizer.errors import Conflict
from optimizer.review.exports.rows import (
    CAMPAIGN_KINDS,
    EXPORT_ROWS,
    NEW_KINDS,
    Refusal,
    common_refusals,
    flag,
    on_step,
    sort_rows,
)
from optimizer.settings import BidLimit
from optimizer.tables import check_table

KEYWORD_COLUMNS = (
    "Row Type",
    "Action",
    "Keyword status",
    "Campaign ID",
    "Campaign",
    "Ad group ID",
    "Ad group",
    "Keyword ID",
    "Keyword",
    "Type",
    "Default max. CPC",
)
NEGATIVE_COLUMNS = (
    "Row Type",
    "Action",
    "Keyword status",
    "Level",
    "Campaign ID",
    "Campaign",
    "Ad group ID",
    "Ad group",
    "Keyword ID",
    "Negative keyword",
    "Type",
)
CAMPAIGN_COLUMNS = (
    "Row Type",
    "Action",
    "Campaign status",
    "Campaign ID",
    "Campaign",
    "Budget",
    "Target CPA",
    "Target ROAS",
)
_TYPES = {"EXACT": "Exact match", "PHRASE": "Phrase match", "BROAD": "Broad match"}
_MAX_CHARACTERS = 80
_MAX_WORDS = 10
_FORBIDDEN = r"[!@%,*()^~{}=;`<>?\\|]"
_DECORATED = r"[\[\]\"“”]"
_CONTROL = "[\x00-\x1f\x7f-\x9f\u2028\u2029]"

Cells = Mapping[str, str]


def write_bulk_upload(rows: pd.DataFrame, limit: BidLimit) -> dict[str, bytes]:
    """File name ending → bytes, for the kinds that occur; `rows` matches EXPORT_ROWS.

    Raises `Conflict` `rows_refused` (`rows`: id, code and fields of each) and writes nothing when any
    row cannot be written.
    """
    refused = refusals(rows, limit)
    if refused:
        raise Conflict("rows_refused", count=len(refused), rows=[row.told() for row in refused])
    records = sort_rows(rows).to_dict("records")
    campaigns = [row for row in records if row["kind"] in CAMPAIGN_KINDS]
    keywords = [row for row in records if row["kind"] not in ("add_negative", *CAMPAIGN_KINDS)]
    negatives = [row for row in records if row["kind"] == "add_negative"]
    files = {
        "keywords.csv": _csv(KEYWORD_COLUMNS, (_keyword(row, limit) for row in keywords)),
        "negatives.csv": _csv(NEGATIVE_COLUMNS, (_negative(row, "Add") for row in negatives)),
        "rollback_keywords.csv": _csv(KEYWORD_COLUMNS, (_undone(row, limit) for row in keywords)),
        "rollback_negatives.csv": _csv(
            NEGATIVE_COLUMNS, (_negative(row, "Remove") for row in negatives)
        ),
        "campaigns.csv": _csv(
            CAMPAIGN_COLUMNS, (_campaign(row, row["new_bid"], limit) for row in campaigns)
        ),
        "rollback_campaigns.csv": _csv(
            CAMPAIGN_COLUMNS, (_campaign(row, row["old_bid"], limit) for row in campaigns)
        ),
    }
    return {name: content for name, content in files.items() if content}


def refusals(rows: pd.DataFrame, limit: BidLimit) -> list[Refusal]:
    """Every reason why a row cannot be written, row by row; empty when all can."""
    check_table(rows, EXPORT_ROWS)
    return [*common_refusals(rows, limit), *_text_refusals(rows), *_match_refusals(rows)]


def _text_refusals(rows: pd.DataFrame) -> list[Refusal]:
    """Length and character rules bind new texts; an existing keyword already passed them."""
    text, new = rows["keyword_text"], rows["kind"].isin(NEW_KINDS)
    return [
        *flag(rows, _any_cell(rows, _CONTROL), "text_control_character"),
        *flag(rows, text.str.match(r"\s*[=@＝＠]"), "text_formula_start"),
        *flag(rows, text.str.strip().eq(""), "text_empty"),
        *flag(rows, new & text.str.len().gt(_MAX_CHARACTERS), "text_too_long"),
        *flag(rows, new & text.str.count(r"\S+").gt(_MAX_WORDS), "text_too_many_words"),
        *flag(rows, new & text.str.contains(_FORBIDDEN), "text_forbidden_character"),
        *flag(rows, new & text.str.contains(_DECORATED), "text_decorated"),
    ]


def _any_cell(rows: pd.DataFrame, pattern: str) -> pd.Series[bool]:
    joined = rows["keyword_text"] + " " + rows["campaign_name"] + " " + rows["ad_group_name"]
    return joined.str.contains(pattern)


def _match_refusals(rows: pd.DataFrame) -> list[Refusal]:
    """A keyword is found by its ids, or by its names and match type; new ones need a match type."""
    unknown = rows["match_type"].notna() & ~rows["match_type"].isin(list(_TYPES))
    by_id = rows["keyword_id"].notna() & rows["ad_group_id"].notna()
    needed = rows["kind"].isin(NEW_KINDS) | ~by_id
    needed &= ~rows["kind"].isin(CAMPAIGN_KINDS)
    return [
        *flag(rows, unknown, "match_type_unsupported", "match_type"),
        *flag(rows, needed & rows["match_type"].isna(), "match_type_missing"),
    ]


def _keyword(row: Mapping[Any, Any], limit: BidLimit) -> Cells:
    """The change itself. Status stays blank on a bid change: someone may have paused the keyword."""
    cells = _place(row) | {"Keyword ID": _text(row["keyword_id"]), "Keyword": row["keyword_text"]}
    if row["kind"] == "pause":
        return cells | {"Action": "Edit", "Keyword status": "Paused"}
    bid = {"Default max. CPC": _money(row["new_bid"], limit)}
    if row["kind"] == "add_keyword":
        return cells | bid | {"Action": "Add", "Keyword status": "Enabled", "Keyword ID": ""}
    return cells | bid | {"Action": "Edit"}


def _undone(row: Mapping[Any, Any], limit: BidLimit) -> Cells:
    """What restores the account as it was before `_keyword`."""
    cells = dict(_keyword(row, limit))
    if row["kind"] == "add_keyword":
        return cells | {"Action": "Remove", "Keyword status": "", "Default max. CPC": ""}
    if row["kind"] == "pause":
        return cells | {"Keyword status": "Enabled"}
    inherited = row["bid_source"] == "inherited"
    old = "remove_value" if inherited else _money(row["old_bid"], limit)
    return cells | {"Default max. CPC": old}


def _negative(row: Mapping[Any, Any], action: str) -> Cells:
    return _place(row) | {
        "Row Type": "Negative keyword",
        "Action": action,
        "Keyword status": "Enabled" if action == "Add" else "",
        "Level": "Ad group",
        "Negative keyword": row["keyword_text"],
    }


def _campaign(row: Mapping[Any, Any], value: float, limit: BidLimit) -> Cells:
    """One setting of a campaign. A target ROAS is written as the percentage the platform shows."""
    cells = {
        "Row Type": "Campaign",
        "Action": "Edit",
        "Campaign ID": _text(row["campaign_id"]),
        "Campaign": row["campaign_name"],
    }
    if row["kind"] == "set_budget":
        return cells | {"Budget": _money(value, limit)}
    if row["target"] == "roas":
        percent = (Decimal(repr(float(value))) * 100).normalize()
        return cells | {"Target ROAS": f"{percent:f}%"}
    return cells | {"Target CPA": _money(value, limit)}


def _place(row: Mapping[Any, Any]) -> dict[str, str]:
    return {
        "Row Type": "Keyword",
        "Campaign ID": _text(row["campaign_id"]),
        "Campaign": row["campaign_name"],
        "Ad group ID": _text(row["ad_group_id"]),
        "Ad group": row["ad_group_name"],
        "Type": _TYPES.get(_text(row["match_type"]), ""),
    }


def _money(bid: Any, limit: BidLimit) -> str:
    """Plain decimal on the currency's step; an old bid off the step is restored as it was."""
    if pd.isna(bid):
        return ""
    return f"{on_step(bid, limit.step) or Decimal(repr(float(bid))):f}"


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)


def _csv(columns: Sequence[str], rows: Iterable[Cells]) -> bytes:
    """CSV bytes with a header; empty when there are no rows."""
    listed = list(rows)
    if not listed:
        return b""
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(listed)
    return buffer.getvalue().encode()
