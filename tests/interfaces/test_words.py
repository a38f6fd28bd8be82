"""Every text and code has words in both languages, with the same fields."""

from __future__ import annotations

from string import Formatter

import pytest

from optimizer.interfaces.locale.catalogue import catalogue
from tests.interfaces import sources


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def codes(language: str) -> dict[tuple[str, str], str]:
    return {key: text for key, text in catalogue(language).items() if key[0]}


def test_texts_of_the_interfaces_are_translated() -> None:
    missing = [text for text in sources.interface_texts() if ("", text) not in catalogue("zh")]
    assert missing == []


def test_no_translation_is_left_over() -> None:
    known = sources.interface_literals()
    assert [text for context, text in catalogue("zh") if not context and text not in known] == []


def test_both_languages_have_the_same_codes() -> None:
    assert codes("zh").keys() == codes("en").keys()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_raised_error_has_a_sentence(language: str) -> None:
    missing = [code for code in sources.raised_codes() if ("error", code) not in codes(language)]
    assert missing == []


def test_translations_use_the_fields_of_the_original() -> None:
    zh = catalogue("zh")
    texts = {text: done for (context, text), done in zh.items() if not context}
    assert {text for text, done in texts.items() if fields(done) - fields(text)} == set()
    pairs = {key: (codes("en")[key], zh[key]) for key in codes("en")}
    assert {key for key, (en, cn) in pairs.items() if fields(en) != fields(cn)} == set()
