"""The file's own sums as checksums of ours."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb

from optimizer.errors import RefusedInput
from optimizer.reports.profiles import METRICS, TotalsRules
from optimizer.reports.queries import one_row
from optimizer.reports.rows import Reading
from optimizer.tables import Checksum

SUMS: Final = (
    "CAST(sum(impressions) AS DOUBLE) AS impressions, CAST(sum(clicks) AS DOUBLE) AS clicks, "
    "sum(cost_micros) / 1e6 AS cost, CAST(sum(conversions) AS DOUBLE) AS conversions, "
    "sum(value_micros) / 1e6 AS value"
)
"""Sums of METRICS in their units."""
_AMOUNTS: Final = ("impressions", "clicks", "cost_micros", "conversions", "value_micros")
COUNTS: Final = ", ".join(
    [
        "count(*) AS rows",
        SUMS,
        *(
            f"count({amount}) AS {name}_stated"
            for name, amount in zip(METRICS, _AMOUNTS, strict=True)
        ),
    ]
)
"""The number of rows, sums of METRICS, and how many rows state each."""
_ROUNDED_TO: Final = {"impressions": 0.0, "clicks": 0.0, "cost": 0.01, "conversions": 0.01}
_DATA: Final = "(problem IS NULL OR ordinal IN (SELECT ordinal FROM odd WHERE fate IS NULL))"


@dataclass(frozen=True)
class Compared:
    """Checksums of the file, and whether its totals bind our sums at all (`bound`).

    `excused` counts checksums that disagree where rows with unreadable numbers may be the cause.
    """

    checksums: tuple[Checksum, ...]
    bound: bool
    excused: int


def compare_totals(
    db: duckdb.DuckDBPyConnection, reading: Reading, good: Mapping[str, Any], ragged: int
) -> Compared:
    """Hold the sums of all rows, also those set apart, against the file's own totals.

    `good` is told of the rows without a problem, COUNTS among it. `ragged`: rows whose numbers nobody
    can read. Raises `RefusedInput` when a total disagrees and no unreadable row may be the cause.
    """
    ours, unread = _ours(db, good, ragged)
    totals, relative = reading.profile.totals, relative_rounding(reading)
    own, at_least = _labelled(db, totals)
    found = [
        *_first_agreeing([_checksums(row, ours, None, relative) for row in own]),
        *(check for row in at_least for check in _checksums(row, ours, "at_least", relative)),
        *_subtotals(db, relative),
    ]
    wrong = [check for check in found if not check.ok]
    _refuse_mismatch(reading.file, [c for c in wrong if not unread[_metric(c)]])
    return Compared(tuple(found), bool(own or at_least), len(wrong))


def relative_rounding(reading: Reading) -> float:
    """Relative error of a number: 1.2万 stands for anything between 11,500 and 12,500."""
    return 0.05 if reading.profile.number.multipliers else 1e-9


def _metric(check: Checksum) -> str:
    return check.name.split("@")[0]


def _ours(
    db: duckdb.DuckDBPyConnection, good: Mapping[str, Any], ragged: int
) -> tuple[Mapping[str, Any], Mapping[str, int]]:
    """Our sums with the number of rows, and per metric how many rows could not be read."""
    apart = one_row(db, "SELECT count(*) AS rows FROM odd WHERE fate IS NULL")["rows"]
    found = one_row(db, f"SELECT {COUNTS} FROM typed WHERE {_DATA}") if apart else good
    unread = {name: found["rows"] - found[f"{name}_stated"] + ragged for name in METRICS}
    return found, unread


def _labelled(
    db: duckdb.DuckDBPyConnection, totals: TotalsRules
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Totals rows that should equal our sums, and those that should not be below."""
    rows = db.execute(
        f"SELECT label, {SUMS} FROM odd WHERE fate = 'total_row' GROUP BY ordinal, label"
        " HAVING count(coalesce(impressions, clicks, cost_micros)) > 0 ORDER BY ordinal"
    ).df()
    found: list[dict[str, Any]] = rows.astype(object).where(rows.notna(), None).to_dict("records")  # type: ignore[assignment]
    own = [row for row in found if row["label"] is None or _matches(row["label"], totals.own)]
    at_least = [row for row in found if row["label"] and _matches(row["label"], totals.at_least)]
    return own, at_least


def _matches(label: str, patterns: Sequence[str]) -> bool:
    return any(re.search(pattern, label, re.IGNORECASE) for pattern in patterns)


def _checksums(
    row: Mapping[str, Any], ours: Mapping[str, Any], relation: str | None, relative: float
) -> list[Checksum]:
    """One checksum per metric that both the totals row and our rows have."""
    found = []
    for name in METRICS:
        if row[name] is None or ours[name] is None:
            continue
        gap = row[name] - ours[name]
        slack = _slack(name, ours["rows"], relative * abs(ours[name]))
        ok = gap >= -slack if relation == "at_least" else abs(gap) <= slack
        label = f"{name}@{row['label']}" if relation else name
        found.append(Checksum(label, float(row[name]), float(ours[name]), bool(ok)))
    return found


def _slack(name: str, rows: int, relative: float) -> float:
    """What rounding explains: independent errors of half a step per row, at over 3 deviations."""
    step = _ROUNDED_TO.get(name, 0.01)
    return step * (1 + math.sqrt(rows)) + relative


def _first_agreeing(rows: list[list[Checksum]]) -> list[Checksum]:
    """The totals row that agrees; where none does, the closest in clicks."""
    agreeing = [row for row in rows if all(check.ok for check in row)]
    return next(iter(agreeing), min(rows, key=_distance, default=[]))


def _distance(row: list[Checksum]) -> float:
    return sum(abs(check.file - check.ours) / max(abs(check.ours), 1.0) for check in row)


def _subtotals(db: duckdb.DuckDBPyConnection, relative: float) -> list[Checksum]:
    """Rows without a day against the days of their keys, summed over all such keys."""
    if not one_row(db, "SELECT count(*) AS rows FROM odd WHERE fate = 'subtotal_row'")["rows"]:
        return []
    by_key = "SELECT count(*) AS rows, entity, segment, {} FROM {} GROUP BY entity, segment"
    columns = ", ".join(f"sum({side}.{name}) AS {side}_{name}" for name in METRICS for side in "st")
    found = one_row(
        db,
        f"SELECT count(*) AS keys, sum(t.rows) AS rows, {columns}"
        f" FROM ({by_key.format(SUMS, 'odd WHERE fate = ' + repr('subtotal_row'))}) s"
        f" JOIN ({by_key.format(SUMS, 'typed WHERE ' + _DATA)}) t USING (entity, segment)",
    )
    if not found["keys"]:
        return []
    file = {name: found[f"s_{name}"] for name in METRICS} | {"label": "day_subtotals"}
    ours = {name: found[f"t_{name}"] for name in METRICS} | {"rows": found["rows"]}
    named = _checksums(file, ours, None, relative)
    return [Checksum(f"{c.name}@day_subtotals", c.file, c.ours, c.ok) for c in named]


def _refuse_mismatch(file: str, wrong: Sequence[Checksum]) -> None:
    if not wrong:
        return
    worst = max(wrong, key=lambda check: abs(check.file - check.ours) / max(abs(check.ours), 1.0))
    metric, _, label = worst.name.partition("@")
    raise RefusedInput(
        "totals_mismatch",
        file=file,
        column=metric,
        label=label,
        in_file=worst.file,
        ours=worst.ours,
    )
