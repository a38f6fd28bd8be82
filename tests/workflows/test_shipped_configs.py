from optimizer.settings import Configs, Estimation, Exploration, Guardrails, LagPrior
from tests.workflows.shop_account import CONFIGS

SHIPPED = Configs(CONFIGS)


def test_guardrails_and_estimation_state_the_defaults() -> None:
    assert SHIPPED.guardrails == Guardrails()
    stated = SHIPPED.estimation
    assert stated.model_copy(update={"lag_priors": {}}) == Estimation()
    assert stated.lag_priors["google_ads"] == LagPrior()


def test_exploration_states_the_defaults() -> None:
    assert SHIPPED.exploration == Exploration()


def test_every_bid_limit_is_a_range_on_its_step() -> None:
    settings = SHIPPED.settings("demo")
    for by_currency in settings.bid_limits.values():
        for limit in by_currency.values():
            assert 0 < limit.step <= limit.minimum < limit.maximum
            assert limit.minimum % limit.step == limit.maximum % limit.step == 0
            assert limit.source


def test_the_demo_account_is_fully_stated() -> None:
    account = SHIPPED.account("demo")
    assert (account.currency, account.time_zone) == ("CNY", "Asia/Shanghai")
    assert account.daily_budget
    assert account.margin
    assert account.segments.brand
