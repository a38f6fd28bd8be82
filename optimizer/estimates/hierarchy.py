"""Keyword ⊂ ad group ⊂ campaign ⊂ segment, as the arrays `rates.fit_rates` climbs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from optimizer.estimates.posteriors import Ints


@dataclass(frozen=True)
class Hierarchy:
    """`ad_group[k]` and `campaign[k]` number each keyword's groups as the platform has them.

    `parents` are the credibility levels: within a segment, so that brand words never inform
    generic ones.
    """

    ad_group: Ints
    campaign: Ints
    parents: tuple[Ints, ...]


def build_hierarchy(frame: pd.DataFrame, segment: Ints) -> Hierarchy:
    """Groups of `frame` (campaign and ad group ids where known, else names)."""
    campaign = _codes([_identity(frame, "campaign")])
    ad_group = _codes([pd.Series(campaign), _identity(frame, "ad_group")])
    return Hierarchy(ad_group, campaign, nest([ad_group, campaign], segment))


def alternative_parents(
    frame: pd.DataFrame, tree: Hierarchy, item: Ints, segment: Ints
) -> dict[str, tuple[Ints, ...]]:
    """The credibility levels a keyword could have, by name, the platform's own first.

    `match_type`: keyword ⊂ match type within its campaign ⊂ campaign; `item`: keyword ⊂ item, across
    campaigns, keywords without an item (-1) being one. All end in the segment.
    """
    kind = frame["match_type"].astype("str").fillna("").reset_index(drop=True)
    return {
        "ad_group": tree.parents,
        "match_type": nest([_codes([pd.Series(tree.campaign), kind]), tree.campaign], segment),
        "item": nest([item + 1], segment),
    }


def _identity(frame: pd.DataFrame, what: str) -> pd.Series[str]:
    """The platform's id where it is known, else the name: a renamed campaign stays one campaign."""
    known = frame[f"{what}_id"].astype("str")
    named = "name:" + frame[f"{what}_name"].astype("str")
    return known.where(known.notna(), named).reset_index(drop=True)


def _codes(columns: list[pd.Series[Any]]) -> Ints:
    keys = pd.concat(columns, axis=1, ignore_index=True)
    return np.asarray(
        keys.groupby(list(keys.columns), sort=False, dropna=False).ngroup(), dtype=np.int64
    )


def nest(groups: Sequence[Ints], segment: Ints) -> tuple[Ints, ...]:
    """Parents per level from each keyword's group numbers, finest first; the roots are segments.

    A group's own group is that of any of its keywords; groups are split by segment.
    """
    segments = int(segment.max()) + 1 if len(segment) else 1
    levels: list[Ints] = []
    below = np.arange(len(segment))
    units = len(segment)
    for group in groups:
        found, place = np.unique(group * segments + segment, return_inverse=True)
        parent = np.zeros(units, dtype=np.int64)
        parent[below] = place
        levels.append(parent)
        below, units = place, len(found)
    root = np.zeros(units, dtype=np.int64)
    root[below] = segment
    return (*levels, root)
