"""`configs/*.yaml` as frozen models: unknown keys and values out of range are refused by name.

Every amount is per day in the account's currency; every share is between 0 and 1.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from optimizer.errors import BadSettings

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Platform = Literal[
    "google_ads", "amazon_ads", "microsoft_ads", "taobao", "jd", "baidu", "pinduoduo", "other"
]
Basis = Literal["click", "order"]


class Model(BaseModel):
    """Base of all settings: frozen, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LagPrior(Model):
    """Stated completion before a run-off triangle exists: F(age) = 1 - (1 - day0)·exp(-age/mean_days).

    `day0` is the share of conversions known on the click's own day once it is over; `strength` is
    the number of conversions the statement is worth against observed run-off.
    """

    day0: Share = 0.5
    mean_days: Positive = 5.0
    strength: Positive = 20.0


class Event(Model):
    """A sale such as 618 or 双11; pauses and lowers are frozen from warm-up to the end of `after_days`."""

    name: str
    start: date
    end: date
    warmup_days: Annotated[int, Field(ge=0, le=60)] = 7
    after_days: Annotated[int, Field(ge=0, le=60)] = 7

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end < self.start:
            raise ValueError("end is before start")
        return self


class Segments(Model):
    """Word lists that mark a keyword as brand, own item or competitor; every other one is generic."""

    brand: tuple[str, ...] = ()
    competitor: tuple[str, ...] = ()
    own_item: tuple[str, ...] = ()


class Budget(Model):
    """One node of the budget tree, per day: a cap, a floor that must be spent, or both."""

    cap: NonNegative | None = None
    floor: NonNegative = 0.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.cap is not None and self.floor > self.cap:
            raise ValueError("floor is above cap")
        return self


class SharedBudget(Budget):
    """A budget that several campaigns draw from."""

    name: str
    campaigns: Annotated[tuple[str, ...], Field(min_length=1)]


class AdGroupBudget(Budget):
    """A budget of one ad group."""

    campaign: str
    ad_group: str


class PeriodBudget(Model):
    """Money for `first..last` in all; the platform does not enforce it, the plan must."""

    amount: NonNegative
    first: date
    last: date

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last < self.first:
            raise ValueError("last is before first")
        return self


class Target(Model):
    """What an account or a campaign must reach: value (before margin) over cost, or cost per conversion."""

    roas: Positive | None = None
    cpa: Positive | None = None


class Item(Model):
    """What is known of a product that keywords of `ad_groups` (or with its `item_id`) sell.

    `stock` in orders until `restock`; `max_loss` per day; `multiplier` what an order is worth beyond
    itself; `unit_cost` per order stands instead of `margin`.
    """

    item_id: str
    ad_groups: tuple[str, ...] = ()
    margin: Annotated[float, Field(ge=0, le=10)] | None = None
    unit_cost: NonNegative | None = None
    refund_rate: Share | None = None
    stock: NonNegative | None = None
    restock: date | None = None
    stage: Literal["新品", "成长", "爆款", "清仓"] | None = None
    goal: Literal["learn", "profit", "rank", "clear"] | None = None
    max_loss: NonNegative | None = None
    salvage_margin: Annotated[float, Field(gt=0, le=10)] | None = None
    impression_share_floor: Share | None = None
    multiplier: Positive | None = None


class ItemChange(Model):
    """A price, coupon, image or page change: orders before it tell less about those after it."""

    item_id: str
    day: date
    what: Literal["price", "coupon", "image", "page", "stock"]


class AutomatedTarget(Model):
    """What the platform's automated bidding of a campaign is set to now, and since when.

    `changed` is the day of its last change; without it the target is taken to be at rest.
    """

    roas: Positive | None = None
    cpa: Positive | None = None
    changed: date | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.roas is None) == (self.cpa is None):
            raise ValueError("state exactly one of roas and cpa")
        return self


CreativeMetric = Literal[
    "profit_per_impression", "ctr", "cvr", "value_per_click", "value_per_impression", "cpa"
]


