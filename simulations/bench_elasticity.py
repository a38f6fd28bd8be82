"""What an estimated elasticity is worth: share of the oracle's gain under several bid histories.

`python -m simulations.bench_elasticity [--keywords N] [--days N] [--seed S] [--json] [--record]`

Clicks follow a Hill curve in the bid, times demand common to all and demand of each keyword's own.
Each method sees the same history and picks the best bid within 25 % of the present one; its true
gain is divided by that of the best multiplier. Compared are ours (the review's own estimate and
curve, for which only bids tagged as randomised teach), the stated prior ε = 1 and each keyword's own
maximum likelihood; the latter two are told the world's price exponent. Daily and weekly bids are
normal in the log with the stated sd; confounded bids follow yesterday's demand and bear no tags.
`--record` keeps the result in `bench_elasticity.json` beside this file.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from optimizer.curves.bid_landscape import Response
from optimizer.estimates.elasticity import (
    LARGEST_ELASTICITY,
    Trials,
    estimate_cpc_exponent,
    estimate_elasticity,
)
from optimizer.review.response import stated_priors
from optimizer.settings import Estimation

RECORD = Path(__file__).with_suffix(".json")
MULTIPLIERS = np.linspace(0.75, 1.25, 101)
SCENARIOS = {
    "none": 0.005,
    "daily_5": 0.05,
    "daily_10": 0.10,
    "daily_20": 0.20,
    "weekly_10": 0.10,
    "confounded": 0.03,
}
CPC_EXPONENT = 0.7


@dataclass(frozen=True)
class World:
    """Per keyword the bid `base`, Hill shape and midpoint, `most` clicks a day, value and CPC there.

    `demand` is (keywords, days).
    """

    base: np.ndarray
    shape: np.ndarray
    middle: np.ndarray
    most: np.ndarray
    value: np.ndarray
    demand: np.ndarray

    def clicks(self, multiple: np.ndarray) -> np.ndarray:
        """Expected clicks a day in ordinary demand at base times `multiple` (keywords, ...)."""
        raised = (self.base[:, None] * multiple) ** self.shape[:, None]
        return self.most[:, None] * raised / (raised + self.middle[:, None] ** self.shape[:, None])

    def cpc(self, multiple: np.ndarray) -> np.ndarray:
        """Cost per click there."""
        return 0.75 * self.base[:, None] * multiple**CPC_EXPONENT

    def profit(self, multiple: np.ndarray) -> np.ndarray:
        """Profit a day in ordinary demand."""
        return self.clicks(multiple) * (self.value[:, None] - self.cpc(multiple))

    def elasticity(self) -> np.ndarray:
        """True slope at the base bid."""
        raised, middle = self.base**self.shape, self.middle**self.shape
        return self.shape * middle / (raised + middle)


def draw_world(keywords: int, days: int, rng: np.random.Generator) -> World:
    base = np.exp(rng.normal(0, 0.5, keywords))
    shape = np.exp(rng.normal(0.6, 0.35, keywords))
    middle = base * np.exp(rng.normal(0.3, 0.5, keywords))
    most = np.exp(rng.normal(2, 1.5, keywords)) / 4
    value = 0.75 * base * np.exp(rng.normal(0.25, 0.4, keywords))
    week = 0.25 * np.sin(2 * np.pi * np.arange(days) / 7)
    common = np.exp(week + np.cumsum(rng.normal(0, 0.03, days)))
    own = np.exp(0.7 * np.cumsum(rng.normal(0, 0.05, (keywords, days)), axis=1))
    return World(base, shape, middle, most, value, common * own)


def draw_multiples(scenario: str, world: World, rng: np.random.Generator) -> np.ndarray:
    """(keywords, days): bid over base bid."""
    sd = SCENARIOS[scenario]
    keywords, days = world.demand.shape
    if scenario == "weekly_10":
        weeks = rng.normal(0, sd, (keywords, -(-days // 7)))
        return np.exp(np.repeat(weeks, 7, axis=1)[:, :days])
    noise = rng.normal(0, sd, (keywords, days))
    if scenario == "confounded":
        yesterday = np.roll(np.log(world.demand), 1, axis=1)
        yesterday[:, 0] = 0.0
        return np.exp(0.6 * yesterday + noise)
    return np.exp(noise)


def draw_history(scenario: str, world: World, rng: np.random.Generator) -> Trials:
    """What was seen under the scenario's bids; a step is a week of weekly steps, else a day."""
    multiple = draw_multiples(scenario, world, rng)
    keywords, days = multiple.shape
    expected = np.stack([world.clicks(multiple[:, [day]])[:, 0] for day in range(days)], axis=1)
    clicks = rng.poisson(expected * world.demand).astype(float)
    unit, day = np.repeat(np.arange(keywords), days), np.tile(np.arange(days), keywords)
    weekly = scenario == "weekly_10"
    step = unit * -(-days // 7) + day // 7 if weekly else unit * days + day
    cost = clicks * world.cpc(multiple)
    return Trials(unit, unit, step, day, np.log(multiple).ravel(), clicks.ravel(), cost.ravel())


def our_response(trials: Trials, world: World, tagged: bool, told: Estimation) -> Response:
    """What a review would believe. Without tags nothing counts as randomised: the stated prior."""
    keywords, days = world.demand.shape
    clicks_prior, price_prior = stated_priors(told)
    seen = trials if tagged else Trials(*(part[:0] for part in _parts(trials)))
    clicks = estimate_elasticity(seen, np.zeros(days), keywords, clicks_prior)
    price = estimate_cpc_exponent(seen, keywords, price_prior)
    return Response(
        world.base,
        np.ones(keywords),
        0.75 * world.base,
        clicks.mean,
        clicks.sd,
        price.mean,
        price.sd,
        ~clicks.measured,
        np.full(keywords, told.click_share),
    )


def _parts(trials: Trials) -> list[np.ndarray]:
    return [getattr(trials, name) for name in trials.__dataclass_fields__]


def known_response(world: World, elasticity: np.ndarray) -> Response:
    """A power law with the world's own price exponent and `elasticity` taken for granted."""
    keywords = len(world.base)
    none = np.zeros(keywords)
    exponent = np.full(keywords, CPC_EXPONENT)
    believed = np.ones(keywords, dtype=bool)
    return Response(
        world.base, none + 1, 0.75 * world.base, elasticity, none, exponent, none, believed
    )


def maximum_likelihood(trials: Trials, keywords: int) -> np.ndarray:
    """Each keyword's own Poisson likelihood with its level profiled out; 1 where it has no maximum."""
    found, bid, clicks = np.ones(keywords), trials.log_bid, trials.clicks
    total = np.bincount(trials.unit, clicks, keywords)
    for _ in range(50):
        grown = np.exp(found[trials.unit] * bid)
        share = grown / np.bincount(trials.unit, grown, keywords)[trials.unit]
        centred = bid - np.bincount(trials.unit, share * bid, keywords)[trials.unit]
        score = np.bincount(trials.unit, centred * clicks, keywords)
        curvature = total * np.bincount(trials.unit, share * centred**2, keywords)
        step = np.divide(score, curvature, out=np.zeros(keywords), where=curvature > 1e-12)
        found = np.clip(found + np.clip(step, -1, 1), 0.0, LARGEST_ELASTICITY)
    return found


def score(world: World, response: Response) -> float:
    """Share of the oracle's gain when every keyword takes the multiplier that looks best."""
    bids = world.base[:, None] * MULTIPLIERS
    looks = world.value[:, None] * response.expected_clicks(bids) - response.expected_cost(bids)
    chosen = np.argmax(looks, axis=1)
    gain = world.profit(MULTIPLIERS[None, :]) - world.profit(np.ones((1, 1)))
    taken = gain[np.arange(len(chosen)), chosen]
    return float(taken.sum() / gain.max(axis=1).sum())


def coverage(world: World, response: Response) -> dict[str, float]:
    """Share of true elasticities inside the 80 % interval, of all and of measured keywords."""
    inside = np.abs(response.elasticity - world.elasticity()) < 1.2816 * response.elasticity_sd
    measured = ~response.assumed
    return {
        "coverage80": float(inside.mean()),
        "coverage80_measured": float(inside[measured].mean()) if measured.any() else float("nan"),
        "measured": float(measured.mean()),
    }


def compare(scenario: str, keywords: int, days: int, seed: int) -> dict[str, float | None]:
    """The three scores of one scenario, with our coverage and seconds."""
    rng = np.random.default_rng([seed, list(SCENARIOS).index(scenario)])
    world = draw_world(keywords, days, np.random.default_rng(seed))
    trials = draw_history(scenario, world, rng)
    began = time.perf_counter()
    ours = our_response(trials, world, scenario != "confounded", Estimation())
    seconds = time.perf_counter() - began
    tested = known_response(world, maximum_likelihood(trials, keywords))
    figures = {
        "ours": score(world, ours),
        "prior": score(world, known_response(world, np.ones(keywords))),
        "mle": score(world, tested),
        "true_slope": score(world, known_response(world, world.elasticity())),
        **coverage(world, ours),
        "seconds": seconds,
    }
    return {name: None if np.isnan(figure) else figure for name, figure in figures.items()}


def show(result: dict[str, dict[str, float | None]]) -> None:
    """The figures for people."""
    print("share of the oracle's gain, %")
    print(f"{'bids':12s}{'ours':>8s}{'prior':>8s}{'mle':>8s}{'true slope':>12s}{'covers':>8s}")
    for name, told in result.items():
        shares = [100 * (told[key] or 0.0) for key in ("ours", "prior", "mle", "true_slope")]
        covers = 100 * (told["coverage80"] or 0.0)
        print("{:12s}{:8.1f}{:8.1f}{:8.1f}{:12.1f}{:8.1f}".format(name, *shares, covers))


def main() -> None:
    """Compare in every scenario."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keywords", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=56)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    sizes = (asked.keywords, asked.days, asked.seed)
    result = {scenario: compare(scenario, *sizes) for scenario in SCENARIOS}
    print(json.dumps(result, indent=1)) if asked.json else show(result)
    if asked.record:
        command = "python -m simulations.bench_elasticity --keywords {} --days {} --seed {}"
        recorded = {"command": command.format(*sizes), "result": result}
        RECORD.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
