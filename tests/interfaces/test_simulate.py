"""`optimizer simulate` at the command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from optimizer.interfaces.cli import app
from optimizer.interfaces.cli.simulate_output import promise_words
from optimizer.interfaces.locale import Translator

TINY = """
size: {campaigns: 1, ad_groups: 2, keywords: 12, brand_campaigns: 0, competitor_campaigns: 0,
       automated_campaigns: 0, horizon_days: 40}
demand: {median: 40}
"""
KEYS = {"profit", "oracle_share", "worst_decile", "budget_breaches", "promised_over_delivered"}
KEYS |= {"capped_days", "promised", "delivered"}


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY, encoding="utf-8")
    return path


def run(*arguments: str):
    return CliRunner().invoke(app, ["simulate", "--jobs", "1", *arguments])


def test_json_is_market_then_policy(tiny: Path) -> None:
    told = ["--market", str(tiny), "--policies", "hold, optimizer", "--seeds", "1", "--days", "5"]
    done = run(*told, "--json")
    answer = json.loads(done.stdout)
    assert list(answer) == ["tiny"]
    assert list(answer["tiny"]) == ["hold", "optimizer"]
    assert set(answer["tiny"]["optimizer"]) >= KEYS
    assert run(*told, "--json").stdout == done.stdout


@pytest.mark.parametrize(("language", "heading"), [("en", "Policy"), ("zh", "策略")])
def test_people_get_a_table_and_a_plot(
    tiny: Path, tmp_path: Path, language: str, heading: str
) -> None:
    page = tmp_path / "plot.html"
    told = ["--market", str(tiny), "--policies", "hold,oracle", "--seeds", "1", "--days", "8"]
    done = run(*told, "--out", str(page), "--lang", language)
    assert done.exit_code == 0
    assert heading in done.stdout
    assert "12" not in done.stderr
    text = page.read_text(encoding="utf-8")
    assert "plotly" in text
    assert "oracle" in text


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--market", "nowhere"], "market_not_found"),
        (["--policies", "wish"], "policy_unknown"),
        (["--policies", ","], "nothing_to_simulate"),
        (["--market", "small_shop", "--days", "500"], "market_too_short"),
        (["--out", "plot.png"], "plot_not_html"),
        (["--out", "nowhere/plot.html"], "folder_unwritable"),
    ],
)
def test_what_cannot_be_simulated_is_refused_by_name(arguments: list[str], code: str) -> None:
    done = run(*arguments, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["code"] == code


def test_scores_are_told_before_a_plot_that_cannot_be_written(tiny: Path, tmp_path: Path) -> None:
    page = tmp_path / "plot.html"
    page.symlink_to(tmp_path / "gone" / "plot.html")
    told = ["--market", str(tiny), "--policies", "hold", "--seeds", "1", "--days", "8"]
    done = run(*told, "--out", str(page), "--lang", "en")
    assert done.exit_code == 1
    assert "Policy" in done.stdout


def test_markets_of_one_name_are_refused(tiny: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "tiny.yaml"
    other.parent.mkdir()
    other.write_text(TINY, encoding="utf-8")
    done = run("--market", str(tiny), "--market", str(other), "--json")
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "market_named_twice"
    assert (error["fields"]["file"], error["fields"]["other"]) == (str(other), str(tiny))


def test_a_promise_that_ended_in_a_loss_is_told_by_its_sums() -> None:
    words, sums = Translator("en"), {"promised": 1200.0, "delivered": -35.0}
    assert promise_words(words, {**sums, "promised_over_delivered": None}) == "1,200 ÷ −35"
    assert promise_words(words, {**sums, "promised_over_delivered": 1.5}) == "1.5"
    silent = dict.fromkeys([*sums, "promised_over_delivered"])
    assert promise_words(words, silent) == "–"


def test_a_market_with_a_negative_number_names_file_and_key(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text("orders: {cvr_median: -0.1}\n", encoding="utf-8")
    done = run("--market", str(path), "--json")
    fields = json.loads(done.stdout)["error"]["fields"]
    assert (fields["file"], fields["key"], fields["value"]) == (
        str(path),
        "orders.cvr_median",
        -0.1,
    )
