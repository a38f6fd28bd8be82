"""The file against itself: sums and totals, ratios, currency, what was set apart and why."""

from __future__ import annotations

from datetime import date
from typing import Final

import duckdb

from optimizer.errors import RefusedInput
from optimizer.reports.decimals import refuse_unclear_decimals
from optimizer.reports.layout import preamble_match
from optimizer.reports.profiles import METRICS
from optimizer.reports.queries import one_row
from optimizer.reports.ratios import count_wrong_ratios
from optimizer.reports.rows import Reading
from optimizer.reports.segments import count_repeated_costs
from optimizer.reports.sorting import Sorted
from optimizer.reports.totals import SUMS, Compared, compare_totals
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
    # First, since rows of two platforms or accounts otherwise look like one keyword told twice.
    for name in ("platform", "account"):
        _refuse_mixed(reading.file, f"{name}s_mixed", **{f"{name}s": _distinct(db, reading, name)})
    if not accept_quarantine:
        _refuse_quarantined(reading, rows)
    _refuse_empty(reading, rows)
    currency = _currency(db, reading)
    refuse_unclear_decimals(db, reading, currency)
    counted = _rows_stated(reading, rows)
    compared = compare_totals(db, reading, int(rows.quarantine.code.isin(_RAGGED).sum()))
    warnings = _warnings(db, reading, compared)
    count, period, totals = _sums(db, reading)
    return Reconciliation(
        profile=reading.profile.name,
        rows_read=rows.rows_read,
        rows_kept=count,
        rows_dropped=rows.dropped,
        rows_quarantined=len(rows.quarantine),
        totals=totals,
        checksums=(*counted, *compared.checksums),
        currency=currency,
        period=period,
        writable_bid_share=_writable_bid_share(db, reading),
        warnings=warnings,
        duplicates=rows.duplicates,
        attribution_window_days=reading.profile.attribution_window_days,
        attribution_basis=reading.profile.attribution_basis,
    )


def platform_of(db: duckdb.DuckDBPyConnection, reading: Reading) -> str:
    """The platform: the profile's, or the one that the rows name. Raises `RefusedInput`."""
    if not reading.has("platform"):
        return reading.profile.platform
    stated = _distinct(db, reading, "platform")
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


def _currency(db: duckdb.DuckDBPyConnection, reading: Reading) -> str | None:
    """The file's one currency: its column's, its headers', else the profile's."""
    stated = {code.upper() for code in _distinct(db, reading, "currency")}
    found = sorted(stated | ({reading.layout.currency} if reading.layout.currency else set()))
    _refuse_mixed(reading.file, "currency_mixed", currencies=found)
    return found[0] if found else reading.profile.constants.get("currency")


def _distinct(db: duckdb.DuckDBPyConnection, reading: Reading, name: str) -> list[str]:
    if not reading.has(name):
        return []
    found = db.execute(
        f"SELECT DISTINCT {name} FROM typed WHERE problem IS NULL AND {name} IS NOT NULL"
    ).fetchall()
    return sorted(str(row[0]) for row in found)


def _refuse_mixed(file: str, code: str, **found: list[str]) -> None:
    values = next(iter(found.values()))
    if len(values) > 1:
        raise RefusedInput(code, file=file, **found)


def _warnings(
    db: duckdb.DuckDBPyConnection, reading: Reading, compared: Compared
) -> dict[str, int]:
    counts = ", ".join(f"count_if({wrong}) AS {name}" for name, wrong in _LOOKS_ODD.items())
    odd = one_row(db, f"SELECT {counts} FROM kept").items()
    found = {name: int(count or 0) for name, count in odd}
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


def _sums(
    db: duckdb.DuckDBPyConnection, reading: Reading
) -> tuple[int, tuple[date, date], dict[str, float | None]]:
    days = "count(*) AS rows, min(first_day) AS first, max(last_day) AS last"
    found = one_row(db, f"SELECT {days}, {SUMS} FROM kept")
    count = int(found["rows"])
    totals = {name: found[name] for name in METRICS} if reading.profile.counts_traffic else {}
    return count, (found["first"], found["last"]), totals


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
