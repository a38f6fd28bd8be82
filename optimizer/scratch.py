"""Temporary folders, which hold copies of account data, and what of them a killed process left behind."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

_NAME: Final = re.compile(r"optimizer-[a-z]+-(\d+)-\w+")
_STALE_SECONDS: Final = 86_400.0


def prefix(what: str) -> str:
    """How the name of a temporary folder of this process begins; `what` in small letters."""
    return f"optimizer-{what}-{os.getpid()}-"


def sweep(now: float) -> list[Path]:
    """Remove folders older than a day at `now` (seconds since 1970) whose process is gone.

    Returns those that went. Young ones stay: they may be another machine's, whose processes are not seen
    here. On Windows, where asking after a process could end it, nothing is removed.
    """
    if sys.platform == "win32":
        return []
    stale = [path for path in Path(tempfile.gettempdir()).glob("optimizer-*") if _gone(path, now)]
    for path in stale:
        shutil.rmtree(path, ignore_errors=True)
    return [path for path in stale if not path.exists()]


def _gone(path: Path, now: float) -> bool:
    named = _NAME.fullmatch(path.name)
    if named is None or path.is_symlink():
        return False
    try:
        age = now - path.stat().st_mtime
    except OSError:
        return False  # Somebody else removed it just now.
    return age > _STALE_SECONDS and not _runs(int(named[1]))


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
