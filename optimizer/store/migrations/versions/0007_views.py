"""Named views of the suggestion queue, one person's on one account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "views",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.name"], name=op.f("fk_views_account_accounts")
        ),
        sa.PrimaryKeyConstraint("account", "person", "name", name=op.f("pk_views")),
    )


def downgrade() -> None:
    op.drop_table("views")
