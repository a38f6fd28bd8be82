"""How clicks and price answer to bids nobody drew at random: told by what demand cannot move.

Clicks per day before and after a meant change compare two days' demand as much as two bids. Three
ratios do not: clicks per eligible impression (impressions / impression share) and cost per click stand
beside the same auction on a good day and a bad one. So where reports give the impression share, every
change of a bid teaches, through

    log ε_k = β₀ + β₁·log(1 - s_k) + β₂·log r_k,      log η_k = γ₀ + γ₁·log(1 - s_k) + γ₂·log r_k

with s impression share (damped, it may be 1) and r cost per click over bid, both in the middle of the
change: a word that is nearly always shown, or that pays far less than it bids, has little left to win.
Changes pair the days under one bid with those under the next: the later one's clicks are binomial given
both, with odds (its eligible impressions / the earlier's)·exp(ε·L), L the log change; the log ratio of
prices is normal around η·L. Slopes have stated priors and are found by Gauss-Newton; how far keywords
differ beyond them, by moments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.estimates.bid_history import BidHistory, entry_in_force
from optimizer.estimates.exposure import Records
from optimizer.estimates.posteriors import Floats, Ints, group_sum

_DAMPED = 0.98
_LEAST_RATIO = 0.02
_CENTRE = np.array([np.log1p(-_DAMPED * 0.62), np.log(0.75)])
"""The standing at which a stated exponent holds."""
_LEAST_CHANGE = 0.02
_LEAST_CLICKS = 20.0
_UNSEEN_ROUNDS = 15
_SINGLE = 1.5
_MOST_LOST = 0.95
_ROUNDS = 30
_LONGEST_STEP = 0.5
_MAX_RESIDUAL = 5.0
_SPREAD_STRENGTH = 20.0
_LARGEST = 4.0
_PRICE_NOISE = 0.1
_NEIGHBOUR = 0.1
_OWN_IMPRESSIONS = 5.0
_OWN_CLICKS = 3.0


@dataclass(frozen=True)
class Standing:
    """Per keyword at its present bid: impression share and cost per click over bid; nan where unknown."""

    share: Floats
    price_ratio: Floats


@dataclass(frozen=True)
class Changes:
    """One entry per pair of neighbouring bids of a keyword: `change` is the log of new over old.

    `eligible`, `clicks` and `cost` are (2, changes) sums of the days under the old and the new bid.
    `standing` is in the middle of the two.
    """

    change: Floats
    eligible: Floats
    clicks: Floats
    cost: Floats
    standing: Standing


@dataclass(frozen=True)
class SlopePrior:
    """Stated: a typical exponent `mean`, which moves with standing by `slopes` (share, price ratio).

    `sd` and `common_sd` of the exponent between keywords and of what all share, as shares of `mean`;
    `slope_sd` of either slope.
    """

    mean: float
    sd: float
    common_sd: float
    slopes: tuple[float, float]
    slope_sd: float


@dataclass(frozen=True)
class SlopeFit:
    """Posterior of (level, share, price ratio) on the log scale, and `sd` of log ε between keywords."""

    slopes: Floats
    covariance: Floats
    sd: float
    changes: int

    @property
    def common_sd(self) -> float:
        """Standard deviation of the typical log exponent."""
        return float(np.sqrt(self.covariance[0, 0]))

    def exponent(self, standing: Standing) -> Floats:
        """The typical exponent of keywords that stand so."""
        log = self._asked(standing) @ self.slopes
        result: Floats = np.minimum(np.exp(log), _LARGEST)
        return result

    def relative_sd(self, standing: Standing) -> Floats:
        """Standard deviation of a keyword's exponent as a share of it."""
        design = self._asked(standing)
        doubt = np.einsum("ij,jk,ik->i", design, self.covariance, design)
        result: Floats = np.sqrt(doubt + self.sd**2)
        return result

    def _asked(self, standing: Standing) -> Floats:
        """Before any change was seen, only a known impression share says anything."""
        silent = np.isnan(standing.share) & (self.changes == 0)
        ratio = np.where(silent, np.nan, standing.price_ratio)
        return _design(Standing(standing.share, ratio))


