"""The first schema: accounts, batches and their files, entities, runs, decisions, exports, audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_accounts")),
    )
    op.create_table(
        "audit",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_account_subject", "audit", ["account", "subject"], unique=False)
    op.create_table(
        "store_identity",
        sa.Column("store_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_store_identity")),
    )
    op.create_table(
        "batches",
        sa.Column("batch_id", sa.String(length=16), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("grain", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("imported_at", sa.DateTime(), nullable=False),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.Column("rows_changed", sa.BigInteger(), nullable=False),
        sa.Column("keys_missing", sa.BigInteger(), nullable=False),
        sa.Column("state_columns", sa.Text(), nullable=False),
        sa.Column("reconciliation", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.name"], name=op.f("fk_batches_account_accounts")
        ),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_batches")),
        sa.UniqueConstraint(
            "account", "sha256", "profile", name=op.f("uq_batches_account_sha256_profile")
        ),
        sa.UniqueConstraint("sequence", name=op.f("uq_batches_sequence")),
    )
    op.create_table(
        "entities",
        sa.Column("entity_key", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("platform_key", sa.Text(), nullable=True),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=True),
        sa.Column("campaign_name", sa.Text(), nullable=False),
        sa.Column("ad_group_id", sa.Text(), nullable=True),
        sa.Column("ad_group_name", sa.Text(), nullable=False),
        sa.Column("keyword_id", sa.Text(), nullable=True),
        sa.Column("keyword_text", sa.Text(), nullable=True),
        sa.Column("match_type", sa.Text(), nullable=True),
        sa.Column("target_type", sa.Text(), nullable=True),
        sa.Column("item_id", sa.Text(), nullable=True),
        sa.Column("search_term", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.name"], name=op.f("fk_entities_account_accounts")
        ),
        sa.PrimaryKeyConstraint("entity_key", name=op.f("pk_entities")),
        sa.UniqueConstraint(
            "account", "kind", "platform_key", name=op.f("uq_entities_account_kind_platform_key")
        ),
    )
    op.create_table(
        "exports",
        sa.Column("export_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("file_names", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.name"], name=op.f("fk_exports_account_accounts")
        ),
        sa.PrimaryKeyConstraint("export_id", "account", name=op.f("pk_exports")),
        sa.UniqueConstraint("sequence", name=op.f("uq_exports_sequence")),
    )
    op.create_table(
        "runs",
        sa.Column("run_id", sa.String(length=16), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.name"], name=op.f("fk_runs_account_accounts")
        ),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_runs")),
        sa.UniqueConstraint("sequence", name=op.f("uq_runs_sequence")),
    )
    op.create_index("ix_runs_account_as_of", "runs", ["account", "as_of"], unique=False)
    op.create_table(
        "history_files",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.String(length=16), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batches.batch_id"], name=op.f("fk_history_files_batch_id_batches")
        ),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_history_files")),
    )
    op.create_index(op.f("ix_history_files_batch_id"), "history_files", ["batch_id"], unique=False)
    op.create_table(
        "quarantine",
        sa.Column("batch_id", sa.String(length=16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("column", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batches.batch_id"], name=op.f("fk_quarantine_batch_id_batches")
        ),
        sa.PrimaryKeyConstraint("batch_id", "position", name=op.f("pk_quarantine")),
    )
    op.create_table(
        "run_files",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("run_id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_run_files_run_id_runs")),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_run_files")),
    )
    op.create_index(op.f("ix_run_files_run_id"), "run_files", ["run_id"], unique=False)
    op.create_table(
        "suggestions",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("run_id", sa.String(length=16), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("delivery", sa.Text(), nullable=False),
        sa.Column("approved_bid", sa.Double(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("export_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("entity_key", sa.Text(), nullable=False),
        sa.Column("linked_id", sa.Text(), nullable=True),
        sa.Column("campaign_id", sa.Text(), nullable=True),
        sa.Column("campaign_name", sa.Text(), nullable=False),
        sa.Column("ad_group_id", sa.Text(), nullable=True),
        sa.Column("ad_group_name", sa.Text(), nullable=False),
        sa.Column("keyword_id", sa.Text(), nullable=True),
        sa.Column("keyword_text", sa.Text(), nullable=False),
        sa.Column("match_type", sa.Text(), nullable=True),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("bid", sa.Double(), nullable=True),
        sa.Column("proposed_bid", sa.Double(), nullable=True),
        sa.Column("delta_clicks", sa.Double(), nullable=False),
        sa.Column("delta_cost", sa.Double(), nullable=False),
        sa.Column("delta_profit_mean", sa.Double(), nullable=False),
        sa.Column("delta_profit_low", sa.Double(), nullable=False),
        sa.Column("delta_profit_high", sa.Double(), nullable=False),
        sa.Column("p_positive", sa.Double(), nullable=True),
        sa.Column("marginal_return", sa.Double(), nullable=True),
        sa.Column("line", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("binding", sa.Text(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.name"], name=op.f("fk_suggestions_account_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.run_id"], name=op.f("fk_suggestions_run_id_runs")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestions")),
    )
    op.create_index(
        "ix_suggestions_account_as_of", "suggestions", ["account", "as_of"], unique=False
    )
    op.create_index(
        "ix_suggestions_account_decision", "suggestions", ["account", "decision"], unique=False
    )
    op.create_index(op.f("ix_suggestions_run_id"), "suggestions", ["run_id"], unique=False)
    op.create_table(
        "export_rows",
        sa.Column("export_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("suggestion_id", sa.String(length=16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("bid", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["export_id", "account"],
            ["exports.export_id", "exports.account"],
            name=op.f("fk_export_rows_export_id_account_exports"),
        ),
        sa.ForeignKeyConstraint(
            ["suggestion_id"],
            ["suggestions.id"],
            name=op.f("fk_export_rows_suggestion_id_suggestions"),
        ),
        sa.PrimaryKeyConstraint(
            "export_id", "account", "suggestion_id", name=op.f("pk_export_rows")
        ),
    )
    op.create_table(
        "holds",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("entity_key", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("suggestion_id", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.name"], name=op.f("fk_holds_account_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["suggestion_id"], ["suggestions.id"], name=op.f("fk_holds_suggestion_id_suggestions")
        ),
        sa.PrimaryKeyConstraint("account", "entity_key", "slot", "kind", name=op.f("pk_holds")),
    )
    op.create_index(op.f("ix_holds_suggestion_id"), "holds", ["suggestion_id"], unique=False)
    _guard_audit()


def _guard_audit() -> None:
    """Audit rows are added, never changed: the database itself refuses the rest."""
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{act.lower()} BEFORE {act} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'audit rows are append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
    )


def downgrade() -> None:
    raise NotImplementedError("the first schema has nothing before it")
