"""Every table that crosses a stage: columns, units, unique key and grain.

Names follow Fivetran's open `ad_reporting__keyword_report`. Keep sums, derive rates: no table holds
a rate. Report rows and stored history hold money as integer micros (`*_micros`); from the review
inputs on money is float64 in the account's currency. Unknown is null, never 0. A row covers the days
`first_day..last_day`, which are equal in a daily report.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from optimizer.errors import BadTable, Forbidden
from optimizer.kept_rows import KeptRows

Dtype = Literal["str", "int", "float", "date", "bool"]
Grain = Literal[
    "keyword_day", "keyword_period", "search_term_day", "search_term_period",
    "creative_day", "creative_period", "keyword_state", "negative",
    "item", "item_log", "organic",
]  # fmt: skip
Role = Literal["viewer", "operator", "approver", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

MICROS = 1_000_000


@dataclass(frozen=True)
class Actor:
    """Who does it, and what they may do. Roles are ordered: each may do all that the former may.

    `role` holds on every account (None: on none), `grants` on single ones; the higher counts. From
    `until` (seconds since 1970) on nothing is allowed: the login has ended.
    """

    name: str
    role: Role | None
    grants: Mapping[str, Role] = field(default_factory=dict, hash=False)
    until: float | None = None

    def role_on(self, account: str | None) -> Role | None:
        """The role on one account; without one, that on every account."""
        held = [self.role, self.grants.get(account) if account is not None else None]
        return max((role for role in held if role), key=ROLES.index, default=None)

    def require(self, role: Role, account: str | None = None) -> None:
        """Raise `Forbidden` unless the role on the account (on every account) is at least `role`."""
        self._require(role, self.role_on(account), account)

    def require_anywhere(self, role: Role) -> None:
        """Raise `Forbidden` unless the role is at least `role` on some account."""
        held = [each for each in (self.role, *self.grants.values()) if each]
        self._require(role, max(held, key=ROLES.index, default=None), None)

    def may(self, role: Role, account: str | None = None) -> bool:
        """Whether `require` would let it pass."""
        try:
            self.require(role, account)
        except Forbidden:
            return False
        return True

    def _require(self, role: Role, held: Role | None, account: str | None) -> None:
        if self.until is not None and time.time() >= self.until:
            raise Forbidden("login_expired", actor=self.name)
        if held is None:
            raise Forbidden("no_right_here", actor=self.name, account=account, needed=role)
        if ROLES.index(held) < ROLES.index(role):
            raise Forbidden("role_too_low", actor=self.name, role=held, needed=role)


@dataclass(frozen=True)
class Column:
    """One column: dtype, whether null is allowed, and what it means (with its unit).

    An `optional` one may be left out of a frame, where nothing is known of it in any row.
    """

    dtype: Dtype
    meaning: str = ""
    nullable: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Table:
    """A named set of columns and the columns that identify a row (empty: no unique key)."""

    name: str
    columns: Mapping[str, Column]
    key: tuple[str, ...] = ()


def _null(dtype: Dtype, meaning: str = "") -> Column:
    return Column(dtype, meaning, nullable=True)


_PLACE = {
    "campaign_id": _null("str"),
    "campaign_name": Column("str"),
    "ad_group_id": _null("str"),
    "ad_group_name": Column("str"),
}
_DAYS = {
    "first_day": Column("date", "first day the row covers"),
    "last_day": Column("date", "last day the row covers; equal to first_day in daily rows"),
}
_MICRO_SUMS = {
    "impressions": Column("int"),
    "clicks": Column("int"),
    "cost_micros": Column("int"),
    "conversions": Column("float", "may be fractional and may exceed clicks"),
    "value_micros": _null("int", "conversion value; null where the report has none"),
}
_SUMS = {
    "impressions": Column("float"),
    "clicks": Column("float"),
    "cost": Column("float", "account currency"),
    "conversions": Column("float"),
    "value": _null("float", "account currency, before margin and refunds"),
}
_KEYWORD_NAMES = {
    **_PLACE,
    "keyword_id": _null("str"),
    "keyword_text": Column("str", "bare, without match-type decoration"),
    "match_type": _null("str", "EXACT | PHRASE | BROAD | AUTO | PRODUCT"),
    "target_type": Column(
        "str", "keyword | auto | product | category | keyword_package | content | placement"
    ),
    "item_id": _null("str"),
}
_TERM_NAMES = {
    **_PLACE,
    "keyword_text": _null("str", "the keyword that let the term in"),
    "search_term": Column("str"),
}

_KEYWORD_STATE = {
    "status": _null("str", "ENABLED | PAUSED | REMOVED | UNKNOWN"),
    "ad_group_status": _null("str"),
    "campaign_status": _null("str"),
    "bidding_mode": _null("str", "manual | enhanced | automated"),
    "bid_micros": _null("int", "max CPC stated in the row"),
    "bid_source": _null("str", "own | inherited"),
    "first_page_bid_micros": _null("int"),
    "campaign_budget_micros": _null("int", "per day"),
    "quality_score": _null("int"),
}


def _extra(dtype: Dtype, meaning: str = "") -> Column:
    return Column(dtype, meaning, nullable=True, optional=True)


EXTRA_SUMS = {
    "add_to_cart": _extra("float", "times the item was put into a cart (加购)"),
    "favourites": _extra("float", "times item or shop was kept as a favourite (收藏)"),
    "presale_orders": _extra("float", "orders with a deposit paid (预售), beside conversions"),
    "presale_value_micros": _extra("int", "value of those orders"),
    "new_customers": _extra("float", "buyers who had not bought before"),
    "direct_value_micros": _extra("int", "part of the value: of the item itself"),
    "indirect_value_micros": _extra("int", "part of the value: of other items of the shop"),
}
"""What some reports count beside clicks and conversions; kept as it is, in columns of its own."""

KEYWORD_ROWS = Table(
    "keyword_rows",
    {
        **_DAYS,
        **_KEYWORD_NAMES,
        **_MICRO_SUMS,
        **_KEYWORD_STATE,
        "impression_share": _null("float"),
        "impression_share_censor": _null("str", "none | lt | gt"),
        "lost_is_budget": _null("float", "share of impressions lost to the budget"),
        "avg_position": _null("float"),
        **EXTRA_SUMS,
        "source_row": Column("int", "line in the file, from 1"),
    },
    (
        "campaign_id",
        "campaign_name",
        "ad_group_id",
        "ad_group_name",
        "keyword_id",
        "keyword_text",
        "match_type",
        "target_type",
        "item_id",
        "first_day",
        "last_day",
    ),
)
"""What a keyword report becomes; one row per keyword and day or period."""

TERM_ROWS = Table(
    "term_rows",
    {
        **_DAYS,
        **_TERM_NAMES,
        "term_match_type": _null("str", "how the term matched: EXACT | PHRASE | BROAD | ..."),
        "term_status": _null("str", "NONE | ADDED | EXCLUDED | ADDED_EXCLUDED"),
        **_MICRO_SUMS,
        **{name: EXTRA_SUMS[name] for name in ("direct_value_micros", "indirect_value_micros")},
        "source_row": Column("int"),
    },
    (
        "campaign_id",
        "campaign_name",
        "ad_group_id",
        "ad_group_name",
        "keyword_text",
        "search_term",
        "term_match_type",
        "first_day",
        "last_day",
    ),
)
"""What a search terms report becomes."""

STATE_ROWS = Table(
    "state_rows",
    {
        **_DAYS,
        **_KEYWORD_NAMES,
        "campaign_name": _null("str", "null: the keyword's id alone tells which it is"),
        "ad_group_name": _null("str"),
        **_KEYWORD_STATE,
        "source_row": Column("int"),
    },
    KEYWORD_ROWS.key,
)
"""What a keyword list or bulk file without counts becomes: keywords as on the download day."""

CREATIVE_ROWS = Table(
    "creative_rows",
    {
        **_DAYS,
        **_PLACE,
        "creative_id": _null("str"),
        "creative_name": Column("str", "its name, or its texts joined by ` | `"),
        "item_id": _null("str"),
        **_MICRO_SUMS,
        "status": _null("str", "ENABLED | PAUSED | REMOVED | UNKNOWN"),
        "source_row": Column("int"),
    },
    (
        "campaign_id",
        "campaign_name",
        "ad_group_id",
        "ad_group_name",
        "creative_id",
        "creative_name",
        "item_id",
        "first_day",
        "last_day",
    ),
)
"""What an ad or creative report becomes; one row per creative and day or period."""

_NEGATIVE = {
    "campaign_id": _null("str"),
    "campaign_name": _null("str", "null where the whole account is meant, or a list"),
    "ad_group_id": _null("str"),
    "ad_group_name": _null("str", "null above the ad group's level"),
    "keyword_text": Column("str", "bare, without match-type decoration"),
    "match_type": _null("str", "EXACT | PHRASE | BROAD"),
    "level": Column("str", "ad_group | campaign | list | account"),
    "list_name": _null("str", "the shared list that holds it"),
}

NEGATIVE_ROWS = Table(
    "negative_rows",
    {**_DAYS, **_NEGATIVE, "status": _null("str"), "source_row": Column("int")},
    (*_NEGATIVE, "first_day", "last_day"),
)
"""What a negative keyword report becomes: the negatives in force on the download day."""

ITEM_ROWS = Table(
    "item_rows",
    {
        **_DAYS,
        "item_id": Column("str", "the platform's id of the item, or its SKU"),
        "item_ad_groups": _extra("str", "ad groups that sell it, with ; or | between them"),
        "stage": _extra("str", "新品 | 成长 | 爆款 | 清仓"),
        "goal": _extra("str", "learn | profit | rank | clear"),
        "margin": _extra("float", "share of the price that is left before advertising"),
        "unit_cost_micros": _extra("int", "cost of one piece"),
        "price_micros": _extra("int", "price of one piece"),
        "refund_rate": _extra("float"),
        "stock": _extra("float", "pieces"),
        "restock": _extra("date", "day on which more arrive"),
        "max_loss_micros": _extra("int", "per day, while it is learnt about"),
        "salvage_margin": _extra("float", "margin against not selling the piece at all"),
        "share_floor": _extra("float", "impression share to hold"),
        "multiplier": _extra("float", "worth of an order beyond itself"),
        "source_row": Column("int"),
    },
    ("item_id", "first_day", "last_day"),
)
"""What an item table becomes: what the operator states about each item on the download day."""

ITEM_LOG_ROWS = Table(
    "item_log_rows",
    {
        **_DAYS,
        "item_id": Column("str"),
        "what": _extra("str", "price | coupon | image | page | stock, where a row names its kind"),
        "price_micros": _extra("int", "price of one piece from that day on"),
        "coupon": _extra("str"),
        "image": _extra("str"),
        "page": _extra("str"),
        "source_row": Column("int"),
    },
    ("item_id", "what", "coupon", "image", "page", "first_day", "last_day"),
)
"""What an item log becomes: one row per item and day, every filled cell a change."""

ORGANIC_ROWS = Table(
    "organic_rows",
    {
        **_DAYS,
        "item_id": Column("str"),
        "keyword_text": Column("str", "the words of the search that no advertisement answered"),
        "visitors": _extra("float"),
        "orders": Column("float", "buyers or orders, as the report counts them"),
        "sales_micros": _extra("int"),
        "source_row": Column("int"),
    },
    ("item_id", "keyword_text", "first_day", "last_day"),
)
"""What a report of organic converting words (成交关键词) becomes."""

QUARANTINE = Table(
    "quarantine",
    {
        "line": Column("int"),
        "column": Column("str"),
        "code": Column("str"),
        "text": Column("str", "the cell or row as found"),
    },
)
"""Rows kept apart because a cell could not be trusted."""

KEYWORDS = Table(
    "keywords",
    {
        "entity_key": Column("int", "the store's identity of the keyword"),
        **_KEYWORD_NAMES,
        "status": _null("str"),
        "ad_group_status": _null("str"),
        "campaign_status": _null("str"),
        "bidding_mode": _null("str"),
        "bid": _null("float", "max CPC, account currency"),
        "bid_source": _null("str"),
        "first_page_bid": _null("float"),
        "campaign_budget": _null("float", "per day"),
        "quality_score": _null("float"),
        "last_change": _null("date", "last day the bid is known to have changed"),
    },
    ("entity_key",),
)
"""One row per keyword: names and newest state. Sorted by campaign, ad group, entity_key."""

_SHARES = {
    "impression_share": Column(
        "float", "share of the eligible impressions that were shown", nullable=True, optional=True
    ),
    "lost_is_budget": Column(
        "float",
        "share of the eligible impressions lost to the budget",
        nullable=True,
        optional=True,
    ),
}

KEYWORD_DAILY = Table(
    "keyword_daily",
    {"entity_key": Column("int"), **_DAYS, **_SUMS, **_SHARES},
    ("entity_key", "first_day", "last_day"),
)
"""What was counted, per keyword and day (or period). Days without impressions may be absent."""

BID_CHANGES = Table(
    "bid_changes",
    {
        "entity_key": Column("int"),
        "day": Column("date", "first day on which this bid is known to have been in force"),
        "bid": Column("float", "max CPC, account currency"),
        "provenance": Column("str", "randomised | optimizer | human; unknown history is human"),
    },
    ("entity_key", "day"),
)
"""What each keyword's bid has been: a bid holds until the keyword's next row."""

LANDSCAPES = Table(
    "landscapes",
    {
        "entity_key": Column("int"),
        "bid": Column("float", "account currency"),
        "clicks": Column("float", "per day, as the platform's simulator expects"),
        "cost": Column("float", "per day"),
    },
    ("entity_key", "bid"),
)
"""A platform's own bid simulator: what it says another bid would bring."""

