"""Search terms of an account, judged: which could become keywords, which never pay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from optimizer.decisions import conflicts, keywords
from optimizer.decisions.outcomes import expected_change
from optimizer.estimates.exposure import Records, Weights, records
from optimizer.estimates.posteriors import Bools, Floats, Gamma, Ints, group_sum
from optimizer.estimates.rates import RateFit, estimate_dispersion, fit_rates
from optimizer.estimates.segments import SEGMENTS, mark_segments, normalise_text
from optimizer.estimates.volume import discounted_days, recency
from optimizer.review.plan import (
    AccountState,
    curve_of,
    gamma_of,
    moves_of,
    response_of,
    stated_response,
)
from optimizer.settings import Settings

_TAKEN = ("ADDED", "EXCLUDED", "ADDED_EXCLUDED")
_LEAST_REST = 0.05


def term_rows(term_daily: pd.DataFrame, units: pd.DataFrame) -> Records:
    """Records numbered by unit instead of by the store's term; terms without a unit are left out."""
    rows = records(term_daily, units["entity_key"])
    known = rows.unit >= 0
    kept = {name: getattr(rows, name)[known] for name in rows.__dataclass_fields__}
    kept["unit"] = units["unit"].to_numpy(dtype=np.int64)[kept["unit"]]
    return Records(**kept)


def term_units(terms: pd.DataFrame, plan: pd.DataFrame) -> pd.DataFrame:
    """One unit per (ad group, term); `donor` is the plan row of a keyword that let it in, -1 if none."""
    place = ["campaign_name", "ad_group_name"]
    text = normalise_text(terms["search_term"])
    unit = terms.assign(text=text).groupby([*place, "text"], sort=False).ngroup()
    donors = plan.assign(row=np.arange(len(plan)), cost=plan["clicks"] * plan["cpc"])
    donors = donors.sort_values("cost", ascending=False, kind="stable")
    by_text = donors.drop_duplicates([*place, "keyword_text"])[[*place, "keyword_text", "row"]]
    by_group = donors.drop_duplicates(place)[[*place, "row"]].rename(columns={"row": "group_row"})
    found = terms.merge(by_text, how="left", on=[*place, "keyword_text"])
    found = found.merge(by_group, how="left", on=place)
    donor = found["row"].fillna(found["group_row"]).fillna(-1).to_numpy(dtype=np.int64)
    return terms.assign(text=text.to_numpy(), unit=unit.to_numpy(), donor=donor)


def judge_terms(
    terms: pd.DataFrame,
    term_daily: pd.DataFrame,
    weights_of: Any,
    plan: pd.DataFrame,
    tree_of_plan: tuple[Ints, ...],
    today: int,
    settings: Settings,
    state: AccountState,
) -> pd.DataFrame:
    """One row per (ad group, term) with a donor: beliefs, curve, and what it may become.

    `weights_of(records, campaign)` gives the exposure weights. The term's prior is its donor
    keyword's, from the rest of that keyword's clicks and its other terms; whose prior is the ad
    group's, and so on.
    """
    if terms.empty or term_daily.empty:
        return _no_terms()
    units = term_units(terms, plan)
    units = units[units["donor"] >= 0]
    if units.empty:
        return _no_terms()
    units = units.assign(unit=units.groupby("unit", sort=False).ngroup())
    rows = term_rows(term_daily, units)
    # The smallest key names the unit, so that a decision still finds it when more keywords let it in.
    heads = units.sort_values(["unit", "entity_key"]).drop_duplicates("unit", ignore_index=True)
    campaign = plan["campaign"].to_numpy()[heads["donor"].to_numpy()]
    fit, sums = _fit_terms(rows, weights_of(rows, campaign), heads, plan, tree_of_plan)
    return _judged(heads, rows, fit, sums, plan, today, settings, state)


def _fit_terms(
    rows: Records,
    weights: Weights,
    heads: pd.DataFrame,
    plan: pd.DataFrame,
    parents: tuple[Ints, ...],
) -> tuple[RateFit, dict[str, Floats]]:
    size, used = len(heads), weights.used
    exposure = group_sum(rows.unit, rows.clicks * weights.exposure, size)
    conversions = group_sum(rows.unit[used], rows.conversions[used], size)
    donor = heads["donor"].to_numpy(dtype=np.int64)
    known = np.unique(donor)
    rest = _rest_of_donors(donor, exposure, conversions, plan)
    dispersion = estimate_dispersion(
        rows.conversions[used], (rows.clicks * weights.exposure)[used], rows.unit[used], size
    )
    whole = fit_rates(
        np.concatenate([conversions, rest[1][known]]),
        np.concatenate([exposure, rest[0][known]]),
        (np.concatenate([donor, known]), *parents),
        dispersion=dispersion,
    )
    return whole.take(np.arange(size)), {
        "exposure": exposure,
        "conversions": conversions,
        "seen_clicks": group_sum(rows.unit[used], rows.clicks[used], size),
    }


