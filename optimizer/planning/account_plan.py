"""A scenario on an account: frontier, best split, the sale ahead and the month, from one review's beliefs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from optimizer.errors import Infeasible
from optimizer.estimates.exposure import day_number
from optimizer.estimates.posteriors import Floats
from optimizer.planning.choices import Choices, beyond_share, plan_choices, seen_bids
from optimizer.planning.events import (
    EventPlan,
    EventShapes,
    event_effects,
    learn_event,
    phase_of,
    planned_event,
)
from optimizer.planning.flows import expected_flows, present_bids
from optimizer.planning.forecast import (
    DayEffects,
    DayForecast,
    campaign_caps,
    day_index,
    forecast_days,
)
from optimizer.planning.frontier import SHARES, Limits, Solved, frontier, solve_plan, split
from optimizer.planning.pacing import (
    Landing,
    Period,
    checked_period,
    corridor,
    day_budgets,
    day_shares,
    demand_level,
    land,
    month_of,
    refuse_out_of_reach,
    spent_in,
)
from optimizer.planning.rhythm import Rhythm, account_days, learn_rhythm
from optimizer.planning.scenarios import Scenario, assumed_inputs, checked_scenario

Context = Mapping[str, Any]
_HALVINGS = 30


@dataclass(frozen=True)
class Believed:
    """What a review believes of an account, and the days it rests on.

    `context` is the run's, with `items` (ids by the plan's item numbers); `daily` as KEYWORD_DAILY,
    `changes` as BID_CHANGES; `kept` entity keys that somebody locked.
    """

    plan: pd.DataFrame
    context: Context
    daily: pd.DataFrame
    changes: pd.DataFrame
    kept: frozenset[int]
    events: tuple[Any, ...] = ()

    @property
    def today(self) -> date:
        """The review's day: days before it are over."""
        return date.fromisoformat(self.context["as_of"])

    @property
    def cost_now(self) -> float:
        """What a day costs at the present bids."""
        return float((self.plan["clicks"] * self.plan["cpc"]).sum())


@dataclass(frozen=True)
class MonthPlan:
    """A month's target: corridor by day (`path`, `low`, `high`, and cumulative `actual`, `mean`,
    `mean_low`, `mean_high` where known or forecast), and where it lands."""

    period: Period
    so_far: float
    landing: Landing
    days: pd.DataFrame


@dataclass(frozen=True)
class AccountPlan:
    """The answer to a scenario; `frontier` and splits as `planning.frontier` has them.

    `budget` per day is what was planned with, `bids` one per keyword, `sale` the days of a sale ahead
    with and without it, `assumed` codes of what nobody measured, `alerts` codes with fields.
    """

    scenario: Scenario
    budget: float
    dual_price: float
    bids: Floats
    frontier: pd.DataFrame
    campaigns: pd.DataFrame
    items: pd.DataFrame
    event: EventPlan | None
    sale: pd.DataFrame | None
    month: MonthPlan | None
    assumed: tuple[str, ...]
    alerts: tuple[dict[str, Any], ...]


def plan_account(
    believed: Believed,
    scenario: Scenario,
    shapes: EventShapes,
    *,
    budgets: tuple[float, ...] = (),
    draws: int = 400,
    seed: int = 0,
) -> AccountPlan:
    """The plan of `scenario`. Same beliefs, scenario and seed: the same bits.

    Raises `RefusedInput` and `Infeasible` naming what cannot be, and the nearest that can.
    """
    plan, context = believed.plan, believed.context
    scenario = checked_scenario(scenario, believed.cost_now, _names(context))
    rhythm = learn_rhythm(account_days(believed.daily), context, believed.events)
    event = _event(believed, scenario, shapes, rhythm)
    choices = plan_choices(plan, context, scenario.locks, believed.kept)
    month = None
    if scenario.month is not None:
        month, scenario = _month(believed, scenario, rhythm, event, choices, draws, seed)
    budget = _budget(believed, scenario)
    limits = Limits(budget, scenario.bounds, scenario.roas, scenario.cpa)
    spend_all = scenario.month is not None
    solved = solve_plan(plan, context, choices, limits, spend_all=spend_all)
    seen = seen_bids(plan, believed.changes, float(context["rules"]["step_limit"]))
    told = frontier(
        plan,
        context,
        choices,
        [*(budgets or [share * believed.cost_now for share in SHARES]), budget],
        limits,
        solved,
        seen,
        (rhythm.spend_low, rhythm.spend_high),
        draws=draws,
        seed=seed,
        interval=float(context["interval"]),
    )
    beyond = beyond_share(plan, solved.bids, choices.share, seen)
    learned = None if event is None else event.learned
    return AccountPlan(
        scenario,
        budget,
        solved.dual_price,
        solved.bids,
        told,
        split(plan, context, choices, solved),
        split(plan, context, choices, solved, by="item"),
        event,
        None
        if event is None
        else _sale(believed, solved, rhythm, event, scenario, budget, draws, seed),
        month,
        tuple(assumed_inputs(context, beyond, learned)),
        tuple(_alerts(believed, choices, solved, budget, month)),
    )