TERMS = Table(
    "terms",
    {
        "entity_key": Column("int", "the store's identity of the term"),
        **_TERM_NAMES,
        "term_status": _null("str"),
    },
    ("entity_key",),
)
"""One row per search term of an ad group (and donor keyword text)."""

TERM_DAILY = Table("term_daily", {"entity_key": Column("int"), **_DAYS, **_SUMS}, KEYWORD_DAILY.key)
"""As KEYWORD_DAILY without shares, per search term."""

CREATIVES = Table(
    "creatives",
    {
        "entity_key": Column("int", "the store's identity of the creative"),
        **_PLACE,
        "creative_id": _null("str"),
        "creative_name": Column("str"),
        "item_id": _null("str"),
        "status": _null("str"),
    },
    ("entity_key",),
)
"""One row per creative of an ad group."""

CREATIVE_DAILY = Table(
    "creative_daily", {"entity_key": Column("int"), **_DAYS, **_SUMS}, KEYWORD_DAILY.key
)
"""As TERM_DAILY, per creative."""

CREATIVE_TESTS = Table(
    "creative_tests",
    {
        "test": Column("str"),
        "campaign_name": Column("str"),
        "ad_group_name": _null("str"),
        "source": Column("str", "defined | discovered"),
        "metric": Column("str", "profit_per_impression | ctr | cvr | value_per_click | ... | cpa"),
        "mode": Column("str", "earn | find | top_two"),
        "rotation": Column("str", "platform | even_rotation | randomised: who chooses"),
        "arms": Column("int"),
        "days": Column("int", "days on which any arm was shown"),
        "impressions_per_day": Column("float"),
        "state": Column(
            "str", "unmeasured | no_traffic | observational | shares_off | too_early | ..."
        ),
        "leader": _null("str", "name of the creative that is ahead"),
        "forgone_per_day": _null(
            "float", "expected profit (or value) forgone by choosing it now, money"
        ),
        "served_off": _null("float", "largest relative deviation of a served share"),
        "served_p": _null("float", "of shares so far off by chance; null: nothing to hold them to"),
        "days_needed": _null("float", "days missing before the first look"),
        "events_needed": _null("float", "clicks or orders missing before it, of the poorest arm"),
    },
    ("test",),
)
"""What each test of creatives says on one morning."""

