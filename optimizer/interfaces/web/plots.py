"""What all plots of the pages have in common: colours, words that can be read, plain numbers."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from optimizer.interfaces.web import frame

BLUE, ORANGE, GREY = "#3B8BC2", "#D9730D", "#808080"
"""Seen on white and on the dark page alike; blue and orange mean more and less, never good and bad."""
BAND, CORRIDOR = "rgba(59,139,194,0.20)", "rgba(128,128,128,0.20)"


def draw(figure: go.Figure, key: str) -> None:
    """The plot in the ink of the theme that the visitor sees, without a tool bar."""
    st.plotly_chart(inked(figure, frame.ink()), key=key, config={"displayModeBar": False})


def inked(figure: go.Figure, colour: str) -> go.Figure:
    """The plot with all its words in this colour, numbers on axes as 15,000 and never as 15k."""
    font = {"color": colour}
    words = {"tickfont": font, "title_font": font}
    numbers = {"exponentformat": "none", "separatethousands": True}
    figure.update_xaxes(**words, **numbers).update_yaxes(**words, **numbers)
    figure.update_annotations(font=font)
    figure.update_traces(textfont=font, selector=lambda each: each.type in ("bar", "waterfall"))
    return figure.update_layout(font=font, legend={"font": font})
