"""Items and circuit breakers of one account: what stopped converting, what changed, what is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from optimizer.decisions import goals, guardrails
from optimizer.decisions.allocation import SideCaps
from optimizer.estimates.exposure import Records, day_number
from optimizer.estimates.posteriors import Bools, Floats, Ints, group_sum
from optimizer.estimates.value_per_click import ValueEstimate
from optimizer.estimates.volume import VolumeEstimate
from optimizer.settings import Guardrails, Settings

_OUTAGE_WEEK = 7
_SHARE_DAYS = 14


def with_breaks(
    rows: Records, item: Ints, settings: Settings, today: date
) -> tuple[Records, list[dict[str, Any]]]:
    """`rows` in which days before a change of their item count less, and the alerts that say so.

    A price, coupon, image or page change makes another offer of the item: what its clicks did
    before tells `break_weight` of what they will do. Counts are scaled, so that a posterior widens
    as if there had been fewer clicks. `item` is the index of each unit's item. A change that is
    only planned changes nothing yet.
    """
    log = settings.account.item_log
    number = {one.item_id: place for place, one in enumerate(settings.account.items)}
    known = [change for change in log if change.item_id in number and change.day <= today]
    weight = settings.estimation.break_weight
    # Price and image changed on one day are one new offer.
    breaks = sorted({(number[change.item_id], day_number(change.day)) for change in known})
    changed, days = np.array(breaks, dtype=np.int64).reshape(-1, 2).T
    tells = goals.break_weights(item, rows.unit, rows.last, changed, days, weight)
    if (tells >= 1).all():
        return rows, []
    scaled = {
        name: getattr(rows, name) * tells
        for name in ("impressions", "clicks", "cost", "conversions", "value")
    }
    return replace(rows, **scaled), [
        {
            "code": f"item_changed_{change.what}",
            "item": change.item_id,
            "day": change.day.isoformat(),
            "weight": weight,
        }
        for change in known
    ]


def broken_groups(
    rows: Records,
    due: Floats,
    value: ValueEstimate,
    groups: tuple[Ints, Sequence[str]],
    code: str,
    rules: Guardrails,
    now: int,
) -> tuple[Bools, list[dict[str, Any]]]:
    """Per keyword whether its group has all but stopped converting, and the alerts that name it.

    `groups` numbers each keyword's group (-1: none) and names them; `due` is the completed clicks of
    each record. Judged on the last `outage_days`, and on a week for groups too small for that.
    """
    number, names = groups
    late = np.flatnonzero(rows.first >= now - max(_OUTAGE_WEEK, rules.outage_days))
    unit, first, due = rows.unit[late], rows.first[late], due[late]
    conversions, expected = rows.conversions[late], value.rate.posterior.mean[unit] * due
    inside = (number[unit] >= 0) & (due > 0)
    found = np.zeros(len(names), dtype=bool)
    told = np.zeros((2, len(names)))
    for days in (_OUTAGE_WEEK, rules.outage_days):
        recent = inside & (first >= now - days)
        group = number[unit[recent]]
        seen = group_sum(group, conversions[recent], len(names))
        likely = group_sum(group, expected[recent], len(names))
        gone = guardrails.group_outages(seen, likely, value.rate.dispersion, rules)
        told[:, gone] = seen[gone], likely[gone]
        found |= gone
    alerts = [
        {
            "code": code,
            "name": names[int(place)],
            "seen": float(told[0, place]),
            "expected": round(float(told[1, place]), 2),
        }
        for place in np.flatnonzero(found)
    ]
    return np.append(found, False)[number], alerts


def impression_share(daily: pd.DataFrame, keywords: pd.Series[int], today: date) -> Floats:
    """Mean impression share of the last two weeks per keyword, nan where no report says."""
    if "impression_share" not in daily.columns:
        return np.full(len(keywords), np.nan)
    since = pd.Timestamp(today) - pd.Timedelta(days=_SHARE_DAYS)
    known = daily[(daily["first_day"] >= since) & daily["impression_share"].notna()]
    mean = known.groupby("entity_key")["impression_share"].mean()
    return np.asarray(keywords.map(mean), dtype=np.float64)


def was_lowered(bid_changes: pd.DataFrame, keywords: pd.Series[int]) -> Bools:
    """Per keyword whether the newest known change of its bid was downwards."""
    rows = bid_changes.sort_values(["entity_key", "day"], kind="stable")
    before = rows.groupby("entity_key")["bid"].shift()
    last = rows.assign(lowered=rows["bid"] < before).drop_duplicates("entity_key", keep="last")
    lowered = last.set_index("entity_key")["lowered"]
    return np.asarray(keywords.map(lowered).eq(True), dtype=bool)


def item_state(
    item: Ints,
    value: ValueEstimate,
    volume: VolumeEstimate,
    share: Floats,
    settings: Settings,
    today: date,
) -> tuple[goals.ItemState, list[dict[str, Any]]]:
    """What the items ask of their keywords today, and the alerts."""
    sales = goals.Sales(
        volume.clicks.mean,
        volume.cpc,
        value.per_click.mean,
        value.rate.posterior.mean,
        share,
    )
    return goals.judge_items(
        settings.account.items, item, sales, today, settings.guardrails.stock_cover_days
    )


def stock_caps(
    plan: pd.DataFrame, index: Ints, gained: Floats, allowed: Bools, stays: Bools, context: Any
) -> SideCaps | None:
    """Orders per day that stock leaves to the free keywords (plan rows `index`) of each item.

    `gained` is the objective value of their levels, `allowed` which they may take; `stays` marks the
    plan rows that go on as they are and sell from the same stock. None without a stated stock. What
    cannot be reached within today's steps is approached, not refused.
    """
    stock = context.get("stock", ())
    if not stock:
        return None
    item, clicks = plan["item"].to_numpy(), plan["clicks"].to_numpy()
    orders = clicks * plan["rate_mean"].to_numpy()
    group = np.full(len(plan), -1, dtype=np.int64)
    for place, one in enumerate(stock):
        group[item == one["item"]] = place
    inside, size = group[index] >= 0, len(stock)
    present = gained[:, gained.shape[1] // 2]
    usable = inside & (present > 0)
    per = np.divide(orders[index], present, out=np.zeros(len(index)), where=usable)
    lowest = np.where(allowed, gained, np.inf).min(axis=1) * per
    least = group_sum(group[index][inside], lowest[inside], size)
    others = stays & (group >= 0)
    sold = group_sum(group[others], orders[others], size)
    limit = np.array([one["orders_per_day"] for one in stock]) - sold
    return SideCaps(np.where(usable, group[index], -1), per, np.maximum(limit, least * (1 + 1e-9)))


def stated_stock(state: goals.ItemState) -> list[dict[str, Any]]:
    """JSON values of the items whose stock is stated: index and orders per day it allows."""
    known = np.flatnonzero(np.isfinite(state.orders_per_day))
    return [
        {"item": int(place), "orders_per_day": float(state.orders_per_day[place])}
        for place in known
    ]


def hold_alerts(plan: pd.DataFrame, settings: Settings) -> list[dict[str, Any]]:
    """What holding the bids of each ranked item costs per day."""
    held = plan[plan["lower_block"] == "rank_hold"]
    items = settings.account.items
    number = held["item"].to_numpy(dtype=np.int64)
    cost = group_sum(number, held["hold_cost"].to_numpy(dtype=np.float64), len(items))
    keywords = np.bincount(number, minlength=len(items))
    return [
        {
            "code": "rank_hold",
            "item": items[place].item_id,
            "cost": float(cost[place]),
            "keywords": int(keywords[place]),
        }
        for place in np.flatnonzero(keywords).tolist()
    ]
