"""What is forgone while creatives are tested, and how many decisions a second costs.

`python -m simulations.bench_creatives [--seeds N] [--seed S] [--speeds-only | --ours-only] [--json]
[--record]`

Regret in per cent of what always showing the best arm would bring, over 30 daily batches, every
policy on the same worlds. CTR worlds: 10, 100 and 1,000 arms of very different CTR (Beta(2, 98)), and
10 and 50 arms of realistic ones (Beta(40, 1960)). Value world: 8 arms whose CTR and conversion
rate go against each other, orders of 60 delayed by 5 days on average; a variant in which CTRs drift
by 10 % a day. Policies: uniform, ε-greedy (10 %), Thompson sampling on clicks as usually
written, mabwiser's (`creative_peers`; its conversions are those known so far), ours as it is by
default (a tenth of the traffic by plain Thompson sampling), ours without that tenth and with it spread
evenly, as it is where claims are wanted; in the value world also ours without completion, and with a
completion that is wrong by half.

A decision is one draw of every arm and the choice of the best: 10 arms, median of 5.
`--speeds-only` measures these anew beside the recorded regrets (which take a quarter of an hour);
`--ours-only` plays our own policies anew on the recorded seeds: the others' figures stay as they are.
`assess` is all of `assess`, arrays to verdicts, for 10,000 tests of 5 arms and 30 days, by metric.
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

from optimizer.decisions.creatives import (
    METRICS,
    ArmBeliefs,
    ArmDays,
    Design,
    assess,
    judge_arms,
    metric_named,
)
from optimizer.estimates.posteriors import Gamma
from simulations import creative_peers
from simulations.creative_worlds import (
    Policy,
    World,
    batch_world,
    completion,
    epsilon_greedy,
    ours,
    regret,
    textbook_ts,
    uniform,
    value_world,
)

VALUE = ("value_delay", "value_delay_drift")
RECORD = Path(__file__).with_suffix(".json")
TARGET_VALUE_REGRET = 13.5


@dataclass(frozen=True)
class Setting:
    """A family of worlds; `part` of the asked number of seeds is run on it."""

    draw: Callable[[np.random.Generator], World]
    metric: str
    part: float


SETTINGS = {
    "10": Setting(lambda rng: batch_world(10, 10_000, 100, rng), "ctr", 0.5),
    "100": Setting(lambda rng: batch_world(100, 20_000, 100, rng), "ctr", 0.25),
    "1000": Setting(lambda rng: batch_world(1000, 100_000, 100, rng), "ctr", 0.1),
    "10_realistic": Setting(lambda rng: batch_world(10, 10_000, 2000, rng), "ctr", 0.5),
    "50_realistic": Setting(lambda rng: batch_world(50, 20_000, 2000, rng), "ctr", 0.25),
    "value_delay": Setting(value_world, "value_per_impression", 1.0),
    "value_delay_drift": Setting(lambda rng: value_world(rng, 0.1), "value_per_impression", 1.0),
}


def policies(metric: str) -> dict[str, Policy]:
    """Every policy for a world judged by `metric`."""
    found = {
        "uniform": uniform,
        "epsilon_greedy": epsilon_greedy(metric),
        "ctr_ts": textbook_ts(),
        "ours": ours(metric),
        "ours_no_floor": ours(metric, floor=0.0),
        "ours_even_floor": ours(metric, even=True),
    }
    if metric != "ctr":
        found["ours_uncompleted"] = ours(metric, completed=False)
        found["ours_delay_halved"] = ours(metric, delay=2.5)
    if creative_peers.installed():
        found["mabwiser"] = creative_peers.mabwiser_ts(metric)
    return found


def regrets(name: str, policy: Policy, seeds: range) -> list[float]:
    """Per cent, one per seed; worlds are the same for all policies.

    The days' noise is not: a policy that draws (ours, Thompson sampling) takes its draws from the
    generator that also makes the clicks.
    """
    told = SETTINGS[name]
    number = list(SETTINGS).index(name)
    return [
        100
        * regret(
            told.draw(np.random.default_rng([seed, number])),
            policy,
            told.metric,
            np.random.default_rng([seed, number, 1]),
        )
        for seed in seeds
    ]


def setting_figures(name: str, seeds: range, *, own: bool = False) -> dict[str, Any]:
    """Mean regret per policy, its standard error and the seeds; of our own policies where `own`."""
    told = SETTINGS[name]
    some = seeds[: max(round(len(seeds) * told.part), 2)]
    played = policies(told.metric).items()
    found = {
        key: regrets(name, policy, some)
        for key, policy in played
        if key.startswith("ours") or not own
    }
    return {
        "mean": {key: round(statistics.mean(one), 3) for key, one in found.items()},
        "error": {
            key: round(statistics.stdev(one) / len(one) ** 0.5, 3) for key, one in found.items()
        },
        "seeds": len(some),
    }


def regret_figures(seeds: range, *, own: bool = False) -> dict[str, Any]:
    """Regrets of all settings, as the JSON has them."""
    found = {name: setting_figures(name, seeds, own=own) for name in SETTINGS}
    ctr = {name: told["mean"] for name, told in found.items() if name not in VALUE}
    return {
        "regret": ctr,
        **{name: found[name]["mean"] for name in VALUE},
        "error": {name: told["error"] for name, told in found.items()},
        "seeds": {name: told["seeds"] for name, told in found.items()},
    }


def beside(recorded: dict[str, Any], anew: dict[str, Any]) -> dict[str, Any]:
    """`recorded` with what was measured `anew`, policy by policy."""
    merged = dict(recorded)
    for name, value in anew.items():
        known = recorded.get(name)
        merged[name] = beside(known, value) if isinstance(known, dict) else value
    return merged


def our_decisions_per_second(arms: int = 10, tests: int = 2000, draws: int = 500) -> float:
    """Draws of every arm and choices of the best: all tests at once, shares made of them."""
    rng = np.random.default_rng(0)
    belief = Gamma(rng.beta(2, 98, arms * tests), np.full(arms * tests, 0.01))
    first = np.arange(0, arms * tests, arms)
    beliefs, metric = ArmBeliefs(belief, None, None, None), metric_named("ctr")
    seconds = _median(lambda: judge_arms(metric, beliefs, first, rng, draws=draws))
    return tests * draws / seconds


def assess_seconds(
    metric: str, tests: int = 10_000, arms: int = 5, days: int = 30
) -> dict[str, float]:
    """All that is said of many tests, from arrays of their days: seconds, and seconds of CPU."""
    rng = np.random.default_rng(0)
    shown = np.full((tests * arms, days), 500.0)
    clicks = rng.binomial(500, 0.02, shown.shape).astype(float)
    orders = rng.binomial(clicks.astype(int), 0.05).astype(float)
    test = np.repeat(np.arange(tests), arms)

    def once() -> None:
        told = ArmDays(shown, clicks, clicks, orders, orders * 60, completion(days), test=test)
        assess(told, Design(metric=metric), rng)

    wall, cpu = _median(once, clock=time.perf_counter), _median(once, clock=time.process_time)
    return {"seconds": round(wall, 3), "cpu": round(cpu, 3)}


def _median(
    run: Callable[[], Any], times: int = 5, clock: Callable[[], float] = time.perf_counter
) -> float:
    run()
    taken = []
    for _ in range(times):
        began = clock()
        run()
        taken.append(clock() - began)
    return statistics.median(taken)


def speeds() -> dict[str, Any]:
    """Decisions a second of both, ours and mabwiser's in the same run, and the whole assessment."""
    per_second = {"ours": our_decisions_per_second()}
    if creative_peers.installed():
        per_second["mabwiser"] = creative_peers.decisions_per_second(10)
    return {
        "decisions_per_s": {name: round(value) for name, value in per_second.items()},
        "assess": {metric: assess_seconds(metric) for metric in METRICS},
    }


