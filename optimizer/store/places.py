"""Ids of campaigns and ad groups for rows that only name them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from optimizer.store.naming import normalise

_IDS = ["campaign_id", "ad_group_id"]


def with_place_ids(rows: pd.DataFrame, keywords: pd.DataFrame) -> pd.DataFrame:
    """`rows` with the ids of their campaign and ad group, where `keywords` know one pair for the names.

    Rows that state an id of their own, and names that fit two pairs, stay as they are.
    """
    nameless = rows[_IDS].isna().all(axis=1)
    if not nameless.any():
        return rows
    known = keywords.loc[keywords[_IDS].notna().all(axis=1)]
    if known.empty:
        return rows
    pairs = known[_IDS].astype("object").assign(place=_place(known)).drop_duplicates()
    single = pairs.drop_duplicates("place", keep=False).set_index("place")
    places = _place(rows[nameless])
    filled = rows.assign(**{name: rows[name].astype("object") for name in _IDS})
    for name in _IDS:
        filled.loc[nameless, name] = places.map(single[name])
    return filled


def _place(rows: pd.DataFrame) -> pd.Series[Any]:
    return normalise(rows["campaign_name"]) + "\x1f" + normalise(rows["ad_group_name"])
