"""What reports said, read from Parquet through Ibis on DuckDB; the only module that imports Ibis.

Every fact row is stamped (as_of, sequence). The newest stamp of a key (entity_key, first_day,
last_day) wins; a batch holds only rows that differ from what was known, and `*_seen` files hold the
keys it repeated unchanged. Money is integer micros in files and float64 currency in results.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from optimizer.kept_rows import unglobbed
from optimizer.tables import KEYWORD_DAILY, MICROS, NEGATIVES, VERSIONS, empty_table

KEY = ("entity_key", "first_day", "last_day")
STAMP = ("as_of", "sequence")
_MEASURES = ["clicks", "conversions", "value", "valued"]
SUMS = ("impressions", "clicks", "cost_micros", "conversions", "value_micros")

_KEY_TYPES = {"entity_key": pa.int64(), "first_day": pa.date32(), "last_day": pa.date32()}
_STAMP_TYPES = {"as_of": pa.date32(), "sequence": pa.int32()}
_SUM_TYPES = {
    "impressions": pa.int64(),
    "clicks": pa.int64(),
    "cost_micros": pa.int64(),
    "conversions": pa.float64(),
    "value_micros": pa.int64(),
}
EXTRA_TYPES = {
    "add_to_cart": pa.float64(),
    "favourites": pa.float64(),
    "presale_orders": pa.float64(),
    "presale_value_micros": pa.int64(),
    "new_customers": pa.float64(),
    "direct_value_micros": pa.int64(),
    "indirect_value_micros": pa.int64(),
}
"""Columns of a keyword's fact file where its report counts them; files of other reports have none."""
_SHARE_TYPES = {
    "impression_share": pa.float64(),
    "impression_share_censor": pa.string(),
    "lost_is_budget": pa.float64(),
    "avg_position": pa.float64(),
}
_DAILY_SHARES = ("impression_share", "lost_is_budget")
MEMORY_LIMIT = "2GB"
"""What DuckDB may take; beyond that it works on disk."""
_sessions = threading.local()

SEEN = pa.schema(_KEY_TYPES | _STAMP_TYPES)
FACTS = {
    "keyword": pa.schema(_KEY_TYPES | _SUM_TYPES | _SHARE_TYPES | _STAMP_TYPES),
    "search_term": pa.schema(_KEY_TYPES | _SUM_TYPES | _STAMP_TYPES),
    "creative": pa.schema(_KEY_TYPES | _SUM_TYPES | _STAMP_TYPES),
    "negative": pa.schema(_KEY_TYPES | _SUM_TYPES | _STAMP_TYPES),
}
"""Schema of fact files by kind of entity."""

STATE_TYPES = {
    "keyword": {
        "status": pa.string(),
        "ad_group_status": pa.string(),
        "campaign_status": pa.string(),
        "bidding_mode": pa.string(),
        "bid_micros": pa.int64(),
        "bid_source": pa.string(),
        "first_page_bid_micros": pa.int64(),
        "campaign_budget_micros": pa.int64(),
        "quality_score": pa.int64(),
    },
    "search_term": {"term_status": pa.string()},
    "creative": {"status": pa.string(), "keyword_text": pa.string()},
    "negative": {},
}
"""State columns by kind of entity."""
STATES = {
    kind: pa.schema(
        {"entity_key": pa.int64(), "day": pa.date32(), "changed_on": pa.date32()}
        | types
        | _STAMP_TYPES
    )
    for kind, types in STATE_TYPES.items()
}
"""Schema of state files: one row per entity of a batch, as on its newest `day` there.

`changed_on` is the last day on which the file shows another bid than on the day before.
"""


NEGATIVES_FILE = pa.schema({name: pa.string() for name in NEGATIVES.columns} | {"day": pa.date32()})
"""Schema of a file of negatives in force on a download day."""


@dataclass(frozen=True)
class HistoryFile:
    """A listed file; its rows lie in `first_day..last_day`."""

    path: Path
    first_day: date
    last_day: date


@dataclass(frozen=True)
class Window:
    """Days `first..last` (a row belongs to its last day), as known from reports with as_of ≤ `as_of`.

    With `entity_key` the rows of that entity alone.
    """

    first: date
    last: date
    as_of: date
    entity_key: int | None = None


@dataclass(frozen=True)
class Comparison:
    """A new report against what was known.

    `changed`: for each of its rows whether it is new or differs. `reaffirmed`: rows (schema of the facts)
    that later reports had confirmed and that the new, older one would otherwise hide. `missing`:
    number of known keys in its days that it does not hold.
    """

    changed: np.ndarray
    reaffirmed: pa.Table
    missing: int


