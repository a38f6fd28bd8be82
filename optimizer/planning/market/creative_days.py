"""What a creative report downloaded on some day would say of a log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from optimizer.planning.market.days import Log
from optimizer.planning.market.records import CENT_MICROS


@dataclass(frozen=True)
class _Shares:
    """Per ad group and creative, rows summing to 1: of impressions without a click, and of clicks.

    `cvr` relative conversion rates.
    """

    unclicked: np.ndarray
    clicked: np.ndarray
    cvr: np.ndarray


def creatives_known(log: Log, as_of: date) -> pd.DataFrame:
    """Sums per creative (position in market.creatives) and day as known on `as_of`.

    Columns creative, day, impressions, clicks, cost_micros, conversions, value_micros. A day is shared
    out by a generator of its own: clicks by CTR, each with its impression, and the impressions without a
    click evenly; so a creative with more clicks was shown a little more often. Orders go by clicks times
    conversion rate, each to the same creative whenever one looks.
    """
    horizon = min((as_of - log.market.first_day).days, log.start + log.days)
    return pd.concat(
        [_empty(), *_days(log, horizon)],
        ignore_index=True,
    )


def _empty() -> pd.DataFrame:
    counts = ("creative", "impressions", "clicks", "cost_micros", "value_micros")
    frame = pd.DataFrame({name: np.empty(0, dtype=np.int64) for name in counts})
    frame["conversions"] = np.empty(0)
    frame["day"] = np.empty(0, dtype="datetime64[s]")
    return frame


def _days(log: Log, horizon: int) -> Iterator[pd.DataFrame]:
    shares = _shares(log)
    group = _group_of_terms(log)
    for number in range(log.start, horizon):
        yield _one_day(log, number, horizon, shares, group)


def _shares(log: Log) -> _Shares:
    truth = log.market.creative_truth
    ctr = truth["ctr"].to_numpy().reshape(-1, log.market.settings.creatives.per_ad_group)
    clicked = ctr / ctr.sum(axis=1, keepdims=True)
    return _Shares(
        np.full_like(ctr, 1 / ctr.shape[1]),
        clicked,
        truth["cvr"].to_numpy().reshape(ctr.shape),
    )


def _group_of_terms(log: Log) -> np.ndarray:
    ad_group = log.market.keywords["ad_group_id"].to_numpy(dtype=object)
    keyword_group = pd.factorize(ad_group)[0]
    groups: np.ndarray = keyword_group[log.market.term_truth["keyword"].to_numpy()]
    return groups


def _one_day(
    log: Log, number: int, horizon: int, shares: _Shares, group_of: np.ndarray
) -> pd.DataFrame:
    rng = np.random.default_rng([log.market.creative_seed, number])
    rows, size = log.rows, len(shares.cvr)
    own = slice(*np.searchsorted(rows.day, [number, number + 1]))
    group = group_of[rows.term[own]]
    seen, clicks, cost = (
        np.bincount(group, part[own], size).astype(np.int64)
        for part in (rows.impressions, rows.clicks, rows.cost_micros)
    )
    clicked = rng.multinomial(clicks, shares.clicked)
    shown = clicked + rng.multinomial(seen - clicks, shares.unclicked)
    conversions, value = _orders(log, number, horizon, clicked * shares.cvr, group_of, rng)
    frame = pd.DataFrame(
        {
            "creative": np.arange(clicked.size),
            "day": np.datetime64(log.market.first_day, "s") + np.timedelta64(number, "D"),
            "impressions": shown.ravel(),
            "clicks": clicked.ravel(),
            "cost_micros": _split_cost(cost, clicked).ravel(),
            "conversions": conversions,
            "value_micros": value,
        }
    )
    return frame[frame["impressions"] > 0]


def _split_cost(cost: np.ndarray, clicked: np.ndarray) -> np.ndarray:
    """Cost by clicks in whole cents; what rounding leaves goes to the creative with most clicks."""
    total = np.maximum(clicked.sum(axis=1), 1)
    cents = cost[:, None] * clicked // (total[:, None] * CENT_MICROS)
    split: np.ndarray = cents * CENT_MICROS
    split[np.arange(len(cost)), clicked.argmax(axis=1)] += cost - split.sum(axis=1)
    return split


def _orders(
    log: Log,
    number: int,
    horizon: int,
    weight: np.ndarray,
    group_of: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Conversions and value per creative; `weight` (ad groups, creatives) of the day's orders."""
    orders = log.orders
    own = slice(*np.searchsorted(orders.day, [number, number + 1]))
    group = group_of[orders.term[own]]
    edges = weight[group].cumsum(axis=1)
    luck = rng.random(len(group)) * edges[:, -1]
    place = (edges <= luck[:, None]).sum(axis=1)
    counted = orders.counted(horizon)[own]
    cell = (group * weight.shape[1] + place)[counted]
    conversions = np.bincount(cell, orders.credit[own][counted], weight.size)
    value = np.bincount(cell, orders.value_micros[own][counted], weight.size)
    return conversions, value.astype(np.int64)
