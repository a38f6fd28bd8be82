from __future__ import annotations

import pandas as pd

from optimizer.store.places import with_place_ids

NAMES = ["campaign_id", "ad_group_id", "campaign_name", "ad_group_name"]


def rows(*found: tuple[str | None, str | None, str, str]) -> pd.DataFrame:
    return pd.DataFrame(found, columns=NAMES, dtype="object")


def filled(*found: tuple[str | None, str | None, str, str], known: pd.DataFrame) -> list[object]:
    ids = with_place_ids(rows(*found), known)[NAMES[:2]].astype("object")
    return [tuple(None if pd.isna(cell) else cell for cell in row) for row in ids.to_numpy()]


def test_names_take_the_ids_that_keywords_know_for_them() -> None:
    known = rows(("1", "11", "Mugs", "All"), ("1", "11", "mugs ", "ALL"))
    assert filled((None, None, "MUGS", "All"), known=known) == [("1", "11")]


def test_own_ids_stay_and_unknown_names_stay_without() -> None:
    known = rows(("1", "11", "Mugs", "All"))
    found = [("2", "22", "Mugs", "All"), (None, None, "Cups", "All")]
    assert filled(*found, known=known) == [("2", "22"), (None, None)]


def test_names_of_two_ad_groups_take_no_id() -> None:
    known = rows(("1", "11", "Mugs", "All"), ("1", "12", "Mugs", "All"))
    assert filled((None, None, "Mugs", "All"), known=known) == [(None, None)]
