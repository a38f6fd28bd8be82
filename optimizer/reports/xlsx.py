"""Workbooks: looked at from outside first, then opened in a child process with limits."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from optimizer import scratch
from optimizer.errors import RefusedInput

ZIP_MAGIC: Final = b"PK\x03\x04"
LARGEST_BYTES: Final = 1 << 30
LARGEST_RATIO: Final = 150
MOST_ENTRIES: Final = 2000
_SECONDS: Final = 180
_ENCRYPTED: Final = 1
_WORKER: Final = Path(__file__).with_name("xlsx_worker.py")


Identity = tuple[Path, int, int]
"""Path, time of the last change and size of a workbook."""


@dataclass
class _Converted:
    """Sheets made so far, and where; None for one that a workbook lacks."""

    folder: Path
    known: dict[Identity, dict[str, Path | None]] = field(default_factory=dict)
    runs: int = 0

    def texts(self, path: Path, sheets: Sequence[str]) -> dict[str, Path]:
        """The sheets, those that are new made now."""
        state = path.stat()
        known = self.known.setdefault((path.resolve(), state.st_mtime_ns, state.st_size), {})
        if new := [sheet for sheet in sheets if sheet not in known]:
            self.runs += 1
            folder = self.folder / str(self.runs)
            folder.mkdir()
            found = _convert(path, new, folder)
            known.update({sheet: found.get(sheet) for sheet in new})
        return {sheet: text for sheet in sheets if (text := known[sheet])}


_converted: ContextVar[_Converted | None] = ContextVar("_converted", default=None)


@contextmanager
def one_conversion() -> Iterator[None]:
    """Within it a sheet is made once, however many readers look whether it is theirs."""
    with tempfile.TemporaryDirectory(prefix=scratch.prefix("sheets")) as folder:
        token = _converted.set(_Converted(Path(folder)))
        try:
            yield
        finally:
            _converted.reset(token)


def sheets_to_csv(path: Path, sheets: Sequence[str], folder: Path) -> dict[str, Path]:
    """The named sheets ("" for the first) of the workbook at `path` as UTF-8 CSV files.

    They are in `folder`, or with those made earlier within `one_conversion`. Each file bears the
    workbook's own name, which messages show; a sheet that it lacks is left out. Raises `RefusedInput`
    for what is no workbook, and for one built to exhaust memory.
    """
    earlier = _converted.get()
    return earlier.texts(path, sheets) if earlier else _convert(path, sheets, folder)


def _convert(path: Path, sheets: Sequence[str], folder: Path) -> dict[str, Path]:
    check_zip(path)
    child = _run([str(path.resolve()), str(folder), *sheets], path.name)
    if child.returncode != 0:
        raise RefusedInput("xlsx_unreadable", file=path.name, why=_reason(child))
    written = {sheet: folder / str(place) / path.name for place, sheet in enumerate(sheets)}
    return {sheet: text for sheet, text in written.items() if text.exists()}


def _run(arguments: Sequence[str], name: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [sys.executable, "-P", str(_WORKER), *arguments],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RefusedInput("xlsx_unreadable", file=name, why="timeout") from error


def _reason(child: subprocess.CompletedProcess[str]) -> str:
    """The last line the child wrote, or the signal that ended it."""
    if child.returncode < 0:
        return f"signal {-child.returncode}"
    return (child.stderr.strip().splitlines() or ["unknown"])[-1][:200]


def check_zip(path: Path) -> None:
    """Raise `RefusedInput` unless the file is a zip of modest size that holds a workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise RefusedInput("truncated", file=path.name, why="zip_cut") from error
    if not any(entry.filename == "xl/workbook.xml" for entry in entries):
        raise RefusedInput("wrong_type", file=path.name, found="zip")
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise RefusedInput("wrong_type", file=path.name, found="xls_or_locked_xlsx")
    size = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if size > LARGEST_BYTES or size > LARGEST_RATIO * packed or len(entries) > MOST_ENTRIES:
        raise RefusedInput(
            "xlsx_too_large",
            file=path.name,
            bytes=size,
            ratio=size // max(packed, 1),
            entries=len(entries),
        )
