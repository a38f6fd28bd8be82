"""What a test will take: chance of a claim by day, sample sizes, and what each mode would cost.

All of it by simulation with the very evidence and shares that will decide, on daily results that are
normal around the account's own rates and noise: a formula for one look would be wrong for many.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from optimizer.decisions.creatives.assess import Mode
from optimizer.decisions.creatives.claims import ClaimRule
from optimizer.decisions.creatives.evidence import critical_ratio, log_evidence
from optimizer.decisions.creatives.metrics import Metric, expected
from optimizer.decisions.creatives.sampling import CLAIM_SHARE, SHARPNESS
from optimizer.errors import BadSettings
from optimizer.estimates.creatives import ArmBeliefs, UnitSpread
from optimizer.estimates.posteriors import Bools, Floats, Ints

_MODES: tuple[Mode, ...] = ("earn", "find", "top_two")


@dataclass(frozen=True)
class Traffic:
    """A day of a test: `units` of the metric's denominator (impressions, clicks, money).

    `rate` is the usual ratio per unit, `unit_variance` the variance of what one unit brings, and
    `arm_day_cv` the relative sd by which an arm's rate varies from day to day on its own.
    """

    units: float
    rate: float
    unit_variance: float
    arm_day_cv: float = 0.0

    def score_sd(self, arms: int) -> float:
        """Standard deviation of one day's difference between two arms under an even split."""
        sampled = self.unit_variance * arms / self.units
        return float(np.sqrt(2.0 * (sampled + (self.arm_day_cv * self.rate) ** 2)))


def traffic_of(
    metric: Metric, beliefs: ArmBeliefs, spread: UnitSpread, impressions: float, noise: float = 0.0
) -> Traffic:
    """A day of `impressions` under the mean of the arms' beliefs; `noise` is the arm-day CV."""
    if impressions <= 0:
        raise BadSettings("too_few", name="impressions", value=impressions, least=1)
    rate = float(np.abs(_ratio(metric, beliefs)).mean())
    units = impressions * float(_per_impression(metric, beliefs).mean())
    variance = float(_unit_variance(metric, beliefs, spread).mean())
    return Traffic(units, rate, variance, noise)


def _ratio(metric: Metric, beliefs: ArmBeliefs) -> Floats:
    """What claims compare: the metric, or conversions per unit of cost instead of its reciprocal."""
    value = expected(metric, beliefs)
    return 1.0 / value if metric.lower_is_better else value


def _per_impression(metric: Metric, beliefs: ArmBeliefs) -> Floats:
    """Units of the metric's denominator that an impression brings."""
    if metric.denominator == "impressions":
        return np.ones(len(beliefs.ctr.mean))
    if metric.denominator == "clicks" or beliefs.cpc is None:
        return beliefs.ctr.mean
    result: Floats = beliefs.ctr.mean * beliefs.cpc.mean
    return result


def _unit_variance(metric: Metric, beliefs: ArmBeliefs, spread: UnitSpread) -> Floats:
    """Events come as (over-dispersed) Poisson counts, each with an amount of its own."""
    if metric.counts:
        psi = spread.clicks if metric.events == "clicks" else spread.conversions
        counted: Floats = psi * _ratio(metric, beliefs)
        return counted
    assert beliefs.cvr is not None
    assert beliefs.value is not None
    square = beliefs.cvr.mean * beliefs.value.mean**2 * (1 + spread.value) * spread.conversions
    if metric.denominator == "clicks":
        return square
    if metric.numerator == "profit" and beliefs.cpc is not None:
        price = beliefs.cpc.mean
        square = square - 2 * beliefs.cvr.mean * beliefs.value.mean * price
        square = square + price**2 * (1 + spread.cpc)
    result: Floats = beliefs.ctr.mean * square
    return result


def claim_chances(
    effect: Floats,
    days: int,
    arms: int,
    rng: np.random.Generator,
    *,
    rule: ClaimRule | None = None,
    paths: int = 2000,
) -> Floats:
    """Chance (effects, days) that one comparison is decided rightly by the end of each day.

    `effect` is the daily difference over its standard deviation (`Traffic.score_sd`); the level is
    that of a test of `arms` arms.
    """
    rule = rule or ClaimRule()
    noise = rng.standard_normal((paths, days))
    bound = np.log(max(arms - 1, 1) / rule.alpha)
    found = [_by_day(noise + one, bound, rule) for one in np.atleast_1d(effect)]
    return np.array(found)


