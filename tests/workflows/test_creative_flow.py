"""A test of creatives from its definition to what became of what was asked for."""

import csv
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from optimizer import workflows
from optimizer.errors import BadSettings, Conflict, Forbidden, NotFound, RefusedInput
from optimizer.settings import CreativeTest
from optimizer.workflows import Workspace
from tests.workflows.shop_account import APPROVER, CONFIGS, OPERATOR, VIEWER

DAY = date(2026, 3, 2)
HEADER = (
    "Day,Ad status,Headline 1,Campaign,Campaign ID,Ad group,Ad group ID,Ad ID,Ad type,Currency code,"
    "Impr.,Clicks,Cost,Conversions,Conv. value\n"
)
WORDS = (
    "Day,Keyword status,Keyword,Match type,Campaign,Campaign ID,Ad group,Ad group ID,Keyword ID,"
    "Currency code,Max. CPC,Impr.,Clicks,Cost,Conversions,Conv. value\n"
)
TITLES = {
    "name": "titles", "campaign": "spring", "ad_group": "shoes", "metric": "ctr",
    "rotation": "even_rotation",
}  # fmt: skip


def ads(as_of: date, shown: dict[str, tuple[str, int, float]], days: int = 30) -> str:
    """Ads by id: status, impressions a day and CTR."""
    rng = np.random.default_rng(4)
    lines = [
        f"{as_of - timedelta(days=ago)},{status},Title {ad},spring,11,shoes,22,{ad},"
        f"Responsive search ad,CNY,{size},{(clicks := rng.poisson(size * ctr))},{clicks * 0.5:.2f},"
        f"{clicks // 20},{clicks // 20 * 40}\n"
        for ad, (status, size, ctr) in shown.items()
        for ago in range(days, 0, -1)
        if size
    ]
    return "Ad report\n\n" + HEADER + "".join(lines)


def words(as_of: date, days: int = 30) -> str:
    lines = (
        f"{as_of - timedelta(days=ago)},Enabled,red shoes,Exact match,spring,11,shoes,22,33,CNY,1.00,"
        "8000,200,100.00,10,400\n"
        for ago in range(days, 0, -1)
    )
    return "Search keyword report\n\n" + WORDS + "".join(lines)


BOTH = {"91": ("Enabled", 4000, 0.03), "92": ("Enabled", 4000, 0.02)}


def take(shop: Workspace, folder: Path, name: str, text: str, as_of: date) -> None:
    path = folder / f"{name}_{as_of}.csv"
    path.write_text(text, encoding="utf-8")
    workflows.import_files(shop, [path], "shop", as_of=as_of, actor=OPERATOR)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An account with money left: the better creative's clicks must be paid for."""
    folder = tmp_path_factory.mktemp("creatives")
    shutil.copytree(CONFIGS, folder / "configs")
    own = folder / "configs" / "accounts" / "shop.yaml"
    own.write_text("currency: CNY\ndaily_budget: 1000\n", encoding="utf-8")
    with workflows.open_workspace(folder / "store", folder / "configs") as workspace:
        take(workspace, folder, "words", words(DAY), DAY)
        take(workspace, folder, "ads", ads(DAY, BOTH), DAY)
    return folder


@pytest.fixture
def shop(imported: Path, tmp_path: Path) -> Iterator[Workspace]:
    shutil.copytree(imported / "store", tmp_path / "store")
    with workflows.open_workspace(tmp_path / "store", imported / "configs") as workspace:
        yield workspace


def reviewed(shop: Workspace, **fields: object) -> pd.DataFrame:
    """The suggestions on creatives once the test is defined."""
    workflows.define_creative_test(shop, "shop", {**TITLES, **fields}, OPERATOR)
    return review(shop)


def review(shop: Workspace, as_of: date = DAY) -> pd.DataFrame:
    rows = workflows.review(shop, "shop", as_of=as_of, actor=OPERATOR).suggestions
    return rows[rows["slot"].eq("creative")].reset_index(drop=True)


def named(rows: pd.DataFrame) -> list[tuple[str, int]]:
    return list(zip(rows["id"], rows["version"].astype(int), strict=True))


def standing(shop: Workspace) -> list[str]:
    rows = workflows.suggestions(shop, "shop", VIEWER)
    return rows.loc[rows["slot"].eq("creative"), "decision"].tolist()


def test_a_test_defined_in_the_application_brings_its_loser_into_the_queue(shop: Workspace) -> None:
    (row,) = reviewed(shop).to_dict("records")
    assert (row["kind"], row["keyword_id"], row["reason"]) == ("pause", "92", "creative_loser")
    found = workflows.suggestion(shop, "shop", row["id"], VIEWER)
    assert (found.evidence["test"], found.evidence["verdict"]) == ("titles", "loser")


