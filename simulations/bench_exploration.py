"""Does a bid test pay for itself? Eight weeks of reviews, all followed, with and without exploration.

`python -m simulations.bench_exploration [--seeds N] [--seed S] [--keywords N] [--json] [--record]`

Both arms of a seed live in the same market under the same weather. Profit is what the bids in force
are expected to bring on each day as it was (searches, rivals, budgets), so that the luck of single
clicks is not mistaken for skill; what the reviews see has all of that luck.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from optimizer.planning.account_frames import PLATFORM, account_frames
from optimizer.planning.demo_account import demo_log
from optimizer.planning.market import (
    BRAND_WORDS,
    COMPETITOR_WORDS,
    Log,
    Market,
    MarketSettings,
    join_logs,
    load_market,
    simulate_days,
)
from optimizer.planning.market.auction import outcome
from optimizer.planning.policies.bid_tests import in_dither, running, spans, step_of_test
from optimizer.review.daily import review_account
from optimizer.review.experiments import (
    Experiment,
    propose_experiment,
)
from optimizer.review.last_change import forget_changes
from optimizer.review.resolve import resolve_account
from optimizer.review.suggestions import ReviewInputs, ReviewResult
from optimizer.settings import Account, Exploration, Segments, Settings, find_configs
from optimizer.tables import TERM_DAILY, TERMS, empty_table

RECORD = Path(__file__).with_suffix(".json")
START = date(2026, 7, 16)
WEEKS = 8
SHORTEST_PAYBACK = 28
DOWNLOADS_AGO = (40, 26, 16, 9, 5, 2)


@dataclass
class Arm:
    """One of two lives in the same market, as far as it has come.

    `tested` (days, keywords) marks bids set at random; `weekly` expected profit; `tests` so far, and
    `true_costs` of each per day, known to the market alone.
    """

    settings: Settings
    log: Log
    bids: np.ndarray
    tested: np.ndarray
    weekly: list[float] = field(default_factory=list)
    budget: float | None = None
    tests: list[Experiment] = field(default_factory=list)
    true_costs: list[float] = field(default_factory=list)

    @property
    def experiment(self) -> Experiment | None:
        """The newest test."""
        return self.tests[-1] if self.tests else None

    def review(self, today: date, seed: int) -> None:
        """Read, review, propose a test where none is running, and follow everything."""
        self.bids = step_of_test(self.experiment, today, self.bids)
        held = running(self.experiment, today)
        inputs = inputs_of(self.log, today, self.bids, self.tested, held)
        rng = np.random.default_rng([seed, today.toordinal()])
        result = review_account(replace(inputs, budget=self.budget), self.settings, today, rng)
        self.budget = result.summary.budget
        if held.empty:
            result = self.propose(result, inputs.holds, today, seed)
        self.bids = followed(self.bids, result)

    def propose(
        self, result: ReviewResult, holds: pd.DataFrame, today: date, seed: int
    ) -> ReviewResult:
        """The review once the test it is worth, if any, is approved; its first bids are set.

        It has to pay within the weeks that are left: nothing after them is counted.
        """
        left = 7 * WEEKS - (today - START).days
        rules = self.settings.exploration
        if left < SHORTEST_PAYBACK:
            return result
        due = rules.model_copy(update={"payback_days": min(rules.payback_days, left)})
        settings = self.settings.model_copy(update={"exploration": due})
        rng = np.random.default_rng([seed, today.toordinal(), 1])
        found = propose_experiment(result, holds, settings, rng)
        if found is None:
            return result
        self.tests.append(found)
        self.true_costs.append(true_cost(self.log.market, self.bids, result, found))
        self.bids = step_of_test(found, today, self.bids)
        return resolve_account(result, running(found, today))

    def live(self, today: date, lived: Log) -> None:
        """Take in the week that `lived`."""
        self.weekly.append(expected_profit(self.log.market, self.bids, today))
        random_now = in_dither(self.experiment, today, len(self.bids))
        self.tested = np.vstack([self.tested, np.tile(random_now, (7, 1))])
        self.log = join_logs([self.log, lived])


def live(market_settings: MarketSettings, seed: int, both: tuple[Settings, Settings]) -> list[Arm]:
    """Sixty days of bids set by hand, then WEEKS reviews with everything approved, in both arms."""
    log = demo_log(market_settings, seed, START)
    none = np.zeros((log.days, log.bids.shape[1]), dtype=bool)
    arms = [Arm(settings, log, log.bids[-1].copy(), none) for settings in both]
    for week in range(WEEKS):
        today = START + timedelta(days=7 * week)
        for arm in arms:
            arm.review(today, seed)
        weeks = simulate_week(log.market, [arm.bids for arm in arms], today, seed)
        for arm, lived in zip(arms, weeks, strict=True):
            arm.live(today, lived)
    return arms


def inputs_of(
    log: Log, today: date, bids: np.ndarray, tested: np.ndarray, holds: pd.DataFrame
) -> ReviewInputs:
    """What an operator's review would read; bids changed this morning count as in force."""
    frames = account_frames(log, today, [today - timedelta(days=ago) for ago in DOWNLOADS_AGO])
    changes = bid_changes(log, tested)
    keywords = frames.keywords
    now = np.where((bids > 0) & keywords["bid"].notna(), bids, keywords["bid"])
    keywords = forget_changes(keywords.assign(bid=now), spans(log.first_day, tested))
    return ReviewInputs(
        account="market",
        platform=PLATFORM,
        currency=frames.currency,
        keywords=keywords,
        daily=frames.daily,
        terms=empty_table(TERMS),
        term_daily=empty_table(TERM_DAILY),
        versions=frames.versions,
        holds=holds,
        bid_changes=changes,
    )


