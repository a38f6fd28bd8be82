"""Evidence of a suggestion as lines in the operator's words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from optimizer.interfaces.creative_tests import creative_lines
from optimizer.interfaces.locale import Translator

_RESPONSES = {
    "measured": "Measured on its own bid tests: 1 % more bid gives {elasticity:number} % more clicks "
    "(± {elasticity_sd:number}) and {cpc_exponent:number} % more CPC.",
    "pooled": "Measured on other words of the account: 1 % more bid gives {elasticity:number} % more "
    "clicks (± {elasticity_sd:number}) and {cpc_exponent:number} % more CPC.",
    "simulator": "From the platform's own simulator: 1 % more bid gives {elasticity:number} % more "
    "clicks (± {elasticity_sd:number}) and {cpc_exponent:number} % more CPC.",
    "assumed": "Assumed, not measured: 1 % more bid gives {elasticity:number} % more clicks "
    "(± {elasticity_sd:number}) and {cpc_exponent:number} % more CPC.",
}


_SETTINGS = {
    "set_budget": "Campaign budget per day {bid:money} → {proposed_bid:money}",
    "set_target": "Target {bid:number} → {proposed_bid:number}",
}


def evidence_lines(
    words: Translator, row: Mapping[str, Any], evidence: Mapping[str, Any]
) -> list[str]:
    """Why, what it brings, what would flip it, what it stands against, what it rests on, what is assumed.

    A line whose figures are unknown is left out.
    """
    if row.get("slot") == "creative":
        return creative_lines(words, row, evidence)
    told = {**row, **evidence}
    lines = [
        words.reason(row["reason"]),
        *_change(words, row),
        *_alternative(words, told),
        _belief(words, told),
        *_worth(words, told),
        *_flip(words, told),
        *_stands_against(words, told),
        *_advice(words, told),
        *_data(words, told),
        *_limits(words, told),
        *_assumed(words, told),
    ]
    return [line for line in lines if line]


def rate_line(words: Translator, tried: Mapping[str, Any]) -> str:
    """What a suggestion would be at another conversion rate, in enough digits to tell it from the flip."""
    rate = words.percent(tried["rate"], 4)
    told = {**tried, "rate": rate, "then": words.code("flip_kind", str(tried["kind"]))}
    with_bid = "If the true conversion rate were {rate}: {then}, bid {proposed_bid:money}."
    return _line(words, told, with_bid) or _line(
        words, told, "If the true conversion rate were {rate}: {then}."
    )


def _alternative(words: Translator, told: Mapping[str, Any]) -> list[str]:
    """Of a budget or target: how much of the day it serves, and what would do instead."""
    guessed = (
        "The budget pays for about {served:percent} of the day's demand (assumed: no report says)."
    )
    known = "The budget pays for {served:percent} of the day's demand."
    english = guessed if told.get("served_assumed") else known
    return [
        _line(words, told, english),
        _line(
            words,
            told,
            "Instead, at the same budget: {alternative_rows:whole} bids of the campaign lowered, "
            "× {alternative_factor:number} on average, bring {alternative_profit:money} a day. "
            "Choose one, not both.",
        ),
        _line(
            words,
            told,
            "Instead: a campaign budget of {alternative_setting:money} brings "
            "{alternative_profit:money} a day (suggestion {alternative_id}). Choose one, not both.",
        ),
        _line(
            words,
            told,
            "Already taken off: {learning_loss:money} a day while automated bidding learns the new "
            "target.",
        ),
    ]


def _change(words: Translator, row: Mapping[str, Any]) -> list[str]:
    if row["kind"] == "watch":
        return []
    profit = {end: row[f"delta_profit_{end}"] for end in ("mean", "low", "high")}
    return [
        _line(words, row, _SETTINGS.get(row["kind"], "Bid {bid:money} → {proposed_bid:money}")),
        words.text(
            "Per day over the next 7 days: clicks {clicks}, cost {cost:change}, "
            "profit {profit} (80 %).",
            clicks=words.number(row["delta_clicks"], 2, sign=True),
            cost=row["delta_cost"],
            profit=words.interval(profit),
        ),
        _line(words, row, "Probability that profit rises: {p_positive:percent}."),
    ]


def _belief(words: Translator, told: Mapping[str, Any]) -> str:
    return _line(
        words,
        told,
        "{conversions:number} orders from {seen_clicks:whole} clicks ({days_maturing:whole} days "
        "still maturing); similar words in this ad group convert {parent_mean:rate}; we believe "
        "{rate_mean:rate} ({rate_low:rate} to {rate_high:rate}).",
    )


def _worth(words: Translator, told: Mapping[str, Any]) -> list[str]:
    returns = (
        "The next yuan here returns {marginal_mean:ratio} ({marginal_low:ratio} to "
        "{marginal_high:ratio}); the account stops at {line:ratio}."
        if words.currency == "CNY"
        else "The next {currency} here returns {marginal_mean:ratio} ({marginal_low:ratio} to "
        "{marginal_high:ratio}); the account stops at {line:ratio}."
    )
    plain = (
        "The next yuan here returns {marginal_mean:ratio}; the account stops at {line:ratio}."
        if words.currency == "CNY"
        else "The next {currency} here returns {marginal_mean:ratio}; the account stops at {line:ratio}."
    )
    named = {**told, "currency": words.currency}
    return [
        _line(
            words,
            told,
            "A click is worth {value_mean:money} ({value_low:money} to {value_high:money}) after "
            "margin and costs {cpc:money}; the chance that it pays is {p_above_cpc:percent}.",
        ),
        _line(words, named, returns) or _line(words, named, plain),
        _line(
            words,
            told,
            "Probability that it returns more than the line: {p_marginal_above:percent}.",
        ),
        _lowest(words, told),
    ]


def _lowest(words: Translator, told: Mapping[str, Any]) -> str:
    if told["kind"] != "pause":
        return ""
    english = (
        "Probability that a click pays even at the lowest useful bid: {p_above_lowest_cpc:percent}."
    )
    return _line(words, told, english)


def _flip(words: Translator, told: Mapping[str, Any]) -> list[str]:
    """The conversion rate at which this would be another suggestion, or why there is none."""
    if reason := told.get("flip_reason"):
        why = words.code("flip", str(reason))
        return [words.text("No conversion rate would flip it: {why}", why=why)]
    if _absent(told.get("flip_rate")):
        return []
    english = (
        "Would flip if the true conversion rate were below {flip_rate:rate}, or an order worth less "
        "than {flip_per_conversion:money}: then {then}."
        if told["flip_side"] == "below"
        else "Would flip if the true conversion rate were above {flip_rate:rate}, or an order worth "
        "more than {flip_per_conversion:money}: then {then}."
    )
    return [words.text(english, **told, then=words.code("flip_kind", str(told["flip_kind"])))]


def _stands_against(words: Translator, told: Mapping[str, Any]) -> list[str]:
    keep = told.get("keep") or {}
    return [words.code("conflict", code, **keep) for code in told.get("conflicts") or ()]


def _advice(words: Translator, told: Mapping[str, Any]) -> list[str]:
    return [words.code("advice", code, **told) for code in told.get("advice") or ()]


def _data(words: Translator, told: Mapping[str, Any]) -> list[str]:
    return [
        _line(
            words,
            told,
            "Allowing for late conversions, that is as good as {exposure:whole} complete clicks.",
        ),
        *_organic(words, told),
        *_counted(words, told),
        _line(
            words,
            told,
            "Data {first_day:date} – {last_day:date}: {days:whole} days, {days_excluded:whole} left "
            "out as immature, {days_maturing:whole} completed for late conversions.",
        ),
        _last_change(words, told),
        *_creative_change(words, told),
        _line(words, told, "Quality score {quality_score:whole}."),
    ]


def _creative_change(words: Translator, told: Mapping[str, Any]) -> list[str]:
    """What a change of the ad group's creatives made of the days before it."""
    change = told.get("creative_change")
    if not change:
        return []
    return [words.code("alert", change["code"], **{k: v for k, v in change.items() if k != "code"})]


