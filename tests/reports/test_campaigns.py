"""Lists of campaigns: budgets and targets as the platform states them, and nothing guessed."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from optimizer.reports.campaigns import CampaignFile, read_campaigns

GOOGLE = """Campaign report
"May 18, 2025 - May 24, 2025"
Campaign status,Campaign,Budget,Bid strategy type,Target CPA,Target ROAS,Clicks
Enabled,Smart,"1,200.00",Target ROAS, --,340.00%,9
Enabled,Calls,50.00,Target CPA,30.00, --,7
Enabled,Both,50.00,Target CPA,30.00,200%,7
Enabled,Manual,20.00,Manual CPC, --, --,7
Total: Campaigns, --, --, --, --, --,30
"""
API = """campaign.id,campaign.name,campaign_budget.amount_micros,campaign.target_roas.target_roas
1,Smart,1200000000,3.4
"""
MICROSOFT = """Type,Status,Id,Parent Id,Campaign,Budget,Bid Strategy TargetRoas,Keyword,Name
Format Version,,,,,,,,6.0
Campaign,Active,1,9,Smart,1200,3.4,,
Keyword,Active,7,8,,,,red shoes,
"""


def read(folder: Path, text: str, platform: str, encoding: str = "utf-8") -> CampaignFile | None:
    path = folder / "campaigns.csv"
    path.write_text(text, encoding=encoding)
    return read_campaigns(path, platform)


def test_google_page_states_budgets_and_the_one_target(tmp_path: Path) -> None:
    found = read(tmp_path, GOOGLE, "google_ads")
    assert found is not None
    assert (found.campaigns, found.alone) == (4, True)
    assert found.rows[["campaign_name", "fact", "amount"]].values.tolist() == [
        ["Smart", "campaign_budget", 1200.0],
        ["Smart", "campaign_target", pytest.approx(3.4)],
        ["Calls", "campaign_budget", 50.0],
        ["Calls", "campaign_target", 30.0],
        ["Both", "campaign_budget", 50.0],
        ["Manual", "campaign_budget", 20.0],
    ]


def test_utf16_with_tabs_reads_alike(tmp_path: Path) -> None:
    text = GOOGLE.replace('"1,200.00"', "1200.00").replace(",", "\t")
    found = read(tmp_path, text, "google_ads", "utf-16")
    assert found is not None
    assert found.rows["amount"].tolist()[:2] == [1200.0, pytest.approx(3.4)]


@pytest.mark.parametrize(("text", "platform"), [(API, "google_ads"), (MICROSOFT, "microsoft_ads")])
def test_other_shapes_say_the_same(tmp_path: Path, text: str, platform: str) -> None:
    found = read(tmp_path, text, platform)
    assert found is not None
    assert found.rows.values.tolist() == [
        ["1", "Smart", "campaign_budget", 1200.0],
        ["1", "Smart", "campaign_target", 3.4],
    ]
    assert found.alone is (platform == "google_ads")


@pytest.mark.parametrize(
    "header",
    [
        "Campaign,Ad group,Budget,Target ROAS",
        "Day,Campaign,Budget",
        "Row Type,Campaign,Budget",
        "Campaign,Clicks",
    ],
)
def test_reports_and_uploads_are_no_list_of_campaigns(tmp_path: Path, header: str) -> None:
    assert read(tmp_path, header + "\nSmart,1,2,3\n", "google_ads") is None
    assert read(tmp_path, GOOGLE, "taobao") is None


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("Campaign status,Campaign,Budget\nRemoved,Alpha,50\nEnabled,Alpha,60\n", "google_ads"),
        (
            "campaign.status,campaign.name,campaign_budget.amount_micros\n"
            "REMOVED,Alpha,50000000\nENABLED,Alpha,60000000\n",
            "google_ads",
        ),
        (
            "Type,Status,Id,Campaign,Budget\n"
            "Campaign,Deleted,1,Alpha,50\nCampaign,Active,2,Alpha,60\n",
            "microsoft_ads",
        ),
    ],
)
def test_removed_campaigns_say_nothing(tmp_path: Path, text: str, platform: str) -> None:
    found = read(tmp_path, text, platform)
    assert found is not None
    assert (found.campaigns, found.rows["amount"].tolist()) == (1, [60.0])


def test_a_bulk_file_is_not_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "bulk.csv"
    text = MICROSOFT + "Keyword,Active,7,8,,,,red shoes that nobody asked for,\n" * 40_000
    path.write_text(text, encoding="utf-8")
    tracemalloc.start()
    found = read_campaigns(path, "microsoft_ads")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found is not None
    assert found.campaigns == 1
    assert peak < len(text) / 2


def test_a_file_with_more_than_campaigns_is_not_a_list_alone(tmp_path: Path) -> None:
    assert read(tmp_path, MICROSOFT, "microsoft_ads") is not None
    path = tmp_path / "campaigns.csv"
    assert read_campaigns(path, "microsoft_ads", alone=True) is None
    path.write_text(GOOGLE, encoding="utf-8")
    assert read_campaigns(path, "google_ads", alone=True) is not None


def test_a_row_cut_short_states_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, MICROSOFT + "Campaign,Active\n", "microsoft_ads")
    assert found is not None
    assert found.rows["campaign_name"].unique().tolist() == ["Smart"]
