"""How an account did lately, beside the period before, and why it moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from optimizer.errors import RefusedInput
from optimizer.outcomes.kpis import (
    AGAINST,
    Against,
    Figure,
    Lag,
    Lateness,
    Span,
    completed_days,
    daily_figures,
    figures,
    inside,
    keyword_sums,
    luck,
    spans,
    worth_of,
)
from optimizer.outcomes.movement import AMOUNTS, FACTORS, Amount, movement, total_of
from optimizer.planning.month_pace import Pace, month_pace, paced_period
from optimizer.planning.rhythm import account_days
from optimizer.settings import Account, Settings
from optimizer.store.protocol import KeywordDays, RunRecord
from optimizer.tables import Actor
from optimizer.workflows.items import stated_settings
from optimizer.workflows.review_inputs import attribution_basis, telling_batches
from optimizer.workflows.values import plain_record
from optimizer.workflows.workspace import Workspace, newest_day

LONGEST = 182
NAMES = ("campaign_name", "ad_group_name", "keyword_text", "match_type")


@dataclass(frozen=True)
class Mark:
    """Something dated that may have moved the figures: `what` is export, event, or a change of an item.

    `count` rows were exported; `name` is the event's or the item's.
    """

    first: date
    last: date
    what: str
    name: str
    count: int


@dataclass(frozen=True)
class Performance:
    """Figures of the days `now` and of those they are compared with, by name; money in currency.

    `days` and `days_before` (its dates moved onto those of `days`) have them per day. `moved` says per
    keyword, the largest change first, how `amount` changed: names, `before`, `now`, FACTORS, `change`.
    `luck`: half-width of the interval in which profit would differ by chance alone. `pace` is None
    without a budget.
    """

    account: str
    as_of: date
    currency: str
    run_id: str
    amount: Amount
    against: Against
    now: Span
    before: Span
    figures: Mapping[str, tuple[Figure, Figure]]
    days: pd.DataFrame
    days_before: pd.DataFrame
    moved: pd.DataFrame
    totals: tuple[float, float]
    luck: float
    marks: tuple[Mark, ...]
    pace: Pace | None
    untold: tuple[int, int]

    @property
    def factors(self) -> dict[str, float]:
        """What each of FACTORS contributed to the account's change; they add up to it."""
        return {name: float(self.moved[name].sum()) for name in FACTORS}

    def by_campaign(self) -> pd.DataFrame:
        """`moved` summed by campaign, the largest change first."""
        columns = ["before", "now", *FACTORS, "change"]
        return _largest_first(self.moved.groupby("campaign_name", as_index=False)[columns].sum())

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values; of keywords the fifty that moved most."""
        pace = self.pace
        return plain_record(
            {
                "account": self.account,
                "as_of": self.as_of,
                "currency": self.currency,
                "run_id": self.run_id,
                "amount": self.amount,
                "now": asdict(self.now),
                "before": asdict(self.before),
                "figures": {
                    name: {"now": asdict(pair[0]), "before": asdict(pair[1])}
                    for name, pair in self.figures.items()
                },
                "totals": {"before": self.totals[0], "now": self.totals[1]},
                "factors": self.factors,
                "luck": self.luck,
                "campaigns": self.by_campaign(),
                "keywords": self.moved.head(50),
                "marks": [asdict(each) for each in self.marks],
                "days_without_reports": {"now": self.untold[0], "before": self.untold[1]},
                "pace": None
                if pace is None
                else {
                    **vars(pace.period),
                    "so_far": pace.so_far,
                    "until": pace.until,
                    "alert": pace.alert,
                    "days": pace.days,
                },
            }
        )


def performance(
    workspace: Workspace,
    account: str,
    actor: Actor,
    *,
    days: int = 28,
    against: Against = "previous",
    amount: Amount = "profit",
) -> Performance:
    """The last `days` that reports tell of, beside the days before them or of a year (52 weeks) ago.

    Margins, completion and budget are those of the newest review. Raises `NotFound` without one,
    `RefusedInput` for a period, comparison or amount that there is not.
    """
    actor.require("viewer", account)
    _refuse_unknown(days, against, amount)
    run, day = workspace.store.latest_run(account), newest_day(workspace, account)
    now, before = spans(day, days, against)
    settings = stated_settings(workspace, account, day)[0]
    reach = max((day - before.first).days, settings.estimation.window_days)
    known = workspace.store.keyword_days(account, day, reach)
    late = _lateness(workspace, run, day)
    plan = workspace.store.run_frames(run.run_id)["plan"]
    worth = worth_of(plan, known.daily["entity_key"].to_numpy(np.int64))
    told = completed_days(_since(known.daily, before.first), day, late, worth)
    pair = figures(told, now, day, late), figures(told, before, day, late)
    shift = (now.first - before.first).days
    drawn = daily_figures(told, now), daily_figures(told, before, shift)
    moved, totals = _moved(told, now, before, known, worth, amount)
    zone = ZoneInfo(settings.account.time_zone)
    return Performance(
        account,
        day,
        workspace.store.account(account).currency,
        run.run_id,
        amount,
        against,
        now,
        before,
        {name: (pair[0][name], pair[1][name]) for name in pair[0]},
        *drawn,
        moved,
        totals,
        luck(told, (now, before), late),
        (*_exported(workspace, account, now, zone), *_stated(settings.account, now)),
        _pace(known, run, settings, day),
        (_untold(drawn[0]), _untold(drawn[1])),
    )


def _refuse_unknown(days: int, against: str, amount: str) -> None:
    if not 1 <= days <= LONGEST:
        raise RefusedInput("period_length", days=days, longest=LONGEST)
    if against not in AGAINST or amount not in AMOUNTS:
        known = [*AGAINST, *AMOUNTS]
        raise RefusedInput("comparison_unknown", against=against, amount=amount, known=known)


def _lateness(workspace: Workspace, run: RunRecord, day: date) -> Lateness:
    """The lag that the review found; none where reports date conversions to the order."""
    context = run.summary["context"]
    dispersion, interval = context["data"]["dispersion"], context["interval"]
    batches = telling_batches(workspace.store.batches(run.account), day, 1)
    if attribution_basis(list(batches)) == "order":
        at_once = Lag(np.zeros(0), np.zeros(0))
        return Lateness(at_once, at_once, dispersion, interval)
    orders = np.array(context["completion"], dtype=np.float64)
    # Reviews of earlier versions kept the lag of orders alone, and one doubt about all days.
    doubt = [context["shocks"]["completion"]] * len(orders)
    value = np.array(context.get("value_completion", orders), dtype=np.float64)
    return Lateness(
        Lag(orders, np.array(context.get("completion_sd", doubt), dtype=np.float64)),
        Lag(value, np.array(context.get("value_completion_sd", doubt), dtype=np.float64)),
        dispersion,
        interval,
    )


def _since(daily: pd.DataFrame, first: date) -> pd.DataFrame:
    return daily[daily["last_day"] >= pd.Timestamp(first)]


def _moved(
    told: pd.DataFrame,
    now: Span,
    before: Span,
    known: KeywordDays,
    worth: pd.DataFrame,
    amount: Amount,
) -> tuple[pd.DataFrame, tuple[float, float]]:
    """The change per keyword with names, and the account's amount before and now."""
    parts = inside(told, before), inside(told, now)
    keys = np.unique(np.concatenate([part["entity_key"].to_numpy(np.int64) for part in parts]))
    was, is_ = (keyword_sums(part, keys) for part in parts)
    kept = worth["kept"].reindex(keys).to_numpy(np.float64)
    change = movement(was, is_, kept, amount)
    each = {
        name: kept * sums.value - sums.cost if amount == "profit" else getattr(sums, amount)
        for name, sums in (("before", was), ("now", is_))
    }
    names = known.names.set_index("entity_key").reindex(keys)[list(NAMES)].reset_index()
    frame = pd.concat([names, change.assign(**each)], axis=1)
    return _largest_first(frame), (total_of(was, kept, amount), total_of(is_, kept, amount))


