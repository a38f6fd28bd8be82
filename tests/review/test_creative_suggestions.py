"""Suggestions on creatives, and the shares that were planned and served."""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from optimizer.estimates.exposure import day_number
from optimizer.review.creative_shares import served_since, share_panel
from optimizer.review.creative_suggestions import CreativePlan, open_creatives, plan_creatives
from optimizer.review.creatives import review_creatives
from optimizer.settings import Account, CreativeTest, Settings
from optimizer.tables import CREATIVE_SHARES, HOLDS, SUGGESTIONS, check_table, empty_table
from tests.review.creative_accounts import TODAY, creative_inputs

NO_SHARES = empty_table(CREATIVE_SHARES)


def planned(
    test: CreativeTest | None,
    ctr: tuple[float, ...] = (0.03, 0.02),
    status: tuple[str, ...] = (),
    shares: pd.DataFrame = NO_SHARES,
    per_day: int = 4000,
) -> CreativePlan:
    inputs = creative_inputs(ctr=ctr, per_day=per_day)
    if status:
        inputs = replace(inputs, creatives=inputs.creatives.assign(status=list(status)))
    tests = () if test is None else (test,)
    settings = Settings(account=Account(creative_tests=tests))
    found = review_creatives(inputs, settings, TODAY)
    by_name = {one.name: one for one in tests}
    return plan_creatives(found, by_name, inputs.creatives, shares, "shop", TODAY)


def titles(**fields: Any) -> CreativeTest:
    told = {"name": "t", "campaign": "spring", "ad_group": "shoes", "metric": "ctr"}
    return CreativeTest.model_validate({**told, "rotation": "even_rotation", **fields})


def test_a_proven_loser_is_paused_and_says_what_proves_it() -> None:
    plan = planned(titles())
    check_table(plan.suggestions, SUGGESTIONS)
    (row,) = plan.suggestions.to_dict("records")
    assert (row["kind"], row["slot"], row["entity_key"]) == ("pause", "creative", "a2")
    assert (row["reason"], row["keyword_id"]) == ("creative_loser", "92")
    told = json.loads(row["evidence"])
    assert (told["test"], told["verdict"], told["leader"]) == ("t", "loser", "shoes 0.03")
    assert told["evidence"] >= 1


def test_of_creatives_of_one_name_the_best_is_the_one_ahead() -> None:
    """One text with two landing pages: the second is ahead."""
    inputs = creative_inputs(ctr=(0.02, 0.03))
    inputs = replace(inputs, creatives=inputs.creatives.assign(creative_name="One title"))
    test = titles()
    found = review_creatives(inputs, Settings(account=Account(creative_tests=(test,))), TODAY)
    plan = plan_creatives(found, {"t": test}, inputs.creatives, NO_SHARES, "shop", TODAY)
    (row,) = plan.suggestions.to_dict("records")
    told = json.loads(row["evidence"])
    assert (row["keyword_id"], row["reason"]) == ("91", "creative_loser")
    assert told["leader_mean"] == pytest.approx(0.03, rel=0.1)


def test_its_impressions_bring_what_the_better_one_brings() -> None:
    """4,000 impressions a day at 3 % in place of 2 %: 40 clicks more, at 0.5 each."""
    (row,) = planned(titles()).suggestions.to_dict("records")
    assert row["delta_clicks"] == pytest.approx(40, rel=0.1)
    assert row["delta_cost"] == pytest.approx(0.5 * row["delta_clicks"])
    assert row["p_positive"] > 0.99


@pytest.mark.parametrize("metric", ["profit_per_impression", "ctr", "value_per_impression"])
def test_profit_is_known_whatever_metric_decides(metric: str) -> None:
    """A click brings 0.1 orders of 40 and costs 0.5: 3.5 each."""
    (row,) = planned(titles(metric=metric)).suggestions.to_dict("records")
    assert row["delta_profit_low"] < row["delta_profit_mean"] < row["delta_profit_high"]
    assert row["delta_profit_mean"] == pytest.approx(3.5 * 40, rel=0.3)
    assert row["p_positive"] > 0.9
    assert json.loads(row["evidence"])["profit_untold"] == ""


