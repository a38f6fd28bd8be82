"""How siblings differ from their parent: a mixing distribution learnt from the siblings themselves.

    θ = m · r,   r ~ Σ_j w_j Gamma(mean r_j, squared CV s),   m ~ Gamma with squared CV v
    x | θ ~ Poisson(θ e)   ⇒   given j, θ is Gamma with shape 1/c + x and rate 1/(c m r_j) + e,
                               c = s + v + s v, and w_j is weighed by its negative binomial

A single Gamma says how far siblings differ, not how: where rates are 0.5 % or 8 % and nothing
between, it promises words without orders a fifth too much and those with one a seventh too little,
and a lognormal world's right tail is longer than any Gamma's. The weights start as a lognormal's and are
moved by expectation-maximisation (Kiefer-Wolfowitz 1956; Laird 1978; for counts Efron 2016), held
back by a few pseudo-siblings, so that a small tree keeps the lognormal. Groups may also be all but
dead: where a fifth of the ad groups never converts, those without orders are believed to be so.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from optimizer.estimates.posteriors import Floats, Gamma, mean_log_gap, shape_of_gap

_STEP = 0.4
_WIDTH = 0.2
_LOWEST, _HIGHEST = -13, 11
_PSEUDO_SIBLINGS = 10.0
_LEAST_EXPECTED = 0.3
_SAMPLE = 10_000
_ITERATIONS = 150
_TOLERANCE = 1e-4
_NEGLIGIBLE = 1e-4
_CHUNK = 2048
_THREADS = 2
_DEAD_RATIO = 0.003
_DEAD_WEIGHT = 1e-3
_ENOUGH_GROUPS = 100


@dataclass(frozen=True)
class Spread:
    """Ratios r_j to the parent with their weights; `cv2` s of each part of the mixture."""

    ratio: Floats
    weight: Floats
    cv2: float

    @property
    def mean(self) -> float:
        """Mean ratio: below 1 where parents are believed too high."""
        return float(self.weight @ self.ratio)

    @property
    def total_cv2(self) -> float:
        """Squared CV of the ratio over all parts."""
        square = float(self.weight @ self.ratio**2)
        return (1 + self.cv2) * square / self.mean**2 - 1


def gamma_spread(tau2: float) -> Spread:
    """One Gamma of mean 1 and squared CV `tau2`: the conjugate prior."""
    return Spread(np.ones(1), np.ones(1), tau2)


def lognormal_spread(tau2: float) -> Spread:
    """Parts that add up to a lognormal of mean 1 and squared CV `tau2`.

    They are 0.4 standard deviations apart and half as wide, which ripples by about 1 %.
    """
    sd = np.sqrt(np.log1p(tau2))
    steps = np.arange(_LOWEST, _HIGHEST + 1)
    weight = np.exp(-0.5 * (_STEP * steps) ** 2 / (1 - _WIDTH**2))
    weight /= weight.sum()
    ratio = np.exp(_STEP * sd * steps)
    return Spread(ratio / (weight @ ratio), weight, float(np.expm1((_WIDTH * sd) ** 2)))


def with_dead(spread: Spread) -> Spread:
    """`spread` with a part of weight 0.001 at 0.3 % of the parent: siblings that never convert."""
    ratio = np.append(spread.ratio, _DEAD_RATIO)
    weight = np.append(spread.weight * (1 - _DEAD_WEIGHT), _DEAD_WEIGHT)
    return Spread(ratio / (weight @ ratio), weight, spread.cv2)


def learn_spread(
    counts: Floats, exposure: Floats, parent: Gamma, tau2: float, *, may_be_dead: bool = False
) -> Spread:
    """The mixture that makes the siblings' `counts` most likely, held to a lognormal of CV² `tau2`.

    Siblings that were to be expected to show next to nothing teach nothing and are left out; of
    very many an even sample is enough. `may_be_dead` is for groups, where there are a hundred: a
    single keyword sees too few clicks to tell never from seldom, and a few groups prove nothing.
    """
    prior = lognormal_spread(tau2)
    known = np.flatnonzero(parent.mean * exposure > _LEAST_EXPECTED)
    prior = with_dead(prior) if may_be_dead and len(known) >= _ENOUGH_GROUPS else prior
    chosen = known[:: len(known) // _SAMPLE + 1]
    if len(chosen) == 0:
        return prior
    fit = _log_likelihood(
        counts[chosen], exposure[chosen], Gamma(parent.mean[chosen], parent.cv2[chosen]), prior
    )
    likelihood = np.exp(fit - fit.max(axis=1, keepdims=True))
    weight = _most_likely_weights(likelihood, prior.weight)
    kept = weight > _NEGLIGIBLE
    return Spread(prior.ratio[kept], weight[kept] / weight[kept].sum(), prior.cv2)


def _most_likely_weights(likelihood: Floats, start: Floats) -> Floats:
    """Expectation-maximisation over siblings × parts, with pseudo-siblings that stay at `start`."""
    weight = start
    for _ in range(_ITERATIONS):
        moved = weight * (likelihood.T @ (1.0 / (likelihood @ weight))) + _PSEUDO_SIBLINGS * start
        moved /= moved.sum()
        change = float(np.abs(moved - weight).sum())
        weight = moved
        if change < _TOLERANCE:
            break
    return weight


def _log_likelihood(counts: Floats, exposure: Floats, parent: Gamma, spread: Spread) -> Floats:
    """Negative binomial of each sibling under each part, up to what all parts share."""
    cv2 = combined_cv2(spread.cv2, parent.cv2)
    scaled = (parent.mean * exposure * cv2)[:, None] * spread.ratio
    result: Floats = counts[:, None] * np.log(spread.ratio)
    return result - (1.0 / cv2 + counts)[:, None] * np.log1p(scaled)


def combined_cv2(tau2: float, v: Floats) -> Floats:
    """Squared CV of a product of independent factors; at least 1e-9, so that shapes stay finite."""
    return np.maximum(tau2 + v + tau2 * v, 1e-9)


def prior_of(parent: Gamma, spread: Spread) -> Gamma:
    """What is believed of a sibling before its own counts."""
    return Gamma(parent.mean * spread.mean, combined_cv2(spread.total_cv2, parent.cv2))


def posterior_of(counts: Floats, exposure: Floats, parent: Gamma, spread: Spread) -> Gamma:
    """What is believed of each sibling after its own counts: the Gamma nearest to the mixture.

    It has the mixture's mean and mean logarithm, which makes it the least Kullback-Leibler distant:
    its interval is the mixture's own, where matching the variance widens it by a far upper tail.
    """
    size = len(counts)
    mean, cv2 = np.empty(size), np.empty(size)

    def settle(start: int) -> None:
        part = slice(start, start + _CHUNK)
        inside = Gamma(parent.mean[part], parent.cv2[part])
        mean[part], cv2[part] = _nearest_gamma(counts[part], exposure[part], inside, spread)

    # Logarithms run without the interpreter's lock; a chunk's answer hangs on no other's.
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(settle, range(0, size, _CHUNK)))
    return Gamma(mean, cv2)


def _nearest_gamma(
    counts: Floats, exposure: Floats, parent: Gamma, spread: Spread
) -> tuple[Floats, Floats]:
    """Mean and squared CV for one chunk, small enough to stay in the processor's cache."""
    cv2 = combined_cv2(spread.cv2, parent.cv2)
    shape = 1.0 / cv2 + counts
    scaled = (parent.mean * exposure * cv2)[:, None] * spread.ratio
    scaled += 1.0
    log_ratio, log_scaled = np.log(spread.ratio), np.log(scaled)
    weight = np.stack([counts, np.ones(len(counts))], 1) @ np.stack(
        [log_ratio, np.log(spread.weight)]
    )
    weight -= shape[:, None] * log_scaled
    weight -= weight.max(axis=1, keepdims=True)
    np.exp(weight, out=weight)
    total = weight.sum(axis=1)
    mean = np.einsum("kj,kj->k", weight, np.divide(spread.ratio, scaled, out=scaled)) / total
    mean_log = weight @ log_ratio - np.einsum("kj,kj->k", weight, log_scaled)
    log_gap = np.log(mean) - mean_log / total
    nearest = shape_of_gap(np.maximum(log_gap, 0.0) + mean_log_gap(shape))
    return parent.mean * shape * cv2 * mean, 1.0 / nearest
