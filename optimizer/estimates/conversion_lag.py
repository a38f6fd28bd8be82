"""Completion F(age): the share of a click day's conversions that a report shows `age` days later.

A report restated on several days is a run-off triangle; F follows from its increments by reverse
hazards (chain ladder with irregular import days, increments shared out by expectation
maximisation), beside a stated prior. Downward restatements are negative increments: F may pass 1 on
the way and is never clipped. England and Verrall (2002) for the chain ladder and its
over-dispersion, Lagakos et al. (1988) for reverse hazards under right truncation.

A campaign's own F is the account's with its reverse hazards multiplied by a pace, F^pace, the pace
shrunk to 1 by credibility. Days of a sale and of its warm-up have an F of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from optimizer.estimates.posteriors import Floats, Ints, group_sum
from optimizer.estimates.seasonality import AFTER, EVENT, ORDINARY, WARMUP, Spans, phases
from optimizer.settings import LagPrior

LONGEST_LAG = 60
_ITERATIONS = 30
_MOST_HAZARD = 1.0 - 1e-6
_DISPERSION_STRENGTH = 20.0
_DISPERSION_BANDS = (3, 7, 14, 28)
_LEAST_SHARE = 1e-9
_STATED_TAU2 = 0.25
_ALIKE_STRENGTH = 100.0
_ALIKE_TAU2 = 0.02
_PACE_ITERATIONS = 5
_PACE_TAU2 = 0.04
_PRIOR_PACES = 2.0
_PACE_LIMITS = (0.2, 5.0)


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
        return _at(self.share, age, 1.0)

    def sd_at(self, age: Ints) -> Floats:
        """Standard deviation of log F at each age; 0 where F is known to be 1."""
        return _at(self.sd_log, age, 0.0)


@dataclass(frozen=True)
class Lags:
    """F by kind of day and campaign.

    `kinds` holds the account's F of ordinary days, of an event's warm-up and of its days; `pace` per
    campaign number: 2 means twice the reverse hazards, so a campaign whose orders come later.
    """

    kinds: tuple[Completion, Completion, Completion]
    pace: Floats
    events: Spans

    @property
    def ordinary(self) -> Completion:
        """The account's F on ordinary days."""
        return self.kinds[0]

    def shares(self, day: Ints, today: int) -> Floats:
        """F of each campaign and day as known on the morning of `today`: array (campaigns, days)."""
        age, kind = today - 1 - day, _lag_kind(day, self.events)
        result = np.empty((len(self.pace), len(day)))
        for number, completion in enumerate(self.kinds):
            chosen = kind == number
            result[:, chosen] = self._of_kind(completion, age[chosen])
        return result

    def _of_kind(self, completion: Completion, age: Ints) -> Floats:
        share = _paced(completion.share, self.pace)
        inside = share[:, np.clip(age, 0, share.shape[1] - 1)]
        return np.where(age < 0, 0.0, np.where(age >= share.shape[1], 1.0, inside))


def _paced(share: Floats, pace: Floats) -> Floats:
    """F^pace where F grows; what is taken back is taken back at its own pace. (paces, ages)."""
    growth = np.diff(np.log(np.maximum(share, _LEAST_SHARE)), append=0.0)[::-1]
    later = growth.clip(min=0.0).cumsum()[::-1]
    taken = growth.clip(max=0.0).cumsum()[::-1]
    result: Floats = np.exp(-pace[:, None] * later - taken)
    return result


def _at(values: Floats, age: Ints, beyond: float) -> Floats:
    inside = values[np.clip(age, 0, len(values) - 1)]
    return np.where(age < 0, 0.0, np.where(age >= len(values), beyond, inside))


def _lag_kind(day: Ints, events: Spans) -> Ints:
    """0 ordinary (the aftermath among them), 1 warm-up, 2 event."""
    phase = phases(day, events)
    return np.where(phase == AFTER, ORDINARY, phase)


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
    unit = _per_conversion(versions, column)
    return _fit(_increments(versions, column, unit), prior_completion(prior), prior.strength)


