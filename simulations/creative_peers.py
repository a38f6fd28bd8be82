"""mabwiser as a peer of the creative tests; a development-only package, `pip install mabwiser`.

It resolves beside this program's own pins (2.7.4, November 2026), but is no dependency: where it is
absent the benchmarks say so and leave its figures out.
"""

from __future__ import annotations

import time
from importlib import util
from typing import Any

import numpy as np

from simulations.creative_worlds import Policy, Report

ABSENT = "mabwiser is not installed (pip install mabwiser): its figures are left out"
PREDICTIONS = 200


def installed() -> bool:
    return util.find_spec("mabwiser") is not None


def _bandit(arms: int, seed: int) -> Any:
    from mabwiser.mab import MAB, LearningPolicy

    return MAB(list(range(arms)), LearningPolicy.ThompsonSampling(), seed=seed)


def _rows(shown: np.ndarray, got: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One row per impression: its arm, and whether it was clicked (or has led to an order so far)."""
    arm = np.repeat(np.arange(len(shown)), shown)
    rank = np.arange(len(arm)) - np.repeat(np.cumsum(shown) - shown, shown)
    return arm, (rank < got[arm]).astype(int)


def mabwiser_ts(metric: str) -> Policy:
    """Its Thompson sampling; shares from 200 predictions.

    Clicks are added day by day; orders that come late make it start anew each morning.
    """
    kept: dict[str, Any] = {}

    def learn(report: Report, rng: np.random.Generator) -> Any:
        if metric == "ctr" and report.day > 1:
            last = report.impressions[:, -1].astype(int), report.clicks[:, -1].astype(int)
            kept["bandit"].partial_fit(*_rows(*last))
            return kept["bandit"]
        got = report.clicks if metric == "ctr" else report.arrived
        kept["bandit"] = _bandit(report.world.arms, int(rng.integers(2**31)))
        sums = [part.sum(axis=1).astype(int) for part in (report.impressions, got)]
        kept["bandit"].fit(*_rows(*sums))
        return kept["bandit"]

    def decide(report: Report, rng: np.random.Generator) -> np.ndarray:
        arms = report.world.arms
        if report.day == 0:
            return np.full(arms, 1 / arms)
        bandit = learn(report, rng)
        chosen = [bandit.predict() for _ in range(PREDICTIONS)]
        return np.bincount(chosen, minlength=arms) / PREDICTIONS

    return decide


def decisions_per_second(arms: int, calls: int = 20_000) -> float:
    """Draws of every arm and choices of the best, by calling `predict` over and over."""
    rng = np.random.default_rng(0)
    bandit = _bandit(arms, 0)
    bandit.fit(rng.integers(0, arms, 50_000), rng.binomial(1, 0.02, 50_000))
    began = time.perf_counter()
    for _ in range(calls):
        bandit.predict()
    return calls / (time.perf_counter() - began)
