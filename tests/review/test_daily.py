import json
from dataclasses import asdict, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from optimizer.errors import BadTable, Infeasible, RefusedInput
from optimizer.review.daily import review_account
from optimizer.review.explaining import explain
from optimizer.review.suggestions import ReviewInputs, ReviewResult, suggestion_id
from optimizer.settings import BidLimit, Event, Settings
from optimizer.tables import SUGGESTIONS, TERM_DAILY, TERMS, check_table, empty_table
from tests.review.conftest import TODAY, Run, told

KEYWORD_KINDS = ("raise", "lower", "pause", "watch")
BID_KINDS = ("raise", "lower", "watch")


def suggested(result: ReviewResult, *kinds: str) -> pd.DataFrame:
    return result.suggestions[result.suggestions["kind"].isin(kinds or KEYWORD_KINDS)]


def without_terms() -> dict[str, pd.DataFrame]:
    return {"terms": empty_table(TERMS), "term_daily": empty_table(TERM_DAILY)}


def assert_finite(result: ReviewResult) -> None:
    check_table(result.suggestions, SUGGESTIONS)
    changed = result.suggestions.drop(columns=["bid", "proposed_bid", "p_positive"])
    assert np.isfinite(changed.select_dtypes("number").to_numpy()).all()
    json.dumps({**asdict(result.summary), "as_of": ""}, allow_nan=False)
    json.dumps(dict(result.context), allow_nan=False)


def accounted(result: ReviewResult) -> int:
    return len(suggested(result)) + sum(result.summary.not_suggested.values())


def test_the_same_inputs_and_seed_give_the_same_result(run: Run, reviewed: ReviewResult) -> None:
    again = run()
    assert again.suggestions.to_csv() == reviewed.suggestions.to_csv()
    assert again.summary == reviewed.summary


def test_the_summary_tells_how_rates_and_values_go_together(reviewed: ReviewResult) -> None:
    found = reviewed.summary.data["rate_and_value"]
    assert found["error"] > 0
    assert found["used"] is (abs(found["covariance"]) > 3 * found["error"])


def test_the_order_of_keywords_does_not_matter(
    run: Run, shop: ReviewInputs, reviewed: ReviewResult
) -> None:
    shuffled = shop.keywords.sample(frac=1, random_state=1)
    again = run(keywords=shuffled).suggestions.set_index("id").sort_index()
    before = reviewed.suggestions.set_index("id").sort_index()
    assert (again["kind"] == before["kind"]).all()
    pd.testing.assert_series_equal(again["proposed_bid"], before["proposed_bid"])
    assert again["delta_profit_mean"].to_numpy() == pytest.approx(before["delta_profit_mean"])


def test_every_keyword_is_suggested_or_counted_once(
    reviewed: ReviewResult, shop: ReviewInputs
) -> None:
    assert suggested(reviewed)["entity_key"].is_unique
    assert accounted(reviewed) == len(shop.keywords)
    assert_finite(reviewed)


def test_the_summary_adds_up(reviewed: ReviewResult) -> None:
    summary, rows = reviewed.summary, reviewed.suggestions
    assert summary.cost_planned == pytest.approx(summary.cost_now + rows["delta_cost"].sum())
    assert summary.profit_delta.mean == pytest.approx(rows["delta_profit_mean"].sum())
    planned = [row["cost_planned"] for row in summary.campaigns]
    assert sum(planned) == pytest.approx(summary.cost_planned)


def test_moves_keep_their_step_limits_and_directions(
    reviewed: ReviewResult, settings: Settings
) -> None:
    moves = suggested(reviewed, "raise", "lower")
    change = moves["proposed_bid"] / moves["bid"] - 1
    shown = explain(moves, reviewed.frames, reviewed.context)
    up, down = (np.array([one[name] for one in shown]) for name in ("step_limit", "lower_step"))
    assert ((change <= up + 1e-6) & (change >= -down - 1e-6)).all()
    assert (change.abs() >= settings.guardrails.dead_band).all()
    assert ((change > 0) == (moves["kind"] == "raise")).all()


