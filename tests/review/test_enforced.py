"""What budgets that a platform enforces leave of a plan."""

from datetime import date

import numpy as np
import pytest

from optimizer.decisions.budgets import DaySpread
from optimizer.review.enforced import _through_budgets, day_rules
from optimizer.settings import BudgetRule
from tests.review.small_account import FILLERS, Word, review, small_account, told

SPREAD = DaySpread(0.2, 0.0, 28)
GOOGLE = BudgetRule(peak=2.0, month=30.4, source="help", dated=date(2026, 11, 22))


def nodes(own: float | None, shared: float | None) -> list[dict]:
    names = ("scope", "parent", "budget")
    rows = [("account", None, 1.0), ("campaign", 2, own), ("shared_budget", 0, shared)]
    return [dict(zip(names, row, strict=True)) for row in rows]


def spent(own: float | None, shared: float | None, rule: BudgetRule | None) -> float:
    one = np.array([100.0]), np.array([1.0])
    return float(_through_budgets(nodes(own, shared), *one, day_rules(SPREAD, rule))[0])


def test_a_day_that_must_stop_at_its_budget_loses_half_of_its_swings() -> None:
    sd = np.sqrt(100.0 + (0.2 * 100) ** 2)
    assert spent(100.0, None, None) == pytest.approx(100 - sd / np.sqrt(2 * np.pi))
    assert spent(None, 100.0, None) == pytest.approx(spent(100.0, None, None))


def test_a_platform_that_makes_up_within_the_month_loses_less() -> None:
    assert 97.5 < spent(100.0, None, GOOGLE) < 100.0
    assert spent(100.0, None, None) < spent(100.0, None, GOOGLE)


def test_the_account_s_own_budget_is_enforced_by_nobody() -> None:
    assert spent(None, None, None) == 100.0


@pytest.mark.parametrize(("budget", "enforced"), [(np.nan, False), (450.0, True)])
def test_a_review_says_what_stays_unspent(budget: float, enforced: bool) -> None:
    words = [Word(**{**vars(one), "budget": budget}) for one in FILLERS]
    summary = review(small_account(words), told(daily_budget=600.0)).summary
    outlook = summary.data["budget"]
    assert outlook["enforced"] is enforced
    assert (outlook["cut"] > 0) is enforced
    assert outlook["unspent"] == pytest.approx(600.0 - summary.cost_planned + outlook["cut"])
