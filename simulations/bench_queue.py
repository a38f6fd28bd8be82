"""A queue of tens of thousands of suggestions in a real browser: how long each act of a person takes.

`python -m simulations.bench_queue [--keywords N] [--days N] [--times N] [--json] [--record]`

An account of `bench_review` is reviewed and served as `optimizer serve` does, and Debian's Chromium
does what a person does: open the page, change a filter, turn to the next page of the list and back,
open the evidence of a row, tick it, edit a bid until it is priced, approve it and ask what approving the
whole list would mean. `caught_up` is how long after an approval all other rows are solved again and the
page shows it. An act ends when its result is on screen and no run is under way; of `--times` turns the
median and the slowest are told, and the first page of a server that has just started on its own.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from simulations.bench_load import memory_mb, served
from simulations.bench_review import ACCOUNT, PHASES, prepare, run_phase

RECORD = Path(__file__).with_suffix(".json")
PATIENCE, TRIES, KEY_MS = 120_000, 6, 50
KEYWORD_X, WHY_X, NEW_BID_X, FIRST_ROW_Y = 150, 64, 430, 52
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
GRID = "[data-testid=data-grid-canvas]"


class Clock:
    """Seconds of each act by name; an act that failed does not count."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add what passes within the block to `name`."""
        began = time.perf_counter()
        yield
        self.seconds[name].append(time.perf_counter() - began)


def settled(page: Any) -> None:
    """No run is under way; a run that an act has just started shows within a moment."""
    page.wait_for_timeout(100)
    page.wait_for_selector(IDLE, timeout=PATIENCE)


def open_page(page: Any, address: str) -> None:
    """The queue with its grid, its evidence and its buttons."""
    page.goto(f"{address}/?tab=bids", timeout=PATIENCE)
    page.wait_for_selector(GRID, timeout=PATIENCE)
    page.get_by_role("button", name="Approve 0").wait_for(timeout=PATIENCE)
    settled(page)


def click(page: Any, x: int, row: int = 0) -> None:
    """A cell of the grid by its place."""
    box = page.locator(GRID).first.bounding_box()
    page.mouse.click(box["x"] + x, box["y"] + FIRST_ROW_Y + 35 * row)


def narrow(page: Any, label: str, clock: Clock) -> None:
    """Another tab of the list, and back to all of it."""
    for name, act in ((label, "filter"), ("Bids", "filter_back")):
        with clock.timed(act):
            page.get_by_test_id("stButtonGroup").get_by_role("radio", name=name).first.click()
            settled(page)


def turn(page: Any, clock: Clock) -> None:
    """To the second page of the list, and back."""
    for key, rows in (("n", "Rows 1,001–"), ("p", "Rows 1–")):
        with clock.timed("turn"):
            page.keyboard.press(key)
            page.get_by_text(rows).wait_for(timeout=PATIENCE)
            settled(page)


def evidence(page: Any, clock: Clock) -> None:
    """Why the first row is suggested, with its curve: the first plot that this browser draws."""
    with clock.timed("evidence"):
        click(page, WHY_X)
        page.locator(".js-plotly-plot").first.wait_for(timeout=PATIENCE)
        settled(page)


def tick(page: Any, clock: Clock) -> None:
    """The first row, by keyboard; again where a key came too soon after the one before."""
    from playwright.sync_api import Error

    ticked = page.get_by_role("button", name="Approve 1")
    for _ in range(TRIES):
        click(page, KEYWORD_X)
        page.keyboard.press("ArrowLeft", delay=KEY_MS)
        page.keyboard.press("ArrowLeft", delay=KEY_MS)
        with suppress(Error), clock.timed("tick"):
            page.keyboard.press("Enter")
            ticked.wait_for(timeout=PATIENCE / TRIES)
            settled(page)
            return
    raise SystemExit("no row could be ticked")


def edit(page: Any, bid: str, clock: Clock) -> None:
    """Another bid for the first row, from leaving its editor to its price in the bar.

    A page that draws its grid once more drops the cell in focus: then again.
    """
    from playwright.sync_api import Error

    editor = page.locator("#portal input, #portal textarea").first
    for _ in range(TRIES):
        click(page, NEW_BID_X)
        page.keyboard.press("Enter")
        with suppress(Error):
            editor.fill(bid, timeout=PATIENCE / TRIES)
            break
    with clock.timed("edit"):
        page.keyboard.press("Enter")
        page.get_by_text(re.compile(": cost .* and profit")).wait_for(timeout=PATIENCE)
        settled(page)