def _organic(words: Translator, told: Mapping[str, Any]) -> list[str]:
    """What is known of a word that nobody paid for yet, and that the rest is its ad group's."""
    if _absent(told.get("organic_orders")):
        return []
    return [
        _line(
            words,
            told,
            "Without an advertisement: {organic_orders:number} orders, {organic_first_day:date} – "
            "{organic_last_day:date}. They only show that the word sells; they are in no estimate.",
        ),
        _line(words, told, "People who found the item by it: {organic_visitors:whole}."),
        words.text("Its rate, clicks and CPC are pooled from the words of its ad group."),
    ]


def _counted(words: Translator, told: Mapping[str, Any]) -> list[str]:
    """What reports count beside orders, and how the value divides."""
    counts = told.get("counted_beside") or {}
    named = [words.code("count", code, amount=amount) for code, amount in counts.items()]
    days = {name: told.get(f"counted_{name}") for name in ("first_day", "last_day")}
    return [
        words.text(
            "Also counted {first_day:date} – {last_day:date}, and in no estimate: {what}.",
            **days,
            what=words.listing(named),
        )
        if named
        else "",
        _line(
            words,
            told,
            "Of the reported value, {direct_value:money} is of the advertised item and "
            "{indirect_value:money} of others; the estimate counts both.",
        ),
    ]