def test_only_what_surely_loses_falls_further_than_the_assumed_step(
    reviewed: ReviewResult, settings: Settings
) -> None:
    plan, rules = reviewed.frames["plan"], settings.guardrails
    wider = plan["lower_step"] > plan["step_limit"]
    surely = plan["p_above_cpc"] < rules.pause_probability
    assert wider.any()
    assert (wider == surely & (plan["assumed_share"] > 0.5)).all()
    assert (plan.loc[surely, "lower_step"] == rules.step_limit).all()
    assert (plan["step_limit"] <= plan["lower_step"]).all()


def test_moves_are_sure_enough_of_their_side_of_the_line(reviewed: ReviewResult) -> None:
    moves = suggested(reviewed, "raise", "lower")
    shown = explain(moves, reviewed.frames, reviewed.context)
    above = np.array([one["p_marginal_above"] for one in shown])
    sure = np.where(moves["kind"] == "raise", above, 1 - above)
    assert sure.min() >= 0.7 - 1e-5


def test_brand_is_never_raised_paused_or_excluded(reviewed: ReviewResult) -> None:
    brand = reviewed.suggestions[reviewed.suggestions["segment"] == "brand"]
    assert set(brand["kind"]) <= {"lower", "watch"}
    assert reviewed.summary.not_suggested["brand"] > 0


def test_brand_may_be_raised_once_its_increment_is_stated(run: Run, settings: Settings) -> None:
    result = run(told(settings, brand_incrementality=1.0))
    raised = suggested(result, "raise")
    assert (raised["segment"] == "brand").any()
    assert run(told(settings, brand_incrementality=0.0)).summary.kinds["lower"] > 0


def test_a_capped_campaign_is_not_raised(reviewed: ReviewResult) -> None:
    capped = [
        row["campaign"] for row in reviewed.summary.alerts if row["code"] == "campaign_capped"
    ]
    assert capped
    assert not suggested(reviewed, "raise")["campaign_name"].isin(capped).any()


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [("bidding_mode", "automated", "automated_bidding"), ("bid", np.nan, "bid_unknown")],
)
def test_keywords_without_a_bid_of_ours_may_only_be_paused(
    run: Run, shop: ReviewInputs, column: str, value: object, code: str
) -> None:
    result = run(keywords=shop.keywords.assign(**{column: value}))
    assert suggested(result, *BID_KINDS).empty
    assert len(suggested(result, "pause")) > 0
    assert result.summary.not_suggested[code] > 0
    assert result.summary.levers["bid"] == 0.0
    assert_finite(result)


def test_content_rows_get_no_suggestion(run: Run, shop: ReviewInputs) -> None:
    result = run(keywords=shop.keywords.assign(target_type="content"), **without_terms())
    assert result.suggestions.empty
    assert result.summary.not_suggested == {"not_biddable": len(shop.keywords)}
    assert_finite(result)


def test_an_event_stops_lowers_pauses_and_negatives(run: Run, settings: Settings) -> None:
    sale = Event(name="sale", start=TODAY, end=TODAY)
    result = run(told(settings, events=(sale,)))
    assert set(result.summary.kinds) <= {"raise", "watch", "add_keyword"}
    assert {"code": "event_freeze", "event": "sale"} in result.summary.alerts


def test_missing_conversions_stop_raises_pauses_and_additions(run: Run, shop: ReviewInputs) -> None:
    recent = shop.daily["first_day"] >= pd.Timestamp(TODAY - timedelta(days=3))
    dead = shop.daily.assign(
        conversions=shop.daily["conversions"].mask(recent, 0.0),
        value=shop.daily["value"].mask(recent, 0.0),
    )
    result = run(daily=dead)
    assert "conversion_outage" in [alert["code"] for alert in result.summary.alerts]
    assert set(result.summary.kinds) <= {"lower", "watch"}