def bid_changes(log: Log, tested: np.ndarray) -> pd.DataFrame:
    """Table BID_CHANGES of a log, `tested` (days, keywords) marking random bids."""
    known = np.where(log.market.automated, 0.0, log.bids)
    changed = np.vstack([np.ones(known.shape[1], dtype=bool), known[1:] != known[:-1]])
    changed[1:] |= tested[1:] != tested[:-1]
    day, keyword = np.nonzero(changed & (known > 0))
    meant = np.where(day < (START - log.first_day).days, "human", "optimizer")
    return pd.DataFrame(
        {
            "entity_key": keyword + 1,
            "day": np.datetime64(log.first_day, "s") + day.astype("timedelta64[D]"),
            "bid": known[day, keyword],
            "provenance": np.where(tested[day, keyword], "randomised", meant),
        }
    )


def followed(bids: np.ndarray, result: ReviewResult) -> np.ndarray:
    """`bids` after every suggestion on a keyword is followed."""
    rows = result.suggestions[result.suggestions["kind"].isin(["raise", "lower", "pause"])]
    changed = bids.copy()
    changed[rows["entity_key"].astype(int) - 1] = rows["proposed_bid"].fillna(0.0)
    return changed


def simulate_week(market: Market, bids: Sequence[np.ndarray], today: date, seed: int) -> list[Log]:
    """Seven days at each of `bids`; a keyword with the same bid has the same luck in all of them.

    The market draws one keyword after the other, so that a single other bid would change everybody's
    luck after it: what has not changed is taken from the first life.
    """
    days: list[list[Log]] = [[] for _ in bids]
    for day in (today + timedelta(days=offset) for offset in range(7)):
        lived = [
            simulate_days(market, one, day, 1, np.random.default_rng([seed, day.toordinal()]))
            for one in bids
        ]
        for place, log in enumerate(lived):
            days[place].append(log if place == 0 else _same_luck(lived[0], log))
    return [join_logs(logs) for logs in days]


def _same_luck(first: Log, other: Log) -> Log:
    """`other` with the rows of `first` for keywords whose bid and budget went the same way."""
    market = other.market
    campaign = market.keyword_campaign
    same = (first.bids[0] == other.bids[0]) & np.isclose(first.served[0], other.served[0])[campaign]
    of_term = same[market.term_truth["keyword"].to_numpy()]
    return replace(
        other,
        rows=_merged(first.rows, other.rows, of_term),
        orders=_merged(first.orders, other.orders, of_term),
    )


def _merged(first: Any, other: Any, same: np.ndarray) -> Any:
    """Records of one day: those of terms in `same` from `first`, the rest from `other`, by term."""
    kept, own = same[first.term], ~same[other.term]
    term = np.concatenate([first.term[kept], other.term[own]])
    order = np.argsort(term, kind="stable")
    columns = {
        part.name: np.concatenate([getattr(first, part.name)[kept], getattr(other, part.name)[own]])
        for part in fields(first)
    }
    return type(first)(**{name: values[order] for name, values in columns.items()})


def expected_profit(market: Market, bids: np.ndarray, today: date, days: int = 7) -> float:
    """Expected profit of `bids` over the week's own weather, budgets included."""
    effective = market.bids_in_force(bids)
    campaign, weather = market.keyword_campaign, market.weather
    worth = market.truth["value_per_click"].to_numpy() * market.settings.orders.margin
    total = 0.0
    for offset in range(days):
        number = market.day_number(today + timedelta(days=offset))
        met = outcome(market.auctions, effective, weather.rivals[campaign, number])
        clicks = market.auctions.volume * weather.volume[campaign, number] * met.share * met.ctr
        wanted = np.bincount(campaign, clicks * met.cpc, len(market.campaign_names))
        served = np.minimum(1.0, market.campaign_budgets / np.maximum(wanted, 1e-9))[campaign]
        total += float((served * clicks * (worth * weather.cvr[number] - met.cpc)).sum())
    return total


def true_cost(market: Market, bids: np.ndarray, result: ReviewResult, test: Experiment) -> float:
    """Per average day: profit of the plan's bids on the members less that of their test bids."""
    place = test.members["entity_key"].astype(int).to_numpy() - 1
    planned = market.expected_day(followed(bids, result))["profit"].to_numpy()[place].sum()
    weeks = []
    for week in range(test.weeks):
        tried = step_of_test(test, test.as_of + timedelta(days=7 * week), bids)
        weeks.append(market.expected_day(tried)["profit"].to_numpy()[place].sum())
    return float(planned - np.mean(weeks))


