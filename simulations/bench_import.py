"""How long a big report takes to become a history that answers, beside pandas reading the same file.

`python -m simulations.bench_import [--rows N] [--xlsx N] [--seed S] [--json] [--record]`

The file is a keyword report as Google Ads writes it: 29 columns, two lines above the header, quoted
thousands, `--`, `< 10%`, cells that no reader of ours asks for. It is imported into a fresh store;
the clock stops when the sums of every keyword have been read back. pandas' `read_csv` gets the same
file right after. Each phase has a process of its own, so that its peak memory is its own; starting
Python and importing modules is in no figure but the memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from simulations.phases import run_phase

RECORD = Path(__file__).with_suffix(".json")
MODULE = "simulations.bench_import"
AS_OF = date(2026, 10, 31)
ACCOUNT = "big"
SETTINGS = "currency: CNY\nplatform: google_ads\nmargin: 0.45\n"
MOST_DAYS = 60
COLUMNS = {
    "Keyword status": "'Enabled'",
    "Keyword": "'running shoes model ' || i",
    "Match type": "['Exact match', 'Phrase match', 'Broad match'][1 + i % 3]",
    "Day": "day",
    "Campaign ID": "100000 + i // 1600",
    "Campaign": "'Campaign ' || i // 1600",
    "Campaign status": "'Enabled'",
    "Ad group ID": "5000000 + i // 40",
    "Ad group": "'Ad group ' || i // 40",
    "Ad group status": "'Enabled'",
    "Keyword ID": "70000000 + i",
    "Status": "'Eligible'",
    "Status reasons": "''",
    "Currency code": "'CNY'",
    "Budget": "'500.00'",
    "Max. CPC": "printf('%.2f', 1 + (i % 300) / 100.0)",
    "Est. first page bid": "printf('%.2f', 0.5 + (i % 100) / 100.0)",
    "Quality Score": "1 + i % 10",
    "Search impr. share": "if(h % 7 = 0, '< 10%', printf('%.2f%%', 10 + h % 8000 / 100.0))",
    "Search lost IS (budget)": "'0.00%'",
    "Impr.": "if(shown < 1000, CAST(shown AS VARCHAR),"
    " printf('%d,%03d', shown // 1000, shown % 1000))",
    "Clicks": "clicks",
    "CTR": "printf('%.2f%%', 100.0 * clicks / shown)",
    "Avg. CPC": "if(clicks > 0, printf('%.2f', cents / 100.0 / clicks), '--')",
    "Cost": "printf('%.2f', cents / 100.0)",
    "Conversions": "printf('%.2f', orders)",
    "Conv. rate": "if(clicks > 0, printf('%.2f%%', 100.0 * orders / clicks), '--')",
    "Cost / conv.": "if(orders > 0, printf('%.2f', cents / 100.0 / orders), '--')",
    "Conv. value": "printf('%.2f', orders * 98.5)",
}


def rows_sql(rows: int, seed: int) -> str:
    """SELECT of so many rows: each keyword on up to 60 days, day by day."""
    days = min(MOST_DAYS, rows)
    keywords = -(-rows // days)
    told = ", ".join(f'{sql} AS "{name}"' for name, sql in COLUMNS.items())
    # Nearly half of the rows have a thousand impressions or more, one in ten an order.
    return f"""
        WITH days AS (SELECT x // {keywords} AS d, x % {keywords} AS i FROM range({rows}) t(x)),
        hashed AS (SELECT i, DATE '{AS_OF - timedelta(days=days)}' + CAST(d AS INTEGER) AS day,
                          hash(i, d, {seed}) AS h FROM days),
        drawn AS (SELECT *, 20 + CAST(h % 1980 AS INTEGER) AS shown,
                         CAST(h // 2000 % 20 AS INTEGER) AS clicks FROM hashed),
        paid AS (SELECT *, clicks * (30 + CAST(h // 40000 % 300 AS INTEGER)) AS cents,
                        CAST(if(h // 12000000 % 10 = 0, least(clicks, 1), 0) AS DOUBLE) AS orders
                 FROM drawn)
        SELECT {told} FROM paid
    """


def write_csv(folder: Path, rows: int, seed: int) -> dict[str, Any]:
    """The report as a CSV file."""
    body, path = folder / "body.csv", folder / "report.csv"
    with duckdb.connect(config={"memory_limit": "1GB", "temp_directory": str(folder)}) as db:
        db.execute(f"COPY ({rows_sql(rows, seed)}) TO '{body}' (HEADER true, DELIMITER ',')")
    with path.open("wb") as file, body.open("rb") as lines:
        file.write(b'Search keyword report\n"September 1, 2026 - October 30, 2026"\n')
        shutil.copyfileobj(lines, file, 1 << 24)
    body.unlink()
    return {"file_mb": path.stat().st_size / 1e6}


def write_xlsx(folder: Path, rows: int, seed: int) -> dict[str, Any]:
    """The report as a workbook, with the numbers as numbers where the cell is one."""
    import xlsxwriter

    path = folder / "report.xlsx"
    options = {"constant_memory": True, "strings_to_numbers": True}
    with duckdb.connect() as db, xlsxwriter.Workbook(path, options) as book:
        sheet = book.add_worksheet("Search keyword report")
        sheet.write_row(0, 0, ["Search keyword report"])
        sheet.write_row(1, 0, ["September 1, 2026 - October 30, 2026"])
        sheet.write_row(2, 0, list(COLUMNS))
        found = db.execute(rows_sql(rows, seed))
        for at in range(rows):
            cells = found.fetchone() or ()
            sheet.write_row(at + 3, 0, [str(cell) for cell in cells])
    return {"file_mb": path.stat().st_size / 1e6}


def _import(folder: Path, name: str) -> dict[str, Any]:
    """The file into a fresh store, then sums per keyword out of it."""
    from optimizer import workflows
    from optimizer.settings import find_configs
    from optimizer.store import history
    from optimizer.store.history import HistoryFile, Window
    from optimizer.tables import Actor

    store, configs = folder / f"store {name}", folder / f"configs {name}"
    shutil.copytree(find_configs().root, configs)
    (configs / "accounts" / f"{ACCOUNT}.yaml").write_text(SETTINGS, encoding="utf-8")
    start_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    with workflows.open_workspace(store, configs) as workspace:
        began, busy = time.perf_counter(), time.process_time()
        (done,) = workflows.import_files(
            workspace, [folder / name], ACCOUNT, as_of=AS_OF, actor=Actor("bench", "admin")
        )
        imported = time.perf_counter() - began
        told = done.to_json()
        first = AS_OF - timedelta(days=MOST_DAYS + 1)
        files = [
            HistoryFile(path, first, AS_OF)
            for path in (store / "history").glob("*keyword_day.parquet")
        ]
        sums = history.sums(files, Window(first, AS_OF, AS_OF))
    return {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - busy,
        "import_seconds": imported,
        "rows_kept": told["rows_kept"],
        "keywords": len(sums),
        "clicks": float(sums["clicks"].sum()),
        "clicks_in_file": told["totals"]["clicks"],
        "start_mb": start_mb,
    }


def import_csv(folder: Path, rows: int, seed: int) -> dict[str, Any]:
    """The CSV file to a history that answers."""
    return _import(folder, "report.csv")


def import_xlsx(folder: Path, rows: int, seed: int) -> dict[str, Any]:
    """The workbook to a history that answers."""
    return _import(folder, "report.xlsx")


def pandas(folder: Path, rows: int, seed: int) -> dict[str, Any]:
    """pandas' own reading of the CSV file."""
    import pandas as pd

    began, busy = time.perf_counter(), time.process_time()
    frame = pd.read_csv(folder / "report.csv", skiprows=2)
    return {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - busy,
        "rows": len(frame),
    }


Phase = Callable[[Path, int, int], dict[str, Any]]
OF_CSV: dict[str, Phase] = {"write_csv": write_csv, "import_csv": import_csv, "pandas": pandas}
OF_XLSX: dict[str, Phase] = {"write_xlsx": write_xlsx, "import_xlsx": import_xlsx}
PHASES = OF_CSV | OF_XLSX


def measure(rows: int, xlsx: int, seed: int) -> dict[str, Any]:
    """All phases; `ratio` is our seconds over those of pandas, of the same file in the same run."""
    command = f"python -m {MODULE} --rows {rows} --xlsx {xlsx} --seed {seed}"
    result: dict[str, Any] = {"command": command, "load_at_start": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory() as name:
        for phases, size in ((OF_CSV, rows), (OF_XLSX, xlsx)):
            for phase in phases if size else ():
                arguments = {"rows": size, "seed": seed}
                result[phase] = run_phase(MODULE, phase, Path(name), arguments)
    if rows:
        result["ratio"] = result["import_csv"]["seconds"] / result["pandas"]["seconds"]
        result["cpu_ratio"] = result["import_csv"]["cpu_seconds"] / result["pandas"]["cpu_seconds"]
    return result | {"load_at_end": os.getloadavg()[0]}


def show(result: dict[str, Any]) -> None:
    """The figures for people."""
    for phase in PHASES:
        if (found := result.get(phase)) and "seconds" in found:
            rows = found.get("rows_kept", found.get("rows"))
            print(
                f"{phase:12s}{rows:>11,} rows {found['seconds']:7.2f} s"
                f" ({found['cpu_seconds']:7.2f} of processors) {found['peak_mb']:6.0f} MB"
            )
    if "ratio" in result:
        print(f"{result['ratio']:.2f} times pandas ({result['cpu_ratio']:.2f} in processor time)")
    print(
        f"load {result['load_at_start']:.1f} at the start, {result['load_at_end']:.1f} at the end"
    )


def main() -> None:
    """Run all phases, or the one asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--xlsx", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--phase", choices=sorted(PHASES))
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    if asked.phase:
        figures = PHASES[asked.phase](asked.folder, asked.rows, asked.seed)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(json.dumps({**figures, "peak_mb": peak}))
        return
    result = measure(asked.rows, asked.xlsx, asked.seed)
    print(json.dumps(result, indent=1)) if asked.json else show(result)
    if asked.record:
        # The workbook is measured by itself, in a tenth of the time.
        record = RECORD if asked.rows else RECORD.with_stem(f"{RECORD.stem}_xlsx")
        record.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
