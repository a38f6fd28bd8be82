"""Codes that a real review brings forth all have words."""

from __future__ import annotations

import pytest

from optimizer import workflows
from optimizer.interfaces.evidence import evidence_lines
from optimizer.interfaces.locale import Translator
from tests.interfaces import sources
from tests.interfaces.conftest import ACCOUNT, OWNER


@pytest.fixture(params=["zh", "en"])
def words(request: pytest.FixtureRequest) -> Translator:
    return Translator(request.param, "CNY")


def test_reasons_of_a_review_have_words(words: Translator, workspace: workflows.Workspace) -> None:
    report = workflows.latest_review(workspace, ACCOUNT, OWNER)
    rows = report.suggestions
    used = {*rows["reason"], *rows["binding"].dropna(), *report.summary["not_suggested"]}
    used |= set(report.summary["assumed"])
    assert {code for code in used if not words.has_code("reason", code)} == set()
    assert {kind for kind in rows["kind"] if not words.has_code("kind", kind)} == set()


def test_guardrails_have_words(words: Translator) -> None:
    assert {
        code for code in sources.guardrail_codes() if not words.has_code("reason", code)
    } == set()


def test_alerts_have_words(words: Translator) -> None:
    assert {code for code in sources.alert_codes() if not words.has_code("alert", code)} == set()


def test_actions_of_the_audit_have_words(words: Translator, workspace: workflows.Workspace) -> None:
    actions = set(workflows.audit(workspace, OWNER)["action"])
    assert {action for action in actions if not words.has_code("action", action)} == set()


def test_every_kind_has_readable_evidence(
    words: Translator, workspace: workflows.Workspace
) -> None:
    rows = workflows.suggestions(workspace, ACCOUNT, OWNER).drop_duplicates("kind")
    for row in rows.to_dict(orient="records"):
        found = workflows.suggestion(workspace, ACCOUNT, row["id"], OWNER)
        lines = evidence_lines(words, found.row, found.evidence)
        assert len(lines) > 5
        assert not any("–" in line and "{" in line for line in lines)
