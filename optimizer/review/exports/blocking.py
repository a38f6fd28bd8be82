"""Which texts a negative keyword would keep from showing.

A negative blocks a search that holds all its words (BROAD), holds them together in order (PHRASE) or
is nothing else (EXACT), case and spaces aside. Languages written without spaces are compared
character by character. Close variants are not matched: platforms do not match them for negatives.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from optimizer.estimates.posteriors import Bools
from optimizer.estimates.segments import normalise_text

_TOKEN = "[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\\s\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+"
_BETWEEN = "\x1f"


def blocked_pairs(negatives: pd.DataFrame, keywords: pd.DataFrame) -> pd.DataFrame:
    """Pairs (`negative`, `text`: index labels) of a negative and a keyword that it would silence.

    Both have campaign_name, ad_group_name, keyword_text and match_type; negatives their `level`.
    A negative EXACT silences a keyword EXACT only: of a wider one it takes one search. Any other
    silences every keyword whose own text it matches, as all its searches hold that text.
    """
    pairs = _pairs(negatives, keywords)
    exact = pairs["match_type"].eq("EXACT") & pairs["match_type_text"].ne("EXACT")
    return pairs.loc[~exact, ["negative", "text"]].reset_index(drop=True)


def lost_terms(
    negatives: pd.DataFrame, terms: pd.DataFrame, keywords: pd.DataFrame
) -> pd.DataFrame:
    """Pairs (`negative`, `text`) of a negative and a converting search term that it would lose.

    Not the term the negative is made of, which was judged on its own record, nor one that an own
    keyword of exactly this text goes on to serve: there the negative moves the search to it.
    """
    found = _pairs(negatives, terms.assign(match_type="EXACT"))
    served = set(_tokens(keywords.loc[keywords["match_type"].eq("EXACT"), "keyword_text"]))
    own = found["tokens"].eq(found["tokens_text"]) | found["tokens_text"].isin(served)
    return found.loc[~own, ["negative", "text"]].reset_index(drop=True)


def _pairs(negatives: pd.DataFrame, texts: pd.DataFrame) -> pd.DataFrame:
    """Each negative with every text of its ad group, or campaign, that it matches."""
    left = _tokened(negatives, "negative")
    right = _tokened(texts, "text")
    candidates = _with_all_words(left, right)
    pairs = candidates.merge(left, on="negative").merge(right, on="text", suffixes=("", "_text"))
    place = pairs["level"].eq("campaign") | pairs["ad_group_name"].eq(pairs["ad_group_name_text"])
    return pairs[place.to_numpy(dtype=bool) & _matches(pairs)]


def _tokened(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    names = [
        "campaign_name",
        "ad_group_name",
        "match_type",
        *(["level"] if name == "negative" else []),
    ]
    tokened = frame[names].assign(tokens=_tokens(frame["keyword_text"]).to_numpy())
    tokened[name] = frame.index
    return tokened


def _tokens(texts: pd.Series[str]) -> pd.Series[str]:
    """Normalised words, between marks on either side."""
    words = normalise_text(texts).str.findall(_TOKEN).str.join(_BETWEEN)
    return _BETWEEN + words + _BETWEEN


def _with_all_words(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    """(negative, text) of one campaign where the text holds every word of the negative."""
    wanted, held = _words(left, "negative"), _words(right, "text")
    held = held[held["word"].isin(set(wanted["word"]))]
    met = wanted.merge(held, on=["campaign_name", "word"])
    counts = met.groupby(["negative", "text"], sort=False).size().reset_index(name="met")
    asked = wanted.groupby("negative")["word"].nunique()
    whole = counts["met"].to_numpy() == counts["negative"].map(asked).to_numpy()
    found: pd.DataFrame = counts.loc[whole, ["negative", "text"]]
    return found


def _words(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    split = frame["tokens"].str.strip(_BETWEEN).str.split(_BETWEEN)
    words = frame[["campaign_name", name]].assign(word=split).explode("word")
    found: pd.DataFrame = words[words["word"].ne("")].drop_duplicates()
    return found


def _matches(pairs: pd.DataFrame) -> Bools:
    """Whether the order of the words is as the negative's match type asks; BROAD asks none."""
    whole: Any = pairs["tokens"].eq(pairs["tokens_text"]).to_numpy(dtype=bool)
    within = np.fromiter(
        (a in b for a, b in zip(pairs["tokens"], pairs["tokens_text"], strict=True)),
        dtype=bool,
        count=len(pairs),
    )
    kind = pairs["match_type"]
    return np.select([kind.eq("BROAD"), kind.eq("PHRASE")], [np.ones_like(within), within], whole)
