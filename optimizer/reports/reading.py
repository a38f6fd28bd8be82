"""One file to one `Report`: recognise it, read it, sort its rows, reconcile it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import duckdb

from optimizer.errors import RefusedInput
from optimizer.reports.decoding import (
    decode_head,
    encodings_to_try,
    head_of,
    sha256_of,
    write_lines,
)
from optimizer.reports.frames import kept_frame
from optimizer.reports.layout import Layout, find_layout, matching, stated_period, widest_row
from optimizer.reports.profiles import ReportProfile, choose_profile, load_profiles
from optimizer.reports.reconciliation import reconcile
from optimizer.reports.rows import Reading
from optimizer.reports.sorting import sort_rows
from optimizer.settings import Configs
from optimizer.tables import Grain, Report

MEMORY_LIMIT: Final = "2GB"


@dataclass(frozen=True)
class _Recognised:
    """A text file whose encoding and profile are settled."""

    encoding: str
    text: str
    profile: ReportProfile


def identify(path: Path, configs: Configs) -> list[str]:
    """Names of the profiles whose columns the file has; empty when it is like none of them."""
    return sorted(_candidates(path, load_profiles(configs)))


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
    be trusted (see the package's docstring), `NotFound` for a profile that does not exist.
    """
    sha256 = sha256_of(path)
    profiles = load_profiles(configs)
    chosen = {profile: choose_profile(profiles, profile)} if profile else profiles
    with tempfile.TemporaryDirectory(prefix="report-") as folder:
        found = _recognise(path, chosen)
        reading, lines = _prepare(path, found, as_of, Path(folder))
        with duckdb.connect(":memory:", config=_config(folder)) as db:
            sorted_rows = sort_rows(db, reading, lines)
            result = reconcile(db, reading, sorted_rows, accept_quarantine=accept_quarantine)
            rows = kept_frame(db, reading, sorted_rows.line_of)
    return Report(
        file_name=path.name,
        sha256=sha256,
        platform=found.profile.platform,
        grain=_grain(reading),
        rows=rows,
        quarantine=sorted_rows.quarantine,
        reconciliation=result,
    )


def _config(folder: str) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": folder,
        "autoinstall_known_extensions": False,
    }


def _grain(reading: Reading) -> Grain:
    daily = reading.has("day")
    if reading.profile.grain == "keyword":
        return "keyword_day" if daily else "keyword_period"
    return "search_term_day" if daily else "search_term_period"


def _candidates(path: Path, profiles: Mapping[str, ReportProfile]) -> dict[str, _Recognised]:
    """What each fitting profile makes of the file; the first encoding that shows a header wins."""
    head = head_of(path)
    found: dict[str, _Recognised] = {}
    for name, profile in profiles.items():
        for encoding in encodings_to_try(path, head, profile.encoding):
            text = decode_head(head, encoding)
            if text is not None and matching(text, {name: profile}):
                found[name] = _Recognised(encoding, text, profile)
                break
    return found


def _recognise(path: Path, profiles: Mapping[str, ReportProfile]) -> _Recognised:
    found = _candidates(path, profiles)
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise RefusedInput("profile_ambiguous", file=path.name, profiles=sorted(found))
    head = head_of(path)
    texts = [decode_head(head, name) for name in encodings_to_try(path, head)]
    text = next((text for text in texts if text is not None), "")
    if len(profiles) == 1:
        find_layout(text, next(iter(profiles.values())), path.name)
    raise RefusedInput(
        "profile_not_found", file=path.name, found=widest_row(text), known=sorted(profiles)
    )


def _prepare(path: Path, found: _Recognised, as_of: date, folder: Path):
    layout = find_layout(found.text, found.profile, path.name)
    lines = write_lines(path, found.encoding, layout.header_line, folder / "lines.csv")
    if not lines.records:
        raise RefusedInput("no_rows", file=path.name)
    reading = Reading(
        file=path.name,
        lines=folder / "lines.csv",
        layout=layout,
        profile=found.profile,
        as_of=as_of,
        period=_period(layout, path.name, as_of),
        controls=lines.controls,
    )
    return reading, lines


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
