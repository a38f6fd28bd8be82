"""What a chosen set of changes would do together, from the beliefs and draws of its run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from optimizer.decisions.outcomes import CommonShocks, Outcome, draw_outcome
from optimizer.estimates.posteriors import Bools
from optimizer.review.plan import move_columns, moves_of
from optimizer.review.reverting import REVERT
from optimizer.review.rivals import BUDGET_LASTS


def planned_rows(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Keywords and judged terms of a run, indexed by `entity_key` as suggestions write it."""
    names = ["entity_key", "campaign", "node"]
    filled = [frames[name] for name in ("plan", "terms") if len(frames[name])]
    known = [frame[[*names, *move_columns(frame)]] for frame in filled]
    rows = pd.concat([frame.astype({"entity_key": "str"}) for frame in known])
    return rows.set_index("entity_key")


def selection_outcome(
    planned: pd.DataFrame, changes: pd.DataFrame, context: Mapping[str, Any]
) -> Outcome:
    """Joint outcome of `changes` (`entity_key`, `approved_bid`; no bid: it stops) per day.

    Shared shocks are drawn once for all rows, so that the interval of the sum is neither that of
    independent rows nor the sum of their intervals. Budgets, targets and bids in place of a budget
    keep the figures they came with; they move with the rest, so their interval ends are added.
    """
    known = planned.index.get_indexer(pd.Index(changes["entity_key"].astype(str))) >= 0
    # A capped campaign answers to lower bids as a whole; its rows bring their part of that. At a bid
    # that somebody chose instead, a row is judged by its own curve.
    chosen = changes["approved_bid"]
    edited = chosen.notna() & chosen.ne(changes["proposed_bid"])
    whole = changes["reason"].eq(BUDGET_LASTS) & ~edited
    # What takes an export back starts from the exported bid, not from the plan's.
    known = known & ~(whole | changes["reason"].eq(REVERT)).to_numpy()
    if not known.all():
        drawn = selection_outcome(planned, changes[known], context)
        return _beside(drawn, changes, known)
    rows = planned.reindex(changes["entity_key"].astype(str)).reset_index(drop=True)
    target = changes["approved_bid"].to_numpy(dtype=np.float64, na_value=np.nan)
    moves = moves_of(rows, np.where(np.isnan(target), 0.0, target))
    return draw_outcome(
        moves,
        CommonShocks(**context["shocks"]),
        int(context["draws"]),
        float(context["interval"]),
        np.random.default_rng(context["seed"]),
    )


def _beside(drawn: Outcome, changes: pd.DataFrame, known: Bools) -> Outcome:
    """`drawn` for the known rows, the stored Δ for the others, in the order of `changes`."""
    stored = {
        "clicks": "delta_clicks",
        "cost": "delta_cost",
        "profit": "delta_profit_mean",
        "low": "delta_profit_low",
        "high": "delta_profit_high",
        "p_positive": "p_positive",
    }
    parts = {name: changes[column].to_numpy(dtype=np.float64) for name, column in stored.items()}
    for name, values in parts.items():
        parts[name] = values.copy()
        parts[name][known] = getattr(drawn, name)
    ends = (parts["profit"], parts["low"], parts["high"])
    mean, low, high = (
        float(total + end[~known].sum()) for total, end in zip(drawn.total, ends, strict=True)
    )
    return Outcome(**parts, total=(mean, low, high))
