"""Nested Gamma-Poisson credibility: each unit's rate, shrunk to its group's, and that to the next.

    x ~ Poisson(θ e) with dispersion ψ,   θ ~ Gamma(mean m, squared CV c),   c = τ² + v + τ² v

m and v are the parent's mean and its squared CV with the unit's whole branch left out at every
level, so that a unit never confirms itself: without it 80 % intervals cover about half of that.
τ² is estimated per level by iterated moments. Bühlmann-Straub (1970), Jewell's hierarchical model
(1975); on sparse keyword conversions Rutz and Bucklin (2011).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from optimizer.estimates.posteriors import Floats, Gamma, Ints, group_sum
from optimizer.estimates.spread import (
    combined_cv2,
    gamma_spread,
    learn_spread,
    posterior_of,
    prior_of,
)

_PRIOR_TAU2 = 0.25
_PRIOR_TAU2_ABOVE = 0.1
_PRIOR_UNITS = 2.0
_MAX_RESIDUAL = 5.0
_MAX_AMOUNT_RESIDUAL = 15.0
_ROOT_CV2 = 1.0
_ITERATIONS = 30
_TAU2_SAMPLE = 150_000
_SETTLING_SWEEPS = 3
_TOLERANCE = 1e-3
_LEAST_DISPERSION = 0.05
_LEAST_TOTAL = 1e-9
_CLEARLY = 2.0
_SETTLED_AMOUNTS = 15.0
_CV2_STEPS = 5


@dataclass(frozen=True)
class RateFit:
    """`posterior` per unit; `parent` what was believed without the unit's own data.

    `level_cv2` v: squared CV of doubt about the parent's own level, the unit's data left out;
    `tau2` squared CV between siblings, leaf level first; `dispersion` ψ the data were scaled by.
    """

    posterior: Gamma
    parent: Gamma
    level_cv2: Floats
    tau2: tuple[float, ...]
    dispersion: float

    def shared_sd(self, exposure: Floats) -> Floats:
        """Relative sd of each posterior mean that doubt about the parent's own level causes.

        All units of a parent are wrong by it together. `exposure` is that of the fit over the variance
        of one unit. Of what the parent's mean moves, a posterior mean moves the part
        b = 1 - exposure · variance / mean of it, whatever prior scales with it. The variance is the
        nearest Gamma's: too little, and b too large, where siblings are of two kinds and orders few.
        """
        moved = 1.0 - exposure * self.posterior.cv2 * self.posterior.mean
        result: Floats = np.sqrt(self.level_cv2) * np.clip(moved, 0.0, 1.0)
        return result

    def take(self, index: Ints) -> RateFit:
        """The fit of the units at `index`."""
        return RateFit(
            self.posterior.take(index),
            self.parent.take(index),
            self.level_cv2[index],
            self.tau2,
            self.dispersion,
        )


@dataclass(frozen=True)
class _Pass:
    """One sweep over the tree: per level the counts, exposures, credibility weights with which
    they were added up, and leave-one-out priors.
    """

    counts: list[Floats]
    exposures: list[Floats]
    weights: list[Floats]
    means: list[Floats]
    cv2s: list[Floats]

    def others(self, level: int, parents: Sequence[Ints]) -> tuple[Floats, Floats]:
        """Counts and exposure of each unit's parent without the unit's own branch."""
        return _left_out(self.counts, self.exposures, self.weights, parents, level)


def fit_rates(
    counts: Floats,
    exposure: Floats,
    parents: Sequence[Ints],
    *,
    dispersion: float = 1.0,
    unit_cv2: float | None = None,
) -> RateFit:
    """Rate of each unit of the lowest level.

    `parents[0][k]` is the group of unit k, `parents[1][g]` the group of that group, and so on; the
    last maps to roots (one root: all zeros). `counts` may be fractional and exceed `exposure`.
    With `unit_cv2`, counts are sums of amounts whose squared CV is that, one per unit of exposure
    (order values over orders), instead of Poisson counts. Costs O(units × levels × iterations).
    """
    tree, kept = branching(parents)
    chosen, back = _without_repeats(counts, exposure, tree[0])
    tree[0] = tree[0][chosen]
    posterior, prior, v, found = _fit(counts[chosen], exposure[chosen], tree, dispersion, unit_cv2)
    tau2 = np.zeros(len(parents))
    tau2[kept] = found
    return RateFit(posterior, prior, v, tuple(tau2.tolist()), dispersion).take(back)


def _fit(
    counts: Floats,
    exposure: Floats,
    parents: Sequence[Ints],
    dispersion: float,
    unit_cv2: float | None,
) -> tuple[Gamma, Gamma, Floats, list[float]]:
    """Posterior, prior, v of the parents' levels, and τ² per level."""
    pooled = _pooled_rate(counts, exposure)
    some = _sample(parents[0])
    part = [parents[0][some], *parents[1:]]
    tau2 = _estimate_tau2(counts[some], exposure[some], part, pooled, dispersion, unit_cv2)
    sweep: _Pass | None = None
    for _ in range(_SETTLING_SWEEPS):
        sweep = _scaled_sweep(counts, exposure, parents, tau2, pooled, dispersion, unit_cv2, sweep)
    assert sweep is not None
    return *_believe(sweep, parents, tau2, pooled, learn=unit_cv2 is None), tau2


