from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from optimizer.review.creatives import review_creatives
from optimizer.settings import Account, CreativeTest, Item, Settings
from optimizer.tables import CREATIVE_SHARES, CREATIVE_TEXTS
from tests.review.creative_accounts import TODAY, creative_inputs, typed


def defined(**fields: object) -> Settings:
    named = {"name": "titles", "campaign": "spring", "ad_group": "shoes"}
    test = CreativeTest.model_validate({**named, "rotation": "even_rotation", **fields})
    return Settings(account=Account(creative_tests=(test,)))


def test_a_defined_test_finds_its_winner() -> None:
    found = review_creatives(creative_inputs(), defined(metric="ctr"), TODAY)
    assert found.tests["state"].tolist() == ["winner"]
    assert found.tests["leader"].tolist() == ["shoes 0.03"]
    assert found.arms["verdict"].tolist() == ["winner", "loser"]
    assert found.arms["evidence"].iloc[1] > 1
    assert found.arms["uplift_high"].iloc[1] < 0


def test_of_a_discovered_test_nothing_is_claimed() -> None:
    found = review_creatives(creative_inputs(groups=("shoes", "hats")), Settings(), TODAY)
    assert found.tests["test"].tolist() == ["spring / hats", "spring / shoes"]
    assert found.tests["state"].tolist() == ["observational"] * 2
    assert not found.arms["verdict"].isin(["winner", "loser"]).any()


def test_an_ad_group_that_is_tested_is_not_discovered_again() -> None:
    found = review_creatives(creative_inputs(groups=("shoes", "hats")), defined(), TODAY)
    assert found.tests["source"].tolist() == ["defined", "discovered"]


def test_cheaper_orders_win_where_cost_of_an_order_decides() -> None:
    inputs = creative_inputs(ctr=(0.03, 0.03), per_day=20_000)
    dear = inputs.daily["entity_key"].eq(1)
    daily = inputs.daily.assign(cost=inputs.daily["cost"].where(~dear, inputs.daily["cost"] * 2))
    found = review_creatives(replace(inputs, daily=daily), defined(metric="cpa"), TODAY)
    assert found.arms["verdict"].tolist() == ["loser", "winner"]
    assert found.arms["metric_mean"].iloc[0] > found.arms["metric_mean"].iloc[1]
    assert found.arms["metric_low"].iloc[0] < found.arms["metric_mean"].iloc[0]


def test_young_days_are_completed_and_not_claimed_from() -> None:
    inputs = creative_inputs(days=6)
    found = review_creatives(inputs, defined(), TODAY)
    assert found.tests["state"].tolist() == ["too_early"]
    assert found.tests["days_needed"].iloc[0] == 5
    rate = inputs.daily["conversions"].sum() / inputs.daily["clicks"].sum()
    told = review_creatives(inputs, defined(metric="cvr"), TODAY).arms["metric_mean"]
    assert (told > 1.1 * rate).all()


def test_days_before_the_start_are_not_in_the_test() -> None:
    start = TODAY - pd.Timedelta(days=10)
    found = review_creatives(creative_inputs(), defined(start=start), TODAY)
    assert found.tests["days"].tolist() == [10]


def test_rows_of_several_days_are_counted_and_left_out() -> None:
    inputs = creative_inputs()
    last = inputs.daily["last_day"].where(inputs.daily.index > 0, pd.Timestamp(TODAY))
    found = review_creatives(
        replace(inputs, daily=inputs.daily.assign(last_day=last)), defined(), TODAY
    )
    assert found.period_rows == 1
    assert found.arms["impressions"].tolist() == [39 * 4000, 40 * 4000]


def test_an_items_margin_decides_what_an_impression_earns() -> None:
    settings = defined()
    sold = Item(item_id="s", ad_groups=("shoes",), margin=0.5)
    half = replace_account(settings, items=(sold,))
    whole, kept = (
        review_creatives(creative_inputs(), one, TODAY).arms["metric_mean"].to_numpy()
        for one in (settings, half)
    )
    assert (kept < 0.5 * whole).all()


def replace_account(settings: Settings, **fields: object) -> Settings:
    return settings.model_copy(update={"account": settings.account.model_copy(update=fields)})


def test_same_seed_same_answer() -> None:
    first, second = (review_creatives(creative_inputs(), defined(), TODAY, 7) for _ in range(2))
    pd.testing.assert_frame_equal(first.arms, second.arms)


def test_no_creatives_no_tests() -> None:
    inputs = creative_inputs()
    nothing = replace(inputs, creatives=inputs.creatives[:0], daily=inputs.daily[:0])
    assert review_creatives(nothing, Settings(), TODAY).tests.empty


