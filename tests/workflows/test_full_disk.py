"""A disk that is really full: every verb says so, leaves things as they were, and works again after."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from optimizer import workflows
from optimizer.errors import RefusedInput
from optimizer.workflows import Workspace
from tests.workflows.shop_account import APPROVER, AS_OF, OPERATOR, proposed, refs


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def crowded(small_disk: Path, reviewed: Path, configs: Path) -> Iterator[Workspace]:
    """The reviewed account with its store on that disk; some lowers are approved."""
    shutil.copytree(reviewed, small_disk / "store")
    shutil.copytree(configs, small_disk / "configs")
    with workflows.open_workspace(small_disk / "store", small_disk / "configs") as workspace:
        rows = proposed(workspace, "lower")
        workflows.approve(workspace, "shop", refs(rows.iloc[: len(rows) // 2]), APPROVER)
        yield workspace


def fill(disk: Path) -> Path:
    """Take what is left of it."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return ballast


def small_report(folder: Path) -> Path:
    """A day that is news."""
    path = folder / "small.csv"
    header = "Day,Campaign,Ad group,Keyword,Match type,Currency code,Impr.,Clicks,Cost,Conversions"
    day = AS_OF - timedelta(days=1)
    path.write_text(f"{header}\n{day},New,New,new word,Exact match,CNY,9,1,0.50,0\n", "utf-8")
    return path


def verbs(workspace: Workspace, report: Path, out: Path) -> dict[str, Callable[[], object]]:
    rest = proposed(workspace, "lower")
    return {
        "import": lambda: workflows.import_files(
            workspace, [report], "shop", as_of=AS_OF, actor=OPERATOR
        ),
        "review": lambda: workflows.review(workspace, "shop", actor=OPERATOR),
        "approve": lambda: workflows.approve(workspace, "shop", refs(rest), APPROVER),
        "export": lambda: workflows.export(workspace, "shop", out, APPROVER),
    }


@pytest.mark.parametrize("verb", ["import", "review", "approve", "export"])
def test_full_disk_is_told_changes_nothing_and_is_forgotten(
    crowded: Workspace, small_disk: Path, tmp_path: Path, verb: str
) -> None:
    out = small_disk / "out"
    act = verbs(crowded, small_report(tmp_path), out)[verb]
    before = (len(crowded.store.batches("shop")), len(crowded.store.audit("shop")))
    ballast = fill(small_disk)
    with pytest.raises(RefusedInput, match=r"full|No space"):
        act()
    assert (len(crowded.store.batches("shop")), len(crowded.store.audit("shop"))) == before
    assert not [path for path in out.glob("*") if path.stat().st_size]
    ballast.unlink()
    assert crowded.store.check() == []
    act()