class CreativeTest(Model):
    """A test of creatives: of those in `arms` (ids or names), else of all in the campaign's `ad_group`.

    `rotation` says who chooses what is shown: the platform (its optimisation: nothing can be
    claimed), the platform in turn (even rotation), or chance as we ask (randomised). `start` and
    `end` are its first and last day. `floor` is the part of all impressions that explores while
    earning: by the chance of being best, or, where `claims_wanted`, spread evenly, at least a fifth
    for each of two or three creatives; `minimum_effect` the smallest relative difference worth
    finding. `split` states the planned share of each of `arms`, even where left out.
    """

    name: Annotated[str, Field(min_length=1)]
    campaign: str
    ad_group: str | None = None
    arms: tuple[str, ...] = ()
    metric: CreativeMetric = "profit_per_impression"
    mode: Literal["earn", "find", "top_two"] = "earn"
    rotation: Literal["platform", "even_rotation", "randomised"] = "platform"
    start: date | None = None
    end: date | None = None
    floor: Share = 0.1
    claims_wanted: bool = False
    minimum_effect: Annotated[float, Field(gt=0, le=5)] = 0.15
    split: Mapping[str, Share] = {}

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError("end is before start")
        if len(self.arms) == 1 or len(set(self.arms)) < len(self.arms):
            raise ValueError("arms must be two or more, each named once")
        if self.split and set(self.split) != set(self.arms):
            raise ValueError("split must name each of arms")
        if self.split and abs(sum(self.split.values()) - 1) > 1e-6:
            raise ValueError("split must add up to 1")
        return self


class Account(Model):
    """`configs/accounts/<account>.yaml`: what an operator states about one account.

    Unset `daily_budget` and `margin` are assumed (trailing mean cost; 1) and flagged wherever they
    are used. `attribution_window_days` and `attribution_basis` answer for files that do not say
    theirs. `value_per_conversion` is before margin and is used only where reports carry no value.
    """

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    time_zone: str = "UTC"
    platform: Platform | None = None
    daily_budget: NonNegative | None = None
    campaign_budgets: Mapping[str, NonNegative] = {}
    campaign_floors: Mapping[str, NonNegative] = {}
    shared_budgets: tuple[SharedBudget, ...] = ()
    ad_group_budgets: tuple[AdGroupBudget, ...] = ()
    period_budget: PeriodBudget | None = None
    objective: Literal["profit", "value", "conversions"] = "profit"
    target: Target = Target()
    campaign_targets: Mapping[str, Target] = {}
    automated_targets: Mapping[str, AutomatedTarget] = {}
    attribution_window_days: Annotated[int, Field(ge=0, le=90)] | None = None
    attribution_basis: Basis | None = None
    items: tuple[Item, ...] = ()
    item_log: tuple[ItemChange, ...] = ()
    creative_tests: tuple[CreativeTest, ...] = ()
    margin: Annotated[float, Field(gt=0, le=10)] | None = None
    value_per_conversion: Positive | None = None
    refund_rate: Share = 0.0
    value_multiplier: Positive = 1.0
    brand_incrementality: Share | None = None
    segments: Segments = Segments()
    events: tuple[Event, ...] = ()
    lag_prior: LagPrior | None = None
    effective_bid_multiplier: Positive = 1.0
    campaign_bid_multipliers: Mapping[str, Positive] = {}
    max_bid: Positive | None = None
    min_bid: Positive | None = None

    @model_validator(mode="after")
    def _known_zone(self) -> Self:
        try:
            ZoneInfo(self.time_zone)
        except (KeyError, ValueError) as error:
            raise ValueError(f"time_zone {self.time_zone!r} is not an IANA name") from error
        return self

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        names = [one.name for one in self.creative_tests]
        if len(set(names)) < len(names):
            raise ValueError("creative_tests: each needs a name of its own")
        return self


