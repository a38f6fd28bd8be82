"""What a set of moves would bring: joint draws, so that rows and totals agree.

Per draw one common completion, demand and response shock; then each row's own value, volume and
response. Everything per day, averaged over the next 7 days.

A normal is one of 65,536 equally likely quantiles, and a Gamma's cube root is taken as normal (Wilson
and Hilferty 1931), which moves no probability by 0.5 %: 400 draws alone move each by 2 %. Gammas too
skew for that are drawn exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import special

from optimizer.curves.bid_landscape import Response, click_growth
from optimizer.estimates.posteriors import Floats, Gamma, Ints, Singles

_CHUNK = 512  # rows whose draws stay in the processor's cache
_THREADS = 2
_STEPS = 1 << 16
_NORMAL_QUANTILES = special.ndtri((np.arange(_STEPS) + 0.5) / _STEPS).astype(np.float32)
_LEAST_SHAPE = 1.5


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
    `elasticity` of ε, `cpc_exponent` of η. `click_share` is the share of all clicks at which
    `elasticity` holds: like ε itself it shrinks as a row's share grows (None: alike for all rows).
    """

    completion: float
    demand: float
    elasticity: float
    cpc_exponent: float = 0.0
    click_share: float | None = None

    def elasticity_at(self, share: Floats) -> Floats:
        """The common part's standard deviation per row of this click share."""
        if self.click_share is None:
            return np.full(len(share), self.elasticity)
        result: Floats = self.elasticity * (1.0 - share) / (1.0 - self.click_share)
        return result


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
    low, high = _ends(sample, tail)
    positive = np.count_nonzero(sample > 0, axis=1) / sample.shape[1]
    return low, high, positive, sample.sum(axis=0, dtype=np.float64)


def _ends(sample: Singles, tail: float) -> tuple[Floats, Floats]:
    """Quantiles `tail` and 1 - `tail` of each row, as `np.quantile` has them at a tenth of its cost."""
    ordered = np.sort(sample, axis=1)
    place = np.array([tail, 1 - tail]) * (sample.shape[1] - 1)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, sample.shape[1] - 1)
    first, last = (ordered[:, side].astype(np.float64) for side in (below, above))
    ends = first + (last - first) * (place - below)
    return ends[:, 0], ends[:, 1]


def draw_curve(
    moves: Moves, bids: Floats, shocks: CommonShocks, draws: int, interval: float, seed: int
) -> tuple[Floats, Floats]:
    """Ends of the interval of one row's Δprofit at each of `bids`; the same draws serve all of them."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((4, draws), dtype=np.float32)
    drawn = _draw(moves, np.zeros(1, dtype=np.int64), shocks, common, rng)
    sample = _profit(drawn, moves.response.cpc[:1], moves.response.bid[:1], bids)
    return _ends(sample, (1 - interval) / 2)


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
    elasticity_shared = shocks.elasticity_at(response.click_share)
    exponent_shared = np.full(len(index), shocks.cpc_exponent)
    return _Drawn(
        _shocked(moves.value.take(index), shocks.completion, common[0], rng),
        _shocked(moves.volume.take(index), shocks.demand, common[1], rng),
        _around(response.elasticity, response.elasticity_sd, elasticity_shared, common[2], rng),
        _around(response.cpc_exponent, response.cpc_exponent_sd, exponent_shared, common[3], rng),
        _column(response.click_share),
    )


def _profit(drawn: _Drawn, cpc: Floats, present: Floats, bid: Floats) -> Singles:
    """Array (rows, draws) of Δprofit, in single precision: the draws' own noise is far larger."""
    off = bid <= 0
    ratio = _column(np.log(np.where(off, present, bid) / present))
    grown: Singles = click_growth(np.maximum(drawn.elasticity, 0), ratio, drawn.click_share)
    grown *= _column((~off).astype(float))
    paid = np.exp(np.maximum(drawn.exponent, 0) * ratio)
    paid *= grown
    paid -= 1
    paid *= _column(cpc)
    grown -= 1
    result: Singles = grown * drawn.value
    result -= paid
    result *= drawn.volume
    return result


def _around(
    mean: Floats, sd: Floats, shared: Floats, common: Singles, rng: np.random.Generator
) -> Singles:
    """Draws around `mean` with `sd` in all, of which `shared` (no more than all) moves all rows alike."""
    shared = np.minimum(shared, sd)
    own = np.sqrt(sd**2 - shared**2)
    result = _normals(len(mean), len(common), rng)
    result *= _column(own)
    result += _column(shared) * common
    result += _column(mean)
    return result


def _shocked(belief: Gamma, spread: float, common: Singles, rng: np.random.Generator) -> Singles:
    """Draws of `belief` times a lognormal shock of mean 1 shared by all rows."""
    result = _gammas(belief, len(common), rng)
    result *= np.exp(np.float32(spread) * common - np.float32(0.5 * spread**2))
    return result


def _gammas(belief: Gamma, draws: int, rng: np.random.Generator) -> Singles:
    """Draws of `belief`; the cube root of a Gamma of shape a is near N(1 - 1/9a, 1/9a) of its mean's."""
    ninth = belief.cv2 / 9.0
    root = _normals(len(ninth), draws, rng)
    root *= _column(np.sqrt(ninth))
    root += _column(1.0 - ninth)
    np.maximum(root, 0.0, out=root)
    result = root * root
    result *= root
    result *= _column(belief.mean)
    skew = np.flatnonzero(belief.cv2 * _LEAST_SHAPE > 1.0)
    if len(skew):
        result[skew] = belief.take(skew).draws(draws, rng)
    return result


def _column(values: Floats) -> Singles:
    return values.astype(np.float32)[:, None]


def _normals(rows: int, draws: int, rng: np.random.Generator) -> Singles:
    step = rng.integers(0, _STEPS, (rows, draws), dtype=np.uint16)
    return _NORMAL_QUANTILES.take(step)
