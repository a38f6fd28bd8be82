"""How much of the attainable profit the estimates reach, and whether they keep what they promise.

`python -m simulations.bench_rates [--keywords N] [--variant V] [--basis B] [--seed S] [--json]`
`python -m simulations.bench_rates --record`   every recorded run, kept in `bench_rates.json`

`seconds` is the median of five fits from one row per keyword to V, `seconds_from_days` adds what is
summed and estimated from daily rows. Shares are of the profit of bidding the truth. Classes are
keywords by the orders seen of them. The record has every size once and each variant in ten worlds,
whose means and the standard error of promised over delivered it holds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from optimizer.estimates.posteriors import Gamma
from optimizer.estimates.rate_and_value import (
    Dependence,
    estimate_dependence,
    revenue_per_click,
)
from optimizer.estimates.rates import (
    RateFit,
    estimate_dispersion,
    estimate_unit_cv2,
    fit_rates,
)
from simulations.rate_worlds import BASES, VARIANTS, Auction, Floats, Seen, Truth, rates_truth

RECORD = Path(__file__).with_suffix(".json")
CLASSES = {"0": (0, 0), "1-2": (0.01, 2), "3-10": (2.01, 10), ">10": (10.01, np.inf)}
REPEATS = 5
VALUE_CV = 0.8
SIZES = (1_500, 20_000, 200_000, 1_000_000)
WORLDS = 10


@dataclass(frozen=True)
class Sums:
    """One row per keyword, and what its days say of dispersion."""

    exposure: Floats
    conversions: Floats
    amounts: Floats
    dispersion: float
    unit_cv2: float


@dataclass(frozen=True)
class Fit:
    """Rate, value per order and V before margin of each keyword, and how the first two go together."""

    rate: RateFit
    value: RateFit
    dependence: Dependence
    per_click: Gamma


def summed(seen: Seen, keywords: int) -> Sums:
    """From daily rows to one row per keyword."""
    dispersion = estimate_dispersion(seen.conversions, seen.exposure, seen.unit, keywords)
    cv2 = estimate_unit_cv2(seen.amounts, seen.conversions, seen.unit, keywords, prior=VALUE_CV**2)
    return Sums(*seen.sums(keywords), dispersion, cv2)


def fitted(sums: Sums, truth: Truth) -> Fit:
    """From one row per keyword to beliefs."""
    tree = truth.parents
    rate = fit_rates(sums.conversions, sums.exposure, tree, dispersion=sums.dispersion)
    value = fit_rates(sums.amounts, sums.conversions, tree, unit_cv2=sums.unit_cv2)
    clicks, orders = (sums.conversions, sums.exposure), (sums.amounts, sums.conversions)
    found = estimate_dependence(rate, value, clicks, orders, unit_cv2=sums.unit_cv2)
    return Fit(rate, value, found, revenue_per_click(rate, value, found))


def baselines(sums: Sums, truth: Truth) -> dict[str, Floats]:
    """Raw revenue per click; the ad group's; one level of shrinkage towards the ad group."""
    group = truth.parents[0]
    overall = sums.amounts.sum() / max(sums.exposure.sum(), 1e-9)
    raw = _ratio(sums.amounts, sums.exposure, np.zeros(len(group)))
    clicks, amounts = (np.bincount(group, part) for part in (sums.exposure, sums.amounts))
    of_group = _ratio(amounts, clicks, np.full(len(clicks), overall))
    rate = fit_rates(sums.conversions, sums.exposure, (group,), dispersion=sums.dispersion)
    value = fit_rates(sums.amounts, sums.conversions, (group,), unit_cv2=sums.unit_cv2)
    one_level = rate.posterior.mean * value.posterior.mean
    return {"raw": raw, "group_mean": of_group[group], "one_level": one_level}


def _ratio(amounts: Floats, exposure: Floats, otherwise: Floats) -> Floats:
    return np.divide(amounts, exposure, out=otherwise, where=exposure > 0)


def judged(truth: Truth, sums: Sums, fit: Fit) -> dict[str, Any]:
    """Shares of the oracle's profit, coverage, bias and promise, overall and by class."""
    worth, belief = truth.value_per_click, fit.per_click.scaled(truth.kept)
    auction = Auction.of(truth)
    others = {
        f"{name}_share": auction.share(bid * truth.kept, worth)
        for name, bid in baselines(sums, truth).items()
    }
    ours, best = auction.share(belief.mean, worth), max(others.values())
    everyone = np.ones(len(worth), dtype=bool)
    classes = {
        name: (sums.conversions >= least) & (sums.conversions <= most)
        for name, (least, most) in CLASSES.items()
    }
    inside = _inside(belief, worth)
    return {
        "oracle_share": ours,
        **others,
        "gap_closed": (ours - best) / (1 - best),
        "coverage80": float(inside.mean()),
        "coverage_by_class": _by_class(classes, lambda of: float(inside[of].mean())),
        "rate_coverage_by_class": _rate_coverage(truth, fit, classes),
        "promised_over_delivered": auction.promised_over_delivered(belief.mean, worth, everyone),
        "promised_by_class": _by_class(
            classes, lambda of: auction.promised_over_delivered(belief.mean, worth, of)
        ),
        "bias": _bias(belief.mean, worth, truth.demand, everyone),
        "bias_by_class": _by_class(classes, lambda of: _bias(belief.mean, worth, truth.demand, of)),
        "keywords_by_class": _by_class(classes, lambda of: int(of.sum())),
        "tau2": {"rate": fit.rate.tau2, "value": fit.value.tau2},
        "dispersion": sums.dispersion,
        "order_value_cv2": sums.unit_cv2,
        "covariance": fit.dependence.covariance,
        "covariance_error": fit.dependence.error,
    }


