"""What an operator would expect in situations that have a name."""

import json
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from optimizer.review.suggestions import ReviewResult
from optimizer.tables import TERMS
from tests.review.small_account import (
    FILLERS,
    TODAY,
    Word,
    alerts_of,
    days_ago,
    evidence_of,
    kind_of,
    reason_of,
    review,
    small_account,
    told,
)

GOOD = Word("good", rate=0.08)
BAD = Word("bad", rate=0.012, clicks=40)
HOPELESS = Word("hopeless", rate=0.001, clicks=40)


def kinds(result: ReviewResult) -> set[str]:
    return set(result.proposals()["kind"])


def test_without_anything_special_the_account_is_moved_both_ways() -> None:
    result = review(small_account([GOOD, BAD, HOPELESS, *FILLERS]), told())
    found = [kind_of(result, text) for text in ("good", "bad", "hopeless")]
    assert found == ["raise", "lower", "pause"]


def test_a_step_is_short_where_its_sign_rests_on_an_assumed_response() -> None:
    """Words sold often: their value is known, their response is not. Who loses, loses anyway."""
    words = [Word("worth", 400, rate=0.08), Word("losing", 400, rate=0.012)]
    result = review(small_account([*words, *FILLERS]), told())
    moved = result.suggestions.set_index("keyword_text").loc[["worth", "losing"]]
    assert list(moved["reason"]) == ["assumed_response", "returns_below_line"]
    assert list(moved["binding"]) == ["assumed_step_limit", "step_limit"]
    change = (moved["proposed_bid"] / moved["bid"] - 1).to_numpy()
    assert change == pytest.approx([0.1, -0.25], abs=0.01)


def test_tag_outage_stops_raises_and_pauses_everywhere() -> None:
    dead = small_account([GOOD, BAD, HOPELESS, *FILLERS])
    recent = dead.daily["first_day"] >= pd.Timestamp(days_ago(3))
    silent = dead.daily.assign(
        conversions=dead.daily["conversions"].mask(recent, 0.0),
        value=dead.daily["value"].mask(recent, 0.0),
    )
    result = review(replace(dead, daily=silent), told())
    assert kinds(result) <= {"lower", "watch"}
    assert reason_of(result, "good") == "conversion_outage"
    assert alerts_of(result)["conversion_outage"]["seen"] == 0


@pytest.mark.parametrize("quiet", [3, 14])
def test_a_tag_outage_teaches_no_keyword(quiet: int) -> None:
    whole = small_account([GOOD, BAD, HOPELESS, *FILLERS])
    lost = whole.daily["first_day"].between(
        pd.Timestamp(days_ago(quiet + 4)), pd.Timestamp(days_ago(5))
    )
    silent = whole.daily.assign(
        conversions=whole.daily["conversions"].mask(lost, 0.0),
        value=whole.daily["value"].mask(lost, 0.0),
    )
    before, after = (review(one, told()) for one in (whole, replace(whole, daily=silent)))
    assert alerts_of(after)["silent_days"]["days"] == quiet
    assert _rate(after) == pytest.approx(_rate(before), rel=0.06)
    assert kind_of(after, "good") == "raise"


def test_a_campaign_whose_page_broke_is_not_raised_while_others_are() -> None:
    broken = replace(GOOD, text="broken", campaign="landing", ad_group="other")
    inputs = small_account([GOOD, broken, *FILLERS], stopped="landing", quiet_days=6)
    result = review(inputs, told())
    assert (kind_of(result, "good"), kind_of(result, "broken")) == ("raise", "")
    assert reason_of(result, "broken") == "campaign_outage"
    assert alerts_of(result)["campaign_outage"]["name"] == "landing"


def test_an_item_off_the_shelf_is_neither_raised_nor_paused() -> None:
    gone = replace(GOOD, text="gone", ad_group="lamps")
    inputs = small_account([GOOD, gone, *FILLERS], stopped="lamps", quiet_days=6)
    result = review(inputs, told(items=[{"item_id": "lamp", "ad_groups": ["lamps"]}]))
    assert (kind_of(result, "good"), kind_of(result, "gone")) == ("raise", "")
    assert reason_of(result, "gone") == "item_outage"
    assert alerts_of(result)["item_outage"]["name"] == "lamp"


