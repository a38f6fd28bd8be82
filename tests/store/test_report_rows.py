"""What DuckDB cannot put anywhere is refused, by the folder that is full."""

from __future__ import annotations

import pytest

from optimizer.errors import RefusedInput
from optimizer.store.report_rows import opened
from optimizer.tables import Report
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
