"""A piece of a file is regular only where a CSV reader finds a whole row on each of its lines."""

import csv
import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.reports import marks

lines = st.lists(st.text('a",', max_size=9), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("text", "regular"),
    [
        ("a,b\n", True),
        ('"1,234",b\n', True),
        ('"a""b","c"\n', True),
        ('"a","b,c"\nd,e\n', True),
        ("a,b\n\n", False),
        ("a,b,c\n", False),
        ('"a\nb",c\n', False),
        ('"a,b\n', False),
    ],
)
def test_each_line_is_a_row_of_two_cells(text, regular):
    assert marks.are_regular(marks.of(text.encode(), ","), ",", 2) is regular


@given(lines)
def test_regular_lines_are_rows_to_a_csv_reader(texts):
    piece = "".join(f"{text}\n" for text in texts)
    if marks.are_regular(marks.of(piece.encode(), ","), ",", 2):
        ends = [text.count('"') % 2 for text in texts]
        assert not any(ends)
        cells = [_outside_quotes(text).count(",") for text in texts]
        assert cells == [1] * len(texts)


def _outside_quotes(text):
    """What stands outside quotes, of a text whose quotes are even."""
    return "".join(text.split('"')[::2])


def test_quoted_cells_of_regular_lines_are_read_as_counted():
    piece = '"1,234",b\n"a""b",c\n'
    assert marks.are_regular(marks.of(piece.encode(), ","), ",", 2)
    assert [len(row) for row in csv.reader(io.StringIO(piece))] == [2, 2]


@pytest.mark.parametrize(
    ("text", "delimiter", "found"),
    [
        ("a\tb\n", "\t", False),
        ('"a\tb"\tc\n', "\t", True),
        ("a\tb,c\n", ",", True),
        ("a,b\n", ",", False),
    ],
)
def test_a_delimiter_in_quotes_may_be_a_control_character(text, delimiter, found):
    assert marks.have_controls(marks.of(text.encode(), delimiter), delimiter) is found


def test_one_column_is_never_regular():
    assert not marks.are_regular(b"\n\n", ",", 1)


def test_short_lines_below_a_wide_header_need_no_memory_for_its_cells():
    tracemalloc.start()
    try:
        assert not marks.are_regular(b"\n" * 10_000, ",", 10_000)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
