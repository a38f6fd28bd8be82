"""What present keywords and search terms say about negatives and new keywords to be exported."""

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from optimizer.tables import NEGATIVES, empty_table
from optimizer.workflows.export_state import with_blocks, with_creatives, with_state
from tests.review.exports.export_rows import BASE, frame, of_kind

_PLACE = {name: BASE[name] for name in ("campaign_name", "ad_group_name")}


def known(**values: Any) -> pd.DataFrame:
    row = {
        "key": "7",
        **{name: BASE[name] for name in ("keyword_id", "keyword_text", "match_type", "status")},
        **{name: BASE[name] for name in ("ad_group_status", "campaign_status", "bidding_mode")},
        **_PLACE,
        "bid": 1.0,
        "campaign_budget": 300.0,
        "target_type": "keyword",
    }
    return pd.DataFrame([{**row, **values}])


def tables(text: str, conversions: float = 0.0, status: str = "NONE") -> Any:
    terms = pd.DataFrame([{**_PLACE, "entity_key": 3, "search_term": text, "term_status": status}])
    daily = pd.DataFrame({"entity_key": [3], "conversions": [conversions]})
    return SimpleNamespace(terms=terms, term_daily=daily, negatives=empty_table(NEGATIVES))


def blocks(change: dict[str, Any], keywords: pd.DataFrame, told: Any) -> dict[str, Any]:
    (found,) = with_blocks(frame(change), keywords, told).to_dict("records")
    names = ("blocks_keyword", "blocks_term", "blocked_by")
    return {name: found[name] for name in names if not pd.isna(found[name])}


def test_a_negative_tells_which_own_keyword_it_would_silence() -> None:
    negative = of_kind("add_negative", keyword_text="帐篷", match_type="PHRASE")
    assert blocks(negative, known(), tables("lamp")) == {"blocks_keyword": "双人 帐篷"}


@pytest.mark.parametrize(
    "off",
    [
        {"status": "PAUSED"},
        {"ad_group_status": "REMOVED"},
        {"target_type": "auto"},
        {"ad_group_name": "elsewhere"},
    ],
)
def test_keywords_that_do_not_show_there_cannot_be_silenced(off: dict[str, Any]) -> None:
    negative = of_kind("add_negative", keyword_text="帐篷", match_type="PHRASE")
    assert blocks(negative, known(**off), tables("lamp")) == {}


def test_only_searches_that_convert_can_be_lost() -> None:
    negative = of_kind("add_negative", keyword_text="cheap", match_type="PHRASE")
    assert blocks(negative, known(), tables("cheap lamp")) == {}
    sells = tables("cheap lamp", conversions=1.0)
    assert blocks(negative, known(), sells) == {"blocks_term": "cheap lamp"}
    itself = of_kind("add_negative", keyword_text="cheap lamp")
    assert blocks(itself, known(), sells) == {}


def test_a_new_keyword_tells_which_exclusion_would_hide_it() -> None:
    add = of_kind("add_keyword", keyword_text="Cheap Lamp")
    assert blocks(add, known(), tables("cheap lamp", status="EXCLUDED")) == {
        "blocked_by": "cheap lamp"
    }
    assert blocks(add, known(), tables("cheap lamp")) == {}


def test_a_reported_negative_of_the_campaign_hides_a_new_keyword_too() -> None:
    told = tables("lamp")
    phrase = {"campaign_name": BASE["campaign_name"], "keyword_text": "cheap", "level": "campaign"}
    told.negatives = pd.DataFrame([{**phrase, "ad_group_name": None, "match_type": "PHRASE"}])
    add = of_kind("add_keyword", keyword_text="cheap lamp")
    assert blocks(add, known(), told) == {"blocked_by": "cheap"}


def test_case_and_spaces_do_not_make_another_keyword() -> None:
    add = of_kind("add_keyword", keyword_text="Lake  TENT")
    state = with_state(frame(add), pd.Series(["t9"]), known(keyword_text="lake tent"))
    assert state["exists"].tolist() == [True]
    other = with_state(frame(add), pd.Series(["t9"]), known(keyword_text="lake lamp"))
    assert other["exists"].tolist() == [False]


@pytest.mark.parametrize(("kinds", "left"), [(("pause", "resume"), 1), (("pause", "pause"), 0)])
def test_creatives_turned_on_by_the_same_file_are_left_after_it(
    kinds: tuple[str, str], left: int
) -> None:
    """Title 1 is on, title 2 is paused: the two may change places in one file."""
    own = {"level": "creative", "match_type": None}
    rows = frame(*(of_kind(kind, place, **own) for place, kind in enumerate(kinds, start=1)))
    creatives = pd.DataFrame({"entity_key": [1, 2], **_PLACE, "status": ["ENABLED", "PAUSED"]})
    changes = with_creatives(rows, pd.Series(["a1", "a2"]), creatives)
    assert changes["creatives_left"].iloc[0] == left
    assert changes["status"].tolist() == ["ENABLED", "PAUSED"]