def _names(context: Context) -> list[str]:
    named = [node["name"] for node in context["budgets"] if node["scope"] == "campaign"]
    return [*named, *context.get("items", ())]


def _budget(believed: Believed, scenario: Scenario) -> float:
    if scenario.budget is not None:
        return scenario.budget
    return float(believed.context["budgets"][0]["budget"])


def _event(
    believed: Believed, scenario: Scenario, shapes: EventShapes, rhythm: Rhythm
) -> EventPlan | None:
    wish = scenario.event
    if wish is None:
        return None
    found = planned_event(
        wish.name,
        shapes,
        believed.today,
        scenario.days,
        start=wish.start,
        end=wish.end,
        stated=wish.multipliers,
    )
    return learn_event(found, account_days(believed.daily), rhythm, wish.multipliers)


def _alerts(
    believed: Believed,
    choices: Choices,
    solved: Solved,
    budget: float,
    month: MonthPlan | None,
) -> list[dict[str, Any]]:
    cost = float(choices.flows(believed.plan, solved.bids).cost.sum())
    found: list[dict[str, Any]] = []
    if cost < 0.98 * budget:
        found.append({"code": "budget_not_needed", "budget": budget, "cost": cost})
    return [*found, *(month.landing.alarms if month else ())]


# the sale ahead


def _sale(
    believed: Believed,
    solved: Solved,
    rhythm: Rhythm,
    event: EventPlan,
    scenario: Scenario,
    budget: float,
    draws: int,
    seed: int,
) -> pd.DataFrame:
    """Per day ahead its `phase` and mean spend, orders and profit with ends, and without the sale.

    The plan's `budget` stops each day, but in a month's plan, which moves money to the days of a sale;
    `wanted` is what the day would spend without it.
    """
    days, rng = scenario.days, np.random.default_rng([seed, 2])
    effects = event_effects(event, believed.today, days, draws, rng)
    ahead = partial(
        forecast_days,
        believed.plan,
        believed.context,
        rhythm,
        believed.today,
        days,
        bids=solved.bids,
        budget=budget if scenario.month is None else None,
        caps=_no_caps(believed),
        draws=draws,
        seed=seed,
    )
    with_sale, without = ahead(effects=effects), ahead()
    frame = pd.DataFrame({"day": pd.date_range(believed.today, periods=days, freq="D")})
    phase = phase_of(day_index(believed.today, days), event.event)
    frame["phase"] = np.array(["warmup", "burst", "after", ""])[phase]
    frame["wanted"] = with_sale.wanted.mean(axis=0)
    for name in ("spend", "orders", "profit"):
        sample = getattr(with_sale, name)
        low, high = np.quantile(sample, [0.1, 0.9], axis=0)
        usual = getattr(without, name).mean(axis=0)
        frame = frame.assign(
            **{name: sample.mean(axis=0), f"{name}_low": low, f"{name}_high": high},
            **{f"{name}_usual": usual},
        )
    return frame


def _no_caps(believed: Believed) -> Floats:
    """A plan chooses the campaigns' budgets, so the present ones do not stop its days."""
    return np.full(int(believed.plan["campaign"].max()) + 1, np.inf)


# the month


