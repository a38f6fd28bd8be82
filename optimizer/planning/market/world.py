"""A market: what an operator can see of an account, the truth behind it, and each day's weather."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from optimizer.errors import Infeasible
from optimizer.planning.market import words
from optimizer.planning.market.arrays import frozen
from optimizer.planning.market.auction import Auctions, best_bids, expected_day, first_page_bids
from optimizer.planning.market.creatives import draw_creatives
from optimizer.planning.market.places import Places, automated_campaigns, draw_places
from optimizer.planning.market.search_terms import MATCH_TYPES, draw_terms, name_terms
from optimizer.planning.market.settings import MarketSettings
from optimizer.planning.market.truth import auctions_of, draw_truth
from optimizer.planning.market.weather import Weather, draw_weather


@dataclass(frozen=True)
class Market:
    """One simulated account. Arrays are read-only and in the order of `keywords` (or `terms`).

    keywords    what reports show: campaign_id, campaign_name, ad_group_id, ad_group_name, keyword_id,
                keyword_text, match_type, bidding_mode, quality_score, first_page_bid
    terms       keyword (position), search_term, term_match_type, term_status
    truth       per keyword, never in a report; see `truth.draw_truth`
    term_truth  per term: keyword, share of its keyword's searches, cvr
    campaign_budgets   per day, inf where there is none; account_budget likewise, of all campaigns
    creatives   what reports show of creatives; creative_truth their relative rates (see `creatives`)
    """

    settings: MarketSettings
    first_day: date
    keywords: pd.DataFrame
    terms: pd.DataFrame
    truth: pd.DataFrame
    term_truth: pd.DataFrame
    auctions: Auctions
    weather: Weather
    keyword_campaign: np.ndarray
    campaign_names: np.ndarray
    automated: np.ndarray
    start_bids: np.ndarray
    campaign_budgets: np.ndarray
    account_budget: float
    creatives: pd.DataFrame
    creative_truth: pd.DataFrame
    creative_seed: int

    def day_number(self, day: date) -> int:
        """Days since `first_day`. Raises `Infeasible` when the market has no such day."""
        number = (day - self.first_day).days
        last = self.first_day + timedelta(days=self.settings.size.horizon_days - 1)
        if not self.first_day <= day <= last:
            raise Infeasible("day_outside_market", day=day, first=self.first_day, last=last)
        return number

    def bids_in_force(self, bids: np.ndarray) -> np.ndarray:
        """`bids`, but the platform's own in automated campaigns unless 0 turns a keyword off there."""
        return np.where(self.automated & (bids != 0), self.start_bids, bids)

    def best_bids(self, line: float = 1.0) -> pd.DataFrame:
        """Per keyword the bid with the most profit on an average day, when money must return `line`.

        Columns bid (0: stay out), clicks, cost, profit (margin · value − cost, after refunds).
        """
        value = self.truth["value_per_click"].to_numpy() * self.settings.orders.margin
        return best_bids(self.auctions, value, line)

    def expected_day(self, bids: np.ndarray) -> pd.DataFrame:
        """An average day at `bids` without budgets: impressions, clicks, cost, value, profit."""
        frame = expected_day(self.auctions, self.bids_in_force(bids))
        frame["value"] = frame["clicks"] * self.truth["value_per_click"]
        frame["profit"] = frame["value"] * self.settings.orders.margin - frame["cost"]
        return frame


def make_market(settings: MarketSettings, first_day: date, rng: np.random.Generator) -> Market:
    """Draw a market: the same settings, day and generator state give the same one to the bit."""
    places = draw_places(settings, rng)
    group_words = words.ad_group_words(places.group_campaign, places.kinds, places.group_place)
    text_number, match = _texts_and_matches(settings, places, rng)
    truth = draw_truth(settings, places, rng)
    auctions = auctions_of(settings, truth)
    keywords = _names(places, group_words, text_number, match)
    keywords["bidding_mode"] = _bidding_modes(settings, places, rng)
    keywords["quality_score"] = _quality_scores(settings, truth)
    keywords["first_page_bid"] = _to_step(settings, first_page_bids(auctions))
    term_truth = draw_terms(settings, match, truth["cvr"].to_numpy(), rng)
    start_bids = _start_bids(settings, auctions, places, rng)
    weather = draw_weather(settings, first_day, rng)
    # Last, so that markets without creatives draw what they would without this line.
    drawn = draw_creatives(settings, keywords, rng)
    return Market(
        settings=settings,
        first_day=first_day,
        keywords=keywords,
        terms=name_terms(term_truth, keywords, group_words, places),
        truth=truth,
        term_truth=term_truth[["keyword", "share", "cvr"]],
        auctions=auctions,
        weather=weather,
        keyword_campaign=frozen(places.campaign),
        campaign_names=frozen(words.campaign_names(places.kinds)),
        automated=frozen(automated_campaigns(settings.size, places.campaign)),
        start_bids=frozen(start_bids),
        campaign_budgets=frozen(_budgets(settings, places, auctions, start_bids)),
        account_budget=_account_budget(settings, auctions, start_bids),
        creatives=drawn.named,
        creative_truth=drawn.truth,
        creative_seed=drawn.seed,
    )


