"""Ten operators at once on a live server: how long an action takes, errors, memory.

`python -m simulations.bench_load [--minutes 1] [--operators 10] [--json] [--record]`

Each operator decides through the HTTP API (list, look at one suggestion, approve, reject) with a
second of thought between two acts, and one real Chromium looks at the queue page all the while, where
Chromium is installed. A decision waits a second for the re-solve of all other rows and is answered as
`pending` when that takes longer; `pending` tells how many were. The server is one process, as
`optimizer serve` starts it; its memory is read from the operating system every few seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

RECORD = Path(__file__).with_suffix(".json")
ACCOUNT = "demo"
THOUGHT = 1.0
"""Seconds between an answer and the operator's next act."""


@dataclass
class Tally:
    """Seconds of each act by name, and what went wrong; refused is an answer, not an error."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    refused: int = 0
    pending: int = 0
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, name: str, seconds: float, status: int, text: str, pending: bool = False) -> None:
        """One act, its HTTP status, and whether its re-solve was still to come."""
        with self.lock:
            self.seconds[name].append(seconds)
            self.refused += status in (409, 422)
            self.pending += pending
            if status >= 500 or status in (0, 401, 403, 404):
                self.errors.append(f"{name} {status} {text[:200]}")


def ask(address: str, secret: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and JSON of one request; status 0 where the server did not answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}/api/v1{path}", data)
    request.add_header("Authorization", f"Bearer {secret}")
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except OSError as error:
        return 0, str(error)


def operate(address: str, secret: str, seed: int, until: float, tally: Tally) -> None:
    """One operator: list, look, decide, think; then again."""
    chance = random.Random(seed)
    where = f"/accounts/{ACCOUNT}/suggestions"

    def act(name: str, path: str, body: Any = None) -> Any:
        began = time.perf_counter()
        status, told = ask(address, secret, path, body)
        pending = status == 200 and bool(told.get("pending"))
        tally.add(name, time.perf_counter() - began, status, str(told), pending)
        time.sleep(THOUGHT * chance.uniform(0.5, 1.5))
        return told if status == 200 else None

    while time.time() < until:
        told = act("list", f"{where}?decision=proposed&limit=50")
        rows = [row for row in (told or {}).get("suggestions", []) if row["kind"] != "watch"]
        if not rows:
            continue
        row = chance.choice(rows)
        act("look", f"{where}/{row['id']}")
        named = [{"id": row["id"], "version": row["version"]}]
        if chance.random() < 0.5:
            act("approve", f"{where}/approve", {"suggestions": named})
        else:
            act("reject", f"{where}/reject", {"suggestions": named, "reason": "load"})


def watch_page(address: str, until: float, tally: Tally) -> None:
    """A browser that ticks the first row of the queue and reads the page anew, over and over."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1600, "height": 950})
        idle = "[data-testid=stApp][data-test-script-state=notRunning]"
        while time.time() < until:
            began = time.perf_counter()
            page.goto(address, timeout=120_000)
            page.wait_for_selector("[data-testid=data-grid-canvas]", timeout=120_000)
            page.wait_for_selector(idle, timeout=120_000)
            tally.add("page", time.perf_counter() - began, 200, "")
            _tick(page, idle, tally)
            time.sleep(THOUGHT)
        browser.close()


def _tick(page: Any, idle: str, tally: Tally) -> None:
    box = page.get_by_test_id("data-grid-canvas").bounding_box()
    page.mouse.click(box["x"] + 150, box["y"] + 52)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    began = time.perf_counter()
    page.keyboard.press("Enter")
    page.wait_for_timeout(150)
    page.wait_for_selector(idle, timeout=120_000)
    tally.add("tick", time.perf_counter() - began, 200, "")


@contextmanager
def served(store: Path, configs: Path | None = None) -> Iterator[tuple[str, int]]:
    """A server on the store (and settings, else those shipped); its address and process id."""
    from optimizer.interfaces.cli.serve_command import folders_environment, server_command

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [*server_command("127.0.0.1", port), "--server.headless=true"]
    log = (store.parent / "server.log").open("wb")
    server = subprocess.Popen(
        command, env=os.environ | folders_environment(store, configs), stdout=log, stderr=log
    )
    address = f"http://127.0.0.1:{port}"
    try:
        while ask(address, "", "/health")[0] != 200:
            time.sleep(0.3)
        yield address, server.pid
    finally:
        server.terminate()
        server.wait(30)
        log.close()


