"""Shares of creatives are not shown as bids, nor an unknown profit as none."""

from __future__ import annotations

from typing import Any

import pandas as pd

from optimizer.interfaces.figures import (
    from_percent,
    in_percent,
    setting,
    told_profit,
    with_figures,
)
from optimizer.interfaces.locale import Translator

WORDS = Translator("en", "CNY")


def rows(**own: list[Any]) -> pd.DataFrame:
    """A bid, a share judged by profit, a share judged by clicks."""
    told: dict[str, list[Any]] = {
        "kind": ["raise", "shift_creative", "shift_creative"],
        "slot": ["bid", "creative", "creative"],
        "bid": [1.2, 1 / 3, 1 / 3],
        "proposed_bid": [1.5, 0.437, 0.437],
        "approved_bid": [None, 0.437, None],
        "delta_profit_mean": [0.0, 2.0, 0.0],
        "delta_profit_low": [0.0, -1.0, 0.0],
        "delta_profit_high": [0.0, 5.0, 0.0],
    }
    return pd.DataFrame(told | own)


def test_shares_stand_apart_from_bids_as_percentages() -> None:
    shown = with_figures(WORDS, rows())
    assert shown["share"].tolist() == [None, "33.3% → 43.7%", "33.3% → 43.7%"]
    assert shown["bid"].tolist()[0] == 1.2
    assert shown[["bid", "proposed_bid", "approved_bid"]].iloc[1:].isna().all(axis=None)


def test_profit_is_unknown_only_where_the_test_measures_none() -> None:
    shown = with_figures(WORDS, rows())
    assert shown["delta_profit_mean"].isna().tolist() == [False, False, True]
    told = [told_profit(row)["mean"] for row in rows().to_dict("records")]
    assert told == [0.0, 2.0, None]


def test_on_the_command_line_a_share_is_a_percentage() -> None:
    assert setting(WORDS, "shift_creative", 0.437) == "43.7%"
    assert setting(WORDS, "raise", 0.437) == "0.437"


def test_a_share_comes_back_from_its_percentage_as_it_was() -> None:
    for share in (0.0, 0.07, 0.1, 0.125, 0.29, 0.57, 1 / 8, 5.0):
        assert from_percent(in_percent(share)) == share
    assert [in_percent(share) for share in (0.07, 0.29, 0.57)] == [7, 29, 57]
