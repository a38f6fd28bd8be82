import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.review.exports.google_ads import refusals, write_bulk_upload
from optimizer.settings import BidLimit
from tests.review.exports.export_rows import CENTS, NEW, YEN, frame, row

GOLDEN = Path(__file__).parent / "golden" / "google_ads"


def codes(*rows: dict[str, Any], limit: BidLimit = CENTS) -> set[str]:
    return {refusal.code for refusal in refusals(frame(*rows), limit)}


def campaign(kind: str, **values: Any) -> dict[str, Any]:
    names = dict.fromkeys(("ad_group_id", "keyword_id", "match_type", "bid_source", "status"))
    place = {"ad_group_name": "", "keyword_text": "帐篷, 露营", "kind": kind, "id": kind}
    known = {"old_bid": 300.0, "new_bid": 390.0, "current_bid": 300.0}
    return row(**names) | place | known | values


def campaign_rows(*rows: dict[str, Any], file: str = "campaigns.csv") -> list[dict[str, str]]:
    content = write_bulk_upload(frame(*rows), CENTS)[file]
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_a_campaigns_budget_is_written_and_rolled_back_whatever_the_highest_bid() -> None:
    (new,) = campaign_rows(campaign("set_budget"))
    assert (new["Row Type"], new["Action"], new["Budget"]) == ("Campaign", "Edit", "390.00")
    assert (new["Campaign ID"], new["Target ROAS"]) == ("21000000001", "")
    (old,) = campaign_rows(campaign("set_budget"), file="rollback_campaigns.csv")
    assert old["Budget"] == "300.00"


def test_targets_are_written_as_the_platform_shows_them() -> None:
    target = {"old_bid": 4.0, "new_bid": 3.4, "current_bid": None}
    (roas,) = campaign_rows(campaign("set_target", target="roas", **target))
    assert roas["Target ROAS"] == "340%"
    (cpa,) = campaign_rows(campaign("set_target", target="cpa", **target))
    assert (cpa["Target CPA"], cpa["Target ROAS"], cpa["Budget"]) == ("3.40", "", "")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"new_bid": None}, "bid_missing"),
        ({"new_bid": 0.0}, "bid_outside_limits"),
        ({"new_bid": 390.001}, "bid_not_on_step"),
        ({"current_bid": 310.0}, "bid_moved"),
        ({"campaign_status": "PAUSED"}, "campaign_not_active"),
    ],
)
def test_a_budget_that_cannot_be_written_is_refused(changed: dict[str, Any], code: str) -> None:
    assert codes(campaign("set_budget", **changed)) == {code}


def test_one_campaign_may_get_a_budget_and_a_target() -> None:
    target = campaign("set_target", target="roas", old_bid=4.0, new_bid=3.4, current_bid=None)
    assert codes(campaign("set_budget"), target) == set()
    assert codes(campaign("set_budget"), campaign("set_budget", id="again")) == {"duplicate_row"}


@pytest.fixture
def every_kind() -> pd.DataFrame:
    return frame(
        row(),
        row(id="k2", kind="lower", keyword_id="2", keyword_text="+crocs", new_bid=0.1 + 0.2),
        row(id="k3", kind="raise", keyword_id="3", keyword_text="tent", bid_source="inherited"),
        row(id="k4", kind="pause", keyword_id="4", keyword_text='a "quoted" one', new_bid=None),
        row(**NEW, id="k5", kind="add_keyword", keyword_text="lake tent", new_bid=0.8),
        row(
            **NEW,
            id="k6",
            kind="add_negative",
            keyword_text="lake tent",
            ad_group_id=None,
            ad_group_name="Broad",
            new_bid=None,
        ),
    )


def test_files_are_the_golden_ones_byte_for_byte(every_kind: pd.DataFrame) -> None:
    files = write_bulk_upload(every_kind, CENTS)
    assert sorted(files) == sorted(path.name for path in GOLDEN.iterdir())
    for name, content in files.items():
        assert content == (GOLDEN / name).read_bytes(), name


