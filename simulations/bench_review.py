"""How long a big account takes: import, then the daily review stage by stage, and peak memory.

`python -m simulations.bench_review [--keywords N] [--days N] [--json] [--record]`

Each phase runs in a process of its own, so that its peak memory is its own. `--record` keeps the
result in `bench_review.json` beside this file.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

RECORD = Path(__file__).with_suffix(".json")
ACCOUNT = "big"
SETTINGS = "currency: CNY\nplatform: google_ads\nmargin: 0.45\n"
STAGES = {
    "optimizer.store.sql_store:SqlStore": ("review_tables", "save_run"),
    "optimizer.review.beliefs": ("records", "estimate_maturity", "estimate_value_per_click"),
    "optimizer.review.daily": (
        "_check",
        "estimate_volume",
        "build_plan",
        "judge_terms",
    ),
    "optimizer.review.resolve": ("solve", "_outcome", "assemble_suggestions", "summarise"),
}


def time_stages() -> dict[str, float]:
    """Wrap the stages so that each adds its seconds to the returned mapping."""
    from importlib import import_module

    seconds: dict[str, float] = {}
    for place, names in STAGES.items():
        module, _, inside = place.partition(":")
        owner: Any = import_module(module)
        owner = getattr(owner, inside) if inside else owner
        for name in names:
            setattr(owner, name, _timed(getattr(owner, name), name.lstrip("_"), seconds))
    return seconds


def _timed(stage: Callable[..., Any], name: str, seconds: dict[str, float]) -> Callable[..., Any]:
    def run(*arguments: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return stage(*arguments, **named)
        finally:
            seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - began

    return run


def write_report(folder: Path, keywords: int, days: int) -> dict[str, Any]:
    """Phase 1: the account's keyword report as a file."""
    from simulations.accounts import write_large_report

    path = folder / "keywords.csv"
    write_large_report(path, keywords, days)
    return {"file_mb": path.stat().st_size / 1e6}


def import_report(folder: Path, keywords: int, days: int) -> dict[str, Any]:
    """Phase 2: that file into a store."""
    from optimizer import workflows
    from optimizer.tables import Actor
    from simulations.accounts import AS_OF

    with workflows.open_workspace(folder / "store", folder / "configs") as workspace:
        began = time.perf_counter()
        (done,) = workflows.import_files(
            workspace,
            [folder / "keywords.csv"],
            ACCOUNT,
            as_of=AS_OF,
            actor=Actor("bench", "admin"),
        )
        seconds = time.perf_counter() - began
    return {"seconds": seconds, "rows": done.to_json()["rows_kept"]}


def review(folder: Path, keywords: int, days: int) -> dict[str, Any]:
    """Phase 3: the review, first without storing it (kernels compile or load), then for real."""
    from optimizer import workflows
    from optimizer.tables import Actor
    from simulations.accounts import AS_OF

    stages = time_stages()
    totals = []
    with workflows.open_workspace(folder / "store", folder / "configs") as workspace:
        for number in range(2):
            stages.clear()
            began = time.perf_counter()
            report = workflows.review(
                workspace,
                ACCOUNT,
                as_of=AS_OF,
                actor=Actor("bench", "admin"),
                seed=number,
                dry_run=number == 0,
            )
            totals.append(time.perf_counter() - began)
    slowest = sorted(stages, key=lambda name: -stages[name])[:3]
    return {
        "first_seconds": totals[0],
        "seconds": totals[1],
        "stages": stages,
        "slowest": slowest,
        "kinds": report.to_json()["kinds"],
    }


PHASES = {"write": write_report, "import": import_report, "review": review}


def run_phase(name: str, folder: Path, keywords: int, days: int) -> dict[str, Any]:
    """One phase in a process of its own; adds its peak memory."""
    command = [sys.executable, "-m", "simulations.bench_review", "--phase", name]
    command += ["--folder", str(folder), "--keywords", str(keywords), "--days", str(days)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def prepare(folder: Path) -> None:
    """The account's settings beside the shipped ones."""
    import shutil

    from optimizer.settings import find_configs

    shutil.copytree(find_configs().root, folder / "configs")
    (folder / "configs" / "accounts" / f"{ACCOUNT}.yaml").write_text(SETTINGS, encoding="utf-8")


def show(result: dict[str, Any]) -> None:
    """The figures for people."""
    print(f"{result['keywords']:,} keywords, {result['days']} days")
    loaded = result["import"]
    print(
        f"import   {loaded['seconds']:7.1f} s {loaded['peak_mb']:7.0f} MB {loaded['rows']:,} rows"
    )
    done = result["review"]
    print(f"review   {done['seconds']:7.1f} s {done['peak_mb']:7.0f} MB")
    for name, seconds in sorted(done["stages"].items(), key=lambda item: -item[1]):
        mark = "  <- slowest three" if name in done["slowest"] else ""
        print(f"  {name:26s}{seconds:7.2f} s{mark}")


def main() -> None:
    """Run all phases, or the one asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keywords", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--phase", choices=sorted(PHASES))
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    if asked.phase:
        figures = PHASES[asked.phase](asked.folder, asked.keywords, asked.days)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(json.dumps({**figures, "peak_mb": peak}))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        result: dict[str, Any] = {"keywords": asked.keywords, "days": asked.days}
        for phase in PHASES:
            result[phase] = run_phase(phase, folder, asked.keywords, asked.days)
    print(json.dumps(result, indent=1)) if asked.json else show(result)
    if asked.record:
        RECORD.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
