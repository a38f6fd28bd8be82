"""Budget and scenarios: the frontier with today and the plan on it, the split, the month, what is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from optimizer import workflows
from optimizer.errors import OptimizerError
from optimizer.interfaces import plans
from optimizer.interfaces.backtests import BACKTEST_HEADINGS, backtest_lines, backtest_rows
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.web import frame, plots, session
from optimizer.interfaces.web.frame import literal
from optimizer.interfaces.web.plots import BAND, BLUE, CORRIDOR, GREY, ORANGE

KINDS = ("spend", "value", "orders", "profit")
_BACKTEST = "_backtest"


def draw() -> None:
    """The form, then the plan it asks for."""
    review = frame.read_reviewed(workflows.latest_review)
    if review is None:
        return
    words = session.current().words
    asked = _draw_form(words, str(review.run_id), float(review.summary["budget"]))
    report = _planned(str(review.run_id), asked)
    if report is not None:
        _draw_plan(words, report, review.summary)
    _draw_kept(words, asked)
    _draw_backtest(words, str(review.run_id))


def _draw_form(words: Translator, run_id: str, budget: float) -> str:
    """The scenario as JSON, from the widgets; each account has its own, or one's money plans another."""
    visit = session.current()
    account = str(visit.account)
    names = workflows.plan_names(visit.workspace, account, visit.actor, run_id)
    with st.container(horizontal=True):
        money = _draw_money(words, account, budget)
        event = _choice(
            words.text("Sale ahead"), workflows.event_names(visit.workspace), f"event {account}"
        )
        month = _draw_month(words, account)
    locks = st.multiselect(
        words.text("Leave these campaigns or items alone"),
        names,
        key=f"locks {account}",
        placeholder="–",
    )
    return workflows.Scenario.model_validate(
        {
            **money,
            "bounds": _draw_bounds(words, account, names),
            "locks": locks,
            "event": {"name": event} if event else None,
            "month": month,
        }
    ).model_dump_json()


def _draw_money(words: Translator, account: str, budget: float) -> dict[str, float | None]:
    return {
        name: st.number_input(
            words.text(title), 0.0, value=value, step=step, key=f"{name} {account}", placeholder="–"
        )
        for name, title, value, step in (
            ("budget", "Budget per day", budget, 10.0),
            ("roas", "Least ROAS", None, 0.5),
            ("cpa", "Most cost per order", None, 1.0),
        )
    }


def _draw_month(words: Translator, account: str) -> dict[str, Any] | None:
    kind = _choice(
        words.text("Target of the month"),
        KINDS,
        f"month_kind {account}",
        lambda code: words.code("plan_kind", code),
    )
    amount = st.number_input(
        words.text("Amount"), 0.0, value=None, key=f"month_amount {account}", placeholder="–"
    )
    return {"kind": kind, "amount": amount} if kind and amount is not None else None


def _choice(title: str, options: Sequence[str], key: str, told: Any = str) -> str | None:
    return st.selectbox(title, options, index=None, key=key, format_func=told, placeholder="–")


def _draw_bounds(
    words: Translator, account: str, names: Sequence[str]
) -> dict[str, tuple[float, float]]:
    """Least and most per campaign and item, as far as somebody stated them."""
    with st.expander(words.text("Least and most per campaign or item")):
        empty = pd.DataFrame({"name": names, "least": None, "most": None}).astype(
            {"least": "float64", "most": "float64"}
        )
        money = {
            column: st.column_config.NumberColumn(words.text(title), min_value=0.0)
            for column, title in (("least", "Least a day"), ("most", "Most a day"))
        }
        stated = st.data_editor(
            empty,
            key=f"bounds {account}",
            hide_index=True,
            disabled=["name"],
            placeholder="–",
            column_config={"name": words.text("Campaign or item"), **money},
        )
    return plans.stated_bounds(stated.to_dict("records"))


def _planned(run_id: str, asked: str) -> workflows.PlanReport | None:
    """The plan, or in words why there is none."""
    visit = session.current()
    try:
        basis = workflows.plan_basis(visit.workspace, str(visit.account), visit.actor, run_id)
        return _computed(basis, str(visit.account), asked, visit.workspace, visit.actor)
    except OptimizerError as error:
        st.error(literal(visit.words.error(error)), icon=":material/error:")
        return None


@st.cache_data(max_entries=32, show_spinner=False, scope="session")
def _computed(
    basis: str, account: str, asked: str, _workspace: workflows.Workspace, _actor: Any
) -> workflows.PlanReport:
    """`basis` names all that the answer rests on, but the scenario."""
    scenario = workflows.Scenario.model_validate_json(asked)
    return workflows.plan(_workspace, account, _actor, scenario)


