"""Keywords whose true conversion rate and order value are known."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

DAYS = 30


@dataclass(frozen=True)
class Truth:
    """Per keyword: groups, true rate and value, expected clicks, what was seen of them."""

    parents: tuple[np.ndarray, ...]
    rate: np.ndarray
    value: np.ndarray
    demand: np.ndarray
    exposure: np.ndarray
    conversions: np.ndarray
    amounts: np.ndarray

    @property
    def value_per_click(self) -> np.ndarray:
        return self.rate * self.value

    def profit_share(self, estimate: np.ndarray) -> float:
        """Profit of bidding the estimate in second-price auctions, as a share of bidding the truth."""
        centre = np.log(np.median(self.value_per_click))

        def profit(bid: np.ndarray) -> float:
            distance = np.log(np.maximum(bid, 1e-12)) - centre
            paid = np.exp(centre + 0.5) * norm.cdf(distance - 1)
            return float((self.demand * (self.value_per_click * norm.cdf(distance) - paid)).sum())

        return profit(estimate) / profit(self.value_per_click)


def rates_world(keywords: int, rng: np.random.Generator) -> Truth:
    """Nested lognormal rates and values, a heavy tail of clicks, orders that come late."""
    groups = max(keywords // 30, 1)
    campaigns = max(groups // 40, 1)
    group = np.sort(rng.integers(0, groups, keywords))
    campaign = np.sort(rng.integers(0, campaigns, groups))

    def nested(level: float, *spread: float) -> np.ndarray:
        sizes = (campaigns, groups, keywords)
        top, middle, leaf = (
            rng.normal(0, sd, size) for sd, size in zip(spread, sizes, strict=True)
        )
        return np.exp(level + top[campaign][group] + middle[group] + leaf)

    rate = np.minimum(nested(np.log(0.03), 0.4, 0.4, 0.5), 0.8)
    value = nested(np.log(60), 0.3, 0.3, 0.25)
    demand = np.exp(rng.normal(1.2, 1.6, keywords))
    weight = np.linspace(0.7, 1.3, DAYS)
    known = 1 - np.exp(-(np.arange(DAYS)[::-1] + 0.5) / 6)
    exposure = rng.poisson(demand) * (weight * known).sum() / weight.sum()
    orders = rng.poisson(rate * exposure)
    owner = np.repeat(np.arange(keywords), orders)
    amounts = np.bincount(owner, rng.lognormal(-0.32, 0.8, len(owner)), keywords) * value
    parents = (group, campaign, np.zeros(campaigns, dtype=np.int64))
    return Truth(parents, rate, value, demand, exposure, orders.astype(float), amounts)
