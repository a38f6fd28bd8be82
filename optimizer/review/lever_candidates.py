"""Campaigns whose budget or automated target can be judged at all, and what judging them needs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from optimizer.estimates.exposure import Records, day_number
from optimizer.estimates.posteriors import Bools, Floats, Ints, group_sum
from optimizer.estimates.volume import served_share
from optimizer.settings import AutomatedTarget, Settings

_WORTHLESS = ("brand", "stock_short", "item_outage")
_OUT = ("conversion_outage", "campaign_outage", "too_little_data")


def campaign_key(campaign_id: Any, name: str) -> str:
    """The `entity_key` of a campaign's suggestions: by id where the platform gave one."""
    return f"c:{name if pd.isna(campaign_id) else campaign_id}"


def lever_candidates(
    plan: pd.DataFrame,
    keywords: pd.DataFrame,
    rows: Records,
    lost_is_budget: Floats,
    capped: Bools,
    budget: Floats,
    price: Floats,
    frozen: bool,
    settings: Settings,
    today: date,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """JSON values of each campaign with a lever to judge, and alerts of those that still learn.

    `capped`, `budget` and `price` (of a click once no budget ends the day, over today's) are per
    campaign number.

    An automated campaign is a candidate where its present target is stated, at rest (14 days or 30
    orders since its last change) and its brand words, if any, have a stated increment.
    """
    number = plan["campaign"].to_numpy(dtype=np.int64)
    names = plan["campaign_name"].to_numpy()[np.unique(number, return_index=True)[1]]
    facts = _facts(plan, number, len(names))
    served, known = served_share(rows, number, lost_is_budget, day_number(today), len(names))
    found: list[dict[str, Any]] = []
    learning: list[dict[str, Any]] = []
    for place, name in enumerate(names):
        told = {"name": str(name), "campaign": place, **{k: v[place] for k, v in facts.items()}}
        told["key"] = campaign_key(plan["campaign_id"].iloc[facts["first"][place]], str(name))
        if facts["out"][place] or facts["clicks"][place] <= 0 or facts["cost"][place] <= 0:
            continue
        if capped[place] and budget[place] > 0:
            share = {"served": served[place], "served_assumed": not known[place]}
            asked = {"kind": "set_budget", "now": budget[place], "price": price[place]}
            found.append(_plain({**told, **share, **asked}))
        target = settings.account.automated_targets.get(str(name))
        mode = keywords["bidding_mode"].iloc[facts["first"][place]]
        if target is None or mode != "automated" or facts["unpriced"][place]:
            continue
        if at_rest(target, _orders_since(rows, number == place, target), settings, today):
            found.append(_plain({**told, **_target(target), "frozen": frozen}))
        else:
            learning.append({"code": "learning_period", "campaign": str(name)})
    return found, learning


def _facts(plan: pd.DataFrame, number: Ints, size: int) -> dict[str, Any]:
    """Sums per campaign; value that more clicks would not bring (brand, sold out) counts nothing."""
    clicks, cost = plan["clicks"].to_numpy(), (plan["clicks"] * plan["cpc"]).to_numpy()
    blocked = plan["raise_block"]
    worth = np.where(blocked.isin(_WORTHLESS), 0.0, clicks * plan["value_mean"].to_numpy())
    value = group_sum(number, worth, size)
    spread = group_sum(number, worth**2 * plan["value_cv2"].to_numpy(), size)
    sums = group_sum(number, clicks, size)
    return {
        "first": np.unique(number, return_index=True)[1],
        "clicks": sums,
        "cost": group_sum(number, cost, size),
        "value": np.divide(value, sums, out=np.zeros(size), where=sums > 0),
        "value_cv2": np.divide(spread, value**2, out=np.zeros(size), where=value > 0),
        "out": np.bincount(number[blocked.isin(_OUT)], minlength=size) > 0,
        "unpriced": np.bincount(number[blocked == "brand"], minlength=size) > 0,
    }


def _target(target: AutomatedTarget) -> dict[str, Any]:
    by_roas = target.roas is not None
    return {
        "kind": "set_target",
        "target": "roas" if by_roas else "cpa",
        "now": target.roas if by_roas else target.cpa,
    }


def _orders_since(rows: Records, inside: Bools, target: AutomatedTarget) -> float:
    if target.changed is None:
        return float("inf")
    after = inside[rows.unit] & (rows.first >= day_number(target.changed))
    return float(rows.conversions[after].sum())


def at_rest(target: AutomatedTarget, orders: float, settings: Settings, today: date) -> bool:
    """Whether automated bidding has learnt its present target: enough days, or enough orders."""
    rules = settings.guardrails
    if target.changed is None or (today - target.changed).days >= rules.target_rest_days:
        return True
    return orders >= rules.target_rest_conversions


def _plain(told: Mapping[str, Any]) -> dict[str, Any]:
    """Plain JSON values without what only this module needs."""
    kept = {name: value for name, value in told.items() if name not in ("out", "unpriced")}
    return {name: getattr(value, "item", lambda v=value: v)() for name, value in kept.items()}


def lever_rules(settings: Settings) -> dict[str, Any]:
    """What a re-solve needs to price levers again."""
    rules, prior = settings.guardrails, settings.estimation
    return {
        "budget_step_limit": rules.budget_step_limit,
        "target_step_limit": rules.target_step_limit,
        "learning_loss": rules.learning_loss,
        "response": [
            prior.elasticity_mean,
            prior.elasticity_sd,
            prior.cpc_exponent_mean,
            prior.cpc_exponent_sd,
        ],
    }
