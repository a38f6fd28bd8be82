"""A child process that turns one sheet of a workbook into CSV: `python -m optimizer.reports.xlsx_worker`.

A legal file of a few kilobytes can make a workbook reader ask for all memory and abort, which
nothing in the same process can catch. Here it ends a child that may use little.
"""

from __future__ import annotations

import csv
import resource
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

MEMORY: Final = 3 << 30
CPU_SECONDS: Final = 120
_EXACT_BELOW: Final = 1e15


def write_sheet(workbook: Path, sheet: str, target: Path) -> None:
    """Write a sheet ("" for the first) as CSV, a row per line; nothing where there is no such sheet."""
    from python_calamine import CalamineWorkbook

    with CalamineWorkbook.from_path(workbook) as book:
        names = book.sheet_names
        if not names or (sheet and sheet not in names):
            return
        found = book.get_sheet_by_name(sheet or names[0])
        with target.open("w", newline="", encoding="utf-8") as out:
            csv.writer(out, lineterminator="\n").writerows(_rows(found))


def _rows(sheet: Any) -> Iterator[list[str]]:
    first_row, first_column = sheet.start or (0, 0)
    yield from ([] for _ in range(first_row))
    for row in sheet.iter_rows():
        yield [""] * first_column + [cell_text(value) for value in row]


def cell_text(value: Any) -> str:
    """A typed cell as a report would print it: ISO dates, whole numbers without `.0`.

    >>> cell_text(12.0), cell_text(datetime(2026, 9, 1)), cell_text(0.1429)
    ('12', '2026-09-01', '0.1429')
    """
    if isinstance(value, float):
        # Beyond 15 digits a float no longer holds the number that was typed; 1e+16 says so.
        exact = value.is_integer() and abs(value) < _EXACT_BELOW
        return str(int(value)) if exact else repr(value)
    if isinstance(value, datetime):
        midnight = value.time() == datetime.min.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    # A line per row keeps line numbers true; a vertical tab is still a control character.
    return str(value).replace("\r\n", "\v").replace("\n", "\v")


def main(workbook: str, sheet: str, target: str) -> None:
    """Limit this process, then write the sheet."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    write_sheet(Path(workbook), sheet, Path(target))


if __name__ == "__main__":
    main(*sys.argv[1:])
