from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.errors import RefusedInput
from optimizer.estimates.exposure import Records, Weights
from optimizer.estimates.hierarchy import Hierarchy
from optimizer.estimates.value_per_click import (
    ValueEstimate,
    estimate_value_per_click,
    informed_tree,
    kept_share,
)
from optimizer.settings import Account, Item
from simulations.rate_worlds import Truth, rates_truth, see_by_click_day

NONE = np.full(2, -1)


def records(unit: Any, clicks: Any, orders: Any, value: Any, day: Any = None) -> Records:
    columns = [np.asarray(part, dtype=np.float64) for part in (clicks, clicks, orders, value)]
    rows = np.zeros(len(columns[0]), dtype=np.int64) if day is None else np.asarray(day)
    seen, cost, conversions, amounts = columns
    return Records(
        np.asarray(unit, dtype=np.int64), rows, rows, seen * 10, seen, cost, conversions, amounts
    )


def mature(rows: Records, used: bool = True) -> Weights:
    size = len(rows.unit)
    return Weights(np.full(size, float(used)), np.full(size, used), np.zeros(size), np.ones(size))


def tree(keywords: int) -> Hierarchy:
    flat = np.zeros(keywords, dtype=np.int64)
    return Hierarchy(flat, flat, (flat, np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)))


def estimate(rows: Records, keywords: int = 2, used: bool = True, **account: Any) -> ValueEstimate:
    told = Account.model_validate(account)
    return estimate_value_per_click(
        rows, mature(rows, used), tree(keywords), told, "shop", 0.8, None
    )


TWO = records([0, 1], [400.0, 300.0], [12.0, 6.0], [600.0, 300.0])


def finite(found: ValueEstimate) -> bool:
    beliefs = (found.rate.posterior, found.value, found.per_click, found.revenue_per_click)
    return all(np.isfinite([one.mean, one.cv2]).all() for one in beliefs)


def test_value_is_rate_times_value_times_what_is_kept() -> None:
    found = estimate(TWO, margin=0.4, refund_rate=0.1, value_multiplier=1.5)
    assert found.kept == pytest.approx([0.54, 0.54])
    assert found.per_click.mean == pytest.approx(0.54 * found.revenue_per_click.mean)
    assert found.revenue_per_click.mean == pytest.approx(
        found.rate.posterior.mean * found.value.mean
    )
    assert found.assumed == ()


def test_an_unstated_margin_is_one_and_said_to_be_assumed() -> None:
    found = estimate(TWO)
    assert found.kept.tolist() == [1.0, 1.0]
    assert found.assumed == ("margin",)


def test_items_state_their_own_margin_refunds_and_multiplier() -> None:
    items = (
        Item(item_id="a", margin=0.5, refund_rate=0.2),
        Item(item_id="b", multiplier=2.0),
    )
    account = Account(margin=0.3, refund_rate=0.1, items=items)
    found = kept_share(account, np.array([0, 1, -1]), np.full(3, 60.0))
    assert found == pytest.approx([0.5 * 0.8, 0.3 * 0.9 * 2.0, 0.3 * 0.9])


def test_a_unit_cost_leaves_what_the_order_is_worth_beyond_it() -> None:
    account = Account(margin=0.3, items=(Item(item_id="a", unit_cost=45.0),))
    found = kept_share(account, np.array([0, 0, 0, -1]), np.array([60.0, 90.0, 30.0, 60.0]))
    assert found == pytest.approx([0.25, 0.5, 0.0, 0.3])


@pytest.mark.parametrize(("cost", "value"), [(0.0, 0.0), (1.0, 5e-324)])
def test_a_unit_cost_of_next_to_nothing_sold_keeps_nothing(cost: float, value: float) -> None:
    account = Account(items=(Item(item_id="a", unit_cost=cost),))
    assert kept_share(account, np.zeros(1, dtype=np.int64), np.full(1, value)).tolist() == [0.0]


@pytest.mark.parametrize("stated", [{"margin": 0.5}, {"unit_cost": 3.0}])
def test_the_margin_is_known_where_every_item_states_it(stated: dict[str, float]) -> None:
    account = Account(items=(Item(item_id="a", **stated),))
    plain = tree(2)
    whole = estimate_value_per_click(
        TWO, mature(TWO), plain, account, "shop", 0.8, np.zeros(2, dtype=np.int64)
    )
    part = estimate_value_per_click(
        TWO, mature(TWO), plain, account, "shop", 0.8, np.array([0, -1])
    )
    assert (whole.assumed, part.assumed) == ((), ("margin",))


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0.01, 10), st.floats(0, 1), st.floats(0.01, 100), st.floats(0, 1e6), st.floats(0, 1e6)
)
def test_what_is_kept_is_finite_and_never_negative(
    margin: float, refunds: float, multiplier: float, cost: float, value: float
) -> None:
    items = (Item(item_id="a", unit_cost=cost),)
    account = Account(margin=margin, refund_rate=refunds, value_multiplier=multiplier, items=items)
    found = kept_share(account, np.array([0, -1]), np.full(2, value))
    assert np.isfinite(found).all()
    assert (found >= 0).all()


