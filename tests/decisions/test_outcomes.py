from dataclasses import replace

import numpy as np
import pytest

from optimizer.decisions.outcomes import CommonShocks, Moves, _ends, draw_outcome, expected_change
from optimizer.estimates.posteriors import Gamma
from tests.curves.test_bid_landscape import response

CALM = CommonShocks(completion=0.0, demand=0.0, elasticity=0.0)


def moves(bids: list[float], value: float, cv2: float = 0.3, sd: float = 0.2) -> Moves:
    size = len(bids)
    curve = response(sd=sd).take(np.zeros(size, dtype=np.int64))
    volume = Gamma(np.full(size, 10.0), np.full(size, 0.05))
    return Moves(curve, volume, Gamma(np.full(size, value), np.full(size, cv2)), np.array(bids))


def test_a_known_raise_by_hand() -> None:
    clicks, cost, profit = expected_change(moves([2.2], value=3.0, sd=0.0))
    assert clicks == pytest.approx(10 * 0.1)
    assert cost == pytest.approx(15 * (1.1**1.6 - 1))
    assert profit == pytest.approx(3.0 - 15 * (1.1**1.6 - 1))


def test_a_pause_saves_the_cost_and_loses_the_value() -> None:
    clicks, cost, profit = expected_change(moves([0.0], value=1.0))
    assert (clicks[0], cost[0], profit[0]) == pytest.approx((-10.0, -15.0, 5.0))


def test_a_keyword_that_does_not_exist_yet_brings_all_of_its_clicks() -> None:
    told = replace(moves([2.2, 2.0, 0.0], value=3.0, sd=0.0), present=np.zeros(3))
    clicks, cost, profit = expected_change(told)
    assert clicks == pytest.approx([11.0, 10.0, 0.0])
    assert profit == pytest.approx(3.0 * clicks - cost)
    drawn = draw_outcome(told, CALM, 400, 0.8, np.random.default_rng(0))
    assert ((drawn.low[:2] < profit[:2]) & (profit[:2] < drawn.high[:2])).all()
    assert drawn.low[2] == drawn.high[2] == 0.0


def test_of_what_is_planned_only_the_served_share_comes() -> None:
    whole = replace(moves([2.4, 2.0, 0.0], value=3.0), present=np.full(3, 0.8))
    short = replace(whole, served=np.full(3, 0.9))
    clicks, cost, _ = expected_change(whole)
    fewer, cheaper, less = expected_change(short)
    assert fewer == pytest.approx(0.9 * (clicks + 8.0) - 8.0)
    assert (cheaper[:2] < cost[:2]).all()
    assert less == pytest.approx(3.0 * fewer - cheaper)
    drawn = draw_outcome(short, CALM, 400, 0.8, np.random.default_rng(0))
    assert ((drawn.low < less) & (less < drawn.high)).all()


@pytest.mark.parametrize("bid", [0.0, 1.6, 2.4])
def test_the_mean_of_the_draws_is_the_closed_form(bid: float) -> None:
    told = moves([bid] * 3000, value=2.5)
    found = draw_outcome(told, CALM, 400, 0.8, np.random.default_rng(0))
    middle = (found.total[1] + found.total[2]) / 2
    assert middle == pytest.approx(found.total[0], rel=0.1)
    assert ((found.low < found.profit) & (found.profit < found.high)).all()


def test_a_common_shock_widens_the_total_and_an_own_one_averages_out() -> None:
    told, rng = moves([1.6] * 400, value=3.0), np.random.default_rng
    apart = draw_outcome(told, CALM, 800, 0.8, rng(0)).total
    shared = draw_outcome(told, CommonShocks(0.2, 0.0, 0.0), 800, 0.8, rng(0)).total
    assert shared[2] - shared[1] > 2 * (apart[2] - apart[1])


def test_a_shared_price_exponent_moves_all_rows_together() -> None:
    told, rng = moves([1.6] * 400, value=3.0), np.random.default_rng
    apart = draw_outcome(told, CALM, 800, 0.8, rng(0))
    shared = draw_outcome(told, CommonShocks(0.0, 0.0, 0.0, cpc_exponent=0.2), 800, 0.8, rng(0))
    assert shared.total[2] - shared.total[1] > 2 * (apart.total[2] - apart.total[1])
    width = (shared.high - shared.low).mean() / (apart.high - apart.low).mean()
    assert width == pytest.approx(1.0, rel=0.05)


def test_the_shared_part_of_an_elasticity_shrinks_with_the_click_share() -> None:
    shocks = CommonShocks(0.0, 0.0, elasticity=0.3, click_share=0.4)
    assert shocks.elasticity_at(np.array([0.4, 0.7])) == pytest.approx([0.3, 0.15])


