"""Tables of the state database; `migrations` creates them, and a test holds the two together.

Days are `Date`; moments are `Moment` (UTC). JSON is kept as canonical text, so that a hash of it
means the same on every database.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa


class Moment(sa.types.TypeDecorator[datetime]):
    """A UTC moment: aware in Python, without a zone in the database (SQLite has none to keep)."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Drop the zone after turning to UTC."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Say that it is UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

store_identity = sa.Table(
    "store_identity",
    metadata,
    sa.Column("store_id", sa.String(32), primary_key=True),
)
"""One row: the id that the history folder bears too, so that neither is used with another's."""

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("platform", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
)

batches = sa.Table(
    "batches",
    metadata,
    sa.Column("batch_id", sa.String(16), primary_key=True),
    sa.Column("account", sa.ForeignKey("accounts.name"), nullable=False),
    sa.Column("file_name", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("grain", sa.Text, nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False, unique=True),
    sa.Column("first_day", sa.Date),
    sa.Column("last_day", sa.Date),
    sa.Column("imported_at", Moment, nullable=False),
    sa.Column("imported_by", sa.Text, nullable=False),
    sa.Column("rows_changed", sa.BigInteger, nullable=False),
    sa.Column("keys_missing", sa.BigInteger, nullable=False),
    sa.Column("state_columns", sa.Text, nullable=False),
    sa.Column("reconciliation", sa.Text, nullable=False),
    sa.UniqueConstraint("account", "sha256", "profile", "as_of"),
)
"""`first_day..last_day` of the kept rows; `state_columns`: JSON list of those the file fills."""

history_files = sa.Table(
    "history_files",
    metadata,
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("batch_id", sa.ForeignKey("batches.batch_id"), nullable=False, index=True),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("first_day", sa.Date, nullable=False),
    sa.Column("last_day", sa.Date, nullable=False),
)
"""The manifest: a history file that is not listed here does not exist.

`content` is a grain (facts), `<grain>_seen` (keys that a file held unchanged), or
`keyword_state` / `search_term_state`.
"""

entities = sa.Table(
    "entities",
    metadata,
    sa.Column("entity_key", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("account", sa.ForeignKey("accounts.name"), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("platform_key", sa.Text),
    sa.Column("name_key", sa.Text, nullable=False),
    sa.Column("campaign_id", sa.Text),
    sa.Column("campaign_name", sa.Text, nullable=False),
    sa.Column("ad_group_id", sa.Text),
    sa.Column("ad_group_name", sa.Text, nullable=False),
    sa.Column("keyword_id", sa.Text),
    sa.Column("keyword_text", sa.Text),
    sa.Column("match_type", sa.Text),
    sa.Column("target_type", sa.Text),
    sa.Column("item_id", sa.Text),
    sa.Column("search_term", sa.Text),
    sa.UniqueConstraint("account", "kind", "platform_key"),
)
"""Keywords (`kind` keyword) and search terms (`kind` search_term) under the store's own key.

`platform_key` joins the platform's ids, `name_key` the normalised names (see `entities`).
"""

quarantine = sa.Table(
    "quarantine",
    metadata,
    sa.Column("batch_id", sa.ForeignKey("batches.batch_id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("line", sa.BigInteger, nullable=False),
    sa.Column("column", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("run_id", sa.String(16), primary_key=True),
    sa.Column("account", sa.ForeignKey("accounts.name"), nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False, unique=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Index("ix_runs_account_as_of", "account", "as_of"),
)

run_files = sa.Table(
    "run_files",
    metadata,
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("run_id", sa.ForeignKey("runs.run_id"), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
)
"""The frames of a run, by name; unlisted files under `runs/` do not exist either."""

suggestions = sa.Table(
    "suggestions",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("account", sa.ForeignKey("accounts.name"), nullable=False),
    sa.Column("run_id", sa.ForeignKey("runs.run_id"), nullable=False, index=True),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("decision", sa.Text, nullable=False),
    sa.Column("delivery", sa.Text, nullable=False),
    sa.Column("approved_bid", sa.Double),
    sa.Column("decided_by", sa.Text),
    sa.Column("decided_at", Moment),
    sa.Column("decision_reason", sa.Text),
    sa.Column("until", sa.Date),
    sa.Column("export_id", sa.Text),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("slot", sa.Text, nullable=False),
    sa.Column("entity_key", sa.Text, nullable=False),
    sa.Column("linked_id", sa.Text),
    sa.Column("campaign_id", sa.Text),
    sa.Column("campaign_name", sa.Text, nullable=False),
    sa.Column("ad_group_id", sa.Text),
    sa.Column("ad_group_name", sa.Text, nullable=False),
    sa.Column("keyword_id", sa.Text),
    sa.Column("keyword_text", sa.Text, nullable=False),
    sa.Column("match_type", sa.Text),
    sa.Column("segment", sa.Text, nullable=False),
    sa.Column("bid", sa.Double),
    sa.Column("proposed_bid", sa.Double),
    sa.Column("delta_clicks", sa.Double, nullable=False),
    sa.Column("delta_cost", sa.Double, nullable=False),
    sa.Column("delta_profit_mean", sa.Double, nullable=False),
    sa.Column("delta_profit_low", sa.Double, nullable=False),
    sa.Column("delta_profit_high", sa.Double, nullable=False),
    sa.Column("p_positive", sa.Double),
    sa.Column("marginal_return", sa.Double),
    sa.Column("line", sa.Double),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("binding", sa.Text),
    sa.Column("evidence", sa.Text, nullable=False),
    sa.Index("ix_suggestions_account_as_of", "account", "as_of"),
    sa.Index("ix_suggestions_account_decision", "account", "decision"),
)
"""Table SUGGESTIONS with its place (run, position), version, decision and delivery."""

holds = sa.Table(
    "holds",
    metadata,
    sa.Column("account", sa.ForeignKey("accounts.name"), primary_key=True),
    sa.Column("entity_key", sa.Text, primary_key=True),
    sa.Column("slot", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("until", sa.Date),
    sa.Column("suggestion_id", sa.ForeignKey("suggestions.id"), index=True),
)
"""Locks, rejections and snoozes: they outlive the suggestion they were said about."""

exports = sa.Table(
    "exports",
    metadata,
    sa.Column("export_id", sa.Text, primary_key=True),
    sa.Column("account", sa.ForeignKey("accounts.name"), primary_key=True),
    sa.Column("sequence", sa.Integer, nullable=False, unique=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("file_names", sa.Text, nullable=False),
)

export_rows = sa.Table(
    "export_rows",
    metadata,
    sa.Column("export_id", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("suggestion_id", sa.ForeignKey("suggestions.id"), primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("bid", sa.Double),
    sa.ForeignKeyConstraint(["export_id", "account"], ["exports.export_id", "exports.account"]),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("suggestion_id", sa.ForeignKey("suggestions.id"), primary_key=True),
    sa.Column("account", sa.ForeignKey("accounts.name"), nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("text", sa.Text),
    sa.Column("seen_value", sa.Double),
    sa.Column("seen_state", sa.Text),
    sa.Column("seen_on", sa.Date),
    sa.Column("batch_id", sa.ForeignKey("batches.batch_id")),
    sa.Column("file_name", sa.Text),
    sa.Column("told_at", Moment, nullable=False),
    sa.Column("told_by", sa.Text, nullable=False),
)
"""Why an exported suggestion's `delivery` is what it is: `code`, the platform's own `text`, and what
was seen where. `batch_id`: the report that shows it; `file_name`: the file that says it."""

experiments = sa.Table(
    "experiments",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("account", sa.ForeignKey("accounts.name"), nullable=False, index=True),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("last_day", sa.Date, nullable=False),
    sa.Column("weeks", sa.Integer, nullable=False),
    sa.Column("cost_mean", sa.Double, nullable=False),
    sa.Column("cost_low", sa.Double, nullable=False),
    sa.Column("cost_high", sa.Double, nullable=False),
    sa.Column("extra_spend", sa.Double, nullable=False),
    sa.Column("value", sa.Double, nullable=False),
    sa.Column("proposed_at", Moment, nullable=False),
    sa.Column("proposed_by", sa.Text, nullable=False),
    sa.Column("decided_at", Moment),
    sa.Column("decided_by", sa.Text),
    sa.Column("decision_reason", sa.Text),
)
"""One bid test each; `state` is proposed, approved, rejected, superseded, running, finished or stopped."""

experiment_members = sa.Table(
    "experiment_members",
    metadata,
    sa.Column("experiment_id", sa.ForeignKey("experiments.id"), primary_key=True),
    sa.Column("entity_key", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("arm", sa.Text, nullable=False),
    sa.Column("campaign_id", sa.Text),
    sa.Column("campaign_name", sa.Text, nullable=False),
    sa.Column("ad_group_id", sa.Text),
    sa.Column("ad_group_name", sa.Text, nullable=False),
    sa.Column("keyword_id", sa.Text),
    sa.Column("keyword_text", sa.Text, nullable=False),
    sa.Column("match_type", sa.Text),
    sa.Column("base_bid", sa.Double, nullable=False),
    sa.Column("clicks", sa.Double, nullable=False),
    sa.Column("cost", sa.Double, nullable=False),
    sa.Column("value", sa.Double, nullable=False),
)

experiment_steps = sa.Table(
    "experiment_steps",
    metadata,
    sa.Column("experiment_id", sa.ForeignKey("experiments.id"), primary_key=True),
    sa.Column("entity_key", sa.Text, primary_key=True),
    sa.Column("week", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("bid", sa.Double, nullable=False),
)

experiment_exports = sa.Table(
    "experiment_exports",
    metadata,
    sa.Column("experiment_id", sa.ForeignKey("experiments.id"), primary_key=True),
    sa.Column("week", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("export_id", sa.Text, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("file_names", sa.Text, nullable=False),
    sa.Column("rows", sa.Text, nullable=False),
)
"""Steps of a test that were written. `rows`: JSON list of each member's state and bid, as exported."""

creative_tests = sa.Table(
    "creative_tests",
    metadata,
    sa.Column("account", sa.ForeignKey("accounts.name"), primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("definition", sa.Text, nullable=False),
    sa.Column("defined_at", Moment, nullable=False),
    sa.Column("defined_by", sa.Text, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
)
"""Tests of creatives that somebody defined in the application. `definition`: JSON of `settings.CreativeTest`."""

creative_shares = sa.Table(
    "creative_shares",
    metadata,
    sa.Column("account", sa.ForeignKey("accounts.name"), primary_key=True),
    sa.Column("test", sa.Text, primary_key=True),
    sa.Column("entity_key", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("as_of", sa.Date, primary_key=True),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("share", sa.Double, nullable=False),
    sa.Column("asked", sa.Double, nullable=False),
    sa.Column("suggestion_id", sa.Text),
)
"""What a review planned for each creative of a test: its `share` of impressions, what its platform can
be `asked` for, and the suggestion that asks, null where nothing has to change."""

grants = sa.Table(
    "grants",
    metadata,
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("granted_at", Moment, nullable=False),
    sa.Column("granted_by", sa.Text, nullable=False),
)
"""Roles of people; an empty `account`: on every one. An account may be named before it exists."""

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("expires_at", Moment),
    sa.Column("revoked_at", Moment),
)
"""What programs show to be let in: `digest` is the SHA-256 of a random secret that nobody keeps."""

plans = sa.Table(
    "plans",
    metadata,
    sa.Column("plan_id", sa.String(16), primary_key=True),
    sa.Column("account", sa.ForeignKey("accounts.name"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("run_id", sa.ForeignKey("runs.run_id"), nullable=False),
    sa.Column("scenario", sa.Text, nullable=False),
    sa.Column("result", sa.Text, nullable=False),
    sa.Column("saved_at", Moment, nullable=False),
    sa.Column("saved_by", sa.Text, nullable=False),
    sa.UniqueConstraint("account", "name"),
)
"""Scenarios somebody kept, and what the plan of them was: both JSON, made from the run named."""

views = sa.Table(
    "views",
    metadata,
    sa.Column("account", sa.ForeignKey("accounts.name"), primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("query", sa.Text, nullable=False),
)
"""Filters of the queue that a person gave a name: `query` is the address's part after the `?`."""

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("account", sa.Text),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Index("ix_audit_account_subject", "account", "subject"),
)
"""Append-only (triggers refuse the rest); `hash` covers the row and the hash before it."""
