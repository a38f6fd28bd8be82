"""How clicks and price answer to a bid, learned from randomised bids only.

    clicks of keyword k on day d ~ α_ks · δ_d · exp(ε_k x_kd),   x = log bid

within strata s: a keyword's runs of randomised days between two changes that somebody meant. α drops
out by conditioning on the stratum's total (conditional quasi-Poisson: Hausman, Hall and Griliches
1984; Armstrong, Gasparrini and Tobias 2014). δ is what the day did to everybody. Each ε_k is shrunk
to the pooled value, and that to the stated prior; the spread between keywords is estimated.

The same likelihood with the clicks as exposure and the cost as count gives η, CPC ~ bid^η.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optimizer.estimates.posteriors import Bools, Floats, Ints, group_sum

LARGEST_ELASTICITY = 4.0

_DAY_STRENGTH = 25.0  # a day's demand is within 20 % of ordinary before its clicks are seen
_BETWEEN_STRENGTH = 5.0
_WORTH_POOLING = 4.0
_DISPERSION_STRENGTH = 50.0
_MAX_RESIDUAL = 5.0
_ROUNDS = 25
_TOLERANCE = 1e-3
_TINY = 1e-12
_CLICKS = (1.0, 1.0)  # dispersion as stated, and the least it can be
_PRICES = (0.1, 1e-4)


@dataclass(frozen=True)
class Trials:
    """One entry per keyword and randomised day, days without clicks included.

    `unit` numbers the keyword; `stratum` its runs of randomised days, numbered over all keywords;
    `step` the runs of one bid within a stratum; `day` counts from 0.
    """

    unit: Ints
    stratum: Ints
    step: Ints
    day: Ints
    log_bid: Floats
    clicks: Floats
    cost: Floats


@dataclass(frozen=True)
class ExponentPrior:
    """Stated belief: a keyword's exponent is around `mean` with `sd`, of which `common_sd` is shared.

    A unit with less information than `threshold` quotes the pooled value; the pooled value moves
    from `mean` only once the data know it twice as well as `common_sd` does. `unit_mean` and
    `unit_sd` are what a platform's simulator says of single units; nan where it says nothing.
    """

    mean: float
    sd: float
    common_sd: float
    threshold: float = 1.0
    unit_mean: Floats | None = None
    unit_sd: Floats | None = None

    @property
    def between(self) -> float:
        """Variance between units."""
        return max(self.sd**2 - self.common_sd**2, 1e-4)

    def of_units(self, pooled: float, between: float, units: int) -> tuple[Floats, Floats]:
        """Mean and variance of each unit's exponent before its own data."""
        mean, variance = np.full(units, pooled), np.full(units, between)
        if self.unit_mean is None or self.unit_sd is None:
            return mean, variance
        told = ~np.isnan(self.unit_mean)
        return (
            np.where(told, self.unit_mean, mean),
            np.where(told, np.maximum(self.unit_sd, 1e-2) ** 2, variance),
        )


@dataclass(frozen=True)
class ExponentFit:
    """Per unit the posterior `mean` and `sd`, and `information` Σ n·Var(log b) net of dispersion.

    `measured` marks units whose own days taught enough to be believed; the others quote their
    prior: the pooled value, unless a simulator says otherwise. `pooled` (with `pooled_sd`) is the
    typical unit's exponent and `between_sd` how far units differ; `dispersion` and `excess` are φ
    and κ of Var = φμ + κμ² per step.
    """

    mean: Floats
    sd: Floats
    information: Floats
    measured: Bools
    pooled: float
    pooled_sd: float
    between_sd: float
    dispersion: float
    excess: float

    @property
    def typical_sd(self) -> float:
        """Standard deviation of the exponent of a unit that was never tried."""
        return float(np.hypot(self.pooled_sd, self.between_sd))


@dataclass(frozen=True)
class _Data:
    """Rows (unit, day) and the steps and strata they add up to."""

    unit: Ints
    stratum: Ints
    step: Ints
    day: Ints
    log_bid: Floats
    count: Floats
    offset: Floats
    control: Floats
    units: int
    step_unit: Ints
    step_stratum: Ints
    step_bid: Floats
    step_count: Floats
    stratum_count: Floats
    dispersion: float
    smallest: float


@dataclass(frozen=True)
class _Beliefs:
    """What one round knows; `effect` per day, the rest as in `ExponentFit`."""

    exponent: Floats
    information: Floats
    effect: Floats
    lean: Floats
    pooled: float
    pooled_var: float
    between: float
    dispersion: float
    excess: float


def estimate_elasticity(
    trials: Trials, control: Floats, units: int, prior: ExponentPrior
) -> ExponentFit:
    """ε per unit. `control[d]` sums the clicks of keywords that were left alone on day d.

    Without controls the day is told by the tested keywords themselves, of which then only the
    differences count: bids that all move together teach nothing.
    """
    ones = np.ones(len(trials.unit))
    return _fit(_data(trials, trials.clicks, ones, control, units, _CLICKS), prior)


