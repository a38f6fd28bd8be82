import numpy as np
import pytest

from optimizer.decisions.levers import Campaigns, lower_instead, move_targets, raise_budgets
from optimizer.decisions.outcomes import CommonShocks
from optimizer.estimates.posteriors import Gamma

ONE = np.ones(1)
CALM = CommonShocks(completion=0.0, demand=0.0, elasticity=0.0)
RESPONSE = (1.0, 0.0, 0.6, 0.0)


def campaign(value: float = 3.0, served: float = 0.5, setting: float = 100.0) -> Campaigns:
    """Spends 100 a day on 50 clicks of 2; a click is worth `value`."""
    worth = Gamma(value * ONE, 0.0 * ONE)
    return Campaigns(setting * ONE, 100 * ONE, 50 * ONE, worth, served * ONE, 0.0 * ONE)


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


def test_a_budget_is_judged_against_the_accounts_line() -> None:
    assert raised(campaign(), line=1.4)[3] == 1.0
    assert raised(campaign(), line=1.6)[3] == 0.0


def test_lower_bids_make_the_same_money_last() -> None:
    """Demand falls to half at 0.5^(1/1.6) of the bids; clicks are then cheaper by its 0.6th power."""
    factor, gain = lower_instead(campaign(), 1.0, 0.6, 0.9)
    assert factor == pytest.approx(0.5 ** (1 / 1.6))
    assert gain == pytest.approx(3.0 * 50 * (factor**-0.6 - 1))
    assert lower_instead(campaign(), 1.0, 0.6, 0.25)[0] == pytest.approx(0.75)


def moved(value: float, *, roas: bool = True, loss: float = 0.0) -> tuple[float, float, float]:
    rng = np.random.default_rng(0)
    found = move_targets(
        campaign(value, setting=4.0 if roas else 40.0),
        np.array([roas]),
        RESPONSE,
        ONE,
        0.15,
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
