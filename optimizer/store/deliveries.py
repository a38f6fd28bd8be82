"""What became of exported suggestions: what is known of each, and what reports show of its subject."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa

from optimizer.errors import Conflict
from optimizer.store import audit, history, imports, records, schema
from optimizer.store.audit import Entry
from optimizer.store.files import Folder
from optimizer.store.protocol import Delivered
from optimizer.store.suggestions import chunks
from optimizer.tables import MICROS, Actor

_S = schema.suggestions.c
_D = schema.deliveries.c
_PLACE = ("campaign_id", "campaign_name", "ad_group_id", "ad_group_name", "keyword_id")
_OWN = (
    *("id", "version", "kind", "slot", "entity_key", *_PLACE, "keyword_text", "match_type"),
    *("bid", "approved_bid", "delivery", "as_of", "export_id", "reason"),
)
_TOLD = ("code", "text", "seen_value", "seen_state", "seen_on", "batch_id", "file_name", "told_at")
_NUMBERS = ("bid", "approved_bid", "seen_value")
_DAYS = {"as_of": "datetime64[s]", "seen_on": "datetime64[s]"}
_MOMENTS = dict.fromkeys(("exported_at", "told_at"), "datetime64[us, UTC]")

_FACTS: Mapping[str, tuple[str, ...]] = {
    "keyword": ("bid_micros", "campaign_budget_micros", "status"),
    "search_term": ("term_status",),
    "creative": ("status",),
}
_LETTER = {"keyword": "", "search_term": "t", "creative": "a"}
SHOWN = (
    *("entity_key", *_PLACE, "keyword_text", "match_type"),
    *("fact", "amount", "text", "day", "as_of", "batch_id", "file_name", "imported_at"),
)
"""Columns of `shown`."""


def delivered(connection: sa.Connection, account: str) -> pd.DataFrame:
    """See `protocol.Store.delivered`."""
    exports = schema.exports.c
    of_export = (exports.export_id == _S.export_id) & (exports.account == _S.account)
    place = sa.func.row_number().over(
        partition_by=(_S.entity_key, _S.slot), order_by=exports.sequence.desc()
    )
    columns = [_S[name] for name in _OWN]
    newest = (
        sa.select(*columns, exports.created_at.label("exported_at"), place.label("place"))
        .join(schema.exports, of_export)
        .where(_S.account == account, _S.delivery != "not_exported")
        .subquery()
    )
    query = (
        sa.select(*[newest.c[name] for name in (*_OWN, "exported_at")], *[_D[n] for n in _TOLD])
        .outerjoin(schema.deliveries, _D.suggestion_id == newest.c.id)
        .where(newest.c.place == 1)
        .order_by(newest.c.as_of.desc(), newest.c.id)
    )
    names = [*_OWN, "exported_at", *_TOLD]
    return _typed(records.to_frame(names, connection.execute(query).all()), names)


def _typed(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    numbers = dict.fromkeys(_NUMBERS, "float64") | {"version": "int64"}
    kinds = dict.fromkeys(names, "str") | numbers | _DAYS | _MOMENTS
    return frame.astype({name: kinds[name] for name in names})


def shown(connection: sa.Connection, folder: Folder, account: str, since: date) -> pd.DataFrame:
    """See `protocol.Store.shown`."""
    listed = imports.manifest(connection, account)
    newer = listed[listed["as_of"] > since]
    parts = [_facts(connection, folder, account, newer, kind) for kind in _FACTS]
    found = pd.concat([*parts, _negatives(folder, newer)], ignore_index=True)
    return found.merge(_batches(connection, account), on="sequence")[list(SHOWN)]


def _facts(
    connection: sa.Connection, folder: Folder, account: str, listed: pd.DataFrame, kind: str
) -> pd.DataFrame:
    """The newest of each state of keywords or terms, with their names."""
    own = listed[listed["content"] == f"{kind}_state"]
    files = imports.files_of(folder, own, f"{kind}_state")
    known = own["state_columns"].map(json.loads)
    parts = [_nothing()]
    for name in _FACTS[kind]:
        sequences = own.loc[known.map(lambda names, name=name: name in names), "sequence"]
        if len(sequences):
            newest = history.newest_state(files, name, [int(each) for each in sequences])
            parts.append(_told(newest, name))
    facts = pd.concat(parts, ignore_index=True)
    names = imports.read_entities(connection, account, kind).set_index("entity_key")
    place = names.reindex(facts["entity_key"].astype("int64"))
    text = "search_term" if kind == "search_term" else "keyword_text"
    told = {name: place[name].to_numpy() for name in (*_PLACE, "match_type")}
    keys = facts["entity_key"].astype("int64").astype("str")
    return facts.assign(
        **told,
        keyword_text=place[text].to_numpy(),
        entity_key=_LETTER[kind] + keys,
    )


def _nothing() -> pd.DataFrame:
    columns = ("entity_key", "fact", "amount", "text", "day", "as_of", "sequence")
    return pd.DataFrame({name: pd.Series(dtype="object") for name in columns})


def _told(newest: pd.DataFrame, name: str) -> pd.DataFrame:
    money = name.endswith("_micros")
    value = newest["value"]
    return newest.drop(columns="value").assign(
        fact=name.removesuffix("_micros"),
        amount=value.astype("float64") / MICROS if money else None,
        text=None if money else value,
    )


def _negatives(folder: Folder, listed: pd.DataFrame) -> pd.DataFrame:
    """The lists of the newest day with any, as facts about no entity."""
    lists = listed[listed["content"] == "negative"]
    newest = lists[lists["as_of"] == lists["as_of"].max()]
    if newest.empty:
        return _nothing()
    last = newest.loc[[newest["sequence"].astype("int64").idxmax()]].iloc[0]
    rows = history.negatives(imports.files_of(folder, newest, "negative"))
    names = rows.reindex(columns=[*_PLACE, "keyword_text", "match_type"])
    return names.astype("object").assign(
        entity_key=None,
        fact="negative",
        amount=None,
        text="EXCLUDED",
        day=pd.Timestamp(last["last_day"]),
        as_of=pd.Timestamp(last["as_of"]),
        sequence=last["sequence"],
    )


def _batches(connection: sa.Connection, account: str) -> pd.DataFrame:
    batches = schema.batches.c
    names = ["sequence", "batch_id", "file_name", "imported_at"]
    query = sa.select(*[batches[name] for name in names]).where(batches.account == account)
    return records.to_frame(names, connection.execute(query).all())


def record(
    connection: sa.Connection, account: str, told: Sequence[Delivered], actor: Actor, at: datetime
) -> None:
    """See `protocol.Store.record_deliveries`."""
    if not told:
        return
    _move(connection, account, told)
    for chunk in chunks([one.id for one in told]):
        connection.execute(sa.delete(schema.deliveries).where(_D.suggestion_id.in_(chunk)))
    rows = [_row(one, account, actor, at) for one in told]
    connection.execute(sa.insert(schema.deliveries), rows)
    entries = [Entry("deliver", one.id, _detail(one)) for one in told]
    audit.append(connection, entries, account=account, actor=actor, at=at)


def _move(connection: sa.Connection, account: str, told: Sequence[Delivered]) -> None:
    update = (
        sa.update(schema.suggestions)
        .where(
            _S.id == sa.bindparam("which"),
            _S.account == account,
            _S.version == sa.bindparam("seen_version"),
            _S.delivery == sa.bindparam("seen_delivery"),
        )
        .values(delivery=sa.bindparam("to"))
    )
    moves = [
        {
            "which": one.id,
            "seen_version": one.version,
            "seen_delivery": one.from_delivery,
            "to": one.delivery,
        }
        for one in told
    ]
    if connection.execute(update, moves).rowcount != len(told):
        raise Conflict("deliveries_moved", account=account)


def _row(one: Delivered, account: str, actor: Actor, at: datetime) -> dict[str, Any]:
    return {
        "suggestion_id": one.id,
        "account": account,
        "code": one.code,
        "text": None if one.text is None else records.storable(one.text),
        "seen_value": one.seen_value,
        "seen_state": one.seen_state,
        "seen_on": one.seen_on,
        "batch_id": one.batch_id,
        "file_name": None if one.file_name is None else records.storable(one.file_name),
        "told_at": at,
        "told_by": actor.name,
    }


def _detail(one: Delivered) -> dict[str, Any]:
    text = None if one.text is None else records.storable(one.text)
    return {
        "version": one.version,
        "from": one.from_delivery,
        "to": one.delivery,
        "code": one.code,
        "text": text,
        "seen_value": one.seen_value,
        "seen_state": one.seen_state,
        "batch_id": one.batch_id,
    }