def estimate_lags(
    versions: pd.DataFrame,
    prior: LagPrior,
    campaigns: Sequence[str],
    events: Spans = (),
    *,
    column: str = "conversions",
    like: Completion | None = None,
) -> Lags:
    """F per kind of day, and each of `campaigns` (names) at its own pace.

    What is stated of the account is the prior of its ordinary days, and those that of warm-up and
    event days: conversions of a sale never teach the ordinary F. `like` takes the
    prior's place: amounts come much as the orders do that bring them.
    """
    unit = _per_conversion(versions, column)
    steps = _increments(versions, column, unit)
    stated, strength, doubt = prior_completion(prior), prior.strength, _STATED_TAU2
    if like is not None:
        stated, strength, doubt = like.share, max(strength, _ALIKE_STRENGTH), _ALIKE_TAU2
    kind = _lag_kind(steps.day, events)
    ordinary = _fit(steps.take(kind == ORDINARY), stated, strength, doubt)
    special = (
        _fit(steps.take(kind == number), ordinary.share, prior.strength)
        for number in (WARMUP, EVENT)
    )
    pace = _paces(steps.take(kind == ORDINARY), ordinary, campaigns)
    warmup, event = special
    return Lags((ordinary, warmup, event), pace, events)


def stated_lags(prior: LagPrior, campaigns: int) -> Lags:
    """The stated F for every campaign: what an order-dated report, which has no run-off, leaves us."""
    stated = _fit(_no_steps(), prior_completion(prior), prior.strength)
    return Lags((stated, stated, stated), np.ones(campaigns), ())


@dataclass(frozen=True)
class _Steps:
    """What arrived between two sightings of a campaign's day, in conversions.

    Ages before and after, known after, increment; `campaign` numbers `names`.
    """

    first: Ints
    last: Ints
    known: Floats
    added: Floats
    day: Ints
    campaign: Ints
    names: Sequence[str]

    def take(self, chosen: np.ndarray) -> _Steps:
        """The steps where `chosen`."""
        return _Steps(
            self.first[chosen],
            self.last[chosen],
            self.known[chosen],
            self.added[chosen],
            self.day[chosen],
            self.campaign[chosen],
            self.names,
        )


def _no_steps() -> _Steps:
    none, nothing = np.empty(0, dtype=np.int64), np.empty(0)
    return _Steps(none, none, nothing, nothing, none, none, ())


def _per_conversion(versions: pd.DataFrame, column: str) -> float:
    """Amount of `column` per conversion, so that the prior's strength means conversions for both."""
    both = versions.dropna(subset=[column])
    amount, number = float(both[column].sum()), float(both["conversions"].sum())
    return amount / number if amount > 0 and number > 0 else 1.0


def _increments(versions: pd.DataFrame, column: str, unit: float) -> _Steps:
    """One step per campaign, day and pair of neighbouring sightings."""
    # A day seen before it was over says nothing about how it matures.
    complete = versions["as_of"] > versions["day"]
    frame = versions[complete].dropna(subset=[column])
    frame = frame.groupby(["campaign_name", "day", "as_of"])[column].sum().reset_index()
    age = (frame["as_of"] - frame["day"]).dt.days.to_numpy(dtype=np.int64) - 1
    same = (
        (frame["day"] == frame["day"].shift())
        & (frame["campaign_name"] == frame["campaign_name"].shift())
    ).to_numpy()
    known = frame[column].to_numpy(dtype=np.float64) / unit
    index = np.flatnonzero(same & (age <= LONGEST_LAG))
    campaign, names = pd.factorize(frame["campaign_name"])
    day = frame["day"].to_numpy().astype("datetime64[D]").astype(np.int64)
    return _Steps(
        np.asarray(age[index - 1], dtype=np.int64),
        np.asarray(age[index], dtype=np.int64),
        known[index],
        known[index] - known[index - 1],
        day[index],
        campaign[index].astype(np.int64),
        [str(name) for name in names],
    )


def _fit(steps: _Steps, stated: Floats, strength: float, doubt: float = _STATED_TAU2) -> Completion:
    """F of `steps` beside the stated curve, worth `strength` conversions, its pace in `doubt`."""
    stated = _at_its_pace(steps, stated, doubt)
    first, last, known, added = _summed(steps)
    arrived = np.diff(stated, prepend=0.0)
    at_risk = strength * np.maximum(stated, 1e-9)
    hazard = np.minimum(arrived / np.maximum(stated, 1e-9), _MOST_HAZARD)
    for _ in range(_ITERATIONS):
        new, risk = _share_out(first, last, known, added, hazard)
        # What was known may fall below nothing (more taken back than ever arrived): no risk, not less.
        hazard = (new + strength * arrived) / (np.maximum(risk, 0.0) + at_risk)
        hazard = np.minimum(hazard, _MOST_HAZARD)
    share = _share_from_hazard(hazard)
    scale = _dispersion_by_age(steps, share)[last]
    sd = np.sqrt(_log_variance((first, last, known), hazard, at_risk, scale, doubt))
    return Completion(share, sd, float(np.abs(steps.added).sum()))