@pytest.mark.parametrize("metric", ["profit_per_impression", "ctr", "cvr", "cpa"])
def test_what_stopping_costs_is_told_in_money_whatever_metric_decides(metric: str) -> None:
    close = creative_inputs(ctr=(0.03, 0.0298), days=12)
    told = review_creatives(close, defined(metric=metric), TODAY).tests.iloc[0]
    arms = review_creatives(close, defined(metric=metric), TODAY).arms
    most = (arms["profit_high"] - arms["profit_low"]).max() * told["impressions_per_day"]
    assert 0 < told["forgone_per_day"] < most


def test_without_cost_nobody_knows_what_stopping_costs() -> None:
    close = creative_inputs(ctr=(0.03, 0.0298), days=12)
    costless = replace(close, daily=close.daily.assign(cost=np.nan))
    found = review_creatives(costless, defined(metric="ctr"), TODAY)
    assert found.tests["forgone_per_day"].isna().all()


def test_before_the_first_order_profit_is_unmeasured_and_traffic_even() -> None:
    inputs = creative_inputs(ctr=(0.03, 0.02, 0.01))
    empty = inputs.daily.assign(conversions=0.0, value=0.0)
    found = review_creatives(replace(inputs, daily=empty), defined(), TODAY)
    assert found.tests["state"].tolist() == ["unmeasured"]
    assert found.arms["share_next"].tolist() == pytest.approx([1 / 3] * 3)
    assert found.arms["metric_mean"].isna().all()


def test_a_creative_may_be_in_two_tests_one_after_the_other() -> None:
    middle = TODAY - timedelta(days=20)
    first = {"name": "first", "arms": ("91", "92"), "end": middle}
    second = {"name": "second", "arms": ("91", "93"), "start": middle + timedelta(days=1)}
    tests = [
        CreativeTest.model_validate(
            {"campaign": "spring", "metric": "ctr", "rotation": "even_rotation", **one}
        )
        for one in (first, second)
    ]
    settings = Settings(account=Account(creative_tests=tuple(tests)))
    found = review_creatives(creative_inputs(ctr=(0.03, 0.029, 0.01)), settings, TODAY)
    assert found.tests["days"].tolist() == [21, 19]
    assert found.tests["state"].tolist() == ["ended", "winner"]
    assert found.arms["share_next"].isna().tolist() == [True, True, False, False]


def test_a_winner_stays_one_when_the_loser_is_paused() -> None:
    inputs = creative_inputs()
    paused = inputs.daily["entity_key"].eq(2) & inputs.daily["first_day"].ge("2026-06-20")
    found = review_creatives(
        replace(inputs, daily=inputs.daily[~paused]), defined(metric="ctr"), TODAY
    )
    assert found.tests["state"].tolist() == ["winner"]
    assert found.arms["verdict"].tolist() == ["winner", "loser"]


def test_returns_beyond_all_sales_stop_no_other_test() -> None:
    inputs = creative_inputs()
    value = np.where(inputs.daily["first_day"].eq(inputs.daily["first_day"].min()), 50.0, -5.0)
    found = review_creatives(
        replace(inputs, daily=inputs.daily.assign(value=value)), defined(), TODAY
    )
    assert found.tests["state"].tolist() == ["unmeasured"]


def test_a_new_creative_is_no_loser_for_orders_not_yet_due() -> None:
    inputs = creative_inputs(ctr=(0.05, 0.05), days=60, per_day=20_000)
    daily = inputs.daily
    age = np.tile(np.arange(60.0), 2)
    late = daily["entity_key"].eq(2)
    started = np.where(late, age - 25, age + 60)
    due = daily["clicks"] * 0.1 * (1 - np.exp(-np.maximum(started, 0) / 5))
    told = daily.assign(conversions=due.round(), value=due.round() * 40)[started >= 0]
    ordered = replace(inputs, daily=told, attribution_basis="order")
    found = review_creatives(ordered, defined(metric="cvr"), TODAY)
    assert (found.arms["verdict"] == "open").all()


def test_without_clicks_in_the_report_traffic_stays_even() -> None:
    inputs = creative_inputs()
    found = review_creatives(
        replace(inputs, daily=inputs.daily.assign(clicks=np.nan)), defined(metric="ctr"), TODAY
    )
    assert found.tests["state"].tolist() == ["no_traffic"]
    assert found.arms["share_next"].tolist() == pytest.approx([0.5, 0.5], abs=0.05)


@pytest.mark.parametrize("metric", ["profit_per_impression", "cvr", "cpa"])
def test_figures_are_finite(metric: str) -> None:
    found = review_creatives(creative_inputs(ctr=(0.0, 0.0, 0.001)), defined(metric=metric), TODAY)
    numbers = found.arms[["metric_mean", "metric_low", "metric_high", "p_best", "share_next"]]
    assert np.isfinite(numbers.to_numpy()).all()
    assert found.arms["share_next"].sum() == pytest.approx(1)


