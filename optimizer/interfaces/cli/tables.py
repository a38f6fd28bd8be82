"""Tables for a terminal whose cells are shown as they are: a keyword may look like markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from rich.table import Table
from rich.text import Text

from optimizer.interfaces.locale import Translator


def text_table(
    words: Translator,
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    title: str = "",
    right: Sequence[str] = (),
) -> Table:
    """A table of texts with translated headings; columns named in `right` hold numbers."""
    table = Table(title=words.text(title) if title else None, title_justify="left")
    for heading in headings:
        side: Literal["left", "right"] = "right" if heading in right else "left"
        table.add_column(words.text(heading), justify=side, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