def _largest_first(frame: pd.DataFrame) -> pd.DataFrame:
    order = frame["change"].abs().sort_values(ascending=False, kind="stable").index
    return frame.loc[order].reset_index(drop=True)


def _untold(days: pd.DataFrame) -> int:
    """Days without any row: no report tells of them."""
    return int(days["cost"].isna().sum())


def _exported(workspace: Workspace, account: str, now: Span, zone: ZoneInfo) -> tuple[Mark, ...]:
    """Exports of changes within the days, by their date in the account's time zone."""
    made = [
        Mark(on, on, "export", "", len(each.suggestion_ids))
        for each in workspace.store.exports(account)
        if now.first <= (on := each.created_at.astimezone(zone).date()) <= now.last
    ]
    return tuple(reversed(made))


def _stated(account: Account, now: Span) -> tuple[Mark, ...]:
    """Events and changes of items that the settings or item files tell of."""
    events = [
        Mark(max(each.start, now.first), min(each.end, now.last), "event", each.name, 0)
        for each in account.events
        if each.start <= now.last and each.end >= now.first
    ]
    changes = [
        Mark(each.day, each.day, each.what, each.item_id, 0)
        for each in account.item_log
        if now.first <= each.day <= now.last
    ]
    return (*events, *changes)


def _pace(known: KeywordDays, run: RunRecord, settings: Settings, day: date) -> Pace | None:
    """Spend of the month against the account's budget per day, or of the period that is stated."""
    budget = float(run.summary["summary"]["budget"])
    period = paced_period(day, budget, settings.account.period_budget)
    if period is None:
        return None
    since = day - timedelta(days=settings.estimation.window_days)
    days = account_days(_since(known.daily, min(since, period.first)))
    return month_pace(days, run.summary["context"], period, settings.account.events)
