"""Who may reach the pages and the API at all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from optimizer.errors import BadSettings, Forbidden, RefusedInput
from optimizer.interfaces import serving
from optimizer.interfaces.serving import Guard, Reach, reach_of, require_served_here
from optimizer.interfaces.web import login
from optimizer.workflows import Workspace

AUTH = {"cookie_secret": "x" * 32, "redirect_uri": "https://bids.example.org/oauth2callback"}
LOCAL, PUBLIC = Reach(login=False), Reach(login=True, public_name="bids.example.org")


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    serving.reach.cache_clear()
    yield
    serving.reach.cache_clear()


def asked(
    monkeypatch: pytest.MonkeyPatch, who: Reach, client: str | None, *headers: tuple[str, str],
    kind: str = "http",
) -> Any:  # fmt: skip
    """What comes out of the guard: `passed`, or the first message it answers with."""
    monkeypatch.setattr(serving, "reach", lambda: who)
    heard: list[Any] = []

    async def inner(_scope: Any, _receive: Any, _send: Any) -> None:
        heard.append("passed")

    async def send(message: Any) -> None:
        heard.append(message.get("status") or message.get("code"))

    raw = [(name.encode(), value.encode()) for name, value in headers]
    scope = {"type": kind, "client": (client, 1) if client else None, "headers": raw}
    asyncio.run(Guard(inner)(scope, None, send))  # type: ignore[arg-type]
    return heard[0]


@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1", "[::1]:8501"])
def test_this_machine_is_served_under_its_own_names(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    assert asked(monkeypatch, LOCAL, "127.0.0.1", ("host", host)) == "passed"


@pytest.mark.parametrize(
    "headers",
    [
        [("host", "evil.example")],
        [("host", "localhost"), ("origin", "http://evil.example")],
        [("host", "localhost"), ("origin", "null")],
        [("host", "localhost"), ("host", "evil.example")],
        [("host", "localhost.evil.example")],
        [("host", "http://[")],
        [],
    ],
)
@pytest.mark.parametrize(("kind", "refusal"), [("http", 403), ("websocket", 1008)])
def test_other_names_and_other_sites_are_refused(
    monkeypatch: pytest.MonkeyPatch, headers: list[tuple[str, str]], kind: str, refusal: int
) -> None:
    for who in (LOCAL, PUBLIC):
        assert asked(monkeypatch, who, "127.0.0.1", *headers, kind=kind) == refusal


@pytest.mark.parametrize("client", ["10.0.0.5", "testclient", None])
def test_other_machines_come_only_where_people_log_in(
    monkeypatch: pytest.MonkeyPatch, client: str | None
) -> None:
    assert asked(monkeypatch, LOCAL, client, ("host", "localhost")) == 403
    own = ("host", "bids.example.org"), ("origin", "https://bids.example.org")
    assert asked(monkeypatch, PUBLIC, client, *own) == "passed"


def test_only_a_login_opens_other_addresses() -> None:
    require_served_here("0.0.0.0", PUBLIC)
    require_served_here("::1", LOCAL)
    for address in ("0.0.0.0", "::", "192.168.1.4", "bids.example.org", None, ""):
        with pytest.raises(RefusedInput, match="serve_not_loopback"):
            require_served_here(address, LOCAL)


def test_login_settings_say_the_public_name() -> None:
    assert reach_of({}) == LOCAL
    assert reach_of(AUTH) == PUBLIC


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"cookie_secret": "short"}, "cookie_secret_short"),
        ({"redirect_uri": "https://bids.example.org/"}, "redirect_uri_invalid"),
        ({"redirect_uri": ""}, "redirect_uri_invalid"),
        ({"redirect_uri": "http://bids.example.org/oauth2callback"}, "redirect_uri_not_https"),
    ],
)
def test_login_that_others_could_take_over_is_refused(change: dict[str, str], code: str) -> None:
    with pytest.raises(BadSettings, match=code):
        reach_of(AUTH | change)


CLAIMS = {"is_logged_in": True, "email": "Ada@x.org", "email_verified": True, "exp": 4e9}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"is_logged_in": False}, "login_needed"),
        ({"email": None}, "login_without_email"),
        ({"email_verified": False}, "login_without_email"),
        ({"email_verified": None}, "login_without_email"),
        ({"exp": None}, "login_expired"),
    ],
)
def test_claims_that_prove_nothing_let_nobody_in(
    workspace: Workspace, change: dict[str, Any], code: str
) -> None:
    with pytest.raises(Forbidden, match=code):
        login.logged_in(workspace, CLAIMS | change)


def test_person_who_logged_in_acts_until_the_token_ends(workspace: Workspace) -> None:
    actor = login.logged_in(workspace, CLAIMS)
    assert (actor.name, actor.role, actor.until) == ("ada@x.org", None, 4e9)
