"""Verdicts on exported changes, by hand: one row, one fact, one answer."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from optimizer.review.delivery import judge, judge_results

NO_TEST = pd.DataFrame({"entity_key": [], "first_day": pd.Series([], dtype="datetime64[s]")})
ROW = {
    "id": "a",
    "version": 1,
    "kind": "raise",
    "slot": "bid",
    "entity_key": "7",
    "campaign_id": "c1",
    "campaign_name": "Shoes",
    "ad_group_id": "g1",
    "ad_group_name": "Red",
    "keyword_id": "k1",
    "keyword_text": "red shoes",
    "match_type": "EXACT",
    "bid": 1.0,
    "approved_bid": 1.2,
    "delivery": "exported",
    "as_of": pd.Timestamp("2026-03-02"),
    "export_id": "e",
    "reason": "above_line",
    "exported_at": pd.Timestamp("2026-03-02 09:00", tz="UTC"),
    "code": None,
    "text": None,
    "seen_value": float("nan"),
    "seen_state": None,
    "seen_on": pd.NaT,
}
FACT = {
    **{name: ROW[name] for name in ("entity_key", "campaign_id", "campaign_name")},
    **{name: ROW[name] for name in ("ad_group_id", "ad_group_name", "keyword_id")},
    **{name: ROW[name] for name in ("keyword_text", "match_type")},
    "fact": "bid",
    "amount": None,
    "text": None,
    "day": pd.Timestamp("2026-03-02"),
    "as_of": pd.Timestamp("2026-03-03"),
    "batch_id": "b",
    "file_name": "next.csv",
    "imported_at": pd.Timestamp("2026-03-03 09:00", tz="UTC"),
}
PAUSE = {"kind": "pause", "slot": "state", "approved_bid": float("nan")}
NEGATIVE = {
    "kind": "add_negative",
    "slot": "negative",
    "entity_key": "t9",
    "approved_bid": float("nan"),
}
ADDED = {"kind": "add_keyword", "slot": "add", "entity_key": "t9", "bid": float("nan")}
BUDGET = {"kind": "set_budget", "slot": "budget", "entity_key": "c:Shoes", "bid": 50.0}

WEIGHT = {"kind": "shift_creative", "slot": "creative", "reason": "creative_weight"}
WEIGHT |= {"bid": 0.33, "approved_bid": 0.7}
LATER = pd.Timestamp("2026-03-03")
TARGET = {**BUDGET, "kind": "set_target", "slot": "target", "bid": 4.0, "approved_bid": 3.6}


def verdict(row: dict[str, Any], *facts: dict[str, Any]) -> tuple[str, str] | None:
    shown = pd.DataFrame([{**FACT, **fact} for fact in facts], columns=list(FACT))
    told = judge(pd.DataFrame([{**ROW, **row}]), shown, NO_TEST)
    return None if told.empty else (told["delivery"].iloc[0], told["code"].iloc[0])


@pytest.mark.parametrize(
    ("row", "fact", "expected"),
    [
        ({}, {"amount": 1.2}, ("confirmed_live", "approved_value_seen")),
        ({}, {"amount": 1.0}, ("exported", "old_value_seen")),
        ({}, {"amount": 1.3}, ("drifted", "other_value_seen")),
        ({"delivery": "confirmed_live"}, {"amount": 1.3}, ("drifted", "other_value_seen")),
        ({"delivery": "drifted"}, {"amount": 1.2}, ("confirmed_live", "approved_value_seen")),
        ({"delivery": "failed"}, {"amount": 1.0}, None),
        ({"delivery": "failed"}, {"amount": 1.3}, None),
        ({"delivery": "failed"}, {"amount": 1.2}, ("confirmed_live", "approved_value_seen")),
        (PAUSE, {"fact": "status", "text": "PAUSED"}, ("confirmed_live", "approved_value_seen")),
        (PAUSE, {"fact": "status", "text": "ENABLED"}, ("exported", "old_value_seen")),
        (PAUSE, {"fact": "status", "text": "REMOVED"}, ("drifted", "other_value_seen")),
        (
            WEIGHT,
            {"fact": "share", "amount": 0.72, "day": LATER},
            ("confirmed_live", "approved_value_seen"),
        ),
        (WEIGHT, {"fact": "share", "amount": 0.31, "day": LATER}, ("exported", "old_value_seen")),
        (WEIGHT, {"fact": "share", "amount": 0.5, "day": LATER}, ("drifted", "other_value_seen")),
        (WEIGHT, {"fact": "status", "text": "ENABLED"}, None),
        (
            {**WEIGHT, "reason": "creative_wanted"},
            {"fact": "status", "text": "ENABLED"},
            ("confirmed_live", "approved_value_seen"),
        ),
        (
            {**BUDGET, "approved_bid": 60.0},
            {"fact": "campaign_budget", "amount": 60.0},
            ("confirmed_live", "approved_value_seen"),
        ),
        (
            {**BUDGET, "approved_bid": 60.0},
            {"fact": "campaign_budget", "amount": 55.0},
            ("drifted", "other_value_seen"),
        ),
        (
            {**BUDGET, "approved_bid": 60.0},
            {"fact": "campaign_budget", "amount": 50.0},
            ("exported", "old_value_seen"),
        ),
        (
            TARGET,
            {"fact": "campaign_target", "amount": 3.6},
            ("confirmed_live", "approved_value_seen"),
        ),
        (TARGET, {"fact": "campaign_target", "amount": 4.0}, ("exported", "old_value_seen")),
        (TARGET, {"fact": "campaign_target", "amount": 3.0}, ("drifted", "other_value_seen")),
        (TARGET, {"fact": "campaign_budget", "amount": 3.6}, None),
        (TARGET, {"fact": "campaign_target", "amount": 3.0, "campaign_id": "removed"}, None),
        (
            TARGET,
            {"fact": "campaign_target", "amount": 3.6, "campaign_name": "Renamed"},
            ("confirmed_live", "approved_value_seen"),
        ),
        (
            TARGET,
            {"fact": "campaign_target", "amount": 3.6, "campaign_id": None},
            ("confirmed_live", "approved_value_seen"),
        ),
        (
            {**TARGET, "campaign_id": None},
            {"fact": "campaign_target", "amount": 3.6},
            ("confirmed_live", "approved_value_seen"),
        ),
        ({"delivery": "reverted"}, {"amount": 1.2}, ("confirmed_live", "approved_value_seen")),
        ({"delivery": "reverted"}, {"amount": 1.3}, ("drifted", "other_value_seen")),
        (ADDED, {"amount": 1.2}, ("confirmed_live", "approved_value_seen")),
        (ADDED, {"amount": 1.5}, ("drifted", "other_value_seen")),
        (
            NEGATIVE,
            {
                "fact": "negative",
                "text": "EXCLUDED",
                "entity_key": None,
                "keyword_text": "Red Shoes",
            },
            ("confirmed_live", "approved_value_seen"),
        ),
        (
            NEGATIVE,
            {"fact": "term_status", "text": "EXCLUDED", "entity_key": "t9", "match_type": None},
            ("confirmed_live", "approved_value_seen"),
        ),
    ],
)
def test_verdicts(row: dict[str, Any], fact: dict[str, Any], expected: Any) -> None:
    assert verdict(row, fact) == expected


@pytest.mark.parametrize(
    ("before", "served", "expected"),
    [
        ("exported", 0.53, ("confirmed_live", "approved_value_seen")),
        ("exported", 0.51, ("exported", "old_value_seen")),
        ("confirmed_live", 0.51, ("confirmed_live", "approved_value_seen")),
        ("confirmed_live", 0.46, ("reverted", "old_value_again")),
    ],
)
def test_a_small_shift_is_told_by_what_it_is_nearer_to_and_once_live_stays_so(
    before: str, served: float, expected: tuple[str, str]
) -> None:
    """From 0.5 to 0.54: chance alone moves what is served between them."""
    row = {**WEIGHT, "bid": 0.5, "approved_bid": 0.54, "delivery": before}
    fact = {"fact": "share", "amount": served, "day": LATER}
    assert verdict(row, fact) == expected


TERM = {"fact": "term_status", "text": "NONE", "match_type": None}
LISTED = {"fact": "negative", "text": "EXCLUDED", "entity_key": None}


def test_a_term_that_is_not_excluded_says_that_its_negative_is_not_there() -> None:
    live = {**NEGATIVE, "delivery": "confirmed_live"}
    later = {"day": pd.Timestamp("2026-03-03")}
    assert verdict(NEGATIVE, TERM) == ("exported", "old_value_seen")
    assert verdict(live, {**TERM, **later}) == ("reverted", "old_value_again")
    assert verdict(live, TERM) is None
    assert verdict(live, {**TERM, "text": None, **later}) is None


def test_a_list_of_negatives_outranks_what_a_term_says_of_the_same_day() -> None:
    assert verdict(NEGATIVE, LISTED, TERM) == ("confirmed_live", "approved_value_seen")


def test_of_namesakes_the_one_with_our_id_tells() -> None:
    own = {"fact": "campaign_target", "amount": 3.6}
    other = {**own, "amount": 9.0, "campaign_id": "removed", "day": pd.Timestamp("2026-03-03")}
    assert verdict(TARGET, own, other) == ("confirmed_live", "approved_value_seen")


def test_what_no_report_shows_stays_as_it_is() -> None:
    assert verdict({}) is None
    assert verdict(ADDED, {"amount": 1.2, "keyword_text": "blue shoes"}) is None


def test_a_report_of_the_reviews_own_day_says_nothing() -> None:
    assert verdict({}, {"amount": 1.2, "as_of": ROW["as_of"]}) is None


def test_rows_of_earlier_days_do_not_tell_a_bid() -> None:
    """A file may state the bid of each day, so that an old row shows an old bid."""
    assert verdict({}, {"amount": 1.3, "day": pd.Timestamp("2026-02-20")}) is None


def test_a_report_imported_before_the_export_says_nothing() -> None:
    early = pd.Timestamp("2026-03-02 08:00", tz="UTC")
    assert verdict({}, {"amount": 1.3, "imported_at": early}) is None


def test_the_old_bid_on_the_day_of_the_upload_is_no_drift() -> None:
    live = {"delivery": "confirmed_live", "code": "platform_accepted"}
    assert verdict(live, {"amount": 1.0}) is None
    next_day = pd.Timestamp("2026-03-03")
    assert verdict(live, {"amount": 1.0, "day": next_day}) == ("reverted", "old_value_again")


def test_no_older_fact_comes_after_what_was_seen() -> None:
    """A list of campaigns is not kept: an older report imported after it must not overrule it."""
    told = {**BUDGET, "approved_bid": 60.0, "delivery": "confirmed_live"}
    old = {"fact": "campaign_budget", "amount": 50.0, "day": pd.Timestamp("2026-03-03")}
    assert verdict({**told, "seen_on": pd.Timestamp("2026-03-05")}, old) is None
    assert verdict(told, old) == ("reverted", "old_value_again")


def test_known_verdict_is_not_told_twice() -> None:
    known = {"delivery": "drifted", "code": "other_value_seen", "seen_value": 1.3}
    assert verdict(known, {"amount": 1.3}) is None
    assert verdict(known, {"amount": 1.4}) == ("drifted", "other_value_seen")


def test_a_bid_test_takes_over_from_the_suggestion() -> None:
    tested = pd.DataFrame({"entity_key": [7], "first_day": pd.to_datetime(["2026-03-03"])})
    shown = pd.DataFrame([{**FACT, "amount": 1.3}])
    assert judge(pd.DataFrame([ROW]), shown, tested).empty


RESULT = {
    **{name: ROW[name] for name in ("slot", "campaign_id", "campaign_name", "ad_group_id")},
    **{name: ROW[name] for name in ("ad_group_name", "keyword_id", "keyword_text", "match_type")},
    "line": 2,
    "id": "",
    "value": 1.2,
    "outcome": "done",
    "text": "",
}


def settled(row: dict[str, Any], *results: dict[str, Any]) -> tuple[list[Any], list[str]]:
    rows = pd.DataFrame([{**RESULT, **result} for result in results])
    told, left = judge_results(pd.DataFrame([{**ROW, **row}]), rows, "results.xlsx")
    return told[["delivery", "code", "text"]].values.tolist(), left["code"].tolist()


def test_error_outweighs_the_plain_row_beside_it() -> None:
    error = {"outcome": "refused", "text": "BidTooSmall", "value": float("nan")}
    assert settled({}, {}, error) == ([["failed", "platform_refused", "BidTooSmall"]], [])


@pytest.mark.parametrize(
    "found_by",
    [
        {"id": "a", "keyword_id": "", "campaign_name": "", "slot": "state"},
        {"id": "", "campaign_name": "renamed"},
        {"id": "", "keyword_id": "", "ad_group_id": "", "keyword_text": " RED  shoes"},
    ],
)
def test_rows_are_found_by_our_id_the_platforms_or_names(found_by: dict[str, Any]) -> None:
    (told,), left = settled({}, found_by)
    assert (told[:2], left) == (["confirmed_live", "platform_accepted"], [])


def test_another_value_or_an_unknown_word_settles_nothing() -> None:
    assert settled({}, {"value": 1.5}) == ([], ["result_unmatched"])
    assert settled({}, {"outcome": "unclear"}) == ([], ["result_unclear"])
    assert settled({}, {"outcome": "skipped"})[0][0][:2] == ["failed", "platform_skipped"]


@pytest.mark.parametrize("state", ["confirmed_live", "drifted"])
def test_a_report_is_not_overruled(state: str) -> None:
    assert settled({"delivery": state}, {"outcome": "refused"}) == ([], [])
