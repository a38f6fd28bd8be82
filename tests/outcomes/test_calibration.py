from dataclasses import replace
from datetime import timedelta
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from optimizer.errors import RefusedInput
from optimizer.estimates.exposure import records
from optimizer.outcomes.calibration import (
    Calibration,
    check_predictions,
    checked_days,
    days_before,
    long_enough,
    promise,
    sparsity,
)
from optimizer.review.beliefs import estimate_beliefs
from optimizer.review.daily import review_account
from optimizer.review.suggestions import ReviewInputs
from optimizer.tables import TERMS
from simulations.bench_predictive import SETTINGS, inputs
from simulations.lag_worlds import Lived, day_of, live
from simulations.rate_worlds import rates_truth
from tests.review.small_account import FILLERS, TODAY, Word, small_account, told

THEN, NOW = 40, 85
DOWNLOADS = range(4, THEN + 1, 3)


@lru_cache
def account(seed: int = 0) -> Lived:
    rng = np.random.default_rng(seed)
    return live(rates_truth(600, rng), NOW, rng)


@lru_cache
def known(seed: int = 0) -> tuple[ReviewInputs, ReviewInputs]:
    lived = account(seed)
    return inputs(lived, THEN, DOWNLOADS), inputs(lived, NOW, [NOW])


def check(seed: int = 0, **changed: object) -> Calibration:
    then, now = known(seed)
    return check_predictions(replace(then, **changed), now, SETTINGS, day_of(NOW))


def test_the_days_on_trial_are_the_fortnight_after_the_belief() -> None:
    then, first, last = checked_days(day_of(NOW))
    assert (then, first) == (day_of(THEN), day_of(THEN))
    assert last == first + timedelta(days=13)


def test_delivered_is_what_the_reports_now_say_of_those_days() -> None:
    daily = known()[1].daily
    inside = (daily["first_day"] >= str(day_of(THEN))) & (
        daily["last_day"] <= str(day_of(THEN + 13))
    )
    whole = check().of("conversions", "all", "all")
    worth = check().of("value", "all", "all")
    assert whole is not None
    assert worth is not None
    assert whole.delivered == daily.loc[inside, "conversions"].sum()
    assert whole.clicks == daily.loc[inside, "clicks"].sum()
    assert worth.delivered == pytest.approx(daily.loc[inside, "value"].sum())


def test_groups_add_up_to_the_whole() -> None:
    found = check()
    parts = [each for each in found.comparisons if each.by == "sparsity"]
    for amount in ("conversions", "value"):
        whole = found.of(amount, "all", "all")
        own = [each for each in parts if each.amount == amount]
        assert whole is not None
        assert sum(each.promised.mean for each in own) == pytest.approx(whole.promised.mean)
        assert sum(each.keywords for each in own) == whole.keywords


def test_promises_are_kept_over_many_accounts() -> None:
    found = [check(seed).of("conversions", "all", "all") for seed in range(12)]
    promised = sum(each.promised.mean for each in found if each)
    delivered = sum(each.delivered for each in found if each)
    assert 0.9 <= promised / delivered <= 1.1
    assert np.mean([each.inside for each in found if each]) >= 0.6


def test_without_run_off_a_slow_account_is_promised_too_little() -> None:
    """The stated lag is quicker than this account's, so that late orders look like none."""
    versions = known()[0].versions
    blind = check(versions=versions[:0]).of("conversions", "all", "all")
    told = check().of("conversions", "all", "all")
    assert blind is not None
    assert told is not None
    assert blind.promised.mean < 0.93 * told.promised.mean


def test_value_is_promised_as_a_click_is_believed_to_bring_it() -> None:
    """Not as rate times value per order, which forgets that the two may go together."""
    then, now = known()
    belief = estimate_beliefs(then, SETTINGS, day_of(THEN))
    bought = records(now.daily, belief.keywords["entity_key"])
    halved = replace(belief.value, revenue_per_click=belief.value.revenue_per_click.scaled(0.5))
    plain, half = (
        promise(replace(belief, value=value), bought, SETTINGS, (day_of(THEN), day_of(NOW)))
        for value in (belief.value, halved)
    )
    assert half.expected[1] == pytest.approx(plain.expected[1] / 2)
    assert half.expected[0] == pytest.approx(plain.expected[0])


