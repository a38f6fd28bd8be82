"""What single platforms forbid, want, or do that no other does."""

import json
from typing import Any

import pytest

from optimizer.review.exports.change_list import in_steps
from optimizer.review.exports.changes import forward
from optimizer.review.exports.taobao import PER_CALL, read_calls
from tests.review.exports.export_rows import CASES, CENTS, frame, of_kind


def codes(name: str, *rows: dict[str, Any]) -> set[str]:
    return {one.code for one in CASES[name].writer.refusals(frame(*rows), CENTS)}


def new(text: str, **values: Any) -> dict[str, Any]:
    return of_kind("add_keyword", keyword_text=text, **values)


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("google_ads", "x" * 81, "text_too_long"),
        ("google_ads", "a b c d e f g h i j k", "text_too_many_words"),
        ("editor", "50% off", "text_forbidden_character"),
        ("amazon_ads", "x" * 81, "text_too_long"),
        ("amazon_ads", "a b c d e f g h i j k", "text_too_many_words"),
        ("amazon_ads", "tent/lamp", "text_forbidden_character"),
        ("amazon_ads", "b0abcdefgh", "text_is_product"),
        ("microsoft_ads", "x" * 101, "text_too_long"),
        ("baidu", "帐" * 21, "text_too_long"),
        ("taobao", "帐\u202e篷", "text_forbidden_character"),
        ("jd", "[帐篷]", "text_decorated"),
        ("pinduoduo", "=帐篷", "text_formula_start"),
        ("microsoft_ads", "a\x00b", "text_control_character"),
    ],
)
def test_a_new_text_that_the_platform_would_not_take_is_refused(
    name: str, text: str, code: str
) -> None:
    assert codes(name, new(text)) == {code}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("google_ads", "x" * 80),
        ("amazon_ads", "a b c d e f g h i j"),
        ("microsoft_ads", "x" * 100),
        ("baidu", "帐" * 20),
        ("jd", "帐" * 30),
    ],
)
def test_a_new_text_at_the_limit_is_taken(name: str, text: str) -> None:
    assert codes(name, new(text)) == set()


def test_amazon_takes_four_words_in_a_negative_phrase() -> None:
    five = of_kind("add_negative", keyword_text="a b c d e", match_type="PHRASE")
    assert codes("amazon_ads", five) == {"text_too_many_words"}
    assert codes("amazon_ads", {**five, "match_type": "EXACT"}) == set()


@pytest.mark.parametrize("name", ["amazon_ads", "microsoft_ads"])
@pytest.mark.parametrize("id_", [None, "1.44383E+14", "12 3"])
def test_a_change_without_a_whole_id_is_refused(name: str, id_: str | None) -> None:
    assert codes(name, of_kind("raise", keyword_id=id_)) == {"id_missing"}


@pytest.mark.parametrize("name", ["amazon_ads", "microsoft_ads", "jd", "taobao"])
def test_negatives_are_exact_or_phrase(name: str) -> None:
    assert codes(name, of_kind("add_negative", match_type="BROAD")) == {"match_type_unsupported"}


def test_taobao_has_no_phrase_keywords_and_reports_without_match_types() -> None:
    assert codes("taobao", new("帐篷", match_type="PHRASE")) == {"match_type_unsupported"}
    assert codes("taobao", of_kind("raise", match_type=None)) == set()
    assert codes("taobao", new("帐篷", match_type=None)) == {"match_type_missing"}


def test_an_editor_row_without_a_match_type_finds_nothing() -> None:
    assert codes("google_ads", of_kind("raise", match_type=None)) == set()
    assert codes("editor", of_kind("raise", match_type=None)) == {"match_type_missing"}


def test_an_editor_file_is_utf_16_with_its_mark_tabs_and_crlf() -> None:
    content = CASES["editor"].writer.write_bulk_upload(frame(of_kind("raise")), CENTS)["editor.csv"]
    assert content.startswith(b"\xff\xfe")
    text = content.decode("utf-16")
    assert text.count("\r\n") == text.count("\n") == 2
    assert text.splitlines()[0].count("\t") == text.splitlines()[1].count("\t") == 8


@pytest.mark.parametrize("match_type", ["AUTO", "PRODUCT", None])
def test_a_target_is_found_by_its_own_id_and_names_no_expression(match_type: str | None) -> None:
    row = of_kind("raise", match_type=match_type, keyword_text="close-match")
    files = CASES["amazon_ads"].writer.write_bulk_upload(frame(row), CENTS)
    (change,) = CASES["amazon_ads"].writer.read_changes({"bulk.xlsx": files["bulk.xlsx"]})
    assert (change.keyword_id, change.keyword_text) == (row["keyword_id"], "")


