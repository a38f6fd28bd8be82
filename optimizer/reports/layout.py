"""Which line is the header, which column is which field, and what the lines above it say."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Final

from optimizer.errors import RefusedInput
from optimizer.reports.profiles import ReportProfile

HEADER_WITHIN: Final = 30
_DELIMITERS: Final = (",", "\t", ";", "|")
_SUFFIX: Final = re.compile(r"^(.*?)\s*\(([^()]*)\)$")
_CURRENCY: Final = re.compile(r"^[a-z]{3}$")
_RANGE: Final = re.compile(r"^(.*?\d)\s*(?: - | – | to |至|~)\s*(\S.*)$")
_OPEN_RANGES: Final = ("all time", "全部时间")
_PREAMBLE_DATES: Final = ("%b %d, %Y", "%B %d, %Y", "%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%m/%d/%Y")


@dataclass(frozen=True)
class Taken:
    """Cells of the row of one of the `types` whose cell `key` equals this row's cell `by`."""

    types: tuple[str, ...]
    type_at: int
    key: int
    by: int
    cells: tuple[int, ...]


@dataclass(frozen=True)
class First:
    """The first of the cells that says something."""

    cells: tuple[int, ...]


@dataclass(frozen=True)
class Joined:
    """All cells that say something, as one text."""

    cells: tuple[int, ...]


Step = Taken | First | Joined


@dataclass(frozen=True)
class Layout:
    """Where the columns of a file are.

    `header_line` is the last line of the header row, from 1. `columns` maps fields, `derived`
    ratios and `segments` positions from 0. `currency` is stated by a header such as `Cost (GBP)`.
    Positions from `width` on are no columns of the file: `steps` make them, see `extras`.
    """

    delimiter: str
    header_line: int
    headers: tuple[str, ...]
    columns: Mapping[str, int]
    derived: Mapping[str, int]
    segments: tuple[int, ...]
    currency: str | None
    preamble: tuple[tuple[str, ...], ...]
    width: int
    steps: tuple[Step, ...] = ()

    def header(self, name: str) -> str:
        """The file's own header of a field, or "" where the file has none."""
        return self.headers[self.columns[name]] if name in self.columns else ""


@dataclass(frozen=True)
class Fit:
    """A profile against a header line: known columns, missing fields, a column of another report."""

    line: int
    headers: Mapping[str, str]
    missing: tuple[str, ...]
    another: str | None


@dataclass(frozen=True)
class _Row:
    line: int
    cells: tuple[str, ...]


@lru_cache(maxsize=1 << 14)
def normal(header: str) -> str:
    """A header without case, width and surplus spaces.

    >>> normal("\ufeffMax.  CPC ")
    'max. cpc'
    """
    return " ".join(unicodedata.normalize("NFKC", header).replace("\ufeff", "").lower().split())


def has_columns(text: str, profile: ReportProfile) -> bool:
    """True where the head of a file has all columns the profile needs, and none of another report."""
    fit = fit_of(text, profile)
    return fit is not None and not fit.missing and not fit.another


def fit_of(text: str, profile: ReportProfile) -> Fit | None:
    """How well the likeliest header line of a file fits; None where no line has two known columns."""
    best = _best_header(text, profile)
    if best is None:
        return None
    _, row, missing = best
    known = positions(row.cells, profile.columns)
    headers = {name: row.cells[at].strip() for name, at in known.items()}
    return Fit(row.line, headers, missing, _marks_another(row.cells, profile))


def headers_wanted(profile: ReportProfile, names: Sequence[str]) -> list[str]:
    """The header that each field usually has, for messages."""
    lookups = {name: headers for each in profile.lookups for name, headers in each.cells.items()}
    known = {**profile.joined, **lookups, **profile.columns}
    return [known[name][0] if known.get(name) else name for name in names]


def find_layout(text: str, profile: ReportProfile, file: str) -> Layout:
    """The layout of a file whose head is `text`.

    Raises `RefusedInput` when no line is the header, or required columns are missing or doubled.
    """
    best = _best_header(text, profile)
    if best is None:
        raise RefusedInput(
            "header_not_found", file=file, found=widest_row(text), profile=profile.name
        )
    delimiter, row, missing = best
    if missing:
        _refuse_missing(file, profile, row.cells, missing)
    if another := _marks_another(row.cells, profile):
        raise RefusedInput("another_report", file=file, profile=profile.name, column=another)
    return _layout(delimiter, row, _rows(text, delimiter), profile, file)