class Guardrails(Model):
    """`configs/guardrails.yaml`: thresholds that stand between a solution and a suggestion."""

    step_limit: Annotated[float, Field(gt=0, le=1)] = 0.25
    assumed_step_limit: Annotated[float, Field(gt=0, le=1)] = 0.10
    dead_band: Annotated[float, Field(ge=0, lt=1)] = 0.03
    min_probability: Annotated[float, Field(ge=0.5, lt=1)] = 0.7
    pause_probability: Share = 0.1
    pause_evidence: Positive = 3.0
    add_probability: Annotated[float, Field(ge=0.5, lt=1)] = 0.6
    negative_probability: Share = 0.1
    min_term_clicks: Annotated[int, Field(ge=1)] = 3
    cool_down_days: Annotated[int, Field(ge=0, le=90)] = 7
    capped_share: Annotated[float, Field(gt=0, le=1)] = 0.95
    capped_days: Annotated[int, Field(ge=1, le=7)] = 3
    outage_probability: Annotated[float, Field(gt=0, lt=0.1)] = 0.001
    outage_days: Annotated[int, Field(ge=1, le=30)] = 3
    no_bite_cpc_ratio: Share = 0.5
    leave_first_page: bool = False
    stock_cover_days: Annotated[int, Field(ge=1, le=365)] = 14
    budget_step_limit: Annotated[float, Field(gt=0, le=5)] = 0.3
    target_step_limit: Annotated[float, Field(gt=0, le=0.5)] = 0.15
    target_rest_days: Annotated[int, Field(ge=0, le=90)] = 14
    target_rest_conversions: NonNegative = 30.0
    learning_loss: Share = 0.05
    decide_within_days: Annotated[int, Field(ge=1, le=90)] = 7
    spend_at_risk_per_day: NonNegative | None = None
    four_eyes_delta_cost: NonNegative | None = None
    people: dict[str, Annotated[str, Field(pattern=r"^[^\s@]+@[^\s@]+$")]] = Field(
        default_factory=dict
    )


class Estimation(Model):
    """`configs/estimation.yaml`: windows, priors and sample sizes of the estimates."""

    window_days: Annotated[int, Field(ge=7, le=1000)] = 180
    volume_half_life_days: Positive = 14.0
    min_completion: Annotated[float, Field(gt=0, lt=1)] = 0.1
    break_weight: Share = 0.25
    lag_priors: Mapping[str, LagPrior] = {}
    elasticity_mean: Positive = 1.0
    elasticity_sd: Positive = 0.5
    elasticity_common_sd: Positive = 0.2
    cpc_exponent_mean: NonNegative = 0.7
    cpc_exponent_sd: Positive = 0.2
    cpc_exponent_common_sd: NonNegative = 0.15
    elasticity_information: NonNegative = 1.0
    click_share: Annotated[float, Field(ge=0, lt=1)] = 0.4
    click_share_when_always_shown: Annotated[float, Field(gt=0, lt=1)] = 0.65
    simulator_sd: Positive = 0.3
    value_cv: Positive = 0.8
    parent: Literal["ad_group", "match_type", "item", "best"] = "ad_group"
    demand_sd: NonNegative = 0.1
    draws: Annotated[int, Field(ge=50, le=5000)] = 400
    interval: Annotated[float, Field(gt=0, lt=1)] = 0.8
    half_grid_levels: Annotated[int, Field(ge=2, le=20)] = 6


class Exploration(Model):
    """`configs/exploration.yaml`: what may be spent on learning how clicks answer to bids.

    `cost_share` of the account's daily budget is the most that an experiment may be expected to cost
    per day (0: none is proposed). It is proposed only where what it teaches is worth `min_return`
    times its cost within `payback_days` of its start; of what it teaches about all other keywords,
    `shared_share` counts. Each week every bid in the test is up or down by `dither`; `weeks` is even,
    so that each spends as long above as below. None is proposed before `history_days` days of reports.
    """

    cost_share: Share = 0.01
    dither: Annotated[float, Field(gt=0, le=0.25)] = 0.10
    weeks: Annotated[int, Field(ge=2, le=12, multiple_of=2)] = 4
    payback_days: Annotated[int, Field(ge=28, le=365)] = 56
    min_return: Annotated[float, Field(ge=1, le=10)] = 1.5
    shared_share: Share = 0.0
    max_keywords: Annotated[int, Field(ge=1, le=10_000)] = 500
    history_days: Annotated[int, Field(ge=0, le=365)] = 28


class BidLimit(Model):
    """What a platform accepts as a bid in one currency, with where and when that was read.

    `verified` is False where no document says so; `minimum_budget` per day, where one is known.
    """

    step: Decimal
    minimum: Decimal
    maximum: Decimal
    source: str
    dated: date
    minimum_budget: Decimal | None = None
    verified: bool = True


class BudgetRule(Model):
    """How far a platform may pass a daily budget: `peak` times it on a day, `month` times it a month."""

    peak: Annotated[float, Field(ge=1)]
    month: Positive
    source: str
    dated: date


