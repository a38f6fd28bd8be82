"""Who is let in: the rights of a person who logged in, of a program with a token, and how to give both.

An administrator of one account gives rights on it; rights on every account need one of all.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from optimizer.errors import Forbidden, NotFound, RefusedInput
from optimizer.store.protocol import Grant, Store, TokenRecord
from optimizer.tables import ROLES, Actor, Role
from optimizer.workflows.values import plain_record
from optimizer.workflows.workspace import Workspace, checked_account_name

_PERSON = re.compile(r"[^\s@\x00-\x1f\x7f]{1,64}@[^\s@\x00-\x1f\x7f]{1,255}")
_TOKEN_NAME = re.compile(r"[a-z0-9][a-z0-9_.\-]{0,63}")
_SECRET_PREFIX = "opt_"
TOKEN_PREFIX = "token "
"""Begins the actor name of a program; no address has a blank."""


@dataclass(frozen=True)
class NewToken:
    """A token just made. `secret` is told this once: only its hash is kept."""

    token: TokenRecord
    secret: str

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return plain_record({**asdict(self.token), "secret": self.secret})


def person_actor(workspace: Workspace, email: str, until: float) -> Actor:
    """The person whom a login provider vouches for until then, with the rights granted here."""
    name = same_person(email)
    held = {grant.account: grant.role for grant in workspace.store.grants(name)}
    everywhere = held.pop(None, None)
    return Actor(name, everywhere, {a: role for a, role in held.items() if a is not None}, until)


def token_actor(workspace: Workspace, secret: str) -> Actor:
    """The program that shows this token. Raises `Forbidden` for one that is not or no longer valid."""
    token = workspace.store.find_token(_digest(secret))
    if token is None or token.revoked_at is not None:
        raise Forbidden("token_not_valid")
    if token.expires_at is not None and token.expires_at <= datetime.now(UTC):
        raise Forbidden("token_expired", name=token.name)
    name = f"{TOKEN_PREFIX}{token.name}"
    if token.account is None:
        return Actor(name, token.role)
    return Actor(name, None, {token.account: token.role})


def person_behind(store: Store, name: str, people: Mapping[str, str] | None = None) -> str:
    """Who stands behind an actor's name: a program acts for whoever made its token.

    People's names are the addresses their login vouches for. `people` says whose the names of this
    machine's users are: who is at a shell may have a login too, under another name.
    """
    made = {token.name: token.created_by for token in store.tokens()}
    seen: set[str] = set()
    while (token := name.removeprefix(TOKEN_PREFIX)) != name and token in made and name not in seen:
        seen.add(name)
        name = made[token]
    stated = (people or {}).get(name)
    return name if stated is None else same_person(stated)


def grants(workspace: Workspace, actor: Actor) -> list[Grant]:
    """Roles of people, on the accounts that the actor administers."""
    actor.require_anywhere("admin")
    return [each for each in workspace.store.grants() if actor.may("admin", each.account)]


def grant(
    workspace: Workspace, person: str, role: Role, actor: Actor, account: str | None = None
) -> Grant:
    """Give a person a role on an account (on every one), in place of the one held there."""
    actor.require("admin", account)
    name, role = same_person(person), _checked_role(role)
    workspace.store.set_grant(name, _checked(account), role, actor)
    return next(each for each in workspace.store.grants(name) if each.account == account)


def ungrant(workspace: Workspace, person: str, actor: Actor, account: str | None = None) -> None:
    """Take a person's role on an account (that on every one). Raises `NotFound` where there is none."""
    actor.require("admin", account)
    workspace.store.set_grant(same_person(person), account, None, actor)


def tokens(workspace: Workspace, actor: Actor) -> list[TokenRecord]:
    """Tokens of the accounts that the actor administers, revoked ones too."""
    actor.require_anywhere("admin")
    return [each for each in workspace.store.tokens() if actor.may("admin", each.account)]


def add_token(
    workspace: Workspace,
    name: str,
    role: Role,
    actor: Actor,
    account: str | None = None,
    days: int | None = None,
) -> NewToken:
    """Make a token for a program, valid for `days` or until it is revoked; its secret is told once."""
    actor.require("admin", account)
    if not _TOKEN_NAME.fullmatch(name):
        raise RefusedInput("token_name_invalid", name=name, allowed=_TOKEN_NAME.pattern)
    now = datetime.now(UTC)
    ends = None if days is None else now + timedelta(days=days)
    token = TokenRecord(name, _checked(account), _checked_role(role), now, actor.name, ends)
    secret = _SECRET_PREFIX + secrets.token_urlsafe(32)
    workspace.store.add_token(token, _digest(secret), actor)
    return NewToken(token, secret)


def revoke_token(workspace: Workspace, name: str, actor: Actor) -> TokenRecord:
    """Let nobody in by this token any more. Raises `NotFound`."""
    known = {each.name: each for each in tokens(workspace, actor)}
    if name not in known:
        raise NotFound("token_unknown", name=name)
    workspace.store.revoke_token(name, actor)
    return next(each for each in workspace.store.tokens() if each.name == name)


def same_person(email: str) -> str:
    """How one person's address is kept: ASCII letters in lower case, all others exactly as given.

    Lowering letters of other scripts would let one address pass for another's.
    """
    text = email.strip()
    if not _PERSON.fullmatch(text):
        raise RefusedInput("person_not_an_email", person=email)
    return text.lower() if text.isascii() else text


def _checked(account: str | None) -> str | None:
    return None if account is None else checked_account_name(account)


def _checked_role(role: str) -> Role:
    if role not in ROLES:
        raise RefusedInput("role_unknown", role=role, known=list(ROLES))
    return role


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