def daily(
    days: Sequence[HistoryFile], periods: Sequence[HistoryFile], window: Window
) -> pd.DataFrame:
    """Table KEYWORD_DAILY: newest version of each row; periods only for entities without days."""
    session = _connect()
    of_days = _without_extras(_newest(session, days, window)) if days else None
    of_periods = _without_extras(_newest_periods(session, periods, window)) if periods else None
    if of_days is None or of_periods is None:
        found = of_periods if of_days is None else of_days
        return empty_table(KEYWORD_DAILY) if found is None else _in_currency(found)
    return _in_currency(of_days.union(of_periods.anti_join(of_days, "entity_key")))


def extras(
    days: Sequence[HistoryFile], periods: Sequence[HistoryFile], window: Window
) -> pd.DataFrame:
    """What reports counted beside clicks and conversions: entity_key, the days, and EXTRA_TYPES.

    Counts as float64, money in currency under names without `_micros`; null where a report has none.
    Rows without any of them are left out; periods stand only for entities without days.
    """
    names = [name.removesuffix("_micros") for name in EXTRA_TYPES]
    rows = _extra_rows(days, periods, window)
    if rows is None:
        columns = {"entity_key": "int64"} | dict.fromkeys(KEY[1:], "datetime64[s]")
        return pd.DataFrame(columns=[*columns, *names]).astype(
            columns | dict.fromkeys(names, "float64")
        )
    told = rows.filter(ibis.or_(*(rows[name].notnull() for name in EXTRA_TYPES)))  # noqa: PD004
    counts = {
        name.removesuffix("_micros"): told[name].cast("float64")
        / (MICROS if name.endswith("_micros") else 1)
        for name in EXTRA_TYPES
    }
    dates = {name: told[name].cast("timestamp(0)") for name in KEY[1:]}
    ordered = told.order_by(list(KEY))
    return _to_pandas(ordered.select("entity_key", **dates, **counts))


def _extra_rows(
    days: Sequence[HistoryFile], periods: Sequence[HistoryFile], window: Window
) -> Any | None:
    """Newest rows with every column of EXTRA_TYPES; None without files."""
    session, columns = _connect(), [*KEY, *EXTRA_TYPES]
    of_days = _filled(_newest(session, days, window), EXTRA_TYPES)[columns] if days else None
    if not periods:
        return of_days
    of_periods = _filled(_newest_periods(session, periods, window), EXTRA_TYPES)[columns]
    if of_days is None:
        return of_periods
    return of_days.union(of_periods.anti_join(of_days, "entity_key"))


def sums(
    days: Sequence[HistoryFile], window: Window, weights: Mapping[date, float] | None = None
) -> pd.DataFrame:
    """One row per entity: Σ weight(day)·number over the window; weight 1 without `weights`.

    Days that `weights` does not name count nothing. `value` is null where no day has one.
    """
    names = ["entity_key", "impressions", "clicks", "cost", "conversions", "value"]
    if not days:
        return empty_table(KEYWORD_DAILY)[names]
    session = _connect()
    newest = _newest(session, days, window)
    weighted = _weighted(newest, weights)
    totals = weighted.group_by("entity_key").agg(
        **{name: (weighted[name] * weighted["weight"]).sum() for name in SUMS}
    )
    return _to_pandas(totals.select(*_currency_columns(totals, ["entity_key"])))


def versions(
    days: Sequence[HistoryFile],
    coverage: pd.DataFrame,
    campaigns: pd.DataFrame,
    window: Window,
) -> pd.DataFrame:
    """Table VERSIONS: per campaign and day, the sums as known on each as_of that covered the day.

    `coverage` (day, as_of) says which; `campaigns` (entity_key, campaign_name) who is where.
    """
    if not days or coverage.empty:
        return empty_table(VERSIONS)
    steps = _version_steps(days, campaigns, window)
    return _accumulate(steps, coverage)


