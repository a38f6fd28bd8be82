"""The values that go into and come out of one review.

Everything is per day in the account's currency; a Δ is the average over the next 7 days.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from optimizer.settings import Basis
from optimizer.tables import (
    BID_CHANGES,
    CREATIVE_SHARES,
    CREATIVE_TEXTS,
    LANDSCAPES,
    NEGATIVES,
    ORGANIC,
    SUGGESTIONS,
    empty_table,
)


@dataclass(frozen=True)
class Interval:
    """A mean with the ends of its 80 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class CreativeRecord:
    """What reports and plans tell of an account's creatives.

    Tables CREATIVES, CREATIVE_DAILY, CREATIVE_TEXTS and CREATIVE_SHARES.
    """

    creatives: pd.DataFrame
    daily: pd.DataFrame
    texts: pd.DataFrame = field(default_factory=lambda: empty_table(CREATIVE_TEXTS))
    shares: pd.DataFrame = field(default_factory=lambda: empty_table(CREATIVE_SHARES))


@dataclass(frozen=True)
class ReviewInputs:
    """One account as known on one day; frames match the tables of the same name in `tables`.

    `budget` overrides the account's daily budget. `attribution_basis` says what a conversion's day
    is: the day of its click (completed by F) or of the order. `alerts` were known before the review.
    `creatives` is None where no report tells of any.
    """

    account: str
    platform: str
    currency: str
    keywords: pd.DataFrame
    daily: pd.DataFrame
    terms: pd.DataFrame
    term_daily: pd.DataFrame
    versions: pd.DataFrame
    holds: pd.DataFrame
    budget: float | None = None
    attribution_basis: Basis = "click"
    bid_changes: pd.DataFrame = field(default_factory=lambda: empty_table(BID_CHANGES))
    landscapes: pd.DataFrame = field(default_factory=lambda: empty_table(LANDSCAPES))
    alerts: tuple[Mapping[str, Any], ...] = ()
    organic: pd.DataFrame = field(default_factory=lambda: empty_table(ORGANIC))
    negatives: pd.DataFrame = field(default_factory=lambda: empty_table(NEGATIVES))
    creatives: CreativeRecord | None = None


@dataclass(frozen=True)
class ReviewSummary:
    """The account's side of a review.

    `dual_price` is Λ. `not_suggested` counts keywords without a suggestion by reason code; `levers`
    is the share of cost each lever covers; `assumed` lists codes of inputs nobody measured;
    `completion` is F by age in days; `segments` cost by segment; `alerts` are codes with fields.
    """

    account: str
    as_of: date
    currency: str
    budget: float
    dual_price: float
    cost_now: float
    cost_planned: float
    profit_delta: Interval
    not_suggested: Mapping[str, int]
    kinds: Mapping[str, int]
    levers: Mapping[str, float]
    assumed: tuple[str, ...]
    campaigns: tuple[Mapping[str, Any], ...]
    completion: tuple[float, ...]
    alerts: tuple[Mapping[str, Any], ...]
    gap: float
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ReviewResult:
    """A summary, the plan's suggestions (table SUGGESTIONS) and the frames a re-solve works from.

    `levers` are suggestions on budgets and targets (same table): alternatives to the plan, in no
    total of it, as are `creatives`, the suggestions on creatives.

    `frames`: "plan" has one row per keyword (estimates, limits, outcome), "terms" one per judged
    search term. `context` holds the run's constants as JSON, the seed of its draws among them.
    """

    summary: ReviewSummary
    suggestions: pd.DataFrame
    frames: Mapping[str, pd.DataFrame]
    context: Mapping[str, Any]
    levers: pd.DataFrame = field(default_factory=lambda: empty_table(SUGGESTIONS))
    creatives: pd.DataFrame = field(default_factory=lambda: empty_table(SUGGESTIONS))

    def proposals(self) -> pd.DataFrame:
        """All a person may decide on: the plan's suggestions, levers and creatives, best first."""
        beside = [frame for frame in (self.levers, self.creatives) if len(frame)]
        if not beside:
            return self.suggestions
        both = pd.concat([self.suggestions, *beside], ignore_index=True)
        both = both.astype(self.suggestions.dtypes.to_dict())
        order = ["delta_profit_mean", "id"]
        return both.sort_values(order, ascending=[False, True], kind="stable", ignore_index=True)


def suggestion_id(account: str, as_of: date, entity_key: str, slot: str) -> str:
    """16 hex digits that name the same suggestion in every run of that day."""
    return suggestion_ids(account, as_of, [entity_key], [slot])[0]


def suggestion_ids(
    account: str, as_of: date, entity_keys: Sequence[str], slots: Sequence[str]
) -> list[str]:
    """The `suggestion_id` of each entity and slot; what they share is hashed once."""
    start = hashlib.sha256(f"{account}|{as_of.isoformat()}|".encode())
    found = []
    for key, slot in zip(entity_keys, slots, strict=True):
        whole = start.copy()
        whole.update(f"{key}|{slot}".encode())
        found.append(whole.hexdigest()[:16])
    return found
