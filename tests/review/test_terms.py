import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

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
    donors = [plan[json.loads(text)["donor_key"]] for text in added["evidence"]]
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
