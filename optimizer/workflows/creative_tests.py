"""Creative tests of an account, read from the store and judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd

from optimizer.review.creative_detail import CreativeDetail, creative_detail
from optimizer.review.creative_shares import served_since
from optimizer.review.creatives import CreativeInputs, review_creatives
from optimizer.settings import Basis, Settings
from optimizer.store.protocol import ReviewTables
from optimizer.tables import Actor
from optimizer.workflows.creative_definitions import with_defined_tests
from optimizer.workflows.creative_standing import asked_of_creatives, next_actions
from optimizer.workflows.items import stated_settings
from optimizer.workflows.review_inputs import (
    attribution_basis,
    attribution_window,
    like_versions,
    telling_batches,
)
from optimizer.workflows.values import plain_record
from optimizer.workflows.workspace import Workspace, checked_account_name, newest_day


@dataclass(frozen=True)
class CreativeReport:
    """Tests (table CREATIVE_TESTS) and arms (CREATIVE_ARMS) of an account on one morning.

    `period_rows` rows told of several days at once and are in no test. `served` (CREATIVE_SERVED) is
    the newest plan in force beside what was shown since; `asked` are the newest review's suggestions
    (test, id, version, kind, keyword_text, decision, delivery); `actions` names by test what to do
    next, `versions` the version of a test that was defined in the application.
    """

    account: str
    as_of: date
    currency: str
    tests: pd.DataFrame
    arms: pd.DataFrame
    period_rows: int
    served: pd.DataFrame
    asked: pd.DataFrame
    actions: Mapping[str, str]
    versions: Mapping[str, int]

    def only(self, test: str) -> CreativeReport:
        """The same report with one test."""
        frames = (self.tests, self.arms, self.served, self.asked)
        tests, arms, served, asked = (frame[frame["test"].eq(test)] for frame in frames)
        return replace(self, tests=tests, arms=arms, served=served, asked=asked)

    def to_json(self) -> dict[str, Any]:
        """Tests with their arms inside, as plain values."""
        parts = {"creatives": self.arms, "served": self.served, "suggestions": self.asked}
        by_test = {name: dict(list(frame.groupby("test"))) for name, frame in parts.items()}
        listed = [
            {**row, "next": self.actions[row["test"]], "version": self.versions.get(row["test"])}
            | {name: _rows(found.get(row["test"])) for name, found in by_test.items()}
            for row in self.tests.to_dict("records")
        ]
        told = {"account": self.account, "as_of": self.as_of, "currency": self.currency}
        return plain_record({**told, "tests": listed, "period_rows": self.period_rows})


def _rows(frame: pd.DataFrame | None) -> list[dict[Any, Any]]:
    return [] if frame is None else frame.drop(columns="test").to_dict("records")


def creative_tests(
    workspace: Workspace, account: str, actor: Actor, as_of: date | None = None, seed: int = 0
) -> CreativeReport:
    """Every test of creatives as known on `as_of` (the newest import's day when not said).

    Raises `NotFound` without data, `BadSettings` where a defined test and the reports disagree.
    """
    actor.require("viewer", account)
    inputs, settings, day = _read(workspace, account, as_of)
    found = review_creatives(inputs, settings, day, seed)
    asked = asked_of_creatives(workspace.store, account)
    return CreativeReport(
        account,
        day,
        inputs.currency,
        found.tests,
        found.arms,
        found.period_rows,
        served_since(inputs.shares, inputs.daily, day),
        asked,
        dict(zip(found.tests["test"], next_actions(found.tests, asked), strict=True)),
        {one.name: one.version for one in workspace.store.creative_tests(account)},
    )


def creative_test(
    workspace: Workspace,
    account: str,
    test: str,
    actor: Actor,
    as_of: date | None = None,
    seed: int = 0,
) -> CreativeDetail:
    """What is drawn of one test: its densities, its course and what each mode would take.

    Raises as `creative_tests`, `NotFound("creative_test_missing")`, and `RefusedInput("metric_needs")`
    before anything tells what its metric is made of.
    """
    actor.require("viewer", account)
    inputs, settings, day = _read(workspace, account, as_of)
    return creative_detail(inputs, settings, day, test, seed)


def _read(
    workspace: Workspace, account: str, as_of: date | None
) -> tuple[CreativeInputs, Settings, date]:
    day = as_of or newest_day(workspace, checked_account_name(account))
    settings = stated_settings(workspace, account, day)[0]
    settings = with_defined_tests(workspace, account, settings)
    known = workspace.store.review_tables(account, day, settings.estimation.window_days)
    return creative_inputs(workspace, known, settings), settings, day


def creative_inputs(
    workspace: Workspace, known: ReviewTables, settings: Settings
) -> CreativeInputs:
    """What tests of creatives are judged by, beside what a review of bids has `known`."""
    record, window = known.account, settings.estimation.window_days
    shown = workspace.store.creative_tables(record.name, known.as_of, window)
    versions, basis = _run_off(workspace, known, window)
    return CreativeInputs(
        record.name,
        record.platform,
        record.currency,
        shown.creatives,
        shown.daily,
        versions,
        basis,
        shares=workspace.store.creative_shares(record.name),
        texts=shown.texts,
    )


def _run_off(workspace: Workspace, known: ReviewTables, window: int) -> tuple[pd.DataFrame, Basis]:
    """Run-off of the keywords' reports, and what the day of a conversion is in the reports in force."""
    batches = [
        one for one in workspace.store.batches(known.account.name) if one.batch_id in known.batches
    ]
    telling = list(telling_batches(batches, known.as_of, window))
    basis = attribution_basis(telling)
    return like_versions(known.versions, batches, basis, attribution_window(telling)), basis
