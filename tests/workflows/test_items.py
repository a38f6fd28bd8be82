"""Item files the whole way: imported, and what the next review makes of them."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from optimizer import workflows
from optimizer.errors import RefusedInput
from optimizer.workflows import Workspace
from optimizer.workflows.items import stated_settings
from tests.workflows.shop_account import APPROVER, AS_OF, OPERATOR, VIEWER, refs


def brought(
    workspace: Workspace, folder: Path, text: str, name: str = "items.csv", account: str = "shop"
) -> Any:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    (result,) = workflows.import_files(workspace, [path], account, as_of=AS_OF, actor=OPERATOR)
    return result


def reviewed(workspace: Workspace) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    report = workflows.review(workspace, "shop", actor=OPERATOR, dry_run=True)
    return report.suggestions, list(report.summary["alerts"])


def group_with(rows: pd.DataFrame, *kinds: str) -> str:
    """The ad group with most suggestions of these kinds."""
    found = rows[rows["kind"].isin(kinds)]
    return str(found["ad_group_name"].value_counts().index[0])


def downs_in(rows: pd.DataFrame, group: str) -> int:
    inside = rows["ad_group_name"].eq(group) & rows["kind"].isin(["lower", "pause"])
    return int(inside.sum())


def test_new_item_of_a_file_is_not_lowered(unreviewed: Workspace, tmp_path: Path) -> None:
    group = group_with(reviewed(unreviewed)[0], "lower", "pause")
    table = f"货号,推广单元,阶段,最大亏损\nA1,{group},新品,100000\n"
    assert brought(unreviewed, tmp_path, table).grain == "item"
    rows, alerts = reviewed(unreviewed)
    assert downs_in(rows, group) == 0
    assert [told["item"] for told in alerts if told["code"] == "item_learning"] == []


def test_margin_of_a_file_is_what_a_click_keeps(unreviewed: Workspace, tmp_path: Path) -> None:
    before = reviewed(unreviewed)[0]
    group = group_with(before, "raise")
    brought(unreviewed, tmp_path, f"item_id,ad_groups,unit_cost,price\nA1,{group},98,100\n")
    after = reviewed(unreviewed)[0]
    assert downs_in(after, group) > downs_in(before, group)
    assert not after[after["ad_group_name"].eq(group)]["kind"].isin(["raise"]).any()


def test_blank_price_leaves_the_next_review_whole(unreviewed: Workspace, tmp_path: Path) -> None:
    group = group_with(reviewed(unreviewed)[0], "raise")
    brought(unreviewed, tmp_path, f"item_id,ad_groups,unit_cost,price\nA1,{group},30,100\n")
    brought(unreviewed, tmp_path, "item_id,price,stock\nA1,,100000\nA2,5,1\n")
    assert len(reviewed(unreviewed)[0]) > 0
    settings, _ = stated_settings(unreviewed, "shop", AS_OF)
    assert settings.account.items[0].margin == pytest.approx(0.7)


def test_clearance_counts_its_salvage_margin(unreviewed: Workspace, tmp_path: Path) -> None:
    group = group_with(reviewed(unreviewed)[0], "raise")
    head = "item_id,ad_groups,stage,margin,salvage_margin\n"
    brought(unreviewed, tmp_path, f"{head}A1,{group},爆款,0.02,1\n")
    poor = downs_in(reviewed(unreviewed)[0], group)
    brought(unreviewed, tmp_path, f"{head}A1,{group},清仓,0.02,1\n")
    assert downs_in(reviewed(unreviewed)[0], group) < poor


def test_change_of_a_log_makes_days_before_it_tell_less(
    unreviewed: Workspace, tmp_path: Path
) -> None:
    group = group_with(reviewed(unreviewed)[0], "lower", "pause")
    brought(unreviewed, tmp_path, f"item_id,ad_groups,margin\nA1,{group},0.5\n")
    day = (AS_OF - timedelta(days=5)).isoformat()
    brought(unreviewed, tmp_path, f"date,item_id,page\n{day},A1,new\n", "log.csv")
    told = [one for one in reviewed(unreviewed)[1] if one["code"] == "item_changed_page"]
    assert [(one["item"], one["day"]) for one in told] == [("A1", day)]


def test_review_of_an_earlier_day_does_not_know_the_file(
    unreviewed: Workspace, tmp_path: Path
) -> None:
    brought(unreviewed, tmp_path, "item_id,ad_groups,margin\nA1,x,0.5\n")
    known = unreviewed.store.items("shop", AS_OF - timedelta(days=1))
    assert known.empty
    assert unreviewed.store.items("shop", AS_OF)["item_id"].tolist() == ["A1"]


def test_settings_and_file_that_differ_are_told(
    unreviewed: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from optimizer.settings import Account, Configs, Item

    stated = Account(items=(Item(item_id="A1", margin=0.3),), margin=1.0)
    monkeypatch.setattr(Configs, "account", lambda self, name: stated)
    brought(unreviewed, tmp_path, "item_id,margin\nA1,0.5\n")
    told = [one for one in reviewed(unreviewed)[1] if one["code"] == "item_conflict"]
    assert [(one["key"], one["settings"], one["file"]) for one in told] == [
        ("margin", "0.3", "0.5")
    ]


def test_unit_cost_without_a_price_is_refused_with_its_line(
    unreviewed: Workspace, tmp_path: Path
) -> None:
    table = "item_id,unit_cost\nA1,\nA2,5\n"
    with pytest.raises(RefusedInput) as refused:
        brought(unreviewed, tmp_path, table)
    assert refused.value.code == "item_price_unknown"
    assert (refused.value.fields["item"], refused.value.fields["line"]) == ("A2", 3)
    brought(unreviewed, tmp_path, f"date,item_id,price\n{AS_OF},A2,20\n", "log.csv")
    assert brought(unreviewed, tmp_path, table).reconciliation.rows_kept == 2


def test_items_come_after_the_first_report(unreviewed: Workspace, tmp_path: Path) -> None:
    with pytest.raises(RefusedInput, match="answer_missing"):
        brought(unreviewed, tmp_path, "item_id,margin\nA1,0.5\n", account="other")
    path = tmp_path / "items.csv"
    with pytest.raises(RefusedInput, match="items_before_reports"):
        workflows.import_files(
            unreviewed, [path], "other", as_of=AS_OF, actor=OPERATOR,
            told=workflows.Told(currency="CNY"),
        )  # fmt: skip


def test_report_of_the_same_import_makes_the_account(
    unreviewed: Workspace, report_files: list[Path], tmp_path: Path
) -> None:
    items = tmp_path / "items.csv"
    items.write_text("item_id,margin\nA1,0.5\n", encoding="utf-8")
    take = partial(
        workflows.import_files, unreviewed, account="other", as_of=AS_OF, actor=OPERATOR,
        told=workflows.Told(currency=unreviewed.store.account("shop").currency),
    )  # fmt: skip
    with pytest.raises(RefusedInput, match="items_before_reports"):
        take([items], dry_run=True)
    for dry_run in (True, False):
        results = take([items, report_files[0]], dry_run=dry_run)
        assert [result.file for result in results] == ["items.csv", report_files[0].name]
    assert unreviewed.store.items("other", AS_OF)["item_id"].tolist() == ["A1"]


def test_organic_words_become_keywords_of_the_file_that_goes_out(
    shop: Workspace, tmp_path: Path
) -> None:
    groups = sorted(set(workflows.suggestions(shop, "shop", VIEWER)["ad_group_name"]))
    items = "".join(f"I{number},{name}\n" for number, name in enumerate(groups))
    words = "".join(
        f"I{number},{AS_OF - timedelta(days=1)},fresh word {number},400,9\n"
        for number in range(len(groups))
    )
    brought(shop, tmp_path, "item_id,ad_groups\n" + items)
    brought(shop, tmp_path, "商品ID,日期,关键词,访客数,支付买家数\n" + words, "organic.csv")
    rows = workflows.review(shop, "shop", actor=OPERATOR).suggestions
    fresh = rows[rows["reason"].eq("organic_word_pays")]
    assert len(fresh) > 0
    detail = workflows.suggestion(shop, "shop", fresh["id"].iloc[0], VIEWER)
    assert detail.evidence["organic_orders"] == 9.0
    paid_for = pd.concat([fresh, rows[rows["kind"].eq("lower")]])
    workflows.approve(shop, "shop", refs(paid_for), APPROVER)
    workflows.export(shop, "shop", tmp_path / "out", APPROVER)
    texts = [path.read_text(encoding="utf-8") for path in (tmp_path / "out").glob("*keywords.csv")]
    assert any("fresh word" in text for text in texts)


def test_explain_says_who_reads_an_item_table(unreviewed: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "商品.csv"
    path.write_text("货号,阶段,库存,颜色\nA1,新品,3,红\n", encoding="gb18030")
    found = workflows.explain_file(unreviewed, path, VIEWER)
    (claim,) = found.claims
    assert (claim.profile, claim.unused) == ("items", ("颜色",))
    assert [(one.field, one.header) for one in claim.mapped] == [
        ("item_id", "货号"),
        ("stage", "阶段"),
        ("stock", "库存"),
    ]