def test_more_orders_known_then_narrow_the_interval() -> None:
    found = check()
    few, many = (found.of("conversions", "sparsity", group) for group in ("1-2", "3-10"))
    whole = found.of("conversions", "all", "all")
    assert few is not None
    assert many is not None
    assert whole is not None

    def width(each: object) -> float:
        promised = each.promised  # type: ignore[attr-defined]
        return float((promised.high - promised.low) / promised.mean)

    assert width(whole) < min(width(few), width(many))


def test_kinds_are_grouped_and_the_rest_is_named() -> None:
    then, now = known()
    kinds = {int(key): "raise" for key in then.keywords["entity_key"][:100]}
    found = check_predictions(then, now, SETTINGS, day_of(NOW), kinds=kinds)
    assert {each.group for each in found.comparisons if each.by == "kind"} == {"raise", "none"}


def test_days_long_matured_stand_in_where_no_report_of_then_exists() -> None:
    _, now = known()
    before = days_before(now, day_of(THEN))
    found = check_predictions(before, now, SETTINGS, day_of(NOW), rebuilt=True)
    whole = found.of("conversions", "all", "all")
    assert whole is not None
    assert whole.ratio == pytest.approx(1.0, abs=0.35)


def test_an_order_dated_account_is_checked_on_its_own_basis() -> None:
    """Every order is on its click's day here, as if none ever came later."""
    then, now = known()
    basis = {"attribution_basis": "order"}
    found = check_predictions(
        replace(then, **basis), replace(now, **basis), SETTINGS, day_of(NOW), rebuilt=False
    )
    whole = found.of("conversions", "all", "all")
    assert whole is not None
    assert np.isfinite([whole.promised.mean, whole.promised.low, whole.promised.high]).all()
    assert 0.4 < whole.promised.mean / whole.delivered < 1.6


@pytest.mark.parametrize("conversions", [0.0, -1.0])
def test_an_account_without_orders_promises_little_and_finitely(conversions: float) -> None:
    told = known()[0]
    daily = told.daily.assign(conversions=conversions)
    stated = SETTINGS.account.model_copy(update={"value_per_conversion": 50.0})
    settings = SETTINGS.model_copy(update={"account": stated})
    then = replace(told, daily=daily.assign(value=np.nan), versions=told.versions[:0])
    found = check_predictions(then, known()[1], settings, day_of(NOW))
    whole = found.of("conversions", "all", "all")
    assert whole is not None
    assert 0 <= whole.promised.mean < 0.2 * whole.delivered
    assert np.isfinite([whole.promised.low, whole.promised.high]).all()


def test_four_weeks_before_the_belief_are_needed() -> None:
    then, now = known()
    late = now.daily[now.daily["first_day"] >= str(day_of(THEN - 20))]
    assert long_enough(now.daily, day_of(NOW))
    assert not long_enough(late, day_of(NOW))
    assert not long_enough(now.daily[:0], day_of(NOW))
    with pytest.raises(RefusedInput, match="history_too_short"):
        check_predictions(then, replace(now, daily=late), SETTINGS, day_of(NOW))


def test_classes_by_conversions_known_then() -> None:
    counts = np.array([0.0, 0.5, 2.0, 2.5, 10.0, 11.0])
    assert sparsity(counts).tolist() == ["0", "1-2", "1-2", "3-10", "3-10", ">10"]


def test_a_review_of_the_past_does_not_see_what_came_after() -> None:
    """Search terms, bid changes and changes of today are of days that review cannot know."""
    inputs, then = small_account([Word("tent"), *FILLERS]), TODAY - timedelta(days=20)
    place = {"campaign_name": "shop", "ad_group_name": "tents", "keyword_text": "tent"}
    term = {**dict.fromkeys(TERMS.columns), **place, "entity_key": 900, "search_term": "a tent"}
    changes = {"entity_key": [1, 1], "day": [then - timedelta(days=9), TODAY], "bid": [1.0, 1.3]}
    days = inputs.daily[inputs.daily["entity_key"] == 1].assign(entity_key=900)
    moved = inputs.keywords.assign(last_change=pd.Timestamp(TODAY).as_unit("s"))
    known = replace(inputs, keywords=moved, terms=pd.DataFrame([term]), term_daily=days)
    frame = pd.DataFrame({**changes, "provenance": "human"}).astype({"day": "datetime64[s]"})
    past = days_before(replace(known, bid_changes=frame), then)
    assert past.term_daily["last_day"].max() < pd.Timestamp(then)
    assert past.bid_changes["bid"].tolist() == [1.0]
    assert past.keywords["last_change"].isna().all()
    assert review_account(past, told(), then, np.random.default_rng(0)).summary.kinds
