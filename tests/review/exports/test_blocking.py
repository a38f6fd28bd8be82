import pandas as pd
import pytest

from optimizer.review.exports.blocking import blocked_pairs, lost_terms
from tests.review.exports.export_rows import CASES, CENTS, frame, of_kind


def texts(*pairs: tuple[str, str], campaign: str = "c", group: str = "g") -> pd.DataFrame:
    rows = [
        {
            "campaign_name": campaign,
            "ad_group_name": group,
            "keyword_text": text,
            "match_type": kind,
        }
        for text, kind in pairs
    ]
    return pd.DataFrame(rows).assign(level="ad_group")


@pytest.mark.parametrize(
    ("negative", "keyword", "blocked"),
    [
        (("red tent", "EXACT"), ("red tent", "EXACT"), True),
        (("Red  TENT", "EXACT"), ("red tent", "EXACT"), True),
        (("red tent", "EXACT"), ("red tent", "BROAD"), False),
        (("red tent", "EXACT"), ("big red tent", "EXACT"), False),
        (("red tent", "PHRASE"), ("big red tent", "BROAD"), True),
        (("red tent", "PHRASE"), ("tent red", "EXACT"), False),
        (("red", "PHRASE"), ("redder tent", "EXACT"), False),
        (("red tent", "BROAD"), ("tent in red", "PHRASE"), True),
        (("red tent", "BROAD"), ("red", "BROAD"), False),
        (("big red tent", "PHRASE"), ("red tent", "BROAD"), False),
        (("帐篷", "PHRASE"), ("双人帐篷", "EXACT"), True),
        (("篷帐", "PHRASE"), ("双人帐篷", "EXACT"), False),
        (("ｒｅｄ", "PHRASE"), ("red tent", "EXACT"), True),
        (("a a b", "PHRASE"), ("x a a b", "EXACT"), True),
    ],
)
def test_a_negative_silences_keywords_whose_text_it_matches(
    negative: tuple[str, str], keyword: tuple[str, str], blocked: bool
) -> None:
    assert bool(len(blocked_pairs(texts(negative), texts(keyword)))) == blocked


def test_an_ad_groups_negative_leaves_its_neighbours_alone_a_campaigns_does_not() -> None:
    negative = texts(("tent", "PHRASE"))
    neighbour = texts(("red tent", "EXACT"), group="other")
    elsewhere = texts(("red tent", "EXACT"), campaign="other")
    whole = negative.assign(level="campaign")
    assert blocked_pairs(negative, neighbour).empty
    assert len(blocked_pairs(whole, neighbour)) == 1
    assert blocked_pairs(whole, elsewhere).empty


def test_a_converting_term_is_lost_unless_an_own_keyword_serves_it() -> None:
    negative = texts(("cheap", "PHRASE"))
    terms = texts(("cheap tent", "EXACT"), ("cheap", "EXACT"), ("tent", "EXACT"))
    none = texts(("lamp", "EXACT"))
    lost = lost_terms(negative, terms, none)
    assert terms.loc[lost["text"], "keyword_text"].tolist() == ["cheap tent"]
    assert lost_terms(negative, terms, texts(("cheap tent", "EXACT"), group="other")).empty
    assert len(lost_terms(negative, terms, texts(("cheap tent", "PHRASE"), group="other"))) == 1


def test_nothing_is_blocked_by_nothing() -> None:
    nothing = texts(("tent", "EXACT")).iloc[:0]
    assert blocked_pairs(nothing, texts(("tent", "EXACT"))).empty
    assert blocked_pairs(texts(("tent", "EXACT")), nothing).empty


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    ("column", "kind", "code"),
    [
        ("blocks_keyword", "add_negative", "negative_blocks_keyword"),
        ("blocks_term", "add_negative", "negative_blocks_term"),
        ("blocked_by", "add_keyword", "keyword_blocked"),
    ],
)
def test_every_writer_refuses_what_blocks_or_is_blocked(
    name: str, column: str, kind: str, code: str
) -> None:
    (told,) = CASES[name].writer.refusals(frame(of_kind(kind, **{column: "lake tent"})), CENTS)
    assert (told.code, told.fields[column]) == (code, "lake tent")


def test_a_negative_and_the_keyword_it_would_silence_are_not_written_together() -> None:
    add = of_kind("add_keyword", 1, keyword_text="cheap lake tent")
    negative = of_kind("add_negative", 2, keyword_text="lake tent", match_type="PHRASE")
    (told,) = CASES["google_ads"].writer.refusals(frame(add, negative), CENTS)
    assert (told.id, told.fields["blocks_keyword"]) == ("k2", "cheap lake tent")
