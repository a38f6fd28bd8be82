"""Leaders against the other arms of many tests: what may be claimed and how far apart they are.

Some hundred tests at a time, whose days then stay in the processor's cache, in two threads: the same
figures as all at once, in half the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

import numpy as np

from optimizer.decisions.creatives.arms import arm_blocks
from optimizer.decisions.creatives.claims import ClaimRule, Claims, make_claims
from optimizer.decisions.creatives.contrasts import (
    Estimate,
    Ratios,
    always_interval,
    estimate_difference,
)
from optimizer.estimates.posteriors import Bools, Floats, Ints

_THREADS = 2


@dataclass(frozen=True)
class Comparison:
    """Per comparison: `claims`, the `difference` now, and the ends of its interval at any look."""

    claims: Claims
    difference: Estimate
    low: Floats
    high: Floats


def compare_arms(
    ratios: Ratios,
    test: Ints,
    pairs: tuple[Ints, Ints],
    counted: Bools,
    rule: ClaimRule,
    *,
    counts: bool,
    dispersion: float = 1.0,
    amount_cv2: float = 0.64,
) -> Comparison:
    """Arms `pairs[0]` against `pairs[1]`, as `make_claims` takes them; `counted` is (days,).

    `test` numbers the test of each arm and does not fall; neither do the tests of `pairs`.
    """
    compare = partial(
        _compare, counted, rule, counts=counts, dispersion=dispersion, amount_cv2=amount_cv2
    )
    first = np.flatnonzero(np.diff(test, prepend=test[0] - 1))
    blocks = arm_blocks(first, ratios.below.shape)
    parts = [_part(ratios, test, pairs, arms) for arms in blocks]
    with ThreadPoolExecutor(_THREADS) as pool:
        found: Comparison = _joined(list(pool.map(compare, *zip(*parts, strict=True))))
    named = replace(found.claims.contrasts, one=pairs[0], other=pairs[1])
    return replace(found, claims=replace(found.claims, contrasts=named))


def _part(
    ratios: Ratios, test: Ints, pairs: tuple[Ints, Ints], arms: slice
) -> tuple[Ratios, Ints, tuple[Ints, Ints]]:
    """What concerns these arms alone, numbered from 0."""
    inside = slice(*np.searchsorted(test[pairs[1]], test[[arms.start, arms.stop - 1]] + [0, 1]))
    decided = None if ratios.propensity is None else ratios.propensity[arms]
    own = Ratios(ratios.above[arms], ratios.below[arms], ratios.events[arms], decided)
    number = test[arms] - test[arms.start]
    return own, number, (pairs[0][inside] - arms.start, pairs[1][inside] - arms.start)


def _compare(
    counted: Bools,
    rule: ClaimRule,
    ratios: Ratios,
    test: Ints,
    pairs: tuple[Ints, Ints],
    **told: Any,
) -> Comparison:
    claims = make_claims(ratios, test, pairs, counted, rule, **told)
    ends = always_interval(claims.contrasts, rule.alpha, rule.effect_variance)
    return Comparison(claims, estimate_difference(claims.contrasts), *ends)


def _joined(parts: Sequence[Any]) -> Any:
    """Arrays, or what is made of arrays, one under the other."""
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    names = [one.name for one in fields(parts[0])]
    return type(parts[0])(*(_joined([getattr(part, name) for part in parts]) for name in names))
