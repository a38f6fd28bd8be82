"""Keywords whose true conversion rate and order value are known, and what reports say of them.

The base world: K keywords in K//30 ad groups in K//1200 campaigns, nested lognormal rates and order
values, a heavy tail of clicks, 30 days, orders that become known with a mean delay of six days.
Each variant breaks one assumption that an estimate could lean on. The generator shares no code with
the estimates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DAYS = 30
DELAY = 6.0
ORDER_SD = 0.8
RATE_SDS = (0.4, 0.4, 0.5)
VALUE_SDS = (0.3, 0.3, 0.25)


@dataclass(frozen=True)
class Truth:
    """Per keyword: groups, true rate, value per order before and share of it after margin, demand.

    `demand` is the expected number of clicks in 30 days; `clump` how many orders come at once.
    """

    parents: tuple[Ints, ...]
    rate: Floats
    value: Floats
    kept: Floats
    demand: Floats
    clump: int = 1

    @property
    def value_per_click(self) -> Floats:
        """What one click truly brings, after margin."""
        return self.rate * self.value * self.kept


@dataclass(frozen=True)
class Seen:
    """What the reports show, one row per (keyword, day with clicks or orders).

    `exposure` is the number of clicks whose orders would be known by now (by click day), or those
    whose orders fall on that day (by order day).
    """

    unit: Ints
    day: Ints
    clicks: Floats
    exposure: Floats
    conversions: Floats
    amounts: Floats

    def sums(self, keywords: int) -> tuple[Floats, Floats, Floats]:
        """Exposure, conversions and amounts per keyword."""
        exposure, conversions, amounts = (
            np.bincount(self.unit, column, keywords).astype(np.float64)
            for column in (self.exposure, self.conversions, self.amounts)
        )
        return exposure, conversions, amounts


@dataclass(frozen=True)
class _Design:
    """Random effects of a world before its rates are formed."""

    group: Ints
    campaign: Ints
    log_rate: Floats
    log_value: Floats
    demand: Floats


def _normal(rng: np.random.Generator, size: int) -> Floats:
    return rng.normal(size=size)


def _student(rng: np.random.Generator, size: int) -> Floats:
    """Student-t with 3 degrees of freedom, scaled to unit variance."""
    return rng.standard_t(3, size) / np.sqrt(3.0)


def _effects(
    group: Ints,
    campaign: Ints,
    sds: tuple[float, ...],
    draw: Callable[[np.random.Generator, int], Floats],
    rng: np.random.Generator,
) -> Floats:
    sizes = (int(campaign.max()) + 1, len(campaign), len(group))
    top, middle, leaf = (sd * draw(rng, size) for sd, size in zip(sds, sizes, strict=True))
    return np.asarray(top[campaign][group] + middle[group] + leaf, dtype=np.float64)


def _design(keywords: int, variant: str, rng: np.random.Generator) -> _Design:
    groups = max(keywords // 30, 1)
    campaigns = max(groups // 40, 1)
    group = np.sort(rng.integers(0, groups, keywords))
    campaign = np.sort(rng.integers(0, campaigns, groups))
    if variant == "singletons":
        group = campaign = np.arange(keywords)
    draw = _student if variant == "student" else _normal
    log_rate = np.log(0.03) + _effects(group, campaign, RATE_SDS, draw, rng)
    log_value = np.log(60.0) + _effects(group, campaign, VALUE_SDS, draw, rng)
    return _Design(group, campaign, log_rate, log_value, np.exp(rng.normal(1.2, 1.6, keywords)))


def _plain(design: _Design, rng: np.random.Generator) -> Truth:
    parents = (
        design.group,
        design.campaign,
        np.zeros(int(design.campaign.max()) + 1, dtype=np.int64),
    )
    rate = np.minimum(np.exp(design.log_rate), 0.8)
    return Truth(parents, rate, np.exp(design.log_value), np.ones(len(rate)), design.demand)


def _brands(truth: Truth, rng: np.random.Generator) -> Truth:
    """Two keywords with 30 % of all clicks and eight times the rate."""
    giants = rng.choice(len(truth.rate), 2, replace=False)
    demand, rate = truth.demand.copy(), truth.rate.copy()
    demand[giants] = 0.0
    demand[giants] = 0.15 / 0.7 * demand.sum()
    rate[giants] = np.minimum(8.0 * rate[giants], 0.8)
    return replace(truth, demand=demand, rate=rate)


def _dead_groups(truth: Truth, rng: np.random.Generator) -> Truth:
    """A fifth of the ad groups never convert."""
    dead = rng.random(len(truth.parents[1])) < 0.2
    return replace(truth, rate=np.where(dead[truth.parents[0]], 0.0, truth.rate))


def _two_point(truth: Truth, rng: np.random.Generator) -> Truth:
    """Every keyword converts at 0.5 % or at 8 %, whatever its group."""
    return replace(truth, rate=rng.choice([0.005, 0.08], len(truth.rate)))


def _shuffled(truth: Truth, rng: np.random.Generator) -> Truth:
    """The ad group's label says nothing."""
    return replace(truth, parents=(rng.permutation(truth.parents[0]), *truth.parents[1:]))


def _pairs(truth: Truth, rng: np.random.Generator) -> Truth:
    """Orders come two at a time: dispersion 2."""
    return replace(truth, clump=2)


def _kept(truth: Truth, rng: np.random.Generator) -> Truth:
    """Margins, refunds and multipliers that differ between ad groups."""
    groups = len(truth.parents[1])
    share = rng.uniform(0.2, 0.6, groups) * (1 - rng.uniform(0, 0.3, groups))
    return replace(truth, kept=(share * rng.choice([1.0, 1.3], groups))[truth.parents[0]])


