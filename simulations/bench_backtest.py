"""Do forecasts of past weeks hold? Each week of small simulated markets, from what was known on its morning.

`python -m simulations.bench_backtest [--seeds N] [--seed S] [--weeks N] [--json] [--record]`

Per seed a market of 120 keywords with brand, competitor, automated and capped campaigns and 110 days of
bids set by hand; reports are downloaded 30, 16, 9, 5 and 2 days before each morning. With --record the
figures replace bench_backtest.json beside this file.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from optimizer.planning.account_frames import PLATFORM, account_frames
from optimizer.planning.backtest import AMOUNTS, WeekScore, amount_score, backtest
from optimizer.planning.market import Log, MarketSettings, hand_set_bids, make_market, simulate_days
from optimizer.planning.market.settings import Size
from optimizer.review.suggestions import ReviewInputs
from optimizer.tables import HOLDS, TERM_DAILY, TERMS, empty_table
from simulations.promised_markets import TODAY, market_settings

RECORD = Path(__file__).with_suffix(".json")
DAYS = 110
SIZE = Size(campaigns=4, ad_groups=8, keywords=120)
DOWNLOADED_AGO = (30, 16, 9, 5, 2)


def lived(seed: int) -> Log:
    rng, start = np.random.default_rng(seed), TODAY - timedelta(days=DAYS)
    market = make_market(MarketSettings(size=SIZE), start, rng)
    return simulate_days(market, hand_set_bids(market, DAYS, rng), start, DAYS, rng)


def known_on(log: Log, day: date) -> ReviewInputs:
    """The account as reports told it on a morning."""
    downloads = [day - timedelta(days=ago) for ago in DOWNLOADED_AGO]
    frames = account_frames(log, day, [one for one in downloads if one > log.first_day])
    return ReviewInputs(
        account="market",
        platform=PLATFORM,
        currency=frames.currency,
        keywords=frames.keywords,
        daily=frames.daily,
        terms=empty_table(TERMS),
        term_daily=empty_table(TERM_DAILY),
        versions=frames.versions,
        holds=empty_table(HOLDS),
        bid_changes=frames.bid_changes,
    )


def scored(seed: int, weeks: int) -> list[WeekScore]:
    log = lived(seed)
    now = known_on(log, TODAY)
    found = backtest(now, TODAY, market_settings(), lambda day: known_on(log, day), weeks=weeks)
    return list(found.weeks)


def study(asked: argparse.Namespace) -> dict[str, Any]:
    start = process_time()
    weeks = [
        one
        for seed in range(asked.seed, asked.seed + asked.seeds)
        for one in scored(seed, asked.weeks)
    ]
    return {
        "command": " ".join(["python -m simulations.bench_backtest", *sys.argv[1:]]),
        "seeds": asked.seeds,
        "cpu_seconds": round(process_time() - start, 1),
        "scores": {
            amount: asdict(amount_score([one for one in weeks if one.amount == amount]))
            for amount in AMOUNTS
        },
    }


def _print(result: dict[str, Any]) -> None:
    for amount, score in result["scores"].items():
        told = "  ".join(f"{key} {value:.3f}" for key, value in score.items() if value is not None)
        print(f"{amount:7s} {told}")


def main() -> None:
    """Back-test, print, and with --record keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weeks", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    result = study(asked)
    if asked.record:
        RECORD.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result)) if asked.json else _print(result)


if __name__ == "__main__":
    main()
