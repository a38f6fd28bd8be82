"""A bid test in words, the same on the command line and on the pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optimizer.interfaces.locale import Translator


def experiment_lines(words: Translator, test: Mapping[str, Any]) -> list[str]:
    """What the test is, what it costs and teaches, and what is due; `test` as its JSON."""
    arms = [member["arm"] for member in test["members"]]
    lines = [
        words.text(
            "Bid test of {keywords:whole} keywords, {first:date} – {last_day:date}: {state}.",
            keywords=test["keywords"],
            first=test["as_of"],
            last_day=test["last_day"],
            state=words.code("experiment", test["state"]),
        ),
        *_arm_lines(words, arms.count("dither"), arms.count("ramp")),
        _cost_line(words, test),
        words.text(
            "Spend per day {extra:change}; what it teaches is worth {value:money} in all.",
            extra=test["extra_spend"],
            value=test["value"],
        ),
    ]
    return [*lines, *_due_lines(words, test)]


def _cost_line(words: Translator, test: Mapping[str, Any]) -> str:
    """What the test costs while it runs, or brings where its cost is below zero."""
    mean, low, high = (round(test[f"cost_{end}"], 2) + 0.0 for end in ("mean", "low", "high"))
    if mean >= 0:
        return words.text(
            "Expected cost in profit per day {cost:money} ({low:money} to {high:money}, 80 %).",
            cost=mean,
            low=low,
            high=high,
        )
    return words.text(
        "Expected gain in profit per day {gain:money} ({low:money} to {high:money}, 80 %): the test "
        "pays while it runs.",
        gain=-mean,
        low=0.0 - high,
        high=-low,
    )


def _arm_lines(words: Translator, dithered: int, ramped: int) -> list[str]:
    """What is done to the keywords, by arm; an arm without keywords is not spoken of."""
    up_and_down = words.text(
        "Bids going up and down around what the review would set, week by week at random: {dithered:whole}.",
        dithered=dithered,
    )
    step_by_step = words.text(
        "Words below the first page, raised step by step: {ramped:whole}.", ramped=ramped
    )
    return [line for line, size in ((up_and_down, dithered), (step_by_step, ramped)) if size]


def _due_lines(words: Translator, test: Mapping[str, Any]) -> list[str]:
    if test["due"] is not None and test["due"] == test["weeks"]:
        return [words.text("Due now: the last step, which ends the test.")]
    if test["due"] is not None:
        step, weeks = test["due"] + 1, test["weeks"]
        return [words.text("Due now: step {step:whole} of {weeks:whole}.", step=step, weeks=weeks)]
    if test["next_day"] is not None:
        return [words.text("The next step is due on {day:date}.", day=test["next_day"])]
    return []


def step_lines(words: Translator, step: Mapping[str, Any]) -> list[str]:
    """What an exported step holds, and which keywords it leaves alone."""
    done = words.text(
        "{rows:whole} bids of the test in export {id}.", rows=step["rows"], id=step["export_id"]
    )
    left = [
        f"– {one['keyword_text']} · {words.code('experiment', one['code'])}"
        for one in step["left_out"]
    ]
    return [done, *left]
