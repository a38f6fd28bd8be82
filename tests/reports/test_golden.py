"""Every sample beside what it must become; UPDATE_GOLDEN=1 writes the expectation anew."""

import dataclasses
import json
import os
from datetime import date

import pytest

from optimizer.reports import Told, identify, read_report
from optimizer.reports.profiles import TABLES, load_profile
from optimizer.tables import Report, check_table
from tests.reports.samples import CONFIGS, DATA

SAMPLES = {
    "google_keywords_daily.csv": ("google_ads_keywords", date(2026, 9, 3)),
    "google_keywords_period_utf16.csv": ("google_ads_keywords", date(2026, 10, 1)),
    "google_search_terms_period.csv": ("google_ads_search_terms", date(2025, 9, 1)),
    "adwords_daily_2008.csv": ("adwords_daily_2008", date(2009, 3, 4)),
    "google_ads_creatives.csv": ("google_ads_creatives", date(2026, 9, 3)),
    "google_ads_assets.csv": ("google_ads_assets", date(2026, 10, 1)),
    "google_ads_negatives.csv": ("google_ads_negatives", date(2026, 9, 3)),
    "google_ads_api_keywords.csv": ("google_ads_api_keywords", date(2026, 9, 3)),
    "google_ads_api_search_terms.csv": ("google_ads_api_search_terms", date(2026, 9, 3)),
    "microsoft_ads_keywords_daily.csv": ("microsoft_ads_keywords", date(2026, 9, 4)),
    "microsoft_ads_keywords_summary.csv": ("microsoft_ads_keywords", date(2026, 9, 4)),
    "microsoft_ads_search_terms.csv": ("microsoft_ads_search_terms", date(2026, 9, 4)),
    "fivetran_keywords.csv": ("fivetran_keywords", date(2026, 9, 3)),
    "fivetran_keywords.parquet": ("fivetran_keywords", date(2026, 9, 3)),
    "fivetran_search_terms.csv": ("fivetran_search_terms", date(2026, 9, 3)),
}


TOLD = Told(currency="USD")
"""What Fivetran's tables do not hold."""


def told_of(name: str) -> Told:
    return TOLD if name.startswith("fivetran") else Told()


def as_json(report: Report) -> str:
    rows = report.rows.dropna(axis="columns", how="all")
    found = {
        "platform": report.platform,
        "grain": report.grain,
        "reconciliation": dataclasses.asdict(report.reconciliation),
        "quarantine": report.quarantine.to_dict("records"),
        "rows": json.loads(rows.to_json(orient="records", date_format="iso", force_ascii=False)),
    }
    return json.dumps(found, ensure_ascii=False, indent=1, default=str) + "\n"


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_becomes_its_golden_file(name):
    profile, as_of = SAMPLES[name]
    report = read_report(
        DATA / name, CONFIGS, profile, as_of, told=told_of(name), accept_quarantine=True
    )
    check(report, name.removesuffix(".csv").replace(".parquet", "_parquet"))


def check(report: Report, name: str) -> None:
    golden = DATA / f"{name}.golden.json"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(as_json(report), encoding="utf-8")
    assert as_json(report) == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("profile", ["microsoft_ads_bulk_keywords", "microsoft_ads_bulk_negatives"])
def test_bulk_file_becomes_a_golden_file_by_profile(profile):
    path = DATA / "microsoft_ads_bulk.csv"
    report = read_report(path, CONFIGS, profile, date(2026, 9, 4), accept_quarantine=True)
    check(report, profile)


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_is_identified_and_fits_its_table(name):
    profile, as_of = SAMPLES[name]
    assert identify(DATA / name, CONFIGS) == [profile]
    report = read_report(
        DATA / name, CONFIGS, None, as_of, told=told_of(name), accept_quarantine=True
    )
    check_table(report.rows, TABLES[load_profile(CONFIGS, profile).grain])


@pytest.mark.parametrize("name", SAMPLES)
def test_every_line_is_accounted_for(name):
    profile, as_of = SAMPLES[name]
    found = read_report(
        DATA / name, CONFIGS, profile, as_of, told=told_of(name), accept_quarantine=True
    )
    counts = found.reconciliation
    assert counts.rows_kept == len(found.rows)
    assert counts.rows_read == (
        counts.rows_kept + counts.rows_quarantined + sum(counts.rows_dropped.values())
    )


def test_old_report_reconciles_with_its_unlabelled_totals_row():
    report = read_report(
        DATA / "adwords_daily_2008.csv", CONFIGS, "adwords_daily_2008", date(2009, 3, 4)
    )
    checks = {check.name: check for check in report.reconciliation.checksums}
    assert set(checks) == {"impressions", "clicks", "cost", "conversions"}
    assert all(check.ok and check.file == check.ours for check in checks.values())
    content = report.rows[report.rows["target_type"] == "content"]
    assert content["keyword_text"].unique().tolist() == ["Total - content targeting"]
    assert content["bid_micros"].isna().all()
    assert report.reconciliation.writable_bid_share == pytest.approx(2 / 3)
