"""Bidding policies behind one method, `decide(history, today, rng) -> bids`.

`make_policy` knows them by name; anything else with that method plays as well.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Protocol

import numpy as np

from optimizer.errors import RefusedInput
from optimizer.planning.history import History
from optimizer.planning.market import Market
from optimizer.planning.policies.oracle import Oracle
from optimizer.planning.policies.reviewing import Optimizer
from optimizer.planning.policies.rules import (
    AcosRule,
    AverageRoas,
    FixedBid,
    GroupBlend,
    Hold,
    PauseWorst,
)
from optimizer.planning.policies.settings import PolicySettings
from optimizer.settings import Settings

__all__ = ["POLICIES", "RULES", "Optimizer", "Policy", "PolicySettings", "make_policy"]


class Policy(Protocol):
    """Whoever sets the bids; one object lives in one market."""

    def decide(self, history: History, today: date, rng: np.random.Generator) -> np.ndarray:
        """Bids of `today` per keyword, 0: off, from what is known on its morning."""
        ...


RULES: dict[str, Callable[[], Policy]] = {
    "hold": Hold,
    "fixed_bid": FixedBid,
    "acos_rule": AcosRule,
    "average_roas": AverageRoas,
    "group_blend": GroupBlend,
    "pause_worst": PauseWorst,
}
"""What people do today."""

POLICIES = (*RULES, "optimizer", "optimizer_explore", "oracle")


def make_policy(name: str, market: Market, settings: Settings, rules: PolicySettings) -> Policy:
    """A fresh policy for one life in `market`. Raises `RefusedInput("policy_unknown")`."""
    if name in RULES:
        return RULES[name]()
    if name == "oracle":
        return Oracle(market)
    if name in ("optimizer", "optimizer_explore"):
        return Optimizer(settings, rules, explores=name == "optimizer_explore")
    raise RefusedInput("policy_unknown", policy=name, known=", ".join(POLICIES))
