"""Files that must not be used at all: a code and fields that say what to do, and nothing kept."""

import zlib
from datetime import date

import pytest

from optimizer.errors import NotFound, RefusedInput
from optimizer.reports import identify, read_report
from tests.reports.samples import CONFIGS, HEADER, filler, read_rows, read_text, report_text, row


def refused(folder, text, **options):
    with pytest.raises(RefusedInput) as caught:
        read_text(folder, text, **options)
    assert caught.value.fields["file"] == "report.csv"
    return caught.value


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"\xef\xbb\xbf\n\n", "empty_file"),
        (b"%PDF-1.7 ...", "wrong_type"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 ...", "wrong_type"),
        (b"<html><table><tr><td>Keyword", "wrong_type"),
        (b"\x1f\x8b" + zlib.compress(b"x" * 100), "wrong_type"),
        (bytes(range(256)) * 40 + bytes(500), "wrong_type"),
        (report_text([]).encode(), "no_rows"),
        (b"just some words\nand more of them\n", "header_not_found"),
        (report_text(filler()).encode()[:-20], "truncated"),
        ((report_text(filler()) + '"2026-09-01,Shoes').encode(), "truncated"),
    ],
)
def test_file_that_is_no_whole_report(tmp_path, content, code):
    assert refused(tmp_path, content).code == code


def test_missing_columns_are_listed_with_the_headers_found(tmp_path):
    text = report_text(filler()).replace("Match type", "Type").replace("Clicks", "Klicks")
    error = refused(tmp_path, text)
    assert error.code == "columns_missing"
    assert set(error.fields["missing"]) == {"match_type", "clicks"}
    assert "Klicks" in error.fields["found"]


def test_known_report_in_another_language_asks_for_english(tmp_path):
    error = refused(tmp_path, "Suchkeyword,Klicks,Kosten\nrot,1,2\n", profile=None)
    assert error.code == "report_localised"
    assert error.fields["found"] == ["Suchkeyword", "Klicks", "Kosten"]
    assert error.fields["profile"] == "google_ads_keywords"


def test_unknown_header_is_shown_with_the_profiles_that_exist(tmp_path):
    error = refused(tmp_path, "Sana,Osumat,Hinta\npuna,1,2\n", profile=None)
    assert error.code == "profile_not_found"
    assert error.fields["found"] == ["Sana", "Osumat", "Hinta"]
    assert "google_ads_keywords" in error.fields["known"]


def test_header_that_lacks_columns_names_the_nearest_profile_and_what_is_missing(tmp_path):
    text = report_text(filler()).replace("Match type", "Type").replace("Clicks", "Visits")
    error = refused(tmp_path, text, profile=None)
    assert (error.code, error.fields["profile"]) == ("profile_near", "google_ads_keywords")
    assert error.fields["missing"] == ["Clicks", "Match type"]


def test_decimal_comma_in_an_english_report_is_no_number(tmp_path):
    report = read_rows(tmp_path, row(cost='"1.234,56"'), row(keyword="b", cost='"12,5"'))
    assert report.quarantine["code"].tolist() == ["not_a_number"] * 2


def test_doubled_column_is_refused(tmp_path):
    text = report_text(filler(), HEADER.replace("Conv. value", "Clicks"))
    assert refused(tmp_path, text).code == "columns_doubled"


def test_search_terms_are_not_read_as_keywords(tmp_path):
    text = report_text([line + ",red" for line in filler()], HEADER + ",Search term")
    assert refused(tmp_path, text).code == "another_report"


def test_mixed_currencies_and_accounts_are_refused(tmp_path):
    mixed = report_text([*filler(), row(currency="EUR")])
    error = refused(tmp_path, mixed)
    assert (error.code, error.fields["currencies"]) == ("currency_mixed", ["EUR", "USD"])
    accounts = [f"{line},{number % 2}" for number, line in enumerate(filler())]
    error = refused(tmp_path, report_text(accounts, HEADER + ",Customer ID"))
    assert error.code == "accounts_mixed"


def test_totals_that_do_not_reconcile_are_refused(tmp_path):
    total = row(
        day="", campaign="", ad_group="", keyword="", match="Total: Your keywords", bid="--"
    )
    error = refused(tmp_path, report_text([*filler(3), total]))
    assert error.code == "totals_mismatch"
    assert {"column", "label", "in_file", "ours"} < set(error.fields)


def test_too_many_bad_rows_refuse_the_file_unless_accepted(tmp_path):
    text = report_text([*filler(10), row(cost="-1")])
    error = refused(tmp_path, text)
    assert error.code == "too_many_quarantined"
    assert (error.fields["quarantined"], error.fields["rows"]) == (1, 11)
    accepted = read_text(tmp_path, text, accept_quarantine=True)
    assert accepted.reconciliation.rows_quarantined == 1


def test_ratio_column_reveals_columns_mapped_wrongly(tmp_path):
    rows = [line + ",55.00%" for line in filler(30)]
    error = refused(tmp_path, report_text(rows, HEADER + ",CTR"))
    assert (error.code, error.fields["column"], error.fields["wrong"]) == (
        "ratio_mismatch",
        "CTR",
        30,
    )


def test_period_report_needs_a_closed_period_before_the_download(tmp_path):
    daily = report_text(filler())
    period = daily.replace("Day,", "").replace("2026-09-01,", "")
    for line, code in [
        ("All time", "period_open"),
        ("whatever", "period_missing"),
        ('"Sep 1, 2026 - Sep 10, 2026"', "period_not_over"),
    ]:
        assert refused(tmp_path, period.replace("All of it", line)).code == code


@pytest.mark.parametrize("bad", [b"caf\xe9\xff", b"caf\xe9 cr\xe8me br\xfbl\xe9e"])
@pytest.mark.parametrize("rows_before", [10, 2000])
def test_unknown_encoding_is_refused_rather_than_guessed(tmp_path, bad, rows_before):
    text = report_text([*filler(rows_before), row(keyword="WORD")]).encode()
    assert refused(tmp_path, text.replace(b"WORD", bad)).code == "encoding_unknown"


def test_file_fitting_two_profiles_must_be_told_which(tmp_path):
    from optimizer.settings import Configs

    folder = tmp_path / "configs" / "reports"
    folder.mkdir(parents=True)
    shipped = (CONFIGS.root / "reports" / "google_ads_keywords.yaml").read_text(encoding="utf-8")
    for name in ("mine", "yours"):
        (folder / f"{name}.yaml").write_text(shipped, encoding="utf-8")
    path = tmp_path / "report.csv"
    path.write_text(report_text(filler()), encoding="utf-8")
    configs = Configs(tmp_path / "configs")
    assert identify(path, configs) == ["mine", "yours"]
    with pytest.raises(RefusedInput, match="profile_ambiguous"):
        read_report(path, configs, None, date(2026, 9, 10))


def test_unknown_profile_lists_those_that_exist(tmp_path):
    with pytest.raises(NotFound) as caught:
        read_rows(tmp_path, profile="nope")
    assert "google_ads_keywords" in caught.value.fields["known"]


def test_file_that_is_not_there(tmp_path):
    with pytest.raises(RefusedInput, match="file_unreadable"):
        read_report(tmp_path / "gone.csv", CONFIGS, None, date(2026, 9, 10))
