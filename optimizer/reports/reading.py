"""One file to one `Report`: recognise it, read it, sort its rows, reconcile it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import duckdb
import pandas as pd

from optimizer.errors import RefusedInput
from optimizer.reports.decoding import (
    Lines,
    decode_head,
    encodings_to_try,
    head_of,
    sha256_of,
    write_lines,
)
from optimizer.reports.frames import kept_frame
from optimizer.reports.layout import Layout, find_layout, has_columns, stated_period, widest_row
from optimizer.reports.profiles import ReportProfile, load_profile, load_profiles
from optimizer.reports.reconciliation import reconcile
from optimizer.reports.rows import Reading
from optimizer.reports.sorting import sort_rows
from optimizer.reports.xlsx import ZIP_MAGIC, sheets_to_csv
from optimizer.settings import Configs
from optimizer.tables import Grain, Reconciliation, Report

MEMORY_LIMIT: Final = "2GB"


@dataclass(frozen=True)
class _Recognised:
    """A text file whose encoding and profile are settled."""

    path: Path
    encodings: tuple[str, ...]
    """All that show the profile's header, the likeliest first."""
    text: str
    profile: ReportProfile


def identify(path: Path, configs: Configs) -> list[str]:
    """Names of the profiles whose columns the file has; empty when it is like none of them.

    Raises `RefusedInput` for a file that holds no table at all.
    """
    with tempfile.TemporaryDirectory(prefix="report-") as folder:
        profiles = load_profiles(configs)
        return sorted(_candidates(_texts(path, profiles, Path(folder)), profiles))


def read_report(
    path: Path,
    configs: Configs,
    profile: str | None,
    as_of: date,
    *,
    accept_quarantine: bool = False,
) -> Report:
    """Read and check one report, downloaded on `as_of`; `profile` None picks the one that fits.

    Rows of the day `as_of` are dropped: it was not over. Raises `RefusedInput` when the file cannot
    be trusted, `NotFound` for a profile that does not exist.
    """
    sha256 = sha256_of(path)
    chosen = {profile: load_profile(configs, profile)} if profile else load_profiles(configs)
    with tempfile.TemporaryDirectory(prefix="report-") as folder:
        found = _recognise(path, chosen, Path(folder))
        reading, lines = _prepare(found, as_of, Path(folder))
        rows, result, quarantine = _read(reading, lines, accept_quarantine)
    return Report(
        file_name=path.name,
        sha256=sha256,
        platform=found.profile.platform,
        grain=_grain(reading),
        rows=rows,
        quarantine=quarantine,
        reconciliation=result,
    )


def _read(
    reading: Reading, lines: Lines, accept_quarantine: bool
) -> tuple[pd.DataFrame, Reconciliation, pd.DataFrame]:
    """Kept rows, their reconciliation and the quarantine."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(reading.lines.parent),
    }
    try:
        with duckdb.connect(":memory:", config=config) as db:
            found = sort_rows(db, reading, lines)
            result = reconcile(db, reading, found, accept_quarantine=accept_quarantine)
            rows = kept_frame(found.kept, reading.profile.table, found.line_of)
    except duckdb.Error as error:
        why = str(error).partition("\n")[0]
        raise RefusedInput("csv_unreadable", file=reading.file, why=why) from error
    return rows, result, found.quarantine


def _grain(reading: Reading) -> Grain:
    daily = reading.has("day")
    if reading.profile.grain == "keyword":
        return "keyword_day" if daily else "keyword_period"
    return "search_term_day" if daily else "search_term_period"


def _candidates(
    texts: Mapping[str, Path], profiles: Mapping[str, ReportProfile]
) -> dict[str, _Recognised]:
    """What each fitting profile makes of the file, given its texts by sheet."""
    tried = {
        name: _recognised(text, profile)
        for name, profile in profiles.items()
        if (text := texts.get(profile.sheet or ""))
    }
    return {name: found for name, found in tried.items() if found}


def _texts(path: Path, profiles: Mapping[str, ReportProfile], folder: Path) -> dict[str, Path]:
    """By sheet ("" for the first) the text to read: the file itself, or a workbook's sheets as CSV."""
    sheets = sorted({profile.sheet or "" for profile in profiles.values()})
    if not head_of(path).startswith(ZIP_MAGIC):
        return dict.fromkeys(sheets, path)
    return sheets_to_csv(path, sheets, folder)


