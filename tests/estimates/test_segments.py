import pandas as pd
import pytest

from optimizer.estimates.segments import SEGMENTS, mark_segments, normalise_text
from optimizer.settings import Segments

WORDS = Segments(brand=("acme", "大山"), competitor=("rival tents",))


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
