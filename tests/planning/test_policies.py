from datetime import date, timedelta

import numpy as np
import pytest

from optimizer.errors import RefusedInput
from optimizer.planning.history import MarketHistory
from optimizer.planning.lives import lived
from optimizer.planning.market import Market, MarketSettings, make_market, simulate_days
from optimizer.planning.policies import POLICIES, RULES, Optimizer, PolicySettings, make_policy
from optimizer.planning.policies.reviewing import followed
from optimizer.planning.policies.rules import (
    AcosRule,
    AverageRoas,
    FixedBid,
    GroupBlend,
    PauseWorst,
)
from optimizer.planning.policies.settings import load_policy_settings
from optimizer.review.daily import review_account
from optimizer.settings import Settings, find_configs

MONDAY = date(2026, 5, 4)
SIZE = {"keywords": 24, "ad_groups": 3, "campaigns": 2, "automated_campaigns": 1}
SIZE |= {"brand_campaigns": 0, "competitor_campaigns": 0}
RNG = np.random.default_rng(0)


def market_of(**parts: object) -> Market:
    told = {"size": SIZE, "demand": {"median": 60}, "orders": {"cvr_median": 0.06}, **parts}
    return make_market(MarketSettings.model_validate(told), MONDAY, np.random.default_rng(5))


def known(market: Market, days: int = 14) -> MarketHistory:
    """What is known on a Monday after `days` days at the start bids."""
    log = simulate_days(market, market.start_bids, MONDAY, days, np.random.default_rng(6))
    return MarketHistory(market, MONDAY + timedelta(days=days), market.start_bids, [log])


@pytest.fixture(scope="module")
def history() -> MarketHistory:
    return known(market_of())


@pytest.fixture(scope="module")
def settings() -> Settings:
    return find_configs().settings("market")


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_lives_and_leaves_the_platforms_bids_alone(
    name: str, settings: Settings
) -> None:
    market = market_of()
    log = lived(market, make_policy(name, market, settings, PolicySettings()), 9, seed=1)
    on = log.bids[:, market.automated] > 0
    assert (
        log.bids[:, market.automated][on]
        == np.tile(market.start_bids, (9, 1))[:, market.automated][on]
    ).all()
    assert log.rows.clicks.sum() > 0


def test_an_unknown_policy_is_refused_with_those_that_are_known(settings: Settings) -> None:
    with pytest.raises(RefusedInput) as refused:
        make_policy("best", market_of(), settings, PolicySettings())
    assert refused.value.code == "policy_unknown"
    assert "group_blend" in refused.value.fields["known"]


def test_sums_are_those_of_the_days_asked_for_as_known_today(history: MarketHistory) -> None:
    market = history.market
    logs = [
        simulate_days(
            market, market.start_bids, MONDAY + timedelta(days=i), 1, np.random.default_rng(i)
        )
        for i in range(4)
    ]
    told = MarketHistory(market, MONDAY + timedelta(days=4), market.start_bids, logs)
    last = told.sums(2)
    assert last.clicks.sum() == sum(log.rows.clicks.sum() for log in logs[2:])
    assert 0 < last.conversions.sum() < sum(log.orders.credit.sum() for log in logs[2:])


def test_acos_rule_bids_a_share_of_revenue_per_click_within_reach(history: MarketHistory) -> None:
    bids, now = AcosRule().decide(history, history.today, RNG), history.bids
    sums, free = history.sums(30), history.movable
    wanted = 0.7 * 0.45 * sums.value / np.maximum(sums.clicks, 1)
    inside = free & (sums.clicks > 0) & (wanted > now * 0.71) & (wanted < now * 1.29)
    assert inside.any()
    assert bids[inside] == pytest.approx(np.maximum(np.round(wanted[inside], 2), 0.05))
    assert (bids[free] >= np.minimum(now * 0.7, 0.05)[free] - 0.005).all()
    assert (bids[free] <= now[free] * 1.3 + 0.005).all()


def test_rules_rest_until_monday(history: MarketHistory) -> None:
    tuesday = history.today + timedelta(days=1)
    for rule in (AcosRule(), AverageRoas(), GroupBlend(), PauseWorst()):
        assert np.array_equal(rule.decide(history, tuesday, RNG), history.bids)


