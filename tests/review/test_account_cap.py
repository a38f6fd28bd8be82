"""An account whose budget ends its days."""

import numpy as np
import pandas as pd
import pytest

from optimizer.estimates.exposure import Records
from optimizer.estimates.hierarchy import Hierarchy
from optimizer.estimates.volume import VolumeEstimate, estimate_volume
from optimizer.review.account_cap import (
    day_levels,
    day_shape,
    days_served,
    ended_days,
    served_share,
    whole_days,
    with_planned,
)
from optimizer.review.assembly import nothing_held
from optimizer.review.budget_tree import part_planned
from optimizer.review.solving import solve
from optimizer.review.suggestions import ReviewInputs, ReviewResult
from tests.review.conftest import Run


def two_days() -> Records:
    unit, day = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
    counts = (np.full(4, 100.0), np.full(4, 10.0), np.array([6.0, 4.0, 2.0, 1.0]))
    return Records(unit, day, day, *counts, np.zeros(4), np.zeros(4))


@pytest.mark.parametrize(
    ("lost", "ended"),
    [(0.5, [True, True, False, False]), (0.0, [False] * 4), (np.nan, [False] * 4)],
)
def test_days_end_where_the_money_is_spent_and_reports_tell(lost: float, ended: list[bool]) -> None:
    found = ended_days(two_days(), np.full(4, lost), np.ones(4, dtype=bool), 10.0, 0.95)
    assert list(found) == ended


def test_a_day_that_cost_more_than_the_budget_was_not_ended_by_it() -> None:
    found = ended_days(two_days(), np.full(4, 0.5), np.ones(4, dtype=bool), 8.0, 0.95)
    assert not found.any()


def test_a_loss_in_few_rows_is_some_campaigns_own() -> None:
    lost = np.array([0.0, 0.5, 0.0, 0.0])
    assert not ended_days(two_days(), lost, np.ones(4, dtype=bool), 10.0, 0.95).any()


def test_whole_days_are_what_the_lost_part_would_have_brought() -> None:
    ended = np.array([True, True, False, False])
    whole = whole_days(two_days(), np.full(4, 0.5), ended)
    assert list(whole.clicks) == [20.0, 20.0, 10.0, 10.0]
    assert list(whole.cost) == [12.0, 8.0, 2.0, 1.0]


def weeks(first: float, second: float, days: int) -> Records:
    """One keyword whose days cost `first` and `second` in turn."""
    day = np.arange(days)
    cost = np.where(day % 2 == 0, first, second)
    counts = (np.full(days, 100.0), cost, cost, np.zeros(days), np.zeros(days))
    return Records(day * 0, day, day, *counts)


def volume_of(rows: Records, days: int) -> VolumeEstimate:
    none, one = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    tree = Hierarchy(none, none, (none, one, one))
    return estimate_volume(rows, tree, np.array([1.0]), days, 1e6)


def test_a_budget_the_mean_day_just_fits_still_ends_busy_days() -> None:
    rows = weeks(5.0, 15.0, 28)
    shape = day_shape(rows, 28)
    assert sorted(set(shape)) == pytest.approx([0.5, 1.5])
    volume = volume_of(rows, 28)
    assert served_share(volume, 10.0, shape) == pytest.approx(0.75, abs=0.01)
    assert served_share(volume, 10.0, np.ones(1)) == pytest.approx(1.0, abs=0.01)
    assert served_share(volume, 100.0, shape) == pytest.approx(1.0)


def test_days_are_taken_to_be_alike_before_a_week_is_seen() -> None:
    assert list(day_shape(weeks(5.0, 15.0, 6), 6)) == [1.0]


@pytest.fixture(scope="module")
def poor(run: Run, shop: ReviewInputs) -> ReviewResult:
    """The shop spends what it may every day, and its days end at two thirds."""
    return capped(run, shop, shop.daily.assign(lost_is_budget=1 / 3))


@pytest.fixture(scope="module")
def uneven(run: Run, shop: ReviewInputs) -> ReviewResult:
    """Every other day would have cost twice the budget, the rest just that."""
    busy = shop.daily["first_day"].dt.day % 2 == 0
    return capped(run, shop, shop.daily.assign(lost_is_budget=np.where(busy, 0.5, 0.0)))


def capped(run: Run, shop: ReviewInputs, daily: pd.DataFrame) -> ReviewResult:
    """A review of days that all cost the budget of 500."""
    spent = daily.groupby("first_day")["cost"].sum()
    scale = daily["first_day"].map(500.0 / spent)
    counted = ("impressions", "clicks", "cost", "conversions", "value")
    sums = {name: daily[name] * scale for name in counted}
    keywords = shop.keywords.assign(campaign_budget=np.nan)
    return run(daily=daily.assign(**sums), keywords=keywords, budget=500.0)


def test_the_plan_fits_the_budget_with_a_longer_day(poor: ReviewResult) -> None:
    plan, summary = poor.frames["plan"], poor.summary
    assert (plan["present"] < 1).all()
    assert summary.cost_now == pytest.approx(500.0, rel=0.05)
    assert summary.cost_planned <= 500.0 + 1e-6
    assert summary.dual_price > 1
    assert summary.kinds.get("lower", 0) > 0


def test_every_lower_is_priced_with_the_clicks_that_the_day_lost(poor: ReviewResult) -> None:
    """Some lowers bring clicks: what a longer day adds outweighs what the lower bid gives up."""
    rows = poor.suggestions[poor.suggestions["kind"].eq("lower")]
    assert (rows["delta_clicks"] > 0).any()
    assert poor.summary.profit_delta.mean > 0


def test_room_for_the_mean_day_serves_half_the_days_in_part() -> None:
    """Days of .5 and 1.5 times the mean: at its cost two thirds of the busy ones are bought."""
    levels = np.array([0.5, 1.5])
    assert days_served(1.0, levels) == pytest.approx(0.75)
    assert days_served(1.5, levels) == pytest.approx(1.0)
    assert days_served(1.0, np.ones(1)) == 1.0


def test_doubt_about_next_week_s_level_is_one_more_way_for_days_to_differ() -> None:
    levels = day_levels(np.array([0.8, 1.2]), 0.2)
    assert levels.mean() == pytest.approx(1.0)
    assert levels.std() > 0.25
    assert day_levels(np.array([0.8, 1.2]), 0.0).std() == pytest.approx(0.2)


def test_an_average_day_of_a_budget_that_ends_days_keeps_some_for_busy_ones(
    uneven: ReviewResult, poor: ReviewResult
) -> None:
    planned, told = part_planned(uneven.context["budgets"][0]), uneven.summary.data["budget"]
    assert 0.7 <= planned < part_planned(poor.context["budgets"][0])
    assert uneven.summary.cost_planned <= 500.0 * planned + 1e-6
    assert told["kept"] == pytest.approx(500.0 * (1 - planned))


def test_what_steps_cannot_keep_is_planned(poor: ReviewResult) -> None:
    plan, context, free = poor.frames["plan"], poor.context, nothing_held(len(poor.frames["plan"]))
    terms = np.zeros(len(context["budgets"]))
    kept = solve(plan, with_planned(context, 0.01), free, terms)
    whole = solve(plan, with_planned(context, 1.0), free, terms)
    np.testing.assert_array_equal(kept.bid, whole.bid)


def test_a_budget_that_ends_no_day_is_planned_whole(run: Run) -> None:
    calm = run(budget=500.0)
    assert part_planned(calm.context["budgets"][0]) == 1
    assert calm.summary.data["budget"]["kept"] == 0
