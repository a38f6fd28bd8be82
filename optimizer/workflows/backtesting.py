"""The back-test of an account: past weeks forecast from what was known then, held to what came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import pandas as pd

from optimizer.errors import NotFound
from optimizer.outcomes.calibration import days_before
from optimizer.planning.backtest import Backtest
from optimizer.planning.backtest import backtest as score
from optimizer.review.suggestions import ReviewInputs
from optimizer.settings import Settings
from optimizer.tables import Actor
from optimizer.workflows.items import stated_settings
from optimizer.workflows.review_inputs import review_inputs
from optimizer.workflows.values import plain_record
from optimizer.workflows.workspace import (
    Progress,
    Workspace,
    checked_account_name,
    newest_day,
    silent,
)

WEEKS = 8
_RICH = 0.5


@dataclass(frozen=True)
class BacktestReport:
    """A back-test of one account in its currency.

    `frame` has one row per week and amount (spend, clicks, orders, value, profit): first_day, amount,
    mean, low, high (80 %), actual, last_week, proportional, inside, rebuilt, unforeseen, event.
    `scores` by amount: weeks, coverage, bias and error of the forecast and of both rules.
    """

    account: str
    as_of: date
    currency: str
    backtest: Backtest

    @property
    def frame(self) -> pd.DataFrame:
        """One row per week and amount."""
        return self.backtest.frame()

    @property
    def scores(self) -> Mapping[str, Mapping[str, Any]]:
        """By amount."""
        return {amount: asdict(one) for amount, one in self.backtest.scores().items()}

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return plain_record(
            {
                "account": self.account,
                "as_of": self.as_of,
                "currency": self.currency,
                "wait_days": self.backtest.wait_days,
                "scores": self.scores,
                "weeks": [{**asdict(one), "inside": one.inside} for one in self.backtest.weeks],
                "left_out": [
                    {"first_day": day, "reason": code} for day, code in self.backtest.left_out
                ],
            }
        )


def backtest(
    workspace: Workspace,
    account: str,
    actor: Actor,
    *,
    as_of: date | None = None,
    weeks: int = WEEKS,
    seed: int = 0,
    progress: Progress | None = None,
) -> BacktestReport:
    """Back-test the last `weeks` weeks whose orders are in by `as_of`, the newest import's day at the latest.

    Nothing is stored; same data, settings and seed give the same report. Raises `NotFound` without
    data, `RefusedInput("backtest_too_short")` with the first day on which a week could be scored, and
    `RefusedInput("backtest_no_week")`.
    """
    actor.require("viewer", account)
    newest = newest_day(workspace, checked_account_name(account))
    day = min(as_of or newest, newest)
    settings = stated_settings(workspace, account, day)[0]
    known = workspace.store.review_tables(account, day, settings.estimation.window_days)
    now = review_inputs(workspace, known, settings.estimation.window_days)

    def known_on(start: date) -> ReviewInputs | None:
        return _known_on(workspace, now, settings, start)

    told = score(now, day, settings, known_on, weeks=weeks, seed=seed, tell=progress or silent)
    return BacktestReport(account, day, known.account.currency, told)


def _known_on(
    workspace: Workspace, now: ReviewInputs, settings: Settings, day: date
) -> ReviewInputs | None:
    """The account as known on `day`; None where reports of that time tell less than half of it."""
    window = settings.estimation.window_days
    try:
        known = workspace.store.review_tables(now.account, day, window)
    except NotFound:
        return None
    before = days_before(now, day).daily["clicks"].sum()
    if known.daily["clicks"].sum() < _RICH * before or known.daily.empty:
        return None
    return review_inputs(workspace, known, window)