def _by_day(scores: Floats, bound: float, rule: ClaimRule) -> Floats:
    reached = (log_evidence(scores, rule.effect_variance) >= bound) & (scores.cumsum(axis=1) > 0)
    reached[:, : rule.least_days - 1] = False
    result: Floats = np.logical_or.accumulate(reached, axis=1).mean(axis=0)
    return result


@dataclass(frozen=True)
class SampleSize:
    """`days` until the wanted power and `units` per arm by then (NaN: not within the horizon).

    `power` at the end of the horizon.
    """

    days: float
    units: float
    power: float


def sample_size(
    traffic: Traffic,
    uplift: float,
    arms: int,
    rng: np.random.Generator,
    *,
    power: float = 0.8,
    horizon: int = 90,
    rule: ClaimRule | None = None,
) -> SampleSize:
    """Days and units per arm until a relative `uplift` is claimed with chance `power`, evenly split.

    Looking every day is paid for: this is the time by which the claim is made, not a fixed end.
    """
    if not uplift > 0:
        raise BadSettings("too_few", name="uplift", value=uplift, least=0)
    effect = np.array([uplift * traffic.rate / traffic.score_sd(arms)])
    chance = claim_chances(effect, horizon, arms, rng, rule=rule)[0]
    if chance[-1] < power:
        return SampleSize(np.nan, np.nan, float(chance[-1]))
    days = int(np.argmax(chance >= power)) + 1
    return SampleSize(float(days), days * traffic.units / arms, float(chance[-1]))


def detectable_uplift(
    traffic: Traffic, days: int, arms: int, rng: np.random.Generator, power: float = 0.8
) -> float:
    """Smallest relative uplift that `days` days claim with chance `power`; inf where none does."""
    effects = np.linspace(0.0, 3.0, 61)
    reached = claim_chances(effects, days, arms, rng)[:, -1] >= power
    if not reached.any() or traffic.rate <= 0:
        return float("inf")
    return float(effects[np.argmax(reached)] * traffic.score_sd(arms) / traffic.rate)


@dataclass(frozen=True)
class ModeForecast:
    """What a mode is expected to take. `cost` is what it forgoes over the horizon against showing the
    best arm from the first day on, in units of the metric's numerator (money for profit), with its
    standard `error`. `days` until a winner is claimed in half of the cases (inf: not within the
    horizon), `claimed` chance of a claim within it, `right` chance that the arm then shown is the best.
    """

    mode: Mode
    cost: float
    error: float
    days: float
    claimed: float
    right: float


@dataclass(frozen=True)
class ModePlan:
    """Assumptions of a forecast; after a claim all traffic goes to the winner."""

    horizon: int = 60
    floor: float = 0.1
    claims_wanted: bool = True
    draws: int = 100
    paths: int = 200
    rule: ClaimRule = field(default_factory=ClaimRule)


def compare_modes(
    mean: Floats,
    sd: Floats,
    traffic: Traffic,
    rng: np.random.Generator,
    plan: ModePlan | None = None,
) -> tuple[ModeForecast, ...]:
    """Expected cost and days of every mode on this traffic, arms believed N(`mean`, `sd`²).

    `mean` and `sd` are of the ratio that claims compare (higher is better), one entry per arm. All
    modes are tried on the same possible truths.
    """
    asked = plan or ModePlan()
    truth = rng.normal(mean, sd, (asked.paths, len(mean)))
    seed = int(rng.integers(2**32))
    return tuple(
        _forecast(mode, _Lived(truth, mean, sd, traffic, asked), np.random.default_rng(seed))
        for mode in _MODES
    )


@dataclass(frozen=True)
class _Lived:
    """Possible truths (paths, arms) and what is believed beforehand."""

    truth: Floats
    mean: Floats
    sd: Floats
    traffic: Traffic
    plan: ModePlan


@dataclass
class _Course:
    """Paths under way: precision and precision times mean of each arm, daily ratios so far."""

    precision: Floats
    pull: Floats
    seen: list[Floats]
    weight: list[Floats]
    claimed_on: Floats
    winner: Ints


