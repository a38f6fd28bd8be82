"""How long questions to a big history take, and in how much memory.

`python -m simulations.bench_history [--keywords N] [--days N] [--json] [--record]`

Two histories are asked. The long one has a row per keyword and day in a file per 30 days. The
restated one holds 90 days that 30 daily imports told again and again: each brings a new day and
changes a tenth of the rows of the 30 days before. Their files are made with the store's own schema
and layout, as imports would leave them, not by imports: thirty of those would take an hour. Each
question has a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from optimizer.store import history
from optimizer.store.history import HistoryFile, Window
from simulations.phases import run_phase

RECORD = Path(__file__).with_suffix(".json")
FIRST = date(2023, 1, 1)
DAYS_PER_FILE = 30
RESTATED_DAYS, IMPORTS, RESTATES, CHANGED = 90, 30, 30, 0.1
SCHEMA = history.FACTS["keyword"]


def write_long(folder: Path, keywords: int, days: int) -> dict[str, Any]:
    """A row per keyword and day, each known since the day after its file's last one."""
    rng = np.random.default_rng(0)
    rows = size = 0
    for sequence, start in enumerate(range(0, days, DAYS_PER_FILE), start=1):
        length = min(DAYS_PER_FILE, days - start)
        keys, offsets = np.divmod(np.arange(keywords * length), length)
        table = _facts(rng, keys + 1, start + offsets, start + length, sequence)
        size += _write(folder / "long", sequence, table)
        rows += table.num_rows
    return {"rows": rows, "mb": size / 1e6}


def write_restated(folder: Path, keywords: int, days: int) -> dict[str, Any]:
    """What 30 imports of 90 days leave: all days of the first, then a new day and what it restates."""
    rng = np.random.default_rng(1)
    rows = size = 0
    first = RESTATED_DAYS - IMPORTS + 1
    for sequence, known in enumerate(range(first, RESTATED_DAYS + 1), start=1):
        told = first if sequence == 1 else RESTATES + 1
        keys, offsets = np.divmod(np.arange(keywords * told), told)
        if sequence > 1:
            news = (offsets == told - 1) | (rng.random(len(keys)) < CHANGED)
            keys, offsets = keys[news], offsets[news]
        table = _facts(rng, keys + 1, known - told + offsets, known, sequence)
        size += _write(folder / "restated", sequence, table)
        rows += table.num_rows
    return {"rows": rows, "mb": size / 1e6}


def _facts(
    rng: np.random.Generator, keys: np.ndarray, days: np.ndarray, as_of: int, sequence: int
) -> pa.Table:
    count = len(keys)
    clicks = rng.poisson(2.0, count)
    start = np.datetime64(FIRST)
    known = {
        "entity_key": keys,
        "first_day": start + days,
        "last_day": start + days,
        "impressions": clicks * 20 + rng.integers(0, 50, count),
        "clicks": clicks,
        "cost_micros": clicks * rng.integers(30, 900, count) * 10_000,
        "conversions": rng.poisson(0.05 * clicks).astype("float64"),
        "value_micros": clicks * rng.integers(0, 2_000, count) * 10_000,
        "as_of": np.full(count, start + as_of),
        "sequence": np.full(count, sequence),
    }
    columns = [
        pa.array(known[each.name], each.type) if each.name in known else pa.nulls(count, each.type)
        for each in SCHEMA
    ]
    return pa.table(columns, schema=SCHEMA)


def _write(folder: Path, sequence: int, table: pa.Table) -> int:
    folder.mkdir(exist_ok=True)
    path = folder / f"{sequence:08d}.parquet"
    pq.write_table(table, path, compression="zstd")
    return path.stat().st_size


def _files(folder: Path) -> list[HistoryFile]:
    """The files with their span of days, as the manifest lists them."""
    found = []
    for path in sorted(folder.glob("*.parquet")):
        days = pq.read_table(path, columns=["last_day"])["last_day"].to_numpy()
        found.append(HistoryFile(path, days.min().item(), days.max().item()))
    return found


def _long(folder: Path, last: int | None, days: int) -> tuple[list[HistoryFile], Window]:
    """The files and the window of the last so many days of the long history."""
    end = FIRST + timedelta(days=days - 1)
    first = FIRST if last is None else end - timedelta(days=last - 1)
    inside = [file for file in _files(folder / "long") if file.last_day >= first]
    return inside, Window(first, end, end + timedelta(days=DAYS_PER_FILE))


def _restated(folder: Path, as_of: int) -> tuple[list[HistoryFile], Window]:
    day = FIRST + timedelta(days=as_of)
    return _files(folder / "restated"), Window(FIRST, day - timedelta(days=1), day)


def _told(found: pd.DataFrame) -> dict[str, float]:
    return {"result_rows": len(found), "clicks": float(found["clicks"].sum())}


def sums_of_all(folder: Path, keywords: int, days: int) -> Callable[[], dict[str, float]]:
    """Sums per keyword over the whole long history."""
    files, window = _long(folder, None, days)
    return lambda: _told(history.sums(files, window))


def sums_of_60_days(folder: Path, keywords: int, days: int) -> Callable[[], dict[str, float]]:
    """Sums per keyword over its last 60 days."""
    files, window = _long(folder, 60, days)
    return lambda: _told(history.sums(files, window))


def days_of_60_days(folder: Path, keywords: int, days: int) -> Callable[[], dict[str, float]]:
    """Every row of its last 60 days, as a review reads them."""
    files, window = _long(folder, 60, days)
    return lambda: _told(history.daily(files, [], window))


