"""How often a daily look names a false winner, and how often it finds a true one.

`python -m simulations.bench_stopping [--runs N] [--seed S] [--gbstats PYTHON] [--json] [--record]`

Two arms share the traffic of 60 days and are looked at every day. Worlds: CTR 2 % at 2,000 and at
20,000 impressions a day for both arms together, each arm's rate either fixed or 10 % off, anew every
day; conversion rate 3 % at 300 clicks a day, orders delayed by an exponential of mean 5 days, reports
restated daily, a day entering the evidence once, as known when 95 % of its orders are (and, as
`false_restated`, as if each look took it as known by then); value per impression from 12 orders a day
(6 for each arm under an even split) whose amounts are lognormal of CV 0.8 or 1.5. A/A runs count
false winners, runs with a lift of 15 % power. Traffic is split evenly, or by Thompson sampling with at
least a fifth for each arm. Beside ours: a binomial mSPRT (normal mixture on the rate difference, as
sequential testing is commonly sold) and stopping when P(best) passes 95 %; with `--gbstats` also
GrowthBook's chance to win and sequential test on the first 80 runs (`gbstats_peer`). Then: sample
ratio alarms among 100,000 units at 0 and 2 % imbalance, at one look and at 60; and whether intervals
after adaptive allocation hold the truth for arms that were starved. `false_winner_rate` is the worst
of all cases; `power_15pct` that of 2,000 impressions a day, arms steady, split evenly.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from optimizer.decisions.creatives import (
    ArmBeliefs,
    ArmDays,
    ClaimRule,
    check_assignment,
    contrast,
    daily_ratios,
    earning_shares,
    estimate_difference,
    floor_for_claims,
    judge_arms,
    make_claims,
    metric_named,
)
from optimizer.estimates.posteriors import Gamma
from simulations.creative_worlds import MEAN_DELAY_DAYS

RECORD = Path(__file__).with_suffix(".json")
DAYS = 60
LIFT = 0.15
DRAWS = 200
PEER = Path(__file__).with_name("gbstats_peer.py")
GBSTATS_RUNS = 80


@dataclass(frozen=True)
class Case:
    """`rate` of events per unit, `units` a day for both arms, relative arm-day `noise`.

    Events are worth 1, or lognormal amounts of mean 1 and CV `amount_cv`.
    """

    metric: str
    rate: float
    units: int
    noise: float = 0.0
    delayed: bool = False
    amount_cv: float = 0.0

    def worth(self, events: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """What so many events of each arm are worth together."""
        if not self.amount_cv:
            return events
        spread = np.log1p(self.amount_cv**2)
        each = np.exp(rng.normal(-spread / 2, np.sqrt(spread), int(events.sum())))
        return np.bincount(np.repeat(np.arange(len(events)), events), each, len(events))


CASES = {
    "ctr_2000": Case("ctr", 0.02, 2_000),
    "ctr_2000_noise": Case("ctr", 0.02, 2_000, 0.1),
    "ctr_20000": Case("ctr", 0.02, 20_000),
    "ctr_20000_noise": Case("ctr", 0.02, 20_000, 0.1),
    "cvr_300_delayed": Case("cvr", 0.03, 300, 0.0, delayed=True),
    "value_12_orders": Case("value_per_impression", 0.0006, 20_000, amount_cv=0.8),
    "value_12_orders_skewed": Case("value_per_impression", 0.0006, 20_000, amount_cv=1.5),
}


def known_share(age: np.ndarray) -> np.ndarray:
    """F of a day whose report is `age` days old; 0 before it is over."""
    return np.where(age >= 0, 1 - np.exp(-(np.maximum(age, 0) + 0.5) / MEAN_DELAY_DAYS), 0.0)


@dataclass
class Lived:
    """Runs as pairs of arms: units and events (arms, days), `frozen` as known when 95 % had come.

    `worth` is what the events are worth.
    """

    units: np.ndarray
    events: np.ndarray
    frozen: np.ndarray
    propensity: np.ndarray
    worth: np.ndarray


def shares_today(case: Case, lived: Lived, day: int, adaptive: bool, rng: Any) -> np.ndarray:
    """Each arm's share: half, or Thompson sampling on what is known this morning."""
    arms = len(lived.units)
    if not adaptive or day == 0:
        return np.full(arms, 0.5)
    completed = known_share(np.arange(day - 1, -1, -1)) if case.delayed else np.ones(day)
    told = lived.events[:, :day].sum(axis=1) + 1.0
    seen = lived.units[:, :day] @ completed + 1.0 / case.rate
    brought = lived.worth[:, :day].sum(axis=1) + 1.0 if case.amount_cv else told
    known = Gamma(brought / seen, (1.0 + case.amount_cv**2) / told)
    belief = ArmBeliefs(known, None, None, None)
    first = np.arange(0, arms, 2)
    chances = judge_arms(metric_named("ctr"), belief, first, rng, draws=DRAWS)
    floor = floor_for_claims(0.0, np.full(arms // 2, 2))
    return earning_shares(chances, first, np.ones(arms, dtype=bool), floor)


Watch = Callable[[Lived, int], None]


def live(
    case: Case,
    runs: int,
    lift: float,
    adaptive: bool,
    rng: np.random.Generator,
    watch: Watch | None = None,
) -> Lived:
    """All days of all runs; arm 0 of each has the lift. `events` of delayed orders keep arriving.

    `watch` is called after each day.
    """
    shape = (2 * runs, DAYS)
    lived = Lived(*(np.zeros(shape) for _ in range(5)))
    coming = np.zeros(shape)
    rate = case.rate * np.tile([1 + lift, 1.0], runs)
    for day in range(DAYS):
        share = shares_today(case, lived, day, adaptive, rng)
        first = rng.binomial(case.units, share[::2])
        lived.units[:, day] = np.column_stack([first, case.units - first]).ravel()
        lived.propensity[:, day] = share
        today = np.clip(rate * np.maximum(1 + case.noise * rng.normal(size=2 * runs), 0), 0, 1)
        events = rng.binomial(lived.units[:, day].astype(int), today)
        if case.delayed:
            coming[:, day] = events
            deliver(lived, coming, day, rng)
        else:
            lived.events[:, day] = lived.frozen[:, day] = events
            lived.worth[:, day] = case.worth(events, rng)
        if watch is not None:
            watch(lived, day)
    return lived


def deliver(lived: Lived, coming: np.ndarray, day: int, rng: np.random.Generator) -> None:
    """What arrives after `day`; days that reach 95 % now are frozen."""
    age = day - np.arange(day + 1)
    known, before = known_share(age), known_share(age - 1)
    chance = (known - before) / (1 - before)
    came = rng.binomial(coming[:, : day + 1].astype(int), chance)
    coming[:, : day + 1] -= came
    lived.events[:, : day + 1] += came
    settled = np.flatnonzero((known >= 0.95) & (before < 0.95))
    lived.frozen[:, settled] = lived.events[:, settled]


def as_days(case: Case, lived: Lived) -> tuple[ArmDays, np.ndarray]:
    """What the product is given, and which days are settled by the last look."""
    arms, days = lived.units.shape
    settled = (
        known_share(np.arange(days - 1, -1, -1)) >= 0.95 if case.delayed else np.ones(days, bool)
    )
    test = np.arange(arms) // 2
    if case.metric == "ctr":
        return ArmDays(lived.units, lived.frozen, test=test), settled
    if case.amount_cv:
        clicks = lived.units * 0.02
        told = ArmDays(lived.units, clicks, conversions=lived.events, value=lived.worth, test=test)
        return told, settled
    shown = lived.units * 50
    return ArmDays(shown, lived.units, conversions=lived.frozen, test=test), settled


def claimed(case: Case, lived: Lived, adaptive: bool) -> tuple[np.ndarray, np.ndarray]:
    """Per run: arm 0 ever claimed better, arm 1 ever claimed better, by our rule."""
    days, settled = as_days(case, lived)
    metric = metric_named(case.metric)
    propensity = lived.propensity if adaptive else None
    ratios = daily_ratios(metric, days, propensity=propensity)
    zero, one = np.arange(0, len(days.test), 2), np.arange(1, len(days.test), 2)
    told = {"counts": metric.counts, "amount_cv2": days.spread().value}
    return tuple(
        make_claims(ratios, days.place, pair, settled, ClaimRule(), **told).worse[:, -1]
        for pair in ((zero, one), (one, zero))
    )


def restated_false_winners(case: Case, runs: int, seed: int) -> float:
    """A/A as if no day were frozen: each look takes settled days as they are known by then."""
    ever = np.zeros(runs, dtype=bool)

    def look(lived: Lived, day: int) -> None:
        until = slice(0, day + 1)
        known = lived.events[:, until]
        seen = Lived(lived.units[:, until], known, known, lived.propensity[:, until], known)
        better, worse = claimed(case, seen, adaptive=False)
        np.logical_or(ever, better | worse, out=ever)

    live(case, runs, 0.0, False, np.random.default_rng(seed), look)
    return float(ever.mean())


def binomial_z(lived: Lived) -> tuple[np.ndarray, np.ndarray]:
    """Difference of the pooled rates and its binomial variance after each day."""
    x, n = np.cumsum(lived.frozen, axis=1), np.maximum(np.cumsum(lived.units, axis=1), 1)
    rate = x / n
    pooled = (x[::2] + x[1::2]) / (n[::2] + n[1::2])
    variance = pooled * (1 - pooled) * (1 / n[::2] + 1 / n[1::2])
    return rate[::2] - rate[1::2], np.maximum(variance, 1e-12)


def msprt(case: Case, lived: Lived) -> np.ndarray:
    """Johari et al. (2017): mixture N(0, τ²) on the difference, τ a tenth of the rate."""
    gap, variance = binomial_z(lived)
    tau2 = (0.1 * case.rate) ** 2
    log_e = 0.5 * np.log(variance / (variance + tau2))
    log_e += 0.5 * gap**2 * tau2 / (variance * (variance + tau2))
    return (log_e[:, 4:] >= np.log(20)).any(axis=1)


def peeking(lived: Lived) -> np.ndarray:
    """P(best) > 95 % for either arm on any of the days from the fifth."""
    gap, variance = binomial_z(lived)
    return (np.abs(gap[:, 4:]) > 1.645 * np.sqrt(variance[:, 4:])).any(axis=1)


def gbstats_false(lived: Lived, python: Path) -> dict[str, float]:
    """How often gbstats names a winner among the first runs, from the fifth day on."""
    arms = np.arange(2)[:, None] + np.arange(0, 2 * GBSTATS_RUNS, 2)
    sums = [np.cumsum(part, axis=1)[arms][:, :, 4:] for part in (lived.units, lived.frozen)]
    with tempfile.NamedTemporaryFile(suffix=".npz") as file:
        np.savez(file, units=sums[0], events=sums[1])
        file.flush()
        command = [str(python), str(PEER), file.name]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def case_figures(
    case: Case, adaptive: bool, runs: int, seed: int, gbstats: Path | None = None
) -> dict[str, float]:
    """False winners under A/A and power at the lift, with the baselines' false winners."""
    rng = np.random.default_rng(seed)
    same = live(case, runs, 0.0, adaptive, rng)
    better, worse = claimed(case, same, adaptive)
    lifted = live(case, runs, LIFT, adaptive, rng)
    found, wrong = claimed(case, lifted, adaptive)
    figures = {"false": (better | worse).mean(), "power": found.mean(), "wrong": wrong.mean()}
    if case.delayed and not adaptive:
        figures["false_restated"] = restated_false_winners(case, runs, seed)
    if not (adaptive or case.delayed or case.amount_cv):
        figures |= {"msprt_false": msprt(case, same).mean(), "peeking_false": peeking(same).mean()}
        figures |= gbstats_false(same, gbstats) if gbstats else {}
    return {name: float(value) for name, value in figures.items()}


def every_case() -> Iterator[tuple[str, Case, bool]]:
    for name, case in CASES.items():
        yield f"{name}_even", case, False
        yield f"{name}_ts", case, True


def assignment_alarms(imbalance: float, runs: int, looks: int, rng: Any) -> float:
    """Share of tests of 100,000 units with an alarm at any of the looks; 2 %: 51,000 to 49,000."""
    share = 0.5 * (1 + imbalance)
    first = rng.binomial(100_000 // looks, share, (runs, looks)).cumsum(axis=1)
    total = 100_000 // looks * np.arange(1, looks + 1)
    alarm = np.zeros(runs, dtype=bool)
    for look in range(looks):
        counts = np.column_stack([first[:, look], total[look] - first[:, look]]).ravel()
        alarm |= check_assignment(counts, np.ones(2 * runs), np.arange(0, 2 * runs, 2)).alarm
    return float(alarm.mean())


def starved_coverage(arms: int, trend: float, runs: int, seed: int) -> dict[str, float]:
    """Coverage of 90 % and 95 % intervals of best less each other arm after 60 days of sampling.

    A tenth of the traffic is the floor for all arms together; every day's rates share a trend. The naive
    interval is that of the pooled rates.
    """
    rng = np.random.default_rng(seed)
    truth = np.tile(np.linspace(0.024, 0.018, arms), runs)
    first, alive = np.arange(0, arms * runs, arms), np.ones(arms * runs, dtype=bool)
    shown, clicks, given = (np.zeros((arms * runs, DAYS)) for _ in range(3))
    for day in range(DAYS):
        told, seen = clicks.sum(axis=1) + 1.0, shown.sum(axis=1) + 50.0
        belief = ArmBeliefs(Gamma(told / seen, 1.0 / told), None, None, None)
        chances = judge_arms(metric_named("ctr"), belief, first, rng, draws=DRAWS)
        given[:, day] = earning_shares(chances, first, alive, 0.1)
        parts = given[:, day].reshape(runs, arms)
        shown[:, day] = rng.multinomial(20_000, parts / parts.sum(axis=1, keepdims=True)).ravel()
        today = truth * (1 + trend * (day / DAYS - 0.5))
        clicks[:, day] = rng.binomial(shown[:, day].astype(int), today)
    days = ArmDays(shown, clicks, test=np.repeat(np.arange(runs), arms))
    return coverage_of(days, given, truth, arms)


def coverage_of(days: ArmDays, given: np.ndarray, truth: np.ndarray, arms: int) -> dict[str, float]:
    """Of every other arm against the first, which truly is the best; the first's trend averages out."""
    other = np.flatnonzero(np.arange(len(truth)) % arms)
    pairs = other - other % arms, other
    ratios = daily_ratios(metric_named("ctr"), days, propensity=given)
    found = estimate_difference(contrast(ratios, days.place, pairs, np.ones(DAYS, dtype=bool)))
    gap = truth[pairs[0]] - truth[pairs[1]]
    figures = {"starved_share": float(given[other].mean(axis=1).mean())}
    for mass in (0.9, 0.95):
        low, high = found.interval(mass)
        figures[f"covers_{round(100 * mass)}"] = float(((low <= gap) & (gap <= high)).mean())
    figures["bias"] = float(((found.difference - gap) / truth[pairs[1]]).mean())
    n, x = days.impressions.sum(axis=1), days.clicks.sum(axis=1)
    rate = x / n
    error = np.sqrt(rate / n)
    naive, spread = rate[pairs[0]] - rate[pairs[1]], np.hypot(error[pairs[0]], error[pairs[1]])
    figures["naive_covers_90"] = float((np.abs(naive - gap) <= 1.645 * spread).mean())
    figures["naive_bias"] = float(((naive - gap) / truth[pairs[1]]).mean())
    return figures


def measure(runs: int, seed: int, gbstats: Path | None) -> dict[str, Any]:
    """Everything, as the JSON has it."""
    cases = {name: case_figures(case, ts, runs, seed, gbstats) for name, case, ts in every_case()}
    rng = np.random.default_rng(seed)
    many = 5 * runs
    return {
        "false_winner_rate": max(
            told[key]
            for told in cases.values()
            for key in ("false", "false_restated")
            if key in told
        ),
        "power_15pct": cases["ctr_2000_even"]["power"],
        "srm_false": assignment_alarms(0.0, many, 1, rng),
        "srm_power": assignment_alarms(0.02, many, 1, rng),
        "srm_false_60_looks": assignment_alarms(0.0, many, 60, rng),
        "cases": cases,
        "starved": {
            f"{arms}_arms_trend_{trend}": starved_coverage(arms, trend, max(runs // 20, 50), seed)
            for arms in (2, 8)
            for trend in (0.0, 0.6)
        },
    }


def show(result: dict[str, Any]) -> None:
    """The figures for people."""
    print(
        f"worst false winners {result['false_winner_rate']:.1%}, power {result['power_15pct']:.1%}"
    )
    print(f"{'case':26s}{'false':>8s}{'power':>8s}{'wrong':>8s}{'mSPRT':>8s}{'peeking':>9s}")
    for name, told in result["cases"].items():
        peers = [told.get(key) for key in ("msprt_false", "peeking_false")]
        shown = [" –" if one is None else f"{one:.1%}" for one in peers]
        print(
            f"{name:26s}{told['false']:8.1%}{told['power']:8.1%}{told['wrong']:8.2%}"
            f"{shown[0]:>8s}{shown[1]:>9s}"
        )
    names = ("srm_false", "srm_power", "srm_false_60_looks")
    print("sample ratio: " + ", ".join(f"{name} {result[name]:.3%}" for name in names))
    for name, told in result["starved"].items():
        print(f"{name:20s}" + ", ".join(f"{key} {value:.3f}" for key, value in told.items()))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--gbstats", type=Path, help="Python of an environment that has gbstats")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    peer = " --gbstats PYTHON" if asked.gbstats else ""
    options = f"--runs {asked.runs} --seed {asked.seed}{peer}"
    command = f"python -m simulations.bench_stopping {options} --json"
    result = {
        "command": command,
        "runs": asked.runs,
        **measure(asked.runs, asked.seed, asked.gbstats),
    }
    print(json.dumps(result)) if asked.json else show(result)
    if asked.record:
        RECORD.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
