"""Whole tests lived through: regret, false winners, power, and the replay of a log."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulations.bench_creatives import regrets
from simulations.bench_stopping import CASES, case_figures, starved_coverage
from simulations.creative_worlds import Report, ours, textbook_ts, uniform, value_world
from simulations.replay_creatives import LOG, lift, read_log


def test_the_value_of_clicks_is_earned_where_clicks_alone_mislead() -> None:
    """Six paired worlds in which what is clicked more converts less."""
    seeds = range(6)
    own = np.array(regrets("value_delay", ours("value_per_impression"), seeds))
    even, clicks = (
        np.array(regrets("value_delay", one, seeds)) for one in (uniform, textbook_ts())
    )
    assert own.mean() < 0.75 * even.mean()
    assert own.mean() < clicks.mean()


def test_without_a_floor_regret_is_at_most_that_of_plain_sampling() -> None:
    seeds = range(4)
    own, plain = (regrets("10", one, seeds) for one in (ours("ctr", floor=0.0), textbook_ts()))
    assert np.mean(own) < 1.05 * np.mean(plain)


@pytest.mark.parametrize(
    ("name", "adaptive"),
    [("ctr_2000", True), ("ctr_20000_noise", True), ("ctr_2000", False), ("cvr_300_delayed", True)],
)
def test_sixty_looks_seldom_name_a_false_winner(name: str, adaptive: bool) -> None:
    """500 A/A runs; over 8,000 the worst of them, Thompson sampling at 2,000 a day, is 2.7 %."""
    assert case_figures(CASES[name], adaptive, 500, seed=1)["false"] <= 0.045


def test_peeking_at_the_chance_of_being_best_is_wrong_half_of_the_time() -> None:
    found = case_figures(CASES["ctr_2000"], False, 500, seed=2)
    assert 0.35 < found["peeking_false"] < 0.65
    assert 0.68 < found["power"] < 0.82
    assert found["wrong"] == 0


def test_a_binomial_variance_takes_uneven_days_for_evidence() -> None:
    found = case_figures(CASES["ctr_20000_noise"], False, 500, seed=3)
    assert found["msprt_false"] > 0.2
    assert found["false"] <= 0.03


def test_intervals_of_starved_arms_hold_the_truth_where_pooled_rates_do_not() -> None:
    found = starved_coverage(8, trend=0.6, runs=60, seed=0)
    assert found["starved_share"] < 0.06
    assert 0.86 < found["covers_90"] < 0.94
    assert 0.92 < found["covers_95"] < 0.98
    assert found["naive_covers_90"] < 0.5


def test_reports_hold_back_orders_that_have_not_come() -> None:
    rng = np.random.default_rng(0)
    report = Report(replace(value_world(rng), impressions=40_000_000), rng)
    for _ in range(20):
        report.live(np.full(8, 1 / 8))
    told = report.seen()
    share = told.conversions.sum(axis=0) / (report.clicks * report.world.cvr[:, None]).sum(axis=0)
    np.testing.assert_allclose(share, told.completion, rtol=0.15)


def test_the_shipped_log_gives_an_even_policy_no_lift_and_ours_some() -> None:
    shown, clicked = read_log(LOG)
    even, own = (lift(shown, clicked, one, 8, 0) for one in (uniform, ours("ctr")))
    assert abs(even["lift"]) < 3 * even["error"]
    assert own["lift"] > 3 * own["error"]


def test_rows_of_single_impressions_are_a_log_too(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [f"{arm},1,{int(rng.random() < 0.1)}" for arm in rng.integers(0, 3, 3000)]
    file = tmp_path / "events.csv"
    file.write_text("arm,impressions,clicks\n" + "\n".join(rows), encoding="utf-8")
    shown, clicked = read_log(file)
    assert shown.shape == (3, 30)
    assert shown.sum() == 3000
    assert 200 < clicked.sum() < 400


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("arm,clicks\na,1\n", "no column impressions"),
        ("arm,impressions,clicks\na,1,2\n", "above impressions"),
        ("arm,impressions,clicks\na,five,2\n", "five"),
        ("day,arm,impressions,clicks\n1,a,5,2\n2,b,5,2\n", "no day"),
    ],
)
def test_logs_that_cannot_be_replayed_are_refused(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "log.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=named):
        read_log(file)
