"""What a keyword's text may be: the same everywhere for safety, and each platform's own rules."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from optimizer.review.exports.rows import CAMPAIGN_KINDS, NEW_KINDS, Refusal, flag

_CONTROL = "[\x00-\x1f\x7f-\x9f\u2028\u2029]"
_FORMULA = r"\s*[=@＝＠]"
_INVISIBLE = "[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
_DECORATED = r"[\[\]\"“”]"


@dataclass(frozen=True)
class TextRules:
    """Limits of new texts; None: the platform states none that we know of.

    `gb_bytes` counts as the platform does: two for a Chinese character. `forbidden` is a pattern.
    """

    characters: int | None = None
    words: int | None = None
    gb_bytes: int | None = None
    negative_phrase_words: int | None = None
    forbidden: str = _DECORATED
    keyword_types: Collection[str] = ("EXACT", "PHRASE", "BROAD")
    negative_types: Collection[str] = ("EXACT", "PHRASE", "BROAD")


def safe_text_refusals(rows: pd.DataFrame) -> list[Refusal]:
    """Texts that a program reading the file could take for something else; no platform needs them."""
    text, named = rows["keyword_text"], ~rows["kind"].isin(CAMPAIGN_KINDS)
    names = rows["campaign_name"] + " " + rows["ad_group_name"]
    control = (text + " " + names).str.contains(_CONTROL)
    return [
        *flag(rows, control, "text_control_character"),
        *flag(rows, named & text.str.match(_FORMULA), "text_formula_start"),
        *flag(rows, named & text.str.strip().eq(""), "text_empty"),
    ]


def text_refusals(rows: pd.DataFrame, rules: TextRules) -> list[Refusal]:
    """Length and character rules bind new texts; an existing keyword already passed them."""
    text, new = rows["keyword_text"], rows["kind"].isin(NEW_KINDS)
    words = text.str.count(r"\S+")
    phrase = rows["kind"].eq("add_negative") & rows["match_type"].eq("PHRASE")
    long = _above(text.str.len(), rules.characters)
    long |= _above(text.map(_gb_length).astype("int64"), rules.gb_bytes)
    wordy = _above(words, rules.words) | (phrase & _above(words, rules.negative_phrase_words))
    bad = text.str.contains(_INVISIBLE) | text.str.contains(rules.forbidden)
    decorated = text.str.contains(_DECORATED)
    return [
        *flag(rows, new & long, "text_too_long"),
        *flag(rows, new & wordy, "text_too_many_words"),
        *flag(rows, new & bad & ~decorated, "text_forbidden_character"),
        *flag(rows, new & decorated, "text_decorated"),
    ]


def _above(counts: pd.Series[int], most: int | None) -> pd.Series[bool]:
    found: pd.Series[bool] = counts.gt(most if most is not None else counts.max())
    return found


def _gb_length(text: str) -> int:
    return len(text.encode("gb18030", errors="replace"))


def match_refusals(
    rows: pd.DataFrame, rules: TextRules, found_by: Literal["ids", "names", "person"]
) -> list[Refusal]:
    """Match types the platform does not have, and missing ones where they identify the keyword.

    By its own and its ad group's id, or by a person, an existing keyword is found without one.
    """
    kind, found = rows["kind"], rows["match_type"]
    negative = kind.eq("add_negative")
    known = (negative & found.isin(list(rules.negative_types))) | (
        ~negative & found.isin(list(rules.keyword_types))
    )
    identified = rows["keyword_id"].notna() & rows["ad_group_id"].notna() & (found_by == "ids")
    needed = kind.isin(NEW_KINDS) | (~identified & (found_by != "person"))
    return [
        *flag(rows, found.notna() & ~known, "match_type_unsupported", "match_type"),
        *flag(rows, needed & ~kind.isin(CAMPAIGN_KINDS) & found.isna(), "match_type_missing"),
    ]
