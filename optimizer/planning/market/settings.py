"""What a simulated market is told: `configs/markets/*.yaml` as one frozen model.

The defaults here repeat `default.yaml`, where each number's meaning and origin is written.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from optimizer.settings import Configs, Model, NonNegative, Positive, Share, load_model

Count = Annotated[int, Field(ge=0)]
AtLeastOne = Annotated[int, Field(ge=1)]
Weekdays = Annotated[tuple[Positive, ...], Field(min_length=7, max_length=7)]
Hours = Annotated[tuple[Positive, ...], Field(min_length=24, max_length=24)]
MonthDay = Annotated[str, Field(pattern=r"^\d\d-\d\d$")]
FLAT_DAY = (1.0,) * 24
LEAP_YEAR = 2028
"""A year in which every month-day exists."""


class Size(Model):
    """How many campaigns, ad groups and keywords there are, and of which sort."""

    campaigns: AtLeastOne = 8
    ad_groups: AtLeastOne = 40
    keywords: AtLeastOne = 1500
    brand_campaigns: Count = 1
    competitor_campaigns: Count = 1
    automated_campaigns: Count = 1
    evenness: Positive = 4.0
    automated_weight: Positive = 0.4
    exact_share: Share = 0.4
    phrase_share: Share = 0.35
    enhanced_share: Share = 0.03
    horizon_days: AtLeastOne = 400

    @model_validator(mode="after")
    def _nested(self) -> Self:
        if not self.campaigns <= self.ad_groups <= self.keywords:
            raise ValueError("campaigns <= ad_groups <= keywords must hold")
        special = self.brand_campaigns + self.competitor_campaigns + self.automated_campaigns
        if special > self.campaigns:
            raise ValueError("brand, competitor and automated campaigns exceed campaigns")
        if self.exact_share + self.phrase_share > 1:
            raise ValueError("exact_share + phrase_share exceed 1")
        return self


class Demand(Model):
    """Searches a day per keyword, and what moves them from day to day."""

    median: Positive = 1.7
    sd: NonNegative = 1.6
    ad_group_sd: NonNegative = 0.4
    brand: Positive = 0.8
    competitor: Positive = 1.0
    weekday: Weekdays = (1.12, 1.12, 1.10, 1.06, 1.0, 0.8, 0.8)
    season_amplitude: Share = 0.12
    season_peak_day: Annotated[int, Field(ge=1, le=366)] = 170
    day_shock_sd: NonNegative = 0.08
    day_shock_memory: Annotated[float, Field(ge=0, lt=1)] = 0.6
    campaign_shock_sd: NonNegative = 0.06
    keyword_shock_cv: NonNegative = 0.3
    hours: Hours = FLAT_DAY


class Rivals(Model):
    """Who else bids: each rival's rank price in an auction is lognormal."""

    least: AtLeastOne = 4
    most: AtLeastOne = 8
    slots: AtLeastOne = 4
    value_share: Positive = 1.0
    price_sd: Positive = 0.9
    price_quantiles: tuple[Positive, ...] = ()
    ad_group_sd: NonNegative = 0.3
    keyword_sd: NonNegative = 0.3
    brand: Positive = 0.5
    competitor: Positive = 1.2
    quality_sd: NonNegative = 0.2
    drift_sd: NonNegative = 0.01
    trend: Annotated[float, Field(ge=-0.1, le=0.1)] = 0.0
    reserve: Positive = 0.05

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if not self.slots <= self.least <= self.most:
            raise ValueError("slots <= least <= most must hold")
        return self

    @model_validator(mode="after")
    def _rising(self) -> Self:
        told = self.price_quantiles
        if told and (len(told) < 3 or any(b <= a for a, b in pairwise(told))):
            raise ValueError("price_quantiles must be three or more rising numbers")
        return self


class Clicks(Model):
    """Click-through rate on top, and how it falls with position."""

    ctr_median: Annotated[float, Field(gt=0, lt=1)] = 0.07
    ad_group_sd: NonNegative = 0.25
    keyword_sd: NonNegative = 0.35
    brand: Positive = 3.0
    competitor: Positive = 0.5
    ctr_limit: Annotated[float, Field(gt=0, le=1)] = 0.5
    position_decay: Annotated[float, Field(gt=0, le=1)] = 0.75
    price_noise: Share = 0.5


