"""Creative tests: who is ahead, how sure that is, who is to be shown, and what the modes would take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from optimizer import workflows
from optimizer.interfaces.creative_tests import (
    HEADINGS,
    MODE_HEADINGS,
    arm_rows,
    asked_lines,
    mode_rows,
    served_lines,
    share_badge,
    shown_course,
    shown_in,
    size_line,
    state_lines,
)
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.web import frame, plots, session
from optimizer.interfaces.web.creative_form import draw_form
from optimizer.interfaces.web.frame import literal

# After Okabe-Ito, told apart by every eye, light ones darkened to be seen on white; beyond eight
# creatives the colours begin again.
PALETTE = (
    "#0072B2", "#D55E00", "#009E73", "#C2679A", "#B97F00", "#3E96CC", "#8A6D3B", "#767676",
)  # fmt: skip
SHOWN_ARMS = 12


def draw() -> None:
    """The tests of the account, then the one chosen."""
    report = frame.read_reviewed(workflows.creative_tests)
    if report is None:
        return
    words = session.current().words
    visit = session.current()
    defined = workflows.defined_tests(visit.workspace, str(visit.account), visit.actor)
    if report.tests.empty:
        frame.draw_empty(
            "No ad group showed two creatives in the last two weeks, and no test is defined.",
            "imports",
            "Go to Imports",
        )
        if len(workflows.known_creatives(visit.workspace, str(visit.account), visit.actor)):
            draw_form(defined, None)
        return
    _draw_list(words, report)
    name = st.selectbox(
        words.text("Test"), report.tests["test"].tolist(), key="test", bind="query-params"
    )
    _draw_test(words, report, name)
    draw_form(defined, name)


def _draw_list(words: Translator, report: workflows.CreativeReport) -> None:
    """Every test with where it stands and what to do next."""
    tests = report.tests
    state = [words.code("creative_stand", one) for one in tests["state"]]
    cells = {
        words.text("Test"): tests["test"],
        words.text("State"): state,
        words.text("Next"): [
            words.code("creative_next", report.actions[one]) for one in tests["test"]
        ],
        words.text("Ahead"): tests["leader"],
        words.text("Metric"): [words.code("creative_metric", one) for one in tests["metric"]],
        words.text("Creatives"): [words.number(one, 0) for one in tests["arms"]],
        words.text("Days"): [words.number(one, 0) for one in tests["days"]],
        words.text("Shown per day"): [words.number(one, 0) for one in tests["impressions_per_day"]],
    }
    st.dataframe(pd.DataFrame(cells), hide_index=True, placeholder="–")


def _draw_test(words: Translator, report: workflows.CreativeReport, name: str) -> None:
    own = report.only(name)
    row = own.tests.iloc[0].to_dict()
    first, *others = state_lines(words, row)
    st.caption(literal(first))
    st.markdown("  \n".join(f"**{literal(line)}**" for line in others))
    badge, colour = share_badge(words, row)
    st.badge(badge, color=colour)
    cells = arm_rows(words, row["metric"], own.arms)
    headings = [words.text(heading) for heading in HEADINGS]
    told = {words.text(name): st.column_config.Column(help=text) for name, text in _helps(words)}
    st.dataframe(pd.DataFrame(cells, columns=headings), hide_index=True, column_config=told)
    _draw_serving(words, own)
    if row["state"] in ("unmeasured", "no_traffic"):
        return
    visit = session.current()
    with st.spinner(words.text("Working out densities and forecasts")):
        found = workflows.creative_test(visit.workspace, str(visit.account), name, visit.actor)
    _draw_figures(words, row["metric"], own.arms, found)
    _draw_modes(words, row["metric"], found)


def _helps(words: Translator) -> list[tuple[str, str]]:
    """Columns that do not say by themselves what they are."""
    return [
        (
            "80 % interval",
            words.text("With 80 % probability the true value lies between these two."),
        ),
        (
            "P(best)",
            words.text("How likely it is that this creative is the best of the test."),
        ),
        (
            "Evidence",
            words.text(
                "How much of what a claim takes is there that the creative ahead is better than this "
                "one: at 100 % it may be called the winner, whenever you looked."
            ),
        ),
    ]


def _draw_serving(words: Translator, own: workflows.CreativeReport) -> None:
    """What was planned and served, and the suggestions of the newest review, one click away."""
    lines = served_lines(words, own.served, own.arms)
    if lines:
        st.markdown("##### " + words.text("Planned and served"))
        st.text("\n".join(lines))
    if len(own.asked):
        st.markdown("##### " + words.text("Its suggestions"))
        st.text("\n".join(asked_lines(words, own.asked)))
        frame.draw_link("queue", "Decide in the queue")


def _draw_figures(
    words: Translator, metric: str, arms: pd.DataFrame, found: workflows.CreativeDetail
) -> None:
    named = _named(arms)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("##### " + words.text("What is believed"))
        figure = ridge_figure(words, metric, found.densities, named)
        plots.draw(figure, "ridge")
    with right:
        st.markdown("##### " + words.text("How it came about"))
        figure = course_figure(words, shown_course(found.days), named)
        plots.draw(figure, "course")


def _draw_modes(words: Translator, metric: str, found: workflows.CreativeDetail) -> None:
    st.markdown("##### " + words.text("What each mode would take from here"))
    cells = mode_rows(words, metric, found.modes)
    headings = [words.text(heading) for heading in MODE_HEADINGS]
    st.dataframe(pd.DataFrame(cells, columns=headings), hide_index=True)
    st.caption(literal(size_line(words, found.size)))


def _named(arms: pd.DataFrame) -> Mapping[int, str]:
    """Names of the creatives drawn, the likeliest best first."""
    ordered = arms.sort_values(["p_best", "entity_key"], ascending=[False, True], kind="stable")
    few = ordered.head(SHOWN_ARMS)
    return dict(zip(few["entity_key"], few["creative_name"], strict=True))


def ridge_figure(
    words: Translator, metric: str, densities: pd.DataFrame, named: Mapping[int, str]
) -> go.Figure:
    """One density above the other, the likeliest best on top."""
    figure = go.Figure()
    by_arm = dict(list(densities.groupby("entity_key")))
    highest = densities["density"].max() or 1.0
    for place, (key, name) in enumerate(named.items()):
        base, own = len(named) - 1 - place, by_arm[key]
        line = {"color": PALETTE[place % len(PALETTE)]}
        at, unit = shown_in(words, metric, own["at"])
        figure.add_scatter(
            x=at, y=[base] * len(own), line={"width": 0}, showlegend=False, hoverinfo="skip"
        )
        figure.add_scatter(
            x=at,
            y=base + 0.9 * own["density"] / highest,
            fill="tonexty",
            line=line,
            name=_short(name),
            showlegend=False,
        )
    axis = {
        "tickvals": list(range(len(named))),
        "ticktext": [_short(name) for name in reversed(list(named.values()))],
    }
    return figure.update_layout(
        height=90 + 60 * len(named),
        margin={"l": 0, "r": 8, "t": 8, "b": 0},
        yaxis=axis,
        xaxis_title=f"{words.code('creative_metric', metric)} {unit}",
    )


def course_figure(words: Translator, days: pd.DataFrame, named: Mapping[int, str]) -> go.Figure:
    """P(best), share of impressions and evidence against, day by day."""
    rows: Sequence[tuple[str, str]] = (
        ("p_best", words.text("P(best)")),
        ("share_served", words.text("Share of impressions")),
        ("evidence", words.text("Evidence that the leader is better (100 %: a claim)")),
    )
    figure = make_subplots(
        rows=3,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.09,
        subplot_titles=[t for _, t in rows],
    )
    by_arm: dict[Any, pd.DataFrame] = dict(list(days.groupby("entity_key")))
    for place, (key, name) in enumerate(named.items()):
        for number, (column, _) in enumerate(rows, start=1):
            figure.add_scatter(
                x=by_arm[key]["day"],
                y=by_arm[key][column],
                row=number,
                col=1,
                name=_short(name),
                legendgroup=str(key),
                showlegend=number == 1,
                line={"color": PALETTE[place % len(PALETTE)], "width": 2},
            )
    figure.add_hline(y=1.0, row=3, col=1, line={"dash": "dash", "width": 1, "color": plots.GREY})
    day, whole_day = words.text("%b %-d"), words.text("%b %-d, %Y")
    figure.update_xaxes(tickformat=day, hoverformat=whole_day)
    figure.update_yaxes(range=[0, 1.05], tickformat=".0%")
    return figure.update_layout(
        height=430,
        margin={"l": 0, "r": 8, "t": 24, "b": 0},
        legend={"orientation": "h", "y": -0.12},
    )


def _short(name: str) -> str:
    """Plotly reads tags in its labels: a name is shown as it is."""
    return escape(name if len(name) <= 28 else f"{name[:27]}…", quote=False)


draw()
