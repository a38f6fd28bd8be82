"""What a chosen set of changes would do together, from the beliefs and draws of its run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from optimizer.decisions.outcomes import CommonShocks, Moves, Outcome, draw_outcome
from optimizer.review.plan import CURVE, gamma_of, response_of

_NEEDED = (
    *CURVE,
    "response_assumed",
    "volume_mean",
    "volume_cv2",
    "value_mean",
    "value_cv2",
)


def planned_rows(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Keywords and judged terms of a run, indexed by `entity_key` as suggestions write it."""
    names = ["entity_key", "campaign", *_NEEDED]
    known = [frames[name][names] for name in ("plan", "terms") if len(frames[name])]
    rows = pd.concat([frame.astype({"entity_key": "str"}) for frame in known])
    return rows.set_index("entity_key")


def selection_outcome(
    planned: pd.DataFrame, changes: pd.DataFrame, context: Mapping[str, Any]
) -> Outcome:
    """Joint outcome of `changes` (`entity_key`, `approved_bid`; no bid: it stops) per day.

    Every key must be in `planned`. Shared shocks are drawn once for all rows, so that the interval
    of the sum is neither that of independent rows nor the sum of their intervals.
    """
    rows = planned.reindex(changes["entity_key"].astype(str)).reset_index(drop=True)
    target = changes["approved_bid"].to_numpy(dtype=np.float64, na_value=np.nan)
    moves = Moves(
        response_of(rows),
        gamma_of(rows, "volume"),
        gamma_of(rows, "value"),
        np.where(np.isnan(target), 0.0, target),
    )
    return draw_outcome(
        moves,
        CommonShocks(**context["shocks"]),
        int(context["draws"]),
        float(context["interval"]),
        np.random.default_rng(context["seed"]),
    )
