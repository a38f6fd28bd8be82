"""What becomes of each row: kept, merged, dropped as a total, a blank or a partial day, or quarantined.

The database gets the views `counted` and `things` of `reports.typed`, and `typed`, the two joined;
`ordinal` is a row's place among those the CSV reader accepted. Lines it rejected are added here.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from optimizer.errors import RefusedInput
from optimizer.kept_rows import LineNumbers
from optimizer.reports import cells
from optimizer.reports.dates import over_whole_file
from optimizer.reports.decoding import Lines, copy_records
from optimizer.reports.extras import BASE, own_cell, takes_from_rows
from optimizer.reports.frames import numbered_sql, write_rows
from optimizer.reports.profiles import EXTRA_COUNTS, EXTRA_MONEY, TEXT
from optimizer.reports.queries import Tell, one_row, watched
from optimizer.reports.rows import Reading, base_sql, cells_sql, read_csv_sql
from optimizer.reports.rules import Rule, rules
from optimizer.reports.segments import with_share_unserved
from optimizer.reports.typed import counted_sql, things_sql
from optimizer.tables import QUARANTINE, empty_table

_COUNTED_FILE: Final = "counted.parquet"
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
_TYPED: Final = (
    "SELECT {rows}.* EXCLUDE (problem), things.* EXCLUDE (thing, problem), {problem} AS problem"
    " FROM {rows} JOIN things USING (thing)"
)
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
    """What was set apart, and how many rows fell away for which reason.

    The other `rows_kept` rows are those of the file `kept` without a problem, neither of their own
    nor of their thing in the file `things`; in the database they are `kept`, with all that is told of
    them. `line_of` gives the line in the file of each ordinal. `duplicates` counts quarantined rows
    whose key another row has too.
    """

    kept: Path
    things: Path
    rows_kept: int
    quarantine: pd.DataFrame
    dropped: Mapping[str, int]
    line_of: LineNumbers
    rows_read: int
    duplicates: int

    @property
    def as_read(self) -> bool:
        """Whether the kept rows are all that have no problem."""
        return self.kept.name == _COUNTED_FILE


def sort_rows(db: duckdb.DuckDBPyConnection, reading: Reading, lines: Lines, tell: Tell) -> Sorted:
    """Read the lines, sort odd rows into `odd`, and say what became of all.

    `tell` hears how far the reading is. Raises `RefusedInput` when the rows read are not the lines of the file.
    """
    if takes_from_rows(reading.layout):
        db.execute(base_sql(reading))
    path = reading.lines.with_name(_COUNTED_FILE)
    with watched(db, tell):
        read = write_rows(db, counted_sql(reading), path)
    rejects = _rejects(db, reading)
    _refuse_unaccounted(reading.file, lines, read, rejects)
    line_of = lines.of_rows(rejects.line.to_numpy(dtype=np.int64))
    things = _load_things(db, reading, lines, line_of, path)
    whole = _join_things(db, reading)
    _load_odd(db, reading, lines, line_of)
    twins = _twins(db, reading)
    odd = db.execute("SELECT ordinal, problem, cells FROM odd WHERE fate IS NULL").df()
    quarantine = _quarantine(
        _broken_rules(odd, line_of, reading),
        _rejected_lines(rejects[rejects.fate.isna()], lines),
        _twin_rows(twins, line_of, reading),
    )
    counts = _count(db, reading, twins)
    as_read = twins.empty and counts["good"] == counts["past"] and not whole
    kept, rows_kept = _kept(db, reading, path if as_read else None, counts["past"])
    apart = {
        "other_row": counts["other"],
        "partial_day": counts["good"] - counts["past"],
        "segment_merged": counts["past"] - rows_kept,
    }
    dropped = _dropped(db, rejects, apart)
    rows_read = read + len(rejects)
    return Sorted(kept, things, rows_kept, quarantine, dropped, line_of, rows_read, len(twins))


def _load_things(
    db: duckdb.DuckDBPyConnection,
    reading: Reading,
    lines: Lines,
    line_of: LineNumbers,
    counted: Path,
) -> Path:
    """The file of all things, each read from the first line that tells of it; also as `things`.

    Raises `RefusedInput` where a row's thing is not among them.
    """
    db.execute(f"CREATE TEMP VIEW counted_rows AS {numbered_sql(counted)}")
    firsts = "SELECT min(ordinal) AS first FROM counted_rows GROUP BY thing ORDER BY first"
    first = np.asarray(db.sql(firsts).fetchnumpy()["first"])
    path = reading.lines.with_name("things.parquet")
    found = write_rows(
        db, things_sql(reading, _lines_sql(db, reading, lines, line_of, first)), path
    )
    if found != len(first):
        raise RefusedInput("rows_unaccounted", file=reading.file, lines=len(first), read=found)
    db.execute(f"CREATE TEMP VIEW things AS SELECT * FROM read_parquet({cells.path(path)})")
    return path


def _lines_sql(
    db: duckdb.DuckDBPyConnection,
    reading: Reading,
    lines: Lines,
    line_of: LineNumbers,
    ordinals: np.ndarray,
) -> str:
    """SQL of the lines of these rows."""
    if takes_from_rows(reading.layout):
        db.register("wanted", pa.table({"place": ordinals + 1}))
        return f"(SELECT * FROM {BASE} SEMI JOIN wanted USING (place))"
    records = reading.lines.with_name("things.csv")
    copy_records(reading.lines, lines, line_of[ordinals], records)
    return read_csv_sql(replace(reading, lines=records))


def _join_things(db: duckdb.DuckDBPyConnection, reading: Reading) -> bool:
    """The views `counted`, `typed` and `judged`; says whether rows stand for the whole file's period.

    `judged` are the rows of `typed` with what every file has of its own: days and `problem`.
    """
    db.execute("CREATE TEMP VIEW counted AS SELECT * FROM counted_rows")
    db.execute(f"CREATE TEMP VIEW typed AS {_typed_sql(db, 'counted')}")
    source = "counted" if _all_things_good(db) else "typed"
    db.execute(
        f"CREATE TEMP VIEW judged AS SELECT ordinal, first_day, last_day, problem FROM {source}"
    )
    spans = reading.profile.rows_span == "file" and not reading.has("day")
    if spans:
        db.execute(f"CREATE OR REPLACE TEMP VIEW counted AS {over_whole_file(db, reading)}")
    return spans


def _typed_sql(db: duckdb.DuckDBPyConnection, rows: str) -> str:
    """SELECT of these rows with what is told of their things, and the first problem of both."""
    # Where things have none, files of rows without problems need not be read to find the others.
    own = _all_things_good(db)
    problem = f"{rows}.problem" if own else f"least({rows}.problem, things.problem)"
    return _TYPED.format(rows=rows, problem=problem)


def _all_things_good(db: duckdb.DuckDBPyConnection) -> bool:
    found = one_row(db, "SELECT count(*) AS bad FROM things WHERE problem IS NOT NULL")
    return not found["bad"]


def _load_odd(
    db: duckdb.DuckDBPyConnection, reading: Reading, lines: Lines, line_of: LineNumbers
) -> None:
    """The table `odd`: rows that break a rule, with their raw cells, label and fate.

    Rows of a kind that the profile does not read are left out. The others are few, so their lines are
    copied out of the file and read again, rather than carrying every cell of every row along.
    """
    odd = db.sql(
        f"SELECT * FROM typed WHERE problem IS NOT NULL AND NOT {_of_other_kind(reading)}"
        " ORDER BY ordinal"
    ).to_arrow_table()
    records = reading.lines.with_name("odd.csv")
    copy_records(reading.lines, lines, line_of[odd["ordinal"].to_numpy()], records)
    db.register("odd_typed", odd.append_column("place", pa.array(np.arange(len(odd)))))
    db.execute(f"CREATE TEMP TABLE odd AS {_odd_sql(reading, records)}")


def _of_other_kind(reading: Reading) -> str:
    """True for rows that say they are of a kind that the profile does not read."""
    return "coalesce(problem = 0, false)" if reading.profile.row_types else "false"


def _odd_sql(reading: Reading, records: Path) -> str:
    filled = "len(list_filter(cells, lambda cell: trim(cell) <> ''))"
    last_good = "coalesce((SELECT max(ordinal) FROM judged WHERE problem IS NULL), -1)"
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
    last = lines.count - len(lines.continued)
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


def _twins(db: duckdb.DuckDBPyConnection, reading: Reading) -> pd.DataFrame:
    """Good rows that share key and segment with another: neither of them can be believed."""
    key = "hash(entity, first_day, last_day, segment)"
    # Sorted here: a table of all keys to count them in would be five times as large.
    keys = db.sql(f"SELECT {key} AS twin FROM typed WHERE problem IS NULL").fetchnumpy()["twin"]
    keys = np.sort(np.asarray(keys))
    db.register("twin_keys", pa.table({"twin": np.unique(keys[1:][keys[1:] == keys[:-1]])}))
    twins: pd.DataFrame = db.sql(
        f"SELECT ordinal, {reading.profile.subject} AS text FROM typed WHERE problem IS NULL"
        f" AND {key} IN (SELECT twin FROM twin_keys) ORDER BY ordinal"
    ).df()
    db.register("twins", twins)
    return twins


def _count(
    db: duckdb.DuckDBPyConnection, reading: Reading, twins: pd.DataFrame
) -> Mapping[str, int]:
    """How many rows are `good`, how many of them of `past` days, and how many are of another kind.

    Good rows break no rule and have no twin. The database gets `segments`: the good ones of days
    before the export day, which was not over when the file was made. What a log says of a day holds
    once it is said.
    """
    good = "problem IS NULL"
    if len(twins):
        good += " AND ordinal NOT IN (SELECT ordinal FROM twins)"
    by_day = reading.has("day") and reading.profile.grain != "item_log"
    over = f"first_day < DATE '{reading.as_of}'" if by_day else "true"
    db.execute(f"CREATE TEMP VIEW segments AS SELECT * FROM typed WHERE {good} AND {over}")
    return one_row(
        db,
        f"SELECT count(*) FILTER ({good}) AS good, count(*) FILTER ({good} AND {over}) AS past,"
        f" count(*) FILTER ({_of_other_kind(reading)}) AS other FROM judged",
    )


def _kept(
    db: duckdb.DuckDBPyConnection, reading: Reading, as_read: Path | None, rows: int
) -> tuple[Path, int]:
    """The file of the rows to keep, in the database `kept`, and their number.

    It is the file `as_read` where that is given and no segments are to be merged.
    """
    served = reading.has("hour") and not reading.has("lost_is_budget")
    if as_read is not None and not reading.layout.segments and not served:
        db.execute("CREATE TEMP VIEW kept AS SELECT * FROM typed WHERE problem IS NULL")
        return as_read, rows
    kept = _merged_sql(db) if reading.layout.segments else _own_sql(db)
    if served:
        kept = with_share_unserved(db, kept)
    path = reading.lines.with_name("kept.parquet")
    rows = write_rows(db, f"SELECT * FROM ({kept}) ORDER BY ordinal", path)
    db.execute(f"CREATE TEMP VIEW kept_rows AS SELECT * FROM read_parquet({cells.path(path)})")
    db.execute(f"CREATE TEMP VIEW kept AS {_typed_sql(db, 'kept_rows')}")
    return path, rows


def _own_sql(db: duckdb.DuckDBPyConnection) -> str:
    """Of rows to keep what is counted, and their things."""
    return f"SELECT {', '.join(db.table('counted').columns)} FROM segments"


def _merged_sql(db: duckdb.DuckDBPyConnection) -> str:
    """Segments (device, network) summed into one row per key and day."""
    apart = ("first_day", "last_day", "problem", "hour")
    sums = [f"{_sum(name)} AS {name}" for name in db.table("counted").columns if name not in apart]
    return (
        f"SELECT first_day, last_day, {', '.join(sums)}, CAST(NULL AS USMALLINT) AS problem"
        " FROM segments GROUP BY entity, first_day, last_day"
    )


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


def _broken_rules(odd: pd.DataFrame, line_of: LineNumbers, reading: Reading) -> pd.DataFrame:
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


def _rejected_lines(rejects: pd.DataFrame, lines: Lines) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "line": lines.of_records[rejects.line.to_numpy(dtype=np.int64) - 1],
            "column": "",
            "code": [_REJECTS.get(kind, "unreadable_row") for kind in rejects.kind],
            "text": rejects.text.str.lstrip("\n"),
        }
    )


def _twin_rows(twins: pd.DataFrame, line_of: LineNumbers, reading: Reading) -> pd.DataFrame:
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
