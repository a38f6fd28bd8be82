"""Whether the arms got the shares they were meant to get (sample ratio mismatch).

Where it is known who was assigned to which arm, counts are tested against the plan. Impressions are
served, not assigned: they are an outcome of CTR and quality too, and vary from day to day, so that
they are tested against their own variation between days and must be off by 2 % besides. Where the
platform chose the shares there is nothing to test, only something to note.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
from scipy import special

from optimizer.decisions.creatives.arms import arm_blocks
from optimizer.errors import RefusedInput
from optimizer.estimates.posteriors import Bools, Floats, Ints

SURE = 1e-4
"""A false alarm in ten thousand looks: 0.2 % of tests that are looked at on sixty days."""
LEAST_DEVIATION = 0.02
_LEAST_DAYS = 5
_THREADS = 2


@dataclass(frozen=True)
class ShareCheck:
    """Per test: `p` of shares so far off by chance (NaN: not tested), the largest relative
    `deviation` of an arm's count from the planned one, and whether that is an `alarm`.
    """

    p: Floats
    deviation: Floats
    alarm: Bools


def check_assignment(counts: Floats, planned: Floats, first: Ints) -> ShareCheck:
    """Chi-square test of the number of units assigned to each arm against `planned` shares.

    Test i has the arms from `first[i]`; planned shares are relative within a test. An arm that was
    to get nothing adds no degree of freedom; one that got something all the same has a p of 0.
    """
    counts, planned = _checked(counts, planned)
    sizes = np.diff(first, append=len(counts))
    expected = _expected(counts, planned, first, sizes)
    squares = np.divide(
        (counts - expected) ** 2, expected, out=np.zeros(len(counts)), where=expected > 0
    )
    stray = np.add.reduceat(((expected == 0) & (counts > 0)).astype(float), first) > 0
    free = np.add.reduceat(expected > 0, first, dtype=np.int64) - 1
    p = special.chdtrc(np.maximum(free, 1), np.add.reduceat(squares, first))
    p = np.where(stray, 0.0, np.where(free > 0, p, 1.0))
    return ShareCheck(p, _deviation(counts, expected, first), p < SURE)


def check_served(impressions: Floats, planned: Floats, first: Ints) -> ShareCheck:
    """Served impressions (arms, days) against planned shares, per arm or (arms, days).

    Each arm's excess over its plan, summed over days, is measured by its variation between days
    (Student's t, the worst arm counting for all); fewer than five days are not tested.
    """
    shown, share = _checked(impressions, planned)
    share = np.broadcast_to(share[:, None] if share.ndim == 1 else share, shown.shape)
    parts = [
        (shown[arms], share[arms], first[slice(*np.searchsorted(first, ends))] - arms.start)
        for arms in arm_blocks(first, shown.shape)
        for ends in [(arms.start, arms.stop)]
    ]
    with ThreadPoolExecutor(_THREADS) as pool:
        found = list(pool.map(_check_block, *zip(*parts, strict=True)))
    names = [one.name for one in fields(ShareCheck)]
    return ShareCheck(*(np.concatenate([getattr(one, name) for one in found]) for name in names))


def _check_block(shown: Floats, share: Floats, first: Ints) -> ShareCheck:
    sizes = np.diff(first, append=len(shown))
    expected = _expected(shown, share, first, sizes)
    excess = shown - expected
    days = np.repeat((np.add.reduceat(shown, first, axis=0) > 0).sum(axis=1), sizes)
    p = _chance(excess, days, np.repeat(sizes, sizes))
    worst = np.minimum.reduceat(p, first)
    enough = days[first] >= _LEAST_DAYS
    deviation = _deviation(shown.sum(axis=1), expected.sum(axis=1), first)
    alarm = enough & (worst < SURE) & (deviation >= LEAST_DEVIATION)
    return ShareCheck(np.where(enough, worst, np.nan), deviation, alarm)


def _chance(excess: Floats, days: Ints, arms: Ints) -> Floats:
    """Two-sided p of each arm's mean excess, times the arms of its test; 1 where nothing varies."""
    total = excess.sum(axis=1)
    squares = (excess**2).sum(axis=1) - total**2 / np.maximum(days, 1)
    free = np.maximum(days - 1, 1)
    error = np.sqrt(np.maximum(squares, 0.0) * np.maximum(days, 1) / free)
    t = np.divide(np.abs(total), error, out=np.zeros(len(total)), where=error > 0)
    t = np.where((error == 0) & (np.abs(total) > 0), np.inf, t)
    result: Floats = np.minimum(2.0 * special.stdtr(free, -t) * arms, 1.0)
    return result


def _checked(counts: npt.ArrayLike, planned: npt.ArrayLike) -> tuple[Floats, Floats]:
    found, share = np.asarray(counts, dtype=float), np.asarray(planned, dtype=float)
    if share.shape not in (found.shape, found.shape[:1]):
        raise RefusedInput("arm_days_shape", column="planned", shape=share.shape)
    if not (np.isfinite(share).all() and np.isfinite(found).all()):
        raise RefusedInput("arm_days_not_finite", column="planned")
    if (share < 0).any() or (found < 0).any():
        raise RefusedInput("arm_days_negative", column="planned")
    return found, share


def _expected(counts: Floats, planned: Floats, first: Ints, sizes: Ints) -> Floats:
    """Each test's total, shared as planned."""
    total, parts = (np.add.reduceat(one, first, axis=0) for one in (counts, planned))
    per_part = np.divide(total, parts, out=np.zeros(total.shape), where=parts > 0)
    result: Floats = planned * np.repeat(per_part, sizes, axis=0)
    return result


def _deviation(counts: Floats, expected: Floats, first: Ints) -> Floats:
    off = np.divide(
        np.abs(counts - expected), expected, out=np.zeros(len(counts)), where=expected > 0
    )
    result: Floats = np.maximum.reduceat(off, first)
    return result
