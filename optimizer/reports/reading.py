"""One file to one `Report`, or to one per profile of a family: read it, sort its rows, reconcile it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

import duckdb

from optimizer import scratch
from optimizer.errors import RefusedInput
from optimizer.kept_rows import KeptRows
from optimizer.reports.dates import (
    period_in_name,
    refuse_open_period,
    with_settled_dates,
    with_stated_range,
)
from optimizer.reports.decoding import Lines, sha256_of, write_lines
from optimizer.reports.extras import with_extras
from optimizer.reports.layout import (
    Layout,
    find_layout,
    refuse_preamble,
    stated_period,
    with_stated_window,
)
from optimizer.reports.profiles import ReportProfile, Told, answered, unanswered
from optimizer.reports.queries import Tell, nobody, stretch
from optimizer.reports.recognising import Recognised, candidates, chosen_profiles, recognise
from optimizer.reports.reconciliation import platform_of, reconcile
from optimizer.reports.rows import Reading
from optimizer.reports.shape import refuse_shapeless
from optimizer.reports.sorting import sort_rows
from optimizer.settings import Configs
from optimizer.tables import Grain, Report

MEMORY_LIMIT: Final = "2GB"
_NOBODY: Final = Told()
_LINES: Final = 0.3
"""Share of the work, roughly, that goes by before the first row is read."""
_ROWS: Final = 0.9
"""Share of the rest that goes by before the rows are held against the file's totals."""


def identify(path: Path, configs: Configs) -> list[str]:
    """Names of the profiles whose columns the file has; empty when it is like none of them.

    Raises `RefusedInput` for a file that holds no table at all.
    """
    with _folder_for(path) as folder:
        return sorted(candidates(path, chosen_profiles(configs, None), folder))


@contextmanager
def _folder_for(path: Path) -> Iterator[Path]:
    """A temporary folder for what is made of a file. Raises `RefusedInput` where the disk is full."""
    try:
        with tempfile.TemporaryDirectory(prefix=scratch.prefix("report")) as folder:
            yield Path(folder)
    except OSError as error:
        why = error.strerror or str(error)
        raise RefusedInput("file_unreadable", file=path.name, why=why) from error


def read_reports(
    path: Path,
    configs: Configs,
    profile: str | None,
    as_of: date,
    *,
    told: Told = _NOBODY,
    earlier: Told = _NOBODY,
    accept_quarantine: bool = False,
    tell: Tell = nobody,
) -> tuple[Report, ...]:
    """Read and check one file, downloaded on `as_of`; `profile` None picks what fits.

    A file that several profiles of one family fit gives one report for each whose rows it has. Rows
    of the day `as_of` are dropped: it was not over. `told` is what the operator says of the file,
    `earlier` what was said of others and stands where the profile asks. `tell` hears how far the
    reading is. Raises `RefusedInput` when the file cannot be trusted or the operator must say more,
    `NotFound` for an unknown profile.
    """
    profiles = chosen_profiles(configs, profile)
    # Beside the reading, which one thread does at first; hashing needs no interpreter.
    with ThreadPoolExecutor(1) as beside, _folder_for(path) as folder:
        sha256 = beside.submit(sha256_of, path)
        parts = recognise(path, profiles, folder)
        reports, empty = [], None
        for number, part in enumerate(parts):
            own = folder / f"part {number}"
            own.mkdir()
            heard = stretch(tell, number / len(parts), (number + 1) / len(parts))
            try:
                reports.append(
                    _report(
                        part, sha256.result, as_of, own, (told, earlier), accept_quarantine, heard
                    )
                )
            except RefusedInput as error:
                if len(parts) == 1 or error.code != "no_rows":
                    raise
                empty = error
    if empty and not reports:
        raise empty
    return tuple(reports)


def read_report(
    path: Path,
    configs: Configs,
    profile: str | None,
    as_of: date,
    *,
    told: Told = _NOBODY,
    earlier: Told = _NOBODY,
    accept_quarantine: bool = False,
) -> Report:
    """`read_reports` of a file that is one report. Raises `RefusedInput` where it is several."""
    found = read_reports(
        path,
        configs,
        profile,
        as_of,
        told=told,
        earlier=earlier,
        accept_quarantine=accept_quarantine,
    )
    if len(found) > 1:
        names = [each.reconciliation.profile for each in found]
        raise RefusedInput("profile_ambiguous", file=path.name, profiles=names)
    return found[0]