def test_a_blend_with_the_group_spares_a_keyword_without_orders(history: MarketHistory) -> None:
    sums, free = history.sums(30), history.movable
    unlucky = free & (sums.conversions == 0) & (sums.clicks > 0) & (sums.clicks < 20)
    assert unlucky.any()
    blend = GroupBlend().decide(history, history.today, RNG)
    alone = AcosRule().decide(history, history.today, RNG)
    assert (blend[unlucky] >= alone[unlucky]).all()
    assert (blend[unlucky] > alone[unlucky]).any()


def test_average_roas_raises_what_returns_and_lowers_what_loses(history: MarketHistory) -> None:
    bids, sums = AverageRoas().decide(history, history.today, RNG), history.sums(30)
    returned = 0.45 * sums.value / np.maximum(sums.cost, 1e-9)
    free = history.movable & (sums.cost > 0) & (history.bids > 0.5)
    assert (bids > history.bids)[free & (returned > 1.3)].all()
    assert (bids < history.bids)[free & (returned < 1)].all()


def test_pause_worst_stops_only_what_cost_much_without_an_order(history: MarketHistory) -> None:
    bids, sums = PauseWorst(patience=0.2).decide(history, history.today, RNG), history.sums(30)
    stopped = bids == 0
    assert stopped.any()
    assert (sums.conversions[stopped] == 0).all()
    limit = 0.2 * 0.45 * sums.value.sum() / sums.conversions.sum()
    assert sums.cost[stopped].min() >= limit


def test_fixed_bid_is_one_bid_for_all(history: MarketHistory) -> None:
    bids = FixedBid().decide(history, history.today, RNG)
    assert len(set(bids[history.movable])) == 1


def test_the_optimizer_sets_exactly_what_the_review_proposes(
    history: MarketHistory, settings: Settings
) -> None:
    policy = Optimizer(settings, PolicySettings(early_days=(1,)))
    policy.decide(history, MONDAY, RNG)
    log = history.logs[0]
    days = [simulate_days(history.market, history.bids, MONDAY, 1, np.random.default_rng(6))]
    told = MarketHistory(history.market, MONDAY + timedelta(days=1), history.bids, days)
    bids = policy.decide(told, told.today, np.random.default_rng(1))
    inputs = told.inputs(np.zeros((1, 24), dtype=bool))
    assert inputs is not None
    account = told.account.model_copy(update={"daily_budget": 1e9})
    given = PolicySettings().over(settings).model_copy(update={"account": account})
    result = review_account(inputs, given, told.today, np.random.default_rng(1))
    assert np.array_equal(bids, followed(told.bids, result))
    assert log.days == 14


def test_without_an_order_the_optimizer_waits_and_says_so(settings: Settings) -> None:
    market = market_of(orders={"delay_median_days": 25.0, "delay_sd": 0.1})
    policy = Optimizer(settings)
    log = lived(market, policy, 4, seed=2)
    assert (log.bids == market.start_bids).all()
    assert set(policy.refused.values()) == {"value_unknown"}
    assert policy.promises == []


def test_the_oracle_earns_more_than_any_rule(settings: Settings) -> None:
    from optimizer.planning.market.expectation import earned

    market = market_of()
    profit = {
        name: earned(
            lived(market, make_policy(name, market, settings, PolicySettings()), 15, 3)
        ).sum()
        for name in (*RULES, "oracle")
    }
    assert max(profit, key=lambda name: profit[name]) == "oracle"


def test_the_shipped_policy_settings_equal_the_defaults() -> None:
    assert load_policy_settings(find_configs()) == PolicySettings()


def test_an_account_is_reviewed_often_when_young_then_weekly() -> None:
    due = [age for age in range(30) if PolicySettings().due(age)]
    assert due == [1, 2, 3, 5, 7, 10, 14, 21, 28]


@pytest.mark.parametrize("budget", [None, 5.0])
def test_page_one_is_left_only_where_words_share_a_budget(
    budget: float | None, history: MarketHistory, settings: Settings
) -> None:
    told = Optimizer(settings).told(_WithBudget(history, budget))
    assert told.guardrails.leave_first_page is (budget is not None)


class _WithBudget(MarketHistory):
    """`history` in an account of this daily budget."""

    def __init__(self, known: MarketHistory, budget: float | None) -> None:
        super().__init__(known.market, known.today, known.bids, known.logs)
        object.__setattr__(self, "_budget", budget)

    @property
    def budget(self) -> float | None:
        return self._budget
