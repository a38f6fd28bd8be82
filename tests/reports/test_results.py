"""Result files of the platforms, as they are told from reports and read."""

from __future__ import annotations

from pathlib import Path

import pytest
import xlsxwriter

from optimizer.reports.results import ResultFile, read_results

AMAZON = (
    *("Product", "Entity", "Operation", "Campaign ID", "Ad Group ID", "Keyword ID"),
    *("State", "Bid", "Keyword Text", "Match Type", "Product Targeting Expression"),
    *("Daily Budget", "Status", "Reason"),
)
GOOGLE = "Row Type,Action,Keyword status,Campaign ID,Campaign,Ad group ID,Ad group,Keyword ID"
GOOGLE += ",Keyword,Type,Default max. CPC"
MICROSOFT = (
    "Type,Status,Id,Parent Id,Campaign,Ad Group,Client Id,Keyword,Match Type,Bid,Budget,Name"
)


def amazon(folder: Path, *rows: dict[str, str]) -> Path:
    path = folder / "result.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Sponsored Products Campaigns")
        sheet.write_row(0, 0, AMAZON)
        for line, row in enumerate(rows, start=1):
            sheet.write_row(line, 0, [row.get(name, "") for name in AMAZON])
    return path


def text(folder: Path, header: str, *lines: str, encoding: str = "utf-8") -> Path:
    path = folder / "result.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding=encoding)
    return path


def read(path: Path, platform: str) -> ResultFile:
    found = read_results(path, platform)
    assert found is not None
    return found


KEYWORD = {"Entity": "Keyword", "Operation": "Update", "Campaign ID": "1", "Ad Group ID": "2"}


def test_amazon_status_and_reason(tmp_path: Path) -> None:
    bid = {**KEYWORD, "Keyword ID": "344382946392872", "Bid": "0.75", "Status": "Success"}
    paused = {**KEYWORD, "Keyword ID": "4", "State": "paused", "Status": "Error", "Reason": "gone"}
    product = {
        **KEYWORD,
        "Entity": "Negative Product Targeting",
        "Operation": "Create",
        "Product Targeting Expression": 'asin="B0RIVAL001"',
        "Status": "Skipped",
    }
    rows = read(amazon(tmp_path, bid, paused, product), "amazon_ads").rows
    assert rows["slot"].tolist() == ["bid", "state", "negative"]
    assert rows["outcome"].tolist() == ["done", "refused", "skipped"]
    assert rows["keyword_id"].tolist()[:2] == ["344382946392872", "4"]
    assert rows["text"].tolist() == ["", "gone", ""]
    assert rows.loc[2, ["keyword_text", "match_type"]].tolist() == ["b0rival001", "EXACT"]
    assert rows["line"].tolist() == [2, 3, 4]


def test_amazon_sheet_without_status_is_no_result(tmp_path: Path) -> None:
    path = tmp_path / "bulk.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Sponsored Products Campaigns").write_row(0, 0, AMAZON[:-2])
    assert read_results(path, "amazon_ads") is None


def test_microsoft_error_rows(tmp_path: Path) -> None:
    path = text(
        tmp_path,
        f"{MICROSOFT},Error,Error Number",
        "Format Version,,,,,,,,,,,6.0,,",
        "Keyword,,11,22,Shoes,Red,0123456789abcdef,red shoes,Exact,0.55,,,,",
        "Keyword Error,,11,22,Shoes,Red,0123456789abcdef,red shoes,Exact,0.55,,,InvalidBid,1522",
        "Campaign,,33,,Shoes,,fedcba9876543210,,,,40,,,",
        encoding="utf-8-sig",
    )
    rows = read(path, "microsoft_ads").rows
    assert rows["outcome"].tolist() == ["done", "refused", "done"]
    assert rows["text"].tolist() == ["", "InvalidBid (1522)", ""]
    assert rows["slot"].tolist() == ["bid", "bid", "budget"]
    assert rows["id"].tolist()[0] == "0123456789abcdef"
    assert (rows["campaign_id"][2], rows["value"][2]) == ("33", 40.0)


def test_microsoft_download_is_no_result(tmp_path: Path) -> None:
    path = text(tmp_path, f"{MICROSOFT},Error", "Keyword,Active,11,22,Shoes,Red,,red,Exact,0.5,,,")
    assert read_results(path, "microsoft_ads") is None


@pytest.mark.parametrize(
    ("column", "cell", "outcome"),
    [
        ("Results", "Success", "done"),
        ("Results", "Error: bid too low", "refused"),
        ("Results", "No change", "skipped"),
        ("Results", "Wird geprüft", "unclear"),
        ("Errors", "Keyword was removed", "refused"),
        ("Errors", "", "unclear"),
    ],
)
def test_google_results(tmp_path: Path, column: str, cell: str, outcome: str) -> None:
    line = f'Keyword,Edit,,1,Shoes,2,Red,="3",red shoes,Exact match,1.20,{cell}'
    rows = read(text(tmp_path, f"{GOOGLE},{column}", "# comment", line), "google_ads").rows
    assert rows["outcome"].tolist() == [outcome]
    assert rows.loc[0, ["slot", "keyword_id", "match_type", "value", "line"]].tolist() == [
        "bid",
        "3",
        "EXACT",
        1.2,
        3,
    ]


def test_reports_and_uploads_are_no_results(tmp_path: Path) -> None:
    assert read_results(text(tmp_path, GOOGLE, "Keyword,Edit,,,,,,,,,"), "google_ads") is None
    assert (
        read_results(text(tmp_path, "Day,Keyword,Clicks", "2026-03-01,a,1"), "google_ads") is None
    )
    assert read_results(tmp_path / "missing.csv", "google_ads") is None
    assert read_results(text(tmp_path, f"{GOOGLE},Results", "x"), "taobao") is None
