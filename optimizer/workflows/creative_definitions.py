"""Tests of creatives that are defined in the application, beside those of the account's settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from optimizer.decisions.creatives import check_overlaps
from optimizer.errors import BadSettings, Conflict, NotFound, RefusedInput
from optimizer.review.creative_tests import arms_of, bounds, labels
from optimizer.settings import CreativeTest, Settings, parse_model
from optimizer.store.protocol import CreativeTestRecord
from optimizer.tables import Actor
from optimizer.workflows.items import stated_settings
from optimizer.workflows.values import plain, plain_record
from optimizer.workflows.workspace import Workspace, checked_account_name, newest_day

MOST_CLAIMED = 3
"""Creatives that can each keep a fifth of all impressions beside what goes to the best."""

_FIXED = ("campaign", "ad_group", "arms", "metric", "rotation", "start", "split")
"""What a claim rests on: fixed once a test has begun."""


@dataclass(frozen=True)
class DefinedTest:
    """A test as defined: in the application (`version`, `changed_by`) or in the settings (version None)."""

    test: CreativeTest
    version: int | None = None
    changed_by: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Its definition and version as plain values."""
        told = self.test.model_dump(mode="json")
        return plain_record({**told, "version": self.version, "changed_by": self.changed_by})


def defined_tests(workspace: Workspace, account: str, actor: Actor) -> list[DefinedTest]:
    """All defined tests of the account: those of the settings first, each part by name."""
    actor.require("viewer", account)
    stated = workspace.configs.settings(account).account.creative_tests
    listed = [DefinedTest(one) for one in sorted(stated, key=lambda one: one.name)]
    return listed + [_defined(one) for one in workspace.store.creative_tests(account)]


def known_creatives(workspace: Workspace, account: str, actor: Actor) -> pd.DataFrame:
    """Table CREATIVES of the newest import: what a test can be made of."""
    actor.require("viewer", account)
    day = newest_day(workspace, checked_account_name(account))
    window = workspace.configs.settings(account).estimation.window_days
    return workspace.store.creative_tables(account, day, window).creatives


def _defined(record: CreativeTestRecord) -> DefinedTest:
    test = parse_model(record.definition, CreativeTest)
    return DefinedTest(test, record.version, record.changed_by)


def with_defined_tests(workspace: Workspace, account: str, settings: Settings) -> Settings:
    """`settings` with the application's tests beside their own.

    Raises `BadSettings` `creative_test_in_settings` where both define one name.
    """
    own = [_defined(one).test for one in workspace.store.creative_tests(account)]
    if not own:
        return settings
    stated = settings.account.creative_tests
    _refuse_taken(own, {one.name for one in stated})
    merged = settings.account.model_copy(update={"creative_tests": (*stated, *own)})
    return settings.model_copy(update={"account": merged})


def _refuse_taken(tests: Sequence[CreativeTest], taken: set[str]) -> None:
    for one in tests:
        if one.name in taken:
            raise BadSettings("creative_test_in_settings", test=one.name)


def define_creative_test(
    workspace: Workspace,
    account: str,
    definition: Mapping[str, Any],
    actor: Actor,
    version: int | None = None,
) -> DefinedTest:
    """Store a test; `version` is that of the one it replaces, None for a new one.

    Raises `RefusedInput` for what cannot be tested (`creative_test_invalid`, `tests_overlap`,
    `creative_floor_impossible`), `BadSettings` for creatives that no report shows
    (`creative_unknown`, `creative_test_arms`) or a name of the settings, and `Conflict` where the
    name is taken, the test moved, or `creative_test_begun`: what its claim rests on is fixed.
    """
    actor.require("operator", account)
    day = newest_day(workspace, checked_account_name(account))
    test = _checked(definition)
    settings = stated_settings(workspace, account, day)[0]
    _refuse_taken([test], {one.name for one in settings.account.creative_tests})
    known = {one.name: one for one in workspace.store.creative_tests(account)}
    others = [_defined(one).test for name, one in known.items() if name != test.name]
    if version is not None and test.name in known:
        _refuse_begun(_defined(known[test.name]).test, test, day)
    window = settings.estimation.window_days
    creatives = workspace.store.creative_tables(account, day, window).creatives
    _check_arms(test, [*settings.account.creative_tests, *others], creatives)
    action: Any = "creative_test_define" if version is None else "creative_test_edit"
    told = plain(test.model_dump(mode="json", exclude_defaults=True) | {"name": test.name})
    record = workspace.store.save_creative_test(account, told, version, actor, action)
    return _defined(record)


def _checked(definition: Mapping[str, Any]) -> CreativeTest:
    try:
        return parse_model(dict(definition), CreativeTest)
    except BadSettings as error:
        told = {name: error.fields[name] for name in ("key", "value", "why")}
        raise RefusedInput("creative_test_invalid", **told) from error


def _refuse_begun(before: CreativeTest, after: CreativeTest, day: date) -> None:
    """A test that has begun keeps what its claim rests on."""
    if before.start is not None and before.start >= day:
        return
    moved = [name for name in _FIXED if getattr(before, name) != getattr(after, name)]
    if moved:
        raise Conflict("creative_test_begun", test=before.name, key=moved[0])


def _check_arms(
    test: CreativeTest, others: Sequence[CreativeTest], creatives: pd.DataFrame
) -> None:
    rows = arms_of(test, creatives)
    if test.claims_wanted and len(rows) > MOST_CLAIMED:
        raise RefusedInput("creative_floor_impossible", arms=len(rows), most=MOST_CLAIMED)
    members = [(test, rows), *((one, _known_arms(one, creatives)) for one in others)]
    names = [one.name for one, part in members for _ in part]
    arms = np.concatenate([part for _, part in members])
    sizes = [len(part) for _, part in members]
    first, last = (np.repeat(each, sizes) for each in bounds([one for one, _ in members]))
    check_overlaps(names, labels(creatives.iloc[arms]), first, last)


def _known_arms(test: CreativeTest, creatives: pd.DataFrame) -> Any:
    """Arms of another test; one whose creatives no report shows any more stands in nobody's way."""
    try:
        return arms_of(test, creatives)
    except BadSettings:
        return np.empty(0, dtype=np.int64)


def end_creative_test(
    workspace: Workspace, account: str, name: str, actor: Actor, version: int | None = None
) -> DefinedTest:
    """Let a test end with the last day that reports tell of; what it found stays readable.

    Raises `NotFound` `creative_test_missing`, `BadSettings` for a test of the settings, `Conflict`
    where `version` is no longer in force or the test has ended before.
    """
    actor.require("operator", account)
    stated = workspace.configs.settings(account).account.creative_tests
    _refuse_taken([one for one in stated if one.name == name], {name})
    found = {one.name: one for one in workspace.store.creative_tests(account)}.get(name)
    if found is None:
        raise NotFound("creative_test_missing", account=account, test=name)
    last = newest_day(workspace, account) - timedelta(days=1)
    test = _defined(found).test
    if test.end is not None and test.end <= last:
        raise Conflict("creative_test_ended", test=name, end=test.end.isoformat())
    start = None if test.start is None else min(test.start, last)
    ended = test.model_copy(update={"end": last, "start": start})
    told = plain(ended.model_dump(mode="json", exclude_defaults=True) | {"name": name})
    seen = found.version if version is None else version
    return _defined(
        workspace.store.save_creative_test(account, told, seen, actor, "creative_test_end")
    )
