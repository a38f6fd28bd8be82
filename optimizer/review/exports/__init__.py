"""Approved changes as files a platform accepts, bytes out: a writer or more per platform.

A writer offers `refusals(rows, limit)`, `write_bulk_upload(rows, limit)` and `read_changes(files)`;
rows match `rows.EXPORT_ROWS`. Nothing is written unless every row passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import pandas as pd

from optimizer.errors import NotFound
from optimizer.review.exports import (
    amazon_ads,
    google_ads,
    google_ads_editor,
    microsoft_ads,
    taobao,
    weights,
)
from optimizer.review.exports.change_list import BAIDU, JD, PINDUODUO
from optimizer.review.exports.changes import Change
from optimizer.review.exports.checks import require_none
from optimizer.review.exports.rows import EXPORT_ROWS, WEIGHT_KIND, Refusal
from optimizer.settings import BidLimit

__all__ = [
    "EXPORT_ROWS",
    "Change",
    "Refusal",
    "Writer",
    "refusals_of",
    "write_files",
    "writer_for",
    "writers_of",
]


class Writer(Protocol):
    """What every platform's writer offers."""

    def refusals(self, rows: pd.DataFrame, limit: BidLimit) -> list[Refusal]:
        """Why rows cannot be written; empty when all can."""

    def write_bulk_upload(self, rows: pd.DataFrame, limit: BidLimit) -> dict[str, bytes]:
        """File name ending → bytes. Raises `Conflict` `rows_refused` when a row cannot be written."""

    def read_changes(self, files: Mapping[str, bytes]) -> list[Change]:
        """What files that it wrote say, as far as they say it: text its platform leaves out is blank."""


_WRITERS: Mapping[str, Mapping[str, Writer]] = {
    "google_ads": {"bulk_upload": google_ads, "editor": google_ads_editor},
    "amazon_ads": {"bulk_sheet": amazon_ads},
    "microsoft_ads": {"bulk_file": microsoft_ads},
    "taobao": {"change_list": taobao},
    "jd": {"change_list": JD},
    "baidu": {"change_list": BAIDU},
    "pinduoduo": {"change_list": PINDUODUO},
}


def writers_of(platform: str) -> Mapping[str, Writer]:
    """The platform's writers by format, its usual one first.

    Raises `NotFound` listing the platforms that have one.
    """
    if platform not in _WRITERS:
        raise NotFound("writer_missing", platform=platform, available=sorted(_WRITERS))
    return _WRITERS[platform]


def writer_for(platform: str, format_: str | None = None) -> Writer:
    """The platform's writer of a format, its usual one by default. Raises `NotFound`."""
    writers = writers_of(platform)
    chosen = format_ or next(iter(writers))
    if chosen not in writers:
        raise NotFound(
            "format_missing", platform=platform, format=chosen, available=sorted(writers)
        )
    return writers[chosen]


def refusals_of(writer: Writer, rows: pd.DataFrame, limit: BidLimit) -> list[Refusal]:
    """Why rows (EXPORT_ROWS) cannot be written, whichever file they belong in."""
    weighed = rows["kind"].eq(WEIGHT_KIND)
    return [
        *writer.refusals(rows[~weighed].reset_index(drop=True), limit),
        *weights.refusals(rows[weighed].reset_index(drop=True)),
    ]


def write_files(
    writer: Writer, platform: str, rows: pd.DataFrame, limit: BidLimit
) -> dict[str, bytes]:
    """The platform's files of these rows and, for shares of creatives, a list for a person.

    Raises `Conflict` `rows_refused` when a row cannot be written.
    """
    require_none(refusals_of(writer, rows, limit))
    weighed = rows["kind"].eq(WEIGHT_KIND)
    for_platform, by_hand = (rows[mask].reset_index(drop=True) for mask in (~weighed, weighed))
    files = writer.write_bulk_upload(for_platform, limit) if len(for_platform) else {}
    return files | (weights.write_weights(by_hand, platform) if len(by_hand) else {})
