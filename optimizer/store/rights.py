"""Who may do what where: roles granted to people, and tokens of programs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from optimizer.errors import Conflict, NotFound
from optimizer.store import audit, schema
from optimizer.store.audit import Entry
from optimizer.store.protocol import Grant, TokenRecord
from optimizer.tables import Actor, Role

_G = schema.grants.c
_T = schema.tokens.c
_EVERY = ""
"""How "every account" is kept: a key has no null."""


def grants(connection: sa.Connection, person: str | None) -> list[Grant]:
    """Roles of one person or of all, by person and account."""
    query = sa.select(schema.grants).order_by(_G.person, _G.account)
    if person is not None:
        query = query.where(_G.person == person)
    return [Grant(**_named(row)) for row in connection.execute(query).mappings()]


def set_grant(
    connection: sa.Connection,
    person: str,
    account: str | None,
    role: Role | None,
    actor: Actor,
    at: datetime,
) -> None:
    """See `protocol.Store.set_grant`."""
    own = (_G.person == person) & (_G.account == (account or _EVERY))
    gone = connection.execute(sa.delete(schema.grants).where(own)).rowcount
    if role is None and not gone:
        raise NotFound("grant_unknown", person=person, account=account)
    if role is not None:
        values = {"person": person, "account": account or _EVERY, "role": role}
        row = values | {"granted_at": at, "granted_by": actor.name}
        connection.execute(sa.insert(schema.grants), [row])
    entry = Entry("grant" if role else "ungrant", person, {"role": role, "account": account})
    audit.append(connection, [entry], account=account, actor=actor, at=at)


def tokens(connection: sa.Connection) -> list[TokenRecord]:
    """All tokens, revoked ones too, by name."""
    query = sa.select(schema.tokens).order_by(_T.name)
    return [_token(row) for row in connection.execute(query).mappings()]


def find_token(connection: sa.Connection, digest: str) -> TokenRecord | None:
    """The token whose secret has this SHA-256."""
    query = sa.select(schema.tokens).where(_T.digest == digest)
    row = connection.execute(query).mappings().first()
    return None if row is None else _token(row)


def add_token(connection: sa.Connection, token: TokenRecord, digest: str, actor: Actor) -> None:
    """See `protocol.Store.add_token`."""
    if any(each.name == token.name for each in tokens(connection)):
        raise Conflict("token_name_taken", name=token.name)
    fields = ("name", "role", "created_at", "created_by", "expires_at", "revoked_at")
    row = {name: getattr(token, name) for name in fields}
    row |= {"account": token.account or _EVERY, "digest": digest}
    connection.execute(sa.insert(schema.tokens), [row])
    told = {"role": token.role, "account": token.account, "expires_at": token.expires_at}
    entry = Entry("add_token", token.name, told)
    audit.append(connection, [entry], account=token.account, actor=actor, at=token.created_at)


def revoke_token(connection: sa.Connection, name: str, actor: Actor, at: datetime) -> None:
    """See `protocol.Store.revoke_token`."""
    known = {each.name: each for each in tokens(connection)}.get(name)
    if known is None:
        raise NotFound("token_unknown", name=name)
    if known.revoked_at is not None:
        return
    connection.execute(sa.update(schema.tokens).where(_T.name == name).values(revoked_at=at))
    entry = Entry("revoke_token", name)
    audit.append(connection, [entry], account=known.account, actor=actor, at=at)


def _named(row: Mapping[Any, Any]) -> dict[str, Any]:
    """The row with None for every account."""
    return dict(row) | {"account": row["account"] or None}


def _token(row: Mapping[Any, Any]) -> TokenRecord:
    told = _named(row)
    del told["digest"]
    return TokenRecord(**told)
