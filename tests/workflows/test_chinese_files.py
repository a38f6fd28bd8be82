"""Taobao's report and keyword list in one account, and what is said of their attribution."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from optimizer import workflows
from optimizer.errors import RefusedInput
from optimizer.workflows import Told, Workspace
from tests.reports.samples import DATA
from tests.workflows.shop_account import CONFIGS, OPERATOR

AS_OF = date(2026, 9, 4)
CLICK = Told(attribution_window_days=15, attribution_basis="click")


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Workspace]:
    with workflows.open_workspace(tmp_path / "store", CONFIGS) as workspace:
        yield workspace


def imported(workspace: Workspace, name: str, told: Told = CLICK, folder: Path = DATA) -> Any:
    (result,) = workflows.import_files(
        workspace, [folder / f"{name}.csv"], "tao", as_of=AS_OF, actor=OPERATOR, told=told,
        accept_quarantine=True,
    )  # fmt: skip
    return result


def test_list_gives_the_reports_words_their_bids(empty: Workspace) -> None:
    imported(empty, "taobao_keywords_csv")
    result = imported(empty, "taobao_keyword_list", Told())
    assert result.reconciliation.rows_quarantined == 0
    found = empty.store.review_tables("tao", AS_OF, 30).keywords.set_index("keyword_text")
    word = found.loc["连衣裙 夏"]
    assert (word["bid"], word["match_type"], word["quality_score"]) == (0.95, "BROAD", 9)
    assert word["item_id"] == "700000000001"
    assert len(found) == 6


def test_attribution_said_once_answers_later_files_and_another_is_refused(
    empty: Workspace, tmp_path: Path
) -> None:
    with pytest.raises(RefusedInput, match="answer_missing"):
        imported(empty, "taobao_keywords_csv", Told())
    imported(empty, "taobao_keywords_csv")
    assert imported(empty, "taobao_creatives", Told()).reconciliation.attribution_window_days == 15
    raw = (DATA / "taobao_keywords_csv.csv").read_bytes().replace(b"2026-09-01", b"2026-08-31")
    (tmp_path / "august.csv").write_bytes(raw)
    with pytest.raises(RefusedInput, match="windows_mixed"):
        imported(empty, "august", Told(attribution_window_days=7), tmp_path)
    assert len(empty.store.batches("tao")) == 2


def test_days_downloaded_over_may_change_their_attribution(
    empty: Workspace, tmp_path: Path
) -> None:
    """The same days again, counted otherwise, leave nothing of the old count in force."""
    imported(empty, "taobao_keywords_csv")
    raw = (DATA / "taobao_keywords_csv.csv").read_bytes()
    (tmp_path / "again.csv").write_bytes(raw + b"\n")
    result = imported(empty, "again", Told(attribution_window_days=7), tmp_path)
    assert result.reconciliation.warnings["attribution_differs"] == 1
