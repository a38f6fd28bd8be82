from dataclasses import fields
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.errors import BadSettings, Infeasible
from optimizer.planning.market import (
    Log,
    MarketSettings,
    as_known,
    bids_known,
    campaign_days_known,
    join_logs,
    load_market,
    make_market,
    simulate_day,
    simulate_days,
)
from optimizer.settings import Configs, parse_model

START = date(2026, 6, 1)
CONFIGS = Configs(Path(__file__).parents[2] / "configs")


def small(**parts: dict[str, object]) -> MarketSettings:
    size = {"keywords": 60, "ad_groups": 6, "campaigns": 4}
    return MarketSettings.model_validate({"size": size, **parts})


def without_conversion(log: Log, as_of: date) -> float:
    known = as_known(log, as_of).keywords.groupby("keyword")["conversions"].sum()
    return 1 - (known > 0).sum() / len(log.market.keywords)


def assert_same(one: Log, other: Log) -> None:
    for part in ("rows", "orders"):
        ours, theirs = getattr(one, part), getattr(other, part)
        for field in fields(ours):
            assert np.array_equal(getattr(ours, field.name), getattr(theirs, field.name))
    assert np.array_equal(one.bids, other.bids)


def test_the_shipped_default_market_equals_the_defaults() -> None:
    assert load_market(CONFIGS) == MarketSettings()


def test_the_same_seed_gives_the_same_market_and_days_to_the_bit() -> None:
    markets = [make_market(small(), START, np.random.default_rng(3)) for _ in range(2)]
    pd.testing.assert_frame_equal(markets[0].truth, markets[1].truth, check_exact=True)
    pd.testing.assert_frame_equal(markets[0].terms, markets[1].terms, check_exact=True)
    logs = [
        simulate_days(market, market.start_bids, START, 20, np.random.default_rng(4))
        for market in markets
    ]
    assert_same(*logs)


def test_day_by_day_equals_all_days_at_once() -> None:
    market = make_market(small(), START, np.random.default_rng(3))
    rng = np.random.default_rng(5)
    days = [START + timedelta(days=i) for i in range(5)]
    stepped = join_logs([simulate_day(market, market.start_bids, day, rng) for day in days])
    at_once = simulate_days(market, market.start_bids, START, 5, np.random.default_rng(5))
    assert_same(stepped, at_once)


def test_searches_do_not_depend_on_bids() -> None:
    market = make_market(small(), START, np.random.default_rng(3))
    high = [
        simulate_day(market, market.start_bids * factor, START, np.random.default_rng([9, 0]))
        for factor in (50.0, 100.0)
    ]
    searches = [np.bincount(log.rows.term, log.rows.eligible, len(market.terms)) for log in high]
    both = (searches[0] > 0) & (searches[1] > 0)
    assert both.any()
    assert np.array_equal(searches[0][both], searches[1][both])


def test_five_in_six_keywords_bring_no_conversion_in_sixty_days(
    default_log: Log, end: date
) -> None:
    assert 0.80 <= without_conversion(default_log, end) <= 0.86


def test_conversions_known_grow_until_refunds_take_some_back(default_log: Log, end: date) -> None:
    first = pd.Timestamp(START + timedelta(days=10))
    sums = []
    for wait in (0, 3, 10, 30, 48):
        rows = as_known(default_log, START + timedelta(days=11 + wait)).keywords
        sums.append(rows.loc[rows["day"] == first, ["clicks", "conversions", "value_micros"]].sum())
    known = pd.DataFrame(sums)
    assert (known["clicks"] == known["clicks"].iloc[0]).all()
    assert known["conversions"].iloc[:3].is_monotonic_increasing
    assert known["conversions"].iloc[2] > known["conversions"].iloc[0]


def test_without_delay_refunds_only_reduce_what_is_known() -> None:
    orders = {"delay_median_days": 1e-6, "refund_share": 0.5, "cvr_median": 0.3}
    market = make_market(small(orders=orders), START, np.random.default_rng(1))
    log = simulate_days(market, market.start_bids, START, 5, np.random.default_rng(2))
    waits = (5, 8, 15, 60)
    sums = [as_known(log, START + timedelta(days=w)).keywords["conversions"].sum() for w in waits]
    assert sums == sorted(sums, reverse=True)
    assert sums[-1] == pytest.approx(log.orders.credit[log.orders.refund_after < 0].sum())


def test_terms_sum_to_their_keywords(default_log: Log, end: date) -> None:
    known = as_known(default_log, end)
    names = ["impressions", "clicks", "cost_micros", "conversions", "value_micros"]
    by_keyword = known.terms.groupby(["day", "keyword"])[names].sum().reset_index()
    pd.testing.assert_frame_equal(by_keyword[names], known.keywords[names])
    assert (known.keywords["impressions"] > 0).all()