def _at_its_pace(steps: _Steps, stated: Floats, doubt: float) -> Floats:
    """The stated curve, faster or slower as the account's orders are: F^pace.

    A curve that is merely too quick would otherwise speak on at the youngest ages, which teach least.
    Of ages later than any yet seen the pace says the less the later they are: in its first days an
    account sees nothing but its quickest orders.
    """
    together = replace(steps, campaign=np.zeros(len(steps.added), dtype=np.int64), names=("",))
    pace = np.ones(1)
    for _ in range(_ITERATIONS):
        seen, expected = _arrivals(together, stated, pace)
        scale = _dispersion(together, _paced(stated, pace)[0])
        pace = (1.0 / doubt + seen / scale) / (1.0 / doubt + expected / scale)
    return _fading(stated, float(pace[0]), int(steps.last.max(initial=0)))


def _fading(stated: Floats, pace: float, seen: int) -> Floats:
    """`stated` at `pace` up to age `seen`; what is said of later ones halves a day later, and so on."""
    beyond = np.maximum(np.arange(len(stated)) - seen, 0)
    local = 1.0 + (pace - 1.0) / (1.0 + beyond)
    growth = np.diff(np.log(np.maximum(stated, _LEAST_SHARE)), append=0.0)
    # What comes between two ages belongs to the later one.
    scaled = growth * np.where(growth > 0, np.append(local[1:], 1.0), 1.0)
    result: Floats = np.exp(-scaled[::-1].cumsum()[::-1])
    return result


def _summed(steps: _Steps) -> tuple[Ints, Ints, Floats, Floats]:
    """First and last age, known and added, summed over days and campaigns with the same ages."""
    size = LONGEST_LAG + 1
    code, place = np.unique(steps.first * size + steps.last, return_inverse=True)
    known = group_sum(place, steps.known, len(code))
    return code // size, code % size, known, group_sum(place, steps.added, len(code))


def _share_out(
    first: Ints, last: Ints, known: Floats, added: Floats, hazard: Floats
) -> tuple[Floats, Floats]:
    """Expected arrivals and number at risk per age, each increment shared out by the present F."""
    density = np.diff(_share_from_hazard(hazard), prepend=0.0)
    inside = _inside(first, last, len(hazard))
    weight = np.where(inside, np.abs(density) + 1e-9, 0.0)
    arrivals = added[:, None] * weight / weight.sum(axis=1, keepdims=True)
    later = np.cumsum(arrivals[:, ::-1], axis=1)[:, ::-1] - arrivals
    risk = np.where(inside, known[:, None] - later, 0.0)
    return arrivals.sum(axis=0), risk.sum(axis=0)


def _inside(first: Ints, last: Ints, size: int) -> np.ndarray:
    ages = np.arange(size)
    return (ages > first[:, None]) & (ages <= last[:, None])


def _share_from_hazard(hazard: Floats) -> Floats:
    """F(a) = Π_{j>a} (1 - h_j), above 0 so that it may be divided by."""
    factors = np.append(1.0 - hazard[1:], 1.0)
    result: Floats = np.maximum(np.cumprod(factors[::-1])[::-1], _LEAST_SHARE)
    return result


def _dispersion(steps: _Steps, share: Floats) -> float:
    """How much more increments vary than binomial ones: orders in pairs, amounts, unlike days.

    Pearson's statistic as a ratio of sums, at least 1, shrunk to it by a few conversions.
    """
    residual, likely = (float(part.sum()) for part in _residuals(steps, share))
    return max((residual + _DISPERSION_STRENGTH) / (likely + _DISPERSION_STRENGTH), 1.0)


def _dispersion_by_age(steps: _Steps, share: Floats) -> Floats:
    """The same per age (in bands) at which a step ends, each shrunk to that of all steps.

    Where as much is taken back as still arrives, the net step is near nothing and its variance is not.
    """
    ages = np.arange(LONGEST_LAG + 1)
    band = np.searchsorted(_DISPERSION_BANDS, ages, side="right")
    residual, likely = (
        group_sum(band[steps.last], part, len(_DISPERSION_BANDS) + 1)
        for part in _residuals(steps, share)
    )
    overall = _DISPERSION_STRENGTH * _dispersion(steps, share)
    scale: Floats = np.maximum((residual + overall) / (likely + _DISPERSION_STRENGTH), 1.0)
    return scale[band]


