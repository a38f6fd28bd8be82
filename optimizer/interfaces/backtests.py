"""A back-test in rows and sentences, the same for the command line and the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optimizer import workflows
from optimizer.interfaces.locale import Translator

BACKTEST_HEADINGS = (
    *("Per week", "80 % held", "Forecast", "Came", "Bias", "Error"),
    *("Error of last week", "Error in proportion"),
)


def backtest_rows(words: Translator, report: workflows.BacktestReport) -> list[list[str]]:
    """Cells per amount: means per week, and how wrong the forecast and both rules were."""
    means = report.frame.groupby("amount")[["mean", "actual"]].mean()
    return [
        [
            words.code("amount", amount),
            words.percent(score["coverage"]),
            words.number(means["mean"][amount], 1),
            words.number(means["actual"][amount], 1),
            words.percent(score["bias"], sign=True),
            words.percent(score["error"]),
            words.percent(score["last_week_error"]),
            words.percent(score["proportional_error"]),
        ]
        for amount, score in report.scores.items()
    ]


def backtest_lines(words: Translator, report: workflows.BacktestReport) -> list[str]:
    """Which weeks there were, what their forecasts rest on, and which are left out."""
    weeks = report.backtest.weeks
    starts = sorted({one.first_day for one in weeks})
    rebuilt = len({one.first_day for one in weeks if one.rebuilt})
    first = words.text(
        "{weeks:whole} weeks from {first:date} to the week of {last:date}; orders are given {days:whole} days.",
        weeks=len(starts),
        first=starts[0],
        last=starts[-1],
        days=report.backtest.wait_days,
    )
    then = words.text(
        "Of {weeks:whole} weeks no report of that time exists: the days before are as known now.",
        weeks=rebuilt,
    )
    left_out = [_left_out(words, one) for one in report.to_json()["left_out"]]
    return [first, *([then] if rebuilt else []), *left_out]


def _left_out(words: Translator, one: Mapping[str, Any]) -> str:
    why = words.code("backtest_left_out", one["reason"])
    if why == one["reason"]:
        why = words.text("its review was refused ({code}).", code=why)
    return words.text("The week of {day:date} is left out: {why}", day=one["first_day"], why=why)
