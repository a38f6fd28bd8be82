"""Simulator points from a small CSV: kept exactly, or refused at the first bad row."""

from pathlib import Path

import pandas as pd
import pytest

from optimizer.errors import RefusedInput
from optimizer.reports.landscapes import read_landscape

KEYWORDS = pd.DataFrame(
    {
        "entity_key": [1, 2, 3],
        "keyword_id": ["100", "200", "200"],
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
    path.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(RefusedInput, match="landscape_unreadable"):
        read_landscape(path, KEYWORDS)