def test_a_row_known_better_than_the_account_keeps_its_own_width() -> None:
    told, rng = moves([1.6] * 400, value=3.0, sd=0.1), np.random.default_rng
    apart = draw_outcome(told, CALM, 800, 0.8, rng(0))
    shared = draw_outcome(told, CommonShocks(0.0, 0.0, 0.5), 800, 0.8, rng(0))
    width = (shared.high - shared.low).mean() / (apart.high - apart.low).mean()
    assert width == pytest.approx(1.0, rel=0.05)
    assert shared.total[2] - shared.total[1] > 1.5 * (apart.total[2] - apart.total[1])


def grouped(told: Moves, size: int, sd: float) -> Moves:
    """Rows in groups of `size`, their levels of value in doubt by `sd`."""
    number = np.arange(len(told.bid)) // size
    return replace(told, group=number, group_sd=np.full(len(number), sd))


def test_a_group_believed_too_high_is_so_for_all_its_rows() -> None:
    told, rng = moves([1.6] * 400, value=3.0), np.random.default_rng
    apart = draw_outcome(told, CALM, 800, 0.8, rng(0))
    together = draw_outcome(grouped(told, 40, 0.4), CALM, 800, 0.8, rng(0))
    assert together.total[0] == apart.total[0]
    assert together.total[2] - together.total[1] > 1.5 * (apart.total[2] - apart.total[1])
    width = (together.high - together.low).mean() / (apart.high - apart.low).mean()
    assert width == pytest.approx(1.0, rel=0.05)


def test_groups_are_right_or_wrong_each_on_its_own() -> None:
    told, rng = moves([1.6] * 400, value=3.0), np.random.default_rng
    one, many = (
        draw_outcome(grouped(told, size, 0.4), CALM, 1600, 0.8, rng(0)).total for size in (400, 4)
    )
    assert one[2] - one[1] > 3 * (many[2] - many[1])


@pytest.mark.parametrize("cv2", [0.2, 1.0])
def test_all_doubt_shared_makes_a_group_one_row(cv2: float) -> None:
    """By hand: 50 stops of one value each save 15 less 10 times it."""
    told = replace(moves([0.0] * 50, 1.0, cv2), volume=Gamma(np.full(50, 10.0), np.zeros(50)))
    found = draw_outcome(grouped(told, 50, 9.0), CALM, 4000, 0.8, np.random.default_rng(0))
    of_all = (15 - np.array(found.total[1:]) / 50) / 10
    assert of_all == pytest.approx([told.value.quantile(chance)[0] for chance in (0.9, 0.1)], 0.05)
    assert found.low.mean() == pytest.approx(found.total[1] / 50, rel=1e-3)


def test_rows_are_drawn_as_often_as_they_come_up_positive() -> None:
    sure = draw_outcome(moves([0.0], 0.1), CALM, 400, 0.8, np.random.default_rng(0))
    lost = draw_outcome(moves([0.0], 30.0), CALM, 400, 0.8, np.random.default_rng(0))
    assert (sure.p_positive[0], lost.p_positive[0]) == (1.0, 0.0)


@pytest.mark.parametrize("cv2", [0.001, 0.1, 0.6, 2.0])
def test_the_interval_of_a_pause_is_that_of_its_value(cv2: float) -> None:
    """What stopping saves falls as the value rises, however skew the value is."""
    told = replace(moves([0.0] * 2000, 1.0, cv2), volume=Gamma(np.full(2000, 10.0), np.zeros(2000)))
    found = draw_outcome(told, CALM, 1000, 0.8, np.random.default_rng(0))
    low, high = (found.low.mean(), found.high.mean())
    below = [told.value.above((15.0 - end) / 10)[0] for end in (low, high)]
    assert below == pytest.approx([0.1, 0.9], abs=0.006)
    chance = found.p_positive.mean()
    assert chance == pytest.approx(1 - told.value.above(1.5)[0], abs=0.006)


@pytest.mark.parametrize("interval", [0.5, 0.8, 0.99])
def test_interval_ends_are_numpys_quantiles(interval: float) -> None:
    sample = np.random.default_rng(0).gamma(2.0, size=(7, 101)).astype(np.float32)
    tail = (1 - interval) / 2
    expected = np.quantile(sample.astype(np.float64), [tail, 1 - tail], axis=1)
    assert np.array(_ends(sample, tail)) == pytest.approx(expected, rel=1e-12)


def test_no_moves_bring_nothing() -> None:
    found = draw_outcome(moves([], 1.0), CALM, 100, 0.8, np.random.default_rng(0))
    assert found.total == (0.0, 0.0, 0.0)
    assert len(found.profit) == 0
