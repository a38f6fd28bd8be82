"""The overview through Streamlit's own test runner, and its cards, sentences and plots."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from optimizer import workflows
from optimizer.interfaces import overview
from optimizer.interfaces.locale import LANGUAGES, Translator
from optimizer.interfaces.web import frame, overview_plots
from optimizer.workflows.performance import Mark
from tests.interfaces.conftest import ACCOUNT, OWNER

ROUTER = Path(workflows.__file__).parents[1] / "interfaces" / "router.py"


@pytest.fixture
def shown(store: Path) -> AppTest:
    opened = AppTest.from_file(str(ROUTER), default_timeout=120).run()
    return opened.switch_page("web/overview_page.py").run()


@pytest.fixture
def found(workspace: workflows.Workspace) -> workflows.Performance:
    return workflows.performance(workspace, ACCOUNT, OWNER, days=14)


def test_page_draws_cards_plots_and_the_way_of_every_keyword(shown: AppTest) -> None:
    assert not shown.exception
    assert not shown.error
    titles = {each.label for each in shown.metric}
    assert {"Cost", "Clicks", "Orders", "Order value", "Profit", "ROAS", "Cost per order"} <= titles
    assert len(shown.get("plotly_chart")) == 4


def test_choices_are_in_the_address_as_codes(shown: AppTest) -> None:
    shown.selectbox("amount_en").select("cost").run()
    shown.selectbox("days_en").select("7").run()
    assert shown.query_params["amount"] == "cost"
    assert shown.query_params["days"] == "7"
    shown.selectbox("lang").set_value("中文").run()
    assert not shown.exception
    assert shown.selectbox("amount_zh").value == "cost"


@pytest.mark.parametrize("nonsense", [{"days": "999"}, {"amount": "<b>"}, {"against": "x" * 999}])
def test_address_that_nobody_could_choose_shows_the_usual(
    shown: AppTest, nonsense: dict[str, str]
) -> None:
    for name, value in nonsense.items():
        shown.query_params[name] = value
    shown.run()
    assert not shown.exception
    assert not shown.error


@pytest.mark.parametrize("language", ["zh", "en"])
def test_parts_told_are_those_computed(language: str, found: workflows.Performance) -> None:
    words = Translator(language, "CNY")
    told = overview.movement_sentence(words, found)
    before, now = found.totals
    assert words.number(before, 0) in told
    assert words.number(now - before, 0, sign=True) in told
    figure = overview_plots.bridge_figure(words, found).data[0]
    assert figure.y[0] + sum(figure.y[1:-1]) == pytest.approx(figure.y[-1])


def test_card_tells_both_periods_and_what_is_known(found: workflows.Performance) -> None:
    words = Translator("en", "CNY")
    cards = {card.title: card for card in overview.cards(words, found)}
    assert cards["Cost"].lines[0].startswith("before: ")
    assert len(cards["Cost"].lines) == 1  # cost is never late
    assert cards["Orders"].lines[1].startswith("80 % [")
    assert cards["Orders"].lines[2].startswith("known so far: ")


def test_change_over_nothing_is_not_a_percentage(found: workflows.Performance) -> None:
    words = Translator("en", "CNY")
    none: Any = type(found.figures["cost"][0])(0.0, None, None, 0.0)
    card = overview._card(words, "cost", found.figures["cost"][0], none)
    assert card.lines == ("before: 0",)


def test_markup_in_an_item_is_drawn_as_it_is(found: workflows.Performance) -> None:
    sale = Mark(found.as_of, found.as_of, "event", "<b>618</b>", 0)
    figure = overview_plots.days_figure(Translator("en"), replace(found, marks=(sale,)))
    assert "&lt;b&gt;618&lt;/b&gt;" in figure.layout.shapes[0].label.text


def test_flow_draws_every_step(workspace: workflows.Workspace) -> None:
    told = workflows.attention(workspace, ACCOUNT, OWNER)
    bars = overview_plots.flow_figure(Translator("zh", "CNY"), told.flow, told.others).data[0]
    assert bars.x[0] == told.flow[0].count
    assert len(bars.x) == len(told.flow) + sum(len(each.codes) for each in told.flow) + len(
        told.others
    )


def test_accounts_are_told_with_their_freshness(workspace: workflows.Workspace) -> None:
    rows = overview.account_rows(
        Translator("en"), workflows.account_statuses(workspace, OWNER)
    ).to_dict("records")
    assert rows[0]["Account"] == ACCOUNT
    assert rows[0]["Downloaded on"] == "Apr 20, 2026"
    assert rows[0]["To decide"] > 0


@pytest.mark.parametrize(
    ("told", "zone"),
    [("Asia/Shanghai", "Asia/Shanghai"), ("../etc", None), ("Nowhere/X", None), (None, None)],
)
def test_zone_of_the_browser_is_taken_where_it_is_one(
    told: str | None, zone: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame, "st", SimpleNamespace(context=SimpleNamespace(timezone=told)))
    found = frame._browser_zone()
    assert (found.key if found else None) == zone


def test_every_page_has_a_heading(shown: AppTest) -> None:
    pages = [path.stem for path in (ROUTER.parent / "web").glob("*_page.py")]
    for page in pages:
        shown.switch_page(f"web/{page}.py").run()
        assert len(shown.subheader) == 1, page


def test_amounts_of_tables_have_the_currencys_decimals_and_a_true_minus(shown: AppTest) -> None:
    moved = next(each for each in shown.dataframe if "Change" in each.value.columns)
    drawn = moved.proto.arrow_data.styler.display_values
    cells = pa.ipc.open_stream(drawn).read_pandas().iloc[:, 1:].to_numpy().ravel()
    assert [one for one in cells if not re.fullmatch(r"[+−]?[\d,]+\.\d\d", one)] == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_both_plans_tell_how_they_are_related(language: str, shown: AppTest) -> None:
    words = Translator(language, "CNY")
    shown.selectbox("lang").set_value(LANGUAGES[language]).run()
    label = words.text("Cost per day, planned")
    (today,) = [each.value for each in shown.metric if each.label == label]
    assert any(words.text("Budget & scenarios") in each.value for each in shown.caption)
    shown.switch_page("web/budget_page.py").run()
    (planned,) = [each.value for each in shown.metric if each.label == label]
    assert planned != today
    assert any(today in each.value.replace("\\", "") for each in shown.caption)