def _rest_of_donors(
    donor: Ints, exposure: Floats, conversions: Floats, plan: pd.DataFrame
) -> tuple[Floats, Floats]:
    """Exposure and conversions of each keyword that none of its known terms accounts for.

    Platforms name only part of the terms. A remainder of a few per cent is rounding, and conversions
    that come to rest on it would look like an enormous rate.
    """
    size = len(plan)
    whole = plan["exposure"].to_numpy(dtype=np.float64)
    left = whole - group_sum(donor, exposure, size)
    orders = plan["conversions"].to_numpy(dtype=np.float64) - group_sum(donor, conversions, size)
    known = left > _LEAST_REST * whole
    return np.where(known, left, 0.0), np.where(known, np.maximum(orders, 0.0), 0.0)


def _judged(
    heads: pd.DataFrame,
    rows: Records,
    fit: RateFit,
    sums: dict[str, Floats],
    plan: pd.DataFrame,
    today: int,
    settings: Settings,
    state: AccountState,
) -> pd.DataFrame:
    size, donor = len(heads), heads["donor"].to_numpy()
    half_life = settings.estimation.volume_half_life_days
    discount = recency(rows, today, half_life)
    recent = group_sum(rows.unit, rows.clicks * discount, size)
    paid = group_sum(rows.unit, rows.cost * discount, size)
    days = _days_possible(discounted_days(rows, today, size, half_life), donor)
    donor_cpc = plan["cpc"].to_numpy()[donor]
    cpc = (paid + 3.0 * donor_cpc) / (recent + 3.0)
    clicks = Gamma(recent / days, 1.0 / (recent + 1.0))
    response = stated_response(plan["bid"].to_numpy()[donor], clicks.mean, cpc, settings)
    per_conversion = gamma_of(plan, "per_conversion").take(donor)
    kept = plan["value_mean"] / (plan["rate_mean"] * plan["per_conversion_mean"])
    value = fit.posterior.times(per_conversion).scaled(kept.to_numpy()[donor])
    frame = heads.assign(
        entity_key="t" + heads["entity_key"].astype(str),
        campaign=plan["campaign"].to_numpy()[donor],
        donor_key=plan["entity_key"].to_numpy()[donor],
        value_group=plan["value_group"].to_numpy()[donor],
        value_group_sd=plan["value_group_sd"].to_numpy()[donor],
        bid=plan["bid"].to_numpy()[donor],
        segment=np.asarray(SEGMENTS)[
            mark_segments(heads["search_term"], settings.account.segments)
        ],
        response_assumed=True,
        present=1.0,
        p_above_cpc=value.above(cpc),
        **sums,
        **curve_of(response),
        **_beliefs(clicks, value, fit, per_conversion),
    )
    return frame.assign(**_candidates(frame, value, fit, cpc, plan, settings, state))


def _days_possible(days: Floats, donor: Ints) -> Floats:
    """Days since any term of the donor was seen: a term is known only from days it was clicked on."""
    longest = np.zeros(int(donor.max()) + 1)
    np.maximum.at(longest, donor, days)
    result: Floats = longest[donor]
    return result


def _beliefs(clicks: Gamma, value: Gamma, fit: RateFit, per_conversion: Gamma) -> dict[str, Floats]:
    named = {
        "volume": clicks,
        "value": value,
        "rate": fit.posterior,
        "parent": fit.parent,
        "per_conversion": per_conversion,
    }
    return {
        f"{name}_{part}": getattr(belief, part)
        for name, belief in named.items()
        for part in ("mean", "cv2")
    }


def _candidates(
    frame: pd.DataFrame,
    value: Gamma,
    fit: RateFit,
    cpc: Floats,
    plan: pd.DataFrame,
    settings: Settings,
    state: AccountState,
) -> dict[str, Any]:
    """`add`: may become a keyword if it pays; `negative`: never pays and blocks nothing of ours."""
    rules = settings.guardrails
    own = set(normalise_text(plan.loc[plan["inactive_code"] == "", "keyword_text"]))
    ours = frame["text"].isin(own).to_numpy()
    taken = frame["term_status"].isin(_TAKEN).to_numpy()
    enough = keywords.enough_to_stop(
        frame["exposure"].to_numpy(),
        fit.parent.mean,
        cpc,
        value,
        fit.posterior,
        rules.pause_evidence,
    )
    loses = keywords.loses_everywhere(value, cpc, rules.negative_probability)
    brand = (frame["segment"] == "brand").to_numpy()
    unpriced = settings.account.brand_incrementality is None
    converting = frame["conversions"].to_numpy() > 0
    seen = frame["seen_clicks"].to_numpy() >= rules.min_term_clicks
    donor_on = (plan["inactive_code"] == "").to_numpy()[frame["donor"].to_numpy()]
    sells = frame["text"].isin(set(frame["text"][converting])).to_numpy()
    may_exclude = enough & ~ours & ~taken & ~brand & ~sells & donor_on
    scarce = plan["raise_block"].to_numpy()[frame["donor"].to_numpy()]
    silent = np.isin(scarce, ("campaign_outage", "item_outage"))
    may_exclude &= ~silent & (not (state.freeze or state.outage))
    may_add = ~ours & ~taken & seen & converting & donor_on & ~(brand & unpriced)
    may_add &= ~silent & (scarce != "stock_short") & (not state.outage)
    return {
        "add": may_add & _best_place(frame, value, cpc, may_add),
        "may_exclude": may_exclude,
        "negative": loses & may_exclude,
    }


