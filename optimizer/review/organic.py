"""Words that sell without an advertisement (成交关键词), as keywords that could be added.

Nobody has paid for a click on such a word, so all of it is pooled from the ad group that would hold
it: the rate is what the group foretells of a word without a record, clicks and CPC are its words', the
response is assumed. The orders without an advertisement only show that the word sells at all.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import numpy as np
import pandas as pd

from optimizer.decisions import conflicts
from optimizer.estimates.posteriors import Bools, Floats, Gamma, Ints, group_sum
from optimizer.estimates.rates import RateFit, fit_rates
from optimizer.estimates.segments import SEGMENTS, mark_segments, normalise_text
from optimizer.review.beliefs import Beliefs
from optimizer.review.negatives import mark_excluded
from optimizer.review.plan import AccountState, curve_of, gamma_of, stated_response
from optimizer.review.suggestions import ReviewInputs

_PLACE: Final = ["campaign_name", "ad_group_name"]
_OF_GROUP: Final = ("campaign_id", "ad_group_id", "campaign", "value_group", "value_group_sd")
_SILENT: Final = ("campaign_outage", "item_outage", "stock_short")
_LEAST_CV2: Final = 1.0
"""A word of a group may bring anything between nothing and a multiple of the group's mean."""

Alerts = list[dict[str, Any]]


def judge_organic(
    inputs: ReviewInputs, believed: Beliefs, state: AccountState, plan: pd.DataFrame
) -> tuple[pd.DataFrame, Alerts]:
    """Rows like those of judged search terms, one per word that may be added; what has no place is told.

    A word is left out where a keyword of that text is known, where the ad group's search terms have a
    record of it, where a negative in force keeps it out, and wherever a search term would not be added.
    """
    selling = inputs.organic[inputs.organic["orders"] > 0]
    if selling.empty or state.outage:
        return pd.DataFrame(), []
    places = _places(inputs, believed, plan)
    placed = selling.assign(text=normalise_text(selling["keyword_text"]))
    placed = placed.merge(places, on="item_id").reset_index(drop=True)
    alerts = _unplaced(selling, places)
    open_to = placed[_may_be_added(placed, inputs, plan, believed)].reset_index(drop=True)
    if open_to.empty:
        return pd.DataFrame(), alerts
    return _judged(open_to, believed, plan), alerts


def _places(inputs: ReviewInputs, believed: Beliefs, plan: pd.DataFrame) -> pd.DataFrame:
    """Ad groups by the item they sell: `item_id`, names, and the plan row of their dearest active word."""
    items = np.array([*(item.item_id for item in believed.settings.account.items), None], object)
    reported = inputs.keywords["item_id"].reset_index(drop=True).astype("object")
    told = reported.where(reported.notna(), pd.Series(items[believed.item]))
    cost = plan["clicks"].to_numpy() * plan["cpc"].to_numpy()
    rows = plan[_PLACE].assign(item_id=told.to_numpy(), donor=np.arange(len(plan)), cost=cost)
    active = (plan["inactive_code"] == "").to_numpy() & (plan["clicks"].to_numpy() > 0)
    known = rows[active & rows["item_id"].notna().to_numpy()]
    dearest = known.sort_values("cost", ascending=False, kind="stable")
    return dearest.drop_duplicates(["item_id", *_PLACE]).drop(columns="cost")


def _unplaced(selling: pd.DataFrame, places: pd.DataFrame) -> Alerts:
    """Words of items that no active keyword sells."""
    homeless = selling[~selling["item_id"].isin(places["item_id"])]
    if homeless.empty:
        return []
    item = str(homeless["item_id"].iloc[0])
    return [{"code": "organic_unplaced", "words": len(homeless), "item": item}]


def _may_be_added(
    placed: pd.DataFrame, inputs: ReviewInputs, plan: pd.DataFrame, believed: Beliefs
) -> Bools:
    own = set(normalise_text(plan["keyword_text"].astype("str")))
    terms = inputs.terms.assign(text=normalise_text(inputs.terms["search_term"]))
    key = [*_PLACE, "text"]
    recorded = pd.MultiIndex.from_frame(placed[key]).isin(pd.MultiIndex.from_frame(terms[key]))
    as_terms = placed.assign(search_term=placed["text"], term_status=None)
    marked = mark_excluded(as_terms, inputs.negatives)
    kept_out = marked["term_status"].isin(["EXCLUDED", "ADDED_EXCLUDED"]).to_numpy()
    segment = mark_segments(placed["text"], believed.settings.account.segments)
    unpriced = believed.settings.account.brand_incrementality is None
    brand = (segment == SEGMENTS.index("brand")) & unpriced
    scarce = plan["raise_block"].iloc[placed["donor"]].isin(_SILENT).to_numpy()
    taken = placed["text"].isin(own).to_numpy()
    result: Bools = ~(taken | recorded | kept_out | brand | scarce)
    return result