def _draw_plan(words: Translator, report: workflows.PlanReport, today: Mapping[str, Any]) -> None:
    """The plan's figures and plots; `today` is the review's summary, the first step on the way."""
    for line in plans.alert_lines(words, report):
        st.warning(literal(line), icon=":material/notification_important:")
    _draw_cards(words, report)
    st.caption(literal(plans.step_sentence(words, today)))
    frame.draw_link("overview", "See today's suggestions in sum: Overview")
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown("##### " + words.text("What each budget would bring"))
        plots.draw(frontier_figure(words, report), "frontier")
        if report.plan.month is not None:
            st.markdown("##### " + words.text("The month, day by day"))
            plots.draw(month_figure(words, report), "month")
        if report.plan.sale is not None:
            st.markdown("##### " + words.text("The days of the sale"))
            plots.draw(sale_figure(words, report), "sale")
    with right:
        for line in (
            *plans.plan_lines(words, report),
            *plans.month_lines(words, report),
            *plans.event_lines(words, report),
        ):
            st.text(line)
        st.markdown("##### " + words.text("Assumed, not measured"))
        for line in plans.assumed_lines(words, report):
            st.text("· " + line)
    st.markdown("##### " + words.text("Split by campaign"))
    _draw_table(words, plans.SPLIT_HEADINGS, plans.split_rows(words, report))
    if items := plans.item_rows(words, report):
        st.markdown("##### " + words.text("Split by item"))
        _draw_table(words, plans.ITEM_HEADINGS, items)


def _draw_cards(words: Translator, report: workflows.PlanReport) -> None:
    now, then = report.now, report.proposed
    cards = st.columns(5)
    for card, name, title in (
        (cards[0], "cost", "Cost per day, planned"),
        (cards[1], "profit", "Profit per day, planned"),
    ):
        card.metric(
            words.text(title),
            words.money(then[name]),
            words.text("now {cost:money}", cost=now[name]),
            delta_color="off",
            delta_arrow="off",
        )
    cards[2].metric(
        "ROAS",
        words.ratio(then["roas"]),
        words.text("now {roas:ratio}", roas=now["roas"]),
        delta_color="off",
        delta_arrow="off",
    )
    cards[3].metric(
        words.text("Orders a day"),
        words.number(then["orders"], 1),
        words.text("now {orders}", orders=words.number(now["orders"], 1)),
        delta_color="off",
        delta_arrow="off",
    )
    frame.draw_line(cards[4], report.plan.dual_price)


def _draw_table(words: Translator, headings: tuple[str, ...], rows: list[list[str]]) -> None:
    names = [words.text(heading) for heading in headings]
    st.dataframe(pd.DataFrame(rows, columns=names), hide_index=True, placeholder="–")


def frontier_figure(words: Translator, report: workflows.PlanReport) -> go.Figure:
    """Profit against cost with its band: ● now, ■ the plan, dashed where nobody has been."""
    rows = report.plan.frontier
    line = rows[rows["point"].eq("frontier")].sort_values("cost")
    figure = go.Figure()
    figure.add_scatter(
        x=[*line["cost"], *line["cost"][::-1]],
        y=[*line["profit_high"], *line["profit_low"][::-1]],
        fill="toself",
        fillcolor=BAND,
        line={"width": 0},
        hoverinfo="skip",
        name="80 %",
    )
    hover = "%{x:.2f} → %{y:.2f}<br>Λ %{customdata:.2f}<extra></extra>"
    seen = line["profit"].where(~line["beyond"])
    for y, dash, name in (
        (line["profit"], "dot", words.text("beyond")),
        (seen, "solid", words.text("observed")),
    ):
        figure.add_scatter(
            x=line["cost"],
            y=y,
            customdata=line["marginal"],
            hovertemplate=hover,
            mode="lines+markers",
            marker={"size": 4},
            line={"color": BLUE, "dash": dash},
            name=name,
        )
    for point, symbol, colour, title in (
        ("now", "circle", GREY, words.text("now")),
        ("proposed", "square", ORANGE, words.text("plan")),
    ):
        one = rows[rows["point"].eq(point)]
        figure.add_scatter(
            x=one["cost"],
            y=one["profit"],
            customdata=one["marginal"],
            hovertemplate=hover,
            mode="markers",
            marker={"size": 13, "symbol": symbol, "color": colour},
            name=title,
        )
    return _laid_out(figure, words.text("Cost a day"), words.text("Profit a day"))


def month_figure(words: Translator, report: workflows.PlanReport) -> go.Figure:
    """The corridor, what is known and where the rest is going."""
    month = report.plan.month
    assert month is not None
    days = month.days
    figure = go.Figure()
    for low, high, colour, name in (
        ("low", "high", CORRIDOR, words.text("corridor")),
        ("mean_low", "mean_high", "rgba(230,159,0,0.25)", "80 %"),
    ):
        known = days.dropna(subset=[low, high])
        figure.add_scatter(
            x=[*known["day"], *known["day"][::-1]],
            y=[*known[high], *known[low][::-1]],
            fill="toself",
            fillcolor=colour,
            line={"width": 0},
            hoverinfo="skip",
            name=name,
        )
    for column, colour, dash, name in (
        ("path", GREY, "dot", words.text("on target")),
        ("actual", BLUE, "solid", words.text("so far")),
        ("mean", ORANGE, "dash", words.text("forecast")),
    ):
        figure.add_scatter(
            x=days["day"], y=days[column], line={"color": colour, "dash": dash}, name=name
        )
    return _laid_out(figure, "", words.code("plan_kind", month.period.kind))


