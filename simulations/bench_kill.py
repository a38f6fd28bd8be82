"""Kill imports at random moments and see whether whole batches or nothing remain.

`python -m simulations.bench_kill [--times 50] [--json]` does it on SQLite and on PostgreSQL. A child
imports one file after another; it is killed, the store is reopened (that is the recovery), the
rest is imported again, and the totals must equal those of a run that nobody disturbed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from optimizer.kept_rows import KeptRows
from optimizer.store import open_store
from optimizer.store.protocol import Store
from optimizer.tables import (
    KEYWORD_ROWS,
    QUARANTINE,
    Actor,
    Reconciliation,
    Report,
    empty_table,
)
from simulations.postgres import new_database, temporary_server

FILES = 4
KEYWORDS, DAYS = 2_000, 10
ACCOUNT = "shop"
START = date(2026, 1, 1)
ACTOR = Actor("bench", "admin")


@dataclass(frozen=True)
class Result:
    """What the kills of one database did; times in seconds."""

    database: str
    kills: int
    partial_batches: int
    lost_batches: int
    wrong_totals: int
    defects: int
    batches_found: dict[int, int]
    recovery_mean: float
    recovery_max: float


@dataclass(frozen=True)
class Kill:
    """One kill: batches acknowledged by the child and found afterwards, and what was wrong."""

    acknowledged: int
    found: int
    partial: bool
    wrong_totals: bool
    defects: int
    recovery: float


def report(number: int) -> Report:
    """File `number` of the account: ten days, overlapping the file before by five."""
    rng = np.random.default_rng(number)
    keywords, days = np.divmod(np.arange(KEYWORDS * DAYS), DAYS)
    first = pd.Timestamp(START + timedelta(days=5 * number)).as_unit("s")
    day = first + pd.to_timedelta(pd.Series(days), unit="D").dt.as_unit("s")
    clicks = rng.poisson(2.0, len(days))
    columns = {
        "first_day": day,
        "last_day": day,
        "campaign_name": "campaign " + pd.Series(keywords // 500).astype("str"),
        "ad_group_name": "group " + pd.Series(keywords // 50).astype("str"),
        "keyword_text": "keyword " + pd.Series(keywords).astype("str"),
        "target_type": "keyword",
        "impressions": clicks * 20,
        "clicks": clicks,
        "cost_micros": clicks * rng.integers(100_000, 900_000, len(days)),
        "conversions": rng.poisson(0.1, len(days)).astype("float64"),
        "source_row": np.arange(len(days)) + 2,
    }
    rows = empty_table(KEYWORD_ROWS).reindex(range(len(days))).assign(**columns)
    return Report(
        f"file{number}.csv",
        f"{number:064d}",
        "google_ads",
        "keyword_day",
        KeptRows.of(rows, KEYWORD_ROWS.columns),
        empty_table(QUARANTINE),
        _reconciliation(rows),
    )


def _reconciliation(rows: pd.DataFrame) -> Reconciliation:
    totals = {
        "impressions": float(rows["impressions"].sum()),
        "clicks": float(rows["clicks"].sum()),
        "cost": int(rows["cost_micros"].sum()) / 1e6,
        "conversions": float(rows["conversions"].sum()),
        "value": None,
    }
    return Reconciliation(
        "bench", len(rows), len(rows), {}, 0, totals, (), "USD", None, writable_bid_share=0.0
    )


def import_all(store: Store, *, acknowledge: bool = False) -> None:
    """Import every file in order; each finished one is acknowledged on standard output."""
    for number in range(FILES):
        store.append_report(report(number), ACCOUNT, _as_of(number), ACTOR)
        if acknowledge:
            print(number + 1, flush=True)


def _as_of(number: int) -> date:
    return START + timedelta(days=5 * number + DAYS)


def totals(store: Store) -> tuple[float, ...]:
    """Sums of the newest view, money to the micro."""
    daily = store.review_tables(ACCOUNT, _as_of(FILES), 365).daily
    return (*(round(float(daily[name].sum()), 6) for name in ("clicks", "cost")), len(daily))


def kill_once(folder: Path, url: str | None, delay: float, expected: tuple[float, ...]) -> Kill:
    """Import in a child, kill it `delay` seconds after it began to import, reopen, import the rest."""
    acknowledged = _imported_until_killed(folder, url, delay)
    started = time.perf_counter()
    store = open_store(folder, url)
    recovery = time.perf_counter() - started
    try:
        found = len(store.batches(ACCOUNT))
        defects = len(store.check())
        partial = _differs_from_whole_batches(store, found)
        import_all(store)
        wrong = totals(store) != expected or len(store.batches(ACCOUNT)) != FILES
    finally:
        store.close()
    return Kill(acknowledged, found, partial, wrong, defects, recovery)


def _imported_until_killed(folder: Path, url: str | None, delay: float) -> int:
    command = [sys.executable, "-m", "simulations.bench_kill", "--child", str(folder)]
    child = subprocess.Popen(
        command + ([url] if url else []),
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    )
    assert child.stdout is not None
    child.stdout.readline()  # it is about to import
    time.sleep(delay)
    child.send_signal(signal.SIGKILL)
    acknowledged = child.stdout.read().split()
    child.stdout.close()
    child.wait()
    return len(acknowledged)


def _differs_from_whole_batches(store: Store, found: int) -> bool:
    """Whether the newest view is anything but that of the first `found` files."""
    if found == 0:
        return bool(store.accounts())
    days = DAYS + 5 * (found - 1)
    daily = store.review_tables(ACCOUNT, _as_of(FILES), 365).daily
    kept = store.batches(ACCOUNT)
    changed = sum(batch.rows_changed for batch in kept)
    return len(daily) != KEYWORDS * days or changed < KEYWORDS * days


def undisturbed(url: str | None = None) -> tuple[tuple[float, ...], float]:
    """Totals and seconds of the import that nobody kills."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder), url)
        started = time.perf_counter()
        import_all(store)
        seconds = time.perf_counter() - started
        found = totals(store)
        store.close()
    return found, seconds