def present_standing(
    history: BidHistory,
    rows: Records,
    share: Floats,
    lost_to_budget: Floats,
    bid: Floats,
    recency: Floats,
) -> Standing:
    """Where keywords stand, from days whose bid was near the present one.

    A day counts 0.5^(|log bid then / now| / 0.1) of its `recency`. Own numbers are shrunk to the
    account's by five eligible impressions and three clicks.
    """
    units = len(bid)
    eligible = _eligible(rows, share, lost_to_budget)
    entry = entry_in_force(history, rows.unit, rows.last)
    then = np.where(entry >= 0, history.bid[entry], np.nan) if len(history.bid) else entry * np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.abs(np.log(then / bid[rows.unit]))
    near = recency * 0.5 ** (np.where(np.isfinite(apart), apart, 0.0) / _NEIGHBOUR)
    possible = near * _exposed(rows.unit, rows.impressions, eligible, near, units)
    won = group_sum(rows.unit, np.where(eligible > 0, near * rows.impressions, 0.0), units)
    possible = group_sum(rows.unit, possible, units)
    priced = np.isfinite(apart) & (rows.clicks > 0)
    paid = group_sum(rows.unit, np.where(priced, near * rows.cost, 0.0), units)
    offered = np.where(priced, near * rows.clicks * np.where(priced, then, 0.0), 0.0)
    worth = group_sum(rows.unit, offered, units)
    return Standing(
        np.minimum(_shrunk(won, possible, _OWN_IMPRESSIONS), 1.0),
        np.minimum(_shrunk(paid, worth, _OWN_CLICKS * np.where(bid > 0, bid, np.nan)), 1.0),
    )


def _shrunk(part: Floats, whole: Floats, strength: Floats | float) -> Floats:
    """part / whole with the whole account's ratio beside it; nan where there is nothing of one's own."""
    some = whole > 0
    typical = float(part.sum() / whole.sum()) if some.any() else np.nan
    result = np.full(len(whole), np.nan)
    np.divide(part + strength * typical, whole + strength, out=result, where=some)
    return result


def find_changes(
    history: BidHistory, rows: Records, share: Floats, lost_to_budget: Floats
) -> Changes:
    """Pairs of neighbouring meant bids under both of which the impression share is known; some clicks came.

    Bids drawn at random have an estimator of their own.
    """
    eligible = _eligible(rows, share, lost_to_budget)
    single = rows.first == rows.last
    entry = entry_in_force(history, rows.unit, rows.last)
    meant = (entry >= 0) & ~np.append(history.randomised, True)[entry]
    used = np.flatnonzero((eligible > 0) & single & meant)
    size, entry, shown = len(history.bid), entry[used], rows.impressions[used]
    exposed = _exposed(entry, shown, eligible[used], np.ones(len(used)), size)
    counts = (exposed, rows.clicks[used], rows.cost[used], shown)
    possible, clicks, cost, won = (group_sum(entry, part, size) for part in counts)
    filled = np.flatnonzero((possible > 0) & (history.bid > 0))
    first, second = filled[:-1], filled[1:]
    same = history.unit[first] == history.unit[second]
    change = np.log(history.bid[second] / history.bid[first])
    told = clicks[first] + clicks[second] >= _LEAST_CLICKS
    kept = same & told & (np.abs(change) >= _LEAST_CHANGE)
    first, second, pairs = first[kept], second[kept], np.stack([first[kept], second[kept]])
    worth = (clicks * np.maximum(history.bid, 0.0))[pairs]
    ratio = np.divide(cost[pairs], worth, out=np.full(pairs.shape, np.nan), where=worth > 0)
    middle = Standing(
        np.minimum((won[pairs] / possible[pairs]).mean(axis=0), 1.0),
        np.minimum(_mean_known(ratio), 1.0),
    )
    return Changes(change[kept], possible[pairs], clicks[pairs], cost[pairs], middle)


def fit_clicks(changes: Changes, prior: SlopePrior) -> SlopeFit:
    """The slopes of log ε. Without changes: the prior."""
    total = changes.clicks.sum(axis=0)
    offset = np.log(changes.eligible[1] / changes.eligible[0])
    change = changes.change
    design, theta = _design(changes.standing), _prior_mean(prior)
    spread = prior.sd**2 - prior.common_sd**2
    for _ in range(_ROUNDS):
        exponent = np.minimum(np.exp(design @ theta), _LARGEST)
        chance = 1.0 / (1.0 + np.exp(-(offset + exponent * change)))
        variance = np.maximum(total * chance * (1 - chance), 1e-9)
        off = (changes.clicks[1] - total * chance) / variance
        lever = change * exponent
        spread = _spread(off, 1.0 / variance, lever, prior)
        theta, covariance, moved = _step(theta, design, lever, off, 1.0 / variance, spread, prior)
        if moved < 1e-4:
            break
    return SlopeFit(theta, covariance, float(np.sqrt(spread)), len(change))


