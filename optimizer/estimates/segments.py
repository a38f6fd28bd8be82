"""What a keyword is about, by the lists in the account's settings: its segment and its item."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
import pandas as pd

from optimizer.estimates.posteriors import Bools, Ints
from optimizer.settings import Item, Segments

SEGMENTS = ("generic", "brand", "competitor", "own_item")


def normalise_text(text: pd.Series[str]) -> pd.Series[str]:
    """NFKC, lower case, single spaces: how texts are compared."""
    code, distinct = pd.factorize(text, use_na_sentinel=False)
    normal = pd.array([_normalised(value) for value in distinct.tolist()], dtype="str")
    return pd.Series(normal.take(code), index=text.index)


def _normalised(value: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())


def mark_segments(text: pd.Series[str], words: Segments) -> Ints:
    """Index into SEGMENTS per text; brand wins over an own item, an own item over a competitor."""
    code = np.zeros(len(text), dtype=np.int64)
    if not (words.brand or words.competitor or words.own_item):
        return code
    folded = normalise_text(text)
    for name in ("competitor", "own_item", "brand"):
        code[_contains(folded, getattr(words, name))] = SEGMENTS.index(name)
    return code


def keyword_items(keywords: pd.DataFrame, items: Sequence[Item]) -> Ints:
    """Index into `items` of what each keyword sells, -1 where none is stated.

    By the report's `item_id`, else by the ad group's name.
    """
    by_id = {item.item_id: number for number, item in enumerate(items)}
    by_group = {name: number for number, item in enumerate(items) for name in item.ad_groups}
    found = keywords["item_id"].map(by_id).astype("float64")
    found = found.fillna(keywords["ad_group_name"].map(by_group).astype("float64"))
    return np.asarray(found.fillna(-1), dtype=np.int64)


def _contains(text: pd.Series[str], words: Sequence[str]) -> Bools:
    """Whether any of `words` occurs; a Latin word must stand alone, a Chinese one may be inside."""
    hit = np.zeros(len(text), dtype=bool)
    for word in normalise_text(pd.Series(list(words), dtype="str")):
        if word.isascii():
            hit |= (" " + text + " ").str.contains(f" {word} ", regex=False).to_numpy(dtype=bool)
        else:
            hit |= text.str.contains(word, regex=False).to_numpy(dtype=bool)
    return hit
