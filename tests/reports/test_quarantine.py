"""Rows that cannot be trusted are set apart with line, column and reason; the rest is kept."""

import pytest

from tests.reports.samples import FILLER_ROWS, filler, read_rows, read_text, report_text, row

BAD_CELLS = [
    ({"cost": "-5.00"}, "negative", "Cost"),
    ({"cost": "NaN"}, "not_finite", "Cost"),
    ({"cost": "inf"}, "not_finite", "Cost"),
    ({"conversions": "1e400"}, "not_finite", "Conversions"),
    ({"cost": "12abc"}, "not_a_number", "Cost"),
    ({"impressions": '"1,19"'}, "not_a_number", "Impr."),
    ({"clicks": "1.5"}, "not_whole", "Clicks"),
    ({"clicks": " --"}, "value_missing", "Clicks"),
    ({"campaign": ""}, "value_missing", "Campaign"),
    ({"day": "2026-09-11"}, "future_day", "Day"),
    ({"day": "2026-13-01"}, "bad_date", "Day"),
    ({"day": "1900-01-01"}, "bad_date", "Day"),
    ({"day": "infinity"}, "bad_date", "Day"),
    ({"match": "Fuzzy match"}, "word_unknown", "Match type"),
    ({"keyword": "red\x00shoes"}, "control_character", "Keyword"),
    ({"keyword": "red\x1bshoes"}, "control_character", "Keyword"),
    ({"keyword": "red\u202eshoes"}, "control_character", "Keyword"),
    ({"keyword": "red\rshoes"}, "control_character", "Keyword"),
    ({"keyword": '"red\nshoes"'}, "control_character", "Keyword"),
]


@pytest.mark.parametrize(("cells", "code", "column"), BAD_CELLS)
def test_bad_cell_quarantines_its_row(tmp_path, cells, code, column):
    report = read_rows(tmp_path, row(), row(**cells))
    (found,) = report.quarantine.to_dict("records")
    assert (found["line"], found["column"], found["code"]) == (5, column, code)
    assert report.reconciliation.rows_kept == FILLER_ROWS + 1
    assert report.reconciliation.rows_read == FILLER_ROWS + 2


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("2026-09-01,Shoes,Red", "too_few_cells"),
        (row() + ",surplus", "too_many_cells"),
        (row(keyword='"red"shoes'), "bad_quotes"),
        (row(keyword="x" * 3_000_000), "line_too_long"),
    ],
)
def test_ragged_row_never_shifts_its_neighbours(tmp_path, line, code):
    report = read_text(tmp_path, report_text([row(), line, *filler(), row(keyword="last")]))
    (found,) = report.quarantine.to_dict("records")
    assert (found["line"], found["code"]) == (5, code)
    assert len(found["text"]) <= 200
    last = report.rows.iloc[-1]
    assert (last["keyword_text"], last["source_row"]) == ("last", 6 + FILLER_ROWS)


def test_line_numbers_count_blank_and_continued_lines(tmp_path):
    rows = [row(), "", row(campaign='"two\nlines"', keyword="b"), row(keyword="c"), *filler()]
    report = read_text(tmp_path, report_text(rows))
    assert report.quarantine["line"].tolist() == [6]
    assert report.rows["source_row"].tolist()[:2] == [4, 8]
    assert report.reconciliation.rows_read == 3 + FILLER_ROWS


def test_ids_keep_zeros_and_lost_digits_are_quarantined(tmp_path):
    header = "Campaign ID,Day,Campaign,Ad group,Keyword,Match type,Impr.,Clicks,Cost,Conversions"
    cells = "2026-09-01,Shoes,Red,{},Broad match,10,1,1.00,0"
    rows = [f'="00123",{cells.format("a")}', f"1.0E+12,{cells.format('b')}"]
    rows += [f"7,{cells.format(number)}" for number in range(30)]
    report = read_text(tmp_path, report_text(rows, header))
    assert report.rows["campaign_id"].tolist()[:2] == ["00123", "7"]
    assert report.quarantine["code"].tolist() == ["id_lost_digits"]


def test_duplicate_keys_are_set_apart_and_never_summed(tmp_path):
    report = read_rows(tmp_path, row(clicks=3), row(clicks=4))
    assert report.quarantine["code"].tolist() == ["duplicate_key"] * 2
    assert report.quarantine["line"].tolist() == [4, 5]
    assert report.reconciliation.duplicates == 2
    assert "red shoes" not in set(report.rows["keyword_text"])


def test_same_keyword_in_two_ad_groups_or_match_types_is_no_duplicate(tmp_path):
    report = read_rows(tmp_path, row(), row(ad_group="Blue"), row(match="Exact match"))
    assert report.quarantine.empty
    assert report.reconciliation.rows_kept == FILLER_ROWS + 3


def test_odd_but_legal_counts_are_kept_with_a_warning(tmp_path):
    report = read_rows(
        tmp_path,
        row(keyword="a", impressions=1, clicks=2),
        row(keyword="b", clicks=2, conversions="3.00"),
        row(keyword="c", clicks=0, conversions="0.50"),
    )
    assert report.quarantine.empty
    assert report.reconciliation.warnings == {
        "clicks_above_impressions": 1,
        "conversions_above_clicks": 1,
        "conversions_without_clicks": 1,
        "totals_missing": 1,
    }
