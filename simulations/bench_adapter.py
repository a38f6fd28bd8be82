"""What does the adapter earn in auctions that are not our market's? Against bidding the best, and a pooled rule.

`python -m simulations.bench_adapter [--worlds a,b] [--seeds N] [--seed S] [--days N] [--json] [--record]`

A hundred keywords whose searches, rates, order values and rivals are drawn per seed; every search is one
auction, nothing known on the first day. The oracle knows every rate and bids each keyword's best multiple
of a click's worth, scaled to the budget where there is one; the pooled rule bids revenue per click of a
keyword, with twenty clicks at the account's, in steps of three tenths, from five times our first bid
and from ours. Profit counts each click at its true worth. With --record the figures replace bench_adapter.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from optimizer.planning.adapter import BidAdapter

RECORD = Path(__file__).with_suffix(".json")
KEYWORDS = 100
_LATE_DAYS = 14
_MULTIPLES = np.geomspace(0.1, 1.1, 30)
_SAMPLE = 300
_PLACES, _NEXT_PLACE, _RESERVE = 5, 0.7, 0.02


@dataclass(frozen=True)
class World:
    """A kind of auction: `rule` is second, first or places (generalised second price, five rivals).

    `searches` a day of the median keyword; `rates` Beta parameters of conversions per click; `worth` an
    order's median value and `spread` its sd of logs; `rivals` their median bid over the mean worth of a
    click and `noise` its sd of logs between auctions; `drift` daily sd of log rates and rivals; `share`
    of what the best bids would spend is the daily budget, None without one.
    """

    rule: str = "second"
    searches: float = 60.0
    rates: tuple[float, float] = (2.0, 25.0)
    worth: float = 30.0
    spread: float = 0.5
    rivals: float = 0.8
    noise: float = 0.5
    drift: float = 0.0
    share: float | None = None


WORLDS = {
    "dense": World(searches=120.0, rates=(4.0, 8.0), worth=4.0),
    "second_price": World(),
    "sparse": World(searches=12.0),
    "dear": World(worth=2000.0),
    "first_price": World(rule="first", spread=1.2, noise=0.8),
    "places": World(rule="places"),
    "drifting": World(drift=0.04, searches=40.0),
    "ended_days": World(share=0.35),
}


class Auctions:
    """One seed's keywords of a world, living day by day."""

    def __init__(self, world: World, seed: int) -> None:
        rng = np.random.default_rng([seed, 1])
        self.world, self.seed = world, seed
        self.searches = rng.lognormal(np.log(world.searches), 1.0, KEYWORDS)
        self.ctr = rng.beta(3, 20, KEYWORDS)
        self.rate = rng.beta(*world.rates, KEYWORDS)
        self.order = rng.lognormal(np.log(world.worth), world.spread, KEYWORDS)
        middle = float(self.rate.mean()) * world.worth * world.rivals
        self.rival = middle * rng.lognormal(0, 0.6, KEYWORDS)
        self._drift = np.random.default_rng([seed, 2])

    @property
    def worth(self) -> np.ndarray:
        """What a click of each keyword brings."""
        return self.rate * self.order

    def prices(self, keyword: np.ndarray, bids: np.ndarray, rng: np.random.Generator) -> Any:
        """Per auction: what a click would cost, and its chance over the keyword's click rate."""
        many = _PLACES if self.world.rule == "places" else 1
        drawn = rng.lognormal(0, self.world.noise, (len(keyword), many))
        rivals = np.sort(self.rival[keyword][:, None] * drawn, axis=1)[:, ::-1]
        bid = bids[keyword]
        if self.world.rule == "places":
            place = (rivals > bid[:, None]).sum(axis=1)
            below = np.column_stack([rivals, np.full(len(keyword), _RESERVE)])
            following = below[np.arange(len(keyword)), place]
            return np.minimum(following, bid), np.where(place < many, _NEXT_PLACE**place, 0.0)
        won = (bid > rivals[:, 0]).astype(float)
        return (bid if self.world.rule == "first" else np.minimum(rivals[:, 0], bid)), won

    def expected(self, bids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Profit and cost of a day per keyword."""
        keyword = np.repeat(np.arange(KEYWORDS), _SAMPLE)
        price, chance = self.prices(keyword, bids, np.random.default_rng(3))
        clicks = self.searches * self.ctr / _SAMPLE
        cost = np.bincount(keyword, price * chance, KEYWORDS) * clicks
        return np.bincount(keyword, chance, KEYWORDS) * clicks * self.worth - cost, cost

    @cached_property
    def multiples(self) -> np.ndarray:
        """Of a click's worth, the best bids: truth where the second price is paid."""
        if self.world.rule == "second":
            return np.ones(KEYWORDS)
        profit = [self.expected(self.worth * one)[0] for one in _MULTIPLES]
        return _MULTIPLES[np.argmax(profit, axis=0)]

    @cached_property
    def budget(self) -> float | None:
        """Money per day."""
        share = self.world.share
        return None if share is None else share * float(self.expected(self.best_free)[1].sum())

    @property
    def best_free(self) -> np.ndarray:
        """The best bids without a budget."""
        return self.worth * self.multiples

    @cached_property
    def scale(self) -> float:
        """What the best bids are multiplied with to last all day."""
        scales = np.geomspace(0.02, 1.0, 60)
        if self.budget is None:
            return 1.0
        cost = [float(self.expected(self.best_free * one)[1].sum()) for one in scales]
        return float(scales[np.searchsorted(cost, self.budget) - 1])

    def day(self, bids: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        """One day's records; rates and rivals drift first."""
        self._move()
        keyword = np.repeat(np.arange(KEYWORDS), rng.poisson(self.searches))
        keyword = rng.permutation(keyword)
        price, chance = self.prices(keyword, bids, rng)
        clicked = rng.random(len(keyword)) < self.ctr[keyword] * chance
        served = np.cumsum(price * clicked) <= (self.budget or np.inf)
        clicked &= served
        sold = clicked & (rng.random(len(keyword)) < self.rate[keyword])
        amount = self.order[keyword] * rng.lognormal(-0.045, 0.3, len(keyword))
        told = {
            "impressions": (chance > 0) & served,
            "clicks": clicked,
            "cost": price * clicked,
            "conversions": sold,
            "revenue": amount * sold,
        }
        sums = {
            name: np.bincount(keyword, each.astype(float), KEYWORDS) for name, each in told.items()
        }
        return pd.DataFrame({"day": 0, "keyword_id": np.arange(KEYWORDS), "bid": bids, **sums})

    def _move(self) -> None:
        moves = self._drift.lognormal(0, self.world.drift, (2, KEYWORDS))
        self.rate = np.clip(self.rate * moves[0], 1e-4, 0.9)
        self.rival = self.rival * moves[1]


class PooledRule:
    """Revenue per click, pooled where clicks are few."""

    def __init__(self, first_bid: float) -> None:
        self.bids = np.full(KEYWORDS, first_bid)
        self.clicks = self.revenue = np.zeros(KEYWORDS)

    def step(self, rows: pd.DataFrame | None) -> np.ndarray:
        """Today's bids; up a fifth while nothing has sold."""
        if rows is None:
            return self.bids
        self.clicks = self.clicks + rows["clicks"].to_numpy()
        self.revenue = self.revenue + rows["revenue"].to_numpy()
        if not self.revenue.any():
            self.bids = 1.2 * self.bids
            return self.bids
        usual = self.revenue.sum() / self.clicks.sum()
        worth = (self.revenue + 20 * usual) / (self.clicks + 20)
        self.bids = np.clip(worth, 0.7 * self.bids, 1.3 * self.bids)
        return self.bids


class Best:
    """The oracle."""

    def __init__(self, auctions: Auctions) -> None:
        self.auctions = auctions

    def step(self, _rows: pd.DataFrame | None) -> np.ndarray:
        """The best bids of yesterday's truth."""
        return self.auctions.best_free * self.auctions.scale


POLICIES: dict[str, Callable[[Auctions], Any]] = {
    "oracle": Best,
    "ours": lambda auctions: BidAdapter(KEYWORDS, auctions.budget, auctions.seed),
    "pooled_rule": lambda _: PooledRule(0.5),
    "pooled_from_our_bid": lambda _: PooledRule(0.1),
}


def lived(world: World, policy: str, seed: int, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Profit per day at true worth, and with the luck of single orders."""
    auctions, rows = Auctions(world, seed), None
    player, earned, realised = POLICIES[policy](auctions), [], []
    for number in range(days):
        bids = np.asarray(player.step(rows), dtype=np.float64)
        rows = auctions.day(bids, np.random.default_rng([seed, 3, number]))
        cost = float(rows["cost"].sum())
        earned.append(float((rows["clicks"] * auctions.worth).sum()) - cost)
        realised.append(float(rows["revenue"].sum()) - cost)
    return np.array(earned), np.array(realised)


def scores(world: World, seeds: Sequence[int], days: int) -> dict[str, dict[str, float]]:
    """Shares of the oracle's profit by policy: all days, the last two weeks, the worst seed."""
    played = {name: [lived(world, name, seed, days) for seed in seeds] for name in POLICIES}
    best = np.array([earned for earned, _ in played.pop("oracle")])
    return {name: _score(lives, best) for name, lives in played.items()}


def _score(lives: list[tuple[np.ndarray, np.ndarray]], best: np.ndarray) -> dict[str, float]:
    earned = np.array([one for one, _ in lives])
    share = earned.sum(axis=1) / best.sum(axis=1)
    late = earned[:, -_LATE_DAYS:].sum() / best[:, -_LATE_DAYS:].sum()
    told = {
        "oracle_share": share.mean(),
        "late_share": late,
        "worst_seed": share.min(),
        "deepest_loss": min(0.0, *(luck.cumsum().min() for _, luck in lives)),
        "oracle_profit": best.sum(axis=1).mean(),
    }
    return {name: round(float(value), 3) for name, value in told.items()}


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", default=",".join(WORLDS))
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--record", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Play, print, keep."""
    asked, found = _asked(), {}
    for name in asked.worlds.split(","):
        seeds = range(asked.seed, asked.seed + asked.seeds)
        found[name] = scores(WORLDS[name], seeds, asked.days)
        if not asked.json:
            for policy, score in found[name].items():
                line = "  ".join(f"{key} {value:.3f}" for key, value in score.items())
                print(f"{name:14s}{policy:20s}{line}", flush=True)
    command = " ".join(["python -m simulations.bench_adapter", *sys.argv[1:]])
    result = {"command": command, "seeds": asked.seeds, "days": asked.days, "worlds": found}
    if asked.json:
        print(json.dumps(result))
    if asked.record:
        RECORD.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
