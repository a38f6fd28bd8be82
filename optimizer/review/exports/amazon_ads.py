"""Amazon Ads bulk sheet 2.0 (Sponsored ads → Bulk operations → Upload), Sponsored Products.

One sheet of Amazon's own name. Ids are text cells, as a spreadsheet would cut their digits; amounts
are number cells written from decimals. A blank cell leaves a field as it is, so State stays blank on
a bid change: someone may have paused the keyword. What the file creates has no id yet, and what has
no id cannot be archived by a file: undoing it is a list for a person.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import xlsxwriter
from python_calamine import CalamineWorkbook

from optimizer.review.exports.amounts import amount_of
from optimizer.review.exports.by_hand import read_by_hand, with_rollback
from optimizer.review.exports.changes import Action, Change, edits
from optimizer.review.exports.checks import (
    common_refusals,
    id_refusals,
    kind_refusals,
    require_none,
)
from optimizer.review.exports.rows import EXPORT_ROWS, KINDS, Refusal, flag, level_of
from optimizer.review.exports.texts import TextRules, match_refusals, text_refusals
from optimizer.settings import BidLimit
from optimizer.tables import check_table

SHEET = "Sponsored Products Campaigns"
PRODUCT = "Sponsored Products"
COLUMNS = (
    *("Product", "Entity", "Operation", "Campaign ID", "Ad Group ID", "Portfolio ID", "Ad ID"),
    *("Keyword ID", "Product Targeting ID", "Campaign Name", "Ad Group Name"),
    *("Campaign Name (Informational only)", "Ad Group Name (Informational only)"),
    *("Start Date", "End Date", "Targeting Type", "State", "Daily Budget", "SKU"),
    *("Ad Group Default Bid", "Bid", "Keyword Text", "Native Language Keyword"),
    *("Native Language Locale", "Match Type", "Bidding Strategy", "Placement", "Percentage"),
    "Product Targeting Expression",
)
_AMOUNTS = ("Daily Budget", "Bid")
_IDS = ("Campaign ID", "Ad Group ID", "Keyword ID", "Product Targeting ID")
_TYPES = ("EXACT", "PHRASE", "BROAD")
_TARGETS = ("AUTO", "PRODUCT")
"""Match types of targets, where a report gives them one; Amazon's own sheets leave it blank."""
RULES = TextRules(
    characters=80,
    words=10,
    negative_phrase_words=4,
    forbidden=r"[/^,]|\.\.",
    keyword_types=(*_TYPES, *_TARGETS),
    negative_types=("EXACT", "PHRASE"),
)
_NEGATIVE_TYPES = {"EXACT": "negativeExact", "PHRASE": "negativePhrase"}
_ASIN = re.compile(r"b0[0-9a-z]{8}", re.IGNORECASE)
_EXPRESSION = re.compile(r'asin="(.+)"')
_MADE = datetime(2000, 1, 1)

Sheet = Mapping[str, str | Decimal | None]


def write_bulk_upload(rows: pd.DataFrame, limit: BidLimit) -> dict[str, bytes]:
    """`bulk.xlsx`, `rollback_bulk.xlsx` and, for what is created, `rollback_by_hand.csv`.

    Raises `Conflict` `rows_refused` and writes nothing when any row cannot be written.
    """
    require_none(refusals(rows, limit))
    return with_rollback("bulk.xlsx", _workbook, *edits(rows, limit))


def refusals(rows: pd.DataFrame, limit: BidLimit) -> list[Refusal]:
    """Every reason why a row cannot be written, row by row; empty when all can."""
    check_table(rows, EXPORT_ROWS)
    return [
        *kind_refusals(rows, [kind for kind in KINDS if kind != "set_target"]),
        *common_refusals(rows, limit),
        *id_refusals(rows),
        *text_refusals(rows, RULES),
        *match_refusals(rows, RULES, found_by="ids"),
        *_product_refusals(rows),
    ]


def _product_refusals(rows: pd.DataFrame) -> list[Refusal]:
    """A product can be excluded from an ad group; it is no keyword, and no new target is written."""
    product = rows["keyword_text"].str.fullmatch(_ASIN.pattern, case=False)
    targets = rows["match_type"].isin(_TARGETS)
    add, negative = rows["kind"].eq("add_keyword"), rows["kind"].eq("add_negative")
    wrong = (add & (product | targets)) | (negative & product & level_of(rows).eq("campaign"))
    return flag(rows, wrong, "text_is_product")


def read_changes(files: Mapping[str, bytes]) -> list[Change]:
    """The edits of files of `write_bulk_upload` (our own: foreign workbooks go through `reports`)."""
    found: list[Change] = []
    for name, content in files.items():
        is_sheet = name.endswith(".xlsx")
        found += _read_workbook(content) if is_sheet else read_by_hand(content)
    return found


