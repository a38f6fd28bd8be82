from dataclasses import replace

import numpy as np
import pytest

from optimizer.decisions.levers import (
    Campaigns,
    Lowered,
    Priced,
    lasting_factor,
    lower_bids,
    move_targets,
    raise_budgets,
)
from optimizer.decisions.outcomes import CommonShocks
from optimizer.estimates.posteriors import Gamma

ONE = np.ones(1)
CALM = CommonShocks(completion=0.0, demand=0.0, elasticity=0.0)
RESPONSE = (1.0, 0.0, 0.6, 0.0)


def campaign(value: float = 3.0, served: float = 0.5, setting: float = 100.0) -> Campaigns:
    """Spends 100 a day on 50 clicks of 2; a click is worth `value`."""
    worth = Gamma(value * ONE, 0.0 * ONE)
    return Campaigns(setting * ONE, 100 * ONE, 50 * ONE, worth, served * ONE, 0.0 * ONE)


def dear(now: Campaigns) -> Campaigns:
    return replace(now, price=1.2 * ONE)


def raised(now: Campaigns, line: float = 1.0, limit: float = 0.3) -> tuple[float, ...]:
    rng = np.random.default_rng(0)
    found = raise_budgets(now, line * ONE, limit, 0.01, CALM, 50, 0.8, rng)
    parts = (found.setting, found.cost, found.profit, found.p_above)
    return tuple(float(part[0]) for part in parts)


def test_more_budget_buys_more_of_the_same_clicks() -> None:
    """30 more at a return of 1.5 bring 15; demand would take 200."""
    assert raised(campaign()) == pytest.approx((130.0, 30.0, 15.0, 1.0))


def test_a_budget_is_not_raised_past_its_demand() -> None:
    assert raised(campaign(served=0.9))[:2] == pytest.approx((111.11, 11.11))


def test_clicks_that_a_longer_day_adds_are_paid_in_full() -> None:
    """Clicks of 2 are charged 2.4 on whole days: 30 more return 1.25, and a tenth of the day costs 13.3."""
    assert raised(dear(campaign())) == pytest.approx((130.0, 30.0, 7.5, 1.0))
    assert raised(dear(campaign(served=0.9)))[:2] == pytest.approx((113.33, 13.33))
    assert raised(dear(campaign()), line=1.3)[3] == 0.0


def test_a_budget_is_judged_against_the_accounts_line() -> None:
    assert raised(campaign(), line=1.4)[3] == 1.0
    assert raised(campaign(), line=1.6)[3] == 0.0


def test_lower_bids_make_the_same_money_last() -> None:
    """Demand falls to half at 0.5^(1/1.6) of the bids; clicks are then cheaper by its 0.6th power."""
    factor = lasting_factor(campaign(), ONE, 1.0, 0.6)
    assert factor == pytest.approx(0.5 ** (1 / 1.6))
    found = lowered(campaign(), float(factor[0]))
    assert found.profit == pytest.approx(3.0 * 50 * (factor**-0.6 - 1))
    assert found.cost == pytest.approx(0.0, abs=1e-9)


def test_part_of_a_campaign_must_fall_further_or_cannot_save_enough() -> None:
    """With 0.6 of the demand, 0.5 to be saved: a sixth of it is left."""
    now = campaign()
    assert lasting_factor(now, 0.6 * ONE, 1.0, 0.6) == pytest.approx((1 / 6) ** (1 / 1.6))
    assert lasting_factor(now, 0.4 * ONE, 1.0, 0.6) == 0.0
    found = lowered(now, 0.75, part=0.6)
    demand, longer = 2 * (1 + 0.6 * (0.75**1.6 - 1)), 1 / (1 + 0.6 * (0.75**1.6 - 1))
    assert demand > 1
    assert found.clicks == pytest.approx(50 * (longer * (1 + 0.6 * (0.75 - 1)) - 1))


def test_bids_below_what_makes_the_budget_last_leave_money_unspent() -> None:
    assert lowered(campaign(served=0.9), 0.5).cost < 0


def lowered(now: Campaigns, factor: float, part: float = 1.0) -> Priced:
    share = part * ONE
    rng = np.random.default_rng(0)
    return lower_bids(now, Lowered(factor * ONE, share, share, share), RESPONSE, CALM, 50, 0.8, rng)


def moved(
    value: float, *, roas: bool = True, loss: float = 0.0, step: float = 0.01, setting: float = 40.0
) -> tuple[float, float, float]:
    rng = np.random.default_rng(0)
    found = move_targets(
        campaign(value, setting=4.0 if roas else setting),
        np.array([roas]),
        RESPONSE,
        ONE,
        0.15,
        step * ONE,
        loss,
        0.7,
        CALM,
        50,
        0.8,
        rng,
    )
    return float(found.setting[0]), float(found.cost[0]), float(found.profit[0])


def test_a_target_that_leaves_returns_is_loosened_by_one_step() -> None:
    """V 8 on a CPC of 2: the next yuan returns 8 / (1.6·2) = 2.5. 4 / 3.4 as much bid."""
    bid = 4 / 3.4
    profit = 8 * 50 * (bid - 1) - 100 * (bid**1.6 - 1)
    assert moved(8.0) == pytest.approx((3.4, 100 * (bid**1.6 - 1), profit))
    assert moved(8.0, roas=False)[0] == pytest.approx(46.0)


def test_a_target_that_loses_is_tightened() -> None:
    setting, cost, profit = moved(1.0)
    assert setting == pytest.approx(4.6)
    assert cost < 0 < profit
    assert moved(1.0, roas=False)[0] == pytest.approx(34.0)


def test_learning_anew_is_priced_in() -> None:
    """A loss of 1 % of 400 a day comes off; one of 20 % forbids the move."""
    assert moved(8.0)[2] - moved(8.0, loss=0.01)[2] == pytest.approx(4.0)
    assert moved(8.0, loss=0.2) == (4.0, 0.0, 0.0)


@pytest.mark.parametrize(("present", "wanted"), [(41.0, 47.0), (41.5, 47.0), (4.0, 4.0)])
def test_a_target_moves_by_whole_steps_within_its_limit(present: float, wanted: float) -> None:
    """Yen have no decimals: of 41 up to 15 % is 47.15, of 4 it is nothing."""
    assert moved(8.0, roas=False, step=1.0, setting=present)[0] == wanted
