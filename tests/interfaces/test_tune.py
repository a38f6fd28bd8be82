"""`optimizer tune` at the command line."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from optimizer import workflows
from optimizer.errors import RefusedInput
from optimizer.interfaces.cli import app
from optimizer.planning.policies import PolicySettings
from optimizer.settings import load_model
from optimizer.tables import Actor

TINY = """
size: {campaigns: 1, ad_groups: 2, keywords: 8, brand_campaigns: 0, competitor_campaigns: 0,
       automated_campaigns: 0, horizon_days: 40}
demand: {median: 60}
"""


@pytest.fixture
def markets(tmp_path: Path) -> list[str]:
    named = []
    for option, name in (("--market", "tiny"), ("--held-out", "other")):
        path = tmp_path / f"{name}.yaml"
        path.write_text(TINY, encoding="utf-8")
        named += [option, str(path)]
    return [*named, "--store", str(tmp_path / "store"), "--days", "4", "--jobs", "1"]


def run(*arguments: str):
    return CliRunner().invoke(app, ["tune", *arguments])


def test_a_study_is_told_kept_and_gone_on_with(markets: list[str], tmp_path: Path) -> None:
    out = tmp_path / "tuned.yaml"
    asked = [*markets, "--seeds", "2", "--held-out-seeds", "5", "--trials", "2"]
    answer = json.loads(run(*asked, "--json").stdout)
    assert answer["trials"] == 2
    assert answer["decided"] in ("tuned", "kept")
    assert (tmp_path / "store" / "studies.sqlite").exists()
    done = run(*asked, "--lang", "zh", "--out", str(out))
    assert done.exit_code == 0
    assert answer["study"] in done.stdout
    assert isinstance(load_model(out, PolicySettings), PolicySettings)
    above = out.read_text(encoding="utf-8").partition("\n\n")[0]
    evidence = yaml.safe_load("\n".join(line.removeprefix("# ") for line in above.splitlines()))
    assert evidence.items() >= answer.items()
    assert run(*asked, "--out", str(out), "--json").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--held-out-seeds", "3"], "held_out_too_few"),
        (["--days", "34"], "market_too_short"),
        (["--policy", "hold"], "policy_not_tunable"),
        (["--storage", "nonsense"], "study_storage_unusable"),
        (["--out", "nowhere/tuned.yaml"], "folder_unwritable"),
        (["--market", "nowhere"], "market_not_found"),
    ],
)
def test_what_cannot_be_tuned_is_refused_by_name(
    markets: list[str], arguments: list[str], code: str
) -> None:
    done = run(*markets, *arguments, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["code"] == code


def test_a_market_of_the_same_name_cannot_judge_itself(markets: list[str]) -> None:
    done = run(*markets, "--held-out", markets[1], "--json")
    assert json.loads(done.stdout)["error"]["code"] == "held_out_market_tuned"


def test_a_file_that_exists_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "mine.yaml"
    out.write_text("every_days: 9\n", encoding="utf-8")
    with pytest.raises(RefusedInput, match="file_exists"):
        workflows.tune(None, tmp_path, Actor("me", "operator"), markets=["small_shop"], out=out)
    assert out.read_text(encoding="utf-8") == "every_days: 9\n"