def one_keyword(folder: Path, keywords: int, days: int) -> Callable[[], dict[str, float]]:
    """All days of one keyword."""
    files, window = _long(folder, None, days)
    own = replace(window, entity_key=max(keywords // 2, 1))
    return lambda: _told(history.daily(files, [], own))


def restated_now(folder: Path, keywords: int, days: int) -> Callable[[], dict[str, float]]:
    """Every day of the restated history as known today."""
    files, window = _restated(folder, RESTATED_DAYS)
    return lambda: _told(history.daily(files, [], window))


def restated_then(folder: Path, keywords: int, days: int) -> Callable[[], dict[str, float]]:
    """The same as known 15 days ago."""
    files, window = _restated(folder, RESTATED_DAYS - 15)
    return lambda: _told(history.daily(files, [], window))


def restated_sums(folder: Path, keywords: int, days: int) -> Callable[[], dict[str, float]]:
    """Sums per keyword over the restated history as known today."""
    files, window = _restated(folder, RESTATED_DAYS)
    return lambda: _told(history.sums(files, window))


def restated_sums_then(folder: Path, keywords: int, days: int) -> Callable[[], dict[str, float]]:
    """The same sums as known 15 days ago."""
    files, window = _restated(folder, RESTATED_DAYS - 15)
    return lambda: _told(history.sums(files, window))


def triangle(folder: Path, keywords: int, days: int) -> Callable[[], dict[str, float]]:
    """The run-off triangle: sums per campaign and day as each import knew them."""
    files, window = _restated(folder, RESTATED_DAYS)
    keys = np.arange(1, keywords + 1)
    names = pd.Series("campaign " + pd.Series(keys // 1600).astype("str"))
    campaigns = pd.DataFrame({"entity_key": keys, "campaign_name": names})
    first = RESTATED_DAYS - IMPORTS + 1
    known = pd.DataFrame({"at": np.arange(first, RESTATED_DAYS + 1)})
    pairs = known.merge(pd.DataFrame({"on": np.arange(RESTATED_DAYS)}), how="cross")
    told = np.where(pairs["at"] == first, first, RESTATES + 1)
    pairs = pairs[(pairs["on"] < pairs["at"]) & (pairs["on"] >= pairs["at"] - told)]
    start = pd.Timestamp(FIRST).as_unit("s")
    days_of = {"day": pairs["on"], "as_of": pairs["at"]}
    coverage = pd.DataFrame(
        {
            name: start + pd.to_timedelta(at, unit="D").dt.as_unit("s")
            for name, at in days_of.items()
        }
    )
    return lambda: _told(history.versions(files, coverage, campaigns, window))


WRITERS = {"write_long": write_long, "write_restated": write_restated}
QUESTIONS = {
    "sums_of_all": sums_of_all,
    "sums_of_60_days": sums_of_60_days,
    "days_of_60_days": days_of_60_days,
    "one_keyword": one_keyword,
    "restated_now": restated_now,
    "restated_then": restated_then,
    "restated_sums": restated_sums,
    "restated_sums_then": restated_sums_then,
    "triangle": triangle,
}


def ask(name: str, folder: Path, keywords: int, days: int) -> dict[str, Any]:
    """One question: seconds of the first time and of the second, when files and session are warm."""
    question = QUESTIONS[name](folder, keywords, days)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    seconds, told = [], {}
    for _ in range(2):
        began, busy = time.perf_counter(), time.process_time()
        told = question()
        seconds.append((time.perf_counter() - began, time.process_time() - busy))
    return {
        "seconds": seconds[0][0],
        "cpu_seconds": seconds[0][1],
        "again_seconds": seconds[1][0],
        **told,
        "start_mb": before,
    }


def run(name: str, folder: Path, keywords: int, days: int) -> dict[str, Any]:
    """One phase by name."""
    if name in WRITERS:
        return WRITERS[name](folder, keywords, days)
    return ask(name, folder, keywords, days)


def show(result: dict[str, Any]) -> None:
    """The figures for people."""
    for name in WRITERS:
        made = result[name]
        print(f"{name:20s}{made['rows']:>13,} rows {made['mb']:7.0f} MB")
    for name in QUESTIONS:
        asked = result[name]
        print(
            f"{name:20s}{asked['seconds']:7.2f} s ({asked['cpu_seconds']:7.2f} of processors),"
            f" again {asked['again_seconds']:6.2f} s {asked['peak_mb']:7.0f} MB {asked['result_rows']:>11,} rows"
        )


def main() -> None:
    """Run all phases, or the one asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keywords", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=1_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--phase", choices=[*WRITERS, *QUESTIONS])
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    if asked.phase:
        figures = run(asked.phase, asked.folder, asked.keywords, asked.days)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(json.dumps({**figures, "peak_mb": peak}))
        return
    command = "python -m simulations.bench_history"
    command += f" --keywords {asked.keywords} --days {asked.days}"
    result: dict[str, Any] = {"command": command, "load_at_start": os.getloadavg()[0]}
    result |= {"keywords": asked.keywords, "days": asked.days}
    with tempfile.TemporaryDirectory() as name:
        for phase in (*WRITERS, *QUESTIONS):
            arguments = {"keywords": asked.keywords, "days": asked.days}
            result[phase] = run_phase("simulations.bench_history", phase, Path(name), arguments)
    result["load_at_end"] = os.getloadavg()[0]
    print(json.dumps(result, indent=1)) if asked.json else show(result)
    if asked.record:
        RECORD.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
