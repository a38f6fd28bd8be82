"""What the workflows ask of a store, and the values that cross that line.

`store.open_store` returns the implementation. Every writing method is one transaction that holds its
audit rows too: after a crash it happened whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any, Literal, Protocol

import pandas as pd

from optimizer.errors import Problem
from optimizer.tables import (
    CREATIVE_TEXTS,
    NEGATIVES,
    Actor,
    Reconciliation,
    Report,
    Role,
    empty_table,
)

Tell = Callable[[float], None]
"""Called with the share of the work that is done, from 0 to 1."""


def nobody(share: float) -> None:
    """Of those who do not watch."""


Decision = Literal[
    "proposed", "awaiting_second", "approved", "rejected", "snoozed", "expired", "superseded"
]
Delivery = Literal["not_exported", "exported", "confirmed_live", "failed", "drifted", "reverted"]


SETTLED = ("failed", "drifted", "reverted")
"""Deliveries after which an exported change is not what is in force."""


@dataclass(frozen=True)
class AccountRecord:
    """An account as known to the store; currency and platform come from its first report."""

    name: str
    platform: str
    currency: str
    created_at: datetime


@dataclass(frozen=True)
class BatchRecord:
    """One imported file. `duplicate`: the same bytes were here before and nothing changed.

    `rows_changed` counts (keyword, day) rows whose numbers are new or differ from what was known.
    `keys_missing`: keys known for the file's days that the file does not hold; they are kept.
    """

    batch_id: str
    account: str
    file_name: str
    sha256: str
    as_of: date
    sequence: int
    grain: str
    imported_at: datetime
    imported_by: str
    rows_changed: int
    keys_missing: int
    reconciliation: Reconciliation
    duplicate: bool = False


@dataclass(frozen=True)
class ReviewTables:
    """What a review reads, as known on one day; tables KEYWORDS, KEYWORD_DAILY, TERMS, ... of `tables`.

    `as_of` is that day, `batches` the ids read. `negatives` (table NEGATIVES) are those in force: what
    the lists of the newest day with any say together.
    """

    account: AccountRecord
    as_of: date
    keywords: pd.DataFrame
    daily: pd.DataFrame
    terms: pd.DataFrame
    term_daily: pd.DataFrame
    versions: pd.DataFrame
    bid_changes: pd.DataFrame
    batches: tuple[str, ...]
    negatives: pd.DataFrame = field(default_factory=partial(empty_table, NEGATIVES))


@dataclass(frozen=True)
class KeywordDays:
    """What keywords are called (entity_key, campaign_name, ad_group_name, keyword_text, match_type), and
    table KEYWORD_DAILY of them."""

    names: pd.DataFrame
    daily: pd.DataFrame


@dataclass(frozen=True)
class CreativeTables:
    """Tables CREATIVES, CREATIVE_DAILY and CREATIVE_TEXTS of an account, as known on one day."""

    creatives: pd.DataFrame
    daily: pd.DataFrame
    texts: pd.DataFrame = field(default_factory=partial(empty_table, CREATIVE_TEXTS))


@dataclass(frozen=True)
class CreativeTestRecord:
    """A test of creatives defined in the application; `definition` as `settings.CreativeTest` in JSON."""

    name: str
    version: int
    definition: Mapping[str, Any]
    defined_at: datetime
    defined_by: str
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True)
class RunRecord:
    """One review: its summary (JSON values), and the frames a re-solve needs (Parquet, by name)."""

    run_id: str
    account: str
    as_of: date
    created_at: datetime
    created_by: str
    summary: Mapping[str, Any]
    frames: Mapping[str, pd.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """A decision on one suggestion; refused unless (id, version, from_decision, replaced_bid) still hold,
    and where one of `rivals` (ids) was approved meanwhile.
    """

    id: str
    version: int
    from_decision: Decision
    to_decision: Decision
    replaced_bid: float | None = None
    approved_bid: float | None = None
    reason: str | None = None
    until: date | None = None
    rivals: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExportRecord:
    """A file pair that was written: key = hash of the sorted (id, version, bid) list."""

    export_id: str
    account: str
    created_at: datetime
    created_by: str
    file_names: tuple[str, ...]
    suggestion_ids: tuple[str, ...]


@dataclass(frozen=True)
class Delivered:
    """What became of one exported suggestion; refused unless (id, version, from_delivery) still hold.

    `code` says why, `text` is the platform's own reason. `seen_value` and `seen_state` are what the
    report `batch_id`, downloaded on `seen_on`, shows; `file_name` is the file that says it.
    """

    id: str
    version: int
    from_delivery: Delivery
    delivery: Delivery
    code: str
    text: str | None = None
    seen_value: float | None = None
    seen_state: str | None = None
    seen_on: date | None = None
    batch_id: str | None = None
    file_name: str | None = None


@dataclass(frozen=True)
class StepRecord:
    """A step that was written on `day`; `week` equal to the test's weeks is the hand-back.

    `rows` are the members as exported: entity_key, arm, bid, and what a bulk file needs of them.
    """

    week: int
    export_id: str
    day: date
    file_names: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    created_at: datetime | None = None
    created_by: str | None = None


@dataclass(frozen=True)
class Beside:
    """What a change was judged together with: approvals (id → bid) and approved bid tests (ids).

    Those that no file holds, and all that were decided from `since` on.
    """

    bids: Mapping[str, float | None]
    tests: frozenset[str]
    since: datetime


@dataclass(frozen=True)
class ExperimentRecord:
    """One bid test as stored; `members` and `steps` match the tables of these names.

    `figures` has cost_mean, cost_low, cost_high and extra_spend per day, and value in all.
    """

    id: str
    account: str
    as_of: date
    version: int
    state: str
    last_day: date
    weeks: int
    figures: Mapping[str, float]
    proposed_at: datetime
    proposed_by: str
    decided_by: str | None
    decision_reason: str | None
    members: pd.DataFrame
    steps: pd.DataFrame
    exports: tuple[StepRecord, ...]


@dataclass(frozen=True)
class NewExperiment:
    """What a proposal says: the parts of an `ExperimentRecord` that its maker knows."""

    id: str
    account: str
    as_of: date
    last_day: date
    weeks: int
    figures: Mapping[str, float]
    members: pd.DataFrame
    steps: pd.DataFrame


@dataclass(frozen=True)
class Grant:
    """The role of a person (an e-mail address as normalised) on one account, or (None) on every one."""

    person: str
    account: str | None
    role: Role
    granted_at: datetime
    granted_by: str


@dataclass(frozen=True)
class TokenRecord:
    """What a program that shows the token may do; nothing from `expires_at` or `revoked_at` on."""

    name: str
    account: str | None
    role: Role
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True)
class PlanRecord:
    """A kept scenario and its plan (JSON values), made from the beliefs of run `run_id`."""

    plan_id: str
    account: str
    name: str
    run_id: str
    scenario: Mapping[str, Any]
    result: Mapping[str, Any]
    saved_at: datetime
    saved_by: str


class Store(Protocol):
    """State (decisions, batches, audit) and history (what reports said) of all accounts."""

    def close(self) -> None:
        """Release files and connections."""

    # accounts and imports

    def accounts(self) -> list[AccountRecord]:
        """All accounts by name."""

    def account(self, name: str) -> AccountRecord:
        """One account. Raises `NotFound` listing those that exist."""

    def find_batch(self, report: Report, account: str, as_of: date) -> BatchRecord | None:
        """The batch these bytes became; of a list without days only where it was of that day too."""

    def append_report(
        self, report: Report, account: str, as_of: date, actor: Actor, tell: Tell = nobody
    ) -> BatchRecord:
        """Store one report: identity, changed rows, quarantine, reconciliation, audit; all or nothing.

        `tell` hears after each step of it how far the work is.
        Creates the account with the report's platform and currency when it is new. Raises
        `RefusedInput` when the currency or platform is not the account's. What `find_batch` finds
        is returned with `duplicate=True`.
        """

    def batches(self, account: str) -> list[BatchRecord]:
        """Imported files, newest first."""

    def quarantine(self, batch_id: str) -> pd.DataFrame:
        """Quarantined rows of a batch, table QUARANTINE."""

    # history

    def review_tables(self, account: str, as_of: date, window_days: int) -> ReviewTables:
        """Days in [as_of - window_days, as_of) from batches with as_of ≤ `as_of`, newest version each.

        Raises `NotFound` saying which as_of days exist when there is none.
        """

    def keyword_days(self, account: str, as_of: date, window_days: int) -> KeywordDays:
        """The window's days of keywords alone, as `review_tables` knows them; empty where there are none."""

    def creative_tables(self, account: str, as_of: date, window_days: int) -> CreativeTables:
        """Creatives and their days in [as_of - window_days, as_of), as `review_tables` knows keywords."""

    def extra_counts(
        self,
        account: str,
        as_of: date,
        window_days: int,
        *,
        kind: Literal["keyword", "search_term"] = "keyword",
        entity_key: int | None = None,
    ) -> pd.DataFrame:
        """Carts, favourites, pre-sale orders, new customers and parts of the value, per day.

        Columns entity_key, first_day, last_day and those of `history.EXTRA_TYPES`, money in currency;
        only days (or periods) of which a report tells one of them, of all entities or the one named.
        """

    def items(self, account: str, as_of: date) -> pd.DataFrame:
        """Table ITEMS: of every cell what the newest item table with as_of ≤ `as_of` says."""

    def item_entries(self, account: str, as_of: date) -> pd.DataFrame:
        """Table ITEM_ENTRIES from item logs with as_of ≤ `as_of`; the first price is no change."""

    def organic(self, account: str, as_of: date, window_days: int) -> pd.DataFrame:
        """Table ORGANIC from lists with as_of ≤ `as_of` that reach into the window of a review.

        Days of which several lists tell are those of the newest.
        """

    # runs and suggestions

    def save_run(
        self,
        account: str,
        as_of: date,
        result: Mapping[str, Any],
        suggestions: pd.DataFrame,
        frames: Mapping[str, pd.DataFrame],
        actor: Actor,
    ) -> RunRecord:
        """Store a review: `result` is its JSON summary, `suggestions` table SUGGESTIONS.

        Undecided and snoozed rows of earlier as_of days become superseded. A row with a known id
        keeps its decision when kind, proposed (or approved) and replaced value are unchanged; otherwise its
        version rises and it is proposed again; exported rows stay as they are. Decided rows of
        this day that `suggestions` does not name move to the new run, open ones become superseded.
        """

    def update_run(
        self,
        run_id: str,
        result: Mapping[str, Any],
        suggestions: pd.DataFrame,
        actor: Actor,
        read: tuple[pd.DataFrame, int] | None = None,
    ) -> bool:
        """Store a re-solve: only rows still proposed (or new) are touched; gone ones are superseded.

        `read` spares it to read again what its caller did: the run's rows as `suggestions` gave them
        when `last_act` was that number. False, and nothing is touched, where a newer review of the
        account has taken over.
        """

    def latest_run(self, account: str, as_of: date | None = None) -> RunRecord:
        """The newest review (of that day) without frames. Raises `NotFound`."""

    def run(self, run_id: str) -> RunRecord:
        """One review without frames. Raises `NotFound`."""

    def run_frames(self, run_id: str) -> dict[str, pd.DataFrame]:
        """The frames given to `save_run`."""

    def suggestions(
        self, account: str, *, as_of: date | None = None, ids: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """SUGGESTIONS plus run_id, account, as_of, version, decision, delivery, approved_bid,
        decided_by, decided_at, decision_reason, until, export_id; of the newest run by default.

        While a run is the newest, rows that a re-solve dropped are left out; by `ids` every row
        is found, whatever its run.
        """

    def approved(self, account: str, since: datetime | None = None) -> pd.DataFrame:
        """Approved suggestions not exported yet, of every review day; columns of `suggestions`.

        With `since` also those that were decided from then on, exported or not.
        """

    def apply_changes(
        self,
        account: str,
        changes: Sequence[Change],
        actor: Actor,
        action: str,
        beside: Beside | None = None,
    ) -> None:
        """All or none of `changes`, with an audit row each.

        `beside` is what the changes were judged together with. A row gets
        a new version where approving it would now accept another bid: when it starts to await a
        second person, leaves that state unapproved, or an approval at an edited bid is taken back.

        Raises `Conflict` whose field `moved` lists {id, why, version, decision, delivery, bid,
        decided_by, decided_at}; why is unknown, repeated, exported, version, decision, bid, rival,
        or beside: a row or test that was approved since, or at another bid than `beside` says.
        Rejections and snoozes become holds, any other decision lifts those of its suggestion.
        """

    def propose_reverts(
        self,
        run_id: str,
        rows: pd.DataFrame,
        replaced: Mapping[str, str],
        seen: Mapping[str, str],
        actor: Actor,
    ) -> None:
        """Add suggestions that take exported ones back (`replaced`: new id → exported id) to a review.

        A row that is there already keeps what was decided on it. Raises `Conflict` `suggestions_moved`
        where a newer review took over, or an export has another delivery than in `seen`.
        """

    def set_lock(
        self, account: str, entity_key: str, slot: str, locked: bool, actor: Actor
    ) -> None:
        """Lock or unlock a keyword's slot."""

    def holds(self, account: str, as_of: date) -> pd.DataFrame:
        """Table HOLDS on `as_of`: locks, unexpired rejections and snoozes, approved and exported bids.

        An exported bid holds until a report of a later as_of comes in. Of several holds on one slot
        the first of approved, exported, locked, experiment, rejected, snoozed is given.
        """

    # exports

    def find_export(self, account: str, export_id: str) -> ExportRecord | None:
        """The export with this key, if it was made before."""

    def record_export(
        self,
        account: str,
        export_id: str,
        file_names: Sequence[str],
        rows: Sequence[tuple[str, int]],
        actor: Actor,
    ) -> ExportRecord:
        """Mark approved (id, version) rows exported. Raises `Conflict` if one is not approved or was exported."""

    def exports(self, account: str) -> list[ExportRecord]:
        """Exports, newest first."""

    # what became of exports

    def delivered(self, account: str) -> pd.DataFrame:
        """The newest export of every (entity_key, slot) with what is known of it since.

        Columns: id, version, kind, slot, entity_key, names and ids, bid, approved_bid, delivery,
        as_of, export_id, exported_at; code, text, seen_value, seen_state, seen_on, batch_id,
        file_name, told_at (null until something was seen).
        """

    def shown(self, account: str, since: date) -> pd.DataFrame:
        """What reports downloaded after `since` show of keywords, terms and negatives, newest each.

        Columns: entity_key (the term's with a leading t; null for a negative), names and ids, fact
        (bid | campaign_budget | status | term_status | negative), amount, text, day, as_of,
        batch_id, file_name, imported_at. A list of negatives that is empty shows nothing.
        """

    def record_deliveries(self, account: str, told: Sequence[Delivered], actor: Actor) -> None:
        """All or none of `told`, with an audit row each. Raises `Conflict` where one moved."""

    # experiments

    def save_experiment(self, proposal: NewExperiment, actor: Actor) -> ExperimentRecord:
        """Store a proposed bid test; an undecided one of the account becomes superseded.

        The same proposal again is the same test while undecided; another for the same day, or the
        same after it was rejected, rises its version. Raises `Conflict` while a test is approved or
        running, or once the day's test was.
        """

    def experiment(self, account: str, experiment_id: str | None = None) -> ExperimentRecord | None:
        """The newest bid test that is not superseded, or the one with this id."""

    def decide_experiment(
        self,
        account: str,
        ref: tuple[str, int],
        to_state: Literal["approved", "rejected"],
        reason: str | None,
        actor: Actor,
        beside: Beside | None = None,
    ) -> None:
        """Decide on (id, version) as a whole. Raises `Conflict` when it moved or is under way.

        And `suggestions_moved`, as `apply_changes`, when something else was approved than `beside`.
        """

    def approved_experiments(self, account: str, since: datetime) -> list[ExperimentRecord]:
        """Bid tests that were approved from then on and are under way."""

    def record_experiment_step(
        self,
        seen: ExperimentRecord,
        step: StepRecord,
        state: Literal["running", "finished", "stopped"],
        actor: Actor,
    ) -> None:
        """Mark a step exported whose file was made from `seen`.

        Raises `Conflict` when the step was exported before, the test is not approved, or somebody
        decided, exported or stopped in between (`experiment_moved`): the bids of the file would not
        follow those in force.
        """

    def randomised_bids(self, account: str, until: date) -> pd.DataFrame:
        """Bids that exported tests set at random: `entity_key`, `bid`, `first_day`, `last_day` ≤ `until`."""

    # tests of creatives

    def creative_tests(self, account: str) -> list[CreativeTestRecord]:
        """The tests that were defined in the application, by name."""

    def save_creative_test(
        self,
        account: str,
        definition: Mapping[str, Any],
        seen_version: int | None,
        actor: Actor,
        action: Literal["creative_test_define", "creative_test_edit", "creative_test_end"],
    ) -> CreativeTestRecord:
        """Store a definition (its `name` is its key) with its audit row.

        `seen_version` is the one it replaces, None for a new test. Raises `Conflict`
        `creative_test_exists` where a new one's name is taken, `creative_test_moved` where another
        version is in force by now.
        """

    def creative_shares(self, account: str) -> pd.DataFrame:
        """Table CREATIVE_SHARES of all reviews: stored by `save_run` from the frame of that name."""

    # named views

    def views(self, account: str, person: str) -> dict[str, str]:
        """The queue's filters that the person named on the account, as queries of its address."""

    def save_view(self, account: str, person: str, name: str, query: str) -> None:
        """Keep filters under a name, in place of those it had before."""

    def delete_view(self, account: str, person: str, name: str) -> None:
        """Forget a name; one that is not kept changes nothing."""

    # rights

    def grants(self, person: str | None = None) -> list[Grant]:
        """Roles of one person or of all, by person and account."""

    def set_grant(self, person: str, account: str | None, role: Role | None, actor: Actor) -> None:
        """Give a role in place of an earlier one on the account, or (None) take it: `NotFound` if none."""

    def tokens(self) -> list[TokenRecord]:
        """All tokens, revoked ones too, by name."""

    def find_token(self, digest: str) -> TokenRecord | None:
        """The token whose secret has this SHA-256, if any."""

    def add_token(self, token: TokenRecord, digest: str, actor: Actor) -> None:
        """Let in who shows the secret of `digest`. Raises `Conflict` where the name was used before."""

    def revoke_token(self, name: str, actor: Actor) -> None:
        """Let nobody in by this token any more. Raises `NotFound`; again changes nothing."""

    # the store itself

    # plans

    def plans(self, account: str) -> list[PlanRecord]:
        """Kept scenarios, newest first."""

    def save_plan(
        self,
        account: str,
        name: str,
        run_id: str,
        scenario: Mapping[str, Any],
        result: Mapping[str, Any],
        actor: Actor,
    ) -> PlanRecord:
        """Keep a scenario with its audit row. Raises `Conflict` where the name is taken."""

    def delete_plan(self, account: str, name: str, actor: Actor) -> None:
        """Forget a scenario, with an audit row that holds it. Raises `NotFound` listing those kept."""

    def adopt_plan(
        self,
        run_id: str,
        name: str,
        scenario: Mapping[str, Any],
        result: Mapping[str, Any],
        suggestions: pd.DataFrame,
        actor: Actor,
    ) -> None:
        """As `update_run`, for a re-solve at a plan's money; its audit row holds the scenario."""

    def refreshed(
        self, account: str, run_id: str, rows: pd.DataFrame, stamp: int
    ) -> pd.DataFrame | None:
        """`rows`, read as `suggestions(account)` when `last_act` was `stamp`, as they are now.

        None where they must be read anew.
        """

    def last_act(self, account: str) -> int:
        """Sequence of the account's newest audit row, 0 for none: it rises whenever a row moves."""

    def audit(self, account: str | None = None, subject: str | None = None) -> pd.DataFrame:
        """Audit rows in order: sequence, at, actor, role, account, action, subject, detail (JSON), hash.

        Those of one account or of all, of one `subject` (an id) or of every one.
        """

    def check(self) -> list[Problem]:
        """Defects of the store itself: database integrity, audit chain, missing history files."""