def memory_mb(pid: int) -> float:
    """Resident memory of a process and its children."""
    return sum(_resident(each) for each in [pid, *_children(pid)])


def _children(pid: int) -> list[int]:
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(each) for each in path.read_text().split()]
    return found


def _resident(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def run(store: Path, operators: int, minutes: float) -> dict[str, Any]:
    """The figures of one run against a demonstration store."""
    from optimizer import workflows
    from optimizer.tables import Actor

    with workflows.open_workspace(store) as workspace:
        made = [
            workflows.add_token(
                workspace, f"load-{n}", "approver", Actor("bench", "admin"), ACCOUNT
            )
            for n in range(operators)
        ]
    tally = Tally()
    with served(store) as (address, pid):
        ask(address, made[0].secret, f"/accounts/{ACCOUNT}/suggestions")
        until = time.time() + 60 * minutes
        threads = [
            threading.Thread(target=operate, args=(address, token.secret, n, until, tally))
            for n, token in enumerate(made)
        ]
        if shutil.which("chromium"):
            threads.append(threading.Thread(target=watch_page, args=(address, until, tally)))
        for thread in threads:
            thread.start()
        memory = []
        while any(thread.is_alive() for thread in threads):
            memory.append(memory_mb(pid))
            time.sleep(3)
    with workflows.open_workspace(store) as workspace:
        sound = workflows.check(workspace, Actor("bench", "admin")).ok
    return figures(tally, memory, sound) | {"operators": operators, "minutes": minutes}


def figures(tally: Tally, memory: list[float], sound: bool) -> dict[str, Any]:
    """Percentiles per act, errors, and memory in the first and the last fifth of the run."""
    part = max(len(memory) // 5, 1)
    early, late = (float(np.median(each)) for each in (memory[part : 2 * part], memory[-part:]))
    acts = {
        name: {
            "count": len(each),
            "p50": float(np.percentile(each, 50)),
            "p95": float(np.percentile(each, 95)),
        }
        for name, each in sorted(tally.seconds.items())
    }
    every = [seconds for each in tally.seconds.values() for seconds in each]
    return {
        "acts": acts,
        "p95": float(np.percentile(every, 95)),
        "refused": tally.refused,
        "pending": tally.pending,
        "errors": tally.errors,
        "memory_mb": {"early": early, "late": late, "peak": max(memory)},
        "memory_growth": late / early - 1,
        "store_sound": sound,
        "load_average": os.getloadavg()[1],
    }


def show(result: dict[str, Any]) -> None:
    """The figures for people."""
    print(
        f"{result['operators']} operators, {result['minutes']} min; load {result['load_average']:.1f}"
    )
    for name, told in result["acts"].items():
        print(f"{name:8s}{told['count']:6d} × p50 {told['p50']:6.2f} s  p95 {told['p95']:6.2f} s")
    memory = result["memory_mb"]
    print(f"all acts p95 {result['p95']:.2f} s, {len(result['errors'])} errors, ", end="")
    print(
        f"{result['refused']} refused, {result['pending']} pending; store sound: {result['store_sound']}"
    )
    print(
        f"memory {memory['early']:.0f} → {memory['late']:.0f} MB ({result['memory_growth']:+.0%})"
    )


def main() -> None:
    """Make a demonstration store (or copy one) and put ten operators on it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--operators", type=int, default=10)
    parser.add_argument("--store", type=Path, help="a demonstration store to copy")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        store = Path(name) / "store"
        _prepare(store, asked.store)
        result = run(store, asked.operators, asked.minutes)
    result["command"] = _command(asked)
    print(json.dumps(result, indent=1)) if asked.json else show(result)
    if asked.record:
        RECORD.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _command(asked: argparse.Namespace) -> str:
    """What was asked for; of a copied store only that it was copied, not from where."""
    parts = [f"--minutes {asked.minutes:g}", f"--operators {asked.operators}"]
    parts += ["--store STORE"] if asked.store else []
    return " ".join(["python -m simulations.bench_load", *parts])


def _prepare(store: Path, known: Path | None) -> None:
    if known is not None:
        shutil.copytree(known, store)
        return
    from optimizer import workflows
    from optimizer.tables import Actor

    workflows.demo(store, None, Actor("bench", "admin"))


if __name__ == "__main__":
    main()