BRANDED = {"segments": {"brand": ["acme"]}}


def test_brand_word_is_never_raised_on_attributed_value() -> None:
    inputs = small_account([replace(GOOD, text="acme good"), *FILLERS])
    result = review(inputs, told(**BRANDED))
    assert (kind_of(result, "acme good"), reason_of(result, "acme good")) == ("", "brand")
    stated = review(inputs, told(**BRANDED, brand_incrementality=1.0))
    assert kind_of(stated, "acme good") == "raise"


def test_brand_word_is_never_paused_however_badly_it_does() -> None:
    words = [replace(HOPELESS, text="acme bad"), HOPELESS, *FILLERS]
    result = review(small_account(words), told(**BRANDED))
    assert (kind_of(result, "acme bad"), kind_of(result, "hopeless")) == ("lower", "pause")


def test_brand_words_tell_generic_ones_nothing() -> None:
    """A brand keyword that converts at 40 % leaves its ad group's generic prior where it was."""
    plain, star = Word("plain"), Word("acme star", rate=0.4)
    with_brand = small_account([plain, star, *FILLERS])
    parent = _parent(review(with_brand, told(**BRANDED)), "plain")
    mixed = _parent(review(with_brand, told()), "plain")
    assert parent < 0.05 < mixed


def _parent(result: ReviewResult, text: str) -> float:
    plan = result.frames["plan"]
    return float(plan.loc[plan["keyword_text"] == text, "parent_mean"].iloc[0])


@pytest.mark.parametrize(("term", "kind"), [("acme junk", ""), ("other junk", "add_negative")])
def test_brand_terms_are_never_excluded(term: str, kind: str) -> None:
    inputs = small_account([replace(GOOD, text="tent"), *FILLERS])
    found = {"entity_key": 900, "search_term": term, "keyword_text": "tent"}
    place = {"campaign_name": "shop", "ad_group_name": "tents"}
    terms = pd.DataFrame([{**dict.fromkeys(TERMS.columns), **place, **found}])
    days = inputs.daily[inputs.daily["entity_key"] == 1].assign(
        entity_key=900, conversions=0.0, value=0.0
    )
    result = review(replace(inputs, terms=terms, term_daily=days), told(**BRANDED))
    assert kind_of(result, term) == kind


STOCKED = {"item_id": "tent", "stage": "爆款", "ad_groups": ["tents"]}


def test_hot_item_with_little_stock_is_not_raised() -> None:
    """1.6 orders a day from "good" until the restock in ten days: 30 in stock will do, 10 will not."""
    inputs = small_account([GOOD, *FILLERS])
    restock = TODAY + timedelta(days=10)
    plenty = review(inputs, told(items=[{**STOCKED, "stock": 30, "restock": restock}]))
    short = review(inputs, told(items=[{**STOCKED, "stock": 10, "restock": restock}]))
    assert kind_of(plenty, "good") == "raise"
    assert kind_of(short, "good") == "lower"
    assert alerts_of(short)["stock_short"]["allowed"] == pytest.approx(1.0)


def test_stock_bounds_the_orders_that_bids_bring() -> None:
    """About 1.47 orders a day: 1.4 take a small lower, though every click pays."""
    restock = TODAY + timedelta(days=10)
    item = {**STOCKED, "stock": 14.0, "restock": restock}
    words = [replace(GOOD, text=f"good {number}", clicks=5.0) for number in range(4)]
    result = review(small_account([*words, *FILLERS]), told(items=[item]))
    plan = result.frames["plan"]
    own = plan["item"] == 0
    orders = (plan["clicks"] * plan["rate_mean"])[own].sum()
    moved = result.suggestions.set_index("keyword_text")["delta_clicks"]
    change = plan[own].set_index("keyword_text")["rate_mean"].mul(moved).sum()
    assert orders > 1.4 >= orders + change - 1e-6


