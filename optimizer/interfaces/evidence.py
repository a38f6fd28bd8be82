"""Evidence of a suggestion as lines in the operator's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optimizer.interfaces.locale import Translator


def evidence_lines(
    words: Translator, row: Mapping[str, Any], evidence: Mapping[str, Any]
) -> list[str]:
    """Why, what it brings, what it rests on, what stopped it, and what is assumed.

    A line whose figures are unknown is left out.
    """
    told = {**row, **evidence}
    lines = [
        words.reason(row["reason"]),
        *_change(words, row),
        *_return(words, told),
        *_value(words, told),
        *_data(words, told),
        *_limits(words, told),
        *_assumed(words, told),
    ]
    return [line for line in lines if line]


def _change(words: Translator, row: Mapping[str, Any]) -> list[str]:
    if row["kind"] == "watch":
        return []
    profit = {end: row[f"delta_profit_{end}"] for end in ("mean", "low", "high")}
    return [
        _line(words, row, "Bid {bid:money} → {proposed_bid:money}"),
        words.text(
            "Per day over the next 7 days: clicks {clicks}, cost {cost:change}, "
            "profit {profit} (80 %).",
            clicks=words.number(row["delta_clicks"], 1, sign=True),
            cost=row["delta_cost"],
            profit=words.interval(profit),
        ),
        _line(words, row, "Probability that profit rises: {p_positive:percent}."),
    ]


def _return(words: Translator, told: Mapping[str, Any]) -> list[str]:
    return [
        _line(
            words,
            told,
            "The next unit spent on it returns {marginal_mean:ratio} "
            "[{marginal_low:ratio}, {marginal_high:ratio}]; the line is {line:ratio}.",
        ),
        _line(
            words,
            told,
            "Probability that it returns more than the line: {p_marginal_above:percent}.",
        ),
    ]


def _value(words: Translator, told: Mapping[str, Any]) -> list[str]:
    return [
        _line(
            words,
            told,
            "A click is worth {value_mean:money} [{value_low:money}, {value_high:money}] after "
            "margin and costs {cpc:money}.",
        ),
        _line(words, told, "Probability that a click is worth its cost: {p_above_cpc:percent}."),
        _line(
            words,
            told,
            "Conversion rate {rate_mean:percent} [{rate_low:percent}, {rate_high:percent}]; its "
            "group without it {parent_mean:percent} [{parent_low:percent}, {parent_high:percent}].",
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


def _data(words: Translator, told: Mapping[str, Any]) -> list[str]:
    return [
        _line(
            words,
            told,
            "Counted: {seen_clicks:whole} clicks, {conversions:number} conversions "
            "({exposure:number} clicks once late conversions are allowed for).",
        ),
        _line(
            words,
            told,
            "Data {first_day:date} – {last_day:date}: {days:whole} days, {days_excluded:whole} left "
            "out as immature, {days_maturing:whole} completed for late conversions.",
        ),
        _line(words, told, "Quality score {quality_score:whole}."),
    ]


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
    return _line(words, told, "About {clicks_needed:whole} more clicks would settle it.")


def _assumed(words: Translator, told: Mapping[str, Any]) -> list[str]:
    response = (
        _line(
            words,
            told,
            "Assumed, not measured: 1 % more bid gives {elasticity:number} % more clicks "
            "(± {elasticity_sd:number}) and {cpc_exponent:number} % more CPC.",
        )
        if told.get("response_assumed")
        else ""
    )
    others = [code for code in told.get("assumed") or () if code != "response"]
    return [
        response,
        _line(words, told, "Share of the uncertainty that comes from it: {assumed_share:percent}.")
        if response
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
