"""What a person looks at before deciding: the queue, one row's evidence, and what a selection adds up to."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from optimizer.errors import Conflict, NotFound, RefusedInput
from optimizer.review import approvals
from optimizer.review.evidence import response_curve
from optimizer.review.explaining import explain, suggestions_at_rates
from optimizer.review.overlaps import conflict_codes
from optimizer.review.resolve import resolve_account
from optimizer.review.reverting import REVERT
from optimizer.review.rivals import BUDGET_LASTS
from optimizer.review.suggestions import suggestion_id as identity
from optimizer.store.protocol import RunRecord
from optimizer.tables import Actor
from optimizer.workflows.at_risk import within_limits
from optimizer.workflows.counts import counted_beside
from optimizer.workflows.deciding import accepted, approved_at
from optimizer.workflows.holdings import (
    OUTCOME_FIELDS,
    Holdings,
    load_holdings,
    other_bid,
    planned_row,
)
from optimizer.workflows.kept_lists import kept_frames, kept_twins
from optimizer.workflows.lapsing import lasting_list
from optimizer.workflows.reviewing import restored_result, standing_rows
from optimizer.workflows.values import plain_record, unknown_as_none
from optimizer.workflows.workspace import Workspace

_WHY_NOT_ROWS = 500


@dataclass(frozen=True)
class SuggestionDetail:
    """One suggestion with all there is to say about it.

    `curve` is its response curve (empty where its day's newest run has none); `history` its audit
    rows, oldest first.
    """

    row: dict[str, Any]
    evidence: dict[str, Any]
    curve: pd.DataFrame
    history: pd.DataFrame

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return plain_record(
            {
                "suggestion": {k: v for k, v in self.row.items() if k != "evidence"},
                "evidence": self.evidence,
                "curve": self.curve,
                "history": self.history,
            }
        )


@dataclass(frozen=True)
class SelectionTotals:
    """What approving a selection would mean; amounts per day in account currency.

    `delta_profit` (mean, low, high) is drawn for the selection as a whole. `guardrail_hits` counts
    rows that cannot be approved, by code.
    """

    count: int
    delta_cost: float
    delta_profit: Mapping[str, float]
    excess: tuple[dict[str, Any], ...]
    guardrail_hits: Mapping[str, int]
    ids_versions: tuple[tuple[str, int], ...]

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return plain_record(asdict(self))


def suggestions(
    workspace: Workspace, account: str, actor: Actor, as_of: date | None = None
) -> pd.DataFrame:
    """The newest review's suggestions (of that day) with their decisions, without superseded rows."""
    actor.require("viewer", account)
    newest = lasting_list(workspace, account)
    if as_of is None:
        return _as_chosen(workspace, account, standing_rows(newest.rows))
    run = workspace.store.latest_run(account, as_of)
    return standing_rows(workspace.store.suggestions(account, as_of=run.as_of))


def _as_chosen(workspace: Workspace, account: str, rows: pd.DataFrame) -> pd.DataFrame:
    """`rows` with the Δ of the bid that somebody chose, where that is not the proposed one."""
    if not other_bid(rows).any():
        return rows
    return load_holdings(workspace, account).repriced(rows)


def queue_stamp(workspace: Workspace, account: str, actor: Actor) -> int:
    """A number that rises with everything that happens in the account: the list as read still stands
    while it is the same."""
    actor.require("viewer", account)
    return workspace.store.last_act(account)


def suggestion(
    workspace: Workspace, account: str, suggestion_id: str, actor: Actor
) -> SuggestionDetail:
    """One suggestion of any day. Raises `NotFound`."""
    actor.require("viewer", account)
    found = workspace.store.suggestions(account, ids=[suggestion_id])
    if found.empty:
        raise NotFound("suggestion_unknown", account=account, ids=[suggestion_id])
    found = _as_chosen(workspace, account, found)
    row = unknown_as_none(found.to_dict("records")[0])
    history = workspace.store.audit(account, suggestion_id)
    if row["reason"] == REVERT:
        return SuggestionDetail(row, json.loads(row["evidence"]), pd.DataFrame(), history)
    run, frames = _run_of(workspace, account, row)
    planned = planned_row(frames, str(row["entity_key"]))
    if planned is None:
        return SuggestionDetail(row, json.loads(row["evidence"]), pd.DataFrame(), history)
    context = run.summary["context"]
    evidence = explain(found, frames, context)[0]
    evidence |= _conflicts(workspace, account, found, run, frames)
    evidence |= counted_beside(workspace, account, row)
    return SuggestionDetail(row, evidence, response_curve(planned, context), history)


def _run_of(
    workspace: Workspace, account: str, row: Mapping[Any, Any]
) -> tuple[RunRecord, dict[str, pd.DataFrame]]:
    """The run a suggestion follows from (else the newest of its day) and its frames."""
    named = json.loads(row["evidence"]).get("run")
    store = workspace.store
    run = store.run(named) if named else store.latest_run(account, row["as_of"].date())
    return run, kept_frames(store, run.run_id)


def _conflicts(
    workspace: Workspace,
    account: str,
    found: pd.DataFrame,
    run: RunRecord,
    frames: Mapping[str, pd.DataFrame],
) -> dict[str, Any]:
    """Codes of what the suggestion stands against, and the keyword to keep among its twins."""
    told_alike = kept_twins(workspace.store, run.run_id)
    alike = told_alike.set_index("key")
    key, day = str(found["entity_key"].iloc[0]), found["as_of"].iloc[0].date()
    texts = alike.loc[alike["text"].eq(alike["text"].get(key, -1))]
    ids = [identity(account, day, other, "bid") for other in texts.index if other != key]
    others = workspace.store.suggestions(account, ids=ids) if ids else found.iloc[:0]
    beside = pd.concat([found, others], ignore_index=True)
    told = conflict_codes(beside, frames, told_alike).iloc[0]
    return {"conflicts": told["conflicts"], "keep": _place(frames["plan"], told["keep"])}


def _place(plan: pd.DataFrame, key: Any) -> dict[str, Any] | None:
    """Where a keyword is, for a sentence that names it."""
    if key is None:
        return None
    found = plan[plan["entity_key"].astype(str).eq(key)].iloc[0]
    return {name: found[name] for name in ("campaign_name", "ad_group_name", "match_type")}


def conflicts(workspace: Workspace, account: str, actor: Actor) -> pd.DataFrame:
    """Suggestions of the newest review that stand against another, with `conflicts` (codes) and `keep`."""
    rows = suggestions(workspace, account, actor)
    frames = kept_frames(workspace.store, workspace.store.latest_run(account).run_id)
    told = rows.join(conflict_codes(rows, frames))
    return told[told["conflicts"].map(len).gt(0)].reset_index(drop=True)


def at_rate(
    workspace: Workspace, account: str, suggestion_id: str, rate: float, actor: Actor
) -> dict[str, Any]:
    """What a suggestion would be if the true conversion rate were `rate`: `kind`, `proposed_bid`.

    The line and all other beliefs stay. `kind` is none where nothing would be suggested. Raises
    `NotFound`, and `RefusedInput` for a rate that is not above zero or a row no rate decides.
    """
    actor.require("viewer", account)
    found = workspace.store.suggestions(account, ids=[suggestion_id])
    if found.empty:
        raise NotFound("suggestion_unknown", account=account, ids=[suggestion_id])
    run, frames = _run_of(workspace, account, found.to_dict("records")[0])
    known = planned_row(frames, str(found["entity_key"].iloc[0]))
    by_budget = found["reason"].iloc[0] == BUDGET_LASTS
    usable = math.isfinite(rate) and rate > 0
    if not usable or by_budget or known is None or known["rate_mean"] <= 0:
        raise RefusedInput("rate_not_usable", rate=rate)
    context = run.summary["context"]
    told = suggestions_at_rates(found, frames, np.array([rate]), context)
    return unknown_as_none({**told.to_dict("records")[0], "rate": rate})


def why_not(workspace: Workspace, account: str, text: str, actor: Actor) -> pd.DataFrame:
    """Keywords of the newest review whose text contains `text` (any case), and what became of each.

    The plan's columns, `kind` of the suggestion if there is one, and `reason`: why it is suggested,
    or why not. At most 500 rows, in plan order.
    """
    actor.require("viewer", account)
    held = load_holdings(workspace, account)
    solved = resolve_account(
        restored_result(held.run, held.newest(), held.frames),
        workspace.store.holds(account, held.as_of),
    )
    plan = solved.frames["plan"]
    found = plan["keyword_text"].str.contains(text, case=False, regex=False)
    shown = plan[found.fillna(False)].head(_WHY_NOT_ROWS).reset_index(drop=True)
    own = solved.proposals()
    own = own[own["slot"].isin(["bid", "state"])]
    named = own.drop_duplicates("entity_key").set_index("entity_key")
    keys = shown["entity_key"].astype(str)
    reason = keys.map(named["reason"])
    return shown.assign(
        kind=keys.map(named["kind"]), reason=reason.where(reason.notna(), shown["reason"])
    )


def totals(
    workspace: Workspace,
    account: str,
    ids: Sequence[str],
    actor: Actor,
    seen: Mapping[str, int] | None = None,
    bids: Mapping[str, float] | None = None,
) -> SelectionTotals:
    """What approving exactly these rows (and those linked to them) would add up to.

    Of the named rows those in `seen` (id → version) only count in that version, those in `bids`
    (id → bid) at that bid.
    """
    actor.require("viewer", account)
    held = load_holdings(workspace, account)
    rows = held.named(ids) if ids else held.rows.iloc[:0]
    versions = _versions(rows) | dict(seen or {})
    command = partial(accepted, held=held, bids=bids or {})
    moves, refused = approvals.decide(
        approvals.standings(rows), versions, command, held.rivals(rows)
    )
    chosen = held.priced(held.chosen({move.id: move.approved_bid for move in moves}))
    hits = Counter(refusal.code for refusal in refused)
    hits.update(_risk_codes(held, moves, actor))
    together = held.outcome(chosen).total
    return SelectionTotals(
        count=len(chosen),
        delta_cost=float(chosen["delta_cost"].sum()),
        delta_profit=dict(zip(("mean", "low", "high"), together, strict=True)),
        excess=held.excess(pd.concat([held.committed(), chosen])),
        guardrail_hits=dict(hits),
        ids_versions=tuple(sorted((move.id, move.version) for move in moves)),
    )


def edited(
    workspace: Workspace, account: str, bids: Mapping[str, float], actor: Actor
) -> pd.DataFrame:
    """What suggestions would bring at other bids (id → bid), row by row and per day.

    `id`, `keyword_text`, `bid`, `delta_clicks`, `delta_cost`, `delta_profit_mean`/`_low`/`_high`,
    `p_positive`, and `refused` ({code, …}; None) where that bid cannot be approved: its amounts are
    unknown then.
    """
    actor.require("viewer", account)
    held = load_holdings(workspace, account)
    rows = held.named(list(bids)) if bids else held.rows.iloc[:0]
    rows = rows[rows["id"].isin(list(bids))]
    rows = rows.assign(approved_bid=rows["id"].map(bids).astype("float64"))
    told = [_refusal(held, row, bids[row.id]) for row in approvals.standings(rows).values()]
    known = np.array([each is None for each in told], dtype=bool)
    out = rows[["id", "keyword_text"]].assign(
        bid=rows["approved_bid"], refused=pd.Series(told, index=rows.index, dtype="object")
    )
    found = held.outcome(rows[known]) if known.any() else None
    for name, field in OUTCOME_FIELDS.items():
        out[name] = np.nan
        if found is not None:
            out.loc[known, name] = getattr(found, field)
    return out.reset_index(drop=True)


def _refusal(held: Holdings, row: approvals.Standing, bid: float) -> dict[str, Any] | None:
    try:
        approved_at(held, row, row.version, bid)
    except Conflict as refusal:
        return {"code": refusal.code, **refusal.fields}
    return None


def _versions(rows: pd.DataFrame) -> dict[str, int]:
    return dict(zip(rows["id"].astype(str), rows["version"].astype(int), strict=True))


def _risk_codes(held: Holdings, moves: list[approvals.Transition], actor: Actor) -> list[str]:
    """Limits on the sum of approvals that this person would meet with this selection."""
    try:
        allowed, _ = within_limits(held, moves, actor)
    except Conflict as refusal:
        return [refusal.code]
    parked = any(move.to_decision == "awaiting_second" for move in allowed)
    return ["second_person_needed"] if parked else []
