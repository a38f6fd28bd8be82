"""The pages in Debian's Chromium: a whole morning by keyboard, down to the database and back.

One server and one browser for all of it; every test begins from the rows that the ones before it left.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from optimizer import workflows
from optimizer.interfaces.cli.serve_command import folders_environment, server_command
from optimizer.tables import Actor
from tests.interfaces.conftest import ACCOUNT, OWNER

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (make browser)"),
]
KEYWORD_COLUMN_X, NEW_BID_X, FIRST_ROW_Y, ROW_HEIGHT = 150, 430, 52, 35
TRIES, PATIENCE = 4, 90_000
"""Milliseconds; the first draw waits for compiled kernels on a busy machine."""
SETTLED_LOOKS, LOOK_EVERY = 3, 100


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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, reviewed: Path) -> Path:
    """The store of this module's server."""
    copied = tmp_path_factory.mktemp("served") / "store"
    shutil.copytree(reviewed, copied)
    return copied


@pytest.fixture(scope="module")
def address(folder: Path, configs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    environment = os.environ | folders_environment(folder, configs)
    command = [*server_command("127.0.0.1", port), "--server.headless=true"]
    with (tmp_path_factory.mktemp("log") / "server.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            wait_until_up(f"http://127.0.0.1:{port}", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(30)


@pytest.fixture
def workspace(folder: Path, configs: Path) -> Iterator[workflows.Workspace]:
    with workflows.open_workspace(folder, configs) as opened:
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


def new_page(browser: Browser, address: str, path: str = "") -> Page:
    context = browser.new_context(locale="en-US", viewport={"width": 1600, "height": 950})
    page = context.new_page()
    page.goto(f"{address}/{path}")
    return page


def open_queue(browser: Browser, address: str, query: str = "kind=lower") -> Page:
    page = new_page(browser, address, f"?{query}")
    expect(page.get_by_test_id("stDataFrame")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("button", name="Approve 0")).to_be_visible(timeout=PATIENCE)
    return page


@pytest.fixture
def browser_page(browser: Browser, address: str) -> Iterator[Page]:
    page = open_queue(browser, address)
    yield page
    page.context.close()


def test_first_visit_of_a_page_by_its_address_is_no_unknown_page(
    browser: Browser, address: str
) -> None:
    """The first one that a server gets, before anybody opened the default page."""
    page = new_page(browser, address, "bulk_files")
    expect(page.get_by_role("link", name="Go to Suggestions")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.context.close()


def settled(page: Page) -> None:
    """Wait until no run is under way: it would draw the grid anew and drop the cell in focus.

    Between a run and the one that it asked for the page says for a moment that nothing runs.
    """
    app = page.get_by_test_id("stApp")
    for _ in range(SETTLED_LOOKS):
        expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=PATIENCE)
        page.wait_for_timeout(LOOK_EVERY)


def click_row(page: Page, row: int, x: int = KEYWORD_COLUMN_X) -> None:
    """Put a cell in focus; one that already was is left first, because a click would open it."""
    settled(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    box = page.get_by_test_id("data-grid-canvas").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + x, box["y"] + FIRST_ROW_Y + ROW_HEIGHT * row)


def keyword_at(page: Page, row: int) -> str:
    """The keyword of a row in the grid's accessible twin."""
    return page.locator(f"#glide-cell-2-{row}").first.inner_text()


def keywords_on_screen(page: Page) -> list[str]:
    """Those that the grid has drawn, in its order; none before it stands."""
    cells = page.get_by_test_id("stDataFrame").first.locator("[id^='glide-cell-2-']")
    return cells.all_inner_texts()


def tick_in_grid(page: Page, row: int = 0) -> None:
    """Go to a row's tick by keyboard and press Enter; the focus stays on it.

    On a busy machine a page may draw its grid once more and drop the cell in focus: then again.
    """
    ticked = page.get_by_role("button", name="Approve 1")
    for _ in range(TRIES):
        click_row(page, row)
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Enter")
        with suppress(PlaywrightError):
            ticked.wait_for(timeout=PATIENCE / TRIES)
            break
    expect(ticked).to_be_enabled(timeout=PATIENCE)


def tick_row(page: Page, row: int = 0) -> str:
    """Tick a row by keyboard and leave the grid; returns the row's keyword."""
    tick_in_grid(page, row)
    page.keyboard.press("Escape")
    return keyword_at(page, row)


def edit_row(page: Page, row: int, bid: str) -> None:
    """Type another bid into a row's cell, until the bar below has priced it.

    The keys go to the cell's editor once it stands: sooner, the grid keeps the last of them only.
    """
    editor = page.locator("#portal input, #portal textarea").first
    priced = page.get_by_text(re.compile(": cost .* and profit"))
    for _ in range(TRIES):
        click_row(page, row, NEW_BID_X)
        page.keyboard.press("Enter")
        with suppress(PlaywrightError):
            editor.fill(bid, timeout=PATIENCE / TRIES)
            page.wait_for_timeout(LOOK_EVERY)
            page.keyboard.press("Enter")
            priced.wait_for(timeout=PATIENCE / TRIES)
            break
    expect(priced).to_be_visible(timeout=PATIENCE)


def decided(workspace: workflows.Workspace, decision: str) -> list[str]:
    rows = workflows.suggestions(workspace, ACCOUNT, OWNER)
    return rows.loc[rows["decision"] == decision, "keyword_text"].tolist()


def test_row_ticked_by_keyboard_is_approved_and_undone(
    browser_page: Page, workspace: workflows.Workspace
) -> None:
    keyword = tick_row(browser_page)
    browser_page.keyboard.press("a")
    expect(browser_page.get_by_text("1 suggestion decided")).to_be_visible(timeout=PATIENCE)
    assert decided(workspace, "approved") == [keyword]
    expect(browser_page.get_by_role("button", name="Undo 1")).to_be_enabled(timeout=PATIENCE)
    browser_page.keyboard.press("Control+z")
    expect(browser_page.get_by_role("button", name="Undo 0")).to_be_visible(timeout=PATIENCE)
    assert decided(workspace, "approved") == []


def test_two_browsers_on_one_row_the_second_is_told_who_was_first(
    browser: Browser, address: str, workspace: workflows.Workspace
) -> None:
    first, second = open_queue(browser, address), open_queue(browser, address)
    keyword = tick_row(first)
    assert tick_row(second) == keyword
    first.keyboard.press("a")
    expect(first.get_by_text("1 suggestion decided")).to_be_visible(timeout=PATIENCE)
    second.keyboard.press("a")
    expect(second.get_by_role("button", name="Approve 0")).to_be_visible(timeout=PATIENCE)
    expect(second.get_by_test_id("stAlert").first).to_be_visible(timeout=PATIENCE)
    assert decided(workspace, "approved") == [keyword]
    undo_all(workspace)
    first.context.close()
    second.context.close()


def test_reload_in_the_middle_of_an_edit_decides_nothing(
    browser_page: Page, workspace: workflows.Workspace
) -> None:
    tick_row(browser_page, 1)
    browser_page.reload()
    expect(browser_page.get_by_role("button", name="Approve 0")).to_be_visible(timeout=PATIENCE)
    browser_page.keyboard.press("a")
    settled(browser_page)
    assert decided(workspace, "approved") == []
    assert tick_row(browser_page) == keyword_at(browser_page, 0)


def test_language_is_switched_with_the_filter_kept(browser_page: Page) -> None:
    box = browser_page.get_by_test_id("stSidebar").get_by_role("combobox").first
    box.click()
    browser_page.get_by_role("option", name="中文").click()
    expect(browser_page.get_by_role("button", name="采纳 0")).to_be_visible(timeout=PATIENCE)
    assert "kind=lower" in browser_page.url
    expect(browser_page.get_by_text("降价").first).to_be_visible(timeout=PATIENCE)


def test_twenty_rows_are_reviewed_by_keyboard_alone(
    browser: Browser,
    address: str,
    workspace: workflows.Workspace,
    record_property: Callable[..., None],
) -> None:
    """Down and Enter twenty times, Esc, A; how long it took is reported, not asserted."""
    browser_page = open_queue(browser, address, "tab=bids")
    began = time.perf_counter()
    tick_in_grid(browser_page)
    for number in range(2, 21):
        settled(browser_page)
        browser_page.keyboard.press("ArrowDown")
        browser_page.keyboard.press("Enter")
        expect(browser_page.get_by_role("button", name=f"Approve {number}")).to_be_enabled(
            timeout=PATIENCE
        )
    browser_page.keyboard.press("Escape")
    browser_page.keyboard.press("a")
    expect(browser_page.get_by_text("20 suggestions decided")).to_be_visible(timeout=PATIENCE)
    seconds = time.perf_counter() - began
    record_property("seconds", seconds)
    print(f"20 rows by keyboard in {seconds:.0f} s")
    assert len(decided(workspace, "approved")) == 20
    undo_all(workspace)
    browser_page.context.close()


def test_rows_that_move_under_ticks_in_the_browser_are_not_decided_for_others(
    browser_page: Page, workspace: workflows.Workspace
) -> None:
    """Another operator rejects the row above, then the ticked row itself; see test_wrong_row.py."""
    for stolen in (False, True):
        keyword = tick_row(browser_page, 2)
        above = keyword_at(browser_page, 0)
        reject_as_other(workspace, keyword if stolen else above)
        before = set(decided(workspace, "approved"))
        browser_page.keyboard.press("a")
        expect(browser_page.get_by_role("button", name="Approve 0")).to_be_visible(timeout=PATIENCE)
        expect(browser_page.get_by_test_id("stAlert").first).to_be_visible(timeout=PATIENCE)
        settled(browser_page)
        assert set(decided(workspace, "approved")) - before == (set() if stolen else {keyword})
    undo_all(workspace)


def test_a_whole_morning(
    browser: Browser,
    address: str,
    workspace: workflows.Workspace,
    report_files: list[Path],
    tmp_path: Path,
) -> None:
    """Import, review, filter, tick, edit, reject, approve, undo, approve again, export, download, import
    again: confirmed; then the export is taken back, and the next file holds the old bid."""
    page = new_page(browser, address, "imports")
    import_and_review(page, report_files[0])
    page.goto(f"{address}/?tab=bids&text=a")
    expect(page.get_by_role("button", name="Approve 0")).to_be_visible(timeout=PATIENCE)
    tick_row(page, 2)
    settled(page)
    page.keyboard.press("x")
    page.get_by_role("dialog").get_by_role("button", name="Reject").click(timeout=PATIENCE)
    expect(page.get_by_text("1 suggestion decided")).to_be_visible(timeout=PATIENCE)
    rejected = decided(workspace, "rejected")
    assert len(rejected) == 1
    kept = workflows.suggestions(workspace, ACCOUNT, OWNER).set_index("keyword_text")
    settled(page)
    keyword = keyword_at(page, 0)
    before = float(kept.loc[keyword, "bid"])
    bid = f"{before * 1.05:.2f}"
    approve_at(page, bid)
    until(page, lambda: decided(workspace, "approved") == [keyword])
    page.get_by_role("button", name="Undo 1").click(timeout=PATIENCE)
    until(page, lambda: decided(workspace, "approved") == [])
    assert decided(workspace, "rejected") == rejected
    # The rest was solved anew around it: its row may stand anywhere now.
    page.goto(f"{address}/?tab=bids&text={quote(keyword)}")
    until(page, lambda: keywords_on_screen(page)[:1] == [keyword])
    approve_at(page, bid)
    until(page, lambda: decided(workspace, "approved") == [keyword])
    rows = workflows.suggestions(workspace, ACCOUNT, OWNER).set_index("keyword_text")
    assert rows.loc[keyword, "approved_bid"] == float(bid)
    file = export_and_download(page, address, workspace, tmp_path)
    answer = tmp_path / "results.csv"
    answer.write_text(with_results(file.read_text(encoding="utf-8")), encoding="utf-8")
    page.goto(f"{address}/imports")
    upload(page, answer)
    found = workflows.deliveries(workspace, ACCOUNT, OWNER)
    assert dict(found.rows.set_index("keyword_text")["delivery"])[keyword] == "confirmed_live"
    page.goto(f"{address}/bulk_files")
    expect(page.get_by_role("button", name="Take back")).to_be_visible(timeout=PATIENCE)
    settled(page)
    page.get_by_role("button", name="Take back").click()
    page.get_by_role("button", name="Take back these changes").click(timeout=PATIENCE)
    expect(page.get_by_text("1 suggestion decided")).to_be_visible(timeout=PATIENCE)
    back = export_and_download(page, address, workspace, tmp_path).read_text(encoding="utf-8")
    (row,) = [one for one in csv.DictReader(io.StringIO(back)) if one["Keyword"] == keyword]
    assert float(row["Default max. CPC"]) == before
    page.context.close()


def approve_at(page: Page, bid: str) -> None:
    """Edit the first row's bid and approve it by keyboard."""
    edit_row(page, 0, bid)
    tick_row(page, 0)
    page.keyboard.press("a")


def until(page: Page, holds: Callable[[], bool]) -> None:
    """Wait until the store tells so and the page has drawn it: its messages are of earlier acts too."""
    for _ in range(PATIENCE // 100):
        if holds():
            settled(page)
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not come true")


def upload(page: Page, file: Path) -> None:
    page.locator("input[type=file]").first.set_input_files(file, timeout=PATIENCE)
    settled(page)
    page.get_by_test_id("stFormSubmitButton").get_by_role("button", name="Import").click()
    expect(page.get_by_text("1 file imported")).to_be_visible(timeout=PATIENCE)
    settled(page)


def import_and_review(page: Page, report: Path) -> None:
    upload(page, report)
    page.get_by_role("button", name="Review now").click()
    expect(page.get_by_text("The account was reviewed.")).to_be_visible(timeout=PATIENCE)


def export_and_download(
    page: Page, address: str, workspace: workflows.Workspace, folder: Path
) -> Path:
    def exports() -> list[str]:
        return [one.export_id for one in workflows.exports(workspace, ACCOUNT, OWNER)]

    page.goto(f"{address}/bulk_files")
    button = page.get_by_role("button", name="Export", exact=True)
    expect(button).to_be_enabled(timeout=PATIENCE)
    settled(page)
    earlier = exports()
    button.click()
    until(page, lambda: len(exports()) > len(earlier))
    (made,) = set(exports()) - set(earlier)
    link = page.get_by_role("button", name=re.compile(f"{made}_keywords"))
    expect(link).to_be_visible(timeout=PATIENCE)
    with page.expect_download() as got:
        link.click()
    target = folder / got.value.suggested_filename
    got.value.save_as(target)
    return target


def with_results(text: str) -> str:
    """The file as the platform gives it back: each row with what became of it."""
    rows = list(csv.reader(io.StringIO(text)))
    said = [[*rows[0], "Results"], *([*row, "Success"] for row in rows[1:])]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(said)
    return out.getvalue()


def reject_as_other(workspace: workflows.Workspace, keyword: str) -> None:
    rows = workflows.suggestions(workspace, ACCOUNT, OWNER)
    row = rows[rows["keyword_text"].eq(keyword) & rows["kind"].isin(["raise", "lower"])].iloc[0]
    ref = (str(row["id"]), int(row["version"]))
    workflows.reject(workspace, ACCOUNT, [ref], Actor("bob", "admin"), "stock")


def undo_all(workspace: workflows.Workspace) -> None:
    rows = workflows.suggestions(workspace, ACCOUNT, OWNER)
    rows = rows[rows["decision"].isin(["approved", "rejected"])]
    refs = list(zip(rows["id"].astype(str), rows["version"].astype(int), strict=True))
    workflows.undo(workspace, ACCOUNT, refs, OWNER)
