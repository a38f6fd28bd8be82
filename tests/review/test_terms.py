from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from optimizer.review.explaining import explain
from optimizer.review.suggestions import ReviewInputs, ReviewResult
from optimizer.review.terms import term_units
from optimizer.settings import Segments, Settings
from tests.review.conftest import TODAY, Run, told


@pytest.fixture(scope="module")
def busiest(reviewed: ReviewResult) -> int:
    plan = reviewed.frames["plan"].query("segment == 'generic' and inactive_code == ''")
    return int(plan.set_index("entity_key")["clicks"].idxmax())


@pytest.fixture(scope="module")
def wasteful(shop: ReviewInputs, busiest: int) -> ReviewInputs:
    """One more term, clicked nine times a day without an order, let in by the busiest keyword."""
    donor = shop.keywords.set_index("entity_key").loc[busiest]
    place = ["campaign_id", "campaign_name", "ad_group_id", "ad_group_name", "keyword_text"]
    term = pd.DataFrame([{**donor[place].to_dict(), "search_term": "how to sleep for free"}])
    term = term.assign(entity_key=900_001, term_status=None)[list(shop.terms.columns)]
    days = pd.date_range(pd.Timestamp(TODAY) - pd.Timedelta(days=45), periods=45, unit="s")
    daily = pd.DataFrame({"entity_key": 900_001, "first_day": days, "last_day": days})
    daily = daily.assign(impressions=90.0, clicks=9.0, cost=15.0, conversions=0.0, value=0.0)
    return replace(
        shop,
        terms=pd.concat([shop.terms, term.astype(shop.terms.dtypes)], ignore_index=True),
        term_daily=pd.concat([shop.term_daily, daily], ignore_index=True),
    )


def of_kind(result: ReviewResult, kind: str) -> pd.DataFrame:
    return result.suggestions[result.suggestions["kind"] == kind]


def told_by(inputs: ReviewInputs) -> dict[str, pd.DataFrame]:
    return {"terms": inputs.terms, "term_daily": inputs.term_daily}


def test_a_term_that_never_pays_becomes_a_negative(run: Run, wasteful: ReviewInputs) -> None:
    row = of_kind(run(**told_by(wasteful)), "add_negative")
    assert row["keyword_text"].tolist() == ["how to sleep for free"]
    assert row["entity_key"].tolist() == ["t900001"]
    assert row["delta_cost"].iloc[0] == pytest.approx(-15.0, rel=0.1)
    assert row["proposed_bid"].isna().all()
    assert row["delta_profit_mean"].iloc[0] > 0


def test_the_savings_of_a_negative_count_in_the_plan(run: Run, wasteful: ReviewInputs) -> None:
    result = run(**told_by(wasteful))
    total = result.summary.cost_now + result.suggestions["delta_cost"].sum()
    assert result.summary.cost_planned == pytest.approx(total)


def test_a_converting_term_is_never_excluded(run: Run, wasteful: ReviewInputs) -> None:
    sold = wasteful.term_daily["conversions"].where(
        wasteful.term_daily["entity_key"] != 900_001, 0.01
    )
    result = run(terms=wasteful.terms, term_daily=wasteful.term_daily.assign(conversions=sold))
    assert of_kind(result, "add_negative").empty


@pytest.mark.parametrize("status", ["ADDED", "EXCLUDED"])
def test_a_term_already_dealt_with_is_left_alone(
    run: Run, wasteful: ReviewInputs, status: str
) -> None:
    result = run(terms=wasteful.terms.assign(term_status=status), term_daily=wasteful.term_daily)
    assert of_kind(result, "add_negative").empty
    assert of_kind(result, "add_keyword").empty


def test_a_term_that_is_a_keyword_of_ours_is_left_alone(
    run: Run, shop: ReviewInputs, wasteful: ReviewInputs
) -> None:
    keywords = shop.keywords.copy()
    keywords.loc[0, "keyword_text"] = "How to  sleep FOR free"
    result = run(keywords=keywords, **told_by(wasteful))
    assert of_kind(result, "add_negative").empty


def test_a_brand_term_is_never_excluded(
    run: Run, settings: Settings, wasteful: ReviewInputs
) -> None:
    brand = told(settings, segments=Segments(brand=("sleep",)))
    assert of_kind(run(brand, **told_by(wasteful)), "add_negative").empty


