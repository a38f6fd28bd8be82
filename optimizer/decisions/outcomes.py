"""What a set of moves would bring: joint draws, so that rows and totals agree.

Per draw one common completion, demand and response shock; then each row's own value, volume and
response. Everything per day, averaged over the next 7 days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.curves.bid_landscape import Response
from optimizer.estimates.posteriors import Floats, Gamma

_CHUNK = 4096


@dataclass(frozen=True)
class Moves:
    """Rows to move from their present bid to `bid` (0: off). `volume` is clicks per day now."""

    response: Response
    volume: Gamma
    value: Gamma
    bid: Floats


@dataclass(frozen=True)
class CommonShocks:
    """Standard deviations shared by all rows: log completion, log demand, elasticity."""

    completion: float
    demand: float
    elasticity: float


@dataclass(frozen=True)
class Outcome:
    """Per row, and `total` as (mean, low, high) of Δprofit over all rows."""

    clicks: Floats
    cost: Floats
    profit: Floats
    low: Floats
    high: Floats
    p_positive: Floats
    total: tuple[float, float, float]


def expected_change(moves: Moves) -> tuple[Floats, Floats, Floats]:
    """Mean Δclicks, Δcost and Δprofit per row."""
    off = moves.bid <= 0
    target = np.where(off, moves.response.bid, moves.bid)[:, None]
    clicks = moves.response.expected_clicks(target)[:, 0]
    cost = moves.response.expected_cost(target)[:, 0]
    clicks, cost = np.where(off, 0.0, clicks), np.where(off, 0.0, cost)
    delta_clicks = clicks - moves.response.clicks
    delta_cost = cost - moves.response.clicks * moves.response.cpc
    return delta_clicks, delta_cost, moves.value.mean * delta_clicks - delta_cost


def draw_outcome(
    moves: Moves, shocks: CommonShocks, draws: int, interval: float, rng: np.random.Generator
) -> Outcome:
    """Means in closed form, intervals and P(Δprofit > 0) from `draws` joint draws."""
    clicks, cost, profit = expected_change(moves)
    common = rng.standard_normal((3, draws))
    tail = (1 - interval) / 2
    low, high = np.zeros(len(profit)), np.zeros(len(profit))
    positive, total = np.zeros(len(profit)), np.zeros(draws)
    for start in range(0, len(profit), _CHUNK):
        part = slice(start, start + _CHUNK)
        sample = _profit_draws(moves, part, shocks, common, rng)
        low[part], high[part] = np.quantile(sample, [tail, 1 - tail], axis=1)
        positive[part] = (sample > 0).mean(axis=1)
        total += sample.sum(axis=0)
    ends = np.quantile(total, [tail, 1 - tail]) if len(profit) else (0.0, 0.0)
    overall = (float(profit.sum()), float(ends[0]), float(ends[1]))
    return Outcome(clicks, cost, profit, low, high, positive, overall)


def _profit_draws(
    moves: Moves, part: slice, shocks: CommonShocks, common: Floats, rng: np.random.Generator
) -> Floats:
    """Array (rows, draws) of Δprofit."""
    response = moves.response.take(np.arange(len(moves.bid))[part])
    rows, draws = len(response.bid), common.shape[1]
    index = np.arange(part.start, part.start + rows)
    value = moves.value.take(index).draws(draws, rng) * np.exp(
        shocks.completion * common[0] - 0.5 * shocks.completion**2
    )
    volume = moves.volume.take(index).draws(draws, rng) * np.exp(
        shocks.demand * common[1] - 0.5 * shocks.demand**2
    )
    own = np.sqrt(np.maximum(response.elasticity_sd**2 - shocks.elasticity**2, 0.0))
    elasticity = response.elasticity[:, None] + shocks.elasticity * common[2]
    elasticity = elasticity + own[:, None] * rng.standard_normal((rows, draws))
    exponent = response.cpc_exponent[:, None] + response.cpc_exponent_sd[
        :, None
    ] * rng.standard_normal((rows, draws))
    elasticity, exponent = np.maximum(elasticity, 0.0), np.maximum(exponent, 0.0)
    off = moves.bid[part] <= 0
    ratio = np.log(np.where(off, 1.0, moves.bid[part]) / response.bid)[:, None]
    grown = np.where(off[:, None], 0.0, np.exp(elasticity * ratio))
    dearer = np.where(off[:, None], 0.0, np.exp(exponent * ratio))
    result: Floats = volume * (
        value * (grown - 1.0) - response.cpc[:, None] * (grown * dearer - 1.0)
    )
    return result