def test_margins_above_one_scale_like_any_other() -> None:
    plain, rich = estimate(TWO, margin=1.0), estimate(TWO, margin=3.0)
    assert rich.per_click.mean == pytest.approx(3 * plain.per_click.mean)


@pytest.mark.parametrize(
    ("clicks", "orders", "used"),
    [
        ([0.0, 0.0], [0.0, 0.0], True),
        ([40.0, 9.0], [0.0, 0.0], True),
        ([40.0, 9.0], [2.0, 1.0], False),
    ],
)
def test_nothing_seen_or_nothing_mature_still_gives_numbers(
    clicks: list[float], orders: list[float], used: bool
) -> None:
    rows = records([0, 1], clicks, orders, [np.nan, np.nan])
    assert finite(estimate(rows, used=used, value_per_conversion=50.0))


def test_without_any_value_the_account_has_to_state_one() -> None:
    rows = records([0, 1], [40.0, 9.0], [2.0, 1.0], [0.0, 0.0])
    with pytest.raises(RefusedInput, match="value_unknown"):
        estimate(rows)
    stated = estimate(rows, value_per_conversion=50.0)
    assert stated.value.mean.tolist() == [50.0, 50.0]
    assert "value_per_conversion" in stated.assumed


def test_one_keyword_on_one_day() -> None:
    found = estimate(records([0], [30.0], [1.0], [80.0]), keywords=1)
    assert finite(found)
    assert found.rate.posterior.mean[0] == pytest.approx(1 / 30, rel=0.3)


def test_an_idle_keyword_is_worth_what_its_neighbours_are() -> None:
    found = estimate(TWO, keywords=3)
    assert found.per_click.mean[2] == pytest.approx(found.per_click.mean[:2].mean(), rel=0.15)
    assert found.per_click.cv2[2] > found.per_click.cv2[:2].max()


def test_rescaling_the_currency_rescales_the_value() -> None:
    fen = records([0, 1], [400.0, 300.0], [12.0, 6.0], [60_000.0, 30_000.0])
    assert estimate(fen).per_click.mean == pytest.approx(100 * estimate(TWO).per_click.mean)


def world(variant: str, seed: int) -> tuple[ValueEstimate, Truth]:
    rng = np.random.default_rng(seed)
    truth = rates_truth(8000, rng, variant)
    seen = see_by_click_day(truth, rng)
    rows = records(seen.unit, seen.exposure, seen.conversions, seen.amounts, seen.day)
    levels = Hierarchy(truth.parents[0], np.zeros(8000, dtype=np.int64), truth.parents)
    return estimate_value_per_click(rows, mature(rows), levels, Account(), "shop", 0.8), truth


def test_rates_and_values_that_do_not_go_together_are_multiplied() -> None:
    found, _ = world("base", 5)
    plain = found.rate.posterior.times(found.value)
    assert found.dependence is not None
    assert abs(found.dependence.covariance) < 3 * found.dependence.error
    assert found.revenue_per_click.mean.tolist() == plain.mean.tolist()
    assert found.revenue_per_click.cv2.tolist() == plain.cv2.tolist()


def test_what_converts_better_and_is_worth_less_is_found_out() -> None:
    found, truth = world("correlated", 5)
    assert found.dependence is not None
    assert found.dependence.clear
    assert found.dependence.covariance == pytest.approx(np.expm1(-0.125), abs=0.08)
    plain, joint = found.rate.posterior.times(found.value), found.per_click
    worth = np.log(truth.value_per_click)
    assert np.std(np.log(joint.mean) - worth) < np.std(np.log(plain.mean) - worth)
    assert joint.cv2.mean() < plain.cv2.mean()


def test_where_orders_have_no_value_nothing_goes_together() -> None:
    rows = records([0, 1], [40.0, 9.0], [2.0, 1.0], [np.nan, np.nan])
    assert estimate(rows, value_per_conversion=50.0).dependence is None


def shop(parent: str) -> tuple[Hierarchy, Hierarchy]:
    """A world whose groups are called match types of one campaign; the ad groups mean nothing."""
    rng = np.random.default_rng(3)
    truth = rates_truth(1500, rng, "two_point")
    seen = see_by_click_day(truth, rng)
    kind = (truth.rate > 0.01).astype(np.int64)
    rows = records(seen.unit, seen.exposure, seen.conversions, seen.amounts, seen.day)
    keywords = pd.DataFrame({"match_type": np.where(kind, "EXACT", "BROAD")})
    plain = Hierarchy(truth.parents[0], np.zeros(1500, dtype=np.int64), truth.parents)
    nothing = np.full(1500, -1)
    zero = np.zeros(1500, dtype=np.int64)
    return plain, informed_tree(rows, mature(rows), plain, keywords, nothing, zero, parent)


def test_the_levels_that_foretell_orders_are_found() -> None:
    plain, chosen = shop("best")
    assert len(np.unique(chosen.parents[0])) == 2
    assert chosen.ad_group is plain.ad_group


@pytest.mark.parametrize(("asked", "groups"), [("item", 1), ("match_type", 2)])
def test_stated_levels_are_taken(asked: str, groups: int) -> None:
    assert len(np.unique(shop(asked)[1].parents[0])) == groups


def test_the_platforms_levels_are_taken_as_they_are() -> None:
    plain, chosen = shop("ad_group")
    assert chosen is plain
