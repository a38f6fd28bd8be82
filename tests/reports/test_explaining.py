"""Who claims a file, and why; what a draft of a new profile guesses."""

from datetime import date

import pytest

from optimizer.errors import RefusedInput
from optimizer.reports import read_report
from optimizer.reports.drafting import draft_profile
from optimizer.reports.explaining import explain
from optimizer.reports.profiles import load_profiles
from optimizer.settings import Configs
from tests.reports.samples import CONFIGS, DATA

GERMAN = """Bericht
Datum;Suchbegriff;Kampagne;Gruppe;Impressionen;Klicks;Kosten;CTR;Bestellungen;Notiz
02.09.2026;größe 38;A;x;1.200;3;1.234,50;0,25%;0,5;y
13.09.2026;größe 39;A;x;100;3;4,50;3,00%;0;y
"""


@pytest.fixture
def german(tmp_path):
    path = tmp_path / "bericht.csv"
    path.write_text(GERMAN, encoding="utf-8")
    return path


def test_claim_shows_the_header_line_and_the_first_values():
    found = explain(DATA / "microsoft_ads_keywords_daily.csv", CONFIGS)
    (claim,) = found.claims
    assert (claim.profile, claim.header_line) == ("microsoft_ads_keywords", 10)
    values = {each.field: (each.header, each.values[0]) for each in claim.mapped}
    assert values["cost"] == ("Spend", "17.50")
    assert claim.summed_over == ("DeviceType",)
    assert claim.unused == ("Conversions",)
    assert found.near[0].missing == ("SearchQuery",)


def test_cells_made_of_several_are_shown_as_made():
    (claim,) = explain(DATA / "google_ads_creatives.csv", CONFIGS).claims
    made = next(each for each in claim.mapped if each.field == "creative_name")
    assert made.header == "Headline 1 | Headline 2 | Headline 3 | Description 1"
    assert made.values[0] == "Red shoes | Soft, light | =Free returns"


def test_only_rows_that_are_read_are_shown():
    claim, _ = explain(DATA / "microsoft_ads_bulk.csv", CONFIGS).claims
    values = {each.field: each.values for each in claim.mapped}
    assert values["keyword_text"] == ("red shoes", "shoes, red", "bags")


def test_file_that_nobody_reads_shows_its_header_and_what_the_nearest_lacks(german):
    found = explain(german, CONFIGS)
    assert found.claims == ()
    assert found.found[:2] == ("Datum", "Suchbegriff")


@pytest.mark.parametrize(
    "sample", ["google_keywords_daily.csv", "microsoft_ads_search_terms.csv", "taobao_keywords_csv.csv"]
)  # fmt: skip
def test_draft_of_a_known_report_has_its_counts(tmp_path, sample):
    text = draft_profile(DATA / sample, CONFIGS)
    assert '"?"' not in text
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "draft.yaml").write_text(text, encoding="utf-8")
    assert not load_profiles(Configs(tmp_path))["draft"].confirmed


def test_draft_reads_the_file_once_it_is_confirmed(tmp_path, german):
    (tmp_path / "reports").mkdir()
    target, configs = tmp_path / "reports" / "own.yaml", Configs(tmp_path)
    draft = draft_profile(german, CONFIGS)
    target.write_text(draft, encoding="utf-8")
    with pytest.raises(RefusedInput, match="profile_unconfirmed"):
        read_report(german, configs, "own", date(2026, 10, 1))
    confirmed = draft.replace("confirmed: false", "confirmed: true")
    said = confirmed.replace("asks: [currency]", "").replace("# attribution", "attribution")
    said = said.replace("constants: {", "constants: {currency: EUR, ")
    target.write_text(said, encoding="utf-8")
    rows = read_report(german, configs, None, date(2026, 10, 1)).rows
    assert rows["cost_micros"].tolist() == [1_234_500_000, 4_500_000]


def test_draft_marks_what_it_could_not_find(tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text("Wort,Clicks,Impr.\nred,1,10\n", encoding="utf-8")
    text = draft_profile(path, CONFIGS)
    assert 'cost: ["?"]  # confirm: no column looked like it' in text
    assert '# confirm, not read: "Wort": "red"' in text
