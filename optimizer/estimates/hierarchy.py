"""Keyword ⊂ ad group ⊂ campaign ⊂ segment, as the arrays `rates.fit_rates` climbs."""

from __future__ import annotations

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
    leaf_group, group_campaign = _nest(ad_group, campaign, segment)
    return Hierarchy(ad_group, campaign, (leaf_group, *group_campaign))


def _identity(frame: pd.DataFrame, what: str) -> pd.Series[str]:
    """The platform's id where it is known, else the name: a renamed campaign stays one campaign."""
    known = frame[f"{what}_id"].astype("str")
    named = "name:" + frame[f"{what}_name"].astype("str")
    return known.where(known.notna(), named).reset_index(drop=True)


def _codes(columns: list[pd.Series[Any]]) -> Ints:
    keys = pd.concat(columns, axis=1, ignore_index=True)
    return np.asarray(keys.groupby(list(keys.columns), sort=False).ngroup(), dtype=np.int64)


def _nest(ad_group: Ints, campaign: Ints, segment: Ints) -> tuple[Ints, tuple[Ints, Ints]]:
    """Codes of (ad group, segment) per keyword, of (campaign, segment) per such group, and roots."""
    segments = int(segment.max()) + 1 if len(segment) else 1
    groups, leaf_group = np.unique(ad_group * segments + segment, return_inverse=True)
    campaign_of_group = np.zeros(len(groups), dtype=np.int64)
    campaign_of_group[leaf_group] = campaign * segments + segment
    campaigns, group_campaign = np.unique(campaign_of_group, return_inverse=True)
    return leaf_group.astype(np.int64), (
        group_campaign.astype(np.int64),
        (campaigns % segments).astype(np.int64),
    )