def _forecast(mode: Mode, lived: _Lived, rng: np.random.Generator) -> ModeForecast:
    paths, arms = lived.truth.shape
    precision = np.broadcast_to(1.0 / np.maximum(lived.sd, 1e-12) ** 2, (paths, arms)).copy()
    none = np.full(paths, np.inf), np.full(paths, -1)
    course = _Course(precision, precision * lived.mean, [], [], *none)
    best = lived.truth.max(axis=1)
    forgone = np.zeros(paths)
    for day in range(lived.plan.horizon):
        share = _mode_shares(mode, course, lived, rng)
        forgone += (best - (share * lived.truth).sum(axis=1)) * lived.traffic.units
        _live_day(course, share, lived, rng)
        _look(course, day + 1, lived)
    chosen = np.where(course.winner >= 0, course.winner, (course.pull / course.precision).argmax(1))
    right = lived.truth[np.arange(paths), chosen] >= best
    error = float(forgone.std(ddof=1) / np.sqrt(paths))
    claimed = float(np.isfinite(course.claimed_on).mean())
    days = float(np.sort(course.claimed_on)[paths // 2])
    return ModeForecast(mode, float(forgone.mean()), error, days, claimed, float(right.mean()))


def _mode_shares(mode: Mode, course: _Course, lived: _Lived, rng: np.random.Generator) -> Floats:
    paths, arms = course.precision.shape
    share = np.full((paths, arms), 1.0 / arms)
    if mode != "find" and lived.plan.floor < 1:
        best = _best_chances(course, mode, lived.plan.draws, rng)
        floor = lived.plan.floor if mode == "top_two" or lived.plan.claims_wanted else 0.0
        if lived.plan.claims_wanted and arms <= 3:
            floor = max(floor, CLAIM_SHARE * arms)
        share = (1.0 - floor) * best + floor / arms
    decided = course.winner >= 0
    share[decided] = 0.0
    share[decided, course.winner[decided]] = 1.0
    return share


def _best_chances(course: _Course, mode: Mode, draws: int, rng: np.random.Generator) -> Floats:
    """P(best) of each arm, sharpened for earning; for top-two the chances of top-two sampling."""
    paths, arms = course.precision.shape
    variance = (SHARPNESS if mode == "earn" else 1.0) / course.precision
    centre = course.pull / course.precision
    drawn = rng.standard_normal((draws, paths, arms), dtype=np.float32)
    winner = (centre + np.sqrt(variance) * drawn).argmax(axis=2)
    count = (winner[:, :, None] == np.arange(arms)).sum(axis=0)
    if mode == "earn":
        share: Floats = count / draws
        return share
    likely = (count + 0.5) / (draws + 0.5 * arms)
    odds = likely / (1.0 - likely)
    top: Floats = likely * (1.0 + odds.sum(axis=1, keepdims=True) - odds)
    top /= top.sum(axis=1, keepdims=True)
    return top


def _live_day(course: _Course, share: Floats, lived: _Lived, rng: np.random.Generator) -> None:
    traffic = lived.traffic
    units = np.maximum(share * traffic.units, 1e-9)
    variance = traffic.unit_variance / units + (traffic.arm_day_cv * traffic.rate) ** 2
    ratio = rng.normal(lived.truth, np.sqrt(variance))
    course.precision += 1.0 / variance
    course.pull += ratio / variance
    course.seen.append(ratio)
    course.weight.append(variance)


def _look(course: _Course, day: int, lived: _Lived) -> None:
    """Claim the leader of each undecided path that has beaten all other arms on today's evidence."""
    rule, arms = lived.plan.rule, lived.truth.shape[1]
    if day < rule.least_days or arms < 2:
        return
    undecided = np.flatnonzero(course.winner < 0)
    ratio, variance = (np.stack(part, axis=2)[undecided] for part in (course.seen, course.weight))
    leader = (course.pull / course.precision)[undecided].argmax(axis=1)
    at = leader[:, None, None]
    ahead = np.take_along_axis(ratio, at, axis=1) - ratio
    scores = ahead / np.sqrt(np.take_along_axis(variance, at, axis=1) + variance)
    beaten = _beaten(scores, rule, arms)
    np.put_along_axis(beaten, leader[:, None], True, axis=1)
    won = undecided[beaten.all(axis=1)]
    course.winner[won] = leader[beaten.all(axis=1)]
    course.claimed_on[won] = day


def _beaten(scores: Floats, rule: ClaimRule, arms: int) -> Bools:
    """Whether log E of the scores (paths, arms, days) has reached its bound in the leader's favour."""
    t = scores.shape[2]
    mean = scores.mean(axis=2)
    squares = ((scores - mean[:, :, None]) ** 2).sum(axis=2)
    critical = critical_ratio(
        np.array(float(t)), np.log((arms - 1) / rule.alpha), rule.effect_variance
    )
    result: Bools = (mean > 0) & (t * mean**2 >= critical * np.maximum(squares, 1e-300))
    return result
