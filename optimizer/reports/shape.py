"""Lines that cannot be rows of their table: of another width, or inside a quote that nobody closed.

They are looked for before the reader sees them: its notes on a line repeat the whole line for every
cell that is missing or surplus, so that a file of two megabytes could take all memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from optimizer.errors import RefusedInput
from optimizer.reports.decoding import Lines

MOST_NOTES: Final = 300_000_000
"""Bytes that the reader's notes on ragged rows may take."""
_NOTE: Final = 1000
"""Bytes of a note beside the text of its line."""
_NEWLINE: Final = 10
_QUOTE: Final = 34

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Block:
    """Whole lines: per line the delimiters, those of them in quotes, its bytes, where it is quoted."""

    data: npt.NDArray[np.uint8]
    ends: Counts
    delimiters: Counts
    quoted: Counts
    starts_quoted: npt.NDArray[np.bool_]
    ends_quoted: npt.NDArray[np.bool_]

    @property
    def bytes(self) -> Counts:
        """Length of each line with its end."""
        return np.diff(self.ends, prepend=-1)


def refuse_shapeless(source: Path, lines: Lines, delimiter: str, width: int, file: str) -> None:
    """Raise `RefusedInput` where rows lie inside a quote, or too many have another width.

    `source` holds the data lines as UTF-8, `width` is the number of cells of the header.
    """
    notes, first, quoted = 0, 0, False
    with source.open("rb") as opened:
        for place, piece in enumerate(lines.blocks):
            if piece.regular:
                quoted = False
                continue
            data = np.frombuffer(lines.read(opened, place), dtype=np.uint8)
            block = _block(data, ord(delimiter), starts_quoted=quoted)
            _refuse_swallowed(block, width, lines.first + piece.line, file)
            at, size = _notes(block, ord(delimiter), width)
            first = first or (lines.first + piece.line + at if size else 0)
            notes += size
            if notes > MOST_NOTES:
                raise RefusedInput("rows_ragged", file=file, line=first, cells=width)
            quoted = bool(block.ends_quoted[-1])


def _block(data: npt.NDArray[np.uint8], delimiter: int, *, starts_quoted: bool) -> _Block:
    marks = data[(data == delimiter) | (data == _NEWLINE) | (data == _QUOTE)]
    inside = (np.cumsum(marks == _QUOTE) + starts_quoted) % 2 == 1
    ends = np.flatnonzero(marks == _NEWLINE)
    ends_quoted = inside[ends]
    return _Block(
        data=data,
        ends=np.flatnonzero(data == _NEWLINE),
        delimiters=_per_line(marks == delimiter, ends),
        quoted=_per_line((marks == delimiter) & inside, ends),
        starts_quoted=np.append(starts_quoted, ends_quoted[:-1]),
        ends_quoted=ends_quoted,
    )


def _per_line(marked: npt.NDArray[np.bool_], ends: Counts) -> Counts:
    return np.diff(np.cumsum(marked)[ends], prepend=0)


def _refuse_swallowed(block: _Block, width: int, first: int, file: str) -> None:
    """A line that begins inside a quote and has a row's delimiters is a row that the quote swallowed.

    The end of a cell of several lines has them too where the cell is the first of its row, so a
    line on which the quote closes counts only with delimiters before that.
    """
    like_rows = block.starts_quoted & (block.delimiters >= max(width - 1, 1))
    swallowed = np.flatnonzero(like_rows & (block.ends_quoted | (block.quoted > 0)))
    if len(swallowed):
        opened = np.flatnonzero(~block.starts_quoted[: swallowed[0]])
        line = first + int(opened[-1] if len(opened) else 0)
        raise RefusedInput("quote_unclosed", file=file, line=line)


def _notes(block: _Block, delimiter: int, width: int) -> tuple[int, int]:
    """The first ragged line of a block, and bytes of the reader's notes on all of them."""
    starts = np.flatnonzero(~block.starts_quoted)
    if not len(starts):
        return 0, 0
    found = np.add.reduceat(block.delimiters - block.quoted, starts)
    size = np.add.reduceat(block.bytes, starts)
    stray = np.abs(found - (width - 1))
    last = np.append(starts[1:], len(block.ends)) - 1
    stray[(size == 1) | block.ends_quoted[last] | _padded(block, delimiter, last, found, width)] = 0
    ragged = np.flatnonzero(stray)
    return int(starts[ragged[0]]) if len(ragged) else 0, int((stray * (size + _NOTE)).sum())


def _padded(block: _Block, delimiter: int, last: Counts, found: Counts, width: int) -> Any:
    """Records whose surplus cells are all empty and last, which the reader forgives."""
    surplus = np.maximum(found - (width - 1), 0)
    if not surplus.any():
        return np.zeros(len(last), dtype=bool)
    before = np.append(0, np.cumsum(block.data == delimiter, dtype=np.int64))
    end = block.ends[last]
    return (surplus > 0) & (before[end] - before[end - surplus] == surplus)
