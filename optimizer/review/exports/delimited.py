"""Rows of cells as delimited bytes and back, as each platform wants them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Cells = Mapping[str, str]


@dataclass(frozen=True)
class Layout:
    """Columns, delimiter, line end and encoding (with its mark, where the platform wants one)."""

    columns: Sequence[str]
    delimiter: str = ","
    line_end: str = "\n"
    encoding: str = "utf-8"


def write_delimited(layout: Layout, rows: Iterable[Cells]) -> bytes:
    """A header and the rows, cells quoted only where they must be; b"" when there are no rows."""
    listed = list(rows)
    if not listed:
        return b""
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(
        buffer,
        layout.columns,
        restval="",
        delimiter=layout.delimiter,
        lineterminator=layout.line_end,
    )
    writer.writeheader()
    writer.writerows(listed)
    # "utf-16" alone would follow the machine's byte order.
    mark = "\ufeff" if layout.encoding == "utf-16-le" else ""
    return (mark + buffer.getvalue()).encode(layout.encoding)


def read_delimited(layout: Layout, content: bytes) -> list[dict[str, str]]:
    """The rows that `write_delimited` wrote."""
    text = content.decode(layout.encoding).removeprefix("\ufeff")
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=layout.delimiter)
    return [dict(row) for row in reader]
