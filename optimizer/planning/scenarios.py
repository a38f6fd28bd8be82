"""What an operator asks of a plan, and what in the answer is assumed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from optimizer.errors import RefusedInput
from optimizer.planning.pacing import Kind
from optimizer.settings import Model


class EventWish(Model):
    """A sale by name; `start` and `end` where it is not when it usually is; medians in place of shipped
    ones, `multipliers[quantity][phase]`."""

    name: str
    start: date | None = None
    end: date | None = None
    multipliers: Mapping[str, Mapping[str, float]] = {}


class MonthTarget(Model):
    """What this calendar month is to come to."""

    kind: Kind = "spend"
    amount: float


def _no_most(most: Any) -> Any:
    return math.inf if most is None else most


Most = Annotated[float, BeforeValidator(_no_most)]


class Scenario(Model):
    """One "what if": everything is per day in account currency but `month`.

    `budget` None: the account's own. `bounds` of campaigns and items by name as (least, most; null:
    none); `locks` names campaigns or items whose bids stay; `days` how far a sale may lie ahead.
    """

    budget: float | None = None
    bounds: Mapping[str, tuple[float, Most]] = {}
    locks: tuple[str, ...] = ()
    roas: float | None = None
    cpa: float | None = None
    event: EventWish | None = None
    month: MonthTarget | None = None
    days: Annotated[int, Field(ge=1, le=120)] = 30


def checked_scenario(scenario: Scenario, spent_now: float, names: Sequence[str]) -> Scenario:
    """`scenario` itself. Raises `RefusedInput` for numbers and names that no plan can have.

    `names` are the campaigns and items that can be locked.
    """
    if scenario.budget is not None and not _positive(scenario.budget):
        raise RefusedInput("budget_not_positive", budget=scenario.budget, nearest=spent_now)
    for kind in ("roas", "cpa"):
        asked = getattr(scenario, kind)
        if asked is not None and not _positive(asked):
            raise RefusedInput("target_not_positive", kind=kind, target=asked)
    for name, (least, most) in scenario.bounds.items():
        if not (0 <= least <= most):
            raise RefusedInput("bounds_crossed", name=name, low=least, high=most)
    unknown = [name for name in scenario.locks if name not in names]
    if unknown:
        raise RefusedInput("lock_unknown", name=unknown[0], known=list(names))
    return scenario


def _positive(amount: float) -> bool:
    return math.isfinite(amount) and amount > 0


def assumed_inputs(
    context: Mapping[str, Any],
    beyond_bids: float,
    learned: Sequence[tuple[str, str]] | None,
) -> list[str]:
    """Codes of what a plan takes for granted: the review's own, then what only the plan needs.

    `learned` are the pairs of a sale that last year's days told of (None: no sale).
    """
    codes = [code for code in context["assumed"] if code != "daily_budget"]
    if any(one.get("served_assumed") for one in context.get("levers", ())):
        codes.append("served_share")
    if beyond_bids > 0:
        codes.append("curves_beyond")
    if learned is not None:
        codes.append("event_learned" if learned else "event_assumed")
    return codes
