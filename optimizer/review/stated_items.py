"""What the account's settings and its item files say about items, as one statement.

A cell of a file stands before the settings' own; where both speak and differ, an alert says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import pandas as pd

from optimizer.errors import RefusedInput
from optimizer.settings import Account, Item, ItemChange, parse_model

_FIELDS: Final = {
    "stage": "stage",
    "goal": "goal",
    "margin": "margin",
    "refund_rate": "refund_rate",
    "stock": "stock",
    "restock": "restock",
    "max_loss": "max_loss",
    "salvage_margin": "salvage_margin",
    "share_floor": "impression_share_floor",
    "multiplier": "multiplier",
}
"""Columns of ITEMS by the setting that they stand for, where the two say the same thing."""
_STOCK_KEEPS_DAYS: Final = 7
_BETWEEN: Final = re.compile(r"\s*[;|；]\s*")

Cells = Mapping[str, Any]
Alerts = list[dict[str, Any]]


def with_listed_items(
    account: Account, listed: pd.DataFrame, entries: pd.DataFrame, today: date
) -> tuple[Account, Alerts]:
    """The account with what tables ITEMS and ITEM_ENTRIES say of its items, and alerts.

    They tell of cells on which a file and the settings disagree, of what sells below its cost, and of
    stock counted more than a week before `today`.

    Items of the settings come first, then those of files in their order, so that an item keeps its
    place. A unit cost becomes a margin of the newest price. Raises `RefusedInput("item_cost_unpriced")`
    where no price is known.
    """
    if listed.empty and entries.empty:
        return account, []
    prices = newest_prices(listed, entries)
    told = {row["item_id"]: _known(row) for row in listed.to_dict("records")}
    stated = {item.item_id: item for item in account.items}
    ids = dict.fromkeys([*stated, *told, *entries["item_id"]])
    merged, alerts = [], Alerts()
    for item_id in ids:
        item, found = _merged(stated.get(item_id), item_id, told.get(item_id, {}), prices)
        merged.append(item)
        alerts += found
    log = with_entries(account.item_log, entries)
    alerts += _old_stock(listed, today)
    return account.model_copy(update={"items": tuple(merged), "item_log": log}), alerts


def _old_stock(listed: pd.DataFrame, today: date) -> Iterator[dict[str, Any]]:
    """Items whose stock was counted long ago: what has been sold since is not taken off."""
    age = (pd.Timestamp(today) - listed["stock_day"]).dt.days
    for item, days in zip(listed["item_id"], age, strict=True):
        if days > _STOCK_KEEPS_DAYS:
            yield {"code": "item_stock_old", "item": item, "days": int(days)}


def newest_prices(listed: pd.DataFrame, entries: pd.DataFrame) -> dict[str, float]:
    """Price of each item: the later of its newest log entry and the table that states one."""
    of_table = listed[["item_id", "price", "price_day"]].rename(columns={"price_day": "day"})
    of_log = entries.loc[entries["what"] == "price", ["item_id", "price", "day"]]
    every = pd.concat([of_table, of_log]).dropna(subset=["price"])
    newest = every.sort_values("day", kind="stable").drop_duplicates("item_id", keep="last")
    return dict(zip(newest["item_id"], newest["price"].astype(float), strict=True))


def with_entries(log: Sequence[ItemChange], entries: pd.DataFrame) -> tuple[ItemChange, ...]:
    """The settings' log and the changes of files, each once, in order of days.

    An item's first price is what it was sold at so far, and no change.
    """
    ordered = entries.sort_values("day", kind="stable")
    first = ordered[ordered["price"].notna()].drop_duplicates("item_id").index
    changes = entries.drop(index=first)
    told = (
        ItemChange(item_id=item_id, day=day.date(), what=what)
        for item_id, day, what in zip(
            changes["item_id"], changes["day"], changes["what"], strict=True
        )
    )
    every = {(one.day, one.item_id, one.what): one for one in (*log, *told)}
    return tuple(every[key] for key in sorted(every))


def _known(row: Mapping[Any, Any]) -> dict[str, Any]:
    """The cells that say something, with days as dates."""
    cells = {str(name): value for name, value in row.items() if not pd.isna(value)}
    return {
        name: value.date() if isinstance(value, pd.Timestamp) else value
        for name, value in cells.items()
    }


def _merged(
    stated: Item | None, item_id: str, told: Cells, prices: Mapping[str, float]
) -> tuple[Item, Alerts]:
    """One item as files and settings have it, and where they disagree."""
    base = stated or Item(item_id=item_id)
    cells = {setting: told[name] for name, setting in _FIELDS.items() if name in told}
    if "item_ad_groups" in told:
        cells["ad_groups"] = tuple(_BETWEEN.split(str(told["item_ad_groups"]).strip()))
    alerts = list(_conflicts(base, cells, told))
    if "unit_cost" in told and "margin" not in told:
        cells["margin"], below = _margin_of(item_id, float(told["unit_cost"]), prices)
        alerts += below
    if "margin" in cells:
        cells["unit_cost"] = None  # the settings' own would stand before the margin
    kept = {name: getattr(base, name) for name in Item.model_fields}
    return parse_model({**kept, **cells}, Item), alerts


def _margin_of(item_id: str, unit_cost: float, prices: Mapping[str, float]) -> tuple[float, Alerts]:
    """What is left of the price; nothing, and an alert, where the item is sold at a loss."""
    if item_id not in prices:
        raise RefusedInput("item_cost_unpriced", item=item_id, unit_cost=unit_cost)
    price = prices[item_id]
    if unit_cost < price:
        return 1.0 - unit_cost / price, []
    told = {"code": "item_below_cost", "item": item_id, "unit_cost": unit_cost, "price": price}
    return 0.0, [told]


def _conflicts(base: Item, cells: Cells, told: Cells) -> Iterator[dict[str, Any]]:
    """Cells on which a file and the settings disagree; a cost and a margin speak of the same thing."""
    both = {**cells, **({"unit_cost": told["unit_cost"]} if "unit_cost" in told else {})}
    if base.unit_cost is not None and "margin" in cells:
        yield _conflict(base.item_id, "unit_cost", base.unit_cost, None)
    for name, value in both.items():
        own = getattr(base, name)
        if own not in (None, ()) and own != value:
            yield _conflict(base.item_id, name, own, value)


def _conflict(item_id: str, name: str, own: Any, value: Any) -> dict[str, Any]:
    return {
        "code": "item_conflict",
        "item": item_id,
        "key": name,
        "settings": _shown(own),
        "file": _shown(value),
    }


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, date):
        return value.isoformat()
    return "; ".join(value) if isinstance(value, tuple) else str("–" if value is None else value)
