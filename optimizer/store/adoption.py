"""Rows that say less of a keyword than the account already knows, under the names of the one they fit.

A keyword list may name a word by its id alone, or leave out the item; a report may leave out the match
type. Pure functions on frames.
"""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from optimizer.store.naming import normalise

_LEFT_OUT: Final = ("match_type", "item_id")
"""What one file may state of a keyword and another leave out."""
_PLACE: Final = ("campaign_name", "ad_group_name")
_NOBODY: Final = pd.Index([], dtype="int64")


def adopt(found: pd.DataFrame, known: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """`found` with the keys of the one `known` keyword that each partial row fits; rows that fit several.

    Rows of which several fit one keyword keep their own keys.
    """
    nowhere = pd.Series(False, index=found.index)
    if known.empty:
        return found, nowhere
    by_id, unclear = _by_id(found, known)
    by_name, unclear_too = _by_names(by_id, known)
    torn = {*unclear, *unclear_too}
    return by_name, found["platform_key"].isna() & found.index.isin(torn)


def _by_id(found: pd.DataFrame, known: pd.DataFrame) -> tuple[pd.DataFrame, pd.Index[Any]]:
    """A keyword id without those of campaign and ad group: the keyword of that id, text and place."""
    asks = found[found["platform_key"].isna() & found["keyword_id"].notna()]
    has = known[known["platform_key"].notna()]
    if asks.empty or has.empty:
        return found, _NOBODY
    pairs = _pairs(asks, has, ["keyword_id", "keyword_text"])
    fits = pairs[_agree(pairs, _PLACE)]
    return _with_keys(found, fits, ("platform_key", "name_key"))


def _by_names(found: pd.DataFrame, known: pd.DataFrame) -> tuple[pd.DataFrame, pd.Index[Any]]:
    """Names that differ from a known keyword's only in what one of the two leaves out."""
    if not _some_leave_out(found, known):
        return found, _NOBODY
    asks = found[~found["name_key"].isin(known["name_key"])]
    asks = asks[~asks["platform_key"].isin(known["platform_key"].dropna())]
    if asks.empty:
        return found, _NOBODY
    pairs = _pairs(asks, known, [*_PLACE, "keyword_text", "target_type"])
    open_to = pairs["platform_key"].isna() | pairs["platform_key_known"].isna()
    return _with_keys(found, pairs[_agree(pairs, _LEFT_OUT) & open_to], ("name_key",))


def _some_leave_out(found: pd.DataFrame, known: pd.DataFrame) -> bool:
    columns = (pd.concat([found[name], known[name]]).isna() for name in _LEFT_OUT)
    return any(unknown.any() and not unknown.all() for unknown in columns)


def _pairs(asks: pd.DataFrame, known: pd.DataFrame, on: list[str]) -> pd.DataFrame:
    """Each asking row beside the known ones with the same texts; `asked` is its index in `found`."""
    left = asks.assign(asked=asks.index, **{f"on_{name}": normalise(asks[name]) for name in on})
    right = known.assign(**{f"on_{name}": normalise(known[name]) for name in on})
    keys = [f"on_{name}" for name in on]
    told = right.dropna(subset=["on_keyword_text"])
    return left.merge(told, on=keys, suffixes=("", "_known"))


def _agree(pairs: pd.DataFrame, columns: tuple[str, ...]) -> pd.Series[Any]:
    """True where no column says one thing of the row and another of the known keyword."""
    agree = pd.Series(True, index=pairs.index)
    for name in columns:
        ours, theirs = normalise(pairs[name]), normalise(pairs[f"{name}_known"])
        agree &= (ours == theirs) | ours.isna() | theirs.isna()
    return agree


def _with_keys(
    found: pd.DataFrame, fits: pd.DataFrame, names: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.Index[Any]]:
    """`found` with the keys of rows that fit one keyword which no other fits; those that fit several."""
    several = fits["asked"].duplicated(keep=False)
    sure = fits[~several & ~fits["entity_key"].duplicated(keep=False)].set_index("asked")
    result = found.copy()
    for name in names:
        result.loc[sure.index, name] = sure[f"{name}_known"]
    return result, pd.Index(fits.loc[several, "asked"].unique())
