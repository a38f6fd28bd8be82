"""The back-test of an imported account."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from optimizer import workflows
from optimizer.errors import NotFound, RefusedInput
from optimizer.interfaces.json_values import json_text
from optimizer.planning.demo_account import demo_log
from optimizer.planning.market import MarketSettings
from optimizer.planning.market.settings import Size
from optimizer.planning.report_files import keyword_report
from optimizer.workflows import Workspace
from tests.workflows.shop_account import AS_OF, OPERATOR, VIEWER

EARLY = AS_OF - timedelta(days=14)


@pytest.fixture(scope="session")
def two_downloads(tmp_path_factory: pytest.TempPathFactory, configs: Path) -> Path:
    """Sixty days of a small shop, downloaded two weeks ago and today."""
    folder = tmp_path_factory.mktemp("twice")
    size = Size(campaigns=3, ad_groups=6, keywords=60, competitor_campaigns=0)
    log = demo_log(MarketSettings(size=size), 7, AS_OF)
    with workflows.open_workspace(folder / "store", configs) as workspace:
        for as_of, days in ((EARLY, 46), (AS_OF, 60)):
            file = folder / f"{as_of}.csv"
            file.write_bytes(keyword_report(log, as_of, days))
            workflows.import_files(workspace, [file], "twice", as_of=as_of, actor=OPERATOR)
    return folder / "store"


@pytest.fixture
def twice(two_downloads: Path, configs: Path) -> Iterator[Workspace]:
    with workflows.open_workspace(two_downloads, configs) as workspace:
        yield workspace


def test_weeks_rest_on_reports_of_their_time_where_there_are_any(twice: Workspace) -> None:
    report = workflows.backtest(twice, "twice", VIEWER, weeks=2)
    told = report.frame.groupby("first_day")["rebuilt"].first()
    newest = told.index.max().date()
    assert newest <= AS_OF - timedelta(days=7 + report.backtest.wait_days)
    assert told.tolist() == [day.date() < EARLY for day in told.index]
    assert len(report.frame) == 5 * len(told)
    answer = json.loads(json_text(report.to_json()))
    assert set(answer["scores"]) == {"spend", "clicks", "orders", "value", "profit"}
    assert answer["weeks"][0]["first_day"] == told.index.min().date().isoformat()


def test_nothing_is_stored_and_the_same_is_told_again(twice: Workspace) -> None:
    first = workflows.backtest(twice, "twice", VIEWER, weeks=1)
    assert workflows.backtest(twice, "twice", VIEWER, weeks=1) == first
    with pytest.raises(NotFound):
        workflows.latest_review(twice, "twice", VIEWER)


def test_an_account_too_young_is_told_when_it_will_do(unreviewed: Workspace) -> None:
    with pytest.raises(RefusedInput) as refused:
        workflows.backtest(unreviewed, "shop", VIEWER)
    assert refused.value.code == "backtest_too_short"
    feasible = refused.value.fields["feasible"]
    assert isinstance(feasible, date)
    assert feasible > AS_OF


def test_an_unknown_account_is_refused(unreviewed: Workspace) -> None:
    with pytest.raises(NotFound):
        workflows.backtest(unreviewed, "nobody", VIEWER)
