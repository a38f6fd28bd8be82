"""The opposite of what was exported, as suggestions of their own: decided, exported and judged like any.

Only amounts and pauses of keywords have an opposite of the same kind; what a file created (keywords,
negatives) and what is about creatives is taken back by the rollback file that every export has.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Set
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd

from optimizer.errors import Conflict
from optimizer.tables import SUGGESTIONS, empty_table

REVERT: Final = "revert"
"""Reason of a suggestion that takes an exported one back."""

LIVE: Final = ("exported", "confirmed_live")
"""Deliveries of what is on the platform, or on its way there."""

_BIDS = ("raise", "lower")
_AMOUNTS = (*_BIDS, "set_budget", "set_target")


def reverts(
    rows: pd.DataFrame, account: str, as_of: date, newest: Set[str]
) -> tuple[pd.DataFrame, list[Conflict]]:
    """Suggestions of the review of `as_of` (SUGGESTIONS) that take `rows` back, and what has no opposite.

    `rows` are stored suggestions whose Δ is that of the approved value; `newest` holds the ids of the
    last export of each thing. The opposite replaces the approved value by the one it replaced, and
    its Δ is the negative one.
    """
    told = [_obstacle(row, newest) for row in rows.to_dict("records")]
    free = rows[[one is None for one in told]]
    refused = [one for one in told if one is not None]
    if free.empty:
        return empty_table(SUGGESTIONS), refused
    amounts = free["kind"].isin(_AMOUNTS)
    opposite = free.assign(
        id=[_identity(account, as_of, row) for row in free.to_dict("records")],
        kind=_kinds(free),
        linked_id=None,
        bid=free["bid"].mask(amounts, free["approved_bid"]),
        proposed_bid=free["bid"].where(amounts),
        delta_clicks=-free["delta_clicks"],
        delta_cost=-free["delta_cost"],
        delta_profit_mean=-free["delta_profit_mean"],
        delta_profit_low=-free["delta_profit_high"],
        delta_profit_high=-free["delta_profit_low"],
        p_positive=1 - free["p_positive"],
        reason=REVERT,
        binding=None,
        evidence=[_evidence(row) for row in free.to_dict("records")],
    )
    dtypes = empty_table(SUGGESTIONS).dtypes
    return opposite[list(SUGGESTIONS.columns)].astype(dtypes).reset_index(drop=True), refused


def original_of(evidence: str) -> str:
    """The id of the suggestion that one of reason REVERT takes back."""
    return str(json.loads(evidence)["reverts"])


def _obstacle(row: Mapping[Any, Any], newest: Set[str]) -> Conflict | None:
    told = {"id": row["id"], "keyword_text": row["keyword_text"]}
    if row["delivery"] == "not_exported":
        return Conflict("revert_not_exported", **told)
    if row["delivery"] not in LIVE:
        return Conflict("revert_not_live", **told, delivery=row["delivery"])
    known = row["kind"] in _AMOUNTS and pd.notna(row["bid"]) and pd.notna(row["approved_bid"])
    if not known and not (row["kind"] == "pause" and row["slot"] == "state"):
        return Conflict("revert_by_file", **told, kind=row["kind"])
    return None if row["id"] in newest else Conflict("revert_overtaken", **told)


def _identity(account: str, as_of: date, row: Mapping[Any, Any]) -> str:
    parts = (account, as_of.isoformat(), row["entity_key"], row["slot"], row["id"])
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:16]


def _kinds(rows: pd.DataFrame) -> pd.Series[Any]:
    """An edited raise may have been a lower: which way a bid goes back follows from the values."""
    up = rows["bid"] > rows["approved_bid"]
    back = pd.Series(np.where(up, "raise", "lower"), index=rows.index)
    kind = rows["kind"].mask(rows["kind"].eq("pause"), "resume")
    return kind.mask(rows["kind"].isin(_BIDS), back)


def _evidence(row: Mapping[Any, Any]) -> str:
    """Of a target also which one it is: the platform's file needs to know."""
    known = json.loads(row["evidence"]) if row["evidence"] else {}
    kept = {name: known[name] for name in ("target",) if name in known}
    return json.dumps({**kept, "reverts": row["id"]}, sort_keys=True)
