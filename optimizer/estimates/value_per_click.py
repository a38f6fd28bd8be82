"""Value of a click per keyword: V = conversion rate · value per conversion · margin after refunds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from optimizer.errors import RefusedInput
from optimizer.estimates.exposure import Records, Weights
from optimizer.estimates.hierarchy import Hierarchy, alternative_parents
from optimizer.estimates.posteriors import Floats, Gamma, Ints, group_sum
from optimizer.estimates.rate_and_value import (
    Dependence,
    estimate_dependence,
    revenue_per_click,
)
from optimizer.estimates.rates import (
    RateFit,
    best_parents,
    estimate_dispersion,
    estimate_unit_cv2,
    fit_rates,
)
from optimizer.settings import Account


@dataclass(frozen=True)
class ValueEstimate:
    """Per keyword, money in account currency.

    `exposure` completed clicks, `conversions` and `clicks` of the mature days; `rate` conversions per
    click; `value` per conversion before margin; `kept` share of it that counts after margin, refunds
    and multiplier; `per_click` V; `revenue_per_click` the same before margin: what a target ROAS is
    about. `dependence` of rate and value among siblings, None without values of orders; where it is
    clear `revenue_per_click` is not `rate` times `value`. `shared_sd` relative standard deviation of V
    that a keyword has in common with its siblings. `assumed` what nobody measured.
    """

    exposure: Floats
    clicks: Floats
    conversions: Floats
    rate: RateFit
    value: Gamma
    kept: Floats
    per_click: Gamma
    revenue_per_click: Gamma
    dependence: Dependence | None
    shared_sd: Floats
    assumed: tuple[str, ...]


@dataclass(frozen=True)
class _Orders:
    """Amounts and number of the orders with a known value per keyword, and the fit to them."""

    amounts: Floats
    number: Floats
    unit_cv2: float
    fit: RateFit


@dataclass(frozen=True)
class _Worth:
    """What a conversion and a click bring before margin."""

    value: Gamma
    revenue: Gamma
    dependence: Dependence | None
    assumed: tuple[str, ...]


def estimate_value_per_click(
    rows: Records,
    weights: Weights,
    tree: Hierarchy,
    account: Account,
    account_name: str,
    value_cv: float,
    item: Ints | None = None,
) -> ValueEstimate:
    """Posterior of V per keyword from its own record and its ad group's, campaign's and segment's.

    Value comes from the records; where they have none, from `account.value_per_conversion`. `item`
    is the index into `account.items` of what each keyword sells, -1 (and the default) for none.
    Raises `RefusedInput("value_unknown")` where neither exists.
    """
    units = len(tree.ad_group)
    used = weights.used
    exposure = group_sum(rows.unit, rows.clicks * weights.exposure, units)
    conversions = group_sum(rows.unit[used], rows.conversions[used], units)
    rate = _conversion_rate(rows, weights, conversions, exposure, tree, units)
    orders = _order_values(rows, weights, tree, value_cv)
    worth = _worth(rate, orders, (conversions, exposure), account, account_name)
    assumed = worth.assumed
    sold = np.full(units, -1, dtype=np.int64) if item is None else item
    kept = kept_share(account, sold, worth.value.mean)
    if account.margin is None and not _margins_stated(account, sold):
        assumed = (*assumed, "margin")
    return ValueEstimate(
        exposure,
        group_sum(rows.unit[used], rows.clicks[used], units),
        conversions,
        rate,
        worth.value,
        kept,
        worth.revenue.scaled(kept),
        worth.revenue,
        worth.dependence,
        _shared_sd(rate, exposure, orders),
        assumed,
    )


def _shared_sd(rate: RateFit, exposure: Floats, orders: _Orders | None) -> Floats:
    """Siblings' common doubt about V: about their rates, and about what their orders bring."""
    of_rates = rate.shared_sd(exposure / rate.dispersion)
    if orders is None:
        return of_rates
    single = orders.unit_cv2 * orders.fit.parent.mean * (1.0 + orders.fit.tau2[0])
    seen = np.divide(orders.number, single, out=np.zeros_like(single), where=single > 0)
    return np.hypot(of_rates, orders.fit.shared_sd(seen))


