"""A bid test as one batch to approve: who is in it, each week's bid, and what it will cost.

Two kinds of members. A dithered keyword is a share above or below the bid that the review would set,
week by week, in random order and equally often: the way to that bid is the review's, and no chance's;
what is learnt comes from the weeks around it. A starved one, whose bid is too low to be shown, is raised step by
step up to the first page and no further than a click is worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from optimizer.decisions import exploration, ramps
from optimizer.decisions.exploration import Choice, Subjects, Trial
from optimizer.estimates.posteriors import Bools, Floats, Ints
from optimizer.review.plan import NAMES, gamma_of, response_of
from optimizer.review.suggestions import Interval, ReviewResult, suggestion_id
from optimizer.settings import Settings
from optimizer.tables import EXPERIMENT_MEMBERS, EXPERIMENT_STEPS, check_table

WEEK = 7
_TESTABLE = ("", "cool_down")
_STARVED = ("", "cool_down", "no_impressions")
_AT_STEP = ("step_limit", "assumed_step_limit")
_LEAST_STEPS = 2
_STARVED_IMPRESSIONS = 1.0
# Below the first page impressions grow faster with the bid than clicks do above it. Words of one ad
# group differ so much in how often they are asked for that three weeks of a word's own impressions
# leave little to its neighbours. Judgement.
_STEEP = 3.0
_SEEN_DAYS = 20.0
_USUAL_DAYS = 0.05


@dataclass(frozen=True)
class Experiment:
    """One bid test. Amounts per day in account currency, averaged over the test.

    `cost` is the profit it is expected to forgo against the bids the review would set; `extra_spend`
    what it adds to the spend of the present bids; `value` what its news is worth in all up to
    `payback_days` after the start.
    Bids of week w are uploaded on `as_of` + 7w; `last_day` is the last day in test bids, and the step
    after it hands back: a dithered keyword at the bid the review would have set, a starved one where the
    ramp has led it.
    """

    id: str
    account: str
    as_of: date
    last_day: date
    weeks: int
    cost: Interval
    extra_spend: float
    value: float
    members: pd.DataFrame
    steps: pd.DataFrame


@dataclass(frozen=True)
class _Candidates:
    """Plan rows as subjects, and who may be tested at all."""

    plan: pd.DataFrame
    subjects: Subjects
    free: Bools
    at_limit: Bools


def propose_experiment(
    result: ReviewResult, holds: pd.DataFrame, settings: Settings, rng: np.random.Generator
) -> Experiment | None:
    """The test worth most within the exploration budget; None where none would pay for itself.

    Nor is any for an account that is `too_young`. `holds` is table HOLDS: a keyword that somebody has
    decided on is left out.
    """
    cap = settings.exploration.cost_share * result.summary.budget
    if cap <= 0 or too_young(result, settings):
        return None
    found = _candidates(result, holds, settings.estimation.click_share)
    step = float(result.context["step"])
    dithered, cost = _dithers(found, cap, settings, step)
    spent = float(cost[dithered.tested].sum())
    ramped = _ramps(found, dithered.tested, cap - spent, settings, step)
    if not (dithered.tested.any() or len(ramped.row)):
        return None
    tested = np.flatnonzero(dithered.tested)
    members = pd.concat(
        [
            _members(found, tested, "dither", cost[tested], dithered.own[tested]),
            _members(found, ramped.row, "ramp", ramps.net_cost(ramped.climbing), ramped.value),
        ],
        ignore_index=True,
    )
    steps = pd.concat(
        [
            _dither_steps(found, tested, settings, result, rng),
            _steps(
                found.plan.iloc[ramped.row]["entity_key"],
                np.column_stack([ramped.bids, ramped.bids[:, -1:]]),
            ),
        ],
        ignore_index=True,
    )
    return _experiment(found, members, steps, dithered, ramped, result, settings, rng)


def too_young(result: ReviewResult, settings: Settings) -> bool:
    """Whether the review knows too few days: its bids still have far to go, and a test would hold them."""
    return bool(result.context["data"]["days"] < settings.exploration.history_days)


def schedule(experiment: Experiment, day: date) -> pd.DataFrame:
    """The bids that are due on `day` (`entity_key`, `bid`): the newest step begun; none before the first."""
    week = (day - experiment.as_of).days // WEEK
    steps = experiment.steps
    return steps.loc[steps["week"].eq(min(week, experiment.weeks)), ["entity_key", "bid"]]


def _candidates(result: ReviewResult, holds: pd.DataFrame, stated_share: float) -> _Candidates:
    plan, rows = result.frames["plan"], result.suggestions
    bids = rows[rows["slot"].eq("bid") & rows["kind"].isin(["raise", "lower"])]
    key = plan["entity_key"].astype(str)
    proposed = key.map(bids.set_index("entity_key")["proposed_bid"]).to_numpy(dtype=np.float64)
    stopping = key.isin(rows.loc[rows["slot"].eq("state"), "entity_key"])
    blocked = (plan["raise_block"] != "") | (plan["lower_block"] != "")
    held = key.isin(holds["entity_key"]) | stopping | blocked
    limited = bids.loc[bids["binding"].isin(_AT_STEP), "entity_key"]
    return _Candidates(
        plan=plan,
        subjects=_subjects(
            plan,
            result,
            np.where(np.isnan(proposed), plan["curve_bid"], proposed),
            stated_share,
        ),
        free=~held.to_numpy(),
        at_limit=key.isin(limited).to_numpy(),
    )


def _subjects(
    plan: pd.DataFrame, result: ReviewResult, centre: Floats, stated_share: float
) -> Subjects:
    """Keywords of the plan; what they share of ε is known at `stated_share`, and shrinks with all of
    ε as the click share grows.
    """
    lines = np.array([campaign["line"] for campaign in result.summary.campaigns])
    shocks = result.context["shocks"]
    reach = np.log1p(float(result.context["rules"]["step_limit"]))
    factor = (1 - plan["click_share"].to_numpy(dtype=np.float64)) / (1 - stated_share)
    return Subjects(
        response_of(plan),
        gamma_of(plan, "value"),
        lines[plan["campaign"].to_numpy(dtype=np.int64)],
        centre,
        np.full(len(plan), reach),
        plan["state_code"].isin(_TESTABLE).to_numpy(),
        (factor * shocks["elasticity"], np.full(len(plan), float(shocks["cpc_exponent"]))),
    )


def trial_of(settings: Settings) -> Trial:
    """The test's size: a full swing between two weeks stays within the step limit."""
    rules, limit = settings.exploration, settings.guardrails.step_limit
    days = rules.weeks * WEEK
    dither = min(rules.dither, limit / (2 + limit))
    return Trial(dither, days, max(rules.payback_days - days, 0))


