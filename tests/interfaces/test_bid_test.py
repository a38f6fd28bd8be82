"""A bid test on the command line and on the page of bulk files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from optimizer import workflows
from optimizer.interfaces.cli import app
from optimizer.interfaces.experiments import experiment_lines, step_lines
from optimizer.interfaces.locale import Translator
from optimizer.settings import Configs, Exploration
from tests.interfaces.conftest import ACCOUNT, AS_OF

ROUTER = Path(workflows.__file__).parents[1] / "interfaces" / "router.py"


@pytest.fixture
def generous(store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small account with money and patience for tests."""
    asked = Exploration(cost_share=0.2, min_return=1, payback_days=365, shared_share=1)
    monkeypatch.setattr(Configs, "exploration", asked)
    return store


def answer(*arguments: str, code: int = 0) -> Any:
    done = CliRunner().invoke(app, ["experiment", *arguments, "--account", ACCOUNT, "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


@pytest.mark.usefixtures("store")
def test_an_account_without_a_test_says_so() -> None:
    assert answer("show", code=1)["error"]["code"] == "experiment_missing"


@pytest.mark.usefixtures("generous")
def test_a_test_from_proposal_to_its_first_files(tmp_path: Path) -> None:
    proposed = answer("propose")
    assert proposed["cost_low"] <= proposed["cost_mean"] <= proposed["cost_high"]
    assert (proposed["state"], proposed["due"]) == ("proposed", None)
    ref = f"{proposed['id']}@{proposed['version']}"
    assert answer("approve", ref)["changed"] == [proposed["id"]]
    assert answer("show")["due"] == 0
    step = answer("export", "--out", str(tmp_path))
    assert step["rows"] == proposed["keywords"]
    assert {Path(path).exists() for path in step["files"].values()} == {True}
    assert answer("export", "--out", str(tmp_path), code=1)["error"]["fields"]["next_day"]


@pytest.mark.usefixtures("generous")
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_test_is_told_in_words(language: str) -> None:
    words = Translator(language, "CNY")
    told = experiment_lines(words, answer("propose") | {"due": 0})
    left = {"keyword_text": "tent", "code": "member_moved"}
    told += step_lines(words, {"rows": 3, "export_id": "ab", "left_out": [left]})
    assert len(told) == 7
    assert not any("{" in line or "member_moved" in line for line in told)


COSTS = {"cost_mean": -1.25, "cost_low": -3.5, "cost_high": 0.5}


@pytest.mark.parametrize(
    ("costs", "told"),
    [
        (
            COSTS,
            {"en": "gain in profit per day 1.25 CNY (−0.50 CNY to 3.50", "zh": "利润增加 1.25"},
        ),
        (
            {"cost_mean": -0.001, "cost_low": -0.1, "cost_high": 0.1},
            {"en": "cost in profit per day 0.00"},
        ),
        ({"cost_mean": 2.0, "cost_low": 1.0, "cost_high": 3.0}, {"zh": "利润代价 2.00"}),
    ],
)
def test_a_cost_below_zero_is_called_a_gain(costs: dict[str, float], told: dict[str, str]) -> None:
    arms = [{"arm": "ramp"}]
    days = {"as_of": "2026-04-20", "last_day": "2026-05-17", "due": None, "next_day": None}
    figures = {"keywords": 1, "extra_spend": 1.0, "value": 9.0, "state": "proposed"}
    for language, text in told.items():
        lines = experiment_lines(
            Translator(language, "CNY"), {"members": arms, **days, **figures, **costs}
        )
        assert any(text in line for line in lines), lines


@pytest.mark.usefixtures("generous")
def test_the_page_proposes_and_approves() -> None:
    page = AppTest.from_file(str(ROUTER), default_timeout=60).run()
    page.switch_page("web/bulk_files_page.py").run()
    page.button("bid_test_propose").click().run()
    assert not page.exception
    page.button("bid_test_approve").click().run()
    assert not page.exception
    assert answer("show")["state"] == "approved"
    assert answer("show")["as_of"] == AS_OF.isoformat()
    assert page.button("bid_test_export")
