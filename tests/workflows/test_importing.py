from datetime import date
from pathlib import Path

import pytest

from optimizer import workflows
from optimizer.errors import Forbidden, NotFound, RefusedInput
from optimizer.workflows import Workspace
from tests.workflows.shop_account import AS_OF, OPERATOR, VIEWER

JSON_KEYS = {
    *("batch_id", "duplicate", "profile", "rows_read", "rows_kept", "rows_dropped"),
    *("rows_quarantined", "totals", "checksums", "currency", "period", "writable_bid_share"),
}


def refused(workspace: Workspace, files: list[Path], account: str, as_of: date = AS_OF) -> str:
    with pytest.raises(RefusedInput) as caught:
        workflows.import_files(workspace, files, account, as_of=as_of, actor=OPERATOR)
    return caught.value.code


def test_result_reconciles(unreviewed: Workspace) -> None:
    for batch in workflows.batches(unreviewed, "shop", VIEWER):
        told = batch.reconciliation
        dropped = sum(told.rows_dropped.values())
        assert told.rows_read == told.rows_kept + told.rows_quarantined + dropped
        assert all(one.ok for one in told.checksums)


def test_same_bytes_again_change_nothing_and_say_so(
    unreviewed: Workspace, report_files: list[Path]
) -> None:
    before = workflows.batches(unreviewed, "shop", VIEWER)
    again = workflows.import_files(unreviewed, report_files, "shop", as_of=AS_OF, actor=OPERATOR)
    assert [result.duplicate for result in again] == [True, True]
    assert {result.to_json()["batch_id"] for result in again} == {one.batch_id for one in before}
    assert workflows.batches(unreviewed, "shop", VIEWER) == before


def test_dry_run_reconciles_and_stores_nothing(
    unreviewed: Workspace, report_files: list[Path]
) -> None:
    (result,) = workflows.import_files(
        unreviewed, report_files[:1], "new", as_of=AS_OF, actor=OPERATOR, dry_run=True
    )
    told = result.to_json()
    assert told.keys() >= JSON_KEYS
    assert told["batch_id"] is None
    assert told["rows_kept"] > 0
    assert [one.name for one in workflows.accounts(unreviewed, VIEWER)] == ["shop"]


def test_one_bad_file_keeps_all_files_out(
    unreviewed: Workspace, report_files: list[Path], tmp_path: Path
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("nothing,we,know\n1,2,3\n")
    refused(unreviewed, [report_files[0], bad], "new")
    assert [one.name for one in workflows.accounts(unreviewed, VIEWER)] == ["shop"]


def test_progress_tells_steps_to_their_end(unreviewed: Workspace, report_files: list[Path]) -> None:
    told: list[tuple[str, int, int]] = []
    workflows.import_files(
        unreviewed,
        report_files,
        "shop",
        as_of=AS_OF,
        actor=OPERATOR,
        progress=lambda *step: told.append(step),
    )
    assert told[0] == ("read", 0, 200)
    assert told[-1] == ("store", 200, 200)
    read = [done for step, done, _ in told if step == "read"]
    assert read == sorted(read)
    assert 0 < min(done for done in read if done) < 100


def test_progress_goes_on_while_a_file_is_stored(
    unreviewed: Workspace, report_files: list[Path]
) -> None:
    told: list[tuple[str, int, int]] = []
    workflows.import_files(
        unreviewed,
        report_files[:1],
        "fresh",
        as_of=AS_OF,
        actor=OPERATOR,
        progress=lambda *step: told.append(step),
    )
    stored = [done for step, done, _ in told if step == "store"]
    assert len(stored) > 3
    assert stored == sorted(set(stored))
    assert (stored[0], stored[-1]) == (0, 100)


@pytest.mark.parametrize("name", ["", "../shop", "a/b", ".hidden", "a\n", "x" * 65, "end."])
def test_account_that_cannot_name_a_file_is_refused(unreviewed: Workspace, name: str) -> None:
    assert refused(unreviewed, [], name) == "account_name_invalid"


def test_download_day_in_the_future_is_refused(
    unreviewed: Workspace, report_files: list[Path]
) -> None:
    assert refused(unreviewed, report_files, "shop", date(2999, 1, 1)) == "as_of_in_future"


def test_unknown_accounts_and_roles(unreviewed: Workspace, report_files: list[Path]) -> None:
    with pytest.raises(NotFound):
        workflows.batches(unreviewed, "nobody", VIEWER)
    with pytest.raises(Forbidden):
        workflows.import_files(unreviewed, report_files, "shop", actor=VIEWER)
