"""A small synthetic account, imported and reviewed once; every test works on its own copy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import streamlit as st

from optimizer import workflows
from optimizer.planning.demo_account import demo_log
from optimizer.planning.market import MarketSettings
from optimizer.planning.market.settings import Size
from optimizer.planning.report_files import keyword_report, search_terms_report
from optimizer.tables import Actor

AS_OF = date(2026, 4, 20)
ACCOUNT = "shop"
CONFIGS = Path(__file__).parents[2] / "configs"
OWNER = Actor("owner", "admin")
ACCOUNT_YAML = "currency: CNY\nplatform: google_ads\nmargin: 0.6\ndaily_budget: 400\n"


@pytest.fixture(scope="session")
def configs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("configured") / "configs"
    shutil.copytree(CONFIGS, folder)
    (folder / "accounts" / f"{ACCOUNT}.yaml").write_text(ACCOUNT_YAML, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def report_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("reports")
    size = Size(campaigns=4, ad_groups=8, keywords=160, competitor_campaigns=0)
    log = demo_log(MarketSettings(size=size), 7, AS_OF)
    (folder / "keywords.csv").write_bytes(keyword_report(log, AS_OF, 40))
    (folder / "terms.csv").write_bytes(search_terms_report(log, AS_OF, 40))
    return [folder / "keywords.csv", folder / "terms.csv"]


@pytest.fixture(scope="session")
def reviewed(
    tmp_path_factory: pytest.TempPathFactory, report_files: list[Path], configs: Path
) -> Path:
    folder = tmp_path_factory.mktemp("reviewed") / "store"
    with workflows.open_workspace(folder, configs) as workspace:
        workflows.import_files(workspace, report_files, ACCOUNT, as_of=AS_OF, actor=OWNER)
        workflows.review(workspace, ACCOUNT, actor=OWNER)
    return folder


@pytest.fixture
def store(
    reviewed: Path, configs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A reviewed store of the test's own, which command line and pages find by themselves."""
    folder = tmp_path / "store"
    shutil.copytree(reviewed, folder)
    monkeypatch.setenv("OPTIMIZER_STORE", str(folder))
    monkeypatch.setenv("OPTIMIZER_CONFIGS", str(configs))
    yield folder
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def workspace(store: Path, configs: Path) -> Iterator[workflows.Workspace]:
    with workflows.open_workspace(store, configs) as opened:
        yield opened
