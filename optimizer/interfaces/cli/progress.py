"""Progress on stderr, so that stdout stays the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from optimizer.interfaces.cli.running import Run

Report = Callable[[str, int, int], None]
"""Called with a step's code, how much is done and how much there is (0: unknown)."""


@contextmanager
def progress_bar(run: Run) -> Iterator[Report]:
    """A callback that draws one bar per step; silent where nobody watches."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    bars: dict[str, TaskID] = {}
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:

        def report(step: str, done: int, total: int) -> None:
            if step not in bars:
                bars[step] = progress.add_task(run.words.code("step", step), total=total or None)
            progress.update(bars[step], completed=done, total=total or None)

        yield report