def test_a_bid_that_stops_at_the_stock_says_so() -> None:
    restock, inputs = TODAY + timedelta(days=10), small_account([GOOD, *FILLERS])
    plan = review(inputs, told()).frames["plan"].set_index("keyword_text").loc["good"]
    item = {**STOCKED, "stock": 9.6 * plan["clicks"] * plan["rate_mean"], "restock": restock}
    rows = review(inputs, told(items=[item])).suggestions.set_index("keyword_text")
    assert rows.loc["good", ["kind", "binding"]].tolist() == ["lower", "stock"]
    assert "stock" not in set(rows["binding"].drop("good"))


def test_a_floor_that_whole_bids_miss_is_told() -> None:
    words = [Word("one", campaign="few", ad_group="a"), *FILLERS]
    stated = {"campaign_floors": {"few": 19.1}, "campaign_budgets": {"few": 19.1}}
    result = review(small_account(words), told(daily_budget=500.0, **stated))
    alert = alerts_of(result)["floor_short"]
    planned = {row["name"]: row["cost_planned"] for row in result.summary.campaigns}["few"]
    assert (alert["name"], alert["floor"]) == ("few", 19.1)
    assert alert["short"] == pytest.approx(19.1 - planned, abs=0.05)


def test_clearance_counts_what_is_left_against_not_selling() -> None:
    """A margin of 20 % makes the word a loser; what is in the way is worth 90 % of its price."""
    inputs = small_account([Word("old", rate=0.08), *FILLERS])
    item = {"item_id": "tent", "ad_groups": ["tents"], "margin": 0.2}
    ordinary = review(inputs, told(items=[item]))
    clearing = review(inputs, told(items=[{**item, "stage": "清仓", "salvage_margin": 0.9}]))
    unstated = review(inputs, told(items=[{**item, "stage": "清仓"}]))
    assert kind_of(ordinary, "old") in ("lower", "pause")
    assert kind_of(clearing, "old") == "raise"
    assert kind_of(unstated, "old") == kind_of(ordinary, "old")
    assert "clear_without_salvage_margin" in alerts_of(unstated)


NEW = {"item_id": "tent", "stage": "新品", "ad_groups": ["tents"]}


@pytest.mark.parametrize(
    ("max_loss", "reason", "code"),
    [
        (100.0, "learning", "item_learning"),
        (5.0, "loses_at_lowest_bid", "item_loss_exceeded"),
        (None, "loses_at_lowest_bid", "learn_without_max_loss"),
    ],
)
def test_new_item_may_lose_what_is_stated(max_loss: float | None, reason: str, code: str) -> None:
    result = review(
        small_account([HOPELESS, *FILLERS]), told(items=[{**NEW, "max_loss": max_loss}])
    )
    assert reason_of(result, "hopeless") == reason
    assert code in alerts_of(result)


def test_ranked_item_is_held_at_a_price_that_is_shown() -> None:
    ranked = {"item_id": "tent", "ad_groups": ["tents"], "goal": "rank"}
    result = review(small_account([BAD, *FILLERS]), told(items=[ranked]))
    assert reason_of(result, "bad") == "rank_hold"
    told_so = alerts_of(result)["rank_hold"]
    lowered = review(small_account([BAD, *FILLERS]), told())
    gain = float(lowered.suggestions.set_index("keyword_text").loc["bad", "delta_profit_mean"])
    assert told_so["cost"] == pytest.approx(gain, rel=0.05)


def test_ranked_item_above_its_floor_may_give_way_to_it() -> None:
    seen = replace(BAD, impression_share=0.60)
    floor = {"item_id": "tent", "ad_groups": ["tents"], "goal": "rank"}
    inputs = small_account([seen, *FILLERS])
    result = review(inputs, told(items=[{**floor, "impression_share_floor": 0.57}]))
    proposed = result.suggestions.set_index("keyword_text").loc["bad", "proposed_bid"]
    assert 1.3 * 0.95 <= proposed < 1.3


def test_a_price_change_makes_earlier_days_tell_less() -> None:
    """ "good" did well before yesterday's price rise; of that a quarter is believed."""
    changed = {"item_id": "tent", "day": days_ago(1), "what": "price"}
    items = [{"item_id": "tent", "ad_groups": ["tents"]}]
    inputs = small_account([GOOD, *FILLERS])
    before, after = (
        review(inputs, told(items=items)),
        review(inputs, told(items=items, item_log=[changed])),
    )
    assert _exposure(after) == pytest.approx(0.25 * _exposure(before), rel=0.05)
    assert alerts_of(after)["item_changed_price"]["item"] == "tent"
    assert "item_changed_price" not in alerts_of(before)


