"""Approved changes as files a platform accepts: one writer per platform, bytes out.

A writer is a module with `refusals(rows, limit)` and `write_bulk_upload(rows, limit)`; rows match
`rows.EXPORT_ROWS`. Nothing is written unless every row passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import pandas as pd

from optimizer.errors import NotFound
from optimizer.review.exports import google_ads
from optimizer.review.exports.rows import EXPORT_ROWS, Refusal
from optimizer.settings import BidLimit

__all__ = ["EXPORT_ROWS", "Refusal", "Writer", "writer_for"]


class Writer(Protocol):
    """What every platform's module offers."""

    def refusals(self, rows: pd.DataFrame, limit: BidLimit) -> list[Refusal]:
        """Why rows cannot be written; empty when all can."""

    def write_bulk_upload(self, rows: pd.DataFrame, limit: BidLimit) -> dict[str, bytes]:
        """File name ending → bytes. Raises `Conflict` `rows_refused` when a row cannot be written."""


_WRITERS: Mapping[str, Writer] = {"google_ads": google_ads}


def writer_for(platform: str) -> Writer:
    """The platform's writer. Raises `NotFound` listing the platforms that have one."""
    if platform not in _WRITERS:
        raise NotFound("writer_missing", platform=platform, available=sorted(_WRITERS))
    return _WRITERS[platform]
