import pandas as pd
import pytest

from optimizer.estimates.segments import SEGMENTS, keyword_items, mark_segments, normalise_text
from optimizer.settings import Item, Segments

WORDS = Segments(brand=("acme", "大山"), competitor=("rival tents",), own_item=("breeze 2",))


@pytest.mark.parametrize(
    ("text", "segment"),
    [
        ("tent", "generic"),
        ("ACME  tent", "brand"),
        ("acmexyz tent", "generic"),
        ("ａｃｍｅ tent", "brand"),
        ("买大山帐篷", "brand"),
        ("rival tents sale", "competitor"),
        ("acme or rival tents", "brand"),
        ("breeze 2 tent", "own_item"),
        ("breeze 2 or rival tents", "own_item"),
        ("acme breeze 2", "brand"),
    ],
)
def test_words_mark_their_segment(text: str, segment: str) -> None:
    code = mark_segments(pd.Series([text], dtype="str"), WORDS)
    assert SEGMENTS[code[0]] == segment


def test_without_word_lists_everything_is_generic() -> None:
    assert mark_segments(pd.Series(["acme"], dtype="str"), Segments()).tolist() == [0]


def test_texts_compare_without_case_width_or_spaces() -> None:
    same = pd.Series(["Red  Tent", "ｒｅｄ tent ", "red tent"], dtype="str")
    assert set(normalise_text(same)) == {"red tent"}


def test_a_keyword_belongs_to_an_item_by_id_else_by_ad_group() -> None:
    items = (Item(item_id="7"), Item(item_id="8", ad_groups=("tents",)))
    keywords = pd.DataFrame(
        {
            "item_id": pd.Series(["7", "9", None, None], dtype="str"),
            "ad_group_name": ["tents", "lamps", "tents", "lamps"],
        }
    )
    assert keyword_items(keywords, items).tolist() == [0, -1, 1, -1]
    assert keyword_items(keywords, ()).tolist() == [-1, -1, -1, -1]
