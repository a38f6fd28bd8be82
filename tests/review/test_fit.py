import pandas as pd

from optimizer.review.fit import budget_excess, spend_at_risk


def node(scope: str, name: str, parent: int | None, budget: float | None, now: float) -> dict:
    return {"scope": scope, "name": name, "parent": parent, "budget": budget, "cost_now": now}


BUDGETS = [
    node("account", "shop", None, 100.0, 98.0),
    node("campaign", "tents", 0, 40.0, 45.0),
    node("campaign", "lights", 3, None, 53.0),
    node("shared_budget", "night", 0, 54.0, 53.0),
    node("ad_group", "lamps", 2, 20.0, 20.0),
]
NODES = {"tents": 1, "lights": 2, "lamps": 4, "gone": -1}


def changes(**deltas: float) -> pd.DataFrame:
    nodes = [NODES[name] for name in deltas]
    return pd.DataFrame({"node": nodes, "delta_cost": list(deltas.values())})


def test_raises_and_lowers_together_fit() -> None:
    assert budget_excess(BUDGETS, changes(lights=1.0, tents=-2.0)) == ()


def test_raises_alone_pass_the_account_budget() -> None:
    found, shared = budget_excess(BUDGETS, changes(lights=3.0))
    assert (found.scope, found.projected, found.excess) == ("account", 101.0, 1.0)
    assert (shared.scope, shared.excess) == ("shared_budget", 2.0)


def test_a_change_counts_for_every_node_above_it() -> None:
    found = budget_excess(BUDGETS, changes(lamps=1.5, tents=-2.0))
    assert [(one.name, one.excess) for one in found] == [("night", 0.5), ("lamps", 1.5)]


def test_node_over_budget_today_may_stay_but_not_grow() -> None:
    assert budget_excess(BUDGETS, changes(tents=0.0)) == ()
    (found,) = budget_excess(BUDGETS, changes(tents=1.0))
    assert (found.name, found.excess) == ("tents", 1.0)


def test_change_of_a_campaign_no_longer_known_counts_for_the_account() -> None:
    (found,) = budget_excess(BUDGETS, changes(gone=5.0))
    assert found.scope == "account"


def test_a_cent_of_rounding_is_no_excess() -> None:
    assert budget_excess(BUDGETS, changes(lights=1.009)) == ()


def test_nothing_approved_fits() -> None:
    assert budget_excess(BUDGETS, changes()) == ()


def test_spend_at_risk_counts_raises_only() -> None:
    assert spend_at_risk(changes(lights=3.0, tents=-2.0)) == 3.0
