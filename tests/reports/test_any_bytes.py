"""Whatever is in a file: a report whose rows add up, or a refusal with a code."""

import contextlib
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.errors import RefusedInput
from tests.reports.samples import filler, read_text, report_text

WHOLE = report_text(filler(30)).encode()


@settings(max_examples=60, deadline=None)
@given(
    start=st.integers(0, len(WHOLE)),
    length=st.integers(0, 12),
    bad=st.one_of(st.binary(max_size=12), st.text(alphabet='",\n\r\t\x00-1e9[]é万', max_size=12)),
)
def test_damaged_report_adds_up_or_is_refused(start, length, bad):
    patch = bad.encode() if isinstance(bad, str) else bad
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(RefusedInput):
        report = read_text(
            Path(folder), WHOLE[:start] + patch + WHOLE[start + length :], accept_quarantine=True
        )
        counts = report.reconciliation
        assert counts.rows_read == (
            counts.rows_kept + counts.rows_quarantined + sum(counts.rows_dropped.values())
        )
        assert len(report.rows) == counts.rows_kept
        assert len(report.quarantine) == counts.rows_quarantined