def _refuse_missing(
    file: str, profile: ReportProfile, found: Sequence[str], missing: Sequence[str]
) -> None:
    wanted = {name: list(profile.columns.get(name, ())) for name in missing}
    raise RefusedInput(
        "columns_missing",
        file=file,
        profile=profile.name,
        missing=list(missing),
        headers=wanted,
        found=[cell for cell in found if cell.strip()],
    )


@lru_cache(maxsize=64)
def _rows(text: str, delimiter: str) -> tuple[_Row, ...]:
    """The first rows; every profile asks for the same ones."""
    # Not splitlines(): it also splits at form feeds and U+2028, and line numbers would differ.
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    found = []
    for cells in reader:
        found.append(_Row(reader.line_num, tuple(cells)))
        if reader.line_num >= HEADER_WITHIN:
            break
    return tuple(found)


def _best_header(text: str, profile: ReportProfile) -> tuple[str, _Row, tuple[str, ...]] | None:
    """(delimiter, row, missing fields) of the row with most known columns; at least two."""
    delimiters = _DELIMITERS if profile.delimiter == "auto" else (profile.delimiter,)
    best: tuple[str, _Row, tuple[str, ...]] | None = None
    most = 1
    for delimiter in delimiters:
        for row in _rows(text, delimiter):
            if len(row.cells) < 2:
                continue
            known = positions(row.cells, profile.columns)
            known |= _joinable(row.cells, profile)
            if len(known) > most:
                most, best = len(known), (delimiter, row, _missing(known, profile))
    return best


def _joinable(cells: Sequence[str], profile: ReportProfile) -> dict[str, int]:
    """Fields made of several cells of which the file has one or more."""
    return positions(cells, profile.joined)


def _missing(known: Mapping[str, int], profile: ReportProfile) -> tuple[str, ...]:
    given = {*known, *profile.constants, *(name for each in profile.lookups for name in each.cells)}
    return tuple(name for name in profile.needed if name not in given)


def _marks_another(cells: Sequence[str], profile: ReportProfile) -> str | None:
    absent = {normal(name) for name in profile.absent}
    return next((cell for cell in cells if normal(cell) in absent), None)


