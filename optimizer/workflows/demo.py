"""The demonstration: a synthetic account as report files, imported and reviewed like any other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Any

from optimizer.planning import demo_account
from optimizer.planning.market import MarketSettings
from optimizer.settings import load_model
from optimizer.tables import Actor
from optimizer.workflows.importing import ImportResult, import_files
from optimizer.workflows.reviewing import ReviewReport, review
from optimizer.workflows.workspace import (
    Progress,
    Workspace,
    open_workspace,
    silent,
    store_folder,
)

ACCOUNT = "demo"
SEED = 25
AS_OF = date(2026, 11, 20)
"""The account ends on a fixed day, so that everybody sees the same figures."""


@dataclass(frozen=True)
class DemoReport:
    """What the demonstration made: files, their imports, the review, and seconds by step."""

    account: str
    as_of: date
    store: Path
    files: tuple[Path, ...]
    imports: tuple[ImportResult, ...]
    review: ReviewReport
    seconds: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "account": self.account,
            "as_of": self.as_of.isoformat(),
            "store": str(self.store),
            "files": [str(path) for path in self.files],
            "imports": [result.to_json() for result in self.imports],
            "duplicates": sum(result.duplicate for result in self.imports),
            "review": self.review.to_json(),
            "seconds": self.seconds,
        }


def demo(
    store_dir: Path | None,
    configs: Path | None,
    actor: Actor,
    progress: Progress | None = None,
) -> DemoReport:
    """Make report files under STORE/reports, import them as account `demo`, and review it.

    Run again it finds the files it made and says that they were imported before. Progress steps:
    make, import, review.
    """
    actor.require("operator", ACCOUNT)
    tell = progress or silent
    folder = store_folder(store_dir) / "reports"
    clock = _Clock()
    with open_workspace(store_dir, configs) as workspace:
        dated = _report_files(workspace, folder, tell)
        clock.stop("make")
        imports = tuple(_imported(workspace, dated, actor, tell))
        clock.stop("import")
        as_of = max(day for _, day in dated)
        tell("review", 0, 1)
        report = review(workspace, ACCOUNT, as_of=as_of, actor=actor)
        tell("review", 1, 1)
        clock.stop("review")
    files = tuple(path for path, _ in dated)
    return DemoReport(ACCOUNT, as_of, folder.parent, files, imports, report, clock.seconds)


class _Clock:
    """Seconds between stops, by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = perf_counter()

    def stop(self, name: str) -> None:
        now = perf_counter()
        self.seconds[name] = round(now - self._last, 3)
        self._last = now


def _report_files(workspace: Workspace, folder: Path, tell: Progress) -> list[tuple[Path, date]]:
    """The files with their download days, in the order of download; made on the first run only."""
    known = sorted((_day_of(path), path) for path in folder.glob("*.csv"))
    if known:
        return [(path, day) for day, path in known]
    tell("make", 0, 1)
    market = load_model(
        workspace.configs.root / "markets" / "default.yaml", MarketSettings, missing_ok=True
    )
    made = demo_account.demo_reports(market, SEED, AS_OF)
    folder.mkdir(parents=True, exist_ok=True)
    for report in made:
        (folder / report.name).write_bytes(report.content)
    tell("make", 1, 1)
    return [(folder / report.name, report.as_of) for report in made]


def _day_of(path: Path) -> date:
    return date.fromisoformat(re.findall(r"\d{4}-\d{2}-\d{2}", path.name)[-1])


def _imported(
    workspace: Workspace, dated: Iterable[tuple[Path, date]], actor: Actor, tell: Progress
) -> Iterable[ImportResult]:
    files = list(dated)
    for number, (path, day) in enumerate(files):
        tell("import", number, len(files))
        done = import_files(workspace, [path], ACCOUNT, as_of=day, actor=actor)
        yield from (each for each in done if isinstance(each, ImportResult))
    tell("import", len(files), len(files))
