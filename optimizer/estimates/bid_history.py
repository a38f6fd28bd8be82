"""From bids in force and daily clicks to what elasticities are learned from.

Only days under a bid that was set at random teach. A bid somebody meant starts a new stratum: the
level of clicks before and after it is not compared. Days on which the budget ran out are left out,
because clicks then follow the budget and not the bid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from optimizer.estimates.elasticity import Trials
from optimizer.estimates.exposure import Records
from optimizer.estimates.posteriors import Bools, Floats, Ints, group_sum

RANDOMISED = "randomised"
_DAY_BITS = 22  # days since 1970 fit into it, so that (unit, day) is one sortable number


@dataclass(frozen=True)
class BidHistory:
    """One entry per bid a unit has had, by unit and day: in force on the days `day..until` - 1."""

    unit: Ints
    day: Ints
    until: Ints
    bid: Floats
    randomised: Bools


@dataclass(frozen=True)
class Tested:
    """`trials` of the keywords at `index`, numbered from 0, and clicks of untouched ones per day."""

    index: Ints
    trials: Trials
    control: Floats


def bid_history(changes: pd.DataFrame, entity_keys: pd.Series[int], today: int) -> BidHistory:
    """Arrays of `changes` (table BID_CHANGES), keywords numbered by their place in `entity_keys`."""
    unit = pd.Index(entity_keys).get_indexer(pd.Index(changes["entity_key"])).astype(np.int64)
    day = changes["day"].to_numpy().astype("datetime64[D]").astype(np.int64)
    order = np.lexsort((day, unit))
    order = order[unit[order] >= 0]
    unit, day = unit[order], day[order]
    until = np.full(len(unit), today, dtype=np.int64)
    follows = unit[1:] == unit[:-1]
    until[:-1][follows] = day[1:][follows]
    return BidHistory(
        unit,
        day,
        np.minimum(until, today),
        changes["bid"].to_numpy(dtype=np.float64)[order],
        (changes["provenance"] == RANDOMISED).to_numpy()[order],
    )


def bid_in_force(history: BidHistory, unit: Ints, day: Ints) -> Floats:
    """The bid of each unit on each day; nan before the first that is known."""
    if not len(history.unit):
        return np.full(len(unit), np.nan)
    key = (history.unit << _DAY_BITS) + history.day
    place = np.searchsorted(key, (unit << _DAY_BITS) + day, side="right") - 1
    known = (place >= 0) & (history.unit[place] == unit)
    return np.where(known, history.bid[place], np.nan)


def capped_days(campaign: Ints, rows: Records, budget: Floats, share: float) -> tuple[Bools, int]:
    """(campaigns, days) on which cost reached `share` of the budget, and the number of the first day.

    `budget` per campaign, nan where unknown. Rows that cover several days tell of no single one.
    """
    single = rows.first == rows.last
    start = int(rows.first.min()) if len(rows.first) else 0
    days = int(rows.last.max()) - start + 1 if len(rows.last) else 0
    cell = campaign[rows.unit[single]] * days + rows.last[single] - start
    spent = group_sum(cell, rows.cost[single], len(budget) * days).reshape(len(budget), days)
    with np.errstate(invalid="ignore"):
        capped: Bools = spent >= share * np.maximum(budget, 1e-9)[:, None]
    return capped, start


def find_trials(
    history: BidHistory, rows: Records, campaign: Ints, closed: Bools, start: int
) -> Tested:
    """Days under randomised bids, with zeros where a keyword had no clicks.

    `campaign` per keyword; `closed` (campaigns, days from `start`) marks days to leave out. Days of
    which no report tells, and keywords told of in periods only, are left out too.
    """
    tried = history.randomised & (history.bid > 0)
    units = len(campaign)
    touched = np.zeros(units, dtype=bool)
    touched[history.unit[tried]] = True
    touched[rows.unit[rows.first != rows.last]] = False
    tried &= touched[history.unit]
    position, day = _days_of(history, tried, start, closed.shape[1])
    told = _told_days(rows, start, closed.shape[1])
    unit = history.unit[position]
    open_day = told[day] & ~closed[campaign[unit], day]
    position, day, unit = position[open_day], day[open_day], unit[open_day]
    index, number = np.unique(unit, return_inverse=True)
    clicks, cost = _counted(rows, touched, unit, day + start)
    first_day = int(day.min()) if len(day) else closed.shape[1]
    never_closed: Bools = np.asarray(~closed.any(axis=1), dtype=bool)
    control = _control(
        history, rows, ~touched & never_closed[campaign], start, first_day, len(told)
    )
    trials = Trials(
        number.astype(np.int64),
        _renumbered(_strata(history)[position]),
        _renumbered(position),
        day,
        np.log(history.bid[position]),
        clicks,
        cost,
    )
    return Tested(index, trials, control)


def _renumbered(codes: Ints) -> Ints:
    numbered: Ints = np.unique(codes, return_inverse=True)[1].astype(np.int64)
    return numbered


def _strata(history: BidHistory) -> Ints:
    """A new number at each bid that was meant, and at each unit."""
    if not len(history.unit):
        return np.zeros(0, dtype=np.int64)
    breaks = ~history.randomised
    breaks[1:] |= history.unit[1:] != history.unit[:-1]
    numbers: Ints = np.cumsum(breaks)
    return numbers


def _days_of(history: BidHistory, tried: Bools, start: int, days: int) -> tuple[Ints, Ints]:
    """Entry and day (from `start`) of every day that the tried entries cover within the window."""
    entry = np.flatnonzero(tried)
    first = np.clip(history.day[entry] - start, 0, days)
    length = np.maximum(np.clip(history.until[entry] - start, 0, days) - first, 0)
    position = np.repeat(entry, length)
    offset = np.arange(len(position)) - np.repeat(np.cumsum(length) - length, length)
    return position, np.repeat(first, length) + offset


def _told_days(rows: Records, start: int, days: int) -> Bools:
    """Days of which some row tells."""
    single = rows.last[rows.first == rows.last] - start
    told: Bools = np.bincount(single, minlength=days)[:days] > 0
    return told


def _counted(rows: Records, touched: Bools, unit: Ints, day: Ints) -> tuple[Floats, Floats]:
    """Clicks and cost per (unit, day), zero where there is no row."""
    own = np.flatnonzero(touched[rows.unit])
    key = (rows.unit[own] << _DAY_BITS) + rows.last[own]
    order = np.argsort(key, kind="stable")
    wanted = (unit << _DAY_BITS) + day
    if not len(own):
        return np.zeros(len(unit)), np.zeros(len(unit))
    place = np.minimum(np.searchsorted(key[order], wanted), len(own) - 1)
    row = own[order[place]]
    found = key[order[place]] == wanted
    return np.where(found, rows.clicks[row], 0.0), np.where(found, rows.cost[row], 0.0)


def _control(
    history: BidHistory, rows: Records, free: Bools, start: int, first_day: int, days: int
) -> Floats:
    """Clicks per day, from the first test on, of keywords whose known bid then never moved."""
    known = np.zeros(len(free), dtype=bool)
    known[history.unit] = True
    known[history.unit[history.day > start + first_day]] = False
    seen = np.full(len(free), np.iinfo(np.int64).max)
    np.minimum.at(seen, rows.unit, rows.first)
    calm = free & known & (seen <= start + first_day)
    used = calm[rows.unit] & (rows.first == rows.last) & (rows.last >= start + first_day)
    return group_sum(rows.last[used] - start, rows.clicks[used], days)
