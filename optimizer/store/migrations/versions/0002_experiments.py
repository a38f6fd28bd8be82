"""Bid tests: experiments, their members, weekly steps, and the steps that were exported."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "experiments",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("weeks", sa.Integer(), nullable=False),
        sa.Column("cost_mean", sa.Double(), nullable=False),
        sa.Column("cost_low", sa.Double(), nullable=False),
        sa.Column("cost_high", sa.Double(), nullable=False),
        sa.Column("extra_spend", sa.Double(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.name"], name=op.f("fk_experiments_account_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiments")),
    )
    op.create_index(op.f("ix_experiments_account"), "experiments", ["account"], unique=False)
    op.create_table(
        "experiment_members",
        sa.Column("experiment_id", sa.String(length=16), nullable=False),
        sa.Column("entity_key", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=True),
        sa.Column("campaign_name", sa.Text(), nullable=False),
        sa.Column("ad_group_id", sa.Text(), nullable=True),
        sa.Column("ad_group_name", sa.Text(), nullable=False),
        sa.Column("keyword_id", sa.Text(), nullable=True),
        sa.Column("keyword_text", sa.Text(), nullable=False),
        sa.Column("match_type", sa.Text(), nullable=True),
        sa.Column("base_bid", sa.Double(), nullable=False),
        sa.Column("clicks", sa.Double(), nullable=False),
        sa.Column("cost", sa.Double(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        _of_experiment("experiment_members"),
        sa.PrimaryKeyConstraint("experiment_id", "entity_key", name=op.f("pk_experiment_members")),
    )
    op.create_table(
        "experiment_steps",
        sa.Column("experiment_id", sa.String(length=16), nullable=False),
        sa.Column("entity_key", sa.Text(), nullable=False),
        sa.Column("week", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bid", sa.Double(), nullable=False),
        _of_experiment("experiment_steps"),
        sa.PrimaryKeyConstraint(
            "experiment_id", "entity_key", "week", name=op.f("pk_experiment_steps")
        ),
    )
    op.create_table(
        "experiment_exports",
        sa.Column("experiment_id", sa.String(length=16), nullable=False),
        sa.Column("week", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("export_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("file_names", sa.Text(), nullable=False),
        sa.Column("rows", sa.Text(), nullable=False),
        _of_experiment("experiment_exports"),
        sa.PrimaryKeyConstraint("experiment_id", "week", name=op.f("pk_experiment_exports")),
    )


def _of_experiment(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["experiment_id"],
        ["experiments.id"],
        name=op.f(f"fk_{table}_experiment_id_experiments"),
    )


def downgrade() -> None:
    for table in ("experiment_exports", "experiment_steps", "experiment_members", "experiments"):
        op.drop_table(table)
