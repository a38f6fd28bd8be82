from datetime import date
from typing import Any

import pandas as pd
import pytest

from optimizer.review.reverting import original_of, reverts
from optimizer.tables import SUGGESTIONS, check_table
from tests.store.samples import suggestion, suggestions_of

DAY = date(2026, 3, 5)


def out(**changes: Any) -> pd.DataFrame:
    """One exported suggestion, by default a raise from 1.00 to 1.20."""
    state = {"approved_bid": 1.2, "delivery": "exported"}
    state |= {name: changes.pop(name) for name in list(changes) if name in state}
    return suggestions_of(suggestion("a", **changes)).assign(**state)


def opposite(rows: pd.DataFrame) -> dict[str, Any]:
    made, refused = reverts(rows, "shop", DAY, {"a"})
    check_table(made, SUGGESTIONS)
    assert not refused
    return dict(made.iloc[0])


def code(rows: pd.DataFrame, newest: frozenset[str] = frozenset("a")) -> str:
    made, (refusal,) = reverts(rows, "shop", DAY, newest)
    assert made.empty
    return refusal.code


def test_a_raise_goes_back_as_a_lower_with_the_opposite_expectation() -> None:
    row = opposite(out())
    assert (row["kind"], row["bid"], row["proposed_bid"]) == ("lower", 1.2, 1.0)
    assert (row["delta_cost"], row["delta_profit_mean"]) == (-1, -2)
    assert (row["delta_profit_low"], row["delta_profit_high"]) == (-4, -0.5)
    assert row["p_positive"] == pytest.approx(0.1)
    assert (row["reason"], original_of(row["evidence"])) == ("revert", "a")


def test_which_way_an_edited_bid_goes_back_follows_from_the_values() -> None:
    row = opposite(out(approved_bid=0.9))
    assert (row["kind"], row["bid"], row["proposed_bid"]) == ("raise", 0.9, 1.0)


def test_a_pause_goes_back_as_a_resume() -> None:
    row = opposite(out(kind="pause", slot="state", proposed_bid=None, approved_bid=float("nan")))
    assert (row["kind"], row["bid"]) == ("resume", 1.0)
    assert pd.isna(row["proposed_bid"])


def test_a_target_still_says_which_one_it_is() -> None:
    evidence = '{"run": "r", "target": "roas"}'
    row = opposite(out(kind="set_target", slot="target", evidence=evidence))
    assert row["kind"] == "set_target"
    assert '"target": "roas"' in row["evidence"]


def test_what_takes_back_has_an_id_of_its_own_for_each_day_and_original() -> None:
    first = opposite(out())["id"]
    other_day = reverts(out(), "shop", date(2026, 3, 6), {"a"})[0]["id"].iloc[0]
    other_row = reverts(out().assign(id="b"), "shop", DAY, {"b"})[0]["id"].iloc[0]
    assert len({"a", first, other_day, other_row}) == 4


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"delivery": "not_exported"}, "revert_not_exported"),
        ({"delivery": "failed"}, "revert_not_live"),
        ({"delivery": "drifted"}, "revert_not_live"),
        ({"delivery": "reverted"}, "revert_not_live"),
        ({"kind": "add_keyword", "slot": "add", "bid": None}, "revert_by_file"),
        ({"kind": "add_negative", "slot": "negative"}, "revert_by_file"),
        ({"kind": "pause", "slot": "creative"}, "revert_by_file"),
        ({"bid": None}, "revert_by_file"),
        ({"approved_bid": float("nan")}, "revert_by_file"),
    ],
)
def test_what_has_no_opposite_is_refused(changes: dict[str, Any], expected: str) -> None:
    assert code(out(**changes)) == expected


def test_what_was_exported_again_since_is_refused() -> None:
    assert code(out(), frozenset()) == "revert_overtaken"
