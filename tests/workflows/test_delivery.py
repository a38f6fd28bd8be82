"""The loop closes: what was exported is confirmed, refused or found to have drifted."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from optimizer import workflows
from optimizer.workflows import Workspace
from simulations.postgres import new_database, temporary_server
from tests.workflows.shop_account import APPROVER, AS_OF, OPERATOR, VIEWER, proposed, refs

CURRENCY = ("Budget", "Max. CPC")


@dataclass
class Morning:
    """A reviewed account whose raises and lowers were approved and exported."""

    workspace: Workspace
    folder: Path
    report: Path
    files: Mapping[str, Path]
    export_id: str

    def state(self) -> pd.DataFrame:
        return workflows.deliveries(self.workspace, "shop", VIEWER).rows.set_index("id")

    def next_report(
        self, bids: Mapping[str, str], days: int = 1, **cells: str
    ) -> workflows.ImportResult:
        """Import the report of the day after with these bids (by keyword id) and other cells."""
        path = self.folder / f"next_{days}_{len(bids)}_{'_'.join(bids.values())[:40]}.csv"
        path.write_text(_later(self.report, AS_OF + timedelta(days=days - 1), bids, cells))
        as_of = AS_OF + timedelta(days=days)
        (result,) = workflows.import_files(
            self.workspace, [path], "shop", as_of=as_of, actor=OPERATOR
        )
        assert isinstance(result, workflows.ImportResult)
        return result

    def results(self, **outcomes: str) -> workflows.ResultsTaken:
        """Import what the platform says of the keyword file: an outcome per keyword id."""
        (source,) = (path for name, path in self.files.items() if _is_forward(name))
        rows = list(csv.DictReader(io.StringIO(source.read_text())))
        said = [{**row, "Results": outcomes.get(row["Keyword ID"], "Success")} for row in rows]
        path = self.folder / "results.csv"
        path.write_text(_written(said))
        (taken,) = workflows.import_files(self.workspace, [path], "shop", actor=OPERATOR)
        assert isinstance(taken, workflows.ResultsTaken)
        return taken


def _is_forward(name: str) -> bool:
    return name.endswith("_keywords.csv") and "rollback" not in name


def _written(rows: list[dict[str, str]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def _later(report: Path, day: date, bids: Mapping[str, str], cells: Mapping[str, str]) -> str:
    """The report's rows of its newest day, as if they were `day`'s, with other bids."""
    title, _, rest = report.read_text().split("\n", 2)
    rows = [row for row in csv.DictReader(io.StringIO(rest)) if row["Keyword ID"] in bids]
    newest = {row["Keyword ID"]: row for row in rows}
    said = [
        {**row, "Day": day.isoformat(), "Max. CPC": bids[key] or row["Max. CPC"], **cells}
        for key, row in newest.items()
    ]
    period = f"{day:%B} {day.day}, {day.year}"
    return f'{title}\n"{period} - {period}"\n{_written(said)}'


def exported(workspace: Workspace, folder: Path, report: Path) -> Morning:
    for kind in ("lower", "raise"):
        workflows.approve(workspace, "shop", refs(proposed(workspace, kind)), APPROVER)
    done = workflows.export(workspace, "shop", folder / "out", APPROVER)
    return Morning(workspace, folder, report, done.files, done.export_id)


@pytest.fixture
def morning(shop: Workspace, tmp_path: Path, report_files: list[Path]) -> Morning:
    return exported(shop, tmp_path, report_files[0])


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with temporary_server() as uri:
        yield uri


@pytest.fixture
def on_postgres(
    server: str,
    tmp_path: Path,
    report_files: list[Path],
    configs: Path,
    reviewed: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Morning]:
    """The same morning with the state in PostgreSQL; `reviewed` has set the budget."""
    monkeypatch.setenv("OPTIMIZER_DATABASE_URL", new_database(server))
    own = tmp_path / "configs"
    shutil.copytree(configs, own)
    with workflows.open_workspace(tmp_path / "store", own) as workspace:
        workflows.import_files(workspace, report_files, "shop", as_of=AS_OF, actor=OPERATOR)
        workflows.review(workspace, "shop", actor=OPERATOR)
        yield exported(workspace, tmp_path, report_files[0])


@pytest.fixture(params=["morning", "on_postgres"])
def each(request: pytest.FixtureRequest) -> Morning:
    found: Morning = request.getfixturevalue(request.param)
    return found


def approved_bids(morning: Morning) -> dict[str, str]:
    rows = morning.state()
    return {
        key: f"{bid:.2f}" for key, bid in zip(rows["keyword_id"], rows["approved_bid"], strict=True)
    }


def test_next_report_confirms_or_shows_drift(each: Morning) -> None:
    before = each.state()
    assert set(before["delivery"]) == {"exported"}
    live, moved, waiting = list(before.index[:3])
    keys = before["keyword_id"]
    third = before["approved_bid"][moved] + before["bid"][moved] + 1
    result = each.next_report(
        {
            keys[live]: f"{before['approved_bid'][live]:.2f}",
            keys[moved]: f"{third:.2f}",
            keys[waiting]: f"{before['bid'][waiting]:.2f}",
        }
    )
    after = each.state()
    assert result.deliveries == {"confirmed_live": 1, "drifted": 1}
    told = after.loc[[live, moved, waiting], ["delivery", "code"]].values.tolist()
    assert told == [
        ["confirmed_live", "approved_value_seen"],
        ["drifted", "other_value_seen"],
        ["exported", "old_value_seen"],
    ]
    assert after["seen_value"][moved] == pytest.approx(third, abs=0.006)
    assert set(after.loc[[live, moved], "batch_id"]) == {result.batch.batch_id}


def test_exports_of_earlier_reviews_are_left_out_when_asked(morning: Morning) -> None:
    def exports(since: date) -> int:
        told = workflows.deliveries(morning.workspace, "shop", VIEWER, since=since)
        return sum(told.counts.values())

    assert exports(AS_OF) == len(morning.state())
    assert exports(AS_OF + timedelta(days=1)) == 0


def test_refused_row_fails_with_the_platforms_reason(each: Morning) -> None:
    keys = each.state()["keyword_id"]
    bad = keys.index[0]
    taken = each.results(**{keys[bad]: "Error: bid below the minimum"})
    after = each.state()
    assert taken.deliveries == {"failed": 1, "confirmed_live": len(keys) - 1}
    assert after.loc[bad, ["delivery", "code", "text"]].tolist() == [
        "failed",
        "platform_refused",
        "Error: bid below the minimum",
    ]
    assert taken.unmatched.empty


def test_same_files_again_change_nothing(morning: Morning) -> None:
    bids = approved_bids(morning)
    morning.next_report(bids)
    audit = len(morning.workspace.store.audit("shop"))
    assert morning.next_report(bids).deliveries == {}
    assert len(morning.workspace.store.audit("shop")) == audit


def test_confirmed_drifts_and_comes_back(morning: Morning) -> None:
    bids = approved_bids(morning)
    key, bid = next(iter(bids.items()))
    morning.next_report({key: bid})
    assert morning.next_report({key: "9.99"}, days=2).deliveries == {"drifted": 1}
    assert morning.next_report({key: bid}, days=3).deliveries == {"confirmed_live": 1}


def test_late_older_report_does_not_undo_what_a_newer_one_showed(morning: Morning) -> None:
    key, bid = next(iter(approved_bids(morning).items()))
    morning.next_report({key: bid}, days=5)
    assert morning.next_report({key: "9.99"}, days=2).deliveries == {}


def test_failed_change_holds_for_its_day_and_is_not_in_the_bid_history(morning: Morning) -> None:
    rows = morning.state()
    first = rows.iloc[0]
    morning.results(**{first["keyword_id"]: "Error"})
    holds = morning.workspace.store.holds("shop", AS_OF).set_index(["entity_key", "slot"])
    assert holds.loc[(first["entity_key"], "bid"), "kind"] == "locked"
    later = AS_OF + timedelta(days=1)
    morning.next_report({first["keyword_id"]: ""})
    assert (first["entity_key"], "bid") not in set(
        morning.workspace.store.holds("shop", later)[["entity_key", "slot"]].itertuples(
            index=False, name=None
        )
    )
    known = morning.workspace.store.review_tables("shop", later, 60).keywords.set_index(
        "entity_key"
    )
    assert pd.isna(known["last_change"][int(first["entity_key"])])


def test_a_report_outranks_a_result_file(morning: Morning) -> None:
    key, bid = next(iter(approved_bids(morning).items()))
    morning.next_report({key: bid})
    morning.results(**{key: "Error: duplicate"})
    row = morning.state().set_index("keyword_id").loc[key]
    assert row["delivery"] == "confirmed_live"


def test_dry_run_of_a_result_file_changes_nothing(morning: Morning) -> None:
    (source,) = (path for name, path in morning.files.items() if _is_forward(name))
    rows = [
        {**row, "Results": "Success"} for row in csv.DictReader(io.StringIO(source.read_text()))
    ]
    path = morning.folder / "results.csv"
    path.write_text(_written(rows))
    (taken,) = workflows.import_files(
        morning.workspace, [path], "shop", actor=OPERATOR, dry_run=True
    )
    assert taken.to_json()["deliveries"] == {"confirmed_live": len(rows)}
    assert set(morning.state()["delivery"]) == {"exported"}


def test_rows_of_another_file_are_listed(morning: Morning) -> None:
    (source,) = (path for name, path in morning.files.items() if _is_forward(name))
    row, *_ = csv.DictReader(io.StringIO(source.read_text()))
    foreign = {**row, "Keyword ID": "999", "Keyword": "never exported", "Results": "Success"}
    other_bid = {**row, "Default max. CPC": "77.77", "Results": "Success"}
    path = morning.folder / "results.csv"
    path.write_text(_written([foreign, other_bid]))
    (taken,) = workflows.import_files(morning.workspace, [path], "shop", actor=OPERATOR)
    assert isinstance(taken, workflows.ResultsTaken)
    assert taken.unmatched["code"].tolist() == ["result_unmatched"] * 2
    assert taken.deliveries == {}


def test_audit_has_a_row_for_each_change_of_state(morning: Morning) -> None:
    bids = approved_bids(morning)
    morning.next_report(bids)
    rows = morning.workspace.store.audit("shop").query("action == 'deliver'")
    assert set(rows["subject"]) == set(morning.state().index)
    assert morning.workspace.store.check() == []
