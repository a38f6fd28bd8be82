"""Workbooks go the same way as CSV; those built to harm end a child process, not this one."""

import datetime as dt
import itertools
import re
import zipfile

import openpyxl
import pytest

from optimizer.errors import RefusedInput
from optimizer.reports import identify, read_report, xlsx
from tests.reports.samples import AS_OF, CONFIGS, HEADER

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


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


def parts_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path, parts):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def with_part(folder, name, content):
    """A workbook one part of which is replaced."""
    path = workbook(folder, HEADER.split(","))
    return packed(path, parts_of(path) | {name: content})


def with_sheet(folder, cells, prolog=""):
    text = f'<?xml version="1.0"?>{prolog}<worksheet xmlns="{MAIN}"><sheetData>{cells}</sheetData></worksheet>'
    return with_part(folder, "xl/worksheets/sheet1.xml", text)


def far_cell(folder, row="1048576"):
    first = '<row r="1"><c r="A1"><v>1</v></c></row>'
    return with_sheet(folder, f'{first}<row r="{row}"><c r="XFD{row}"><v>1</v></c></row>')


def wide_sheet(folder):
    return far_cell(folder, row="9")


def billion_laughs(folder):
    names = "abcdefghijkl"
    nested = "".join(
        f'<!ENTITY {name} "{f"&{inner};" * 10}">' for inner, name in itertools.pairwise(names)
    )
    prolog = f'<!DOCTYPE l [<!ENTITY a "lol">{nested}]>'
    cell = '<c r="A1" t="inlineStr"><is><t>&l;</t></is></c>'
    return with_sheet(folder, f'<row r="1">{cell}</row>', prolog)


def ten_thousand_sheets(folder):
    path = workbook(folder, HEADER.split(","))
    more = {f"xl/worksheets/sheet{number}.xml": b"" for number in range(2, 10_001)}
    return packed(path, parts_of(path) | more)


def with_flag(folder, place, value):
    """A workbook in whose zip directory one field of each entry is changed."""
    path = workbook(folder, HEADER.split(","), typed_row())
    data, at = bytearray(path.read_bytes()), 0
    while (at := data.find(b"PK\x01\x02", at)) >= 0:
        data[at + place : at + place + len(value)] = value
        at += 4
    path.write_bytes(data)
    return path


def encrypted_zip(folder):
    return with_flag(folder, 8, b"\x01")


def understated_size(folder):
    return with_flag(folder, 24, b"\x20\x00\x00\x00")


def locked_or_old_workbook(folder):
    path = folder / "report.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(3000))
    return path


@pytest.mark.parametrize(
    ("build", "code", "why"),
    [
        (far_cell, "xlsx_unreadable", "signal"),
        (wide_sheet, "xlsx_unreadable", "more than 2000 columns"),
        (billion_laughs, "xlsx_unreadable", "entity"),
        (understated_size, "xlsx_unreadable", "larger"),
        (ten_thousand_sheets, "xlsx_too_large", "entries"),
        (encrypted_zip, "wrong_type", "locked"),
        (locked_or_old_workbook, "wrong_type", "locked"),
    ],
)
def test_workbook_built_to_harm_is_refused_with_a_reason(tmp_path, build, code, why):
    with pytest.raises(RefusedInput) as caught:
        read(build(tmp_path))
    assert caught.value.code == code
    assert why in str(caught.value)


def test_child_that_takes_too_long_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr("optimizer.reports.xlsx._SECONDS", 0.001)
    with pytest.raises(RefusedInput, match="timeout"):
        read(workbook(tmp_path, HEADER.split(","), typed_row()))


def test_ten_thousand_names_of_one_sheet_are_read(tmp_path):
    path = workbook(tmp_path, HEADER.split(","), typed_row())
    book = parts_of(path)["xl/workbook.xml"].decode()
    names = "".join(
        f'<sheet name="s{number}" sheetId="{number}" r:id="rId1"/>' for number in range(1, 10_001)
    )
    listed = re.sub("<sheets>.*</sheets>", f"<sheets>{names}</sheets>", book)
    packed(path, parts_of(path) | {"xl/workbook.xml": listed})
    assert len(read(path).rows) == 1


def test_sheet_is_converted_once_within_one_import(tmp_path, monkeypatch):
    path = workbook(tmp_path, ["a", "b"], ["1", "2"], title="Own")
    asked = []
    run = xlsx._run
    monkeypatch.setattr(xlsx, "_run", lambda *given: asked.append(given) or run(*given))
    with xlsx.one_conversion():
        first = xlsx.sheets_to_csv(path, ["Own", "Other"], tmp_path)
        again = xlsx.sheets_to_csv(path, ["Other", "Own"], tmp_path)
    assert first == again
    assert set(first) == {"Own"}
    assert len(asked) == 1


def test_workbook_that_changed_is_converted_anew(tmp_path):
    with xlsx.one_conversion():
        before = xlsx.sheets_to_csv(workbook(tmp_path, ["a"]), [""], tmp_path)[""].read_text()
        path = workbook(tmp_path, ["a", "b", "c"])
        assert before != xlsx.sheets_to_csv(path, [""], tmp_path)[""].read_text()
