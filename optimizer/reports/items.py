"""Columns and rules of what operators state about items, and of words that sell without advertising."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from optimizer.reports import cells

if TYPE_CHECKING:
    from optimizer.reports.rows import Reading

WORDS: Final = ("stage", "goal", "what")
"""Cells whose words must be known: a stage that nobody reads would be followed by nobody."""
_MONEY: Final = ("unit_cost", "price", "max_loss", "sales")
_NUMBERS: Final = (
    *("margin", "refund_rate", "salvage_margin", "share_floor"),
    *("stock", "multiplier", "visitors", "orders"),
)
_ABOVE_ZERO: Final = ("margin", "salvage_margin", "price", "multiplier")
_CHANGES: Final = ("price", "coupon", "image", "page")


def item_names(reading: Reading) -> Iterator[str]:
    """Columns of an item table's rows, under the names of ITEM_ROWS."""
    yield from _words(reading, "stage", "goal")
    yield from _numbers(reading)
    if reading.has("restock"):
        yield f"{_restock(reading)} AS restock"


def log_names(reading: Reading) -> Iterator[str]:
    """Columns of an item log's rows, under the names of ITEM_LOG_ROWS."""
    yield from _words(reading, "what")
    yield from _numbers(reading)


def organic_names(reading: Reading) -> Iterator[str]:
    """Columns of the rows of organic words, under the names of ORGANIC_ROWS."""
    yield from _numbers(reading)


def _words(reading: Reading, *names: str) -> Iterator[str]:
    yield from (f"v_{name} AS {name}" for name in reading.fields(names))


def _numbers(reading: Reading) -> Iterator[str]:
    yield from (f"CAST(v_{name} AS DOUBLE) AS {name}" for name in reading.fields(_NUMBERS))
    yield from (f"v_{name} AS {name}_micros" for name in reading.fields(_MONEY))


def _restock(reading: Reading) -> str:
    return cells.day("t_restock", reading.profile.date_formats)


def rules(reading: Reading) -> Iterator[tuple[str, str, str]]:
    """What can be wrong with such rows beside the rules of all: SQL that is true then, field, code."""
    if reading.profile.grain == "item":
        yield from _item_rules(reading)
    if reading.profile.grain == "item_log":
        yield from _log_rules(reading)
    if reading.profile.grain == "organic":
        yield "v_orders IS NULL", "orders", "value_missing"


def _item_rules(reading: Reading) -> Iterator[tuple[str, str, str]]:
    for name in reading.fields(_ABOVE_ZERO):
        yield f"v_{name} = 0", name, "not_positive"
    if reading.has("restock"):
        yield f"t_restock IS NOT NULL AND {_restock(reading)} IS NULL", "restock", "bad_date"


def _log_rules(reading: Reading) -> Iterator[tuple[str, str, str]]:
    """An entry that names no change, or a price without one."""
    if reading.has("price"):
        yield "v_price = 0", "price", "not_positive"
    told = [f"v_{name} IS NULL" for name in reading.fields(("what", *_CHANGES))]
    yield " AND ".join(told) or "true", "item_id", "change_missing"
