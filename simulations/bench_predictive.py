"""Promised against delivered: the predictive check on accounts whose truth is known.

`python -m simulations.bench_predictive [--seed S] [--seeds N] [--keywords K] [--kind-seeds M]
[--markets A] [--json] [--record]`

Per seed an account of a rates world with restated downloads every third day: 60 days of history,
then the check that `optimizer check --predictive` makes 45 days later, on the clicks of the first 14
of them. Worlds: base, two-point conversion rates, shuffled ad groups, values that fall as rates rise.
Per sparsity class: Σ promised over Σ delivered, and the share of seeds whose 80 % interval of the
class's total held what came. For the first `--kind-seeds` accounts also by the suggestion that a
review of that day would have made.

Then A small markets (`promised_markets`): the account's promised Δprofit and its 80 % interval
against what following every suggestion truly brings in the next seven days; the same by kind.
`--seeds 0` leaves the worlds out, `--markets 0` the markets. `--record` keeps the result in
`bench_predictive.json` beside this file.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from optimizer.estimates.posteriors import Floats
from optimizer.outcomes.calibration import AGO, Calibration, Comparison, check_predictions
from optimizer.review.daily import review_account
from optimizer.review.suggestions import ReviewInputs
from optimizer.settings import Account, Settings, find_configs
from optimizer.tables import HOLDS, TERM_DAILY, TERMS, empty_table
from simulations.lag_worlds import Lived, day_of, live
from simulations.promised_markets import Followed, followed_market
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


def account_figures(seeds: range) -> dict[str, Any]:
    """Δprofit per day that reviews of small markets promise, against what following them brings."""
    found = [followed_market(seed) for seed in seeds]
    promised, delivered = (
        np.array([part(each) for each in found])
        for part in (lambda each: each.promised.mean, lambda each: each.delivered)
    )
    rows = pd.concat([each.rows for each in found], ignore_index=True)
    return {
        "markets": len(found),
        "ratio": round(float(promised.sum() / delivered.sum()), 4),
        "ratio_se": round(_ratio_error(promised, delivered), 4),
        "coverage80": round(float(np.mean([each.inside for each in found])), 4),
        "below": round(float(np.mean([each.delivered < each.promised.low for each in found])), 4),
        "promised_mean": round(float(promised.mean()), 3),
        "delivered_mean": round(float(delivered.mean()), 3),
        "worst": round(float(delivered.min()), 3),
        "kinds": {str(kind): _kind_figures(own, found) for kind, own in rows.groupby("kind")},
    }


def _kind_figures(rows: pd.DataFrame, found: Sequence[Followed]) -> dict[str, float]:
    """Sums a market, and the share of single rows whose interval held what came."""
    promised, delivered = (float(rows[name].sum()) for name in ("promised", "delivered"))
    inside = (rows["low"] <= rows["delivered"]) & (rows["delivered"] <= rows["high"])
    return {
        "rows": len(rows),
        "ratio": round(promised / delivered, 4),
        "promised_mean": round(promised / len(found), 3),
        "delivered_mean": round(delivered / len(found), 3),
        "row_coverage80": round(float(inside.mean()), 4),
    }


def _ratio_error(promised: Floats, delivered: Floats) -> float:
    """Standard error of a ratio of sums (delta method)."""
    ratio = promised.sum() / delivered.sum()
    apart = promised - ratio * delivered
    return float(np.sqrt((apart**2).sum()) / abs(delivered.sum()))


def show(result: dict[str, Any]) -> None:
    """The figures for people."""
    if "worlds" in result:
        _show_worlds(result)
    if "account_profit" in result:
        _show_account(result["account_profit"])


def _show_worlds(result: dict[str, Any]) -> None:
    print(f"{result['keywords']:,} keywords, {result['seeds']} seeds from {result['seed']}")
    print(f"{'world':12s}{'amount':13s}{'group':9s}{'ratio':>7s}{'cover':>7s}{'a seed':>9s}")
    for world, amounts in result["worlds"].items():
        for amount, groups in amounts.items():
            for group, own in groups.items():
                print(
                    f"{world:12s}{amount:13s}{group:9s}{own['ratio']:7.3f}"
                    f"{own['coverage80']:7.0%}{own['delivered_mean']:9.1f}"
                )


def _show_account(account: dict[str, Any]) -> None:
    print(
        f"account's Δprofit, {account['markets']} markets: ratio {account['ratio']:.3f} ± "
        f"{account['ratio_se']:.3f}, cover {account['coverage80']:.0%}"
    )
    for kind, own in account["kinds"].items():
        print(
            f"  {kind:8s}{own['rows']:7d} rows, promised {own['promised_mean']:.2f}, "
            f"delivered {own['delivered_mean']:.2f} a day"
        )


def main() -> None:
    """All worlds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--keywords", type=int, default=1000)
    parser.add_argument("--kind-seeds", type=int, default=40)
    parser.add_argument("--markets", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    result: dict[str, Any] = {}
    if asked.seeds:
        result |= _of_worlds(asked)
    if asked.markets:
        result |= _of_markets(asked)
    print(json.dumps(result)) if asked.json else show(result)
    if asked.record:
        known = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
        RECORD.write_text(json.dumps(known | result, indent=1) + "\n", encoding="utf-8")


def _of_worlds(asked: argparse.Namespace) -> dict[str, Any]:
    """Figures of all worlds, and the command that gives them."""
    seeds = range(asked.seed, asked.seed + asked.seeds)
    options = f"--seed {asked.seed} --seeds {asked.seeds} --keywords {asked.keywords}"
    options += f" --kind-seeds {asked.kind_seeds} --markets 0"
    return {
        "command": f"python -m simulations.bench_predictive {options} --json",
        "keywords": asked.keywords,
        "seed": asked.seed,
        "seeds": asked.seeds,
        "worlds": {
            world: world_figures(world, asked.keywords, seeds, asked.kind_seeds) for world in WORLDS
        },
    }


def _of_markets(asked: argparse.Namespace) -> dict[str, Any]:
    """Figures of the markets, and the command that gives them."""
    options = f"--seed {asked.seed} --seeds 0 --markets {asked.markets}"
    told = {"command": f"python -m simulations.bench_predictive {options} --json"}
    found = account_figures(range(asked.seed, asked.seed + asked.markets))
    return {"account_profit": told | found}


if __name__ == "__main__":
    main()