def _residuals(steps: _Steps, share: Floats) -> tuple[Floats, Floats]:
    """Per step the squared error of its increment, and what a binomial one would have."""
    part = 1.0 - share[steps.first] / share[steps.last]
    known = np.maximum(steps.known, 0.0)
    likely = known * np.abs(part) * np.maximum(1.0 - part, 0.05)
    return (steps.added - known * part) ** 2, likely


def _log_variance(
    cells: tuple[Ints, Ints, Floats], hazard: Floats, at_risk: Floats, scale: Floats, tau2: float
) -> Floats:
    """Var(log F) per age from the Fisher information of the cumulative reverse hazards.

    A step over several ages tells only their sum: Λ_j = -log(1 - h_j), the step of `known` K with
    p = 1 - exp(-ΣΛ) informs that sum by K(1 - p)/(ψ p), ψ being the step's `scale`, and
    log F(a) = -Σ_{j>a} Λ_j. What is stated is in doubt age by age, and as a whole by its pace.
    """
    first, last, known = cells
    inside = _inside(first, last, len(hazard)).astype(np.float64)
    rate = -np.log1p(-hazard)
    weight = np.maximum(known, 0.0) * _odds(1.0 - np.exp(-inside @ rate)) / scale
    information = (inside * weight[:, None]).T @ inside
    own = np.diag(1.0 / (at_risk * _odds(hazard)))
    doubt = own + tau2 * np.outer(rate, rate)
    covariance = np.linalg.inv(information[1:, 1:] + np.linalg.inv(doubt[1:, 1:]))
    tail = covariance[::-1, ::-1].cumsum(axis=0).cumsum(axis=1)
    later = np.diagonal(tail)[::-1]
    return np.append(np.maximum(later, 0.0), 0.0)


def _odds(part: Floats) -> Floats:
    """(1 - p)/p; what is taken back counts like what arrives."""
    return np.maximum(1.0 - part, 0.05) / np.maximum(np.abs(part), 1e-6)


def _paces(steps: _Steps, ordinary: Completion, campaigns: Sequence[str]) -> Floats:
    """Observed over expected arrivals of each campaign, shrunk to 1."""
    if len(steps.names) < 2 or not len(steps.added):
        return np.ones(len(campaigns))
    scale = _dispersion(steps, ordinary.share)
    pace = np.ones(len(steps.names))
    for _ in range(_PACE_ITERATIONS):
        seen, expected = _arrivals(steps, ordinary.share, pace)
        tau2 = _pace_tau2(seen / scale, expected / scale)
        pace = (1.0 / tau2 + seen / scale) / (1.0 / tau2 + expected / scale)
    found = pd.Series(np.clip(pace, *_PACE_LIMITS), index=list(steps.names))
    return np.asarray(found.reindex(list(campaigns), fill_value=1.0), dtype=np.float64)


def _arrivals(steps: _Steps, share: Floats, pace: Floats) -> tuple[Floats, Floats]:
    """Per campaign: conversions that arrived, and the reverse hazard that all lived through.

    Looking back in time an arrival leaves within its step, having lived through a share
    1/Λ - 1/(exp(Λ) - 1) of the step's cumulative hazard Λ on average (exponential, cut off at the
    step's end); the rest live through all of it. Arrivals over hazard is the pace by maximum
    likelihood. Steps in which things are taken back say nothing about pace.
    """
    base = np.log(
        np.maximum(share[steps.last], _LEAST_SHARE) / np.maximum(share[steps.first], _LEAST_SHARE)
    )
    grows = (base > 1e-9) & (steps.known > 0)
    base, campaign = base[grows], steps.campaign[grows]
    added = np.clip(steps.added[grows], 0.0, steps.known[grows])
    whole = base * pace[campaign]
    lived = 1.0 / whole - 1.0 / np.expm1(whole)
    expected = base * (added * lived + (steps.known[grows] - added))
    size = len(pace)
    return group_sum(campaign, added, size), group_sum(campaign, expected, size)


def _pace_tau2(seen: Floats, expected: Floats) -> float:
    """Squared CV of pace between campaigns by moments, beside a stated 20 % worth two campaigns."""
    w = 1.0 / (1.0 + _PACE_TAU2 * expected) ** 2
    information = w * expected**2
    prior = _PRIOR_PACES / _PACE_TAU2**2
    excess = float((w * ((seen - expected) ** 2 - expected)).sum())
    return max((excess + _PACE_TAU2 * prior) / (float(information.sum()) + prior), 1e-4)
