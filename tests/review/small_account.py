"""A hand-made account: every keyword has the clicks, price and rate a scenario needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from optimizer.review.daily import review_account
from optimizer.review.explaining import explain
from optimizer.review.suggestions import ReviewInputs, ReviewResult
from optimizer.settings import Account, LagPrior, Settings, find_configs
from optimizer.tables import (
    BID_CHANGES,
    HOLDS,
    KEYWORD_DAILY,
    KEYWORDS,
    TERM_DAILY,
    TERMS,
    VERSIONS,
    empty_table,
)

TODAY = date(2026, 7, 16)
DAYS = 60


@dataclass(frozen=True)
class Word:
    """One keyword: clicks per day, CPC, orders per click and value per order."""

    text: str
    clicks: float = 20.0
    cpc: float = 1.0
    rate: float = 0.04
    worth: float = 50.0
    bid: float = 1.3
    campaign: str = "shop"
    ad_group: str = "tents"
    first_page_bid: float = np.nan
    bidding_mode: str = "manual"
    budget: float = np.nan
    lost_is_budget: float = np.nan
    impression_share: float = np.nan


FILLERS = tuple(Word(f"filler {number}", ad_group="fillers") for number in range(20))
"""Ordinary keywords that just about pay: V = 0.04 · 50 = 2, marginal return 1.25."""


def told(**account: object) -> Settings:
    """Settings of an account whose orders are in by the end of the day."""
    known = {"margin": 1.0, "lag_prior": LagPrior(day0=1.0), **account}
    limits = find_configs().settings("hand").bid_limits
    return Settings(account=Account.model_validate(known), bid_limits=limits)


def small_account(
    words: Sequence[Word], *, stopped: str = "", quiet_days: int = 0, seed: int = 1
) -> ReviewInputs:
    """The account of `words`; those whose text, ad group or campaign is `stopped` sold nothing in
    the last `quiet_days`."""
    keys = np.arange(1, len(words) + 1)
    named = pd.DataFrame([vars(word) for word in words]).assign(entity_key=keys)
    return ReviewInputs(
        account="hand",
        platform="google_ads",
        currency="CNY",
        keywords=_keywords(named),
        daily=_daily(named, stopped, quiet_days, np.random.default_rng(seed)),
        terms=empty_table(TERMS),
        term_daily=empty_table(TERM_DAILY),
        versions=empty_table(VERSIONS),
        holds=empty_table(HOLDS),
        bid_changes=empty_table(BID_CHANGES),
    )


def _keywords(named: pd.DataFrame) -> pd.DataFrame:
    return named.rename(columns={"text": "keyword_text", "budget": "campaign_budget"}).assign(
        campaign_id=None,
        campaign_name=named["campaign"],
        ad_group_id=None,
        ad_group_name=named["ad_group"],
        keyword_id=None,
        match_type="EXACT",
        target_type="keyword",
        item_id=None,
        status="ENABLED",
        ad_group_status="ENABLED",
        campaign_status="ENABLED",
        bid_source="own",
        quality_score=np.nan,
        last_change=pd.NaT,
    )[list(KEYWORDS.columns)]


def _daily(
    named: pd.DataFrame, stopped: str, quiet_days: int, rng: np.random.Generator
) -> pd.DataFrame:
    rows = named.loc[named.index.repeat(DAYS)].reset_index(drop=True)
    ago = np.tile(np.arange(DAYS, 0, -1), len(named))
    day = np.datetime64(TODAY, "s") - ago.astype("timedelta64[D]")
    clicks = rng.poisson(rows["clicks"]).astype(float)
    orders = rng.poisson(clicks * rows["rate"]).astype(float)
    quiet = (rows[["text", "ad_group", "campaign"]] == stopped).any(axis=1) & (ago <= quiet_days)
    orders = np.where(quiet, 0.0, orders)
    return rows.assign(
        first_day=day,
        last_day=day,
        impressions=20.0 * clicks,
        clicks=clicks,
        cost=clicks * rows["cpc"],
        conversions=orders,
        value=orders * rows["worth"],
    )[list(KEYWORD_DAILY.columns)]


def review(inputs: ReviewInputs, settings: Settings, today: date = TODAY) -> ReviewResult:
    return review_account(inputs, settings, today, np.random.default_rng(0))


def kind_of(result: ReviewResult, text: str) -> str:
    """Kind of the keyword's suggestion, "" without one."""
    found = result.suggestions.loc[result.suggestions["keyword_text"] == text, "kind"]
    return "" if found.empty else str(found.iloc[0])


def reason_of(result: ReviewResult, text: str) -> str:
    """Why the keyword is suggested, or why not."""
    rows, plan = result.suggestions, result.frames["plan"]
    found = rows.loc[rows["keyword_text"] == text, "reason"]
    if len(found):
        return str(found.iloc[0])
    return str(plan.loc[plan["keyword_text"] == text, "reason"].iloc[0])


def evidence_of(result: ReviewResult, text: str) -> dict[str, object]:
    rows = result.suggestions[result.suggestions["keyword_text"] == text]
    return explain(rows, result.frames, result.context)[0]


def alerts_of(result: ReviewResult) -> dict[str, dict[str, object]]:
    """The alerts by code."""
    return {str(alert["code"]): dict(alert) for alert in result.summary.alerts}


def days_ago(number: int) -> date:
    return TODAY - timedelta(days=number)
