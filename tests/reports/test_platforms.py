"""What single platforms' exports ask for, and what they are refused for."""

from datetime import date

import pytest

from optimizer.errors import RefusedInput
from optimizer.reports import Told, read_report, read_reports
from optimizer.settings import Configs
from tests.reports.samples import CONFIGS, DATA

AS_OF = date(2026, 10, 1)


def changed(folder, sample, *pairs):
    """The sample with texts replaced, each of which it holds."""
    text = (DATA / sample).read_bytes().decode()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path = folder / sample
    path.write_bytes(text.encode())
    return path


def refused(path, **options):
    with pytest.raises(RefusedInput) as caught:
        read_reports(
            path, CONFIGS, None, AS_OF, told=Told("USD"), accept_quarantine=True, **options
        )
    return caught.value


def test_number_of_rows_that_a_file_states_is_a_checksum(tmp_path):
    path = changed(tmp_path, "microsoft_ads_keywords_daily.csv", ("Rows: 6", "Rows: 7"))
    error = refused(path)
    assert (error.code, error.fields["stated"], error.fields["found"]) == ("rows_mismatch", 7, 6)


def test_weeks_are_not_taken_for_days(tmp_path):
    path = changed(tmp_path, "microsoft_ads_keywords_daily.csv", (": Daily", ": Weekly"))
    assert refused(path).code == "preamble_refused"


def test_two_profiles_of_a_family_read_one_file():
    found = read_reports(
        DATA / "microsoft_ads_bulk.csv", CONFIGS, None, AS_OF, accept_quarantine=True
    )
    assert [each.grain for each in found] == ["keyword_state", "negative"]
    keywords, negatives = (each.rows for each in found)
    assert keywords["campaign_name"].tolist() == ["Shoes", "Shoes", "Bags"]
    assert keywords["bid_micros"].tolist() == [850_000, 400_000, 550_000]
    assert keywords["bid_source"].tolist() == ["own", "inherited", "own"]
    assert keywords["campaign_status"].tolist() == ["ENABLED", "ENABLED", "PAUSED"]
    assert negatives["level"].tolist() == ["ad_group", "campaign"]
    assert negatives["ad_group_id"].isna().tolist() == [False, True]


def test_member_of_a_family_without_rows_is_left_out(tmp_path):
    pairs = [("Ad Group Negative Keyword", "Label"), ("Campaign Negative Keyword", "Label")]
    path = changed(tmp_path, "microsoft_ads_bulk.csv", *pairs)
    (found,) = read_reports(path, CONFIGS, None, AS_OF, accept_quarantine=True)
    assert found.grain == "keyword_state"


def test_keyword_whose_parent_is_not_in_the_file_is_quarantined():
    found = read_reports(
        DATA / "microsoft_ads_bulk.csv", CONFIGS, None, AS_OF, accept_quarantine=True
    )
    assert found[0].quarantine[["line", "code"]].values.tolist() == [[11, "value_missing"]]


def test_assets_without_their_campaign_are_refused_asking_for_it(tmp_path):
    path = changed(tmp_path, "google_ads_assets.csv", ("Campaign,Asset group,", "A,B,"))
    error = refused(path)
    assert error.code == "profile_near"
    assert error.fields["profile"] == "google_ads_assets"
    assert error.fields["missing"] == ["Campaign", "Asset group"]


def test_platforms_and_accounts_of_rows_must_be_one(tmp_path):
    sample = "fivetran_keywords.csv"
    assert (
        refused(changed(tmp_path, sample, ("02,google_ads", "02,amazon_ads"))).code
        == "platforms_mixed"
    )
    other = changed(tmp_path, sample, ("02,google_ads,123", "02,google_ads,124"))
    assert refused(other).code == "accounts_mixed"
    unknown = changed(tmp_path, sample, (",google_ads,", ",tv_ads,"))
    assert refused(unknown).code == "platform_unknown"


def test_one_keyword_on_two_platforms_is_a_mix_and_no_repeated_row(tmp_path):
    """Campaigns copied from one platform to the other have the same names on both."""
    header, row, *_ = (DATA / "fivetran_keywords.csv").read_text("utf-8").splitlines()
    path = tmp_path / "both.csv"
    path.write_text("\n".join([header, row, row.replace("google_ads", "microsoft_ads")]) + "\n")
    with pytest.raises(RefusedInput, match="platforms_mixed"):
        read_reports(path, CONFIGS, None, AS_OF, told=Told("USD"))


def test_broken_parquet_is_refused(tmp_path):
    path = tmp_path / "cut.parquet"
    path.write_bytes((DATA / "fivetran_keywords.parquet").read_bytes()[:-40])
    assert refused(path).code == "parquet_unreadable"


def test_bounds_written_as_numbers_are_bounds():
    rows = read_report(DATA / "google_ads_api_keywords.csv", CONFIGS, None, AS_OF).rows
    second = rows.iloc[1]
    assert second["impression_share_censor"] == "lt"
    assert rows["lost_is_budget"].isna().tolist() == [True, True, False]
    assert rows["cost_micros"].max() == 2_000_000_000_000
    assert rows["value_micros"].iloc[0] == 75_123_456


ASKING = """
platform: other
grain: keyword
columns: {day: [d], keyword_text: [k], impressions: [i], clicks: [c], cost: [s], conversions: [o]}
required: [day]
constants: {campaign_name: A, ad_group_name: A}
asks: [currency, attribution_window_days, attribution_basis]
"""


@pytest.fixture
def asking(tmp_path):
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "own.yaml").write_text(ASKING, encoding="utf-8")
    path = tmp_path / "own.csv"
    path.write_text("d,k,i,c,s,o\n2026-09-01,red,10,1,0.5,0\n", encoding="utf-8")
    return Configs(tmp_path), path


def test_what_no_file_says_must_be_said(asking):
    configs, path = asking
    with pytest.raises(RefusedInput) as caught:
        read_report(path, configs, None, AS_OF, told=Told(currency="cny"))
    assert caught.value.code == "answer_missing"
    assert caught.value.fields["asks"] == ["attribution_window_days", "attribution_basis"]


def test_what_is_said_now_goes_before_what_was_said_earlier(asking):
    configs, path = asking
    told, earlier = Told(attribution_window_days=7), Told("cny", 15, "order")
    found = read_report(path, configs, None, AS_OF, told=told, earlier=earlier).reconciliation
    assert (found.currency, found.attribution_window_days) == ("CNY", 7)
    assert found.attribution_basis == "order"


def test_earlier_answers_stand_only_where_a_profile_asks():
    earlier = Told("CHF", 3, "order")
    sample = DATA / "google_search_terms_period.csv"
    found = read_report(sample, CONFIGS, None, AS_OF, earlier=earlier).reconciliation
    assert (found.currency, found.attribution_window_days) == ("GBP", 30)
