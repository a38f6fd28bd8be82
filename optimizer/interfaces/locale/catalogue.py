"""The `.po` files as look-up tables."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

Key = tuple[str, str]
"""(context, English text) for text, (context, code) for codes; the context of plain text is ""."""


@cache
def catalogue(language: str) -> Mapping[Key, str]:
    """Every entry of `<language>.po` that has a translation."""
    path = Path(__file__).parent / f"{language}.po"
    with path.open("rb") as file:
        read = read_po(file, locale=language, abort_invalid=True)
    return {
        (message.context or "", str(message.id)): str(message.string)
        for message in read
        if message.id and message.string
    }
