"""Completion F(age): the share of a click day's conversions that a report shows `age` days later.

A report restated on several days is a run-off triangle; F follows from its increments by reverse
hazards (chain ladder with irregular import days, increments shared out by expectation
maximisation), beside a stated prior. Downward restatements are negative increments: F may pass 1 on
the way and is never clipped. England and Verrall (2002) for the chain ladder, Lagakos et al. (1988)
for reverse hazards under right truncation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from optimizer.estimates.posteriors import Floats, Ints
from optimizer.settings import LagPrior

LONGEST_LAG = 60
_ITERATIONS = 30


@dataclass(frozen=True)
class Completion:
    """`share[a]` = F(a), age 0 being the first full day after the click day; 1 beyond the last age.

    `sd_log[a]` is the standard deviation of log F(a). `observed` counts the conversions whose
    arrival was seen; 0 means the stated prior alone speaks.
    """

    share: Floats
    sd_log: Floats
    observed: float

    def at(self, age: Ints) -> Floats:
        """F at each age; 0 before the day is over."""
        inside = self.share[np.clip(age, 0, len(self.share) - 1)]
        return np.where(age < 0, 0.0, np.where(age >= len(self.share), 1.0, inside))


def prior_completion(prior: LagPrior, longest: int = LONGEST_LAG) -> Floats:
    """F of the stated prior, scaled to end at 1."""
    ages = np.arange(longest + 1)
    raw = 1.0 - (1.0 - prior.day0) * np.exp(-ages / prior.mean_days)
    return np.asarray(raw / raw[-1])


def estimate_completion(
    versions: pd.DataFrame, prior: LagPrior, *, column: str = "conversions"
) -> Completion:
    """F from the account's run-off triangle (table VERSIONS, any number of campaigns).

    `column` may be "value", whose completion includes refunds. With no day seen twice the result is
    the prior.
    """
    stated = prior_completion(prior)
    first, last, known, added = _increments(versions, column)
    unit = _per_conversion(versions, column)
    known, added = known / unit, added / unit
    arrived = np.diff(stated, prepend=0.0)
    at_risk = np.full(len(stated), 0.0)
    hazard = np.divide(arrived, stated, out=np.ones_like(stated), where=stated > 0)
    for _ in range(_ITERATIONS):
        new, at_risk = _share_out(first, last, known, added, hazard)
        hazard = (new + prior.strength * arrived) / (at_risk + prior.strength * stated)
    share = _share_from_hazard(hazard)
    information = np.maximum(at_risk + prior.strength * stated, 1e-9)
    variance = np.abs(hazard) / (information * np.maximum(1.0 - hazard, 0.05))
    later = np.append(np.cumsum(variance[1:][::-1])[::-1], 0.0)
    return Completion(share, np.sqrt(later), float(np.abs(added).sum()))


def _per_conversion(versions: pd.DataFrame, column: str) -> float:
    """Amount of `column` per conversion, so that the prior's strength means conversions for both."""
    both = versions.dropna(subset=[column])
    amount, number = float(both[column].sum()), float(both["conversions"].sum())
    return amount / number if amount > 0 and number > 0 else 1.0


def _increments(versions: pd.DataFrame, column: str) -> tuple[Ints, Ints, Floats, Floats]:
    """What arrived between two sightings of a day: (age before, age after, known after, increment).

    Summed over days and campaigns with the same pair of ages.
    """
    # A day seen before it was over says nothing about how it matures.
    complete = versions["as_of"] > versions["day"]
    frame = versions[complete].dropna(subset=[column])
    frame = frame.groupby(["campaign_name", "day", "as_of"])[column].sum().reset_index()
    age = (frame["as_of"] - frame["day"]).dt.days.to_numpy() - 1
    same = (
        (frame["day"] == frame["day"].shift())
        & (frame["campaign_name"] == frame["campaign_name"].shift())
    ).to_numpy()
    known = frame[column].to_numpy(dtype=float)
    index = np.flatnonzero(same & (age <= LONGEST_LAG))
    pairs = pd.DataFrame(
        {
            "first": age[index - 1],
            "last": age[index],
            "known": known[index],
            "added": known[index] - known[index - 1],
        }
    )
    sums = pairs.groupby(["first", "last"], as_index=False).sum()
    return (
        sums["first"].to_numpy(dtype=np.int64),
        sums["last"].to_numpy(dtype=np.int64),
        sums["known"].to_numpy(dtype=float),
        sums["added"].to_numpy(dtype=float),
    )


def _share_out(
    first: Ints, last: Ints, known: Floats, added: Floats, hazard: Floats
) -> tuple[Floats, Floats]:
    """Expected arrivals and number at risk per age, each increment shared out by the present F."""
    ages = np.arange(len(hazard))
    density = np.diff(_share_from_hazard(hazard), prepend=0.0)
    inside = (ages > first[:, None]) & (ages <= last[:, None])
    weight = np.where(inside, np.abs(density) + 1e-9, 0.0)
    arrivals = added[:, None] * weight / weight.sum(axis=1, keepdims=True)
    later = np.cumsum(arrivals[:, ::-1], axis=1)[:, ::-1] - arrivals
    risk = np.where(inside, known[:, None] - later, 0.0)
    return arrivals.sum(axis=0), risk.sum(axis=0)


def _share_from_hazard(hazard: Floats) -> Floats:
    """F(a) = Π_{j>a} (1 - h_j)."""
    factors = np.append(1.0 - hazard[1:], 1.0)
    return np.cumprod(factors[::-1])[::-1]