def test_highest_and_lowest_bids_hold_for_new_keywords_too(
    run: Run, settings: Settings, reviewed: ReviewResult
) -> None:
    middle = float(reviewed.suggestions["bid"].median())
    capped = run(told(settings, max_bid=middle, effective_bid_multiplier=1.25)).suggestions
    upward = capped[capped["kind"].isin(["raise", "add_keyword"])]
    assert len(upward) > 0
    assert upward["proposed_bid"].max() <= middle / 1.25 + 1e-9
    floored = suggested(run(told(settings, min_bid=middle)), "lower")
    assert floored["proposed_bid"].min() >= middle - 1e-9


def test_another_currency_scales_every_bid(
    run: Run, shop: ReviewInputs, settings: Settings, reviewed: ReviewResult
) -> None:
    money = {"keywords": ["bid", "first_page_bid", "campaign_budget"]}
    money |= {"daily": ["cost", "value"], "term_daily": ["cost", "value"], "versions": ["value"]}
    frames = {
        name: getattr(shop, name).assign(**{c: getattr(shop, name)[c] * 100 for c in columns})
        for name, columns in money.items()
    }
    limit = settings.bid_limit(shop.platform, shop.currency)
    grown = {key: getattr(limit, key) * 100 for key in ("step", "minimum", "maximum")}
    limits = {shop.platform: {"*": BidLimit(**grown, source="", dated=TODAY)}}
    large = run(settings.model_copy(update={"bid_limits": limits}), **frames).suggestions
    before = reviewed.suggestions
    assert large["id"].tolist() == before["id"].tolist()
    assert large["proposed_bid"].to_numpy() == pytest.approx(
        100 * before["proposed_bid"].to_numpy(), nan_ok=True
    )
    assert large["delta_cost"].to_numpy() == pytest.approx(100 * before["delta_cost"].to_numpy())


def test_a_coarse_currency_step_leaves_small_bids_alone(
    run: Run, shop: ReviewInputs, settings: Settings
) -> None:
    limit = settings.bid_limit(shop.platform, shop.currency).model_copy(update={"step": 1})
    limits = {shop.platform: {"*": limit}}
    whole = shop.keywords.assign(bid=np.maximum(shop.keywords["bid"].round(), 1))
    result = run(settings.model_copy(update={"bid_limits": limits}), keywords=whole)
    moves = suggested(result, "raise", "lower")
    assert (moves["proposed_bid"] % 1 == 0).all()
    assert ((moves["proposed_bid"] / moves["bid"] - 1).abs() <= 0.25 + 1e-6).all()
    assert result.summary.not_suggested["no_bid_in_reach"] > 0


def test_a_tight_budget_is_met_with_a_price_on_money(run: Run, reviewed: ReviewResult) -> None:
    budget = 0.75 * reviewed.summary.cost_now
    summary = run(budget=budget).summary
    assert summary.dual_price > 1
    assert 0.995 * budget <= summary.cost_planned <= budget * (1 + 1e-9)
    assert 0 <= summary.gap < 0.01


def test_an_unreachable_budget_names_the_nearest_that_works(
    run: Run, reviewed: ReviewResult
) -> None:
    with pytest.raises(Infeasible) as refusal:
        run(budget=0.2 * reviewed.summary.cost_now)
    nearest = refusal.value.fields["nearest"]
    assert refusal.value.fields["name"] == "shop"
    assert run(budget=nearest * (1 + 1e-9)).summary.cost_planned <= nearest * (1 + 1e-6)


def test_a_stated_campaign_budget_is_met(
    run: Run, settings: Settings, reviewed: ReviewResult
) -> None:
    free = max(reviewed.summary.campaigns, key=lambda row: row["cost_planned"] * (row["line"] == 1))
    budget = 0.93 * free["cost_planned"]
    told_so = told(settings, campaign_budgets={free["name"]: budget})
    after = {row["name"]: row for row in run(told_so).summary.campaigns}[free["name"]]
    assert after["cost_planned"] <= budget * (1 + 1e-9)
    assert after["line"] > 1


