"""What a target without a match type is, by the text that names it: `close-match`, `asin="…"`.

Shops' platforms bid on products, categories and automatic groups beside keywords, in one column.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from optimizer.reports import cells

_MATCH_TYPES: Final = {"keyword": None, "auto": "AUTO", "keyword_package": "AUTO"}
_OTHER: Final = "PRODUCT"


def kind_sql(text: str, patterns: Mapping[str, str]) -> str:
    """SQL of the kind of target, by the first pattern that `text` (SQL) shows; without case."""
    whens = " ".join(
        f"WHEN {cells.any_pattern(text, (pattern,))} THEN {cells.quoted(kind)}"
        for pattern, kind in patterns.items()
    )
    return f"CASE {whens} END"


def match_sql(kind: str) -> str:
    """SQL of the match type that a kind of target stands for: AUTO, PRODUCT, null for keywords."""
    whens = " ".join(
        f"WHEN {cells.quoted(name)} THEN {cells.quoted(match) if match else 'NULL'}"
        for name, match in _MATCH_TYPES.items()
    )
    return f"CASE {kind} {whens} ELSE {cells.quoted(_OTHER)} END"
