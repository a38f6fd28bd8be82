"""Login and refusals at the real server: in Debian's Chromium, and as raw requests."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from optimizer import workflows
from optimizer.interfaces.cli.serve_command import folders_environment, server_command
from tests.interfaces.conftest import ACCOUNT, OWNER
from tests.interfaces.login_provider import CLIENT, Provider, provider
from tests.interfaces.test_browser import CHROMIUM, PATIENCE, free_port, wait_until_up

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (make browser)"),
]
SECRETS = """
[auth]
redirect_uri = "{address}/oauth2callback"
cookie_secret = "a secret of the tests, long enough to pass"
client_id = "{client}"
client_secret = "known to the provider only"
server_metadata_url = "{provider}/.well-known/openid-configuration"

[access]
contact = "boss@x.org"
"""


@contextmanager
def server(folder: Path, store: Path, configs: Path, port: int) -> Iterator[str]:
    """The page server, started from a folder whose secrets it finds."""
    environment = os.environ | folders_environment(store, configs)
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            server_command("127.0.0.1", port), cwd=folder, env=environment, stdout=log, stderr=log
        )
        try:
            wait_until_up(f"http://127.0.0.1:{port}", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    (folder / ".streamlit").mkdir(parents=True)
    return folder


@pytest.fixture
def chrome() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


def log_in(browser: Browser, address: str) -> Page:
    page = browser.new_context(locale="en-US").new_page()
    page.goto(address)
    page.get_by_role("button", name="Log in").click(timeout=PATIENCE)
    return page


def test_login_gives_what_was_granted_until_it_ends(
    home: Path, store: Path, configs: Path, workspace: workflows.Workspace, chrome: Browser
) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with provider() as known:
        told = SECRETS.format(address=address, client=CLIENT, provider=known.address)
        (home / ".streamlit" / "secrets.toml").write_text(told, encoding="utf-8")
        with server(home, store, configs, port):
            unknown_person_is_told_whom_to_ask(log_in(chrome, address), workspace)
            login_ends_with_its_token(chrome, address, known)


def unknown_person_is_told_whom_to_ask(page: Page, workspace: workflows.Workspace) -> None:
    expect(page.get_by_text("ada@x.org has no rights here")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("ask boss@x.org")).to_be_visible()
    expect(page.get_by_role("link", name="Imports")).to_have_count(0)
    workflows.grant(workspace, "ada@x.org", "viewer", OWNER, ACCOUNT)
    page.reload()
    expect(page.get_by_role("link", name="Imports")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("ada@x.org", exact=True)).to_be_visible(timeout=PATIENCE)


def login_ends_with_its_token(browser: Browser, address: str, known: Provider) -> None:
    """Streamlit's cookie lasts 30 days; the rights do not."""
    known.seconds = 2
    page = log_in(browser, address)
    ended = page.get_by_text("Your login has ended")
    inside = page.get_by_role("link", name="Imports")
    expect(inside.or_(ended)).to_be_visible(timeout=PATIENCE)
    page.wait_for_timeout(1000 * known.seconds)
    page.reload()
    expect(ended).to_be_visible(timeout=PATIENCE)
    expect(inside).to_have_count(0)


def status(port: int, path: str, *headers: str, method: str = "GET") -> int:
    """The status of a request sent byte by byte."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        line.sendall("\r\n".join([f"{method} {path} HTTP/1.1", *headers, "", ""]).encode())
        return int(line.recv(64).split()[1])


WEBSOCKET = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
)


def test_forged_host_or_origin_is_refused_by_pages_sockets_and_api(
    home: Path, store: Path, configs: Path
) -> None:
    port = free_port()
    own, evil = f"Host: 127.0.0.1:{port}", "Host: evil.example"
    foreign = "Origin: http://evil.example"
    with server(home, store, configs, port):
        for path in ("/", "/_stcore/health", "/api/v1/health"):
            assert status(port, path, own) == 200
            assert status(port, path, evil) == 403
            assert status(port, path, own, foreign) == 403
        stream = "/_stcore/stream"
        assert status(port, stream, own, *WEBSOCKET) == 101
        assert status(port, stream, evil, "Origin: http://evil.example", *WEBSOCKET) == 403
        assert status(port, stream, own, foreign, *WEBSOCKET) == 403
        assert status(port, "/_stcore/agent/interact", own) in (403, 404, 405)
        upload = "/_stcore/upload_file/session/file"
        assert status(port, upload, own, "Content-Length: 0", method="PUT") == 403


def test_server_told_to_let_others_in_does_not_start(store: Path, home: Path) -> None:
    """Whatever it was started by: the application itself looks at the address."""
    command = [*server_command("127.0.0.1", free_port()), "--server.address=0.0.0.0"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=120)
    assert done.returncode != 0
    assert "serve_not_loopback" in done.stdout + done.stderr