def test_no_value_anywhere_is_refused_with_what_to_set(run: Run, shop: ReviewInputs) -> None:
    with pytest.raises(RefusedInput) as refusal:
        run(daily=shop.daily.assign(value=np.nan))
    assert refusal.value.code == "value_unknown"
    assert refusal.value.fields == {"account": "shop", "key": "value_per_conversion"}


def test_a_stated_value_per_conversion_stands_in(
    run: Run, shop: ReviewInputs, settings: Settings
) -> None:
    stated = told(settings, value_per_conversion=260.0)
    result = run(stated, daily=shop.daily.assign(value=np.nan))
    assert "value_per_conversion" in result.summary.assumed
    assert len(suggested(result, "raise", "lower")) > 0
    assert_finite(result)


def test_nothing_reported_is_refused(run: Run, shop: ReviewInputs) -> None:
    with pytest.raises(RefusedInput, match="nothing_to_review"):
        run(daily=shop.daily.iloc[:0])


def test_a_day_that_is_not_over_is_a_defect(run: Run, shop: ReviewInputs) -> None:
    late = shop.daily.assign(last_day=shop.daily["last_day"].max() + pd.Timedelta(days=1))
    with pytest.raises(BadTable, match="day_not_over"):
        run(daily=late)


def test_rows_of_an_unknown_keyword_are_a_defect(run: Run, shop: ReviewInputs) -> None:
    with pytest.raises(BadTable, match="key_unknown"):
        run(keywords=shop.keywords.iloc[1:])


def test_no_clicks_anywhere_moves_nothing(run: Run, shop: ReviewInputs, settings: Settings) -> None:
    nothing = shop.daily.assign(clicks=0.0, cost=0.0, conversions=0.0, value=np.nan)
    result = run(
        told(settings, value_per_conversion=100.0, daily_budget=50.0),
        daily=nothing,
        versions=shop.versions.iloc[:0],
        **without_terms(),
    )
    assert result.suggestions.empty
    assert accounted(result) == len(shop.keywords)
    assert_finite(result)


def test_one_keyword_on_one_day(run: Run, shop: ReviewInputs, settings: Settings) -> None:
    row = shop.daily[shop.daily["clicks"] > 0].head(1)
    one = shop.keywords[shop.keywords["entity_key"] == row["entity_key"].iloc[0]]
    result = run(
        told(settings, value_per_conversion=100.0),
        keywords=one,
        daily=row,
        versions=shop.versions.iloc[:0],
        **without_terms(),
    )
    assert accounted(result) == 1
    assert_finite(result)


def test_days_too_young_to_have_converted_say_nothing(
    run: Run, shop: ReviewInputs, settings: Settings
) -> None:
    """Clicks of the last two days, of which the stated lag expects next to nothing yet."""
    recent = shop.daily[shop.daily["first_day"] >= pd.Timestamp(TODAY - timedelta(days=2))]
    slow = {"day0": 0.01, "mean_days": 50.0}
    stated = told(settings, value_per_conversion=100.0, lag_prior=slow)
    result = run(stated, daily=recent, versions=shop.versions.iloc[:0], **without_terms())
    assert result.summary.data["days_excluded"] == 2
    assert result.suggestions.empty
    assert (result.frames["plan"]["seen_clicks"] == 0).all()
    assert_finite(result)


def monthly(shop: ReviewInputs) -> pd.DataFrame:
    sums = ["impressions", "clicks", "cost", "conversions", "value"]
    whole = shop.daily.groupby("entity_key")[sums].sum().reset_index()
    first, last = shop.daily["first_day"].min(), shop.daily["last_day"].max()
    unknown = {"impression_share": np.nan, "lost_is_budget": np.nan}
    return whole.assign(first_day=first, last_day=last, **unknown)


