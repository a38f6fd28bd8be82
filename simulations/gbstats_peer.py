"""GrowthBook's gbstats on the A/A runs of `bench_stopping`, in an environment of its own.

Its pins (numpy below 2, pandas below 2) clash with this program's, so it is run by another Python:
`python3 -m venv V && V/bin/pip install gbstats`, then `bench_stopping --gbstats V/bin/python`. This file imports
nothing else of the program. It reads an .npz of units and events after each look, arrays
(runs, looks) for two arms, and prints how often each of its tests would have named a winner.
"""

from __future__ import annotations

import json
import sys

import numpy as np


def main(path: str) -> None:
    """Chance to win beyond 95 % either way, and the sequential interval without 0, at any look."""
    from gbstats.bayesian.tests import EffectBayesianABTest
    from gbstats.frequentist.tests import SequentialTwoSidedTTest
    from gbstats.models.statistics import ProportionStatistic

    with np.load(path) as told:
        units, events = told["units"], told["events"]
    runs, looks = units.shape[1:]
    found = {"gbstats_chance_to_win": 0, "gbstats_sequential": 0}
    for run in range(runs):
        chance = sequential = False
        for look in range(looks):
            arms = [
                ProportionStatistic(n=int(units[arm, run, look]), sum=int(events[arm, run, look]))
                for arm in (0, 1)
            ]
            chance |= abs(EffectBayesianABTest(*arms).compute_result().chance_to_win - 0.5) > 0.45
            low, high = SequentialTwoSidedTTest(*arms).compute_result().ci
            sequential |= low > 0 or high < 0
        found["gbstats_chance_to_win"] += chance
        found["gbstats_sequential"] += sequential
    print(json.dumps({name: count / runs for name, count in found.items()}))


if __name__ == "__main__":
    main(sys.argv[1])
