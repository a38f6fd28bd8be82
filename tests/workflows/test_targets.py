"""Targets of automated campaigns are written, and what the platform says settles them."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from optimizer import workflows
from optimizer.workflows import Workspace
from tests.workflows.conftest import ACCOUNT_YAML
from tests.workflows.shop_account import APPROVER, AS_OF, OPERATOR, VIEWER, proposed, refs

TARGETS = "automated_targets:\n  {name}: {{roas: {roas}}}\n"


def automated(report: Path, name: str) -> str:
    """The report without bids of one campaign, as Google shows what it bids on itself."""
    title, period, rest = report.read_text(encoding="utf-8").split("\n", 2)
    rows = list(csv.DictReader(io.StringIO(rest)))
    said = [{**row, "Max. CPC": " --"} if row["Campaign"] == name else row for row in rows]
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(said)
    return f"{title}\n{period}\n{buffer.getvalue()}"


@pytest.fixture(scope="module")
def aimed(
    tmp_path_factory: pytest.TempPathFactory, report_files: list[Path], configs: Path
) -> tuple[Path, Path]:
    """Store and configs of an account one of whose campaigns aims at the ROAS that it makes."""
    folder = tmp_path_factory.mktemp("aimed")
    own, report = folder / "configs", folder / "keywords.csv"
    shutil.copytree(configs, own)
    name, roas, cost = dearest(report_files[0])
    report.write_text(automated(report_files[0], name), encoding="utf-8")
    told = ACCOUNT_YAML.format(budget=round(1.3 * cost / 40, 2))
    told += TARGETS.format(name=name, roas=roas)
    (own / "accounts" / "shop.yaml").write_text(told, encoding="utf-8")
    with workflows.open_workspace(folder / "store", own) as workspace:
        workflows.import_files(workspace, [report], "shop", as_of=AS_OF, actor=OPERATOR)
        workflows.review(workspace, "shop", actor=OPERATOR)
    return folder / "store", own


def dearest(report: Path) -> tuple[str, float, float]:
    """The campaign without brand words that costs most, its ROAS, and the cost of all."""
    rows = pd.read_csv(report, skiprows=2, thousands=",")
    sums = rows[rows["Campaign"].ne(" --")].groupby("Campaign")[["Cost", "Conv. value"]].sum()
    name = str(sums.drop("品牌 Brand")["Cost"].idxmax())
    own = sums.loc[name]
    return name, round(float(own["Conv. value"] / own["Cost"]), 2), float(sums["Cost"].sum())


@dataclass(frozen=True)
class Sent:
    """An exported target: its suggestion, and the file that was written."""

    workspace: Workspace
    target: pd.Series[Any]
    file: Path

    def takes(self, path: Path, text: str, days: int) -> dict[str, int]:
        """What a file of `days` later moves."""
        path.write_text(text, encoding="utf-8")
        (taken,) = workflows.import_files(
            self.workspace, [path], "shop", as_of=AS_OF + timedelta(days=days), actor=OPERATOR
        )
        assert isinstance(taken, workflows.ResultsTaken)
        return dict(taken.deliveries)

    def state(self) -> str:
        """Where the target stands now."""
        rows = workflows.deliveries(self.workspace, "shop", VIEWER).rows.set_index("id")
        return str(rows.loc[self.target["id"], "delivery"])


@pytest.fixture
def sent(aimed: tuple[Path, Path], tmp_path: Path) -> Iterator[Sent]:
    shutil.copytree(aimed[0], tmp_path / "store")
    with workflows.open_workspace(tmp_path / "store", aimed[1]) as workspace:
        rows = proposed(workspace, "set_target")
        workflows.approve(workspace, "shop", refs(rows), APPROVER)
        done = workflows.export(workspace, "shop", tmp_path / "out", APPROVER)
        (file,) = (path for name, path in done.files.items() if is_upload(name))
        (target,) = (row for _, row in rows.iterrows())
        yield Sent(workspace, target, file)


def is_upload(name: str) -> bool:
    return name.endswith("_campaigns.csv") and "rollback" not in name


def test_a_list_of_campaigns_says_whether_a_target_is_live(sent: Sent, tmp_path: Path) -> None:
    """Live, taken back, and moved by somebody else."""
    name = sent.target["campaign_name"]
    told = []
    for days, roas in ((2, sent.target["proposed_bid"]), (3, sent.target["bid"]), (4, 9.5)):
        text = f"Campaign,Budget,Target ROAS\n{name}, --,{roas:.2%}\n"
        told.append(sent.takes(tmp_path / f"campaigns_{days}.csv", text, days))
    assert told == [{"confirmed_live": 1}, {"reverted": 1}, {"drifted": 1}]


@pytest.mark.parametrize(
    ("said", "state"), [("Success", "confirmed_live"), ("Error: shared strategy", "failed")]
)
def test_a_result_file_says_what_became_of_a_target(
    sent: Sent, tmp_path: Path, said: str, state: str
) -> None:
    header, row = sent.file.read_text(encoding="utf-8").splitlines()
    assert f"{sent.target['proposed_bid']:.0%}" in row.split(",")
    text = f"{header},Results\n{row},{said}\n"
    assert sent.takes(tmp_path / "results.csv", text, 1) == {state: 1}
    assert sent.state() == state
