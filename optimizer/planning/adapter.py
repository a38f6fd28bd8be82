"""Our policy in any simulator that tells yesterday's counts per keyword and takes bids.

from optimizer.planning.adapter import BidAdapter

ours = BidAdapter(100, 500.0, seed=1)     # keywords, daily budget or None, seed
bids = ours.step(None)                    # first day: nothing is known
bids = ours.step(yesterdays_rows)         # then one record per keyword and day
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from optimizer.errors import Infeasible, RefusedInput
from optimizer.estimates.posteriors import Floats
from optimizer.planning.blind_bids import Purse, Total, blind_factor
from optimizer.planning.own_response import with_own_answers
from optimizer.planning.policies.settings import AUTOPILOT
from optimizer.planning.short_chain import (
    Believed,
    Days,
    Reach,
    believe,
    load_kernels,
    one_ad_group,
    solve_bids,
)
from optimizer.settings import Estimation, Guardrails

COLUMNS = ("bid", "impressions", "clicks", "cost", "conversions", "revenue")
STEP = 0.01
HIGHEST = 1e4
ESTIMATION = Estimation(elasticity_mean=1.15, volume_half_life_days=5)
"""Bids here go far below rivals' usual ones, where clicks answer more, and move every day."""
_FIRST_DAYS = 10
_FAST_ORDERS = 3.0
_FIRST_STEPS = (1.0, 0.5)
"""Up and down: whoever starts at one bid for all is far off for most."""
_WORTH_TRYING = 0.5
_CAPPED = 0.95
_SERVED_GUESS = 0.75
_STARVED = 1.0
_SURE_SHARE, _DOUBT = 0.6, 0.3
"""A bid of this share of what a click is worth but for this probability is not waited for."""
_LEAP = 3.0
_SOME_ORDERS = 10.0
"""With fewer, what is believed is the account's luck, and bids that follow it are all alike."""
_KNOWN_ORDERS = 30.0


@dataclass(frozen=True)
class Yesterday:
    """One day's counts in keyword order."""

    bid: Floats
    impressions: Floats
    clicks: Floats
    cost: Floats
    conversions: Floats
    revenue: Floats


