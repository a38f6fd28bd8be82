"""The response in a review: measured where bids were set at random, assumed elsewhere."""

from datetime import timedelta
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from optimizer.planning.account_frames import account_frames
from optimizer.planning.market import MarketSettings, make_market, simulate_days
from optimizer.planning.market.auction import expected_day
from optimizer.planning.market.settings import Demand, Size, StartBids
from optimizer.review.explaining import explain
from optimizer.review.suggestions import ReviewInputs, ReviewResult
from tests.review.conftest import DOWNLOADS, TODAY, Run

DAYS = 56
SIZE = Size(campaigns=3, ad_groups=6, keywords=150, brand_campaigns=0, competitor_campaigns=0)
BUSY = MarketSettings(
    size=SIZE, demand=Demand(median=800, sd=0.5), start_bids=StartBids(paused_share=0)
)


@lru_cache
def dithered(tag: str) -> ReviewInputs:
    """A busy account whose bids were ±10 % at random each day, tagged `tag`."""
    rng, start = np.random.default_rng(5), TODAY - timedelta(days=DAYS)
    market = make_market(BUSY, start, rng)
    signs = rng.choice([0.9, 1.1], (DAYS, SIZE.keywords))
    log = simulate_days(market, market.start_bids * signs, start, DAYS, rng)
    frames = account_frames(log, TODAY, DOWNLOADS, np.full(signs.shape, tag))
    names = ("keywords", "daily", "terms", "term_daily", "versions", "bid_changes")
    silent = frames.daily.assign(impression_share=np.nan)
    return {name: getattr(frames, name) for name in names} | {"daily": silent}


@pytest.fixture(scope="module")
def measured(run: Run) -> ReviewResult:
    return run(**dithered("randomised"))


def test_randomised_bids_are_measured(measured: ReviewResult):
    plan = measured.frames["plan"]
    known = plan["response_source"] == "measured"
    assert known.mean() > 0.4
    assert not plan.loc[known, "response_assumed"].any()
    assert (plan.loc[known, "response_information"] >= 1).all()
    assert plan.loc[known, "elasticity_sd"].max() < plan.loc[~known, "elasticity_sd"].min()
    assert (plan.loc[known, "assumed_share"] == 0).all()


def test_prices_speak_where_no_test_does(measured: ReviewResult):
    plan = measured.frames["plan"]
    known = plan["response_source"] == "measured"
    more = plan["won_share"] > plan["click_share"]
    assert more[~known].any()
    assert not more[known].any()


def test_measured_keywords_speak_for_the_others(measured: ReviewResult):
    plan = measured.frames["plan"]
    others = plan[plan["response_source"] != "measured"]
    assert set(others["response_source"]) == {"pooled"}
    assert others["response_assumed"].all()
    assert measured.context["shocks"]["elasticity"] < 0.1


def test_history_that_people_made_teaches_nothing(run: Run):
    plan = run(**dithered("human")).frames["plan"]
    assert (plan["response_source"] == "assumed").all()
    assert (plan["elasticity"] == 1.0).all()
    assert (plan["elasticity_sd"] == 0.5).all()


def test_evidence_says_what_the_response_rests_on(measured: ReviewResult):
    rows = measured.suggestions[measured.suggestions["slot"] == "bid"]
    told = explain(rows, measured.frames, measured.context)
    assert {fields["response_source"] for fields in told} <= {"measured", "pooled"}
    assert all(fields["response_information"] >= 0 for fields in told)


def test_days_over_budget_do_not_teach(run: Run):
    inputs = dithered("randomised")
    poor = inputs["keywords"].assign(campaign_budget=0.01)
    plan = run(**inputs | {"keywords": poor}).frames["plan"]
    assert (plan["response_source"] == "assumed").all()


def test_a_word_shown_less_is_expected_to_answer_more(run: Run, shop: ReviewInputs):
    """Hill: ε = h(1 - s), and a raise of a word that is always shown brings fewer clicks."""
    always, rarely, unknown = (
        run(daily=shop.daily.assign(impression_share=share)).frames["plan"]
        for share in (1.0, 0.1, np.nan)
    )
    seen = always["click_share"].to_numpy() != 0.4
    assert seen.any()
    assert always["elasticity"].to_numpy()[seen] == pytest.approx((1 - 0.65) / 0.6)
    assert (rarely["elasticity"].to_numpy()[seen] > 1.5).all()
    assert (unknown["elasticity"] == 1.0).all()


def test_a_simulator_is_the_prior_of_the_words_it_names(run: Run, shop: ReviewInputs):
    """Clicks ~ bid^1.8 and CPC ~ bid^0.9 of one word; the others stay assumed."""
    word = shop.keywords[shop.keywords["bid"].notna()].iloc[0]
    bid = word["bid"] * np.array([0.8, 1.0, 1.25])
    points = {"bid": bid, "clicks": 9 * bid**1.8, "cost": 4 * bid**2.7}
    silent = shop.daily.assign(impression_share=np.nan)
    plan = run(
        daily=silent, landscapes=pd.DataFrame(points | {"entity_key": word["entity_key"]})
    ).frames["plan"]
    told = plan["entity_key"] == word["entity_key"]
    names = ["elasticity", "elasticity_sd", "cpc_exponent", "cpc_exponent_sd"]
    assert plan.loc[told, names].to_numpy()[0] == pytest.approx([1.8, 0.3, 0.9, 0.15])
    assert list(plan.loc[told, "response_source"]) == ["simulator"]
    assert set(plan.loc[~told, "response_source"]) == {"assumed"}


@lru_cache
def lowered_last_week() -> tuple[ReviewInputs, pd.DataFrame]:
    """A busy account whose bids all fell by a fifth six days ago, and what they now bring."""
    rng, start = np.random.default_rng(6), TODAY - timedelta(days=DAYS)
    market = make_market(BUSY, start, rng)
    bids = np.tile(market.start_bids, (DAYS, 1))
    bids[-6:] *= 0.8
    frames = account_frames(simulate_days(market, bids, start, DAYS, rng), TODAY, DOWNLOADS)
    names = ("keywords", "daily", "terms", "term_daily", "versions", "bid_changes")
    return {name: getattr(frames, name) for name in names}, expected_day(market.auctions, bids[-1])


def test_volume_and_price_are_those_of_the_present_bid(run: Run):
    """Half of the weight lies on days under the old bid."""
    inputs, now = lowered_last_week()
    plan = run(**inputs).frames["plan"].sort_values("entity_key")
    open_ = plan["bid"].notna().to_numpy()
    clicks, cpc = plan["clicks"].to_numpy()[open_], plan["cpc"].to_numpy()[open_]
    truth = {name: now[name][open_] for name in ("clicks", "cost")}
    assert (clicks * cpc).sum() / clicks.sum() == pytest.approx(
        truth["cost"].sum() / truth["clicks"].sum(), rel=0.04
    )


def test_a_bid_that_nobody_knows_leaves_its_days_alone(run: Run):
    inputs, _ = lowered_last_week()
    silent = inputs | {"bid_changes": inputs["bid_changes"].iloc[:0]}
    known, unknown = run(**inputs).frames["plan"], run(**silent).frames["plan"]
    assert (known["cpc"] <= unknown["cpc"] + 1e-9).mean() > 0.9