CREATIVE_ARMS = Table(
    "creative_arms",
    {
        "test": Column("str"),
        "entity_key": Column("int"),
        "creative_id": _null("str"),
        "creative_name": Column("str"),
        "status": _null("str"),
        "impressions": Column("float"),
        "clicks": Column("float"),
        "cost": _null("float"),
        "conversions": _null("float"),
        "value": _null("float"),
        "metric_mean": _null("float", "in units of the test's metric, with its 80 % interval"),
        "metric_low": _null("float"),
        "metric_high": _null("float"),
        "profit_mean": _null("float", "per impression, whatever metric decides; null: not told"),
        "profit_low": _null("float"),
        "profit_high": _null("float"),
        "p_best": _null("float"),
        "expected_loss": _null("float", "of choosing it, in units of the metric"),
        "share_served": Column("float", "of the test's impressions so far"),
        "share_next": _null("float", "of tomorrow's impressions; null: the test has ended"),
        "verdict": Column("str", "winner | loser | open | left | unseen"),
        "evidence": _null("float", "that the leader is better: at 1 it is a claim"),
        "uplift_mean": _null("float", "metric less the leader's, with its 80 % interval"),
        "uplift_low": _null("float"),
        "uplift_high": _null("float"),
        "difference": _null(
            "float", "leader less it, of the ratio that claims compare, day by day"
        ),
        "difference_low": _null("float", "with an interval that may be looked at daily"),
        "difference_high": _null("float"),
    },
    ("test", "entity_key"),
)
"""What is believed of each creative in a test."""

