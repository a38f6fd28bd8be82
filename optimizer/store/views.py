"""Named views of the queue: whoever names one sees it, nothing follows from it, so nothing is audited."""

from __future__ import annotations

import sqlalchemy as sa

from optimizer.store import schema

_TABLE = schema.views
_V = _TABLE.c


def read(connection: sa.Connection, account: str, person: str) -> dict[str, str]:
    """See `protocol.Store.views`."""
    own = sa.select(_V.name, _V.query).where(_V.account == account, _V.person == person)
    return {row.name: row.query for row in connection.execute(own.order_by(_V.name))}


def save(connection: sa.Connection, account: str, person: str, name: str, query: str) -> None:
    """See `protocol.Store.save_view`."""
    delete(connection, account, person, name)
    row = {"account": account, "person": person, "name": name, "query": query}
    connection.execute(sa.insert(_TABLE), [row])


def delete(connection: sa.Connection, account: str, person: str, name: str) -> None:
    """See `protocol.Store.delete_view`."""
    same = (_V.account == account) & (_V.person == person) & (_V.name == name)
    connection.execute(sa.delete(_TABLE).where(same))
