"""Creative tests from the platform's ad report to what the command says."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from optimizer import workflows
from tests.interfaces.conftest import ACCOUNT, ACCOUNT_YAML, AS_OF, OWNER
from tests.interfaces.test_cli import answer, run

DEFINED = """
creative_tests:
  - {name: titles, campaign: spring, ad_group: shoes, metric: ctr, rotation: even_rotation}
"""
HEADER = (
    "Day,Ad status,Headline 1,Campaign,Ad group,Ad ID,Ad type,Currency code,"
    "Impr.,Clicks,Cost,Conversions,Conv. value\n"
)


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
    return HEADER + "".join(lines)


@pytest.fixture
def tested(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, configs: Path) -> Path:
    """The reviewed account with an ad report and a test defined in its settings."""
    own = tmp_path / "own configs"
    shutil.copytree(configs, own)
    (own / "accounts" / f"{ACCOUNT}.yaml").write_text(ACCOUNT_YAML + DEFINED, encoding="utf-8")
    monkeypatch.setenv("OPTIMIZER_CONFIGS", str(own))
    report = tmp_path / "ads.csv"
    report.write_text("Ad report\n\n" + ad_report(), encoding="utf-8")
    with workflows.open_workspace(store, own) as workspace:
        workflows.import_files(workspace, [report], ACCOUNT, as_of=AS_OF, actor=OWNER)
    return report


@pytest.mark.usefixtures("tested")
def test_the_better_title_wins() -> None:
    (test,) = answer("creatives", "--account", ACCOUNT)["tests"]
    assert (test["test"], test["state"], test["leader"]) == ("titles", "winner", "title 71")
    assert [arm["verdict"] for arm in test["creatives"]] == ["winner", "loser"]


@pytest.mark.usefixtures("tested")
@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "title 71 is better than all others"), ("zh", "title 71 优于其他所有创意")],
)
def test_people_read_who_won_and_what_to_do(language: str, sentence: str) -> None:
    told = run("creatives", "--account", ACCOUNT, "--lang", language)
    assert told.exit_code == 0, told.output
    assert sentence in told.output


@pytest.mark.usefixtures("tested")
def test_an_unknown_test_is_refused() -> None:
    told = run("creatives", "--account", ACCOUNT, "--test", "banners", "--lang", "en")
    assert told.exit_code == 1
    assert "no test called banners" in told.output


@pytest.mark.usefixtures("store")
def test_without_creatives_it_says_so() -> None:
    told = run("creatives", "--account", ACCOUNT, "--lang", "en")
    assert told.exit_code == 0
    assert "no test is defined" in told.output
