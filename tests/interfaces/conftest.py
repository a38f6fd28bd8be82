"""A small synthetic account, imported and reviewed once; every test works on its own copy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
import streamlit as st

from optimizer import workflows
from optimizer.interfaces import opened
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
CREATIVE_TEST = """
creative_tests:
  - {name: titles, campaign: spring, ad_group: shoes, metric: ctr, rotation: even_rotation}
"""
AD_HEADER = (
    "Day,Ad status,Headline 1,Campaign,Ad group,Ad ID,Ad type,Currency code,"
    "Impr.,Clicks,Cost,Conversions,Conv. value\n"
)


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
    monkeypatch.setattr(opened, "PATIENCE", None)
    yield folder
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def workspace(store: Path, configs: Path) -> Iterator[workflows.Workspace]:
    with workflows.open_workspace(store, configs) as opened:
        yield opened


def ad_report(days: int = 40) -> str:
    rng = np.random.default_rng(1)
    lines = []
    for number in range(days):
        day = AS_OF - timedelta(days=days - number)
        for ad, rate in ((71, 0.03), (72, 0.02)):
            clicks = rng.poisson(4000 * rate)
            orders = rng.binomial(clicks, 0.1)
            lines.append(
                f"{day},Enabled,title {ad},spring,shoes,{ad},Responsive search ad,CNY,"
                f"4000,{clicks},{clicks * 0.5:.2f},{orders},{orders * 40}\n"
            )
    return AD_HEADER + "".join(lines)


@pytest.fixture
def tested(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, configs: Path) -> Path:
    """The reviewed account with an ad report and a test defined in its settings."""
    own = tmp_path / "own configs"
    shutil.copytree(configs, own)
    (own / "accounts" / f"{ACCOUNT}.yaml").write_text(
        ACCOUNT_YAML + CREATIVE_TEST, encoding="utf-8"
    )
    monkeypatch.setenv("OPTIMIZER_CONFIGS", str(own))
    report = tmp_path / "ads.csv"
    report.write_text("Ad report\n\n" + ad_report(), encoding="utf-8")
    with workflows.open_workspace(store, own) as workspace:
        workflows.import_files(workspace, [report], ACCOUNT, as_of=AS_OF, actor=OWNER)
    return report
