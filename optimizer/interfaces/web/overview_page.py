"""Overview: what the newest review says about the account as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from optimizer import workflows
from optimizer.interfaces.calibration import check_lines
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.marks import COLOURS, KINDS, mark
from optimizer.interfaces.sentences import alert_lines, data_sentence, line_sentence
from optimizer.interfaces.web import frame, session

CAMPAIGN_COLUMNS = ["name", "cost_now", "cost_planned", "budget", "line"]
BLUE, GREY = "#56B4E9", "#8C8C8C"


def draw() -> None:
    """The newest review, or what to do first."""
    report = frame.read_reviewed(workflows.latest_review)
    if report is not None:
        draw_summary(session.current().words, report.summary)


def draw_summary(words: Translator, summary: Mapping[str, Any]) -> None:
    """Cards, alerts, the way of every keyword, levers, campaigns."""
    title = words.text("{account}, {as_of:date}", **{k: summary[k] for k in ("account", "as_of")})
    st.subheader(title)
    st.caption(data_sentence(words, summary["data"]))
    for line in check_lines(words, summary["data"]):
        st.caption(line)
    st.markdown(f"**{line_sentence(words, summary)}**")
    _draw_cards(words, summary)
    for line in alert_lines(words, summary["alerts"]):
        st.warning(line, icon=":material/notification_important:")
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("##### " + words.text("Where every keyword went"))
        st.plotly_chart(flow_figure(words, summary), key="flow", config={"displayModeBar": False})
    with right:
        _draw_levers(words, summary)
        _draw_assumed(words, summary)
    _draw_campaigns(words, summary)


def _draw_cards(words: Translator, summary: Mapping[str, Any]) -> None:
    profit = summary["profit_delta"]
    cards = st.columns(4)
    cards[0].metric(
        "Λ",
        words.ratio(summary["dual_price"]),
        help=words.text(
            "What the last unit of money spent brings back, after margin. "
            "Bids rise where they return more, fall where they return less."
        ),
    )
    cards[1].metric(
        words.text("Cost per day, planned"),
        words.money(summary["cost_planned"]),
        words.text("now {cost:money}", cost=summary["cost_now"]),
        delta_color="off",
        delta_arrow="off",
    )
    cards[2].metric(words.text("Budget per day"), words.money(summary["budget"]))
    cards[3].metric(
        words.text("Profit per day, change"),
        words.money(profit["mean"], sign=True),
        f"80 % [{words.money_text(profit['low'])}, {words.money_text(profit['high'])}]",
        delta_color="off",
        delta_arrow="off",
    )


def flow_figure(words: Translator, summary: Mapping[str, Any]) -> go.Figure:
    """Bars: suggestions by kind, then reasons for no suggestion, the commonest first."""
    kinds = [
        (f"{mark(kind)} {words.code('kind', kind)}", count, COLOURS.get(kind, BLUE))
        for kind in KINDS
        if (count := summary["kinds"].get(kind))
    ]
    reasons = sorted(summary["not_suggested"].items(), key=lambda pair: -pair[1])
    rest = [(words.reason(code), count, GREY) for code, count in reasons]
    names, counts, colours = zip(*[*kinds, *rest], strict=True) if kinds or rest else ((), (), ())
    figure = go.Figure(
        go.Bar(x=counts, y=names, orientation="h", marker={"color": list(colours)}, text=counts)
    )
    return figure.update_layout(
        height=60 + 26 * len(names),
        margin={"l": 0, "r": 0, "t": 4, "b": 0},
        yaxis={"autorange": "reversed"},
        xaxis={"visible": False},
    )


def _draw_levers(words: Translator, summary: Mapping[str, Any]) -> None:
    st.markdown("##### " + words.text("Share of cost each lever covers"))
    for name, share in summary["levers"].items():
        st.progress(
            min(max(float(share), 0.0), 1.0), f"{words.code('lever', name)} {words.percent(share)}"
        )


def _draw_assumed(words: Translator, summary: Mapping[str, Any]) -> None:
    if not summary["assumed"]:
        return
    st.markdown("##### " + words.text("Assumed, not measured"))
    for code in summary["assumed"]:
        st.text("· " + words.reason(code))


def _draw_campaigns(words: Translator, summary: Mapping[str, Any]) -> None:
    if not summary["campaigns"]:
        return
    st.markdown("##### " + words.text("Campaigns"))
    table = pd.DataFrame(list(summary["campaigns"]), columns=CAMPAIGN_COLUMNS)
    money = st.column_config.NumberColumn(format="%.2f")
    st.dataframe(
        table.rename(columns=lambda name: words.code("campaign", name)),
        hide_index=True,
        column_config={words.code("campaign", name): money for name in CAMPAIGN_COLUMNS[1:]},
        placeholder="–",
    )


draw()
