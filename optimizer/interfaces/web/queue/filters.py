"""Tabs and filters of the queue; all of them are in the address, so a view is a link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from optimizer.interfaces.locale import Translator
from optimizer.interfaces.marks import mark
from optimizer.interfaces.queue_orders import ORDERS, best_first
from optimizer.interfaces.queue_tabs import TABS, in_tab, tab_of
from optimizer.interfaces.web import frame
from optimizer.interfaces.web.queue.listed import Listed
from optimizer.interfaces.web.queue.views import DECISIONS, draw_views

_NARROWED = ("bids", "budgets")
"""Tabs of several kinds, of which one may be asked for."""


@dataclass(frozen=True)
class Filters:
    """Which suggestions to show; no kinds means all of the tab."""

    tab: str
    kinds: tuple[str, ...]
    decision: str
    campaign: str | None
    text: str
    min_p: float


def draw_filters(words: Translator, listed: Listed) -> tuple[Filters, str]:
    """The tabs and named views, and below them one line of widgets: filters, and the list's order."""
    above = st.container(horizontal=True, vertical_alignment="center", key="queue_tabs")
    with st.container(horizontal=True, vertical_alignment="bottom", key="queue_filters"):
        decision = _decision_choice(words)
        if st.session_state.get("campaign") not in listed.campaigns:
            st.session_state.pop("campaign", None)  # Of a view kept before its campaign went.
        campaign = st.selectbox(
            words.text("Campaign"),
            listed.campaigns,
            index=None,
            placeholder=words.text("All"),
            key="campaign",
            bind="query-params",
            width=180,
        )
        text = st.text_input(
            words.text("Keyword contains"), key="text", bind="query-params", width=150
        )
        min_p = st.slider(
            "P(Δ>0) ≥",
            0.0,
            1.0,
            0.0,
            0.05,
            key="p",
            bind="query-params",
            width=125,
            format="percent",
            help=words.text(
                "Shows only suggestions by which profit rises with at least this probability."
            ),
        )
        order = frame.choice_in_address(
            words.text("Order"), ORDERS, "order", lambda code: words.code("order", code)
        )
    with above:
        tab = _tab_choice(words, listed.counts.get(decision, {}))
        kinds = _kind_pills(words, tab) if tab in _NARROWED else ()
        draw_views()
    return Filters(tab, kinds, decision, campaign, text or "", min_p), order


def matching(rows: pd.DataFrame, filters: Filters) -> pd.DataFrame:
    """The rows the filters let through, best expected profit first.

    Watched keywords need no decision and show only when asked for.
    """
    keep = rows["decision"].eq(filters.decision) & in_tab(rows, filters.tab)
    if filters.kinds:
        keep &= rows["kind"].isin(filters.kinds)
    if filters.campaign:
        keep &= rows["campaign_name"] == filters.campaign
    if filters.text:
        keep &= rows["keyword_text"].str.contains(filters.text, case=False, regex=False)
    if filters.min_p > 0:
        keep &= rows["p_positive"] >= filters.min_p
    return best_first(rows[keep])


def tab_in_address() -> str:
    """The tab that the address names, or the one of the kinds it names."""
    asked = st.query_params.get("tab")
    return (
        asked
        if asked is not None and asked in TABS
        else tab_of(tuple(st.query_params.get_all("kind")))
    )


def _tab_choice(words: Translator, counts: Mapping[str, int]) -> str:
    key = f"tab_{words.language}"

    def label(tab: str) -> str:
        # How many stand against others is known once somebody asks for them.
        told = "" if tab == "conflicts" else counts.get(tab, 0)
        return f"{words.code('tab', tab)} {told}".strip()

    chosen = st.segmented_control(
        words.text("Show"),
        list(TABS),
        default=tab_in_address(),
        format_func=label,
        key=key,
        label_visibility="collapsed",
        on_change=_to_address,
        args=("tab", key),
    )
    return str(chosen or "all")


def _kind_pills(words: Translator, tab: str) -> tuple[str, ...]:
    kinds = TABS[tab]
    asked = [kind for kind in st.query_params.get_all("kind") if kind in kinds]
    key = f"kinds_{tab}_{words.language}"
    chosen = st.pills(
        words.text("Action"),
        kinds,
        selection_mode="multi",
        default=asked,
        format_func=lambda kind: f"{mark(kind)} {words.code('kind', kind)}",
        key=key,
        label_visibility="collapsed",
        on_change=_to_address,
        args=("kind", key),
    )
    return tuple(chosen or ())


def _to_address(name: str, key: str) -> None:
    # Codes, not labels: the same link must work in either language.
    st.query_params[name] = st.session_state[key] or []


def _decision_choice(words: Translator) -> str:
    asked = st.query_params.get("decision", DECISIONS[0])
    key = f"decision_{words.language}"
    return st.selectbox(
        words.text("Decision"),
        DECISIONS,
        index=DECISIONS.index(asked) if asked in DECISIONS else 0,
        format_func=lambda decision: words.code("decision", decision),
        key=key,
        on_change=_to_address,
        args=("decision", key),
        width=120,
    )