def approve(page: Any, clock: Clock) -> None:
    """The ticked row, until the page may be used again; and until its figures count the decision."""
    page.keyboard.press("Escape")
    with clock.timed("caught_up"):
        with clock.timed("approve"):
            page.keyboard.press("a")
            page.get_by_text("1 suggestion decided").wait_for(timeout=PATIENCE)
            settled(page)
        page.get_by_text("brought up to date").wait_for(state="detached", timeout=PATIENCE)
        settled(page)


def ask_for_all(page: Any, clock: Clock) -> None:
    """What approving everything shown would mean; nobody confirms it."""
    with clock.timed("ask_all"):
        page.keyboard.press("Shift+A")
        page.get_by_role("dialog").get_by_role("button", name=re.compile("^Approve")).wait_for(
            timeout=PATIENCE
        )
        settled(page)
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached", timeout=PATIENCE)
    settled(page)


def first_bid(page: Any) -> float:
    """The bid that the first row stands at now."""
    told = page.locator("#glide-cell-4-0").first.inner_text()
    return float(told.replace(",", ""))


def work(address: str, times: int) -> dict[str, list[float]]:
    """Seconds of each act, `times` over."""
    from playwright.sync_api import sync_playwright

    clock = Clock()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for turn in range(times + 1):
            page = browser.new_context(
                locale="en-US", viewport={"width": 1600, "height": 950}
            ).new_page()
            with clock.timed("page" if turn else "first_page"):
                open_page(page, address)
            if turn:
                _one_turn(page, clock)
            page.context.close()
        browser.close()
    return dict(clock.seconds)


def _one_turn(page: Any, clock: Clock) -> None:
    narrow(page, "Pauses", clock)
    ask_for_all(page, clock)
    turn(page, clock)
    evidence(page, clock)
    bid = f"{first_bid(page) * 1.04:.2f}"
    edit(page, bid, clock)
    tick(page, clock)
    approve(page, clock)


def review_store(folder: Path, keywords: int, days: int) -> None:
    """A reviewed account in `folder`/store with its settings in `folder`/configs."""
    prepare(folder)
    for phase in PHASES:
        run_phase(phase, folder, keywords, days)


def measure(folder: Path, times: int) -> dict[str, Any]:
    """The figures of one run on the store in `folder`."""
    listed = count(folder)
    with served(folder / "store", folder / "configs") as (address, pid):
        seconds = work(address, times)
        memory = memory_mb(pid)
    acts = {
        name: {"p50": float(np.median(all_)), "slowest": max(all_)}
        for name, all_ in seconds.items()
    }
    return {**listed, "acts": acts, "memory_mb": memory, "load_average": os.getloadavg()[1]}


def count(folder: Path) -> dict[str, int]:
    """How many suggestions there are, and how many of them ask for a decision."""
    from optimizer import workflows
    from optimizer.tables import Actor

    with workflows.open_workspace(folder / "store", folder / "configs") as workspace:
        rows = workflows.suggestions(workspace, ACCOUNT, Actor("bench", "admin"))
    return {"suggestions": len(rows), "to_decide": int(rows["kind"].ne("watch").sum())}


def show(result: Mapping[str, Any]) -> None:
    """The figures for people."""
    print(
        f"{result['suggestions']:,} suggestions, {result['to_decide']:,} of them to decide; "
        f"server {result['memory_mb']:,.0f} MB, load {result['load_average']:.1f}"
    )
    for name, told in result["acts"].items():
        print(f"{name:12s} {told['p50']:7.2f} s   slowest {told['slowest']:7.2f} s")


def main() -> None:
    """Make the account (or copy one made before) and work on it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keywords", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="store and configs made before, to copy")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    if shutil.which("chromium") is None:
        raise SystemExit("chromium is not installed (make browser)")
    with tempfile.TemporaryDirectory() as name:
        _prepare(Path(name), asked)
        result = {"command": _command(asked), **measure(Path(name), asked.times)}
    print(json.dumps(result, indent=1)) if asked.json else show(result)
    if asked.record:
        RECORD.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _prepare(folder: Path, asked: argparse.Namespace) -> None:
    if asked.folder is None:
        review_store(folder, asked.keywords, asked.days)
        return
    for part in ("store", "configs"):
        shutil.copytree(asked.folder / part, folder / part)


def _command(asked: argparse.Namespace) -> str:
    """What gives these figures again, wherever the store came from."""
    sizes = f"--keywords {asked.keywords} --days {asked.days} --times {asked.times}"
    return f"python -m simulations.bench_queue {sizes}"


if __name__ == "__main__":
    main()
