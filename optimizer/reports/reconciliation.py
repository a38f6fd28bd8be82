"""The file against itself: sums and totals, ratios, currency, what was set apart and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import duckdb

from optimizer.errors import RefusedInput
from optimizer.reports.decimals import refuse_unclear_decimals, thousandths
from optimizer.reports.layout import preamble_match
from optimizer.reports.profiles import METRICS
from optimizer.reports.queries import one_row
from optimizer.reports.ratios import count_wrong_ratios
from optimizer.reports.rows import Reading
from optimizer.reports.segments import count_repeated_costs
from optimizer.reports.sorting import Sorted
from optimizer.reports.totals import COUNTS, Compared, compare_totals
from optimizer.tables import Checksum, Reconciliation

QUARANTINE_LIMIT: Final = 0.05
"""Share of a file's rows that may be quarantined before the whole file is refused."""
_RAGGED: Final = (
    "too_few_cells",
    "too_many_cells",
    "bad_quotes",
    "line_too_long",
    "unreadable_row",
)
_ONE_OF: Final = ("platform", "account", "currency")
"""Columns that say the same in all rows of a file that can be used."""
_NO_DATA: Final = ("blank_row", "total_row", "subtotal_row", "footer_row")
_LOOKS_ODD: Final = {
    "clicks_above_impressions": "clicks > impressions",
    "conversions_above_clicks": "conversions > clicks AND clicks > 0",
    "conversions_without_clicks": "conversions > 0 AND clicks = 0",
}


def reconcile(
    db: duckdb.DuckDBPyConnection, reading: Reading, rows: Sorted, *, accept_quarantine: bool
) -> Reconciliation:
    """What became of the file, `kept` being the kept rows. Raises `RefusedInput` when it does not add up."""
    good = summed(db, reading, "typed WHERE problem IS NULL")
    # First, since rows of two platforms or accounts otherwise look like one keyword told twice.
    for name in ("platform", "account"):
        stated = _stated(db, good, name)
        _refuse_mixed(reading.file, f"{name}s_mixed", **{f"{name}s": stated})
    if not accept_quarantine:
        _refuse_quarantined(reading, rows)
    _refuse_empty(reading, rows)
    currency = _currency(db, reading, good)
    refuse_unclear_decimals(reading, good, currency)
    counted = _rows_stated(reading, rows)
    compared = compare_totals(db, reading, good, int(rows.quarantine.code.isin(_RAGGED).sum()))
    kept = good if rows.as_read else summed(db, reading, "kept")
    warnings = _warnings(db, reading, kept, compared)
    return Reconciliation(
        profile=reading.profile.name,
        rows_read=rows.rows_read,
        rows_kept=int(kept["rows"]),
        rows_dropped=rows.dropped,
        rows_quarantined=len(rows.quarantine),
        totals={name: kept[name] for name in METRICS} if reading.profile.counts_traffic else {},
        checksums=(*counted, *compared.checksums),
        currency=currency,
        period=(kept["first"], kept["last"]),
        writable_bid_share=_writable_bid_share(db, reading),
        warnings=warnings,
        duplicates=rows.duplicates,
        attribution_window_days=reading.profile.attribution_window_days,
        attribution_basis=reading.profile.attribution_basis,
    )


def summed(db: duckdb.DuckDBPyConnection, reading: Reading, rows: str) -> Mapping[str, Any]:
    """All that is asked of the `rows` as a whole, from one pass over them.

    `least_NAME` and `most_NAME` are the ends of what a column states that must be the same everywhere.
    """
    told = [
        COUNTS,
        "min(first_day) AS first, max(last_day) AS last",
        *(f"count_if({wrong}) AS {name}" for name, wrong in _LOOKS_ODD.items()),
        *thousandths(reading),
    ]
    for name in reading.fields(_ONE_OF):
        told.append(f"min({name}) AS least_{name}, max({name}) AS most_{name}")
    return one_row(db, f"SELECT {', '.join(told)} FROM {rows}")


def platform_of(db: duckdb.DuckDBPyConnection, reading: Reading) -> str:
    """The platform: the profile's, or the one that the rows name. Raises `RefusedInput`."""
    if not reading.has("platform"):
        return reading.profile.platform
    stated = _distinct(db, "platform")
    words = reading.profile.words.get("platform", {})
    known = {theirs.lower(): ours for theirs, ours in words.items()}
    found = next((known.get(name.lower()) for name in stated), reading.profile.platform)
    if found is None:
        raise RefusedInput(
            "platform_unknown", file=reading.file, platform=stated[0], known=sorted(words)
        )
    return found