@settings(deadline=None)
@given(cents=st.integers(1, 10_000))
def test_bids_are_exact_decimals(cents: int) -> None:
    content = write_bulk_upload(frame(row(new_bid=cents * 0.01)), CENTS)["keywords.csv"]
    (written,) = csv.DictReader(io.StringIO(content.decode()))
    assert Decimal(written["Default max. CPC"]) == Decimal(cents) / 100
    assert written["Default max. CPC"][-3] == "."


def test_whole_yen_has_no_decimals() -> None:
    rows = frame(row(old_bid=100.0, current_bid=100.0, new_bid=97.0))
    content = write_bulk_upload(rows, YEN)["keywords.csv"].decode()
    assert content.splitlines()[1].endswith(",97")


def test_only_files_with_rows_are_written() -> None:
    assert sorted(write_bulk_upload(frame(row()), CENTS)) == [
        "keywords.csv",
        "rollback_keywords.csv",
    ]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"new_bid": 100.5}, "bid_outside_limits"),
        ({"new_bid": np.nan}, "bid_missing"),
        ({"old_bid": np.nan, "current_bid": np.nan}, "replaced_bid_unknown"),
        ({"current_bid": 1.1}, "bid_moved"),
        ({"bidding_mode": "automated"}, "bidding_automated"),
        ({"status": "REMOVED"}, "keyword_removed"),
        ({"campaign_status": "PAUSED"}, "campaign_not_active"),
        ({"ad_group_status": "REMOVED"}, "ad_group_not_active"),
        ({"kind": "pause", "status": "PAUSED", "new_bid": None}, "already_paused"),
        ({"match_type": "AUTO"}, "match_type_unsupported"),
        ({"match_type": None, "keyword_id": None}, "match_type_missing"),
        ({"keyword_text": "=1+1"}, "text_formula_start"),
        ({"keyword_text": " ＠home"}, "text_formula_start"),
        ({"keyword_text": "a\x00b"}, "text_control_character"),
        ({"campaign_name": "a\nb"}, "text_control_character"),
        ({"keyword_text": "  "}, "text_empty"),
    ],
)
def test_what_the_platform_or_prudence_forbids_is_refused(
    values: dict[str, Any], code: str
) -> None:
    assert code in codes(row(**values))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x" * 81, "text_too_long"),
        ("a b c d e f g h i j k", "text_too_many_words"),
        ("50% off", "text_forbidden_character"),
        ("[exact]", "text_decorated"),
    ],
)
def test_new_texts_obey_the_platform_rules(text: str, code: str) -> None:
    assert code in codes(row(**NEW, kind="add_keyword", keyword_text=text, new_bid=1.0))
    assert codes(row(keyword_text=text)) == set()


def test_text_that_exists_already_is_not_added() -> None:
    assert "already_exists" in codes(row(**NEW, kind="add_keyword", exists=True))


def test_negative_that_would_silence_a_keyword_is_refused() -> None:
    add = row(**NEW, kind="add_keyword", new_bid=1.0)
    negative = row(**NEW, id="k2", kind="add_negative", new_bid=None)
    assert codes(add, negative) == {"negative_blocks_keyword"}
    assert codes(negative | {"exists": True}) == {"negative_blocks_keyword"}
    assert codes(add, negative | {"ad_group_name": "Broad"}) == set()


def test_two_changes_of_one_keyword_contradict_each_other() -> None:
    assert codes(row(), row(id="k2", kind="pause", new_bid=None)) == {"duplicate_row"}


def test_same_text_in_other_groups_or_match_types_is_another_keyword() -> None:
    other = row(id="k2", keyword_id="2", match_type="BROAD")
    elsewhere = row(id="k3", ad_group_name="elsewhere", ad_group_id="9")
    assert codes(row(), other, elsewhere) == set()


def test_new_keyword_of_an_automated_campaign_needs_no_bid() -> None:
    new = row(**NEW, kind="add_keyword", new_bid=None, bidding_mode="automated")
    content = write_bulk_upload(frame(new), CENTS)["keywords.csv"].decode()
    assert content.splitlines()[1].endswith("Exact match,")
