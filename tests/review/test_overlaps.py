import pandas as pd

from optimizer.review.overlaps import conflict_codes, conflict_counts, twins


def plan(*rows: dict) -> pd.DataFrame:
    common = {
        "inactive_code": "",
        "impressions": 9.0,
        "match_type": "EXACT",
        "campaign": 0,
        "negative_first": "",
    }
    return pd.DataFrame([{**common, "entity_key": key, **row} for key, row in enumerate(rows, 1)])


def keyword(text: str, group: str, returns: float, **more: object) -> dict:
    return {"keyword_text": text, "ad_group_name": group, "marginal_mean": returns, **more}


def suggestions(*pairs: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame([{"entity_key": key, "kind": kind} for key, kind in pairs])


TENTS = plan(
    keyword("Tent", "a", 1.0),
    keyword("tent ", "b", 2.0, match_type="BROAD"),
    keyword("tents", "a", 3.0),
    keyword("tent", "c", 9.0, inactive_code="keyword_off"),
    keyword("tent", "d", 9.0, match_type="AUTO"),
)


def test_twins_are_the_same_words_in_several_ad_groups() -> None:
    found = twins(TENTS)
    assert found["key"].tolist() == ["1", "2"]
    assert found["keep"].tolist() == ["2", "2"]


def test_a_weaker_twin_and_its_raise_are_told() -> None:
    told = conflict_codes(suggestions(("1", "raise"), ("2", "lower")), {"plan": TENTS})
    assert told["conflicts"].tolist() == [["twin_weaker", "twin_raised"], ["twin_keep"]]
    assert told["keep"].tolist() == ["2", "2"]


def test_raising_both_is_a_conflict_of_both() -> None:
    rows = suggestions(("1", "raise"), ("2", "raise"), ("3", "raise"))
    assert conflict_counts(rows, {"plan": TENTS}) == {
        "twin_weaker": 1,
        "twin_keep": 1,
        "twin_raised": 2,
    }


def test_raising_only_the_better_twin_is_none() -> None:
    told = conflict_codes(suggestions(("2", "raise"), ("3", "raise")), {"plan": TENTS})
    assert told["conflicts"].tolist() == [["twin_keep"], []]
    assert told["keep"].tolist() == ["2", None]


def test_a_negative_that_spares_its_keyword_says_so() -> None:
    blamed = plan(keyword("tent", "a", 1.0, negative_first="t7"))
    told = conflict_codes(
        suggestions(("t7", "add_negative"), ("t8", "add_negative")), {"plan": blamed}
    )
    assert told["conflicts"].tolist() == [["term_at_fault"], []]


def test_an_account_without_twins_has_no_conflicts() -> None:
    alone = plan(keyword("tent", "a", 1.0), keyword("lamp", "b", 1.0))
    assert conflict_counts(suggestions(("1", "raise")), {"plan": alone}) == {}
