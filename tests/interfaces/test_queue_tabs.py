from __future__ import annotations

import pandas as pd
import pytest

from optimizer.interfaces.queue_tabs import in_tab, tab_counts, tab_of

ROWS = pd.DataFrame(
    {
        "kind": ["raise", "pause", "pause", "shift_creative", "set_budget", "watch"],
        "slot": ["bid", "state", "creative", "creative", "budget", "bid"],
    }
)


def test_creatives_are_told_by_their_slot() -> None:
    assert ROWS.index[in_tab(ROWS, "creatives")].tolist() == [2, 3]
    assert ROWS.index[in_tab(ROWS, "pauses")].tolist() == [1]


def test_each_decidable_row_is_in_one_tab_beside_all() -> None:
    counts = tab_counts(ROWS)
    assert counts.pop("all") == 5
    assert counts.pop("watched") == 1
    assert sum(counts.values()) == 5


def test_conflicts_are_those_that_say_against_what() -> None:
    told = ROWS.assign(conflicts=[("twin_keep",), (), (), (), (), ("twin_keep",)])
    assert ROWS.index[in_tab(told, "conflicts")].tolist() == [0]
    assert not in_tab(ROWS, "conflicts").any()


@pytest.mark.parametrize(
    ("kinds", "tab"),
    [((), "all"), (("lower",), "bids"), (("lower", "pause"), "all"), (("watch",), "watched")],
)
def test_kinds_of_an_older_link_open_their_tab(kinds: tuple[str, ...], tab: str) -> None:
    assert tab_of(kinds) == tab
