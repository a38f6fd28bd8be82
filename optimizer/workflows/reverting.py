"""Taking back what was exported: the opposite changes, approved and exported like any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from optimizer.errors import Conflict, NotFound, RefusedInput
from optimizer.review.reverting import original_of, reverts
from optimizer.tables import Actor
from optimizer.workflows.deciding import approve
from optimizer.workflows.holdings import Holdings, load_holdings
from optimizer.workflows.resolving import DecisionResult, told_refusal
from optimizer.workflows.workspace import Workspace


def revert(
    workspace: Workspace,
    account: str,
    actor: Actor,
    ids: Sequence[str] = (),
    export_id: str | None = None,
) -> DecisionResult:
    """Approve the opposite of exported suggestions: those with `ids`, or all of one export.

    The opposites are suggestions of the newest review, bound by the same limits and by a second person
    where one is needed; the next export holds them. What has no opposite is `refused`. Raises
    `Conflict` when nothing can be taken back, `NotFound` for an id or export nobody knows.
    """
    actor.require("approver", account)
    held = load_holdings(workspace, account)
    rows = _originals(held, [*ids, *_of_export(workspace, account, export_id)])
    newest = frozenset(workspace.store.delivered(account)["id"]) - _tested(held, rows)
    opposite, refused = reverts(rows, account, held.as_of, newest)
    told = tuple(told_refusal(one) for one in refused)
    if opposite.empty:
        extra = {"refused": list(told)} if len(told) > 1 else {}
        raise Conflict(refused[0].code, **refused[0].fields, **extra)
    seen = dict(zip(rows["id"].astype(str), rows["delivery"].astype(str), strict=True))
    taken = opposite["evidence"].astype(str).map(original_of)
    replaced = dict(zip(opposite["id"].astype(str), taken, strict=True))
    workspace.store.propose_reverts(held.run.run_id, opposite, replaced, seen, actor)
    made = workspace.store.suggestions(account, ids=list(opposite["id"]))
    refs = list(zip(made["id"].astype(str), made["version"].astype(int), strict=True))
    done = approve(workspace, account, refs, actor)
    return replace(done, refused=(*told, *done.refused))


def _of_export(workspace: Workspace, account: str, export_id: str | None) -> tuple[str, ...]:
    if export_id is None:
        return ()
    record = workspace.store.find_export(account, export_id)
    if record is None:
        known = [one.export_id for one in workspace.store.exports(account)]
        raise NotFound("export_unknown", account=account, export_id=export_id, available=known)
    return record.suggestion_ids


def _originals(held: Holdings, ids: Sequence[str]) -> pd.DataFrame:
    """The stored rows, those of the newest review at the Δ of the bid that was approved."""
    if not ids:
        raise RefusedInput("nothing_named")
    rows = held.workspace.store.suggestions(held.account, ids=list(dict.fromkeys(ids)))
    unknown = sorted(set(ids) - set(rows["id"]))
    if unknown:
        raise NotFound("suggestion_unknown", account=held.account, ids=unknown)
    return held.repriced(rows)


def _tested(held: Holdings, rows: pd.DataFrame) -> frozenset[str]:
    """Rows whose bid a test has taken over."""
    holds = held.workspace.store.holds(held.account, held.as_of)
    keys = holds.loc[holds["kind"].eq("experiment"), "entity_key"].astype(str)
    return frozenset(rows.loc[rows["slot"].eq("bid") & rows["entity_key"].isin(keys), "id"])
