"""1.234 is never read a thousand times too small."""

import pytest

from optimizer.errors import RefusedInput
from optimizer.reports import cells
from optimizer.reports.profiles import NumberFormat
from tests.reports.samples import HEADER, filler, read_text, report_text, row
from tests.reports.test_cells import over


def costs(*texts, **changed):
    return report_text([row(keyword=str(n), cost=text, **changed) for n, text in enumerate(texts)])


def test_amounts_that_may_be_thousands_are_refused(tmp_path):
    with pytest.raises(RefusedInput) as caught:
        read_text(tmp_path, costs("1.234", "12.500", "850"))
    assert caught.value.code == "decimals_unclear"
    assert (caught.value.fields["column"], caught.value.fields["text"]) == ("Cost", "1.234")


@pytest.mark.parametrize("other", ["0.50", "1.23", "0.123", "1234.567"])
def test_one_amount_that_can_only_be_a_decimal_settles_it(tmp_path, other):
    rows = read_text(tmp_path, costs("1.234", other)).rows
    assert rows["cost_micros"].iloc[0] == 1_234_000


def test_currency_of_three_decimals_is_exact(tmp_path):
    report = read_text(tmp_path, costs("1.234", "12.500", currency="KWD"))
    assert report.reconciliation.currency == "KWD"
    assert report.rows["cost_micros"].tolist() == [1_234_000, 12_500_000]


def test_currency_without_decimals_is_exact(tmp_path):
    report = read_text(tmp_path, costs("1234", '"12,500"', currency="JPY"))
    assert report.rows["cost_micros"].tolist() == [1_234_000_000, 12_500_000_000]


@pytest.mark.parametrize("count", ["1.000", "1.234", "12.345.678"])
def test_count_with_thousands_of_another_country_is_set_apart(tmp_path, count):
    report = read_text(tmp_path, report_text([row(impressions=count), *filler()], HEADER))
    assert set(report.quarantine["code"]) <= {"not_whole", "not_a_number"}
    assert report.quarantine["line"].tolist() == [4]


@pytest.mark.parametrize(("text", "count"), [("10.0", 10), ("10.00", 10), ('"1,000"', 1000)])
def test_whole_count_may_be_written_with_decimals(tmp_path, text, count):
    assert read_text(tmp_path, report_text([row(impressions=text, clicks=1)])).rows[
        "impressions"
    ].tolist() == [count]


@pytest.mark.parametrize(
    ("text", "grouped"),
    [("1.234", True), ("€1.234", True), ("1.234 €", True), ("0.123", False), ("1.23", False),
     ("1234.567", False), ("1,234.567", False), ("1.2345", False), ("1234", False)],
)  # fmt: skip
def test_what_may_be_thousands(text, grouped):
    assert over(cells.looks_grouped("cell", NumberFormat()), [text]) == [grouped]


def test_number_with_an_ending_is_one_of_decimals():
    style = NumberFormat(multipliers={"万": 10_000})
    assert over(cells.looks_grouped("cell", style), ["1.234万"]) == [False]