def _month(
    believed: Believed,
    scenario: Scenario,
    rhythm: Rhythm,
    event: EventPlan | None,
    choices: Choices,
    draws: int,
    seed: int,
) -> tuple[MonthPlan, Scenario]:
    """The month's plan, and the scenario with the budget per day that it asks of the rest."""
    wish = scenario.month
    assert wish is not None
    period = checked_period(month_of(believed.today, wish.kind, wish.amount), believed.today)
    seen = spent_in(period, account_days(believed.daily))
    first = _first_unknown(period, seen)
    rest = (period.last - first).days + 1
    so_far = _so_far(believed, seen, period)
    level = _level(believed, period, rhythm)
    usual = rhythm.spend_index(day_index(period.first, period.days))
    shares = day_shares(usual * _mean_effect(event, period))
    path = corridor(period, shares)
    if rest <= 0:
        done = land(period, so_far, None, path, shares, level, believed.context["interval"])
        frame = _month_days(believed, period, path, seen, None)
        return MonthPlan(period, so_far, done, frame), scenario
    strength = usual[-rest:] * _mean_effect(event, period)[-rest:] * level[0]
    budget, solved = _rest_budget(believed, scenario, choices, period, so_far, strength)
    spending = period.kind == "spend"
    budgets = day_budgets(period.amount - so_far, shares[-rest:]) if spending else None
    effects = _effects(event, first, rest, level, draws, seed)
    ahead = forecast_days(
        believed.plan,
        believed.context,
        rhythm,
        first,
        rest,
        bids=solved.bids,
        budget=budgets,
        caps=_no_caps(believed),
        effects=effects,
        draws=draws,
        seed=seed,
    )
    landing = land(period, so_far, ahead, path, shares, level, believed.context["interval"])
    if not spending:
        landing = replace(landing, per_day=budget, today=budget)
    frame = _month_days(believed, period, path, seen, ahead)
    return MonthPlan(period, so_far, landing, frame), scenario.model_copy(update={"budget": budget})


def _first_unknown(period: Period, seen: pd.DataFrame) -> date:
    """The day after the last that reports tell of; a day between them without any record cost nothing."""
    if seen.empty:
        return period.first
    ago = int(seen["day"].max()) - day_number(period.first)
    return period.first + timedelta(days=ago + 1)


def _so_far(believed: Believed, seen: pd.DataFrame, period: Period) -> float:
    """Spend as reported; orders and value as their clicks will end, by the run's completion."""
    if seen.empty:
        return 0.0
    return float(_daily_amount(believed, seen, period).sum())


def _daily_amount(believed: Believed, seen: pd.DataFrame, period: Period) -> Floats:
    cost = seen["cost"].to_numpy(dtype=np.float64)
    if period.kind == "spend":
        return cost
    share = np.array([*believed.context["completion"], 1.0])
    age = day_number(believed.today) - 1 - seen["day"].to_numpy(dtype=np.int64)
    done = np.maximum(share[np.clip(age, 0, len(share) - 1)], 0.1)
    orders: Floats = seen["conversions"].to_numpy(dtype=np.float64)
    due: Floats = orders / done
    if period.kind == "orders":
        return due
    now = expected_flows(believed.plan, present_bids(believed.plan))
    stated = seen["value"].to_numpy(dtype=np.float64)
    # Reports without values: the review's own belief of what an order is worth.
    each = float(now.value.sum() / max(now.orders.sum(), 1e-12))
    value: Floats = np.where(np.isnan(stated), orders * each, stated) / done
    if period.kind == "value":
        return value
    kept = float(now.margin.sum() / max(now.value.sum(), 1e-12))
    result: Floats = kept * value - cost
    return result


def _level(believed: Believed, period: Period, rhythm: Rhythm) -> tuple[float, float, int]:
    """Demand of the month's campaign-days over what the review expects of them."""
    plan = believed.plan
    campaign = pd.Series(plan["campaign"].to_numpy(), index=plan["entity_key"].to_numpy())
    daily = believed.daily[believed.daily["first_day"] == believed.daily["last_day"]]
    day = daily["first_day"].to_numpy().astype("datetime64[D]").astype(np.int64)
    number = daily["entity_key"].map(campaign).to_numpy(dtype=np.float64, na_value=np.nan)
    inside = (day >= day_number(period.first)) & ~np.isnan(number)
    frame = pd.DataFrame({"day": day[inside], "campaign": number[inside].astype(np.int64)})
    frame["cost"] = daily["cost"].to_numpy(dtype=np.float64)[inside]
    if frame.empty:
        return demand_level(np.zeros(0), np.zeros(0), np.zeros(0), 0.1)
    told = frame.groupby(["day", "campaign"], as_index=False)["cost"].sum()
    which = told["campaign"].to_numpy()
    cost = (plan["clicks"] * plan["cpc"]).groupby(plan["campaign"]).sum()
    paid = (plan["clicks"] * plan["cpc"] ** 2).groupby(plan["campaign"]).sum()
    usual = cost.to_numpy()[which] * rhythm.spend_index(told["day"].to_numpy())
    noise = (paid / cost**2).to_numpy()[which]
    caps = campaign_caps(believed.context, len(cost))[which]
    return demand_level(told["cost"].to_numpy(), usual, caps, np.sqrt(rhythm.sd**2 + noise))