def compare(
    facts: Path,
    rows: int,
    window: Window,
    known: Sequence[HistoryFile],
    seen: Sequence[HistoryFile],
) -> Comparison:
    """Find what the file `facts` (schema FACTS, so many `rows`) says that the `known` files do not.

    Known is the newest version in the `window`; `seen` are the files of keys that reports repeated
    unchanged.
    """
    schema = pq.read_schema(facts)
    if not known:
        return Comparison(np.ones(rows, dtype=bool), schema.empty_table(), 0)
    session = _connect()
    name = f"facts_{hashlib.sha256(str(facts).encode()).hexdigest()}"
    read = session.read_parquet([unglobbed(facts)], table_name=name, file_row_number=True)
    new = read.rename(position="file_row_number")
    before = _newest(session, known, window)
    schema = _with_extras_of(before, schema)
    joined = _beside(new, _filled(before, EXTRA_TYPES), schema)
    found = session.to_pyarrow(joined.filter(joined["changed"]).select("position"))
    changed = np.zeros(rows, dtype=bool)
    changed[found["position"].to_numpy()] = True
    repeated = session.to_pyarrow(before.semi_join(new, list(KEY)).count()).as_py()
    missing = session.to_pyarrow(before.count()).as_py() - repeated
    later = _reaffirmed(session, joined, known, seen, window.as_of, schema)
    return Comparison(changed, later, missing)


def states(
    files: Sequence[HistoryFile], filled: Mapping[str, Sequence[int]], as_of: date
) -> pd.DataFrame:
    """One row per entity: entity_key, the newest state, `last_change` of the bid (null if none).

    `filled` names, per state column, the batch sequences whose file has that column; others know
    nothing about it and do not hide what an earlier report said. Money stays in micros.
    """
    session = _connect()
    stored = _scan(session, files)
    rows = stored.filter(stored["as_of"] <= ibis.literal(as_of))
    in_order = ibis.window(group_by="entity_key", order_by=["day", *STAMP])
    ranked = rows.mutate(rank=ibis.row_number().over(in_order))
    newest = ranked.group_by("entity_key").agg(
        **{name: _newest_known(ranked, name, list(sequences)) for name, sequences in filled.items()}
    )
    if "bid_micros" in filled:
        changes = _last_changes(rows.filter(rows["bid_micros"].notnull()))  # noqa: PD004
        newest = newest.left_join(changes, "entity_key").drop("entity_key_right")
    return _to_pandas(newest)


def newest_state(
    files: Sequence[HistoryFile], column: str, sequences: Sequence[int]
) -> pd.DataFrame:
    """Of each entity the newest known value of one state column: entity_key, value, day and stamps.

    `sequences` are the batches whose file states the column; a null says nothing.
    """
    stored = _scan(_connect(), files)
    known = stored.filter(
        stored["sequence"].isin(list(sequences)),
        stored[column].notnull(),  # noqa: PD004
    )
    newest_first = ibis.window(
        group_by="entity_key",
        order_by=[known[name].desc() for name in ("day", *STAMP)],
    )
    ranked = known.mutate(place=ibis.row_number().over(newest_first))
    newest = ranked.filter(ranked["place"] == 0)
    days = {name: newest[name].cast("timestamp(0)") for name in ("day", "as_of")}
    return _to_pandas(
        newest.mutate(**days).select("entity_key", *days, "sequence", value=newest[column])
    )


def texts_shown(
    files: Sequence[HistoryFile], sequences: Sequence[int], as_of: date
) -> pd.DataFrame:
    """Texts of creatives as reports showed them, in order: entity_key, day, text.

    `sequences` are the batches whose file states texts.
    """
    stored = _scan(_connect(), files)
    rows = stored.filter(
        stored["as_of"] <= ibis.literal(as_of),
        stored["sequence"].isin(list(sequences)),
        stored["keyword_text"].notnull(),  # noqa: PD004
    )
    ordered = rows.order_by(["entity_key", "day", *STAMP])
    return _to_pandas(
        ordered.select("entity_key", day=ordered["day"].cast("timestamp(0)"), text="keyword_text")
    )


def bids_shown(
    files: Sequence[HistoryFile], sequences: Sequence[int], as_of: date, always: Sequence[int]
) -> pd.DataFrame:
    """Bids as reports showed them, in order: entity_key, day, changed_on, bid_micros.

    Only rows that tell something new, except for the entities in `always`. `sequences` are the
    batches whose file states bids.
    """
    session = _connect()
    stored = _scan(session, files)
    rows = stored.filter(
        stored["as_of"] <= ibis.literal(as_of),
        stored["sequence"].isin(list(sequences)),
        stored["bid_micros"].notnull(),  # noqa: PD004
    )
    in_order = ibis.window(group_by="entity_key", order_by=["day", *STAMP])
    beside = rows.mutate(before=rows["bid_micros"].lag().over(in_order))
    new = beside["before"].isnull() | (beside["before"] != beside["bid_micros"])  # noqa: PD003
    told = (
        beside.filter(new | beside["entity_key"].isin(list(always)))
        if always
        else beside.filter(new)
    )
    days = {name: told[name].cast("timestamp(0)") for name in ("day", "changed_on")}
    ordered = told.order_by(["entity_key", "day", *STAMP])
    return _to_pandas(ordered.mutate(**days).select("entity_key", *days, "bid_micros"))