def test_new_keywords_bid_within_reach_of_their_donor(
    reviewed: ReviewResult, settings: Settings
) -> None:
    added = of_kind(reviewed, "add_keyword")
    plan = reviewed.frames["plan"].set_index("entity_key")["bid"]
    shown = explain(added, reviewed.frames, reviewed.context)
    donors = [plan[one["donor_key"]] for one in shown]
    change = added["proposed_bid"].to_numpy() / np.array(donors) - 1
    assert len(added) > 0
    assert (np.abs(change) <= settings.guardrails.step_limit + 0.01).all()
    assert (added["match_type"] == "EXACT").all()


def test_a_term_of_an_unknown_ad_group_is_left_out(run: Run, shop: ReviewInputs) -> None:
    lost = run(terms=shop.terms.assign(ad_group_name="gone"))
    assert lost.frames["terms"].empty
    assert "add_keyword" not in lost.summary.kinds


def test_the_same_text_in_an_ad_group_is_one_term_with_its_own_donor() -> None:
    place = {"campaign_name": "c", "ad_group_name": "g"}
    plan = pd.DataFrame(
        [
            {**place, "keyword_text": "tent", "clicks": 1.0, "cpc": 1.0},
            {**place, "keyword_text": "tents", "clicks": 9.0, "cpc": 1.0},
        ]
    )
    terms = pd.DataFrame(
        [
            {**place, "keyword_text": "tent", "search_term": "Red Tent", "entity_key": 5},
            {**place, "keyword_text": None, "search_term": "red  tent", "entity_key": 6},
            {**place, "keyword_text": "tents", "search_term": "blue tent", "entity_key": 7},
            {**place, "ad_group_name": "x", "search_term": "red tent", "entity_key": 8},
        ],
        index=[3, 1, 7, 2],
    )
    units = term_units(terms.astype({"keyword_text": "str"}), plan)
    assert units["unit"].tolist() == [0, 0, 1, 2]
    assert units["donor"].tolist() == [0, 1, 1, -1]


def test_a_paused_donor_takes_its_terms_with_it(
    run: Run, shop: ReviewInputs, wasteful: ReviewInputs, busiest: int
) -> None:
    """Its clicks are saved once, by the pause."""
    sold = shop.daily["entity_key"] != busiest
    dead = shop.daily.assign(
        conversions=shop.daily["conversions"].where(sold, 0.0),
        value=shop.daily["value"].where(sold, 0.0),
        clicks=shop.daily["clicks"].where(sold, shop.daily["clicks"] + 30),
        cost=shop.daily["cost"].where(sold, shop.daily["cost"] + 60),
        impressions=shop.daily["impressions"].where(sold, shop.daily["impressions"] + 300),
    )
    result = run(daily=dead, **told_by(wasteful))
    assert str(busiest) in set(of_kind(result, "pause")["entity_key"])
    assert of_kind(result, "add_negative").empty


@pytest.fixture(scope="module")
def misled(shop: ReviewInputs, wasteful: ReviewInputs, busiest: int) -> ReviewInputs:
    """The busiest keyword sells, but one of its terms takes most of its clicks and never does."""
    clicks, far = 60.0, wasteful.term_daily["entity_key"] == 900_001
    terms = wasteful.term_daily.assign(
        clicks=wasteful.term_daily["clicks"].where(~far, clicks),
        cost=wasteful.term_daily["cost"].where(~far, 3.0 * clicks),
        impressions=wasteful.term_daily["impressions"].where(~far, 600.0),
    )
    own = shop.daily["entity_key"] == busiest
    grown = {"clicks": clicks, "cost": 3.0 * clicks, "impressions": 600.0}
    daily = shop.daily.assign(
        **{name: shop.daily[name] + own * more for name, more in grown.items()}
    )
    return replace(wasteful, daily=daily, term_daily=terms)


