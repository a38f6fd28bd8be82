"""Budgets in time: what a day's plan may be when money is stated for a period or enforced per day.

An enforced daily budget B is planned at B and the day valued by E[min(cost, B)]. Money for a period
that nobody enforces is planned so that the total passes what is left with probability below
Φ(-z): the largest M with M + z·sd(M) ≤ left, sd² = Σ cost·cpc + ρ(σ·M)². Clicks are Poisson, so a
keyword's cost varies by cost·cpc; σ is the spread of whole days, and ρ = 1/T_eff says how many
independent days the remaining ones are worth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from optimizer.estimates.posteriors import Floats

_FEWEST_DAYS = 8


@dataclass(frozen=True)
class DaySpread:
    """How whole days differ: `sd` of log cost beyond Poisson, `autocorrelation` from day to day.

    `days` is how many were seen; below eight both are stated, not measured.
    """

    sd: float
    autocorrelation: float
    days: int

    def effective_days(self, days: float) -> float:
        """How many independent days `days` are worth: days·(1-a)/(1+a), at least one."""
        a = self.autocorrelation
        return max(days * (1 - a) / (1 + a), 1.0)


def day_spread(cost: Floats, cpc: float, *, stated_sd: float = 0.1) -> DaySpread:
    """Spread of daily account cost around its weekly pattern; `cpc` is Σ cost·cpc / Σ cost.

    Each day is compared with the same weekday a week before, which takes out level and weekday; half
    the variance of that difference is a day's own. Poisson clicks explain cpc/cost of it.
    """
    seen = cost[cost > 0]
    if len(seen) < _FEWEST_DAYS or len(seen) < len(cost):
        return DaySpread(stated_sd, 0.5, len(seen))
    change = np.log(seen[7:] / seen[:-7])
    noise = float(np.mean(cpc / seen))
    variance = max(float(np.mean(change**2)) / 2 - noise, 0.0)
    pairs = len(change) - 1
    moved = float(np.mean(change[1:] * change[:-1])) / 2 if pairs > 0 else 0.0
    share = moved / variance if variance > 0 else 0.0
    return DaySpread(math.sqrt(variance), min(max(share, 0.0), 0.95), len(seen))


def period_plan(left: float, days: float, cpc: float, spread: DaySpread, chance: float) -> float:
    """Largest planned cost per day that passes `left` money in `days` days with at most `chance`.

    Solves M + z·sqrt(cpc·M + ρσ²M²) = left for the total M. 0 where nothing is left.
    """
    if left <= 0 or days <= 0:
        return 0.0
    z = max(float(-special.ndtri(chance)), 0.0)
    common = spread.sd**2 / spread.effective_days(days)
    # (left - M)² = z²(cpc·M + common·M²), the smaller root
    a, b, c = 1 - z * z * common, 2 * left + z * z * cpc, left * left
    root = math.sqrt(max(b * b - 4 * a * c, 0.0))
    return 2 * c / (b + root) / days


def expected_spend(mean: Floats, sd: Floats, cap: Floats) -> Floats:
    """E[min(cost, cap)] of a normal cost per day; the mean itself where there is no cap."""
    safe = np.maximum(sd, 1e-12)
    at = np.where(np.isfinite(cap), (cap - mean) / safe, np.inf)
    density = np.exp(-0.5 * np.minimum(at**2, 1e6)) / math.sqrt(2 * math.pi)
    below = special.ndtr(at)
    beyond = np.where(np.isfinite(cap), np.where(np.isfinite(cap), cap, 0.0) * (1 - below), 0.0)
    result: Floats = mean * below - safe * density + beyond
    return np.where(np.isfinite(cap), result, mean)


def total_sd(cost: Floats, cpc: Floats, spread: DaySpread, days: float = 1.0) -> Floats:
    """Standard deviation of `days` days' cost around its plan: Poisson clicks, and shocks of whole days."""
    total = cost * days
    common = spread.sd**2 / spread.effective_days(days)
    result: Floats = np.sqrt(total * cpc + common * total**2)
    return result


def enforced_spend(
    cost: Floats, cpc: Floats, budget: Floats, spread: DaySpread, peak: float, month: float
) -> Floats:
    """Expected cost per day of plans `cost` under budgets that a platform enforces; inf: there is none.

    No day costs more than `peak` budgets, and no month more than `month` of them. A platform that
    lets no day pass its budget (`peak` 1) needs no rule for the month.
    """
    day = expected_spend(cost, total_sd(cost, cpc, spread), peak * budget)
    if peak <= 1:
        return day
    sd = total_sd(day, cpc, spread, month)
    result: Floats = expected_spend(day * month, sd, budget * month) / month
    return result