def _recognised(path: Path, profile: ReportProfile) -> _Recognised | None:
    """The file in the first encoding that shows the profile's header."""
    readings = _readings(path, profile.encoding)
    fitting = tuple(name for name, text in readings.items() if has_columns(text, profile))
    return _Recognised(path, fitting, readings[fitting[0]], profile) if fitting else None


def _readings(path: Path, hint: str) -> dict[str, str]:
    """The head of a text file in every encoding it may be in."""
    head = head_of(path)
    texts = {name: decode_head(head, name) for name in encodings_to_try(path, head, hint)}
    return {name: text for name, text in texts.items() if text is not None}


def _recognise(path: Path, profiles: Mapping[str, ReportProfile], folder: Path) -> _Recognised:
    texts = _texts(path, profiles, folder)
    found = _candidates(texts, profiles)
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise RefusedInput("profile_ambiguous", file=path.name, profiles=sorted(found))
    if profiles:
        _refuse_unlike(path, profiles, texts)
    raise RefusedInput("profile_not_found", file=path.name, found=[], known=sorted(profiles))


def _refuse_unlike(
    path: Path, profiles: Mapping[str, ReportProfile], texts: Mapping[str, Path]
) -> None:
    """Say what the file lacks for the one profile asked for, else which header it has."""
    (first, *others) = profiles.values()
    if not texts:
        if not others:
            raise RefusedInput("sheet_missing", file=path.name, sheet=first.sheet)
        return
    text_path = next(iter(texts.values()))
    readings = _readings(text_path, first.encoding)
    if not readings:
        tried = list(encodings_to_try(text_path, head_of(text_path), first.encoding))
        raise RefusedInput("encoding_unknown", file=path.name, tried=tried)
    text = next(iter(readings.values()))
    if not others:
        find_layout(text, first, path.name)
    known = sorted(profiles)
    raise RefusedInput("profile_not_found", file=path.name, found=widest_row(text), known=known)


def _prepare(found: _Recognised, as_of: date, folder: Path) -> tuple[Reading, Lines]:
    file = found.path.name
    layout = find_layout(found.text, found.profile, file)
    lines = _write_lines(found, layout, folder / "lines.csv")
    if not lines.records:
        raise RefusedInput("no_rows", file=file, dropped={}, quarantined=0)
    reading = Reading(
        file=file,
        lines=folder / "lines.csv",
        layout=layout,
        profile=found.profile,
        as_of=as_of,
        period=_period(layout, file, as_of),
        controls=lines.controls,
    )
    return reading, lines


def _write_lines(found: _Recognised, layout: Layout, target: Path) -> Lines:
    """The data lines in the first encoding that holds to the end of the file."""
    *likelier, last = found.encodings
    guessed = found.profile.encoding == "auto"
    for encoding in likelier:
        try:
            return write_lines(found.path, encoding, layout.header_line, target)
        except RefusedInput as error:
            if error.code != "encoding_unknown":
                raise
    return write_lines(found.path, last, layout.header_line, target, guessed=guessed)


def _period(layout: Layout, file: str, as_of: date) -> tuple[date, date] | None:
    """The period all rows cover, where the rows do not say it themselves."""
    if "day" in layout.columns or "period_start" in layout.columns:
        return None
    period = stated_period(layout, file)
    if period is None:
        raise RefusedInput("period_missing", file=file)
    if period[1] >= as_of:
        raise RefusedInput(
            "period_not_over", file=file, start=period[0], end=period[1], as_of=as_of
        )
    return period
