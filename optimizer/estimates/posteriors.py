"""Gamma beliefs about positive quantities, held as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def group_sum(group: Ints, amounts: Floats, groups: int) -> Floats:
    """Sum of `amounts` per group number 0..groups-1."""
    return np.bincount(group, amounts, groups).astype(np.float64, copy=False)


def mean_log_gap(shape: Floats) -> Floats:
    """log of the mean minus mean of the log, of a Gamma with this shape: log a - digamma(a).

    Minka (2002), Estimating a Gamma distribution; within 1.5 % everywhere.
    """
    result: Floats = (3.0 * shape + 1.0) / (shape * (6.0 * shape + 1.0))
    return result


def shape_of_gap(gap: Floats) -> Floats:
    """Shape of the Gamma whose `mean_log_gap` is `gap`: its exact inverse."""
    result: Floats = (3.0 - gap + np.sqrt((gap - 3.0) ** 2 + 24.0 * gap)) / (12.0 * gap)
    return result


@dataclass(frozen=True)
class Gamma:
    """Independent Gamma beliefs: `mean` and squared coefficient of variation `cv2`, same shape.

    A cv2 of 0 is a known value.
    """

    mean: Floats
    cv2: Floats

    def above(self, threshold: Floats | float) -> Floats:
        """P(quantity > threshold)."""
        known = self.cv2 <= 0
        shape = 1.0 / np.where(known, 1.0, self.cv2)
        scaled = np.maximum(threshold, 0.0) * shape / np.maximum(self.mean, _TINY)
        chance = special.gammaincc(shape, scaled)
        return np.where(known, (self.mean > threshold).astype(float), chance)

    def quantile(self, probability: float) -> Floats:
        """Value that the quantity stays below with this probability."""
        known = self.cv2 <= 0
        shape = 1.0 / np.where(known, 1.0, self.cv2)
        return np.where(
            known, self.mean, self.mean * special.gammaincinv(shape, probability) / shape
        )

    def interval(self, mass: float) -> tuple[Floats, Floats]:
        """Ends that leave (1 - mass)/2 of the belief on each side.

        A belief of shape 1 or less is densest at 0, and its interval begins there: a quantile above
        it would leave out what is likeliest, a keyword that never converts. It then holds more
        than `mass`.
        """
        tail = (1.0 - mass) / 2.0
        piled_at_zero = self.cv2 >= 1.0
        return np.where(piled_at_zero, 0.0, self.quantile(tail)), self.quantile(1.0 - tail)

    def times(self, other: Gamma) -> Gamma:
        """Product of independent quantities, as the Gamma with its first two moments."""
        return Gamma(self.mean * other.mean, (1 + self.cv2) * (1 + other.cv2) - 1)

    def scaled(self, factor: Floats | float) -> Gamma:
        """The quantity times a known factor."""
        return Gamma(self.mean * factor, self.cv2)

    def take(self, index: Ints) -> Gamma:
        """The beliefs at `index`."""
        return Gamma(self.mean[index], self.cv2[index])

    def draws(self, count: int, rng: np.random.Generator) -> Singles:
        """Array (len, count) of draws."""
        shape = np.minimum(1.0 / np.maximum(self.cv2, _TINY), 1e12)[:, None].astype(np.float32)
        unit = rng.standard_gamma(shape, (len(self.mean), count), dtype=np.float32)
        result: Singles = unit * (self.mean[:, None] / shape).astype(np.float32)
        return result


_TINY = 1e-300
