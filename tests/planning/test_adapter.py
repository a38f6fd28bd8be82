"""Our policy in somebody else's simulator: rows in, bids out."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from optimizer.errors import RefusedInput
from optimizer.planning.adapter import BidAdapter
from optimizer.planning.history import MarketHistory
from optimizer.planning.market import Market, MarketSettings, make_market, simulate_day
from optimizer.planning.market.expectation import best_bids_on, expected_on
from optimizer.planning.policies.reviewing import followed
from optimizer.planning.policies.settings import AUTOPILOT
from optimizer.planning.short_chain import Days, Reach, believe, one_ad_group, solve_bids
from optimizer.review.daily import review_account
from optimizer.settings import Account, LagPrior, find_configs
from optimizer.tables import VERSIONS, empty_table

MONDAY = date(2026, 5, 4)
SIZE = {"keywords": 40, "ad_groups": 1, "campaigns": 1, "automated_campaigns": 0}
SIZE |= {"brand_campaigns": 0, "competitor_campaigns": 0}


def market_of(scale: float = 1.0) -> Market:
    told = {
        "size": SIZE,
        "demand": {"median": 80},
        "rivals": {"reserve": 0.01},
        "orders": {
            "margin": 1.0, "value_median": 60 * scale, "delay_median_days": 1e-6, "refund_share": 0,
        },
        "budgets": {"capped_campaigns": 0},
    }  # fmt: skip
    return make_market(MarketSettings.model_validate(told), MONDAY, np.random.default_rng(5))


def rows_of(market: Market, bids: np.ndarray, number: int) -> list[dict[str, float]]:
    """What a simulator would tell of one day."""
    today = market.first_day + timedelta(days=number)
    log = simulate_day(market, bids, today, np.random.default_rng([9, number]))
    sums = MarketHistory(market, today + timedelta(days=1), bids, [log]).sums(1)
    return [
        {
            "day": number,
            "keyword_id": place,
            "bid": bids[place],
            "impressions": sums.impressions[place],
            "clicks": sums.clicks[place],
            "cost": sums.cost[place],
            "conversions": sums.conversions[place],
            "revenue": sums.value[place],
        }
        for place in range(len(bids))
    ]


def played(market: Market, adapter: BidAdapter, days: int) -> list[np.ndarray]:
    bids = [adapter.step(None)]
    for number in range(days):
        bids.append(adapter.step(rows_of(market, bids[-1], number)))
    return bids


def records(bid: float = 0.1, clicks: float = 0.0, **changed: float) -> list[dict[str, float]]:
    one = {"day": 0, "bid": bid, "impressions": 10.0, "clicks": clicks, "cost": bid * clicks}
    return [
        {**one, "conversions": 0.0, "revenue": 0.0, **changed, "keyword_id": place}
        for place in range(3)
    ]


def test_the_first_day_has_one_bid_for_all() -> None:
    assert BidAdapter(3, None, 1).step(None).tolist() == [0.1] * 3
    assert BidAdapter(3, 20.0, 1, starting_bid=2.5).step(None).tolist() == [2.5] * 3


def test_it_earns_from_nothing_whatever_the_scale_of_prices() -> None:
    for scale in (0.05, 1.0, 20.0):
        market = market_of(scale)
        bids = played(market, BidAdapter(40, None, 1), 25)
        last = MONDAY + timedelta(days=25)
        best = expected_on(market, best_bids_on(market, last), last).profit.sum()
        assert expected_on(market, bids[-1], last).profit.sum() > 0.4 * best
        total = sum(
            expected_on(market, one, MONDAY + timedelta(days=day)).profit.sum()
            for day, one in enumerate(bids)
        )
        assert total > 0


def test_the_same_rows_give_the_same_bids_in_any_form() -> None:
    market = market_of()
    ours, same, framed = (BidAdapter(40, None, 1) for _ in range(3))
    bids = ours.step(None)
    for number in range(6):
        rows = rows_of(market, bids, number)
        mixed = pd.DataFrame(rows).sample(frac=1, random_state=number)
        bids = ours.step(rows)
        assert np.array_equal(bids, same.step(rows))
        if number:
            assert np.array_equal(bids, framed.step(mixed))
        else:
            framed.step(mixed)


def test_names_keep_the_order_of_the_first_records() -> None:
    adapter = BidAdapter(3, None, 1)
    first = [{**row, "keyword_id": name} for row, name in zip(records(), "cab", strict=True)]
    adapter.step(first)
    dear = {"c": 1.0, "a": 2.0, "b": 3.0}
    bids = adapter.step(
        [{**row, "bid": dear[row["keyword_id"]], "clicks": 1.0} for row in first[::-1]]
    )
    assert bids.tolist() == [1.0, 2.0, 3.0]


def test_bids_climb_while_nobody_clicks_and_fall_while_nothing_sells() -> None:
    adapter = BidAdapter(3, None, 1)
    assert adapter.step(records()).tolist() == [0.3] * 3
    assert adapter.step(records(bid=0.3, clicks=5.0)).tolist() == [0.3] * 3
    assert (adapter.step(records(bid=0.3, clicks=30.0)) < 0.3).all()


def test_a_budget_that_is_always_spent_brings_bids_down() -> None:
    free, short = BidAdapter(3, None, 1), BidAdapter(3, 10.0, 1)
    rows = records(bid=1.0, clicks=5.0, cost=4.0, conversions=1.0, revenue=12.0)
    for _ in range(4):
        rich, poor = free.step(rows), short.step(rows)
    assert (poor < rich).all()
    assert (poor < 1.0).all()


def test_bids_that_bring_no_more_clicks_stop_at_what_a_click_is_worth() -> None:
    """Every auction is won at half a unit from the start; a click brings three."""
    adapter, bids = BidAdapter(3, None, 1), np.full(3, 2.0)
    for _ in range(40):
        won = records(clicks=10.0, cost=5.0, conversions=1.0, revenue=30.0)
        bids = adapter.step([{**row, "bid": bid} for row, bid in zip(won, bids, strict=True)])
    assert (bids < 1.5 * 3.0).all()
    assert (bids > 2.0).all()


def test_without_a_budget_bids_go_at_once_where_a_click_is_surely_worth_more() -> None:
    """A click brings 30; a bid of .5 is far below, and the fastest step would reach 1."""
    sold = records(bid=0.5, clicks=200.0, cost=80.0, conversions=60.0, revenue=6000.0)
    free, short = BidAdapter(3, None, 1), BidAdapter(3, 1e6, 1)
    assert ((free.step(sold) > 10.0) & (free.step(sold) < 40.0)).all()
    assert (short.step(sold) <= 1.0).all()


def test_thousands_of_days_do_not_slow_it_down_without_end() -> None:
    adapter = BidAdapter(3, None, 1)
    for _ in range(200):
        bids = adapter.step(records(bid=1.0, clicks=2.0, conversions=1.0, revenue=3.0))
    assert np.isfinite(bids).all()
    assert len(adapter._past) == 180


@pytest.mark.parametrize("budget", [0, -5, float("nan"), float("inf")])
def test_a_budget_that_is_none_is_refused(budget: float) -> None:
    with pytest.raises(RefusedInput) as refused:
        BidAdapter(3, budget, 1)
    assert refused.value.fields["name"] == "daily_budget"


@pytest.mark.parametrize(
    ("rows", "column"),
    [
        (records()[:2], "keyword_id"),
        ([*records()[:2], records()[0]], "keyword_id"),
        (records(clicks=-1.0), "clicks"),
        (records(revenue=float("nan")), "revenue"),
        (records(cost="dear"), "cost"),
        ([{"keyword_id": place} for place in range(3)], "bid"),
        (records() + records(), "keyword_id"),
    ],
)
def test_rows_that_are_none_are_refused_by_column(
    rows: list[dict[str, float]], column: str
) -> None:
    with pytest.raises(RefusedInput) as refused:
        BidAdapter(3, None, 1).step(rows)
    assert refused.value.code == "records_invalid"
    assert refused.value.fields["column"] == column


def test_the_short_chain_bids_as_the_review_does() -> None:
    """On the same days; the review also knows weekdays and may pause."""
    market, days = market_of(), 14
    logs = [
        simulate_day(
            market, market.start_bids, MONDAY + timedelta(days=i), np.random.default_rng(i)
        )
        for i in range(days)
    ]
    today = MONDAY + timedelta(days=days)
    history = MarketHistory(market, today, market.start_bids, logs)
    inputs = history.inputs(None)
    assert inputs is not None
    daily = inputs.daily.drop(columns=["impression_share", "lost_is_budget"])
    keywords = inputs.keywords.assign(last_change=pd.NaT, first_page_bid=np.nan)
    keywords["last_change"] = keywords["last_change"].astype("datetime64[s]")
    inputs = replace(inputs, daily=daily, keywords=keywords, versions=empty_table(VERSIONS))
    account = Account(margin=1.0, daily_budget=1e9, lag_prior=LagPrior(day0=1.0))
    shipped = find_configs().settings("market")
    told = shipped.model_copy(update={"account": account, "guardrails": AUTOPILOT})
    result = review_account(inputs, told, today, np.random.default_rng(0))
    reviewed = followed(market.start_bids, result)
    columns = ("impressions", "clicks", "cost", "conversions", "value")
    table = Days(
        daily["entity_key"].to_numpy(dtype=np.int64) - 1,
        daily["first_day"].to_numpy().astype("datetime64[D]").astype(np.int64),
        market.start_bids[daily["entity_key"].to_numpy(dtype=np.int64) - 1],
        *(daily[name].to_numpy(dtype=np.float64) for name in columns),
        np.ones(len(daily)),
    )
    now = int(np.datetime64(today, "D").astype(np.int64))
    believed = believe(table, market.start_bids, now, one_ad_group(40), told.estimation)
    short = solve_bids(believed, None, Reach(0.4, 0.4, 0.01, 1000.0), AUTOPILOT)
    on = reviewed > 0
    assert on.sum() >= 30
    assert np.abs(np.log(short[on] / reviewed[on])).mean() < 0.03
    moved = on & (np.abs(reviewed / market.start_bids - 1) > 0.1)
    assert (np.sign(short - market.start_bids) == np.sign(reviewed - market.start_bids))[
        moved
    ].all()