def _dithers(
    found: _Candidates, cap: float, settings: Settings, step: float
) -> tuple[Choice, Floats]:
    """Keywords to dither, and what that would cost each per day.

    Left out: bids too small for two currency steps either way, or too near a bound; and those on a
    longer way to a better bid, which a test would only keep from going there.
    """
    plan, trial = found.plan, trial_of(settings)
    centre = found.subjects.centre
    inside = _inside(plan, centre, trial.dither, settings.guardrails.step_limit)
    eligible = (
        found.free
        & inside
        & ~found.at_limit
        & plan["state_code"].isin(_TESTABLE).to_numpy()
        & (centre * trial.dither >= _LEAST_STEPS * step - 1e-9)
    )
    cost = exploration.dither_cost(found.subjects, trial.dither)
    rules = settings.exploration
    chosen = exploration.choose_tests(
        found.subjects,
        trial,
        eligible,
        cost,
        cap,
        rules.min_return,
        rules.max_keywords,
        rules.shared_share,
    )
    return chosen, cost


def _inside(plan: pd.DataFrame, centre: Floats, dither: float, step_limit: float) -> Bools:
    """Whether both bids keep the keyword's bounds, and the first step what one review may move."""
    bid = plan["bid"].to_numpy(dtype=np.float64)
    low = np.maximum(plan["lowest_bid"].to_numpy(), bid * (1 - step_limit))
    high = np.minimum(plan["highest_bid"].to_numpy(), bid * (1 + step_limit))
    result: Bools = (centre * (1 - dither) >= low) & (centre * (1 + dither) <= high)
    return result