def test_a_term_at_fault_is_excluded_before_its_keyword_is_paused(
    run: Run, misled: ReviewInputs, busiest: int
) -> None:
    result = run(daily=misled.daily, **told_by(misled))
    plan = result.frames["plan"].set_index("entity_key").loc[busiest]
    assert plan["pause"]
    assert plan["negative_first"] == "t900001"
    assert of_kind(result, "add_negative")["entity_key"].tolist() == ["t900001"]
    assert str(busiest) not in set(result.suggestions["entity_key"])
    assert plan["reason"] == "negative_first"


def test_the_pause_returns_when_its_negative_is_refused(
    run: Run, misled: ReviewInputs, busiest: int
) -> None:
    refused = pd.DataFrame(
        [{"entity_key": "t900001", "slot": "negative", "kind": "rejected", "value": np.nan}]
    ).assign(until=pd.NaT)
    holds = refused.astype({"until": "datetime64[s]", "value": "float64"})
    result = run(daily=misled.daily, holds=holds, **told_by(misled))
    assert str(busiest) in set(of_kind(result, "pause")["entity_key"])
    assert of_kind(result, "add_negative").empty


def test_a_term_that_sells_in_another_ad_group_is_not_excluded(
    run: Run, shop: ReviewInputs, wasteful: ReviewInputs, busiest: int
) -> None:
    place = shop.keywords.set_index("entity_key").loc[busiest, "ad_group_name"]
    elsewhere = shop.keywords[shop.keywords["ad_group_name"] != place].iloc[0]
    names = ["campaign_id", "campaign_name", "ad_group_id", "ad_group_name", "keyword_text"]
    twin = wasteful.terms[wasteful.terms["entity_key"] == 900_001].assign(
        entity_key=900_002, **elsewhere[names].to_dict()
    )
    days = wasteful.term_daily[wasteful.term_daily["entity_key"] == 900_001]
    sold = days.assign(entity_key=900_002, conversions=0.1, value=10.0)
    terms = pd.concat([wasteful.terms, twin.astype(wasteful.terms.dtypes)], ignore_index=True)
    daily = pd.concat([wasteful.term_daily, sold], ignore_index=True)
    assert of_kind(run(terms=terms, term_daily=daily), "add_negative").empty


def test_a_term_found_in_two_ad_groups_is_added_once(run: Run, shop: ReviewInputs) -> None:
    added = of_kind(run(), "add_keyword")
    where = shop.terms["search_term"] == added["keyword_text"].iloc[0]
    place = shop.keywords[shop.keywords["ad_group_name"] != added["ad_group_name"].iloc[0]].iloc[0]
    names = ["campaign_id", "campaign_name", "ad_group_id", "ad_group_name", "keyword_text"]
    twin = shop.terms[where].assign(**place[names].to_dict())
    twin["entity_key"] = twin["entity_key"] + 800_000
    days = shop.term_daily[shop.term_daily["entity_key"].isin(shop.terms.loc[where, "entity_key"])]
    days = days.assign(entity_key=days["entity_key"] + 800_000)
    result = run(
        terms=pd.concat([shop.terms, twin], ignore_index=True),
        term_daily=pd.concat([shop.term_daily, days], ignore_index=True),
    )
    texts = of_kind(result, "add_keyword")["keyword_text"]
    assert texts.eq(added["keyword_text"].iloc[0]).sum() <= 1
    assert texts.is_unique


def test_a_term_leans_on_all_that_its_keyword_sold(
    run: Run, shop: ReviewInputs, reviewed: ReviewResult, busiest: int
) -> None:
    """Orders of the donor that no term accounts for raise what is believed of its terms."""
    own = reviewed.frames["terms"].query("donor_key == @busiest").sort_values("exposure")
    hidden, shown = own["entity_key"].iloc[-1], own["entity_key"].iloc[0]
    named = shop.terms["search_term"] != own["search_term"].iloc[-1]
    known = shop.term_daily[shop.term_daily["entity_key"].isin(shop.terms.loc[named, "entity_key"])]
    sold = 2.0 * (shop.daily["entity_key"] == busiest)
    believed = [
        run(daily=daily, term_daily=known).frames["terms"].set_index("entity_key")["parent_mean"]
        for daily in (shop.daily, shop.daily.assign(conversions=shop.daily["conversions"] + sold))
    ]
    assert hidden != shown
    assert believed[1][shown] > 1.2 * believed[0][shown]