def test_without_a_definition_nothing_is_proposed(shop: Workspace) -> None:
    assert review(shop).empty
    assert workflows.creative_tests(shop, "shop", VIEWER).tests["state"].tolist() == [
        "observational"
    ]


def test_a_rejection_holds_in_the_next_review_and_can_be_undone(shop: Workspace) -> None:
    rows = reviewed(shop)
    workflows.reject(shop, "shop", named(rows), OPERATOR, "we like it")
    assert standing(shop) == ["rejected"]
    assert review(shop)["decision"].tolist() == ["rejected"]
    workflows.undo(shop, "shop", named(rows), APPROVER)
    assert standing(shop) == ["proposed"]


def test_a_snooze_puts_it_off(shop: Workspace) -> None:
    rows = reviewed(shop)
    workflows.snooze(shop, "shop", named(rows), OPERATOR, DAY + timedelta(days=3))
    assert standing(shop) == ["snoozed"]


def test_a_lock_keeps_the_creative_as_it_is(shop: Workspace) -> None:
    rows = reviewed(shop)
    workflows.lock(shop, "shop", named(rows)[0], OPERATOR)
    assert standing(shop) == []


def exported(shop: Workspace, folder: Path, rows: pd.DataFrame) -> dict[str, Path]:
    workflows.approve(shop, "shop", named(rows), APPROVER)
    result = workflows.export(shop, "shop", folder / "out", APPROVER)
    return {name.split("_", 2)[2]: path for name, path in result.files.items()}


def test_an_approved_pause_is_written_with_its_rollback(shop: Workspace, tmp_path: Path) -> None:
    files = exported(shop, tmp_path, reviewed(shop))
    told = {
        name: list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        for name, path in files.items()
    }
    assert sorted(told) == ["ads.csv", "rollback_ads.csv"]
    assert [(row["Ad ID"], row["Ad status"]) for row in told["ads.csv"]] == [("92", "Paused")]
    assert told["rollback_ads.csv"][0]["Ad status"] == "Enabled"
    again = workflows.export(shop, "shop", tmp_path / "again", APPROVER, again=last_export(shop))
    assert again.repeated


def last_export(shop: Workspace) -> str:
    return workflows.exports(shop, "shop", VIEWER)[0].export_id


def delivery(shop: Workspace) -> list[tuple[str, str]]:
    rows = workflows.deliveries(shop, "shop", VIEWER).rows
    return list(zip(rows["delivery"], rows["code"].astype("str"), strict=True))


def test_the_next_reports_status_confirms_it(shop: Workspace, tmp_path: Path) -> None:
    exported(shop, tmp_path, reviewed(shop))
    later = {**BOTH, "92": ("Paused", 4000, 0.02)}
    take(shop, tmp_path, "ads", ads(DAY + timedelta(days=1), later), DAY + timedelta(days=1))
    assert delivery(shop) == [("confirmed_live", "approved_value_seen")]


def test_without_a_status_the_impressions_tell(shop: Workspace, tmp_path: Path) -> None:
    """Shown on the day after the export: not live yet; not shown on the next: live."""
    exported(shop, tmp_path, reviewed(shop))
    told = []
    for ago, still in ((2, 4000), (3, 0)):
        as_of = DAY + timedelta(days=ago)
        shown = {**BOTH, "92": ("Enabled", still, 0.02)}
        text = ads(as_of, shown, days=1).replace("Ad status,", "").replace(",Enabled,", ",")
        take(shop, tmp_path, "ads", text, as_of)
        told += delivery(shop)
    assert [state for state, _ in told] == ["exported", "confirmed_live"]


def test_a_pause_that_would_leave_nothing_is_refused_at_export(
    shop: Workspace, tmp_path: Path
) -> None:
    workflows.approve(shop, "shop", named(reviewed(shop)), APPROVER)
    later = {"91": ("Paused", 4000, 0.03), "92": ("Enabled", 4000, 0.02)}
    take(shop, tmp_path, "ads", ads(DAY, later), DAY)
    with pytest.raises(Conflict, match="rows_refused") as raised:
        workflows.export(shop, "shop", tmp_path / "out", APPROVER)
    assert [one["code"] for one in raised.value.fields["rows"]] == ["creative_is_last"]


@pytest.mark.parametrize("change", ["end", "edit"])
def test_what_a_test_no_longer_asks_for_is_not_exported(
    shop: Workspace, tmp_path: Path, change: str
) -> None:
    rows = reviewed(shop)
    workflows.approve(shop, "shop", named(rows), APPROVER)
    if change == "end":
        workflows.end_creative_test(shop, "shop", "titles", OPERATOR)
    else:
        workflows.define_creative_test(shop, "shop", TITLES | {"floor": 0.2}, OPERATOR, version=1)
    tried = workflows.export(shop, "shop", tmp_path / "out", APPROVER, dry_run=True)
    assert [(one["code"], one["test"]) for one in tried.refused] == [
        ("creative_suggestion_outdated", "titles")
    ]
    with pytest.raises(Conflict, match="rows_refused"):
        workflows.export(shop, "shop", tmp_path / "out", APPROVER)
    assert not (tmp_path / "out").exists()


