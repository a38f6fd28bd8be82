"""Creatives of an ad group: each has its own CTR and conversion rate; together they make its keywords'."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from optimizer.planning.market.settings import MarketSettings

_GROUP = ("campaign_id", "campaign_name", "ad_group_id", "ad_group_name")
_OPENINGS = (
    "轻装上阵",
    "周末出发",
    "Built for rain",
    "把重量留在家里",
    "Weekend ready",
    "老驴推荐",
)


@dataclass(frozen=True)
class DrawnCreatives:
    """`named`: campaign_id, campaign_name, ad_group_id, ad_group_name, creative_id, creative_name.

    `truth`: per creative its ad_group (number) and ctr and cvr relative to the ad group's own; equally
    shown they average to 1, the latter over clicks. `seed` shares a day out over them.
    """

    named: pd.DataFrame
    truth: pd.DataFrame
    seed: int


def draw_creatives(
    settings: MarketSettings, keywords: pd.DataFrame, rng: np.random.Generator
) -> DrawnCreatives:
    """`per_ad_group` creatives for each ad group of `keywords`; with one, nothing is drawn."""
    part = settings.creatives
    groups = keywords[list(_GROUP)].drop_duplicates(ignore_index=True)
    named = groups.loc[groups.index.repeat(part.per_ad_group)].reset_index(drop=True)
    number = np.tile(np.arange(part.per_ad_group), len(groups))
    named["creative_id"] = (510_000_000_001 + np.arange(len(named))).astype(str)
    named["creative_name"] = _names(named["ad_group_name"].to_numpy(dtype=object), number)
    ctr, cvr = np.ones((2, len(groups), part.per_ad_group))
    seed = 0
    if part.per_ad_group > 1:
        ctr, cvr = _relative_rates(settings, ctr.shape, rng)
        seed = int(rng.integers(2**53))
    group = np.repeat(np.arange(len(groups)), part.per_ad_group)
    truth = pd.DataFrame({"ad_group": group, "ctr": ctr.ravel(), "cvr": cvr.ravel()})
    return DrawnCreatives(named.astype({"creative_id": "str", "creative_name": "str"}), truth, seed)


def _relative_rates(
    settings: MarketSettings, shape: tuple[int, ...], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    part = settings.creatives
    first, other = rng.normal(size=(2, *shape))
    second = part.ctr_cvr * first + np.sqrt(1 - part.ctr_cvr**2) * other
    ctr, cvr = np.exp(part.ctr_sd * first), np.exp(part.cvr_sd * second)
    ctr = ctr / ctr.mean(axis=1, keepdims=True)
    return ctr, cvr / (ctr * cvr).mean(axis=1, keepdims=True)


def _names(ad_group: np.ndarray, number: np.ndarray) -> list[str]:
    openings = [_OPENINGS[one % len(_OPENINGS)] for one in number]
    return [
        f"{opening} {one + 1} | {name}"
        for opening, one, name in zip(openings, number, ad_group, strict=True)
    ]