class Orders(Model):
    """Conversion rate, order value, the wait until an order is known, refunds and credit."""

    cvr_median: Annotated[float, Field(gt=0, lt=1)] = 0.02
    cvr_campaign_sd: NonNegative = 0.25
    cvr_ad_group_sd: NonNegative = 0.35
    cvr_keyword_sd: NonNegative = 0.5
    cvr_limit: Annotated[float, Field(gt=0, le=1)] = 0.5
    brand: Positive = 3.0
    competitor: Positive = 0.5
    weekday: Weekdays = (0.98, 0.96, 0.97, 0.98, 1.0, 1.06, 1.07)
    hours: Hours = FLAT_DAY
    value_median: Positive = 240.0
    value_campaign_sd: NonNegative = 0.2
    value_ad_group_sd: NonNegative = 0.3
    value_keyword_sd: NonNegative = 0.2
    value_order_sd: NonNegative = 0.6
    margin: Annotated[float, Field(gt=0, le=1)] = 0.45
    delay_median_days: Positive = 1.2
    delay_sd: Positive = 1.3
    window_days: Annotated[int, Field(ge=1, le=90)] = 30
    refund_share: Share = 0.03
    refund_median_days: Positive = 7.0
    refund_sd: Positive = 0.6
    shared_credit_share: Share = 0.05


class Terms(Model):
    """Search terms behind a keyword; the first is the keyword's own text."""

    exact: Annotated[int, Field(ge=1, le=15)] = 2
    phrase: Annotated[int, Field(ge=1, le=15)] = 5
    broad: Annotated[int, Field(ge=1, le=15)] = 9
    own_text_exact: Share = 0.85
    own_text_phrase: Share = 0.5
    own_text_broad: Share = 0.35
    noise_sd: NonNegative = 0.3
    shown_from_impressions: AtLeastOne = 5


class StartBids(Model):
    """The bids an operator has set by hand before we come, and how they change them."""

    multiple: Positive = 1.15
    ad_group_sd: NonNegative = 0.25
    own_share: Share = 0.5
    own_sd: NonNegative = 0.35
    step: Positive = 0.01
    changed_share: Share = 0.15
    change_sd: NonNegative = 0.15
    paused_share: Share = 0.01


class Budgets(Model):
    """Daily budgets as shares of the start bids' mean cost: of the first generic campaigns, and of all.

    `hourly`: a day has 24 steps and a click that no longer fits ends it; otherwise clicks come evenly.
    """

    capped_campaigns: Count = 1
    capped_share: Positive = 0.85
    account_share: Positive | None = None
    hourly: bool = False

    @model_validator(mode="after")
    def _in_steps(self) -> Self:
        if self.account_share is not None and not self.hourly:
            raise ValueError("account_share needs hourly: true")
        return self


class Creatives(Model):
    """Creatives of an ad group, shown in even rotation, each with its own CTR and conversion rate.

    `ctr_sd`, `cvr_sd`: of the logs, with correlation `ctr_cvr`; their mean leaves the keyword's rates.
    """

    per_ad_group: Annotated[int, Field(ge=1, le=50)] = 1
    ctr_sd: NonNegative = 0.25
    cvr_sd: NonNegative = 0.25
    ctr_cvr: Annotated[float, Field(ge=-1, le=1)] = -0.3


class Phases(Model):
    """A multiplier before, during and after an event."""

    warmup: Positive = 1.0
    burst: Positive = 1.0
    after: Positive = 1.0


class SalesEvent(Model):
    """A sale that comes every year from `start` to `end` (MM-DD), and what it multiplies."""

    name: str
    start: MonthDay
    end: MonthDay
    warmup_days: Annotated[int, Field(ge=0, le=60)] = 0
    after_days: Annotated[int, Field(ge=0, le=60)] = 0
    volume: Phases = Phases()
    cvr: Phases = Phases()
    rivals: Phases = Phases()

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for text in (self.start, self.end):
            date.fromisoformat(f"{LEAP_YEAR}-{text}")
        if self.end < self.start:
            raise ValueError("end is before start")
        return self


class MarketSettings(Model):
    """One market: `configs/markets/<name>.yaml`. Money is in `currency`, demand per day."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "CNY"
    size: Size = Size()
    demand: Demand = Demand()
    rivals: Rivals = Rivals()
    clicks: Clicks = Clicks()
    orders: Orders = Orders()
    terms: Terms = Terms()
    start_bids: StartBids = StartBids()
    budgets: Budgets = Budgets()
    creatives: Creatives = Creatives()
    events: tuple[SalesEvent, ...] = ()


def load_market(configs: Configs, name: str = "default") -> MarketSettings:
    """`markets/<name>.yaml` of `configs`. Raises `BadSettings` naming file and key."""
    return load_market_file(configs.root / "markets" / f"{name}.yaml")


def load_market_file(path: Path) -> MarketSettings:
    """One market file. Raises `BadSettings` naming file and key."""
    return load_model(path, MarketSettings)
