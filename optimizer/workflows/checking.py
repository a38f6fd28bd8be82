"""The predictive check: what was believed 45 days ago of clicks that have matured since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from optimizer.errors import NotFound, OptimizerError, RefusedInput
from optimizer.outcomes.calibration import (
    Calibration,
    Comparison,
    check_predictions,
    checked_days,
    days_before,
    long_enough,
)
from optimizer.review.daily import review_account
from optimizer.review.suggestions import ReviewInputs, ReviewResult
from optimizer.settings import Settings
from optimizer.store.protocol import ReviewTables
from optimizer.tables import Actor
from optimizer.workflows.items import stated_settings
from optimizer.workflows.review_inputs import review_inputs
from optimizer.workflows.workspace import Workspace, checked_account_name, newest_day


@dataclass(frozen=True)
class PredictiveReport:
    """A predictive check of one account; `kinds_problem` says why there is none by kind."""

    account: str
    as_of: date
    currency: str
    calibration: Calibration
    kinds_problem: str | None

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "account": self.account,
            "as_of": self.as_of.isoformat(),
            "currency": self.currency,
            **_days_json(self.calibration),
            "kinds_problem": self.kinds_problem,
            "groups": [_json(each) for each in self.calibration.comparisons],
        }


def check_predictive(
    workspace: Workspace, account: str, actor: Actor, as_of: date | None = None
) -> PredictiveReport:
    """Check the predictions of 45 days before `as_of` (the newest import's day when not said).

    By suggestion kind as a review of that day would have suggested. Raises `NotFound` without
    data and `RefusedInput("history_too_short")`.
    """
    actor.require("viewer", account)
    day = as_of or newest_day(workspace, checked_account_name(account))
    settings = stated_settings(workspace, account, day)[0]
    window = settings.estimation.window_days
    known = workspace.store.review_tables(account, day, window)
    now = review_inputs(workspace, known, window)
    then, rebuilt = _inputs_then(workspace, now, settings, day)
    kinds, problem = _kinds(workspace, then, settings, checked_days(day)[0], rebuilt)
    found = check_predictions(then, now, settings, day, rebuilt=rebuilt, kinds=kinds)
    return PredictiveReport(account, day, known.account.currency, found, problem)


def with_check(
    workspace: Workspace,
    result: ReviewResult,
    now: ReviewInputs,
    settings: Settings,
    day: date,
) -> ReviewResult:
    """`result` with the check in its summary's data, once history reaches back far enough.

    Estimates only, nothing is solved; by sparsity class, not by kind. A past that cannot be
    estimated (no value known then, mixed attribution) leaves the summary without a check.
    """
    if not long_enough(now.daily, day):
        return result
    try:
        then, rebuilt = _inputs_then(workspace, now, settings, day)
        found = check_predictions(then, now, settings, day, rebuilt=rebuilt)
    except RefusedInput as error:
        told: dict[str, Any] = {"problem": error.code, "fields": dict(error.fields)}
    else:
        told = {**_days_json(found), "groups": [_json(each) for each in found.comparisons]}
    data = {**result.summary.data, "predictive": told}
    return replace(
        result,
        summary=replace(result.summary, data=data),
        context={**result.context, "data": data},
    )


def _inputs_then(
    workspace: Workspace, now: ReviewInputs, settings: Settings, day: date
) -> tuple[ReviewInputs, bool]:
    """The account as known on the day of the belief; else the days before it as known now, and True."""
    if not long_enough(now.daily, day):
        raise RefusedInput("history_too_short", account=now.account)
    then = checked_days(day)[0]
    known = _known_then(workspace, now.account, then, settings)
    if known is None or not _as_rich(known, now, then):
        return days_before(now, then), True
    return review_inputs(workspace, known, settings.estimation.window_days), False


def _known_then(
    workspace: Workspace, account: str, then: date, settings: Settings
) -> ReviewTables | None:
    try:
        return workspace.store.review_tables(account, then, settings.estimation.window_days)
    except NotFound:
        return None


def _as_rich(known: ReviewTables, now: ReviewInputs, then: date) -> bool:
    """Whether reports of that time held the days before it, and not only a few of them."""
    before = days_before(now, then).daily["clicks"].sum()
    return bool(known.daily["clicks"].sum() >= 0.5 * before)


def _kinds(
    workspace: Workspace, then: ReviewInputs, settings: Settings, day: date, rebuilt: bool
) -> tuple[Mapping[int, str] | None, str | None]:
    """Kind of suggestion per keyword as of then: the stored run's, else a review's made again."""
    stored = None if rebuilt else _stored_kinds(workspace, then.account, day)
    if stored is not None:
        return stored, None
    rng = np.random.default_rng([0, day.toordinal()])
    try:
        rows = review_account(then, settings, day, rng).suggestions
    except OptimizerError as error:
        return None, error.code
    return _by_keyword(rows), None


def _stored_kinds(workspace: Workspace, account: str, day: date) -> Mapping[int, str] | None:
    """What the review of that day suggested; None where there was none."""
    try:
        workspace.store.latest_run(account, day)
    except NotFound:
        return None
    return _by_keyword(workspace.store.suggestions(account, as_of=day))


def _by_keyword(rows: Any) -> Mapping[int, str]:
    """Search terms have no record of their own here."""
    own = rows[rows["entity_key"].astype(str).str.isdigit()]
    return {int(key): str(kind) for key, kind in zip(own["entity_key"], own["kind"], strict=True)}


def _days_json(found: Calibration) -> dict[str, Any]:
    return {
        "believed_on": found.believed_on.isoformat(),
        "first_day": found.first_day.isoformat(),
        "last_day": found.last_day.isoformat(),
        "rebuilt": found.rebuilt,
    }


def _json(each: Comparison) -> dict[str, Any]:
    return {
        "amount": each.amount,
        "by": each.by,
        "group": each.group,
        "keywords": each.keywords,
        "clicks": each.clicks,
        "promised": each.promised.mean,
        "low": each.promised.low,
        "high": each.promised.high,
        "delivered": each.delivered,
        "ratio": each.ratio,
        "inside": each.inside,
    }
