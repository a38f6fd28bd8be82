"""Levers beside bids: a campaign's budget, and the target of its automated bidding.

A capped campaign can be helped in two ways that compete: more budget buys more of the clicks it
buys now, lower bids buy more clicks for the same budget. Both are priced from the share of the day
that the budget lasted. An automated campaign answers to its target as a keyword to its bid.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np

from optimizer.decisions.outcomes import CommonShocks
from optimizer.estimates.posteriors import Bools, Floats, Gamma

_TARGET_LEVELS = 3


@dataclass(frozen=True)
class Campaigns:
    """Per campaign and day, money in account currency: what it gets now, and V per click.

    `served` is the share of its demand that the budget pays for, with its standard deviation;
    `setting` the present budget or target. `price` is what a click is charged once the budget no longer
    ends the day, over what it costs now: clicks beyond a spent budget are free.
    """

    setting: Floats
    cost: Floats
    clicks: Floats
    value: Gamma
    served: Floats
    served_sd: Floats
    price: Floats = field(default_factory=lambda: np.ones(1))

    def __post_init__(self) -> None:
        """One price for all campaigns stands for each of them."""
        object.__setattr__(self, "price", np.broadcast_to(self.price, len(self.setting)))

    @property
    def cpc(self) -> Floats:
        """Cost per click."""
        return self.cost / self.clicks

    def take(self, keep: Bools) -> Campaigns:
        """The campaigns that are kept."""
        parts = {name.name: getattr(self, name.name) for name in fields(self)}
        parts["value"] = Gamma(self.value.mean[keep], self.value.cv2[keep])
        return Campaigns(**{n: v if n == "value" else v[keep] for n, v in parts.items()})


@dataclass(frozen=True)
class Priced:
    """Per campaign: the proposed setting and what it changes per day; `p_above` is the probability
    that the money returns more than the line, `marginal` what it returns."""

    setting: Floats
    clicks: Floats
    cost: Floats
    profit: Floats
    low: Floats
    high: Floats
    p_positive: Floats
    marginal: Floats
    p_above: Floats


@dataclass(frozen=True)
class Lowered:
    """Bids that are lowered by `factor`: their shares of each campaign's cost, clicks and value."""

    factor: Floats
    cost: Floats
    clicks: Floats
    value: Floats


def raise_budgets(
    now: Campaigns,
    line: Floats,
    limit: float,
    step: float,
    shocks: CommonShocks,
    draws: int,
    interval: float,
    rng: np.random.Generator,
) -> Priced:
    """Budgets that demand would fill, at most `limit` above today's, and what they bring.

    More of the day is more of the same clicks, at their full `price`: extra money returns V / (price
    · CPC). Days that stay capped would still have some for nothing; whoever reaches the whole day
    pays for these too.
    """
    more = now.setting * (1 / now.served - 1) * now.price
    wanted = now.setting + np.minimum(more, now.setting * limit)
    setting = np.round(np.floor(wanted / step + 1e-6) * step, 6)
    share = now.served[:, None] + now.served_sd[:, None] * rng.standard_normal((1, draws))
    demand = now.cost[:, None] / np.clip(share, 0.05, 1.0)
    charged = (demand - now.cost[:, None]) * now.price[:, None]
    extra = np.clip(charged, 0.0, (setting - now.setting)[:, None])
    shock = np.exp(shocks.completion * rng.standard_normal(draws) - 0.5 * shocks.completion**2)
    full = now.cpc * now.price
    returns = now.value.draws(draws, rng) * shock / full[:, None]
    mean = now.value.mean / full
    cost = extra.mean(axis=1)
    profit = extra * (returns - 1.0)
    low, high = _ends(profit, interval)
    above = (returns > line[:, None]).mean(axis=1)
    clicks = cost / full
    gain = cost * (mean - 1.0)
    return Priced(setting, clicks, cost, gain, low, high, (profit > 0).mean(axis=1), mean, above)


def lasting_factor(now: Campaigns, share: Floats, elasticity: float, exponent: float) -> Floats:
    """The factor on the bids behind `share` of a campaign's cost at which its budget lasts all day.

    Demand in money falls as b^(ε+η) and must fall to `served`; 0 where that share is too small.
    """
    cut = np.divide(1.0 - now.served, share, out=np.ones_like(share), where=share > 0)
    factor: Floats = np.maximum(1.0 - cut, 0.0) ** (1.0 / (elasticity + exponent))
    return factor


def lower_bids(
    now: Campaigns,
    lowered: Lowered,
    response: tuple[float, float, float, float],
    shocks: CommonShocks,
    draws: int,
    interval: float,
    rng: np.random.Generator,
) -> Priced:
    """What lower bids bring at the present budget; `setting` is the factor on them.

    Less demand in money makes the budget last longer: more of the day is served, at cheaper clicks.
    Where demand stays above the budget, cost stays what it is. `marginal` is unknown: no money moves.
    """
    elasticity, exponent = _responses(response, shocks, len(now.cost), draws, rng)
    share = now.served[:, None] + now.served_sd[:, None] * rng.standard_normal((1, draws))
    served = np.clip(share, 0.05, 1.0)
    shock = np.exp(shocks.completion * rng.standard_normal(draws) - 0.5 * shocks.completion**2)
    bid = lowered.factor[:, None]
    demand = (1.0 + lowered.cost[:, None] * (bid ** (elasticity + exponent) - 1.0)) / served
    longer = np.minimum(1.0, 1.0 / demand) / served
    fewer = bid**elasticity - 1.0
    clicks = now.clicks[:, None] * (longer * (1.0 + lowered.clicks[:, None] * fewer) - 1.0)
    cost = now.cost[:, None] * (np.minimum(demand, 1.0) - 1.0)
    brought = now.clicks[:, None] * (longer * (1.0 + lowered.value[:, None] * fewer) - 1.0)
    profit = now.value.draws(draws, rng) * shock * brought - cost
    low, high = _ends(profit, interval)
    sure = (profit > 0).mean(axis=1)
    return Priced(
        setting=lowered.factor,
        clicks=clicks.mean(axis=1),
        cost=cost.mean(axis=1),
        profit=profit.mean(axis=1),
        low=low,
        high=high,
        p_positive=sure,
        marginal=np.full(len(now.cost), np.nan),
        p_above=sure,
    )


