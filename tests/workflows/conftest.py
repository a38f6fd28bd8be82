"""A small synthetic account, imported and reviewed once; every test works on its own copy."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from optimizer import workflows
from optimizer.planning.demo_account import demo_log
from optimizer.planning.market import MarketSettings
from optimizer.planning.market.settings import Size
from optimizer.planning.report_files import keyword_report, search_terms_report
from optimizer.workflows import Workspace
from tests.workflows.shop_account import AS_OF, CONFIGS, OPERATOR

ACCOUNT_YAML = """
currency: CNY
platform: google_ads
margin: 1.0
daily_budget: {budget}
"""


@pytest.fixture(scope="session")
def report_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One keyword report and one search terms report of 40 days."""
    folder = tmp_path_factory.mktemp("reports")
    size = Size(campaigns=4, ad_groups=10, keywords=250, competitor_campaigns=0)
    log = demo_log(MarketSettings(size=size), 7, AS_OF)
    contents = {"keywords.csv": keyword_report, "terms.csv": search_terms_report}
    for name, write in contents.items():
        (folder / name).write_bytes(write(log, AS_OF, 40))
    return [folder / name for name in contents]


@pytest.fixture(scope="session")
def configs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("configured") / "configs"
    shutil.copytree(CONFIGS, folder)
    return folder


@pytest.fixture(scope="session")
def imported(
    tmp_path_factory: pytest.TempPathFactory, report_files: list[Path], configs: Path
) -> Path:
    """A store that holds the reports, and no review yet."""
    folder = tmp_path_factory.mktemp("imported") / "store"
    with workflows.open_workspace(folder, configs) as workspace:
        workflows.import_files(workspace, report_files, "shop", as_of=AS_OF, actor=OPERATOR)
    return folder


@pytest.fixture(scope="session")
def reviewed(tmp_path_factory: pytest.TempPathFactory, imported: Path, configs: Path) -> Path:
    """The same store after a review under a budget somewhat below today's cost."""
    folder = tmp_path_factory.mktemp("reviewed") / "store"
    shutil.copytree(imported, folder)
    with workflows.open_workspace(folder, configs) as workspace:
        free = workflows.review(workspace, "shop", actor=OPERATOR, dry_run=True)
        tight = round(float(free.summary["cost_now"]) * 0.99, 2)
        (configs / "accounts" / "shop.yaml").write_text(ACCOUNT_YAML.format(budget=tight))
        workflows.review(workspace, "shop", actor=OPERATOR)
    return folder


@pytest.fixture
def shop(tmp_path: Path, reviewed: Path, configs: Path) -> Iterator[Workspace]:
    """A reviewed store of one's own."""
    yield from _copy(reviewed, configs, tmp_path / "store")


@pytest.fixture
def unreviewed(tmp_path: Path, imported: Path, configs: Path) -> Iterator[Workspace]:
    """An imported store of one's own."""
    yield from _copy(imported, configs, tmp_path / "store")


def _copy(source: Path, configs: Path, folder: Path) -> Iterator[Workspace]:
    shutil.copytree(source, folder)
    with workflows.open_workspace(folder, configs) as workspace:
        yield workspace