def test_a_planned_change_changes_nothing_yet() -> None:
    planned = {"item_id": "tent", "day": TODAY + timedelta(days=1), "what": "price"}
    items = [{"item_id": "tent", "ad_groups": ["tents"]}]
    inputs = small_account([GOOD, *FILLERS])
    before, after = (review(inputs, told(items=items, item_log=log)) for log in ([], [planned]))
    assert _exposure(after) == _exposure(before)
    assert "item_changed_price" not in alerts_of(after)


def _exposure(result: ReviewResult) -> float:
    return float(result.frames["plan"].set_index("keyword_text").loc["good", "exposure"])


def double11(end: date) -> dict[str, object]:
    return {"events": [{"name": "双11", "start": end - timedelta(days=3), "end": end}]}


def test_week_after_double11_triggers_no_pause_and_no_lower() -> None:
    result = review(small_account([BAD, HOPELESS, GOOD, *FILLERS]), told(**double11(days_ago(5))))
    assert kinds(result) <= {"raise", "watch"}
    assert reason_of(result, "bad") == "event_freeze"
    assert alerts_of(result)["event_freeze"]["event"] == "双11"


def test_week_after_double11_teaches_no_keyword() -> None:
    """Nobody buys for a week after the sale; rates are believed to be what they were before it."""
    inputs = small_account([GOOD, *FILLERS])
    slump = inputs.daily["first_day"] >= pd.Timestamp(days_ago(7))
    empty = inputs.daily.assign(
        conversions=inputs.daily["conversions"].mask(slump, 0.0),
        value=inputs.daily["value"].mask(slump, 0.0),
    )
    result = review(replace(inputs, daily=empty), told(**double11(days_ago(8))))
    before = review(small_account([GOOD, *FILLERS]), told())
    assert "conversion_outage" not in alerts_of(result)
    assert _rate(result) == pytest.approx(_rate(before), rel=0.07)


def _rate(result: ReviewResult) -> float:
    return float(result.frames["plan"].set_index("keyword_text").loc["good", "rate_mean"])


def test_first_page_bid_is_not_left() -> None:
    """Clicks that pay, but not the last of them: a lower would, off page one it would not."""
    thin = Word("thin", rate=0.024, clicks=40)
    at_edge = replace(thin, text="edge", first_page_bid=1.29)
    above = replace(thin, text="above", first_page_bid=1.2)
    result = review(small_account([at_edge, above, *FILLERS]), told())
    assert (kind_of(result, "edge"), reason_of(result, "edge")) == ("", "leaves_first_page")
    rows = result.suggestions.set_index("keyword_text")
    assert 1.2 <= rows.loc["above", "proposed_bid"] < 1.3


def test_page_one_is_left_where_the_account_says_so() -> None:
    edge = Word("edge", rate=0.024, clicks=40, first_page_bid=1.29)
    stated = told()
    rules = stated.guardrails.model_copy(update={"leave_first_page": True})
    result = review(
        small_account([edge, *FILLERS]), stated.model_copy(update={"guardrails": rules})
    )
    assert kind_of(result, "edge") == "lower"


def test_a_word_that_loses_on_page_one_is_paused_rather_than_lowered_off_it() -> None:
    edge = replace(HOPELESS, text="edge", first_page_bid=1.29)
    result = review(small_account([edge, *FILLERS]), told())
    assert (kind_of(result, "edge"), reason_of(result, "edge")) == ("pause", "loses_at_lowest_bid")


def test_a_bid_that_does_not_bite_says_so() -> None:
    loose = replace(BAD, text="loose", bid=2.5)
    result = review(small_account([loose, BAD, *FILLERS]), told())
    assert evidence_of(result, "loose")["no_bite"] is True
    assert evidence_of(result, "bad")["no_bite"] is False


