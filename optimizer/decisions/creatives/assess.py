"""All that is to be said of many tests on one morning, from plain arrays.

>>> import numpy as np
>>> days = ArmDays(impressions=np.full((2, 30), 1000.0), clicks=[[30.0, 31] * 15, [20.0, 21] * 15])
>>> told = assess(days, Design(metric="ctr"), np.random.default_rng(0))
>>> told.verdict.tolist(), told.state.tolist()
(['winner', 'loser'], ['winner'])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from optimizer.decisions.creatives.arms import DISCOUNT, ArmDays
from optimizer.decisions.creatives.claims import ClaimRule, Claims, leader_pairs
from optimizer.decisions.creatives.comparisons import Comparison, compare_arms
from optimizer.decisions.creatives.contrasts import Estimate, daily_ratios
from optimizer.decisions.creatives.definitions import check_currencies
from optimizer.decisions.creatives.metrics import Metric, MetricName, expected, metric_named
from optimizer.decisions.creatives.sampling import (
    Chances,
    earning_shares,
    even_shares,
    finding_shares,
    floor_for_claims,
    judge_arms,
)
from optimizer.decisions.creatives.served import ShareCheck, check_assignment, check_served
from optimizer.errors import BadSettings
from optimizer.estimates.creatives import ArmBeliefs, CreativeSums, UnitSpread, estimate_creatives
from optimizer.estimates.posteriors import Bools, Floats, Ints

Mode = Literal["earn", "find", "top_two"]
Assignment = Literal["randomised", "even_rotation", "platform"]
Texts = npt.NDArray[np.str_]

ABSENT_DAYS = 3
"""An arm that ran and has not been shown for so many days has left the test."""


@dataclass(frozen=True)
class Design:
    """What was fixed before the test: how it is decided, how traffic is given, who chooses it.

    `mode` earn: Thompson sampling of which the part `floor` explores; find: an even split; top_two:
    top-two sampling with `floor` of all traffic even. With `claims_wanted` earning keeps its floor even
    too, at least a fifth for each of two or three arms.
    `assignment` platform: the platform chooses who is shown, so that nothing is ever claimed.
    `tolerable_loss` relative to the leader's metric, below which choosing it is safe.
    """

    metric: MetricName = "profit_per_impression"
    mode: Mode = "earn"
    assignment: Assignment = "randomised"
    floor: float = 0.1
    claims_wanted: bool = False
    discount: float = DISCOUNT
    draws: int = 500
    tolerable_loss: float = 0.01
    rule: ClaimRule = field(default_factory=ClaimRule)

    def __post_init__(self) -> None:
        """Refuse unknown words and shares out of range."""
        metric_named(self.metric)
        for name, known in (("mode", _MODES), ("assignment", _ASSIGNMENTS)):
            if getattr(self, name) not in known:
                raise BadSettings("word_unknown", name=name, value=getattr(self, name), known=known)
        for name in ("floor", "tolerable_loss"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadSettings("share_out_of_range", name=name, value=getattr(self, name))


_MODES = ("earn", "find", "top_two")
_ASSIGNMENTS = ("randomised", "even_rotation", "platform")


@dataclass(frozen=True)
class Assessment:
    """Per arm: `value` of the metric, `chances`, `share` of tomorrow's impressions, `verdict`, `alive`.

    `verdict` is winner, loser, open, left (no longer shown) or unseen (never shown). Per test:
    `leader` (arm number, -1: none alive) and `state`: no_traffic, alone (no other arm is left),
    shares_off (not served as planned), observational (the platform chooses), too_early, winner,
    safe_to_stop (choosing the leader forgoes next to nothing) or running. `claims` compares each
    leader with its other arms, and `difference` measures them (leader less other, in the ratio that
    claims compare); `always` are the ends of intervals that hold the difference at every look at once.
    """

    beliefs: ArmBeliefs
    spread: UnitSpread
    value: Floats
    chances: Chances
    alive: Bools
    share: Floats
    verdict: Texts
    leader: Ints
    state: Texts
    claims: Claims
    difference: Estimate
    always: tuple[Floats, Floats]
    served: ShareCheck


@dataclass(frozen=True)
class Context:
    """What else is known of the tests.

    `past` sums of earlier creatives with the number of each one's ad group, and `group` that of each arm
    (its test's number where left out): arms are drawn to what their ad group had before. `kept`
    share of value after margin and refunds; `value_per_conversion` where no report tells values;
    `propensity` (arms, days) shares that were decided on, NaN where nobody did; `planned` shares to hold
    the served ones against (per arm or by day; the propensities where left out). `assigned` number of units that
    were assigned to each arm, where that is known: then those are tested, against an even split or
    `planned` shares per arm. `currency` each arm is paid in, where they may differ: a test across
    currencies is refused.
    """

    past: tuple[CreativeSums, Ints] | None = None
    group: Ints | None = None
    kept: Floats | float = 1.0
    value_per_conversion: float | None = None
    propensity: Floats | None = None
    planned: Floats | None = None
    assigned: Floats | None = None
    currency: Sequence[str] | None = None


def assess(
    days: ArmDays, design: Design, rng: np.random.Generator, context: Context | None = None
) -> Assessment:
    """Beliefs, chances, shares, verdicts and states of every test in `days`, all of one design.

    Raises `RefusedInput`: `metric_needs` where nothing tells what the metric is made of,
    `test_currencies` where the arms of a test are paid in several.
    """
    known, metric = context or Context(), metric_named(design.metric)
    if known.currency is not None:
        check_currencies([str(one) for one in days.test], known.currency)
    spread = days.spread()
    beliefs = _beliefs(days, design, spread, known)
    alive = alive_arms(days)
    chances = judge_arms(metric, beliefs, days.first, rng, draws=design.draws, alive=alive)
    value = expected(metric, beliefs)
    leader = _leader(metric, value, alive & days.ran.any(axis=1), days)
    compared = _compared(days, design, metric, leader, spread, known)
    claims = compared.claims
    served = _served(days, design, known)
    verdict = _verdicts(days, design, claims, served, leader, alive)
    share = _shares(days, design, chances, alive & (verdict != "loser"))
    state = _states(days, design, claims, served, chances, value, leader, verdict, alive)
    return Assessment(
        beliefs,
        spread,
        value,
        chances,
        alive,
        share,
        verdict,
        leader,
        state,
        claims,
        compared.difference,
        (compared.low, compared.high),
        served,
    )


def alive_arms(days: ArmDays, absent: int = ABSENT_DAYS) -> Bools:
    """Arms shown within the last `absent` days their test ran, and those never shown yet."""
    ran = days.ran
    running: Bools = np.logical_or.reduceat(ran, days.first, axis=0)
    left = running[:, ::-1].cumsum(axis=1)[:, ::-1]
    recent = ran & (left <= absent)[days.place]
    result: Bools = np.any(recent, axis=1) | ~np.any(ran, axis=1)
    return result


def _beliefs(days: ArmDays, design: Design, spread: UnitSpread, known: Context) -> ArmBeliefs:
    sums, group = days.sums(design.discount), days.test if known.group is None else known.group
    if known.past is not None:
        past, of_past = known.past
        sums, group = sums.joined(past), np.concatenate([group, of_past])
    found = estimate_creatives(
        sums, group, spread=spread, value_per_conversion=known.value_per_conversion
    )
    return found.take(np.arange(len(days.test))).kept(known.kept)


def _shares(days: ArmDays, design: Design, chances: Chances, open_arms: Bools) -> Floats:
    """Shares among the arms that are alive and nothing is proven against: losers need no floor.

    A loser's part of the draws goes to the others in proportion to theirs.
    """
    if design.mode == "find":
        return even_shares(days.first, open_arms)
    arms = np.maximum(np.add.reduceat(open_arms.astype(np.int64), days.first), 1)
    floor = floor_for_claims(design.floor, arms) if design.claims_wanted else design.floor
    if design.mode == "top_two":
        return finding_shares(chances, days.first, open_arms, floor)
    return earning_shares(chances, days.first, open_arms, floor, even=design.claims_wanted)


def _leader(metric: Metric, value: Floats, takes_part: Bools, days: ArmDays) -> Ints:
    """The arm of the best metric among those shown, the first of equals; -1 where there is none."""
    score = np.where(takes_part, -value if metric.lower_is_better else value, -np.inf)
    best = np.repeat(np.maximum.reduceat(score, days.first), days.arms)
    number = np.where(takes_part & (score == best), np.arange(len(score)), len(score))
    found = np.minimum.reduceat(number, days.first)
    return np.where(found < len(score), found, -1)


def _compared(
    days: ArmDays,
    design: Design,
    metric: Metric,
    leader: Ints,
    spread: UnitSpread,
    known: Context,
) -> Comparison:
    ratios = daily_ratios(
        metric,
        days,
        kept=known.kept,
        value_per_conversion=known.value_per_conversion,
        propensity=known.propensity,
    )
    # Arms that left stay in: a winner remains one when the losers are paused as advised.
    shown: Bools = np.any(days.ran, axis=1)
    pairs = leader_pairs(leader, days.first, shown)
    counted = days.matured(metric, design.rule.least_completion)
    dispersion = spread.clicks if metric.events == "clicks" else spread.conversions
    return compare_arms(
        ratios,
        days.place,
        pairs,
        counted,
        design.rule,
        counts=metric.counts,
        dispersion=dispersion,
        amount_cv2=spread.value,
    )


def _served(days: ArmDays, design: Design, known: Context) -> ShareCheck:
    """Held against the plan where there is one, else only measured against an even split."""
    if known.assigned is not None:
        even = np.ones(len(days.test))
        asked = even if known.planned is None else known.planned
        return check_assignment(known.assigned, asked, days.first)
    shown, planned, told = _plan(days, design, known)
    checked = check_served(shown, planned, days.first)
    held = told & (design.assignment != "platform")
    return ShareCheck(np.where(held, checked.p, np.nan), checked.deviation, checked.alarm & held)


def _plan(days: ArmDays, design: Design, known: Context) -> tuple[Floats, Floats, Bools]:
    """Impressions and planned shares of the days that are held against a plan; per test, whether any is.

    Of tests with a plan only the days on which all their shares were decided; of others all days,
    against an even split, which is a plan where arms take turns.
    """
    even = days.ran.astype(np.float64)
    turns = np.full(len(days.first), design.assignment == "even_rotation" or design.mode == "find")
    planned = known.propensity if known.planned is None else known.planned
    if planned is None:
        return days.impressions, even, turns
    share = np.asarray(planned, dtype=np.float64)
    share = np.broadcast_to(share[:, None] if share.ndim == 1 else share, even.shape)
    decided: Bools = np.logical_and.reduceat(~np.isnan(share), days.first, axis=0)
    told: Bools = np.any(decided, axis=1)
    used, any_used = decided[days.place], told[days.place][:, None]
    shown = np.where(used | ~any_used, days.impressions, 0.0)
    return shown, np.where(any_used, np.where(used, share, 0.0), even), told | turns


def _verdicts(
    days: ArmDays,
    design: Design,
    claims: Claims,
    served: ShareCheck,
    leader: Ints,
    alive: Bools,
) -> Texts:
    may_claim = ~served.alarm & (design.assignment != "platform")
    loser = claims.losers(len(alive)) & may_claim[days.place]
    shown: Bools = np.any(days.ran, axis=1)
    verdict = np.select([~shown, loser, ~alive], ["unseen", "loser", "left"], "open")
    won = (leader >= 0) & _beats_all(days, claims, loser, alive) & ~_has_unseen(days, shown)
    verdict[leader[won]] = "winner"
    return verdict


def _beats_all(days: ArmDays, claims: Claims, loser: Bools, alive: Bools) -> Bools:
    """Tests whose leader has beaten all arms still shown, or, where none is, all that ever were."""
    other, tests = claims.contrasts.other, len(days.first)
    place, beaten, shown = days.place[other], loser[other], alive[other]
    rivals, standing = np.bincount(place, minlength=tests), np.bincount(place, shown, tests)
    won, won_standing = np.bincount(place, beaten, tests), np.bincount(place, beaten & shown, tests)
    result: Bools = np.where(standing > 0, won_standing == standing, (rivals > 0) & (won == rivals))
    return result


def _has_unseen(days: ArmDays, shown: Bools) -> Bools:
    """Tests with an arm that nobody has seen: nothing has won against it."""
    result: Bools = np.logical_or.reduceat(~shown, days.first)
    return result


def _states(
    days: ArmDays,
    design: Design,
    claims: Claims,
    served: ShareCheck,
    chances: Chances,
    value: Floats,
    leader: Ints,
    verdict: Texts,
    alive: Bools,
) -> Texts:
    tests = len(leader)
    ready = np.zeros(tests, dtype=np.bool_)
    looked = (claims.days_needed == 0) & (claims.events_needed == 0)
    ready[days.place[claims.contrasts.one[looked]]] = True
    ahead = np.maximum(leader, 0)
    safe = chances.loss[ahead] <= design.tolerable_loss * np.abs(value[ahead])
    won = (leader >= 0) & (verdict[ahead] == "winner")
    platform = np.full(tests, design.assignment == "platform")
    alone = np.bincount(days.place, alive | (verdict == "unseen"), tests) < 2
    by_name = {
        "no_traffic": leader < 0,
        "winner": won,
        "alone": alone,
        "shares_off": served.alarm,
        "observational": platform,
        "too_early": ~ready,
        "safe_to_stop": safe,
    }
    return np.select(list(by_name.values()), list(by_name), "running")