CREATIVE_TEXTS = Table(
    "creative_texts",
    {
        "entity_key": Column("int", "the creative"),
        "day": Column("date", "newest day of a report that showed it"),
        "text": Column("str", "its texts or name there"),
    },
    ("entity_key", "day"),
)
"""What reports showed of creatives over time: a changed text under one id is another creative."""

CREATIVE_SHARES = Table(
    "creative_shares",
    {
        "test": Column("str"),
        "entity_key": Column("int", "the creative"),
        "as_of": Column("date", "the review that planned it; it holds from the day after"),
        "mode": Column("str", "earn | find | top_two"),
        "share": Column("float", "planned part of the test's impressions"),
        "asked": Column("float", "what the platform can be asked for instead"),
        "suggestion_id": _null("str", "the suggestion that asks; null: nothing has to change"),
        "taken": Column("bool", "that suggestion was exported"),
        "in_force": Column("bool", "all that the plan asks of the test was exported"),
    },
    ("test", "entity_key", "as_of"),
)
"""Shares that reviews planned for the creatives of defined tests: the propensities of later days."""

CREATIVE_SERVED = Table(
    "creative_served",
    {
        "test": Column("str"),
        "entity_key": Column("int", "the creative"),
        "as_of": Column("date", "the review whose plan is in force"),
        "share": Column("float", "planned part of the test's impressions"),
        "asked": Column("float", "what the platform was asked for"),
        "impressions": Column("float", "since the day after the review"),
        "served": _null(
            "float", "part of the test's impressions since; null: no report of them yet"
        ),
    },
    ("test", "entity_key"),
)
"""The newest plan in force of each creative test, and what was served."""

