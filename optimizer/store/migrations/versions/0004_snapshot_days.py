"""The same bytes of a list may be true again on another day: batches are told apart by it too.

SQLite cannot drop a constraint: its table is written anew. With foreign keys on, the rows that refer
to it are counted as astray when it is dropped and are found again as its rows come back, so the check
waits for the end of the transaction; a renamed table would never be found.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_KEY = ("account", "sha256", "profile")


def upgrade() -> None:
    _told_apart_by((*_KEY, "as_of"), instead_of=_KEY)


def downgrade() -> None:
    _told_apart_by(_KEY, instead_of=(*_KEY, "as_of"))


def _told_apart_by(key: tuple[str, ...], *, instead_of: tuple[str, ...]) -> None:
    if op.get_bind().dialect.name == "sqlite":
        _write_anew(key)
        return
    op.drop_constraint(_name(instead_of), "batches", type_="unique")
    op.create_unique_constraint(_name(key), "batches", list(key))


def _name(key: tuple[str, ...]) -> str:
    return f"uq_batches_{'_'.join(key)}"


def _write_anew(key: tuple[str, ...]) -> None:
    op.execute("PRAGMA defer_foreign_keys=ON")
    op.execute("CREATE TEMPORARY TABLE batches_before AS SELECT * FROM batches")
    op.drop_table("batches")
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
        sa.UniqueConstraint(*key, name=op.f(_name(key))),
        sa.UniqueConstraint("sequence", name=op.f("uq_batches_sequence")),
    )
    op.execute("INSERT INTO batches SELECT * FROM batches_before")
    op.execute("DROP TABLE temp.batches_before")
