"""What a keyword gets at its present bid: clicks per day and price per click, next 7 days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.estimates.exposure import Records
from optimizer.estimates.hierarchy import Hierarchy
from optimizer.estimates.posteriors import Floats, Gamma, group_sum
from optimizer.estimates.rates import RateFit, fit_rates

_CPC_STRENGTH = 3.0


@dataclass(frozen=True)
class VolumeEstimate:
    """Per keyword: `clicks` per day as a belief, `impressions` per day, `ctr` fit, `cpc` in currency.

    `cost` per day is clicks.mean · cpc.
    """

    clicks: Gamma
    impressions: Floats
    ctr: RateFit
    cpc: Floats


def estimate_volume(
    rows: Records, tree: Hierarchy, bid: Floats, today: int, half_life_days: float
) -> VolumeEstimate:
    """Recent days count more (half-life in days); a word without clicks gets its group's CTR.

    CPC is the keyword's own over its bid, shrunk to the ad group's ratio by three clicks; where the
    bid is unknown (nan), to the ad group's CPC.
    """
    units = len(tree.ad_group)
    discount = 0.5 ** ((today - 1 - rows.last) / half_life_days)
    impressions = group_sum(rows.unit, rows.impressions * discount, units)
    clicks = group_sum(rows.unit, rows.clicks * discount, units)
    cost = group_sum(rows.unit, rows.cost * discount, units)
    days = discounted_days(rows, today, units, half_life_days)
    ctr = fit_rates(clicks, impressions, tree.parents)
    daily = impressions / days
    return VolumeEstimate(
        Gamma(daily * ctr.posterior.mean, ctr.posterior.cv2),
        daily,
        ctr,
        _shrunk_cpc(cost, clicks, bid, tree),
    )


def discounted_days(rows: Records, today: int, units: int, half_life_days: float) -> Floats:
    """Discounted number of days since each keyword was first seen."""
    first = np.full(units, today - 1)
    np.minimum.at(first, rows.unit, rows.first)
    ratio = 0.5 ** (1.0 / half_life_days)
    result: Floats = (1.0 - ratio ** (today - first)) / (1.0 - ratio)
    return result


def _shrunk_cpc(cost: Floats, clicks: Floats, bid: Floats, tree: Hierarchy) -> Floats:
    known = ~np.isnan(bid)
    base = np.where(known, bid, 1.0)
    groups = int(tree.ad_group.max()) + 1 if len(tree.ad_group) else 0
    code = tree.ad_group * 2 + known
    group_cost = group_sum(code, cost, 2 * groups)
    group_base = group_sum(code, clicks * base, 2 * groups)
    overall = cost.sum() / max((clicks * base).sum(), 1e-12)
    fallback = overall if overall > 0 else 1.0
    ratio = np.divide(
        group_cost, group_base, out=np.full(2 * groups, fallback), where=group_base > 0
    )[code]
    ratio = np.where(ratio > 0, ratio, fallback)
    result: Floats = (cost + _CPC_STRENGTH * ratio * base) / (clicks + _CPC_STRENGTH)
    return result
