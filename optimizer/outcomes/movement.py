"""Why a result moved between two periods: traffic, mix, price, conversion, order value; adds up exactly.

Cost of keyword i is N·s·CPC and its value N·s·CVR·w, with N the account's clicks, s the keyword's share
of them and w the value of an order. The change of each product goes to its factors by Shapley's value
(Shorrocks 2013, "Decomposition procedures for distributional analysis"): the mean over every order in
which factors could have moved one after another. Unlike log-mean (LMDI) weights it stands zeros, and
most keywords have no order in one of two periods.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Literal

import numpy as np
import pandas as pd

from optimizer.estimates.posteriors import Floats

Amount = Literal["profit", "value", "cost", "orders"]
AMOUNTS: tuple[Amount, ...] = ("profit", "value", "cost", "orders")
FACTORS = ("traffic", "mix", "cpc", "conversion_rate", "order_value", "other")
"""`other`: money and orders that came without a click."""


@dataclass(frozen=True)
class Sums:
    """Clicks, cost, orders and value (before margin) of each keyword in one period; arrays of one length."""

    clicks: Floats
    cost: Floats
    orders: Floats
    value: Floats


def movement(before: Sums, now: Sums, kept: Floats, amount: Amount) -> pd.DataFrame:
    """Change of `amount` per keyword: columns FACTORS and their sum `change`, to rounding exact.

    `kept` is what an order value leaves after margin, per keyword and the same in both periods. A rate
    that one period does not tell (no clicks, no orders) is taken from the other, so that the whole
    change goes to what is known to have moved.
    """
    parts = np.zeros((len(FACTORS), len(kept)))
    traffic, shares = _traffic(before, now)
    rate, worth = _conversion(before, now)
    if amount in ("profit", "cost"):
        sign = -1.0 if amount == "profit" else 1.0
        price = _rates(before.cost, before.clicks, now.cost, now.clicks)
        parts[[0, 1, 2]] += sign * _shapley(traffic, shares, price)
        parts[5] += sign * (_without(now.cost, now.clicks) - _without(before.cost, before.clicks))
    if amount in ("profit", "value"):
        weight = kept if amount == "profit" else np.ones_like(kept)
        parts[[0, 1, 3, 4]] += weight * _shapley(traffic, shares, rate, worth)
        parts[5] += weight * (_unexplained(now) - _unexplained(before))
    if amount == "orders":
        parts[[0, 1, 3]] += _shapley(traffic, shares, rate)
        parts[5] += _without(now.orders, now.clicks) - _without(before.orders, before.clicks)
    told = pd.DataFrame(dict(zip(FACTORS, parts, strict=True)))
    return told.assign(change=parts.sum(axis=0))


def total_of(sums: Sums, kept: Floats, amount: Amount) -> float:
    """`amount` of all keywords in one period."""
    if amount == "profit":
        return float((kept * sums.value - sums.cost).sum())
    return float(getattr(sums, amount).sum())


Pair = tuple[Floats, Floats]
"""One factor of every keyword, before and now."""


def _traffic(before: Sums, now: Sums) -> tuple[Pair, Pair]:
    """All clicks, and each keyword's share of them."""
    size = np.ones(len(now.clicks))
    each = before.clicks.sum() * size, now.clicks.sum() * size
    return each, _rates(before.clicks, each[0], now.clicks, each[1])


def _conversion(before: Sums, now: Sums) -> tuple[Pair, Pair]:
    rate = _rates(before.orders, before.clicks, now.orders, now.clicks)
    return rate, _rates(before.value, before.orders, now.value, now.orders)


def _rates(top: Floats, under: Floats, top_now: Floats, under_now: Floats) -> Pair:
    """Both periods' ratios; one that is not defined is the other's, 0 where neither is."""
    was = np.divide(top, under, out=np.full(len(under), np.nan), where=under > 0)
    is_ = np.divide(top_now, under_now, out=np.full(len(under_now), np.nan), where=under_now > 0)
    return _first_known(was, is_), _first_known(is_, was)


def _first_known(one: Floats, other: Floats) -> Floats:
    known: Floats = np.where(np.isnan(one), np.where(np.isnan(other), 0.0, other), one)
    return known


def _without(amount: Floats, under: Floats) -> Floats:
    """The part of `amount` that has nothing under it to be a rate of."""
    rest: Floats = np.where(under > 0, 0.0, amount)
    return rest


def _unexplained(sums: Sums) -> Floats:
    """Value that came without clicks or without orders."""
    rest: Floats = np.where((sums.clicks > 0) & (sums.orders > 0), 0.0, sums.value)
    return rest


def _shapley(*factors: Pair) -> Floats:
    """What each factor contributes to the change of the product, array (factors, keywords)."""
    count = len(factors)
    shares = np.zeros((count, len(factors[0][0])))
    for one in range(count):
        others = [each for each in range(count) if each != one]
        for moved in range(count):
            weight = 1.0 / (count * comb(count - 1, moved))
            for first in combinations(others, moved):
                shares[one] += weight * _product(factors, others, first)
        shares[one] *= factors[one][1] - factors[one][0]
    return shares


def _product(factors: tuple[Pair, ...], which: list[int], moved: tuple[int, ...]) -> Floats:
    """Product of the factors in `which`: those in `moved` as now, the rest as before."""
    result = np.ones(len(factors[0][0]))
    for each in which:
        result = result * factors[each][1 if each in moved else 0]
    return result
