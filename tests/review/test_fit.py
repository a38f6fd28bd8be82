import pandas as pd

from optimizer.review.fit import budget_excess, spend_at_risk

BUDGETS = [
    {"scope": "account", "name": "shop", "budget": 100.0, "cost_now": 98.0},
    {"scope": "campaign", "name": "tents", "budget": 40.0, "cost_now": 45.0},
    {"scope": "campaign", "name": "lights", "budget": None, "cost_now": 53.0},
]
NUMBERS = {"tents": 0, "lights": 1, "gone": -1}


def changes(**deltas: float) -> pd.DataFrame:
    numbers = [NUMBERS[name] for name in deltas]
    return pd.DataFrame({"campaign": numbers, "delta_cost": list(deltas.values())})


def test_raises_and_lowers_together_fit() -> None:
    assert budget_excess(BUDGETS, changes(lights=3.0, tents=-2.0)) == ()


def test_raises_alone_pass_the_account_budget() -> None:
    (found,) = budget_excess(BUDGETS, changes(lights=3.0))
    assert (found.scope, found.projected, found.excess) == ("account", 101.0, 1.0)


def test_node_over_budget_today_may_stay_but_not_grow() -> None:
    assert budget_excess(BUDGETS, changes(tents=0.0)) == ()
    (found,) = budget_excess(BUDGETS, changes(tents=1.0))
    assert (found.name, found.excess) == ("tents", 1.0)


def test_change_of_a_campaign_no_longer_known_counts_for_the_account() -> None:
    (found,) = budget_excess(BUDGETS, changes(gone=5.0))
    assert found.scope == "account"


def test_a_cent_of_rounding_is_no_excess() -> None:
    assert budget_excess(BUDGETS, changes(lights=2.009)) == ()


def test_nothing_approved_fits() -> None:
    assert budget_excess(BUDGETS, changes()) == ()


def test_spend_at_risk_counts_raises_only() -> None:
    assert spend_at_risk(changes(lights=3.0, tents=-2.0)) == 3.0