def negatives(files: Sequence[HistoryFile]) -> pd.DataFrame:
    """Table NEGATIVES: what the files list together, each once."""
    columns = list(NEGATIVES.columns)
    if not files:
        return empty_table(NEGATIVES)
    listed = pa.concat_tables([pq.read_table(file.path, columns=columns) for file in files])
    frame: pd.DataFrame = listed.to_pandas().astype(empty_table(NEGATIVES).dtypes)
    return frame.drop_duplicates(ignore_index=True)


def _connect() -> Any:
    """The thread's in-memory DuckDB; opening one takes longer than most questions to it."""
    if not hasattr(_sessions, "duckdb"):
        _sessions.duckdb = ibis.duckdb.connect(
            temp_directory=tempfile.gettempdir(), memory_limit=MEMORY_LIMIT
        )
    return _sessions.duckdb


def _scan(session: Any, files: Sequence[HistoryFile]) -> Any:
    paths = [unglobbed(file.path) for file in files]
    name = hashlib.sha256("|".join(paths).encode()).hexdigest()
    return session.read_parquet(paths, table_name=f"files_{name}", union_by_name=True)


def _without_extras(rows: Any) -> Any:
    return rows.drop(*(name for name in EXTRA_TYPES if name in rows.columns))


def _filled(rows: Any, types: Mapping[str, pa.DataType]) -> Any:
    """`rows` with the columns that no file of theirs has, as null."""
    absent = {name: str(kind) for name, kind in types.items() if name not in rows.columns}
    names = {"double": "float64"}
    return rows.mutate(**{name: ibis.null(names.get(kind, kind)) for name, kind in absent.items()})


def _with_extras_of(rows: Any, schema: pa.Schema) -> pa.Schema:
    """`schema` with the extra columns that `rows` have beside its own."""
    own = [pa.field(name, kind) for name, kind in EXTRA_TYPES.items() if name in rows.columns]
    return pa.schema([*schema, *(field for field in own if field.name not in schema.names)])


def _rows(session: Any, files: Sequence[HistoryFile], window: Window) -> Any:
    """Every version of the window's rows."""
    stored = _scan(session, files)
    if window.entity_key is not None:
        stored = stored.filter(stored["entity_key"] == window.entity_key)
    return stored.filter(
        stored["last_day"] >= ibis.literal(window.first),
        stored["last_day"] <= ibis.literal(window.last),
        stored["as_of"] <= ibis.literal(window.as_of),
    )


def _newest(session: Any, files: Sequence[HistoryFile], window: Window) -> Any:
    """Rows of the window, the newest stamp of each key."""
    rows = _rows(session, files, window)
    newest_first = ibis.window(group_by=list(KEY), order_by=[ibis.desc(name) for name in STAMP])

    def only_newest(several: Any) -> Any:
        ranked = several.mutate(rank=ibis.row_number().over(newest_first))
        return ranked.filter(ranked["rank"] == 0).drop("rank")

    return _where_restated(rows, files, only_newest)


def _where_restated(rows: Any, files: Sequence[HistoryFile], settle: Callable[[Any], Any]) -> Any:
    """`settle` applied to the days that several files share; other days have one version each."""
    shared = _shared_days(files)
    if not shared:
        return rows
    inside = ibis.or_(*(rows["last_day"].between(*map(ibis.literal, span)) for span in shared))
    settled = settle(rows.filter(inside))
    return settled.union(rows.filter(~inside).select(*settled.columns))


def _shared_days(files: Sequence[HistoryFile]) -> list[tuple[date, date]]:
    """Spans of days on which two files or more may have rows."""
    spans: list[tuple[date, date]] = []
    reach = date.min
    for file in sorted(files, key=lambda file: (file.first_day, file.last_day)):
        if file.first_day <= reach:
            spans.append((file.first_day, min(reach, file.last_day)))
        reach = max(reach, file.last_day)
    return spans


