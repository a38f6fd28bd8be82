"""Two arms compared day by day, also when their shares were moved by what was seen before.

    Γ_a,d = μ_a,d + (n_a,d / (e_a,d N_d)) (r_a,d − μ_a,d),   D_d = h_d (Γ_a,d − Γ_b,d)
    h_d = (1/(e_a N) + 1/(e_b N))^(−1/2)

r is the day's ratio, n its denominator, e the arm's propensity, N the day's total and μ the arm's
ratio of the days before. One h for both arms, so that a trend common to them cancels; it makes the
scores alike in variance, which keeps the estimate normal where an arm was starved (Hadad, Hirshberg,
Zhan, Wager and Athey 2021). Where no propensities are known the served shares stand in for them and
Γ is the day's ratio itself: given its denominator that is unbiased, however the share came about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from optimizer.decisions.creatives.arms import ArmDays
from optimizer.decisions.creatives.evidence import EFFECT_VARIANCE, anytime_interval
from optimizer.decisions.creatives.metrics import Metric
from optimizer.errors import RefusedInput
from optimizer.estimates.posteriors import Bools, Floats, Ints


@dataclass(frozen=True)
class Ratios:
    """`above` over `below` per arm and day, and the `events` seen: (arms, days), NaN where unknown.

    `propensity` is the share each arm was given of its test's `below`, NaN where nobody decided it: there
    the served share stands in.
    """

    above: Floats
    below: Floats
    events: Floats
    propensity: Floats | None = None


@dataclass(frozen=True)
class Contrasts:
    """Arm `one[i]` less arm `other[i]`, arrays (comparisons, days); NaN on days that do not count.

    `score` D_d, `weight` h_d; `fewest` the smaller of both arms' number of events so far. `lean` is the
    skewness that Σ D has so far under no difference, were every event worth the same: an arm shown
    less has the longer upper tail.
    """

    one: Ints
    other: Ints
    score: Floats
    weight: Floats
    fewest: Floats
    lean: Floats

    @property
    def days(self) -> Ints:
        """Days that count, up to each day."""
        return np.cumsum(~np.isnan(self.score), axis=1)


@dataclass(frozen=True)
class Estimate:
    """`difference` of the ratios with its standard `error` and `days`, per comparison."""

    difference: Floats
    error: Floats
    days: Ints

    def interval(self, mass: float) -> tuple[Floats, Floats]:
        """Ends of the interval at one look fixed in advance, by Student's t."""
        wide = special.stdtrit(np.maximum(self.days - 1, 1), 0.5 + mass / 2.0)
        half = np.where(self.days > 1, wide * self.error, np.inf)
        return self.difference - half, self.difference + half


def daily_ratios(
    metric: Metric,
    days: ArmDays,
    *,
    kept: Floats | float = 1.0,
    value_per_conversion: float | None = None,
    propensity: Floats | None = None,
) -> Ratios:
    """What claims compare, higher always better: completed by F, undiscounted, all days.

    `kept` share of value that counts (margin, refunds), per arm or one; `value_per_conversion`
    where reports tell no value.
    """
    if propensity is not None and propensity.shape != days.impressions.shape:
        raise RefusedInput("arm_days_shape", column="propensity", shape=propensity.shape)
    above = _above(metric, days, kept, value_per_conversion)
    below = getattr(days, metric.denominator)
    events = days.clicks if metric.events == "clicks" else days.conversions
    by_impressions = propensity if metric.denominator == "impressions" else None
    return Ratios(above, below, events, by_impressions)


def _above(
    metric: Metric, days: ArmDays, kept: Floats | float, value_per_conversion: float | None
) -> Floats:
    if metric.numerator == "clicks":
        return days.clicks
    if metric.numerator == "conversions":
        completed: Floats = days.conversions / _known(days.completion)
        return completed
    value = _value(days, value_per_conversion) * np.reshape(kept, (-1, 1))
    result: Floats = value if metric.numerator == "value" else value - days.cost
    return result


def _value(days: ArmDays, value_per_conversion: float | None) -> Floats:
    if value_per_conversion is not None and np.isnan(days.value).all():
        result: Floats = days.conversions / _known(days.completion) * value_per_conversion
    else:
        result = days.value / _known(days.value_completion)
    return result


def _known(completion: Floats) -> Floats:
    """F, NaN where nothing is known yet."""
    return np.where(completion > 0, completion, np.nan)


