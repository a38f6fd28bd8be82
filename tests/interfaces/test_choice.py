"""What is ticked and edited is told by id, and orders are of the whole list."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from optimizer.interfaces.queue_orders import ORDERS, ordered
from optimizer.interfaces.web.queue.choice import NOTHING, Choice, chosen

ROWS = pd.DataFrame(
    {
        "id": ["a", "b", "c"],
        "version": [1, 2, 3],
        "keyword_text": ["Zoo", "apple", "mint"],
        "campaign_name": ["two", None, "one"],
        "bid": [1.0, 2.0, np.nan],
        "proposed_bid": [1.1, 1.0, 3.0],
        "approved_bid": [np.nan, 1.5, np.nan],
        "delta_cost": [1.0, -2.0, 3.0],
        "delta_profit_mean": [9.0, 8.0, 7.0],
        "p_positive": [0.5, 0.9, np.nan],
    }
)


def test_cells_are_read_by_the_rows_they_were_drawn_for() -> None:
    cells = {2: {"pick": True}, 0: {"pick": True, "new_bid": 1.2}}
    found = chosen(NOTHING, ROWS, cells)
    assert (set(found.refs), found.bids) == ({("a", 1), ("c", 3)}, {"a": 1.2})


def test_a_bid_as_it_is_offered_or_taken_out_is_no_edit() -> None:
    before = Choice((), {"a": 1.2, "b": 1.3})
    cells = {0: {"new_bid": 1.1}, 1: {"new_bid": None}, 2: {"new_bid": 3}}
    assert chosen(before, ROWS, cells).edits == {}


def test_what_was_chosen_before_stands_until_a_cell_says_otherwise() -> None:
    before = Choice((("a", 1), ("b", 2), ("elsewhere", 7)), {"b": 1.4, "elsewhere": 5.0})
    found = chosen(before, ROWS, {0: {"pick": False}})
    assert (set(found.refs), found.edits) == (
        {("b", 2), ("elsewhere", 7)},
        {"b": 1.4, "elsewhere": 5.0},
    )


def test_choice_is_parted_by_ids() -> None:
    told = Choice((("a", 1), ("b", 2)), {"a": 1.2, "c": 3.1})
    here, others = told.among({"a"}), told.beside({"a"})
    assert (here.ids, here.edits, others.ids, others.edits) == (
        ("a",),
        {"a": 1.2},
        ("b",),
        {"c": 3.1},
    )
    assert others
    assert not told.among(())


@pytest.mark.parametrize(
    ("order", "ids"),
    [
        ("profit", "abc"),
        ("cost_rise", "cab"),
        ("cost_fall", "bac"),
        ("probability", "bac"),
        ("bid_change", "bac"),
        ("keyword", "bca"),
        ("campaign", "cab"),
    ],
)
def test_order_is_of_the_whole_list_with_the_unknown_last(order: str, ids: str) -> None:
    assert "".join(ordered(ROWS, order)["id"]) == ids


def test_equals_stay_as_they_stood() -> None:
    alike = ROWS.assign(p_positive=0.5, keyword_text="x", delta_cost=0.0)
    for order in ("probability", "keyword", "cost_rise", "cost_fall"):
        assert ordered(alike, order)["id"].tolist() == ["a", "b", "c"]
    assert set(ORDERS) > {"probability", "keyword"}
