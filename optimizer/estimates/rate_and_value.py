"""Value of a click where what converts better is worth more, or less, per order than its siblings.

Are a unit's orders, beyond those foretold, dearer or cheaper than foretold?

    T_k = (x_k - ψ - m_k e_k (1 + c_k)) · (A_k / μ_k - n_k)      E T_k = q (m_k e_k)² (1 + c_k) C

with x orders after e clicks, n of them worth A, q = Σn / Σx, m and c the mean and squared CV foretold
for the rate, μ the value foretold per order; C is the covariance of the siblings' rate and value,
each relative to what was foretold. Noise of the count and of the amounts is independent given the
truth, so that T is 0 on average without such a covariance. The first factor is centred where an
order's average unit lies, not the average unit: an error common to all μ then stays out.

Where C is clear the prior of (log rate, log value) becomes a normal with that covariance, and each
unit's evidence on either is what moved its own prior to its posterior (as a site of expectation
propagation, Minka 2001). With C = 0 this is the product of both posteriors, to the last moment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.estimates.posteriors import Floats, Gamma
from optimizer.estimates.rates import RateFit

_CLEARLY = 3.0
_PRIOR_SD = 0.1
_MAX_RESIDUAL = 5.0
_MAX_CORRELATION = 0.8
_LEAST_COVARIANCE = -0.9


@dataclass(frozen=True)
class Dependence:
    """`covariance` C as measured and its standard `error`, NaN and infinite where nothing tells.

    `drift` orders' amounts over those foretold: parents weigh a unit of many orders less than its
    orders, so that their value is not quite the average order's once rates and values go together.
    """

    covariance: float
    error: float
    drift: float

    @property
    def clear(self) -> bool:
        """Whether C is three standard errors from 0: one account in 370 is without reason."""
        return abs(self.covariance) > _CLEARLY * self.error > 0

    @property
    def log_covariance(self) -> float:
        """Covariance of the logarithms, C shrunk to 0 by a prior with standard deviation 0.1."""
        shrunk = self.covariance * _PRIOR_SD**2 / (_PRIOR_SD**2 + self.error**2)
        return float(np.log1p(max(shrunk, _LEAST_COVARIANCE)))


@dataclass(frozen=True)
class _Evidence:
    """On the log scale, per unit: mean and variance of the prior, precision the unit's own data
    added, and how hard they pull from the prior's mean (precision times distance).
    """

    centre: Floats
    variance: Floats
    precision: Floats
    pull: Floats


def estimate_dependence(
    rate: RateFit,
    value: RateFit,
    clicks: tuple[Floats, Floats],
    orders: tuple[Floats, Floats],
    *,
    unit_cv2: float,
) -> Dependence:
    """How rates and values of siblings go together.

    `clicks` are the conversions and the exposure `rate` was fitted to, `orders` the amounts and the
    number `value` was, with squared CV `unit_cv2` of single amounts; one entry per unit.
    """
    (conversions, exposure), (amounts, number) = clicks, orders
    expected, cv2 = rate.parent.mean * exposure, rate.parent.cv2
    noise = rate.dispersion * expected + cv2 * expected**2
    most = _MAX_RESIDUAL * np.sqrt(np.maximum(noise, 1.0))
    beyond = np.clip(conversions - rate.dispersion - expected * (1 + cv2), -most, most)
    dearer = amounts / value.parent.mean - number
    weight = 1 / ((1 + cv2 * expected) * (1 + value.parent.cv2 * expected / unit_cv2))
    product = weight * beyond * dearer
    known = float((weight * expected**2 * (1 + cv2)).sum())
    known *= float(number.sum()) / max(float(conversions.sum()), 1e-12)
    seen = float((weight * number).sum())
    if known <= 0 or seen <= 0:
        return Dependence(np.nan, np.inf, 1.0)
    error = float(np.sqrt((product**2).sum())) / known
    drift = 1 + float((weight * dearer).sum()) / seen
    return Dependence(float(product.sum()) / known, error, drift)


def revenue_per_click(rate: RateFit, value: RateFit, dependence: Dependence) -> Gamma:
    """Belief about rate times value per unit: independent ones, unless the dependence is clear."""
    if not dependence.clear:
        return rate.posterior.times(value.posterior)
    return _joint(_evidence(rate), _evidence(value), dependence)


def _evidence(fit: RateFit) -> _Evidence:
    """A Gamma is held as the lognormal with its mean and squared CV."""
    variance = np.log1p(fit.parent.cv2)
    left = np.minimum(np.log1p(fit.posterior.cv2), variance)
    centre = np.log(fit.parent.mean) - variance / 2
    moved = np.log(fit.posterior.mean) - left / 2 - centre
    return _Evidence(centre, variance, 1 / left - 1 / variance, moved / left)


def _joint(rate: _Evidence, value: _Evidence, dependence: Dependence) -> Gamma:
    """Posterior of exp(log rate + log value); a correlation beyond 0.8 counts as 0.8.

    An order's value is foretold for the average order, not the average unit: those are the
    covariance apart, because units that convert better have more of the orders.
    """
    most = _MAX_CORRELATION * np.sqrt(rate.variance * value.variance)
    covariance = np.clip(dependence.log_covariance, -most, most)
    lower = covariance - np.log(dependence.drift)
    pull = value.pull + value.precision * lower
    free = 1 - covariance**2 / (rate.variance * value.variance)
    of_rate = 1 / (rate.variance * free) + rate.precision
    of_value = 1 / (value.variance * free) + value.precision
    cross = -covariance / (rate.variance * value.variance * free)
    determinant = of_rate * of_value - cross**2
    moved = ((of_value - cross) * rate.pull + (of_rate - cross) * pull) / determinant
    variance = (of_rate + of_value - 2 * cross) / determinant
    mean = np.exp(rate.centre + value.centre - lower + moved + variance / 2)
    return Gamma(mean, np.expm1(variance))
