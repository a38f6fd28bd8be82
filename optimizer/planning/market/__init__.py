"""A simulated keyword-auction account whose truth is known; it shares no code with the estimates.

`make_market` draws it, `simulate_day` or `simulate_days` live it at given bids, `as_known` is what a
report downloaded on some day says.
"""

from optimizer.planning.market.creative_days import creatives_known
from optimizer.planning.market.days import Log, join_logs, simulate_day, simulate_days
from optimizer.planning.market.history import hand_set_bids
from optimizer.planning.market.known import Known, as_known, bids_known, campaign_days_known
from optimizer.planning.market.settings import MarketSettings, load_market, load_market_file
from optimizer.planning.market.words import BRAND_WORDS, COMPETITOR_WORDS
from optimizer.planning.market.world import Market, make_market

__all__ = [
    "BRAND_WORDS",
    "COMPETITOR_WORDS",
    "Known",
    "Log",
    "Market",
    "MarketSettings",
    "as_known",
    "bids_known",
    "campaign_days_known",
    "creatives_known",
    "hand_set_bids",
    "join_logs",
    "load_market",
    "load_market_file",
    "make_market",
    "simulate_day",
    "simulate_days",
]
