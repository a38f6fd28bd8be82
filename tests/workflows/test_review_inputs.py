from dataclasses import replace
from datetime import date, datetime

import pandas as pd
import pytest

from optimizer import workflows
from optimizer.errors import RefusedInput
from optimizer.store.protocol import BatchRecord
from optimizer.tables import Reconciliation
from optimizer.workflows import Workspace
from optimizer.workflows.review_inputs import (
    attribution_basis,
    attribution_window,
    like_versions,
    review_inputs,
    telling_batches,
)
from tests.workflows.shop_account import AS_OF, OPERATOR

EMPTY = Reconciliation("p", 0, 0, {}, 0, {}, (), None, None, None)


def batch(as_of: int, first: int, last: int, **told: object) -> BatchRecord:
    """Downloaded on `as_of` May for the days `first`..`last` of May."""
    period = (date(2026, 5, first), date(2026, 5, last))
    return BatchRecord(
        batch_id=f"b{as_of}",
        account="shop",
        file_name=f"{as_of}.csv",
        sha256="",
        as_of=date(2026, 5, as_of),
        sequence=as_of,
        grain="keyword_day",
        imported_at=datetime(2026, 5, as_of),
        imported_by="olga",
        rows_changed=1,
        keys_missing=0,
        reconciliation=replace(EMPTY, period=period, **told),
    )


def telling(*batches: BatchRecord) -> list[BatchRecord]:
    return list(telling_batches(batches, date(2026, 5, 20), 19))


def test_only_reports_that_tell_some_day_best_count() -> None:
    old, new, later = batch(10, 1, 9), batch(15, 1, 12), batch(19, 5, 18)
    assert telling(old, new, later) == [later, new]


def test_click_and_order_dates_in_one_review_are_refused_by_name() -> None:
    clicks = batch(10, 1, 9, attribution_basis="click")
    orders = batch(19, 5, 18, attribution_basis="order")
    with pytest.raises(RefusedInput, match="basis_mixed") as refusal:
        attribution_basis(telling(clicks, orders))
    assert (refusal.value.fields["click"], refusal.value.fields["order"]) == ("10.csv", "19.csv")


def test_a_basis_that_was_downloaded_over_no_longer_counts() -> None:
    clicks = batch(10, 5, 9, attribution_basis="click")
    orders = batch(19, 5, 18, attribution_basis="order")
    assert attribution_basis(telling(clicks, orders)) == "order"
    assert attribution_basis(telling(clicks)) == "click"
    assert attribution_basis(telling(batch(10, 1, 9))) == "click"


def test_two_attribution_windows_are_refused_by_name() -> None:
    week, month = (
        batch(10, 1, 9, attribution_window_days=7),
        batch(19, 5, 18, attribution_window_days=30),
    )
    with pytest.raises(RefusedInput, match="windows_mixed") as refusal:
        attribution_window(telling(week, month))
    assert refusal.value.fields["days"] == 7
    assert refusal.value.fields["other_file"] == "19.csv"


def test_a_report_that_states_no_window_mixes_with_any() -> None:
    told = telling(batch(10, 1, 9), batch(19, 5, 18, attribution_window_days=30))
    assert attribution_window(told) == 30
    assert attribution_window(telling(batch(10, 1, 9))) is None


def test_run_off_is_never_read_across_windows() -> None:
    week, month = (
        batch(10, 1, 9, attribution_window_days=7),
        batch(19, 1, 18, attribution_window_days=30),
    )
    versions = pd.DataFrame({"as_of": pd.to_datetime(["2026-05-10", "2026-05-19"])})
    kept = like_versions(versions, [week, month], "click", 30)
    assert kept["as_of"].tolist() == [pd.Timestamp("2026-05-19")]
    assert len(like_versions(versions, [week, month], "click", None)) == 2


def test_an_order_dated_account_is_reviewed(
    unreviewed: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its reports show of run-off, the lag is the stated one and nothing is completed."""
    batches = [
        replace(each, reconciliation=replace(each.reconciliation, attribution_basis="order"))
        for each in unreviewed.store.batches("shop")
    ]
    monkeypatch.setattr(type(unreviewed.store), "batches", lambda store, account: batches)
    known = unreviewed.store.review_tables("shop", AS_OF, 180)
    assert review_inputs(unreviewed, known, 180).attribution_basis == "order"
    report = workflows.review(unreviewed, "shop", actor=OPERATOR, dry_run=True)
    assert report.to_json()["suggestions"]