def move_targets(
    now: Campaigns,
    roas: Bools,
    response: tuple[float, float, float, float],
    line: Floats,
    limit: float,
    step: Floats,
    learning_loss: float,
    probability: float,
    shocks: CommonShocks,
    draws: int,
    interval: float,
    rng: np.random.Generator,
) -> Priced:
    """Best targets within `limit`, the reset of learning priced in; the present one where none gains.

    A ROAS target 1/1.1 as high, or a CPA target 1.1 as high, lets the platform bid 1.1 as much.
    `response` is ε, its sd, η, its sd; targets are multiples of `step`. While it learns a campaign
    loses `learning_loss` of its value. A target moves only where the marginal return is on its side
    of the line with `probability`.
    """
    elasticity, exponent = _responses(response, shocks, len(now.cost), draws, rng)
    shock = np.exp(shocks.completion * rng.standard_normal(draws) - 0.5 * shocks.completion**2)
    value = now.value.draws(draws, rng) * shock
    marginal = value * elasticity / ((elasticity + exponent) * now.cpc[:, None])
    above = (marginal > line[:, None]).mean(axis=1)
    loss = learning_loss * now.value.mean * now.clicks
    best = _nothing(now, interval, above, marginal.mean(axis=1))
    for share in _steps(limit):
        # A ROAS target falls where bids rise.
        setting = _on_step(now.setting, 1 + np.where(roas, -share, share), step)
        bid = np.where(roas, now.setting / setting, setting / now.setting)[:, None]
        grown = bid**elasticity
        clicks = now.clicks[:, None] * (grown - 1.0)
        cost = now.cost[:, None] * (grown * bid**exponent - 1.0)
        profit = value * clicks - cost - loss[:, None]
        sure = above >= probability if share > 0 else above <= 1 - probability
        priced = (value * clicks - line[:, None] * cost).mean(axis=1) - loss
        worth = sure & (priced > 0) & (profit.mean(axis=1) > best.profit)
        low, high = _ends(profit, interval)
        tried = Priced(
            setting,
            clicks.mean(axis=1),
            cost.mean(axis=1),
            profit.mean(axis=1),
            low,
            high,
            (profit > 0).mean(axis=1),
            best.marginal,
            above,
        )
        best = _picked(worth, tried, best)
    return best


def target_cost(
    now: Campaigns,
    roas: Bools,
    setting: Floats,
    response: tuple[float, float, float, float],
    shocks: CommonShocks,
    draws: int,
    rng: np.random.Generator,
) -> Floats:
    """Expected Δcost per day of moving targets to `setting`, with the draws of `move_targets`."""
    elasticity, exponent = _responses(response, shocks, len(now.cost), draws, rng)
    bid = np.where(roas, now.setting / setting, setting / now.setting)[:, None]
    result: Floats = (now.cost[:, None] * (bid ** (elasticity + exponent) - 1.0)).mean(axis=1)
    return result


def _on_step(setting: Floats, factor: Floats, step: Floats) -> Floats:
    """`setting` times `factor` as a multiple of `step`, never further away; itself if there is none."""
    wanted = setting * factor / step
    count = np.where(factor > 1, np.floor(wanted + 1e-6), np.ceil(wanted - 1e-6))
    target = np.round(count * step, 6)
    moves = (target > 0) & ((target > setting) == (factor > 1))
    return np.where(moves, target, setting)


def _steps(limit: float) -> list[float]:
    shares = [limit * level / _TARGET_LEVELS for level in range(1, _TARGET_LEVELS + 1)]
    return [sign * share for share in shares for sign in (1, -1)]


def _responses(
    response: tuple[float, float, float, float],
    shocks: CommonShocks,
    size: int,
    draws: int,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Draws of ε and η, shape (size, draws)."""
    mean, sd, exponent, exponent_sd = response
    own = np.sqrt(max(sd**2 - shocks.elasticity**2, 0.0))
    elasticity = mean + shocks.elasticity * rng.standard_normal(draws)
    elasticity = elasticity + own * rng.standard_normal((size, draws))
    drawn = exponent + exponent_sd * rng.standard_normal((size, draws))
    return np.maximum(elasticity, 0.05), np.maximum(drawn, 0.0)


def _nothing(now: Campaigns, interval: float, above: Floats, marginal: Floats) -> Priced:
    zero = np.zeros(len(now.cost))
    return Priced(now.setting, zero, zero, zero, zero, zero, zero, marginal, above)


def _picked(pick: Bools, tried: Priced, best: Priced) -> Priced:
    chosen = {
        part.name: np.where(pick, getattr(tried, part.name), getattr(best, part.name))
        for part in fields(Priced)
    }
    return Priced(**chosen)


def _ends(sample: Floats, interval: float) -> tuple[Floats, Floats]:
    tail = (1 - interval) / 2
    low, high = np.quantile(sample, [tail, 1 - tail], axis=1)
    return low, high
