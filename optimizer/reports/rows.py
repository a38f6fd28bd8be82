"""What is read, how and from where, and the scan of the data lines."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from optimizer.reports import cells, extras
from optimizer.reports.layout import Layout
from optimizer.reports.profiles import (
    COUNTS,
    EXTRA_COUNTS,
    EXTRA_MONEY,
    MONEY,
    REALS,
    SHARES,
    ReportProfile,
)

NUMBERS: Final = (*COUNTS, *REALS, *MONEY, *SHARES)
"""Fields whose cells are numbers."""
COUNTED: Final = frozenset(
    (
        "day",
        "period_start",
        "period_end",
        "hour",
        *COUNTS,
        "conversions",
        "avg_position",
        *EXTRA_COUNTS,
        "cost",
        "value",
        *EXTRA_MONEY,
        "impression_share",
        "lost_is_budget",
    )
)
"""Fields that differ from row to row; all others are told of a thing and repeated on each day."""


@dataclass(frozen=True)
class Reading:
    """What is read, how and from where: everything that the queries need to know."""

    file: str
    lines: Path
    layout: Layout
    profile: ReportProfile
    as_of: date
    period: tuple[date, date] | None
    controls: bool
    """Whether some cell may hold control characters; the check is left out where none can."""

    def has(self, name: str) -> bool:
        """True where the file has a column for the field."""
        return name in self.layout.columns

    def text(self, name: str) -> str:
        """SQL of the field's cleaned text: ready for words, made on demand for numbers."""
        if name not in NUMBERS:
            return f"t_{name}"
        return cells.text(self.cell(name), self.profile.null_marks)

    def cell(self, name: str) -> str:
        """SQL of the field's cell as it stands in the file."""
        return f"c{self.layout.columns[name]}"

    @property
    def source(self) -> str:
        """SQL of the lines: the file, or a table of them where rows take cells from one another."""
        return extras.BASE if extras.takes_from_rows(self.layout) else read_csv_sql(self)

    def fields(self, names: Collection[str]) -> Iterator[str]:
        """Those of `names` that the file has."""
        return (name for name in names if self.has(name))

    def only(self, names: Collection[str]) -> Reading:
        """The same with the columns of these fields alone."""
        kept = {name: at for name, at in self.layout.columns.items() if name in names}
        return replace(self, layout=replace(self.layout, columns=kept))

    @property
    def told(self) -> list[str]:
        """Fields of the file that are told of a thing."""
        return [name for name in self.layout.columns if name not in COUNTED]


def read_csv_sql(reading: Reading) -> str:
    """The scan of the data lines: every column VARCHAR, nothing guessed, rejects stored."""
    columns = ", ".join(f"'c{at}': 'VARCHAR'" for at in range(reading.layout.width))
    return (
        f"read_csv({cells.path(reading.lines)}, columns={{{columns}}}, header=false, "
        f"delim={cells.quoted(reading.layout.delimiter)}, quote='\"', escape='\"', comment='', "
        "auto_detect=false, strict_mode=true, null_padding=false, store_rejects=true, "
        "new_line='\\n')"
    )


def base_sql(reading: Reading) -> str:
    """CREATE of the table `base` of all lines with their place."""
    lines = read_csv_sql(reading)
    return (
        f"CREATE TEMP TABLE {extras.BASE} AS SELECT row_number() OVER () AS place, * FROM {lines}"
    )


def cells_sql(reading: Reading, records: Path) -> str:
    """SELECT of the raw cells of each record of another file of the same layout, as a list."""
    source = read_csv_sql(replace(reading, lines=records))
    raw = ", ".join(f"c{at}" for at in range(reading.layout.width))
    return f"SELECT row_number() OVER () - 1 AS place, [{raw}] AS cells FROM {source}"


def raw(reading: Reading) -> str:
    """The cells of a line, the made ones included."""
    return ", ".join(f"c{at}" for at in range(len(reading.layout.headers)))
