"""What is wanted of an item (宝贝/SKU), and what that forbids for the keywords that sell it.

profit   the ordinary rules.
learn    a new item may lose up to `max_loss` a day: within it nothing is lowered or paused.
rank     bids hold the item's impression share at its floor; the hold has a price that is shown.
clear    what is left over counts with its salvage margin.
Stock caps what may be sold until the restock: an item that would sell out gets no raises, and the
solve holds its expected orders under the cap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from optimizer.curves.bid_landscape import Response
from optimizer.decisions.guardrails import RowCodes, first_code
from optimizer.decisions.outcomes import Moves, expected_change
from optimizer.estimates.posteriors import Bools, Floats, Gamma, Ints, group_sum
from optimizer.settings import Account, Item

_BY_STAGE = {"新品": "learn", "成长": "profit", "爆款": "profit", "清仓": "clear"}
_HOLD_LEVELS = 6


def goal_of(item: Item) -> str:
    """The stated goal, else the stage's: 新品 learns where a `max_loss` is stated, 清仓 clears."""
    asked = item.goal or _BY_STAGE.get(item.stage or "", "profit")
    return "profit" if flaw_of(item) else asked


def flaw_of(item: Item) -> str:
    """Why the wanted goal cannot be followed ("" if it can): the figure it needs is missing."""
    asked = item.goal or _BY_STAGE.get(item.stage or "", "profit")
    if asked == "learn" and item.max_loss is None:
        return "learn_without_max_loss"
    if asked == "clear" and item.salvage_margin is None:
        return "clear_without_salvage_margin"
    return ""


def with_salvage(account: Account) -> Account:
    """The account in which an item to be cleared keeps its salvage margin of each order."""
    cleared = tuple(_salvaged(item) for item in account.items)
    return account.model_copy(update={"items": cleared})


def _salvaged(item: Item) -> Item:
    if goal_of(item) != "clear":
        return item
    return item.model_copy(update={"margin": item.salvage_margin, "unit_cost": None})


@dataclass(frozen=True)
class Sales:
    """Per keyword and day at the present bid: clicks, what one costs, brings and converts.

    `share` is the impression share, nan where no report says.
    """

    clicks: Floats
    cpc: Floats
    value: Floats
    rate: Floats
    share: Floats


@dataclass(frozen=True)
class ItemState:
    """Per keyword: index of its `item` (-1: none), and what the item's goal asks.

    `hold` is why it is neither lowered nor paused ("": nothing), `short` whether its item's stock
    will not last; `share_kept` is the part of the impression share that a lower must leave (0: any).
    `orders_per_day` per item is what stock allows (inf: no limit).
    """

    item: Ints
    hold: RowCodes
    short: Bools
    share_kept: Floats
    orders_per_day: Floats


def judge_items(
    items: Sequence[Item], item: Ints, sales: Sales, today: date, cover_days: int
) -> tuple[ItemState, list[dict[str, Any]]]:
    """What each keyword's item asks of it, and the alerts that say so.

    `cover_days` is how long stock must last where no restock date is stated.
    """
    known = item >= 0
    number = np.where(known, item, len(items))
    loss = group_sum(number, sales.clicks * (sales.cpc - sales.value), len(items) + 1)
    orders = group_sum(number, sales.clicks * sales.rate, len(items) + 1)
    allowed = np.array([*(orders_allowed(one, today, cover_days) for one in items), np.inf])
    goals = np.array([*(goal_of(one) for one in items), ""])[number]
    limit = np.array([*(one.max_loss or 0.0 for one in items), 0.0])
    floors = np.array([*(_floor(one) for one in items), np.nan])[number]
    kept = np.where(goals == "rank", share_kept(sales.share, floors), 0.0)
    hold = first_code(
        [
            ((goals == "learn") & (loss <= limit)[number], "learning"),
            ((goals == "rank") & (kept >= 1), "rank_hold"),
        ],
        len(item),
    )
    state = ItemState(item, hold, (orders > allowed)[number], kept, allowed[:-1])
    return state, [
        alert
        for place, one in enumerate(items)
        for alert in _alerts(one, float(loss[place]), float(orders[place]), float(allowed[place]))
    ]


def _floor(item: Item) -> float:
    return np.nan if item.impression_share_floor is None else item.impression_share_floor


def share_kept(share: Floats, floor: Floats) -> Floats:
    """Part of the impression share a lower must leave; 1 where share or floor is unknown."""
    known = ~np.isnan(share) & ~np.isnan(floor) & (share > 0)
    ratio = np.divide(floor, share, out=np.ones_like(share), where=known)
    return np.minimum(ratio, 1.0)


def orders_allowed(item: Item, today: date, cover_days: int) -> float:
    """Orders per day that stock allows until the restock (`cover_days` where none is stated).

    inf without a stated stock, or once the restock day has come.
    """
    if item.stock is None:
        return float("inf")
    days = cover_days if item.restock is None else (item.restock - today).days
    return item.stock / days if days > 0 else float("inf")


def _alerts(item: Item, loss: float, orders: float, allowed: float) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    flaw = flaw_of(item)
    if flaw:
        told.append({"code": flaw, "item": item.item_id})
    if goal_of(item) == "learn" and item.max_loss is not None and loss > 0:
        code = "item_learning" if loss <= item.max_loss else "item_loss_exceeded"
        told.append({"code": code, "item": item.item_id, "loss": loss, "max_loss": item.max_loss})
    if orders > allowed:
        told.append(
            {"code": "stock_short", "item": item.item_id, "orders": orders, "allowed": allowed}
        )
    return told


def lowest_for_share(bid: Floats, kept: Floats, elasticity: Floats, sd: Floats) -> Floats:
    """Lowest bid that leaves the part `kept` of the impression share; 0 where any will do.

    Impressions follow the bid as clicks do, at most by ε + sd: a lower must be safe, not likely.
    """
    exponent = 1.0 / np.maximum(elasticity + sd, 1e-6)
    result: Floats = bid * np.where(kept > 0, np.maximum(kept, 1e-300) ** exponent, 0.0)
    return result


def hold_cost(response: Response, value: Gamma, step: Floats) -> Floats:
    """Profit per day given up by not lowering within `step` (a share of the bid), per keyword."""
    best = np.zeros(len(step))
    volume = Gamma(response.clicks, np.zeros(len(step)))
    for share in np.arange(1, _HOLD_LEVELS + 1) / _HOLD_LEVELS:
        moves = Moves(response, volume, value, response.bid * (1 - step * share))
        best = np.maximum(best, expected_change(moves)[2])
    return best


def break_weights(
    unit_item: Ints, unit: Ints, last: Ints, change_item: Ints, change_day: Ints, weight: float
) -> Floats:
    """How much a record still tells: `weight` per later change of its item, 1 without one.

    `unit_item` is the item of each unit; `unit` and `last` (day number) are of each record;
    changes are (item, day number).
    """
    result = np.ones(len(unit))
    item = unit_item[unit]
    for changed, day in zip(change_item, change_day, strict=True):
        result[(item == changed) & (last < day)] *= weight
    return result