class BidAdapter:
    """Bids for `keywords` keywords from nothing but yesterday's rows; a click's profit is revenue − cost.

    `step(rows)` is called once a day: `rows` is None on the first day and afterwards yesterday's
    records, exactly one per keyword, as dicts or a DataFrame with `day, keyword_id, bid, impressions,
    clicks, cost, conversions, revenue`. It returns an array of bids in keyword order: ascending ids
    where they are whole numbers, else the order of the first records. Days of any kind are counted,
    not read. Money is in one currency, bids in hundredths.

    The same rows give the same bids: the policy draws nothing, `seed` is taken so that ours is built like
    others. Bids start at `starting_bid` for all. Until the first order they climb while a keyword has
    less than a click every other day and climbing clearly brings more, about three times what a click
    cost before being the most; they come down after twenty clicks a keyword or a thousand in all without
    one. Bids that nobody sees stop at a hundred times `starting_bid`, all at a fifth of the budget. From
    the first order on the review's arithmetic decides every day, with some hope added while orders are
    few and, without a budget, responses learnt from our own bids; no bid goes beyond what a click is
    believed to be worth. Raises `RefusedInput` for rows or arguments that are none.
    """

    def __init__(
        self,
        keywords: int,
        daily_budget: float | None,
        seed: int,
        *,
        starting_bid: float = 0.1,
        rules: Guardrails = AUTOPILOT,
        estimation: Estimation = ESTIMATION,
    ) -> None:
        _check_arguments(keywords, daily_budget, starting_bid)
        self._keywords, self._budget = int(keywords), daily_budget
        self._seed = seed
        self._rules, self._told = rules, estimation
        self._tree = one_ad_group(self._keywords)
        self._purse = Purse(self._keywords, starting_bid, daily_budget)
        self._bids = np.full(self._keywords, _to_step(np.array([starting_bid]))[0])
        self._ids: list[Hashable] | None = None
        self._past: list[Yesterday] = []
        self._served: list[float] = []
        self._days_seen = self._days_sold = 0
        load_kernels()

    def step(self, rows: Sequence[Mapping[str, Any]] | pd.DataFrame | None) -> Floats:
        """Today's bids."""
        if rows is None:
            return self._bids.copy()
        yesterday = self._read(rows)
        self._days_seen += 1
        self._days_sold += bool(self._days_sold or yesterday.conversions.any())
        self._past = [*self._past, yesterday][-self._told.window_days :]
        self._served = [*self._served, self._share_served(yesterday)][-self._told.window_days :]
        self._bids = self._decided(np.maximum(yesterday.bid, STEP))
        return self._bids.copy()

    def _decided(self, bid: Floats) -> Floats:
        days = self._days()
        try:
            believed = believe(days, bid, self._days_seen, self._tree, self._told)
        except RefusedInput:
            return self._before_any_order(bid)
        return np.maximum(self._solved(self._hopeful(believed, days), bid), self._sure(believed))

    def _hopeful(self, believed: Believed, days: Days) -> Believed:
        """Beliefs with hope while orders are few, and afterwards with what our own bids have taught.

        With a budget days that it ended teach nothing, and the few others less than is assumed.
        """
        value = believed.value.scaled(self._hope())
        if self._orders() < _SOME_ORDERS or self._budget is not None:
            return replace(believed, value=value)
        answered = with_own_answers(believed.response, days, self._told)
        return replace(believed, value=value, response=answered)

    def _sure(self, believed: Believed) -> Floats:
        """The bids below which none waits, in leaps while orders are few; the lowest with a budget.

        Whoever pays at most the bid cannot lose below what a click is worth, and the days after tell
        what is right beyond. A budget may be better spent on other keywords.
        """
        if self._budget is not None:
            return np.full(self._keywords, STEP)
        sure = _SURE_SHARE * believed.value.quantile(_DOUBT)
        few = self._orders() < _SOME_ORDERS
        return _to_step(np.minimum(sure, _LEAP * believed.response.bid) if few else sure)

    def _solved(self, believed: Believed, bid: Floats) -> Floats:
        """What the allocation says, within what a click is worth; a step down where nothing fits."""
        reach = self._reach()
        try:
            solved = solve_bids(believed, self._budget, reach, self._rules)
        except Infeasible:
            solved = _to_step(bid * (1 - reach.down))
        return self._within_worth(self._fed(solved, believed), bid, believed)

    def _within_worth(self, bids: Floats, bid: Floats, believed: Believed) -> Floats:
        """No bid goes beyond what a click is believed to be worth; bids above come down.

        Whoever pays at most the bid never gains by a higher one (Vickrey 1961), and where higher bids
        bring no more clicks at no higher price nothing else would stop them.
        """
        most = np.maximum(believed.value.mean, bid * (1 - self._reach().down))
        return np.minimum(bids, _to_step(most))

    def _hope(self) -> Floats:
        """How many times its mean a click's value is taken to be while the account has few orders.

        One standard deviation of the orders' own luck, less what is left of it at `_KNOWN_ORDERS`: two
        unlucky weeks would otherwise end in bids that bring no clicks, hence no better knowledge.
        """
        orders = max(self._orders(), 0.5)
        hope = max(orders**-0.5 - _KNOWN_ORDERS**-0.5, 0.0)
        return np.full(self._keywords, 1.0 + hope)

    def _orders(self) -> float:
        return sum(float(one.conversions.sum()) for one in self._past)

    def _reach(self) -> Reach:
        young = self._days_sold <= _FIRST_DAYS and self._orders() >= _FAST_ORDERS
        step = self._rules.step_limit
        up, down = _FIRST_STEPS if young else (step, step)
        return Reach(up, down, STEP, HIGHEST)

    def _before_any_order(self, bid: Floats) -> Floats:
        """All bids alike, by what the account as a whole has seen."""
        factor = blind_factor(
            [_total(one) for one in self._past], self._served[-1] >= 1, self._purse
        )
        return _to_step(bid * factor)

    def _fed(self, bids: Floats, believed: Believed) -> Floats:
        """Keywords that are not shown go up, no further than what a click is believed to bring."""
        starved = believed.impressions < _STARVED
        most = np.minimum(
            believed.response.bid * (1 + self._reach().up), _WORTH_TRYING * believed.value.mean
        )
        return np.where(starved & (most > bids), np.maximum(_to_step(most), bids), bids)

    def _share_served(self, yesterday: Yesterday) -> float:
        """A day that spent its budget is taken to have ended early; how early, nobody says."""
        if self._budget is None or yesterday.cost.sum() < _CAPPED * self._budget:
            return 1.0
        return _SERVED_GUESS

    def _days(self) -> Days:
        window, size = self._past, self._keywords
        start = self._days_seen - len(window)
        part = {
            one.name: np.concatenate([getattr(day, one.name) for day in window])
            for one in fields(Yesterday)
        }
        return Days(
            unit=np.tile(np.arange(size), len(window)),
            day=np.repeat(np.arange(start, self._days_seen), size),
            bid=np.maximum(part["bid"], STEP),
            impressions=part["impressions"],
            clicks=part["clicks"],
            cost=part["cost"],
            conversions=part["conversions"],
            value=part["revenue"],
            served=np.repeat(self._served, size),
        )

    def _read(self, rows: Sequence[Mapping[str, Any]] | pd.DataFrame) -> Yesterday:
        frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
        for column in ("keyword_id", *COLUMNS):
            if column not in frame.columns or len(frame) != self._keywords:
                raise RefusedInput("records_invalid", keywords=self._keywords, column=column)
        ids = frame["keyword_id"].tolist()
        self._ids = self._ids or _in_order(ids)
        place = (
            pd.Index(ids).get_indexer(pd.Index(self._ids)) if len(set(ids)) == len(ids) else [-1]
        )
        if min(place) < 0:
            raise RefusedInput("records_invalid", keywords=self._keywords, column="keyword_id")
        return Yesterday(*(self._column(frame, name)[place] for name in COLUMNS))

    def _column(self, frame: pd.DataFrame, name: str) -> Floats:
        numbers = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=np.float64)
        if not (np.isfinite(numbers) & (numbers >= 0)).all():
            raise RefusedInput("records_invalid", keywords=self._keywords, column=name)
        return numbers