def settings_for(exploration: Exploration) -> Settings:
    """The default market's account; everything else as shipped."""
    words = Segments(brand=BRAND_WORDS, competitor=COMPETITOR_WORDS)
    shipped = find_configs().settings("market")
    account = Account(margin=0.45, segments=words)
    return shipped.model_copy(update={"account": account, "exploration": exploration})


def compare(
    market: MarketSettings, seeds: range, exploration: Exploration, told: Callable[[str], None]
) -> dict[str, Any]:
    """Both arms of every seed, and what they add up to."""
    off = settings_for(exploration.model_copy(update={"cost_share": 0.0}))
    on = settings_for(exploration)
    pairs = []
    for seed in seeds:
        pairs.append(live(market, seed, (off, on)))
        told(_line(seed, *pairs[-1]))
    return summary(pairs, exploration)


def _line(seed: int, without: Arm, tried: Arm) -> str:
    gain = np.array(tried.weekly) - np.array(without.weekly)
    weeks = " ".join(f"{one:+.0f}" for one in gain)
    tests = "; ".join(map(_test_line, tried.tests, tried.true_costs))
    return (
        f"seed {seed}: {sum(without.weekly):,.0f} {gain.sum():+.0f} ({weeks}); {tests or 'no test'}"
    )


def _test_line(test: Experiment, cost: float) -> str:
    arms, week = test.members["arm"], (test.as_of - START).days // 7
    return (
        f"week {week}: {arms.eq('dither').sum()}+{arms.eq('ramp').sum()} keywords, worth {test.value:.0f}, "
        f"cost per day {test.cost.mean:.2f} ({test.cost.low:.2f} to {test.cost.high:.2f}), "
        f"in truth {cost:.2f}"
    )


def summary(pairs: list[list[Arm]], exploration: Exploration) -> dict[str, Any]:
    """Figures over all seeds: profit, and stated and true cost and value, in eight weeks; and per test."""
    without = np.array([sum(one.weekly) for one, _ in pairs])
    gains = np.array([sum(two.weekly) - sum(one.weekly) for one, two in pairs])
    tests = [test for _, two in pairs for test in two.tests]
    true = np.array([cost for _, two in pairs for cost in two.true_costs])
    days = np.array([7 * test.weeks for test in tests])
    low, mean, high = (
        np.array([getattr(test.cost, end) for test in tests]) for end in ("low", "mean", "high")
    )
    arms = [test.members["arm"] for test in tests]
    return {
        "seeds": len(pairs),
        "exploration": exploration.model_dump(),
        "profit": _mean(without),
        "gain": _mean(gains),
        "gain_se": float(gains.std(ddof=1) / np.sqrt(len(gains))) if len(gains) > 1 else None,
        "gain_share": float(gains.mean() / without.mean()),
        "worst_seed": float(gains.min()),
        "seeds_better": int((gains > 0).sum()),
        "tests": len(tests),
        "stated_cost": float(days @ mean) / len(pairs),
        "true_cost": float(days @ true) / len(pairs),
        "stated_value": sum(test.value for test in tests) / len(pairs),
        "dithered": _mean(np.array([arm.eq("dither").sum() for arm in arms])),
        "ramped": _mean(np.array([arm.eq("ramp").sum() for arm in arms])),
        "stated_cost_per_day": _mean(mean),
        "true_cost_per_day": _mean(true),
        "coverage80": _mean((true >= low) & (true <= high)),
    }


def _mean(values: np.ndarray) -> float | None:
    return float(np.mean(values)) if len(values) else None


def market_of(searches: float, keywords: int) -> MarketSettings:
    """The default market with that many keywords and so many times its searches."""
    market = load_market(find_configs())
    size = market.size.model_copy(update={"keywords": keywords})
    demand = market.demand.model_copy(update={"median": market.demand.median * searches})
    return market.model_copy(update={"size": size, "demand": demand})


def main() -> None:
    """Compare, print, and with --record keep the result under the market's name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keywords", type=int, default=1500)
    parser.add_argument("--searches", type=float, default=1.0, help="times those of the market")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--record", action="store_true")
    for name, one in Exploration.model_fields.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=one.default)
    asked = parser.parse_args()
    exploration = Exploration(**{name: getattr(asked, name) for name in Exploration.model_fields})
    market = market_of(asked.searches, asked.keywords)
    seeds = range(asked.seed, asked.seed + asked.seeds)
    told = (lambda line: None) if asked.json else (lambda line: print(line, flush=True))
    result = compare(market, seeds, exploration, told)
    result = {
        "command": " ".join(["python -m simulations.bench_exploration", *sys.argv[1:]])
    } | result
    print(json.dumps(result) if asked.json else json.dumps(result, indent=1))
    if asked.record:
        known = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
        kept = known | {
            f"searches x{asked.searches:g}, shared_share {exploration.shared_share:g}": result
        }
        RECORD.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