def _judged(words: pd.DataFrame, believed: Beliefs, plan: pd.DataFrame) -> pd.DataFrame:
    """Beliefs, curve and marks of each word in its ad group; of several groups the best one adds it."""
    settings, donor = believed.settings, words["donor"].to_numpy(dtype=np.int64)
    clicks, cpc, bid = _of_the_group(words, plan)
    beliefs = {"volume": clicks, **_worth(donor, believed, plan)}
    value = beliefs["value"]
    response = stated_response(bid, clicks.mean, cpc, settings)
    segment = mark_segments(words["keyword_text"], settings.account.segments)
    none = np.zeros(len(words))
    return words[_PLACE].assign(
        **{name: plan[name].to_numpy()[donor] for name in _OF_GROUP},
        entity_key=_keys(words),
        keyword_text=None,
        search_term=words["keyword_text"],
        term_status=None,
        text=words["text"],
        donor=donor,
        donor_key=plan["entity_key"].to_numpy()[donor],
        bid=bid,
        segment=np.asarray(SEGMENTS)[segment],
        response_assumed=True,
        p_above_cpc=value.above(cpc),
        present=none,
        **dict.fromkeys(("exposure", "conversions", "seen_clicks"), none),
        **curve_of(response),
        **{
            f"{name}_{part}": getattr(belief, part)
            for name, belief in beliefs.items()
            for part in ("mean", "cv2")
        },
        **_told(words),
        add=_best(words, value, cpc),
        may_exclude=False,
        negative=False,
    )


def _worth(donor: Ints, believed: Beliefs, plan: pd.DataFrame) -> dict[str, Gamma]:
    """What a click of each new word is believed to bring, and what that is made of."""
    fit = _foretold(donor, believed, plan)
    per_conversion = gamma_of(plan, "per_conversion").take(donor)
    kept = plan["value_mean"] / (plan["rate_mean"] * plan["per_conversion_mean"])
    value = fit.posterior.times(per_conversion).scaled(kept.to_numpy()[donor])
    return {
        "value": value,
        "rate": fit.posterior,
        "parent": fit.parent,
        "per_conversion": per_conversion,
    }


def _best(words: pd.DataFrame, value: Gamma, cpc: Floats) -> Bools:
    """The places where a text's clicks are worth most for their price, one of each text."""
    worth = np.divide(value.mean, cpc, out=np.zeros_like(cpc), where=cpc > 0)
    texts = words["text"].factorize()[0].astype(np.int64)
    best = conflicts.best_of_each(texts, worth, np.ones(len(words), dtype=bool))
    result: Bools = best == np.arange(len(words))
    return result


def _of_the_group(words: pd.DataFrame, plan: pd.DataFrame) -> tuple[Gamma, Floats, Floats]:
    """Clicks per day, CPC and bid of a new word: those of its ad group's active words.

    No more clicks than people found the item by the word without an advertisement, where that is known.
    """
    active = plan[(plan["inactive_code"] == "").to_numpy() & (plan["clicks"] > 0).to_numpy()]
    keys = pd.MultiIndex.from_frame(active[_PLACE])
    group, names = pd.factorize(keys)
    at = pd.Index(names).get_indexer(pd.MultiIndex.from_frame(words[_PLACE]))
    size, clicks = len(names), active["clicks"].to_numpy(dtype=np.float64)
    count = np.bincount(group, minlength=size)
    total = group_sum(group, clicks, size)
    mean = total / count
    spread = group_sum(group, clicks**2, size) / count - mean**2
    cv2 = np.maximum(spread / mean**2, _LEAST_CV2)
    cpc = group_sum(group, clicks * active["cpc"].to_numpy(dtype=np.float64), size) / total
    bid = _mean_bid(active, group, clicks, size)
    visits = words["visitors"].to_numpy(dtype=np.float64) / _days(words)
    volume = np.fmin(mean[at], visits)
    return Gamma(volume, cv2[at]), cpc[at], bid[at]


def _mean_bid(active: pd.DataFrame, group: Ints, clicks: Floats, size: int) -> Floats:
    """By clicks, of the words whose bid is known; nan where none is."""
    bid = active["bid"].to_numpy(dtype=np.float64, na_value=np.nan)
    known = ~np.isnan(bid)
    weight = group_sum(group[known], clicks[known], size)
    paid = group_sum(group[known], clicks[known] * bid[known], size)
    mean: Floats = np.divide(paid, weight, out=np.full(size, np.nan), where=weight > 0)
    return mean


def _days(words: pd.DataFrame) -> Floats:
    """Days that the list covers."""
    length = (words["last_day"] - words["first_day"]).dt.days + 1
    result: Floats = length.to_numpy().astype(np.float64)
    return result


def _foretold(donor: Ints, believed: Beliefs, plan: pd.DataFrame) -> RateFit:
    """What the words around them foretell of words without a click or an order."""
    first, *rest = believed.tree.parents
    none = np.zeros(len(donor))
    whole = fit_rates(
        np.concatenate([plan["conversions"].to_numpy(dtype=np.float64), none]),
        np.concatenate([plan["exposure"].to_numpy(dtype=np.float64), none]),
        (np.concatenate([first, first[donor]]), *rest),
        dispersion=believed.value.rate.dispersion,
    )
    return whole.take(len(plan) + np.arange(len(donor)))


def _told(words: pd.DataFrame) -> dict[str, Any]:
    """What the list says, for the evidence."""
    return {
        "organic_orders": words["orders"].to_numpy(dtype=np.float64),
        "organic_visitors": words["visitors"].to_numpy(dtype=np.float64),
        "organic_first_day": words["first_day"].dt.strftime("%Y-%m-%d"),
        "organic_last_day": words["last_day"].dt.strftime("%Y-%m-%d"),
    }


def _keys(words: pd.DataFrame) -> list[str]:
    """`o` and 16 hex digits that name a word of an ad group on every day."""
    named = zip(*(words[name].astype(str) for name in (*_PLACE, "text")), strict=True)
    return ["o" + hashlib.sha256("|".join(parts).encode()).hexdigest()[:16] for parts in named]
