"""Who may reach the pages and the API at all: this machine only, unless people log in.

Whether people log in is said by the `[auth]` section of Streamlit's secrets, once for the life of the
server: taking it away later lets nobody in. The name in its `redirect_uri` is the one the pages are
asked for under; a request under any other, or from a page of another site, is refused.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from optimizer import workflows
from optimizer.errors import BadSettings, RefusedInput

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
_SECRET_LENGTH = 32
_OF_EVERY_PAGE = ("accounts", "latest_summary", "suggestions", "approve", "deliveries")


@dataclass(frozen=True)
class Reach:
    """`login`: people log in, so other machines may come. `public_name`: what they ask for."""

    login: bool
    public_name: str | None = None

    def knows(self, name: str | None) -> bool:
        """Whether a request for this host name is meant for us."""
        return name is not None and (name == self.public_name or is_loopback(name))


@cache
def reach() -> Reach:
    """What the secrets say when first asked. Raises `BadSettings` where they cannot be meant."""
    return reach_of(_auth_section())


def reach_of(auth: Mapping[str, Any]) -> Reach:
    """Who may come by these settings of the login. Raises `BadSettings`."""
    if not auth:
        return Reach(login=False)
    if len(str(auth.get("cookie_secret", ""))) < _SECRET_LENGTH:
        raise BadSettings("cookie_secret_short", shortest=_SECRET_LENGTH)
    address = urlsplit(str(auth.get("redirect_uri", "")))
    if not address.hostname or not address.path.endswith("/oauth2callback"):
        raise BadSettings("redirect_uri_invalid", redirect_uri=auth.get("redirect_uri"))
    if address.scheme != "https" and not is_loopback(address.hostname):
        raise BadSettings("redirect_uri_not_https", redirect_uri=auth["redirect_uri"])
    return Reach(login=True, public_name=address.hostname)


def _auth_section() -> Mapping[str, Any]:
    """`[auth]` of the secrets, empty where there are none; unreadable ones are not taken for none."""
    try:
        return st.secrets.get("auth", {}) if st.secrets.load_if_toml_exists() else {}
    except Exception as error:
        raise BadSettings("secrets_unreadable", why=str(error)) from error


def require_served_here(address: str | None, who: Reach) -> None:
    """Raise `RefusedInput` where other machines could come although nobody has to log in."""
    if not who.login and not is_loopback(address or "0.0.0.0"):
        raise RefusedInput("serve_not_loopback", address=address or "0.0.0.0")


def require_asked_here(
    hosts: Sequence[str], origins: Sequence[str], address: str | None, who: Reach
) -> None:
    """Raise `RefusedInput` for a page that is asked for under another name, from another site, or from
    a server that others can reach without a login."""
    require_served_here(address, who)
    if not _known(hosts, origins, who):
        raise RefusedInput("asked_elsewhere", host=", ".join(hosts))


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach the address."""
    if address == "localhost":
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Do not start where other machines could come in without a login."""
    require_served_here(st.get_option("server.address"), reach())
    # Whoever opens the first page need not wait for what every page imports.
    for name in _OF_EVERY_PAGE:
        getattr(workflows, name)
    yield


class Guard:
    """Refuses requests under other names (DNS rebinding), from other sites, or from other machines."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        if scope["type"] == "lifespan" or _meant_for_us(scope, reach()):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "refused"})
        else:
            await PlainTextResponse("refused", status_code=403)(scope, receive, send)


def _meant_for_us(scope: Scope, who: Reach) -> bool:
    client = scope.get("client")
    if not who.login and (client is None or not is_loopback(client[0])):
        return False
    return _known(_values(scope, b"host"), _values(scope, b"origin"), who)


def _known(hosts: Sequence[str], origins: Sequence[str], who: Reach) -> bool:
    """Whether a request with these headers is meant for us."""
    if len(hosts) != 1 or not who.knows(_name(f"//{hosts[0]}")):
        return False
    return all(who.knows(_name(origin)) for origin in origins)


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def middleware() -> list[Middleware]:
    """What stands before everything that is served."""
    return [Middleware(Guard)]
