"""Cells of a line to texts and values: t_<field>, v_<field>, NULL where unknown or unreadable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from optimizer.reports import cells, extras
from optimizer.reports.profiles import COUNTS, IDS, MONEY, REALS, SHARES, TEXT, WORDS
from optimizer.reports.rows import NUMBERS, Reading, raw

NAMED_BY: Final = {
    "status": "keyword_text",
    "ad_group_status": "ad_group_name",
    "campaign_status": "campaign_name",
}
"""The name that may bear the mark of a deletion, by the status that it tells."""


def values_sql(reading: Reading, source: str, *first: str) -> str:
    """SELECT of each line's raw cells c0…, cleaned texts t_<field>, values v_<field>, and `first`.

    `source` is the SQL of the lines; the expressions in `first` see their cells.
    """
    lines = extras.scan_sql(source, reading.layout, reading.profile.null_marks)
    named = ", ".join([raw(reading), *first, *_texts(reading), *_numbers(reading)])
    values = ", ".join(_values(reading))
    return f"SELECT *, {values} FROM (SELECT {named} FROM ({lines}))"


def _texts(reading: Reading) -> Iterator[str]:
    """t_<field>: the cell as cleaned text."""
    marks = reading.profile.null_marks
    for name in reading.layout.columns:
        if name not in NUMBERS:
            yield f"{cells.text(reading.cell(name), marks)} AS t_{name}"


def _numbers(reading: Reading) -> Iterator[str]:
    """n_<field>: the number in the cell, of a share its digits, as columns: both are named repeatedly."""
    for name in reading.fields((*COUNTS, *REALS, *MONEY)):
        yield f"{_number(reading, name)} AS n_{name}"
    for name in reading.fields(SHARES):
        yield f"{cells.without_percent(reading.cell(name))} AS n_{name}"


def _values(reading: Reading) -> Iterator[str]:
    """v_<field>: the value, NULL where the text is none or cannot be read."""
    yield from _days(reading)
    yield from (f"{_text(reading, name)} AS v_{name}" for name in reading.fields(TEXT))
    yield from (f"{_word(reading, name)} AS v_{name}" for name in reading.fields(WORDS))
    yield from (f"CAST(n_{name} AS DOUBLE) AS v_{name}" for name in reading.fields(COUNTS + REALS))
    yield from (f"{_money(reading, name)} AS v_{name}" for name in reading.fields(MONEY))
    yield from (f"{_share(reading, name)} AS v_{name}" for name in reading.fields(SHARES))


def _days(reading: Reading) -> Iterator[str]:
    formats = reading.profile.date_formats
    if reading.period:
        for name, value in zip(("first", "last"), reading.period, strict=True):
            yield f"DATE '{value}' AS v_{name}_day"
    elif reading.has("day"):
        yield f"{cells.day('t_day', formats)} AS v_first_day"
        yield f"{cells.day('t_day', formats)} AS v_last_day"
    elif reading.has("period_start"):
        yield f"{cells.day('t_period_start', formats)} AS v_first_day"
        yield f"{cells.day('t_period_end', formats)} AS v_last_day"


def _text(reading: Reading, name: str) -> str:
    if name in IDS:
        return cells.identifier(f"t_{name}")
    suffix = reading.profile.removed_suffix
    if suffix and name in NAMED_BY.values():
        return cells.without_suffix(f"t_{name}", suffix)
    return f"t_{name}"


def _word(reading: Reading, name: str) -> str:
    return cells.word(f"t_{name}", reading.profile.words.get(name, {}))


def _number(reading: Reading, name: str) -> str:
    profile, cell = reading.profile, reading.cell(name)
    endings = (*profile.bid.enhanced, *profile.bid.automated) if name == "bid" else ()
    wide = name in MONEY and profile.unit_of(name) == 1
    value = cells.number(cell, profile.number, profile.null_marks, endings, wide=wide)
    if zeros := profile.zero_marks.get(name):
        return f"CASE WHEN trim({cell}) IN {cells.literals(zeros)} THEN 0 ELSE {value} END"
    return value


def _money(reading: Reading, name: str) -> str:
    return cells.micros(f"n_{name}", reading.profile.unit_of(name))


def _share(reading: Reading, name: str) -> str:
    profile = reading.profile
    return cells.share(
        reading.cell(name),
        profile.number,
        profile.percent_cells,
        profile.null_marks,
        profile.share_bounds,
        f"n_{name}",
    )


def bound(reading: Reading, name: str) -> str:
    """SQL of lt or gt where the cell of a share only bounds it."""
    profile = reading.profile
    return cells.bound(reading.cell(name), profile.number, profile.null_marks, profile.share_bounds)
