"""What a review reads: entities, newest facts and states, and the run-off triangle, as of one day."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from optimizer.errors import NotFound
from optimizer.store import bid_changes, experiments, history, imports, listings, records, schema
from optimizer.store.entities import CREATIVE_NAMES, NAME_COLUMNS
from optimizer.store.files import Folder
from optimizer.store.history import HistoryFile, Window
from optimizer.store.naming import normalise
from optimizer.store.places import with_place_ids
from optimizer.store.protocol import AccountRecord, CreativeTables, KeywordDays, ReviewTables
from optimizer.tables import (
    BID_CHANGES,
    CREATIVE_TEXTS,
    CREATIVES,
    KEYWORDS,
    MICROS,
    TERMS,
    empty_table,
)

_CALLED = ("entity_key", "campaign_name", "ad_group_name", "keyword_text", "match_type")
_NAMES = pa.schema({"entity_key": pa.int64()} | dict.fromkeys(NAME_COLUMNS, pa.string()))
_MONEY = ("bid_micros", "first_page_bid_micros", "campaign_budget_micros")
_BESIDE = ThreadPoolExecutor(1, "history")
"""Asks history while the caller reads the state database; its one thread keeps its DuckDB open."""
_DONE = ("exported", "confirmed_live", "drifted", "reverted")
"""Deliveries of changes that happened, or may have; one that failed did not."""


def review_tables(
    connection: sa.Connection,
    folder: Folder,
    account: AccountRecord,
    as_of: date,
    window_days: int,
) -> ReviewTables:
    """See `protocol.Store.review_tables`."""
    batches = _batches(connection, account.name, as_of)
    listed = imports.manifest(connection, account.name)
    window = Window(as_of - timedelta(days=window_days), as_of - timedelta(days=1), as_of)
    read = _Reader(connection, folder, account.name, listed, window)
    states, daily = (_BESIDE.submit(part, "keyword") for part in (read.states, read.daily))
    keywords = read.entities("keyword")
    terms = with_place_ids(read.entities("search_term"), keywords)
    keywords = with_place_ids(keywords, keywords)
    versions = read.versions(keywords, batches)
    term_daily = read.daily("search_term")
    return ReviewTables(
        account=account,
        as_of=as_of,
        keywords=_keywords(keywords, states.result(), read.last_exports()),
        daily=daily.result(),
        terms=_terms(terms, read.states("search_term"), term_daily),
        term_daily=term_daily,
        versions=versions,
        bid_changes=read.bid_changes(),
        batches=tuple(batches["batch_id"]),
        negatives=read.negatives(),
    )


def keyword_days(
    connection: sa.Connection, folder: Folder, account: str, as_of: date, window_days: int
) -> KeywordDays:
    """See `protocol.Store.keyword_days`."""
    listed = imports.manifest(connection, account)
    window = Window(as_of - timedelta(days=window_days), as_of - timedelta(days=1), as_of)
    read = _Reader(connection, folder, account, listed, window)
    daily = _BESIDE.submit(read.daily, "keyword")
    return KeywordDays(read.entities("keyword")[list(_CALLED)], daily.result())


def creative_tables(
    connection: sa.Connection, folder: Folder, account: str, as_of: date, window_days: int
) -> CreativeTables:
    """See `protocol.Store.creative_tables`."""
    listed = imports.manifest(connection, account)
    window = Window(as_of - timedelta(days=window_days), as_of - timedelta(days=1), as_of)
    read = _Reader(connection, folder, account, listed, window)
    names = {theirs: ours for ours, theirs in CREATIVE_NAMES.items()}
    entities = read.entities("creative").rename(columns=names)
    states = read.states("creative").astype({"entity_key": "int64"})
    ordered = entities.merge(states, on="entity_key").sort_values("entity_key")
    return CreativeTables(_typed(ordered, CREATIVES), read.daily("creative"), read.texts())


def extra_counts(
    connection: sa.Connection,
    folder: Folder,
    account: str,
    as_of: date,
    window_days: int,
    kind: str,
    entity_key: int | None,
) -> pd.DataFrame:
    """See `protocol.Store.extra_counts`."""
    listed = imports.manifest(connection, account)
    first, last = as_of - timedelta(days=window_days), as_of - timedelta(days=1)
    window = Window(first, last, as_of, entity_key)
    read = _Reader(connection, folder, account, listed, window)
    return history.extras(read.fact_files(f"{kind}_day"), read.fact_files(f"{kind}_period"), window)


def list_files(
    connection: sa.Connection, folder: Folder, account: str, as_of: date, kind: str
) -> list[listings.ListFile]:
    """The account's lists of one kind from batches with as_of ≤ `as_of`."""
    listed = imports.manifest(connection, account)
    own = listed[(listed["content"] == kind) & (listed["as_of"] <= as_of)]
    paths = [file.path for file in imports.files_of(folder, own, kind)]
    told = zip(paths, own["as_of"], own["sequence"], own["state_columns"], strict=True)
    return [
        listings.ListFile(path, day, int(sequence), tuple(json.loads(columns)))
        for path, day, sequence, columns in told
    ]