def sale_figure(words: Translator, report: workflows.PlanReport) -> go.Figure:
    """Spend per day with the sale, its band, and without."""
    sale = report.plan.sale
    assert sale is not None
    figure = go.Figure()
    figure.add_scatter(
        x=[*sale["day"], *sale["day"][::-1]],
        y=[*sale["spend_high"], *sale["spend_low"][::-1]],
        fill="toself",
        fillcolor=BAND,
        line={"width": 0},
        hoverinfo="skip",
        name="80 %",
    )
    figure.add_scatter(
        x=sale["day"], y=sale["spend"], line={"color": BLUE}, name=words.text("with the sale")
    )
    figure.add_scatter(
        x=sale["day"],
        y=sale["spend_usual"],
        line={"color": GREY, "dash": "dot"},
        name=words.text("ordinary days"),
    )
    figure.add_scatter(
        x=sale["day"],
        y=sale["wanted"],
        line={"color": ORANGE, "dash": "dash"},
        name=words.text("without the budget"),
    )
    return _laid_out(figure, "", words.text("Cost a day"))


def _laid_out(figure: go.Figure, across: str, up: str) -> go.Figure:
    return figure.update_layout(
        height=340,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        xaxis_title=across,
        yaxis_title=up,
        legend={"orientation": "h", "y": 1.08},
    )


def _draw_kept(words: Translator, asked: str) -> None:
    """Keep this scenario, compare those kept, put one into the queue."""
    visit = session.current()
    st.markdown("##### " + words.text("Kept scenarios"))
    able = frame.may("operator")
    if able:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.text_input(words.text("Name"), key="plan_name")
            if st.button(words.text("Keep this scenario"), disabled=not name.strip(), key="keep"):
                _keep(name, asked)
    else:
        frame.draw_needed("operator")
    kept = workflows.plans(visit.workspace, str(visit.account), visit.actor)
    if kept.empty:
        st.caption(words.text("None is kept yet."))
        return
    _draw_table(words, plans.KEPT_HEADINGS, plans.kept_rows(words, kept.to_dict("records")))
    if able:
        _draw_use(words, list(kept["name"]))


def _draw_use(words: Translator, names: Sequence[str]) -> None:
    """One of the kept scenarios: into the queue, or away."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(words.text("Scenario"), names, key="kept")
        if st.button(words.text("Make suggestions from it"), type="primary", key="suggest"):
            _suggest(chosen)
        if st.button(words.text("Delete"), key="delete"):
            _delete(chosen)


def _keep(name: str, asked: str) -> None:
    visit = session.current()
    scenario = workflows.Scenario.model_validate_json(asked)
    try:
        workflows.save_plan(visit.workspace, str(visit.account), name, visit.actor, scenario)
    except OptimizerError as error:
        frame.flash("error", [visit.words.error(error)])
    st.rerun()


def _delete(name: str) -> None:
    visit = session.current()
    try:
        workflows.delete_plan(visit.workspace, str(visit.account), name, visit.actor)
    except OptimizerError as error:
        frame.flash("error", [visit.words.error(error)])
    st.rerun()


def _suggest(name: str) -> None:
    visit = session.current()
    try:
        found = workflows.suggest_from_plan(visit.workspace, str(visit.account), name, visit.actor)
        frame.flash("success", plans.adopted_lines(visit.words, found))
    except OptimizerError as error:
        frame.flash("error", [visit.words.error(error)])
    st.rerun()


def _draw_backtest(words: Translator, run_id: str) -> None:
    """How far such forecasts were right: scored when asked for, once per run and visitor."""
    st.markdown("##### " + words.text("Past weeks, forecast from what was known then"))
    if st.button(words.text("Score past weeks"), key="backtest"):
        _score(words, run_id)
    known_for, report = st.session_state.get(_BACKTEST, (None, None))
    if known_for != run_id or report is None:
        st.caption(words.text("How far the forecasts of this account were right so far."))
        return
    _draw_table(words, BACKTEST_HEADINGS, backtest_rows(words, report))
    for line in backtest_lines(words, report):
        st.caption(literal(line))


def _score(words: Translator, run_id: str) -> None:
    visit = session.current()
    bar = st.progress(0.0, words.code("step", "backtest"))

    def tell(step: str, done: int, total: int) -> None:
        bar.progress(done / max(total, 1), words.code("step", step))

    try:
        report = workflows.backtest(visit.workspace, str(visit.account), visit.actor, progress=tell)
        st.session_state[_BACKTEST] = (run_id, report)
    except OptimizerError as error:
        st.error(literal(words.error(error)), icon=":material/error:")
    bar.empty()


draw()
