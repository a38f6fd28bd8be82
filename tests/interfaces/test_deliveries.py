"""A result file dropped into import, as the command line and the pages show it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from optimizer import workflows
from optimizer.interfaces.cli import app
from tests.interfaces.conftest import ACCOUNT

ROUTER = Path(workflows.__file__).parents[1] / "interfaces" / "router.py"
REASON = "Error: bid below the minimum"


def answer(*arguments: str) -> Any:
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def refused(store: Path, tmp_path: Path) -> Path:
    """What Google says of a file of lowers: it refused the first row."""
    answer("approve", "--account", ACCOUNT, "--all", "--kind", "lower", "--yes")
    made = answer("export", "--account", ACCOUNT, "--out", str(tmp_path / "out"))
    (name,) = (each for each in made["files"] if each.endswith(f"{made['export_id']}_keywords.csv"))
    rows = list(csv.DictReader(io.StringIO(Path(made["files"][name]).read_text("utf-8"))))
    said = {**rows[0], "Results": REASON}
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(said), lineterminator="\n")
    writer.writeheader()
    writer.writerow(said)
    path = tmp_path / "results.csv"
    path.write_text(buffer.getvalue(), encoding="utf-8")
    return path


def test_import_takes_a_result_file_and_says_so(refused: Path) -> None:
    (taken,) = answer("import", str(refused), "--account", ACCOUNT)
    assert (taken["result_rows"], taken["deliveries"]) == (1, {"failed": 1})
    found = answer("deliveries", "--account", ACCOUNT, "--state", "failed")
    assert found["counts"]["failed"] == 1
    (row,) = found["rows"]
    assert (row["code"], row["text"]) == ("platform_refused", REASON)
    assert row["approved_bid"] is not None


@pytest.mark.parametrize(("language", "word"), [("en", "failed"), ("zh", "失败")])
def test_people_read_the_platforms_reason(refused: Path, language: str, word: str) -> None:
    told = CliRunner().invoke(
        app, ["import", str(refused), "--account", ACCOUNT, "--lang", language]
    )
    listed = CliRunner().invoke(app, ["deliveries", "--account", ACCOUNT, "--lang", language])
    assert f"1 {word}" in told.output
    assert "minimum" in listed.output


def test_the_bulk_files_page_shows_counts_and_what_failed(refused: Path) -> None:
    answer("import", str(refused), "--account", ACCOUNT)
    page = AppTest.from_file(str(ROUTER), default_timeout=60).run()
    page = page.switch_page("web/bulk_files_page.py").run()
    assert not page.exception
    (table,) = (each.value for each in page.dataframe if len(each.value.columns) == 8)
    assert REASON in table.iloc[0, 5]


def test_the_queue_shows_what_became_of_the_last_export(refused: Path) -> None:
    answer("import", str(refused), "--account", ACCOUNT)
    page = AppTest.from_file(str(ROUTER), default_timeout=60)
    page.query_params["decision"] = "approved"
    page.run()
    assert not page.exception
    assert any("1 failed" in box.value for box in page.warning)
    states = page.session_state["_pinned"].rows["last_delivery"].value_counts()
    assert states.pop("failed") == 1
    assert list(states.index) == ["exported"]
