"""A scoreboard as a table for a person, and as a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from optimizer import workflows
from optimizer.interfaces.cli.running import Run
from optimizer.interfaces.cli.tables import text_table
from optimizer.interfaces.locale import Translator

_HEADINGS = (
    *("Policy", "Profit", "Of oracle", "Last 14 days", "Worst tenth", "Deepest loss", "Cost"),
    *(
        "Budget used",
        "Capped days",
        "Days over budget",
        "Promised ÷ delivered",
        "80 % held",
        "False pauses",
    ),
)
_COLOURS = (
    *("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#999999", "#f0e442"),
    "#000000",
)


def print_scores(run: Run, report: workflows.SimulationReport) -> None:
    """One table per market, and what earned more than ours."""
    board = report.scoreboard
    lost = board.lost_to()
    for market, scores in report.to_json().items():
        rows = [_cells(run, policy, score) for policy, score in scores.items()]
        title = f"{market} ({report.currencies[market]})"
        run.console.print(text_table(run.words, _HEADINGS, rows, title=title, right=_HEADINGS[1:]))
        for ours, better in lost[market].items():
            run.say(
                "More than {ours} earned here: {policies}.", ours=ours, policies=", ".join(better)
            )
    run.say(
        "{seeds:whole} lives of {days:whole} days each; profit counts orders at their expectation.",
        seeds=len(board.seeds),
        days=board.days,
    )


def plot(run: Run, report: workflows.SimulationReport) -> str:
    """A self-contained page: per market what each policy has fallen behind the oracle, week by week."""
    told = report.to_json()
    figure = make_subplots(rows=len(told), cols=1, subplot_titles=list(told))
    for row, scores in enumerate(told.values(), start=1):
        for place, (policy, score) in enumerate(scores.items()):
            figure.add_trace(
                go.Scatter(
                    x=list(range(1, len(score["regret"]) + 1)),
                    y=score["regret"],
                    name=policy,
                    legendgroup=policy,
                    showlegend=row == 1,
                    line={"color": _COLOURS[place % len(_COLOURS)]},
                ),
                row=row,
                col=1,
            )
    title = run.words.text("Profit behind the oracle, running total by week")
    figure.update_layout(height=340 * len(told) + 120, title=title)
    page: str = figure.to_html(include_plotlyjs=True, full_html=True)
    return page


def _cells(run: Run, policy: str, score: Mapping[str, Any]) -> Sequence[str]:
    words = run.words
    return (
        policy,
        words.number(score["profit"], 0),
        words.percent(score["oracle_share"]),
        words.percent(score["late_share"]),
        words.number(score["worst_decile"], 0),
        words.number(score["deepest_loss"], 0),
        words.number(score["spend"], 0),
        words.percent(score["budget_used"]),
        str(score["capped_days"]),
        str(score["budget_breaches"]),
        promise_words(words, score),
        words.percent(score["coverage80"]),
        f"{score['false_pauses']} / {score['pauses']}",
    )


def promise_words(words: Translator, score: Mapping[str, Any]) -> str:
    """Promised over delivered; both sums where they have no ratio, as where a loss was delivered."""
    if score["promised"] is None or score["promised_over_delivered"] is not None:
        return words.number(score["promised_over_delivered"])
    return " ÷ ".join(words.number(score[part], 0) for part in ("promised", "delivered"))