def _last_change(words: Translator, told: Mapping[str, Any]) -> str:
    full = (
        "Last bid change {change_day:date}: clicks per day {change_clicks_before:number} → "
        "{change_clicks_after:number}, CPC {change_cpc_before:money} → {change_cpc_after:money} "
        "({change_days:whole} days after against as many before)."
    )
    return _line(words, told, full) or _line(
        words, told, "Last bid change {change_day:date}; its result is not known yet."
    )


def _limits(words: Translator, told: Mapping[str, Any]) -> list[str]:
    binding = told.get("binding")
    stopped = [] if _absent(binding) or binding == "none" else [words.reason(str(binding))]
    return [
        *(words.text("Stopped by: {what}", what=what) for what in stopped),
        words.text("The CPC is far below the bid: lowering will hardly bite.")
        if told.get("no_bite")
        else "",
        _needed(words, told),
    ]


def _needed(words: Translator, told: Mapping[str, Any]) -> str:
    if told["kind"] != "watch":
        return ""
    if _absent(told.get("clicks_needed")):
        return ""
    needed = max(1, math.ceil(told["clicks_needed"]))
    return words.text(
        "About {clicks_needed:whole} more clicks would settle it.", clicks_needed=needed
    )


def _assumed(words: Translator, told: Mapping[str, Any]) -> list[str]:
    fallback = "assumed" if told.get("response_assumed") else "measured"
    source = str(told.get("response_source") or fallback)
    # What a pause saves does not depend on the response.
    shared = source in ("assumed", "pooled") and told["kind"] != "pause"
    others = [code for code in told.get("assumed") or () if code != "response"]
    return [
        _line(words, told, _RESPONSES.get(source, _RESPONSES["assumed"])),
        _line(words, told, "Share of the uncertainty that comes from it: {assumed_share:percent}.")
        if shared
        else "",
        *(words.text("Assumed: {what}", what=words.reason(code)) for code in others),
    ]


def _line(words: Translator, told: Mapping[str, Any], english: str) -> str:
    """The sentence, or nothing when one of its figures is unknown."""
    names = words.fields_of(english)
    if any(_absent(told.get(name)) for name in names):
        return ""
    return words.text(english, **{name: told[name] for name in names})


def _absent(value: Any) -> bool:
    return value is None or value != value