def positions(cells: Sequence[str], wanted: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Position of each field, by the first of its headers that the file has."""
    plain, bare = _places(tuple(cells))
    found: dict[str, int] = {}
    for name, headers in wanted.items():
        keys = [normal(header) for header in headers]
        hits = [where[key] for where in (plain, bare) for key in keys if key in where]
        if hits:
            found[name] = hits[0]
    return found


@lru_cache(maxsize=1 << 10)
def _places(cells: tuple[str, ...]) -> tuple[dict[str, int], dict[str, int]]:
    """Position of each header as it stands, and without what it says of its unit in brackets."""
    names = [normal(cell) for cell in cells]
    return _first_positions(names), _first_positions([_without_unit(name) for name in names])


def _first_positions(names: Sequence[str]) -> dict[str, int]:
    return {name: at for at, name in reversed(list(enumerate(names))) if name}


def _without_unit(header: str) -> str:
    match = _SUFFIX.match(header)
    return match[1] if match else header


def _layout(
    delimiter: str, row: _Row, rows: Iterable[_Row], profile: ReportProfile, file: str
) -> Layout:
    columns = positions(row.cells, profile.columns)
    _refuse_doubled(row.cells, columns, file, profile)
    segments = positions(row.cells, {name: (name,) for name in profile.segments})
    return Layout(
        delimiter=delimiter,
        header_line=row.line,
        headers=tuple(cell.replace("\ufeff", "").strip() for cell in row.cells),
        columns=columns,
        derived=positions(row.cells, profile.derived),
        segments=tuple(sorted(set(segments.values()))),
        currency=_stated_currency(row.cells, columns, profile, file),
        preamble=tuple(above.cells for above in rows if above.line < row.line),
        width=len(row.cells),
    )


def _refuse_doubled(
    cells: Sequence[str], columns: Mapping[str, int], file: str, profile: ReportProfile
) -> None:
    count = Counter(normal(cell) for cell in cells)
    doubled = [cells[at] for at in columns.values() if count[normal(cells[at])] > 1]
    if doubled:
        raise RefusedInput("columns_doubled", file=file, profile=profile.name, columns=doubled)


def _stated_currency(
    cells: Sequence[str], columns: Mapping[str, int], profile: ReportProfile, file: str
) -> str | None:
    """The one currency that money headers state in brackets, if any does."""
    units = {normal(unit): code for unit, code in profile.header_units.items()}
    money = [cells[columns[name]] for name in ("cost", "value", "bid") if name in columns]
    stated = {code for cell in money if (code := _currency_of(cell, units))}
    if len(stated) > 1:
        raise RefusedInput("currency_mixed", file=file, currencies=sorted(stated))
    return next(iter(stated), None)


def _currency_of(header: str, units: Mapping[str, str]) -> str | None:
    match = _SUFFIX.match(normal(header))
    if not match:
        return None
    unit = match[2]
    return units.get(unit) or (unit.upper() if _CURRENCY.match(unit) else None)


def widest_row(text: str) -> list[str]:
    """The cells of the first wide line: what is shown when no header was recognised."""
    rows = [row.cells for delimiter in _DELIMITERS for row in _rows(text, delimiter)]
    return [cell.strip() for cell in max(rows, key=len, default=())][:60]


def preamble_lines(layout: Layout) -> Iterator[str]:
    """Every line above the header that says something."""
    for cells in layout.preamble:
        if line := ", ".join(cell.strip() for cell in cells if cell.strip()):
            yield line


def preamble_match(layout: Layout, pattern: str | None) -> re.Match[str] | None:
    """The first line above the header that the pattern knows."""
    if pattern is None:
        return None
    found = (re.search(pattern, line, re.IGNORECASE) for line in preamble_lines(layout))
    return next((match for match in found if match), None)


def refuse_preamble(layout: Layout, profile: ReportProfile, file: str) -> None:
    """Raise `RefusedInput` where a line above the header says that rows are no days."""
    for pattern in profile.preamble.refused:
        if match := preamble_match(layout, pattern):
            raise RefusedInput("preamble_refused", file=file, text=match[0])


def stated_period(layout: Layout, profile: ReportProfile, file: str) -> tuple[date, date] | None:
    """The date range written above the header. Raises `RefusedInput` when it is `All time`."""
    if match := preamble_match(layout, profile.preamble.period):
        first, *rest = (_parse_date(day) for day in match.groups() if day)
        last = rest[0] if rest else first
        return (first, last) if first and last and first <= last else None
    for line in preamble_lines(layout):
        if line.lower() in _OPEN_RANGES:
            raise RefusedInput("period_open", file=file, text=line)
        if period := parse_range(line):
            return period
    return None


def with_stated_window(layout: Layout, profile: ReportProfile, file: str) -> ReportProfile:
    """The profile with the attribution window that headers such as `7 Day Total Sales` state.

    Raises `RefusedInput` where conversions and value have different ones.
    """
    if profile.window_in_header is None:
        return profile
    headers = [normal(layout.header(name)) for name in ("conversions", "value")]
    found = [re.search(profile.window_in_header, header) for header in headers]
    days = {int(match[1]) for match in found if match}
    if len(days) > 1:
        raise RefusedInput("header_windows_mixed", file=file, headers=headers)
    return profile.model_copy(update={"attribution_window_days": days.pop()}) if days else profile


def parse_range(text: str) -> tuple[date, date] | None:
    """Two dates with a dash, `to`, 至 or ~ between them.

    >>> parse_range("May 18, 2025 - August 15, 2025")
    (datetime.date(2025, 5, 18), datetime.date(2025, 8, 15))
    """
    match = _RANGE.match(text.strip().strip('"'))
    if not match:
        return None
    first, last = _parse_date(match[1]), _parse_date(match[2])
    return (first, last) if first and last and first <= last else None


def _parse_date(text: str) -> date | None:
    for written in _PREAMBLE_DATES:
        try:
            return datetime.strptime(text.strip(), written).date()
        except ValueError:
            continue
    return None
