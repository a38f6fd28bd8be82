"""Parquet files: every value as text, by a child process whose memory is limited."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from optimizer.errors import RefusedInput

PARQUET_MAGIC: Final = b"PAR1"
_SECONDS: Final = 300
_WORKER: Final = Path(__file__).with_name("parquet_worker.py")


def parquet_to_csv(path: Path, target: Path) -> None:
    """Write the file at `path` as UTF-8 CSV with a header. Raises `RefusedInput` for a broken one."""
    command = [sys.executable, "-P", str(_WORKER), str(path.resolve()), str(target)]
    try:
        child = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise RefusedInput("parquet_unreadable", file=path.name, why="timeout") from error
    if child.returncode != 0:
        told = child.stderr.strip().splitlines() or [f"signal {-child.returncode}"]
        raise RefusedInput("parquet_unreadable", file=path.name, why=told[-1][:200])