def _report(
    part: Recognised,
    sha256: Callable[[], str],
    as_of: date,
    folder: Path,
    told: tuple[Told, Told],
    accept_quarantine: bool,
    tell: Tell,
) -> Report:
    if asked := unanswered(part.profile, *told):
        raise RefusedInput("answer_missing", file=part.file, profile=part.profile.name, asks=asked)
    profile = answered(part.profile, *told)
    reading, lines = _prepare(part, profile, as_of, folder, stretch(tell, 0.0, _LINES))
    found = _read(reading, lines, accept_quarantine, stretch(tell, _LINES, 1.0))
    return Report(file_name=part.file, sha256=sha256(), grain=_grain(reading), **found)


def _read(reading: Reading, lines: Lines, accept_quarantine: bool, tell: Tell) -> dict[str, Any]:
    """The report's platform, kept rows, their reconciliation and the quarantine."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(reading.lines.parent),
    }
    columns = reading.profile.table.columns
    try:
        with duckdb.connect(":memory:", config=config) as db:
            found = sort_rows(db, reading, lines, stretch(tell, 0.0, _ROWS))
            result = reconcile(db, reading, found, accept_quarantine=accept_quarantine)
            return {
                "platform": platform_of(db, reading),
                "kept": KeptRows(found.kept, found.things, columns, found.line_of),
                "reconciliation": result,
                "quarantine": found.quarantine,
            }
    except duckdb.Error as error:
        why = str(error).partition("\n")[0]
        raise RefusedInput("csv_unreadable", file=reading.file, why=why) from error


def _grain(reading: Reading) -> Grain:
    grain = reading.profile.grain
    if grain in ("keyword_state", "negative", "item", "item_log", "organic"):
        return grain
    daily = reading.has("day")
    if grain == "keyword":
        return "keyword_day" if daily else "keyword_period"
    if grain == "creative":
        return "creative_day" if daily else "creative_period"
    return "search_term_day" if daily else "search_term_period"


def _prepare(
    found: Recognised, profile: ReportProfile, as_of: date, folder: Path, tell: Tell
) -> tuple[Reading, Lines]:
    file = found.file
    plain = find_layout(found.text, profile, file)
    profile = with_stated_window(plain, profile, file)
    refuse_preamble(plain, profile, file)
    layout = with_extras(plain, profile, file)
    lines = _write_lines(found, layout, folder / "lines.csv", tell)
    if not lines.records:
        raise RefusedInput("no_rows", file=file, dropped={}, quarantined=0)
    refuse_shapeless(folder / "lines.csv", lines, layout.delimiter, layout.width, file)
    reading = Reading(
        file=file,
        lines=folder / "lines.csv",
        layout=layout,
        profile=profile,
        as_of=as_of,
        period=_period(layout, profile, file, as_of),
        controls=lines.controls,
    )
    return with_settled_dates(with_stated_range(reading)), lines


def _write_lines(found: Recognised, layout: Layout, target: Path, tell: Tell) -> Lines:
    """The data lines in the first encoding that holds to the end of the file."""
    *likelier, last = found.encodings
    guessed = found.profile.encoding == "auto"
    for encoding in likelier:
        try:
            return write_lines(found.path, encoding, layout, target, tell=tell)
        except RefusedInput as error:
            if error.code != "encoding_unknown":
                raise
    return write_lines(found.path, last, layout, target, guessed=guessed, tell=tell)


def _period(
    layout: Layout, profile: ReportProfile, file: str, as_of: date
) -> tuple[date, date] | None:
    """The period all rows cover, where the rows do not say it themselves."""
    if profile.is_snapshot:
        return as_of, as_of
    if "day" in layout.columns or "period_start" in layout.columns:
        return None
    period = period_in_name(profile, file) or stated_period(layout, profile, file)
    if period is None:
        raise RefusedInput("period_missing", file=file)
    refuse_open_period(file, period, as_of)
    return period