def test_no_click_costs_more_than_its_bid(default_log: Log, end: date) -> None:
    rows = as_known(default_log, end).keywords.dropna(subset="bid")
    assert (rows["cost_micros"] <= np.round(rows["clicks"] * rows["bid"] * 1e6)).all()


def test_higher_bids_buy_more_clicks_at_higher_prices(default_log: Log) -> None:
    market = default_log.market
    now, higher = market.expected_day(market.start_bids), market.expected_day(market.start_bids * 2)
    manual = ~market.automated
    assert (higher["clicks"] >= now["clicks"]).all()
    assert (higher["clicks"] > now["clicks"])[manual].mean() > 0.95
    cpc = [day["cost"] / day["clicks"] for day in (now, higher)]
    assert (cpc[1] >= cpc[0] - 1e-9)[manual].all()
    assert (higher.loc[market.automated] == now.loc[market.automated]).all(axis=None)


@settings(max_examples=15, deadline=None)
@given(bid=st.floats(0.06, 50), shift=st.floats(0.01, 2))
def test_response_rises_with_the_bid(bid: float, shift: float) -> None:
    market = make_market(small(), START, np.random.default_rng(8))
    bids = np.full(60, bid)
    low, high = market.expected_day(bids), market.expected_day(bids * (1 + shift))
    assert (high["cost"] >= low["cost"] * (1 - 1e-9)).all()
    manual = ~market.automated
    assert (low["cost"] <= low["clicks"] * bids * (1 + 1e-9))[manual].all()


def test_lived_days_agree_with_the_expected_day() -> None:
    calm = {"day_shock_sd": 0, "campaign_shock_sd": 0, "keyword_shock_cv": 0, "season_amplitude": 0}
    flat = {"weekday": [1.0] * 7}
    parts = {"demand": {**calm, **flat, "median": 50}, "rivals": {"drift_sd": 0}}
    market = make_market(
        small(budgets={"capped_campaigns": 0}, **parts), START, np.random.default_rng(1)
    )
    log = simulate_days(market, market.start_bids, START, 28, np.random.default_rng(2))
    expected = market.expected_day(market.start_bids)
    assert log.rows.clicks.sum() / 28 == pytest.approx(expected["clicks"].sum(), rel=0.02)
    assert log.rows.cost_micros.sum() / 28e6 == pytest.approx(expected["cost"].sum(), rel=0.03)


def test_weekday_pattern_is_visible(default_log: Log, end: date) -> None:
    rows = as_known(default_log, end).keywords
    weekday = rows["day"].dt.day_of_week
    clicks = rows.groupby(weekday)["impressions"].sum() / 60 * 7
    assert clicks[[5, 6]].mean() < 0.85 * clicks[[0, 1, 2]].mean()


def test_a_keyword_that_is_off_gets_nothing() -> None:
    market = make_market(small(), START, np.random.default_rng(2))
    log = simulate_days(market, np.zeros(60), START, 3, np.random.default_rng(2))
    assert len(log.rows.term) == 0
    assert as_known(log, START + timedelta(days=3)).keywords.empty


def test_daily_budgets_are_never_exceeded(default_log: Log, end: date) -> None:
    market, rows = default_log.market, as_known(default_log, end).keywords
    campaign = market.keyword_campaign[rows["keyword"]]
    cost = rows.groupby([campaign, rows["day"]])["cost_micros"].sum().groupby(level=0).max() / 1e6
    assert (cost <= market.campaign_budgets + 1e-9).all()
    capped = np.isfinite(market.campaign_budgets)
    assert capped.sum() == 1
    assert (rows.loc[capped[campaign], "lost_is_budget"] > 0).mean() > 0.2


def test_best_bids_beat_any_common_multiple_of_the_start_bids(default_log: Log) -> None:
    market = default_log.market
    best = market.best_bids()
    free = ~market.automated
    for multiple in (0.5, 0.8, 1.0, 1.25, 2.0):
        day = market.expected_day(market.start_bids * multiple)
        assert best["profit"][free].sum() > day["profit"][free].sum()
    assert market.best_bids(line=2.0)["cost"].sum() < best["cost"].sum()


