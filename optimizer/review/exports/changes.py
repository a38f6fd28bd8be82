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


@dataclass(frozen=True, slots=True)
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
    target: str = ""
    target_type: str = ""
    id: str = ""
    value: Decimal | None = None
    was: Decimal | None = None


def forward(rows: pd.DataFrame, limit: BidLimit) -> list[Change]:
    """The edits that approved rows (EXPORT_ROWS) ask for, in the order files are written in."""
    return edits(rows, limit)[0]


def backward(rows: pd.DataFrame, limit: BidLimit) -> list[Change]:
    """What restores the account as it was before `forward`, in the same order."""
    return edits(rows, limit)[1]


def edits(rows: pd.DataFrame, limit: BidLimit) -> tuple[list[Change], list[Change]]:
    """`forward` and `backward` of the same rows."""
    ordered = sort_rows(rows)
    told = ordered.assign(level=level_of(ordered), target_type=column(ordered, "target_type"))
    texts = [told[name].astype("str").fillna("").tolist() for name in _TEXTS]
    share = told["kind"].eq("set_target") & told["target"].eq("roas")
    new, old = (_amounts(told, name, share, limit) for name in ("new_bid", "old_bid"))
    actions = told["kind"].map(_ACTIONS)
    done = [Change(*fields) for fields in zip(actions, *texts, new, old, strict=True)]
    sources = told["bid_source"].tolist()
    return done, [_undone(one, source) for one, source in zip(done, sources, strict=True)]


_TEXTS = (
    *("level", "campaign_name", "ad_group_name", "keyword_text", "match_type"),
    *("campaign_id", "ad_group_id", "keyword_id", "target", "target_type", "id"),
)
"""In the order of the fields of `Change`, between its action and its amounts."""


def _amounts(
    rows: pd.DataFrame, name: str, share: pd.Series[bool], limit: BidLimit
) -> list[Decimal | None]:
    """The exact amounts of a column, each different one worked out once; None for kinds without."""
    steps = share.map({True: PERCENT_DIGITS, False: limit.step})
    pairs = list(zip(rows[name], steps, rows["kind"].isin(STATE_KINDS), strict=True))
    known = {pair: _amount(*pair) for pair in set(pairs)}
    return [known[pair] for pair in pairs]


def _amount(value: float, step: Decimal, no_value: bool) -> Decimal | None:
    found = None if no_value else exact(value, step)
    return found.normalize() if found is not None and step == PERCENT_DIGITS else found


def _undone(change: Change, bid_source: Any) -> Change:
    if change.action in _UNDONE:
        return replace(change, action=_UNDONE[change.action], value=None, was=change.value)
    clears = change.action == "set_bid" and bid_source == "inherited"
    action: Action = "clear_bid" if clears else change.action
    return replace(change, action=action, value=change.was, was=change.value)
