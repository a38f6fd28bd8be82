"""Ratios that a file states, recomputed from its counts: a way to catch columns mapped wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import duckdb

from optimizer.errors import RefusedInput
from optimizer.reports import cells
from optimizer.reports.profiles import METRICS
from optimizer.reports.queries import one_row
from optimizer.reports.rows import Reading
from optimizer.reports.totals import relative_rounding
from optimizer.reports.values import values_sql
from optimizer.tables import MICROS

CHECKED_ROWS: Final = 100_000
"""A wrong mapping shows in any row; reading the first ones is enough."""
_ALLOWED_SHARE: Final = 0.02
_ALLOWED_ROWS: Final = 2
_COST: Final = "v_cost / 1e6"
_VALUE: Final = "v_value / 1e6"
# Per ratio: numerator, denominator, and the steps to which files round the two.
_RATIOS: Final = {
    "ctr": ("v_clicks", "v_impressions", 0, 0),
    "avg_cpc": (_COST, "v_clicks", 0.01, 0),
    "conversion_rate": ("v_conversions", "v_clicks", 0.01, 0),
    "cost_per_conversion": (_COST, "v_conversions", 0.01, 0.01),
    "value_per_cost": (_VALUE, _COST, 0.01, 0.01),
}
_SHARES: Final = ("ctr", "conversion_rate")
_PRICES: Final = ("avg_cpc", "cost_per_conversion")


def count_wrong_ratios(db: duckdb.DuckDBPyConnection, reading: Reading) -> int:
    """How many stated ratios disagree with the counts beyond rounding, where they are few.

    Raises `RefusedInput` where they are more: a column is not what the profile says.
    """
    names = [name for name in reading.layout.derived if _can_check(name, reading)]
    if not names:
        return 0
    # A table, since each read of the file has a price.
    db.execute(
        f"CREATE TEMP TABLE first_rows AS SELECT row_number() OVER () AS place, {_columns(reading, names)}"
        f" FROM ({values_sql(_narrowed(reading), reading.source)}) WHERE t_{reading.profile.subject} IS NOT NULL"
        f" LIMIT {CHECKED_ROWS}"
    )
    return sum(_count_wrong(db, reading, name) for name in names)


def _narrowed(reading: Reading) -> Reading:
    """Only the columns that ratios need: each one read has a price."""
    wanted = (*METRICS, reading.profile.subject)
    return replace(reading.only(wanted), period=None)


def _columns(reading: Reading, names: Sequence[str]) -> str:
    metrics = [f"v_{name}" for name in METRICS if reading.has(name)]
    marks = reading.profile.null_marks
    stated = [
        f"{cells.text(f'c{reading.layout.derived[name]}', marks)} AS s_{name}" for name in names
    ]
    return ", ".join([*metrics, *stated])


def _can_check(name: str, reading: Reading) -> bool:
    return name != "value_per_cost" or reading.has("value")


def _count_wrong(db: duckdb.DuckDBPyConnection, reading: Reading, name: str) -> int:
    above, below, above_step, below_step = _RATIOS[name]
    ours = f"CAST({above} AS DOUBLE) / nullif(CAST({below} AS DOUBLE), 0)"
    found = one_row(
        db,
        f"""
        SELECT count(*) AS checked, count(*) FILTER (wrong) AS wrong,
               arg_min(cell, place) FILTER (wrong) AS found,
               arg_min(ours, place) FILTER (wrong) AS expected
        FROM (SELECT *, abs(stated - ours) > slack AS wrong FROM (
            SELECT place, cell, ours, {_stated(name, reading)} AS stated,
                   {_step("cell")} * {_unit(name, reading)}
                   + 0.5 * ({above_step} + {below_step} * abs(ours)) / below
                   + {1e-6 + relative_rounding(reading)} * abs(ours) AS slack
            FROM (SELECT place, s_{name} AS cell, {ours} AS ours, CAST({below} AS DOUBLE) AS below
                  FROM first_rows)
        )) WHERE stated IS NOT NULL AND ours IS NOT NULL
        """,
    )
    if found["wrong"] > max(_ALLOWED_ROWS, _ALLOWED_SHARE * found["checked"]):
        header = reading.layout.headers[reading.layout.derived[name]]
        raise RefusedInput("ratio_mismatch", file=reading.file, column=header, **found)
    return int(found["wrong"])


def _stated(name: str, reading: Reading) -> str:
    style = reading.profile.number
    if name in _SHARES:
        return cells.share("cell", style, reading.profile.percent_cells)
    value = cells.number("cell", style, wide=reading.profile.unit_of("cost") == 1)
    return f"CAST({value} AS DOUBLE) * {_unit(name, reading)}"


def _unit(name: str, reading: Reading) -> float:
    """Currency in 1 of the ratio's cell: prices count in what costs count in."""
    return reading.profile.unit_of("cost") / MICROS if name in _PRICES else 1.0


def _step(cell: str) -> str:
    """Half of the last digit's worth: half a hundredth of a per cent in 8.27%; six decimals are read."""
    digits = f"least(6, length(regexp_extract({cell}, '[.,](\\d+)\\D*$', 1)))"
    percent = f"CASE WHEN ends_with({cell}, '%') THEN 0.01 ELSE 1.0 END"
    return f"0.501 * pow(10.0, -{digits}) * {percent}"
