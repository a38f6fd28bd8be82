"""`optimizer plan --backtest` at the command line."""

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from optimizer import workflows
from optimizer.interfaces.backtests import backtest_lines
from optimizer.interfaces.cli import app
from optimizer.interfaces.cli.backtest_output import print_backtest
from optimizer.interfaces.cli.running import Run, local_actor, people_console
from optimizer.interfaces.locale import Translator
from optimizer.planning.backtest import AMOUNTS, Backtest, WeekScore
from tests.interfaces.test_bulk_files_page import ROUTER

FIRST = date(2026, 3, 2)


def report() -> workflows.BacktestReport:
    weeks = [
        WeekScore(
            FIRST + timedelta(days=7 * number), amount, 100.0, 80.0, 120.0, 90.0 + 20 * number,
            last_week=70.0, proportional=95.0, rebuilt=number == 0, unforeseen=0.0, event=False,
        )
        for number in range(2)
        for amount in AMOUNTS
    ]  # fmt: skip
    told = Backtest(tuple(weeks), ((date(2026, 2, 23), "week_with_gaps"),), 7)
    return workflows.BacktestReport("shop", date(2026, 3, 30), "CNY", told)


@pytest.mark.parametrize(("language", "heading"), [("en", "80 % held"), ("zh", "按比例的误差")])
def test_people_see_coverage_bias_and_what_was_left_out(
    capsys: pytest.CaptureFixture[str], language: str, heading: str
) -> None:
    words = Translator(language, "CNY")
    run = Run(
        None, None, lambda: pytest.fail("no store"), local_actor(), words, False, people_console()
    )
    print_backtest(run, report())
    shown = capsys.readouterr().out
    assert heading in shown
    assert "100%" in shown
    assert "week_with_gaps" not in shown
    assert shown.count("\n") > 10


def test_a_reason_without_words_is_named_in_a_sentence() -> None:
    odd = replace(report().backtest, left_out=((FIRST, "lag_unknown"),))
    last = backtest_lines(Translator("en", "CNY"), replace(report(), backtest=odd))[-1]
    assert last.endswith("its review was refused (lag_unknown).")


@pytest.mark.usefixtures("store")
def test_an_account_too_young_is_told_when_it_will_do() -> None:
    done = CliRunner().invoke(app, ["plan", "--account", "shop", "--backtest", "--json"])
    assert done.exit_code == 1
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "backtest_too_short"
    assert date.fromisoformat(error["fields"]["feasible"]) > date(2026, 4, 20)


@pytest.mark.usefixtures("store")
def test_the_page_scores_past_weeks_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    page = AppTest.from_file(str(ROUTER), default_timeout=120).run()
    page = page.switch_page("web/budget_page.py").run()
    page.button("backtest").click().run()
    assert [len(page.exception), len(page.error)] == [0, 1]
    monkeypatch.setattr(workflows, "backtest", lambda *_, **__: report())
    page.button("backtest").click().run()
    assert [len(page.exception), len(page.error)] == [0, 0]
    held = [one.value for one in page.dataframe if len(one.value) == len(AMOUNTS)]
    assert "100%" in held[-1].to_numpy()


def test_a_store_without_the_account_is_refused(tmp_path: Path) -> None:
    asked = ["plan", "--account", "nobody", "--backtest", "--weeks", "2"]
    asked += ["--store", str(tmp_path / "store")]
    done = CliRunner().invoke(app, [*asked, "--json"])
    assert done.exit_code == 1
    assert "error" in json.loads(done.stdout)