def _rows_stated(reading: Reading, rows: Sorted) -> tuple[Checksum, ...]:
    """The number of rows that a line above the header states. Raises `RefusedInput` if it differs."""
    stated = preamble_match(reading.layout, reading.profile.preamble.rows)
    if stated is None:
        return ()
    count = int(stated[1].replace(",", ""))
    found = rows.rows_read - sum(rows.dropped.get(reason, 0) for reason in _NO_DATA)
    if count != found:
        raise RefusedInput("rows_mismatch", file=reading.file, stated=count, found=found)
    return (Checksum("rows", float(count), float(found), ok=True),)


def _refuse_quarantined(reading: Reading, rows: Sorted) -> None:
    # Rows that were merged into others were data, as those set apart would have been.
    no_data = sum(count for reason, count in rows.dropped.items() if reason != "segment_merged")
    apart, data = len(rows.quarantine), rows.rows_read - no_data
    if apart <= QUARANTINE_LIMIT * data:
        return
    codes = rows.quarantine.code.value_counts()
    first = rows.quarantine[rows.quarantine.code == codes.index[0]].iloc[0]
    raise RefusedInput(
        "too_many_quarantined",
        file=reading.file,
        quarantined=apart,
        rows=data,
        limit=QUARANTINE_LIMIT,
        reasons={str(code): int(count) for code, count in codes.items()},
        line=int(first.line),
        column=str(first.column),
        text=str(first.text),
        reason=str(first.code),
    )


def _refuse_empty(reading: Reading, rows: Sorted) -> None:
    if not rows.rows_kept:
        raise RefusedInput(
            "no_rows",
            file=reading.file,
            dropped=dict(rows.dropped),
            quarantined=len(rows.quarantine),
        )


def _currency(
    db: duckdb.DuckDBPyConnection, reading: Reading, good: Mapping[str, Any]
) -> str | None:
    """The file's one currency: its column's, its headers', else the profile's."""
    stated = {code.upper() for code in _stated(db, good, "currency")}
    found = sorted(stated | ({reading.layout.currency} if reading.layout.currency else set()))
    _refuse_mixed(reading.file, "currency_mixed", currencies=found)
    return found[0] if found else reading.profile.constants.get("currency")


def _stated(db: duckdb.DuckDBPyConnection, good: Mapping[str, Any], name: str) -> list[str]:
    """What the good rows state in a column, which is mostly one thing."""
    ends = {good.get(f"least_{name}"), good.get(f"most_{name}")} - {None}
    return _distinct(db, name) if len(ends) > 1 else [str(end) for end in ends]


def _distinct(db: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    found = db.execute(
        f"SELECT DISTINCT {name} FROM typed WHERE problem IS NULL AND {name} IS NOT NULL"
    ).fetchall()
    return sorted(str(row[0]) for row in found)


def _refuse_mixed(file: str, code: str, **found: list[str]) -> None:
    values = next(iter(found.values()))
    if len(values) > 1:
        raise RefusedInput(code, file=file, **found)


def _warnings(
    db: duckdb.DuckDBPyConnection, reading: Reading, kept: Mapping[str, Any], compared: Compared
) -> dict[str, int]:
    found = {name: int(kept[name] or 0) for name in _LOOKS_ODD}
    found["costs_repeated"] = count_repeated_costs(db, reading)
    found["ratios_disagree"] = count_wrong_ratios(db, reading)
    found["totals_unreconciled"] = compared.excused
    found["day_incomplete"] = _incomplete_rows(db, reading)
    found["totals_missing"] = int(reading.profile.totals.expected and not compared.bound)
    return {name: count for name, count in found.items() if count}


def _incomplete_rows(db: duckdb.DuckDBPyConnection, reading: Reading) -> int:
    """Rows of the last day where the file says that it is not complete."""
    if not preamble_match(reading.layout, reading.profile.preamble.incomplete):
        return 0
    last = "(SELECT max(last_day) FROM kept)"
    return int(one_row(db, f"SELECT count(*) AS rows FROM kept WHERE last_day = {last}")["rows"])


def _writable_bid_share(db: duckdb.DuckDBPyConnection, reading: Reading) -> float | None:
    """Share of keywords whose newest row states a bid that an upload may change."""
    if reading.profile.grain not in ("keyword", "keyword_state"):
        return None
    writable = (
        "bid_micros IS NOT NULL AND target_type NOT IN ('content', 'placement')"
        " AND coalesce(bidding_mode, '') <> 'automated'"
    )
    newest = f"SELECT arg_max({writable}, first_day) AS newest FROM kept GROUP BY entity"
    share = one_row(db, f"SELECT avg(CAST(newest AS INTEGER)) AS share FROM ({newest})")["share"]
    return float(share)
