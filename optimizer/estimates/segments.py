"""Brand, competitor and generic keywords, told apart by the word lists of the account's settings."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
import pandas as pd

from optimizer.estimates.posteriors import Bools, Ints
from optimizer.settings import Segments

SEGMENTS = ("generic", "brand", "competitor")


def normalise_text(text: pd.Series[str]) -> pd.Series[str]:
    """NFKC, lower case, single spaces: how texts are compared."""
    return pd.Series([_normalised(value) for value in text.tolist()], index=text.index, dtype="str")


def _normalised(value: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())


def mark_segments(text: pd.Series[str], words: Segments) -> Ints:
    """Index into SEGMENTS per text; brand wins over competitor."""
    code = np.zeros(len(text), dtype=np.int64)
    if not (words.brand or words.competitor):
        return code
    folded = normalise_text(text)
    code[_contains(folded, words.competitor)] = SEGMENTS.index("competitor")
    code[_contains(folded, words.brand)] = SEGMENTS.index("brand")
    return code


def _contains(text: pd.Series[str], words: Sequence[str]) -> Bools:
    """Whether any of `words` occurs; a Latin word must stand alone, a Chinese one may be inside."""
    hit = np.zeros(len(text), dtype=bool)
    for word in normalise_text(pd.Series(list(words), dtype="str")):
        if word.isascii():
            hit |= (" " + text + " ").str.contains(f" {word} ", regex=False).to_numpy(dtype=bool)
        else:
            hit |= text.str.contains(word, regex=False).to_numpy(dtype=bool)
    return hit
