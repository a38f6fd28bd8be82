"""The shipped markets, and what the default one does not use: events, hourly budgets, quantiles, creatives."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from optimizer.errors import BadSettings
from optimizer.planning.market import (
    Log,
    MarketSettings,
    as_known,
    creatives_known,
    load_market_file,
    make_market,
    simulate_day,
    simulate_days,
)
from optimizer.planning.market.expectation import best_bids_on, earned, expected_on, realised
from optimizer.planning.market.records import NEVER

START = date(2026, 5, 4)
FILES = sorted((Path(__file__).parents[2] / "configs" / "markets").glob("*.yaml"))
SIZE = {"keywords": 80, "ad_groups": 6, "campaigns": 3, "automated_campaigns": 0}


def market_of(**parts: object):
    settings = MarketSettings.model_validate({"size": SIZE, **parts})
    return make_market(settings, START, np.random.default_rng(3))


def lived(days: int = 20, **parts: object) -> Log:
    market = market_of(**parts)
    return simulate_days(market, market.start_bids, START, days, np.random.default_rng(4))


def test_eight_markets_are_shipped() -> None:
    names = {"default", "sparse", "dense", "tight_budget", "drifting", "event_618"}
    assert {path.stem for path in FILES} == names | {"brand_dominated", "small_shop"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shipped_market_says_what_it_models_and_can_be_lived(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").split("\n\n")[0]) > 150
    market = make_market(load_market_file(path), START, np.random.default_rng(0))
    log = simulate_day(market, market.start_bids, START, np.random.default_rng(0))
    best = best_bids_on(market, START)
    assert log.rows.clicks.sum() > 0
    assert expected_on(market, best, START).profit.sum() > 0


def test_five_in_six_keywords_of_the_sparse_market_never_convert() -> None:
    path = next(path for path in FILES if path.stem == "sparse")
    market = make_market(load_market_file(path), START, np.random.default_rng(1))
    log = simulate_days(market, market.start_bids, START, 60, np.random.default_rng(1))
    known = as_known(log, START + timedelta(days=60)).keywords
    orders = known.groupby("keyword")["conversions"].sum()
    assert 0.78 <= 1 - (orders > 0).sum() / len(market.keywords) <= 0.88


def test_an_hourly_budget_is_never_passed_and_ends_the_day() -> None:
    budgets = {"hourly": True, "account_share": 0.4, "capped_campaigns": 1, "capped_share": 0.3}
    log = lived(budgets=budgets, demand={"median": 20})
    rows, market = log.rows, log.market
    campaign = market.keyword_campaign[market.term_truth["keyword"].to_numpy()[rows.term]]
    cost = np.zeros((log.days, 3))
    np.add.at(cost, (rows.day, campaign), rows.cost_micros / 1e6)
    assert (cost <= market.campaign_budgets).all()
    assert (cost.sum(axis=1) <= market.account_budget).all()
    assert cost.sum(axis=1).mean() > 0.95 * market.account_budget
    assert ((log.served < 1).all(axis=1)).mean() > 0.9


def test_hours_move_orders_only_where_the_day_ends_early() -> None:
    evening = [0.5] * 18 + [2.5] * 6
    parts = {"demand": {"median": 40}, "orders": {"hours": evening}}
    whole = lived(**parts, budgets={"hourly": True, "capped_campaigns": 0})
    short = lived(**parts, budgets={"hourly": True, "account_share": 0.5, "capped_campaigns": 0})
    term_cvr = whole.market.term_truth["cvr"].to_numpy()
    per_click = []
    for log in (whole, short):
        expected = term_cvr[log.rows.term] * log.market.weather.cvr[log.rows.day]
        per_click.append((log.rows.clicks * log.rows.chance).sum() / (log.rows.clicks @ expected))
    assert per_click[0] == pytest.approx(1, abs=0.03)
    assert per_click[1] == pytest.approx(0.5, abs=0.05)


def test_an_event_warms_up_bursts_and_slumps() -> None:
    event = {
        "name": "618", "start": "05-14", "end": "05-15", "warmup_days": 3, "after_days": 2,
        "volume": {"warmup": 1.5, "burst": 3.0, "after": 0.5},
        "cvr": {"burst": 2.0}, "rivals": {"burst": 1.4},
    }  # fmt: skip
    plain, moved = market_of().weather, market_of(events=[event]).weather
    ratio = (moved.volume / plain.volume)[0, :15]
    assert ratio == pytest.approx([1.0] * 7 + [1.5] * 3 + [3.0] * 2 + [0.5] * 2 + [1.0])
    assert (moved.cvr / plain.cvr)[[9, 10, 12]] == pytest.approx([1, 2, 1])
    assert (moved.rivals - plain.rivals)[0, [9, 10, 12]] == pytest.approx([0, np.log(1.4), 0])


def test_quantiles_of_rivals_prices_bound_what_a_click_costs() -> None:
    quantiles = [0.5, 0.8, 1.0, 1.3, 2.0]
    market = market_of(rivals={"price_quantiles": quantiles, "quality_sd": 0})
    day = market.expected_day(np.full(80, 1e4))
    highest = np.exp(market.truth["price_log_median"].to_numpy()) * 2.0
    assert (day["cost"] <= day["clicks"] * highest * (1 + 1e-9)).all()
    bids = np.exp(market.truth["price_log_median"].to_numpy()) * 0.49
    assert (market.expected_day(bids)["impressions"] < 1e-9).all()


def test_creatives_share_out_what_their_keywords_brought() -> None:
    log = lived(creatives={"per_ad_group": 3, "ctr_sd": 0.4}, demand={"median": 30})
    day = START + timedelta(days=15)
    rows, keywords = creatives_known(log, day), as_known(log, day).keywords
    names = ["impressions", "clicks", "cost_micros", "conversions", "value_micros"]
    by_day = rows.groupby("day")[names].sum()
    assert np.allclose(by_day, keywords.groupby("day")[names].sum())
    assert (rows["clicks"] <= rows["impressions"]).all()
    sums = rows.groupby("creative")[["impressions", "clicks"]].sum()
    ctr = (sums["clicks"] / sums["impressions"]).to_numpy().reshape(-1, 3)
    truth = log.market.creative_truth["ctr"].to_numpy().reshape(-1, 3)
    assert np.corrcoef((ctr / ctr.mean(axis=1, keepdims=True)).ravel(), truth.ravel())[0, 1] > 0.8
    pd.testing.assert_frame_equal(rows, creatives_known(log, day))


def test_without_chance_what_was_earned_is_what_was_expected() -> None:
    log = lived(28, demand={"median": 60, "keyword_shock_cv": 0}, budgets={"capped_campaigns": 0})
    days = [START + timedelta(days=i) for i in range(28)]
    expected = sum(expected_on(log.market, log.market.start_bids, day).profit.sum() for day in days)
    assert earned(log).sum() == pytest.approx(expected, rel=0.1)
    luck = 0.15 * float(log.orders.value_micros[log.orders.refund_after == NEVER].sum()) / 1e6
    assert abs(realised(log).sum() - earned(log).sum()) < luck


def test_the_best_bids_beat_others_and_keep_the_budget() -> None:
    market = market_of(budgets={"hourly": True, "account_share": 0.4})
    best = best_bids_on(market, START)
    found = expected_on(market, best, START)
    assert found.cost.sum() <= market.account_budget
    for factor in (0.7, 0.9, 1.1, 1.4):
        assert found.profit.sum() > expected_on(market, best * factor, START).profit.sum()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("demand: {median: -1}", "demand.median"),
        ("rivals: {price_quantiles: [1, 0.5, 2]}", "rivals"),
        ("budgets: {account_share: 0.5}", "budgets"),
        ("budgets: {capped_share: 0}", "budgets.capped_share"),
        ("orders: {cvr_median: 1.5}", "orders.cvr_median"),
        ("demand: {hours: [1, 2]}", "demand.hours"),
        ("demand: {median: .nan}", "demand.median"),
        ("events: [{name: x, start: '13-40', end: '13-41'}]", "events.0"),
        ("events: [{name: x, start: '06-18', end: '06-01'}]", "events.0"),
        ("events: [{name: x, start: '06-01', end: '06-18', volume: {burst: 0}}]", "events.0.volume.burst"),
        ("creatives: {ctr_cvr: -2}", "creatives.ctr_cvr"),
        ("wheather: {}", "wheather"),
    ],
)  # fmt: skip
def test_an_impossible_market_is_refused_by_name(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadSettings) as refused:
        load_market_file(path)
    assert refused.value.code == "settings_invalid"
    assert refused.value.fields["key"] == key
    assert refused.value.fields["file"] == str(path)