def _mean_effect(event: EventPlan | None, period: Period) -> Floats:
    """What a sale multiplies the spend of each day of the period by, at its medians."""
    if event is None:
        return np.ones(period.days)
    phase = phase_of(day_index(period.first, period.days), event.event)
    names = ("warmup", "burst", "after")
    each = [
        event.multiples["volume"][one].median * event.multiples["cpc"][one].median for one in names
    ]
    result: Floats = np.array([*each, 1.0])[phase]
    return result


def _effects(
    event: EventPlan | None,
    first: date,
    days: int,
    level: tuple[float, float, int],
    draws: int,
    seed: int,
) -> DayEffects:
    """The sale, and the demand that this month's days have shown, per draw."""
    rng = np.random.default_rng([seed, 3])
    shown = level[0] * np.exp(level[1] * rng.standard_normal((draws, 1)))
    base = DayEffects.none(draws, days)
    if event is not None:
        base = event_effects(event, first, days, draws, rng)
    return DayEffects(base.volume * shown, base.cpc, base.cvr)


def _rest_budget(
    believed: Believed,
    scenario: Scenario,
    choices: Choices,
    period: Period,
    so_far: float,
    strength: Floats,
) -> tuple[float, Solved]:
    """Budget per average day, and its bids, with which the rest of the month reaches its target.

    A spend target is what is left over the days' strength; any other the least budget whose expected
    result does it. Raises `Infeasible` where none does.
    """

    def solved_at(budget: float | None, *, spend_all: bool = True) -> Solved:
        limits = Limits(budget, scenario.bounds, scenario.roas, scenario.cpa)
        return solve_plan(believed.plan, believed.context, choices, limits, spend_all=spend_all)

    def brought(found: Solved) -> float:
        name = {"spend": "cost"}.get(period.kind, period.kind)
        flows = choices.flows(believed.plan, found.bids)
        return float(getattr(flows, name).sum() * strength.sum())

    left = period.amount - so_far
    most = solved_at(None, spend_all=period.kind != "profit")
    refuse_out_of_reach(period, so_far, brought(most))
    if period.kind == "spend":
        budget = max(left, 0.0) / float(strength.sum())
        try:
            return budget, solved_at(max(budget, 1e-9))
        except Infeasible as error:
            raise _month_too_low(period, so_far, error, float(strength.sum())) from error
    high = float(choices.flows(believed.plan, most.bids).cost.sum())
    return _least_budget(solved_at, brought, left, high)


def _month_too_low(period: Period, so_far: float, error: Infeasible, strength: float) -> Infeasible:
    """In the month's money what `error` says of a day's: locks and bounds cost more than what is left."""
    if error.code not in ("locks_above_budget", "bounds_above_budget"):
        return error
    least = so_far + error.fields["nearest"] * strength
    nearest = float(np.ceil(100.0 * least) / 100.0)
    return Infeasible("month_target_too_low", target=period.amount, so_far=so_far, nearest=nearest)


def _least_budget(solved_at: Any, brought: Any, left: float, high: float) -> tuple[float, Solved]:
    """Bisection: what a plan brings rises with its budget up to `high`."""
    low, found = 0.0, solved_at(high)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        try:
            tried = solved_at(middle)
            enough = brought(tried) >= left
        except Infeasible:
            enough = False
        if enough:
            high, found = middle, tried
        else:
            low = middle
        if high - low < 1e-3 * high:
            break
    return high, found


def _month_days(
    believed: Believed,
    period: Period,
    path: pd.DataFrame,
    seen: pd.DataFrame,
    ahead: DayForecast | None,
) -> pd.DataFrame:
    """The corridor with what is known, and the running total of the forecast with its ends."""
    frame = path.assign(actual=np.nan, mean=np.nan, mean_low=np.nan, mean_high=np.nan)
    at = seen["day"].to_numpy(dtype=np.int64) - day_number(period.first)
    so_far = np.zeros(0)
    if len(at):
        per_day = np.zeros(int(at.max()) + 1)
        per_day[at] = _daily_amount(believed, seen, period)
        so_far = np.cumsum(per_day)
        frame.loc[: len(so_far) - 1, "actual"] = so_far
    if ahead is not None:
        start = so_far[-1] if len(so_far) else 0.0
        running = start + np.cumsum(getattr(ahead, period.kind), axis=1)
        low, high = np.quantile(running, [0.1, 0.9], axis=0)
        at_end = slice(period.days - ahead.days, period.days - 1)
        frame.loc[at_end, "mean"] = running.mean(axis=0)
        frame.loc[at_end, "mean_low"], frame.loc[at_end, "mean_high"] = low, high
    return frame