CREATIVE_DENSITIES = Table(
    "creative_densities",
    {
        "entity_key": Column("int"),
        "at": Column("float", "in units of the test's metric"),
        "density": Column("float"),
    },
    ("entity_key", "at"),
)
"""Posterior density of the metric of each creative in a test."""

CREATIVE_DAYS = Table(
    "creative_days",
    {
        "entity_key": Column("int"),
        "day": Column("date"),
        "share_served": Column("float"),
        "p_best": _null(
            "float", "on the days so far; null before any told what the metric is made of"
        ),
        "evidence": _null("float", "that the present leader is better: at 1 it is a claim"),
    },
    ("entity_key", "day"),
)
"""How a test of creatives came to stand where it does."""

CREATIVE_MODES = Table(
    "creative_modes",
    {
        "mode": Column("str"),
        "cost": Column("float", "forgone over 60 days, in units of the metric's numerator"),
        "error": Column("float", "its standard error"),
        "days": Column("float", "until a winner is claimed in half of the cases; infinite: longer"),
        "claimed": Column("float", "chance of a claim within 60 days"),
        "right": Column("float", "chance that the creative then shown is the best"),
    },
    ("mode",),
)
"""What each mode of a test is expected to take on its own traffic."""

NEGATIVES = Table("negatives", _NEGATIVE, tuple(_NEGATIVE))
"""Negative keywords in force, as the newest report of them lists them."""

ITEMS = Table(
    "items",
    {
        "item_id": Column("str"),
        "item_ad_groups": _null("str", "ad groups that sell it, with ; or | between them"),
        "stage": _null("str", "新品 | 成长 | 爆款 | 清仓"),
        "goal": _null("str", "learn | profit | rank | clear"),
        "margin": _null("float"),
        "unit_cost": _null("float", "of one piece, account currency"),
        "price": _null("float", "of one piece"),
        "price_day": _null("date", "day of the table that states the price"),
        "refund_rate": _null("float"),
        "stock": _null("float", "pieces"),
        "stock_day": _null("date", "day of the table that states the stock"),
        "restock": _null("date"),
        "max_loss": _null("float", "per day"),
        "salvage_margin": _null("float"),
        "share_floor": _null("float"),
        "multiplier": _null("float"),
    },
    ("item_id",),
)
"""What item tables say, cell by cell the newest; null where none says."""

