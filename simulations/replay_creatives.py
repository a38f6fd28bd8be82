"""What our allocation would have made of logged, uniformly random traffic.

`python -m simulations.replay_creatives [FILE] [--runs N] [--seed S] [--json] [--record]`

FILE is any CSV with the columns arm, impressions and clicks, of traffic that was shared evenly at
random; rows of one impression and rows of many will both do. A column `day` (or `date`) says which rows are
one batch; without it the rows, in their order, are cut into 30. The shipped log is generated
(`--generate` writes it anew): 10 arms of realistic CTR, 30 days of 20,000 impressions, days that
differ by a tenth.

Replay (Li, Chu, Langford and Wang 2011): each batch the policy names shares, and of each arm's logged
impressions so many are drawn without replacement that the shares are met; it learns from those alone.
All that is drawn was shown at random, so that its CTR is what the policy would have had. A log of K
arms gives the policy a K-th of its traffic. Lift is the policy's CTR over that of the whole log, less
one; its standard error is from the differences between days, so that noise of the log is in it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from simulations.creative_worlds import (
    Policy,
    Report,
    World,
    epsilon_greedy,
    ours,
    textbook_ts,
    uniform,
)

LOG = Path(__file__).with_suffix(".csv")
RECORD = Path(__file__).with_suffix(".json")
BATCHES = 30


def read_log(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Impressions and clicks (arms, batches). Raises `ValueError` naming what is wrong."""
    rows = pd.read_csv(path)
    missing = {"arm", "impressions", "clicks"} - set(rows.columns)
    if missing:
        raise ValueError(f"{path}: no column {', '.join(sorted(missing))}")
    for name in ("impressions", "clicks"):
        rows[name] = pd.to_numeric(rows[name], errors="raise")
    if (rows["clicks"] > rows["impressions"]).any() or (rows[["impressions", "clicks"]] < 0).any(
        axis=None
    ):
        raise ValueError(f"{path}: clicks above impressions, or numbers below 0")
    day = next((name for name in ("day", "date") if name in rows.columns), None)
    batch = rows[day] if day else pd.Series(np.arange(len(rows)) * BATCHES // len(rows))
    shown, clicked = (
        rows.assign(batch=batch).pivot_table(name, "arm", "batch", aggfunc="sum")
        for name in ("impressions", "clicks")
    )
    whole = shown.notna().all() & (shown > 0).all()
    if not whole.any():
        raise ValueError(f"{path}: no day on which every arm was shown")
    return shown.loc[:, whole].to_numpy(dtype=int), clicked.loc[:, whole].to_numpy(dtype=int)


def generate_log(path: Path, seed: int = 11, arms: int = 10, days: int = 30) -> None:
    """The shipped log."""
    rng = np.random.default_rng(seed)
    ctr = rng.beta(40, 1960, arms)[:, None] * np.exp(rng.normal(0, 0.1, days))
    shown = rng.multinomial(20_000, np.full(arms, 1 / arms), days).T
    clicks = rng.binomial(shown, ctr)
    day = pd.date_range("2026-09-01", periods=days).strftime("%Y-%m-%d")
    rows = pd.DataFrame(
        {
            "day": np.tile(day, arms),
            "arm": np.repeat([f"creative_{arm:02d}" for arm in range(arms)], days),
            "impressions": shown.ravel(),
            "clicks": clicks.ravel(),
        }
    )
    rows.sort_values(["day", "arm"]).to_csv(path, index=False, lineterminator="\n")


class Replay(Report):
    """A report whose days are drawn from the log as the policy's shares ask."""

    def __init__(self, shown: np.ndarray, clicked: np.ndarray, rng: np.random.Generator) -> None:
        arms, days = shown.shape
        super().__init__(World(np.zeros((arms, days)), np.zeros(arms), 0), rng)
        self._shown, self._clicked, self._draw = shown, clicked, rng

    def live(self, shares: np.ndarray) -> None:
        """One batch: as many impressions as the arm with the fewest has, shared as asked."""
        shown, clicked = self._shown[:, self.day], self._clicked[:, self.day]
        budget = int(shown.min())
        asked = np.minimum(self._draw.multinomial(budget, shares / shares.sum()), shown)
        got = self._draw.hypergeometric(clicked, shown - clicked, asked)
        self.impressions = np.column_stack([self.impressions, asked])
        self.clicks = np.column_stack([self.clicks, got])
        self.arrived = np.column_stack([self.arrived, np.zeros(len(asked))])


def replayed(
    shown: np.ndarray, clicked: np.ndarray, policy: Policy, rng: np.random.Generator
) -> np.ndarray:
    """Clicks per batch less what the whole log's CTR of that batch would give, over impressions."""
    replay = Replay(shown, clicked, rng)
    for _ in range(shown.shape[1]):
        replay.live(policy(replay, rng))
    usual = clicked.sum(axis=0) / shown.sum(axis=0)
    return replay.clicks.sum(axis=0) / replay.impressions.sum(axis=0) - usual


def lift(
    shown: np.ndarray, clicked: np.ndarray, policy: Policy, runs: int, seed: int
) -> dict[str, float]:
    """Mean lift over runs of drawing; its standard error from the spread of their mean over days."""
    gains = [
        replayed(shown, clicked, policy, np.random.default_rng([seed, run])) for run in range(runs)
    ]
    by_day = np.mean(gains, axis=0) / (clicked.sum() / shown.sum())
    error = by_day.std(ddof=1) / np.sqrt(len(by_day))
    return {"lift": round(float(by_day.mean()), 4), "error": round(float(error), 4)}


def measure(path: Path, runs: int, seed: int) -> dict[str, Any]:
    """Every policy's lift, and that of having known the log's best arm all along."""
    shown, clicked = read_log(path)
    ctr = clicked.sum(axis=1) / shown.sum(axis=1)
    policies = {
        "uniform": uniform,
        "epsilon_greedy": epsilon_greedy("ctr"),
        "ctr_ts": textbook_ts(),
        "ours": ours("ctr"),
        "ours_no_floor": ours("ctr", floor=0.0),
    }
    return {
        "arms": len(ctr),
        "batches": shown.shape[1],
        "impressions": int(shown.sum()),
        "best_arm_lift": round(float(ctr.max() / (clicked.sum() / shown.sum()) - 1), 4),
        "lifts": {
            name: lift(shown, clicked, policy, runs, seed) for name, policy in policies.items()
        },
    }


def show(result: dict[str, Any]) -> None:
    """The figures for people."""
    print(
        f"{result['arms']} arms, {result['batches']} batches, {result['impressions']:,} impressions"
    )
    for name, told in result["lifts"].items():
        print(f"{name:18s}{told['lift']:+8.1%} ± {told['error']:.1%}")
    print(f"{'best arm, known':18s}{result['best_arm_lift']:+8.1%} (chosen after the fact)")


def main() -> None:
    """Replay one log."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", default=LOG)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--generate", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    if asked.generate:
        generate_log(LOG)
    name = "" if asked.file == LOG else f" {asked.file.name}"
    command = f"python -m simulations.replay_creatives{name} --runs {asked.runs} --seed {asked.seed} --json"
    result = {"command": command, **measure(asked.file, asked.runs, asked.seed)}
    print(json.dumps(result)) if asked.json else show(result)
    if asked.record:
        RECORD.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
