"""Bid tests: proposed from the newest review, approved as a whole, exported week by week, handed back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from optimizer.errors import Conflict, NotFound
from optimizer.review import approvals
from optimizer.review import experiments as proposals
from optimizer.review.experiment_spend import added_spend
from optimizer.review.experiments import WEEK, Experiment
from optimizer.review.exports import EXPORT_ROWS, writer_for
from optimizer.review.fit import spend_at_risk
from optimizer.store.protocol import Beside, ExperimentRecord, NewExperiment, StepRecord
from optimizer.tables import Actor, empty_table
from optimizer.workflows.at_risk import at_risk, check_cap, person_of
from optimizer.workflows.attempts import done_anew
from optimizer.workflows.deciding import Ref
from optimizer.workflows.exporting import write_recorded
from optimizer.workflows.holdings import Holdings, load_holdings
from optimizer.workflows.resolving import DecisionResult, solved_again
from optimizer.workflows.reviewing import restored_result
from optimizer.workflows.values import plain, plain_record
from optimizer.workflows.workspace import Workspace

_OPEN = ("approved", "running")
_DECIDED = ("approved", "exported", "locked")
_OFF = ("PAUSED", "REMOVED")


@dataclass(frozen=True)
class ExperimentReport:
    """A bid test and what is to be done about it.

    `due` is the step that could be exported now (None: nothing), `next_day` when the next one is
    due. Costs are per day, `value` in all over the payback days; all in account currency.
    """

    record: ExperimentRecord
    due: int | None
    next_day: date | None

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values, without the rows that were exported."""
        record = self.record
        told = {name: getattr(record, name) for name in _TOLD}
        exports = [{k: v for k, v in asdict(one).items() if k != "rows"} for one in record.exports]
        return plain_record(
            {
                **told,
                **record.figures,
                "keywords": len(record.members),
                "due": self.due,
                "next_day": self.next_day,
                "members": record.members,
                "steps": record.steps,
                "exports": exports,
            }
        )


_TOLD = (
    "id",
    "account",
    "version",
    "state",
    "as_of",
    "last_day",
    "weeks",
    "proposed_by",
    "decided_by",
    "decision_reason",
)


