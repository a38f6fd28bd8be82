import csv
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from optimizer import workflows
from optimizer.errors import Conflict, Forbidden, NotFound, RefusedInput
from optimizer.workflows import Workspace
from tests.workflows.shop_account import APPROVER, AS_OF, OPERATOR, VIEWER, proposed, refs


def approve_all(workspace: Workspace, *kinds: str) -> pd.DataFrame:
    """Approve everything of these kinds that is open, until the re-solves propose nothing more."""
    for _ in range(4):
        rows = proposed(workspace, *kinds)
        if rows.empty:
            break
        workflows.approve(workspace, "shop", refs(rows), APPROVER)
    return workspace.store.approved("shop")


def written(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def only(files: dict[str, Path], ending: str) -> Path:
    (found,) = [path for name, path in files.items() if name.endswith(ending)]
    return found


def test_import_review_approve_export(shop: Workspace, tmp_path: Path) -> None:
    approved = approve_all(shop, "raise", "lower", "pause", "add_keyword", "add_negative")
    result = workflows.export(shop, "shop", tmp_path / "out", APPROVER)
    assert result.rows == len(approved)
    assert result.excess == ()
    rows = written(only(dict(result.files), f"{result.export_id}_keywords.csv"))
    bids = approved[approved["kind"].isin(["raise", "lower"])].set_index("keyword_id")[
        "approved_bid"
    ]
    edits = {row["Keyword ID"]: row["Default max. CPC"] for row in rows if row["Default max. CPC"]}
    changed = {key: f"{bid:.2f}" for key, bid in bids.items()}
    assert changed.items() <= edits.items()
    exported = workflows.suggestions(shop, "shop", VIEWER).query("delivery == 'exported'")
    assert set(exported["id"]) == set(approved["id"])


def test_rollback_restores_every_old_bid(shop: Workspace, tmp_path: Path) -> None:
    approved = approve_all(shop, "lower")
    result = workflows.export(shop, "shop", tmp_path / "out", APPROVER)
    rows = written(only(dict(result.files), "_rollback_keywords.csv"))
    old = approved.set_index("keyword_id")["bid"]
    assert {row["Keyword ID"]: row["Default max. CPC"] for row in rows} == {
        key: f"{bid:.2f}" for key, bid in old.items()
    }


def test_second_export_has_nothing_to_export(shop: Workspace, tmp_path: Path) -> None:
    approve_all(shop, "lower")
    first = workflows.export(shop, "shop", tmp_path / "out", APPROVER)
    with pytest.raises(Conflict) as caught:
        workflows.export(shop, "shop", tmp_path / "elsewhere", APPROVER)
    assert caught.value.code == "nothing_to_export"
    assert caught.value.fields["last_export"] == first.export_id
    assert not (tmp_path / "elsewhere").exists()


def test_asking_for_an_export_again_gives_the_same_bytes(shop: Workspace, tmp_path: Path) -> None:
    approve_all(shop, "lower", "add_keyword")
    first = workflows.export(shop, "shop", tmp_path / "out", APPROVER)
    again = workflows.export(shop, "shop", tmp_path / "more", APPROVER, again=first.export_id)
    assert again.repeated
    assert {name: path.read_bytes() for name, path in first.files.items()} == {
        name: path.read_bytes() for name, path in again.files.items()
    }
    with pytest.raises(NotFound):
        workflows.export(shop, "shop", tmp_path / "more", APPROVER, again="0" * 16)


def test_another_file_format_holds_the_same_bids(shop: Workspace, tmp_path: Path) -> None:
    approved = approve_all(shop, "lower")
    first = workflows.export(shop, "shop", tmp_path / "out", APPROVER, format_="editor")
    assert sorted(name.split("_", 2)[2] for name in first.files) == [
        "editor.csv",
        "rollback_editor.csv",
    ]
    text = only(dict(first.files), f"{first.export_id}_editor.csv").read_text(encoding="utf-16")
    bids = [row["Max CPC"] for row in csv.DictReader(text.splitlines(), delimiter="\t")]
    assert sorted(bids) == sorted(f"{bid:.2f}" for bid in approved["approved_bid"])
    again = workflows.export(shop, "shop", tmp_path / "more", APPROVER, again=first.export_id)
    assert {name: path.read_bytes() for name, path in first.files.items()} == {
        name: path.read_bytes() for name, path in again.files.items()
    }


def test_a_format_the_platform_lacks_is_named(shop: Workspace, tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        workflows.export(shop, "shop", tmp_path, APPROVER, format_="paper")
    assert caught.value.fields["available"] == ["bulk_upload", "editor"]


def test_raises_alone_cannot_be_exported_over_budget(shop: Workspace, tmp_path: Path) -> None:
    workflows.approve(shop, "shop", refs(proposed(shop, "raise")), APPROVER)
    with pytest.raises(Conflict) as caught:
        workflows.export(shop, "shop", tmp_path / "out", APPROVER)
    assert caught.value.code == "over_budget"
    assert {one["scope"] for one in caught.value.fields["excess"]} >= {"account"}
    assert not (tmp_path / "out").exists()
    assert workflows.exports(shop, "shop", VIEWER) == []


def test_dry_run_says_what_stands_in_the_way_and_writes_nothing(
    shop: Workspace, tmp_path: Path
) -> None:
    workflows.approve(shop, "shop", refs(proposed(shop, "raise")), APPROVER)
    told = workflows.export(shop, "shop", tmp_path / "out", APPROVER, dry_run=True)
    assert told.excess
    assert not told.files
    assert not (tmp_path / "out").exists()
    assert len(shop.store.approved("shop")) == told.rows


def test_exported_rows_cannot_be_undone(shop: Workspace, tmp_path: Path) -> None:
    approved = approve_all(shop, "lower")
    workflows.export(shop, "shop", tmp_path / "out", APPROVER)
    with pytest.raises(Conflict) as caught:
        workflows.undo(shop, "shop", refs(approved)[:1], APPROVER)
    assert caught.value.code == "already_exported"


def test_second_batch_counts_the_first_against_the_budget(shop: Workspace, tmp_path: Path) -> None:
    lowers = proposed(shop, "lower")
    workflows.approve(shop, "shop", refs(lowers), APPROVER)
    workflows.export(shop, "shop", tmp_path / "out", APPROVER)
    saved = -float(lowers["delta_cost"].sum())
    told = workflows.totals(shop, "shop", list(proposed(shop, "raise")["id"]), VIEWER)
    account = [one for one in told.excess if one["scope"] == "account"]
    room = shop.store.latest_run("shop").summary["context"]["budgets"][0]
    projected = room["cost_now"] - saved + told.delta_cost
    assert bool(account) == (projected > max(room["budget"], room["cost_now"]) + 0.01)


def test_bid_moved_on_the_platform_refuses_the_file(
    shop: Workspace, report_files: list[Path], tmp_path: Path
) -> None:
    row = proposed(shop, "lower").iloc[-1]
    workflows.approve(shop, "shop", [(row["id"], int(row["version"]))], APPROVER)
    moved = tmp_path / "moved.csv"
    text = report_files[0].read_text(encoding="utf-8")
    lines = [
        line.replace(f",{row['bid']:.2f},", ",9.99,", 1) if row["keyword_id"] in line else line
        for line in text.splitlines(keepends=True)
    ]
    moved.write_text("".join(lines), encoding="utf-8")
    workflows.import_files(shop, [moved], "shop", as_of=AS_OF, actor=OPERATOR)
    with pytest.raises(Conflict) as caught:
        workflows.export(shop, "shop", tmp_path / "out", APPROVER)
    (told,) = caught.value.fields["rows"]
    assert (told["code"], told["current_bid"]) == ("bid_moved", 9.99)


def test_folder_that_cannot_be_written_leaves_the_rows_approved(
    shop: Workspace, tmp_path: Path
) -> None:
    approved = approve_all(shop, "lower")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RefusedInput) as caught:
        workflows.export(shop, "shop", tmp_path / "file", APPROVER)
    assert caught.value.code == "folder_unwritable"
    assert set(shop.store.approved("shop")["id"]) == set(approved["id"])


def test_only_approvers_export(shop: Workspace, tmp_path: Path) -> None:
    with pytest.raises(Forbidden):
        workflows.export(shop, "shop", tmp_path, OPERATOR)


DIE_AT = """
import os, signal, sys
from pathlib import Path
from optimizer import workflows
from optimizer.tables import Actor
from optimizer.workflows import exporting
store, configs, out, point = sys.argv[1:]
original = getattr(exporting, point)
def die(*arguments, **named):
    if point == "_publish":
        os.kill(os.getpid(), signal.SIGKILL)
    original(*arguments, **named)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(exporting, point, die)
with workflows.open_workspace(Path(store), Path(configs)) as workspace:
    workflows.export(workspace, "shop", Path(out), Actor("ann", "approver"))
"""


@pytest.mark.parametrize("point", ["_write_synced", "_stage", "_publish"])
def test_killed_export_leaves_no_half_file_and_can_be_finished(
    shop: Workspace, tmp_path: Path, point: str
) -> None:
    """Killed after the first staged file, before the record, and between record and names."""
    approved = approve_all(shop, "lower")
    out = tmp_path / "out"
    arguments = [str(tmp_path / "store"), str(shop.configs.root), str(out), point]
    done = subprocess.run([sys.executable, "-c", DIE_AT, *arguments], check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert [path.name for path in out.iterdir() if not path.name.endswith(".part")] == []
    finished = workflows.export(shop, "shop", out, APPROVER)
    assert finished.repeated == (point == "_publish")
    assert sorted(finished.files) == sorted(workflows.exports(shop, "shop", VIEWER)[0].file_names)
    assert shop.store.approved("shop").empty
    assert finished.rows == len(approved)
    assert workflows.check(shop, OPERATOR).ok
