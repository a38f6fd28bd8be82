"""Tests of creatives defined, changed and ended at the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from optimizer import workflows
from optimizer.interfaces.cli import app
from tests.interfaces.conftest import ACCOUNT, AS_OF, OWNER, ad_report

DEFINE = (
    *("creatives-define", "--test", "titles", "--campaign", "spring", "--ad-group", "shoes"),
    *("--metric", "ctr", "--rotation", "randomised"),
)


@pytest.fixture
def advertised(workspace: workflows.Workspace, tmp_path: Path) -> workflows.Workspace:
    """The account with two ads that nobody tests yet."""
    report = tmp_path / "ads.csv"
    report.write_text("Ad report\n\n" + ad_report(days=3), encoding="utf-8")
    workflows.import_files(workspace, [report], ACCOUNT, as_of=AS_OF, actor=OWNER)
    return workspace


def answer(*arguments: str) -> tuple[int, Any]:
    done = CliRunner().invoke(app, [*arguments, "--account", ACCOUNT, "--json"])
    return done.exit_code, json.loads(done.stdout)


def test_a_test_is_defined_with_its_split_then_changed_and_ended(
    advertised: workflows.Workspace,
) -> None:
    code, made = answer(*DEFINE, "--arm", "71=0.7", "--arm", "72=0.3")
    assert (code, made["version"], made["arms"]) == (0, 1, ["71", "72"])
    assert {name: float(share) for name, share in made["split"].items()} == {"71": 0.7, "72": 0.3}
    split = ("--arm", "71=0.7", "--arm", "72=0.3")
    assert answer(*DEFINE, *split, "--floor", "0.2", "--version", "1")[1]["version"] == 2
    code, ended = answer("creatives-end", "--test", "titles")
    assert (code, ended["version"], ended["end"]) == (0, 3, "2026-04-19")
    (kept,) = workflows.defined_tests(advertised, ACCOUNT, OWNER)
    assert str(kept.test.end) == "2026-04-19"


@pytest.mark.usefixtures("advertised")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((*DEFINE, "--arm", "71", "--arm", "77"), "creative_unknown"),
        ((*DEFINE, "--floor", "2"), "creative_test_invalid"),
        ((*DEFINE, "--arm", "71=half", "--arm", "72=0.5"), "creative_test_invalid"),
        ((*DEFINE, "--version", "4"), "creative_test_moved"),
        (("creatives-end", "--test", "titles"), "creative_test_missing"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(arguments: tuple[str, ...], code: str) -> None:
    exit_code, told = answer(*arguments)
    assert (exit_code, told["error"]["code"]) == (1, code)
