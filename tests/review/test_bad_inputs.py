"""What no account should look like gets an answer or a refusal by name, and never a NaN."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

from optimizer.errors import BadTable, Infeasible, RefusedInput
from optimizer.review.daily import UNKNOWN
from optimizer.review.plan import beside, gamma_of
from optimizer.review.suggestions import ReviewInputs, ReviewResult
from optimizer.settings import LagPrior
from optimizer.tables import SUGGESTIONS, check_finite, check_table
from tests.review.small_account import FILLERS, Word, review, small_account, told

WORDS = (Word("good", rate=0.08), Word("bad", rate=0.012, clicks=40), *FILLERS)
Change = Callable[[ReviewInputs], ReviewInputs]


@pytest.fixture(scope="module")
def account() -> ReviewInputs:
    return small_account(WORDS)


def assert_sound(result: ReviewResult) -> None:
    check_table(result.suggestions, SUGGESTIONS)
    check_finite(result.frames["plan"], "plan", UNKNOWN)
    json.dumps({**asdict(result.summary), "as_of": ""}, allow_nan=False)


def daily(**changed: object) -> Change:
    return lambda inputs: replace(inputs, daily=inputs.daily.assign(**changed))


def keywords(**changed: object) -> Change:
    return lambda inputs: replace(inputs, keywords=inputs.keywords.assign(**changed))


def times(factor: float, *names: str) -> Change:
    return lambda inputs: replace(
        inputs, daily=inputs.daily.assign(**{name: inputs.daily[name] * factor for name in names})
    )


def last_day(inputs: ReviewInputs) -> ReviewInputs:
    day = inputs.daily["first_day"]
    return replace(inputs, daily=inputs.daily[day == day.max()])


def one_keyword(inputs: ReviewInputs) -> ReviewInputs:
    only = inputs.keywords.head(1)
    known = inputs.daily["entity_key"].isin(only["entity_key"])
    return replace(inputs, keywords=only, daily=inputs.daily[known])


NOTHING = dict.fromkeys(("clicks", "cost", "conversions", "value"), 0.0)
SUMS = ("impressions", "clicks", "cost", "conversions", "value")


@pytest.mark.parametrize(
    "change",
    [
        daily(**NOTHING),
        daily(**NOTHING, impressions=0.0),
        last_day,
        one_keyword,
        lambda inputs: one_keyword(last_day(inputs)),
        keywords(bid=0.01),
        keywords(bid=1e9),
        keywords(bid=np.nan),
        keywords(campaign_budget=0.0),
        keywords(campaign_name="", ad_group_name=""),
        daily(cost=0.0),
        times(3.0, "conversions"),
        times(1e9, *SUMS),
        times(1e-6, "cost", "value"),
    ],
    ids=[
        "zero_clicks",
        "zero_impressions",
        "one_day",
        "one_keyword",
        "one_keyword_one_day",
        "bids_at_the_minimum",
        "bids_past_the_maximum",
        "bids_unknown",
        "reported_budget_zero",
        "no_parents",
        "free_clicks",
        "more_orders",
        "huge_counts",
        "tiny_money",
    ],
)
def test_odd_accounts_get_finite_answers(account: ReviewInputs, change: Change) -> None:
    result = review(change(account), told(value_per_conversion=50.0))
    assert_sound(result)
    assert len(result.frames["plan"]) == len(change(account).keywords)


@pytest.mark.parametrize(
    "stated",
    [
        {"margin": 5.0},
        {"refund_rate": 1.0},
        {"lag_prior": LagPrior(day0=0.0, mean_days=2000)},
        {"segments": {"brand": ["filler", "good", "bad"]}, "brand_incrementality": 0.0},
    ],
    ids=["margin_above_1", "all_refunded", "all_immature", "worthless_brand"],
)
def test_odd_statements_get_finite_answers(
    account: ReviewInputs, stated: dict[str, object]
) -> None:
    assert_sound(review(account, told(**stated)))


def test_all_immature_moves_nothing(account: ReviewInputs) -> None:
    """One day, of which a hundredth of the orders is in: it is left out, and no keyword moves."""
    slow = told(lag_prior=LagPrior(day0=0.0, mean_days=100), value_per_conversion=50.0)
    result = review(last_day(account), slow)
    assert_sound(result)
    assert result.suggestions.empty
    assert set(result.summary.not_suggested) == {"too_little_data"}


@pytest.mark.parametrize("value", [0.0, np.nan, -1.0])
def test_no_value_at_all_is_refused_by_the_key_to_set(account: ReviewInputs, value: float) -> None:
    with pytest.raises(RefusedInput, match="value_unknown") as refusal:
        review(daily(value=value)(account), told())
    assert refusal.value.fields["key"] == "value_per_conversion"


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        ({"daily_budget": 0.0}, "account_budget_unreachable"),
        ({"campaign_budgets": {"shop": 0.0}}, "campaign_budget_unreachable"),
    ],
)
def test_a_budget_of_zero_names_what_could_be_met(
    account: ReviewInputs, stated: dict[str, object], code: str
) -> None:
    with pytest.raises(Infeasible, match=code) as refusal:
        review(account, told(**stated))
    assert refusal.value.fields["nearest"] > 0


@pytest.mark.parametrize(
    ("change", "code", "column"),
    [
        (daily(clicks=np.nan), "null_not_allowed", "clicks"),
        (daily(clicks=np.inf), "not_finite", "clicks"),
        (daily(cost=-1.0), "negative_not_allowed", "cost"),
        (times(-1.0, "conversions"), "negative_not_allowed", "conversions"),
        (daily(lost_is_budget=np.inf), "not_finite", "lost_is_budget"),
        (keywords(campaign_name=None), "null_not_allowed", "campaign_name"),
        (keywords(bid="dear"), "wrong_dtype", "bid"),
    ],
)
def test_numbers_that_are_none_are_refused_at_the_door(
    account: ReviewInputs, change: Change, code: str, column: str
) -> None:
    with pytest.raises(BadTable, match=code) as refusal:
        review(change(account), told())
    assert refusal.value.fields["column"] == column


def with_idle(account: ReviewInputs, number: int) -> ReviewInputs:
    """`account` with keywords that were never shown, a hundred to an ad group."""
    keys = np.arange(1000, 1000 + number)
    idle = account.keywords.head(1).loc[[0] * len(keys)]
    idle = idle.assign(
        entity_key=keys,
        keyword_text=keys.astype(str),
        ad_group_name=(keys % (number // 100)).astype(str),
    )
    return replace(account, keywords=pd.concat([account.keywords, idle], ignore_index=True))


def test_idle_keywords_change_nothing_for_the_others(account: ReviewInputs) -> None:
    """20,000 of 20,022 keywords were never shown."""
    result, alone = (review(one, told()) for one in (with_idle(account, 20_000), account))
    assert_sound(result)
    assert result.summary.not_suggested["no_impressions"] == 20_000
    assert result.suggestions["id"].tolist() == alone.suggestions["id"].tolist()


def test_codes_of_idle_keywords_take_a_byte_each(account: ReviewInputs) -> None:
    """Of ten million keywords the plan would otherwise be mostly the same few words."""
    plan = review(with_idle(account, 20_000), told()).frames["plan"]
    codes = plan[[name for name in plan if name.endswith(("_code", "_block")) or name == "reason"]]
    assert len(codes.columns) == 5
    assert codes.memory_usage(index=False, deep=True).sum() < 5 * (len(plan) + 1000)
    assert (codes.loc[plan["impressions"] == 0, ["state_code", "reason"]] == "no_impressions").all(
        axis=None
    )


def test_a_plan_shares_the_numbers_it_is_made_of(account: ReviewInputs) -> None:
    clicks = np.ones(len(account.keywords))
    plan = beside(account.keywords[["entity_key"]], {"clicks": clicks, "line": 1.0})
    assert np.shares_memory(plan["clicks"].to_numpy(), clicks)
    assert plan["line"].eq(1.0).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_is_none_does_not_leave_its_stage(value: float) -> None:
    frame = pd.DataFrame({"bid": [np.nan, 1.0], "clicks": [1.0, value], "name": ["a", "b"]})
    with pytest.raises(BadTable, match="not_finite") as refusal:
        check_finite(frame, "plan", ("bid",))
    assert refusal.value.fields == {"table": "plan", "column": "clicks"}


def test_gates_of_alike_keywords_are_those_of_each(account: ReviewInputs) -> None:
    settings = told()
    plan = review(with_idle(account, 1_000), settings).frames["plan"]
    sure, marginal = settings.guardrails.min_probability, gamma_of(plan, "marginal")
    assert plan["raise_gate"].tolist() == marginal.quantile(1 - sure).tolist()
    assert plan["lower_gate"].tolist() == marginal.quantile(sure).tolist()
