"""Small report files for tests: Google's daily keyword report with one thing changed at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from optimizer.reports import read_report
from optimizer.settings import Configs
from optimizer.tables import Report

CONFIGS = Configs(Path(__file__).parents[2] / "configs")
DATA = Path(__file__).parent / "data"
AS_OF = date(2026, 9, 10)
HEADER = (
    "Day,Campaign,Ad group,Keyword,Match type,Currency code,Max. CPC,"
    "Impr.,Clicks,Cost,Conversions,Conv. value"
)
FILLER_ROWS = 40
"""Good rows beside the one under test, so that it stays below the quarantine limit."""


def row(**changed: Any) -> str:
    """One line under HEADER; `changed` are cells by a short name of their column."""
    cells = {
        "day": "2026-09-01",
        "campaign": "Shoes",
        "ad_group": "Red",
        "keyword": "red shoes",
        "match": "Broad match",
        "currency": "USD",
        "bid": "1.00",
        "impressions": "100",
        "clicks": "10",
        "cost": "5.00",
        "conversions": "1.00",
        "value": "30.00",
    }
    return ",".join(str(cell) for cell in (cells | changed).values())


def filler(count: int = FILLER_ROWS) -> list[str]:
    """Good rows of other keywords."""
    return [row(keyword=f"good {number}") for number in range(count)]


def report_text(rows: Sequence[str], header: str = HEADER) -> str:
    """A whole file."""
    return "\n".join(["Search keyword report", "All of it", header, *rows]) + "\n"


def read_text(folder: Path, text: str | bytes, **options: Any) -> Report:
    """Write `text` to a file and read it as Google's keyword report unless told otherwise."""
    path = folder / "report.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    settings = {"profile": "google_ads_keywords", "as_of": AS_OF} | options
    return read_report(path, CONFIGS, **settings)


def read_rows(folder: Path, *rows: str, **options: Any) -> Report:
    """Read `rows` followed by filler rows."""
    return read_text(folder, report_text([*rows, *filler()]), **options)
