"""Runs the revisions on the connection that `database.migrate` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from optimizer.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