def test_names_are_unique_and_within_platform_limits(default_log: Log) -> None:
    keywords, terms = default_log.market.keywords, default_log.market.terms
    assert not keywords.duplicated(["ad_group_id", "keyword_text", "match_type"]).any()
    assert not keywords.duplicated("keyword_id").any()
    groups = keywords[["campaign_name", "ad_group_id", "ad_group_name"]].drop_duplicates()
    assert not groups.duplicated(["campaign_name", "ad_group_name"]).any()
    assert keywords["keyword_text"].str.len().max() <= 80
    assert keywords["keyword_text"].str.split().str.len().max() <= 10
    owner = terms.merge(
        keywords[["ad_group_id", "keyword_text"]], left_on="keyword", right_index=True
    )
    key = ["ad_group_id", "keyword_text", "search_term", "term_match_type"]
    assert not owner.duplicated(key).any()


@pytest.mark.parametrize(
    "size",
    [
        {"keywords": 20, "ad_groups": 2, "campaigns": 1},
        {"keywords": 3000, "ad_groups": 2, "campaigns": 2},
        {"keywords": 1, "ad_groups": 1, "campaigns": 1},
        {"keywords": 90, "ad_groups": 90, "campaigns": 45},
    ],
)
def test_markets_of_any_size_have_unique_names(size: dict[str, int]) -> None:
    generic = {"brand_campaigns": 0, "competitor_campaigns": 0, "automated_campaigns": 0}
    terms = {"exact": 2, "phrase": 15, "broad": 15}
    parsed = MarketSettings.model_validate({"size": {**size, **generic}, "terms": terms})
    market = make_market(parsed, START, np.random.default_rng(1))
    names = market.keywords.drop_duplicates(
        ["campaign_name", "ad_group_name", "keyword_text", "match_type"]
    )
    assert len(names) == size["keywords"] == market.truth["cvr"].count()
    assert not market.terms.duplicated(["keyword", "search_term"]).any()
    log = simulate_days(market, market.start_bids, START, 2, np.random.default_rng(1))
    assert log.days == 2


def test_terms_average_to_their_keyword(default_log: Log) -> None:
    truth, terms = default_log.market.truth, default_log.market.term_truth
    share = terms.groupby("keyword")["share"].sum()
    cvr = (terms["share"] * terms["cvr"]).groupby(terms["keyword"]).sum()
    assert np.allclose(share, 1)
    assert np.allclose(cvr, truth["cvr"], rtol=1e-6)


def test_reports_hold_no_truth(default_log: Log, end: date) -> None:
    known = as_known(default_log, end)
    hidden = {"cvr", "order_value", "value_per_click", "price_log_median", "volume", "ctr_top"}
    market = default_log.market
    for frame in (known.keywords, known.terms, market.keywords, market.terms):
        assert not hidden & set(frame.columns)


def test_newest_bid_and_status_are_those_before_the_download() -> None:
    market = make_market(small(), START, np.random.default_rng(2))
    bids = np.tile(np.full(60, 1.0), (3, 1))
    bids[1, 0], bids[2, 0], bids[2, 1] = 1.5, 0.0, 2.0
    log = simulate_days(market, bids, START, 3, np.random.default_rng(2))
    known = bids_known(log, START + timedelta(days=3))
    assert known["bid"].iloc[:2].tolist() == [1.5, 2.0]
    assert known["status"].iloc[:2].tolist() == ["PAUSED", "ENABLED"]
    assert bids_known(log, START + timedelta(days=1))["bid"].iloc[0] == 1.0


def test_a_day_outside_the_market_is_refused_by_name() -> None:
    market = make_market(small(), START, np.random.default_rng(2))
    with pytest.raises(Infeasible, match="day_outside_market"):
        simulate_days(
            market, market.start_bids, START - timedelta(days=1), 1, np.random.default_rng(1)
        )


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": {"keywords": 3}},
        {"size": {"brand_campaigns": 9}},
        {"size": {"exact_share": 0.8, "phrase_share": 0.8}},
        {"rivals": {"least": 2}},
        {"demand": {"weekday": [1.0, 1.0]}},
        {"demnad": {}},
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadSettings):
        parse_model(wrong, MarketSettings)


def test_campaign_sums_equal_those_of_their_keywords(default_log: Log) -> None:
    as_of = START + timedelta(days=40)
    rows = as_known(default_log, as_of).keywords
    campaigns = campaign_days_known(default_log, as_of)
    names = default_log.market.keywords["campaign_name"].take(rows["keyword"]).to_numpy()
    by_name = rows.groupby([names, rows["day"]])["conversions"].sum()
    ours = campaigns.set_index(["campaign_name", "day"])["conversions"]
    assert len(ours) == len(by_name)
    assert np.allclose(ours.sort_index(), by_name.sort_index())
    assert campaigns["value"].sum() == pytest.approx(rows["value_micros"].sum() / 1e6)
