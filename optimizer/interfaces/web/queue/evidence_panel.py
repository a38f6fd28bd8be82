"""Why: the response curve of one suggestion and its evidence in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from optimizer import workflows
from optimizer.errors import NotFound, OptimizerError
from optimizer.interfaces.evidence import evidence_lines, rate_line
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.marks import mark
from optimizer.interfaces.web import plots, session
from optimizer.interfaces.web.frame import literal
from optimizer.interfaces.web.queue.remembered import remembered

BAND, NOW, PROPOSED = "rgba(86,180,233,0.22)", "#8C8C8C", "#D55E00"
LINE = {"light": "#0072B2", "dark": "#56B4E9"}


def _read(suggestion_id: str) -> workflows.SuggestionDetail:
    """The suggestion; read once while nothing happens in the account."""
    visit = session.current()
    where = (visit.workspace, str(visit.account))
    key = (visit.account, suggestion_id, workflows.queue_stamp(*where, visit.actor))
    return remembered(
        "_evidence", key, lambda: workflows.suggestion(*where, suggestion_id, visit.actor)
    )


def _tried(suggestion_id: str, rate: float) -> dict[str, Any]:
    """What the suggestion would be at another conversion rate; asked once, as above."""
    visit = session.current()
    where = (visit.workspace, str(visit.account))
    key = (visit.account, suggestion_id, rate, workflows.queue_stamp(*where, visit.actor))
    return remembered(
        "_rate", key, lambda: workflows.at_rate(*where, suggestion_id, rate, visit.actor)
    )


def draw_evidence(suggestion_id: str, *, asked: bool) -> None:
    """The panel of one suggestion; its curve is drawn once somebody `asked` for the suggestion.

    A browser needs longer to get ready for its first plot than for the rest of the page.
    """
    visit = session.current()
    try:
        found = _read(suggestion_id)
    except NotFound as error:
        st.info(visit.words.error(error))
        return
    words = visit.words
    kind = found.row["kind"]
    st.markdown(
        f"#### {mark(kind)} {words.code('kind', kind)} · {literal(found.row['keyword_text'])}"
    )
    if not found.curve.empty and not asked:
        st.button(
            words.text("Show profit by bid"),
            key="show_curve",
            icon=":material/show_chart:",
            on_click=look_at,
            args=(suggestion_id,),
        )
    elif not found.curve.empty:
        figure = curve_figure(words, found.curve, found.row, st.context.theme.type or "light")
        plots.draw(figure, "curve")
    lines = evidence_lines(words, found.row, found.evidence)
    with st.container(key="evidence"):
        st.text("\n".join(f"· {line}" for line in lines))
    _draw_what_if(suggestion_id, found)
    _draw_history(words, found.history)


def looked_at() -> str | None:
    """The suggestion that the address asks for."""
    return st.query_params.get("why")


def look_at(suggestion_id: str) -> None:
    """Let the address ask for this one."""
    st.query_params["why"] = suggestion_id


def _draw_what_if(suggestion_id: str, found: workflows.SuggestionDetail) -> None:
    """A field for another conversion rate, and what the suggestion would be then."""
    visit, believed = session.current(), found.evidence.get("rate_mean")
    if not believed or found.evidence.get("flip_reason") == "other_kind":
        return
    percent = st.number_input(
        visit.words.text("What if the true conversion rate were, %"),
        min_value=0.0001,
        value=first_tried(found.evidence),
        format="%.4f",
        key=f"rate-{suggestion_id}",
    )
    try:
        tried = _tried(suggestion_id, percent / 100)
    except OptimizerError as error:
        st.info(visit.words.error(error))
        return
    st.text(rate_line(visit.words, tried))


def first_tried(evidence: Mapping[str, Any]) -> float:
    """The first rate past the flip in the field's four decimals of a per cent, else what is believed."""
    flip = evidence.get("flip_rate")
    if not flip:
        return float(100 * evidence["rate_mean"])
    below = math.ceil(1e6 * flip) - 1
    past: int = below if evidence["flip_side"] == "below" else math.floor(1e6 * flip) + 1
    return float(max(past, 1)) / 1e4


def curve_figure(
    words: Translator, curve: pd.DataFrame, row: dict[str, Any], theme: str
) -> go.Figure:
    """Profit per day, against the present bid: 80 % band, solid within the step limit, dashed outside."""
    figure = go.Figure()
    _add_band(figure, words, curve)
    inside = curve["profit_mean"].where(curve["within_step"].astype(bool))
    figure.add_scatter(
        x=curve["bid"],
        y=curve["profit_mean"],
        mode="lines",
        showlegend=False,
        line={"color": LINE[theme], "width": 1.5, "dash": "dot"},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=curve["bid"],
        y=inside,
        mode="lines",
        name=words.text("Profit per day"),
        line={"color": LINE[theme], "width": 3},
    )
    _add_point(figure, words.text("Now"), curve, row.get("bid"), "circle", NOW)
    chosen = row.get("approved_bid")  # What a second person is asked to approve.
    offered = row.get("proposed_bid") if chosen is None or chosen != chosen else chosen
    _add_point(figure, words.text("Proposed"), curve, offered, "square", PROPOSED)
    return figure.update_layout(
        height=270,
        margin={"l": 0, "r": 8, "t": 8, "b": 0},
        xaxis_title=words.text("Bid, {currency}", currency=words.currency),
        yaxis_title=words.text("Profit per day against now"),
        legend={"orientation": "h", "y": -0.3},
    )


def _add_band(figure: go.Figure, words: Translator, curve: pd.DataFrame) -> None:
    hidden = {"width": 0}
    figure.add_scatter(
        x=curve["bid"],
        y=curve["profit_high"],
        mode="lines",
        line=hidden,
        showlegend=False,
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=curve["bid"],
        y=curve["profit_low"],
        mode="lines",
        line=hidden,
        fill="tonexty",
        fillcolor=BAND,
        name=words.text("80 % band"),
        hoverinfo="skip",
    )


def _add_point(
    figure: go.Figure, name: str, curve: pd.DataFrame, bid: Any, symbol: str, colour: str
) -> None:
    if bid is None or bid != bid:
        return
    nearest = curve.iloc[(curve["bid"] - bid).abs().argmin()]
    figure.add_scatter(
        x=[bid],
        y=[nearest["profit_mean"]],
        mode="markers",
        name=name,
        marker={
            "symbol": symbol,
            "size": 13,
            "color": colour,
            "line": {"width": 1, "color": "white"},
        },
    )


def _draw_history(words: Translator, history: pd.DataFrame) -> None:
    if history.empty:
        return
    with st.expander(words.text("History")):
        for entry in history.to_dict(orient="records"):
            done = words.code("action", str(entry["action"]))
            st.text(f"{words.moment(entry['at'])} · {entry['actor']} · {done}")