def test_a_bid_that_has_outbid_everybody_is_not_raised() -> None:
    """Its clicks would be worth more; none is left to be had at a tenth of the bid."""
    cheap = replace(GOOD, text="cheap", bid=10 * GOOD.bid)
    result = review(small_account([cheap, GOOD, *FILLERS]), told(daily_budget=900))
    plan = result.frames["plan"].set_index("keyword_text")["raise_block"]
    assert (plan["cheap"], plan["good"]) == ("nobody_to_outbid", "")


FULL = Word("rich", rate=0.08, clicks=45, campaign="full", budget=46.0, lost_is_budget=0.4)


def test_campaign_capped_every_day_gets_two_competing_answers() -> None:
    """60 % of the day is served: raise the budget by its step, or lower its bids at the same one.

    The response is assumed, so its bids may fall by 10 % at once.
    """
    result = review(small_account([FULL, GOOD, *FILLERS]), told(daily_budget=900))
    row = _row(result)
    assert (row["bid"], row["proposed_bid"], row["slot"]) == (46.0, 59.8, "budget")
    assert row["reason"] == "budget_returns_above_line"
    assert row["delta_profit_mean"] == pytest.approx(
        row["delta_cost"] * (row["marginal_return"] - 1)
    )
    evidence = json.loads(row["evidence"])
    assert evidence["served"] == pytest.approx(0.6)
    assert evidence["alternative_factor"] == pytest.approx(0.9)
    assert evidence["alternative_rows"] == 1
    lower = result.levers.set_index("kind").loc["lower"]
    assert (lower["keyword_text"], lower["bid"], lower["proposed_bid"]) == ("rich", 1.3, 1.17)
    assert (lower["reason"], lower["binding"]) == ("budget_lasts_longer", "assumed_step_limit")
    assert lower["delta_profit_mean"] == pytest.approx(evidence["alternative_profit"])
    assert json.loads(lower["evidence"])["alternative_id"] == row["id"]


def test_a_capped_campaign_that_returns_less_than_the_line_gets_no_money() -> None:
    poor = replace(FULL, rate=0.018)
    result = review(small_account([poor, GOOD, *FILLERS]), told(daily_budget=900))
    assert "campaign_capped" in alerts_of(result)
    assert "set_budget" not in kinds(result)


def test_how_much_of_the_day_was_served_is_a_wide_guess_without_a_report() -> None:
    told_share = review(small_account([FULL, *FILLERS]), told(daily_budget=900))
    guessed = review(
        small_account([replace(FULL, lost_is_budget=np.nan), *FILLERS]), told(daily_budget=900)
    )
    width = [_width(one) for one in (told_share, guessed)]
    assert json.loads(_row(guessed)["evidence"])["served_assumed"] is True
    assert width[1] > 1.5 * width[0]


def _row(result: ReviewResult) -> "pd.Series[object]":
    return result.levers.set_index("kind").loc["set_budget"]


def _width(result: ReviewResult) -> float:
    row = _row(result)
    return float(row["delta_profit_high"] - row["delta_profit_low"])  # type: ignore[operator]


def test_brand_campaign_gets_no_budget_on_attributed_value() -> None:
    acme = replace(FULL, text="acme rich")
    result = review(small_account([acme, *FILLERS]), told(**BRANDED, daily_budget=900))
    assert "campaign_capped" in alerts_of(result)
    assert "set_budget" not in kinds(result)


AUTO = Word("auto", rate=0.08, clicks=60, campaign="pmax", bidding_mode="automated", bid=np.nan)


@pytest.mark.parametrize(
    ("changed", "proposed"), [(None, 3.4), (days_ago(14), 3.4), (days_ago(3), None)]
)
def test_automated_target_moves_a_step_once_it_has_learnt(
    changed: date | None, proposed: float | None
) -> None:
    quiet = replace(AUTO, clicks=40)
    stated = {"pmax": {"roas": 4.0, "changed": changed}}
    result = review(
        small_account([quiet, *FILLERS]), told(daily_budget=900, automated_targets=stated)
    )
    rows = result.levers[result.levers["kind"] == "set_target"]
    assert rows["proposed_bid"].tolist() == ([] if proposed is None else [proposed])
    assert ("learning_period" in alerts_of(result)) == (proposed is None)
    assert result.summary.levers["target"] > 0 or proposed is None
