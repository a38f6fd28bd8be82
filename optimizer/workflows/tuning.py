"""Tuning our own policies on simulated markets, and the file that tells what came of it."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from optimizer.errors import Infeasible, RefusedInput
from optimizer.planning.market import MarketSettings, load_market_file
from optimizer.planning.policies.settings import load_policy_settings
from optimizer.planning.search_space import load_search_space
from optimizer.planning.tuning import Question, Tuning
from optimizer.planning.tuning import tune as search
from optimizer.settings import Configs, find_configs
from optimizer.tables import Actor
from optimizer.workflows.simulating import market_files, workers
from optimizer.workflows.values import plain_record
from optimizer.workflows.workspace import Progress, silent, store_folder

STUDIES = "studies.sqlite"
DAYS = 60
SEEDS = 8
HELD_OUT_SEEDS = 10
TRIALS = 30


def tune(
    configs: Path | None,
    store: Path | None,
    actor: Actor,
    *,
    markets: Sequence[str],
    held_out: Sequence[str] = (),
    policy: str = "optimizer",
    seeds: int = SEEDS,
    first_seed: int = 0,
    held_out_seeds: int = HELD_OUT_SEEDS,
    days: int = DAYS,
    trials: int = TRIALS,
    seed: int = 0,
    storage: str | None = None,
    study: str | None = None,
    jobs: int | None = None,
    out: Path | None = None,
    progress: Progress | None = None,
) -> Tuning:
    """Search the ranges of `tuning.yaml` in `markets` until the study has `trials`, and judge the best.

    `held_out` markets (the first shipped one not tuned in when none is named) and the `held_out_seeds`
    that follow the tuned ones decide. `storage` is a database's URL or `journal:FILE`, else
    `studies.sqlite` beside the store. `out` becomes a file of policy settings with the evidence on top;
    one that exists is refused before anything is spent. Raises kinds of `OptimizerError`.
    """
    actor.require("operator")
    if out is not None:
        _require_new(out)
    found = find_configs(configs)
    question = _question(
        found, markets, held_out, policy, days, (first_seed, seeds, held_out_seeds)
    )
    with workers(jobs) as executor:
        told = search(
            question,
            storage=storage or _own_storage(store),
            study=study,
            trials=trials,
            seed=seed,
            executor=executor,
            tell=progress or silent,
        )
    if out is not None and not told.interrupted:
        _write(out, settings_file(told, question, seed))
    return told


def settings_file(told: Tuning, question: Question, seed: int) -> str:
    """Policy settings as YAML; the comment above them is YAML too once its marks are taken away."""
    evidence = {
        **told.to_json(),
        "markets": list(question.markets),
        "held_out_markets": list(question.held_out),
        "seeds": [question.seeds[0], question.seeds[-1]],
        "held_out_seeds": [question.held_out_seeds[0], question.held_out_seeds[-1]],
        "days": question.days,
        "seed": seed,
    }
    lines = _yaml(plain_record(evidence)).splitlines()
    return (
        "".join(f"# {line}\n" for line in lines) + "\n" + _yaml(told.rules.model_dump(mode="json"))
    )


def _yaml(value: Mapping[str, Any]) -> str:
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110)
    return text


def _question(
    configs: Configs,
    markets: Sequence[str],
    held_out: Sequence[str],
    policy: str,
    days: int,
    seeds: tuple[int, int, int],
) -> Question:
    rules = load_policy_settings(configs)
    first, tuned, judged = seeds
    named = _markets(configs, markets) if markets else {}
    return Question(
        policy=policy,
        markets=named,
        seeds=tuple(range(first, first + tuned)),
        held_out=_markets(configs, held_out or _not_among(configs, named)),
        held_out_seeds=tuple(range(first + tuned, first + tuned + judged)),
        days=days,
        settings=configs.settings("market"),
        rules=rules,
        space=load_search_space(configs, rules),
    )


def _markets(configs: Configs, names: Sequence[str]) -> dict[str, MarketSettings]:
    return {path.stem: load_market_file(path) for path in market_files(configs, names)}


def _not_among(configs: Configs, named: Mapping[str, MarketSettings]) -> list[str]:
    left = [path.stem for path in configs.files("markets") if path.stem not in named]
    if not left:
        raise Infeasible("no_market_held_out")
    return left[:1]


def _own_storage(store: Path | None) -> str:
    folder = store_folder(store)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RefusedInput("folder_unwritable", folder=str(folder), why=str(error)) from error
    return f"sqlite:///{(folder / STUDIES).absolute()}"


def _require_new(out: Path) -> None:
    if out.exists():
        raise RefusedInput("file_exists", file=str(out))
    if not out.absolute().parent.is_dir():
        why = os.strerror(errno.ENOENT)
        raise RefusedInput("folder_unwritable", folder=str(out.parent), why=why)


def _write(out: Path, text: str) -> None:
    """Never over a file that came to be meanwhile."""
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise RefusedInput("file_exists", file=str(out)) from error
    except OSError as error:
        raise RefusedInput("folder_unwritable", folder=str(out.parent), why=str(error)) from error