def _correlated(truth: Truth, rng: np.random.Generator) -> Truth:
    """What converts twice as well is worth less: half of a keyword's log rate is lost in value."""
    own = np.log(truth.rate) - _group_mean(np.log(truth.rate), truth.parents[0])
    return replace(truth, value=truth.value * np.exp(-0.5 * own))


def _group_mean(amounts: Floats, group: Ints) -> Floats:
    many = np.maximum(np.bincount(group), 1)
    return np.asarray((np.bincount(group, amounts) / many)[group], dtype=np.float64)


_CHANGES: dict[str, Callable[[Truth, np.random.Generator], Truth]] = {
    "brands": _brands,
    "dead_groups": _dead_groups,
    "two_point": _two_point,
    "shuffled": _shuffled,
    "pairs": _pairs,
    "kept": _kept,
    "correlated": _correlated,
}
VARIANTS = ("base", "student", "singletons", *_CHANGES)


def rates_truth(keywords: int, rng: np.random.Generator, variant: str = "base") -> Truth:
    """The truth of one world; `variant` is one of VARIANTS."""
    if variant not in VARIANTS:
        raise ValueError(f"variant {variant!r} is not one of {', '.join(VARIANTS)}")
    truth = _plain(_design(keywords, variant, rng), rng)
    change = _CHANGES.get(variant)
    return truth if change is None else change(truth, rng)


def known_share(age: Floats | Ints) -> Floats:
    """Share of a day's orders known `age` days after it."""
    return np.asarray(1 - np.exp(-(np.asarray(age) + 0.5) / DELAY), dtype=np.float64)


def see_by_click_day(truth: Truth, rng: np.random.Generator) -> Seen:
    """Reports that book an order on the day of its click; recent days are incomplete."""
    weight = np.linspace(0.7, 1.3, DAYS) / DAYS
    days = [_click_day(truth, day, weight[day], rng) for day in range(DAYS)]
    unit, day, clicks = (np.concatenate(part) for part in zip(*days, strict=True))
    exposure = clicks * known_share(DAYS - 1 - day)
    conversions, amounts = _orders(truth, unit, exposure, rng)
    return Seen(unit, day, clicks, exposure, conversions, amounts)


def see_by_order_day(truth: Truth, rng: np.random.Generator) -> Seen:
    """Reports that book an order on its own day, whenever its click was; 30 earlier days of clicks."""
    weight = np.concatenate([np.full(DAYS, 0.7), np.linspace(0.7, 1.3, DAYS)]) / DAYS
    lag = np.diff(np.concatenate([[0.0], known_share(np.arange(2 * DAYS))]))
    clicks = np.zeros((2 * DAYS, len(truth.rate)))
    for day in range(2 * DAYS):
        clicks[day] = rng.poisson(truth.demand * weight[day])
    exposure = np.stack([lag[day::-1] @ clicks[: day + 1] for day in range(DAYS, 2 * DAYS)])
    day, unit = np.nonzero(exposure)
    due = exposure[day, unit]
    conversions, amounts = _orders(truth, unit, due, rng)
    return Seen(unit, day, clicks[DAYS + day, unit], due, conversions, amounts)


def _click_day(
    truth: Truth, day: int, weight: float, rng: np.random.Generator
) -> tuple[Ints, Ints, Floats]:
    counts = rng.poisson(truth.demand * weight)
    unit = np.flatnonzero(counts)
    return unit, np.full(len(unit), day), counts[unit].astype(np.float64)


def _orders(
    truth: Truth, unit: Ints, exposure: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Orders and their amounts per row; single amounts are lognormal with mean 1 times the truth."""
    orders = truth.clump * rng.poisson(truth.rate[unit] * exposure / truth.clump)
    owner = np.repeat(np.arange(len(unit)), orders)
    single = rng.lognormal(-(ORDER_SD**2) / 2, ORDER_SD, len(owner))
    return orders.astype(np.float64), np.bincount(owner, single, len(unit)) * truth.value[unit]


BASES = {"click": see_by_click_day, "order": see_by_order_day}


@dataclass(frozen=True)
class Auction:
    """Second-price auctions against a rival price, lognormal with sd 1 about the median true value."""

    centre: float
    demand: Floats

    @classmethod
    def of(cls, truth: Truth) -> Auction:
        """The auctions of a world, centred on the true values that are not zero."""
        worth = truth.value_per_click
        return cls(float(np.log(np.median(worth[worth > 0]))), truth.demand)

    def profit(self, bid: Floats, worth: Floats) -> float:
        """Expected profit of `bid` if a click brings `worth`, weighted by expected clicks."""
        distance = np.log(np.maximum(bid, 1e-12)) - self.centre
        paid = np.exp(self.centre + 0.5) * norm.cdf(distance - 1)
        return float((self.demand * (worth * norm.cdf(distance) - paid)).sum())

    def share(self, bid: Floats, worth: Floats) -> float:
        """Profit of `bid` over that of bidding the truth."""
        return self.profit(bid, worth) / self.profit(worth, worth)

    def promised_over_delivered(
        self, bid: Floats, worth: Floats, of: npt.NDArray[np.bool_]
    ) -> float:
        """Profit the bids promise, if they were right, over what they bring; keywords `of` only."""
        part = Auction(self.centre, self.demand[of])
        return part.profit(bid[of], bid[of]) / part.profit(bid[of], worth[of])
