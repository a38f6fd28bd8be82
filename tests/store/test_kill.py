from __future__ import annotations

import random
from pathlib import Path

import pytest

from simulations.bench_kill import kill_once, undisturbed
from simulations.postgres import new_database

KILLS = 5


@pytest.fixture(scope="module")
def clean_run() -> tuple[tuple[float, ...], float]:
    return undisturbed()


def test_killed_import_leaves_whole_batches(
    tmp_path: Path,
    database_url: str | None,
    request: pytest.FixtureRequest,
    clean_run: tuple[tuple[float, ...], float],
) -> None:
    expected, seconds = clean_run
    rng = random.Random(7)
    for number in range(KILLS):
        url = database_url and new_database(request.getfixturevalue("postgres_server"))
        delay = rng.uniform(0, 1.2 * seconds)
        kill = kill_once(tmp_path / str(number), url, delay, expected)
        assert (kill.partial, kill.wrong_totals, kill.defects) == (False, False, 0)
        assert kill.found >= kill.acknowledged
        assert kill.recovery < 5
