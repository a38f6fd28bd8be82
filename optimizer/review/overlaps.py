"""Conflicts between suggestions, and between keywords that buy the same search.

Codes: `twin_keep` and `twin_weaker` mark the keyword of a repeated text with the highest marginal
return and the others; `twin_raised` a raise of a weaker one or beside another raise; `term_at_fault`
a negative proposed instead of its donor's pause.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from optimizer.decisions.conflicts import best_of_each, bought_twice
from optimizer.estimates.posteriors import Bools
from optimizer.estimates.segments import normalise_text

_TEXT_MATCHES = ("EXACT", "PHRASE", "BROAD")


def twins(plan: pd.DataFrame) -> pd.DataFrame:
    """Keywords whose text serves in several ad groups, by plan row number.

    Columns `text` (a number per text), `key`, and `keep`: the entity key of the one whose next unit
    of money returns most.
    """
    serving = (plan["inactive_code"] == "").to_numpy() & (plan["impressions"] > 0).to_numpy()
    rows = np.flatnonzero(serving & plan["match_type"].isin(_TEXT_MATCHES).to_numpy())
    part = plan.iloc[rows]
    text = np.asarray(normalise_text(part["keyword_text"]).factorize()[0], dtype=np.int64)
    group = np.asarray(
        part.groupby(["campaign", "ad_group_name"], sort=False).ngroup(), dtype=np.int64
    )
    twice = bought_twice(text, group, np.ones(len(rows), dtype=bool))
    worth = part["marginal_mean"].to_numpy(dtype=np.float64)
    best = best_of_each(text, worth, twice)[twice]
    key = part["entity_key"].astype(str).to_numpy()
    found = pd.DataFrame({"text": text[twice], "key": key[twice], "keep": key[best]})
    return found.set_index(pd.Index(rows[twice]))


def conflict_codes(
    suggestions: pd.DataFrame,
    frames: Mapping[str, pd.DataFrame],
    alike: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Per suggestion `conflicts` (a list of codes) and `keep`, the keyword to keep among its twins.

    `suggestions` must hold all rows of the run, for what is raised beside what to be seen; `alike` are
    the `twins` of its plan where they are known.
    """
    marks, keep = _marks(suggestions, frames["plan"], alike)
    listed: list[list[str]] = [[] for _ in range(len(keep))]
    for row in np.flatnonzero(np.any(list(marks.values()), axis=0)):
        listed[row] = [code for code, mark in marks.items() if mark[row]]
    return pd.DataFrame(
        {
            "conflicts": pd.Series(listed, index=keep.index, dtype="object"),
            "keep": keep.astype("object").where(keep.notna(), None),
        }
    )


def _marks(
    suggestions: pd.DataFrame, plan: pd.DataFrame, alike: pd.DataFrame | None = None
) -> tuple[dict[str, Bools], pd.Series[Any]]:
    """Which suggestions carry each code, and the keyword to keep among each one's twins."""
    found = (twins(plan) if alike is None else alike).set_index("key")
    key = suggestions["entity_key"].astype(str)
    keep = key.map(found["keep"])
    raised = (suggestions["kind"] == "raise").to_numpy()
    beside = _raised_together(key.map(found["text"]), raised)
    is_best, twin = (keep == key).to_numpy(), keep.notna().to_numpy()
    return {
        "twin_keep": twin & is_best,
        "twin_weaker": twin & ~is_best,
        "twin_raised": raised & twin & (~is_best | beside),
        "term_at_fault": _at_fault(suggestions, plan),
    }, keep


def _raised_together(text: pd.Series[Any], raised: Bools) -> Bools:
    """Raises of a text of which another keyword is raised too."""
    counts = text[raised].value_counts()
    result: Bools = raised & text.map(counts).gt(1).to_numpy()
    return result


def _at_fault(suggestions: pd.DataFrame, plan: pd.DataFrame) -> Bools:
    blamed = set(plan["negative_first"].unique()) - {""}
    result: Bools = (
        (suggestions["kind"] == "add_negative") & suggestions["entity_key"].isin(blamed)
    ).to_numpy()
    return result


def conflict_counts(
    suggestions: pd.DataFrame, frames: Mapping[str, pd.DataFrame]
) -> dict[str, int]:
    """How many suggestions carry each code."""
    marks = _marks(suggestions, frames["plan"])[0]
    return {code: int(mark.sum()) for code, mark in marks.items() if mark.any()}
