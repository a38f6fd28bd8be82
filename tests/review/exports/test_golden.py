"""The exact bytes of each writer's files for one row of every kind."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from openpyxl import load_workbook

from tests.review.exports.export_rows import CASES, Case, frame, of_kind

GOLDEN = Path(__file__).parent / "golden"


def one_of_each(case: Case) -> pd.DataFrame:
    """A row of every kind, both levels of negatives, and texts that tempt a spreadsheet."""
    rows: list[dict[str, Any]] = [
        of_kind("raise", 1, keyword_text="+crocs +charms", new_bid=1.1),
        of_kind("lower", 2, keyword_text="tent, large", new_bid=0.9, bid_source="inherited"),
        of_kind("lower", 3, keyword_text="-帐篷", new_bid=0.9),
        of_kind("pause", 4, campaign_name="+Brand"),
        of_kind("resume", 5),
        of_kind("add_keyword", 6, keyword_text="lake tent", new_bid=0.8),
        of_kind("add_negative", 7, keyword_text="free tent", match_type="PHRASE"),
        of_kind("add_negative", 8, keyword_text="gratis", level="campaign", ad_group_id=None),
        of_kind("set_budget", 9),
        of_kind("set_target", 10),
        of_kind("set_target", 11, target="cpa", old_bid=30.0, new_bid=27.5, campaign_name="Bags"),
    ]
    return frame(*(one for one in rows if one["kind"] in case.kinds))


def as_text(name: str, content: bytes) -> tuple[str, bytes]:
    """A workbook as its cells (address, type, format, value), anything else as it is."""
    if not name.endswith(".xlsx"):
        return name, content
    (sheet,) = load_workbook(io.BytesIO(content)).worksheets
    cells = (cell for line in sheet.iter_rows() for cell in line if cell.value is not None)
    lines = (
        f"{one.coordinate}\t{one.data_type}\t{one.number_format}\t{one.value}" for one in cells
    )
    return f"{name}.txt", "\n".join([sheet.title, *lines, ""]).encode()


@pytest.mark.parametrize("name", CASES)
def test_files_are_the_golden_ones_byte_for_byte(name: str) -> None:
    case = CASES[name]
    folder = GOLDEN / (name if name != "google_ads" else "bulk_upload")
    files = case.writer.write_bulk_upload(one_of_each(case), case.limits[0])
    written = dict(as_text(file, content) for file, content in files.items())
    assert sorted(written) == sorted(path.name for path in folder.iterdir())
    for file, content in written.items():
        assert content == (folder / file).read_bytes(), file


def test_a_workbook_holds_no_time_and_no_formula() -> None:
    case = CASES["amazon_ads"]
    files = case.writer.write_bulk_upload(one_of_each(case), case.limits[0])
    with zipfile.ZipFile(io.BytesIO(files["bulk.xlsx"])) as book:
        assert {info.date_time for info in book.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"2000-01-01T00:00:00Z" in book.read("docProps/core.xml")
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")
