"""Evidence that may be looked at every day: e-processes of daily differences, and their intervals.

    t test: scores D_1..D_t, mean D̄, variance s²,  T² = t D̄²/s²
    log E_t = −½ log(1 + t g) + ½ t [log(1 + T²/(t−1)) − log(1 + T²/((t−1)(1 + t g)))]

is the Bayes factor of a standardised effect N(0, g) against 0 under the right Haar prior of the
variance: a martingale under "no difference" whatever the variance, so that stopping at E ≥ 1/α errs
with probability α at most however often one looks (Lai 1976; Pérez-Ortiz, Lardy, de Heide and
Grünwald 2024, on E-statistics and group invariance). Days are the unit: whatever moves an arm's rate
from day to day widens s², where a binomial variance takes it for evidence.

Scores of arms shown unequally often are skewed, and t with them: the arm shown less has days without an
event often and a very good one rarely, so that it looks worse and steadier than it is. With γ the
skewness of Σ D, where it favours the claim t gives way to Hall's (1992) monotone transformation,

    T + γ T²/3 + γ² T³/27 + γ/6,

which takes the skewness out of its distribution, leaves an even split as it is and never adds evidence.

    rare events: x_a of n = x_a + x_b events are Binomial(n, p₀) given n, p₀ the arm's share of the
    exposure that day;  E = Σ_δ w_δ Π_days of the likelihood ratio of rates e^δ apart,
    δ about N(0, 0.2²) on a grid: a martingale exactly, being a mean of likelihood ratios
"""

from __future__ import annotations

import numpy as np

from optimizer.estimates.posteriors import Bools, Floats

EFFECT_VARIANCE = 0.25
"""g, fixed before any data: the standardised daily effect is believed to be of the order of ½."""

_EFFECTS = np.linspace(-0.5, 0.5, 21)
_ENOUGH = 600.0
"""log E beyond which nothing more is counted: far from any bound, and its exponential is finite."""
_WEIGHTS = np.exp(-0.5 * (_EFFECTS / 0.2) ** 2) / np.exp(-0.5 * (_EFFECTS / 0.2) ** 2).sum()


def log_evidence(scores: Floats, g: float = EFFECT_VARIANCE) -> Floats:
    """log E after each day of `scores` (comparisons, days): see `evidence_path`."""
    return evidence_path(scores, g)[0]


def evidence_path(
    scores: Floats, g: float = EFFECT_VARIANCE, skewness: Floats | None = None
) -> tuple[Floats, Floats]:
    """log E and the mean score after each day; days that are NaN change nothing.

    `skewness` of the summed scores after each day where they are skewed: evidence that rests on it does
    not count. log E is 0 until two days are known, and where all days so far are equal and 0. Scores
    that are equal without being 0 are overwhelming evidence: their variance is 0 but for rounding.
    """
    days, mean, squares = _running(scores)
    ready = days >= 2
    t = np.where(ready, days, 2.0)
    ratio = _ratio(mean, squares, t)
    if skewness is not None:
        ratio = _unskewed(ratio, t, np.minimum(skewness * np.sign(mean), 0.0))
    log_e = -0.5 * np.log1p(t * g)
    log_e += 0.5 * t * (np.log1p(ratio) - np.log1p(ratio / (1.0 + t * g)))
    return np.where(ready & ((squares > 0) | (mean != 0)), log_e, 0.0), mean


def _ratio(mean: Floats, squares: Floats, t: Floats) -> Floats:
    """T²/(t−1) = t D̄² / Σ(D − D̄)²."""
    least = 1e-24 * t * mean**2 + 1e-300
    result: Floats = t * mean**2 / np.maximum(squares, least)
    return result


def _unskewed(ratio: Floats, t: Floats, skewness: Floats) -> Floats:
    """T²/(t−1) of Hall's transform of T > 0 under a `skewness` γ ≤ 0, T itself at most.

    The cubic overtakes T beyond 9/|γ|, where a correction is not to help a claim.
    """
    size = np.sqrt(ratio * (t - 1.0))
    bent = size + skewness * (size**2 / 3.0 + 1.0 / 6.0) + skewness**2 * size**3 / 27.0
    least = np.minimum(np.maximum(bent, 0.0) ** 2 / (t - 1.0), ratio)
    result: Floats = np.where(skewness < 0, least, ratio)
    return result