@dataclass(frozen=True)
class _Ramped:
    """Starved keywords chosen: plan rows, each week's bids, the looks on the way, value over the payback days."""

    row: Ints
    bids: Floats
    climbing: ramps.Looks
    value: Floats


def _ramps(
    found: _Candidates, dithered: Bools, cap: float, settings: Settings, step: float
) -> _Ramped:
    """Starved keywords to raise within `cap` of expected losses per day."""
    plan, rules, trial = found.plan, settings.exploration, trial_of(settings)
    bid = plan["bid"].to_numpy(dtype=np.float64)
    first_page = plan["first_page_bid"].to_numpy(dtype=np.float64, na_value=np.nan)
    target = np.minimum(first_page, plan["highest_bid"].to_numpy(dtype=np.float64))
    starved = (
        found.free
        & ~dithered
        & plan["state_code"].isin(_STARVED).to_numpy()
        & (plan["impressions"].to_numpy() < _STARVED_IMPRESSIONS)
        & (target > bid)
    )
    row = np.flatnonzero(starved)
    looks = looks_at(plan.iloc[row], bid[row], target[row], found.subjects.line[row], plan)
    value = ramps.look_value(looks, trial.days, trial.days_after)
    most = rules.max_keywords - int(dithered.sum())
    cost = ramps.look_cost(looks)
    chosen = ramps.choose_looks(value, cost, cap, rules.min_return, trial.days, most)
    picked = np.flatnonzero(chosen)
    taken, limit = ramps.take(looks, picked), settings.guardrails.step_limit
    bids = ramps.climb(taken.bid, taken.target, limit, step, rules.weeks)
    return _Ramped(row[picked], bids, ramps.climbing(taken, bids), value[picked])


def looks_at(
    part: pd.DataFrame, bid: Floats, target: Floats, line: Floats, plan: pd.DataFrame
) -> ramps.Looks:
    """What the first page would bring beyond today: own impressions grown steeply, and a trace of the
    ad group's; a click more costs what all of them then cost more.
    """
    shown = plan[plan["impressions"] >= _STARVED_IMPRESSIONS]
    group = ["campaign_name", "ad_group_name"]
    typical = shown.groupby(group)["impressions"].median()
    usual = typical.reindex(pd.MultiIndex.from_frame(part[group])).to_numpy(dtype=np.float64)
    today = part["impressions"].to_numpy(dtype=np.float64)
    grown = today * (target / bid) ** _STEEP
    usual = np.where(np.isnan(usual), grown, usual)
    impressions = (_SEEN_DAYS * grown + _USUAL_DAYS * usual) / (_SEEN_DAYS + _USUAL_DAYS)
    more = np.maximum(impressions - today, 1e-9)
    cpc = part["cpc"].to_numpy(dtype=np.float64)
    return ramps.Looks(
        bid=bid,
        target=target,
        clicks=more * part["ctr_mean"].to_numpy(dtype=np.float64),
        cpc=cpc * np.maximum(impressions * target / bid - today, 1e-9) / more,
        value=gamma_of(part, "value"),
        rate=gamma_of(part, "rate"),
        line=line,
    )


def _members(found: _Candidates, row: Ints, arm: str, cost: Floats, value: Floats) -> pd.DataFrame:
    part = found.plan.iloc[row]
    frame = part[["entity_key", *NAMES]].assign(
        entity_key=part["entity_key"].astype(str),
        arm=arm,
        base_bid=part["bid"].to_numpy(dtype=np.float64),
        clicks=part["clicks"].to_numpy(dtype=np.float64),
        cost=cost,
        value=value,
    )
    return frame[list(EXPERIMENT_MEMBERS.columns)]


