"""Our own policy: the daily review, everything it proposes approved at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from optimizer.errors import Infeasible, RefusedInput
from optimizer.planning.history import History
from optimizer.planning.policies.bid_tests import in_dither, running, spans, step_of_test
from optimizer.planning.policies.settings import PolicySettings
from optimizer.review.daily import review_account
from optimizer.review.experiments import Experiment, propose_experiment
from optimizer.review.last_change import forget_changes
from optimizer.review.resolve import resolve_account
from optimizer.review.suggestions import Interval, ReviewInputs, ReviewResult
from optimizer.settings import Settings

MOVES = ("raise", "lower", "pause")
UNLIMITED = 1e9
"""Stands for no budget: without one the review would keep to what was spent so far."""


@dataclass(frozen=True)
class Promise:
    """What a review said following it would bring per day over the next week, and the bids it changed."""

    day: date
    promised: Interval
    before: np.ndarray
    after: np.ndarray


@dataclass
class Optimizer:
    """`review_account` on the days of `rules`, its raises, lowers and pauses set as proposed.

    Lower bids that make a capped budget last are followed too; budgets themselves are not its to move.
    Before a review has anything to learn from (no order yet) the bids stay. With `explores` the bid
    test that a review is worth is run as well. `promises` and `refused` (code by day) tell what it
    said on the way.
    """

    settings: Settings
    rules: PolicySettings = field(default_factory=PolicySettings)
    explores: bool = False
    promises: list[Promise] = field(default_factory=list)
    refused: dict[date, str] = field(default_factory=dict)
    test: Experiment | None = None
    _random: list[np.ndarray] = field(default_factory=list)

    def decide(self, history: History, today: date, rng: np.random.Generator) -> np.ndarray:
        """The bids of yesterday with the test's step and what today's review changes."""
        bids = step_of_test(self.test, today, history.bids)
        if self.rules.due(len(self._random)):
            bids = self._reviewed(history, bids, today, rng)
        self._random.append(in_dither(self.test, today, len(bids)))
        return bids

    def _reviewed(
        self, history: History, bids: np.ndarray, today: date, rng: np.random.Generator
    ) -> np.ndarray:
        inputs = self._inputs(history, bids, today)
        if inputs is None:
            return bids
        told = self.told(history)
        try:
            result = review_account(inputs, told, today, rng)
        except (RefusedInput, Infeasible) as error:
            self.refused[today] = error.code
            return bids
        self._promise(result, bids, today)
        if self.explores and inputs.holds.empty:
            result, bids = self._explored(result, bids, told, today, rng)
        return followed(bids, result)

    def _inputs(self, history: History, bids: np.ndarray, today: date) -> ReviewInputs | None:
        random = np.array(self._random).reshape(-1, len(bids))
        inputs = history.inputs(random)
        if inputs is None:
            return None
        keywords = inputs.keywords
        bid = np.where(keywords["bid"].notna() & (bids > 0), bids, keywords["bid"])
        first = today - timedelta(days=len(random))
        keywords = forget_changes(keywords.assign(bid=bid), spans(first, random))
        return replace(inputs, keywords=keywords, holds=running(self.test, today))

    def told(self, history: History) -> Settings:
        """The settings of its reviews of this account."""
        budget = UNLIMITED if history.budget is None else history.budget
        account = history.account.model_copy(update={"daily_budget": budget})
        rules = self.rules.guardrails
        # Without a budget to share, a place on page one costs others nothing and keeps a word known.
        leave = rules.leave_first_page and history.budget is not None
        rules = rules.model_copy(update={"leave_first_page": leave})
        update = {"account": account, "guardrails": rules}
        return self.rules.over(self.settings).model_copy(update=update)

    def _promise(self, result: ReviewResult, bids: np.ndarray, today: date) -> None:
        """The promise is of the plan alone: lower bids in place of a budget are in no total of it."""
        after = _moved(bids, result.suggestions)
        self.promises.append(Promise(today, result.summary.profit_delta, bids, after))

    def _explored(
        self,
        result: ReviewResult,
        bids: np.ndarray,
        told: Settings,
        today: date,
        rng: np.random.Generator,
    ) -> tuple[ReviewResult, np.ndarray]:
        """The review once the test it is worth, if any, is approved, and the bids of its first step."""
        holds = running(None, today)
        found = propose_experiment(result, holds, told, rng)
        if found is None:
            return result, bids
        self.test = found
        return resolve_account(result, running(found, today)), step_of_test(found, today, bids)


def followed(bids: np.ndarray, result: ReviewResult) -> np.ndarray:
    """`bids` after every suggestion on a keyword is followed; a pause is bid 0.

    Entity keys are 1 + the keyword's position.
    """
    return _moved(bids, result.proposals())


def _moved(bids: np.ndarray, rows: pd.DataFrame) -> np.ndarray:
    rows = rows[rows["kind"].isin(MOVES)]
    changed = bids.copy()
    place = rows["entity_key"].to_numpy().astype(np.int64) - 1
    changed[place] = rows["proposed_bid"].fillna(0.0).to_numpy(dtype=np.float64)
    return changed