def contrast(ratios: Ratios, test: Ints, pairs: tuple[Ints, Ints], counted: Bools) -> Contrasts:
    """Scores of arms `pairs[0]` against `pairs[1]` on `counted` days on which both ran.

    `test` numbers the test of each arm from 0; `counted` is (days,) or (comparisons, days).
    """
    one, other = pairs
    gamma, expected = _gamma(ratios, test)
    with np.errstate(invalid="ignore", divide="ignore"):
        both = (ratios.below[one] > 0) & (ratios.below[other] > 0) & counted
        weight = 1.0 / np.sqrt(1.0 / expected[one] + 1.0 / expected[other])
        score = np.where(both, weight * (gamma[one] - gamma[other]), np.nan)
    used = both & ~np.isnan(score)
    weight = np.where(used, weight, np.nan)
    seen = [np.cumsum(np.where(both, ratios.events[arm], 0.0), axis=1) for arm in pairs]
    units = [np.where(used, expected[arm], np.inf) for arm in pairs]
    lean = _lean(units, weight, used, seen[0] + seen[1])
    return Contrasts(one, other, score, weight, np.minimum(*seen), lean)


def _lean(units: Sequence[Floats], weight: Floats, used: Bools, events: Floats) -> Floats:
    """Skewness of Σ D after each day, D = h(r_a − r_b) of Poisson counts of one rate ρ.

    κ₂ = ρ h²(1/n_a + 1/n_b) = ρ and κ₃ = ρ h³(1/n_a² − 1/n_b²) per day.
    """
    scale = np.where(used, weight, 0.0)
    parts = [1.0 / (one * one) for one in units]
    tail = scale * scale * scale * (parts[0] - parts[1])
    shown = np.cumsum(np.where(used, units[0] + units[1], 0.0), axis=1)
    rate = np.maximum(events, 1.0) / np.maximum(shown, 1e-300)
    days = np.maximum(np.cumsum(used, axis=1), 1)
    result: Floats = np.cumsum(tail, axis=1) / np.sqrt(rate * days) / days
    return result


def _gamma(ratios: Ratios, test: Ints) -> tuple[Floats, Floats]:
    """Γ and what e N expects as denominator, (arms, days)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = ratios.above / ratios.below
    if ratios.propensity is None:
        return ratio, ratios.below
    decided = ~np.isnan(ratios.propensity)
    expected = np.where(decided, ratios.propensity * _totals(ratios.below, test), ratios.below)
    before = _ratio_before(ratios)
    with np.errstate(invalid="ignore", divide="ignore"):
        pulled = before + ratios.below / expected * (ratio - before)
    return np.where(np.isnan(before) | ~decided, ratio, pulled), expected


def _ratio_before(ratios: Ratios) -> Floats:
    """Each arm's ratio over the days before; NaN on its first."""
    told = ~np.isnan(ratios.above) & (ratios.below > 0)
    above, below = (
        np.cumsum(np.where(told, one, 0.0), axis=1) - np.where(told, one, 0.0)
        for one in (ratios.above, ratios.below)
    )
    result: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return result


def _totals(below: Floats, test: Ints) -> Floats:
    """Sum of `below` over each test's arms, repeated for each of them."""
    first = np.flatnonzero(np.diff(test, prepend=-1))
    result: Floats = np.add.reduceat(below, first, axis=0)[test]
    return result


def always_interval(
    contrasts: Contrasts, alpha: float, g: float = EFFECT_VARIANCE
) -> tuple[Floats, Floats]:
    """Ends of the interval of each difference that may be looked at daily: wrong ever with chance `alpha`.

    That of the mean score, over the mean h; infinite while there are too few days.
    """
    low, high = anytime_interval(contrasts.score, alpha, g)
    days = np.maximum((~np.isnan(contrasts.weight)).sum(axis=1), 1)
    mean = np.nansum(contrasts.weight, axis=1) / days
    scale = np.where(mean > 0, mean, np.nan)
    return low / scale, high / scale


def estimate_difference(contrasts: Contrasts) -> Estimate:
    """Σ h(Γ_a − Γ_b) / Σ h over all days that count; the error from the spread between days."""
    days = (~np.isnan(contrasts.score)).sum(axis=1)
    weight = np.where(np.isnan(contrasts.weight), 0.0, contrasts.weight)
    total = weight.sum(axis=1)
    summed = np.nansum(contrasts.score, axis=1)
    mean = np.divide(summed, total, out=np.full(len(total), np.nan), where=total > 0)
    left = np.where(weight > 0, contrasts.score - weight * mean[:, None], 0.0)
    squares = (left**2).sum(axis=1)
    free = np.where(days > 1, days / np.maximum(days - 1, 1), np.nan)
    error = np.sqrt(squares * free) / np.where(total > 0, total, np.nan)
    return Estimate(mean, error, days)
