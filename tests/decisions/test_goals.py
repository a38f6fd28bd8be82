from datetime import date

import numpy as np
import pytest

from optimizer.decisions.goals import (
    Sales,
    break_weights,
    flaw_of,
    goal_of,
    hold_cost,
    judge_items,
    lowest_for_share,
    orders_allowed,
    share_kept,
    with_salvage,
)
from optimizer.estimates.posteriors import Gamma
from optimizer.settings import Account, Item
from tests.curves.test_bid_landscape import response

TODAY = date(2026, 7, 16)
ONE = np.ones(1)


def sales(share: float = np.nan) -> Sales:
    """10 clicks a day that cost 2, bring 1 and convert 1 in 10: a loss of 10 and one order."""
    return Sales(10 * ONE, 2 * ONE, ONE, 0.1 * ONE, share * ONE)


@pytest.mark.parametrize(
    ("item", "goal", "flaw"),
    [
        ({}, "profit", ""),
        ({"stage": "成长"}, "profit", ""),
        ({"stage": "爆款"}, "profit", ""),
        ({"stage": "新品", "max_loss": 5}, "learn", ""),
        ({"stage": "新品"}, "profit", "learn_without_max_loss"),
        ({"stage": "清仓", "salvage_margin": 0.9}, "clear", ""),
        ({"stage": "清仓"}, "profit", "clear_without_salvage_margin"),
        ({"stage": "清仓", "goal": "rank"}, "rank", ""),
        ({"goal": "learn"}, "profit", "learn_without_max_loss"),
    ],
)
def test_a_goal_is_stated_or_follows_from_the_stage(
    item: dict[str, object], goal: str, flaw: str
) -> None:
    known = Item.model_validate({"item_id": "7", **item})
    assert (goal_of(known), flaw_of(known)) == (goal, flaw)


def test_only_items_to_be_cleared_keep_their_salvage_margin() -> None:
    left = Item(item_id="7", stage="清仓", salvage_margin=0.9, unit_cost=30)
    other = Item(item_id="8", margin=0.3, salvage_margin=0.9)
    cleared = with_salvage(Account(items=(left, other))).items
    assert (cleared[0].margin, cleared[0].unit_cost) == (0.9, None)
    assert cleared[1] == other


@pytest.mark.parametrize(
    ("max_loss", "hold", "code"),
    [(10.0, "learning", "item_learning"), (9.9, "", "item_loss_exceeded")],
)
def test_a_new_item_is_left_alone_up_to_its_loss(max_loss: float, hold: str, code: str) -> None:
    new = Item(item_id="7", goal="learn", max_loss=max_loss)
    state, alerts = judge_items((new,), np.zeros(1, np.int64), sales(), TODAY, 14)
    assert state.hold.tolist() == [hold]
    assert [alert["code"] for alert in alerts] == [code]
    assert alerts[0]["loss"] == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("share", "hold", "kept"),
    [(np.nan, "rank_hold", 1.0), (0.4, "rank_hold", 1.0), (0.8, "", 0.625)],
)
def test_a_ranked_item_keeps_its_share(share: float, hold: str, kept: float) -> None:
    ranked = Item(item_id="7", goal="rank", impression_share_floor=0.5)
    state, _ = judge_items((ranked,), np.zeros(1, np.int64), sales(share), TODAY, 14)
    assert state.hold.tolist() == [hold]
    assert state.share_kept == pytest.approx(kept)


def test_a_rank_without_a_floor_holds_whatever_it_has() -> None:
    assert share_kept(0.9 * ONE, np.nan * ONE).tolist() == [1.0]


def test_a_lower_leaves_the_share_even_if_impressions_follow_the_bid_closely() -> None:
    """ε at most 1.25: (4/5)^1.25 of the bid's impressions at 4/5 of the bid."""
    kept = np.array([0.8**1.25, 1.0, 0.0])
    lowest = lowest_for_share(2 * np.ones(3), kept, np.ones(3), 0.25 * np.ones(3))
    assert lowest == pytest.approx([1.6, 2.0, 0.0])


@pytest.mark.parametrize(
    ("stock", "restock", "allowed"),
    [
        (None, date(2026, 7, 26), np.inf),
        (40, date(2026, 7, 26), 4.0),
        (28, None, 2.0),
        (0, date(2026, 7, 26), 0.0),
        (40, TODAY, np.inf),
    ],
)
def test_stock_lasts_until_the_restock(
    stock: float | None, restock: date | None, allowed: float
) -> None:
    assert orders_allowed(Item(item_id="7", stock=stock, restock=restock), TODAY, 14) == allowed


@pytest.mark.parametrize(("stock", "short"), [(10, False), (9, True)])
def test_an_item_that_would_sell_out_is_short(stock: float, short: bool) -> None:
    item = Item(item_id="7", stock=stock, restock=date(2026, 7, 26))
    state, alerts = judge_items((item,), np.array([0, -1]), _two(), TODAY, 14)
    assert state.short.tolist() == [short, False]
    assert [alert["code"] for alert in alerts] == ["stock_short"] * short


def _two() -> Sales:
    one = sales()
    return Sales(*(np.repeat(getattr(one, name), 2) for name in one.__dataclass_fields__))


def test_holding_costs_what_the_best_lower_would_gain() -> None:
    """Clicks worth nothing: the best lower is the deepest."""
    curve, nothing = response(), Gamma(np.zeros(1), np.zeros(1))
    saved = curve.clicks * curve.cpc - curve.expected_cost(curve.bid[:, None] * 0.75)[:, 0]
    assert hold_cost(curve, nothing, 0.25 * ONE) == pytest.approx(saved)
    dear = Gamma(np.full(1, 99.0), np.zeros(1))
    assert hold_cost(curve, dear, 0.25 * ONE).tolist() == [0.0]


def test_days_before_a_change_of_their_item_tell_less() -> None:
    unit, last = np.array([0, 0, 1, 0]), np.array([9, 10, 9, 3])
    changes = np.array([0, 0]), np.array([10, 5])
    weights = break_weights(np.array([0, -1]), unit, last, *changes, 0.25)
    assert weights.tolist() == [0.25, 1.0, 1.0, 0.0625]
