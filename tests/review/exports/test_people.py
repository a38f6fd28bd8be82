import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from optimizer.review.exports.people import as_written, inert
from tests.review.exports.export_rows import CASES, CENTS, frame, of_kind

ACTIVE = [
    "=1+1",
    "+a",
    "-a",
    "@a",
    "\ta",
    "\ra",
    "\na",
    "＝1",
    "＋a",
    "－a",
    "＠a",
    " =1",
    "\u3000=1",
]
LISTS = ("taobao", "jd", "baidu", "pinduoduo")


@pytest.mark.parametrize("text", ACTIVE)
def test_what_a_spreadsheet_acts_on_is_made_inert(text: str) -> None:
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize("text", ["tent", "a=b", "10-20", "帐篷", ""])
def test_other_texts_are_left_alone(text: str) -> None:
    assert inert(text) == text


@given(text=st.text())
def test_the_text_can_always_be_had_back(text: str) -> None:
    assert as_written(inert(text)) == text


@pytest.mark.parametrize("name", LISTS)
def test_no_cell_of_a_peoples_list_is_active(name: str) -> None:
    case = CASES[name]
    rows = frame(
        of_kind("lower", 1, keyword_text="+crocs", campaign_name="=sum", new_bid=0.9),
        of_kind("lower", 2, keyword_text="－50", ad_group_name="@home", new_bid=0.5),
    )
    for content in case.writer.write_bulk_upload(rows, CENTS).values():
        if content.startswith(b"\xef\xbb\xbf"):
            cells = [cell for line in _lines(content) for cell in line]
            assert [cell for cell in cells if cell and cell[0] in "=+-@＝＋－＠\t\r\n"] == []


def _lines(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("text", ["+crocs +charms", "-tent", '"a" b', "'s", "帐篷", "a,b\u00a0c"])
def test_programs_get_the_platforms_own_text(text: str) -> None:
    rows = frame(of_kind("lower", keyword_text=text, new_bid=0.9))
    google = CASES["google_ads"].writer.write_bulk_upload(rows, CENTS)["keywords.csv"]
    editor = CASES["editor"].writer.write_bulk_upload(rows, CENTS)["editor.csv"]
    microsoft = CASES["microsoft_ads"].writer.write_bulk_upload(rows, CENTS)["bulk.csv"]
    assert _cell(google.decode(), ",", "Keyword") == text
    assert _cell(editor.decode("utf-16"), "\t", "Keyword") == text
    assert _cell(microsoft.decode("utf-8-sig"), ",", "Keyword") == text


def _cell(text: str, delimiter: str, column: str) -> str:
    *_, last = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    return last[column]


@pytest.mark.parametrize("text", ["+crocs +charms", "-tent", "http://shop.example"])
def test_a_bulk_sheet_holds_texts_and_ids_as_text_cells(text: str) -> None:
    row = of_kind("lower", keyword_text=text, new_bid=0.9, keyword_id="144382946392851123")
    content = CASES["amazon_ads"].writer.write_bulk_upload(frame(row), CENTS)["bulk.xlsx"]
    (sheet,) = load_workbook(io.BytesIO(content)).worksheets
    header, line = list(sheet.iter_rows())
    cells = {name.value: cell for name, cell in zip(header, line, strict=True)}
    assert (cells["Keyword Text"].value, cells["Keyword Text"].data_type) == (text, "s")
    assert (cells["Keyword ID"].value, cells["Keyword ID"].number_format) == (
        row["keyword_id"],
        "@",
    )
    assert (cells["Bid"].value, cells["Bid"].data_type) == (0.9, "n")
