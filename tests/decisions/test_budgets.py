import numpy as np
import pytest
from scipy import special

from optimizer.decisions.budgets import (
    DaySpread,
    day_spread,
    enforced_spend,
    expected_spend,
    period_plan,
    total_sd,
)

CALM = DaySpread(0.0, 0.0, 28)


def test_without_any_spread_the_whole_rest_is_planned() -> None:
    assert period_plan(700.0, 7, 0.0, CALM, 0.1) == pytest.approx(100.0)


@pytest.mark.parametrize("chance", [0.02, 0.1, 0.3])
def test_the_plan_plus_its_margin_is_what_is_left(chance: float) -> None:
    spread = DaySpread(0.2, 0.4, 28)
    total = 7 * period_plan(700.0, 7, 2.0, spread, chance)
    common = 0.2**2 / spread.effective_days(7)
    margin = -special.ndtri(chance) * np.sqrt(2.0 * total + common * total**2)
    assert total + margin == pytest.approx(700.0)


def test_a_plan_passes_what_is_left_as_often_as_was_asked() -> None:
    """Poisson clicks times a shock common to days that follow each other."""
    rng, spread, days = np.random.default_rng(0), DaySpread(0.15, 0.5, 28), 10
    per_day = period_plan(5000.0, days, 1.5, spread, 0.1)
    shock = np.empty((20_000, days))
    shock[:, 0] = rng.normal(0, 0.15, 20_000)
    for day in range(1, days):
        shock[:, day] = 0.5 * shock[:, day - 1] + rng.normal(0, 0.15 * np.sqrt(0.75), 20_000)
    spent = 1.5 * rng.poisson(per_day / 1.5 * (1 + shock)).sum(axis=1)
    assert 0.07 < (spent > 5000).mean() < 0.13


@pytest.mark.parametrize(("left", "days"), [(0.0, 5), (-3.0, 5), (9.0, 0)])
def test_nothing_left_plans_nothing(left: float, days: int) -> None:
    assert period_plan(left, days, 1.0, CALM, 0.1) == 0.0


def test_days_that_move_together_are_worth_fewer() -> None:
    assert DaySpread(0.1, 0.0, 28).effective_days(10) == 10
    assert DaySpread(0.1, 0.5, 28).effective_days(10) == pytest.approx(10 / 3)
    assert DaySpread(0.1, 0.95, 28).effective_days(10) == 1.0


def test_the_spread_of_days_is_recovered_beside_a_weekly_pattern() -> None:
    rng = np.random.default_rng(1)
    week = 1 + 0.3 * np.sin(np.arange(700))
    week = np.tile(week[:7], 100)
    cost = 2.0 * rng.poisson(500 * week * np.exp(rng.normal(0, 0.12, 700)))
    found = day_spread(cost, 2.0)
    assert found.sd == pytest.approx(0.12, abs=0.012)
    assert found.autocorrelation < 0.1


def test_too_few_days_or_gaps_state_the_spread() -> None:
    assert day_spread(np.ones(5), 1.0, stated_sd=0.3) == DaySpread(0.3, 0.5, 5)
    assert day_spread(np.array([0.0] + [1.0] * 20), 1.0).days == 20


def test_a_capped_day_spends_what_simulation_says() -> None:
    rng = np.random.default_rng(2)
    mean, sd, cap = np.array([100.0, 100.0, 50.0]), np.array([20.0, 20.0, 5.0]), None
    cap = np.array([100.0, 130.0, np.inf])
    drawn = np.minimum(rng.normal(mean, sd, (200_000, 3)), cap).mean(axis=0)
    assert expected_spend(mean, sd, cap) == pytest.approx(drawn, abs=0.1)


def test_a_day_varies_by_clicks_and_as_a_whole() -> None:
    found = total_sd(np.array([100.0]), np.array([4.0]), DaySpread(0.1, 0.0, 28))
    assert found == pytest.approx(np.sqrt(400 + 100))


@pytest.mark.parametrize(("peak", "month"), [(1.0, 1.0), (2.0, 30.0)])
def test_an_enforced_budget_spends_what_simulated_months_do(peak: float, month: float) -> None:
    rng, budget, spread = np.random.default_rng(3), 100.0, DaySpread(0.3, 0.0, 28)
    day = 2.0 * rng.poisson(50 * np.maximum(rng.normal(1, 0.3, (20_000, 30)), 0))
    allowed = np.minimum(day, peak * budget).sum(axis=1)
    drawn = np.minimum(allowed, 30 * budget).mean() / 30
    told = (np.array([part]) for part in (100.0, 2.0, budget))
    assert enforced_spend(*told, spread, peak, month)[0] == pytest.approx(drawn, rel=0.005)


def test_no_budget_spends_the_plan() -> None:
    told = (np.array([7.0]), np.array([1.0]), np.array([np.inf]))
    assert enforced_spend(*told, CALM, 2.0, 30.4)[0] == 7.0
