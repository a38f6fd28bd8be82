"""Creatives in the files of every platform: on and off by id, weights as a list for a person."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from optimizer.errors import Conflict
from optimizer.review.exports import refusals_of, write_files
from optimizer.review.exports.changes import Change, backward, forward
from optimizer.review.exports.weights import read_weights
from tests.review.exports.export_rows import CASES, CENTS, Case, frame, of_kind
from tests.review.exports.test_golden import as_text

GOLDEN = Path(__file__).parent / "golden_creatives"
BY_FILE = {name: case for name, case in CASES.items() if name != "editor"}
every_writer = pytest.mark.parametrize("case", BY_FILE.values(), ids=BY_FILE.keys())


def creative(kind: str, number: int, **values: Any) -> dict[str, Any]:
    own = {"keyword_text": f"Title {number} | More", "match_type": None, "bid_source": None}
    amounts = {"old_bid": None, "new_bid": None, "current_bid": None}
    return of_kind(kind, number, **{**own, **amounts, "level": "creative", **values})


def rows(*more: dict[str, Any]) -> pd.DataFrame:
    found = frame(creative("pause", 1), creative("resume", 2), *more)
    return found.assign(creatives_left=float("nan"))


def weight(number: int, now: float, asked: float) -> dict[str, Any]:
    own = {"old_bid": now, "new_bid": asked, "status": "ENABLED"}
    return creative("shift_creative", number, **own)


def seen(case: Case, change: Change) -> Change:
    """What a file tells of an ad: Google, Amazon and Microsoft know it by its id alone."""
    silent = {} if case.platform in ("taobao", "jd", "baidu", "pinduoduo") else {"keyword_text": ""}
    return replace(case.seen(change), match_type="", **silent)


@every_writer
def test_on_and_off_are_read_back_with_what_undoes_them(case: Case) -> None:
    files = case.writer.write_bulk_upload(rows(), CENTS)
    for rollback, wanted in ((False, forward(rows(), CENTS)), (True, backward(rows(), CENTS))):
        part = {name: one for name, one in files.items() if name.startswith("rollback") == rollback}
        found = case.writer.read_changes(part)
        assert sorted(found, key=repr) == sorted((seen(case, one) for one in wanted), key=repr)
    assert [one.action for one in backward(rows(), CENTS)] == ["resume", "pause"]


@every_writer
def test_files_of_creatives_are_the_golden_ones(case: Case) -> None:
    folder = GOLDEN / case.platform
    given = rows(of_kind("pause", 3), weight(4, 1 / 3, 0.45), weight(5, 2 / 3, 0.55))
    files = write_files(case.writer, case.platform, given, CENTS)
    written = dict(as_text(name, content) for name, content in files.items())
    assert sorted(written) == sorted(path.name for path in folder.iterdir())
    for name, content in written.items():
        assert content == (folder / name).read_bytes(), name


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"status": "PAUSED"}, "creative_already_paused"),
        ({"status": "REMOVED"}, "creative_removed"),
        ({"keyword_id": None}, "id_missing"),
        ({"campaign_status": "PAUSED"}, "campaign_not_active"),
        ({"creatives_left": 0.0}, "creative_is_last"),
    ],
)
def test_a_creative_that_cannot_be_paused_is_refused(change: dict[str, Any], code: str) -> None:
    bad = frame(creative("pause", 1)).assign(**{"creatives_left": 1.0, **change})
    for name in ("google_ads", "amazon_ads", "microsoft_ads"):
        assert code in {one.code for one in CASES[name].writer.refusals(bad, CENTS)}, name


def test_creatives_of_one_text_are_no_duplicates() -> None:
    alike = [creative("pause", number, keyword_text="Title") for number in (1, 2)]
    given = frame(*alike).assign(creatives_left=2.0)
    assert CASES["google_ads"].writer.refusals(given, CENTS) == []
    twice = frame(alike[0], {**alike[0], "id": "again"}).assign(creatives_left=2.0)
    codes = {one.code for one in CASES["google_ads"].writer.refusals(twice, CENTS)}
    assert codes == {"duplicate_row"}


def test_editor_cannot_name_an_ad() -> None:
    refused = CASES["editor"].writer.refusals(rows(), CENTS)
    assert {one.code for one in refused if one.id == "k1"} >= {"kind_unsupported"}


@pytest.mark.parametrize("platform", ["google_ads", "taobao"])
def test_weights_are_read_back_and_undone(platform: str) -> None:
    given = frame(weight(1, 0.3, 0.437), weight(2, 0.7, 0.563)).assign(creatives_left=float("nan"))
    files = write_files(CASES[platform].writer, platform, given, CENTS)
    done = read_weights(files["creative_shares.csv"], platform)
    undone = read_weights(files["rollback_creative_shares.csv"], platform)
    assert [(one["keyword_id"], one["was"], one["share"]) for one in done] == [
        ("300000000001", "30.0%", "43.7%"),
        ("300000000002", "70.0%", "56.3%"),
    ]
    assert [one["share"] for one in undone] == [one["was"] for one in done]
    assert done[0]["keyword_text"] == "Title 1 | More"


def test_a_weight_of_a_creative_that_is_off_is_refused_with_all_others() -> None:
    given = frame(creative("pause", 1), weight(2, 0.3, 0.4) | {"status": "PAUSED"})
    given = given.assign(creatives_left=float("nan"))
    writer = CASES["google_ads"].writer
    assert [one.code for one in refusals_of(writer, given, CENTS)] == ["creative_removed"]
    with pytest.raises(Conflict, match="rows_refused"):
        write_files(writer, "google_ads", given, CENTS)
