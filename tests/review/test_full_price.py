"""What a click costs where its campaign's budget does not end the day."""

import numpy as np
import pytest

from optimizer.estimates.exposure import Records
from optimizer.review.full_price import full_price
from optimizer.review.suggestions import ReviewInputs
from tests.review.conftest import Run

ONE = np.zeros(1, dtype=np.int64)
DAYS = 200


def charged_to(budget: float, price: float = 2.0) -> Records:
    """A keyword with 6 or 14 clicks in turn, of which no more is charged than the budget."""
    day = np.arange(DAYS)
    clicks = np.where(day % 2 == 0, 6.0, 14.0)
    cost = np.minimum(clicks * price, budget)
    none = np.zeros(DAYS)
    return Records(day * 0, day, day, clicks * 10, clicks, cost, none, none)


def told(rows: Records, budget: float) -> float:
    cpc = np.array([rows.cost.sum() / rows.clicks.sum()])
    return float(full_price(rows, rows.cost, cpc, ONE, np.array([budget]))[0]) * float(cpc[0])


def test_days_below_the_budget_tell_the_price_of_clicks_it_did_not_charge() -> None:
    rows = charged_to(20.0)
    assert rows.cost.sum() / rows.clicks.sum() == pytest.approx(1.6)
    assert told(rows, 20.0) == pytest.approx(2.0, rel=0.02)


@pytest.mark.parametrize("budget", [1000.0, np.nan])
def test_the_price_is_the_believed_one_where_no_budget_ends_a_day(budget: float) -> None:
    assert told(charged_to(1e9), budget) == pytest.approx(2.0)


def test_a_campaign_that_reaches_its_budget_every_day_keeps_the_price_paid() -> None:
    assert told(charged_to(12.0), 12.0) == pytest.approx(1.2)


def test_cheap_days_below_the_budget_make_no_click_cheaper() -> None:
    rows = charged_to(1e9)
    dear = rows.cost * np.where(rows.clicks > 10, 1.2, 0.8)
    found = full_price(
        rows, dear, dear.sum(keepdims=True) / rows.clicks.sum(), ONE, np.array([30.0])
    )
    assert found[0] >= 1.0


def test_a_review_says_the_full_price_of_each_keyword(run: Run, shop: ReviewInputs) -> None:
    plan = run().frames["plan"]
    assert (plan["full_price"] >= 1.0).all()
    assert plan.groupby("campaign")["full_price"].nunique().eq(1).all()
    free = run(keywords=shop.keywords.assign(campaign_budget=np.nan)).frames["plan"]
    assert free["full_price"].eq(1.0).all()
