"""What a whole run knows and a re-solve or a reader needs again: rules, doubts and the data behind it."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from optimizer.estimates.exposure import Records, day_number
from optimizer.estimates.value_per_click import ValueEstimate
from optimizer.review.beliefs import Beliefs
from optimizer.review.budget_tree import Funds, stated_targets
from optimizer.review.enforced import day_rules
from optimizer.review.maturity import Maturity, completion_spread
from optimizer.review.response import Learned
from optimizer.review.suggestions import ReviewInputs

_RULES = (
    "dead_band",
    "step_limit",
    "min_probability",
    "add_probability",
    "pause_probability",
    "negative_probability",
)


def run_context(
    inputs: ReviewInputs,
    believed: Beliefs,
    alerts: list[dict[str, Any]],
    funds: Funds,
    campaigns: list[str],
    today: date,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """The run's constants, as JSON values; `campaigns` are names by number."""
    settings, rules = believed.settings, believed.settings.guardrails
    estimation, completion = settings.estimation, believed.maturity.count
    assumed = funds.assumed
    return {
        "account": inputs.account,
        "as_of": today.isoformat(),
        "currency": inputs.currency,
        "seed": int(rng.integers(2**53)),
        "budgets": funds.nodes,
        "objective": settings.account.objective,
        "targets": stated_targets(settings.account, campaigns),
        "budget_assumed": assumed,
        "assumed": ["response", *believed.value.assumed, *(["daily_budget"] if assumed else [])],
        "step": float(settings.bid_limit(inputs.platform, inputs.currency).step),
        "rules": {name: getattr(rules, name) for name in _RULES},
        "draws": estimation.draws,
        "interval": estimation.interval,
        "half_grid_levels": estimation.half_grid_levels,
        "days": day_rules(funds.spread, settings.budget_rules.get(inputs.platform)),
        "completion": [round(float(share), 4) for share in completion.share[:31]],
        **_lag_told(believed.maturity),
        "lag_observed": round(completion.observed, 2),
        "alerts": alerts,
        "term_cost_share": _term_share(inputs, believed.rows),
        "data": _data(believed.rows, believed.maturity, believed.value, day_number(today)),
    }


def _lag_told(maturity: Maturity) -> dict[str, list[float]]:
    """The doubt about `completion`, and the same of the value, for whoever completes days later."""
    told = {
        "completion_sd": maturity.count.sd_log,
        "value_completion": maturity.value.share,
        "value_completion_sd": maturity.value.sd_log,
    }
    return {name: [round(float(one), 4) for one in values[:31]] for name, values in told.items()}


def common_shocks(believed: Beliefs, learned: Learned, today: date) -> dict[str, float]:
    """Spread common to all rows: of completion and of the account's level of V, demand and response.

    The level of V is known as well as ψ orders and their amounts tell it.
    """
    spread = completion_spread(believed.rows, believed.maturity, day_number(today))
    prior, value = believed.settings.estimation, believed.value
    seen = max(float(value.conversions.sum()), 1.0)
    level = np.sqrt((value.rate.dispersion + prior.value_cv**2) / seen)
    return {
        "completion": float(np.hypot(spread, level)),
        "demand": prior.demand_sd,
        "elasticity": learned.elasticity_common_sd,
        "cpc_exponent": learned.cpc_exponent_common_sd,
        "click_share": prior.click_share,
    }


def _term_share(inputs: ReviewInputs, rows: Records) -> float:
    """Share of the account's cost whose search terms are known."""
    total = float(rows.cost.sum())
    known = float(inputs.term_daily["cost"].sum()) if len(inputs.term_daily) else 0.0
    return min(known / total, 1.0) if total > 0 else 0.0


def _data(rows: Records, maturity: Maturity, value: ValueEstimate, now: int) -> dict[str, Any]:
    days = np.unique(rows.last)
    dropped = np.unique(rows.last[~maturity.weights.used])
    return {
        "first_day": str(np.datetime64(int(rows.first.min()), "D")),
        "last_day": str(np.datetime64(int(rows.last.max()), "D")),
        "days": len(days),
        "days_excluded": len(dropped),
        "days_maturing": int((maturity.count.at(now - 1 - days) < 0.95).sum()),
        "clicks": float(rows.clicks.sum()),
        "conversions": float(rows.conversions.sum()),
        "cost": float(rows.cost.sum()),
        "dispersion": round(value.rate.dispersion, 4),
        "tau2": [round(part, 4) for part in value.rate.tau2],
        "rate_and_value": _rate_and_value(value),
    }


def _rate_and_value(value: ValueEstimate) -> dict[str, Any] | None:
    """Siblings' covariance of rate and value per order, and whether the value of a click heeds it."""
    found = value.dependence
    if found is None or not np.isfinite(found.covariance):
        return None
    told = {"covariance": found.covariance, "error": found.error}
    return {**{key: round(part, 4) for key, part in told.items()}, "used": found.clear}
