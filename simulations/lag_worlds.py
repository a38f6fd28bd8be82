"""Accounts of the rates worlds lived day by day, with reports restated on several download days.

Clicks are Poisson, each order is known after a delay of its own and may be taken back later; a
report downloaded on some day shows what was known by then. Shares no code with the estimates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from optimizer.tables import KEYWORD_DAILY, KEYWORDS, Table, empty_table
from simulations.rate_worlds import ORDER_SD, Truth

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FIRST_DAY = date(2026, 1, 5)
LONGEST = 60
NEVER = 10_000
CPC = 1.1
"""Where the response is as stated this is right for a click worth 1.76, near the worlds' middle."""


def _two_speeds(rng: np.random.Generator, size: int) -> Floats:
    """Half within hours, half after twelve days on average."""
    return np.where(rng.random(size) < 0.5, rng.exponential(0.3, size), rng.exponential(12.0, size))


DELAYS: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "exponential": lambda rng, size: rng.exponential(6.0, size),
    "lognormal": lambda rng, size: 1.2 * np.exp(rng.normal(0.0, 1.3, size)),
    "two_speeds": _two_speeds,
}
"""Days from click to the order being known, counted from noon of the click day."""


@dataclass(frozen=True)
class Lived:
    """What happened: clicks (days, keywords), and per order its click day, keyword, ages and amount.

    An order shows in reports from age `known` on, until age `gone`.
    """

    truth: Truth
    clicks: Ints
    day: Ints
    unit: Ints
    known: Ints
    gone: Ints
    amount: Floats

    def shown(self, today: int) -> npt.NDArray[np.bool_]:
        """Which orders a report downloaded on `today` counts."""
        age = today - 1 - self.day
        return (age >= self.known) & (age < self.gone)

    def daily(self, today: int, first: int = 0) -> pd.DataFrame:
        """Table KEYWORD_DAILY of days `first`..today - 1 as a download on `today` shows it."""
        keywords = self.clicks.shape[1]
        counted = self.shown(today)
        cell = self.day[counted] * keywords + self.unit[counted]
        size = self.clicks.size
        orders = np.bincount(cell, minlength=size)
        value = np.bincount(cell, self.amount[counted], size)
        clicks = self.clicks.ravel()
        chosen = np.flatnonzero((clicks > 0) | (orders > 0))
        day = chosen // keywords
        chosen, day = chosen[(day >= first) & (day < today)], day[(day >= first) & (day < today)]
        told = pd.DataFrame(
            {
                "entity_key": chosen % keywords + 1,
                "first_day": _dates(day),
                "last_day": _dates(day),
                "impressions": clicks[chosen] * 20.0,
                "clicks": clicks[chosen].astype(float),
                "cost": clicks[chosen] * CPC,
                "conversions": orders[chosen].astype(float),
                "value": value[chosen],
            }
        )
        return _as_table(told, KEYWORD_DAILY)

    def versions(self, downloads: Sequence[int], first: int = 0) -> pd.DataFrame:
        """Table VERSIONS of the downloads, each showing all days from `first` on."""
        return pd.concat([self._version(day, first) for day in downloads], ignore_index=True)

    def _version(self, today: int, first: int) -> pd.DataFrame:
        campaign = self.campaign()
        campaigns, days = int(campaign.max()) + 1, min(today, len(self.clicks))
        counted = self.shown(today) & (self.day >= first) & (self.day < days)
        cell = self.day[counted] * campaigns + campaign[self.unit[counted]]
        size = days * campaigns
        clicks = np.array([np.bincount(campaign, row, campaigns) for row in self.clicks[:days]])
        place = np.arange(first * campaigns, size)
        return pd.DataFrame(
            {
                "campaign_name": np.char.add("c", (place % campaigns).astype(str)),
                "day": _dates(place // campaigns),
                "as_of": _dates(np.full(len(place), today)),
                "clicks": clicks.ravel()[place],
                "conversions": np.bincount(cell, minlength=size)[place].astype(float),
                "value": np.bincount(cell, self.amount[counted], size)[place],
            }
        )

    def campaign(self) -> Ints:
        """Campaign number of each keyword."""
        return self.truth.parents[1][self.truth.parents[0]]

    def keywords(self) -> pd.DataFrame:
        """Table KEYWORDS."""
        size = self.clicks.shape[1]
        named = {
            "entity_key": np.arange(1, size + 1),
            "campaign_name": np.char.add("c", self.campaign().astype(str)),
            "ad_group_name": np.char.add("g", self.truth.parents[0].astype(str)),
            "keyword_text": np.char.add("word ", np.arange(size).astype(str)),
            "target_type": "keyword",
            "status": "ENABLED",
            "ad_group_status": "ENABLED",
            "campaign_status": "ENABLED",
            "bid": CPC / 0.75,
        }
        return _as_table(pd.DataFrame(named), KEYWORDS)


def live(
    truth: Truth,
    days: int,
    rng: np.random.Generator,
    *,
    delay: str = "exponential",
    taken_back: float = 0.0,
) -> Lived:
    """`days` days of a rates world; the share `taken_back` of orders goes after 15 days on average."""
    weight = np.linspace(0.7, 1.3, days)
    clicks = rng.poisson(truth.demand / 30 * weight[:, None])
    orders = rng.poisson(truth.rate / truth.clump * clicks)
    day, unit = (
        np.repeat(place, orders.ravel()) for place in np.indices(orders.shape).reshape(2, -1)
    )
    day, unit = np.repeat(day, truth.clump), np.repeat(unit, truth.clump)
    size = len(day)
    known = np.ceil(np.maximum(DELAYS[delay](rng, size) - 0.5, 0.0)).astype(np.int64)
    gone = known + 1 + np.floor(rng.gamma(4.0, 3.75, size)).astype(np.int64)
    kept = rng.random(size) >= taken_back
    single = rng.lognormal(-(ORDER_SD**2) / 2, ORDER_SD, size) * truth.value[unit]
    return Lived(
        truth, clicks, day, unit, np.minimum(known, LONGEST), np.where(kept, NEVER, gone), single
    )


def true_completion(delay: str, taken_back: float, rng: np.random.Generator) -> Floats:
    """F at ages 0..60 of a delay, counted on a million orders."""
    size = 1_000_000
    known = np.minimum(np.ceil(np.maximum(DELAYS[delay](rng, size) - 0.5, 0)), LONGEST)
    gone = known + 1 + np.floor(rng.gamma(4.0, 3.75, size))
    gone = np.where(rng.random(size) >= taken_back, NEVER, np.minimum(gone, NEVER))
    ages = np.arange(LONGEST + 1)
    shown = np.array([((known <= age) & (gone > age)).mean() for age in ages])
    return shown / shown[-1]


def day_of(number: int) -> date:
    """The calendar day of day `number`."""
    return FIRST_DAY + timedelta(days=int(number))


def _as_table(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """`frame` with the table's other columns, all null."""
    empty = empty_table(table)
    return frame.reindex(columns=list(empty.columns)).astype(empty.dtypes.to_dict())


def _dates(number: Ints) -> npt.NDArray[np.datetime64]:
    return np.datetime64(FIRST_DAY, "s") + np.asarray(number).astype("timedelta64[D]")
