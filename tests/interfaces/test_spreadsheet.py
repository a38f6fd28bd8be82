"""Files for people hold no active cells."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from optimizer.interfaces.spreadsheet import people_csv


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_text_that_starts_a_formula_stands_behind_an_apostrophe(start: str) -> None:
    text = people_csv(pd.DataFrame({"keyword": [f"{start}cmd|' /C calc'!A0", "red shoes"]}))
    found = pd.read_csv(io.StringIO(text), lineterminator="\n")["keyword"].tolist()
    assert found == [f"'{start}cmd|' /C calc'!A0", "red shoes"]


def test_numbers_stay_numbers() -> None:
    assert people_csv(pd.DataFrame({"cost": [-1.5], "text": [None]})) == "cost,text\n-1.5,\n"
