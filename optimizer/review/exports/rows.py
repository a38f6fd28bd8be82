"""The rows every writer is given, and the checks no platform lets one skip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pandas as pd

from optimizer.settings import BidLimit
from optimizer.tables import Column, Table

BID_KINDS = ("raise", "lower")
NEW_KINDS = ("add_keyword", "add_negative")
CAMPAIGN_KINDS = ("set_budget", "set_target")


def _null(dtype: Any, meaning: str = "") -> Column:
    return Column(dtype, meaning, nullable=True)


EXPORT_ROWS = Table(
    "export_rows",
    {
        "id": Column("str", "suggestion"),
        "kind": Column(
            "str", "raise | lower | pause | add_keyword | add_negative | set_budget | set_target"
        ),
        "campaign_id": _null("str"),
        "campaign_name": Column("str"),
        "ad_group_id": _null("str"),
        "ad_group_name": Column("str"),
        "keyword_id": _null("str"),
        "keyword_text": Column("str", "bare"),
        "match_type": _null("str"),
        "old_bid": _null("float", "the bid, budget or target that was approved to be replaced"),
        "new_bid": _null("float", "the approved bid, budget or target"),
        "current_bid": _null("float", "the bid or budget in the newest report"),
        "target": _null("str", "roas | cpa: what a set_target sets"),
        "bid_source": _null("str", "own | inherited"),
        "bidding_mode": _null("str", "manual | enhanced | automated"),
        "status": _null("str", "of the keyword in the newest report"),
        "ad_group_status": _null("str"),
        "campaign_status": _null("str"),
        "exists": Column("bool", "its ad group has a keyword of this text and match type"),
    },
    ("id",),
)
"""One approved change each, with the newest known state of what it changes."""


@dataclass(frozen=True)
class Refusal:
    """One row that cannot be written, and why."""

    id: str
    code: str
    fields: dict[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """{id, code, …fields}."""
        return {"id": self.id, "code": self.code, **self.fields}


def flag(rows: pd.DataFrame, mask: pd.Series[bool], code: str, *shown: str) -> list[Refusal]:
    """A refusal for each masked row, showing its text, place and the named columns."""
    names = ["keyword_text", "ad_group_name", "campaign_name", *shown]
    found = rows.loc[mask, ["id", *names]].to_dict("records")
    return [Refusal(str(row["id"]), code, {n: _plain(row[n]) for n in names}) for row in found]


def _plain(value: Any) -> Any:
    return None if pd.isna(value) else value


def common_refusals(rows: pd.DataFrame, limit: BidLimit) -> list[Refusal]:
    """State, bid and duplicate checks shared by every platform."""
    return [*_state_refusals(rows), *_bid_refusals(rows, limit), *_duplicate_refusals(rows)]


def _state_refusals(rows: pd.DataFrame) -> list[Refusal]:
    bids, pause = rows["kind"].isin(BID_KINDS), rows["kind"].eq("pause")
    parent = rows["campaign_status"].isin(["PAUSED", "REMOVED"])
    group = rows["ad_group_status"].isin(["PAUSED", "REMOVED"])
    gone = rows["status"].eq("REMOVED") & (bids | pause)
    return [
        *flag(rows, parent, "campaign_not_active", "campaign_status"),
        *flag(rows, group, "ad_group_not_active", "ad_group_status"),
        *flag(rows, gone, "keyword_removed"),
        *flag(rows, rows["status"].eq("PAUSED") & pause, "already_paused"),
        *flag(rows, rows["bidding_mode"].eq("automated") & bids, "bidding_automated"),
        *flag(
            rows, rows["exists"] & rows["kind"].eq("add_keyword"), "already_exists", "match_type"
        ),
        *flag(rows, _blocks_own(rows), "negative_blocks_keyword", "match_type"),
    ]


def _blocks_own(rows: pd.DataFrame) -> pd.Series[bool]:
    """Negatives that would silence a keyword of the same ad group, there already or new in this file."""
    names = ["campaign_name", "ad_group_name", "keyword_text", "match_type"]
    negative = rows["kind"].eq("add_negative")
    added = pd.MultiIndex.from_frame(rows.loc[rows["kind"].eq("add_keyword"), names])
    return negative & (rows["exists"] | pd.MultiIndex.from_frame(rows[names]).isin(added))


def _bid_refusals(rows: pd.DataFrame, limit: BidLimit) -> list[Refusal]:
    bids, campaigns = rows["kind"].isin(BID_KINDS), rows["kind"].isin(CAMPAIGN_KINDS)
    automated_add = rows["kind"].eq("add_keyword") & rows["bidding_mode"].eq("automated")
    needed = bids | campaigns | (rows["kind"].eq("add_keyword") & ~automated_add)
    known = rows["new_bid"].notna()
    outside = rows["new_bid"].lt(float(limit.minimum)) | rows["new_bid"].gt(float(limit.maximum))
    outside = (campaigns & rows["new_bid"].le(0)) | (outside & ~campaigns)
    uneven = known & rows["new_bid"].map(lambda bid: on_step(bid, limit.step) is None).astype(bool)
    uneven &= ~rows["kind"].eq("set_target")
    settings = bids | rows["kind"].eq("set_budget")
    moved = settings & rows["current_bid"].notna() & rows["current_bid"].ne(rows["old_bid"])
    return [
        *flag(rows, needed & ~known, "bid_missing"),
        *flag(rows, bids & rows["old_bid"].isna(), "replaced_bid_unknown"),
        *flag(rows, outside, "bid_outside_limits", "new_bid"),
        *flag(rows, uneven, "bid_not_on_step", "new_bid"),
        *flag(rows, moved, "bid_moved", "old_bid", "current_bid"),
    ]


def _duplicate_refusals(rows: pd.DataFrame) -> list[Refusal]:
    """Two rows for one keyword, or one new text twice, contradict each other."""
    place = ["campaign_name", "ad_group_name", "keyword_text", "match_type", "what"]
    apart = rows["kind"].isin(["add_negative", *CAMPAIGN_KINDS])
    keyed = rows.assign(what=rows["kind"].where(apart, "keyword"))
    by_name = keyed.duplicated(place, keep=False)
    ids = keyed["keyword_id"].notna() & keyed["ad_group_id"].notna()
    by_id = ids & keyed.duplicated(["ad_group_id", "keyword_id", "what"], keep=False)
    return flag(rows, by_name | by_id, "duplicate_row", "match_type", "kind")


def on_step(bid: float | None, step: Decimal) -> Decimal | None:
    """The bid as an exact multiple of `step`, or None when it is not one (or unknown).

    Floats carry noise far below a step (0.30000000000000004); more than a millionth of a step is
    a different bid and is never rounded away quietly.
    """
    if bid is None or pd.isna(bid):
        return None
    stated = Decimal(repr(float(bid)))
    nearest = (stated / step).to_integral_value() * step
    return nearest.quantize(step) if abs(stated - nearest) <= step / 1_000_000 else None


def sort_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows in the one order files are written in: same set, same bytes."""
    order: Sequence[str] = (
        "campaign_name",
        "ad_group_name",
        "keyword_text",
        "match_type",
        "kind",
        "id",
    )
    return rows.sort_values(list(order), kind="stable", na_position="first", ignore_index=True)