def estimate_cpc_exponent(trials: Trials, units: int, prior: ExponentPrior) -> ExponentFit:
    """η per unit: the cost of the same days, in clicks' worth of money, with clicks as exposure."""
    clicked = (trials.clicks > 0) & (trials.cost > 0)
    used = Trials(*(getattr(trials, name)[clicked] for name in trials.__dataclass_fields__))
    clicks = group_sum(used.stratum, used.clicks, _size(used.stratum))
    cost = group_sum(used.stratum, used.cost, _size(used.stratum))
    price = np.divide(cost, clicks, out=np.ones(len(cost)), where=clicks > 0)
    days = np.zeros(_size(used.day))
    amount = used.cost / price[used.stratum]
    return _fit(_data(used, amount, used.clicks, days, units, _PRICES), prior)


def _size(codes: Ints) -> int:
    return int(codes.max()) + 1 if len(codes) else 0


def _data(
    trials: Trials,
    count: Floats,
    offset: Floats,
    control: Floats,
    units: int,
    dispersion: tuple[float, float],
) -> _Data:
    steps, strata = _size(trials.step), _size(trials.stratum)
    step_unit = np.zeros(steps, dtype=np.int64)
    step_stratum = np.zeros(steps, dtype=np.int64)
    step_bid = np.zeros(steps)
    step_unit[trials.step] = trials.unit
    step_stratum[trials.step] = trials.stratum
    step_bid[trials.step] = trials.log_bid
    return _Data(
        trials.unit,
        trials.stratum,
        trials.step,
        trials.day,
        trials.log_bid,
        count,
        offset,
        control,
        units,
        step_unit,
        step_stratum,
        step_bid,
        group_sum(trials.step, count, steps),
        group_sum(trials.stratum, count, strata),
        *dispersion,
    )


def _fit(data: _Data, prior: ExponentPrior) -> ExponentFit:
    """Rounds of day effects, one Newton step for every unit, pooling and dispersion."""
    days = len(data.control)
    beliefs = _Beliefs(
        np.full(data.units, prior.mean),
        np.zeros(data.units),
        np.ones(days),
        np.zeros(days),
        prior.mean,
        prior.common_sd**2,
        prior.between,
        data.dispersion,
        0.0,
    )
    for _ in range(_ROUNDS):
        before = beliefs
        beliefs = _round(data, _day_effects(data, beliefs), prior)
        if np.abs(beliefs.exponent - before.exponent).max(initial=0.0) < _TOLERANCE:
            break
    return _result(beliefs, prior)


def _day_effects(data: _Data, beliefs: _Beliefs) -> _Beliefs:
    """δ per day, and by how much the day's clicks lean to high bids: what δ absorbs of a bid effect."""
    grown = np.exp(beliefs.exponent[data.unit] * data.log_bid)
    expected = data.offset * beliefs.effect[data.day] * grown
    level = _over(data.stratum_count, group_sum(data.stratum, expected, len(data.stratum_count)))
    expected = level[data.stratum] * data.offset * grown
    days = len(data.control)
    base = data.control.sum() / max(float(beliefs.effect[data.control > 0].sum()), _TINY)
    calm = np.where(data.control > 0, base, 0.0)
    seen = _DAY_STRENGTH + data.control + group_sum(data.day, data.count, days)
    effect = seen / (_DAY_STRENGTH + calm + group_sum(data.day, expected, days))
    weight = expected * effect[data.day]
    strata = len(data.stratum_count)
    centre = _over(
        group_sum(data.stratum, weight * data.log_bid, strata),
        group_sum(data.stratum, weight, strata),
    )
    lean = group_sum(data.day, weight * (data.log_bid - centre[data.stratum]), days) / seen
    return replace(beliefs, effect=effect, lean=lean)