def _without_repeats(counts: Floats, exposure: Floats, group: Ints) -> tuple[Ints, Ints]:
    """Units of which something was seen and one unseen unit per group, and where each unit's answer is.

    Unseen siblings differ in nothing: of ten million keywords, 99 % of them idle, few are fitted.
    """
    unseen = (exposure <= 0) & (counts == 0)
    seen, quiet = np.flatnonzero(~unseen), np.flatnonzero(unseen)
    groups, place = np.unique(group[quiet], return_inverse=True)
    back = np.empty(len(group), dtype=np.int64)
    back[seen] = np.arange(len(seen))
    back[quiet] = len(seen) + place
    first = np.empty(len(groups), dtype=np.int64)
    first[place] = quiet
    return np.concatenate([seen, first]), back


def _sample(group: Ints) -> Ints:
    """Units of every n-th group, so many that τ² is known to about one per cent; all of a small tree."""
    return np.flatnonzero(group % (len(group) // _TAU2_SAMPLE + 1) == 0)


def branching(parents: Sequence[Ints]) -> tuple[list[Ints], list[int]]:
    """`parents` without the levels on which nobody has a sibling, and the indices of those kept.

    Where every unit is an only child nothing tells the unit's spread from its parent's: the two are
    one level, and the spread is found on the other. The last level stays.
    """
    tree: list[Ints] = []
    kept: list[int] = []
    below: Ints | None = None
    for level, parent in enumerate(parents):
        up = parent if below is None else parent[below]
        alone = int(np.bincount(up).max(initial=0)) <= 1
        if alone and level < len(parents) - 1:
            below = up
        else:
            tree.append(up)
            kept.append(level)
            below = None
    return tree, kept


def _estimate_tau2(
    counts: Floats,
    exposure: Floats,
    parents: Sequence[Ints],
    pooled: float,
    dispersion: float,
    unit_cv2: float | None,
) -> list[float]:
    """Iterated moment estimates of τ² per level."""
    tau2 = [_PRIOR_TAU2] * len(parents)
    most = _MAX_RESIDUAL if unit_cv2 is None else _MAX_AMOUNT_RESIDUAL
    sweep = _scaled_sweep(counts, exposure, parents, tau2, pooled, dispersion, unit_cv2, None)
    for _ in range(_ITERATIONS):
        sweep = _scaled_sweep(counts, exposure, parents, tau2, pooled, dispersion, unit_cv2, sweep)
        updated = [
            _moment_tau2(sweep, level, tau2[level], most, _stated_tau2(level, unit_cv2 is not None))
            for level in range(len(parents))
        ]
        change = max(abs(a - b) / (b + 1e-3) for a, b in zip(updated, tau2, strict=True))
        tau2 = updated
        if change < _TOLERANCE:
            break
    return tau2


def _scaled_sweep(
    counts: Floats,
    exposure: Floats,
    parents: Sequence[Ints],
    tau2: Sequence[float],
    pooled: float,
    dispersion: float,
    unit_cv2: float | None,
    previous: _Pass | None,
) -> _Pass:
    """A sweep over counts divided by the variance of one unit, so that they look like Poisson."""
    local = np.full(len(counts), pooled) if previous is None else previous.means[0]
    scale = _unit_variance(local, tau2[0], dispersion, unit_cv2)
    return _sweep(counts / scale, exposure / scale, parents, tau2, pooled, previous)


def _unit_variance(
    local: Floats, tau2: float, dispersion: float, unit_cv2: float | None
) -> Floats | float:
    """Variance over mean of one unit of exposure: what counts are divided by to look like Poisson."""
    return dispersion if unit_cv2 is None else unit_cv2 * local * (1 + tau2)


def best_parents(
    counts: Floats,
    exposure: Floats,
    candidates: Mapping[str, Sequence[Ints]],
    *,
    dispersion: float = 1.0,
) -> str:
    """Name of the tree under which the counts were least surprising; the first unless clearly beaten.

    Each count is foretold by its parent without it, so that a finer tree is not better for being
    finer. A challenger must be e² times as likely.
    """
    scores = {
        name: predictive_score(
            counts, exposure, fit_rates(counts, exposure, tree, dispersion=dispersion)
        )
        for name, tree in candidates.items()
    }
    first = next(iter(scores))
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] > scores[first] + _CLEARLY else first


def predictive_score(counts: Floats, exposure: Floats, fit: RateFit) -> float:
    """Log likelihood of the counts, each foretold from its parent alone (negative binomial)."""
    x, e = counts / fit.dispersion, exposure / fit.dispersion
    shape, expected = 1.0 / fit.parent.cv2, fit.parent.mean * e
    seen = (e > 0) & (expected > 0)
    x, shape, expected = x[seen], shape[seen], expected[seen]
    log_chance = special.gammaln(shape + x) - special.gammaln(shape) - special.gammaln(x + 1)
    log_chance += x * np.log(expected / (shape + expected)) - shape * np.log1p(expected / shape)
    return float(log_chance.sum())


def estimate_dispersion(
    counts: Floats, exposure: Floats, unit: Ints, units: int, *, strength: float = 20.0
) -> float:
    """ψ: how much more a unit's counts vary between days than Poisson counts would.

    Given a unit's total X, its days share it like p_d = e_d/Σe; (x_d - X p_d)² has mean
    ψ X p_d (1 - p_d), whatever the unit's rate. A row is weighted by what it knows of ψ, so that one
    brand word's 30 big days do not outvote the account. Shrunk to 1 by `strength` events. Rows are
    (unit, day).
    """
    total = group_sum(unit, counts, units)
    share = _share(exposure, unit, units)
    weight = 1.0 / (1.0 + 2.0 * np.maximum(total[unit] * share, 0.0))
    spread = float((weight * (counts - total[unit] * share) ** 2).sum())
    events = float((weight * total[unit] * share * (1.0 - share)).sum())
    return max((spread + strength) / (events + strength), _LEAST_DISPERSION)


def estimate_unit_cv2(
    amounts: Floats, number: Floats, unit: Ints, units: int, *, prior: float, strength: float = 20.0
) -> float:
    """Squared CV φ of single amounts (order values) from the spread between a unit's days.

    (a_d - A p_d)² with p_d = n_d/N has mean φ m² n_d (1 - p_d), where m² = (A/N)² / (1 + φ/N): the
    unit's own mean is uncertain too. Shrunk to `prior` by `strength` amounts.
    """
    total, many = group_sum(unit, amounts, units), group_sum(unit, number, units)
    share = _share(number, unit, units)
    weight = 1.0 / (1.0 + np.maximum(number, 0.0) / _SETTLED_AMOUNTS)
    mean = np.divide(total, many, out=np.zeros(units), where=many > 0)
    spread = float((weight * (amounts - total[unit] * share) ** 2).sum())
    square = group_sum(unit, weight * number * (1.0 - share), units) * mean**2
    typical = float(total.sum() / max(many.sum(), 1e-12)) ** 2
    cv2 = prior
    for _ in range(_CV2_STEPS if typical > 0 else 0):
        known = float((square * many / (many + cv2)).sum())
        cv2 = (spread + strength * prior * typical) / (known + strength * typical)
    return cv2


def _share(exposure: Floats, unit: Ints, units: int) -> Floats:
    """Each row's share of its unit's exposure; 0 where the unit has none."""
    exposed = group_sum(unit, exposure, units)[unit]
    return np.divide(exposure, exposed, out=np.zeros(len(unit)), where=exposed > 0)


def _pooled_rate(counts: Floats, exposure: Floats) -> float:
    """Overall rate; half an event stands in where none was seen, so that a mean of 0 never arises."""
    total, exposed = float(counts.sum()), float(exposure.sum())
    if exposed <= _LEAST_TOTAL:
        return 1.0
    return (total if total > _LEAST_TOTAL else 0.5) / exposed


def _sweep(
    counts: Floats,
    exposure: Floats,
    parents: Sequence[Ints],
    tau2: Sequence[float],
    pooled: float,
    previous: _Pass | None,
) -> _Pass:
    """Sum upwards with credibility weights, then pass priors down with each branch left out."""
    x, e, weights = [counts], [exposure], []
    for level, parent in enumerate(parents):
        mean = previous.means[level] if previous is not None else pooled
        z = 1.0 / (1.0 + tau2[level] * mean * e[level])
        groups = len(parents[level + 1]) if level + 1 < len(parents) else int(parent.max()) + 1
        weights.append(z)
        x.append(group_sum(parent, z * x[level], groups))
        e.append(group_sum(parent, z * e[level], groups))
    return _descend(x, e, weights, parents, tau2, pooled)


def _descend(
    x: list[Floats],
    e: list[Floats],
    weights: list[Floats],
    parents: Sequence[Ints],
    tau2: Sequence[float],
    pooled: float,
) -> _Pass:
    roots = len(x[-1])
    mean, strength = np.full(roots, pooled), np.full(roots, 1.0 / _ROOT_CV2)
    means: list[Floats] = [np.empty(0)] * len(parents)
    cv2s: list[Floats] = [np.empty(0)] * len(parents)
    for level in range(len(parents) - 1, -1, -1):
        up = parents[level]
        others_x, others_e = _left_out(x, e, weights, parents, level)
        shape = strength[up] + others_x
        means[level] = shape / (strength[up] / mean[up] + others_e)
        cv2s[level] = 1.0 / shape
        mean, strength = means[level], 1.0 / combined_cv2(tau2[level], cv2s[level])
    return _Pass(x, e, weights, means, cv2s)


def _left_out(
    x: list[Floats], e: list[Floats], weights: list[Floats], parents: Sequence[Ints], level: int
) -> tuple[Floats, Floats]:
    up, own = parents[level], weights[level]
    others_x: Floats = np.maximum(x[level + 1][up] - own * x[level], 0.0)
    others_e: Floats = np.maximum(e[level + 1][up] - own * e[level], 0.0)
    return others_x, others_e


def _stated_tau2(level: int, amounts: bool) -> float:
    """What is believed of τ² beforehand: groups, and values of orders, differ less than keywords' rates.

    0.25 for all of them promised the best third of small accounts' keywords a sixth too much.
    """
    return _PRIOR_TAU2 if level == 0 and not amounts else _PRIOR_TAU2_ABOVE


def _moment_tau2(sweep: _Pass, level: int, tau2: float, most: float, stated: float) -> float:
    """One moment step; a residual beyond `most` standard deviations (and events) counts as `most`.

    Where less than one event is expected a single one is many deviations and yet no outlier; single
    amounts have long tails of their own, which cutting at five would take for likeness of siblings.
    What is `stated`, worth two of the tree's own well-known units, and two perfectly known ones at the
    least, keeps small trees from 0 or from infinity: five alike words do not prove all words alike.
    """
    v = sweep.cv2s[level]
    expected = sweep.means[level] * sweep.exposures[level]
    variance = expected + (tau2 + v) * expected**2
    w = 1.0 / (1.0 + (tau2 + v) * expected) ** 2
    residual = np.minimum(
        (sweep.counts[level] - expected) ** 2, most**2 * np.maximum(variance, 1.0)
    )
    excess = float((w * (residual - expected - v * expected**2)).sum())
    information = w * (1 + v) * expected**2
    scale = float(information.sum())
    typical = float((information**2).sum()) / max(scale, 1e-300)
    prior = _PRIOR_UNITS * max(typical, 1.0 / stated**2)
    return max((excess + stated * prior) / (scale + prior), 1e-4)


def _believe(
    sweep: _Pass, parents: Sequence[Ints], tau2: Sequence[float], pooled: float, learn: bool
) -> tuple[Gamma, Gamma, Floats]:
    """Posterior, prior and v of the leaves: from the roots down, each unit's parent without the unit."""
    roots = len(sweep.counts[-1])
    belief, spread = Gamma(np.full(roots, pooled), np.full(roots, _ROOT_CV2)), gamma_spread(0.0)
    for level in range(len(parents) - 1, -1, -1):
        belief = posterior_of(*sweep.others(level, parents), belief.take(parents[level]), spread)
        counts, exposure = sweep.counts[level], sweep.exposures[level]
        spread = (
            learn_spread(counts, exposure, belief, tau2[level], may_be_dead=level > 0)
            if learn
            else gamma_spread(tau2[level])
        )
    posterior = posterior_of(sweep.counts[0], sweep.exposures[0], belief, spread)
    return posterior, prior_of(belief, spread), belief.cv2
