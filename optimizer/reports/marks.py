"""What gives a piece of a file its shape: quotes, delimiters, line ends and controls without the text.

They are a seventh of the bytes or less, so that most questions about lines are cheap to ask of them.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

_CONTROLS: Final = bytes([*range(10), *range(11, 32), 127])
_QUOTED_CELL: Final = re.compile(rb'"[^"\n]*"')


def of(chunk: bytes, delimiter: str) -> bytes:
    """The marks of a chunk in their order."""
    return chunk.translate(None, _all_but(b'\n"' + _CONTROLS + delimiter.encode()))


def are_regular(marks: bytes, delimiter: str, width: int) -> bool:
    """True where each line has `width` cells, two or more, and each quote closes on its line."""
    ends = marks.count(b"\n")
    if width < 2 or len(marks) < width * ends:
        # A blank line would be a row; and lines that are too short need no template of all cells.
        return False
    mark = delimiter.encode()
    regular = (mark * (width - 1) + b"\n") * ends
    # Most quoted cells hold no delimiter, or one: a pattern for the others takes ten times as long.
    quoted = b'"' + mark + b'"'
    return (
        marks == regular
        or marks.replace(quoted, b"") == regular
        or marks.replace(b'""', b"").replace(quoted, b"") == regular
        or _QUOTED_CELL.sub(b"", marks) == regular
    )


def have_controls(marks: bytes, delimiter: str) -> bool:
    """Whether some cell may hold a control character, be it the delimiter in quotes."""
    mark = delimiter.encode()
    controls = marks.translate(None, b'\n"' + mark)
    return bool(controls) or (mark in _CONTROLS and b'"' in marks)


def quotes_and_ends(marks: bytes) -> bytes:
    """The quotes and the line ends alone."""
    return marks.translate(None, _all_but(b'\n"'))


@cache
def _all_but(kept: bytes) -> bytes:
    return bytes(byte for byte in range(256) if byte not in kept)
