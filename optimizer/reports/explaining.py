"""Which profile claims a file and why, which columns it reads as what, and what the next nearest lack."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from optimizer import scratch
from optimizer.errors import RefusedInput
from optimizer.reports.extras import SEPARATOR, with_extras
from optimizer.reports.layout import (
    First,
    Joined,
    Layout,
    Taken,
    find_layout,
    fit_of,
    headers_wanted,
    widest_row,
)
from optimizer.reports.profiles import ReportProfile, Told, unanswered
from optimizer.reports.recognising import (
    Recognised,
    candidates,
    chosen_profiles,
    readings_of,
    refuse_known,
    texts_of,
)
from optimizer.settings import Configs

SHOWN_ROWS: Final = 3
_NEAR_SHOWN: Final = 3


@dataclass(frozen=True)
class Mapped:
    """A field, the header it is read from, and the first cells below that."""

    field: str
    header: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Claim:
    """A profile that reads the file: where its header is, what each column becomes, what is asked."""

    profile: str
    platform: str
    grain: str
    encoding: str
    delimiter: str
    header_line: int
    mapped: tuple[Mapped, ...]
    compared: tuple[Mapped, ...]
    summed_over: tuple[str, ...]
    unused: tuple[str, ...]
    asks: tuple[str, ...]


@dataclass(frozen=True)
class Near:
    """A profile that knows some of the columns: those it lacks, or the one that another report has."""

    profile: str
    known: int
    missing: tuple[str, ...]
    another: str | None


@dataclass(frozen=True)
class Explanation:
    """What is made of a file. `found` is its header where no profile claims it.

    `refused` is the code with its fields of what it is known to be then, such as a bid simulator.
    """

    file: str
    claims: tuple[Claim, ...]
    near: tuple[Near, ...]
    found: tuple[str, ...]
    refused: Mapping[str, Any] | None = None


def explain(
    path: Path, configs: Configs, profile: str | None = None, told: Told | None = None
) -> Explanation:
    """What the profiles (or the one named) make of the file.

    Raises `RefusedInput` for what holds no table, `NotFound` for an unknown profile.
    """
    profiles = chosen_profiles(configs, profile)
    with tempfile.TemporaryDirectory(prefix=scratch.prefix("report")) as folder:
        found = candidates(path, profiles, Path(folder))
        others = {name: each for name, each in profiles.items() if name not in found}
        text = _any_text(path, profiles, Path(folder))
        claims = tuple(_claim(each, told or Told()) for each in found.values())
    near = _nearest(text, others)
    if claims:
        return Explanation(path.name, claims, near, ())
    refused = _refusal(path.name, text, profiles)
    return Explanation(path.name, claims, near, tuple(widest_row(text)), refused)


def _refusal(
    file: str, text: str, profiles: Mapping[str, ReportProfile]
) -> Mapping[str, Any] | None:
    try:
        refuse_known(file, text, profiles)
    except RefusedInput as error:
        return {"code": error.code, **error.fields}
    return None


def _any_text(path: Path, profiles: Mapping[str, ReportProfile], folder: Path) -> str:
    texts = texts_of(path, profiles, folder)
    if not texts:
        raise RefusedInput("sheet_missing", file=path.name, sheet="")
    readings = readings_of(next(iter(texts.values())), "auto")
    return next(iter(readings.values()), "")


def _claim(found: Recognised, told: Told) -> Claim:
    profile = found.profile
    plain = find_layout(found.text, profile, found.file)
    layout = with_extras(plain, profile, found.file)
    rows = _first_rows(found.text, layout, profile)
    used = {*layout.columns.values(), *layout.derived.values(), *layout.segments}
    used |= {at for step in layout.steps for at in step.cells}
    return Claim(
        profile=profile.name,
        platform=profile.platform,
        grain=profile.grain,
        encoding=found.encodings[0],
        delimiter=layout.delimiter,
        header_line=layout.header_line,
        mapped=_mapped(layout.columns, layout, rows),
        compared=_mapped(layout.derived, layout, rows),
        summed_over=tuple(layout.headers[at] for at in layout.segments),
        unused=tuple(plain.headers[at] for at in range(plain.width) if at not in used),
        asks=tuple(unanswered(profile, told, Told())),
    )


def _first_rows(text: str, layout: Layout, profile: ReportProfile) -> list[list[str]]:
    """The first lines that the profile reads, as wide as the header, with the cells made from them."""
    reader = csv.reader(io.StringIO(text), delimiter=layout.delimiter)
    lines = (row for row in reader if reader.line_num > layout.header_line)
    whole = (row for row in lines if len(row) == layout.width and _reads(row, layout, profile))
    return [_with_made(row, layout) for row in islice(whole, SHOWN_ROWS)]


def _reads(row: Sequence[str], layout: Layout, profile: ReportProfile) -> bool:
    kinds = {kind.lower() for kind in profile.row_types}
    return any(row) and (not kinds or row[layout.columns["row_type"]].strip().lower() in kinds)


def _with_made(row: list[str], layout: Layout) -> list[str]:
    cells = list(row)
    for step in layout.steps:
        if isinstance(step, Taken):
            cells.extend([""] * len(step.cells))
            continue
        said = [cells[at].strip() for at in step.cells if cells[at].strip(" -")]
        cells.append(SEPARATOR.join(said) if isinstance(step, Joined) else next(iter(said), ""))
    return cells


def _mapped(
    columns: Mapping[str, int], layout: Layout, rows: Sequence[Sequence[str]]
) -> tuple[Mapped, ...]:
    return tuple(
        Mapped(name, _header(layout, at), tuple(row[at].strip() for row in rows))
        for name, at in sorted(columns.items(), key=lambda pair: pair[1])
    )


def _header(layout: Layout, at: int) -> str:
    """The header of a cell; of one made from several, all of theirs."""
    place = layout.width
    for step in layout.steps:
        size = len(step.cells) if isinstance(step, Taken) else 1
        if place <= at < place + size and isinstance(step, First | Joined):
            return SEPARATOR.join(layout.headers[cell] for cell in step.cells)
        place += size
    return layout.headers[at]


def _nearest(text: str, profiles: Mapping[str, ReportProfile]) -> tuple[Near, ...]:
    fits = [
        Near(
            name,
            len(fit.headers),
            tuple(headers_wanted(profile, fit.missing)),
            fit.another,
        )
        for name, profile in profiles.items()
        if (fit := fit_of(text, profile))
    ]
    fits.sort(key=lambda near: (near.another is not None, len(near.missing) - near.known))
    return tuple(fits[:_NEAR_SHOWN])
