import numpy as np
import pytest

from optimizer.errors import Infeasible, RefusedInput
from optimizer.planning.account_plan import Believed, plan_account
from optimizer.planning.events import EventShapes
from optimizer.planning.scenarios import EventWish, MonthTarget, Scenario
from optimizer.settings import find_configs, load_model
from tests.planning.reviewed_shop import shop

SHAPES = load_model(find_configs().root / "events.yaml", EventShapes)
SALE = EventWish(name="618", start="2026-07-20", end="2026-07-22")


def planned(daily=None, **asked):
    told = shop()
    daily = told.inputs.daily if daily is None else daily
    believed = Believed(told.plan, told.context, daily, told.inputs.bid_changes, frozenset())
    return plan_account(believed, Scenario(**asked), SHAPES, budgets=(100.0, 150.0), draws=60)


def test_same_scenario_same_bits():
    first, again = (planned(event=SALE, month=MonthTarget(amount=3500.0)) for _ in range(2))
    assert first.frontier.equals(again.frontier)
    assert first.sale.equals(again.sale)
    assert first.month.landing == again.month.landing


def test_a_sale_lifts_its_days_and_is_said_to_be_assumed():
    told = planned(event=SALE)
    burst = told.sale[told.sale["phase"].eq("burst")]
    assert (burst["wanted"] > 1.5 * burst["spend_usual"]).all()
    assert (burst["spend"] > burst["spend_usual"]).all()
    assert "event_assumed" in told.assumed
    assert "event_assumed" not in planned().assumed


def test_the_plan_s_budget_stops_the_days_of_a_sale():
    told = planned(event=SALE)
    assert (told.sale["spend_high"] <= told.budget * (1 + 1e-9)).all()
    assert (told.sale["wanted"] >= told.sale["spend"] * (1 - 1e-9)).all()


def test_a_scenario_without_an_upper_end_survives_being_kept():
    asked = Scenario(bounds={"tent": (10.0, float("inf"))})
    assert Scenario.model_validate_json(asked.model_dump_json()) == asked
    assert Scenario.model_validate({"bounds": {"tent": [10.0, None]}}) == asked


def test_a_month_s_spend_is_spread_over_its_rest():
    told = planned(month=MonthTarget(amount=3500.0))
    rest = told.month.days["mean"].notna().sum()
    assert told.month.landing.per_day == pytest.approx((3500.0 - told.month.so_far) / rest)
    low, high = told.month.landing.total[1:]
    assert low <= 3500.0 * 1.001
    assert high > 0.9 * 3500.0


def test_a_month_s_orders_find_the_budget_that_brings_them():
    more = planned(month=MonthTarget(kind="orders", amount=200.0))
    fewer = planned(month=MonthTarget(kind="orders", amount=150.0))
    assert more.budget >= fewer.budget
    assert more.month.landing.total[0] == pytest.approx(200.0, rel=0.15) or more.budget < 5


def test_a_month_out_of_reach_names_what_is_in_reach():
    with pytest.raises(Infeasible) as caught:
        planned(month=MonthTarget(kind="value", amount=1e9))
    assert caught.value.code == "month_target_unreachable"
    assert caught.value.fields["nearest"] < 1e9


def test_a_month_that_is_overspent_names_the_least_it_comes_to():
    with pytest.raises(Infeasible) as caught:
        planned(month=MonthTarget(amount=10.0))
    assert caught.value.code == "month_target_too_low"
    nearest = caught.value.fields["nearest"]
    assert planned(month=MonthTarget(amount=nearest)).month.landing.total[0] > 10.0


@pytest.mark.parametrize("kind", ["value", "profit"])
def test_a_report_without_values_is_counted_by_what_an_order_is_worth(kind):
    daily = shop().inputs.daily
    target = MonthTarget(kind=kind, amount=10.0)
    stated = planned(month=target).month.so_far
    silent = planned(daily.assign(value=np.nan), month=target).month.so_far
    assert silent == pytest.approx(stated, rel=0.4)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"budget": 0.0}, "budget_not_positive"),
        ({"budget": float("nan")}, "budget_not_positive"),
        ({"roas": -1.0}, "target_not_positive"),
        ({"bounds": {"a": (5.0, 2.0)}}, "bounds_crossed"),
        ({"locks": ("nothing",)}, "lock_unknown"),
        ({"month": MonthTarget(amount=-5.0)}, "target_not_positive"),
        ({"event": EventWish(name="618")}, "event_outside_horizon"),
    ],
)
def test_impossible_scenarios_are_refused_by_name(asked, code):
    with pytest.raises(RefusedInput) as caught:
        planned(**asked)
    assert caught.value.code == code


def test_money_that_no_keyword_is_worth_is_not_spent():
    told = planned(budget=1e4)
    assert {one["code"] for one in told.alerts} == {"budget_not_needed"}
    assert np.isclose(told.dual_price, 1.0)