def _batches(connection: sa.Connection, account: str, as_of: date) -> pd.DataFrame:
    """Batches with as_of ≤ `as_of` in order. Raises `NotFound` with the days that exist."""
    table = schema.batches.c
    columns = (table.batch_id, table.as_of, table.grain, table.first_day, table.last_day)
    query = sa.select(*columns).where(table.account == account).order_by(table.sequence)
    rows = connection.execute(query)
    frame = records.to_frame(list(rows.keys()), rows.all())
    known = frame[frame["as_of"] <= as_of]
    if known.empty:
        days = sorted({day.isoformat() for day in frame["as_of"]})
        raise NotFound("no_reports_as_of", account=account, as_of=as_of.isoformat(), known=days)
    return known


class _Reader:
    """One account's history through one window."""

    def __init__(
        self,
        connection: sa.Connection,
        folder: Folder,
        account: str,
        listed: pd.DataFrame,
        window: Window,
    ) -> None:
        self.connection = connection
        self.folder = folder
        self.account = account
        self.listed = listed
        self.window = window

    def fact_files(self, content: str) -> list[HistoryFile]:
        inside = self.listed["last_day"] >= self.window.first
        inside &= self.listed["first_day"] <= self.window.last
        inside &= self.listed["as_of"] <= self.window.as_of  # a file's stamps are never older
        return imports.files_of(self.folder, self.listed[inside], content)

    def daily(self, kind: str) -> pd.DataFrame:
        days, periods = self.fact_files(f"{kind}_day"), self.fact_files(f"{kind}_period")
        return history.daily(days, periods, self.window)

    def entities(self, kind: str) -> pd.DataFrame:
        """Names of the account's entities of one kind, with their entity_key."""
        table = schema.entities.c
        columns = [table[name] for name in _NAMES.names]
        query = sa.select(*columns).where(table.account == self.account, table.kind == kind)
        return records.to_typed_frame(_NAMES, self.connection.execute(query))

    def states(self, kind: str) -> pd.DataFrame:
        own = self._known_states(kind)
        # Texts are names; older files do not have them. See `texts`.
        columns = [name for name in history.STATE_TYPES[kind] if name != "keyword_text"]
        if own.empty:
            return pd.DataFrame(
                {name: pd.Series(dtype="object") for name in ["entity_key", *columns]}
            )
        filled = {name: _filling(own, name) for name in columns}
        files = imports.files_of(self.folder, own, f"{kind}_state")
        return history.states(files, filled, self.window.as_of)

    def texts(self) -> pd.DataFrame:
        """Table CREATIVE_TEXTS; what differs in case or blanks only is one text."""
        own = self._known_states("creative")
        sequences = _filling(own, "keyword_text") if len(own) else []
        if not sequences:
            return empty_table(CREATIVE_TEXTS)
        telling = own[own["sequence"].isin(sequences)]
        files = imports.files_of(self.folder, telling, "creative_state")
        shown = history.texts_shown(files, sequences, self.window.as_of)
        newest = shown.assign(text=normalise(shown["text"])).drop_duplicates(
            ["entity_key", "day"], keep="last"
        )
        return _typed(newest, CREATIVE_TEXTS)

    def negatives(self) -> pd.DataFrame:
        """Table NEGATIVES: what the lists of the newest day with any say together."""
        known = self.listed[self.listed["as_of"] <= self.window.as_of]
        lists = known[known["content"] == "negative"]
        newest = lists[lists["as_of"] == lists["as_of"].max()]
        return history.negatives(imports.files_of(self.folder, newest, "negative"))

    def bid_changes(self) -> pd.DataFrame:
        """Table BID_CHANGES up to the window's last day."""
        own = self._known_states("keyword")
        sequences = _filling(own, "bid_micros") if len(own) else []
        if not sequences:
            return empty_table(BID_CHANGES)
        tested = experiments.randomised_bids(self.connection, self.account, self.window.last)
        shown = history.bids_shown(
            imports.files_of(self.folder, own, "keyword_state"),
            sequences,
            self.window.as_of,
            [int(key) for key in tested["entity_key"].unique()],
        )
        return bid_changes.bid_changes(shown, tested, self._exported_bids())

    def _known_states(self, kind: str) -> pd.DataFrame:
        known = self.listed[self.listed["as_of"] <= self.window.as_of]
        return known[known["content"] == f"{kind}_state"]

    def _exported_bids(self) -> pd.DataFrame:
        """Keyword and bid of every exported raise or lower: entity_key, bid."""
        table = schema.suggestions.c
        query = sa.select(
            table.entity_key, sa.func.coalesce(table.approved_bid, table.proposed_bid)
        ).where(
            table.account == self.account,
            table.slot == "bid",
            table.delivery.in_(_DONE),
            table.as_of <= self.window.as_of,
        )
        rows = [(int(key), bid) for key, bid in self.connection.execute(query) if key.isdigit()]
        return pd.DataFrame(rows, columns=["entity_key", "bid"]).astype(
            {"entity_key": "int64", "bid": "float64"}
        )

    def versions(self, keywords: pd.DataFrame, batches: pd.DataFrame) -> pd.DataFrame:
        daily = batches[(batches["grain"] == "keyword_day") & batches["first_day"].notna()]
        campaigns = keywords[["entity_key", "campaign_name"]]
        return history.versions(
            self.fact_files("keyword_day"), _coverage(daily, self.window), campaigns, self.window
        )

    def last_exports(self) -> pd.Series[Any]:
        """Review day of the newest export of each keyword, by entity key."""
        table = schema.suggestions.c
        query = (
            sa.select(table.entity_key, sa.func.max(table.as_of))
            .where(
                table.account == self.account,
                table.delivery.in_(_DONE),
                table.as_of <= self.window.as_of,
            )
            .group_by(table.entity_key)
        )
        rows = self.connection.execute(query).all()
        keywords = {int(key): pd.Timestamp(day) for key, day in rows if key.isdigit()}
        days = pd.Series(keywords, dtype="datetime64[s]")
        return days.rename("exported").rename_axis("entity_key")