@pytest.mark.parametrize(
    ("missing", "told"),
    [(["cost"], "cost"), (["conversions", "value"], "conversions"), (["value"], "value")],
)
def test_what_profit_cannot_be_known_without_is_named(missing: list[str], told: str) -> None:
    inputs = creative_inputs()
    inputs = replace(inputs, daily=inputs.daily.assign(**dict.fromkeys(missing, np.nan)))
    found = review_creatives(inputs, Settings(account=Account(creative_tests=(titles(),))), TODAY)
    plan = plan_creatives(found, {"t": titles()}, inputs.creatives, NO_SHARES, "shop", TODAY)
    (row,) = plan.suggestions.to_dict("records")
    assert json.loads(row["evidence"])["profit_untold"] == told
    assert row["delta_profit_low"] == row["delta_profit_high"] == 0
    assert np.isnan(row["p_positive"])


def test_weights_of_a_test_add_up_to_the_whole_change() -> None:
    """From even shares all to the better one: 4,000 impressions at 3 % in place of 2 %, none reads 0."""
    rows = planned(titles(rotation="randomised")).suggestions
    assert rows["proposed_bid"].fillna(0).tolist() == [1.0, 0.0]
    assert rows["delta_clicks"].sum() == pytest.approx(40, rel=0.1)
    assert (rows["delta_clicks"] > 5).all()
    assert rows["delta_cost"].sum() == pytest.approx(0.5 * rows["delta_clicks"].sum())
    assert rows["delta_profit_mean"].sum() == pytest.approx(3.5 * 40, rel=0.3)


def test_a_test_that_nobody_defined_is_never_acted_upon() -> None:
    plan = planned(None)
    assert plan.suggestions.empty
    assert plan.shares.empty


def test_where_the_platform_chooses_a_hopeless_creative_is_paused_without_a_claim() -> None:
    (row,) = planned(titles(rotation="platform")).suggestions.to_dict("records")
    assert row["reason"] == "creative_unlikely"
    assert json.loads(row["evidence"])["verdict"] == "open"


def test_creatives_that_are_alike_are_left_alone() -> None:
    plan = planned(titles(), ctr=(0.02, 0.02))
    assert plan.suggestions.empty
    assert plan.shares["asked"].tolist() == [0.5, 0.5]


def test_a_creative_that_is_paused_already_is_not_paused_again() -> None:
    assert planned(titles(), status=("ENABLED", "PAUSED")).suggestions.empty


def test_a_wanted_creative_that_stands_paused_is_enabled() -> None:
    (row,) = planned(titles(), ctr=(0.02, 0.02), status=("ENABLED", "PAUSED")).suggestions.to_dict(
        "records"
    )
    assert (row["kind"], row["reason"]) == ("shift_creative", "creative_wanted")
    assert (row["bid"], row["proposed_bid"]) == (0.0, 0.5)


def test_an_ad_group_is_left_a_creative_where_the_leader_is_gone() -> None:
    """Removed yesterday, proven better than all that still runs."""
    gone = ("REMOVED", "ENABLED", "ENABLED")
    assert planned(titles(), ctr=(0.03, 0.02, 0.02), status=gone).suggestions.empty


def test_weights_are_decided_together_and_add_up() -> None:
    plan = planned(titles(rotation="randomised", claims_wanted=True), ctr=(0.0205, 0.02, 0.0195))
    rows = plan.suggestions
    assert rows["kind"].unique().tolist() == ["shift_creative"]
    assert plan.shares["asked"].sum() == pytest.approx(1)
    assert rows["linked_id"].dropna().unique().tolist() == [rows["id"].iloc[0]]
    assert rows["bid"].iloc[0] == pytest.approx(1 / 3)


def test_weights_in_force_are_what_the_next_plan_starts_from() -> None:
    held = shares_of({1: 0.7, 2: 0.3}, TODAY - timedelta(days=1))
    rows = planned(titles(rotation="randomised", mode="top_two"), shares=held).suggestions
    assert rows.loc[rows["kind"].eq("shift_creative"), "bid"].tolist() == [0.7]


