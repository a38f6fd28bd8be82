from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from optimizer.errors import Infeasible, RefusedInput
from optimizer.planning.lives import Life, Task, checked, live
from optimizer.planning.market import MarketSettings
from optimizer.planning.policies import PolicySettings
from optimizer.planning.scoreboard import Scoreboard, score, simulate
from optimizer.settings import find_configs

SHOP = MarketSettings.model_validate(
    {
        "size": {
            "keywords": 20, "ad_groups": 2, "campaigns": 1, "automated_campaigns": 0,
            "brand_campaigns": 0, "competitor_campaigns": 0, "horizon_days": 60,
        },
        "demand": {"median": 50},
        "budgets": {"hourly": True, "account_share": 0.7, "capped_campaigns": 0},
    }
)  # fmt: skip
SETTINGS, RULES = find_configs().settings("market"), PolicySettings()


def life(earned: list[float], **parts: object) -> Life:
    days = np.array(earned)
    none = np.empty((0, 4))
    return replace(Life(days, days, np.full(len(days), 10.0), None, 0, 0, 0, none), **parts)


def test_shares_and_regret_are_against_the_oracle_on_the_same_seeds() -> None:
    ours, best = [life([1.0] * 14), life([3.0] * 14)], [life([4.0] * 14)] * 2
    found = score(ours, best)
    assert found.profit == 28
    assert found.oracle_share == found.late_share == 0.5
    assert found.regret == (14.0, 28.0)
    assert found.worst_decile == 14


def test_worst_tenth_is_the_mean_of_the_worst_seeds() -> None:
    lives = [life([float(seed)]) for seed in range(20)]
    assert score(lives, lives).worst_decile == 0.5


def test_deepest_loss_is_the_lowest_point_on_the_way() -> None:
    realised = np.array([-5.0, -3.0, 20.0])
    assert score([life([4.0] * 3, realised=realised)], [life([4.0] * 3)]).deepest_loss == -8
    assert score([life([1.0] * 3)], [life([1.0] * 3)]).deepest_loss == 0


def test_promises_are_held_to_what_came() -> None:
    promises = np.array([[2.0, 1.0, 3.0, 2.5], [4.0, 3.0, 5.0, 1.5]])
    found = score([life([1.0], promises=promises)], [life([1.0])])
    assert found.promised_over_delivered == pytest.approx(1.5)
    assert found.coverage80 == 0.5


def test_promises_that_end_in_a_loss_keep_their_sums() -> None:
    promises = np.array([[2.0, 1.0, 3.0, -2.5], [4.0, 3.0, 5.0, 1.5]])
    found = score([life([1.0], promises=promises)], [life([1.0])])
    assert (found.promised, found.delivered, found.promised_over_delivered) == (6.0, -1.0, None)
    silent = score([life([1.0])], [life([1.0])])
    assert (silent.promised, silent.delivered) == (None, None)


def test_days_that_spent_their_budget_are_counted() -> None:
    cost = np.array([10.0, 9.95, 9.0, 0.0])
    assert score([life([1.0] * 4, cost=cost, budget=10.0)] * 2, [life([1.0] * 4)]).capped_days == 4
    assert score([life([1.0] * 4, cost=cost)], [life([1.0] * 4)]).capped_days == 0


def test_a_budget_is_used_and_breached_by_the_day() -> None:
    found = score([life([1.0] * 4, budget=8.0, breaches=4)], [life([1.0] * 4)])
    assert (found.budget_used, found.budget_breaches) == (1.25, 4)


def test_the_same_seeds_give_the_same_scores_however_they_are_spread() -> None:
    told = ({"shop": SHOP}, ["hold", "acos_rule", "optimizer"], [1, 2], 9, SETTINGS, RULES)
    heard: list[tuple[str, int, int]] = []
    with ThreadPoolExecutor(1) as executor:
        spread = simulate(*told, executor, lambda *step: heard.append(step))
    alone = simulate(*told)
    assert spread.to_json() == alone.to_json()
    assert heard[0] == ("simulate", 0, 8)
    assert heard[-1] == ("simulate", 8, 8)
    keys = {"profit", "oracle_share", "worst_decile", "budget_breaches", "promised_over_delivered"}
    assert list(alone.to_json()["shop"]) == ["hold", "acos_rule", "optimizer"]
    assert all(keys <= set(one) for one in alone.to_json()["shop"].values())


def test_a_hard_budget_is_never_breached() -> None:
    lives = [live(Task("shop", SHOP, "hold", seed, 10, SETTINGS, RULES)) for seed in range(3)]
    assert sum(one.breaches for one in lives) == 0
    assert all((one.cost <= one.budget).all() for one in lives if one.budget is not None)


def test_what_earns_more_than_ours_is_named() -> None:
    one = score([life([1.0])], [life([1.0])])
    profits = {"hold": 2.0, "optimizer": 1.0, "optimizer_explore": 3.0, "oracle": 9.0}
    scores = {name: replace(one, profit=profit) for name, profit in profits.items()}
    assert Scoreboard({"shop": scores}, (1,), 1).lost_to() == {"shop": {"optimizer": ["hold"]}}
    worse = {**scores, "hold": replace(one, profit=0.5)}
    assert Scoreboard({"shop": worse}, (1,), 1).lost_to() == {"shop": {}}


@pytest.mark.parametrize(
    ("policies", "seeds", "days", "code"),
    [
        (["nobody"], [1], 5, "policy_unknown"),
        (["hold"], [], 5, "nothing_to_simulate"),
        (["hold"], [1], 0, "nothing_to_simulate"),
    ],
)
def test_what_cannot_be_played_is_refused_by_name(
    policies: list[str], seeds: list[int], days: int, code: str
) -> None:
    with pytest.raises(RefusedInput) as refused:
        simulate({"shop": SHOP}, policies, seeds, days, SETTINGS, RULES)
    assert refused.value.code == code


def test_too_many_days_name_the_most_there_are() -> None:
    with pytest.raises(Infeasible) as refused:
        simulate({"shop": SHOP}, ["hold"], [1], 54, SETTINGS, RULES)
    assert refused.value.fields["nearest"] == 53


@pytest.mark.parametrize("bids", [np.ones(3), np.array([1.0, np.nan]), np.array([1.0, -1.0])])
def test_bids_that_are_none_are_refused(bids: np.ndarray) -> None:
    with pytest.raises(RefusedInput):
        checked(bids, 2)
