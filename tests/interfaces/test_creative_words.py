"""What people read of a suggestion on a creative, and of what was served."""

import pandas as pd
import pytest

from optimizer.interfaces.creative_tests import served_lines, share_badge, state_lines
from optimizer.interfaces.evidence import evidence_lines
from optimizer.interfaces.locale import Translator

ROW = {"slot": "creative", "kind": "pause", "reason": "creative_loser", "delta_clicks": 40.0}
TOLD = {
    "test": "titles", "metric": "ctr", "metric_mean": 0.02, "metric_low": 0.019,
    "metric_high": 0.021, "leader_mean": 0.03, "p_best": 0.0, "share_now": 0.5,
    "share_planned": 0.0, "share_asked": 0.0, "evidence": 3.0, "days": 30,
}  # fmt: skip


def test_the_evidence_names_the_test_the_rates_and_the_proof() -> None:
    lines = evidence_lines(Translator("en", "CNY"), ROW, TOLD)
    assert lines[0] == "proven worse than the creative that is ahead"
    assert "Test titles: CTR 2.0%" in lines[1]
    assert lines[1].endswith("ahead 3.0%.")
    assert any("100%" in line for line in lines)


def test_what_keeps_profit_from_being_known_is_named() -> None:
    lines = evidence_lines(Translator("en", "CNY"), ROW, {**TOLD, "profit_untold": "cost"})
    assert lines[-1].startswith("Reports tell no cost")


def test_profit_is_told_where_another_metric_decides() -> None:
    profit = {"profit_mean": 0.07, "profit_low": 0.06, "profit_high": 0.08, "profit_untold": ""}
    lines = evidence_lines(Translator("en", "CNY"), ROW, {**TOLD, **profit})
    assert lines[-1].startswith("Profit per thousand impressions")
    assert "70" in lines[-1]
    own = evidence_lines(
        Translator("en", "CNY"), ROW, {**TOLD, **profit} | {"metric": "profit_per_impression"}
    )
    assert not any("Profit per thousand impressions 7" in line for line in own)


def test_unknown_figures_are_dashes() -> None:
    unknown = {**TOLD, "metric_mean": None, "metric_low": None, "evidence": None, "p_best": None}
    assert any("–" in line for line in evidence_lines(Translator("zh", "CNY"), ROW, unknown))


@pytest.mark.parametrize(("served", "warned"), [(0.93, False), (0.5, True), (None, False)])
def test_what_is_not_served_as_asked_is_told(served: float | None, warned: bool) -> None:
    row = {"entity_key": 1, "share": 0.9, "asked": 0.9, "as_of": pd.Timestamp("2026-06-01")}
    arms = pd.DataFrame({"entity_key": [1], "creative_name": ["Title"]})
    frame = pd.DataFrame([{**row, "served": served}]).astype({"served": "float64"})
    lines = served_lines(Translator("en", "CNY"), frame, arms)
    assert lines[0].startswith("Title: planned 90")
    assert (len(lines) == 2) == warned


@pytest.mark.parametrize(
    ("p", "state", "told", "colour"),
    [
        (None, "running", "not tested", "gray"),
        (0.4, "running", "as planned", "green"),
        (1e-9, "shares_off", "off plan by 3", "red"),
    ],
)
def test_the_badge_says_whether_shares_are_as_planned(
    p: float | None, state: str, told: str, colour: str
) -> None:
    row = {"served_p": p, "served_off": 0.03, "state": state}
    text, shown = share_badge(Translator("en", "CNY"), row)
    assert told in text
    assert shown == colour


def test_nothing_is_proven_against_the_creative_that_is_ahead() -> None:
    lines = evidence_lines(Translator("en", "CNY"), ROW, {**TOLD, "evidence": None})
    assert not any("Evidence" in line for line in lines)


@pytest.mark.parametrize(("metric", "said"), [("ctr", "In profit, which"), ("cpa", "In profit, which"),
                                              ("profit_per_impression", "Stopping now")])  # fmt: skip
def test_what_stopping_forgoes_says_whether_the_test_decides_by_it(metric: str, said: str) -> None:
    test = {
        "metric": metric, "mode": "find", "rotation": "randomised", "state": "running",
        "arms": 2, "days": 9, "impressions_per_day": 600.0, "leader": "red",
        "forgone_per_day": 7.13, "days_needed": 0, "events_needed": 0, "served_off": 0.0,
    }  # fmt: skip
    line = state_lines(Translator("en", "CNY"), test)[-1]
    assert line.startswith(said)
    assert "7.13" in line
