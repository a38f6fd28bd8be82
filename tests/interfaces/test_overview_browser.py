"""Overview and settings in Debian's Chromium: addresses, accounts, markup, a server without its guard."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, expect, sync_playwright

from optimizer import workflows
from optimizer.interfaces.cli.serve_command import folders_environment
from tests.interfaces.conftest import AS_OF, OWNER
from tests.interfaces.test_browser import (
    CHROMIUM,
    PATIENCE,
    address,
    folder,
    free_port,
    settled,
    until,
    wait_until_up,
)
from tests.interfaces.test_contrast import contrast

__all__ = ["address", "folder"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (make browser)"),
]
ROUTER = Path(workflows.__file__).parents[1] / "interfaces" / "router.py"
MARKUP = "<img src=x onerror=alert(1)> **bold** :red[x] =1+1"


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def second(
    folder: Path, configs: Path, report_files: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> str:
    """Another account of the server's store, from a file whose name is markup."""
    named = tmp_path_factory.mktemp("named") / f"{MARKUP.replace('/', '')}.csv"
    named.write_bytes(report_files[0].read_bytes())
    with workflows.open_workspace(folder, configs) as workspace:
        workflows.import_files(workspace, [named], "other", as_of=AS_OF, actor=OWNER)
    return "other"


def test_account_and_choices_live_in_the_address(
    second: str, address: str, browser: Browser
) -> None:
    page = browser.new_context(locale="en-US").new_page()
    page.goto(f"{address}/overview?account=shop&days=7&amount=cost")
    expect(page.get_by_text("Why Cost moved")).to_be_visible(timeout=PATIENCE)
    settled(page)
    page.get_by_role("link", name="Settings & audit").click()
    expect(page.get_by_role("tab", name="Locks")).to_be_visible(timeout=PATIENCE)
    settled(page)
    assert "account=shop" in page.url
    page.goto(f"{address}/imports?account={second}")
    settled(page)
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_text("was not reviewed yet")).to_be_visible(timeout=PATIENCE)
    assert f"account={second}" in page.url


def test_file_name_with_markup_is_text(second: str, address: str, browser: Browser) -> None:
    page = browser.new_context(locale="en-US").new_page()
    dialogs: list[str] = []
    page.on("dialog", lambda each: (dialogs.append(each.message), each.dismiss()))
    for name in ("imports", "settings", "overview"):
        page.goto(f"{address}/{name}?account={second}")
        settled(page)
        assert page.locator("img[src=x]").count() == 0
    assert dialogs == []


def test_page_started_without_its_guard_serves_no_other_machine(
    store: Path, configs: Path, tmp_path: Path, browser: Browser
) -> None:
    port = free_port()
    options = ["--server.address=0.0.0.0", f"--server.port={port}", "--server.headless=true"]
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(ROUTER), *options],
            env=os.environ | folders_environment(store, configs),
            cwd=tmp_path,
            stdout=log,
            stderr=log,
        )
        try:
            wait_until_up(f"http://127.0.0.1:{port}", server)
            page = browser.new_context(locale="en-US").new_page()
            page.goto(f"http://127.0.0.1:{port}/overview")
            expect(page.get_by_test_id("stAlert")).to_be_visible(timeout=PATIENCE)
            settled(page)
            expect(page.get_by_test_id("stMetric")).to_have_count(0)
            expect(page.get_by_role("link", name="Suggestions")).to_have_count(0)
        finally:
            server.terminate()
            server.wait(30)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_on_the_main_button_can_be_read(
    scheme: Literal["light", "dark"], browser: Browser, address: str
) -> None:
    page = browser.new_context(color_scheme=scheme, locale="en-US").new_page()
    page.goto(f"{address}/imports")
    button = page.get_by_test_id("stBaseButton-primaryFormSubmit")
    expect(button).to_be_visible(timeout=PATIENCE)
    settled(page)
    until(page, lambda: contrast_of(button) >= 4.5)


def contrast_of(button: Locator) -> float:
    """Of its words as they are drawn now: a button that was just enabled still changes its colours."""
    told = button.evaluate(
        "it => [getComputedStyle(it).color, getComputedStyle(it).backgroundColor]"
    )
    text, ground = (f"#{bytes(map(int, re.findall(r'[0-9]+', each)[:3])).hex()}" for each in told)
    return contrast(text, ground)
