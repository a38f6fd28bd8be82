"""One policy living in one market: what it earned day by day, and what it promised on the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from optimizer.errors import Infeasible, RefusedInput
from optimizer.planning.history import MarketHistory
from optimizer.planning.market import Log, Market, MarketSettings, join_logs, make_market
from optimizer.planning.market.days import simulate_day
from optimizer.planning.market.expectation import earned, expected_on, realised
from optimizer.planning.policies import Optimizer, Policy, PolicySettings, make_policy
from optimizer.planning.policies.reviewing import Promise
from optimizer.settings import Settings
from optimizer.tables import MICROS

START = date(2026, 5, 4)
"""A Monday, six weeks before the sale of June."""
AHEAD_DAYS = 7
_CENT = 0.005


@dataclass(frozen=True)
class Task:
    """What one life is made of; all of it can be sent to another process."""

    name: str
    market: MarketSettings
    policy: str
    seed: int
    days: int
    settings: Settings
    rules: PolicySettings


@dataclass(frozen=True)
class Life:
    """Per day (arrays): `earned` profit without the luck of single orders, `realised` with it, `cost`.

    `budget` per day, None without one; `breaches` days that cost more; `pauses`, and how many of them
    stopped a keyword that earned money at its bid. `promises` (reviews, 4): profit per day that a
    review promised, its interval's low and high, and what following it truly brings; nan without.
    """

    earned: np.ndarray
    realised: np.ndarray
    cost: np.ndarray
    budget: float | None
    breaches: int
    pauses: int
    false_pauses: int
    promises: np.ndarray


def check_market(name: str, settings: MarketSettings, days: int) -> None:
    """Raise `Infeasible` where the market has not enough days for a life and the week after it."""
    last = settings.size.horizon_days - AHEAD_DAYS
    if days > last:
        raise Infeasible("market_too_short", market=name, asked=days, nearest=last)


def live(task: Task) -> Life:
    """From nothing: the market's start bids, no history. The same task gives the same life to the bit."""
    market = make_market(task.market, START, np.random.default_rng(task.seed))
    policy = make_policy(task.policy, market, task.settings, task.rules)
    log = lived(market, policy, task.days, task.seed)
    return told(market, policy, log)


def lived(market: Market, policy: Policy, days: int, seed: int) -> Log:
    """`days` mornings of deciding and days of trading; each day's luck depends on seed and day alone."""
    bids, logs = np.asarray(market.start_bids), list[Log]()
    for number in range(days):
        today = market.first_day + timedelta(days=number)
        history = MarketHistory(market, today, bids, logs)
        rng = np.random.default_rng([seed, number, 1])
        bids = checked(policy.decide(history, today, rng), len(market.keywords))
        logs.append(simulate_day(market, bids, today, np.random.default_rng([seed, number])))
    return join_logs(logs)


def checked(bids: np.ndarray, keywords: int) -> np.ndarray:
    """`bids` as numbers; raises `RefusedInput` unless there is one finite bid of 0 or more per keyword."""
    numbers = np.asarray(bids, dtype=np.float64)
    if numbers.shape != (keywords,) or not (np.isfinite(numbers) & (numbers >= 0)).all():
        raise RefusedInput("bids_invalid", keywords=keywords)
    return numbers


def told(market: Market, policy: Policy, log: Log) -> Life:
    """What the market's truth says of the days in `log` that `policy` made."""
    cost = np.bincount(log.rows.day - log.start, log.rows.cost_micros, log.days) / MICROS
    pauses, false_pauses = _pauses(market, log)
    promised = policy.promises if isinstance(policy, Optimizer) else []
    limited = bool(np.isfinite(market.account_budget))
    return Life(
        earned=earned(log),
        realised=realised(log),
        cost=cost,
        budget=market.account_budget if limited else None,
        breaches=int((cost > market.account_budget + _CENT).sum()),
        pauses=pauses,
        false_pauses=false_pauses,
        promises=np.array([_kept(market, one) for one in promised]).reshape(-1, 4),
    )


def _pauses(market: Market, log: Log) -> tuple[int, int]:
    """How often a bid was set to 0, and how often of a keyword that earned money the day before."""
    pauses = false_pauses = 0
    before = np.asarray(market.start_bids)
    for number, bids in enumerate(log.bids):
        stopped = (before > 0) & (bids == 0)
        if stopped.any():
            day = market.first_day + timedelta(days=log.start + number)
            profit = expected_on(market, before, day).profit
            pauses += int(stopped.sum())
            false_pauses += int((stopped & (profit > 0)).sum())
        before = bids
    return pauses, false_pauses


def _kept(market: Market, promise: Promise) -> list[float]:
    days = [promise.day + timedelta(days=ahead) for ahead in range(AHEAD_DAYS)]
    before, after = (
        np.mean([expected_on(market, bids, day).profit.sum() for day in days])
        for bids in (promise.before, promise.after)
    )
    told = promise.promised
    return [told.mean, told.low, told.high, float(after - before)]
