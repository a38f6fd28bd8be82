"""How much of the oracle's profit do two months of orders let anybody have under a tight budget?

`python -m simulations.bench_ceiling [--market NAME] [--seeds N] [--seed S] [--days N] [--json] [--record]`

The scoreboard's oracle sees each day's searches and rivals before it bids. After `--days` days of our own
policy the next two weeks are played, in expectation and with one set of bids for all of them, by who
knows less and less:

- average: every keyword's value, response and mean of those days, but no single day;
- prior: the response, and of values only what the orders so far tell whoever knows exactly how values
  are spread over campaigns, ad groups and keywords (`ceiling` for learning from these clicks);
- values: the response, and the values that our review believes;
- review: the bids that our review sets.

All but the last choose their spend with hindsight, from `SPEND` times the budget: bids that would just
spend the budget on the mean day are cut short on every busy one.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from optimizer.planning.history import MarketHistory
from optimizer.planning.lives import START, lived
from optimizer.planning.market import Log, Market, MarketSettings, load_market, make_market
from optimizer.planning.market.auction import outcome
from optimizer.planning.market.expectation import best_bids_on, expected_on
from optimizer.planning.market.places import by_segment
from optimizer.planning.policies import Optimizer
from optimizer.planning.policies.reviewing import followed
from optimizer.planning.policies.settings import load_policy_settings
from optimizer.review.daily import review_account
from optimizer.settings import find_configs

RECORD = Path(__file__).with_suffix(".json")
AHEAD = 14
MULTIPLES = np.concatenate([[0.0], np.geomspace(0.05, 3.0, 64)])
SPEND = (0.8, 0.85, 0.9, 0.95, 1.0)
STEPS, CLOSE = 60, 1e-8


@dataclass(frozen=True)
class Curves:
    """Clicks and cost of an average day ahead, (levels, keywords), at `bids`."""

    bids: np.ndarray
    clicks: np.ndarray
    cost: np.ndarray

    def best(self, worth: np.ndarray, money: float) -> np.ndarray:
        """The bids with most margin, at `worth` per click, for `money` on an average day."""
        margin = self.clicks * worth
        low, high = 1.0, 1e3
        for _ in range(STEPS):
            line = np.sqrt(low * high)
            low, high = (line, high) if self._at(margin, line)[1] > money else (low, line)
        level, spent = self._at(margin, 1.0)
        level = level if spent <= money else self._at(margin, high)[0]
        chosen: np.ndarray = self.bids[level, np.arange(len(worth))]
        return chosen

    def _at(self, margin: np.ndarray, line: float) -> tuple[np.ndarray, float]:
        level = np.argmax(margin - line * self.cost, axis=0)
        return level, float(self.cost[level, np.arange(len(level))].sum())


def curves_of(market: Market, days: list[date]) -> Curves:
    """The market's truth on `days`, budgets aside."""
    bids = MULTIPLES[:, None] * worth_of(market, days)
    clicks, cost = np.zeros_like(bids), np.zeros_like(bids)
    campaign, weather = market.keyword_campaign, market.weather
    for number in map(market.day_number, days):
        for level, row in enumerate(bids):
            met = outcome(market.auctions, row, weather.rivals[campaign, number])
            volume = market.auctions.volume * weather.volume[campaign, number]
            got = np.where(row > 0, volume * met.share * met.ctr, 0.0)
            clicks[level] += got / len(days)
            cost[level] += got * met.cpc / len(days)
    return Curves(bids, clicks, cost)


def worth_of(market: Market, days: list[date]) -> np.ndarray:
    """True margin per click, on the average of `days`."""
    cvr = float(np.mean([market.weather.cvr[market.day_number(day)] for day in days]))
    margin = market.truth["value_per_click"].to_numpy() * market.settings.orders.margin
    result: np.ndarray = margin * cvr
    return result