def _running(scores: Floats) -> tuple[Floats, Floats, Floats]:
    """After each day: how many are known, their mean and Σ(D − D̄)².

    Sums are taken around each row's own mean, which keeps differences of large numbers out.
    """
    known = ~np.isnan(scores)
    count = np.cumsum(known, axis=1).astype(np.float64)
    filled = np.where(known, scores, 0.0)
    overall = filled.sum(axis=1, keepdims=True) / np.maximum(count[:, -1:], 1.0)
    centred = np.where(known, scores - overall, 0.0)
    total, square = np.cumsum(centred, axis=1), np.cumsum(centred**2, axis=1)
    offset = total / np.maximum(count, 1.0)
    squares = np.maximum(square - count * offset**2, 0.0)
    return count, np.where(count > 0, overall + offset, 0.0), squares


def critical_ratio(days: Floats, log_bound: Floats | float, g: float = EFFECT_VARIANCE) -> Floats:
    """T²/(t−1) at which log E reaches `log_bound` after t `days`; infinite where it cannot.

    From (1 + u)/(1 + u/(1 + tg)) = R = exp((2 bound + log(1 + tg))/t).
    """
    t = np.asarray(days, dtype=np.float64)
    grown = 1.0 + t * g
    log_r = (2.0 * np.asarray(log_bound) + np.log(grown)) / np.maximum(t, 1.0)
    reach = (log_r < np.log(grown)) & (t >= 2)
    r = np.exp(np.where(reach, log_r, 0.0))
    return np.where(reach, (r - 1.0) / np.where(reach, 1.0 - r / grown, 1.0), np.inf)


def anytime_interval(
    scores: Floats, alpha: Floats | float, g: float = EFFECT_VARIANCE
) -> tuple[Floats, Floats]:
    """Ends, after the last day, of the interval of the mean score that E does not rule out.

    It holds the mean at all times together with probability 1 − `alpha`; infinite in the first days.
    """
    days, mean, squares = (part[:, -1] for part in _running(scores))
    ratio = critical_ratio(days, -np.log(alpha), g)
    with np.errstate(invalid="ignore"):
        half = np.sqrt(ratio * squares / np.maximum(days, 1.0))
    half = np.where(np.isfinite(ratio), half, np.inf)
    return mean - half, mean + half


def log_evidence_of_counts(
    events: tuple[Floats, Floats], exposure: tuple[Floats, Floats], dispersion: float = 1.0
) -> Floats:
    """log E after each day that arms a and b have different rates, from counts of rare events.

    Each of `events` and `exposure` is (comparisons, days); a day counts where its events are known
    and both arms have exposure. `dispersion` ψ > 1 divides the counts where orders come in
    clusters: no longer exact, and cautious.
    """
    with np.errstate(invalid="ignore"):
        used = (exposure[0] > 0) & (exposure[1] > 0) & ~np.isnan(events[0] + events[1])
    a, b = (np.where(used, one, 0.0) / max(dispersion, 1.0) for one in events)
    odds = np.where(used, exposure[0], 1.0) / np.where(used, exposure[1], 1.0)
    of_a, both = np.cumsum(a, axis=1), a + b
    total, ratio, seen = np.zeros(a.shape), np.zeros(a.shape), both > 0
    odds, both = odds[seen], both[seen]
    for effect, weight in zip(_EFFECTS, _WEIGHTS, strict=True):
        ratio.fill(0.0)
        ratio[seen] = both * np.log((1.0 + odds) / (1.0 + odds * np.exp(effect)))
        np.cumsum(ratio, axis=1, out=ratio)
        ratio += of_a * effect
        np.minimum(ratio, _ENOUGH, out=ratio)
        np.exp(ratio, out=ratio)
        total += np.multiply(ratio, weight, out=ratio)
    with np.errstate(divide="ignore"):
        return np.log(total)


def crossed(log_e: Floats, log_bound: Floats | float, allowed: Bools) -> Bools:
    """Per comparison and day, whether the evidence has reached the bound on an allowed day so far."""
    reached = (log_e >= np.broadcast_to(np.asarray(log_bound), (len(log_e),))[:, None]) & allowed
    return np.logical_or.accumulate(reached, axis=1)