def _newest_periods(session: Any, files: Sequence[HistoryFile], window: Window) -> Any:
    """Newest periods; where two of an entity overlap only the later stamped one counts."""
    newest = _newest(session, files, window)
    other = newest.view()
    return newest.anti_join(
        other,
        [
            newest["entity_key"] == other["entity_key"],
            newest["first_day"] <= other["last_day"],
            newest["last_day"] >= other["first_day"],
            _stamped_later(other, newest),
        ],
    )


def _stamped_later(left: Any, right: Any) -> Any:
    """Whether `left` outranks `right`: later stamp, or in one file the later or longer period."""
    order = ("as_of", "sequence", "last_day")
    outranks = left["first_day"] < right["first_day"]
    for name in reversed(order):
        outranks = (left[name] > right[name]) | ((left[name] == right[name]) & outranks)
    return outranks


def _weighted(rows: Any, weights: Mapping[date, float] | None) -> Any:
    if weights is None:
        return rows.mutate(weight=ibis.literal(1.0))
    table = pa.table(
        {
            "weight_day": pa.array(list(weights), pa.date32()),
            "weight": pa.array(list(weights.values()), pa.float64()),
        }
    )
    weighing = ibis.memtable(table)
    return rows.inner_join(weighing, [rows["last_day"] == weighing["weight_day"]])


def _in_currency(rows: Any) -> pd.DataFrame:
    dated = rows.mutate(**{name: rows[name].cast("timestamp(0)") for name in KEY[1:]})
    shares = [name for name in _DAILY_SHARES if name in dated.columns]
    return _sorted(_to_pandas(dated.select(*_currency_columns(dated, KEY), *shares)))


def _sorted(frame: pd.DataFrame) -> pd.DataFrame:
    """By key, so that sums over it come out the same every time; files are sorted already."""
    days = frame["last_day"].to_numpy().astype("datetime64[D]").astype(np.int64)
    place = frame["entity_key"].to_numpy() * (1 << 22) + days
    if (np.diff(place) > 0).all():
        return frame
    return frame.sort_values(list(KEY), ignore_index=True)


def _currency_columns(rows: Any, names: Sequence[str]) -> list[Any]:
    """`names` as they are, then the five sums as float64, money in currency."""
    money = {"cost": rows["cost_micros"], "value": rows["value_micros"]}
    amounts = {name: column.cast("float64") / MICROS for name, column in money.items()}
    counts = {name: rows[name].cast("float64") for name in ("impressions", "clicks", "conversions")}
    order = ("impressions", "clicks", "cost", "conversions", "value")
    named = {**counts, **amounts}
    return [*(rows[name] for name in names), *(named[name].name(name) for name in order)]


def _version_steps(
    files: Sequence[HistoryFile], campaigns: pd.DataFrame, window: Window
) -> pd.DataFrame:
    """Per campaign, day and as_of: by how much that report moved the sums."""
    session = _connect()
    rows = _rows(session, files, window)
    measured = rows.select(
        *KEY,
        *STAMP,
        clicks=rows["clicks"].cast("float64"),
        conversions=rows["conversions"],
        value=rows["value_micros"].cast("float64").fill_null(0.0) / MICROS,
        valued=rows["value_micros"].notnull().cast("float64"),  # noqa: PD004
    )
    moved = _where_restated(measured, files, _moves)
    codes, names = pd.factorize(campaigns["campaign_name"])
    place = ibis.memtable(
        pa.table({"entity_key": campaigns["entity_key"].to_numpy(), "campaign": codes})
    )
    placed = moved.inner_join(place, "entity_key")
    groups = {
        "campaign": placed["campaign"],
        "day": placed["last_day"].cast("timestamp(0)"),
        "as_of": placed["as_of"].cast("timestamp(0)"),
    }
    totals = placed.group_by(**groups).agg(**{name: placed[name].sum() for name in _MEASURES})
    steps = _to_pandas(totals)
    return steps.assign(
        campaign_name=pd.Series(names.take(steps.pop("campaign").to_numpy()), dtype="str")
    )


def _moves(rows: Any) -> Any:
    """Each version less the one before it of the same key."""
    oldest_first = ibis.window(group_by=list(KEY), order_by=list(STAMP))
    return rows.mutate(
        **{
            name: rows[name] - rows[name].lag().over(oldest_first).fill_null(0.0)
            for name in _MEASURES
        }
    )


