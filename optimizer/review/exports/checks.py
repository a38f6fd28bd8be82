"""The checks no platform lets a row skip: state, bid, money, blocked words, contradictions."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

import pandas as pd

from optimizer.errors import Conflict
from optimizer.review.exports.amounts import PERCENT_DIGITS, on_step
from optimizer.review.exports.blocking import blocked_pairs
from optimizer.review.exports.rows import (
    BID_KINDS,
    CAMPAIGN_KINDS,
    KINDS,
    STATE_KINDS,
    Refusal,
    column,
    flag,
    level_of,
    of_creatives,
)
from optimizer.review.exports.texts import safe_text_refusals
from optimizer.settings import BidLimit

_OFF = ("PAUSED", "REMOVED", "ARCHIVED")
_GONE = ("REMOVED", "ARCHIVED")


def require_none(refused: list[Refusal]) -> None:
    """Raise `Conflict` `rows_refused` (`rows`: id, code and fields of each) unless the list is empty."""
    if refused:
        raise Conflict("rows_refused", count=len(refused), rows=[row.told() for row in refused])


def common_refusals(rows: pd.DataFrame, limit: BidLimit) -> list[Refusal]:
    """State, bid, text and duplicate checks shared by every platform."""
    return [
        *_state_refusals(rows),
        *_creative_refusals(rows),
        *_blocking_refusals(rows),
        *_bid_refusals(rows),
        *_amount_refusals(rows, limit),
        *_duplicate_refusals(rows),
        *safe_text_refusals(rows),
    ]


def kind_refusals(rows: pd.DataFrame, kinds: Collection[str] = KINDS) -> list[Refusal]:
    """Rows of a kind that the platform's file cannot hold."""
    return flag(rows, ~rows["kind"].isin(list(kinds)), "kind_unsupported", "kind")


def id_refusals(rows: pd.DataFrame) -> list[Refusal]:
    """Rows without the ids by which a platform finds them, or with ids that are no whole numbers.

    An id such as 1.44E+14 went through a spreadsheet and lost its digits.
    """
    level, new = level_of(rows), rows["kind"].isin(["add_keyword", "add_negative"])
    needed = {
        "campaign_id": pd.Series(True, index=rows.index),
        "ad_group_id": level.ne("campaign"),
        "keyword_id": level.isin(["keyword", "creative"]) & ~new,
    }
    wrong = [mask & ~_numeric(rows[name]) for name, mask in needed.items()]
    return flag(rows, wrong[0] | wrong[1] | wrong[2], "id_missing", *needed)


def _numeric(ids: pd.Series[str]) -> pd.Series[bool]:
    return ids.fillna("").str.fullmatch(r"[0-9]+")


def _state_refusals(rows: pd.DataFrame) -> list[Refusal]:
    kind, status = rows["kind"], rows["status"].mask(of_creatives(rows))
    bids, states = kind.isin(BID_KINDS), kind.isin(STATE_KINDS)
    gone = status.isin(_GONE) & (bids | states)
    group = rows["ad_group_status"].isin(_OFF) & level_of(rows).ne("campaign")
    return [
        *flag(rows, rows["campaign_status"].isin(_OFF), "campaign_not_active", "campaign_status"),
        *flag(rows, group, "ad_group_not_active", "ad_group_status"),
        *flag(rows, gone, "keyword_removed"),
        *flag(rows, status.eq("PAUSED") & kind.eq("pause"), "already_paused"),
        *flag(rows, status.eq("ENABLED") & kind.eq("resume"), "already_enabled"),
        *flag(rows, rows["bidding_mode"].eq("automated") & bids, "bidding_automated"),
        *flag(rows, rows["exists"] & kind.eq("add_keyword"), "already_exists", "match_type"),
    ]


def _creative_refusals(rows: pd.DataFrame) -> list[Refusal]:
    """Creatives that are gone or already as asked, and an ad group that would show none any more."""
    creative, kind, status = of_creatives(rows), rows["kind"], rows["status"]
    stop, start = creative & kind.eq("pause"), creative & kind.eq("resume")
    left = pd.to_numeric(column(rows, "creatives_left"))
    return [
        *flag(rows, creative & status.isin(_GONE), "creative_removed"),
        *flag(rows, stop & status.eq("PAUSED"), "creative_already_paused"),
        *flag(rows, start & status.eq("ENABLED"), "creative_already_enabled"),
        *flag(rows, stop & left.eq(0), "creative_is_last"),
    ]


