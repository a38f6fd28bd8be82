"""Workbooks go the same way as CSV; those built to harm end a child process, not this one."""

import datetime as dt
import zipfile

import openpyxl
import pytest

from optimizer.errors import RefusedInput
from optimizer.reports import identify, read_report
from tests.reports.samples import AS_OF, CONFIGS, HEADER

HUGE = """<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
<sheetData><row r="1"><c r="A1" t="n"><v>1</v></c></row>
<row r="1048576"><c r="XFD1048576" t="n"><v>1</v></c></row></sheetData></worksheet>"""


def workbook(folder, *rows, title="Sheet1"):
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    book.save(folder / "report.xlsx")
    return folder / "report.xlsx"


def typed_row(keyword="red shoes"):
    day = dt.datetime(2026, 9, 1)
    return [day, "Shoes", "Red", keyword, "Broad match", "USD", 1.5, 1000, 10, 5.25, 1, 30]


def read(path):
    return read_report(path, CONFIGS, "google_ads_keywords", AS_OF)


def test_typed_cells_become_the_same_rows(tmp_path):
    path = workbook(tmp_path, ["Search keyword report"], [], HEADER.split(","), typed_row())
    assert identify(path, CONFIGS) == ["google_ads_keywords"]
    (found,) = read(path).rows.to_dict("records")
    assert found["first_day"].date() == dt.date(2026, 9, 1)
    assert (found["impressions"], found["cost_micros"], found["source_row"]) == (1000, 5_250_000, 4)


def test_file_renamed_to_xlsx_is_of_the_wrong_type(tmp_path):
    path = tmp_path / "report.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "hello")
    with pytest.raises(RefusedInput, match="wrong_type"):
        read(path)


def test_cut_workbook_is_truncated(tmp_path):
    path = workbook(tmp_path, HEADER.split(","), typed_row())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(RefusedInput, match="truncated"):
        read(path)


def test_zip_bomb_is_refused_unopened(tmp_path):
    path = workbook(tmp_path, HEADER.split(","))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros", bytes(5_000_000))
    with pytest.raises(RefusedInput, match="xlsx_too_large"):
        read(path)


def test_sheet_that_asks_for_all_memory_ends_the_child_only(tmp_path):
    path = workbook(tmp_path, HEADER.split(","))
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/worksheets/sheet1.xml"] = HUGE.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(RefusedInput, match="xlsx_unreadable"):
        read(path)
