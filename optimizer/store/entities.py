"""Who a report row is about: platform ids first, normalised names second, never a guess.

Pure functions on frames. A row whose ids point at one entity and whose names point at another, or
whose names fit two, is ambiguous: its key stays null and the import quarantines it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal

import numpy as np
import pandas as pd

from optimizer.store.adoption import adopt
from optimizer.store.naming import normalise

Kind = Literal[
    "keyword", "search_term", "creative", "negative", "item", "item_log", "organic"
]  # fmt: skip
"""What rows are about; from negatives on they have no identity of their own, see `listings`."""

NAME_COLUMNS = (
    "campaign_id",
    "campaign_name",
    "ad_group_id",
    "ad_group_name",
    "keyword_id",
    "keyword_text",
    "match_type",
    "target_type",
    "item_id",
    "search_term",
)
"""What the `entities` table keeps of a row, as spelled in the newest report."""

ENTITY_COLUMNS = ("entity_key", "platform_key", "name_key", *NAME_COLUMNS)

_IDS = {
    "keyword": ("campaign_id", "ad_group_id", "keyword_id"),
    "search_term": ("campaign_id", "ad_group_id"),
    # An ad's id is its own in the account, and reports often have no other.
    "creative": ("keyword_id",),
}
_TEXTS_BESIDE_IDS = {
    "keyword": (),
    "search_term": ("keyword_text", "search_term"),
    "creative": (),
}
_NAMES = {
    "keyword": (
        "campaign_name",
        "ad_group_name",
        "keyword_text",
        "match_type",
        "target_type",
        "item_id",
    ),
    "search_term": ("campaign_name", "ad_group_name", "keyword_text", "search_term"),
    "creative": ("campaign_name", "ad_group_name", "keyword_text", "item_id"),
}
CREATIVE_NAMES = {"creative_id": "keyword_id", "creative_name": "keyword_text"}
"""Creatives are kept in the columns of keywords: both are what an ad group holds."""
_SEPARATOR, _UNKNOWN = "\x1f", "\x1a"


@dataclass(frozen=True)
class Resolution:
    """`keys`: entity key per identity, null where ambiguous; entities to insert and to rewrite."""

    keys: pd.Series[Any]
    new: pd.DataFrame
    changed: pd.DataFrame


def distinct_identities(rows: pd.DataFrame, kind: Kind) -> tuple[np.ndarray, pd.DataFrame]:
    """The identity number of every row, and one row per identity (spelled as in its newest one).

    That is the row of the greatest `place`.
    """
    names = [name for name in NAME_COLUMNS if name in rows.columns]
    numbers = _number_rows(rows, names)
    newest = _newest_position(numbers, rows["place"])
    found = rows[names].iloc[newest].astype("object").reset_index(drop=True)
    found = found.reindex(columns=list(NAME_COLUMNS), fill_value=None)
    found = found.where(found.notna(), None)
    days = rows["last_day"].iloc[newest].to_numpy()
    return numbers, found.assign(**identity_keys(found, kind), last_day=days)


def _newest_position(numbers: np.ndarray, places: pd.Series[Any]) -> np.ndarray:
    """For each group number 0..n-1, the position of its row with the greatest place."""
    order = np.argsort(places.to_numpy(), kind="stable")
    positions = np.zeros(int(numbers.max(initial=-1)) + 1, dtype=np.intp)
    positions[numbers[order]] = order  # the last write, hence the greatest, stays
    return positions


def _number_rows(rows: pd.DataFrame, columns: list[str]) -> np.ndarray:
    numbers = np.zeros(len(rows), dtype=np.int64)
    for column in columns:
        codes, distinct = pd.factorize(rows[column])
        if len(distinct):
            numbers = numbers * (len(distinct) + 1) + codes + 1
            numbers = pd.factorize(numbers)[0]
    return numbers


def identity_keys(found: pd.DataFrame, kind: Kind) -> dict[str, pd.Series[Any]]:
    """`platform_key` (null unless every id is there) and `name_key` of each identity."""
    ids = [found[name] for name in _IDS[kind]]
    texts = [normalise(found[name]) for name in _TEXTS_BESIDE_IDS[kind]]
    complete = pd.concat(ids, axis=1).notna().all(axis=1)
    names = [normalise(found[name]) for name in _NAMES[kind]]
    platform = _join([*ids, *texts])
    return {"platform_key": platform.where(complete, None), "name_key": _join(names)}


def _join(parts: list[pd.Series[Any]]) -> pd.Series[Any]:
    # A mark of its own for null: an empty text and an unknown one are different names.
    filled = [part.where(part.notna(), _UNKNOWN).astype("str") for part in parts]
    return reduce(lambda left, right: left + _SEPARATOR + right, filled).astype("object")


def resolve(
    found: pd.DataFrame,
    known: pd.DataFrame,
    next_key: int,
    *,
    newest_report: bool,
    kind: Kind = "keyword",
) -> Resolution:
    """Give every identity in `found` its entity key; `known` has ENTITY_COLUMNS.

    New keys start at `next_key`. Identities without a campaign's name take that of the entity they fit;
    where there is none their key stays null. Names are rewritten only by the `newest_report`, so that an old
    file imported late does not rename anything back.
    """
    found, torn = adopt(found, known) if kind == "keyword" else (found, found["name_key"].isna())
    keys, next_key = _by_platform(found, known, next_key)
    keys = _by_names(found, keys, known, next_key)
    nameless = found["campaign_name"].isna() | found["ad_group_name"].isna()
    keys = keys.where((keys.isin(known["entity_key"]) | ~nameless) & ~torn)
    told = _one_row_each(found, keys)
    is_known = told["entity_key"].isin(known["entity_key"])
    changed = _rewritten(told[is_known], known, newest_report, kind)
    return Resolution(keys, told[~is_known], changed)


def count_unmatched(found: pd.DataFrame, known: pd.DataFrame, resolution: Resolution) -> int:
    """How many entities still lack platform ids although the account's platform gives them.

    Counted are those of a report without ids that match no known entity, and, once a report brings
    ids, all earlier ones that none of its rows match. 0 where no entity of the account has an id.
    """
    every = pd.concat([known, resolution.new, resolution.changed])
    has_id = every.loc[every["platform_key"].notna(), "entity_key"]
    if has_id.empty:
        return 0
    told = resolution.keys.dropna()
    brings_ids = bool(found["platform_key"].notna().any())
    asked = pd.concat([told, known["entity_key"]]) if brings_ids else told
    return int((~asked.drop_duplicates().astype("int64").isin(has_id)).sum())


def _by_platform(
    found: pd.DataFrame, known: pd.DataFrame, next_key: int
) -> tuple[pd.Series[Any], int]:
    """Keys of the identities that carry ids; a first-seen id takes over the entity of its names."""
    has_id = known["platform_key"].notna()
    by_id = _lookup(found["platform_key"], known[has_id], "platform_key")
    by_name = _lookup(found["name_key"], known[~has_id], "name_key")
    first_seen = found["platform_key"].notna() & by_id.isna()
    claims = found[first_seen].groupby("name_key")["platform_key"].transform("nunique")
    attached = by_name.where(first_seen & claims.reindex(found.index).eq(1))
    fresh, next_key = _fresh_keys(
        found["platform_key"].where(first_seen & by_name.isna()), next_key
    )
    settled = by_id.where(by_name.isna())  # ids and names that disagree stay null
    return settled.fillna(attached).fillna(fresh), next_key


def _by_names(
    found: pd.DataFrame, keys: pd.Series[Any], known: pd.DataFrame, next_key: int
) -> pd.Series[Any]:
    """`keys` completed for identities without ids: the one entity of those names, or a new one."""
    seen = pd.concat([known[["name_key", "entity_key"]], _named(found, keys)]).drop_duplicates()
    without_id = found["platform_key"].isna()
    matches = found["name_key"].map(seen["name_key"].value_counts()).fillna(0)
    single = seen.drop_duplicates("name_key", keep=False)
    matched = _lookup(found["name_key"], single, "name_key").where(without_id)
    fresh, _ = _fresh_keys(found["name_key"].where(without_id & matches.eq(0)), next_key)
    return keys.fillna(matched).fillna(fresh)


def _named(found: pd.DataFrame, keys: pd.Series[Any]) -> pd.DataFrame:
    settled = keys.notna()
    return found.loc[settled, ["name_key"]].assign(entity_key=keys[settled].astype("int64"))


def _lookup(values: pd.Series[Any], entities: pd.DataFrame, column: str) -> pd.Series[Any]:
    keys = entities.set_index(column)["entity_key"].astype("Int64")
    return values.map(keys).astype("Int64")


def _fresh_keys(names: pd.Series[Any], next_key: int) -> tuple[pd.Series[Any], int]:
    """One new key per distinct name, counted from `next_key`; null names get none."""
    codes, distinct = pd.factorize(names)
    keys = pd.Series(codes + next_key, index=names.index, dtype="Int64").where(codes >= 0)
    return keys, next_key + len(distinct)


def _one_row_each(found: pd.DataFrame, keys: pd.Series[Any]) -> pd.DataFrame:
    """Per entity the identity of the newest day, preferring one with ids."""
    settled = found[keys.notna()].assign(entity_key=keys.dropna().astype("int64"))
    ordered = settled.assign(with_id=settled["platform_key"].notna()).sort_values(
        ["with_id", "last_day"], kind="stable"
    )
    return ordered.drop_duplicates("entity_key", keep="last")[list(ENTITY_COLUMNS)]


def _rewritten(
    told: pd.DataFrame, known: pd.DataFrame, newest_report: bool, kind: Kind
) -> pd.DataFrame:
    """Known entities whose ids were first seen or whose names the newest report spells anew."""
    index = "entity_key"
    said = told.set_index(index).sort_index()
    before = known.set_index(index).loc[said.index, said.columns]
    after = (
        said.where(said.notna(), before) if newest_report else before.where(before.notna(), said)
    )
    # What a report leaves out stays known, so the joined names may be neither side's.
    mixed = (said.isna() != before.isna()).any(axis=1)
    after.loc[mixed, "name_key"] = identity_keys(after[mixed], kind)["name_key"]
    differs = ((after != before) & ~(after.isna() & before.isna())).any(axis=1)
    return after[differs].reset_index()
