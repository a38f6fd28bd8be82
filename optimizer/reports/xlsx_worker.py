"""A child process that turns sheets of a workbook into CSV: `python xlsx_worker.py BOOK FOLDER SHEET…`.

A legal file of a few kilobytes can make a workbook reader ask for all memory and abort, which
nothing in the same process can catch. Here it ends a child that may use little. It is run by its
path and imports nothing of the package, whose imports would take longer than most workbooks.
"""

from __future__ import annotations

import csv
import resource
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

MEMORY: Final = 3 << 30
CPU_SECONDS: Final = 120
OUTPUT_BYTES: Final = 2 << 30
MOST_COLUMNS: Final = 2000
"""No report is wider; one far cell makes every row of a sheet as wide as itself."""
_EXACT_BELOW: Final = 1e15
_MIDNIGHT: Final = time()


def write_sheets(workbook: Path, folder: Path, sheets: Sequence[str]) -> None:
    """Write each of `sheets` ("" for the first) as CSV into `folder/<its place>/`, missing ones left out.

    Sheet names are compared without case and surrounding spaces.
    """
    from python_calamine import CalamineWorkbook

    with CalamineWorkbook.from_path(workbook) as book:
        found = {name.strip().casefold(): name for name in reversed(book.sheet_names)}
        found[""] = book.sheet_names[0] if book.sheet_names else ""
        written: dict[str, Path] = {}
        for place, sheet in enumerate(sheets):
            if name := found.get(sheet.strip().casefold()):
                target = folder / str(place) / workbook.name
                target.parent.mkdir(parents=True, exist_ok=True)
                if name in written:
                    shutil.copyfile(written[name], target)
                else:
                    _write(book.get_sheet_by_name(name), target)
                    written[name] = target


def _write(sheet: Any, target: Path) -> None:
    if sheet.total_width > MOST_COLUMNS:
        sys.exit(f"more than {MOST_COLUMNS} columns")
    with target.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out, lineterminator="\n").writerows(_rows(sheet))


def _rows(sheet: Any) -> Iterator[list[str]]:
    first_row, first_column = sheet.start or (0, 0)
    yield from ([] for _ in range(first_row))
    indent = [""] * first_column
    for row in sheet.iter_rows():
        yield indent + [_TEXT.get(type(value), cell_text)(value) for value in row]


def cell_text(value: Any) -> str:
    """A typed cell as a report would print it: ISO dates, whole numbers without `.0`.

    >>> cell_text(12.0), cell_text(datetime(2026, 9, 1)), cell_text(0.1429)
    ('12', '2026-09-01', '0.1429')
    """
    return _TEXT.get(type(value), str)(value)


def _text(value: str) -> str:
    # A line per row keeps line numbers true; a vertical tab is still a control character.
    return value.replace("\r\n", "\v").replace("\n", "\v") if "\n" in value else value


def _number(value: float) -> str:
    if abs(value) >= _EXACT_BELOW:
        # A float no longer holds the number that was typed; 1.5e+15 says so.
        return f"{value:.15g}"
    return str(int(value)) if value.is_integer() else repr(value)


def _moment(value: datetime) -> str:
    return value.date().isoformat() if value.time() == _MIDNIGHT else value.isoformat(sep=" ")


# By type and not by isinstance: a report of 100,000 rows has millions of cells.
_TEXT: Final[dict[type, Callable[[Any], str]]] = {
    str: _text,
    float: _number,
    datetime: _moment,
    date: date.isoformat,
}


def main(workbook: str, folder: str, *sheets: str) -> None:
    """Limit this process, then write the sheets."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (OUTPUT_BYTES, OUTPUT_BYTES))
    write_sheets(Path(workbook), Path(folder), sheets)


if __name__ == "__main__":
    main(*sys.argv[1:])
