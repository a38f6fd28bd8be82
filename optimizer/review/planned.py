"""Campaign budgets that a plan asks for, as suggestions of the run that adopted it.

The run's context then has `planned`: `plan` (its name) and `budgets`, one mapping per campaign with
`key`, `name`, `now`, `setting`, `line`, `cost_now` and `cost_plan`. The solve keeps to them while they
are open or approved; a refused one leaves its campaign's present budget in force.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from optimizer.review.suggestions import suggestion_id
from optimizer.tables import SUGGESTIONS

Context = Mapping[str, Any]
KIND, SLOT, REASON = "set_budget", "budget", "plan_budget"

_STILL = (
    "delta_clicks",
    "delta_cost",
    "delta_profit_mean",
    "delta_profit_low",
    "delta_profit_high",
)


def open_budgets(
    context: Context, refused: Callable[[Mapping[str, Any]], bool]
) -> list[Mapping[str, Any]]:
    """The plan's budgets that nobody has refused."""
    told = context.get("planned", {}).get("budgets", ())
    return [one for one in told if not refused({**one, "kind": KIND})]


def budget_rows(
    budgets: Sequence[Mapping[str, Any]], plan: pd.DataFrame, context: Context
) -> pd.DataFrame:
    """SUGGESTIONS of these budgets. They change nothing by themselves: their bids' rows tell what does."""
    first = plan.drop_duplicates("campaign_name").set_index("campaign_name")["campaign_id"]
    day = date.fromisoformat(context["as_of"])
    rows = [
        {
            "id": suggestion_id(context["account"], day, one["key"], SLOT),
            "kind": KIND,
            "slot": SLOT,
            "entity_key": one["key"],
            "campaign_id": first.get(one["name"]),
            "campaign_name": one["name"],
            "ad_group_name": "",
            "keyword_text": one["name"],
            "segment": "",
            "bid": one["now"],
            "proposed_bid": one["setting"],
            **dict.fromkeys(_STILL, 0.0),
            "line": one["line"],
            "reason": REASON,
            "binding": "none",
            "evidence": _evidence(one, context),
        }
        for one in budgets
    ]
    return pd.DataFrame(rows, columns=list(SUGGESTIONS.columns))


def _evidence(one: Mapping[str, Any], context: Context) -> str:
    data = context["data"]
    told = {
        "plan": context["planned"]["plan"],
        "cost_now": one["cost_now"],
        "cost_plan": one["cost_plan"],
        "line": one["line"],
        "assumed": list(context["assumed"]),
        **{name: data[name] for name in ("first_day", "last_day", "days", "days_excluded")},
        "horizon_days": 7,
        "interval": context["interval"],
    }
    return json.dumps(told, ensure_ascii=False, allow_nan=False)