def test_a_stated_split_is_in_force_before_any_plan() -> None:
    """It was not served: nothing is asked for until it is, and the split stays what is planned on."""
    test = titles(rotation="randomised", arms=("91", "92"), split={"91": 0.8, "92": 0.2})
    plan = planned(test)
    assert plan.suggestions.empty
    assert plan.shares["asked"].tolist() == [0.8, 0.2]


@pytest.mark.parametrize("ctr", [(0.02, 0.02), (0.03, 0.02)])
def test_an_ended_test_is_neither_planned_nor_acted_upon(ctr: tuple[float, ...]) -> None:
    plan = planned(titles(end=TODAY - timedelta(days=3)), ctr=ctr)
    assert plan.suggestions.empty
    assert plan.shares.empty


def test_too_little_data_stops_nothing() -> None:
    assert planned(titles(), per_day=20).suggestions.empty


@pytest.mark.parametrize("kind", ["rejected", "snoozed", "locked"])
def test_what_somebody_refused_is_not_proposed_again(kind: str) -> None:
    rows = planned(titles()).suggestions
    hold = {"entity_key": "a2", "slot": "creative", "kind": kind, "value": None, "until": None}
    holds = pd.DataFrame([hold], columns=list(HOLDS.columns)).astype(empty_table(HOLDS).dtypes)
    assert open_creatives(rows, holds, TODAY).empty
    assert len(open_creatives(rows, holds.assign(slot="state"), TODAY)) == 1


def test_one_refused_weight_takes_all_of_its_test_along() -> None:
    rows = planned(titles(rotation="randomised"), ctr=(0.03, 0.02, 0.01)).suggestions
    last = rows["entity_key"].iloc[-1]
    hold = {"entity_key": last, "slot": "creative", "kind": "snoozed", "value": None, "until": None}
    holds = pd.DataFrame([hold], columns=list(HOLDS.columns)).astype(empty_table(HOLDS).dtypes)
    assert len(rows) > 1
    assert open_creatives(rows, holds, TODAY).empty


def shares_of(asked: dict[int, float], as_of: date, in_force: bool = True) -> pd.DataFrame:
    frame = pd.DataFrame({"entity_key": list(asked), "asked": list(asked.values())})
    full = frame.assign(
        test="t", as_of=pd.Timestamp(as_of), mode="earn", share=frame["asked"], suggestion_id=None,
        taken=in_force, in_force=in_force,
    )  # fmt: skip
    return full[list(CREATIVE_SHARES.columns)].astype(NO_SHARES.dtypes.to_dict())


def test_a_plan_holds_from_the_day_after_it_until_the_next_in_force() -> None:
    first, second = date(2026, 6, 1), date(2026, 6, 4)
    plans = pd.concat(
        [
            shares_of({1: 0.7, 2: 0.3}, first),
            shares_of({1: 0.1, 2: 0.9}, date(2026, 6, 2), in_force=False),
            shares_of({1: 0.4, 2: 0.6}, second),
        ]
    )
    days = day_number(first) + np.arange(6)
    panel = share_panel(plans, ["t", "t"], np.array([1, 2]), days)
    assert panel[0].tolist()[1:] == [0.7, 0.7, 0.7, 0.4, 0.4]
    assert np.isnan(panel[:, 0]).all()
    assert panel[:, 1:].sum(axis=0) == pytest.approx(1)


def test_what_was_served_is_held_against_what_was_asked() -> None:
    inputs = creative_inputs()
    found = served_since(shares_of({1: 0.9, 2: 0.1}, date(2026, 6, 20)), inputs.daily, TODAY)
    assert found["served"].tolist() == [0.5, 0.5]
    assert found["impressions"].tolist() == [9 * 4000.0] * 2


def test_yesterdays_plan_was_not_served_yet() -> None:
    held = shares_of({1: 0.9, 2: 0.1}, TODAY - timedelta(days=1))
    assert served_since(held, creative_inputs().daily, TODAY).empty
