"""A platform's bid simulator: what it says other bids would bring per day.

Read are the Google Ads bid-simulator download (CSV, or UTF-16 with tabs; title and period above the
header), the points of `ad_group_criterion_simulation` of its API as a table, and a small neutral CSV:
keyword_id, or campaign, ad_group, keyword and match_type; then bid, clicks, cost per day. One row per
keyword and bid. A file is refused at its first bad row.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd

from optimizer.errors import RefusedInput
from optimizer.reports.layout import parse_range
from optimizer.reports.recognising import SIMULATED_BIDS, readings_of
from optimizer.tables import LANDSCAPES, MICROS, check_table, empty_table

NAMES: Final = ("campaign", "ad_group", "keyword", "match_type")
NUMBERS: Final = ("bid", "clicks", "cost")
_TABLE: Final = {
    **dict(
        zip(NAMES, ("campaign_name", "ad_group_name", "keyword_text", "match_type"), strict=True)
    ),
    "keyword_id": "keyword_id",
    "ad_group_id": "ad_group_id",
}
_MOST: Final = 1e9
_WEEK: Final = 7
"""Days that a simulation covers where the file does not say: Google's says what "the last 7 days" would
have been at another bid (its Bid Simulator reference guide)."""
_HEADER_LINES: Final = 15
_DELIMITERS: Final = (",", "\t", ";")
_NOTHING: Final = ("", "--", "—")
_GROUPED: Final = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")


@dataclass(frozen=True)
class _Shape:
    """How one kind of file calls its columns, and what its sums mean.

    `days` the sums cover unless a period stands above the header; 0: as the row's own dates say.
    `scale` of money. `skips`: rows of totals and keywords without an estimate are left out.
    """

    names: Mapping[str, tuple[str, ...]]
    days: int = 1
    scale: float = 1.0
    skips: bool = False
    marks: tuple[str, ...] = ()
    """Headers of which the file has one, where its other columns are those of other reports too."""


_API: Final = "ad_group_criterion_simulation."
_POINT: Final = f"{_API}cpc_bid_point_list.points."
_SHAPES: Final = (
    _Shape({name: (name,) for name in ("keyword_id", *NAMES, *NUMBERS)}),
    _Shape(
        {
            "keyword_id": ("keyword id",),
            "ad_group_id": ("ad group id",),
            "campaign": ("campaign",),
            "ad_group": ("ad group",),
            "keyword": ("keyword", "search keyword"),
            "match_type": ("match type", "search keyword match type"),
            "bid": SIMULATED_BIDS,
            "clicks": ("clicks", "est. clicks", "simulated clicks"),
            "cost": ("cost", "est. cost", "simulated cost"),
        },
        days=_WEEK,
        skips=True,
        marks=SIMULATED_BIDS,
    ),
    _Shape(
        {
            "keyword_id": (f"{_API}criterion_id", "criterion_id"),
            "ad_group_id": (f"{_API}ad_group_id", "ad_group_id"),
            "bid": (f"{_POINT}cpc_bid_micros", "cpc_bid_micros"),
            "clicks": (f"{_POINT}clicks", "clicks"),
            "cost": (f"{_POINT}cost_micros", "cost_micros"),
            "first": (f"{_API}start_date", "start_date"),
            "last": (f"{_API}end_date", "end_date"),
        },
        days=0,
        scale=1 / MICROS,
        marks=(f"{_POINT}cpc_bid_micros", "cpc_bid_micros"),
    ),
)


@dataclass(frozen=True)
class _Found:
    """A file whose header was found: where its fields are, and what identifies a keyword."""

    file: str
    shape: _Shape
    columns: Mapping[str, int]
    rows: Sequence[tuple[int, list[str]]]
    days: int
    by: tuple[str, ...]

    def cell(self, row: Sequence[str], name: str) -> str:
        """The cleaned cell of the field; "" where the row is too short."""
        at = self.columns[name]
        return row[at].strip() if at < len(row) else ""


def read_landscape(path: Path, keywords: pd.DataFrame) -> pd.DataFrame:
    """Table LANDSCAPES of the file, for table KEYWORDS; clicks and cost per day.

    Raises `RefusedInput` naming file, line, column and text of the first bad cell, a keyword that is
    unknown or ambiguous, or a bid that is given twice.
    """
    found = _open(path)
    rows = list(_points(found, _known(keywords, found.by)))
    if not rows:
        raise RefusedInput("landscape_empty", file=path.name)
    frame = pd.DataFrame(rows, columns=list(LANDSCAPES.columns))
    return check_table(frame.astype(empty_table(LANDSCAPES).dtypes), LANDSCAPES)


def _open(path: Path) -> _Found:
    """The file in the encoding that shows a known header."""
    nearest: RefusedInput | None = None
    for encoding in readings_of(path, "auto"):
        try:
            text = path.read_text(encoding=encoding).lstrip("\ufeff")
            return _found(text, path.name)
        except UnicodeDecodeError:
            continue
        except RefusedInput as refusal:
            nearest = nearest or refusal
        except csv.Error as error:
            raise RefusedInput("landscape_unreadable", file=path.name, why=str(error)) from error
    raise nearest or RefusedInput("landscape_unreadable", file=path.name, why="encoding")


def _found(text: str, file: str) -> _Found:
    """Raises `RefusedInput` `landscape_column` where no line is a header of a known shape."""
    missing = ["bid"]
    for delimiter in _DELIMITERS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        listed = [(reader.line_num, row) for row in reader]
        for place, (_, row) in enumerate(listed[:_HEADER_LINES]):
            names = [_plain(cell) for cell in row]
            for shape in _SHAPES:
                columns, by, lacking = _columns(shape, names)
                if by and not lacking:
                    days = _days(shape, listed[:place])
                    return _Found(file, shape, columns, listed[place + 1 :], days, by)
                missing = lacking if len(columns) > 1 and lacking else missing
    raise RefusedInput("landscape_column", file=file, column=missing[0])


def _columns(
    shape: _Shape, names: Sequence[str]
) -> tuple[dict[str, int], tuple[str, ...], list[str]]:
    """Where the fields are, the fields that identify a keyword, and those that lack."""
    columns = {
        name: names.index(known[0])
        for name, headers in shape.names.items()
        if (known := [each for each in headers if each in names])
    }
    if shape.marks and not set(shape.marks) & set(names):
        return {}, (), ["bid"]
    ids = tuple(name for name in ("ad_group_id", "keyword_id") if name in columns)
    by = ids if "keyword_id" in ids else NAMES
    dates = () if shape.days else ("first", "last")
    return columns, by, [name for name in (*by, *NUMBERS, *dates) if name not in columns]


def _days(shape: _Shape, above: Sequence[tuple[int, list[str]]]) -> int:
    """Days of the period that a line above the header states, else the shape's own."""
    if not shape.skips:
        return shape.days
    periods = (parse_range(", ".join(cell.strip() for cell in row)) for _, row in above)
    stated = next((period for period in periods if period), None)
    return shape.days if stated is None else (stated[1] - stated[0]).days + 1


