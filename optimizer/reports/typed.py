"""The two queries that turn lines into typed rows, and name the first thing wrong with each.

A report tells of a thing (names, states, bids) anew on every day. That part is cleaned and judged once
for each different set of cells, `things`; days and numbers are read row by row, `counted`. The cells'
hash in the column `thing` joins the two: 64 bits, of which two of five million agree less often than
once in a million files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from optimizer.reports import extras
from optimizer.reports.columns import counted_columns, told_columns
from optimizer.reports.profiles import TEXT, WORDS
from optimizer.reports.rows import COUNTED, Reading
from optimizer.reports.rules import problem
from optimizer.reports.values import values_sql

_KEY_TEXT: Final = (*TEXT, "match_type", "target_type", "term_match_type", "level", "what")


def counted_sql(reading: Reading) -> str:
    """SELECT of each line's `thing`, days, numbers, segment and `problem`, in order of the file."""
    columns = [*counted_columns(reading), f"{_segment(reading)} AS segment"]
    columns.append(f"{problem(reading, told=False)} AS problem")
    lines = values_sql(reading.only(COUNTED), reading.source, _thing(reading))
    return f"SELECT thing, {', '.join(columns)} FROM ({lines})"


def things_sql(reading: Reading, source: str) -> str:
    """SELECT of each `thing` in the lines `source`: what is told of it, its entity and `problem`.

    `entity` is a hash of what identifies it.
    """
    columns = [*told_columns(reading), f"{_entity(reading)} AS entity"]
    columns.append(f"{problem(reading, told=True)} AS problem")
    told = replace(reading.only(reading.told), period=None)
    lines = values_sql(told, source, _thing(reading))
    return f"SELECT thing, {', '.join(columns)} FROM ({lines})"


def _thing(reading: Reading) -> str:
    """Hash of all cells that tell of a thing."""
    own = [extras.own_cell(reading.layout, reading.layout.columns[name]) for name in _bid(reading)]
    places = sorted({*(reading.layout.columns[name] for name in reading.told), *own})
    return f"hash({', '.join(f'c{at}' for at in places) or '0'}) AS thing"


def _bid(reading: Reading) -> Iterator[str]:
    """The bid also tells whose it is, by the one of its cells that is filled."""
    return reading.fields(("bid",))


def _entity(reading: Reading) -> str:
    """Hash of what identifies the thing a row is about, whatever the day."""
    key = reading.profile.key or tuple(reading.profile.table.key)
    fields = [name for name in key if name in _KEY_TEXT and reading.has(name)]
    values = [f"t_{name}" if name in WORDS else f"v_{name}" for name in fields]
    return f"hash({', '.join(values or ['1'])})"


def _segment(reading: Reading) -> str:
    """Hash of the columns whose rows add up to a day."""
    at = ", ".join(f"c{position}" for position in reading.layout.segments)
    return f"hash({at})" if at else "CAST(0 AS UBIGINT)"
