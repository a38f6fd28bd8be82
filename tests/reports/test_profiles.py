"""Profiles are data that checks itself; a new kind of file needs no code."""

from datetime import date

import pytest

from optimizer.errors import BadSettings
from optimizer.reports import read_report
from optimizer.reports.profiles import load_profiles
from optimizer.settings import Configs
from tests.reports.samples import CONFIGS

OWN = """
platform: other
grain: keyword
columns:
  day: [Datum]
  keyword_text: [Suchbegriff]
  impressions: [Aufrufe]
  clicks: [Klicks]
  cost: [Kosten]
  conversions: [Käufe]
required: [day]
number: {decimal: ",", thousands: "."}
date_formats: ["%d.%m.%Y"]
encoding: cp1252
constants: {campaign_name: Alle, ad_group_name: Alle, currency: EUR}
"""


def configs_with(folder, text):
    (folder / "reports").mkdir()
    (folder / "reports" / "own.yaml").write_text(text, encoding="utf-8")
    return Configs(folder)


def test_shipped_profiles_are_valid():
    assert {"google_ads_keywords", "google_ads_search_terms"} < set(load_profiles(CONFIGS))


def test_german_file_is_read_by_a_profile_alone(tmp_path):
    path = tmp_path / "own.csv"
    lines = [
        "Datum;Suchbegriff;Aufrufe;Klicks;Kosten;Käufe",
        "02.09.2026;größe 38;1.200;3;1.234,50;0,5",
    ]
    path.write_bytes("\r\n".join(lines).encode("cp1252"))
    report = read_report(path, configs_with(tmp_path, OWN), None, date(2026, 9, 10))
    (row,) = report.rows.to_dict("records")
    assert (row["keyword_text"], row["impressions"]) == ("größe 38", 1200)
    assert (row["cost_micros"], row["conversions"]) == (1_234_500_000, 0.5)
    assert report.reconciliation.currency == "EUR"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("required: [day]", "required: [day]\nrequird: 1", "requird"),
        ("required: [day]", "required: [weekday]", "required"),
        ("platform: other", "platform: acme", "platform"),
        ('decimal: ","', 'decimal: "."', "number"),
        ("clicks: [Klicks]", "clicks: []", "columns.clicks"),
        ("required: [day]", 'required: [day]\ntotals: {own: ["("]}', "totals.own"),
    ],
)
def test_wrong_profile_is_refused_by_key(tmp_path, old, new, key):
    with pytest.raises(BadSettings) as caught:
        load_profiles(configs_with(tmp_path, OWN.replace(old, new)))
    assert str(caught.value.fields["key"]).startswith(key)
