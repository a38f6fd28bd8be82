"""Phases of a benchmark in processes of their own, so that the peak memory of each is its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def run_phase(
    module: str, phase: str, folder: Path, arguments: Mapping[str, int]
) -> dict[str, Any]:
    """What `python -m module --phase PHASE --folder FOLDER` prints as its last line."""
    command = [sys.executable, "-m", module, "--phase", phase, "--folder", str(folder)]
    for name, value in arguments.items():
        command += [f"--{name}", str(value)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result