def _filling(files: pd.DataFrame, column: str) -> list[int]:
    named = files["state_columns"].map(json.loads).map(lambda names: column in names)
    return [int(sequence) for sequence in files.loc[named, "sequence"]]


def _coverage(batches: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Which as_of covered which day of the window: columns day, as_of."""
    days = pd.DataFrame({"day": pd.date_range(window.first, window.last, unit="s")})
    pairs = days.merge(batches[["as_of", "first_day", "last_day"]], how="cross")
    first, last = pd.to_datetime(pairs["first_day"]), pd.to_datetime(pairs["last_day"])
    covered = pairs[(pairs["day"] >= first) & (pairs["day"] <= last)]
    as_of = pd.to_datetime(covered["as_of"]).dt.as_unit("s")
    return covered[["day"]].assign(as_of=as_of).drop_duplicates(ignore_index=True)


def _keywords(
    entities: pd.DataFrame, states: pd.DataFrame, exports: pd.Series[Any]
) -> pd.DataFrame:
    """Table KEYWORDS of the entities that some report up to the day has shown."""
    joined = entities.merge(states, on="entity_key").join(exports, on="entity_key")
    for name in _MONEY:
        joined[name.removesuffix("_micros")] = joined[name].astype("float64") / MICROS
    changes = pd.DataFrame(
        {
            name: joined[name].astype("datetime64[s]")
            for name in ("last_change", "exported")
            if name in joined
        }
    )
    joined["last_change"] = changes.max(axis=1).astype("datetime64[s]")
    joined["quality_score"] = joined["quality_score"].astype("float64")
    ordered = joined.sort_values(["campaign_name", "ad_group_name", "entity_key"])
    return _typed(ordered, KEYWORDS)


def _terms(entities: pd.DataFrame, states: pd.DataFrame, daily: pd.DataFrame) -> pd.DataFrame:
    """Table TERMS of the terms with rows in the window."""
    present = entities[entities["entity_key"].isin(daily["entity_key"].unique())]
    joined = present.merge(states, on="entity_key", how="left")
    return _typed(joined.sort_values(["campaign_name", "ad_group_name", "entity_key"]), TERMS)


def _typed(frame: pd.DataFrame, table: Any) -> pd.DataFrame:
    dtypes = empty_table(table).dtypes
    return frame[list(table.columns)].astype(dtypes).reset_index(drop=True)
