"""Words that sell without an advertisement: which become keywords, on what belief, and which do not."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from optimizer.interfaces.evidence import evidence_lines
from optimizer.interfaces.locale import Translator
from optimizer.review.daily import review_account
from optimizer.review.evidence import response_curve
from optimizer.review.explaining import explain
from optimizer.review.resolve import resolve_account
from optimizer.settings import Item
from optimizer.tables import HOLDS, NEGATIVES, ORGANIC, TERM_DAILY, TERMS, empty_table
from tests.review.small_account import FILLERS, TODAY, Word, small_account, told

TENTS = tuple(Word(f"tent {number}", rate=0.10) for number in range(8))
SETTINGS = told(items=(Item(item_id="1", ad_groups=("tents",)),), daily_budget=10_000)
DAY = pd.Timestamp(TODAY) - pd.Timedelta(days=1)


def typed(of, *rows):
    frame = pd.DataFrame(list(rows), columns=list(of.columns))
    return frame.astype(empty_table(of).dtypes)


def word(text, **changes):
    days = {"first_day": DAY - pd.Timedelta(days=29), "last_day": DAY}
    told = {"item_id": "1", "keyword_text": text, "orders": 9.0, "visitors": 3000.0, **days}
    return told | changes


def account(*words, keywords=TENTS + FILLERS, **changes):
    return replace(small_account(keywords), organic=typed(ORGANIC, *words), **changes)


def reviewed(inputs, settings=SETTINGS):
    return review_account(inputs, settings, TODAY, np.random.default_rng(1))


def added(result):
    return result.suggestions[result.suggestions["kind"] == "add_keyword"]


@pytest.fixture(scope="module")
def result():
    return reviewed(account(word("camping tent")))


def test_word_becomes_an_exact_keyword_of_the_ad_group_that_sells_the_item(result):
    (row,) = added(result).to_dict("records")
    assert (row["keyword_text"], row["match_type"]) == ("camping tent", "EXACT")
    assert (row["ad_group_name"], row["reason"]) == ("tents", "organic_word_pays")
    assert row["entity_key"].startswith("o")
    assert row["proposed_bid"] > 0


def test_all_of_its_clicks_and_cost_are_new(result):
    (row,) = added(result).to_dict("records")
    planned = result.frames["terms"].iloc[0]
    growth = row["delta_clicks"] / planned["clicks"]
    assert growth == pytest.approx(1.0, abs=0.35)
    assert row["delta_cost"] == pytest.approx(row["delta_clicks"] * planned["cpc"], rel=0.35)
    assert 0.6 < row["p_positive"] <= 1.0


def test_its_rate_is_what_the_group_foretells(result):
    words, planned = result.frames["plan"], result.frames["terms"].iloc[0]
    group = words[words["ad_group_name"] == "tents"]["rate_mean"]
    assert group.min() < planned["rate_mean"] < group.max()
    assert planned["rate_cv2"] >= words["rate_cv2"].max()
    assert planned["exposure"] == planned["conversions"] == 0


def test_no_more_clicks_than_people_found_it_by_the_word():
    few = reviewed(account(word("camping tent", visitors=60.0))).frames["terms"].iloc[0]
    assert few["clicks"] == pytest.approx(2.0)
    unknown = reviewed(account(word("camping tent", visitors=None))).frames["terms"].iloc[0]
    assert unknown["clicks"] == pytest.approx(20.0, rel=0.2)


@pytest.mark.parametrize("own", ["Camping  TENT", "camping tent"])
def test_known_keyword_is_not_proposed_again(own):
    known = Word(own, ad_group="fillers")
    assert added(reviewed(account(word("camping tent"), keywords=(*TENTS, *FILLERS, known)))).empty


@pytest.mark.parametrize(
    ("level", "ad_group", "open_to"),
    [("ad_group", "tents", 0), ("campaign", None, 0), ("ad_group", "fillers", 1)],
)
def test_negative_in_force_keeps_it_out(level, ad_group, open_to):
    told = {"campaign_name": "shop", "ad_group_name": ad_group, "keyword_text": "camping"}
    negative = typed(NEGATIVES, {**told, "match_type": "PHRASE", "level": level})
    assert len(added(reviewed(account(word("camping tent"), negatives=negative)))) == open_to


def test_word_with_paid_clicks_is_judged_by_them():
    place = {"campaign_name": "shop", "ad_group_name": "tents", "keyword_text": "tent 0"}
    term = typed(TERMS, {"entity_key": 7, **place, "search_term": "camping tent"})
    day = {"entity_key": 7, "first_day": DAY, "last_day": DAY, "impressions": 9, "clicks": 5}
    daily = typed(TERM_DAILY, {**day, "cost": 5, "conversions": 0, "value": 0})
    found = reviewed(account(word("camping tent"), terms=term, term_daily=daily))
    assert added(found).empty
    assert found.frames["terms"]["entity_key"].tolist() == ["t7"]


def test_word_of_a_group_that_does_not_pay_is_not_proposed():
    poor = tuple(replace(one, rate=0.01) for one in TENTS)
    assert added(reviewed(account(word("camping tent"), keywords=(*poor, *FILLERS)))).empty


def test_word_without_orders_is_not_proposed():
    assert added(reviewed(account(word("camping tent", orders=0.0)))).empty


def test_word_of_an_item_that_nobody_sells_is_told():
    found = reviewed(account(word("camping tent", item_id="9"), word("lamp", item_id="9")))
    assert added(found).empty
    told = [one for one in found.summary.alerts if one["code"] == "organic_unplaced"]
    assert told == [{"code": "organic_unplaced", "words": 2, "item": "9"}]


def test_reported_item_places_a_word_as_well():
    inputs = account(word("camping tent", item_id="A7"))
    keywords = inputs.keywords.assign(
        item_id=inputs.keywords["item_id"].mask(inputs.keywords["ad_group_name"] == "tents", "A7")
    )
    assert len(added(reviewed(replace(inputs, keywords=keywords), told(daily_budget=10_000)))) == 1


def test_refused_word_stays_away(result):
    (row,) = added(result).to_dict("records")
    hold = {"entity_key": row["entity_key"], "slot": "add", "kind": "rejected"}
    assert added(resolve_account(result, typed(HOLDS, hold))).empty


@pytest.mark.parametrize("language", ["en", "zh"])
def test_evidence_says_where_it_comes_from_and_what_is_assumed(result, language):
    row = added(result)
    (evidence,) = explain(row, result.frames, result.context)
    assert evidence["organic_orders"] == 9.0
    assert evidence["flip_side"] == "below"
    words = Translator(language, "CNY")
    lines = evidence_lines(words, row.to_dict("records")[0], evidence)
    said = partial(
        words.text, "Its rate, clicks and CPC are pooled from the words of its ad group."
    )
    assert said() in lines
    assert any("3,000" in line for line in lines)


def test_curve_of_a_new_word_starts_from_nothing(result):
    planned = result.frames["terms"].iloc[0].to_dict()
    curve = response_curve(planned, result.context)
    at_bid = curve.iloc[(curve["bid"] - planned["curve_bid"]).abs().argmin()]
    worth = planned["clicks"] * (planned["value_mean"] - planned["cpc"])
    assert at_bid["profit_mean"] == pytest.approx(worth, rel=1e-6)
    assert at_bid["clicks"] == pytest.approx(planned["clicks"], rel=1e-6)


def test_run_stored_before_words_could_be_new_is_solved_again(result):
    terms = result.frames["terms"].drop(columns="present")
    older = replace(result, frames={**result.frames, "terms": terms})
    again = added(resolve_account(older, empty_table(HOLDS)))
    assert set(again["reason"]) <= {"term_pays_above_line"}
