"""Temporary folders of processes that were killed go; those of others stay."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from optimizer import scratch

DAY = 86_400.0


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def left_by(process: int, folder: Path, age: float) -> Path:
    path = folder / f"optimizer-rows-{process}-abc_1"
    path.mkdir()
    (path / "rows.parquet").write_bytes(b"somebody's keywords")
    os.utime(path, (time.time() - age,) * 2)
    return path


def dead_process() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_old_folders_of_the_dead_go(temporary: Path) -> None:
    path = left_by(dead_process(), temporary, 2 * DAY)
    assert scratch.sweep(time.time()) == [path]
    assert not path.exists()


def test_folders_of_the_living_and_young_ones_stay(temporary: Path) -> None:
    left_by(os.getpid(), temporary, 2 * DAY)
    left_by(dead_process(), temporary, DAY / 2)
    (temporary / "optimizer-of-mine").mkdir()
    assert scratch.sweep(time.time() + DAY / 4) == []


def test_names_are_known_again(temporary: Path) -> None:
    path = Path(tempfile.mkdtemp(prefix=scratch.prefix("report")))
    assert path.name.split("-")[2] == str(os.getpid())
    assert scratch._NAME.fullmatch(path.name)
