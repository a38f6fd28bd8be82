"""Value of a click per keyword: V = conversion rate · value per conversion · margin after refunds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.errors import RefusedInput
from optimizer.estimates.exposure import Records, Weights
from optimizer.estimates.hierarchy import Hierarchy
from optimizer.estimates.posteriors import Floats, Gamma, group_sum
from optimizer.estimates.rates import (
    RateFit,
    estimate_dispersion,
    estimate_unit_cv2,
    fit_rates,
)
from optimizer.settings import Account


@dataclass(frozen=True)
class ValueEstimate:
    """Per keyword, money in account currency.

    `exposure` completed clicks, `conversions` and `clicks` of the mature days; `rate` conversions per
    click; `value` per conversion before margin; `per_click` V; `assumed` what nobody measured.
    """

    exposure: Floats
    clicks: Floats
    conversions: Floats
    rate: RateFit
    value: Gamma
    per_click: Gamma
    assumed: tuple[str, ...]


def estimate_value_per_click(
    rows: Records,
    weights: Weights,
    tree: Hierarchy,
    account: Account,
    account_name: str,
    value_cv: float,
) -> ValueEstimate:
    """Posterior of V per keyword from its own record and its ad group's, campaign's and segment's.

    Value comes from the records; where they have none, from `account.value_per_conversion`.
    Raises `RefusedInput("value_unknown")` where neither exists.
    """
    units = len(tree.ad_group)
    used = weights.used
    exposure = group_sum(rows.unit, rows.clicks * weights.exposure, units)
    conversions = group_sum(rows.unit[used], rows.conversions[used], units)
    rate = _conversion_rate(rows, weights, conversions, exposure, tree, units)
    value, assumed = _value_per_conversion(rows, weights, tree, account, account_name, value_cv)
    margin = 1.0 if account.margin is None else account.margin
    kept = margin * (1.0 - account.refund_rate) * account.value_multiplier
    if account.margin is None:
        assumed = (*assumed, "margin")
    return ValueEstimate(
        exposure,
        group_sum(rows.unit[used], rows.clicks[used], units),
        conversions,
        rate,
        value,
        rate.posterior.times(value).scaled(kept),
        assumed,
    )


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


def _value_per_conversion(
    rows: Records,
    weights: Weights,
    tree: Hierarchy,
    account: Account,
    account_name: str,
    value_cv: float,
) -> tuple[Gamma, tuple[str, ...]]:
    units = len(tree.ad_group)
    valued = weights.used & ~np.isnan(rows.value)
    if not (rows.value[valued] > 0).any():
        stated = account.value_per_conversion
        if stated is None:
            raise RefusedInput("value_unknown", account=account_name, key="value_per_conversion")
        return Gamma(np.full(units, stated), np.zeros(units)), ("value_per_conversion",)
    number = rows.conversions[valued] * weights.net_value[valued]
    amounts, unit = np.maximum(rows.value[valued], 0.0), rows.unit[valued]
    cv2 = estimate_unit_cv2(amounts, number, unit, units, prior=value_cv**2)
    fit = fit_rates(
        group_sum(unit, amounts, units),
        group_sum(unit, number, units),
        tree.parents,
        unit_cv2=max(cv2, 1e-3),
    )
    return fit.posterior, ()
