"""What a file changes, whatever its platform: the edits of approved rows and those that undo them.

A writer turns each `Change` into cells and back; which edits there are, and what undoes them, is
decided here once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

import pandas as pd

from optimizer.review.exports.amounts import PERCENT_DIGITS, exact
from optimizer.review.exports.rows import STATE_KINDS, column, level_of, sort_rows
from optimizer.settings import BidLimit

Action = Literal[
    "set_bid",
    "clear_bid",
    "pause",
    "resume",
    "add_keyword",
    "remove_keyword",
    "add_negative",
    "remove_negative",
    "set_budget",
    "set_target",
]

NEGATIVE_ACTIONS: tuple[Action, ...] = ("add_negative", "remove_negative")
SETTING_ACTIONS: tuple[Action, ...] = ("set_budget", "set_target")
CREATED: tuple[Action, ...] = ("remove_keyword", "remove_negative")
"""Edits of what a file itself created: the platform's id for it is not known when it is written."""

_ACTIONS: Mapping[str, Action] = {
    "raise": "set_bid",
    "lower": "set_bid",
    "pause": "pause",
    "resume": "resume",
    "add_keyword": "add_keyword",
    "add_negative": "add_negative",
    "set_budget": "set_budget",
    "set_target": "set_target",
}
_UNDONE: Mapping[Action, Action] = {
    "pause": "resume",
    "resume": "pause",
    "add_keyword": "remove_keyword",
    "add_negative": "remove_negative",
}


@dataclass(frozen=True)
class Change:
    """One edit of an account. Texts are blank where the file holds none.

    `value` is the new bid, budget, CPA or ROAS (3.4: revenue over cost); of a `clear_bid`, which
    lets the ad group's bid hold again, the bid that this is. `was` is what it replaces.
    """

    action: Action
    level: str = "keyword"
    campaign_name: str = ""
    ad_group_name: str = ""
    keyword_text: str = ""
    match_type: str = ""
    campaign_id: str = ""
    ad_group_id: str = ""
    keyword_id: str = ""
    value: Decimal | None = None
    was: Decimal | None = None
    target: str = ""
    target_type: str = ""
    id: str = ""


def forward(rows: pd.DataFrame, limit: BidLimit) -> list[Change]:
    """The edits that approved rows (EXPORT_ROWS) ask for, in the order files are written in."""
    return [_forward(row, limit) for row in _records(rows)]


def backward(rows: pd.DataFrame, limit: BidLimit) -> list[Change]:
    """What restores the account as it was before `forward`, in the same order."""
    return [_undone(_forward(row, limit), row["bid_source"]) for row in _records(rows)]


def _records(rows: pd.DataFrame) -> list[dict[Any, Any]]:
    ordered = sort_rows(rows)
    told = ordered.assign(level=level_of(ordered), target_type=column(ordered, "target_type"))
    return told.to_dict("records")


def _forward(row: Mapping[Any, Any], limit: BidLimit) -> Change:
    names = ("campaign_id", "campaign_name", "ad_group_id", "ad_group_name")
    subject = ("keyword_id", "keyword_text", "match_type", "target", "target_type", "id")
    texts = {name: _text(row[name]) for name in (*names, *subject)}
    value, was = _amounts(row, limit)
    return Change(_ACTIONS[row["kind"]], level=row["level"], value=value, was=was, **texts)


def _amounts(row: Mapping[str, Any], limit: BidLimit) -> tuple[Decimal | None, Decimal | None]:
    """The new and the replaced value of a row that moves one."""
    if row["kind"] in STATE_KINDS:
        return None, None
    if row["kind"] == "set_target" and row["target"] == "roas":
        return _share(row["new_bid"]), _share(row["old_bid"])
    return exact(row["new_bid"], limit.step), exact(row["old_bid"], limit.step)


def _share(value: Any) -> Decimal | None:
    found = exact(value, PERCENT_DIGITS)
    return None if found is None else found.normalize()


def _undone(change: Change, bid_source: Any) -> Change:
    if change.action in _UNDONE:
        return replace(change, action=_UNDONE[change.action], value=None, was=change.value)
    clears = change.action == "set_bid" and bid_source == "inherited"
    action: Action = "clear_bid" if clears else change.action
    return replace(change, action=action, value=change.was, was=change.value)


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)
