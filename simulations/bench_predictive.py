"""Promised against delivered: the predictive check on accounts whose truth is known.

`python -m simulations.bench_predictive [--seed S] [--seeds N] [--keywords K] [--kind-seeds M] [--json]
[--record]`

Per seed an account of a rates world with restated downloads every third day: 60 days of history,
then the check that `optimizer check --predictive` makes 45 days later, on the clicks of the first 14
of them. Worlds: base, two-point conversion rates, shuffled ad groups, values that fall as rates rise.
Per sparsity class: Σ promised over Σ delivered, and the share of seeds whose 80 % interval of the
class's total held what came. For the first `--kind-seeds` accounts also by the suggestion that a
review of that day would have made.
`--record` keeps the result in `bench_predictive.json` beside this file.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from optimizer.outcomes.calibration import AGO, Calibration, Comparison, check_predictions
from optimizer.review.daily import review_account
from optimizer.review.suggestions import ReviewInputs
from optimizer.settings import Account, Settings, find_configs
from optimizer.tables import HOLDS, TERM_DAILY, TERMS, empty_table
from simulations.lag_worlds import Lived, day_of, live
from simulations.rate_worlds import rates_truth

RECORD = Path(__file__).with_suffix(".json")
HISTORY = 60
WORLDS = ("base", "two_point", "shuffled", "correlated")
SETTINGS = Settings(
    account=Account(margin=1.0), bid_limits=find_configs().settings("study").bid_limits
)


def inputs(lived: Lived, today: int, downloads: Sequence[int]) -> ReviewInputs:
    """The account as known on `today` after these downloads."""
    return ReviewInputs(
        account="study",
        platform="google_ads",
        currency="CNY",
        keywords=lived.keywords(),
        daily=lived.daily(today),
        terms=empty_table(TERMS),
        term_daily=empty_table(TERM_DAILY),
        versions=lived.versions(downloads),
        holds=empty_table(HOLDS),
    )


def kinds_then(then: ReviewInputs) -> Mapping[int, str]:
    """What a review on the day of the belief would have suggested."""
    rows = review_account(then, SETTINGS, day_of(HISTORY), np.random.default_rng(0)).suggestions
    return dict(zip(rows["entity_key"].astype(int), rows["kind"], strict=True))


def checked(world: str, keywords: int, seed: int, by_kind: bool) -> Calibration:
    """One account's check."""
    rng = np.random.default_rng(seed)
    today = HISTORY + AGO
    lived = live(rates_truth(keywords, rng, world), today, rng)
    then = inputs(lived, HISTORY, range(HISTORY - 39, HISTORY + 1, 3))
    now = inputs(lived, today, [today])
    kinds = kinds_then(then) if by_kind else None
    return check_predictions(then, now, SETTINGS, day_of(today), kinds=kinds)


def figures(found: Sequence[Comparison]) -> dict[str, float]:
    """Ratio of sums and coverage over the seeds."""
    promised = sum(each.promised.mean for each in found)
    delivered = sum(each.delivered for each in found)
    return {
        "ratio": round(promised / delivered, 4),
        "coverage80": round(float(np.mean([each.inside for each in found])), 4),
        "delivered_mean": round(delivered / len(found), 1),
        "seeds": len(found),
    }


def world_figures(world: str, keywords: int, seeds: range, kind_seeds: int) -> dict[str, Any]:
    """Amount → group → figures."""
    groups: dict[str, dict[str, list[Comparison]]] = defaultdict(lambda: defaultdict(list))
    for seed in seeds:
        by_kind = seed < seeds.start + kind_seeds
        for each in checked(world, keywords, seed, by_kind).comparisons:
            groups[each.amount][each.group].append(each)
    return {
        amount: {group: figures(found) for group, found in sorted(own.items())}
        for amount, own in groups.items()
    }


def show(result: dict[str, Any]) -> None:
    """The figures for people."""
    print(f"{result['keywords']:,} keywords, {result['seeds']} seeds from {result['seed']}")
    print(f"{'world':12s}{'amount':13s}{'group':9s}{'ratio':>7s}{'cover':>7s}{'a seed':>9s}")
    for world, amounts in result["worlds"].items():
        for amount, groups in amounts.items():
            for group, own in groups.items():
                print(
                    f"{world:12s}{amount:13s}{group:9s}{own['ratio']:7.3f}"
                    f"{own['coverage80']:7.0%}{own['delivered_mean']:9.1f}"
                )


def main() -> None:
    """All worlds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--keywords", type=int, default=1000)
    parser.add_argument("--kind-seeds", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    seeds = range(asked.seed, asked.seed + asked.seeds)
    options = f"--seed {asked.seed} --seeds {asked.seeds} --keywords {asked.keywords}"
    options += f" --kind-seeds {asked.kind_seeds}"
    result = {
        "command": f"python -m simulations.bench_predictive {options} --json",
        "keywords": asked.keywords,
        "seed": asked.seed,
        "seeds": asked.seeds,
        "worlds": {
            world: world_figures(world, asked.keywords, seeds, asked.kind_seeds) for world in WORLDS
        },
    }
    print(json.dumps(result)) if asked.json else show(result)
    if asked.record:
        RECORD.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
