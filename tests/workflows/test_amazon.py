"""Amazon's reports have no ids and its bulk sheet no days: together they make one account."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from optimizer import workflows
from optimizer.workflows import Workspace
from tests.reports import amazon_files as amazon
from tests.workflows.shop_account import APPROVER, CONFIGS, OPERATOR, VIEWER

AS_OF = date(2026, 10, 1)
YAML = "currency: USD\nplatform: amazon_ads\nmargin: 0.4\ndaily_budget: 60.0\n"
DAILY = {
    ("travel mug", "EXACT"): amazon.counted(20, 15.0, 4, 160.0),
    ("coffee mug", "BROAD"): amazon.counted(15, 11.0, 1, 20.0),
    ('asin="B0RIVAL001"', "-"): amazon.counted(10, 6.0, 0, 0.0),
    ("gone mug", "PHRASE"): amazon.counted(2, 1.0, 0, 0.0),
}
"""What each target got on every day of the report; the bulk sheet does not know the last."""


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    configs = tmp_path / "configs"
    shutil.copytree(CONFIGS, configs)
    (configs / "accounts" / "mugs.yaml").write_text(YAML)
    with workflows.open_workspace(tmp_path / "store", configs) as opened:
        yield opened


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """The bulk sheet and a daily targeting report of four weeks."""
    rows = [row for row in amazon.bulk_rows() if row.get("Keyword Text") != "broken id"]
    days = [AS_OF - timedelta(days=back) for back in range(28, 0, -1)]
    daily = [
        amazon.on(day, amazon.report_row(text, match, counts))
        for (text, match), counts in DAILY.items()
        for day in days
    ]
    report = tmp_path / "Sponsored_Products_Targeting_report.xlsx"
    amazon.write_book(report, {"Targeting": (amazon.DAILY_HEADER, daily)})
    return {"bulk": amazon.bulk_book(tmp_path, rows=rows), "report": report}


def take(
    workspace: Workspace, files: dict[str, Path], order: Sequence[str]
) -> list[workflows.ImportResult]:
    paths = [files[name] for name in order]
    return workflows.import_files(workspace, paths, "mugs", as_of=AS_OF, actor=OPERATOR)


@pytest.mark.parametrize("order", [("bulk", "report"), ("report", "bulk")])
def test_bulk_sheet_and_report_make_one_entity_each(
    workspace: Workspace, files: dict[str, Path], order: tuple[str, str]
) -> None:
    results = take(workspace, files, order)
    known = workspace.store.review_tables("mugs", AS_OF, 60)
    found = known.keywords.set_index("keyword_text")
    assert found.index.is_unique
    assert found.loc["coffee mug", ["keyword_id", "bid", "bid_source"]].tolist() == [
        "344382946392872",
        0.75,
        "inherited",
    ]
    assert found.loc['asin="B0RIVAL001"', "target_type"] == "product"
    clicks = known.daily.groupby("entity_key")["clicks"].sum()
    assert clicks[found.loc["travel mug", "entity_key"]] == 28 * 20
    counted = [each.reconciliation.warnings.get("keywords_unmatched", 0) for each in results]
    assert max(counted) == 1


@pytest.mark.parametrize("order", [("bulk", "report"), ("report", "bulk")])
def test_targets_that_the_bulk_sheet_does_not_know_are_listed(
    workspace: Workspace, files: dict[str, Path], order: tuple[str, str]
) -> None:
    take(workspace, files, order)
    rows = workflows.unmatched(workspace, "mugs", VIEWER)
    assert rows[["keyword_text", "clicks", "cost"]].values.tolist() == [["gone mug", 56.0, 28.0]]


def test_account_without_ids_has_nothing_unmatched(
    workspace: Workspace, files: dict[str, Path]
) -> None:
    take(workspace, files, ["report"])
    assert workflows.unmatched(workspace, "mugs", VIEWER).empty


def test_terms_without_ids_take_those_of_their_ad_group(
    workspace: Workspace, files: dict[str, Path], tmp_path: Path
) -> None:
    take(workspace, files | {"terms": amazon.search_term_book(tmp_path)}, ["terms", "bulk"])
    terms = workspace.store.review_tables("mugs", AS_OF, 60).terms
    assert set(terms["ad_group_id"]) == {amazon.AD_GROUPS["Mugs Manual"][1]}


def test_review_of_both_is_exported_with_ids_as_texts(
    workspace: Workspace, files: dict[str, Path], tmp_path: Path
) -> None:
    take(workspace, files, ["bulk", "report"])
    report = workflows.review(workspace, "mugs", actor=OPERATOR)
    moves = report.suggestions[report.suggestions["kind"].isin(["raise", "lower"])]
    assert {"travel mug", "close-match"} <= set(moves["keyword_text"])
    chosen = moves[moves["keyword_id"].notna()]
    refs = list(zip(chosen["id"], chosen["version"].astype(int), strict=True))
    workflows.approve(workspace, "mugs", refs, actor=APPROVER)
    result = workflows.export(workspace, "mugs", tmp_path / "out", APPROVER)
    (name,) = [name for name in result.files if "rollback" not in name]
    written = sheet_of(tmp_path / "out" / name)
    places = chosen.set_index("keyword_id")[["campaign_id", "ad_group_id"]]
    ids = written["Keyword ID"].where(written["Keyword ID"] != "", written["Product Targeting ID"])
    assert set(ids) == set(places.index)
    assert written["Campaign ID"].tolist() == places.loc[ids, "campaign_id"].tolist()
    assert set(written["Ad Group ID"]) <= {number for _, number in amazon.AD_GROUPS.values()}


def sheet_of(path: Path) -> pd.DataFrame:
    header, *rows = CalamineWorkbook.from_path(path).get_sheet_by_name(amazon.SHEET).to_python()
    return pd.DataFrame(rows, columns=header)
