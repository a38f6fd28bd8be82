"""What a set of moves would bring: joint draws, so that rows and totals agree.

Per draw one common completion, demand and response shock; then each row's own value, volume and
response. Everything per day, averaged over the next 7 days.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from optimizer.curves.bid_landscape import Response, click_growth
from optimizer.estimates.posteriors import Floats, Gamma, Ints, Singles

_CHUNK = 1024
_THREADS = 2


@dataclass(frozen=True)
class Moves:
    """Rows to move from their present bid to `bid` (0: off). `volume` is clicks per day now."""

    response: Response
    volume: Gamma
    value: Gamma
    bid: Floats


@dataclass(frozen=True)
class CommonShocks:
    """Standard deviations shared by all rows.

    `completion` of log completion and of the account's level of V, `demand` of log demand,
    `elasticity` of ε, `cpc_exponent` of η.
    """

    completion: float
    demand: float
    elasticity: float
    cpc_exponent: float = 0.0


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
    common = rng.standard_normal((4, draws), dtype=np.float32)
    tail = (1 - interval) / 2
    starts = range(0, len(profit), _CHUNK)
    judge = partial(_judge_chunk, moves, shocks, common, tail)
    with ThreadPoolExecutor(_THREADS) as pool:
        parts = list(pool.map(judge, starts, rng.spawn(len(starts))))
    low, high, positive, sums = zip(*parts, strict=True) if parts else ((), (), (), ())
    total = np.sum(sums, axis=0) if parts else np.zeros(draws)
    ends = np.quantile(total, [tail, 1 - tail])
    overall = (float(profit.sum()), float(ends[0]), float(ends[1]))
    return Outcome(clicks, cost, profit, _joined(low), _joined(high), _joined(positive), overall)


def _joined(parts: Sequence[Floats]) -> Floats:
    return np.concatenate(parts) if parts else np.zeros(0)


def _judge_chunk(
    moves: Moves,
    shocks: CommonShocks,
    common: Singles,
    tail: float,
    start: int,
    rng: np.random.Generator,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Interval ends and P(Δprofit > 0) of the rows from `start`, and their sum per draw.

    Each chunk has its own generator, so that the result does not depend on who computes it.
    """
    part = np.arange(start, min(start + _CHUNK, len(moves.bid)))
    drawn = _draw(moves, part, shocks, common, rng)
    sample = _profit(drawn, moves.response.cpc[part], moves.response.bid[part], moves.bid[part])
    low, high = np.quantile(sample, [tail, 1 - tail], axis=1)
    return low, high, (sample > 0).mean(axis=1), sample.sum(axis=0, dtype=np.float64)


def draw_curve(
    moves: Moves, bids: Floats, shocks: CommonShocks, draws: int, interval: float, seed: int
) -> tuple[Floats, Floats]:
    """Ends of the interval of one row's Δprofit at each of `bids`; the same draws serve all of them."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((4, draws), dtype=np.float32)
    drawn = _draw(moves, np.zeros(1, dtype=np.int64), shocks, common, rng)
    sample = _profit(drawn, moves.response.cpc[:1], moves.response.bid[:1], bids)
    tail = (1 - interval) / 2
    low, high = np.quantile(sample, [tail, 1 - tail], axis=1)
    return low, high


@dataclass(frozen=True)
class _Drawn:
    """Arrays (rows, draws)."""

    value: Singles
    volume: Singles
    elasticity: Singles
    exponent: Singles
    click_share: Singles


def _draw(
    moves: Moves, index: Ints, shocks: CommonShocks, common: Singles, rng: np.random.Generator
) -> _Drawn:
    response = moves.response.take(index)
    return _Drawn(
        _shocked(moves.value.take(index), shocks.completion, common[0], rng),
        _shocked(moves.volume.take(index), shocks.demand, common[1], rng),
        _around(response.elasticity, response.elasticity_sd, shocks.elasticity, common[2], rng),
        _around(
            response.cpc_exponent, response.cpc_exponent_sd, shocks.cpc_exponent, common[3], rng
        ),
        _column(response.click_share),
    )


def _profit(drawn: _Drawn, cpc: Floats, present: Floats, bid: Floats) -> Singles:
    """Array (rows, draws) of Δprofit, in single precision: the draws' own noise is far larger."""
    off = bid <= 0
    ratio = _column(np.log(np.where(off, present, bid) / present))
    stays = _column((~off).astype(float))
    growth: Singles = click_growth(np.maximum(drawn.elasticity, 0), ratio, drawn.click_share)
    grown = stays * growth
    dearer = np.exp(np.maximum(drawn.exponent, 0) * ratio)
    per_click = drawn.value * (grown - 1) - _column(cpc) * (grown * dearer - 1)
    result: Singles = drawn.volume * per_click
    return result


def _around(
    mean: Floats, sd: Floats, shared: float, common: Singles, rng: np.random.Generator
) -> Singles:
    """Draws around `mean` with `sd` in all, of which `shared` moves every row alike."""
    own = np.sqrt(np.maximum(sd**2 - shared**2, 0.0))
    result: Singles = (
        _column(mean)
        + np.float32(shared) * common
        + _column(own) * _normals(len(mean), len(common), rng)
    )
    return result


def _shocked(belief: Gamma, spread: float, common: Singles, rng: np.random.Generator) -> Singles:
    """Draws of `belief` times a lognormal shock of mean 1 shared by all rows."""
    shock = np.exp(np.float32(spread) * common - np.float32(0.5 * spread**2))
    result: Singles = belief.draws(len(common), rng) * shock
    return result


def _column(values: Floats) -> Singles:
    return values.astype(np.float32)[:, None]


def _normals(rows: int, draws: int, rng: np.random.Generator) -> Singles:
    return rng.standard_normal((rows, draws), dtype=np.float32)