def _total(day: Yesterday) -> Total:
    level = float(np.exp(np.log(np.maximum(day.bid, STEP)).mean()))
    return Total(
        level, float(day.impressions.sum()), float(day.clicks.sum()), float(day.cost.sum())
    )


def _in_order(ids: list[Hashable]) -> list[Hashable]:
    whole = all(isinstance(one, Integral) for one in ids)
    return sorted(ids) if whole else ids  # type: ignore[type-var]


def _to_step(bids: Floats) -> Floats:
    result: Floats = np.round(np.clip(np.floor(bids / STEP + 1e-6), 1, HIGHEST / STEP) * STEP, 6)
    return result


def _check_arguments(keywords: int, daily_budget: float | None, starting_bid: float) -> None:
    whole = isinstance(keywords, Integral) and int(keywords) >= 1
    if not whole:
        raise RefusedInput("adapter_misused", name="keywords", value=keywords, allowed="≥ 1")
    if daily_budget is not None and not 0 < daily_budget < np.inf:
        raise RefusedInput(
            "adapter_misused", name="daily_budget", value=daily_budget, allowed="> 0"
        )
    if not 0 < starting_bid <= HIGHEST:
        raise RefusedInput(
            "adapter_misused", name="starting_bid", value=starting_bid, allowed=f"0 … {HIGHEST:g}"
        )
