"""What an account has approved so far, and what that would spend.

Joins the stored rows, the run they came from and the settings for the workflows that decide and
export; the judging itself is `review.fit`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import cached_property
from typing import Any

import pandas as pd

from optimizer.decisions.outcomes import Outcome
from optimizer.errors import NotFound
from optimizer.review.fit import budget_excess
from optimizer.review.reverting import REVERT
from optimizer.review.rivals import Rivals, rivals
from optimizer.review.selection import selection_outcome
from optimizer.settings import BidLimit, Settings
from optimizer.store.protocol import RunRecord
from optimizer.tables import among
from optimizer.workflows.items import stated_settings
from optimizer.workflows.kept_lists import kept_frames, kept_planned
from optimizer.workflows.lapsing import lapsed, lasting_list
from optimizer.workflows.workspace import Workspace

OUTCOME_FIELDS = {
    "delta_clicks": "clicks",
    "delta_cost": "cost",
    "delta_profit_mean": "profit",
    "delta_profit_low": "low",
    "delta_profit_high": "high",
    "p_positive": "p_positive",
}
"""A suggestion's columns of Δ, and what an `Outcome` calls them."""


@dataclass(frozen=True)
class Holdings:
    """The newest review of an account with every row that is decided or can still be decided.

    `rows` holds the newest run's suggestions and approved rows of earlier days, read when act `stamp`
    was the account's newest.
    """

    workspace: Workspace
    run: RunRecord
    rows: pd.DataFrame
    stamp: int

    @property
    def account(self) -> str:
        """The account's name."""
        return self.run.account

    @property
    def as_of(self) -> date:
        """The newest review's day."""
        return self.run.as_of

    @cached_property
    def settings(self) -> Settings:
        """The settings that apply now, with what item files said up to the review's day."""
        return stated_settings(self.workspace, self.account, self.as_of)[0]

    @cached_property
    def limit(self) -> BidLimit:
        """What the platform accepts as a bid."""
        record = self.workspace.store.account(self.account)
        return self.settings.bid_limit(record.platform, record.currency)

    @cached_property
    def frames(self) -> dict[str, pd.DataFrame]:
        """What the run can be re-solved from."""
        return kept_frames(self.workspace.store, self.run.run_id)

    @cached_property
    def planned(self) -> pd.DataFrame:
        """The run's keywords and terms by entity key."""
        return kept_planned(self.workspace.store, self.run.run_id)

    @property
    def lapsed(self) -> bool:
        """Whether the newest review is too old for its suggestions to be decided."""
        return lapsed(self.workspace, self.run)

    @property
    def context(self) -> Mapping[str, Any]:
        """The run's constants."""
        context: Mapping[str, Any] = self.run.summary["context"]
        return context

    def committed(self) -> pd.DataFrame:
        """Changes that count as made: approved ones, and those of this review already exported.

        What the platform refused, or somebody moved since, does not.
        """
        undone = self.rows["delivery"].isin(["failed", "drifted", "reverted"])
        return self.rows[self.rows["decision"].eq("approved") & ~undone]

    def exportable(self) -> pd.DataFrame:
        """Approved rows of any day that were not exported yet."""
        committed = self.committed()
        return committed[committed["delivery"].eq("not_exported")].reset_index(drop=True)

    def newest(self) -> pd.DataFrame:
        """Rows of the newest review, without approvals of earlier days."""
        return self.rows[self.rows["run_id"].eq(self.run.run_id)]

    def named(self, ids: Sequence[str]) -> pd.DataFrame:
        """Rows with these ids, of any day, and the rows linked to them.

        Raises `NotFound` listing the ids nobody knows.
        """
        rows = self.rows
        missing = sorted(set(ids) - set(rows["id"]))
        if missing:
            older = self.workspace.store.suggestions(self.account, ids=missing)
            unknown = sorted(set(missing) - set(older["id"]))
            if unknown:
                raise NotFound("suggestion_unknown", account=self.account, ids=unknown)
            rows = pd.concat([older, rows], ignore_index=True)
        return rows[among(rows["id"], _with_linked(rows, set(ids)))]

    def chosen(self, bids: Mapping[str, float | None]) -> pd.DataFrame:
        """The rows with these ids as they would be approved, at these bids."""
        rows = self.rows[among(self.rows["id"], bids)]
        return rows.assign(approved_bid=rows["id"].map(bids).astype(float))

    def rivals(self, named: pd.DataFrame) -> Rivals:
        """What cannot be approved beside what, `named` rows of other days included."""
        return rivals(pd.concat([self.rows, named], ignore_index=True))

    def priced(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`rows` with `delta_cost` at the approved bid, where that is not the proposed one."""
        edited = other_bid(rows)
        if not edited.any():
            return rows
        edited &= self.planned.index.get_indexer(pd.Index(rows["entity_key"].astype(str))) >= 0
        if not edited.any():
            return rows
        priced = rows.copy()
        priced.loc[edited, "delta_cost"] = self.outcome(rows[edited]).cost
        return priced

    def repriced(self, rows: pd.DataFrame) -> pd.DataFrame:
        """`rows` with all their Δ at the bid that somebody chose, where that is not the proposed one.

        Rows of earlier reviews keep theirs: this review's plan starts from other bids.
        """
        chosen = other_bid(rows) & rows["reason"].ne(REVERT)
        chosen &= rows["run_id"].eq(self.run.run_id)
        known = self.planned.index.get_indexer(pd.Index(rows["entity_key"].astype(str))) >= 0
        if not (chosen & known).any():
            return rows
        told, found = rows.copy(), self.outcome(rows[chosen & known])
        for name, field in OUTCOME_FIELDS.items():
            told.loc[chosen & known, name] = getattr(found, field)
        return told

    def outcome(self, rows: pd.DataFrame) -> Outcome:
        """What these rows of the newest review would do together."""
        return selection_outcome(self.planned, rows, self.context)

    def excess(self, changes: pd.DataFrame) -> tuple[dict[str, Any], ...]:
        """Budgets that `changes` alone, everything else unchanged, would break, as `fit.Excess`."""
        placed = self.priced(changes).assign(node=self._nodes(changes))
        return tuple(asdict(one) for one in budget_excess(self.context["budgets"], placed))

    def _nodes(self, rows: pd.DataFrame) -> pd.Series[Any]:
        """The budget node of each row; its campaign's where the run no longer knows the keyword."""
        nodes = enumerate(self.context["budgets"])
        named = {node["name"]: at for at, node in nodes if node["scope"] == "campaign"}
        found = rows["entity_key"].map(self.planned["node"])
        return found.fillna(rows["campaign_name"].map(named)).fillna(-1).astype("int64")


def other_bid(rows: pd.DataFrame) -> pd.Series[bool]:
    """Rows whose bid somebody chose, and not the proposed one."""
    return rows["approved_bid"].notna() & rows["approved_bid"].ne(rows["proposed_bid"])


def planned_row(frames: Mapping[str, pd.DataFrame], entity_key: str) -> dict[str, Any] | None:
    """The plan's row of a keyword, or the judged term's; None where the run has neither."""
    for name in ("plan", "terms"):
        frame = frames[name]
        if "entity_key" in frame.columns:
            found = frame[frame["entity_key"].astype(str).eq(entity_key)].to_dict("records")
            if found:
                return {str(key): value for key, value in found[0].items()}
    return None


def _with_linked(rows: pd.DataFrame, ids: set[str]) -> set[str]:
    pairs = rows.loc[rows["linked_id"].notna(), ["id", "linked_id"]].astype(str)
    touched = pairs[among(pairs["id"], ids) | among(pairs["linked_id"], ids)]
    grown = ids | set(touched["id"]) | set(touched["linked_id"])
    return ids if grown == ids else _with_linked(rows, grown)


def load_holdings(workspace: Workspace, account: str) -> Holdings:
    """The newest review with its rows and earlier approvals. Raises `NotFound` without a review."""
    kept = lasting_list(workspace, account)
    parts = [kept.rows, kept.earlier]
    joined = pd.concat(parts, ignore_index=True) if len(kept.earlier) else kept.rows
    return Holdings(workspace, kept.run, joined, kept.stamp)
