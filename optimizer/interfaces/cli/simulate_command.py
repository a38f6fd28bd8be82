"""The command that plays policies against each other on simulated markets: simulate."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Annotated

import typer

from optimizer import workflows
from optimizer.errors import RefusedInput
from optimizer.interfaces.cli import simulate_output
from optimizer.interfaces.cli.progress import progress_bar
from optimizer.interfaces.cli.running import Run, command

Market = Annotated[
    list[str] | None,
    typer.Option(
        "--market", help="A market file, or the name of a shipped one; all when left out."
    ),
]
Policies = Annotated[
    str | None,
    typer.Option("--policies", help="Names with commas between them; all when left out."),
]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="Lives of each policy in each market.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The first seed.")]
Days = Annotated[int, typer.Option("--days", min=1, help="Days of a life.")]
Jobs = Annotated[
    int | None, typer.Option("--jobs", min=1, help="Processes; as many as cores when left out.")
]
Plot = Annotated[
    Path | None,
    typer.Option("--out", dir_okay=False, help="HTML file for the plot; it needs no network."),
]


@command("simulate")
def simulate(
    run: Run,
    market: Market = None,
    policies: Policies = None,
    seeds: Seeds = 20,
    seed: Seed = 0,
    days: Days = 60,
    jobs: Jobs = None,
    out: Plot = None,
) -> None:
    """Let policies live in simulated markets whose truth is known, and compare what they earn."""
    if out is not None:
        _check_plot(out)
    named = {"policies": _names(policies)} if policies is not None else {}
    with progress_bar(run) as report:
        done = workflows.simulate(
            run.configs,
            run.actor,
            markets=market or (),
            seeds=seeds,
            first_seed=seed,
            days=days,
            jobs=jobs,
            progress=report,
            **named,
        )
    run.show(done.to_json(), lambda run: simulate_output.print_scores(run, done))
    if out is not None:
        _write(out, simulate_output.plot(run, done))


def _check_plot(out: Path) -> None:
    """Asked before hours are spent. Raises `RefusedInput`."""
    if out.suffix.lower() != ".html":
        raise RefusedInput("plot_not_html", file=str(out))
    if not out.absolute().parent.is_dir():
        why = os.strerror(errno.ENOENT)
        raise RefusedInput("folder_unwritable", folder=str(out.parent), why=why)


def _write(out: Path, page: str) -> None:
    try:
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise RefusedInput("folder_unwritable", folder=str(out.parent), why=str(error)) from error


def _names(policies: str) -> list[str]:
    return [name.strip() for name in policies.split(",") if name.strip()]
