"""The predictive check in words: one line for the overview, a table for who asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optimizer.interfaces.locale import Translator

HEADINGS = ("Group", "Keywords", "Clicks", "Promised [80 %]", "Came", "Ratio", "Inside")
NUMBERS = HEADINGS[1:6]


def check_lines(words: Translator, data: Mapping[str, Any]) -> list[str]:
    """What became of the predictions of 45 days ago; nothing while history is too short."""
    told = data.get("predictive")
    if not told:
        return []
    if "problem" in told:
        why = words.code("error", told["problem"], **told["fields"])
        return [words.text("Earlier predictions could not be checked: {why}", why=why)]
    return [check_sentence(words, told)]


def check_sentence(words: Translator, told: Mapping[str, Any]) -> str:
    """Conversions promised and come, of all keywords."""
    whole = next(
        (
            each
            for each in told["groups"]
            if each["by"] == "all" and each["amount"] == "conversions"
        ),
        None,
    )
    if whole is None:
        return words.text("No keyword known then was clicked in the days checked.")
    sentence = words.text(
        "Check: for the clicks of {first_day:date} – {last_day:date} we promised {promised:number} "
        "conversions [{low:number}, {high:number}]; {delivered:number} came (ratio {ratio:ratio}).",
        first_day=told["first_day"],
        last_day=told["last_day"],
        **{name: whole[name] for name in ("promised", "low", "high", "delivered", "ratio")},
    )
    return f"{sentence} {basis_sentence(words, told)}".rstrip()


def basis_sentence(words: Translator, told: Mapping[str, Any]) -> str:
    """Where no report of that time exists, what the check does not try."""
    if not told["rebuilt"]:
        return ""
    return words.text("No report of that time is stored, so the lag is not tried.")


def group_rows(words: Translator, told: Mapping[str, Any], amount: str) -> list[tuple[str, ...]]:
    """One row of cells per group of keywords."""
    return [
        (
            group_name(words, each),
            words.number(each["keywords"], 0),
            words.number(each["clicks"], 0),
            "{} [{}, {}]".format(
                *(words.number(each[name], 1) for name in ("promised", "low", "high"))
            ),
            words.number(each["delivered"], 1),
            words.ratio(each["ratio"]),
            words.plain(each["inside"]),
        )
        for each in told["groups"]
        if each["amount"] == amount
    ]


def group_name(words: Translator, each: Mapping[str, Any]) -> str:
    """All keywords, those with so many conversions then, or those of one suggestion."""
    if each["by"] == "all":
        return words.text("All keywords")
    if each["by"] == "sparsity":
        return words.text("{count} conversions then", count=each["group"])
    if each["group"] == "none":
        return words.text("no suggestion then")
    return words.code("kind", each["group"])
