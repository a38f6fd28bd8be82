"""Numbers and names as the cells of a delimited report, many rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Cells = Mapping[str, pa.Array]
NULL = " --"


def whole(value: float) -> str:
    """A count with thousands separators."""
    return f"{int(value):,}"


def grouped(value: float) -> str:
    """Two decimals with thousands separators: conversions and their value."""
    return f"{value:,.2f}"


def money(value: float) -> str:
    """Two decimals; unlike counts and values, cost never has thousands separators."""
    return f"{value:.2f}"


def average(value: float) -> str:
    """Money per something, where nothing is a bare 0."""
    return f"{value:.2f}" if value else "0"


def percent(value: float) -> str:
    """A share with two decimals."""
    return f"{value:.2%}"


def censored_share(value: float) -> str:
    """Shares below 10 % and above 90 % are not told, except 0 and 1 which nothing hides."""
    if 0 < value < 0.1:
        return "< 10%"
    return "> 90%" if 0.9 < value < 1 else f"{value:.2%}"


def written(values: np.ndarray, write: Callable[[Any], str]) -> pa.Array:
    """Each distinct value written once: a column has few of them compared with its rows."""
    distinct, place = np.unique(values, return_inverse=True)
    return pc.take(quoted([write(value) for value in distinct.tolist()]), pa.array(place))


def quoted(texts: Sequence[str]) -> pa.Array:
    """Cells of `texts`, in quotes where they need them."""
    return pa.array([_quoted(text) for text in texts], pa.string())


def spread(cells: Cells, place: np.ndarray) -> Cells:
    """Cells written once per keyword, taken for each row's `place`."""
    taken = pa.array(place)
    return {name: pc.take(values, taken) for name, values in cells.items()}


def joined(cells: Cells, columns: Sequence[str]) -> bytes:
    """All rows (less than 2 GiB) as bytes, joined column by column instead of row by row."""
    first = cells[columns[0]]
    if len(first) == 0:
        return b""
    last = pc.binary_join_element_wise(cells[columns[-1]], "\n", "")
    lines = pc.binary_join_element_wise(*(cells[name] for name in columns[:-1]), last, ",")
    _, offsets, data = lines.buffers()
    end = int(np.frombuffer(offsets, np.int32)[len(lines)])
    content: bytes = data.slice(0, end).to_pybytes()
    return content


def _quoted(text: str) -> str:
    if any(mark in text for mark in ',"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text