ITEM_ENTRIES = Table(
    "item_entries",
    {
        "item_id": Column("str"),
        "day": Column("date"),
        "what": Column("str", "price | coupon | image | page | stock"),
        "price": _null("float", "of one piece from that day on"),
    },
    ("item_id", "day", "what"),
)
"""Changes of items, as item logs tell them."""

ORGANIC = Table(
    "organic",
    {
        "item_id": Column("str"),
        "keyword_text": Column("str"),
        "visitors": _null("float", "in all from first_day to last_day"),
        "orders": Column("float"),
        "sales": _null("float", "account currency"),
        **_DAYS,
    },
    ("item_id", "keyword_text"),
)
"""Words whose searches led to orders without an advertisement, per item."""

VERSIONS = Table(
    "versions",
    {
        "campaign_name": Column("str"),
        "day": Column("date", "click day (order day for order-dated reports)"),
        "as_of": Column("date", "day the report was downloaded"),
        "clicks": Column("float"),
        "conversions": Column("float"),
        "value": _null("float"),
    },
    ("campaign_name", "day", "as_of"),
)
"""Run-off triangle: sums of one click day as known on each download day, daily rows only."""

HOLDS = Table(
    "holds",
    {
        "entity_key": Column("str"),
        "slot": Column("str", "bid | state | add | negative | budget | target | creative"),
        "kind": Column("str", "locked | rejected | snoozed | approved | exported | experiment"),
        "value": _null("float", "the bid, budget or target that is fixed; null: the current one"),
        "until": _null("date", "last day it holds; null: until lifted"),
    },
    ("entity_key", "slot"),
)
"""Decisions a solve must respect."""

EXPERIMENT_MEMBERS = Table(
    "experiment_members",
    {
        "entity_key": Column("str"),
        "arm": Column("str", "dither: around the present bid | ramp: up to the first page"),
        **_PLACE,
        "keyword_id": _null("str"),
        "keyword_text": Column("str"),
        "match_type": _null("str"),
        "base_bid": Column("float", "the bid before the test"),
        "clicks": Column("float", "per day at that bid"),
        "cost": Column(
            "float", "profit per day that the test is expected to forgo here; below 0: gain"
        ),
        "value": Column(
            "float", "what this keyword alone gains from its test, over the payback days"
        ),
    },
    ("entity_key",),
)
"""The keywords of one bid test."""

EXPERIMENT_STEPS = Table(
    "experiment_steps",
    {
        "entity_key": Column("str"),
        "week": Column("int", "0 is the first; the last one hands back"),
        "bid": Column("float", "max CPC, account currency"),
    },
    ("entity_key", "week"),
)
"""The bid of each member in each week of a test."""

_DELTA = {
    "delta_clicks": Column("float", "per day, averaged over the next 7 days"),
    "delta_cost": Column("float", "per day"),
    "delta_profit_mean": Column("float", "per day"),
    "delta_profit_low": Column("float", "lower end of the 80 % interval"),
    "delta_profit_high": Column("float"),
    "p_positive": _null("float", "P(Δprofit > 0); null for watch, which changes nothing"),
}

SUGGESTIONS = Table(
    "suggestions",
    {
        "id": Column("str", "16 hex of sha256(account|as_of|entity_key|slot)"),
        "kind": Column(
            "str",
            "raise | lower | pause | resume | watch | add_keyword | add_negative | set_budget | set_target "
            "| shift_creative",
        ),
        "slot": Column("str", "bid | state | add | negative | budget | target"),
        "entity_key": Column(
            "str", "keyword's key; with a leading t a term's, a a creative's, c: a campaign's"
        ),
        "linked_id": _null("str", "suggestion that must be decided together with this one"),
        **_PLACE,
        "keyword_id": _null("str"),
        "keyword_text": Column("str", "for add_keyword and add_negative: the search term"),
        "match_type": _null("str"),
        "segment": Column("str", "brand | competitor | own_item | generic; empty for campaigns"),
        "bid": _null(
            "float", "bid, budget, target or share now; null where there is none yet or unknown"
        ),
        "proposed_bid": _null("float", "null for pause and add_negative"),
        **_DELTA,
        "marginal_return": _null("float", "Δ(margin·value)/Δcost at the present bid"),
        "line": _null("float", "Λ of the keyword's campaign: what it is compared with"),
        "reason": Column("str", "reason code"),
        "binding": _null("str", "constraint that stopped the change: step_limit, budget, ... "),
        "evidence": Column(
            "str", "JSON: figures of its own, or the run whose plan it follows from"
        ),
    },
    ("id",),
)
"""What the review proposes; `watch` rows need no approval."""


