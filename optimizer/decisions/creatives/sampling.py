"""Who is best, how likely, and who gets how much of tomorrow's impressions.

Allocation is Thompson sampling in daily batches: an arm's share is the part of the posterior draws
in which it is best (Chapelle and Li 2011), mixed with an even split by a floor on the total. A floor
per arm would spend most of the traffic on losers once there are a hundred arms. Top-two sampling
(Russo 2016) serves who wants to know the winner rather than to earn meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from optimizer.decisions.creatives.metrics import Metric, draw_scores, require
from optimizer.errors import BadSettings
from optimizer.estimates.creatives import ArmBeliefs
from optimizer.estimates.posteriors import Bools, Floats, Ints, Singles

_CHUNK = 600
_THREADS = 2
SHARPNESS = 0.5
"""Variance of the draws that shares rest on, over the posterior's (Chapelle and Li 2011, section 3).

Thompson sampling explores as if it had all time; a test of some weeks earns more by half of it.
"""
CLAIM_SHARE = 0.2
"""Least share of an arm under Thompson sampling where a claim is wanted, for two or three arms."""


@dataclass(frozen=True)
class Chances:
    """Per arm: `best` P(it is the best of its test), `loss` what choosing it is expected to forgo.

    `eager` is P(best) were we surer than we are (variance times `sharpness`): what shares rest on.
    `loss` is in units of the metric; `draws` is how many draws all rest on.
    """

    best: Floats
    eager: Floats
    loss: Floats
    draws: int


def judge_arms(
    metric: Metric,
    beliefs: ArmBeliefs,
    first: Ints,
    rng: np.random.Generator,
    *,
    draws: int = 500,
    alive: Bools | None = None,
    sharpness: float = SHARPNESS,
) -> Chances:
    """P(best) and expected loss of every arm from `draws` joint draws.

    Arms of a test stand together, test i from number `first[i]`. Arms not `alive` are never best.
    A test without any arm alive has P(best) 0 and loss NaN throughout.
    """
    if draws < 1:
        raise BadSettings("too_few", name="draws", value=draws, least=1)
    require(metric, beliefs)
    running = np.ones(len(beliefs.ctr.mean), dtype=np.bool_) if alive is None else alive
    parts = _alike(first, len(running))
    judge = partial(_judge_alike, metric, beliefs, running, draws, sharpness)
    with ThreadPoolExecutor(_THREADS) as pool:
        found = list(pool.map(judge, parts, rng.spawn(len(parts))))
    result = np.empty((3, len(running)))
    for arms, told in zip(parts, found, strict=True):
        result[:, arms] = told
    return Chances(result[0], result[1], result[2], draws)


def _alike(first: Ints, arms: int) -> list[Ints]:
    """Arm numbers (tests, arms) of tests with equally many arms, few enough to stay in the cache."""
    sizes = _sizes(first, arms)
    parts = []
    for size in np.unique(sizes):
        rows = first[sizes == size][:, None] + np.arange(size)
        parts += np.array_split(rows, -(-rows.size // _CHUNK))
    return [part for part in parts if len(part)]


def _judge_alike(
    metric: Metric,
    beliefs: ArmBeliefs,
    alive: Bools,
    draws: int,
    sharpness: float,
    arms: Ints,
    rng: np.random.Generator,
) -> Floats:
    """P(best), the same were we surer, and expected loss: array (3, tests, arms).

    Surer draws are the same ones, drawn towards their arm's mean.
    """
    score = draw_scores(metric, beliefs.take(arms.ravel()), draws, rng).reshape(*arms.shape, draws)
    score[~alive[arms]] = -np.inf
    mean = score.mean(axis=2, dtype=np.float64)
    top = score.max(axis=1, keepdims=True)
    best = np.count_nonzero(score == top, axis=2) / draws
    with np.errstate(invalid="ignore"):
        loss = top.mean(axis=2, dtype=np.float64) - mean
    kept = np.sqrt(sharpness)
    score *= np.float32(kept)
    score += ((1.0 - kept) * mean).astype(np.float32)[:, :, None]
    eager = np.count_nonzero(score == score.max(axis=1, keepdims=True), axis=2) / draws
    dead = ~alive[arms]
    return np.stack([np.where(dead, 0.0, best), np.where(dead, 0.0, eager), loss])


def earning_shares(
    chances: Chances,
    first: Ints,
    alive: Bools,
    floor: Floats | float,
    *,
    even: bool = True,
) -> Floats:
    """Share of its test's impressions per arm, earning while testing: (1 − f)·eager P(best) + f/arms.

    `floor` f is the part of all impressions that explores, per test or one for all: spread evenly
    over the arms alive, or, where not `even`, by plain P(best). What is spread evenly serves claims;
    arms that are surely not the best earn nothing with it. Shares of a test sum to 1 (0 where none is
    alive): they are the propensities.
    """
    if even:
        return _with_floor(chances.eager, first, alive, floor)
    kept = _per_arm(floor, first, alive)
    mixed = (1.0 - kept) * chances.eager + kept * chances.best
    return _with_floor(mixed, first, alive, 0.0)


def finding_shares(
    chances: Chances, first: Ints, alive: Bools, floor: Floats | float, *, top: float = 0.5
) -> Floats:
    """Shares of top-two Thompson sampling: the best of a draw with chance `top`, else the second.

    The second is the best of further draws until it is another arm, so that its chance is
    Σ_i P(i best)·P(j best)/(1 − P(i best)).
    """
    sizes = _sizes(first, len(alive))
    likely = np.where(alive, chances.best * chances.draws + 0.5, 0.0)
    likely = _normalised(likely, first, sizes)
    odds = likely / np.maximum(1.0 - likely, 1e-12)
    others = np.repeat(np.add.reduceat(odds, first), sizes) - odds
    shares = likely * (top + (1.0 - top) * others)
    return _with_floor(_normalised(shares, first, sizes), first, alive, floor)


def even_shares(first: Ints, alive: Bools) -> Floats:
    """The same share for every arm alive."""
    return _normalised(alive.astype(np.float64), first, _sizes(first, len(alive)))


def floor_for_claims(floor: float, arms: Ints) -> Floats:
    """`floor`, raised so that each of two or three arms keeps a fifth: claims need the compared arm.

    More arms keep the floor: a fifth each would be an even split.
    """
    few = np.asarray(arms) <= 3
    result: Floats = np.where(few, np.maximum(floor, CLAIM_SHARE * np.asarray(arms)), floor)
    return result


def enabled_under_rotation(shares: Floats, first: Ints) -> Bools:
    """Which arms to leave enabled where the platform shows enabled arms equally often.

    The best n of a test, n such that even shares among them lie nearest to `shares` in total
    variation; of equally near ones the most arms.
    """
    sizes = _sizes(first, len(shares))
    test = np.repeat(np.arange(len(first)), sizes)
    order = np.lexsort((-shares, test))
    ranked = shares[order]
    rank = np.arange(len(shares)) - np.repeat(first, sizes) + 1
    distance = _distance_of_best(ranked, rank, first, sizes)
    nearest = np.repeat(np.minimum.reduceat(distance, first), sizes)
    count = np.maximum.reduceat(np.where(distance <= nearest + 1e-12, rank, 0), first)
    enabled = np.empty(len(shares), dtype=np.bool_)
    enabled[order] = (rank <= np.repeat(count, sizes)) & (ranked > 0)
    return enabled


def _distance_of_best(ranked: Floats, rank: Ints, first: Ints, sizes: Ints) -> Floats:
    """Total variation between the shares and an even split among the best `rank` of them.

    Σ over those above 1/n of what they lack: as shares fall, Σ_{i≤j}(s_i − 1/n) at its largest j.
    """
    result = np.empty(len(ranked))
    for size in np.unique(sizes):
        rows = np.flatnonzero(sizes == size)[:, None]
        index = first[rows] + np.arange(size)
        part = ranked[index]
        even = 1.0 / np.arange(1, size + 1)
        result[index] = np.stack([_lacking(part, even[n], n + 1) for n in range(size)], axis=1)
    return result


def _lacking(shares: Floats, even: float, count: int) -> Floats:
    """Half the absolute distance of rows of falling shares to `even` for the first `count`."""
    asked = np.where(np.arange(shares.shape[1]) < count, even, 0.0)
    result: Floats = 0.5 * np.abs(shares - asked).sum(axis=1)
    return result


def _per_arm(floor: Floats | float, first: Ints, alive: Bools) -> Floats:
    floors = np.asarray(floor, dtype=np.float64)
    if (floors < 0).any() or (floors > 1).any():
        raise BadSettings("share_out_of_range", name="floor", value=float(floors.max()))
    return np.repeat(np.broadcast_to(floors, len(first)), _sizes(first, len(alive)))


def _with_floor(chosen: Floats, first: Ints, alive: Bools, floor: Floats | float) -> Floats:
    kept, sizes = _per_arm(floor, first, alive), _sizes(first, len(alive))
    chosen = _normalised(np.where(alive, chosen, 0.0), first, sizes)
    even = even_shares(first, alive)
    # Where no draw speaks for any arm there is nothing to prefer.
    unsaid = np.repeat(np.add.reduceat(chosen, first) == 0, sizes)
    result: Floats = np.where(unsaid, even, (1.0 - kept) * chosen + kept * even)
    return result


def _normalised(weights: Floats, first: Ints, sizes: Ints) -> Floats:
    total = np.repeat(np.add.reduceat(weights, first), sizes)
    result: Floats = np.divide(weights, total, out=np.zeros(len(weights)), where=total > 0)
    return result


def _sizes(first: Ints, arms: int) -> Ints:
    return np.diff(first, append=arms)


def draw_uplift(
    metric: Metric,
    beliefs: ArmBeliefs,
    against: Ints,
    rng: np.random.Generator,
    *,
    draws: int = 1000,
    mass: float = 0.8,
) -> tuple[Floats, Floats, Floats]:
    """Median and ends of the interval that holds `mass`, of each arm's metric minus that of arm `against`.

    Both are drawn jointly (one draw of every arm); in units of the metric, so that for the cost of a
    conversion a negative uplift is the better one. 0 where an arm is compared with itself.
    """
    median, low, high = (np.empty(len(against)) for _ in range(3))
    sign = np.float32(-1.0 if metric.lower_is_better else 1.0)
    for start in range(0, len(against), _CHUNK):
        part = slice(start, start + _CHUNK)
        used, place = np.unique(
            np.concatenate([np.arange(len(against))[part], against[part]]), return_inverse=True
        )
        score = draw_scores(metric, beliefs.take(used), draws, rng)
        own, other = np.split(place, 2)
        gained: Singles = sign * (score[own] - score[other])
        low[part], median[part], high[part] = _quantiles(gained, mass)
    return median, low, high


def _quantiles(sample: Singles, mass: float) -> Sequence[Floats]:
    tail = (1.0 - mass) / 2.0
    ordered = np.sort(sample, axis=1)
    place = np.array([tail, 0.5, 1.0 - tail]) * (sample.shape[1] - 1)
    return [ordered[:, round(float(at))].astype(np.float64) for at in place]