def test_period_rows_alone_can_be_reviewed(
    run: Run, shop: ReviewInputs, reviewed: ReviewResult
) -> None:
    result = run(daily=monthly(shop), versions=shop.versions.iloc[:0])
    average = shop.daily["cost"].sum() / 45
    assert result.summary.cost_now == pytest.approx(average, rel=0.05)
    assert result.summary.budget == pytest.approx(average)
    assert accounted(result) == len(shop.keywords)
    assert_finite(result)


def test_days_without_reports_are_not_days_without_clicks(
    run: Run, shop: ReviewInputs, reviewed: ReviewResult
) -> None:
    gap = pd.Timestamp(TODAY - timedelta(days=6))
    result = run(
        daily=shop.daily[shop.daily["first_day"] < gap],
        term_daily=shop.term_daily[shop.term_daily["first_day"] < gap],
    )
    assert result.summary.cost_now == pytest.approx(reviewed.summary.cost_now, rel=0.1)
    assert result.summary.budget == pytest.approx(reviewed.summary.budget, rel=0.1)


def test_a_renamed_campaign_stays_one_campaign(
    run: Run, shop: ReviewInputs, reviewed: ReviewResult
) -> None:
    later = shop.keywords["entity_key"] % 2 == 0
    names = shop.keywords["campaign_name"].mask(later, shop.keywords["campaign_name"] + " 2")
    result = run(keywords=shop.keywords.assign(campaign_name=names), **without_terms())
    assert len(result.summary.campaigns) == len(reviewed.summary.campaigns)


def test_ids_name_account_day_keyword_and_slot(reviewed: ReviewResult) -> None:
    assert reviewed.suggestions["id"].str.fullmatch("[0-9a-f]{16}").all()
    assert reviewed.suggestions["id"].is_unique


def test_a_later_day_has_other_ids(shop: ReviewInputs, reviewed: ReviewResult) -> None:
    row = reviewed.suggestions.iloc[0]
    parts = (row["entity_key"], row["slot"])
    assert suggestion_id("shop", TODAY, *parts) == row["id"]
    assert suggestion_id("shop", date(2026, 7, 17), *parts) != row["id"]


def test_a_different_seed_moves_intervals_not_proposals(
    shop: ReviewInputs, settings: Settings, reviewed: ReviewResult
) -> None:
    other = review_account(replace(shop), settings, TODAY, np.random.default_rng(9)).suggestions
    before = reviewed.suggestions
    assert other["proposed_bid"].to_numpy() == pytest.approx(before["proposed_bid"], nan_ok=True)
    assert (other["delta_profit_low"] != before["delta_profit_low"]).any()


def test_a_busy_word_that_only_a_bid_test_could_settle_is_watched(
    run: Run, shop: ReviewInputs, settings: Settings
) -> None:
    """With 120 orders V is known; what is left to doubt is the stated response."""
    word = shop.keywords[shop.keywords["bidding_mode"] == "manual"].head(1)
    word = word.assign(bid=1.2, last_change=pd.NaT, first_page_bid=0.1, keyword_text="tent")
    days = pd.date_range(end=pd.Timestamp(TODAY) - pd.Timedelta(days=1), periods=60, unit="s")
    counted = {"impressions": 1000.0, "clicks": 60.0, "cost": 54.0, "conversions": 2.0}
    daily = pd.DataFrame({"first_day": days, "last_day": days, **counted, "value": np.nan})
    daily.insert(0, "entity_key", word["entity_key"].iloc[0])
    stated = told(settings, value_per_conversion=45.0, margin=1.0)
    rows = run(stated, keywords=word, daily=daily, **without_terms(), budget=1e6).suggestions
    assert rows[["kind", "reason"]].to_numpy().tolist() == [["watch", "response_unsure"]]
