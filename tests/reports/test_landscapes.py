"""Simulator points from a small CSV: kept exactly, or refused at the first bad row."""

import csv
import io
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from optimizer.errors import RefusedInput
from optimizer.reports import read_reports
from optimizer.reports.landscapes import read_landscape
from tests.reports.samples import CONFIGS, DATA

KEYWORDS = pd.DataFrame(
    {
        "entity_key": [1, 2, 3],
        "keyword_id": ["100", "200", "200"],
        "ad_group_id": ["1", "1", "2"],
        "campaign_name": ["Shoes", "Shoes", "Hats"],
        "ad_group_name": ["Red", "Red", "Red"],
        "keyword_text": ["red shoes", "red shoes", "red hat"],
        "match_type": ["EXACT", "PHRASE", "EXACT"],
    }
)
HEADER = "campaign,ad_group,keyword,match_type,bid,clicks,cost\n"


def read(tmp_path: Path, text: str) -> pd.DataFrame:
    path = tmp_path / "points.csv"
    path.write_text(text, encoding="utf-8-sig")
    return read_landscape(path, KEYWORDS)


def test_points_by_name(tmp_path: Path) -> None:
    text = HEADER + "Shoes,Red,Red  Shoes,exact,0.8,10,6\nHats,Red,red hat,EXACT,1.2,20,18.5\n"
    frame = read(tmp_path, text)
    assert frame.to_dict("list") == {
        "entity_key": [1, 3],
        "bid": [0.8, 1.2],
        "clicks": [10.0, 20.0],
        "cost": [6.0, 18.5],
    }


def test_points_by_id(tmp_path: Path) -> None:
    frame = read(tmp_path, "keyword_id,bid,clicks,cost\n100,1,2,3\n")
    assert list(frame["entity_key"]) == [1]


@pytest.mark.parametrize(
    ("text", "code", "column"),
    [
        (HEADER, "landscape_empty", None),
        ("campaign,bid,clicks,cost\n", "landscape_column", "ad_group"),
        ("keyword_id,bid,clicks\n", "landscape_column", "cost"),
        ("keyword_id,bid,clicks,cost\n100,x,1,1\n", "landscape_cell", "bid"),
        ("keyword_id,bid,clicks,cost\n100,0,1,1\n", "landscape_cell", "bid"),
        ("keyword_id,bid,clicks,cost\n100,1,nan,1\n", "landscape_cell", "clicks"),
        ("keyword_id,bid,clicks,cost\n100,1,1,-1\n", "landscape_cell", "cost"),
        ("keyword_id,bid,clicks,cost\n100,1,1\n", "landscape_cell", "cost"),
        ("keyword_id,bid,clicks,cost\n300,1,1,1\n", "landscape_unknown", None),
        ("keyword_id,bid,clicks,cost\n200,1,1,1\n", "landscape_ambiguous", None),
        ("keyword_id,bid,clicks,cost\n100,1,1,1\n100,1.0,2,2\n", "landscape_repeated", None),
    ],
)
def test_a_bad_file_is_refused_where_it_is_bad(tmp_path, text, code, column) -> None:
    with pytest.raises(RefusedInput) as refused:
        read(tmp_path, text)
    assert refused.value.code == code
    assert refused.value.fields["file"] == "points.csv"
    assert refused.value.fields.get("column") == column


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_bytes(b"bid,\x81\xff\xff")
    with pytest.raises(RefusedInput):
        read_landscape(path, KEYWORDS)


SIMULATOR = DATA / "google_ads_bid_simulator.csv"


def test_google_simulator_becomes_its_golden_file() -> None:
    """Sums of a week become days; totals and keywords without an estimate are left out."""
    golden = pd.read_csv(DATA / "google_ads_bid_simulator.golden.csv")
    pd.testing.assert_frame_equal(read_landscape(SIMULATOR, KEYWORDS), golden, rtol=1e-12)


def test_google_simulator_in_utf16_with_tabs_reads_alike(tmp_path: Path) -> None:
    rows = list(csv.reader(SIMULATOR.read_text("utf-8").splitlines()))
    buffer = io.StringIO()
    csv.writer(buffer, delimiter="\t", lineterminator="\r\n").writerows(rows)
    path = tmp_path / "simulator.csv"
    path.write_bytes(buffer.getvalue().encode("utf-16"))
    again = read_landscape(path, KEYWORDS)
    pd.testing.assert_frame_equal(again, read_landscape(SIMULATOR, KEYWORDS))


def test_simulator_without_a_period_covers_a_week(tmp_path: Path) -> None:
    lines = SIMULATOR.read_text("utf-8").splitlines()
    frame = read(tmp_path, "\n".join(lines[2:]) + "\n")
    assert list(frame["clicks"])[:2] == [170.0, 200.0]


def test_a_longer_period_is_divided_by_its_own_days(tmp_path: Path) -> None:
    text = SIMULATOR.read_text("utf-8").replace("May 24", "May 31")
    assert read(tmp_path, text)["clicks"].iloc[0] == 85.0


def test_points_of_the_api_are_found_by_both_ids(tmp_path: Path) -> None:
    header = "ad_group_id,criterion_id,start_date,end_date,cpc_bid_micros,clicks,cost_micros\n"
    row = "2,200,2025-05-18,2025-05-24,1250000,70,35000000\n"
    (found,) = read(tmp_path, header + row).to_dict("records")
    assert found == {"entity_key": 3, "bid": 1.25, "clicks": 10.0, "cost": 5.0}
    with pytest.raises(RefusedInput, match="landscape_cell"):
        read(tmp_path, header + row.replace("2025-05-24", "2025-05-17"))


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("[red shoes],Exact match,Shoes", "[blue shoes],Exact match,Shoes", "landscape_unknown", 4),
        (",1.25,", ",1.00,", "landscape_repeated", 6),
        ("833.00", "8.330,00", "landscape_cell", 4),
        ("833.00", "-1", "landscape_cell", 4),
        ("Simulated max. CPC", "Max. CPM", "landscape_column", None),
    ],
)
def test_bad_simulator_is_refused_by_line(tmp_path, old, new, code, line) -> None:
    text = SIMULATOR.read_text("utf-8").replace(old, f'"{new}"' if "8.330" in new else new)
    with pytest.raises(RefusedInput) as refused:
        read(tmp_path, text)
    assert (refused.value.code, refused.value.fields.get("line")) == (code, line)


def test_import_sends_a_simulator_to_the_review() -> None:
    """Its counts are of days that never were."""
    with pytest.raises(RefusedInput, match="report_simulated"):
        read_reports(SIMULATOR, CONFIGS, None, date(2026, 9, 1))
