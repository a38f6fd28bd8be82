"""Cells of files that people open: nothing in them may act as a formula.

A program's file never goes through here: there the text must be the platform's, byte for byte.
"""

from __future__ import annotations

import re

_ACTIVE = re.compile(r"['\t\r\n]|\s*[=+\-@＝＋－＠]")
"""The starts that spreadsheets act on (OWASP's list with line feed and full-width forms), and the mark."""


def inert(text: str) -> str:
    """The text, behind an apostrophe where a spreadsheet could take it for a formula."""
    return f"'{text}" if _ACTIVE.match(text) else text


def as_written(cell: str) -> str:
    """The text that `inert` was given."""
    return cell.removeprefix("'")
