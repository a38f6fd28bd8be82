"""How past weeks would have been forecast: from what was known on their first morning, at the bids then run.

A week is scored once nearly all of its orders are in; what is still to come is added by the account's
own F(age). Beside the forecast stand two rules that need no model: the week before once more, and the
four weeks before in proportion to the bids.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from optimizer.errors import Infeasible, RefusedInput
from optimizer.estimates.exposure import day_number
from optimizer.estimates.posteriors import Floats
from optimizer.estimates.seasonality import event_days, phases
from optimizer.outcomes.calibration import days_before
from optimizer.planning.flows import present_bids
from optimizer.planning.forecast import forecast_days
from optimizer.planning.rhythm import account_days, learn_rhythm
from optimizer.review.beliefs import estimate_beliefs
from optimizer.review.daily import attribution_window, review_account
from optimizer.review.maturity import Maturity
from optimizer.review.suggestions import ReviewInputs
from optimizer.settings import Account, Settings

AMOUNTS = ("spend", "clicks", "orders", "value", "profit")
RIVALS = ("last_week", "proportional")
WEEK = 7
HISTORY = 28
INTERVAL = 0.8
_WISHES = ("daily_budget", "period_budget", "campaign_floors", "target", "campaign_targets")
Then = Callable[[date], ReviewInputs | None]
"""The account as known on a day; None where no report of that time tells enough."""


@dataclass(frozen=True)
class WeekScore:
    """One amount of one week, account currency: forecast with its 80 % interval, and what came.

    `last_week` and `proportional` are the two rules. `rebuilt`: no report of that time exists, so the
    forecast rests on the days before as they are known now. `unforeseen` is the share of the week's
    cost that went to keywords nobody knew before; they are in no figure. `event`: whether a sale that
    the settings name touches the week.
    """

    first_day: date
    amount: str
    mean: float
    low: float
    high: float
    actual: float
    last_week: float
    proportional: float
    rebuilt: bool
    unforeseen: float
    event: bool

    @property
    def inside(self) -> bool:
        """Whether what came lies in the interval."""
        return self.low <= self.actual <= self.high


@dataclass(frozen=True)
class AmountScore:
    """All weeks of one amount.

    `coverage` is the share of intervals that held. Biases are sums of forecasts over sums of what
    came, less 1; errors are sums of absolute misses over sums of absolute outcomes; None over nothing.
    """

    weeks: int
    coverage: float
    bias: float | None
    error: float | None
    last_week_bias: float | None
    last_week_error: float | None
    proportional_bias: float | None
    proportional_error: float | None


@dataclass(frozen=True)
class Backtest:
    """Scores by week and amount; `left_out` weeks with the reason's code; `wait_days` until a week is scored."""

    weeks: tuple[WeekScore, ...]
    left_out: tuple[tuple[date, str], ...]
    wait_days: int

    def scores(self) -> dict[str, AmountScore]:
        """By amount, over all weeks."""
        return {
            amount: amount_score([one for one in self.weeks if one.amount == amount])
            for amount in AMOUNTS
        }

    def frame(self) -> pd.DataFrame:
        """One row per week and amount, the newest week last."""
        rows = [{**asdict(one), "inside": one.inside} for one in self.weeks]
        return pd.DataFrame(rows).astype({"first_day": "datetime64[s]"})