@dataclass(frozen=True)
class Checksum:
    """A total of ours beside the file's own: `ok` when they agree to rounding."""

    name: str
    file: float
    ours: float
    ok: bool


@dataclass(frozen=True)
class Reconciliation:
    """What became of a file: rows_read = rows_kept + rows_quarantined + sum(rows_dropped).

    `totals` (impressions, clicks, cost, conversions, value) sum the kept rows, in currency;
    `value` is None where the report has none. `warnings` count kept rows that look odd.
    """

    profile: str
    rows_read: int
    rows_kept: int
    rows_dropped: Mapping[str, int]
    rows_quarantined: int
    totals: Mapping[str, float | None]
    checksums: tuple[Checksum, ...]
    currency: str | None
    period: tuple[date, date] | None
    writable_bid_share: float | None
    warnings: Mapping[str, int] = field(default_factory=dict)
    duplicates: int = 0
    attribution_window_days: int | None = None
    attribution_basis: str | None = None


@dataclass(frozen=True)
class Report:
    """One file, read and checked: kept rows, quarantined rows and the reconciliation.

    `kept` matches KEYWORD_ROWS, TERM_ROWS, CREATIVE_ROWS, STATE_ROWS, NEGATIVE_ROWS, ITEM_ROWS,
    ITEM_LOG_ROWS or ORGANIC_ROWS by `grain`; `sha256` is of the file's bytes.
    """

    file_name: str
    sha256: str
    platform: str
    grain: Grain
    kept: KeptRows
    quarantine: pd.DataFrame
    reconciliation: Reconciliation

    @property
    def rows(self) -> pd.DataFrame:
        """The kept rows in memory, for reports that fit."""
        return self.kept.frame()


_KINDS: Mapping[Dtype, str] = {"str": "OSU", "int": "iuf", "float": "iuf", "date": "M", "bool": "b"}


def check_table(frame: pd.DataFrame, table: Table, *, unique: bool = True) -> pd.DataFrame:
    """Return `frame` if it has the table's columns, kinds, no forbidden null and a unique key.

    `unique=False` skips the key, where the maker of a long table answers for it. Numbers must be
    finite where they are not null. Raises `BadTable` naming the first column at fault.
    """
    for name, column in table.columns.items():
        if name in frame.columns:
            _check_column(frame[name], column, table.name)
        elif not column.optional:
            raise BadTable("column_missing", table=table.name, column=name)
    if unique and table.key and frame.duplicated(list(table.key)).any():
        raise BadTable("key_not_unique", table=table.name, key=table.key)
    return frame


def _check_column(values: pd.Series[Any], column: Column, table: str) -> None:
    where = {"table": table, "column": str(values.name)}
    kind = getattr(values.dtype, "kind", "O")
    if len(values) and not values.isna().all() and kind not in _KINDS[column.dtype]:
        raise BadTable("wrong_dtype", **where, expected=column.dtype, found=str(values.dtype))
    if not column.nullable and values.isna().any():
        raise BadTable("null_not_allowed", **where)
    if kind == "f" and np.isinf(values.to_numpy()).any():
        raise BadTable("not_finite", **where)


def check_finite(frame: pd.DataFrame, name: str, unknown: Collection[str] = ()) -> pd.DataFrame:
    """Return `frame` if every number in it is finite; null is allowed in the `unknown` columns.

    For frames that one stage hands to the next without a `Table`. Raises `BadTable` naming the
    first column at fault.
    """
    for column in frame.select_dtypes("number"):
        values = frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
        known = values[~np.isnan(values)] if column in unknown else values
        if not np.isfinite(known).all():
            raise BadTable("not_finite", table=name, column=str(column))
    return frame


def among(values: pd.Series[Any], others: Iterable[Any]) -> pd.Series[bool]:
    """Which of `values` are in `others`, which may be as many: `Series.isin` turns texts one by one."""
    return values.astype("object").isin(pd.Series(list(others), dtype="object"))


def empty_table(table: Table) -> pd.DataFrame:
    """A frame of `table` without rows."""
    dtypes = {
        "str": "str",
        "int": "int64",
        "float": "float64",
        "date": "datetime64[s]",
        "bool": "bool",
    }
    return pd.DataFrame(
        {name: pd.Series(dtype=dtypes[column.dtype]) for name, column in table.columns.items()}
    )