def measure(seeds: range) -> dict[str, Any]:
    """Everything, as the JSON has it."""
    peers = {"mabwiser": "installed" if creative_peers.installed() else creative_peers.ABSENT}
    return {**regret_figures(seeds), **speeds(), "peers": peers}


def show(result: dict[str, Any]) -> None:
    """The figures for people."""
    settings = {**result["regret"], **{name: result[name] for name in VALUE}}
    names = list(dict.fromkeys(name for told in settings.values() for name in told))
    print("regret in % of the best arm's result")
    print(" " * 19 + "".join(f"{name[:15]:>16s}" for name in names))
    for name, told in settings.items():
        shown = [f"{told[key]:.2f}" if key in told else "–" for key in names]
        print(f"{name:19s}" + "".join(f"{one:>16s}" for one in shown))
    best, base = result["value_delay"]["ours"], result["value_delay"]["uniform"]
    print(
        f"value world: {best:.2f} (target {TARGET_VALUE_REGRET}), {1 - best / base:.0%} of uniform's regret saved"
    )
    per_second = result["decisions_per_s"]
    print(
        "decisions a second: "
        + ", ".join(f"{name} {value:,}" for name, value in per_second.items())
    )
    print(
        "10,000 tests of 5 arms: "
        + ", ".join(
            f"{name} {told['seconds']:.2f} s ({told['cpu']:.2f} CPU)"
            for name, told in result.get("assess", {}).items()
        )
    )
    if not creative_peers.installed():
        print(creative_peers.ABSENT)


def _result(asked: argparse.Namespace) -> dict[str, Any]:
    """All figures, or the recorded ones with speeds or our own policies measured now."""
    command = "python -m simulations.bench_creatives --seeds {} --seed {} --json"
    seeds = range(asked.seed, asked.seed + asked.seeds)
    if asked.speeds_only or asked.ours_only:
        recorded = json.loads(RECORD.read_text(encoding="utf-8"))
        if recorded["command"] != command.format(asked.seeds, asked.seed):
            raise SystemExit(f"the record is of other seeds: {recorded['command']}")
        return beside(recorded, speeds() if asked.speeds_only else regret_figures(seeds, own=True))
    return {"command": command.format(asked.seeds, asked.seed), **measure(seeds)}


def main() -> None:
    """Compare everywhere."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    some = parser.add_mutually_exclusive_group()
    some.add_argument("--speeds-only", action="store_true")
    some.add_argument("--ours-only", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    result = _result(asked)
    print(json.dumps(result)) if asked.json else show(result)
    if asked.record:
        RECORD.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
