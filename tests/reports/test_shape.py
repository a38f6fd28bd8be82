"""Files whose lines are no rows are refused before the reader's notes on them fill the memory."""

import pytest

from optimizer.errors import RefusedInput
from tests.reports.samples import FILLER_ROWS, filler, read_text, report_text, row


def refused(folder, rows):
    with pytest.raises(RefusedInput) as caught:
        read_text(folder, report_text(rows), accept_quarantine=True)
    return caught.value.code, caught.value.fields


@pytest.mark.parametrize("between", [0, 1, 20])
def test_open_quote_that_swallows_rows_is_refused_with_its_line(tmp_path, between):
    rows = [row(), row(keyword='"red'), *filler(between), row(keyword='blue"'), *filler()]
    code, fields = refused(tmp_path, rows)
    assert (code, fields["line"]) == ("quote_unclosed", 5)


def test_open_quote_in_a_column_nobody_reads_is_refused_too(tmp_path):
    rows = [f"{line},ok" for line in filler()]
    rows[3], rows[9] = rows[3].replace("ok", '"ok'), rows[9].replace(",ok", ',ok"')
    text = report_text(rows).replace("Conv. value", "Conv. value,Label")
    with pytest.raises(RefusedInput, match="quote_unclosed"):
        read_text(tmp_path, text)


def test_cell_of_several_lines_swallows_nothing(tmp_path):
    report = read_text(tmp_path, report_text([row(day='"2026-09-01\n\n"'), *filler()]))
    assert report.reconciliation.rows_kept == 1 + FILLER_ROWS


@pytest.mark.parametrize(("line", "times"), [("a", 30_000), ('"a",' * 2000, 40), ("a," * 2000, 40)])
def test_more_ragged_rows_than_memory_can_tell_of_are_refused(tmp_path, line, times):
    code, fields = refused(tmp_path, [*filler(), *[line] * times])
    assert code == "rows_ragged"
    assert (fields["line"], fields["cells"]) == (4 + FILLER_ROWS, 12)


def test_one_line_of_two_megabytes_of_cells_is_refused(tmp_path):
    assert refused(tmp_path, [*filler(), '"a",' * 500_000])[0] == "rows_ragged"


def test_empty_cells_behind_every_row_are_no_ragged_rows(tmp_path):
    report = read_text(tmp_path, report_text([f"{line},," for line in filler(3000)]))
    assert (report.reconciliation.rows_kept, len(report.quarantine)) == (3000, 0)


def test_quoted_delimiters_are_no_surplus_cells(tmp_path):
    rows = [row(keyword=f'"good, {number}"') for number in range(3000)]
    assert read_text(tmp_path, report_text(rows)).reconciliation.rows_kept == 3000


def test_file_of_blank_lines_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("optimizer.reports.decoding.MOST_NO_ROWS", 1000)
    assert refused(tmp_path, [*filler(), *[""] * 1001])[0] == "wrong_type"