def learnt(market: Market, clicks: np.ndarray, orders: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Margin per click as believed by who knows the market's own spreads of both parts.

    `clicks` per keyword count as far as their orders are known; `value` is that of the `orders`.
    """
    told = market.settings.orders
    group = np.unique(market.keywords["ad_group_id"].astype(str), return_inverse=True)[1]
    effects = _effects(market.keyword_campaign, group)
    segment = by_segment(market.truth["segment"].to_numpy(), told.brand, told.competitor)
    sds = (told.cvr_campaign_sd, told.cvr_ad_group_sd, told.cvr_keyword_sd)
    precision = _precision(effects, market, group, sds)
    rate = _rates(effects, precision, np.log(told.cvr_median * segment), clicks, orders)
    sds = (told.value_campaign_sd, told.value_ad_group_sd, told.value_keyword_sd)
    precision = _precision(effects, market, group, sds)
    typical, spread = told.value_median, told.value_order_sd
    per_order = _order_values(effects, precision, typical, spread, orders, value)
    margin: np.ndarray = rate * per_order * told.margin
    return margin


def _effects(campaign: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Which effects each keyword has: its campaign's, its ad group's and its own."""
    one_hot = [np.eye(int(part.max()) + 1)[part] for part in (campaign, group)]
    return np.hstack([*one_hot, np.eye(len(campaign))])


def _precision(
    effects: np.ndarray, market: Market, group: np.ndarray, sds: tuple[float, float, float]
) -> np.ndarray:
    counts = (int(market.keyword_campaign.max()) + 1, int(group.max()) + 1, len(group))
    return 1.0 / np.repeat(np.square(sds), counts)


def _rates(
    effects: np.ndarray,
    precision: np.ndarray,
    level: np.ndarray,
    clicks: np.ndarray,
    orders: np.ndarray,
) -> np.ndarray:
    """Mean orders per click: log-normal effects, Poisson orders, at the mode with its curvature."""
    at = np.zeros(effects.shape[1])
    for _ in range(STEPS):
        due = clicks * np.exp(level + effects @ at)
        curvature = (effects.T * due) @ effects + np.diag(precision)
        step = np.linalg.solve(curvature, effects.T @ (orders - due) - precision * at)
        at = at + np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < CLOSE:
            break
    doubt = np.einsum("ij,jk,ik->i", effects, np.linalg.inv(curvature), effects)
    result: np.ndarray = np.exp(level + effects @ at + doubt / 2)
    return result


def _order_values(
    effects: np.ndarray,
    precision: np.ndarray,
    typical: float,
    order_sd: float,
    orders: np.ndarray,
    value: np.ndarray,
) -> np.ndarray:
    """Mean order value: log-normal effects, and the mean of n orders as far off as n orders are."""
    seen = orders > 0
    told = np.log(value[seen] / orders[seen]) - np.log(typical)
    weight = orders[seen] / np.expm1(order_sd**2)
    part = effects[seen]
    spread = np.linalg.inv((part.T * weight) @ part + np.diag(precision))
    at = spread @ (part.T @ (weight * told))
    doubt = np.einsum("ij,jk,ik->i", effects, spread, effects)
    result: np.ndarray = typical * np.exp(effects @ at + doubt / 2)
    return result


def compare(settings: MarketSettings, seed: int, days: int) -> dict[str, float]:
    """Share of the oracle's profit of the two weeks after `days` days, by who bids."""
    configs = find_configs()
    told, rules = configs.settings("market"), load_policy_settings(configs)
    market = make_market(settings, START, np.random.default_rng(seed))
    log = lived(market, Optimizer(told, rules), days, seed)
    today = START + timedelta(days=days)
    ahead = [today + timedelta(days=day) for day in range(AHEAD)]
    best = sum(
        float(expected_on(market, best_bids_on(market, day), day).profit.sum()) for day in ahead
    )

    def share(bids: np.ndarray) -> float:
        return sum(float(expected_on(market, bids, day).profit.sum()) for day in ahead) / best

    curves = curves_of(market, ahead)

    def with_hindsight(worth: np.ndarray) -> float:
        money = market.account_budget
        return max(share(curves.best(worth, part * money)) for part in SPEND)

    known = reviewed(market, log, today, seed)
    return {
        "average": with_hindsight(worth_of(market, ahead)),
        "prior": with_hindsight(known["prior"]),
        "values": with_hindsight(known["values"]),
        "review": share(known["bids"]),
    }


def reviewed(market: Market, log: Log, today: date, seed: int) -> dict[str, np.ndarray]:
    """Our review after the days of `log`: its `bids`, its `values`, and what `prior` would believe."""
    configs = find_configs()
    history = MarketHistory(market, today, log.bids[-1], [log])
    inputs = history.inputs(None)
    if inputs is None:
        raise ValueError("no day was played")
    policy = Optimizer(configs.settings("market"), load_policy_settings(configs))
    rng = np.random.default_rng([seed, log.days, 1])
    result = review_account(inputs, policy.told(history), today, rng)
    plan, size = result.frames["plan"], len(market.keywords)
    place = plan["entity_key"].to_numpy().astype(np.int64) - 1

    def column(name: str) -> np.ndarray:
        return np.bincount(place, plan[name].to_numpy(dtype=np.float64), size)

    seen = history.sums(1)
    values = np.divide(seen.value, seen.conversions, out=np.zeros(size), where=seen.conversions > 0)
    orders = column("conversions")
    return {
        "bids": followed(log.bids[-1], result),
        "values": column("value_mean"),
        "prior": learnt(market, column("exposure"), orders, orders * values),
    }


def summary(shares: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Mean share per row, and its standard error."""
    told = {}
    for name in shares[0]:
        values = np.array([one[name] for one in shares])
        error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.nan
        told[name] = {"share": float(values.mean()), "error": error}
    return told


def main() -> None:
    """Compare, print, and with --record keep the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--market", default="tight_budget")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    settings = load_market(find_configs(), asked.market)
    shares = []
    for seed in range(asked.seed, asked.seed + asked.seeds):
        shares.append(compare(settings, seed, asked.days))
        if not asked.json:
            print(seed, {name: round(value, 3) for name, value in shares[-1].items()}, flush=True)
    command = " ".join(["python -m simulations.bench_ceiling", *sys.argv[1:]])
    result: dict[str, Any] = {"command": command, "seeds": asked.seeds, **summary(shares)}
    print(json.dumps(result, indent=None if asked.json else 1))
    if asked.record:
        RECORD.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
