from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from optimizer.errors import NotFound
from optimizer.review.creative_detail import creative_detail
from optimizer.settings import Settings
from tests.review.creative_accounts import TODAY, creative_inputs
from tests.review.test_creatives import defined, replace_account


def test_densities_hold_the_whole_belief() -> None:
    found = creative_detail(creative_inputs(), defined(metric="ctr"), TODAY, "titles").densities
    areas = found.groupby("entity_key")[["at", "density"]].apply(
        lambda one: np.trapezoid(one["density"], one["at"])
    )
    assert areas.to_numpy() == pytest.approx([1, 1], abs=0.05)


def test_the_course_ends_where_the_test_stands() -> None:
    found = creative_detail(creative_inputs(), defined(metric="ctr"), TODAY, "titles").days
    assert len(found) == 2 * 40
    last = found.groupby("entity_key").last()
    assert last["p_best"].tolist() == [1.0, 0.0]
    assert last["evidence"].iloc[1] > 1 > found.groupby("entity_key").nth(4)["evidence"].iloc[1]
    assert (last["share_served"] == 0.5).all()


def test_earning_forgoes_less_than_an_even_split() -> None:
    settings = defined(metric="ctr", claims_wanted=False)
    inputs = creative_inputs(ctr=(0.03, 0.029, 0.027), days=8)
    cost = creative_detail(inputs, settings, TODAY, "titles").modes.set_index("mode")["cost"]
    assert cost["earn"] < cost["find"]


def test_a_finer_difference_takes_longer_to_find() -> None:
    inputs = creative_inputs(days=10)
    coarse, fine = (
        creative_detail(inputs, defined(metric="ctr", minimum_effect=effect), TODAY, "titles").size
        for effect in (0.3, 0.1)
    )
    assert coarse.days < fine.days or np.isnan(fine.days)


def test_an_unknown_test_is_named() -> None:
    with pytest.raises(NotFound, match="creative_test_missing"):
        creative_detail(creative_inputs(), Settings(), TODAY, "titles")


@pytest.mark.parametrize("metric", ["profit_per_impression", "cpa"])
def test_figures_of_a_test_without_orders_are_finite(metric: str) -> None:
    inputs = creative_inputs(ctr=(0.0, 0.0005), per_day=200)
    settings = replace_account(defined(metric=metric), value_per_conversion=40.0)
    found = creative_detail(inputs, settings, TODAY, "titles")
    assert np.isfinite(found.densities["density"]).all()
    assert np.isfinite(found.modes[["cost", "claimed", "right"]]).all(axis=None)


def test_before_the_first_order_nobody_is_known_to_be_best() -> None:
    inputs = creative_inputs(days=20)
    early = inputs.daily["first_day"] < inputs.daily["first_day"].min() + pd.Timedelta(days=5)
    daily = inputs.daily.assign(
        **{name: inputs.daily[name].mask(early, 0) for name in ("conversions", "value")}
    )
    found = creative_detail(
        replace(inputs, daily=daily), defined(metric="value_per_click"), TODAY, "titles"
    ).days
    best = found.groupby("entity_key")["p_best"]
    assert best.nth(3).isna().all()
    assert best.last().sum() == pytest.approx(1.0)