def _known(keywords: pd.DataFrame, by: tuple[str, ...]) -> Mapping[tuple[str, ...], list[int]]:
    """Entity keys by the names in the file's columns."""
    columns = [keywords[_TABLE[name]].astype("str").map(_plain) for name in by]
    found: dict[tuple[str, ...], list[int]] = {}
    for *names, key in zip(*columns, keywords["entity_key"], strict=True):
        found.setdefault(tuple(names), []).append(int(key))
    return found


def _plain(text: Any) -> str:
    return " ".join(str(text).split()).casefold()


def _points(
    found: _Found, known: Mapping[tuple[str, ...], list[int]]
) -> Iterator[tuple[int, float, float, float]]:
    seen: set[tuple[int, float]] = set()
    for line, row in found.rows:
        if not any(cell.strip() for cell in row) or _is_beside(found, row):
            continue
        where = {"file": found.file, "line": line}
        bid, clicks, cost = (_number(found, row, name, where) for name in NUMBERS)
        key = _entity(found, row, known, where)
        if (key, bid) in seen:
            raise RefusedInput("landscape_repeated", **where, text=found.cell(row, "bid"))
        seen.add((key, bid))
        days = _covered(found, row, where)
        yield key, bid, clicks / days, cost / days


def _is_beside(found: _Found, row: Sequence[str]) -> bool:
    """A row of totals, or of a keyword that the platform has no estimate for."""
    if not found.shape.skips:
        return False
    total = any(cell.strip().startswith("Total:") for cell in row)
    return total or all(found.cell(row, name) in _NOTHING for name in ("clicks", "cost"))


def _entity(
    found: _Found,
    row: Sequence[str],
    known: Mapping[tuple[str, ...], list[int]],
    where: Mapping[str, Any],
) -> int:
    told = {name: found.cell(row, name) for name in found.by}
    keys = known.get(tuple(_plain(text) for text in _bare(told).values()), [])
    if len(keys) != 1:
        code = "landscape_ambiguous" if keys else "landscape_unknown"
        raise RefusedInput(code, **where, text=" | ".join(told.values()))
    return keys[0]


_DECORATED: Final = {"exact": ("[", "]"), "phrase": ('"', '"'), "broad": ("", "")}


def _bare(told: Mapping[str, str]) -> dict[str, str]:
    """The names as the store has them: `Exact match` is EXACT, `[red shoes]` is red shoes."""
    if "match_type" not in told:
        return dict(told)
    match = _plain(told["match_type"]).removesuffix(" match")
    first, last = _DECORATED.get(match, ("", ""))
    keyword = told["keyword"]
    if first and keyword.startswith(first) and keyword.endswith(last):
        keyword = keyword[1:-1]
    return {**told, "keyword": keyword, "match_type": match}


def _covered(found: _Found, row: Sequence[str], where: Mapping[str, Any]) -> int:
    """Days that the row's sums cover."""
    if found.days:
        return found.days
    texts = [found.cell(row, name) for name in ("first", "last")]
    try:
        first, last = (date.fromisoformat(text) for text in texts)
    except ValueError:
        first, last = date.max, date.min
    if last < first:
        raise RefusedInput("landscape_cell", **where, column="end_date", text=" … ".join(texts))
    return (last - first).days + 1


def _number(found: _Found, row: Sequence[str], name: str, where: Mapping[str, Any]) -> float:
    """A finite number, not negative; a bid above 0. Commas only between groups of three."""
    text = found.cell(row, name)
    try:
        value = float(text.replace(",", "") if _GROUPED.fullmatch(text) else text)
    except ValueError:
        value = math.nan
    value *= 1.0 if name == "clicks" else found.shape.scale
    least = 0.0 if name != "bid" else 1e-9
    if not least <= value <= _MOST:
        raise RefusedInput("landscape_cell", **where, column=name, text=text)
    return value
