"""The creatives' part of a review: what to change of defined tests, and the shares that are planned."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd

from optimizer.errors import BadSettings, RefusedInput
from optimizer.review.creative_suggestions import open_creatives, plan_creatives
from optimizer.review.creatives import review_creatives
from optimizer.review.suggestions import ReviewResult
from optimizer.settings import Settings
from optimizer.store.protocol import ReviewTables
from optimizer.workflows.creative_definitions import with_defined_tests
from optimizer.workflows.creative_tests import creative_inputs
from optimizer.workflows.workspace import Workspace


def with_creatives(
    workspace: Workspace,
    result: ReviewResult,
    known: ReviewTables,
    settings: Settings,
    day: date,
    seed: int,
) -> ReviewResult:
    """`result` with its frames "creatives" (SUGGESTIONS) and "creative_shares", where tests are defined.

    Definitions that contradict each other or the reports stop no review of bids: an alert says so.
    """
    account = known.account.name
    try:
        settings = with_defined_tests(workspace, account, settings)
        tests = {one.name: one for one in settings.account.creative_tests}
        if not tests:
            return result
        inputs = creative_inputs(workspace, known, settings)
        found = review_creatives(inputs, settings, day, seed)
    except (BadSettings, RefusedInput) as error:
        alert = {"code": "creative_tests_unread", "why": error.code}
        summary = replace(result.summary, alerts=(*result.summary.alerts, alert))
        return replace(result, summary=summary)
    shares = workspace.store.creative_shares(account)
    plan = plan_creatives(found, tests, inputs.creatives, shares, account, day)
    rows = open_creatives(plan.suggestions, workspace.store.holds(account, day), day)
    frames = {**result.frames, "creatives": plan.suggestions, "creative_shares": plan.shares}
    summary = replace(result.summary, alerts=(*result.summary.alerts, *shares_off(found.tests)))
    return replace(result, summary=summary, frames=frames, creatives=rows)


def shares_off(tests: pd.DataFrame) -> tuple[dict[str, Any], ...]:
    """An alert per test (table CREATIVE_TESTS) that was not served as it was planned (SRM)."""
    off = tests[tests["state"].eq("shares_off")]
    pairs = zip(off["test"], off["served_off"], strict=True)
    return tuple(
        {"code": "creative_shares_off", "test": test, "off": float(far)} for test, far in pairs
    )
