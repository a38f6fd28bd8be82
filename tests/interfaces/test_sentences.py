"""What is said of a budget."""

from typing import Any

import pytest

from optimizer.interfaces.locale import Translator
from optimizer.interfaces.sentences import left_sentence, unspent_sentence


def summary(kept: float, *, enforced: bool = False) -> dict[str, Any]:
    told = {"kept": kept, "unspent": 61.0, "cut": 5.0, "lost": 2.0, "enforced": enforced}
    data = {"budget": {**told, "peak": 1.0, "month": 1.0}}
    return {"budget": 500.0, "cost_planned": 450.0, "data": data}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("sentence", [left_sentence, unspent_sentence])
def test_money_kept_for_busy_days_is_named_where_money_is_left(
    sentence: Any, language: str
) -> None:
    words = Translator(language)
    for enforced in (False, True):
        assert "37.5" in sentence(words, summary(37.5, enforced=enforced))
        assert "37.5" not in sentence(words, summary(0.0, enforced=enforced))


def test_reviews_stored_before_anything_was_kept_are_told_as_they_were() -> None:
    told = summary(0.0)
    del told["data"]["budget"]["kept"]
    assert left_sentence(Translator("en"), told) == left_sentence(Translator("en"), summary(0.0))
