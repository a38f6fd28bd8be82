"""Signs and colours of suggestion kinds; never red against green, which China reads the other way."""

from __future__ import annotations

MARKS = {
    "raise": "▲",
    "lower": "▼",
    "pause": "■",
    "resume": "□",
    "add_keyword": "+",
    "add_negative": "−",
    "set_budget": "◆",
    "set_target": "◇",
    "shift_creative": "◐",
    "watch": "○",
}
"""Glyphs that every common font has."""

COLOURS = {
    "raise": "#0072B2",
    "lower": "#D55E00",
    "pause": "#8A6D3B",
    "resume": "#8A6D3B",
    "add_keyword": "#0072B2",
    "add_negative": "#D55E00",
    "set_budget": "#0072B2",
    "set_target": "#0072B2",
    "shift_creative": "#0072B2",
    "watch": "#767676",
}
"""Okabe-Ito blue and orange: told apart by every eye and with no meaning of good or bad."""

KINDS = tuple(MARKS)
"""In the order they are listed."""

DECIDED = (
    "raise",
    "lower",
    "pause",
    "resume",
    "add_keyword",
    "add_negative",
    "set_budget",
    "set_target",
    "shift_creative",
)
"""Kinds that need a decision; a watched keyword needs none."""


def mark(kind: str) -> str:
    """The sign of a kind; a dot for one that is not known yet."""
    return MARKS.get(kind, "·")
