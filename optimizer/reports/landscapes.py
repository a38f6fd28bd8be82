"""A platform's bid simulator as a small CSV file: what it says other bids would bring per day.

Columns: keyword_id, or campaign, ad_group, keyword and match_type; then bid, clicks, cost. One row per
keyword and bid. Such a file is made by hand or by a script, so it is refused at its first bad row.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from optimizer.errors import RefusedInput
from optimizer.tables import LANDSCAPES, check_table, empty_table

NAMES = {
    "campaign": "campaign_name",
    "ad_group": "ad_group_name",
    "keyword": "keyword_text",
    "match_type": "match_type",
}
NUMBERS = ("bid", "clicks", "cost")
_MOST = 1e9


def read_landscape(path: Path, keywords: pd.DataFrame) -> pd.DataFrame:
    """Table LANDSCAPES of the file, for table KEYWORDS.

    Raises `RefusedInput` naming file, line, column and text of the first bad cell, a keyword that is
    unknown or ambiguous, or a bid that is given twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            by = _identity(reader.fieldnames or (), path)
            known = _known(keywords, by)
            rows = list(_rows(reader, by, known, path))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RefusedInput("landscape_unreadable", file=path.name, why=str(error)) from error
    if not rows:
        raise RefusedInput("landscape_empty", file=path.name)
    frame = pd.DataFrame(rows, columns=list(LANDSCAPES.columns))
    return check_table(frame.astype(empty_table(LANDSCAPES).dtypes), LANDSCAPES)


def _identity(header: Any, path: Path) -> tuple[str, ...]:
    """The columns that name the keyword."""
    by = ("keyword_id",) if "keyword_id" in header else tuple(NAMES)
    missing = [name for name in (*by, *NUMBERS) if name not in header]
    if missing:
        raise RefusedInput("landscape_column", file=path.name, column=missing[0])
    return by


def _known(keywords: pd.DataFrame, by: tuple[str, ...]) -> Mapping[tuple[str, ...], list[int]]:
    """Entity keys by the names in the file's columns."""
    columns = [keywords[NAMES.get(name, name)].astype("str").map(_plain) for name in by]
    found: dict[tuple[str, ...], list[int]] = {}
    for *names, key in zip(*columns, keywords["entity_key"], strict=True):
        found.setdefault(tuple(names), []).append(int(key))
    return found


def _plain(text: Any) -> str:
    return " ".join(str(text).split()).casefold()


def _rows(
    reader: csv.DictReader[str],
    by: tuple[str, ...],
    known: Mapping[tuple[str, ...], list[int]],
    path: Path,
) -> Iterator[tuple[int, float, float, float]]:
    seen: set[tuple[int, float]] = set()
    for row in reader:
        where = {"file": path.name, "line": reader.line_num}
        bid, clicks, cost = (_number(row[name], name, where) for name in NUMBERS)
        keys = known.get(tuple(_plain(row[name] or "") for name in by), [])
        if len(keys) != 1:
            told = " | ".join(str(row[name]) for name in by)
            code = "landscape_ambiguous" if keys else "landscape_unknown"
            raise RefusedInput(code, **where, text=told)
        if (keys[0], bid) in seen:
            raise RefusedInput("landscape_repeated", **where, text=str(row["bid"]))
        seen.add((keys[0], bid))
        yield keys[0], bid, clicks, cost


def _number(text: str | None, column: str, where: Mapping[str, Any]) -> float:
    """A finite number, not negative; a bid above 0."""
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    least = 0.0 if column != "bid" else 1e-9
    if not least <= value <= _MOST:
        raise RefusedInput("landscape_cell", **where, column=column, text=text or "")
    return value
