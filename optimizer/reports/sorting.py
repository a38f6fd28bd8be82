"""What becomes of each row: kept, merged, dropped as a total, a blank or a partial day, or quarantined.

The rows are in the table `typed` of `rows.typed_rows_sql`; `ordinal` is a row's place among those
the CSV reader accepted. Lines it rejected are added here.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from optimizer.errors import RefusedInput
from optimizer.reports import cells
from optimizer.reports.dates import over_whole_file
from optimizer.reports.decoding import Lines, copy_records
from optimizer.reports.extras import own_cell, takes_from_rows
from optimizer.reports.frames import arrow_rows
from optimizer.reports.profiles import EXTRA_COUNTS, EXTRA_MONEY, TEXT
from optimizer.reports.rows import Reading, Rule, base_sql, cells_sql, rules, typed_rows_sql
from optimizer.reports.segments import with_share_unserved
from optimizer.tables import QUARANTINE, empty_table

TEXT_SHOWN: Final = 200
"""Characters of a cell or row that quarantine keeps."""
_SUMMED: Final = {
    "impressions": "BIGINT",
    "clicks": "BIGINT",
    "cost_micros": "BIGINT",
    "conversions": "DOUBLE",
    "value_micros": "BIGINT",
    **dict.fromkeys(EXTRA_COUNTS, "DOUBLE"),
    **{f"{name}_micros": "BIGINT" for name in EXTRA_MONEY},
}
_NOT_ADDITIVE: Final = ("impression_share", "impression_share_censor", "lost_is_budget")
_REJECTS: Final = {
    "MISSING COLUMNS": "too_few_cells",
    "TOO MANY COLUMNS": "too_many_cells",
    "UNQUOTED VALUE": "bad_quotes",
    "LINE SIZE OVER MAXIMUM": "line_too_long",
    "INVALID ENCODING": "bad_encoding",
}


@dataclass(frozen=True)
class Sorted:
    """What was set apart, and how many rows fell away for which reason; the rest is `kept`, also in the database.

    `line_of` gives the line in the file of each ordinal. `duplicates` counts quarantined rows whose
    key another row has too.
    """

    kept: pa.Table
    quarantine: pd.DataFrame
    dropped: Mapping[str, int]
    line_of: np.ndarray
    rows_read: int
    duplicates: int


def sort_rows(db: duckdb.DuckDBPyConnection, reading: Reading, lines: Lines) -> Sorted:
    """Read the lines into `typed`, sort odd rows into `odd`, and say what became of all.

    Raises `RefusedInput` when the rows read are not the lines of the file.
    """
    if takes_from_rows(reading.layout):
        db.execute(base_sql(reading))
    typed = arrow_rows(db, typed_rows_sql(reading))
    if reading.profile.rows_span == "file" and not reading.has("day"):
        typed = over_whole_file(typed, reading)
    db.register("typed", typed)
    rejects = _rejects(db, reading)
    _refuse_unaccounted(reading.file, lines, len(typed), rejects)
    line_of = _lines_of_rows(lines, rejects)
    _load_odd(db, reading, typed, lines, line_of)
    twins = _twins(db, reading)
    odd = db.execute("SELECT ordinal, problem, cells FROM odd WHERE fate IS NULL").df()
    quarantine = _quarantine(
        _broken_rules(odd, line_of, reading),
        _rejected_lines(rejects[rejects.fate.isna()], lines.of_records()),
        _twin_rows(twins, line_of, reading),
    )
    good = _good(typed, twins)
    past = _past(good, reading)
    kept = _merged(db, past) if reading.layout.segments else past
    if reading.has("hour") and not reading.has("lost_is_budget"):
        kept = with_share_unserved(db, kept)
    db.register("kept", kept)
    apart = {
        "other_row": pc.sum(_of_other_kind(typed, reading)).as_py() or 0,
        "partial_day": len(good) - len(past),
        "segment_merged": len(past) - len(kept),
    }
    dropped = _dropped(db, rejects, apart)
    return Sorted(kept, quarantine, dropped, line_of, len(typed) + len(rejects), len(twins))


def _load_odd(
    db: duckdb.DuckDBPyConnection,
    reading: Reading,
    typed: pa.Table,
    lines: Lines,
    line_of: np.ndarray,
) -> None:
    """The table `odd`: rows that break a rule, with their raw cells, label and fate.

    Rows of a kind that the profile does not read are left out. The others are few, so their lines are
    copied out of the file and read again, rather than carrying every cell of every row along.
    """
    odd = typed.filter(pc.and_not(pc.is_valid(typed["problem"]), _of_other_kind(typed, reading)))
    records = reading.lines.with_name("odd.csv")
    copy_records(reading.lines, lines, line_of[odd["ordinal"].to_numpy()], records)
    db.register("odd_typed", odd.append_column("place", pa.array(np.arange(len(odd)))))
    db.execute(f"CREATE TEMP TABLE odd AS {_odd_sql(reading, records)}")


def _of_other_kind(typed: pa.Table, reading: Reading) -> pa.Array:
    """Rows that say they are of a kind that the profile does not read."""
    if not reading.profile.row_types:
        return pa.repeat(False, len(typed))
    return pc.equal(typed["problem"], 0).fill_null(False)


def _odd_sql(reading: Reading, records: Path) -> str:
    filled = "len(list_filter(cells, lambda cell: trim(cell) <> ''))"
    last_good = "coalesce((SELECT max(ordinal) FROM typed WHERE problem IS NULL), -1)"
    return f"""
        SELECT *, {_fate(reading)} AS fate FROM (
            SELECT *, {filled} AS filled, {_label(reading)} AS label,
                   ordinal > {last_good} AS after_rows
            FROM odd_typed JOIN ({cells_sql(reading, records)}) USING (place)
        )
    """


def _label(reading: Reading) -> str:
    """The first cell that reads like the name of a total."""
    totals = reading.profile.totals
    patterns = (*totals.own, *totals.at_least, *totals.other)
    if not patterns:
        return "CAST(NULL AS VARCHAR)"
    found = cells.any_pattern("trim(cell)", patterns)
    return f"trim(list_filter(cells, lambda cell: {found})[1])"


def _fate(reading: Reading) -> str:
    """The reason an odd row is dropped for; NULL where it goes into quarantine."""
    subject = f"trim({_cell(reading, reading.profile.subject)})"
    totals = reading.profile.totals
    cases = [
        "WHEN filled = 0 THEN 'blank_row'",
        f"WHEN label IS NOT NULL AND (coalesce({subject}, '') IN ('', label)) THEN 'total_row'",
    ]
    if reading.profile.row_types or reading.profile.rows_without_subject:
        others = sum(rule.code == "other_row" for rule in rules(reading))
        cases.insert(1, f"WHEN problem < {others} THEN 'other_row'")
    if totals.unlabelled_last:
        cases.append(f"WHEN {_unlabelled(reading)} THEN 'total_row'")
    if totals.blank_day and reading.has("day"):
        at = [rule.code for rule in rules(reading)].index("day_missing")
        cases.append(f"WHEN problem = {at} THEN 'subtotal_row'")
    if reading.profile.footers:
        found = cells.any_pattern(
            "list_filter(cells, lambda cell: trim(cell) <> '')[1]", reading.profile.footers
        )
        cases.append(f"WHEN filled = 1 AND {found} THEN 'footer_row'")
    return f"CASE {' '.join(cases)} END"


def _unlabelled(reading: Reading) -> str:
    """Numbers below all rows, without any text that says whose."""
    named = [name for name in reading.layout.columns if name in (*TEXT, "day", "match_type")]
    blank = " AND ".join(f"coalesce(trim({_cell(reading, name)}), '') = ''" for name in named)
    return f"after_rows AND {blank} AND coalesce(impressions, clicks, cost_micros) IS NOT NULL"


def _cell(reading: Reading, name: str) -> str:
    if not reading.has(name):
        return "CAST(NULL AS VARCHAR)"
    # A cell that was made has no place in the line: the index is past its end, which is NULL.
    return f"cells[{reading.layout.columns[name] + 1}]"


def _rejects(db: duckdb.DuckDBPyConnection, reading: Reading) -> pd.DataFrame:
    """Lines that the CSV reader could not take: logical line, code, text, fate."""
    found = db.execute(
        "SELECT line, arg_min(error_type, byte_position) AS kind, any_value(csv_line) AS text"
        " FROM reject_errors GROUP BY line ORDER BY line"
    ).df()
    totals = reading.profile.totals
    patterns = (*totals.own, *totals.at_least, *totals.other, *reading.profile.footers)
    fates = [_reject_fate(str(text), reading.layout.delimiter, patterns) for text in found.text]
    return found.assign(fate=pd.Series(fates, index=found.index, dtype=object))


def _reject_fate(text: str, delimiter: str, patterns: Sequence[str]) -> str | None:
    """A line with one filled cell that a total's or footer's pattern knows is dropped."""
    # The reader hands over the blank lines above a line with it.
    filled = [cell.strip(' "\n') for cell in text.split(delimiter) if cell.strip(' "\n')]
    if not filled:
        return "blank_row"
    known = any(re.search(pattern, filled[0], re.IGNORECASE) for pattern in patterns)
    return "footer_row" if known else None


def _refuse_unaccounted(file: str, lines: Lines, accepted: int, rejects: pd.DataFrame) -> None:
    last = lines.of_records().size
    if lines.quote_open:
        raise RefusedInput("truncated", file=file, line=_last_line(lines), why="quote_open")
    if not lines.ends_with_newline and last in set(rejects.line[rejects.fate.isna()]):
        raise RefusedInput("truncated", file=file, line=_last_line(lines), why="row_cut")
    if accepted + len(rejects) != lines.records:
        raise RefusedInput(
            "rows_unaccounted", file=file, lines=lines.records, read=accepted + len(rejects)
        )


def _last_line(lines: Lines) -> int:
    return lines.first + lines.count - 1


def _lines_of_rows(lines: Lines, rejects: pd.DataFrame) -> np.ndarray:
    """Line in the file of each accepted row, by ordinal."""
    starts = lines.of_records()
    accepted = ~np.isin(starts, lines.blank)
    accepted[rejects.line.to_numpy(dtype=np.int64) - 1] = False
    return starts[accepted]


def _twins(db: duckdb.DuckDBPyConnection, reading: Reading) -> pd.DataFrame:
    """Good rows that share key and segment with another: neither of them can be believed."""
    key = "hash(entity, first_day, last_day, segment)"
    db.execute(
        f"CREATE TEMP TABLE twin_keys AS SELECT {key} AS twin FROM typed WHERE problem IS NULL"
        " GROUP BY twin HAVING count(*) > 1"
    )
    return db.execute(
        f"SELECT ordinal, {reading.profile.subject} AS text FROM typed WHERE problem IS NULL"
        f" AND {key} IN (SELECT twin FROM twin_keys) ORDER BY ordinal"
    ).df()


def _good(typed: pa.Table, twins: pd.DataFrame) -> pa.Table:
    """Rows that break no rule and have no twin."""
    good = typed["problem"].is_null().to_numpy()
    if good.all() and twins.empty:
        return typed
    good = good.copy()
    good[twins.ordinal.to_numpy()] = False
    return typed.filter(pa.array(good))


def _past(rows: pa.Table, reading: Reading) -> pa.Table:
    """Rows of days before the export day, which was not over when the file was made.

    What a log says of a day holds once it is said.
    """
    if not reading.has("day") or reading.profile.grain == "item_log":
        return rows
    over = pc.less(rows["first_day"], pa.scalar(reading.as_of))
    return rows if pc.all(over).as_py() else rows.filter(over)


def _merged(db: duckdb.DuckDBPyConnection, rows: pa.Table) -> pa.Table:
    """Segments (device, network) summed into one row per key and day."""
    db.register("segments", rows)
    grouped = ("entity", "first_day", "last_day")
    apart = (*grouped, "problem", "hour")
    sums = [f"{_sum(name)} AS {name}" for name in rows.column_names if name not in apart]
    return db.sql(
        f"SELECT {', '.join([*grouped, *sums])} FROM segments GROUP BY {', '.join(grouped)}"
        " ORDER BY ordinal"
    ).to_arrow_table()


def _sum(name: str) -> str:
    """How segments of one day become the day: sums, else what the first of them says."""
    if name in _SUMMED:
        return f"CAST(sum({name}) AS {_SUMMED[name]})"
    if name == "ordinal":
        return "min(ordinal)"
    if name == "avg_position":
        return "sum(avg_position * impressions) / nullif(sum(impressions), 0)"
    if name in _NOT_ADDITIVE:
        return f"CASE WHEN count(*) = 1 THEN any_value({name}) END"
    return f"first({name} ORDER BY segments.ordinal)"


def _dropped(
    db: duckdb.DuckDBPyConnection, rejects: pd.DataFrame, apart: Mapping[str, int]
) -> dict[str, int]:
    fates = "SELECT fate, count(*) FROM odd WHERE fate IS NOT NULL GROUP BY fate"
    dropped: Counter[str] = Counter(dict(db.execute(fates).fetchall()))
    dropped.update(rejects.fate.dropna())
    dropped.update(apart)
    return {reason: count for reason, count in sorted(dropped.items()) if count}


def _quarantine(*parts: pd.DataFrame) -> pd.DataFrame:
    filled = [part for part in parts if len(part)]
    if not filled:
        return empty_table(QUARANTINE)
    every = pd.concat(filled, ignore_index=True)
    every["text"] = every.text.map(_shown).astype("str")
    return every.sort_values("line", ignore_index=True)[list(QUARANTINE.columns)]


def _broken_rules(odd: pd.DataFrame, line_of: np.ndarray, reading: Reading) -> pd.DataFrame:
    every = rules(reading)
    broken = [every[at] for at in odd.problem]
    texts = [
        _raw_cell(row, own_cell(reading.layout, reading.layout.columns[rule.field]))
        for row, rule in zip(odd.cells, broken, strict=True)
    ]
    return pd.DataFrame(
        {
            "line": line_of[odd.ordinal.to_numpy()],
            "column": [reading.layout.header(rule.field) for rule in broken],
            "code": [_code(rule, text) for rule, text in zip(broken, texts, strict=True)],
            "text": texts,
        }
    )


def _raw_cell(row: Sequence[str | None], at: int) -> str:
    """The cell as it stands in the file; "" for one that was made from others."""
    return str(row[at] or "") if at < len(row) else ""


def _code(rule: Rule, text: str) -> str:
    """The rule's code; nan, inf and 1e400 are numbers to a computer, and say so."""
    try:
        finite = rule.code != "not_a_number" or math.isfinite(float(text))
    except ValueError:
        finite = True
    return rule.code if finite else "not_finite"


def _rejected_lines(rejects: pd.DataFrame, starts: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "line": starts[rejects.line.to_numpy(dtype=np.int64) - 1],
            "column": "",
            "code": [_REJECTS.get(kind, "unreadable_row") for kind in rejects.kind],
            "text": rejects.text.str.lstrip("\n"),
        }
    )


def _twin_rows(twins: pd.DataFrame, line_of: np.ndarray, reading: Reading) -> pd.DataFrame:
    subject = reading.layout.header(reading.profile.subject)
    return pd.DataFrame(
        {
            "line": line_of[twins.ordinal.to_numpy()],
            "column": subject,
            "code": "duplicate_key",
            "text": twins.text,
        }
    )


def _shown(text: str) -> str:
    """The text with control characters made visible, cut to a length people read."""
    cut = text[:TEXT_SHOWN]
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
