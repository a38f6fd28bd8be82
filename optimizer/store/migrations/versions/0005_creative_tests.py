"""Tests of creatives that are defined in the application, and the shares that reviews planned."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "creative_tests",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("defined_at", sa.DateTime(), nullable=False),
        sa.Column("defined_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.name"], name=op.f("fk_creative_tests_account_accounts")
        ),
        sa.PrimaryKeyConstraint("account", "name", name=op.f("pk_creative_tests")),
    )
    op.create_table(
        "creative_shares",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("test", sa.Text(), nullable=False),
        sa.Column("entity_key", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("asked", sa.Double(), nullable=False),
        sa.Column("suggestion_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.name"], name=op.f("fk_creative_shares_account_accounts")
        ),
        sa.PrimaryKeyConstraint(
            "account", "test", "entity_key", "as_of", name=op.f("pk_creative_shares")
        ),
    )


def downgrade() -> None:
    op.drop_table("creative_shares")
    op.drop_table("creative_tests")
