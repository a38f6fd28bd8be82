"""What is true of every keyword and never stands in a report."""

from __future__ import annotations

import numpy as np
import pandas as pd

from optimizer.planning.market.arrays import frozen
from optimizer.planning.market.auction import Auctions
from optimizer.planning.market.places import Places, by_segment
from optimizer.planning.market.settings import MarketSettings


def draw_truth(settings: MarketSettings, places: Places, rng: np.random.Generator) -> pd.DataFrame:
    """Per keyword: segment, volume (searches a day), ctr_top, cvr (orders per click), order_value,
    value_per_click (as finally reported, before margin), quality, price_log_median, price_sd, rivals.
    """
    demand, rivals = settings.demand, settings.rivals
    truth = pd.DataFrame({"segment": places.segment.astype(str)})
    volume = demand.median * np.exp(places.effects(0.0, demand.ad_group_sd, demand.sd, rng))
    truth["volume"] = volume * by_segment(places.segment, demand.brand, demand.competitor)
    truth["ctr_top"] = _ctr(settings, places, rng)
    truth["cvr"] = _cvr(settings, places, rng)
    truth["order_value"] = _order_value(settings, places, rng)
    truth["value_per_click"] = truth["cvr"] * truth["order_value"] * kept_share(settings)
    truth["quality"] = np.exp(rng.normal(0.0, rivals.quality_sd, len(truth)))
    worth = truth["value_per_click"].to_numpy() * settings.orders.margin
    truth["price_log_median"] = _price_log_median(settings, worth, places, rng)
    truth["price_sd"] = rivals.price_sd
    truth["rivals"] = rng.integers(rivals.least, rivals.most, len(truth), endpoint=True)
    return truth


def kept_share(settings: MarketSettings) -> float:
    """Share of ordered value that stays reported: not refunded, not credited to other clicks."""
    orders = settings.orders
    return (1 - orders.refund_share) * (1 - 0.5 * orders.shared_credit_share)


def auctions_of(settings: MarketSettings, truth: pd.DataFrame) -> Auctions:
    """The auction parameters that `truth` holds, as read-only arrays."""
    names = ("volume", "ctr_top", "quality", "price_log_median", "price_sd", "rivals")
    return Auctions(
        **{name: frozen(truth[name].to_numpy()) for name in names},
        slots=settings.rivals.slots,
        position_decay=settings.clicks.position_decay,
        reserve=settings.rivals.reserve,
        price_quantiles=settings.rivals.price_quantiles,
    )


def _ctr(settings: MarketSettings, places: Places, rng: np.random.Generator) -> np.ndarray:
    clicks = settings.clicks
    ctr = clicks.ctr_median * np.exp(
        places.effects(0.0, clicks.ad_group_sd, clicks.keyword_sd, rng)
    )
    factor = by_segment(places.segment, clicks.brand, clicks.competitor)
    limited: np.ndarray = np.minimum(ctr * factor, clicks.ctr_limit)
    return limited


def _cvr(settings: MarketSettings, places: Places, rng: np.random.Generator) -> np.ndarray:
    orders = settings.orders
    sds = (orders.cvr_campaign_sd, orders.cvr_ad_group_sd, orders.cvr_keyword_sd)
    cvr = orders.cvr_median * np.exp(places.effects(*sds, rng))
    factor = by_segment(places.segment, orders.brand, orders.competitor)
    limited: np.ndarray = np.minimum(cvr * factor, orders.cvr_limit)
    return limited


def _order_value(settings: MarketSettings, places: Places, rng: np.random.Generator) -> np.ndarray:
    orders = settings.orders
    sds = (orders.value_campaign_sd, orders.value_ad_group_sd, orders.value_keyword_sd)
    value: np.ndarray = orders.value_median * np.exp(places.effects(*sds, rng))
    return value


def _price_log_median(
    settings: MarketSettings, worth: np.ndarray, places: Places, rng: np.random.Generator
) -> np.ndarray:
    """Rivals know what a click of the ad group is worth, not of the keyword."""
    rivals, orders = settings.rivals, settings.orders
    ours = np.log(worth / by_segment(places.segment, orders.brand, orders.competitor))
    group_worth = np.bincount(places.group, ours) / np.bincount(places.group)
    spread = places.effects(0.0, rivals.ad_group_sd, rivals.keyword_sd, rng)
    segment = by_segment(places.segment, rivals.brand, rivals.competitor)
    log_price: np.ndarray = (
        np.log(rivals.value_share * segment) + group_worth[places.group] + spread
    )
    return log_price
