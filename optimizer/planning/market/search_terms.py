"""The searches behind every keyword: which terms it lets in, and how well each of them converts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from optimizer.planning.market import words
from optimizer.planning.market.places import Places, within
from optimizer.planning.market.settings import MarketSettings

MATCH_TYPES = np.array(["EXACT", "PHRASE", "BROAD"], dtype=object)
EXACT, PHRASE, BROAD = range(3)
_QUALITY = np.array([word[2] for word in words.TERM_WORDS])


@dataclass(frozen=True)
class _Draw:
    """Per term: its keyword, its number there (0: the keyword's own text), the word added, match."""

    keyword: np.ndarray
    number: np.ndarray
    word: np.ndarray
    match: np.ndarray


def draw_terms(
    settings: MarketSettings, match: np.ndarray, cvr: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    """Per term: keyword (position), number, word, match, share of the keyword's searches, cvr.

    The shares of a keyword sum to 1 and its terms' cvr average to its own.
    """
    part = settings.terms
    counts = np.array([part.exact, part.phrase, part.broad])[match]
    keyword = np.repeat(np.arange(len(match)), counts)
    number = within(keyword)
    first_word = rng.integers(0, len(words.TERM_WORDS), len(match))
    # 5 and 16 share no factor: up to 15 terms of one keyword get different words.
    word = (first_word[keyword] + 5 * number) % len(words.TERM_WORDS)
    draw = _Draw(keyword, number, word, match[keyword])
    share = _shares(settings, draw, rng)
    factor = _factors(settings, draw, share, rng)
    frame = pd.DataFrame({"keyword": keyword, "number": number, "word": word, "match": draw.match})
    frame["share"] = share
    frame["cvr"] = np.minimum(cvr[keyword] * factor, 1.0)
    return frame


def name_terms(
    draw: pd.DataFrame, keywords: pd.DataFrame, group_words: words.AdGroupWords, places: Places
) -> pd.DataFrame:
    """What a search terms report shows: keyword (position), search_term, term_match_type, term_status."""
    keyword, own = draw["keyword"].to_numpy(), draw["number"].to_numpy() == 0
    match = draw["match"].to_numpy()
    texts = keywords["keyword_text"].to_numpy(dtype=object)[keyword]
    group = places.group[keyword]
    language, nouns = group_words.language[group], group_words.full_noun[group]
    wide = (match == BROAD) & (draw["number"].to_numpy() % 2 == 1)
    longer = words.term_texts(texts, nouns, language, draw["word"].to_numpy(), wide)
    variants = words.close_variants(texts, language)
    other = np.where(match == EXACT, variants, longer)
    frame = pd.DataFrame({"keyword": keyword, "search_term": np.where(own, texts, other)})
    frame["term_match_type"] = _labels(match, own)
    frame["term_status"] = np.where(own & (match == EXACT), "ADDED", "NONE")
    return frame.astype({"search_term": "str", "term_match_type": "str", "term_status": "str"})


def _labels(match: np.ndarray, own: np.ndarray) -> np.ndarray:
    close = (match == EXACT) & ~own
    return np.where(close, "EXACT_CLOSE_VARIANT", MATCH_TYPES[match])


def _shares(settings: MarketSettings, draw: _Draw, rng: np.random.Generator) -> np.ndarray:
    part = settings.terms
    own_share = np.array([part.own_text_exact, part.own_text_phrase, part.own_text_broad])
    own = draw.number == 0
    weight = np.where(own, 0.0, rng.gamma(1.0, size=len(draw.keyword)))
    others = np.bincount(draw.keyword, weight)[draw.keyword]
    alone = others == 0
    rest = (1 - own_share[draw.match]) * weight / np.where(alone, 1.0, others)
    return np.where(own, np.where(alone, 1.0, own_share[draw.match]), rest)


def _factors(
    settings: MarketSettings, draw: _Draw, share: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Each term's cvr against its keyword's; close variants are nearly the keyword itself."""
    plain = (draw.number == 0) | (draw.match == EXACT)
    noise = np.exp(rng.normal(0.0, settings.terms.noise_sd, len(share)))
    factor = np.where(plain, 1.0, _QUALITY[draw.word]) * np.where(draw.number == 0, 1.0, noise)
    mean = np.bincount(draw.keyword, share * factor)
    relative: np.ndarray = factor / mean[draw.keyword]
    return relative