def _round(data: _Data, beliefs: _Beliefs, prior: ExponentPrior) -> _Beliefs:
    """One Newton step per unit on the conditional likelihood, then what all units say together."""
    steps, strata = len(data.step_bid), len(data.stratum_count)
    exposed = data.offset * beliefs.effect[data.day]
    exposure = group_sum(data.step, exposed, steps)
    lean = _over(group_sum(data.step, exposed * beliefs.lean[data.day], steps), exposure)
    grown = exposure * np.exp(beliefs.exponent[data.step_unit] * data.step_bid)
    share = _over(grown, group_sum(data.step_stratum, grown, strata)[data.step_stratum])
    mean = data.stratum_count[data.step_stratum] * share
    bid = _centred(data.step_bid - lean, share, data.step_stratum, strata)
    score = group_sum(data.step_unit, bid * (data.step_count - mean), data.units)
    curvature = group_sum(data.step_unit, mean * bid**2, data.units)
    dispersion, excess = _dispersion(data, mean, share, beliefs)
    noise = group_sum(data.step_unit, bid**2 * (dispersion * mean + excess * mean**2), data.units)
    information = _over(curvature**2, noise)
    own = beliefs.exponent + _over(score, curvature)
    pooled, pooled_var, between = _pool(own, information, beliefs.between, prior)
    centre, variance = prior.of_units(pooled, between, data.units)
    shrunk = (information * own + centre / variance) / (information + 1 / variance)
    return replace(
        beliefs,
        exponent=np.clip(shrunk, 0.0, LARGEST_ELASTICITY),
        information=information,
        pooled=pooled,
        pooled_var=pooled_var,
        between=between,
        dispersion=dispersion,
        excess=excess,
    )


def _centred(values: Floats, share: Floats, stratum: Ints, strata: int) -> Floats:
    return values - group_sum(stratum, share * values, strata)[stratum]


def _dispersion(data: _Data, mean: Floats, share: Floats, beliefs: _Beliefs) -> tuple[float, float]:
    """φ and κ of Var(count of a step) = φμ + κμ², by weighted least squares on squared residuals.

    A residual has lost the share p of its variance to its stratum's own level. Shrunk to the stated
    φ and no κ by fifty steps.
    """
    kept = mean * (1 - share)
    limit = _MAX_RESIDUAL**2 * np.maximum(beliefs.dispersion + beliefs.excess * mean, 1.0) * mean
    square = np.minimum((data.step_count - mean) ** 2, np.maximum(limit, data.smallest))
    ratio = _over(square, kept)
    spread = beliefs.dispersion + beliefs.excess * mean
    weight = np.where(kept > _TINY, 1.0 / (_over(1.0, mean) + 2 * spread**2), 0.0)
    first, second = float((weight * mean).sum()), float((weight * mean**2).sum())
    strength = _DISPERSION_STRENGTH * float(weight.max(initial=1.0))
    total = float(weight.sum()) + strength
    square_mean = second + strength * second / total
    told = float((weight * ratio).sum()) + strength * data.dispersion
    sloped = float((weight * ratio * mean).sum())
    determinant = total * square_mean - first**2
    excess = max((total * sloped - first * told) / max(determinant, _TINY), 0.0)
    return max((told - excess * first) / total, data.smallest), excess


def _pool(
    own: Floats, information: Floats, between: float, prior: ExponentPrior
) -> tuple[float, float, float]:
    """The typical unit's exponent with its variance, and the variance between units.

    Each unit's own estimate has variance 1/information; one moment step for the variance between.
    """
    stated = 1 / max(prior.common_sd, 1e-3) ** 2
    # By the stated spread, so that what is estimated does not decide whether it is believed.
    if float((information / (1 + information * prior.between)).sum()) < _WORTH_POOLING * stated:
        return prior.mean, 1 / stated, prior.between
    weight = information / (1 + information * between)
    told = float(weight.sum())
    pooled = (float((weight * own).sum()) + prior.mean * stated) / (told + stated)
    noise = _over(1.0, information)
    residual = np.minimum((own - pooled) ** 2, _MAX_RESIDUAL**2 * (noise + between))
    scale = float((weight**2).sum())
    strength = _BETWEEN_STRENGTH / prior.between**2
    excess = float((weight**2 * (residual - noise)).sum())
    spread = (excess + strength * prior.between) / (scale + strength)
    return pooled, 1 / (told + stated), max(spread, 1e-4)


def _over(above: Floats | float, below: Floats) -> Floats:
    """Quotient, 0 where there is nothing to divide by."""
    return np.divide(above, below, out=np.zeros(len(below)), where=below > _TINY)


def _result(beliefs: _Beliefs, prior: ExponentPrior) -> ExponentFit:
    """Posteriors; a unit's carries the pooled value's uncertainty as far as it leans on it."""
    units = len(beliefs.information)
    measured = beliefs.information >= prior.threshold
    centre, variance = prior.of_units(beliefs.pooled, beliefs.between, units)
    spread = np.where(measured, 1 / (beliefs.information + 1 / variance), variance)
    shared = np.where(variance == beliefs.between, beliefs.pooled_var, 0.0)
    return ExponentFit(
        np.where(measured, beliefs.exponent, np.clip(centre, 0.0, LARGEST_ELASTICITY)),
        np.sqrt(spread + (spread / variance) ** 2 * shared),
        beliefs.information,
        measured,
        beliefs.pooled,
        float(np.sqrt(beliefs.pooled_var)),
        float(np.sqrt(beliefs.between)),
        beliefs.dispersion,
        beliefs.excess,
    )
