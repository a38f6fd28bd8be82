"""The account that the demonstration shows: sixty days, downloaded again and again as they matured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from optimizer.planning.market import Log, MarketSettings, hand_set_bids, make_market, simulate_days
from optimizer.planning.market.creatives import draw_creatives
from optimizer.planning.report_files import creative_report, keyword_report, search_terms_report

DAYS = 60
PERIOD_DAYS = 30
DOWNLOADS = (40, 26, 16, 9, 5, 2, 0)
"""Days before today on which the keyword report was downloaded; each covers PERIOD_DAYS."""
TITLES = 3
"""Creatives of each ad group; how they differ is drawn apart, so that nothing else depends on it."""


@dataclass(frozen=True)
class DemoReport:
    """A report file: its name, the day it was downloaded and its bytes."""

    name: str
    as_of: date
    content: bytes


def demo_log(settings: MarketSettings, seed: int, today: date) -> Log:
    """The DAYS days before `today` in a market drawn from `seed`, with bids set by hand."""
    rng = np.random.default_rng(seed)
    start = today - timedelta(days=DAYS)
    market = make_market(settings, start, rng)
    return simulate_days(market, hand_set_bids(market, DAYS, rng), start, DAYS, rng)


def demo_reports(settings: MarketSettings, seed: int, today: date) -> list[DemoReport]:
    """Keyword reports in the order they were downloaded, then the search terms and ads of all days.

    Their overlaps restate each other, so that a run-off triangle can be built.
    """
    return list(_reports(_with_creatives(demo_log(settings, seed, today), seed), today))


def _with_creatives(log: Log, seed: int) -> Log:
    """The same days, each ad group's clicks and orders shared out over its creatives."""
    market = log.market
    parts = market.settings.creatives.model_copy(update={"per_ad_group": TITLES})
    settings = market.settings.model_copy(update={"creatives": parts})
    drawn = draw_creatives(settings, market.keywords, np.random.default_rng([seed, TITLES]))
    shown = replace(
        market,
        settings=settings,
        creatives=drawn.named,
        creative_truth=drawn.truth,
        creative_seed=drawn.seed,
    )
    return replace(log, market=shown)


def _reports(log: Log, today: date) -> Iterator[DemoReport]:
    for ago in DOWNLOADS:
        as_of = today - timedelta(days=ago)
        content = keyword_report(log, as_of, PERIOD_DAYS)
        yield DemoReport(f"Search keyword report {as_of}.csv", as_of, content)
    content = search_terms_report(log, today, DAYS)
    yield DemoReport(f"Search terms report {today}.csv", today, content)
    yield DemoReport(f"Ad report {today}.csv", today, creative_report(log, today, DAYS))
