"""What the command line says of a file before it is imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.interfaces.locale import Translator
from optimizer.reports.profiles import FIELDS
from tests.interfaces.test_cli import answer, run

SAMPLES = Path(__file__).parents[1] / "reports" / "data"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_field_of_a_report_has_a_name(language: str) -> None:
    words = Translator(language, "CNY")
    assert [name for name in FIELDS if not words.has_code("column", name)] == []


@pytest.mark.usefixtures("store")
def test_explain_needs_no_account_and_stores_nothing() -> None:
    (found,) = answer("import", "--explain", str(SAMPLES / "google_ads_assets.csv"))
    assert [claim["profile"] for claim in found["claims"]] == ["google_ads_assets"]
    done = run("import", "--explain", str(SAMPLES / "google_ads_assets.csv"), "--lang", "en")
    assert "Asset group" in done.stdout
    assert "it lacks" in done.stdout


@pytest.mark.usefixtures("store")
def test_explain_sends_a_bid_simulator_to_the_review() -> None:
    sample = str(SAMPLES / "google_ads_bid_simulator.csv")
    (found,) = answer("import", "--explain", sample)
    assert found["refused"]["code"] == "report_simulated"
    assert "--landscape" in run("import", "--explain", sample, "--lang", "en").stdout


@pytest.mark.usefixtures("store")
def test_import_without_an_account_is_wrong_usage() -> None:
    assert run("import", str(SAMPLES / "google_ads_assets.csv")).exit_code == 2


@pytest.mark.usefixtures("store")
def test_new_profile_is_written_once(tmp_path: Path) -> None:
    report, out = tmp_path / "odd.csv", tmp_path / "odd.yaml"
    report.write_text("Wort,Clicks,Impr.\nred,1,10\n", encoding="utf-8")
    assert run("profile", "new", str(report), "--out", str(out)).exit_code == 0
    assert out.read_text(encoding="utf-8").count("# confirm") > 3
    assert "confirmed: false" in answer("profile", "new", str(report))["profile"]
    again = run("profile", "new", str(report), "--out", str(out))
    assert again.exit_code == 1


@pytest.mark.usefixtures("store")
def test_negatives_are_told_as_a_list_in_force() -> None:
    sample = str(SAMPLES / "google_ads_negatives.csv")
    arguments = ("import", sample, "--account", "shop", "--accept-quarantine", "--lang", "en")
    done = run(*arguments, "--as-of", "2026-04-20")
    assert "In force from" in done.stdout, done.output
