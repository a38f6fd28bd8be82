"""The rows of a report on their way into the store: one per identity and day, or refused."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from optimizer.errors import RefusedInput
from optimizer.store import report_rows
from optimizer.store.report_rows import opened
from optimizer.tables import Report
from tests.reports.samples import FILLER_ROWS, HEADER, filler, read_text, report_text, row
from tests.store.samples import keyword_report, keyword_row


def spill(report: Report) -> None:
    """Make more than fits in memory or in the folder for the rest."""
    with opened(report, "keyword") as db:
        db.execute(
            "SET threads = 1; SET memory_limit = '20MB'; SET max_temp_directory_size = '1MB'"
        )
        db.execute("CREATE TEMP TABLE long AS SELECT hash(range) FROM range(10_000_000)")


def test_a_full_temporary_folder_is_refused_by_name() -> None:
    report = keyword_report([keyword_row("2026-03-04")])
    with pytest.raises(RefusedInput) as refused:
        spill(report)
    assert refused.value.code == "folder_unwritable"
    assert refused.value.fields["folder"] == str(report.kept.path.parent.parent)


def settled(report: Report, *, known: bool) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Refused rows, the newest row of each thing, and the same asked of the clean rows.

    Texts that differ in case are one entity. `known`: the store is told of the report's identities.
    """
    with opened(report, "keyword") as db:
        if not known:
            db.execute("DROP VIEW identities")
        things = report_rows.told(db)
        names = things["keyword_text"].astype("str").str.lower()
        keys = names.factorize()[0].astype("float64")
        refused = report_rows.settle(db, things, keys, "keyword")
        newest = db.sql("SELECT entity_key, thing, place FROM last_rows ORDER BY ALL").df()
        asked = db.sql(
            f"SELECT entity_key, thing, max({report_rows._PLACE}) AS place FROM clean"
            " GROUP BY ALL ORDER BY ALL"
        ).df()
    return refused, newest, asked


@pytest.mark.parametrize(
    ("lines", "refused"),
    [
        ([row(), row(day="2026-09-02", bid="2.00")], 0),
        ([row(), row(clicks=4), row(day="2026-09-02")], 0),
        ([row(), row(bid="2.00")], 0),
        ([row(), row(keyword="Red Shoes"), row(day="2026-09-02")], 2),
        ([row(bid="2.00"), row(day="2026-09-02", keyword="RED shoes")], 0),
    ],
    ids=["moved bid", "told twice", "two bids", "two cases", "other case next day"],
)
def test_what_the_identities_spare_would_have_found_the_same(
    tmp_path: Path, lines: list[str], refused: int
) -> None:
    report = read_text(tmp_path, report_text([*lines, *filler()]))
    spared, asked = settled(report, known=True), settled(report, known=False)
    assert len(spared[0]) == refused
    for one, other in zip(spared, asked, strict=True):
        pd.testing.assert_frame_equal(one, other)
    pd.testing.assert_frame_equal(spared[1], spared[2])


@pytest.mark.parametrize("devices", [("", ""), (",Mobile", ",Desktop"), (",Mobile", ",Mobile")])
@pytest.mark.parametrize("second", [row(), row(bid="2.00"), row(clicks=3)])
def test_a_report_keeps_one_row_per_identity_and_day(
    tmp_path: Path, devices: tuple[str, str], second: str
) -> None:
    one, other = devices
    lines = [row() + one, second + other, *(line + one for line in filler())]
    report = read_text(tmp_path, report_text(lines, HEADER + (",Device" if one else "")))
    with opened(report, "keyword") as db:
        rows = db.sql("SELECT entity, first_day, last_day FROM rows JOIN identities USING (thing)")
        kept = rows.df()
    assert not kept.duplicated().any()
    assert len(kept) == FILLER_ROWS + (1 if len(set(devices)) == 2 else 0)