@dataclass(frozen=True)
class StepExport:
    """The files of one step: `week` of `weeks` (equal: the hand-back), rows in the file, and who is left out.

    `left_out` are {id, code, keyword_text, …}: keywords locked, switched off or moved by others.
    """

    export_id: str
    week: int
    weeks: int
    files: Mapping[str, Path]
    rows: int
    left_out: tuple[dict[str, Any], ...]
    refused: tuple[dict[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return plain_record(asdict(self))


def experiment(workspace: Workspace, account: str, actor: Actor) -> ExperimentReport | None:
    """The account's newest bid test, None where there is none."""
    actor.require("viewer", account)
    workspace.store.account(account)
    record = workspace.store.experiment(account)
    return None if record is None else _report(workspace, record)


def propose_experiment(
    workspace: Workspace, account: str, actor: Actor, seed: int = 0
) -> ExperimentReport:
    """The test that the newest review is worth, to be approved as one batch.

    Raises `NotFound` `experiment_not_worth` where none would pay for itself within the budget of
    the settings, `experiment_too_early` where the reports cover too few days, `Conflict` while
    another is under way.
    """
    actor.require("operator", account)
    held = load_holdings(workspace, account)
    result = restored_result(held.run, held.newest(), held.frames)
    if proposals.too_young(result, held.settings):
        days = {
            "days": result.context["data"]["days"],
            "asked": held.settings.exploration.history_days,
        }
        raise NotFound("experiment_too_early", account=account, **days)
    rng = np.random.default_rng([seed, held.as_of.toordinal(), 1])
    holds = workspace.store.holds(account, held.as_of)
    found = proposals.propose_experiment(result, holds, held.settings, rng)
    if found is None:
        share = held.settings.exploration.cost_share
        raise NotFound("experiment_not_worth", account=account, cost_share=share)
    return _report(workspace, workspace.store.save_experiment(_proposal(found), actor))


def _proposal(found: Experiment) -> NewExperiment:
    figures = {f"cost_{end}": getattr(found.cost, end) for end in ("mean", "low", "high")}
    return NewExperiment(
        id=found.id,
        account=found.account,
        as_of=found.as_of,
        last_day=found.last_day,
        weeks=found.weeks,
        figures={**figures, "extra_spend": found.extra_spend, "value": found.value},
        members=found.members,
        steps=found.steps,
    )


def approve_experiment(
    workspace: Workspace, account: str, ref: Ref, actor: Actor
) -> DecisionResult:
    """Accept the test as a whole; its keywords' bids are held and the rest is solved again.

    Raises `Conflict` when it moved, when its spend fits no budget beside what is approved already,
    or when it needs a second person.
    """
    actor.require("approver", account)

    def commit() -> None:
        record = _known(workspace, account)
        beside = _check_spend(load_holdings(workspace, account), record, actor)
        workspace.store.decide_experiment(account, ref, "approved", None, actor, beside)

    done_anew(commit)
    return solved_again(workspace, account, (ref[0],), [], actor)


def reject_experiment(
    workspace: Workspace, account: str, ref: Ref, actor: Actor, reason: str
) -> DecisionResult:
    """Refuse the test as a whole, or take an approval back before its first export."""
    actor.require("operator", account)
    _known(workspace, account)
    workspace.store.decide_experiment(account, ref, "rejected", reason, actor)
    return solved_again(workspace, account, (ref[0],), [], actor)


def export_experiment(
    workspace: Workspace,
    account: str,
    out: Path,
    actor: Actor,
    dry_run: bool = False,
    again: bool = False,
) -> StepExport:
    """Write the step that is due as a bulk file with its rollback file; the last one hands back.

    `again`: the files of the newest step once more. Raises `Conflict` `experiment_nothing_due` with
    the next day, `experiment_lapsed` where its weeks passed without an export, or `rows_refused`.
    """
    actor.require("approver", account)
    report = _report(workspace, _known(workspace, account))
    record = report.record
    if again:
        return _written_again(workspace, record, out)
    if record.state not in _OPEN:
        raise Conflict("experiment_not_approved", id=record.id, state=record.state)
    if report.due is None:
        raise _not_due(report)
    bids = _bids_of(record, report.due)
    state = "finished" if report.due == record.weeks else "running"
    return _export_step(workspace, record, report.due, bids, state, out, actor, dry_run)


def _not_due(report: ExperimentReport) -> Conflict:
    if report.next_day is None:
        return Conflict("experiment_lapsed", id=report.record.id, last_day=report.record.last_day)
    day = report.next_day.isoformat()
    return Conflict("experiment_nothing_due", id=report.record.id, next_day=day)


def stop_experiment(workspace: Workspace, account: str, out: Path, actor: Actor) -> StepExport:
    """End a running test now: a bulk file that gives every keyword in it its old bid back."""
    actor.require("approver", account)
    record = _known(workspace, account)
    if record.state != "running":
        raise Conflict("experiment_not_running", id=record.id, state=record.state)
    base = record.members.set_index("entity_key")["base_bid"]
    return _export_step(workspace, record, record.weeks, base, "stopped", out, actor, False)


def _known(workspace: Workspace, account: str) -> ExperimentRecord:
    record = workspace.store.experiment(account)
    if record is None:
        raise NotFound("experiment_missing", account=account)
    return record


def _report(workspace: Workspace, record: ExperimentRecord) -> ExperimentReport:
    begun = max((_today(workspace, record.account) - record.as_of).days // WEEK, 0)
    week = min(begun, record.weeks)
    made = {step.week for step in record.exports}
    if record.state not in _OPEN or (week == record.weeks and not made):
        return ExperimentReport(record, None, None)
    due = week if not made or week > max(made) else None
    later = week + 1 if week < record.weeks else None
    next_day = None if later is None else record.as_of + timedelta(days=WEEK * later)
    return ExperimentReport(record, due, next_day)


def _today(workspace: Workspace, account: str) -> date:
    """The day of the newest report: what an operator who uploads now looks at."""
    return max(batch.as_of for batch in workspace.store.batches(account))


def _bids_of(record: ExperimentRecord, week: int) -> pd.Series[float]:
    steps = record.steps[record.steps["week"].eq(week)]
    bids: pd.Series[float] = steps.set_index("entity_key")["bid"]
    return bids


# `kind` among them: an approved budget is the one that its campaign is judged by.
_SPENT = ("entity_key", "campaign_name", "approved_bid", "proposed_bid", "delta_cost", "kind")


def _check_spend(held: Holdings, record: ExperimentRecord, actor: Actor) -> Beside | None:
    """What the test was judged beside. Raises `Conflict` where its spend fits no budget or limit."""
    members = record.members
    extra = members.assign(
        approved_bid=members["base_bid"],
        proposed_bid=members["base_bid"],
        delta_cost=added_spend(held.frames["plan"], members, record.steps),
        kind="",
    )
    committed = held.priced(held.committed())
    parts = [frame[list(_SPENT)] for frame in (committed, extra) if len(frame)]
    excess = held.excess(pd.concat(parts, ignore_index=True))
    if excess:
        worst = max(excess, key=lambda one: float(one["excess"]))
        over = worst["projected"] - worst["budget"]
        raise Conflict("experiment_over_budget", name=worst["name"], over=over, excess=list(excess))
    return _check_limits(held, record, actor, float(spend_at_risk(extra)))


def _check_limits(
    held: Holdings, record: ExperimentRecord, actor: Actor, added: float
) -> Beside | None:
    risk = at_risk(held)
    if risk is None:
        return None
    projected, alone = added + risk.spend, held.settings.guardrails.four_eyes_delta_cost
    check_cap(held, added, projected)
    if alone is not None and added > 0 and projected > alone:
        behind, proposer = person_of(held.workspace), record.proposed_by
        eyes = approvals.eyes_of(behind(proposer), behind(actor.name))
        if eyes != "second":
            code = "second_person_needed" if eyes == "same" else "second_person_unsure"
            raise Conflict(code, id=record.id, limit=alone, projected=projected, proposer=proposer)
    return risk.beside


def _export_step(
    workspace: Workspace,
    record: ExperimentRecord,
    week: int,
    bids: pd.Series[float],
    state: Any,
    out: Path,
    actor: Actor,
    dry_run: bool,
) -> StepExport:
    store, account = workspace.store, record.account
    held = load_holdings(workspace, account)
    day = _today(workspace, account)
    members, left_out = _members_now(held, record, bids, day)
    changes = _changes(members)
    writer = writer_for(store.account(account).platform)
    export_id = _step_key(record, week, members)
    if dry_run:
        refused = tuple(one.told() for one in writer.refusals(changes, held.limit))
        return StepExport(export_id, week, record.weeks, {}, len(changes), left_out, refused)
    files = _named(account, export_id, writer.write_bulk_upload(changes, held.limit))
    rows = tuple(plain(members.reindex(columns=list(_KEPT)).to_dict("records")))
    step = StepRecord(week, export_id, day, tuple(sorted(files)), rows)
    written = write_recorded(
        out, files, lambda: store.record_experiment_step(record, step, state, actor)
    )
    return StepExport(export_id, week, record.weeks, written, len(changes), left_out)


_KEPT = ("entity_key", "arm", "bid", *EXPORT_ROWS.columns)


def _members_now(
    held: Holdings, record: ExperimentRecord, bids: pd.Series[float], day: date
) -> tuple[pd.DataFrame, tuple[dict[str, Any], ...]]:
    """The members as the newest report shows them with their bid of the step, and who is left out."""
    members = record.members.reset_index(drop=True)
    now = (
        _keywords(held, day).set_index("key").reindex(members["entity_key"]).reset_index(drop=True)
    )
    full = members.assign(
        id=record.id + "-" + members["entity_key"],
        bid=members["entity_key"].map(bids),
        current_bid=_present_bids(record, members["entity_key"], now["bid"], day),
        exists=False,
        **{name: now[name] for name in _STATE},
    )
    reason = _left_out(full, record, held.workspace.store.holds(held.account, day))
    stays = reason.eq("")
    told = full.assign(code=reason).loc[~stays, ["id", "code", "keyword_text"]]
    return _as_changes(full[stays]), tuple(plain(told.to_dict("records")))


def _present_bids(
    record: ExperimentRecord, keys: pd.Series, reported: pd.Series, day: date
) -> pd.Series[float]:
    """The reported bids, or those of the last step where no report has come since it was written."""
    bids = reported.astype("float64")
    if not record.exports or record.exports[-1].day < day:
        return bids
    written = {row["entity_key"]: float(row["bid"]) for row in record.exports[-1].rows}
    found: pd.Series[float] = keys.map(written).astype("float64").combine_first(bids)
    return found


def _keywords(held: Holdings, day: date) -> pd.DataFrame:
    """KEYWORDS as known on a day, with `key` as members write it."""
    window = held.settings.estimation.window_days
    known = held.workspace.store.review_tables(held.account, day, window).keywords
    return known.assign(key=known["entity_key"].astype(str))


_STATE = ("bid_source", "bidding_mode", "status", "ad_group_status", "campaign_status")


def _left_out(members: pd.DataFrame, record: ExperimentRecord, holds: pd.DataFrame) -> pd.Series:
    """Why a member takes no part in this step; "" where it does."""
    off = members[["status", "ad_group_status", "campaign_status"]].isin(_OFF).any(axis=1)
    off |= members["current_bid"].isna() | members["bidding_mode"].eq("automated")
    decided = holds[holds["slot"].eq("bid") & holds["kind"].isin(_DECIDED)]["entity_key"]
    own = set(zip(record.steps["entity_key"], record.steps["bid"].round(6), strict=True))
    own |= set(zip(record.members["entity_key"], record.members["base_bid"].round(6), strict=True))
    seen = zip(members["entity_key"], members["current_bid"].round(6), strict=True)
    moved = [pair not in own for pair in seen]
    codes = np.select(
        [off, members["entity_key"].isin(decided), moved],
        ["member_off", "member_decided", "member_moved"],
        default="",
    )
    return pd.Series(codes, index=members.index)


def _as_changes(members: pd.DataFrame) -> pd.DataFrame:
    """Columns of EXPORT_ROWS; a bid that is in force already has no `kind`."""
    new, now = members["bid"], members["current_bid"]
    kind = np.select([new > now + 1e-9, new < now - 1e-9], ["raise", "lower"], default="")
    return members.assign(kind=kind, old_bid=now, new_bid=new)


def _changes(members: pd.DataFrame) -> pd.DataFrame:
    """Table EXPORT_ROWS of the members whose bid changes."""
    rows = members[members["kind"].ne("")].reindex(columns=list(EXPORT_ROWS.columns))
    dtypes = empty_table(EXPORT_ROWS).dtypes
    texts = {name: kind for name, kind in dtypes.items() if name != "exists"}
    return rows.astype(texts).assign(exists=rows["exists"].astype(bool)).reset_index(drop=True)


def _step_key(record: ExperimentRecord, week: int, members: pd.DataFrame) -> str:
    """16 hex digits that name a step of a test and the bids in it."""
    pairs = zip(members["entity_key"], members["current_bid"], members["bid"], strict=True)
    lines = sorted(f"{key}:{now:.6f}>{bid:.6f}" for key, now, bid in pairs)
    text = "\n".join([f"{record.id}@{record.version}#{week}", *lines])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _named(account: str, export_id: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"{account}_{export_id}_bid_test_{name}": content for name, content in files.items()}


def _written_again(workspace: Workspace, record: ExperimentRecord, out: Path) -> StepExport:
    """The files of the newest step from its recorded rows: the same bytes."""
    if not record.exports:
        raise Conflict("experiment_nothing_exported", id=record.id)
    step = record.exports[-1]
    changes = _changes(pd.DataFrame(list(step.rows), columns=list(_KEPT)))
    known = workspace.store.account(record.account)
    settings = workspace.configs.settings(record.account)
    limit = settings.bid_limit(known.platform, known.currency)
    written = writer_for(known.platform).write_bulk_upload(changes, limit)
    files = _named(record.account, step.export_id, written)
    published = write_recorded(out, files, lambda: None)
    return StepExport(step.export_id, step.week, record.weeks, published, len(changes), ())
