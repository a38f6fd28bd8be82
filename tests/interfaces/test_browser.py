"""The queue in Debian's Chromium: by keyboard, as an operator does it, down to the database."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from optimizer import workflows
from optimizer.interfaces.cli.serve_command import folders_environment, server_command
from tests.interfaces.conftest import ACCOUNT, OWNER

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (make browser)"),
]
KEYWORD_COLUMN_X, FIRST_ROW_Y = 150, 52
PATIENCE = 90_000
"""Milliseconds; the first draw waits for compiled kernels on a busy machine."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_up(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert server.poll() is None, "the server stopped"
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health"):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server did not start")


@pytest.fixture
def address(store: Path, configs: Path, tmp_path: Path) -> Iterator[str]:
    port = free_port()
    environment = os.environ | folders_environment(store, configs)
    command = [*server_command("127.0.0.1", port), "--server.headless=true"]
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            wait_until_up(f"http://127.0.0.1:{port}", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(30)


@pytest.fixture
def browser_page(address: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(locale="en-US", viewport={"width": 1600, "height": 950})
        page = context.new_page()
        page.goto(f"{address}/?kind=lower")
        expect(page.get_by_test_id("stDataFrame")).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_role("button", name="Approve 0")).to_be_visible(timeout=PATIENCE)
        yield page
        browser.close()


def test_first_visit_of_a_page_by_its_address_is_no_unknown_page(address: str) -> None:
    """The first one that a server gets, before anybody opened the default page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(locale="en-US").new_page()
        page.goto(f"{address}/bulk_files")
        expect(page.get_by_role("link", name="Go to Suggestions")).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_role("dialog")).to_have_count(0)
        browser.close()


def tick_first_row(page: Page) -> str:
    """Go to the first row's tick by keyboard and press Enter; returns the row's keyword.

    A run of the page that is under way would draw the grid anew and drop the cell in focus.
    """
    app = page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=PATIENCE)
    box = page.get_by_test_id("data-grid-canvas").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + KEYWORD_COLUMN_X, box["y"] + FIRST_ROW_Y)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Approve 1")).to_be_enabled(timeout=PATIENCE)
    page.keyboard.press("Escape")
    return page.locator("#glide-cell-2-0").first.inner_text()


def decided(workspace: workflows.Workspace, decision: str) -> list[str]:
    rows = workflows.suggestions(workspace, ACCOUNT, OWNER)
    return rows.loc[rows["decision"] == decision, "keyword_text"].tolist()


def test_row_ticked_by_keyboard_is_approved_and_undone(
    browser_page: Page, workspace: workflows.Workspace
) -> None:
    keyword = tick_first_row(browser_page)
    browser_page.keyboard.press("a")
    expect(browser_page.get_by_text("1 suggestion decided")).to_be_visible(timeout=PATIENCE)
    assert decided(workspace, "approved") == [keyword]
    expect(browser_page.get_by_role("button", name="Undo 1")).to_be_enabled(timeout=PATIENCE)
    browser_page.keyboard.press("Control+z")
    expect(browser_page.get_by_role("button", name="Undo 0")).to_be_visible(timeout=PATIENCE)
    assert decided(workspace, "approved") == []
