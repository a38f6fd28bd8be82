"""What reports showed of an entity: its newest state, its texts and bids in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import ibis
import pandas as pd

from optimizer.store.history.layout import STAMP, HistoryFile
from optimizer.store.history.newest import connect, scan, to_pandas


def states(
    files: Sequence[HistoryFile], filled: Mapping[str, Sequence[int]], as_of: date
) -> pd.DataFrame:
    """One row per entity: entity_key, the newest state, `last_change` of the bid (null if none).

    `filled` names, per state column, the batch sequences whose file has that column; others know
    nothing about it and do not hide what an earlier report said. Money stays in micros.
    """
    session = connect()
    stored = scan(session, files)
    rows = stored.filter(stored["as_of"] <= ibis.literal(as_of))
    in_order = ibis.window(group_by="entity_key", order_by=["day", *STAMP])
    ranked = rows.mutate(rank=ibis.row_number().over(in_order))
    newest = ranked.group_by("entity_key").agg(
        **{name: _newest_known(ranked, name, list(sequences)) for name, sequences in filled.items()}
    )
    if "bid_micros" in filled:
        changes = _last_changes(rows.filter(rows["bid_micros"].notnull()))  # noqa: PD004
        newest = newest.left_join(changes, "entity_key").drop("entity_key_right")
    return to_pandas(newest)


def newest_state(
    files: Sequence[HistoryFile], column: str, sequences: Sequence[int]
) -> pd.DataFrame:
    """Of each entity the newest known value of one state column: entity_key, value, day and stamps.

    `sequences` are the batches whose file states the column; a null says nothing.
    """
    stored = scan(connect(), files)
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
    return to_pandas(
        newest.mutate(**days).select("entity_key", *days, "sequence", value=newest[column])
    )


def texts_shown(
    files: Sequence[HistoryFile], sequences: Sequence[int], as_of: date
) -> pd.DataFrame:
    """Texts of creatives as reports showed them, in order: entity_key, day, text.

    `sequences` are the batches whose file states texts.
    """
    stored = scan(connect(), files)
    rows = stored.filter(
        stored["as_of"] <= ibis.literal(as_of),
        stored["sequence"].isin(list(sequences)),
        stored["keyword_text"].notnull(),  # noqa: PD004
    )
    ordered = rows.order_by(["entity_key", "day", *STAMP])
    return to_pandas(
        ordered.select("entity_key", day=ordered["day"].cast("timestamp(0)"), text="keyword_text")
    )


def bids_shown(
    files: Sequence[HistoryFile], sequences: Sequence[int], as_of: date, always: Sequence[int]
) -> pd.DataFrame:
    """Bids as reports showed them, in order: entity_key, day, changed_on, bid_micros.

    Only rows that tell something new, except for the entities in `always`. `sequences` are the
    batches whose file states bids.
    """
    session = connect()
    stored = scan(session, files)
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
    return to_pandas(ordered.mutate(**days).select("entity_key", *days, "bid_micros"))


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