def informed_tree(
    rows: Records,
    weights: Weights,
    tree: Hierarchy,
    keywords: pd.DataFrame,
    item: Ints,
    segment: Ints,
    asked: str,
) -> Hierarchy:
    """`tree` with the credibility levels `asked` for; `best`: those that foretell orders best."""
    if asked == "ad_group":
        return tree
    parents = alternative_parents(keywords, tree, item, segment)
    if asked != "best":
        return replace(tree, parents=parents[asked])
    units, used = len(tree.ad_group), weights.used
    clicks = rows.clicks * weights.exposure
    orders = group_sum(rows.unit[used], rows.conversions[used], units)
    psi = estimate_dispersion(rows.conversions[used], clicks[used], rows.unit[used], units)
    name = best_parents(orders, group_sum(rows.unit, clicks, units), parents, dispersion=psi)
    return replace(tree, parents=parents[name])


def kept_share(account: Account, item: Ints, per_conversion: Floats) -> Floats:
    """Share of a conversion's value that counts: margin · (1 - refunds) · multiplier.

    What `account.items[item]` states stands before what the account states; a `unit_cost` gives the
    margin 1 - cost / `per_conversion`. Sold below cost is worth nothing, not less: no bid is lower
    than none.
    """
    margin = _stated(account, "margin", item, 1.0 if account.margin is None else account.margin)
    cost = _stated(account, "unit_cost", item, np.nan)
    left = np.divide(cost, per_conversion, out=np.ones(len(item)), where=per_conversion > cost)
    margin = np.where(np.isnan(cost), margin, np.maximum(1.0 - left, 0.0))
    refunds = _stated(account, "refund_rate", item, account.refund_rate)
    result: Floats = margin * (1.0 - refunds)
    return result * _stated(account, "multiplier", item, account.value_multiplier)


def _stated(account: Account, name: str, item: Ints, otherwise: float) -> Floats:
    """What each keyword's item states under `name`, else `otherwise`."""
    told = [getattr(one, name) for one in account.items]
    values = [otherwise if value is None else float(value) for value in told]
    return np.array([*values, otherwise])[item]


def _margins_stated(account: Account, item: Ints) -> bool:
    """Whether every keyword sells an item whose margin or cost is stated."""
    told = [one.margin is not None or one.unit_cost is not None for one in account.items]
    return bool(np.array([*told, False])[item].all())


def _conversion_rate(
    rows: Records,
    weights: Weights,
    conversions: Floats,
    exposure: Floats,
    tree: Hierarchy,
    units: int,
) -> RateFit:
    used = weights.used
    dispersion = estimate_dispersion(
        rows.conversions[used], (rows.clicks * weights.exposure)[used], rows.unit[used], units
    )
    return fit_rates(conversions, exposure, tree.parents, dispersion=dispersion)


def _worth(
    rate: RateFit,
    orders: _Orders | None,
    clicks: tuple[Floats, Floats],
    account: Account,
    account_name: str,
) -> _Worth:
    if orders is None:
        value = _stated_value(account, account_name, len(rate.posterior.mean))
        return _Worth(value, rate.posterior.times(value), None, ("value_per_conversion",))
    amounts = orders.amounts, orders.number
    found = estimate_dependence(rate, orders.fit, clicks, amounts, unit_cv2=orders.unit_cv2)
    return _Worth(orders.fit.posterior, revenue_per_click(rate, orders.fit, found), found, ())


def _stated_value(account: Account, account_name: str, units: int) -> Gamma:
    stated = account.value_per_conversion
    if stated is None:
        raise RefusedInput("value_unknown", account=account_name, key="value_per_conversion")
    return Gamma(np.full(units, stated), np.zeros(units))


def _order_values(
    rows: Records, weights: Weights, tree: Hierarchy, value_cv: float
) -> _Orders | None:
    """Value per conversion from the records; None where they have none."""
    units = len(tree.ad_group)
    valued = weights.used & ~np.isnan(rows.value)
    if not (rows.value[valued] > 0).any():
        return None
    number = rows.conversions[valued] * weights.net_value[valued]
    amounts, unit = np.maximum(rows.value[valued], 0.0), rows.unit[valued]
    cv2 = max(estimate_unit_cv2(amounts, number, unit, units, prior=value_cv**2), 1e-3)
    summed = group_sum(unit, amounts, units), group_sum(unit, number, units)
    return _Orders(*summed, cv2, fit_rates(*summed, tree.parents, unit_cv2=cv2))