def fit_prices(changes: Changes, prior: SlopePrior) -> SlopeFit:
    """The slopes of log η, from changes with clicks on both sides."""
    both = (changes.clicks > 0).all(axis=0) & (changes.cost > 0).all(axis=0)
    clicks, cost, change = changes.clicks[:, both], changes.cost[:, both], changes.change[both]
    standing = Standing(changes.standing.share[both], changes.standing.price_ratio[both])
    dearer = np.log(cost[1] / clicks[1]) - np.log(cost[0] / clicks[0])
    noise = _PRICE_NOISE * (1.0 / clicks[0] + 1.0 / clicks[1])
    design, theta = _design(standing), _prior_mean(prior)
    spread = prior.sd**2 - prior.common_sd**2
    for _ in range(_ROUNDS):
        exponent = np.minimum(np.exp(design @ theta), _LARGEST)
        off = dearer - exponent * change
        lever = change * exponent
        spread = _spread(off, noise, lever, prior)
        theta, covariance, moved = _step(theta, design, lever, off, noise, spread, prior)
        if moved < 1e-4:
            break
    return SlopeFit(theta, covariance, float(np.sqrt(spread)), len(change))


def _step(
    theta: Floats,
    design: Floats,
    lever: Floats,
    off: Floats,
    noise: Floats,
    spread: float,
    prior: SlopePrior,
) -> tuple[Floats, Floats, float]:
    """One Gauss-Newton step on residuals `off` of variance noise + spread·lever²."""
    limit = _MAX_RESIDUAL * np.sqrt(noise + spread * lever**2)
    weight = lever / (noise + spread * lever**2)
    precision = 1.0 / np.array([prior.common_sd, prior.slope_sd, prior.slope_sd]) ** 2
    score = design.T @ (weight * np.clip(off, -limit, limit))
    score += precision * (_prior_mean(prior) - theta)
    told = (design * (weight * lever)[:, None]).T @ design
    covariance = np.asarray(np.linalg.inv(told + np.diag(precision)), dtype=np.float64)
    step = np.clip(covariance @ score, -_LONGEST_STEP, _LONGEST_STEP)
    return theta + step, covariance, float(np.abs(step).max())


def _spread(off: Floats, noise: Floats, lever: Floats, prior: SlopePrior) -> float:
    """Variance of log ε between keywords beyond their standing, one moment step beside what is stated."""
    stated = prior.sd**2 - prior.common_sd**2
    weight = 1.0 / (noise + stated * lever**2) ** 2
    square = np.minimum(off**2, _MAX_RESIDUAL**2 * (noise + stated * lever**2))
    told, scale = (
        float((weight * lever**2 * (square - noise)).sum()),
        float((weight * lever**4).sum()),
    )
    strength = _SPREAD_STRENGTH / stated**2 / 2.0
    return max((told + strength * stated) / (scale + strength), 1e-3)


def _prior_mean(prior: SlopePrior) -> Floats:
    return np.array([np.log(prior.mean), *prior.slopes])


def _design(standing: Standing) -> Floats:
    """(keywords, 3): 1, log(1 - damped share), log price ratio about their centre; 0 where unknown."""
    columns = _raw(standing) - _CENTRE
    return np.column_stack([np.ones(len(columns)), np.where(np.isnan(columns), 0.0, columns)])


def _raw(standing: Standing) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.column_stack(
            [
                np.log1p(-_DAMPED * standing.share),
                np.log(np.maximum(standing.price_ratio, _LEAST_RATIO)),
            ]
        )


def _eligible(rows: Records, share: Floats, lost_to_budget: Floats) -> Floats:
    """Eligible impressions of each record while its budget lasted; 0 where no report tells.

    Of a day with a single one a report tells only if it was won: it says nothing.
    """
    known = (share > 0) & (rows.impressions > _SINGLE * share)
    lost = np.where(lost_to_budget > 0, np.minimum(lost_to_budget, _MOST_LOST), 0.0)
    eligible = np.zeros(len(share))
    np.divide(rows.impressions * (1.0 - lost), share, out=eligible, where=known)
    return np.maximum(eligible, np.where(known, rows.impressions, 0.0))


def _exposed(group: Ints, shown: Floats, eligible: Floats, weight: Floats, size: int) -> Floats:
    """Eligible impressions per record with those of the days that no report has, as expected.

    A day without an impression is left out of reports, so what is told of n eligible ones is a
    binomial that is not 0: its mean is n·q / (1 - (1 - q)^n). q per group by iteration.
    """
    won = group_sum(group, weight * np.where(eligible > 0, shown, 0.0), size)
    exposed = 2.0 * eligible
    for _ in range(_UNSEEN_ROUNDS):
        possible = group_sum(group, weight * exposed, size)
        share = np.divide(won, possible, out=np.ones(size), where=possible > 0)
        missed = np.exp(eligible * np.log1p(-np.clip(share, 1e-3, 1 - 1e-9)[group]))
        exposed = eligible / np.maximum(1.0 - missed, 1e-3)
    return exposed


def _mean_known(values: Floats) -> Floats:
    """Mean of the two rows, the known one where the other is nan."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    result = np.full(values.shape[1], np.nan)
    np.divide(total, count, out=result, where=count > 0)
    return result
