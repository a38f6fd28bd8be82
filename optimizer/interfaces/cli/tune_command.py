"""The command that searches better settings for our own policies on simulated markets: tune."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optimizer import workflows
from optimizer.interfaces.cli import tune_output
from optimizer.interfaces.cli.progress import progress_bar
from optimizer.interfaces.cli.running import Run, command

INTERRUPTED = 130

Market = Annotated[
    list[str],
    typer.Option("--market", help="A market to tune in: a file, or the name of a shipped one."),
]
HeldOut = Annotated[
    list[str] | None,
    typer.Option("--held-out", help="A market that only judges; else a shipped one not tuned in."),
]
Policy = Annotated[str, typer.Option("--policy", help="optimizer or optimizer_explore.")]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="Lives in each market per trial.")]
FirstSeed = Annotated[int, typer.Option("--first-seed", min=0, help="The first of them.")]
Judging = Annotated[
    int, typer.Option("--held-out-seeds", min=1, help="Lives in each market that only judge.")
]
Days = Annotated[int, typer.Option("--days", min=1, help="Days of a life.")]
Trials = Annotated[
    int, typer.Option("--trials", min=1, help="Trials that the study shall have in all.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the search itself.")]
Storage = Annotated[
    str | None,
    typer.Option(
        "--storage",
        envvar="OPTIMIZER_STUDIES",
        help="Database URL or journal:FILE, to share a study; else a file beside the store.",
    ),
]
Study = Annotated[
    str | None, typer.Option("--study", help="Name; else made of what is asked, so it goes on.")
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", min=1, help="Processes; as many as cores when left out.")
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", dir_okay=False, help="New YAML file: settings, with the evidence on top."
    ),
]


@command("tune")
def tune(
    run: Run,
    market: Market,
    held_out: HeldOut = None,
    policy: Policy = "optimizer",
    seeds: Seeds = 8,
    first_seed: FirstSeed = 0,
    held_out_seeds: Judging = 10,
    days: Days = 60,
    trials: Trials = 30,
    seed: Seed = 0,
    storage: Storage = None,
    study: Study = None,
    jobs: Jobs = None,
    out: Out = None,
) -> None:
    """Search policy settings that earn more in simulated markets; held-out lives decide."""
    with progress_bar(run) as report:
        done = workflows.tune(
            run.configs,
            run.store,
            run.actor,
            markets=market,
            held_out=held_out or (),
            policy=policy,
            seeds=seeds,
            first_seed=first_seed,
            held_out_seeds=held_out_seeds,
            days=days,
            trials=trials,
            seed=seed,
            storage=storage,
            study=study,
            jobs=jobs,
            out=out,
            progress=report,
        )
    run.show(done.to_json(), lambda run: tune_output.print_tuning(run, done, out))
    if done.interrupted:
        raise typer.Exit(INTERRUPTED)