def test_weights_are_approved_together_handed_over_and_become_propensities(
    shop: Workspace, tmp_path: Path
) -> None:
    rows = reviewed(shop, rotation="randomised", arms=["91", "92"])
    result = workflows.approve(shop, "shop", named(rows)[:1], APPROVER)
    assert len(result.changed) == 2
    files = {
        name.split("_", 2)[2]
        for name in workflows.export(shop, "shop", tmp_path / "out", APPROVER).files
    }
    assert "creative_shares.csv" in files
    shares = shop.store.creative_shares("shop")
    assert shares["in_force"].all()
    assert shares["asked"].sum() == pytest.approx(1)


def test_the_definition_may_be_changed_until_it_begins(shop: Workspace) -> None:
    start = str(DAY + timedelta(days=5))
    workflows.define_creative_test(shop, "shop", {**TITLES, "start": start}, OPERATOR)
    changed = {**TITLES, "start": start, "metric": "cvr"}
    found = workflows.define_creative_test(shop, "shop", changed, OPERATOR, version=1)
    assert (found.version, found.test.metric) == (2, "cvr")


def test_what_a_claim_rests_on_is_fixed_once_it_has_begun(shop: Workspace) -> None:
    workflows.define_creative_test(shop, "shop", TITLES, OPERATOR)
    workflows.define_creative_test(shop, "shop", {**TITLES, "floor": 0.2}, OPERATOR, version=1)
    for change in ({"metric": "cvr"}, {"start": str(DAY + timedelta(days=9))}):
        with pytest.raises(Conflict, match="creative_test_begun"):
            workflows.define_creative_test(shop, "shop", TITLES | change, OPERATOR, version=2)


def test_an_ended_test_is_read_and_no_longer_acted_upon(shop: Workspace) -> None:
    workflows.define_creative_test(shop, "shop", TITLES, OPERATOR)
    workflows.end_creative_test(shop, "shop", "titles", OPERATOR)
    assert review(shop).empty
    tests = workflows.creative_tests(shop, "shop", VIEWER).tests.set_index("test")
    assert "titles" in tests.index
    with pytest.raises(Conflict, match="creative_test_ended"):
        workflows.end_creative_test(shop, "shop", "titles", OPERATOR)
    with pytest.raises(NotFound, match="creative_test_missing"):
        workflows.end_creative_test(shop, "shop", "other", OPERATOR)


@pytest.mark.parametrize(
    ("change", "error", "code"),
    [
        ({"arms": ["91", "77"]}, BadSettings, "creative_unknown"),
        ({"ad_group": "hats"}, BadSettings, "creative_test_arms"),
        ({"floor": 2}, RefusedInput, "creative_test_invalid"),
        ({"arms": ["91", "92"], "split": {"91": 0.9, "92": 0.9}}, RefusedInput, "creative_test_in"),
        ({"name": "other"}, RefusedInput, "tests_overlap"),
        ({}, Conflict, "creative_test_exists"),
    ],
)
def test_what_cannot_be_tested_is_refused_by_name(
    shop: Workspace, change: dict[str, object], error: type[Exception], code: str
) -> None:
    workflows.define_creative_test(shop, "shop", TITLES, OPERATOR)
    with pytest.raises(error, match=code):
        workflows.define_creative_test(shop, "shop", {**TITLES, **change}, OPERATOR)


def test_a_floor_for_claims_has_room_for_three(shop: Workspace, tmp_path: Path) -> None:
    more = {str(ad): ("Enabled", 1000, 0.02) for ad in range(91, 95)}
    take(shop, tmp_path, "ads", ads(DAY, more), DAY)
    with pytest.raises(RefusedInput, match="creative_floor_impossible"):
        workflows.define_creative_test(shop, "shop", {**TITLES, "claims_wanted": True}, OPERATOR)


def test_a_viewer_defines_nothing(shop: Workspace) -> None:
    with pytest.raises(Forbidden):
        workflows.define_creative_test(shop, "shop", TITLES, VIEWER)


def test_contradicting_definitions_stop_no_review_of_bids(
    shop: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The creative of the settings' test is shown by no report any more."""
    told = shop.configs.settings("shop")
    bad = CreativeTest(name="t", campaign="spring", ad_group="shoes", arms=("91", "77"))
    account = told.account.model_copy(update={"creative_tests": (bad,)})
    settings = told.model_copy(update={"account": account})
    monkeypatch.setattr(type(shop.configs), "settings", lambda *_: settings)
    report = workflows.review(shop, "shop", as_of=DAY, actor=OPERATOR)
    assert "creative_tests_unread" in {one["code"] for one in report.summary["alerts"]}