def backtest(
    now: ReviewInputs,
    as_of: date,
    settings: Settings,
    known_on: Then,
    *,
    weeks: int = 8,
    draws: int = 400,
    seed: int = 0,
    tell: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> Backtest:
    """Forecast the last `weeks` weeks whose orders are in by `as_of`, each from `known_on` its first day.

    Raises `RefusedInput("backtest_too_short")` with the first day on which a week could be scored, and
    `RefusedInput("backtest_no_week")` where no week could, with the reason of the last one. `tell` hears
    of the step "backtest".
    """
    if weeks < 1:
        raise RefusedInput("backtest_weeks", weeks=weeks)
    belief = estimate_beliefs(now, settings, as_of)
    wait = attribution_window(settings, belief.maturity)
    starts = week_starts(now, as_of, wait, weeks)
    scored: list[WeekScore] = []
    left_out: list[tuple[date, str]] = []
    for done, start in enumerate(starts):
        tell("backtest", done, len(starts))
        try:
            found = _week(now, as_of, settings, belief.maturity, known_on, start, draws, seed)
        except (RefusedInput, Infeasible) as error:
            left_out.append((start, error.code))
        else:
            scored += found
    tell("backtest", len(starts), len(starts))
    if not scored:
        raise RefusedInput("backtest_no_week", account=now.account, reason=left_out[-1][1])
    return Backtest(tuple(scored), tuple(left_out), wait)


def week_starts(now: ReviewInputs, as_of: date, wait: int, weeks: int) -> list[date]:
    """First days of the last `weeks` weeks that ended `wait` days ago and have four weeks before them."""
    first = now.daily["first_day"].min().date() + timedelta(days=HISTORY)
    last = as_of - timedelta(days=wait + WEEK)
    count = min(weeks, (last - first).days // WEEK + 1)
    if count < 1:
        raise RefusedInput(
            "backtest_too_short",
            account=now.account,
            feasible=first + timedelta(days=WEEK + wait),
        )
    return [last - timedelta(days=WEEK * ago) for ago in range(count - 1, -1, -1)]


def amount_score(weeks: Sequence[WeekScore]) -> AmountScore:
    """Coverage, biases and errors of one amount."""
    came = np.array([one.actual for one in weeks])
    told = {name: np.array([getattr(one, name) for one in weeks]) for name in ("mean", *RIVALS)}
    biases = {name: _over(float((each - came).sum()), came.sum()) for name, each in told.items()}
    errors = {
        name: _over(float(np.abs(each - came).sum()), np.abs(came).sum())
        for name, each in told.items()
    }
    return AmountScore(
        len(weeks),
        float(np.mean([one.inside for one in weeks])),
        biases["mean"],
        errors["mean"],
        biases["last_week"],
        errors["last_week"],
        biases["proportional"],
        errors["proportional"],
    )


def _over(amount: float, whole: float) -> float | None:
    return amount / float(whole) if whole > 0 else None


def _week(
    now: ReviewInputs,
    as_of: date,
    settings: Settings,
    maturity: Maturity,
    known_on: Then,
    start: date,
    draws: int,
    seed: int,
) -> list[WeekScore]:
    """The week's five amounts. Raises `RefusedInput` or `Infeasible` where it cannot be told."""
    _require_whole(now.daily, start)
    then = known_on(start)
    rebuilt = then is None
    told, day = (_rebuilt(now, start), as_of) if then is None else (then, start)
    rng = np.random.default_rng([seed, start.toordinal()])
    result = review_account(told, _without_wishes(settings), day, rng)
    plan, context = result.frames["plan"], result.context
    rhythm = learn_rhythm(account_days(told.daily), context, settings.account.events)
    bids = present_bids(plan) * bid_ratio(now.bid_changes, plan["entity_key"], start)
    forecast = forecast_days(
        plan, context, rhythm, start, WEEK, bids=bids, draws=draws, seed=seed + start.toordinal()
    )
    count = _Counting(plan, maturity)
    came = count.sums(now.daily, start, WEEK, as_of)
    end = _end_of_known(told.daily, start)
    before = count.sums(told.daily, end - timedelta(days=WEEK), WEEK, day)
    month = count.sums(told.daily, end - timedelta(days=HISTORY), HISTORY, day)
    scale = WEEK / HISTORY * _mean_move(plan, bids)
    rules = {name: (before[name], month[name] * scale) for name in AMOUNTS}
    unforeseen, event = count.unforeseen(now.daily, start), _event(settings, start)
    return [
        WeekScore(
            start,
            amount,
            *forecast.interval(amount, INTERVAL),
            came[amount],
            *rules[amount],
            rebuilt=rebuilt,
            unforeseen=unforeseen,
            event=event,
        )
        for amount in AMOUNTS
    ]


def _end_of_known(daily: pd.DataFrame, start: date) -> date:
    """The day after the newest that reports tell, at most `start`: the rules' days end there."""
    newest = daily["last_day"].max()
    return start if pd.isna(newest) else min(start, (newest + pd.Timedelta(days=1)).date())


def _without_wishes(settings: Settings) -> Settings:
    """`settings` without money and targets to be reached: what came was not bid for them.

    A forecast at given bids solves for nothing, and a budget that today's steps cannot come down to
    would refuse the week. Campaigns' budgets stay: platforms stop the day at them.
    """
    none = {name: Account.model_fields[name].get_default() for name in _WISHES}
    return settings.model_copy(update={"account": settings.account.model_copy(update=none)})


def _rebuilt(now: ReviewInputs, start: date) -> ReviewInputs:
    """The days before `start` as known now, at the bids that were in force on its eve."""
    before = days_before(now, start)
    on_eve = bid_on(now.bid_changes, now.keywords["entity_key"], start - timedelta(days=1))
    bid = np.where(np.isnan(on_eve), before.keywords["bid"].astype("float64"), on_eve)
    return replace(before, keywords=before.keywords.assign(bid=bid))


def bid_on(changes: pd.DataFrame, entity_key: pd.Series[int], day: date) -> Floats:
    """Each keyword's bid in force on `day`; nan where none is known by then."""
    known = changes[changes["day"] <= pd.Timestamp(day)].sort_values("day", kind="stable")
    last = known.groupby("entity_key")["bid"].last()
    found: Floats = last.reindex(entity_key).to_numpy(dtype=np.float64)
    return found


def bid_ratio(changes: pd.DataFrame, entity_key: pd.Series[int], start: date) -> Floats:
    """Mean bid of the week from `start` over the bid on its eve; 1 where either is unknown or it was off."""
    eve = bid_on(changes, entity_key, start - timedelta(days=1))
    days = [bid_on(changes, entity_key, start + timedelta(days=ahead)) for ahead in range(WEEK)]
    mean = np.mean(days, axis=0)
    known = np.isfinite(mean) & (eve > 0)
    ratio: Floats = np.divide(mean, eve, out=np.ones(len(eve)), where=known)
    return ratio


def _mean_move(plan: pd.DataFrame, bids: Floats) -> float:
    """How far the bids moved on average, each as much as its keyword costs."""
    cost = (plan["clicks"] * plan["cpc"]).to_numpy(dtype=np.float64)
    ratio = bids / present_bids(plan)
    return float((cost * ratio).sum() / cost.sum()) if cost.sum() > 0 else 1.0


def _require_whole(daily: pd.DataFrame, start: date) -> None:
    """Raise `RefusedInput` unless records tell each day of the week, and none reaches out of it."""
    first, last = pd.Timestamp(start), pd.Timestamp(start + timedelta(days=WEEK - 1))
    touching = daily[(daily["first_day"] <= last) & (daily["last_day"] >= first)]
    if ((touching["first_day"] < first) | (touching["last_day"] > last)).any():
        raise RefusedInput("week_in_longer_period", week=start)
    spans = touching[["first_day", "last_day"]].drop_duplicates().to_numpy("datetime64[D]")
    told = {day for one in spans for day in np.arange(one[0], one[1] + 1)}
    if len(told) < WEEK:
        raise RefusedInput("week_with_gaps", week=start)


@dataclass(frozen=True)
class _Counting:
    """Sums of the plan's keywords, orders and value as they will be once all are in."""

    plan: pd.DataFrame
    maturity: Maturity

    def sums(self, daily: pd.DataFrame, start: date, days: int, known_on: date) -> dict[str, float]:
        """`AMOUNTS` of `days` days from `start`, as known on a day."""
        rows = _within(daily, start, days)
        place = pd.Index(self.plan["entity_key"]).get_indexer(pd.Index(rows["entity_key"]))
        rows, place = rows[place >= 0], place[place >= 0]
        age = (
            day_number(known_on)
            - 1
            - rows["last_day"].to_numpy().astype("datetime64[D]").astype(int)
        )
        orders = rows["conversions"].to_numpy(dtype=np.float64)
        # A report without values: the review's own belief of what an order is worth.
        stated = orders * self._column("per_conversion_mean")[place]
        value = rows["value"].to_numpy(dtype=np.float64)
        value = np.where(np.isnan(value), stated, value) / self._known(self.maturity.value, age)
        cost = float(rows["cost"].sum())
        return {
            "spend": cost,
            "clicks": float(rows["clicks"].sum()),
            "orders": float((orders / self._known(self.maturity.count, age)).sum()),
            "value": float(value.sum()),
            "profit": float((value * self._kept()[place]).sum()) - cost,
        }

    def unforeseen(self, daily: pd.DataFrame, start: date) -> float:
        """Share of the week's cost of keywords that the plan does not know."""
        rows = _within(daily, start, WEEK)
        new = ~rows["entity_key"].isin(self.plan["entity_key"])
        total = float(rows["cost"].sum())
        return float(rows.loc[new, "cost"].sum()) / total if total > 0 else 0.0

    def _known(self, completion: Any, age: Any) -> Floats:
        """Share of a day's orders that reports know; order-dated days are whole at once."""
        if self.maturity.basis == "order":
            return np.ones(len(age))
        known: Floats = np.maximum(completion.at(age), 1e-3)
        return known

    def _kept(self) -> Floats:
        """What is left of a unit of value: margin, refunds and what the settings say of an order."""
        value = self._column("rate_mean") * self._column("per_conversion_mean")
        worth = self._column("value_mean")
        return np.divide(worth, value, out=np.zeros_like(worth), where=value > 0)

    def _column(self, name: str) -> Floats:
        return self.plan[name].to_numpy(dtype=np.float64)


def _within(daily: pd.DataFrame, start: date, days: int) -> pd.DataFrame:
    last = pd.Timestamp(start + timedelta(days=days - 1))
    return daily[(daily["first_day"] >= pd.Timestamp(start)) & (daily["last_day"] <= last)]


def _event(settings: Settings, start: date) -> bool:
    day = day_number(start) + np.arange(WEEK)
    return bool(phases(day, event_days(settings.account.events)).any())
