"""A back-test as a table for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optimizer import workflows
from optimizer.interfaces.cli.running import Run
from optimizer.interfaces.cli.tables import text_table

_HEADINGS = (
    *("Per week", "80 % held", "Forecast", "Came", "Bias", "Error"),
    *("Error of last week", "Error in proportion"),
)


def print_backtest(run: Run, report: workflows.BacktestReport) -> None:
    """Coverage, bias and errors by amount, and which weeks there were."""
    told = report.to_json()
    rows = [_cells(run, amount, score, told["weeks"]) for amount, score in told["scores"].items()]
    title = run.words.text("Past weeks, forecast from what was known then")
    run.console.print(text_table(run.words, _HEADINGS, rows, title=title, right=_HEADINGS[1:]))
    starts = sorted({one["first_day"] for one in told["weeks"]})
    run.say(
        "{weeks:whole} weeks from {first:date} to the week of {last:date}; orders are given {days:whole} days.",
        weeks=len(starts),
        first=starts[0],
        last=starts[-1],
        days=told["wait_days"],
    )
    rebuilt = len({one["first_day"] for one in told["weeks"] if one["rebuilt"]})
    if rebuilt:
        run.say(
            "Of {weeks:whole} weeks no report of that time exists: the days before are as known now.",
            weeks=rebuilt,
        )
    for one in told["left_out"]:
        why = run.words.code("backtest_left_out", one["reason"])
        run.say("The week of {day:date} is left out: {why}", day=one["first_day"], why=why)


def _cells(
    run: Run, amount: str, score: Mapping[str, Any], weeks: list[Mapping[str, Any]]
) -> tuple[str, ...]:
    words = run.words
    own = [one for one in weeks if one["amount"] == amount]
    forecast, came = (sum(one[name] for one in own) / len(own) for name in ("mean", "actual"))
    return (
        words.code("amount", amount),
        words.percent(score["coverage"]),
        words.number(forecast, 1),
        words.number(came, 1),
        words.percent(score["bias"], sign=True),
        words.percent(score["error"]),
        words.percent(score["last_week_error"]),
        words.percent(score["proportional_error"]),
    )
