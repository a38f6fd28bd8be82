"""Policies against each other on simulated markets; no store is opened and nothing is written."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from optimizer.errors import NotFound, RefusedInput
from optimizer.planning.market import load_market_file
from optimizer.planning.policies import POLICIES
from optimizer.planning.policies.settings import load_policy_settings
from optimizer.planning.scoreboard import Scoreboard
from optimizer.planning.scoreboard import simulate as play
from optimizer.settings import Configs, find_configs
from optimizer.tables import Actor
from optimizer.workflows.workspace import Progress, silent

DAYS = 60
SEEDS = 20


@dataclass(frozen=True)
class SimulationReport:
    """A scoreboard with the currency of each market's figures."""

    scoreboard: Scoreboard
    currencies: Mapping[str, str]

    def to_json(self) -> dict[str, dict[str, dict[str, Any]]]:
        """market → policy → figures."""
        return self.scoreboard.to_json()


def simulate(
    configs: Path | None,
    actor: Actor,
    *,
    markets: Sequence[str] = (),
    policies: Sequence[str] = POLICIES,
    seeds: int = SEEDS,
    first_seed: int = 0,
    days: int = DAYS,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> SimulationReport:
    """Each policy's first `days` days in each market on the same seeds, from no history.

    `markets` are files or names of shipped ones, all of these when none is named. `jobs` processes,
    as many as there are cores when not said: the result is the same. Raises `BadSettings`, `NotFound`,
    `RefusedInput` and `Infeasible`.
    """
    actor.require_anywhere("viewer")
    found = find_configs(configs)
    files = market_files(found, markets)
    told = {path.stem: load_market_file(path) for path in files}
    with workers(jobs) as executor:
        board = play(
            told,
            list(dict.fromkeys(policies)),
            range(first_seed, first_seed + seeds),
            days,
            found.settings("market"),
            load_policy_settings(found),
            executor,
            progress or silent,
        )
    return SimulationReport(board, {name: one.currency for name, one in told.items()})


def market_files(configs: Configs, markets: Sequence[str]) -> list[Path]:
    """Files or shipped markets by name, all shipped ones when none is named.

    Raises `NotFound`, and `RefusedInput` for two of one name.
    """
    shipped = {path.stem: path for path in configs.files("markets")}
    files = [_file(shipped, name) for name in markets] or list(shipped.values())
    _require_own_names(files)
    return files


def _file(shipped: Mapping[str, Path], name: str) -> Path:
    path = Path(name)
    if path.is_file():
        return path
    if name not in shipped:
        raise NotFound("market_not_found", market=name, known=", ".join(shipped))
    return shipped[name]


def _require_own_names(files: Sequence[Path]) -> None:
    """A market goes by its file's name: of two alike one would be lost. Raises `RefusedInput`."""
    known: dict[str, Path] = {}
    for path in files:
        other = known.setdefault(path.stem, path)
        if other.resolve() != path.resolve():
            raise RefusedInput(
                "market_named_twice", market=path.stem, file=str(path), other=str(other)
            )


@contextmanager
def workers(jobs: int | None) -> Iterator[Executor | None]:
    """`jobs` processes, as many as there are cores when not said; None for one.

    They import the program anew: a fork would inherit the threads of the kernels. An interrupt from
    the keyboard is for the one who asked: what waits is dropped, what is under way ends quietly.
    """
    count = jobs if jobs is not None else os.cpu_count() or 1
    if count <= 1:
        yield None
        return
    with ProcessPoolExecutor(count, get_context("spawn"), _ignore_interrupts) as executor:
        try:
            yield executor
        except BaseException:
            executor.shutdown(cancel_futures=True)
            raise


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