def kill_many(database: str, times: int, seed: int = 0) -> Result:
    """Kill `times` imports on "sqlite" or "postgresql"."""
    rng = random.Random(seed)
    with _urls(database) as url:
        expected, seconds = undisturbed(next(url))
        kills = []
        for _ in range(times):
            with tempfile.TemporaryDirectory() as folder:
                kills.append(
                    kill_once(Path(folder), next(url), rng.uniform(0, 1.3 * seconds), expected)
                )
    return _summary(database, kills)


@contextmanager
def _urls(database: str) -> Iterator[Iterator[str | None]]:
    if database == "sqlite":
        yield iter(lambda: None, "never")
        return
    with temporary_server() as server:
        yield iter(lambda: new_database(server), "never")


def _summary(database: str, kills: list[Kill]) -> Result:
    found = [kill.found for kill in kills]
    return Result(
        database=database,
        kills=len(kills),
        partial_batches=sum(kill.partial for kill in kills),
        lost_batches=sum(kill.acknowledged > kill.found for kill in kills),
        wrong_totals=sum(kill.wrong_totals for kill in kills),
        defects=sum(kill.defects for kill in kills),
        batches_found={number: found.count(number) for number in sorted(set(found))},
        recovery_mean=round(sum(kill.recovery for kill in kills) / len(kills), 3),
        recovery_max=round(max(kill.recovery for kill in kills), 3),
    )


def _child(folder: str, url: str | None) -> None:
    store = open_store(Path(folder), url)
    print("ready", flush=True)
    import_all(store, acknowledge=True)
    os.kill(os.getpid(), signal.SIGKILL)


def main(arguments: list[str] | None = None) -> int:
    """Print the figures; exit 1 when anything was partial, lost or wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=50, help="kills per database")
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        _child(options.child[0], options.child[1] if len(options.child) > 1 else None)
    results = [kill_many(database, options.times) for database in ("sqlite", "postgresql")]
    print(_as_text(results, options.json))
    wrong = [r.partial_batches + r.lost_batches + r.wrong_totals + r.defects for r in results]
    return int(any(wrong))


def _as_text(results: list[Result], as_json: bool) -> str:
    if as_json:
        return json.dumps([asdict(result) for result in results], indent=2)
    return "\n".join(
        f"{r.database}: {r.kills} kills, {r.partial_batches} partial, {r.lost_batches} lost, "
        f"{r.wrong_totals} wrong totals, {r.defects} defects, whole batches found "
        f"{r.batches_found}, recovery {r.recovery_mean} s (at most {r.recovery_max} s)"
        for r in results
    )


if __name__ == "__main__":
    sys.exit(main())
