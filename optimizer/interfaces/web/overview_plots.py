"""The plots of the overview: drawing only, all figures are computed below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go

from optimizer import workflows
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.marks import mark
from optimizer.interfaces.web.plots import BLUE, CORRIDOR, GREY, ORANGE

_STAGE_COLOURS = {"suggested": BLUE, "evaluated": GREY, "too_little_data": ORANGE}


def flow_figure(words: Translator, steps: Sequence[Any], others: Mapping[str, int]) -> go.Figure:
    """All keywords, then where each stopped and why, then what came from terms and campaigns."""
    names, counts, colours = [], [], []
    for step in steps:
        colour = _STAGE_COLOURS.get(step.stage, GREY)
        names.append(f"<b>{words.code('stage', step.stage)}</b>")
        counts.append(step.count)
        colours.append(colour)
        for code, count in step.codes.items():
            names.append(_short(_code(words, step.stage, code)))
            counts.append(count)
            colours.append(colour)
    for kind, count in others.items():
        names.append(f"{mark(kind)} {words.code('kind', kind)}")
        counts.append(count)
        colours.append(BLUE)
    figure = go.Figure(
        go.Bar(
            x=counts,
            y=list(range(len(names))),
            orientation="h",
            marker={"color": colours},
            text=[words.number(each, 0) for each in counts],
            textposition="outside",
            cliponaxis=False,
            hoverinfo="skip",
        )
    )
    return figure.update_layout(
        height=50 + 22 * len(names),
        margin={"l": 0, "r": 40, "t": 4, "b": 0},
        bargap=0.25,
        xaxis={"visible": False},
        yaxis={
            "autorange": "reversed",
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "automargin": True,
        },
    )


def _code(words: Translator, stage: str, code: str) -> str:
    if stage == "suggested":
        return f"{mark(code)} {words.code('kind', code)}"
    return words.reason(code)


def _short(text: str, longest: int = 46) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def pace_figure(words: Translator, pace: Any) -> go.Figure:
    """The corridor of the period's money, its path, and what was spent."""
    days = pace.days
    figure = go.Figure()
    figure.add_scatter(
        x=[*days["day"], *days["day"][::-1]],
        y=[*days["high"], *days["low"][::-1]],
        fill="toself",
        fillcolor=CORRIDOR,
        line={"width": 0},
        hoverinfo="skip",
        name=words.text("corridor"),
    )
    for column, colour, dash, name in (
        ("path", GREY, "dot", words.text("on target")),
        ("actual", BLUE, "solid", words.text("so far")),
    ):
        figure.add_scatter(
            x=days["day"], y=days[column], line={"color": colour, "dash": dash}, name=name
        )
    return _laid_out(figure)


def bridge_figure(words: Translator, found: workflows.Performance) -> go.Figure:
    """A waterfall from the period before to now, one step per factor."""
    before, now = found.totals
    steps = [(name, part) for name, part in found.factors.items() if part]
    names = ["before", *(name for name, _ in steps), "now"]
    figure = go.Figure(
        go.Waterfall(
            x=[words.code("factor", name) for name in names],
            y=[before, *(part for _, part in steps), now],
            measure=["absolute", *("relative" for _ in steps), "total"],
            text=[
                words.number(before, 0),
                *(words.number(part, 0, sign=True) for _, part in steps),
                words.number(now, 0),
            ],
            textposition="outside",
            cliponaxis=False,
            increasing={"marker": {"color": BLUE}},
            decreasing={"marker": {"color": ORANGE}},
            totals={"marker": {"color": GREY}},
            connector={"line": {"color": GREY, "width": 1}},
            hoverinfo="skip",
        )
    )
    return _laid_out(figure).update_layout(showlegend=False, xaxis={"tickformat": ""})


def days_figure(words: Translator, found: workflows.Performance) -> go.Figure:
    """The amount day by day over the period before (dashed), with exports and events laid over."""
    figure = go.Figure()
    for days, colour, dash, name in (
        (found.days_before, GREY, "dot", words.code("factor", "before")),
        (found.days, BLUE, "solid", words.code("factor", "now")),
    ):
        figure.add_scatter(
            x=days["day"], y=days[found.amount], line={"color": colour, "dash": dash}, name=name
        )
    for each in found.marks:
        _draw_mark(figure, words, each)
    return _laid_out(figure)


def _draw_mark(figure: go.Figure, words: Translator, each: Any) -> None:
    """A line on the day, a shade over several."""
    told = words.code("dated", each.what, name=each.name, count=each.count)
    label = {"text": escape(_short(told, 28), quote=False), "font": {"size": 11}}
    if each.first == each.last:
        figure.add_shape(
            type="line",
            x0=each.first.isoformat(),
            x1=each.first.isoformat(),
            yref="paper",
            y0=0,
            y1=1,
            line={"color": ORANGE, "dash": "dash", "width": 1},
            label={**label, "textposition": "end"},
        )
        return
    figure.add_shape(
        type="rect",
        x0=each.first.isoformat(),
        x1=each.last.isoformat(),
        yref="paper",
        y0=0,
        y1=1,
        line={"width": 0},
        fillcolor="rgba(217,115,13,0.15)",
        label={**label, "textposition": "top left"},
    )


def _laid_out(figure: go.Figure) -> go.Figure:
    return figure.update_layout(
        height=300,
        margin={"l": 0, "r": 20, "t": 24, "b": 0},
        legend={"orientation": "h", "y": 1.12},
        xaxis={"tickformat": "%m-%d"},
        hovermode="x unified",
    )
