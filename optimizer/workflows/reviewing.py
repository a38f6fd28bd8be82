"""The daily review: what the store knows, through the pure chain, and back into the store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from optimizer import __version__
from optimizer.errors import BadSettings, NotFound, RefusedInput
from optimizer.review.daily import review_account
from optimizer.review.suggestions import Interval, ReviewInputs, ReviewResult, ReviewSummary
from optimizer.settings import Settings
from optimizer.store.protocol import AccountRecord, ReviewTables, RunRecord
from optimizer.tables import SUGGESTIONS, Actor
from optimizer.workflows.checking import with_check
from optimizer.workflows.creative_plans import with_creatives
from optimizer.workflows.items import stated_settings
from optimizer.workflows.lapsing import lasting_list
from optimizer.workflows.review_inputs import review_inputs, with_landscape
from optimizer.workflows.values import plain, plain_record
from optimizer.workflows.workspace import (
    Workspace,
    checked_account_name,
    newest_day,
    today_of,
)

_PACKAGES = ("numpy", "pandas", "scipy", "numba")
_SUGGESTION_KEYS = (
    "id",
    "version",
    "kind",
    "keyword_id",
    "keyword_text",
    "match_type",
    "bid",
    "proposed_bid",
    "delta_clicks",
    "delta_cost",
    "p_positive",
    "reason",
    "campaign_name",
    "ad_group_name",
    "segment",
    "marginal_return",
    "line",
    "binding",
    "linked_id",
    "decision",
    "delivery",
    "approved_bid",
)


@dataclass(frozen=True)
class ReviewReport:
    """A stored review (`run_id` None: a dry run): its summary as JSON values and its suggestions.

    Amounts are per day in account currency. `origin` names what the result follows from: seed,
    batches, settings and their sha256, package versions.
    """

    run_id: str | None
    summary: Mapping[str, Any]
    origin: Mapping[str, Any]
    suggestions: pd.DataFrame

    def to_json(self) -> dict[str, Any]:
        """The summary with the suggestions, as plain values."""
        listed = [_suggestion_json(row) for row in self.suggestions.to_dict("records")]
        return plain_record({**self.summary, "run_id": self.run_id, "suggestions": listed})


def _suggestion_json(row: Mapping[Any, Any]) -> dict[str, Any]:
    ends = {end: row[f"delta_profit_{end}"] for end in ("mean", "low", "high")}
    return {key: row.get(key) for key in _SUGGESTION_KEYS} | {"delta_profit": ends}


def review(
    workspace: Workspace,
    account: str,
    *,
    as_of: date | None = None,
    budget: float | None = None,
    actor: Actor,
    seed: int = 0,
    dry_run: bool = False,
    landscape: Path | None = None,
) -> ReviewReport:
    """Review `account` as known on `as_of` (the newest import's day when not said) and store it.

    `budget` overrides the account's daily budget; `landscape` is a file of the platform's simulator
    (see `reports.landscapes`). Same data, settings and seed give the same suggestions. Raises
    `NotFound` without data, `BadSettings` where settings and reports disagree.
    """
    actor.require("operator", account)
    day = _review_day(workspace, checked_account_name(account), as_of)
    settings, told = stated_settings(workspace, account, day)
    window = settings.estimation.window_days
    known = workspace.store.review_tables(account, day, window)
    _check_account(known.account, settings)
    read = replace(review_inputs(workspace, known, window, budget), alerts=told)
    inputs, points = with_landscape(read, landscape)
    result = _reviewed(workspace, inputs, settings, day, seed)
    result = with_check(workspace, result, inputs, settings, day)
    result = with_creatives(workspace, result, known, settings, day, seed)
    origin = _origin(known, settings, seed, budget) | points
    if dry_run:
        return _dry_report(result, origin)
    first = not _reviewed_before(workspace, account, day)
    holds = workspace.store.holds(account, day)
    rows = open_rows(workspace, account, result.proposals(), holds)
    summary = stored_summary(result, origin)
    run = workspace.store.save_run(account, day, summary, rows, result.frames, actor)
    return _fresh_report(run, rows) if first else _report(workspace, run)


def _reviewed_before(workspace: Workspace, account: str, day: date) -> bool:
    try:
        workspace.store.latest_run(account, day)
    except NotFound:
        return False
    return True


def _review_day(workspace: Workspace, account: str, as_of: date | None) -> date:
    if as_of is None:
        return newest_day(workspace, account)
    today = today_of(workspace, account)
    if as_of > today:
        raise RefusedInput(
            "as_of_in_future", as_of=as_of.isoformat(), today=today.isoformat(), account=account
        )
    return as_of


def _check_account(known: AccountRecord, settings: Settings) -> None:
    stated = settings.account
    for key, said, is_ in (
        ("currency", stated.currency, known.currency),
        ("platform", stated.platform, known.platform),
    ):
        if said is not None and said != is_:
            raise BadSettings(
                "account_differs", account=known.name, key=key, settings=said, reports=is_
            )


def _reviewed(
    workspace: Workspace, inputs: ReviewInputs, settings: Settings, day: date, seed: int
) -> ReviewResult:
    rng = np.random.default_rng([seed, day.toordinal()])
    try:
        return review_account(inputs, settings, day, rng)
    except RefusedInput as error:
        raise _where_to_set(error, workspace.configs.account_path(inputs.account)) from error


def _where_to_set(error: RefusedInput, path: Path) -> RefusedInput:
    """The same refusal with the file that an operator would edit."""
    return RefusedInput(error.code, **error.fields, file=str(path))


def _origin(
    known: ReviewTables, settings: Settings, seed: int, budget: float | None
) -> dict[str, Any]:
    """What the result follows from, so that it can be made again."""
    stated = settings.model_dump(mode="json")
    text = json.dumps(stated, sort_keys=True, ensure_ascii=False)
    return {
        "seed": seed,
        "budget_asked": budget,
        "batches": list(known.batches),
        "settings_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "settings": stated,
        "versions": {"optimizer": __version__} | {name: version(name) for name in _PACKAGES},
    }


def stored_summary(result: ReviewResult, origin: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON a run is stored with: the summary, the context a re-solve needs, and the origin."""
    return plain_record(
        {"summary": asdict(result.summary), "context": result.context, "origin": origin}
    )


def open_rows(
    workspace: Workspace, account: str, rows: pd.DataFrame, holds: pd.DataFrame
) -> pd.DataFrame:
    """`rows` without those that an approval of another day has settled already.

    The solve repeats a fixed bid as a suggestion; under this day's id it would be decided twice.
    """
    fixed = holds[holds["kind"].isin(["approved", "exported"])]
    slots = pd.MultiIndex.from_frame(fixed[["entity_key", "slot"]])
    settled = pd.MultiIndex.from_frame(rows[["entity_key", "slot"]]).isin(slots)
    if not settled.any():
        return rows
    known = workspace.store.suggestions(account, ids=list(rows.loc[settled, "id"]))
    own = known.loc[known["decision"].isin(["approved", "awaiting_second"]), "id"]
    return rows[~settled | rows["id"].isin(own).to_numpy()].reset_index(drop=True)


def restored_result(
    run: RunRecord, suggestions: pd.DataFrame, frames: Mapping[str, pd.DataFrame]
) -> ReviewResult:
    """The review as it was computed, from what the store kept of it."""
    told = dict(run.summary["summary"])
    told["as_of"] = date.fromisoformat(told["as_of"])
    told["profit_delta"] = Interval(**told["profit_delta"])
    for name in ("assumed", "campaigns", "completion", "alerts"):
        told[name] = tuple(told[name])
    rows = suggestions[list(SUGGESTIONS.columns)]
    return ReviewResult(ReviewSummary(**told), rows, frames, run.summary["context"])


def latest_review(
    workspace: Workspace, account: str, actor: Actor, as_of: date | None = None
) -> ReviewReport:
    """The newest stored review (of that day). Raises `NotFound`."""
    actor.require("viewer", account)
    if as_of is not None:
        return _report(workspace, workspace.store.latest_run(account, as_of))
    kept = lasting_list(workspace, account)
    told = kept.run.summary
    rows = standing_rows(kept.rows)
    return ReviewReport(kept.run.run_id, told["summary"], told["origin"], rows)


def latest_summary(workspace: Workspace, account: str, actor: Actor) -> Mapping[str, Any]:
    """The newest review's summary without its suggestions, as JSON values. Raises `NotFound`."""
    actor.require("viewer", account)
    summary: Mapping[str, Any] = lasting_list(workspace, account).run.summary["summary"]
    return summary


def _report(workspace: Workspace, run: RunRecord) -> ReviewReport:
    rows = standing_rows(workspace.store.suggestions(run.account, as_of=run.as_of))
    return ReviewReport(run.run_id, run.summary["summary"], run.summary["origin"], rows)


def standing_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that still say something: superseded ones are left out."""
    return rows[rows["decision"].ne("superseded")].reset_index(drop=True)


def _dry_report(result: ReviewResult, origin: Mapping[str, Any]) -> ReviewReport:
    return ReviewReport(
        None, plain(asdict(result.summary)), origin, _undecided(result.proposals(), 0)
    )


def _fresh_report(run: RunRecord, rows: pd.DataFrame) -> ReviewReport:
    """What `_report` would read back after the first review of a day."""
    summary = run.summary
    return ReviewReport(run.run_id, summary["summary"], summary["origin"], _undecided(rows, 1))


def _undecided(rows: pd.DataFrame, version: int) -> pd.DataFrame:
    return rows.assign(
        version=version, decision="proposed", delivery="not_exported", approved_bid=np.nan
    )
