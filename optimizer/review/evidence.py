"""The numbers behind a suggestion: codes and figures that an interface puts into words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from optimizer.curves.bid_landscape import Response
from optimizer.decisions.outcomes import CommonShocks, Moves, draw_curve, expected_change
from optimizer.estimates.posteriors import Bools, Floats, Gamma
from optimizer.review.plan import CURVE, curve_columns, curve_response, gamma_of

_FIGURES = (
    "segment",
    "seen_clicks",
    "exposure",
    "conversions",
    "clicks",
    "cpc",
    "value_mean",
    "parent_mean",
    "rate_mean",
    "per_conversion_mean",
    "marginal_mean",
    "line",
    "p_above_cpc",
    "p_above_lowest_cpc",
    "p_marginal_above",
    "clicks_needed",
    "step_limit",
    "lower_step",
    "lowest_bid",
    "highest_bid",
    "assumed_share",
    "response_assumed",
    "response_source",
    "response_information",
    "no_bite",
    "quality_score",
    "first_page_bid",
    "impressions",
    "binding",
    "change_day",
    "change_days",
    "change_clicks_before",
    "change_clicks_after",
    "change_cpc_before",
    "change_cpc_after",
    "donor_key",
    "organic_orders",
    "organic_visitors",
    "organic_first_day",
    "organic_last_day",
    *CURVE[3:],
)
_INTERVALS = ("rate", "parent", "value", "marginal")
_CURVE_POINTS = 41

FROM_PLAN = ""
"""Evidence that follows from the run's plan and the row itself: `explaining.explain` makes it when asked."""


def evidence_frame(frame: pd.DataFrame, context: Mapping[str, Any]) -> pd.DataFrame:
    """Figures and the ends of their intervals, one row per row of `frame`."""
    figures = frame[[name for name in _FIGURES if name in frame.columns]].copy()
    for name in _INTERVALS:
        if f"{name}_cv2" in frame.columns:
            ends = gamma_of(frame, name).interval(context["interval"])
            figures[f"{name}_low"], figures[f"{name}_high"] = ends
    return figures


def shared_evidence(context: Mapping[str, Any]) -> dict[str, Any]:
    """What holds for every row of a run: the data read and what is assumed."""
    data = context["data"]
    return {
        "assumed": list(context["assumed"]),
        "first_day": data["first_day"],
        "last_day": data["last_day"],
        "days": data["days"],
        "days_excluded": data["days_excluded"],
        "days_maturing": data["days_maturing"],
        "horizon_days": 7,
        "interval": context["interval"],
    }


def response_curve(row: Mapping[str, Any], context: Mapping[str, Any]) -> pd.DataFrame:
    """Chart data of one keyword (a row of the plan): what each bid would bring per day.

    Columns bid, clicks, cost, profit_mean, profit_low, profit_high (profit against the present bid)
    and within_step. Bids reach twice the step limit each way.
    """
    present = float(row["curve_bid"])
    reach = min(2 * float(context["rules"]["step_limit"]), 0.9)
    bid = present * np.linspace(1 - reach, 1 + reach, _CURVE_POINTS)
    response = _repeated(row, len(bid))
    volume, value = (
        Gamma(np.full(len(bid), row[f"{name}_mean"]), np.full(len(bid), row[f"{name}_cv2"]))
        for name in ("volume", "value")
    )
    shares = {name: np.array([row.get(name, 1.0)]) for name in ("present", "served")}
    moves = Moves(response, volume, value, bid, **shares)
    bought, (clicks, cost, profit) = response.clicks * moves.present, expected_change(moves)
    low, high = draw_curve(
        moves,
        bid,
        CommonShocks(**context["shocks"]),
        int(context["draws"]),
        float(context["interval"]),
        int(context["seed"]),
    )
    up = float(row.get("step_limit", context["rules"]["step_limit"]))
    down = float(row.get("lower_step", up))
    return pd.DataFrame(
        {
            "bid": bid,
            "clicks": bought + clicks,
            "cost": bought * response.cpc + cost,
            "profit_mean": profit,
            "profit_low": low,
            "profit_high": high,
            "within_step": _within(bid / present - 1, up, down),
        }
    )


def _within(change: Floats, up: float, down: float) -> Bools:
    """Whether a change of bid, as a share of it, stays within today's step."""
    inside: Bools = (change <= up + 1e-9) & (change >= -down - 1e-9)
    return inside


def _repeated(row: Mapping[str, Any], size: int) -> Response:
    values = np.array([np.full(size, float(row[name])) for name in curve_columns(row)])
    return curve_response(values, np.full(size, bool(row["response_assumed"])))
