"""A simulated account as the tables a review reads, without the detour over files and a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from optimizer.planning.market import Log, as_known, bids_known, campaign_days_known
from optimizer.tables import KEYWORDS, MICROS, TERMS

PLATFORM = "google_ads"
_SUMS = ("impressions", "clicks", "conversions")
_PLACE = ("campaign_id", "campaign_name", "ad_group_id", "ad_group_name", "keyword_text")


@dataclass(frozen=True)
class AccountFrames:
    """Tables KEYWORDS, KEYWORD_DAILY, TERMS, TERM_DAILY, VERSIONS and BID_CHANGES on `as_of`.

    A keyword's `entity_key` is 1 + its position in the market; a term's follows after the keywords.
    """

    as_of: date
    currency: str
    keywords: pd.DataFrame
    daily: pd.DataFrame
    terms: pd.DataFrame
    term_daily: pd.DataFrame
    versions: pd.DataFrame
    bid_changes: pd.DataFrame


def account_frames(
    log: Log,
    as_of: date,
    downloads: Sequence[date] = (),
    provenance: np.ndarray | None = None,
) -> AccountFrames:
    """The account as known on `as_of`; `versions` holds it as known on each of `downloads` and then.

    `provenance` (days, keywords) says who set each bid: randomised, optimizer or human (all of them
    without it).
    """
    known = as_known(log, as_of)
    seen = np.unique(known.terms["term"].to_numpy())
    terms = _terms(log).iloc[seen].reset_index(drop=True)
    first_term_key = len(log.market.keywords) + 1
    days = sorted({*downloads, as_of})
    return AccountFrames(
        as_of=as_of,
        currency=log.market.settings.currency,
        keywords=_keywords(log, as_of),
        daily=_daily(known.keywords, known.keywords["keyword"] + 1),
        terms=terms,
        term_daily=_daily(known.terms, known.terms["term"] + first_term_key),
        versions=pd.concat([_version(log, day) for day in days], ignore_index=True),
        bid_changes=_bid_changes(log, as_of, provenance),
    )


def _keywords(log: Log, as_of: date) -> pd.DataFrame:
    market, state = log.market, bids_known(log, as_of)
    frame = market.keywords.drop(columns=["quality_score"])
    frame.insert(0, "entity_key", np.arange(1, len(frame) + 1))
    budgets = market.campaign_budgets[market.keyword_campaign]
    frame = frame.assign(
        target_type="keyword",
        item_id=None,
        status=state["status"],
        ad_group_status="ENABLED",
        campaign_status="ENABLED",
        bid=state["bid"],
        bid_source="own",
        campaign_budget=np.where(np.isfinite(budgets), budgets, np.nan),
        quality_score=market.keywords["quality_score"].astype("float64"),
        last_change=_last_changes(log, as_of),
    )
    return frame[list(KEYWORDS.columns)].astype({"item_id": "str"})


def _last_changes(log: Log, as_of: date) -> np.ndarray:
    """The last day before `as_of` whose bid differs from the day before; NaT where none does."""
    days = int(np.clip((as_of - log.first_day).days, 1, log.days))
    bids = log.bids[:days]
    differs = np.vstack([np.zeros(bids.shape[1], dtype=bool), bids[1:] != bids[:-1]])
    last = days - 1 - np.argmax(differs[::-1], axis=0)
    day = np.datetime64(log.first_day, "s") + last.astype("timedelta64[D]")
    return np.where(differs.any(axis=0), day, np.datetime64("NaT", "s"))


def _bid_changes(log: Log, as_of: date, provenance: np.ndarray | None) -> pd.DataFrame:
    """Table BID_CHANGES before `as_of`: a row where bid or provenance differ from the day before.

    A keyword that is off has bid 0; one the platform bids for has no rows.
    """
    days = int(np.clip((as_of - log.first_day).days, 1, log.days))
    bids = log.bids[:days]
    who = np.full(bids.shape, "human") if provenance is None else provenance[:days]
    differs = np.ones(bids.shape, dtype=bool)
    differs[1:] = (bids[1:] != bids[:-1]) | (who[1:] != who[:-1])
    keyword, day = np.nonzero((differs & ~log.market.automated).T)
    frame = pd.DataFrame(
        {
            "entity_key": keyword + 1,
            "day": np.datetime64(log.first_day, "s") + day.astype("timedelta64[D]"),
            "bid": bids[day, keyword],
            "provenance": who[day, keyword],
        }
    )
    return frame.astype({"provenance": "str"})


def _terms(log: Log) -> pd.DataFrame:
    market = log.market
    owner = market.terms["keyword"].to_numpy()
    frame = market.keywords[list(_PLACE)].take(owner).reset_index(drop=True)
    frame.insert(0, "entity_key", len(market.keywords) + 1 + np.arange(len(owner)))
    frame["search_term"] = market.terms["search_term"]
    frame["term_status"] = market.terms["term_status"]
    return frame[list(TERMS.columns)]


def _daily(rows: pd.DataFrame, entity_key: pd.Series) -> pd.DataFrame:
    frame = pd.DataFrame(
        {"entity_key": entity_key, "first_day": rows["day"], "last_day": rows["day"]}
    )
    for name in _SUMS:
        frame[name] = rows[name].astype("float64")
    frame.insert(5, "cost", rows["cost_micros"] / MICROS)
    frame["value"] = rows["value_micros"] / MICROS
    if "lost_is_budget" in rows:
        frame["impression_share"] = rows["impressions"] / rows["eligible"]
        frame["lost_is_budget"] = rows["lost_is_budget"].to_numpy(dtype=np.float64)
    return frame


def _version(log: Log, as_of: date) -> pd.DataFrame:
    """Sums per campaign and click day as known on `as_of`."""
    sums = campaign_days_known(log, as_of)
    sums.insert(2, "as_of", pd.Series(np.datetime64(as_of, "s"), index=sums.index))
    return sums
