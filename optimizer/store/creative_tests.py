"""Tests of creatives defined in the application, and what reviews planned to show of each creative."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa

from optimizer.errors import Conflict
from optimizer.store import audit, records, schema
from optimizer.store.audit import Entry, canonical
from optimizer.store.protocol import CreativeTestRecord
from optimizer.tables import CREATIVE_SHARES, Actor, empty_table

_T = schema.creative_tests.c
_H = schema.creative_shares.c
_S = schema.suggestions.c
_TAKEN = ("exported", "confirmed_live")
_NAMES = ("name", "version", "defined_at", "defined_by", "changed_at", "changed_by")


def read(connection: sa.Connection, account: str) -> list[CreativeTestRecord]:
    """The account's tests by name."""
    query = sa.select(schema.creative_tests).where(_T.account == account).order_by(_T.name)
    return [_record(row) for row in connection.execute(query).mappings()]


def _record(row: Mapping[Any, Any]) -> CreativeTestRecord:
    told = {name: row[name] for name in _NAMES}
    return CreativeTestRecord(**told, definition=json.loads(row["definition"]))


def save(
    connection: sa.Connection,
    account: str,
    definition: Mapping[str, Any],
    seen_version: int | None,
    actor: Actor,
    at: datetime,
    action: str,
) -> CreativeTestRecord:
    """See `protocol.Store.save_creative_test`."""
    name = str(definition["name"])
    known = {one.name: one for one in read(connection, account)}.get(name)
    if known is not None and seen_version is None:
        raise Conflict("creative_test_exists", test=name, by=known.defined_by)
    if (None if known is None else known.version) != seen_version:
        moved = {} if known is None else {"version": known.version, "by": known.changed_by}
        raise Conflict("creative_test_moved", test=name, **moved)
    values = {
        "version": (seen_version or 0) + 1,
        "definition": canonical(definition),
        "changed_at": at,
        "changed_by": actor.name,
    }
    if known is None:
        own = {"account": account, "name": name, "defined_at": at, "defined_by": actor.name}
        connection.execute(sa.insert(schema.creative_tests), [own | values])
    else:
        update = sa.update(schema.creative_tests).where(_T.account == account, _T.name == name)
        connection.execute(update.values(values))
    before = None if known is None else known.definition
    detail = {"version": values["version"], "definition": definition, "before": before}
    audit.append(connection, [Entry(action, name, detail)], account=account, actor=actor, at=at)
    return next(one for one in read(connection, account) if one.name == name)


def save_shares(connection: sa.Connection, account: str, as_of: date, shares: pd.DataFrame) -> None:
    """The shares that the review of `as_of` planned (CREATIVE_SHARES), in place of an earlier one's.

    Those of a test stay as they are once one of them was exported: that is what was asked.
    """
    known = read_shares(connection, account, as_of)
    asked = set(known.loc[known["taken"], "test"])
    gone = sa.delete(schema.creative_shares).where(_H.account == account, _H.as_of == as_of)
    connection.execute(gone.where(_H.test.notin_(asked)) if asked else gone)
    fresh = shares[~shares["test"].isin(asked)]
    if len(fresh):
        names = [name for name in CREATIVE_SHARES.columns if name not in ("taken", "in_force")]
        rows = fresh[names].assign(account=account, as_of=pd.Timestamp(as_of))
        connection.execute(sa.insert(schema.creative_shares), records.to_records(rows))


def read_shares(connection: sa.Connection, account: str, as_of: date | None = None) -> pd.DataFrame:
    """See `protocol.Store.creative_shares`; of one day where `as_of` is said."""
    wanted = _H.account == account
    if as_of is not None:
        wanted &= _H.as_of == as_of
    names = [name for name in CREATIVE_SHARES.columns if name not in ("taken", "in_force")]
    query = (
        sa.select(*[_H[name] for name in names], _S.delivery)
        .outerjoin(schema.suggestions, _S.id == _H.suggestion_id)
        .where(wanted)
        .order_by(_H.test, _H.as_of, _H.entity_key)
    )
    found = records.to_frame([*names, "delivery"], connection.execute(query).all())
    taken = found["delivery"].isin(_TAKEN)
    done = taken | found["suggestion_id"].isna()
    whole = done.groupby([found["test"], found["as_of"]]).transform("all")
    told = found.assign(taken=taken, in_force=whole.astype("bool"))
    return told[list(CREATIVE_SHARES.columns)].astype(empty_table(CREATIVE_SHARES).dtypes.to_dict())
