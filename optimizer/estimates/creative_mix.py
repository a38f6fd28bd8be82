"""What a change of the creatives shown makes of an ad group's CTR and conversion rate.

An ad group's rate on a day is that of the creatives shown, c_d = Σ_k m_k,d θ_k, m the mix. Under the mix
ahead m′ it is c′, so that what was seen on day d tells of tomorrow through

    log c′ − log c_d,  variance Σ_k (a_k,d − a′_k)² cv²_k,  a_k = m_k θ_k / c

with θ_k ~ (mean, cv²) as believed of each creative: shrunk to its ad group, so that creatives that
nobody can tell apart shift nothing and one that nobody knows makes the past uncertain. A unit that
expects X events on such days learns from them as from X / (1 + X v) events (v the variance): they count
1 / (1 + X v).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.estimates.posteriors import Bools, Floats, Gamma, Ints, group_sum


@dataclass(frozen=True)
class Shown:
    """Rows of creatives: `group` (ad group), `creative`, `day` (column) and the `amount` shown or clicked.

    `groups` and `days` are how many there are; `of` is the group of each creative.
    """

    group: Ints
    creative: Ints
    day: Ints
    amount: Floats
    of: Ints
    groups: int
    days: int

    def by_day(self, amounts: Floats) -> Floats:
        """Sums (groups, days)."""
        cell = self.group * self.days + self.day
        return group_sum(cell, amounts, self.groups * self.days).reshape(self.groups, self.days)

    def by_creative(self, inside: Bools) -> Floats:
        """Share of its group's amount that each creative has in the rows `inside`; 0 without any."""
        own = group_sum(self.creative[inside], self.amount[inside], len(self.of))
        total = group_sum(self.of, own, self.groups)[self.of]
        return np.divide(own, total, out=np.zeros(len(own)), where=total > 0)


@dataclass(frozen=True)
class LevelShift:
    """Per (group, day): `log_ratio` of the rate ahead to that of the day, its `variance`, and the day's
    `rate`. Days on which nothing was shown have shift and variance 0, as if nothing had changed.
    """

    log_ratio: Floats
    variance: Floats
    rate: Floats


def level_shift(shown: Shown, rate: Gamma, ahead: Floats) -> LevelShift:
    """Shift from each day's mix to the mix `ahead` (share of its group per creative).

    Groups of which nothing is known ahead (all shares 0) do not shift.
    """
    total = shown.by_day(shown.amount)
    level = shown.by_day(shown.amount * rate.mean[shown.creative])
    coming = group_sum(shown.of, ahead * rate.mean, shown.groups)
    known = (total > 0) & (level > 0) & (coming > 0)[:, None]
    then = np.divide(level, total, out=np.ones(total.shape), where=known)
    ratio = np.log(np.where(known, np.maximum(coming, 1e-300)[:, None], 1.0)) - np.log(then)
    variance = np.where(known, _variance(shown, rate, ahead, level, coming), 0.0)
    return LevelShift(ratio, np.maximum(variance, 0.0), np.where(known, then, 0.0))


def _variance(shown: Shown, rate: Gamma, ahead: Floats, level: Floats, coming: Floats) -> Floats:
    """Σ_k (a_k,d − a′_k)² cv²_k, as Σ a² cv² − 2 Σ a a′ cv² + Σ a′² cv²."""
    mean, cv2, told = rate.mean, rate.cv2, shown.creative
    whole = level[shown.group, shown.day]
    part = np.divide(shown.amount * mean[told], whole, out=np.zeros(len(whole)), where=whole > 0)
    all_ahead = coming[shown.of]
    later = np.divide(ahead * mean, all_ahead, out=np.zeros(len(mean)), where=all_ahead > 0)
    moved = shown.by_day(part * cv2[told] * (part - 2.0 * later[told]))
    stays: Floats = group_sum(shown.of, later**2 * cv2, shown.groups)
    return moved + stays[:, None]


def over_days(panel: Floats, group: Ints, first: Ints, last: Ints) -> Floats:
    """Mean of `panel` (groups, days) over the days first..last of each record; 0 for group −1.

    Days before the panel count as 0.
    """
    summed = np.concatenate([np.zeros((len(panel), 1)), np.cumsum(panel, axis=1)], axis=1)
    end, start = (np.clip(day, 0, panel.shape[1]) for day in (last + 1, first))
    inside = group >= 0
    at = np.where(inside, group, 0)
    length = np.maximum(last - first + 1, 1)
    result: Floats = np.where(inside, (summed[at, end] - summed[at, start]) / length, 0.0)
    return result


def telling_weight(unit: Ints, expected: Floats, variance: Floats, units: int) -> Floats:
    """How much each record of `unit` still tells: 1 / (1 + X v), v its `variance`.

    X is how many events its unit expects on changed days, each counted by how much its day differs.
    Expected, not seen: weights that follow the luck of the counts would bias the rate.
    """
    most = np.zeros(units)
    np.maximum.at(most, unit, variance)
    differing = group_sum(unit, expected * variance, units)
    events = np.divide(differing, most, out=np.zeros(units), where=most > 0)
    result: Floats = 1.0 / (1.0 + events[unit] * variance)
    return result