def _dither_steps(
    found: _Candidates,
    row: Ints,
    settings: Settings,
    result: ReviewResult,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Each week's bids, then the centre between them.

    Neighbours in spend go against each other, so that no week is dearer than another.
    """
    part, trial = found.plan.iloc[row], trial_of(settings)
    centre = found.subjects.centre[row]
    spend = (part["clicks"] * part["cpc"]).to_numpy(dtype=np.float64)
    order = np.argsort(-spend, kind="stable")
    signs = np.empty((len(part), settings.exploration.weeks))
    signs[order] = balanced_signs(len(part), settings.exploration.weeks, rng)
    step = float(result.context["step"])
    wanted = centre[:, None] * (1 + trial.dither * signs) / step
    # Towards the centre, so that no bound of the keyword is passed by a part of a step.
    inside = np.where(signs > 0, np.floor(wanted + 1e-6), np.ceil(wanted - 1e-6))
    bids = np.round(inside * step, 6)
    return _steps(part["entity_key"], np.column_stack([bids, centre]))


def balanced_signs(keywords: int, weeks: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """±1 per keyword and week: every row sums to 0, and rows 2i and 2i+1 are each other's opposites."""
    half = np.repeat([1.0, -1.0], weeks // 2)
    first = rng.permuted(np.tile(half, ((keywords + 1) // 2, 1)), axis=1)
    both = np.stack([first, -first], axis=1).reshape(-1, weeks)
    signs: npt.NDArray[np.float64] = both[:keywords]
    return signs


def _steps(keys: pd.Series[Any], bids: Floats) -> pd.DataFrame:
    """One row per keyword and week from bids (keywords, weeks + 1)."""
    keywords, weeks = bids.shape
    return pd.DataFrame(
        {
            "entity_key": np.repeat(keys.astype(str).to_numpy(), weeks),
            "week": np.tile(np.arange(weeks), keywords),
            "bid": bids.ravel(),
        }
    )


def _experiment(
    found: _Candidates,
    members: pd.DataFrame,
    steps: pd.DataFrame,
    dithered: Choice,
    ramped: _Ramped,
    result: ReviewResult,
    settings: Settings,
    rng: np.random.Generator,
) -> Experiment:
    told, trial, looks = result.summary, trial_of(settings), ramped.climbing
    part = exploration.take(found.subjects, np.flatnonzero(dithered.tested))
    spend = float(exploration.extra_spend(part, trial.dither).sum() + looks.clicks @ looks.cpc)
    return Experiment(
        id=suggestion_id(told.account, told.as_of, "account", "experiment"),
        account=told.account,
        as_of=told.as_of,
        last_day=told.as_of + timedelta(days=trial.days - 1),
        weeks=settings.exploration.weeks,
        cost=_stated_cost(found, dithered, looks, trial, result, rng),
        extra_spend=spend,
        value=dithered.value + float(ramped.value.sum()),
        members=check_table(members, EXPERIMENT_MEMBERS),
        steps=check_table(steps, EXPERIMENT_STEPS),
    )


def _stated_cost(
    found: _Candidates,
    dithered: Choice,
    looks: ramps.Looks,
    trial: Trial,
    result: ReviewResult,
    rng: np.random.Generator,
) -> Interval:
    """Expected cost per day, net of what ramped keywords bring, with the interval of joint draws."""
    row, draws = np.flatnonzero(dithered.tested), int(result.context["draws"])
    part = exploration.take(found.subjects, row)
    volume = gamma_of(found.plan.iloc[row], "volume")
    drawn = exploration.draw_dither_cost(part, trial.dither, volume, draws, rng)
    level = float(result.context["shocks"]["completion"])
    drawn = drawn + ramps.draw_net_cost(looks, level, draws, rng)
    mean = float(exploration.dither_cost(part, trial.dither).sum() + ramps.net_cost(looks).sum())
    tail = (1 - float(result.context["interval"])) / 2
    low, high = np.quantile(drawn - drawn.mean(), [tail, 1 - tail]) + mean
    return Interval(mean, float(low), float(high))
