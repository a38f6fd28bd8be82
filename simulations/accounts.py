"""Big accounts for benchmarks, lived in the same simulated market as everything else.

`python -m simulations.accounts FILE [KEYWORDS] [DAYS]` writes a keyword report of one to FILE.
"""

from __future__ import annotations

import sys
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from optimizer.planning.account_frames import AccountFrames, account_frames
from optimizer.planning.market import Log, MarketSettings, hand_set_bids, make_market, simulate_days
from optimizer.planning.market.settings import Size, Terms
from optimizer.planning.report_files import keyword_report_parts

AS_OF = date(2026, 10, 31)
KEYWORDS_PER_AD_GROUP = 40
AD_GROUPS_PER_CAMPAIGN = 40
# Most keywords of a big account are exact or let in little else: fewer terms than in the default market.
TERMS = Terms(exact=1, phrase=2, broad=3)
DOWNLOADS_AGO = (21, 14, 7, 3, 1)


def large_log(keywords: int = 100_000, days: int = 60, seed: int = 0) -> Log:
    """The days before AS_OF in a market of `keywords` keywords."""
    ad_groups = max(keywords // KEYWORDS_PER_AD_GROUP, 3)
    campaigns = max(ad_groups // AD_GROUPS_PER_CAMPAIGN, 3)
    size = Size(keywords=keywords, ad_groups=ad_groups, campaigns=campaigns, horizon_days=days)
    rng = np.random.default_rng(seed)
    start = AS_OF - timedelta(days=days)
    market = make_market(MarketSettings(size=size, terms=TERMS), start, rng)
    return simulate_days(market, hand_set_bids(market, days, rng), start, days, rng)


def large_account(keywords: int = 100_000, days: int = 60, seed: int = 0) -> AccountFrames:
    """The tables a review reads, as known on AS_OF, with a run-off triangle of six downloads."""
    log = large_log(keywords, days, seed)
    return account_frames(log, AS_OF, [AS_OF - timedelta(days=ago) for ago in DOWNLOADS_AGO])


def write_large_report(path: Path, keywords: int = 100_000, days: int = 60, seed: int = 0) -> None:
    """Write the account's keyword report, all days in one file."""
    with path.open("wb") as file:
        file.writelines(keyword_report_parts(large_log(keywords, days, seed), AS_OF, days))


def main(arguments: list[str]) -> None:
    path = Path(arguments[0])
    sizes = [int(number) for number in arguments[1:3]]
    began = time.perf_counter()
    write_large_report(path, *sizes)
    print(f"{path}: {path.stat().st_size / 1e6:.0f} MB in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
