"""Where campaigns, ad groups and keywords hang, and effects drawn along that tree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.planning.market.settings import MarketSettings, Size


@dataclass(frozen=True)
class Places:
    """The tree: each ad group's campaign and place in it; each keyword's ad group and campaign.

    `kinds` is brand, competitor or generic per campaign; `number` counts keywords within an ad group.
    """

    kinds: np.ndarray
    group_campaign: np.ndarray
    group_place: np.ndarray
    group: np.ndarray
    campaign: np.ndarray
    number: np.ndarray

    @property
    def segment(self) -> np.ndarray:
        """brand, competitor or generic per keyword."""
        segments: np.ndarray = self.kinds[self.campaign]
        return segments

    def effects(
        self, campaign: float, group: float, own: float, rng: np.random.Generator
    ) -> np.ndarray:
        """Nested normal effects per keyword, given the sd at each level."""
        campaigns = rng.normal(0.0, campaign, len(self.kinds))[self.campaign]
        groups = rng.normal(0.0, group, len(self.group_campaign))[self.group]
        effects: np.ndarray = campaigns + groups + rng.normal(0.0, own, len(self.group))
        return effects


def draw_places(settings: MarketSettings, rng: np.random.Generator) -> Places:
    """Ad groups spread evenly over campaigns, keywords unevenly over ad groups."""
    size = settings.size
    group_campaign = np.arange(size.ad_groups) * size.campaigns // size.ad_groups
    group = np.repeat(np.arange(size.ad_groups), _group_sizes(size, group_campaign, rng))
    return Places(
        kinds=_kinds(size),
        group_campaign=group_campaign,
        group_place=within(group_campaign),
        group=group,
        campaign=group_campaign[group],
        number=within(group),
    )


def automated_campaigns(size: Size, campaign: np.ndarray) -> np.ndarray:
    """Which of `campaign` the platform bids in: the last ones."""
    return campaign >= size.campaigns - size.automated_campaigns


def within(group: np.ndarray) -> np.ndarray:
    """0, 1, 2, ... within each run of equal values of a sorted array."""
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    return np.arange(len(group)) - np.repeat(starts, np.diff(np.append(starts, len(group))))


def by_segment(segment: np.ndarray, brand: float, competitor: float) -> np.ndarray:
    """`brand` or `competitor` where the segment is that, else 1."""
    return np.select([segment == "brand", segment == "competitor"], [brand, competitor], 1.0)


def _kinds(size: Size) -> np.ndarray:
    kinds = ["brand"] * size.brand_campaigns + ["competitor"] * size.competitor_campaigns
    kinds += ["generic"] * (size.campaigns - len(kinds))
    return np.array(kinds, dtype=object)


def _group_sizes(size: Size, group_campaign: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    weights = rng.gamma(size.evenness, size=size.ad_groups)
    weights[automated_campaigns(size, group_campaign)] *= size.automated_weight
    counts: np.ndarray = rng.multinomial(size.keywords - size.ad_groups, weights / weights.sum())
    return counts + 1
