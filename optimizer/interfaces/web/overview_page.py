"""Overview: how the account does, why it moved, what wants attention, where every keyword went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from optimizer import workflows
from optimizer.interfaces import overview
from optimizer.interfaces.calibration import check_lines
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.sentences import alert_lines, data_sentence, line_sentence
from optimizer.interfaces.web import frame, overview_plots, session
from optimizer.interfaces.web.frame import literal

CAMPAIGN_COLUMNS = ["name", "cost_now", "cost_planned", "budget", "line"]
PERIODS = (7, 14, 28, 56, 91)
AGAINST = ("previous", "year")
AMOUNTS = ("profit", "value", "cost", "orders")
_PLAIN = {"displayModeBar": False}


def draw() -> None:
    """The newest review's account, or what to do first."""
    report = frame.read_reviewed(workflows.latest_review)
    if report is not None:
        _draw_account(session.current().words, report)


def _draw_account(words: Translator, report: workflows.ReviewReport) -> None:
    visit = session.current()
    told = workflows.attention(visit.workspace, str(visit.account), visit.actor)
    asked = _draw_choices(words)
    found = _performance(str(visit.account), _state(report), *asked, visit.workspace, visit.actor)
    st.caption(literal(overview.periods_sentence(words, found)))
    _draw_alerts(words, found, told)
    _draw_cards(words, found)
    left, right = st.columns(2, gap="large")
    with left:
        _draw_pace(words, found)
    with right:
        st.markdown("##### " + words.text("Where every keyword went"))
        figure = overview_plots.flow_figure(words, told.flow, told.others)
        _draw_plot(figure, "flow")
    _draw_movement(words, found)
    _draw_review(words, report.summary)
    _draw_accounts(words)


