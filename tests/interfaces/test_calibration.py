"""The predictive check in words."""

from typing import Any

import pytest

from optimizer.interfaces.calibration import check_lines, group_rows
from optimizer.interfaces.locale import Translator

GROUP = {"keywords": 40, "clicks": 812.0, "promised": 30.2, "low": 22.0, "high": 39.4}
GROUP |= {"delivered": 28.0, "ratio": 30.2 / 28, "inside": True}


def told(rebuilt: bool = False) -> dict[str, Any]:
    groups = [("all", "all"), ("sparsity", "1-2"), ("kind", "raise"), ("kind", "none")]
    return {
        "believed_on": "2026-01-16",
        "first_day": "2026-01-16",
        "last_day": "2026-01-29",
        "rebuilt": rebuilt,
        "groups": [
            {"amount": "conversions", "by": by, "group": name, **GROUP} for by, name in groups
        ],
    }


@pytest.mark.parametrize("language", ["zh", "en"])
def test_one_line_says_what_was_promised_and_what_came(language: str) -> None:
    (line,) = check_lines(Translator(language), {"predictive": told()})
    assert all(number in line for number in ("30.2", "22", "39.4", "28", "1.08"))
    assert "{" not in line


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_is_not_on_trial_is_said(language: str) -> None:
    words = Translator(language)
    (rebuilt,) = check_lines(words, {"predictive": told(rebuilt=True)})
    (plain,) = check_lines(words, {"predictive": told()})
    assert rebuilt.startswith(plain)
    assert len(rebuilt) > len(plain) + 5


def test_a_short_history_says_nothing_and_a_problem_says_why() -> None:
    words = Translator("en")
    assert check_lines(words, {}) == []
    problem = {"problem": "value_unknown", "fields": {"account": "shop", "key": "k"}}
    (line,) = check_lines(words, {"predictive": problem})
    assert "shop" in line


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_group_has_a_name(language: str) -> None:
    rows = group_rows(Translator(language), told(), "conversions")
    assert len({row[0] for row in rows}) == 4
    assert all(row[3] == "30.2 [22, 39.4]" for row in rows)
