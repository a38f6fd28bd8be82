"""`SqlStore`: the store over a state database and a folder of Parquet files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import pandas as pd
import sqlalchemy as sa

from optimizer.errors import NotFound, Problem
from optimizer.store import (
    audit,
    changed,
    creative_tests,
    decisions,
    deliveries,
    experiments,
    imports,
    listings,
    plans,
    reading,
    records,
    rights,
    schema,
    soundness,
    suggestions,
    views,
)
from optimizer.store.audit import Entry
from optimizer.store.database import Database
from optimizer.store.files import Folder, StoredFile
from optimizer.store.protocol import (
    AccountRecord,
    BatchRecord,
    Beside,
    Change,
    CreativeTables,
    CreativeTestRecord,
    Delivered,
    ExperimentRecord,
    ExportRecord,
    Grant,
    KeywordDays,
    NewExperiment,
    PlanRecord,
    ReviewTables,
    RunRecord,
    StepRecord,
    Tell,
    TokenRecord,
    nobody,
)
from optimizer.tables import SUGGESTIONS, Actor, Report, Role, check_table

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


class SqlStore:
    """Implements `protocol.Store`; `clock` stamps what it writes."""

    def __init__(self, folder: Folder, database: Database, clock: Clock = utc_now) -> None:
        self._folder = folder
        self._database = database
        self._clock = clock

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    # accounts and imports

    def accounts(self) -> list[AccountRecord]:
        """All accounts by name."""
        query = sa.select(schema.accounts).order_by(schema.accounts.c.name)
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [records.account_record(row) for row in rows]

    def account(self, name: str) -> AccountRecord:
        """One account. Raises `NotFound` listing those that exist."""
        with self._database.read() as connection:
            found = imports.find_account(connection, name)
        if found is None:
            known = [record.name for record in self.accounts()]
            raise NotFound("account_not_found", account=name, known=known)
        return found

    def find_batch(self, report: Report, account: str, as_of: date) -> BatchRecord | None:
        """The batch that a report is already; see `protocol.Store`."""
        return imports.find_batch(self._database, report, account, as_of)

    def append_report(
        self, report: Report, account: str, as_of: date, actor: Actor, tell: Tell = nobody
    ) -> BatchRecord:
        """Store one report; see `protocol.Store`."""
        return imports.append_report(
            self._database, self._folder, report, account, as_of, actor, self._clock(), tell
        )

    def batches(self, account: str) -> list[BatchRecord]:
        """Imported files, newest first."""
        table = schema.batches
        query = sa.select(table).where(table.c.account == account)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(table.c.sequence.desc())).mappings().all()
        return [records.batch_record(row) for row in rows]

    def quarantine(self, batch_id: str) -> pd.DataFrame:
        """Quarantined rows of a batch."""
        with self._database.read() as connection:
            return imports.read_quarantine(connection, batch_id)

    # history

    def review_tables(self, account: str, as_of: date, window_days: int) -> ReviewTables:
        """What was known on `as_of`; see `protocol.Store`."""
        record = self.account(account)
        with self._database.read() as connection:
            return reading.review_tables(connection, self._folder, record, as_of, window_days)

    def keyword_days(self, account: str, as_of: date, window_days: int) -> KeywordDays:
        """See `protocol.Store`."""
        name = self.account(account).name
        with self._database.read() as connection:
            return reading.keyword_days(connection, self._folder, name, as_of, window_days)

    def creative_tables(self, account: str, as_of: date, window_days: int) -> CreativeTables:
        """See `protocol.Store`."""
        name = self.account(account).name
        with self._database.read() as connection:
            return reading.creative_tables(connection, self._folder, name, as_of, window_days)

    def extra_counts(
        self,
        account: str,
        as_of: date,
        window_days: int,
        *,
        kind: Literal["keyword", "search_term"] = "keyword",
        entity_key: int | None = None,
    ) -> pd.DataFrame:
        """See `protocol.Store`."""
        name = self.account(account).name
        with self._database.read() as connection:
            return reading.extra_counts(
                connection, self._folder, name, as_of, window_days, kind, entity_key
            )

    def items(self, account: str, as_of: date) -> pd.DataFrame:
        """What item tables say; see `protocol.Store`."""
        return listings.items(self._list_files(account, as_of, "item"))

    def item_entries(self, account: str, as_of: date) -> pd.DataFrame:
        """Changes of items; see `protocol.Store`."""
        logs, tables = (self._list_files(account, as_of, kind) for kind in ("item_log", "item"))
        return listings.item_entries(logs, tables)

    def organic(self, account: str, as_of: date, window_days: int) -> pd.DataFrame:
        """Organic converting words; see `protocol.Store`."""
        since = as_of - timedelta(days=window_days)
        return listings.organic(self._list_files(account, as_of, "organic"), since)

    def _list_files(self, account: str, as_of: date, kind: str) -> list[listings.ListFile]:
        with self._database.read() as connection:
            return reading.list_files(connection, self._folder, account, as_of, kind)

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
        """Store a review; see `protocol.Store`."""
        check_table(suggestions, SUGGESTIONS)
        self.account(account)
        with self._folder.writing():
            return self._save_run(account, as_of, result, suggestions, frames, actor)

    def _save_run(
        self,
        account: str,
        as_of: date,
        result: Mapping[str, Any],
        rows: pd.DataFrame,
        frames: Mapping[str, pd.DataFrame],
        actor: Actor,
    ) -> RunRecord:
        with self._database.read() as connection:
            run_id, sequence = suggestions.next_run(connection, account, as_of)
        run = suggestions.new_record(run_id, account, as_of, result, actor, self._clock())
        with ThreadPoolExecutor(1) as beside:
            writing = beside.submit(suggestions.write_frames, self._folder, run_id, frames)
            try:
                self._insert_run(run, sequence, rows, frames, writing, actor)
            except BaseException:
                if writing.exception() is None:
                    self._folder.remove(writing.result().values())
                raise
        return run

    def _insert_run(
        self,
        run: RunRecord,
        sequence: int,
        rows: pd.DataFrame,
        frames: Mapping[str, pd.DataFrame],
        writing: Future[dict[str, StoredFile]],
        actor: Actor,
    ) -> None:
        """The run's rows while its files are being written; they are durable before the commit."""
        with self._database.write() as connection:
            suggestions.insert_run(connection, run, sequence)
            suggestions.replace_day(connection, run, rows)
            if "creative_shares" in frames:
                shares = frames["creative_shares"]
                creative_tests.save_shares(connection, run.account, run.as_of, shares)
            suggestions.list_files(connection, run, writing.result())
            entry = Entry("review", run.run_id, _counts(rows, run.as_of))
            self._log(connection, entry, run.account, actor)

    def update_run(
        self,
        run_id: str,
        result: Mapping[str, Any],
        suggestions: pd.DataFrame,
        actor: Actor,
        read: tuple[pd.DataFrame, int] | None = None,
    ) -> bool:
        """Store a re-solve; see `protocol.Store`."""
        check_table(suggestions, SUGGESTIONS)
        return self._update_run(run_id, result, suggestions, actor, read)

    def _update_run(
        self,
        run_id: str,
        result: Mapping[str, Any],
        rows: pd.DataFrame,
        actor: Actor,
        read: tuple[pd.DataFrame, int] | None,
    ) -> bool:
        with self._database.write() as connection:
            run = suggestions.run(connection, run_id)
            if suggestions.latest_run(connection, run.account, None).run_id != run_id:
                return False
            suggestions.set_summary(connection, run_id, result)
            known = None if read is None else changed.known_rows(connection, run, *read)
            moved = suggestions.replace_open(connection, run, rows, known)
            told = _counts(rows, run.as_of) | {changed.REWRITTEN: changed.named(moved)}
            self._log(connection, Entry(changed.RESOLVE, run_id, told), run.account, actor)
            return True

    def latest_run(self, account: str, as_of: date | None = None) -> RunRecord:
        """The newest review (of that day) without frames. Raises `NotFound`."""
        with self._database.read() as connection:
            return suggestions.latest_run(connection, account, as_of)

    def run(self, run_id: str) -> RunRecord:
        """One review; see `protocol.Store`."""
        with self._database.read() as connection:
            return suggestions.run(connection, run_id)

    def run_frames(self, run_id: str) -> dict[str, pd.DataFrame]:
        """The frames given to `save_run`."""
        with self._database.read() as connection:
            return suggestions.read_frames(connection, self._folder, run_id)

    def suggestions(
        self, account: str, *, as_of: date | None = None, ids: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Rows of the newest run (of that day), or those with `ids`.

        Rows that a re-solve dropped are listed only once a newer run took over.
        """
        with self._database.read() as connection:
            return suggestions.read(connection, account, as_of, ids)

    def approved(self, account: str, since: datetime | None = None) -> pd.DataFrame:
        """Approved suggestions not exported yet, of every review day; see `protocol.Store`."""
        with self._database.read() as connection:
            return suggestions.read_approved(connection, account, since)

    # decisions and exports

    def apply_changes(
        self,
        account: str,
        changes: Sequence[Change],
        actor: Actor,
        action: str,
        beside: Beside | None = None,
    ) -> None:
        """All or none of `changes`; see `protocol.Store`."""
        with self._database.write() as connection:
            at = self._clock()
            decisions.apply_changes(connection, account, changes, actor, action, at, beside)

    def propose_reverts(
        self,
        run_id: str,
        rows: pd.DataFrame,
        replaced: Mapping[str, str],
        seen: Mapping[str, str],
        actor: Actor,
    ) -> None:
        """Add what takes exports back to the newest review; see `protocol.Store`."""
        check_table(rows, SUGGESTIONS)
        with self._database.write() as connection:
            run = suggestions.run(connection, run_id)
            decisions.check_reverted(connection, run, replaced, seen)
            suggestions.propose_beside(connection, run, rows)
            entries = [Entry("revert", old, {"by": new}) for new, old in replaced.items()]
            audit.append(connection, entries, account=run.account, actor=actor, at=self._clock())

    def set_lock(
        self, account: str, entity_key: str, slot: str, locked: bool, actor: Actor
    ) -> None:
        """Lock or unlock a keyword's slot."""
        self.account(account)
        with self._database.write() as connection:
            decisions.set_lock(connection, account, entity_key, slot, locked, actor, self._clock())

    def holds(self, account: str, as_of: date) -> pd.DataFrame:
        """Decisions that bind a solve on `as_of`."""
        with self._database.read() as connection:
            return decisions.read_holds(connection, account, as_of)

    def find_export(self, account: str, export_id: str) -> ExportRecord | None:
        """The export with this key, if it was made before."""
        with self._database.read() as connection:
            return decisions.find_export(connection, account, export_id)

    def record_export(
        self,
        account: str,
        export_id: str,
        file_names: Sequence[str],
        rows: Sequence[tuple[str, int]],
        actor: Actor,
    ) -> ExportRecord:
        """Mark approved rows exported; see `protocol.Store`."""
        with self._database.write() as connection:
            return decisions.record_export(
                connection, account, export_id, file_names, rows, actor, self._clock()
            )

    def exports(self, account: str) -> list[ExportRecord]:
        """Exports, newest first."""
        with self._database.read() as connection:
            return decisions.read_exports(connection, account)

    # what became of exports

    def delivered(self, account: str) -> pd.DataFrame:
        """The newest exports and what is known of them since; see `protocol.Store`."""
        name = self.account(account).name
        with self._database.read() as connection:
            return deliveries.delivered(connection, name)

    def shown(self, account: str, since: date) -> pd.DataFrame:
        """What reports downloaded after `since` show; see `protocol.Store`."""
        with self._database.read() as connection:
            return deliveries.shown(connection, self._folder, account, since)

    def record_deliveries(self, account: str, told: Sequence[Delivered], actor: Actor) -> None:
        """Say what became of exports; see `protocol.Store`."""
        with self._database.write() as connection:
            deliveries.record(connection, account, told, actor, self._clock())

    # experiments

    def save_experiment(self, proposal: NewExperiment, actor: Actor) -> ExperimentRecord:
        """Store a proposed bid test; see `protocol.Store`."""
        self.account(proposal.account)
        with self._database.write() as connection:
            return experiments.save(connection, proposal, actor, self._clock())

    def experiment(self, account: str, experiment_id: str | None = None) -> ExperimentRecord | None:
        """The newest bid test that is not superseded, or the one with this id."""
        with self._database.read() as connection:
            return experiments.read(connection, account, experiment_id)

    def decide_experiment(
        self,
        account: str,
        ref: tuple[str, int],
        to_state: Literal["approved", "rejected"],
        reason: str | None,
        actor: Actor,
        beside: Beside | None = None,
    ) -> None:
        """Decide on a bid test as a whole; see `protocol.Store`."""
        with self._database.write() as connection:
            decisions.check_beside(connection, account, beside)
            experiments.decide(connection, account, ref, to_state, reason, actor, self._clock())

    def approved_experiments(self, account: str, since: datetime) -> list[ExperimentRecord]:
        """Bid tests approved from then on and under way."""
        with self._database.read() as connection:
            return experiments.approved_since(connection, account, since)

    def record_experiment_step(
        self,
        seen: ExperimentRecord,
        step: StepRecord,
        state: Literal["running", "finished", "stopped"],
        actor: Actor,
    ) -> None:
        """Mark a step exported; see `protocol.Store`."""
        with self._database.write() as connection:
            experiments.record_step(connection, seen, step, state, actor, self._clock())

    def randomised_bids(self, account: str, until: date) -> pd.DataFrame:
        """Bids that exported tests set at random."""
        with self._database.read() as connection:
            return experiments.randomised_bids(connection, account, until)

    # tests of creatives

    def creative_tests(self, account: str) -> list[CreativeTestRecord]:
        """The tests that were defined in the application, by name."""
        with self._database.read() as connection:
            return creative_tests.read(connection, account)

    def save_creative_test(
        self,
        account: str,
        definition: Mapping[str, Any],
        seen_version: int | None,
        actor: Actor,
        action: Literal["creative_test_define", "creative_test_edit", "creative_test_end"],
    ) -> CreativeTestRecord:
        """Store a definition with its audit row; see `protocol.Store`."""
        self.account(account)
        with self._database.write() as connection:
            return creative_tests.save(
                connection, account, definition, seen_version, actor, self._clock(), action
            )

    def creative_shares(self, account: str) -> pd.DataFrame:
        """What reviews planned to show; see `protocol.Store`."""
        with self._database.read() as connection:
            return creative_tests.read_shares(connection, account)

    # plans

    def plans(self, account: str) -> list[PlanRecord]:
        """Kept scenarios, newest first."""
        with self._database.read() as connection:
            return plans.read(connection, account)

    def save_plan(
        self,
        account: str,
        name: str,
        run_id: str,
        scenario: Mapping[str, Any],
        result: Mapping[str, Any],
        actor: Actor,
    ) -> PlanRecord:
        """Keep a scenario; see `protocol.Store`."""
        self.account(account)
        told = (account, name, run_id, scenario, result)
        with self._database.write() as connection:
            return plans.save(connection, *told, actor, self._clock())

    def delete_plan(self, account: str, name: str, actor: Actor) -> None:
        """Forget a scenario; see `protocol.Store`."""
        with self._database.write() as connection:
            plans.delete(connection, account, name, actor, self._clock())

    def adopt_plan(
        self,
        run_id: str,
        name: str,
        scenario: Mapping[str, Any],
        result: Mapping[str, Any],
        rows: pd.DataFrame,
        actor: Actor,
    ) -> None:
        """Store a re-solve at a plan's money; see `protocol.Store`."""
        check_table(rows, SUGGESTIONS)
        with self._database.write() as connection:
            run = suggestions.run(connection, run_id)
            suggestions.set_summary(connection, run_id, result)
            suggestions.replace_open(connection, run, rows)
            detail = {"run": run_id, "scenario": dict(scenario)} | _counts(rows, run.as_of)
            self._log(connection, Entry("plan_adopt", name, detail), run.account, actor)

    # named views

    def views(self, account: str, person: str) -> dict[str, str]:
        """Named filters of the queue; see `protocol.Store`."""
        with self._database.read() as connection:
            return views.read(connection, account, person)

    def save_view(self, account: str, person: str, name: str, query: str) -> None:
        """Keep filters under a name; see `protocol.Store`."""
        self.account(account)
        with self._database.write() as connection:
            views.save(connection, account, person, name, query)

    def delete_view(self, account: str, person: str, name: str) -> None:
        """Forget a name; see `protocol.Store`."""
        with self._database.write() as connection:
            views.delete(connection, account, person, name)

    # rights

    def grants(self, person: str | None = None) -> list[Grant]:
        """Roles of one person or of all, by person and account."""
        with self._database.read() as connection:
            return rights.grants(connection, person)

    def set_grant(self, person: str, account: str | None, role: Role | None, actor: Actor) -> None:
        """Give or take a role; see `protocol.Store`."""
        with self._database.write() as connection:
            rights.set_grant(connection, person, account, role, actor, self._clock())

    def tokens(self) -> list[TokenRecord]:
        """All tokens, revoked ones too, by name."""
        with self._database.read() as connection:
            return rights.tokens(connection)

    def find_token(self, digest: str) -> TokenRecord | None:
        """The token whose secret has this SHA-256, if any."""
        with self._database.read() as connection:
            return rights.find_token(connection, digest)

    def add_token(self, token: TokenRecord, digest: str, actor: Actor) -> None:
        """Let in who shows the secret; see `protocol.Store`."""
        with self._database.write() as connection:
            rights.add_token(connection, token, digest, actor)

    def revoke_token(self, name: str, actor: Actor) -> None:
        """Let nobody in by this token any more; see `protocol.Store`."""
        with self._database.write() as connection:
            rights.revoke_token(connection, name, actor, self._clock())

    # the store itself

    def refreshed(
        self, account: str, run_id: str, rows: pd.DataFrame, stamp: int
    ) -> pd.DataFrame | None:
        """Rows read before with what moved since; see `protocol.Store`."""
        with self._database.read() as connection:
            return changed.refreshed(connection, account, run_id, rows, stamp)

    def last_act(self, account: str) -> int:
        """Sequence of the account's newest audit row."""
        with self._database.read() as connection:
            return audit.last_of(connection, account)

    def audit(self, account: str | None = None, subject: str | None = None) -> pd.DataFrame:
        """Audit rows in order, of one account or of all; see `protocol.Store`."""
        with self._database.read() as connection:
            return audit.read(connection, account, subject)

    def verify_audit(self) -> list[Problem]:
        """The first broken link of the audit chain, if any."""
        with self._database.read() as connection:
            return audit.verify(connection)

    def check(self) -> list[Problem]:
        """Defects of the store itself: database integrity, audit chain, files."""
        with self._database.read() as connection:
            listed = soundness.listed(connection)
        files = soundness.file_problems(self._folder, listed)
        return [*self._database.integrity(), *self.verify_audit(), *files]

    def _log(self, connection: sa.Connection, entry: Entry, account: str, actor: Actor) -> None:
        audit.append(connection, [entry], account=account, actor=actor, at=self._clock())


def _counts(rows: pd.DataFrame, as_of: date) -> dict[str, Any]:
    return {"as_of": as_of, "suggestions": rows["kind"].value_counts().to_dict()}