def _draw_choices(words: Translator) -> tuple[int, str, str]:
    """Days, comparison and amount, all in the address."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="overview_choices"):
        days = frame.choice_in_address(
            words.text("Last days"), [str(each) for each in PERIODS], "days", str, default="28"
        )
        against = frame.choice_in_address(
            words.text("Compared with"),
            AGAINST,
            "against",
            lambda code: words.code("against", code),
        )
        amount = frame.choice_in_address(
            words.text("Explain the change of"),
            AMOUNTS,
            "amount",
            lambda code: words.code("figure", code),
        )
    return int(days), against, amount


def _state(report: workflows.ReviewReport) -> tuple[str, ...]:
    """What the figures follow from: they are computed again when any of it is new."""
    visit = session.current()
    where = visit.workspace, str(visit.account), visit.actor
    batches, exports = workflows.batches(*where), workflows.exports(*where)
    newest = [*(each.batch_id for each in batches[:1]), *(each.export_id for each in exports[:1])]
    return (workflows.plan_basis(*where, str(report.run_id)), *newest)


@st.cache_data(max_entries=16, show_spinner=False, scope="session")
def _performance(
    account: str,
    state: tuple[str, ...],
    days: int,
    against: Any,
    amount: Any,
    _workspace: workflows.Workspace,
    _actor: Any,
) -> workflows.Performance:
    """Kept per visitor until `state` is another; who asks was checked before."""
    return workflows.performance(
        _workspace, account, _actor, days=days, against=against, amount=amount
    )


def _draw_alerts(
    words: Translator, found: workflows.Performance, told: workflows.Attention
) -> None:
    pace = [found.pace.alert] if found.pace is not None and found.pace.alert else []
    alerts = [*told.alerts, *pace]
    for line, page in zip(alert_lines(words, alerts), overview.pages_of(alerts), strict=True):
        st.warning(literal(line), icon=":material/notification_important:")
        if page is not None:
            frame.draw_link(*page)
    if not alerts:
        st.success(words.text("Nothing wants attention."), icon=":material/check:")


def _draw_cards(words: Translator, found: workflows.Performance) -> None:
    with st.container(horizontal=True, key="cards"):
        for card in overview.cards(words, found):
            with st.container(border=True, width=215):
                st.metric(card.title, card.now)
                for line in card.lines:
                    st.caption(literal(line))


def _draw_pace(words: Translator, found: workflows.Performance) -> None:
    st.markdown("##### " + words.text("Spend of the month"))
    if found.pace is None:
        st.caption(words.text("No budget is known, so there is no pace to keep."))
        return
    st.caption(literal(overview.pace_sentence(words, found.pace)))
    figure = overview_plots.pace_figure(words, found.pace)
    _draw_plot(figure, "pace")
    frame.draw_link("budget", "Where the month lands: Budget & scenarios")


def _draw_movement(words: Translator, found: workflows.Performance) -> None:
    name = words.code("figure", found.amount)
    st.markdown("##### " + words.text("Why {figure} moved", figure=name))
    st.caption(literal(overview.movement_sentence(words, found)))
    left, right = st.columns(2, gap="large")
    with left:
        _draw_plot(overview_plots.bridge_figure(words, found), "bridge")
    with right:
        _draw_plot(overview_plots.days_figure(words, found), "days_plot")
    campaigns, keywords = st.tabs([words.text("By campaign"), words.text("By keyword")])
    with campaigns:
        _draw_table(overview.moved_campaigns(words, found), "moved_campaigns")
    with keywords:
        _draw_table(overview.moved_keywords(words, found), "moved_keywords")


def _draw_plot(figure: go.Figure, key: str) -> None:
    st.plotly_chart(overview_plots.inked(figure, frame.ink()), key=key, config=_PLAIN)


def _draw_table(table: pd.DataFrame, key: str) -> None:
    numbers = table.select_dtypes("number").columns
    grouped = st.column_config.NumberColumn(format="localized")
    st.dataframe(
        table,
        hide_index=True,
        placeholder="–",
        key=key,
        column_config=dict.fromkeys(numbers, grouped),
    )


def _draw_review(words: Translator, summary: Mapping[str, Any]) -> None:
    """What the newest review says: the line, plan and budget, what is assumed, campaigns."""
    title = words.text("Review of {as_of:date}", as_of=summary["as_of"])
    st.markdown("##### " + title)
    st.markdown(f"**{line_sentence(words, summary)}**")
    st.caption(literal(data_sentence(words, summary["data"])))
    for line in check_lines(words, summary["data"]):
        st.caption(literal(line))
    _draw_plan_cards(words, summary)
    left, right = st.columns(2, gap="large")
    with left:
        _draw_campaigns(words, summary)
    with right:
        _draw_levers(words, summary)
        _draw_assumed(words, summary)


def _draw_plan_cards(words: Translator, summary: Mapping[str, Any]) -> None:
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


def _draw_levers(words: Translator, summary: Mapping[str, Any]) -> None:
    st.markdown("###### " + words.text("Share of cost each lever covers"))
    for name, share in summary["levers"].items():
        st.progress(
            min(max(float(share), 0.0), 1.0), f"{words.code('lever', name)} {words.percent(share)}"
        )


def _draw_assumed(words: Translator, summary: Mapping[str, Any]) -> None:
    if not summary["assumed"]:
        return
    st.markdown("###### " + words.text("Assumed, not measured"))
    for code in summary["assumed"]:
        st.text("· " + words.reason(code))


def _draw_campaigns(words: Translator, summary: Mapping[str, Any]) -> None:
    if not summary["campaigns"]:
        return
    st.markdown("###### " + words.text("Campaigns"))
    table = pd.DataFrame(list(summary["campaigns"]), columns=CAMPAIGN_COLUMNS)
    money = st.column_config.NumberColumn(format="%.2f")
    st.dataframe(
        table.rename(columns=lambda name: words.code("campaign", name)),
        hide_index=True,
        column_config={words.code("campaign", name): money for name in CAMPAIGN_COLUMNS[1:]},
        placeholder="–",
    )


def _draw_accounts(words: Translator) -> None:
    """How far each account that the visitor may see has come."""
    visit = session.current()
    st.markdown("##### " + words.text("Accounts"))
    found = workflows.account_statuses(visit.workspace, visit.actor)
    _draw_table(overview.account_rows(words, found), "accounts")


draw()