def _inside(belief: Gamma, truth: Floats) -> Any:
    low, high = belief.interval(0.8)
    return (truth >= low) & (truth <= high)


def _rate_coverage(truth: Truth, fit: Fit, classes: dict[str, Any]) -> dict[str, Any]:
    inside = _inside(fit.rate.posterior, truth.rate)
    return _by_class(classes, lambda of: float(inside[of].mean()))


def _bias(estimate: Floats, truth: Floats, demand: Floats, of: Any) -> float:
    """Value the expected clicks are believed to bring, over what they do, less 1."""
    return float((estimate * demand)[of].sum() / (truth * demand)[of].sum() - 1)


def _by_class(classes: dict[str, Any], measure: Callable[[Any], float]) -> dict[str, Any]:
    """`measure` of each class that has keywords."""
    return {name: measure(of) for name, of in classes.items() if of.any()}


def timed(work: Callable[[], Any]) -> float:
    """Median seconds of five runs after a warm one."""
    work()
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def run(keywords: int, variant: str, basis: str, seed: int) -> dict[str, Any]:
    """One world, judged."""
    rng = np.random.default_rng(seed)
    truth = rates_truth(keywords, rng, variant)
    seen = BASES[basis](truth, rng)
    sums = summed(seen, keywords)
    seconds = timed(lambda: fitted(sums, truth))
    return {
        "keywords": keywords,
        "variant": variant,
        "basis": basis,
        "seed": seed,
        "seconds": seconds,
        "seconds_from_days": seconds + timed(lambda: summed(seen, keywords)),
        "seconds_group_mean": timed(lambda: baselines_of_group(sums, truth)),
        "daily_rows": len(seen.unit),
        **judged(truth, sums, fitted(sums, truth)),
    }


def baselines_of_group(sums: Sums, truth: Truth) -> Floats:
    """The ad group's revenue per click alone, as the yardstick of time."""
    group = truth.parents[0]
    clicks, amounts = (np.bincount(group, part) for part in (sums.exposure, sums.amounts))
    return _ratio(amounts, clicks, np.zeros(len(clicks)))[group]


def run_seeds(keywords: int, variant: str, basis: str, seeds: range) -> dict[str, Any]:
    """Several worlds, untimed: means of what `judged` says, and the error of the promise."""
    found = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        truth = rates_truth(keywords, rng, variant)
        sums = summed(BASES[basis](truth, rng), keywords)
        found.append(judged(truth, sums, fitted(sums, truth)))
    promised = np.array([one["promised_over_delivered"] for one in found])
    error = float(promised.std(ddof=1) / np.sqrt(len(seeds))) if len(seeds) > 1 else None
    return {
        "keywords": keywords,
        "variant": variant,
        "basis": basis,
        "seed": seeds.start,
        "seeds": len(seeds),
        **_mean_of(found),
        "promised_error": error,
    }


def _mean_of(found: list[Any]) -> Any:
    """Mean of numbers, of dictionaries and of sequences part by part; a class may be missing."""
    first = found[0]
    if isinstance(first, dict):
        names = {name: None for one in found for name in one}
        return {name: _mean_of([one[name] for one in found if name in one]) for name in names}
    if isinstance(first, list | tuple):
        return [_mean_of(list(part)) for part in zip(*found, strict=True)]
    return float(np.mean(found))


def recorded_runs() -> list[dict[str, Any]]:
    """Every size of the base world, every variant and the order-dated basis at 20,000."""
    asked = [(20_000, variant, "click") for variant in VARIANTS]
    asked += [(20_000, "base", "order"), (20_000, "pairs", "order")]
    sizes = [run(size, "base", "click", seed=0) for size in SIZES]
    return sizes + [run_seeds(*one, range(WORLDS)) for one in asked]


def show(result: dict[str, Any]) -> None:
    """The figures for people."""
    print(f"{result['keywords']:,} keywords, {result['variant']}, by {result['basis']} day")
    if "seconds" in result:
        print(f"  seconds {result['seconds']:.3f}, from days {result['seconds_from_days']:.3f}")
    else:
        print(f"  {result['seeds']} worlds, promised/delivered ± {result['promised_error']:.3f}")
    shares = ("oracle_share", "group_mean_share", "one_level_share", "raw_share", "gap_closed")
    print("  " + "  ".join(f"{name} {result[name]:.3f}" for name in shares))
    promised = result["promised_over_delivered"]
    print(f"  coverage {result['coverage80']:.3f}  promised/delivered {promised:.3f}")
    print(f"  {'orders seen':14s}{'keywords':>9s}{'coverage':>10s}{'of rate':>9s}{'promised':>10s}")
    for name, many in result["keywords_by_class"].items():
        parts = ("coverage_by_class", "rate_coverage_by_class", "promised_by_class")
        cells = "".join(f"{result[part][name]:10.3f}" for part in parts)
        print(f"  {name:14s}{many:9,.0f}{cells}")


def main() -> None:
    """One run, or all that are recorded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keywords", type=int, default=20_000)
    parser.add_argument("--variant", choices=VARIANTS, default="base")
    parser.add_argument("--basis", choices=sorted(BASES), default="click")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    if asked.record:
        runs = recorded_runs()
        kept = {"command": "python -m simulations.bench_rates --record", "runs": runs}
        RECORD.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    else:
        runs = [run(asked.keywords, asked.variant, asked.basis, asked.seed)]
    if asked.json:
        print(json.dumps(runs[0] if len(runs) == 1 else runs))
        return
    for result in runs:
        show(result)


if __name__ == "__main__":
    main()
