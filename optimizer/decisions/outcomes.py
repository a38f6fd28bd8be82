"""What a set of moves would bring: joint draws, so that rows and totals agree.

Per draw one common completion, demand and response shock, and one of each group's level of value;
then each row's own value, volume and response. Everything per day, averaged over the next 7 days.

A normal is one of 65,536 equally likely quantiles, and a Gamma's cube root is taken as normal (Wilson
and Hilferty 1931), which moves no probability by 0.5 %: 400 draws alone move each by 2 %. Gammas too
skew for that are drawn exactly, and put in the order of the normals they share.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
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
_TINY = 1e-300


@dataclass(frozen=True)
class Moves:
    """Rows to move from their present bid to `bid` (0: off). `volume` is clicks per day now.

    `group` numbers the rows whose values are believed from one level (an ad group's), and
    `group_sd` is the relative standard deviation that doubt about it gives each row's value: a part of
    the row's doubt, never more. Without them rows are wrong each on its own. `present` is the share of
    the clicks at the response's own bid that is bought today: 0 for a keyword that does not exist yet;
    `served` the share of what the curve says that will be: less than 1 where a budget ends days early.
    """

    response: Response
    volume: Gamma
    value: Gamma
    bid: Floats
    group: Ints = field(default_factory=lambda: np.zeros(1, dtype=np.int64))
    group_sd: Floats = field(default_factory=lambda: np.zeros(1))
    present: Floats = field(default_factory=lambda: np.ones(1))
    served: Floats = field(default_factory=lambda: np.ones(1))

    def __post_init__(self) -> None:
        """One group for all rows stands for each of them."""
        for name in ("group", "group_sd", "present", "served"):
            object.__setattr__(
                self, name, np.broadcast_to(getattr(self, name), len(self.value.mean))
            )


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
    served = np.where(off, 0.0, moves.served)
    clicks, cost = clicks * served, cost * served
    bought = moves.response.clicks * moves.present
    delta_clicks, delta_cost = clicks - bought, cost - bought * moves.response.cpc
    return delta_clicks, delta_cost, moves.value.mean * delta_clicks - delta_cost


def draw_outcome(
    moves: Moves, shocks: CommonShocks, draws: int, interval: float, rng: np.random.Generator
) -> Outcome:
    """Means in closed form, intervals and P(Δprofit > 0) from `draws` joint draws."""
    clicks, cost, profit = expected_change(moves)
    common = rng.standard_normal((4, draws), dtype=np.float32)
    levels = _levels(moves, draws, rng)
    tail = (1 - interval) / 2
    starts = range(0, len(profit), _CHUNK)
    judge = partial(_judge_chunk, moves, shocks, common, levels, tail)
    with ThreadPoolExecutor(_THREADS) as pool:
        parts = list(pool.map(judge, starts, rng.spawn(len(starts))))
    low, high, positive, sums = zip(*parts, strict=True) if parts else ((), (), (), ())
    total = np.sum(sums, axis=0) if parts else np.zeros(draws)
    ends = np.quantile(total, [tail, 1 - tail])
    overall = (float(profit.sum()), float(ends[0]), float(ends[1]))
    return Outcome(clicks, cost, profit, _joined(low), _joined(high), _joined(positive), overall)


def _levels(moves: Moves, draws: int, rng: np.random.Generator) -> _Levels:
    """A standard normal per group and draw."""
    groups, place = np.unique(moves.group, return_inverse=True)
    return _Levels(place, _normals(len(groups), draws, rng))


def _joined(parts: Sequence[Floats]) -> Floats:
    return np.concatenate(parts) if parts else np.zeros(0)


def _judge_chunk(
    moves: Moves,
    shocks: CommonShocks,
    common: Singles,
    levels: _Levels,
    tail: float,
    start: int,
    rng: np.random.Generator,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Interval ends and P(Δprofit > 0) of the rows from `start`, and their sum per draw.

    Each chunk has its own generator, so that the result does not depend on who computes it.
    """
    part = np.arange(start, min(start + _CHUNK, len(moves.bid)))
    drawn = _draw(moves, part, shocks, common, levels, rng)
    sample = _profit(moves, part, drawn, moves.bid[part])
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


def draw_gammas(belief: Gamma, draws: int, rng: np.random.Generator) -> Singles:
    """Array (len, draws) of independent draws of `belief`, in single precision."""
    return _gammas(belief, _normals(len(belief.mean), draws, rng), rng, ordered=False)


def draw_rows(
    moves: Moves, shocks: CommonShocks, draws: int, rng: np.random.Generator
) -> Iterator[tuple[Ints, Drawn]]:
    """Joint draws of what is believed of the rows, some hundred rows at a time.

    The common shocks and the groups' levels are the same in all parts: draw i of every row belongs to
    one world. `moves.bid` does not matter.
    """
    common = rng.standard_normal((4, draws), dtype=np.float32)
    levels = _levels(moves, draws, rng)
    starts = range(0, len(moves.bid), _CHUNK)
    for start, own in zip(starts, rng.spawn(len(starts)), strict=True):
        part = np.arange(start, min(start + _CHUNK, len(moves.bid)))
        yield part, _draw(moves, part, shocks, common, levels, own)


def draw_curve(
    moves: Moves, bids: Floats, shocks: CommonShocks, draws: int, interval: float, seed: int
) -> tuple[Floats, Floats]:
    """Ends of the interval of one row's Δprofit at each of `bids`; the same draws serve all of them."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((4, draws), dtype=np.float32)
    levels = _levels(moves, draws, rng)
    row = np.zeros(1, dtype=np.int64)
    sample = _profit(moves, row, _draw(moves, row, shocks, common, levels, rng), bids)
    return _ends(sample, (1 - interval) / 2)


@dataclass(frozen=True)
class _Levels:
    """`place` of each row among the groups, and what each draws, (groups, draws)."""

    place: Ints
    shock: Singles


@dataclass(frozen=True)
class Drawn:
    """Arrays (rows, draws); `value` per click, `volume` clicks per day at the response's bid."""

    value: Singles
    volume: Singles
    elasticity: Singles
    exponent: Singles
    click_share: Singles
    won: Singles


def _draw(
    moves: Moves,
    index: Ints,
    shocks: CommonShocks,
    common: Singles,
    levels: _Levels,
    rng: np.random.Generator,
) -> Drawn:
    response = moves.response.take(index)
    elasticity_shared = shocks.elasticity_at(response.click_share)
    exponent_shared = np.full(len(index), shocks.cpc_exponent)
    return Drawn(
        _valued(moves, index, shocks.completion, common[0], levels, rng),
        _shocked(moves.volume.take(index), shocks.demand, common[1], rng),
        _around(response.elasticity, response.elasticity_sd, elasticity_shared, common[2], rng),
        _around(response.cpc_exponent, response.cpc_exponent_sd, exponent_shared, common[3], rng),
        _column(response.click_share),
        _column(response.won),
    )


def _profit(moves: Moves, rows: Ints, drawn: Drawn, bid: Floats) -> Singles:
    """Array (rows, draws) of Δprofit at `bid`, in single precision: the draws' noise is far larger."""
    off, present = bid <= 0, moves.response.bid[rows]
    bought = _column(moves.present[rows])
    ratio = _column(np.log(np.where(off, present, bid) / present))
    grown: Singles = click_growth(
        np.maximum(drawn.elasticity, 0), ratio, drawn.click_share, drawn.won
    )
    grown *= _column(np.where(off, 0.0, moves.served[rows]))
    paid = np.exp(np.maximum(drawn.exponent, 0) * ratio)
    paid *= grown
    paid -= bought
    paid *= _column(moves.response.cpc[rows])
    grown -= bought
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


def _valued(
    moves: Moves,
    index: Ints,
    spread: float,
    common: Singles,
    levels: _Levels,
    rng: np.random.Generator,
) -> Singles:
    """Draws of value: each row's own part and its group's level, times everyone's shock."""
    belief, doubt = moves.value.take(index), moves.group_sd[index] ** 2
    share = np.minimum(doubt / np.maximum(belief.cv2, _TINY), 1.0)
    normals = _normals(len(index), len(common), rng)
    grouped = bool(doubt.any())
    if grouped:
        normals *= _column(np.sqrt(1.0 - share))
        level = levels.shock[levels.place[index]]
        level *= _column(np.sqrt(share))
        normals += level
    return _with_shock(_gammas(belief, normals, rng, ordered=grouped), spread, common)


def _shocked(belief: Gamma, spread: float, common: Singles, rng: np.random.Generator) -> Singles:
    """Draws of `belief` times a lognormal shock of mean 1 shared by all rows."""
    normals = _normals(len(belief.mean), len(common), rng)
    return _with_shock(_gammas(belief, normals, rng, ordered=False), spread, common)


def _with_shock(drawn: Singles, spread: float, common: Singles) -> Singles:
    drawn *= np.exp(np.float32(spread) * common - np.float32(0.5 * spread**2))
    return drawn


def _gammas(belief: Gamma, normals: Singles, rng: np.random.Generator, *, ordered: bool) -> Singles:
    """Draws of `belief` from `normals`, whose memory is used up; `ordered`: in their order throughout.

    The cube root of a Gamma of shape a is near N(1 - 1/9a, 1/9a) of its mean's.
    """
    ninth = belief.cv2 / 9.0
    root = normals
    root *= _column(np.sqrt(ninth))
    root += _column(1.0 - ninth)
    np.maximum(root, 0.0, out=root)
    result = root * root
    result *= root
    result *= _column(belief.mean)
    skew = np.flatnonzero(belief.cv2 * _LEAST_SHAPE > 1.0)
    if len(skew):
        exact = belief.take(skew).draws(result.shape[1], rng)
        result[skew] = _in_order_of(root[skew], exact) if ordered else exact
    return result


def _in_order_of(guide: Singles, sample: Singles) -> Singles:
    """Each row of `sample` rearranged so that its order is that of `guide`."""
    result = np.empty_like(sample)
    np.put_along_axis(result, np.argsort(guide, axis=1), np.sort(sample, axis=1), axis=1)
    return result


def _column(values: Floats) -> Singles:
    return values.astype(np.float32)[:, None]


def _normals(rows: int, draws: int, rng: np.random.Generator) -> Singles:
    step = rng.integers(0, _STEPS, (rows, draws), dtype=np.uint16)
    return _NORMAL_QUANTILES.take(step)