def _workbook(changes: Sequence[Change]) -> bytes:
    """A workbook of the rows, the same bytes for the same rows; b"" when there are none."""
    if not changes:
        return b""
    buffer = io.BytesIO()
    options = dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)
    with xlsxwriter.Workbook(buffer, {"in_memory": True, **options}) as book:
        book.set_properties({"created": _MADE})
        text = book.add_format({"num_format": "@"})
        sheet = book.add_worksheet(SHEET)
        for at, name in enumerate(COLUMNS):
            sheet.write_string(0, at, name)
        for line, change in enumerate(changes, start=1):
            _write_row(sheet, line, _cells(change), text)
    return buffer.getvalue()


def _write_row(sheet: Any, line: int, cells: Sheet, text: Any) -> None:
    for at, name in enumerate(COLUMNS):
        value = cells.get(name)
        if isinstance(value, Decimal):
            sheet.write_number(line, at, value)
        elif value:
            sheet.write_string(line, at, value, text)


def _cells(change: Change) -> Sheet:
    place = {
        "Product": PRODUCT,
        "Operation": "Create" if change.action.startswith("add_") else "Update",
        "Campaign ID": change.campaign_id,
        "Campaign Name (Informational only)": change.campaign_name,
        "Ad Group ID": "" if change.level == "campaign" else change.ad_group_id,
        "Ad Group Name (Informational only)": _ad_group_name(change),
    }
    return {**place, **_subject(change)}


def _ad_group_name(change: Change) -> str:
    return "" if change.level == "campaign" else change.ad_group_name


def _subject(change: Change) -> Sheet:
    if change.action == "set_budget":
        return {"Entity": "Campaign", "Daily Budget": change.value}
    if change.action == "add_negative":
        return _negative(change)
    if change.level == "creative":
        return {"Entity": "Product Ad", "Ad ID": change.keyword_id, **_moved(change)}
    if change.match_type not in _TYPES:
        return {
            "Entity": "Product Targeting",
            "Product Targeting ID": change.keyword_id,
            **_moved(change),
        }
    new = change.action == "add_keyword"
    return {
        "Entity": "Keyword",
        "Keyword ID": "" if new else change.keyword_id,
        "Keyword Text": change.keyword_text,
        "Match Type": change.match_type.lower(),
        **_moved(change),
    }


def _moved(change: Change) -> Sheet:
    states = {"pause": "paused", "resume": "enabled", "add_keyword": "enabled"}
    return {"State": states.get(change.action, ""), "Bid": change.value}


def _negative(change: Change) -> Sheet:
    if _ASIN.fullmatch(change.keyword_text):
        expression = f'asin="{change.keyword_text.upper()}"'
        return {
            "Entity": "Negative Product Targeting",
            "State": "enabled",
            "Product Targeting Expression": expression,
        }
    whole = "Campaign " if change.level == "campaign" else ""
    return {
        "Entity": f"{whole}Negative Keyword",
        "State": "enabled",
        "Keyword Text": change.keyword_text,
        "Match Type": _NEGATIVE_TYPES[change.match_type],
    }


def _read_workbook(content: bytes) -> list[Change]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    names, *lines = book.get_sheet_by_name(SHEET).to_python()
    return [_change(dict(zip(map(str, names), line, strict=True))) for line in lines]


def _change(cells: Mapping[str, Any]) -> Change:
    entity = cells["Entity"]
    place: dict[str, Any] = {
        "campaign_id": cells["Campaign ID"],
        "campaign_name": cells["Campaign Name (Informational only)"],
        "ad_group_id": cells["Ad Group ID"],
        "ad_group_name": cells["Ad Group Name (Informational only)"],
    }
    if entity == "Campaign":
        return Change("set_budget", level="campaign", value=_number(cells["Daily Budget"]), **place)
    if entity == "Product Ad":
        ad = {"level": "creative", "keyword_id": cells["Ad ID"]}
        return Change(_keyword_action(cells), **ad, **place)
    if "Negative" in entity:
        return Change("add_negative", level=_level(entity), **_read_text(cells), **place)
    return Change(
        _keyword_action(cells),
        keyword_id=cells["Keyword ID"] or cells["Product Targeting ID"],
        value=_number(cells["Bid"]),
        **_read_text(cells),
        **place,
    )


def _level(entity: str) -> str:
    return "campaign" if entity.startswith("Campaign") else "ad_group"


def _keyword_action(cells: Mapping[str, Any]) -> Action:
    if cells["Operation"] == "Create":
        return "add_keyword"
    states: Mapping[str, Action] = {"paused": "pause", "enabled": "resume"}
    return states.get(cells["State"], "set_bid")


def _read_text(cells: Mapping[str, Any]) -> dict[str, Any]:
    product = _EXPRESSION.fullmatch(cells["Product Targeting Expression"])
    match = str(cells["Match Type"]).removeprefix("negative").upper()
    text = product.group(1).lower() if product else cells["Keyword Text"]
    return {"keyword_text": text, "match_type": match}


def _number(cell: Any) -> Decimal | None:
    return amount_of("" if cell == "" else repr(cell))
