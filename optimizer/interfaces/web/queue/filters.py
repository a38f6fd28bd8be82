"""Filters of the queue; all of them are in the address, so a view is a link."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from optimizer.interfaces.locale import Translator
from optimizer.interfaces.marks import DECIDED, KINDS, mark

DECISIONS = ("proposed", "approved", "rejected", "snoozed")


@dataclass(frozen=True)
class Filters:
    """Which suggestions to show; empty means all."""

    kinds: tuple[str, ...]
    decision: str
    campaign: str | None
    text: str
    min_p: float


def draw_filters(words: Translator, rows: pd.DataFrame) -> Filters:
    """One line of widgets; returns what they say."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="queue_filters"):
        kinds = _kind_pills(words, rows)
        decision = _decision_choice(words)
        campaigns = sorted(rows["campaign_name"].dropna().unique())
        campaign = st.selectbox(
            words.text("Campaign"),
            campaigns,
            index=None,
            placeholder=words.text("All"),
            key="campaign",
            bind="query-params",
            width=180,
        )
        text = st.text_input(
            words.text("Keyword contains"), key="text", bind="query-params", width=150
        )
        min_p = st.slider("P(Δ>0) ≥", 0.0, 1.0, 0.0, 0.05, key="p", bind="query-params", width=110)
    return Filters(tuple(kinds or ()), decision, campaign, text or "", min_p)


def matching(rows: pd.DataFrame, filters: Filters) -> pd.DataFrame:
    """The rows the filters let through, best expected profit first.

    Watched keywords need no decision and show only when asked for.
    """
    keep = rows["decision"] == filters.decision
    keep &= rows["kind"].isin(filters.kinds or DECIDED)
    if filters.campaign:
        keep &= rows["campaign_name"] == filters.campaign
    if filters.text:
        keep &= rows["keyword_text"].str.contains(filters.text, case=False, regex=False)
    if filters.min_p > 0:
        keep &= rows["p_positive"] >= filters.min_p
    return rows[keep].sort_values(
        ["delta_profit_mean", "id"], ascending=[False, True], kind="stable"
    )


def _kind_pills(words: Translator, rows: pd.DataFrame) -> list[str]:
    counts = rows["kind"].value_counts()
    asked = [kind for kind in st.query_params.get_all("kind") if kind in KINDS]
    return st.pills(
        words.text("Action"),
        KINDS,
        selection_mode="multi",
        default=asked,
        format_func=lambda kind: f"{mark(kind)} {words.code('kind', kind)} {counts.get(kind, 0)}",
        key=f"kinds_{words.language}",
        on_change=_kinds_to_address,
        args=(f"kinds_{words.language}",),
    )


def _kinds_to_address(key: str) -> None:
    # Codes, not labels: the same link must work in either language.
    st.query_params["kind"] = st.session_state[key]


def _decision_choice(words: Translator) -> str:
    asked = st.query_params.get("decision", DECISIONS[0])
    key = f"decision_{words.language}"
    return st.selectbox(
        words.text("Decision"),
        DECISIONS,
        index=DECISIONS.index(asked) if asked in DECISIONS else 0,
        format_func=lambda decision: words.code("decision", decision),
        key=key,
        on_change=_decision_to_address,
        args=(key,),
        width=105,
    )


def _decision_to_address(key: str) -> None:
    st.query_params["decision"] = st.session_state[key]
