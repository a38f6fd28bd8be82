"""Winners and losers that stay right however often one looks.

Every arm is compared with the leader of its test on the days on which both ran and whose conversions
are known. Level α/(K − 1): that the best of K arms is ever called a loser, to any other, has then
probability α at most, and only the winner is left by losers. Which arm leads may be chosen from the
data, since any of the other K − 1 is allowed for. Days enter once, undiscounted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.decisions.creatives.contrasts import Contrasts, Ratios, contrast
from optimizer.decisions.creatives.evidence import (
    EFFECT_VARIANCE,
    crossed,
    evidence_path,
    log_evidence_of_counts,
)
from optimizer.errors import BadSettings
from optimizer.estimates.posteriors import Bools, Floats, Ints


@dataclass(frozen=True)
class ClaimRule:
    """When a claim is made; fixed before the test starts.

    `alpha` chance of ever making a false one in a test; `least_days` and `least_events` per arm before
    the first look; `effect_variance` g; arms with fewer than `rare_events` a day over their first
    `least_days` common days are compared by counts, where the metric is one; `least_completion` F
    that makes a day count.
    """

    alpha: float = 0.05
    least_days: int = 5
    least_events: float = 20.0
    effect_variance: float = EFFECT_VARIANCE
    rare_events: float = 5.0
    least_completion: float = 0.95

    def __post_init__(self) -> None:
        """Refuse shares out of (0, 1) and fewer than two days."""
        for name in ("alpha", "least_completion"):
            if not 0 < getattr(self, name) < 1:
                raise BadSettings("share_out_of_range", name=name, value=getattr(self, name))
        if self.least_days < 2:
            raise BadSettings("too_few", name="least_days", value=self.least_days, least=2)


@dataclass(frozen=True)
class Claims:
    """Comparisons of each test's leader with its other arms, (comparisons, days) unless said.

    `contrasts` leader less other; `log_evidence` log E and, per comparison, the `log_bound` it must
    reach; `worse` whether by then the other arm is a proven loser; `rare` per comparison, whether
    counts decided. `events_needed` and `days_needed` per comparison: what is missing before a first look.
    """

    contrasts: Contrasts
    log_evidence: Floats
    log_bound: Floats
    worse: Bools
    rare: Bools
    days_needed: Ints
    events_needed: Floats

    def losers(self, arms: int) -> Bools:
        """Per arm, whether it is a proven loser."""
        found = np.zeros(arms, dtype=np.bool_)
        found[self.contrasts.other] = self.worse[:, -1]
        return found


def leader_pairs(leader: Ints, first: Ints, takes_part: Bools) -> tuple[Ints, Ints]:
    """Leaders and others: every arm that `takes_part` beside the leader of its test (-1: none)."""
    sizes = np.diff(first, append=len(takes_part))
    ahead = np.repeat(leader, sizes)
    other = np.flatnonzero(takes_part & (ahead >= 0) & (np.arange(len(takes_part)) != ahead))
    return ahead[other], other


def make_claims(
    ratios: Ratios,
    test: Ints,
    pairs: tuple[Ints, Ints],
    counted: Bools,
    rule: ClaimRule,
    *,
    counts: bool,
    dispersion: float = 1.0,
    amount_cv2: float = 0.64,
) -> Claims:
    """Evidence for the first of each of `pairs` against the second, and what may be claimed of it.

    `counts`: whether the metric is a rate of events, so that rare ones have their exact test; else
    `amount_cv2` is the squared CV of what one event is worth.
    """
    compared = contrast(ratios, test, pairs, counted)
    rare = _rare(compared, rule) if counts else np.zeros(len(pairs[0]), dtype=np.bool_)
    skewness = compared.lean * (1.0 if counts else skew_of_amounts(amount_cv2))
    evidence, mean = evidence_path(compared.score, rule.effect_variance, skewness)
    ahead = mean > 0
    if rare.any():
        evidence[rare], ahead[rare] = _by_counts(ratios, compared, rare, dispersion)
    bound = np.log(_compared_arms(test, pairs) / rule.alpha)
    allowed = (compared.days >= rule.least_days) & (compared.fewest >= rule.least_events)
    worse = crossed(np.where(ahead, evidence, -np.inf), bound, allowed)
    days = np.maximum(rule.least_days - compared.days[:, -1], 0)
    events = np.maximum(rule.least_events - compared.fewest[:, -1], 0.0)
    return Claims(compared, evidence, bound, worse, rare, days, events)


def skew_of_amounts(cv2: float) -> float:
    """How much more skewed a Poisson number of Gamma amounts is than the number: E x³ / (E x²)^{3/2}."""
    return (1.0 + 2.0 * cv2) / float(np.sqrt(1.0 + cv2))


def _compared_arms(test: Ints, pairs: tuple[Ints, Ints]) -> Floats:
    """K − 1 of the test of each comparison, K its arms, compared or not."""
    arms = np.bincount(test)
    return np.maximum(arms[test[pairs[0]]] - 1, 1).astype(np.float64)


def _rare(compared: Contrasts, rule: ClaimRule) -> Bools:
    """Whether either arm had few events a day while the first look was waited for.

    Later days do not change the answer: a test must not choose its method by its result.
    """
    waited = (compared.days <= rule.least_days) & ~np.isnan(compared.score)
    last = np.where(
        waited.any(axis=1), compared.days.shape[1] - 1 - waited[:, ::-1].argmax(axis=1), 0
    )
    row = np.arange(len(last))
    result: Bools = compared.fewest[row, last] < rule.rare_events * np.maximum(
        waited.sum(axis=1), 1
    )
    return result


def _by_counts(
    ratios: Ratios, compared: Contrasts, rare: Bools, dispersion: float
) -> tuple[Floats, Bools]:
    """Evidence of the `rare` comparisons, and on which days the first arm was ahead."""
    used = ~np.isnan(compared.score[rare])
    arms = compared.one[rare], compared.other[rare]
    seen, below = (
        [np.where(used, part[arm], 0.0) for arm in arms] for part in (ratios.events, ratios.below)
    )
    evidence = log_evidence_of_counts((seen[0], seen[1]), (below[0], below[1]), dispersion)
    expected = (seen[0] + seen[1]) * below[0] / np.where(used, below[0] + below[1], 1.0)
    return evidence, np.cumsum(seen[0] - expected, axis=1) > 0