class Settings(Model):
    """All that a review needs to be told: the account, guardrails, estimation and platforms' rules."""

    account: Account = Account()
    guardrails: Guardrails = Guardrails()
    estimation: Estimation = Estimation()
    exploration: Exploration = Exploration()
    bid_limits: Mapping[str, Mapping[str, BidLimit]] = {}
    budget_rules: Mapping[str, BudgetRule] = {}

    def bid_limit(self, platform: str, currency: str) -> BidLimit:
        """The limit for (platform, currency), else for (platform, "*"); `BadSettings` when neither is listed."""
        by_currency = self.bid_limits.get(platform, {})
        found = by_currency.get(currency) or by_currency.get("*")
        if found is None:
            raise BadSettings("bid_limit_missing", platform=platform, currency=currency)
        return found


class Configs:
    """A folder of configuration, read when asked. `root` is shown in messages."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def guardrails(self) -> Guardrails:
        """`guardrails.yaml`, or the defaults where there is none."""
        return load_model(self.root / "guardrails.yaml", Guardrails, missing_ok=True)

    @cached_property
    def estimation(self) -> Estimation:
        """`estimation.yaml`, or the defaults where there is none."""
        return load_model(self.root / "estimation.yaml", Estimation, missing_ok=True)

    @cached_property
    def exploration(self) -> Exploration:
        """`exploration.yaml`, or the defaults where there is none."""
        return load_model(self.root / "exploration.yaml", Exploration, missing_ok=True)

    def account_path(self, account: str) -> Path:
        """Where the settings of `account` are, or would be."""
        return self.root / "accounts" / f"{account}.yaml"

    def account(self, account: str) -> Account:
        """What is stated about `account`; the defaults where no file exists."""
        return load_model(self.account_path(account), Account, missing_ok=True)

    def settings(self, account: str) -> Settings:
        """Everything a review of `account` needs. Raises `BadSettings`."""
        limits = load_model(self.root / "bid_limits.yaml", _BidLimits, missing_ok=True)
        rules = load_model(self.root / "budget_rules.yaml", _BudgetRules, missing_ok=True)
        return Settings(
            account=self.account(account),
            guardrails=self.guardrails,
            estimation=self.estimation,
            exploration=self.exploration,
            bid_limits=limits.platforms,
            budget_rules=rules.platforms,
        )

    def files(self, folder: str) -> list[Path]:
        """The YAML files of one folder (`reports`, `markets`), sorted by name."""
        return sorted((self.root / folder).glob("*.yaml"))


class _BidLimits(Model):
    platforms: Mapping[str, Mapping[str, BidLimit]] = {}


class _BudgetRules(Model):
    platforms: Mapping[str, BudgetRule] = {}


def find_configs(explicit: Path | None = None) -> Configs:
    """`explicit`, else $OPTIMIZER_CONFIGS, else ./configs, else those shipped in the wheel.

    Raises `BadSettings` naming the folder that was asked for and does not exist.
    """
    asked = explicit or (Path(value) if (value := os.environ.get("OPTIMIZER_CONFIGS")) else None)
    if asked is not None and not asked.is_dir():
        raise BadSettings("configs_missing", folder=str(asked))
    shipped = Path(__file__).parent / "configs"
    here = Path("configs")
    source_tree = Path(__file__).parent.parent / "configs"
    return Configs(asked or next((p for p in (here, shipped, source_tree) if p.is_dir()), here))


ModelT = TypeVar("ModelT", bound=Model)
# The same safe loader in C where PyYAML has it: eight times faster over two dozen profiles.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_model(path: Path, model: type[ModelT], *, missing_ok: bool = False) -> ModelT:
    """Read one YAML file into `model`. Raises `BadSettings` with file, key, value and what is allowed."""
    if missing_ok and not path.exists():
        return model()
    try:
        loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    except OSError as error:
        raise BadSettings("settings_unreadable", file=str(path), why=str(error)) from error
    except yaml.YAMLError as error:
        raise BadSettings("settings_not_yaml", file=str(path), why=str(error)) from error
    return parse_model(loaded if loaded is not None else {}, model, file=str(path))


def parse_model(loaded: Any, model: type[ModelT], *, file: str = "") -> ModelT:
    """Check `loaded` against `model`; the first complaint becomes a `BadSettings`."""
    try:
        return model.model_validate(loaded)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadSettings(
            "settings_invalid",
            file=file,
            key=".".join(str(part) for part in first["loc"]),
            value=first.get("input") if first["type"] != "missing" else None,
            why=first["msg"],
            count=error.error_count(),
        ) from error
