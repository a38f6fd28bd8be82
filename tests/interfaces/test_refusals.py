"""Every reason for which a row is kept out of a file has words, and words for fields it shows."""

from __future__ import annotations

import ast
from string import Formatter

import pytest

from optimizer.interfaces.locale.catalogue import catalogue
from tests.interfaces import sources

ALWAYS = {"id", "keyword_text", "ad_group_name", "campaign_name"}


def shown_by_code() -> dict[str, set[str]]:
    """Fields of each refusal, read from the calls that make them."""
    found: dict[str, set[str]] = {}
    for tree in sources.trees("review/exports"):
        for call in sources.calls(tree, {"flag"}):
            code, *shown = [one.value for one in call.args[2:] if isinstance(one, ast.Constant)]
            found[code] = set(shown) | ALWAYS
    return found


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_refused_row_is_told_in_words_that_its_fields_fill(language: str) -> None:
    words, shown = catalogue(language), shown_by_code()
    assert len(shown) > 25
    assert [code for code in shown if ("error", code) not in words] == []
    asked = {code: _fields(words["error", code]) for code in shown}
    assert {code: names - shown[code] for code, names in asked.items() if names - shown[code]} == {}


def _fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}
