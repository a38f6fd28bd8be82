"""Commands through the door people use: arguments in, text or JSON and an exit code out."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from optimizer import workflows
from optimizer.interfaces.cli import app
from optimizer.interfaces.cli.tables import text_table
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.serving import is_loopback
from tests.interfaces.conftest import ACCOUNT, OWNER

REVIEW_KEYS = {
    "account", "as_of", "budget", "dual_price", "cost_now", "cost_planned", "profit_delta",
    "suggestions", "not_suggested",
}  # fmt: skip
SUGGESTION_KEYS = {
    "id", "version", "kind", "keyword_id", "keyword_text", "match_type", "bid", "proposed_bid",
    "delta_clicks", "delta_cost", "delta_profit", "p_positive", "reason",
}  # fmt: skip
IMPORT_KEYS = {
    "batch_id", "duplicate", "profile", "rows_read", "rows_kept", "rows_dropped",
    "rows_quarantined", "totals", "checksums", "currency", "period", "writable_bid_share",
}  # fmt: skip


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def answer(*arguments: str) -> Any:
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def best(workspace: workflows.Workspace, count: int = 1) -> list[str]:
    rows = workflows.suggestions(workspace, ACCOUNT, OWNER)
    rows = rows[rows["kind"] == "lower"].head(count)
    return [f"{i}@{v}" for i, v in zip(rows["id"], rows["version"], strict=True)]


def decision_of(workspace: workflows.Workspace, ref: str) -> str:
    rows = workflows.suggestions(workspace, ACCOUNT, OWNER).set_index("id")
    return str(rows.loc[ref.partition("@")[0], "decision"])


@pytest.mark.usefixtures("store")
def test_review_json_has_what_was_promised() -> None:
    review = answer("review", "--account", ACCOUNT, "--dry-run")
    assert review.keys() >= REVIEW_KEYS
    assert review["suggestions"][0].keys() >= SUGGESTION_KEYS


@pytest.mark.usefixtures("store")
def test_import_json_is_a_list_and_knows_a_duplicate(report_files: list[Path]) -> None:
    files = [str(path) for path in report_files]
    again = answer("import", *files, "--account", ACCOUNT, "--as-of", "2026-04-20")
    assert [each["duplicate"] for each in again] == [True, True]
    assert again[0].keys() >= IMPORT_KEYS


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("lang", "word"), [("zh", "每天花费"), ("en", "Cost per day")])
def test_review_reads_well_in_both_languages(lang: str, word: str) -> None:
    done = run("review", "--account", ACCOUNT, "--lang", lang)
    assert done.exit_code == 0, done.output
    assert word in done.stdout


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_suggestion_is_shown_with_its_evidence(workspace: workflows.Workspace, lang: str) -> None:
    done = run("suggestions", "show", best(workspace)[0], "--account", ACCOUNT, "--lang", lang)
    assert done.exit_code == 0, done.output
    assert len(done.stdout.splitlines()) > 8


def test_decisions_reach_the_store(workspace: workflows.Workspace) -> None:
    first, second = best(workspace, 2)
    assert run("approve", first, "--account", ACCOUNT).exit_code == 0
    assert run("reject", second, "--account", ACCOUNT, "--reason", "stock").exit_code == 0
    assert (decision_of(workspace, first), decision_of(workspace, second)) == (
        "approved",
        "rejected",
    )
    assert run("undo", first, "--account", ACCOUNT).exit_code == 0
    assert decision_of(workspace, first) == "proposed"


def test_stale_version_is_refused_with_its_code(workspace: workflows.Workspace) -> None:
    identity = best(workspace)[0].partition("@")[0]
    done = run("approve", f"{identity}@9", "--account", ACCOUNT, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["code"] == "version_moved"


def test_edit_approves_at_the_given_bid(workspace: workflows.Workspace) -> None:
    ref = best(workspace)[0]
    rows = workflows.suggestions(workspace, ACCOUNT, OWNER).set_index("id")
    bid = round(float(rows.loc[ref.partition("@")[0], "bid"]) * 0.9, 2)
    assert run("edit", ref, "--bid", str(bid), "--account", ACCOUNT).exit_code == 0
    after = workflows.suggestions(workspace, ACCOUNT, OWNER).set_index("id")
    assert after.loc[ref.partition("@")[0], "approved_bid"] == bid


def test_approve_all_shows_the_sum_and_asks(workspace: workflows.Workspace) -> None:
    ref = best(workspace)[0]
    asked = CliRunner().invoke(
        app, ["approve", "--all", "--kind", "lower", "--account", ACCOUNT], input="n\n"
    )
    assert asked.exit_code == 1
    assert "CNY" in asked.stdout
    assert decision_of(workspace, ref) == "proposed"


@pytest.mark.usefixtures("store")
def test_export_writes_what_was_approved(tmp_path: Path) -> None:
    answer("approve", "--all", "--kind", "lower", "--yes", "--account", ACCOUNT)
    made = answer("export", "--account", ACCOUNT, "--out", str(tmp_path / "out"))
    assert made["rows"] > 0
    assert all(Path(path).exists() for path in made["files"].values())


def test_a_reference_without_version_is_a_usage_error(store: Path) -> None:
    assert run("approve", "abc", "--account", ACCOUNT, "--store", str(store)).exit_code == 2


def test_serving_other_machines_is_refused() -> None:
    done = run("serve", "--address", "0.0.0.0", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["code"] == "serve_not_loopback"


@pytest.mark.usefixtures("store")
def test_check_audit_and_batches_answer() -> None:
    assert answer("check") == {"ok": True, "problems": []}
    assert {row["action"] for row in answer("audit")} >= {"import", "review"}
    assert len(answer("batches", "--account", ACCOUNT)) == 2


@pytest.mark.parametrize(
    ("address", "own_machine"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("a.b", False)],
)
def test_only_loopback_counts_as_this_machine(address: str, own_machine: bool) -> None:
    assert is_loopback(address) is own_machine


def test_keyword_that_looks_like_markup_is_printed_as_it_is() -> None:
    console = Console(width=80, record=True, file=StringIO())
    console.print(text_table(Translator("en"), ("Keyword",), [("[bold]shoes[/bold]",)]))
    assert "[bold]shoes[/bold]" in console.export_text()


@pytest.mark.usefixtures("store")
def test_refusals_read_well(tmp_path: Path, report_files: list[Path]) -> None:
    lines = report_files[0].read_text(encoding="utf-8").split("\n")
    cut = tmp_path / "cut.csv"
    cut.write_text("\n".join(lines[:20])[:-30], encoding="utf-8")
    column = lines[2].split(",").index("Cost")
    bad = tmp_path / "bad.csv"
    cells = [line.split(",") for line in lines[3:20]]
    bad.write_text(
        "\n".join([*lines[:3], *(",".join([*c[:column], "-1", *c[column + 1 :]]) for c in cells)]),
        encoding="utf-8",
    )
    for refused in (
        run("import", str(cut), "--account", ACCOUNT, "--as-of", "2026-04-20"),
        run("import", str(bad), "--account", ACCOUNT, "--as-of", "2026-04-20"),
        run("review", "--account", ACCOUNT, "--budget", "1", "--dry-run"),
    ):
        assert refused.exit_code == 1
        assert refused.stderr.strip()
        assert not any(mark in refused.stderr for mark in ("–", "XXX", "Traceback"))


def test_check_names_what_is_damaged(store: Path) -> None:
    lost = next((store / "history").glob("*.parquet"))
    lost.unlink()
    done = run("check")
    assert done.exit_code == 1
    assert lost.name in done.stdout


def test_a_store_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("batches", "--account", ACCOUNT, "--store", str(tmp_path / "file" / "store"))
    assert done.exit_code == 1
    assert "cannot be written" in done.stderr


@pytest.mark.usefixtures("store")
def test_account_whose_keywords_have_ids_lists_none_unmatched() -> None:
    told = run("unmatched", "--account", ACCOUNT)
    assert told.exit_code == 0, told.output
    names = "campaign_name,ad_group_name,keyword_text,match_type,target_type"
    assert told.stdout == f"{names},clicks,cost\n"


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("lang", "said"), [("en", "No keyword"), ("zh", "没有包含")])
def test_why_not_of_an_unknown_word_is_refused_by_name(lang: str, said: str) -> None:
    done = run("suggestions", "why-not", "no such word", "--account", ACCOUNT, "--lang", lang)
    assert done.exit_code == 1
    assert said in done.output
    assert "no such word" in done.output
