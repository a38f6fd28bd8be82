"""How well late conversions are completed: bias and coverage with and without.

`python -m simulations.bench_lag [--seed S] [--seeds N] [--keywords K] [--json] [--record]`

Rates worlds of 60 days under three schedules of restated downloads (daily, weekly, irregular; the
first 40 days ago) and four lags: exponential with mean 6 days, lognormal, two speeds, and exponential
with 15 % of the orders taken back later. Per case: log error of F and the coverage of its 80 %
interval at ages 1, 2, 4, 7 and 14 days; then conversion rates from the last 30 days, weighted by
expected clicks, and the coverage of keywords' 80 % intervals, with completion, without, and with the
stated lag alone. `--record` keeps the result in `bench_lag.json` beside this file.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from optimizer.estimates.conversion_lag import (
    Completion,
    Lags,
    estimate_completion,
    estimate_lags,
    stated_lags,
)
from optimizer.estimates.exposure import day_number, exposure_weights, records
from optimizer.estimates.posteriors import group_sum
from optimizer.estimates.rates import estimate_dispersion, fit_rates
from optimizer.settings import LagPrior
from simulations.lag_worlds import LONGEST, Lived, day_of, live, true_completion
from simulations.rate_worlds import rates_truth

RECORD = Path(__file__).with_suffix(".json")
TODAY, WINDOW = 60, 30
AGES = np.array([1, 2, 4, 7, 14])
SCHEDULES = {
    "daily": tuple(range(TODAY - 40, TODAY + 1)),
    "weekly": tuple(range(TODAY - 42, TODAY + 1, 7)),
    "irregular": (TODAY - 37, TODAY - 35, TODAY - 24, TODAY - 20, TODAY - 11, TODAY - 3, TODAY),
}
CASES = {
    "exponential": ("exponential", 0.0),
    "lognormal": ("lognormal", 0.0),
    "two_speeds": ("two_speeds", 0.0),
    "taken_back": ("exponential", 0.15),
}
PRIOR = LagPrior()
Z80 = 1.2816


def rates(lived: Lived, lags: Lags, keep: float) -> tuple[float, float]:
    """Weighted bias of the rates and the coverage of their 80 % intervals, of clicked keywords.

    `keep` is the share of orders that stay in the end: the rate that matters.
    """
    truth = lived.truth
    daily = lived.daily(TODAY, TODAY - WINDOW)
    rows = records(daily, lived.keywords()["entity_key"])
    today = day_number(day_of(TODAY))
    weights = exposure_weights(rows, today, (lags, lags), lived.campaign(), None, 0.1)
    size, used = len(truth.rate), weights.used
    exposure = group_sum(rows.unit, rows.clicks * weights.exposure, size)
    counts = group_sum(rows.unit[used], rows.conversions[used], size)
    clicks = (rows.clicks * weights.exposure)[used]
    dispersion = estimate_dispersion(rows.conversions[used], clicks, rows.unit[used], size)
    fit = fit_rates(counts, exposure, truth.parents, dispersion=dispersion)
    rate = truth.rate * keep
    low, high = fit.posterior.interval(0.8)
    inside = ((rate >= low) & (rate <= high))[exposure > 0]
    bias = (fit.posterior.mean * truth.demand).sum() / (rate * truth.demand).sum() - 1
    return float(bias), float(inside.mean())


def complete_at_once(campaigns: int) -> Lags:
    """No completion: every conversion counts as known."""
    whole = Completion(np.ones(LONGEST + 1), np.zeros(LONGEST + 1), 0.0)
    return Lags((whole, whole, whole), np.ones(campaigns), ())


def one(case: str, schedule: str, keywords: int, seed: int, truth: Any) -> dict[str, Any]:
    """One world: errors of F, and of the rates three ways."""
    delay, taken_back = CASES[case]
    rng = np.random.default_rng(seed)
    lived = live(rates_truth(keywords, rng), TODAY, rng, delay=delay, taken_back=taken_back)
    versions = lived.versions(SCHEDULES[schedule])
    found = estimate_completion(versions, PRIOR)
    error = np.log(found.at(AGES) / truth[AGES])
    campaigns = int(lived.campaign().max()) + 1
    names = [f"c{number}" for number in range(campaigns)]
    ways = {
        "with": estimate_lags(versions, PRIOR, names),
        "without": complete_at_once(campaigns),
        "stated": stated_lags(PRIOR, campaigns),
    }
    return {
        "error": error,
        "inside": np.abs(error) <= Z80 * found.sd_at(AGES),
        **{way: rates(lived, lags, 1 - taken_back) for way, lags in ways.items()},
    }


def case_figures(case: str, schedule: str, keywords: int, seeds: range) -> dict[str, float]:
    """Means over the seeds."""
    truth = true_completion(*CASES[case], np.random.default_rng(99))
    runs = [one(case, schedule, keywords, seed, truth) for seed in seeds]
    figures = {
        "f_bias": float(np.mean([run["error"] for run in runs])),
        "f_rmse": float(np.sqrt(np.mean([run["error"] ** 2 for run in runs]))),
        "f_coverage80": float(np.mean([run["inside"] for run in runs])),
    }
    for way in ("with", "stated", "without"):
        bias, coverage = np.mean([run[way] for run in runs], axis=0)
        figures |= {f"rate_bias_{way}": float(bias), f"coverage80_{way}": float(coverage)}
    return {name: round(value, 4) for name, value in figures.items()}


def show(result: dict[str, Any]) -> None:
    """The figures for people."""
    print(f"{result['keywords']:,} keywords, {result['seeds']} seeds from {result['seed']}")
    print(
        "                            F: bias  rmse  cover   rates: with  stated without  cover: with without"
    )
    for case, schedules in result["cases"].items():
        for schedule, own in schedules.items():
            print(
                f"{case:12s}{schedule:12s}{own['f_bias']:11.3f}{own['f_rmse']:7.3f}"
                f"{own['f_coverage80']:7.0%}{own['rate_bias_with']:13.1%}"
                f"{own['rate_bias_stated']:8.1%}{own['rate_bias_without']:8.1%}"
                f"{own['coverage80_with']:13.0%}{own['coverage80_without']:8.0%}"
            )


def main() -> None:
    """All cases under all schedules."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--keywords", type=int, default=3000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    seeds = range(asked.seed, asked.seed + asked.seeds)
    options = f"--seed {asked.seed} --seeds {asked.seeds} --keywords {asked.keywords}"
    result = {
        "command": f"python -m simulations.bench_lag {options} --json",
        "keywords": asked.keywords,
        "seed": asked.seed,
        "seeds": asked.seeds,
        "cases": {
            case: {name: case_figures(case, name, asked.keywords, seeds) for name in SCHEDULES}
            for case in CASES
        },
    }
    print(json.dumps(result)) if asked.json else show(result)
    if asked.record:
        RECORD.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
