"""What a keyword gets at its present bid: clicks per day and price per click, next 7 days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.estimates.exposure import Records
from optimizer.estimates.hierarchy import Hierarchy
from optimizer.estimates.posteriors import Bools, Floats, Gamma, Ints, group_sum
from optimizer.estimates.rates import RateFit, fit_rates

_CPC_STRENGTH = 3.0
_SERVED_GUESS = 0.75
_LEAST_SERVED = 0.1


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
    discount = recency(rows, today, half_life_days)
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


def recency(rows: Records, today: int, half_life_days: float) -> Floats:
    """Weight of each record: 0.5^(age / half-life), averaged over the days it covers."""
    ratio = 0.5 ** (1.0 / half_life_days)
    if np.array_equal(rows.first, rows.last):  # a table of days costs less than a power per record
        start = int(rows.last.min(initial=today - 1))
        days = np.arange(start, max(int(rows.last.max(initial=start)) + 1, today))
        return _discount(days, np.ones_like(days), today, ratio)[rows.last - start]
    return _discount(rows.last, rows.last - rows.first + 1, today, ratio)


def _discount(last: Ints, length: Ints, today: int, ratio: float) -> Floats:
    """Mean of ratio^age over `length` days up to `last`."""
    result: Floats = ratio ** (today - 1 - last) * (1 - ratio**length) / ((1 - ratio) * length)
    return result


def discounted_days(rows: Records, today: int, units: int, half_life_days: float) -> Floats:
    """Discounted number of days, since each unit was first seen, of which anything is known.

    A day that no record of any unit covers is a gap in the reports, not a day without clicks.
    """
    start = min(int(rows.first.min()), today - 1) if len(rows.first) else today - 1
    size = today - start + 1
    edges = np.bincount(rows.first - start, minlength=size) - np.bincount(
        rows.last - start + 1, minlength=size
    )
    covered = np.cumsum(edges)[: size - 1] > 0
    weight = covered * 0.5 ** (np.arange(size - 2, -1, -1) / half_life_days)
    since = np.cumsum(weight[::-1])[::-1]
    first = np.full(units, start)
    seen = np.bincount(rows.unit, minlength=units) > 0
    first[seen] = today - 1
    np.minimum.at(first, rows.unit, rows.first)
    result: Floats = np.maximum(since[first - start], weight[weight > 0].min(initial=1.0))
    return result


def served_share(
    rows: Records, campaign: Ints, lost_is_budget: Floats, today: int, campaigns: int
) -> tuple[Floats, Bools]:
    """Share of last week's demand that each campaign's budget paid for, and whether a report says.

    Uncapped clicks of a day are its clicks over 1 - the share lost to the budget; so the volume of
    capped days is what the budget bought, and volume / share what the bids would buy. `campaign`
    numbers the campaign of each unit. Where no report says: a wide guess.
    """
    known = (rows.first >= today - 7) & ~np.isnan(lost_is_budget) & (rows.clicks > 0)
    number = campaign[rows.unit[known]]
    served = np.clip(1.0 - lost_is_budget[known], _LEAST_SERVED, 1.0)
    clicks = group_sum(number, rows.clicks[known], campaigns)
    wanted = group_sum(number, rows.clicks[known] / served, campaigns)
    told = clicks > 0
    share = np.divide(clicks, wanted, out=np.full(campaigns, _SERVED_GUESS), where=told)
    return share, told


def _shrunk_cpc(cost: Floats, clicks: Floats, bid: Floats, tree: Hierarchy) -> Floats:
    known = ~np.isnan(bid)
    base = np.where(known, bid, 1.0)
    groups = int(tree.ad_group.max()) + 1 if len(tree.ad_group) else 0
    code = tree.ad_group * 2 + known
    group_cost = group_sum(code, cost, 2 * groups)
    group_base = group_sum(code, clicks * base, 2 * groups)
    price = float(cost.sum() / clicks.sum()) if clicks.sum() > 0 and cost.sum() > 0 else 1.0
    fallback = _overall_ratio(group_cost, group_base, price)[np.arange(2 * groups) % 2]
    ratio = np.divide(group_cost, group_base, out=fallback.copy(), where=group_base > 0)[code]
    ratio = np.where(ratio > 0, ratio, fallback[code])
    result: Floats = (cost + _CPC_STRENGTH * ratio * base) / (clicks + _CPC_STRENGTH)
    return result


def _overall_ratio(cost: Floats, base: Floats, price: float) -> Floats:
    """The account's cost over base where the bid is unknown, and known.

    The former is a price, the latter a share of the bid: where there were no clicks, the account's
    `price` stands in for the one and the whole bid for the other.
    """
    result = np.array([price, 1.0])
    for known in (0, 1):
        total, amount = base[known::2].sum(), cost[known::2].sum()
        if total > 0 and amount > 0:
            result[known] = amount / total
    return result
