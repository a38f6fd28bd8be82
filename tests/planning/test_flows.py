import numpy as np
import pytest

from optimizer.planning.flows import draw_flows, expected_flows, present_bids
from tests.planning.reviewed_shop import shop


def test_flows_at_the_present_bids_are_the_review_s_own_numbers():
    told, summary = shop(), shop().result.summary
    now = expected_flows(told.plan, present_bids(told.plan))
    assert now.cost.sum() == pytest.approx(summary.cost_now, rel=1e-12)
    worth = (told.plan["clicks"] * (told.plan["value_mean"] - told.plan["cpc"])).sum()
    assert now.profit.sum() == pytest.approx(worth, rel=1e-12)


def test_draws_average_to_what_is_expected():
    told, bids = shop(), present_bids(shop().plan)
    group = told.plan["campaign"].to_numpy(dtype=np.int64)
    count = group.max() + 1
    points = np.stack([bids, bids * 1.2])
    drawn = draw_flows(told.plan, told.context, points, group, count, draws=4000, seed=1)
    for point, asked in enumerate(points):
        mean = expected_flows(told.plan, asked)
        for name in ("clicks", "cost", "orders", "value", "margin"):
            sample = getattr(drawn, name)[point].sum(axis=0)
            error = 4 * sample.std() / np.sqrt(len(sample)) + 0.02 * sample.mean()
            assert abs(sample.mean() - getattr(mean, name).sum()) < error, name


def test_a_keyword_switched_off_brings_and_costs_nothing():
    told = shop()
    group = np.zeros(len(told.plan), dtype=np.int64)
    off = np.zeros((1, len(told.plan)))
    drawn = draw_flows(told.plan, told.context, off, group, 1, draws=50, seed=1)
    assert not any(part.any() for part in vars(drawn).values())


def test_the_same_draws_serve_every_point():
    """Otherwise two points of a frontier would differ by luck."""
    told, bids = shop(), present_bids(shop().plan)
    group = np.zeros(len(told.plan), dtype=np.int64)
    twice = draw_flows(told.plan, told.context, np.stack([bids, bids]), group, 1, draws=50, seed=1)
    assert np.array_equal(twice.margin[0], twice.margin[1])


def test_clicks_that_a_budget_did_not_charge_cost_their_full_price():
    told, bids = shop(), present_bids(shop().plan)
    group, price = np.zeros(len(told.plan), dtype=np.int64), np.full(len(told.plan), 1.25)
    paid, full = (expected_flows(told.plan, bids, 1.5, one) for one in (1.0, price))
    assert full.cost.sum() == pytest.approx(1.25 * paid.cost.sum())
    assert np.array_equal(full.margin, paid.margin)
    drawn = [
        draw_flows(
            told.plan, told.context, bids[None, :], group, 1, price=one, draws=20, seed=1
        ).cost
        for one in (None, price[None, :])
    ]
    assert drawn[1] == pytest.approx(1.25 * drawn[0], rel=1e-5)