def _texts_and_matches(
    settings: MarketSettings, places: Places, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Text number and match type per keyword; each fifth repeats a text under another match type."""
    shares = np.cumsum([settings.size.exact_share, settings.size.phrase_share])
    match = np.searchsorted(shares, rng.random(len(places.group)), side="right")
    repeated = places.number % 5 == 4
    match[repeated] = (np.roll(match, 1)[repeated] + 1) % len(MATCH_TYPES)
    return places.number - (places.number + 1) // 5, match


def _names(
    places: Places, group_words: words.AdGroupWords, text_number: np.ndarray, match: np.ndarray
) -> pd.DataFrame:
    columns = {
        "campaign_id": _ids(21_000_000_001, places.campaign),
        "campaign_name": words.campaign_names(places.kinds)[places.campaign],
        "ad_group_id": _ids(140_000_000_001, places.group),
        "ad_group_name": group_words.name[places.group],
        "keyword_id": _ids(300_000_000_001, np.arange(len(places.group))),
        "keyword_text": words.keyword_texts(group_words, places.group, text_number),
        "match_type": MATCH_TYPES[match],
    }
    return pd.DataFrame(columns).astype("str")


def _ids(first: int, numbers: np.ndarray) -> np.ndarray:
    return (first + numbers).astype(str)


def _bidding_modes(
    settings: MarketSettings, places: Places, rng: np.random.Generator
) -> np.ndarray:
    enhanced = rng.random(len(places.group)) < settings.size.enhanced_share
    automated = automated_campaigns(settings.size, places.campaign)
    return np.where(automated, "automated", np.where(enhanced, "enhanced", "manual"))


def _quality_scores(settings: MarketSettings, truth: pd.DataFrame) -> np.ndarray:
    """1 to 10, as the platform would round our quality against everybody's."""
    deviate = np.log(truth["quality"].to_numpy()) / max(settings.rivals.quality_sd, 1e-9)
    scores: np.ndarray = np.clip(np.round(6 + 1.6 * deviate), 1, 10).astype("int64")
    return scores


def _start_bids(
    settings: MarketSettings, auctions: Auctions, places: Places, rng: np.random.Generator
) -> np.ndarray:
    """One bid per ad group from its typical rival price; about half the keywords have their own."""
    part = settings.start_bids
    typical = np.bincount(places.group, auctions.price_log_median) / np.bincount(places.group)
    level = places.effects(0.0, part.ad_group_sd, 0.0, rng) + typical[places.group]
    own = rng.random(len(level)) < part.own_share
    noise = rng.normal(0.0, part.own_sd, len(level))
    return _to_step(settings, part.multiple * np.exp(level + np.where(own, noise, 0.0)))


def _to_step(settings: MarketSettings, bids: np.ndarray) -> np.ndarray:
    steps = np.maximum(np.round(bids / settings.start_bids.step), 1)
    return np.round(steps * settings.start_bids.step, 6)


def _budgets(
    settings: MarketSettings, places: Places, auctions: Auctions, bids: np.ndarray
) -> np.ndarray:
    cost = expected_day(auctions, bids)["cost"].to_numpy()
    wanted = np.bincount(places.campaign, cost, minlength=len(places.kinds))
    generic = np.flatnonzero(places.kinds == "generic")[: settings.budgets.capped_campaigns]
    budgets = np.full(len(places.kinds), np.inf)
    budgets[generic] = np.round(wanted[generic] * settings.budgets.capped_share, 2)
    return budgets


def _account_budget(settings: MarketSettings, auctions: Auctions, bids: np.ndarray) -> float:
    share = settings.budgets.account_share
    if share is None:
        return np.inf
    return float(np.round(expected_day(auctions, bids)["cost"].sum() * share, 2))
