"""Days that single rows leave open: 03/04/2026 of an unknown country, spans of a row's own clicks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime

import duckdb

from optimizer.errors import RefusedInput
from optimizer.reports import cells
from optimizer.reports.layout import parse_range
from optimizer.reports.profiles import ReportProfile
from optimizer.reports.queries import one_row
from optimizer.reports.rows import Reading, read_csv_sql

_DAYS = ("day", "period_start", "period_end")


def period_in_name(profile: ReportProfile, file: str) -> tuple[date, date] | None:
    """The period that the file's name states, as YYYYMMDD twice; None where it states none."""
    match = re.search(profile.period_in_name, file) if profile.period_in_name else None
    if match is None:
        return None
    first, last = (_parsed(text, "%Y%m%d") for text in match.groups())
    return (first, last) if first and last and first <= last else None


def with_stated_range(reading: Reading) -> Reading:
    """`reading` of the one period that all its rows state in place of a day, if they do.

    Raises `RefusedInput` where that period was not over on the download day.
    """
    if not reading.profile.day_ranges or not reading.has("day"):
        return reading
    texts = _date_texts(reading)
    period = parse_range(texts[0]) if len(texts) == 1 else None
    if period is None:
        return reading
    refuse_open_period(reading.file, period, reading.as_of)
    columns = {name: at for name, at in reading.layout.columns.items() if name != "day"}
    return replace(reading, layout=replace(reading.layout, columns=columns), period=period)


def refuse_open_period(file: str, period: tuple[date, date], as_of: date) -> None:
    """Raise `RefusedInput` where the period was not over on the download day."""
    first, last = period
    if last >= as_of:
        raise RefusedInput("period_not_over", file=file, start=first, end=last, as_of=as_of)


def with_settled_dates(reading: Reading) -> Reading:
    """`reading` with the one of the profile's `either_date_format` that all its dates follow.

    Raises `RefusedInput` where the dates can be read in several of them.
    """
    profile = reading.profile
    if not profile.either_date_format or reading.period:
        return reading
    unread = [text for text in _date_texts(reading) if not _reads_as(text, profile.date_formats)]
    fitting = _fitting(unread, profile.either_date_format, reading.as_of)
    if len(fitting) > 1 and unread:
        raise RefusedInput(
            "dates_ambiguous", file=reading.file, text=unread[0], formats=list(fitting)
        )
    formats = (*profile.date_formats, *fitting)
    return replace(reading, profile=profile.model_copy(update={"date_formats": formats}))


def _fitting(texts: Sequence[str], formats: Sequence[str], as_of: date) -> tuple[str, ...]:
    """The formats in which all dates are past; those in which most are dates where none is whole."""
    read = {style: [_parsed(text, style) for text in texts] for style in formats}
    past = {
        style: sum(day is not None and day <= as_of for day in days) for style, days in read.items()
    }
    most = max(past.values(), default=0)
    return tuple(style for style, count in past.items() if count == most)


def _date_texts(reading: Reading) -> list[str]:
    """The different cells of the date columns."""
    found = " UNION ".join(
        f"SELECT {cells.text(reading.cell(name), reading.profile.null_marks)} AS day FROM lines"
        for name in reading.fields(_DAYS)
    )
    with duckdb.connect(":memory:") as db:
        rows = db.execute(
            f"WITH lines AS (SELECT * FROM {read_csv_sql(reading)})"
            f" SELECT DISTINCT day FROM ({found}) WHERE day IS NOT NULL ORDER BY day"
        ).fetchall()
    return [str(day) for (day,) in rows]


def _reads_as(text: str, formats: Iterable[str]) -> bool:
    return any(_parsed(text, style) for style in formats)


def _parsed(text: str, style: str) -> date | None:
    try:
        return datetime.strptime(text, style).date()
    except ValueError:
        return None


def over_whole_file(db: duckdb.DuckDBPyConnection, reading: Reading) -> str:
    """SELECT of `counted_rows` over the period of the file, where a row's own days are those with a click.

    Raises `RefusedInput` where that period was not over on the download day.
    """
    found = one_row(
        db, "SELECT min(first_day) AS a, max(last_day) AS b FROM typed WHERE problem IS NULL"
    )
    first, last = found["a"], found["b"]
    if last is None:
        return "SELECT * FROM counted_rows"
    refuse_open_period(reading.file, (first, last), reading.as_of)
    days = f"DATE '{first}' AS first_day, DATE '{last}' AS last_day"
    return f"SELECT * REPLACE ({days}) FROM counted_rows"