def _accumulate(steps: pd.DataFrame, coverage: pd.DataFrame) -> pd.DataFrame:
    """Running sums over as_of, for every (campaign, day) at every as_of that covered the day."""
    pairs = steps[["campaign_name", "day"]].drop_duplicates()
    grid = pairs.merge(coverage, on="day")
    keys = ["campaign_name", "day", "as_of"]
    # A late, older report may reaffirm rows under a stamp whose day it does not cover alone.
    every = grid.merge(steps, on=keys, how="outer").sort_values(keys, ignore_index=True)
    filled = every[_MEASURES].fillna(0.0)
    every[_MEASURES] = filled.groupby([every[name] for name in keys[:2]]).cumsum()
    known = every.merge(grid, on=keys)
    # Before a campaign's first row of a day nothing was known about it.
    known = known[known["as_of"] >= _first_known(steps, known)]
    known["value"] = known["value"].where(known["valued"] > 0)
    return known[list(VERSIONS.columns)].reset_index(drop=True)


def _first_known(steps: pd.DataFrame, rows: pd.DataFrame) -> pd.Series[Any]:
    first = steps.groupby(["campaign_name", "day"], as_index=False)["as_of"].min()
    return rows[["campaign_name", "day"]].merge(first, how="left")["as_of"].set_axis(rows.index)


def _beside(new: Any, before: Any, schema: pa.Schema) -> Any:
    """New rows with the known numbers as `known_*` and whether they differ in what both may say."""
    measured = [name for name in schema.names if name not in (*KEY, *STAMP)]
    old = before.select(*KEY, **{f"known_{name}": before[name] for name in measured})
    joined = new.left_join(old, list(KEY))
    is_new = joined["entity_key_right"].isnull()  # noqa: PD003
    differs = is_new
    for name in (name for name in measured if name in new.columns):
        differs = differs | ~joined[name].identical_to(joined[f"known_{name}"])
    return joined.mutate(changed=differs, is_new=is_new)


def _reaffirmed(
    session: Any,
    joined: Any,
    known: Sequence[HistoryFile],
    seen: Sequence[HistoryFile],
    as_of: date,
    schema: pa.Schema,
) -> pa.Table:
    """Known rows that the new version replaces although a later report had seen them unchanged."""
    if not seen:
        return schema.empty_table()
    day = ibis.literal(as_of)
    stored, repeated = _scan(session, known), _scan(session, seen)
    told = stored.filter(stored["as_of"] > day).select(*KEY, *STAMP).mutate(repeats=False)
    again = repeated.filter(repeated["as_of"] > day).select(*KEY, *STAMP).mutate(repeats=True)
    first = ibis.window(group_by=list(KEY), order_by=list(STAMP))
    later = told.union(again).mutate(rank=ibis.row_number().over(first))
    confirmed = later.filter(later["rank"] == 0, later["repeats"]).select(*KEY, *STAMP)
    replaced = joined.filter(joined["changed"], ~joined["is_new"]).drop(
        *STAMP, "entity_key_right", "first_day_right", "last_day_right"
    )
    rows = replaced.inner_join(confirmed, list(KEY))
    measured = [name for name in schema.names if name not in (*KEY, *STAMP)]
    values = {name: rows[f"known_{name}"] for name in measured}
    return session.to_pyarrow(rows.select(*KEY, **values, **{n: rows[n] for n in STAMP})).cast(
        schema
    )


def _newest_known(rows: Any, name: str, sequences: list[int]) -> Any:
    # Wrapped, because the aggregate skips nulls and a null in a filled column is news.
    wrapped = ibis.struct({"value": rows[name]})
    knows = rows["sequence"].isin(sequences)
    return wrapped.argmax(rows["rank"], where=knows)["value"]


def _last_changes(rows: Any) -> Any:
    """Per entity the last day its bid moved, within a file or from one report to the next."""
    in_order = ibis.window(group_by="entity_key", order_by=["day", *STAMP])
    beside = rows.mutate(
        bid_before=rows["bid_micros"].lag().over(in_order),
        day_before=rows["day"].lag().over(in_order),
    )
    moved = beside["bid_micros"] != beside["bid_before"]
    explained = beside["changed_on"] > beside["day_before"]
    day = ibis.cases(
        (moved & ~explained.fill_null(False), beside["day"]), else_=beside["changed_on"]
    )
    return beside.group_by("entity_key").agg(last_change=day.max().cast("timestamp(0)"))


def _to_pandas(expression: Any) -> pd.DataFrame:
    table = expression.to_pyarrow()
    frame: pd.DataFrame = table.to_pandas(
        split_blocks=True, self_destruct=True, date_as_object=False
    )
    return frame.rename_axis(columns=None)