def test_the_ad_groups_earlier_creatives_are_the_prior_of_its_new_ones() -> None:
    """Two arms of three days: what four paused siblings brought says where they are likely to lie."""
    inputs = creative_inputs(ctr=(0.02, 0.02, 0.02, 0.02, 0.02, 0.02), per_day=200)
    young = inputs.daily["entity_key"].le(2) & inputs.daily["first_day"].lt("2026-06-27")
    old = inputs.daily["entity_key"].gt(2) & inputs.daily["first_day"].ge("2026-06-20")
    daily = inputs.daily[~young & ~old]
    asked = defined(metric="ctr", arms=("91", "92"))
    alone = inputs.creatives["entity_key"].le(2)
    wide, narrow = (
        review_creatives(replace(inputs, daily=daily, creatives=kept), asked, TODAY).arms
        for kept in (inputs.creatives[alone], inputs.creatives)
    )
    width = [(one["metric_high"] - one["metric_low"]).to_numpy() for one in (wide, narrow)]
    assert (width[1] < 0.9 * width[0]).all()
    assert narrow["creative_id"].tolist() == ["91", "92"]


def planned(share: float, keys: tuple[int, int] = (1, 2)) -> pd.DataFrame:
    """Both arms' shares as planned twenty days ago and handed over."""
    return typed(
        pd.DataFrame(
            {
                "test": "titles",
                "entity_key": keys,
                "as_of": pd.Timestamp(TODAY - timedelta(days=20)),
                "mode": "earn",
                "share": (share, 1 - share),
                "asked": (share, 1 - share),
                "taken": True,
                "in_force": True,
            }
        ),
        CREATIVE_SHARES,
    )


@pytest.mark.parametrize(("share", "state"), [(0.5, "winner"), (0.6, "shares_off")])
def test_shares_are_held_against_what_was_planned_since(share: float, state: str) -> None:
    """Both were served alike: as planned, or a fifth off the plan."""
    inputs = replace(creative_inputs(), shares=planned(share))
    found = review_creatives(inputs, defined(metric="ctr", rotation="randomised"), TODAY).tests
    assert found["state"].tolist() == [state]


def test_without_a_plan_nobody_knows_what_was_to_be_served() -> None:
    inputs = creative_inputs()
    halved = inputs.daily["entity_key"].eq(2)
    counts = {
        name: inputs.daily[name].where(~halved, inputs.daily[name] // 2)
        for name in ("impressions", "clicks")
    }
    lopsided = replace(inputs, daily=inputs.daily.assign(**counts))
    asked = defined(metric="ctr", rotation="randomised")
    found = review_creatives(lopsided, asked, TODAY).tests.iloc[0]
    assert found["state"] == "winner"
    assert np.isnan(found["served_p"])
    assert found["served_off"] > 0.3
    split = defined(
        metric="ctr", rotation="randomised", arms=("91", "92"), split={"91": 2 / 3, "92": 1 / 3}
    )
    assert review_creatives(lopsided, split, TODAY).tests["served_off"].iloc[0] < 0.01


def test_the_difference_is_told_with_an_interval_for_daily_looks() -> None:
    for shares in (planned(0.5).iloc[:0], planned(0.5)):
        inputs = replace(creative_inputs(), shares=shares)
        arms = review_creatives(inputs, defined(metric="ctr"), TODAY).arms
        told = arms[["difference", "difference_low", "difference_high"]].astype(float).to_numpy()
        assert np.isnan(told[0]).all()
        assert told[1, 1] < 0.01 < told[1, 2]
        assert told[1, 0] == pytest.approx(0.01, rel=0.1)


def test_a_changed_text_under_one_id_is_another_creative() -> None:
    """Arm 91 was another text until ten days ago: only its last ten days are compared."""
    changed = TODAY - timedelta(days=10)
    texts = pd.DataFrame(
        {
            "entity_key": [1, 1, 2],
            "day": pd.to_datetime([TODAY - timedelta(days=30), changed, changed]),
            "text": ["old", "new", "same"],
        }
    )
    inputs = replace(creative_inputs(), texts=typed(texts, CREATIVE_TEXTS))
    found = review_creatives(inputs, defined(metric="ctr"), TODAY).arms
    assert found["impressions"].tolist() == [10 * 4000, 40 * 4000]


def test_defined_tests_come_before_those_that_ad_groups_run_anyway() -> None:
    inputs = creative_inputs(groups=("belts", "shoes"))
    test = CreativeTest(name="z", campaign="spring", ad_group="shoes", metric="ctr")
    settings = Settings(account=Account(creative_tests=(test,)))
    found = review_creatives(inputs, settings, TODAY).tests
    assert found["test"].tolist() == ["z", "spring / belts"]
    assert found["source"].tolist() == ["defined", "discovered"]
