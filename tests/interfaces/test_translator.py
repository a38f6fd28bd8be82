"""Values in words: money with its code, signs, intervals, dates, missing numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from optimizer.errors import Conflict
from optimizer.interfaces.locale import Translator, pick_language
from optimizer.interfaces.sentences import error_lines, line_sentence
from optimizer.interfaces.web.frame import literal


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [(1234.5, "CNY", "1,234.50 CNY"), (-0.5, "USD", "−0.50 USD"), (1234.5, "JPY", "1,234 JPY")],
)
def test_money_has_its_code_and_its_digits(amount: float, currency: str, shown: str) -> None:
    assert Translator("en").money(amount, currency) == shown


def test_increase_is_marked_and_nothing_is_not() -> None:
    words = Translator("zh", "CNY")
    assert words.money(3, sign=True) == "+3.00 CNY"
    assert words.money(0.001, sign=True) == "0.00 CNY"


@pytest.mark.parametrize("unknown", [None, float("nan"), float("inf")])
def test_unknown_is_a_dash_and_never_zero(unknown: float | None) -> None:
    words = Translator("en", "CNY")
    assert {words.money(unknown), words.number(unknown), words.percent(unknown)} == {"–"}


def test_interval_has_one_code() -> None:
    ends = {"mean": 12.3, "low": -4, "high": 20}
    assert Translator("en", "CNY").interval(ends) == "+12.30 [−4.00, +20.00] CNY"


def test_dates_follow_the_language() -> None:
    assert Translator("zh").day(date(2026, 5, 1)) == "2026年5月1日"
    assert Translator("en").day("2026-05-01") == "May 1, 2026"


def test_times_of_the_store_say_that_they_are_utc() -> None:
    stored = datetime(2026, 5, 1, 17, 45, tzinfo=UTC)
    assert Translator("zh").moment(stored) == "2026/5/1 17:45 UTC"
    shanghai = stored.astimezone(ZoneInfo("Asia/Shanghai"))
    assert Translator("zh").moment(shanghai) == "2026/5/2 01:45"


def test_times_are_those_of_the_reader_where_their_zone_is_known() -> None:
    stored = datetime(2026, 5, 1, 17, 45, tzinfo=UTC)
    words = Translator("zh", zone=ZoneInfo("Asia/Shanghai"))
    assert words.moment(stored) == words.moment(stored.isoformat()) == "2026/5/2 01:45"
    assert words.moment(stored, ZoneInfo("Europe/London")) == "2026/5/1 18:45"


def test_error_is_a_sentence_with_its_fields() -> None:
    error = Conflict("bid_unchanged", id="a1", bid=1.5)
    assert Translator("en").error(error) == "The bid 1.5 is the one in force already."
    assert Translator("zh").error(error) == "出价 1.5 与现行出价相同。"


def test_field_that_was_not_given_reads_as_a_dash() -> None:
    assert "–" in Translator("en").code("error", "bid_unchanged")


@pytest.mark.parametrize(("asked", "language"), [("zh-CN", "zh"), ("zh_TW", "zh"), ("de", "en")])
def test_language_follows_what_was_asked(asked: str, language: str) -> None:
    assert pick_language(asked) == language


def test_markup_in_a_name_is_shown_as_it_is() -> None:
    assert literal("<b>*a*</b>") == r"\<b\>\*a\*\</b\>"


def test_one_is_singular_and_only_one() -> None:
    english = "{orders:number} orders from {clicks:whole} clicks"
    say = Translator("en").text
    assert say(english, orders=1, clicks=1) == "1 order from 1 click"
    assert say(english, orders=2.1, clicks=11) == "2.1 orders from 11 clicks"


@pytest.mark.parametrize(
    ("objective", "sentence"),
    [
        ("profit", "The next yuan returns 0.02 here."),
        ("value", "The next 1 CNY returns order value of 0.02 here."),
        ("conversions", "The next 100 CNY return 1.5 orders here."),
    ],
)
def test_the_line_is_told_in_what_the_objective_counts(objective: str, sentence: str) -> None:
    summary = {"currency": "CNY", "dual_price": 0.015, "data": {"objective": objective}}
    assert line_sentence(Translator("en"), summary) == sentence


@pytest.mark.parametrize(
    ("language", "refusal"), [("en", "The bid test was not approved"), ("zh", "出价试验未被采纳")]
)
def test_a_bid_test_over_budget_says_which_one_and_by_how_much(language: str, refusal: str) -> None:
    excess = {"scope": "account", "name": "shop", "budget": 10.0, "cost_now": 9.0}
    excess |= {"projected": 15.0, "excess": 5.0}
    error = Conflict("experiment_over_budget", name="shop", over=5.0, excess=[excess])
    first, second = error_lines(Translator(language, "CNY"), error)
    assert first.startswith(refusal)
    assert "shop" in first
    assert "5.00 CNY" in first
    assert "15.00 CNY" in second


def test_label_that_is_missing_leaves_no_brackets() -> None:
    told = {"file": "a.csv", "column": "clicks", "in_file": 2, "ours": 1}
    for language in ("zh", "en"):
        words = Translator(language)
        assert "()" not in words.code("error", "totals_mismatch", **told, label="")
        assert "(total)" in words.code("error", "totals_mismatch", **told, label="total")