def _best_place(frame: pd.DataFrame, value: Gamma, cpc: Floats, among: Bools) -> Bools:
    """Whether a text found in several ad groups returns most in this one: it is added once."""
    text = frame["text"].factorize()[0].astype(np.int64)
    worth = np.divide(value.mean, cpc, out=np.zeros_like(cpc), where=cpc > 0)
    result: Bools = conflicts.best_of_each(text, worth, among) == np.arange(len(frame))
    return result


def term_bids(
    terms: pd.DataFrame,
    donors: pd.DataFrame,
    value: Gamma,
    line: Floats,
    context: Mapping[str, Any],
) -> tuple[Bools, Floats]:
    """Whether each term would pay as a keyword at its `line` if a click were worth `value`; its bid.

    `donors` are the plan rows that let the terms in. The profit that counts is the change against
    what the donor buys of the term already.
    """
    response, rules = response_of(terms), context["rules"]
    bid = keywords.bid_for_term(value.mean, response, line, rules["step_limit"])
    bid = _writable(bid, donors, context["step"])
    profit = expected_change(replace(moves_of(terms, bid), value=value))[2]
    worth = keywords.worth_adding(value, response, line, rules["add_probability"])
    return worth & (profit > 0), bid


def _writable(bid: Floats, donors: pd.DataFrame, step: float) -> Floats:
    """Whole currency steps within the bounds of the donor's bid."""
    lowest, highest = donors["lowest_bid"].to_numpy(), donors["highest_bid"].to_numpy()
    inside = np.minimum(np.maximum(bid, lowest), highest)
    result: Floats = np.round(np.maximum(np.floor(inside / step + 1e-6), 1) * step, 6)
    return result


def negatives_first(plan: pd.DataFrame, terms: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """`plan` with `negative_first`: the term to exclude before the keyword is stopped or lowered.

    Where a keyword that would be paused pays once its losing terms are left out, they are at fault
    ("" elsewhere: none is). Its bid then waits for a record without them.
    """
    blamed = pd.Series("", index=plan.index, dtype="object")
    losing = terms[terms["negative"].to_numpy(dtype=bool)] if len(terms) else terms
    losing = losing[plan["pause"].to_numpy(dtype=bool)[losing["donor"]]] if len(losing) else losing
    if len(losing):
        pays = _pays_without(plan, losing, settings.guardrails.pause_probability)
        dearest = losing.assign(cost=losing["clicks"] * losing["cpc"])
        dearest = dearest.sort_values("cost", ascending=False, kind="stable")
        named = dearest.drop_duplicates("donor").set_index("donor")["entity_key"]
        found = pd.Series(np.arange(len(plan)), index=plan.index).map(named)
        blamed = found.where(found.notna() & pays, "")
    waits = (blamed != "").to_numpy() & (plan["lower_block"] == "").to_numpy()
    block = plan["lower_block"].to_numpy(dtype=object)
    return plan.assign(
        negative_first=pd.Categorical(blamed),
        lower_block=pd.Categorical(np.where(waits, "negative_first", block)),
    )


def _pays_without(plan: pd.DataFrame, losing: pd.DataFrame, probability: float) -> Bools:
    """Per plan row: would it pay at its lowest useful bid without these terms."""
    donor, size = losing["donor"].to_numpy(dtype=np.int64), len(plan)
    sums = {
        name: group_sum(donor, amounts.to_numpy(dtype=np.float64), size)
        for name, amounts in (
            ("exposure", losing["exposure"]),
            ("clicks", losing["clicks"]),
            ("cost", losing["clicks"] * losing["cpc"]),
        )
    }
    clicks, cpc, lowest, exposure = (
        plan[name].to_numpy(dtype=np.float64)
        for name in ("clicks", "cpc", "lowest_cpc", "exposure")
    )
    factor = conflicts.rate_without(
        gamma_of(plan, "rate"), gamma_of(plan, "parent"), exposure, sums["exposure"]
    )
    price = conflicts.price_without(clicks, cpc, sums["clicks"], sums["cost"])
    dearer = np.divide(price, cpc, out=np.ones_like(cpc), where=cpc > 0)
    value = gamma_of(plan, "value").scaled(factor)
    return conflicts.pays_without(value, lowest * dearer, probability)


def _no_terms() -> pd.DataFrame:
    return pd.DataFrame({"add": pd.Series(dtype=bool), "negative": pd.Series(dtype=bool)})
