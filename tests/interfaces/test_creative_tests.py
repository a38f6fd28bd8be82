"""Creative tests from the platform's ad report to what the command says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from optimizer.interfaces.creative_tests import shown_course
from tests.interfaces.conftest import ACCOUNT
from tests.interfaces.test_cli import answer, run


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


def test_evidence_is_told_alike_in_table_and_plot() -> None:
    days = pd.DataFrame({"evidence": [-0.2, 0.5, 8.0, np.nan]})
    assert shown_course(days)["evidence"].fillna(-1).tolist() == [0.0, 0.5, 1.0, -1.0]