def test_a_product_among_search_terms_becomes_a_negative_product() -> None:
    row = of_kind("add_negative", keyword_text="b0abcdefgh")
    files = CASES["amazon_ads"].writer.write_bulk_upload(frame(row), CENTS)
    assert CASES["amazon_ads"].writer.read_changes(files)[0].keyword_text == "b0abcdefgh"
    assert codes("amazon_ads", {**row, "level": "campaign"}) == {"text_is_product"}


def test_microsoft_never_deletes_without_an_id() -> None:
    """A deleted negative without an id would take all negatives of its ad group with it."""
    rows = frame(of_kind("add_keyword", 1), of_kind("add_negative", 2))
    files = CASES["microsoft_ads"].writer.write_bulk_upload(rows, CENTS)
    assert sorted(files) == ["bulk.csv", "rollback_by_hand.csv"]
    assert b"Deleted" not in b"".join(files.values())


def test_a_microsoft_file_has_its_mark_and_version_row() -> None:
    content = CASES["microsoft_ads"].writer.write_bulk_upload(frame(of_kind("raise")), CENTS)
    lines = content["bulk.csv"].decode("utf-8").splitlines()
    assert lines[0].startswith("\ufeffType,")
    assert lines[1] == "Format Version" + "," * lines[0].count(",") + "6.0"


def test_equal_new_bids_of_a_unit_are_one_step() -> None:
    rows = frame(
        of_kind("lower", 1, new_bid=0.9),
        of_kind("raise", 2, new_bid=1.2),
        of_kind("lower", 3, new_bid=0.9),
        of_kind("lower", 4, new_bid=0.9, ad_group_name="other"),
    )
    steps = {change.id: step for step, change in in_steps(forward(rows, CENTS))}
    assert steps["k1"] == steps["k3"]
    assert len(set(steps.values())) == 3


def test_api_calls_take_twenty_keywords_each() -> None:
    rows = frame(*(of_kind("raise", at) for at in range(45)), of_kind("add_keyword", 99))
    files = CASES["taobao"].writer.write_bulk_upload(rows, CENTS)
    *updates, added = json.loads(files["api.json"])["calls"]
    assert [len(call["bidwords"]) for call in updates] == [PER_CALL, PER_CALL, 5]
    assert added["keyword_prices"][0]["matchScope"] == 1
    told = {(one.keyword_id, one.value) for one in read_calls(files["api.json"])}
    listed = {
        (one.keyword_id, one.value)
        for one in CASES["taobao"].writer.read_changes(
            {"change_list.csv": files["change_list.csv"]}
        )
    }
    assert told == listed


def test_word_packages_and_unnumbered_keywords_stay_in_the_list() -> None:
    package = of_kind("raise", 1, target_type="keyword_package")
    writer = CASES["taobao"].writer
    assert "api.json" not in writer.write_bulk_upload(frame(package), CENTS)
    nameless = frame(of_kind("raise", 1, keyword_id=None), of_kind("raise", 2))
    assert sorted(writer.write_bulk_upload(nameless, CENTS)) == [
        "change_list.csv",
        "rollback_change_list.csv",
    ]


@pytest.mark.parametrize("name", CASES)
def test_automated_bidding_takes_no_bid(name: str) -> None:
    assert codes(name, of_kind("raise", bidding_mode="automated")) == {"bidding_automated"}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("column", ["campaign_status", "ad_group_status"])
@pytest.mark.parametrize("status", ["REMOVED", "ARCHIVED", "PAUSED"])
def test_nothing_is_written_under_a_parent_that_is_off(name: str, column: str, status: str) -> None:
    (code,) = codes(name, of_kind("raise", **{column: status}))
    assert code in ("campaign_not_active", "ad_group_not_active")


@pytest.mark.parametrize("name", ["google_ads", "editor", "taobao", "jd"])
def test_an_ad_group_can_have_a_target_of_its_own(name: str) -> None:
    place = {"level": "ad_group", "ad_group_id": "14", "ad_group_name": "双人帐篷"}
    rows = frame(of_kind("set_target", target="cpa", old_bid=30.0, new_bid=27.5, **place))
    files = CASES[name].writer.write_bulk_upload(rows, CENTS)
    back = {file: one for file, one in files.items() if file.startswith("rollback")}
    (undone,) = CASES[name].writer.read_changes(back)
    assert (undone.level, undone.ad_group_name) == ("ad_group", "双人帐篷")
    assert (undone.target, undone.value) == ("cpa", 30)


def test_microsoft_and_amazon_have_no_target_of_an_ad_group() -> None:
    row = of_kind("set_target", level="ad_group", ad_group_id="14", ad_group_name="双人帐篷")
    assert codes("microsoft_ads", row) == {"kind_unsupported"}
    assert codes("amazon_ads", row) == {"kind_unsupported"}


def test_what_runs_already_is_not_resumed() -> None:
    assert codes("google_ads", of_kind("resume", status="ENABLED")) == {"already_enabled"}
    assert codes("google_ads", of_kind("resume", status="REMOVED")) == {"keyword_removed"}
