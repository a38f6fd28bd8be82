"""Whatever the bytes and texts: a result or a typed refusal. Ten thousand examples, without a child.

Cells are SQL, so each example there is a column of texts for one query.
"""

import contextlib
import tempfile
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.errors import RefusedInput
from optimizer.reports import cells, decoding, layout
from optimizer.reports.profiles import NumberFormat, load_profile
from optimizer.reports.shape import refuse_shapeless
from tests.reports.samples import CONFIGS, filler, report_text

PROFILE = load_profile(CONFIGS, "google_ads_keywords")
WHOLE = report_text(filler(3))
ENCODED = tuple(WHOLE.encode(name) for name in ("utf-8", "utf-8-sig", "utf-16", "gb18030"))
FORMATS = [
    NumberFormat(decimal=decimal, thousands=thousands, multipliers=endings)
    for decimal, thousands, endings in product(
        (".", ","), (",", ".", " ", "'", ""), ({}, {"万": 10_000, "亿": 100_000_000})
    )
    if decimal != thousands
]
NEVER_DECODED = dict.fromkeys((13, 0xDFFF))
FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-"))
DATABASE = duckdb.connect(":memory:")

odd_texts = st.text(alphabet='",\n\r\t;|\x00\ufeff\x85\u2028-19[]é万\udfff', max_size=30)
odd_bytes = st.one_of(
    st.binary(max_size=60), odd_texts.map(lambda text: text.encode("utf-8", "surrogatepass"))
)


def column(expression, texts):
    """The values of an expression over a column of cells."""
    db = DATABASE.cursor()
    sql = f"SELECT {expression} FROM (SELECT unnest(?::VARCHAR[]) AS cell)"
    return [value for (value,) in db.execute(sql, [texts]).fetchall()]


def read_head_and_lines(content):
    """The layers below the database, as the import goes through them: text, header, lines."""
    path, target = FOLDER / "report.csv", FOLDER / "lines.csv"
    path.write_bytes(content)
    head = decoding.head_of(path)
    for encoding in decoding.encodings_to_try(path, head):
        text = decoding.decode_head(head, encoding)
        if text is not None:
            found = layout.find_layout(text, PROFILE, path.name)
            lines = decoding.write_lines(path, encoding, found, target)
            refuse_shapeless(target, lines, found.delimiter, found.width, path.name)
            return target.read_bytes(), lines
    return b"", decoding.Lines(first=1)


def check_lines(content):
    """Every line of the file is accounted for, or the file is refused with a code."""
    with contextlib.suppress(RefusedInput):
        data, lines = read_head_and_lines(content)
        data.decode("utf-8")
        assert lines.count == data.count(b"\n")
        assert lines.records + len(lines.continued) + len(lines.blank) == lines.count
        starts = lines.of_records[np.arange(lines.count - len(lines.continued))]
        every = range(lines.first, lines.first + lines.count)
        assert sorted([*starts, *lines.continued]) == list(every)


@settings(max_examples=1500, deadline=None)
@given(odd_bytes)
def test_any_bytes_are_lines_or_refused(content):
    check_lines(content)


@settings(max_examples=1500, deadline=None)
@given(whole=st.sampled_from(ENCODED), at=st.floats(0, 1), cut=st.integers(0, 9), patch=odd_bytes)
def test_damaged_file_is_lines_or_refused(whole, at, cut, patch):
    place = int(at * len(whole))
    check_lines(whole[:place] + patch + whole[place + cut :])


@settings(max_examples=2000, deadline=None)
@given(
    above=st.lists(odd_texts.filter(lambda text: text.count('"') % 2 == 0), max_size=3),
    order=st.permutations(range(12)),
    delimiter=st.sampled_from(",\t;|"),
)
def test_header_is_found_whatever_stands_above_it(above, order, delimiter):
    header = WHOLE.splitlines()[2].split(",")
    names = [f" {header[place].upper()} " for place in order]
    plain = [text.replace('"', "").translate(NEVER_DECODED) for text in above]
    text = "\n".join([*plain, delimiter.join(names), delimiter.join("1" * 12)])
    found = layout.find_layout(text, PROFILE, "report.csv")
    for field in ("clicks", "cost", "keyword_text"):
        assert (
            found.headers[found.columns[field]].lower()
            == header[order[found.columns[field]]].lower()
        )


@settings(max_examples=2000, deadline=None)
@given(odd_texts)
def test_any_header_is_found_or_refused(text):
    with contextlib.suppress(RefusedInput):
        found = layout.find_layout(text.translate(NEVER_DECODED), PROFILE, "report.csv")
        assert found.header_line <= 1 + text.count("\n")


@settings(max_examples=1500, deadline=None)
@given(
    first=st.dates(date(2000, 1, 1), date(2099, 1, 1)),
    days=st.integers(0, 400),
    style=st.sampled_from(["%b %d, %Y", "%B %d, %Y", "%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%m/%d/%Y"]),
    dash=st.sampled_from([" - ", " – ", " to ", "至", "~"]),
)
def test_period_survives_being_written(first, days, style, dash):
    last = first + timedelta(days=days)
    assert layout.parse_range(f"{first:{style}}{dash}{last:{style}}") == (first, last)


@settings(max_examples=1500, deadline=None)
@given(st.text(alphabet="0123456789-/~至 –to,JanSep", max_size=30))
def test_any_text_is_a_period_or_none(text):
    found = layout.parse_range(text)
    assert found is None or found[0] <= found[1]


def written(value, style):
    """A number as the style writes it."""
    marks = str.maketrans({",": style.thousands, ".": style.decimal})
    return f"{value:,f}".translate(marks)


amounts = st.decimals("-99999999999", "99999999999", places=6)


@pytest.mark.parametrize("style", FORMATS, ids=repr)
@settings(max_examples=12, deadline=None)
@given(st.lists(amounts, min_size=1, max_size=40))
def test_numbers_survive_in_every_format(style, values):
    assert column(cells.number("cell", style), [written(v, style) for v in values]) == values


@pytest.mark.parametrize("style", FORMATS, ids=repr)
@settings(max_examples=12, deadline=None)
@given(st.lists(st.text(alphabet="0123456789.,-+ '\"=eE%万亿$infa_\xa0", max_size=14), max_size=60))
def test_any_text_is_a_number_of_its_digits_or_none(style, texts):
    found = column(cells.number("cell", style), texts)
    for text, value in zip(texts, found, strict=True):
        if value and not set(text) & set("eE万亿"):
            digits = "".join(sign for sign in text if sign.isdigit())
            shown = format(abs(value), "f").replace(".", "").strip("0")
            assert digits.strip("0").startswith(shown[:-1] or shown)


@settings(max_examples=40, deadline=None)
@given(st.lists(amounts, min_size=1, max_size=40))
def test_micros_are_exact(values):
    found = column(
        cells.micros(cells.number("cell", NumberFormat()), 1_000_000),
        [format(value, "f") for value in values],
    )
    assert found == [int(value * 1_000_000) for value in values]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=20), max_size=40))
def test_any_text_passes_every_kind_of_cell(texts):
    for expression in (
        cells.text("cell", ["--"]),
        cells.identifier("cell"),
        cells.lost_digits("cell"),
        cells.share("cell", NumberFormat(), "fraction", ["--"]),
        cells.day("cell", ["%Y-%m-%d", "%b %d, %Y"]),
        cells.hour("cell"),
        cells.looks_grouped("cell", NumberFormat()),
    ):
        plain = [text.replace("\x00", "") for text in texts]
        assert len(column(expression, plain)) == len(texts)
