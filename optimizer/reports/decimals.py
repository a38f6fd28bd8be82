"""Amounts such as 1.234, which one country reads as a thousand times what another does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import duckdb

from optimizer.errors import RefusedInput
from optimizer.reports import cells
from optimizer.reports.extras import own_cell
from optimizer.reports.profiles import ITEM_MONEY
from optimizer.reports.queries import one_row
from optimizer.reports.rows import Reading, read_csv_sql

_AMOUNTS: Final = ("cost", "value", "bid", *ITEM_MONEY)
_THREE_DECIMALS: Final = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
"""Currencies of a thousand parts (ISO 4217)."""


def refuse_unclear_decimals(
    reading: Reading, good: Mapping[str, Any], currency: str | None
) -> None:
    """Raise `RefusedInput` where all decimals of an amount may as well be thousands.

    `good` is told of the rows without a problem, `thousandths` among it. A profile whose number
    format has no thousands mark says that they are decimals.
    """
    if not reading.profile.number.thousands or currency in _THREE_DECIMALS:
        return
    for name in _amounts(reading):
        # The sums first: they are there, while the cells must be read once more.
        has = good[f"{name}_three"] and not good[f"{name}_more"]
        if has and (text := _grouped_text(reading, name)):
            raise RefusedInput(
                "decimals_unclear",
                file=reading.file,
                column=reading.layout.header(name),
                mark=reading.profile.number.decimal,
                text=text,
            )


def thousandths(reading: Reading) -> Iterator[str]:
    """SQL that says of each amount how many rows have three decimals, and how many more than that."""
    for name in _amounts(reading):
        yield f"count_if({name}_micros % 10000 <> 0) AS {name}_three"
        yield f"count_if({name}_micros % 1000 <> 0) AS {name}_more"


def _amounts(reading: Reading) -> Iterator[str]:
    known = reading.profile.table.columns
    return (name for name in reading.fields(_AMOUNTS) if f"{name}_micros" in known)


def _grouped_text(reading: Reading, name: str) -> str | None:
    """A cell whose decimals may be thousands, where all cells of the column with decimals are so."""
    style, at = reading.profile.number, own_cell(reading.layout, reading.layout.columns[name])
    if at >= reading.layout.width:
        return None
    cell = f"c{at}"
    grouped = cells.looks_grouped(cell, style)
    sql = (
        f"SELECT count(*) = count_if({grouped}) AS all_grouped, min({cell}) AS text"
        f" FROM {read_csv_sql(reading)} WHERE contains({cell}, {cells.quoted(style.decimal)})"
    )
    with duckdb.connect(":memory:") as own:
        found = one_row(own, sql)
    return str(found["text"]).strip() if found["all_grouped"] else None
