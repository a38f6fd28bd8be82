"""Which profiles a file fits, in which encoding; and what it lacks for the nearest where it fits none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from optimizer.errors import RefusedInput
from optimizer.reports.dates import period_in_name
from optimizer.reports.decoding import decode_head, encodings_to_try, head_of
from optimizer.reports.layout import (
    Fit,
    find_layout,
    fit_of,
    has_columns,
    headers_wanted,
    normal,
    widest_row,
)
from optimizer.reports.parquet import PARQUET_MAGIC, parquet_to_csv
from optimizer.reports.profiles import ReportProfile, load_profile, load_profiles
from optimizer.reports.xlsx import ZIP_MAGIC, sheets_to_csv
from optimizer.settings import Configs

_FOREIGN_COLUMNS: Final = 2
"""As many headers of another language make sure that the report is known, but its language is not."""

SIMULATED_BIDS: Final = ("simulated max. cpc", "simulated bid", "max. cpc (simulated)")
"""Headers of a bid simulator's own bids; its other columns are those of a keyword report."""


@dataclass(frozen=True)
class Recognised:
    """A text whose encoding and profile are settled; `file` is the name that messages show."""

    path: Path
    file: str
    encodings: tuple[str, ...]
    """All that show the profile's header, the likeliest first."""
    text: str
    profile: ReportProfile


def chosen_profiles(configs: Configs, profile: str | None) -> dict[str, ReportProfile]:
    """The one profile asked for, else all that somebody has confirmed.

    Raises `NotFound`, `BadSettings`, and `RefusedInput` for a draft.
    """
    if profile is None:
        every = load_profiles(configs)
        return {name: each for name, each in every.items() if each.confirmed}
    found = load_profile(configs, profile)
    if not found.confirmed:
        raise RefusedInput("profile_unconfirmed", profile=profile)
    return {profile: found}


def candidates(
    path: Path, profiles: Mapping[str, ReportProfile], folder: Path
) -> dict[str, Recognised]:
    """What each fitting profile makes of the file; `folder` holds what must be written for that."""
    texts = texts_of(path, profiles, folder)
    tried = {
        name: _recognised(text, path.name, profile)
        for name, profile in profiles.items()
        if (text := texts.get(profile.sheet or "")) and _named(path, profile, profiles)
    }
    return {name: found for name, found in tried.items() if found}


def _named(path: Path, profile: ReportProfile, profiles: Mapping[str, ReportProfile]) -> bool:
    """False where the file's name lacks the period that this profile needs and others do not."""
    alone = len(profiles) == 1 or profile.period_in_name is None
    return alone or period_in_name(profile, path.name) is not None


def recognise(
    path: Path, profiles: Mapping[str, ReportProfile], folder: Path
) -> tuple[Recognised, ...]:
    """The one profile that fits, or all of one family. Raises `RefusedInput` for none and several."""
    found = candidates(path, profiles, folder)
    families = {each.profile.family for each in found.values()}
    if len(found) == 1 or (len(families) == 1 and "" not in families):
        return tuple(found.values())
    if found:
        raise RefusedInput("profile_ambiguous", file=path.name, profiles=sorted(found))
    _refuse_unlike(path, profiles, folder)
    raise RefusedInput("profile_not_found", file=path.name, found=[], known=sorted(profiles))


def texts_of(path: Path, profiles: Mapping[str, ReportProfile], folder: Path) -> dict[str, Path]:
    """By sheet ("" for the first) the text to read: the file itself, or CSV made of it."""
    sheets = sorted({profile.sheet or "" for profile in profiles.values()})
    head = head_of(path)
    if head.startswith(PARQUET_MAGIC):
        target = folder / "parquet.csv"
        if not target.exists():
            parquet_to_csv(path, target)
        return dict.fromkeys(sheets, target)
    if head.startswith(ZIP_MAGIC):
        written = folder / "sheets"
        written.mkdir(exist_ok=True)
        return sheets_to_csv(path, sheets, written)
    return dict.fromkeys(sheets, path)


def readings_of(path: Path, hint: str) -> dict[str, str]:
    """The head of a text file in every encoding it may be in."""
    head = head_of(path)
    texts = {name: decode_head(head, name) for name in encodings_to_try(path, head, hint)}
    return {name: text for name, text in texts.items() if text is not None}


def nearest_profile(
    text: str, profiles: Mapping[str, ReportProfile]
) -> tuple[ReportProfile, Fit] | None:
    """The profile that knows most of the header's columns; of several the one that lacks least."""
    fits = [(each, fit) for each in profiles.values() if (fit := fit_of(text, each))]
    return max(fits, key=_nearness, default=None)


def _nearness(pair: tuple[ReportProfile, Fit]) -> tuple[bool, int, int]:
    fit = pair[1]
    return fit.another is None, len(fit.headers) - 2 * len(fit.missing), -len(fit.missing)


def _recognised(path: Path, file: str, profile: ReportProfile) -> Recognised | None:
    """The file in the first encoding that shows the profile's header."""
    readings = readings_of(path, profile.encoding)
    fitting = tuple(name for name, text in readings.items() if has_columns(text, profile))
    return Recognised(path, file, fitting, readings[fitting[0]], profile) if fitting else None


def _refuse_unlike(path: Path, profiles: Mapping[str, ReportProfile], folder: Path) -> None:
    """Say what the file lacks for the one profile asked for, else for the nearest."""
    (first, *others) = profiles.values()
    texts = texts_of(path, profiles, folder)
    if not texts:
        if not others:
            raise RefusedInput("sheet_missing", file=path.name, sheet=first.sheet)
        return
    text_path = next(iter(texts.values()))
    readings = readings_of(text_path, first.encoding)
    if not readings:
        tried = list(encodings_to_try(text_path, head_of(text_path), first.encoding))
        raise RefusedInput("encoding_unknown", file=path.name, tried=tried)
    text = next(iter(readings.values()))
    refuse_known(path.name, text, profiles)
    if not others:
        find_layout(text, first, path.name)
    _refuse_near(path.name, text, profiles)
    found, known = widest_row(text), sorted(profiles)
    raise RefusedInput("profile_not_found", file=path.name, found=found, known=known)


def refuse_known(file: str, text: str, profiles: Mapping[str, ReportProfile]) -> None:
    """Raises `RefusedInput` for what is known, but no report that can be imported as it is."""
    _refuse_simulator(file, text)
    _refuse_localised(file, text, profiles)


def _refuse_simulator(file: str, text: str) -> None:
    """A bid simulator counts clicks that nobody made: it is an argument of the review."""
    if {normal(cell) for cell in widest_row(text)} & set(SIMULATED_BIDS):
        raise RefusedInput("report_simulated", file=file)


def _refuse_localised(file: str, text: str, profiles: Mapping[str, ReportProfile]) -> None:
    """A report that is known, with its header in a language that is not."""
    cells = {normal(cell): cell for cell in widest_row(text)}
    for profile in profiles.values():
        foreign = [cells[normal(name)] for name in profile.localised if normal(name) in cells]
        if len(foreign) >= _FOREIGN_COLUMNS:
            raise RefusedInput("report_localised", file=file, profile=profile.name, found=foreign)


def _refuse_near(file: str, text: str, profiles: Mapping[str, ReportProfile]) -> None:
    near = nearest_profile(text, profiles)
    if near is None or not near[1].missing:
        return
    profile, fit = near
    raise RefusedInput(
        "profile_near",
        file=file,
        profile=profile.name,
        missing=headers_wanted(profile, fit.missing),
        matched=sorted(fit.headers.values()),
        known=sorted(profiles),
    )
