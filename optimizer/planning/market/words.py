"""Invented names and texts of an outdoor shop that advertises in Chinese and English."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BRAND_WORDS = ("岚途野", "lantoye")
COMPETITOR_WORDS = ("凯洛维", "kelovik")
ZH, EN = 0, 1

# (language, campaign, ad-group nouns)
CATEGORIES: tuple[tuple[int, str, tuple[str, ...]], ...] = (
    (ZH, "帐篷", ("帐篷", "天幕", "防潮垫", "帐篷配件", "遮阳棚")),
    (EN, "Backpacks", ("hiking backpack", "daypack", "dry bag", "travel pack", "laptop rucksack")),
    (ZH, "睡袋", ("睡袋", "羽绒睡袋", "充气床垫", "露营枕头", "野营毯")),
    (EN, "Lighting", ("headlamp", "camping lantern", "torch", "solar lamp", "string lights")),
    (ZH, "炊具", ("野营炉具", "户外水壶", "野餐锅具", "保温箱", "烧烤架")),
    (EN, "Furniture", ("camping chair", "folding table", "hammock", "camp cot", "picnic mat")),
)
# (Chinese, English) put before and after the noun
PREFIXES: tuple[tuple[str, str], ...] = (
    ("", ""),
    ("轻便", "lightweight"),
    ("户外", "outdoor"),
    ("防水", "waterproof"),
    ("双人", "2 person"),
    ("儿童", "kids"),
    ("专业", "professional"),
    ("折叠", "folding"),
    ("加厚", "thick"),
    ("大号", "large"),
    ("新款", "new"),
    ("冬季", "winter"),
    ("夏季", "summer"),
    ("便携", "portable"),
    ("超轻", "ultralight"),
    ("家用", "family"),
    ("高端", "premium"),
    ("平价", "affordable"),
    ("徒步", "trekking"),
    ("露营", "festival"),
    ("自驾", "car"),
    ("女士", "womens"),
    ("男士", "mens"),
    ("小型", "small"),
)
SUFFIXES: tuple[tuple[str, str], ...] = (
    ("", ""),
    ("推荐", "online"),
    ("价格", "price"),
    ("多少钱", "for sale"),
    ("哪个牌子好", "reviews"),
    ("批发", "wholesale"),
    ("评测", "store"),
    ("旗舰店", "deals"),
    ("怎么选", "guide"),
    ("排行榜", "ranking"),
    ("专卖", "shop"),
    ("优惠", "discount"),
    ("包邮", "set"),
    ("哪里买", "buy"),
    ("套装", "clearance"),
    ("购买", "comparison"),
    ("清仓", "brands"),
    ("对比", "near me"),
    ("代发", "best rated"),
    ("品牌", "bundle"),
)
# (Chinese, English, conversion rate against the keyword's typical searcher)
TERM_WORDS: tuple[tuple[str, str, float], ...] = (
    ("免费领取", "free", 0.05),
    ("二手", "used", 0.12),
    ("图片", "pictures", 0.08),
    ("怎么修", "repair", 0.05),
    ("出租", "rental", 0.1),
    ("招聘", "jobs", 0.02),
    ("自制", "diy", 0.06),
    ("上海", "shanghai", 0.9),
    ("学生", "for students", 0.7),
    ("送礼", "gift", 1.2),
    ("黑色", "black", 1.1),
    ("现货速发", "in stock", 2.2),
    ("正品保证", "authentic", 1.8),
    ("下单", "order now", 2.6),
    ("优惠券", "coupon", 1.6),
    ("顺丰", "free shipping", 1.7),
)
COMBINATIONS = len(PREFIXES) * len(SUFFIXES)
# Coprime with COMBINATIONS, so that a walk visits every combination before one repeats.
STRIDE = 173


@dataclass(frozen=True)
class AdGroupWords:
    """Per ad group: language, name, the noun its texts are about and the brand put in front."""

    language: np.ndarray
    name: np.ndarray
    noun: np.ndarray
    lead: np.ndarray

    @property
    def full_noun(self) -> np.ndarray:
        """The noun with its brand: what broad match reduces a keyword to."""
        return _join(self.language, self.lead, self.noun)


def campaign_names(kinds: np.ndarray) -> np.ndarray:
    """One unique name per campaign; `kinds` are brand, competitor or generic."""
    fixed = {"brand": "品牌 Brand", "competitor": "竞品 Competitor"}
    names = [fixed.get(kind) or CATEGORIES[i % len(CATEGORIES)][1] for i, kind in enumerate(kinds)]
    return _numbered(names)


def ad_group_words(campaign: np.ndarray, kinds: np.ndarray, place: np.ndarray) -> AdGroupWords:
    """Words of each ad group from its campaign and its `place` (0, 1, ...) within it."""
    special = kinds[campaign] != "generic"
    category = np.where(special, place, campaign) % len(CATEGORIES)
    chosen = [CATEGORIES[i] for i in category]
    nouns = [c[2][p % len(c[2])] for c, p in zip(chosen, place, strict=True)]
    language = np.array([c[0] for c in chosen])
    leads = {"brand": BRAND_WORDS, "competitor": COMPETITOR_WORDS, "generic": ("", "")}
    lead = [leads[kinds[c]][lang] for c, lang in zip(campaign, language, strict=True)]
    rounds = place // len(CATEGORIES[0][2])
    names = [f"{n} {r + 1}" if r else n for n, r in zip(nouns, rounds, strict=True)]
    return AdGroupWords(language, _texts(names), _texts(nouns), _texts(lead))


def keyword_texts(words: AdGroupWords, group: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Text `number` of each keyword's ad group: distinct numbers give distinct texts within it."""
    slot = (group * 31 + number * STRIDE) % COMBINATIONS
    before, after = np.divmod(slot, len(SUFFIXES))
    again = number // COMBINATIONS
    tail = _texts(["", *(f" {n + 1}" for n in range(1, int(again.max(initial=0)) + 1))])[again]
    language, noun, lead = words.language[group], words.noun[group], words.lead[group]
    prefix, suffix = _texts(PREFIXES)[before, language], _texts(SUFFIXES)[after, language]
    texts: np.ndarray = _join(language, lead, prefix, noun, suffix) + tail
    return texts


def term_texts(
    texts: np.ndarray, nouns: np.ndarray, language: np.ndarray, word: np.ndarray, broad: np.ndarray
) -> np.ndarray:
    """What people typed: the keyword's text (or, when `broad`, only its noun) with another word."""
    extra = _texts([w[:2] for w in TERM_WORDS])[word, language]
    base = np.where(broad, nouns, texts)
    return _join(language, base, extra)


def close_variants(texts: np.ndarray, language: np.ndarray) -> np.ndarray:
    """The same text with a different ending, as exact match lets in."""
    variants: np.ndarray = texts + _texts(["的", "s"])[language]
    return variants


def _join(language: np.ndarray, *parts: np.ndarray) -> np.ndarray:
    """Words one after the other: Chinese without spaces, English with one between."""
    gap = _texts(["", " "])[language]
    text = parts[0]
    for part in parts[1:]:
        text = text + np.where((text != "") & (part != ""), gap, "") + part
    return text


def _numbered(names: list[str]) -> np.ndarray:
    counts: dict[str, int] = {}
    unique = []
    for name in names:
        counts[name] = counts.get(name, 0) + 1
        unique.append(name if counts[name] == 1 else f"{name} {counts[name]}")
    return _texts(unique)


def _texts(values: object) -> np.ndarray:
    return np.array(values, dtype=object)
