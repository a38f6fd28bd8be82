"""A list of campaigns with their budgets and bidding targets: what tells whether a change of either is live.

Read are Google Ads' campaign report (CSV, or UTF-16 with tabs), the same of its API as a table, and
the campaign rows of a Microsoft bulk file, which holds keywords beside them. Their counts are not
read, nor campaigns that were removed: a live one may have their name. Headers of Google's page are
unverified.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Final

import pandas as pd

from optimizer.reports.decoding import head_of
from optimizer.reports.parquet import PARQUET_MAGIC
from optimizer.reports.recognising import readings_of
from optimizer.reports.xlsx import ZIP_MAGIC
from optimizer.tables import MICROS

COLUMNS: Final = ("campaign_id", "campaign_name", "fact", "amount")
"""`fact`: campaign_budget | campaign_target (a CPA, or a ROAS of 3.4 for 340 %)."""
_NUMBER: Final = re.compile(r"(\d+|\d{1,3}(,\d{3})+)(\.\d+)?")
_HEADER_LINES: Final = 15
_DELIMITERS: Final = (",", "\t", ";")
_GONE: Final = ("removed", "deleted")


@dataclass(frozen=True)
class CampaignFile:
    """Facts about campaigns (COLUMNS). `alone`: the file holds nothing else that is imported."""

    file_name: str
    campaigns: int
    rows: pd.DataFrame
    alone: bool


@dataclass(frozen=True)
class _Shape:
    """How a platform's list calls its columns; `kind` names the rows that are campaigns.

    `foreign`: headers of reports with several rows per campaign. A target stands in one column of
    several; `scale` is of money.
    """

    name: str
    id: str
    budget: str
    targets: tuple[str, ...]
    status: tuple[str, ...]
    foreign: tuple[str, ...] = ()
    scale: float = 1.0
    kind: str = ""


_SHAPES: Final[Mapping[str, tuple[_Shape, ...]]] = {
    "google_ads": (
        _Shape(
            *("campaign", "campaign id", "budget", ("target cpa", "target roas")),
            status=("campaign status", "campaign state"),
            foreign=("row type", "ad group", "keyword", "search term", "day", "criterion type"),
        ),
        _Shape(
            *("campaign.name", "campaign.id", "campaign_budget.amount_micros"),
            (
                "campaign.target_cpa.target_cpa_micros",
                "campaign.maximize_conversions.target_cpa_micros",
                "campaign.target_roas.target_roas",
                "campaign.maximize_conversion_value.target_roas",
            ),
            status=("campaign.status",),
            foreign=("ad_group.id", "ad_group.name", "ad_group_criterion.criterion_id"),
            scale=1 / MICROS,
        ),
    ),
    "microsoft_ads": (
        _Shape(
            *("campaign", "id", "budget", ("bid strategy targetcpa", "bid strategy targetroas")),
            status=("status",),
            kind="type",
        ),
    ),
}


def read_campaigns(path: Path, platform: str, *, alone: bool = False) -> CampaignFile | None:
    """The campaigns that the file lists, or None where it is no such list of the platform.

    `alone` asks for files that hold nothing else. What a file is, its header tells: no more is read
    of one that is no such list, and of a list nothing is kept but its campaigns.
    """
    shapes = [each for each in _SHAPES.get(platform, ()) if not (alone and each.kind)]
    if not (shapes and path.is_file()) or head_of(path).startswith((ZIP_MAGIC, PARQUET_MAGIC)):
        return None
    for encoding, head in readings_of(path, "auto").items():
        for shape in shapes:
            delimiter = _delimiter(head, shape)
            if delimiter is not None:
                return _read(path, encoding, shape, delimiter)
    return None


def _delimiter(head: str, shape: _Shape) -> str | None:
    """The one that makes one of the first lines the shape's header."""
    for delimiter in _DELIMITERS:
        lines = head.lstrip("\ufeff").splitlines()[:_HEADER_LINES]
        if any(
            _is_header(names, shape) for names in _names(csv.reader(lines, delimiter=delimiter))
        ):
            return delimiter
    return None


def _names(rows: Iterable[Sequence[str]]) -> list[list[str]]:
    try:
        return [[" ".join(cell.split()).casefold() for cell in row] for row in rows]
    except csv.Error:
        return []


def _is_header(names: Sequence[str], shape: _Shape) -> bool:
    told = {shape.budget, *shape.targets} & set(names)
    needs = {shape.name, shape.kind} - {""}
    return bool(told) and needs <= set(names) and not set(shape.foreign) & set(names)


def _read(path: Path, encoding: str, shape: _Shape, delimiter: str) -> CampaignFile | None:
    try:
        with path.open(encoding=encoding, newline="") as lines:
            campaigns = list(_campaigns(lines, shape, delimiter))
    except (UnicodeDecodeError, csv.Error):
        return None  # The reader of reports says what is wrong with the file.
    facts = [fact for row in campaigns for fact in _facts(row, shape)]
    frame = pd.DataFrame(facts, columns=list(COLUMNS))
    return CampaignFile(path.name, len(campaigns), frame, alone=not shape.kind)


def _campaigns(lines: Iterable[str], shape: _Shape, delimiter: str) -> Iterator[dict[str, str]]:
    """The rows of campaigns that exist, by header; of the other rows one is held at a time."""
    lines = iter(lines)
    first = (line.lstrip("\ufeff") for line in islice(lines, 1))
    rows = csv.reader(chain(first, lines), delimiter=delimiter)
    header = _header(rows, shape)
    at = header.index(shape.kind or shape.name)
    for row in rows:
        # Most rows of a bulk file are of keywords, and of hundreds of columns.
        if shape.kind and "".join(row[at : at + 1]).strip().casefold() != "campaign":
            continue
        told = dict(zip(header, (cell.strip() for cell in row), strict=False))
        if _is_campaign(told, shape):
            yield told


def _header(rows: Iterator[list[str]], shape: _Shape) -> list[str]:
    """The header, all rows before it taken. Raises `csv.Error` where quotes hide what a line shows."""
    for row in islice(rows, _HEADER_LINES):
        (names,) = _names([row])
        if _is_header(names, shape):
            return names
    raise csv.Error("no header")


def _is_campaign(row: Mapping[str, str], shape: _Shape) -> bool:
    """A row of a campaign that was not removed, and not of totals."""
    if any(row.get(each, "").casefold() in _GONE for each in shape.status):
        return False
    totals = any(each.startswith("Total:") for each in row.values())
    return bool(shape.kind) or (bool(row.get(shape.name)) and not totals)


def _facts(row: Mapping[str, str], shape: _Shape) -> list[tuple[str, str, str, float]]:
    """What the row states; of two targets neither counts, as only the strategy in force would tell."""
    campaign, name = row.get(shape.id, ""), row.get(shape.name, "")
    budget = _amount(row.get(shape.budget, ""), shape.scale)
    scales = {each: 1.0 if "roas" in each else shape.scale for each in shape.targets}
    found = (_amount(row.get(each, ""), scale) for each, scale in scales.items())
    targets = {amount for amount in found if amount is not None}
    facts = [] if budget is None else [(campaign, name, "campaign_budget", budget)]
    if len(targets) == 1:
        facts.append((campaign, name, "campaign_target", targets.pop()))
    return facts


def _amount(text: str, scale: float) -> float | None:
    """A number above 0; None for none, and for what is written in another way."""
    plain = text.removesuffix("%")
    if not _NUMBER.fullmatch(plain):
        return None
    value = float(plain.replace(",", "")) * (0.01 if text.endswith("%") else scale)
    return value or None
