"""The predictive check on an account of ninety days, downloaded 45 days ago and today."""

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from optimizer import workflows
from optimizer.errors import RefusedInput
from optimizer.planning.market import MarketSettings, hand_set_bids, make_market, simulate_days
from optimizer.planning.market.settings import Size
from optimizer.planning.report_files import keyword_report
from optimizer.workflows import Workspace
from optimizer.workflows.checking import check_predictive
from tests.workflows.shop_account import AS_OF, CONFIGS, OPERATOR, VIEWER

SIZE = Size(campaigns=4, ad_groups=10, keywords=250, competitor_campaigns=0)
DAYS = 90
THEN = AS_OF - timedelta(days=45)


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The keyword reports of then and now."""
    folder = tmp_path_factory.mktemp("downloads")
    rng, start = np.random.default_rng(7), AS_OF - timedelta(days=DAYS)
    market = make_market(MarketSettings(size=SIZE), start, rng)
    log = simulate_days(market, hand_set_bids(market, DAYS, rng), start, DAYS, rng)
    for day in (THEN, AS_OF):
        days = (day - start).days
        (folder / f"{day}.csv").write_bytes(keyword_report(log, day, days))
    return folder


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checking") / "configs"
    shutil.copytree(CONFIGS, folder)
    (folder / "accounts" / "shop.yaml").write_text("platform: google_ads\nmargin: 0.45\n")
    return folder


@pytest.fixture
def old_and_new(tmp_path: Path, downloads: Path, configured: Path) -> Iterator[Workspace]:
    with workflows.open_workspace(tmp_path / "store", configured) as workspace:
        for day in (THEN, AS_OF):
            file = downloads / f"{day}.csv"
            workflows.import_files(workspace, [file], "shop", as_of=day, actor=OPERATOR)
        yield workspace


def test_what_was_promised_then_came_about_as_promised(old_and_new: Workspace) -> None:
    told = check_predictive(old_and_new, "shop", VIEWER).to_json()
    whole = told["groups"][0]
    assert (whole["amount"], whole["by"]) == ("conversions", "all")
    assert whole["low"] < whole["promised"] < whole["high"]
    assert 0.5 < whole["ratio"] < 2.0
    assert not told["rebuilt"]
    json.dumps(told, allow_nan=False)


def test_groups_by_sparsity_and_by_suggestion_add_up(old_and_new: Workspace) -> None:
    told = check_predictive(old_and_new, "shop", VIEWER).to_json()
    sums = {
        by: sum(
            each["delivered"]
            for each in told["groups"]
            if each["by"] == by and each["amount"] == "conversions"
        )
        for by in ("all", "sparsity", "kind")
    }
    assert sums["sparsity"] == pytest.approx(sums["all"])
    assert sums["kind"] == pytest.approx(sums["all"])


def test_kinds_are_those_of_the_run_that_was_stored(old_and_new: Workspace) -> None:
    before = check_predictive(old_and_new, "shop", VIEWER).to_json()
    workflows.review(old_and_new, "shop", as_of=THEN, actor=OPERATOR)
    assert check_predictive(old_and_new, "shop", VIEWER).to_json() == before


def test_a_review_tells_how_earlier_predictions_fared(old_and_new: Workspace) -> None:
    report = workflows.review(old_and_new, "shop", actor=OPERATOR)
    stored = workflows.latest_review(old_and_new, "shop", VIEWER)
    asked = check_predictive(old_and_new, "shop", VIEWER).to_json()
    told = stored.summary["data"]["predictive"]
    assert told == report.summary["data"]["predictive"]
    assert told["groups"] == [each for each in asked["groups"] if each["by"] != "kind"]


def test_one_long_download_is_checked_without_its_lag(
    tmp_path: Path, downloads: Path, configured: Path
) -> None:
    with workflows.open_workspace(tmp_path / "store", configured) as workspace:
        file = downloads / f"{AS_OF}.csv"
        workflows.import_files(workspace, [file], "shop", as_of=AS_OF, actor=OPERATOR)
        told = check_predictive(workspace, "shop", VIEWER).to_json()
    assert told["rebuilt"]
    assert 0.5 < told["groups"][0]["ratio"] < 2.0


def test_a_short_history_is_refused_and_leaves_the_summary_without(unreviewed: Workspace) -> None:
    with pytest.raises(RefusedInput, match="history_too_short"):
        check_predictive(unreviewed, "shop", VIEWER)
    report = workflows.review(unreviewed, "shop", actor=OPERATOR, dry_run=True)
    assert "predictive" not in report.summary["data"]
