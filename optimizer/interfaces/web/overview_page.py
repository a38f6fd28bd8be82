"""Overview: how the account does, why it moved, what wants attention, where every keyword went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from optimizer import workflows
from optimizer.interfaces import overview
from optimizer.interfaces.calibration import check_lines
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.sentences import alert_lines, data_sentence, line_sentence
from optimizer.interfaces.web import frame, overview_plots, plots, session
from optimizer.interfaces.web.frame import literal

PERIODS = (7, 14, 28, 56, 91)
AGAINST = ("previous", "year")
AMOUNTS = ("profit", "value", "cost", "orders")


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
        plots.draw(figure, "flow")
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
            with st.container(border=True, width=215, height="stretch"):
                st.metric(card.title, card.now, help=card.help)
                for line in card.lines:
                    st.caption(literal(line))


def _draw_pace(words: Translator, found: workflows.Performance) -> None:
    st.markdown("##### " + words.text("Spend of the month"))
    if found.pace is None:
        st.caption(words.text("No budget is known, so there is no pace to keep."))
        return
    st.caption(literal(overview.pace_sentence(words, found.pace)))
    figure = overview_plots.pace_figure(words, found.pace)
    plots.draw(figure, "pace")
    frame.draw_link("budget", "Where the month lands: Budget & scenarios")


def _draw_movement(words: Translator, found: workflows.Performance) -> None:
    st.markdown("##### " + words.code("why_moved", found.amount))
    st.caption(literal(overview.movement_sentence(words, found)))
    left, right = st.columns(2, gap="large")
    with left:
        plots.draw(overview_plots.bridge_figure(words, found), "bridge")
    with right:
        plots.draw(overview_plots.days_figure(words, found), "days_plot")
    campaigns, keywords = st.tabs([words.text("By campaign"), words.text("By keyword")])
    with campaigns:
        table = overview.moved_campaigns(words, found)
        _draw_table(words, table, "moved_campaigns", overview.changes(words))
    with keywords:
        table = overview.moved_keywords(words, found)
        _draw_table(words, table, "moved_keywords", overview.changes(words))


def _draw_table(
    words: Translator, table: pd.DataFrame, key: str, signed: Sequence[str] = ()
) -> None:
    """Amounts in the currency's decimals (`signed` ones as changes), counts whole."""
    amounts = table.select_dtypes("float").columns
    told: dict[Any, Any] = dict.fromkeys(amounts, words.amount) | dict.fromkeys(
        signed, words.money_text
    )
    told |= dict.fromkeys(table.select_dtypes("integer").columns, partial(words.number, digits=0))
    # A styler shows our digits and signs, and still sorts by the number.
    st.dataframe(table.style.format(told), hide_index=True, placeholder="–", key=key)


def _draw_review(words: Translator, summary: Mapping[str, Any]) -> None:
    """What the newest review says: the line, plan and budget, what is assumed, campaigns."""
    title = words.text("Review of {as_of:date}", as_of=summary["as_of"])
    st.markdown("##### " + title)
    st.markdown(f"**{line_sentence(words, summary)}**")
    st.caption(literal(data_sentence(words, summary["data"])))
    for line in check_lines(words, summary["data"]):
        st.caption(literal(line))
    _draw_plan_cards(words, summary)
    st.caption(
        words.text(
            "What today's suggestions come to: a bid moves by one step at most. How far bids should "
            "go in the end, and what another budget would bring, is under Budget & scenarios."
        )
    )
    frame.draw_link("budget", "Go to Budget & scenarios")
    left, right = st.columns(2, gap="large")
    with left:
        _draw_campaigns(words, summary)
    with right:
        _draw_levers(words, summary)
        _draw_assumed(words, summary)


def _draw_plan_cards(words: Translator, summary: Mapping[str, Any]) -> None:
    profit = summary["profit_delta"]
    cards = st.columns(4)
    frame.draw_line(cards[0], summary["dual_price"])
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
    help_ = words.text(
        "How much of today's cost each kind of suggestion can act on: bids where the bid is ours to "
        "set, budgets and targets where they are known, search terms where the report lists them. "
        "What is not covered stays as it is."
    )
    st.markdown("###### " + words.text("What suggestions can act on, share of cost"), help=help_)
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
    _draw_table(words, overview.campaign_rows(words, summary["campaigns"]), "campaigns")


def _draw_accounts(words: Translator) -> None:
    """How far each account that the visitor may see has come."""
    visit = session.current()
    st.markdown("##### " + words.text("Accounts"))
    found = workflows.account_statuses(visit.workspace, visit.actor)
    _draw_table(words, overview.account_rows(words, found), "accounts")


draw()
