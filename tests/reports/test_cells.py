"""The SQL over columns against plain Python, cell by cell."""

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.reports import cells
from optimizer.reports.profiles import NumberFormat

ENGLISH = NumberFormat()
GERMAN = NumberFormat(decimal=",", thousands=".")
CHINESE = NumberFormat(multipliers={"万": 10_000, "亿": 100_000_000}, symbols=("¥", "元"))


def over(expression, texts):
    with duckdb.connect() as db:
        db.execute("CREATE TABLE cells (place INTEGER, cell VARCHAR)")
        db.executemany("INSERT INTO cells VALUES (?, ?)", list(enumerate(texts)))
        return [
            row[0]
            for row in db.execute(f"SELECT {expression} FROM cells ORDER BY place").fetchall()
        ]


def plain_number(text):
    """1,234.5 and 1234.5; None for anything else that is no number."""
    bare = text.strip()
    if re.fullmatch(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?", bare):
        bare = bare.replace(",", "")
    try:
        value = Decimal(bare)
    except InvalidOperation:
        return None
    fits = value.is_finite() and abs(value) < Decimal(10) ** 12
    return value.quantize(Decimal("0.000001")) if fits else None


digits = st.from_regex(r"[+-]?[0-9]{1,9}(\.[0-9]{0,6})?", fullmatch=True)
grouped = st.from_regex(r"[+-]?[0-9]{1,3}(,[0-9]{2,4}){1,2}(\.[0-9]{1,6})?", fullmatch=True)
noise = st.text(alphabet="0123456789.,-+ eEinfa", max_size=8).filter(
    lambda text: not re.search(r"[eE]", text)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(digits, grouped, noise), min_size=1, max_size=40))
def test_numbers_agree_with_python(texts):
    assert over(cells.number("cell", ENGLISH), texts) == [plain_number(text) for text in texts]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.decimals("-99999999", "99999999", places=4), min_size=1, max_size=30))
def test_numbers_survive_being_written_in_german(values):
    texts = [f"{value:,.4f}".translate(str.maketrans(",.", ".,")) for value in values]
    assert over(cells.number("cell", GERMAN), texts) == values


@settings(max_examples=40, deadline=None)
@given(st.lists(st.dates(date(2000, 1, 1), date(2099, 12, 31)), min_size=1, max_size=30))
@pytest.mark.parametrize("style", ["%Y-%m-%d", "%b %d, %Y", "%B %d, %Y", "%Y/%m/%d", "%Y%m%d"])
def test_dates_survive_being_written(style, days):
    texts = [day.strftime(style) for day in days]
    assert over(cells.day("cell", [style, "%m/%d/%Y"]), texts) == days


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(alphabet="0123456789-/ ", max_size=11), min_size=1, max_size=40))
def test_no_text_becomes_a_date_that_python_does_not_see(texts):
    found = over(cells.day("cell", ["%Y-%m-%d"]), texts)
    for text, day in zip(texts, found, strict=True):
        if day is not None:
            numbers = [int(part) for part in re.findall(r"\d+", text)]
            assert datetime(*numbers).date() == day


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.2万", 12000), ("1.05亿", 105_000_000), ("8.00元", 8), ("¥45.60", Decimal("45.6")),
     ("1,234", 1234), ('="123"', 123), ("万", None), ("1.2千", None)],
)  # fmt: skip
def test_chinese_numbers(text, value):
    assert over(cells.number("cell", CHINESE), [text]) == [value]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8.27%", 0.0827),
        ("0.0827", 0.0827),
        ("< 10%", None),
        ("<5%", None),
        ("100%", 1.0),
        ("--", None),
    ],
)
def test_shares(text, value):
    found = over(cells.share("cell", ENGLISH, "fraction", ["--"]), [text])
    assert found == [None if value is None else pytest.approx(value)]


@pytest.mark.parametrize("text", ["", " ", "--", " --", "-", "—", "暂无"])
def test_null_marks_are_no_text(text):
    assert over(cells.text("cell", ["--", "-", "—", "暂无"]), [text]) == [None]


@pytest.mark.parametrize("text", ["1.0E+12", "7e11", '="1E+10"', "1,5E+10"])
def test_lost_digits_are_noticed(text):
    assert over(cells.lost_digits("cell"), [text]) == [True]


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        ("1.44382946392851E+14", "144382946392851"),
        ("1,5e1", "15"),
        ('="00123"', "00123"),
        ("00123", "00123"),
        ("B0E1234567", "B0E1234567"),
    ],
)
def test_id_that_shows_all_its_digits_is_whole(text, id_):
    assert over(cells.identifier("cell"), [text]) == [id_]
    assert over(cells.lost_digits("cell"), [text]) == [False]


def test_digits_beyond_those_of_a_float_are_lost_however_many_are_shown():
    text = "1.339205395433736E+15"
    assert over(cells.lost_digits("cell"), [text]) == [True]


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=20))
def test_any_string_is_a_safe_literal(text):
    if "\x00" not in text:
        with duckdb.connect() as db:
            assert db.execute(f"SELECT {cells.quoted(text)}").fetchall() == [(text,)]