def _blocking_refusals(rows: pd.DataFrame) -> list[Refusal]:
    """Negatives that would silence own keywords or converting terms, and keywords never to show."""
    kind = rows["kind"]
    negative = kind.eq("add_negative")
    shown = kind.isin(["add_keyword", "resume"]) & ~of_creatives(rows)
    own = column(rows, "blocks_keyword").combine_first(_blocks_new(rows, negative, shown))
    told = rows.assign(
        blocks_keyword=own.where(own.notna() | ~rows["exists"], rows["keyword_text"]),
        blocks_term=column(rows, "blocks_term"),
        blocked_by=column(rows, "blocked_by"),
    )
    silences, loses = (negative & told[name].notna() for name in ("blocks_keyword", "blocks_term"))
    never = shown & told["blocked_by"].notna()
    return [
        *flag(told, silences, "negative_blocks_keyword", "match_type", "blocks_keyword"),
        *flag(told, loses, "negative_blocks_term", "match_type", "blocks_term"),
        *flag(told, never, "keyword_blocked", "match_type", "blocked_by"),
    ]


def _blocks_new(
    rows: pd.DataFrame, negative: pd.Series[bool], shown: pd.Series[bool]
) -> pd.Series[str]:
    """The keyword added or resumed in the same file that each negative would silence."""
    if not (negative.any() and shown.any()):
        return column(rows.iloc[:, :0], "none")
    leveled = rows.assign(level=level_of(rows))
    pairs = blocked_pairs(leveled[negative], leveled[shown])
    first = pairs.drop_duplicates("negative").set_index("negative")["text"]
    found = rows["keyword_text"].reindex(first)
    return pd.Series(found.to_numpy(), index=first.index, dtype="str").reindex(rows.index)


def _bid_refusals(rows: pd.DataFrame) -> list[Refusal]:
    """Values that are missing, on either side, and those that somebody moved since."""
    kind, known = rows["kind"], rows["new_bid"].notna()
    bids, campaigns = kind.isin(BID_KINDS), kind.isin(CAMPAIGN_KINDS)
    automated_add = kind.eq("add_keyword") & rows["bidding_mode"].eq("automated")
    needed = bids | campaigns | (kind.eq("add_keyword") & ~automated_add)
    replaces = (bids | campaigns) & rows["old_bid"].isna()
    settings = bids | kind.eq("set_budget")
    moved = settings & rows["current_bid"].notna() & rows["current_bid"].ne(rows["old_bid"])
    nameless = kind.eq("set_target") & ~rows["target"].isin(["roas", "cpa"])
    return [
        *flag(rows, needed & ~known, "bid_missing"),
        *flag(rows, replaces, "replaced_bid_unknown"),
        *flag(rows, moved, "bid_moved", "old_bid", "current_bid"),
        *flag(rows, nameless, "target_unknown", "target"),
    ]


def _amount_refusals(rows: pd.DataFrame, limit: BidLimit) -> list[Refusal]:
    """Amounts off the currency's step or outside what the platform takes."""
    campaigns, new = rows["kind"].isin(CAMPAIGN_KINDS), rows["new_bid"]
    outside = new.lt(float(limit.minimum)) | new.gt(float(limit.maximum))
    outside = (campaigns & new.le(0)) | (outside & ~campaigns)
    smallest = limit.minimum_budget or Decimal(0)
    small = rows["kind"].eq("set_budget") & new.gt(0) & new.lt(float(smallest))
    shares = rows["kind"].eq("set_target") & rows["target"].eq("roas")
    off = new.map(lambda bid: on_step(bid, limit.step) is None).astype(bool)
    vague = new.map(lambda bid: on_step(bid, PERCENT_DIGITS) is None).astype(bool)
    return [
        *flag(rows, outside, "bid_outside_limits", "new_bid"),
        *flag(
            rows.assign(minimum=float(smallest)), small, "budget_too_small", "new_bid", "minimum"
        ),
        *flag(rows, new.notna() & vague.where(shares, off), "bid_not_on_step", "new_bid"),
    ]


def _duplicate_refusals(rows: pd.DataFrame) -> list[Refusal]:
    """Two rows for one keyword, or one new text twice, contradict each other."""
    place = ["campaign_name", "ad_group_name", "keyword_text", "match_type", "what", "level"]
    apart = rows["kind"].isin(["add_negative", *CAMPAIGN_KINDS])
    what = rows["kind"].where(apart, "keyword")
    # Creatives of one text are told apart by their ids alone.
    what = what.mask(of_creatives(rows), "creative " + rows["keyword_id"].fillna(""))
    keyed = rows.assign(what=what, level=level_of(rows))
    by_name = keyed.duplicated(place, keep=False)
    ids = keyed["keyword_id"].notna() & keyed["ad_group_id"].notna()
    by_id = ids & keyed.duplicated(["ad_group_id", "keyword_id", "what"], keep=False)
    return flag(rows, by_name | by_id, "duplicate_row", "match_type", "kind")
