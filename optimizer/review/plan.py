"""The plan: one row per keyword with all that a solve, a re-solve and the evidence need.

Columns are plain numbers and codes, so that a run can be stored and solved again without
estimating again.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from optimizer.curves.bid_landscape import Response, distinct_rows, marginal_return
from optimizer.decisions import bids, goals, guardrails, keywords
from optimizer.decisions.outcomes import Moves
from optimizer.estimates.hierarchy import Hierarchy
from optimizer.estimates.posteriors import Bools, Floats, Gamma, Ints
from optimizer.estimates.segments import SEGMENTS
from optimizer.estimates.value_per_click import ValueEstimate
from optimizer.estimates.volume import VolumeEstimate
from optimizer.review.response import Learned
from optimizer.settings import Guardrails, Settings

NAMES = (
    "campaign_id",
    "campaign_name",
    "ad_group_id",
    "ad_group_name",
    "keyword_id",
    "keyword_text",
    "match_type",
)
CURVE = (
    "curve_bid",
    "clicks",
    "cpc",
    "elasticity",
    "elasticity_sd",
    "cpc_exponent",
    "cpc_exponent_sd",
    "click_share",
    "won_share",
)
_MOVED = (
    *CURVE,
    "response_assumed",
    "volume_mean",
    "volume_cv2",
    "value_mean",
    "value_cv2",
)
_IN_GROUPS = ("value_group", "value_group_sd")
_BOUGHT = ("present", "served")


_NOT_LOWERED = ("automated_bidding", "bid_unknown")
_WON = 0.9
"""Share of all clicks to be had from which a raise by a quarter brings less than a twentieth more."""


@dataclass(frozen=True)
class AccountState:
    """What holds for the whole account today.

    `capped` per campaign number; `freeze` names the event that forbids lowering and pausing;
    `outage` whether conversions have stopped arriving; `broken` per keyword the code of the
    campaign or item whose have; `items` what the items ask; `lowered` per keyword whether its last
    known bid change was downwards.
    """

    capped: Bools
    freeze: str | None
    outage: bool
    broken: guardrails.RowCodes
    items: goals.ItemState
    lowered: Bools


def stated_response(bid: Floats, clicks: Floats, cpc: Floats, settings: Settings) -> Response:
    """The prior response around each bid; where the bid is unknown, around the CPC."""
    size = len(bid)
    prior = settings.estimation
    return Response(
        np.where(np.isnan(bid) | (bid <= 0), cpc, bid),
        clicks,
        cpc,
        np.full(size, prior.elasticity_mean),
        np.full(size, prior.elasticity_sd),
        np.full(size, prior.cpc_exponent_mean),
        np.full(size, prior.cpc_exponent_sd),
        np.ones(size, dtype=bool),
        np.full(size, prior.click_share),
    )


def response_of(plan: pd.DataFrame) -> Response:
    """The curves kept in a plan's columns."""
    values = [plan[name].to_numpy(dtype=np.float64) for name in curve_columns(plan)]
    return curve_response(values, plan["response_assumed"].to_numpy(dtype=bool))


def curve_of(response: Response) -> dict[str, Floats]:
    """The CURVE columns of a response."""
    around = response.bid, response.clicks, response.cpc
    beliefs = response.elasticity, response.elasticity_sd
    price = response.cpc_exponent, response.cpc_exponent_sd
    shares = response.click_share, response.won
    return dict(zip(CURVE, (*around, *beliefs, *price, *shares), strict=True))


def curve_columns(kept: Container[Any]) -> list[str]:
    """The columns of `kept`, names or a frame, in the place of CURVE; earlier runs knew one share."""
    return [name if name in kept else "click_share" for name in CURVE]


def curve_response(values: Sequence[Floats] | Floats, assumed: Bools) -> Response:
    """A response from the CURVE columns, or an array whose rows they are."""
    bid, clicks, cpc, elasticity, elasticity_sd, exponent, exponent_sd, share, won = (
        np.ascontiguousarray(one) for one in values
    )
    return Response(
        bid, clicks, cpc, elasticity, elasticity_sd, exponent, exponent_sd, assumed, share, won
    )


def gamma_of(plan: pd.DataFrame, name: str) -> Gamma:
    """The belief kept as `<name>_mean` and `<name>_cv2`."""
    return Gamma(
        plan[f"{name}_mean"].to_numpy(dtype=np.float64),
        plan[f"{name}_cv2"].to_numpy(dtype=np.float64),
    )


def move_columns(frame: pd.DataFrame) -> list[str]:
    """Columns of a plan, or of judged terms, that `moves_of` reads.

    Runs stored before siblings shared a doubt have no groups.
    """
    grouped = set(_IN_GROUPS) <= set(frame.columns)
    told = [name for name in _BOUGHT if name in frame.columns]
    return [*_MOVED, *(_IN_GROUPS if grouped else ()), *told]


def moves_of(rows: pd.DataFrame, bid: Floats) -> Moves:
    """Rows of a plan, or of judged terms, moved to `bid` (0: off)."""
    moves = Moves(response_of(rows), gamma_of(rows, "volume"), gamma_of(rows, "value"), bid)
    moves = replace(moves, present=bought_share(rows), served=served_share(rows))
    if not set(_IN_GROUPS) <= set(rows.columns):
        return moves
    return replace(
        moves,
        group=rows["value_group"].to_numpy(dtype=np.int64),
        group_sd=rows["value_group_sd"].to_numpy(dtype=np.float64),
    )


def bought_share(rows: pd.DataFrame) -> Floats:
    """Share of each row's clicks that is bought today; rows that do not say are bought as they are."""
    return _share(rows, "present")


def lower_step(rows: pd.DataFrame) -> Floats:
    """How far a bid may go down, as a share of it; runs stored before had one step for both ways."""
    name = "lower_step" if "lower_step" in rows.columns else "step_limit"
    return rows[name].to_numpy(dtype=np.float64)


def served_share(rows: pd.DataFrame) -> Floats:
    """Share of each row's planned clicks that a budget will let be bought; all, where it does not say."""
    return _share(rows, "served")


def _share(rows: pd.DataFrame, name: str) -> Floats:
    if name not in rows.columns:
        return np.ones(len(rows))
    share = rows[name].to_numpy(dtype=np.float64)
    return np.where(np.isnan(share), 1.0, share)


def build_plan(
    frame: pd.DataFrame,
    segment: Ints,
    tree: Hierarchy,
    value: ValueEstimate,
    volume: VolumeEstimate,
    learned: Learned,
    state: AccountState,
    settings: Settings,
    platform: str,
    currency: str,
    today: date,
) -> pd.DataFrame:
    """Estimates, limits and gates per keyword. `frame` is table KEYWORDS."""
    bid = frame["bid"].to_numpy(dtype=np.float64, na_value=np.nan)
    response = learned.around(bid, volume.clicks.mean, volume.cpc)
    per_click = _attributed(value.per_click, segment, settings)
    names = frame[["entity_key", *NAMES, "quality_score", "first_page_bid"]].reset_index(drop=True)
    columns = {
        "segment": pd.Categorical.from_codes(segment, pd.Index(SEGMENTS)),
        "campaign": tree.campaign,
        "bid": bid,
        "response_assumed": response.assumed,
        "response_source": pd.Categorical(learned.source),
        "response_information": learned.information,
        "impressions": volume.impressions,
        "exposure": value.exposure,
        "seen_clicks": value.clicks,
        "conversions": value.conversions,
        **curve_of(response),
        **_belief("volume", volume.clicks),
        **_belief("value", per_click),
        "value_group": tree.parents[0],
        "value_group_sd": value.shared_sd,
        **_belief("rate", value.rate.posterior),
        **_belief("parent", value.rate.parent),
        **_belief("per_conversion", value.value),
        **_belief("ctr", volume.ctr.posterior),
        **_belief("marginal", marginal_return(response, per_click)),
        "p_above_cpc": per_click.above(response.cpc),
    }
    plan = beside(names, columns)
    limits = _limits(plan, frame, response, per_click, state, settings, platform, currency)
    codes = {
        "state_code": guardrails.bid_codes(frame, volume.impressions, today, settings.guardrails),
        "inactive_code": guardrails.activity_codes(frame),
    }
    plan = beside(plan, {**limits, **codes})
    return beside(plan, _pauses(plan, response, per_click, value, state, settings))


def beside(plan: pd.DataFrame, columns: Mapping[str, Any]) -> pd.DataFrame:
    """`plan` with more columns, which it shares with the estimates they come from: none is copied."""
    shared = {
        name: pd.Series(values, plan.index, copy=False) if np.ndim(values) else values
        for name, values in columns.items()
    }
    return plan.assign(**shared)


def _attributed(value: Gamma, segment: Ints, settings: Settings) -> Gamma:
    """Brand words would sell without the click too: only the stated incremental share counts."""
    share = settings.account.brand_incrementality
    if share is None:
        return value
    return value.scaled(np.where(segment == SEGMENTS.index("brand"), share, 1.0))


def _belief(name: str, gamma: Gamma) -> dict[str, Floats]:
    return {f"{name}_mean": gamma.mean, f"{name}_cv2": gamma.cv2}


def _limits(
    plan: pd.DataFrame,
    frame: pd.DataFrame,
    response: Response,
    value: Gamma,
    state: AccountState,
    settings: Settings,
    platform: str,
    currency: str,
) -> dict[str, Any]:
    """Step limits, bounds, blocked directions and evidence gates per keyword."""
    rules, account = settings.guardrails, settings.account
    limit = settings.bid_limit(platform, currency)
    assumed = bids.assumed_share(response, value)
    short = min(rules.assumed_step_limit, rules.step_limit)
    step = np.where(assumed > 0.5, short, rules.step_limit)
    # A click that costs more than it is worth loses at every response: none can turn the sign.
    loses = plan["p_above_cpc"].to_numpy() < rules.pause_probability
    down = np.where(loses, rules.step_limit, step)
    multiplier = guardrails.effective_multiplier(
        plan["campaign_name"],
        account.effective_bid_multiplier,
        dict(account.campaign_bid_multipliers),
    )
    highest = np.minimum(float(limit.maximum), (account.max_bid or np.inf) / multiplier)
    first_page = frame["first_page_bid"].to_numpy(dtype=np.float64, na_value=np.nan)
    on_page = (plan["bid"].to_numpy() >= first_page) & (not rules.leave_first_page)
    kept = goals.lowest_for_share(
        response.bid, state.items.share_kept, response.elasticity, response.elasticity_sd
    )
    lowest = np.maximum(max(float(limit.minimum), account.min_bid or 0.0), kept)
    marginal = gamma_of(plan, "marginal")
    return {
        "assumed_share": assumed,
        "step_limit": step,
        "lower_step": down,
        "lowest_bid": np.where(on_page, np.maximum(first_page, lowest), lowest),
        "highest_bid": highest,
        "bid_multiplier": multiplier,
        "no_bite": plan["cpc"].to_numpy() < rules.no_bite_cpc_ratio * plan["bid"].to_numpy(),
        **_gates(marginal, rules.min_probability),
        "raise_block": _raise_block(plan, response, state, settings),
        "lower_block": _lower_block(plan, frame, state, rules),
        "item": state.items.item,
        "hold_cost": _hold_cost(state.items.hold == "rank_hold", response, value, down),
    }


def _gates(marginal: Gamma, sure: float) -> dict[str, Floats]:
    """Lines up to which a raise, and from which a lower, is `sure` enough.

    Idle siblings believe the same: each belief is asked once.
    """
    row, place = distinct_rows((marginal.mean, marginal.cv2))
    beliefs = marginal.take(row)
    return {
        "raise_gate": beliefs.quantile(1 - sure)[place],
        "lower_gate": beliefs.quantile(sure)[place],
    }


def _hold_cost(held: Bools, response: Response, value: Gamma, step: Floats) -> Floats:
    """What holding its rank costs a keyword per day; 0 where none is held."""
    index, cost = np.flatnonzero(held), np.zeros(len(held))
    cost[index] = goals.hold_cost(response.take(index), value.take(index), step[index])
    return cost


def _raise_block(
    plan: pd.DataFrame, response: Response, state: AccountState, settings: Settings
) -> guardrails.RowCodes:
    """Without a single conversion in the account the rate of every keyword is a guess.

    A raise that brings next to no clicks only shows rivals how far they may go.
    """
    size = len(plan)
    brand = (plan["segment"] == "brand").to_numpy() & (
        settings.account.brand_incrementality is None
    )
    return guardrails.first_code(
        [
            (np.full(size, state.outage), "conversion_outage"),
            (np.full(size, plan["conversions"].sum() <= 0), "too_little_data"),
            (state.broken == "campaign_outage", "campaign_outage"),
            (state.broken == "item_outage", "item_outage"),
            (brand, "brand"),
            (response.won >= _WON, "nobody_to_outbid"),
            (state.items.short, "stock_short"),
            (state.capped[plan["campaign"].to_numpy()], "campaign_capped"),
        ],
        size,
    )


def _lower_block(
    plan: pd.DataFrame, frame: pd.DataFrame, state: AccountState, rules: Guardrails
) -> guardrails.RowCodes:
    """A bid that no lower worth having would keep on page one stays: the curve ends there."""
    size = len(plan)
    first_page = frame["first_page_bid"].to_numpy(dtype=np.float64, na_value=np.nan)
    bid = plan["bid"].to_numpy()
    at_edge = (bid >= first_page) & (bid * (1 - rules.dead_band) < first_page)
    at_edge &= not rules.leave_first_page
    return guardrails.first_code(
        [
            (np.full(size, state.freeze is not None), "event_freeze"),
            (np.full(size, plan["exposure"].sum() <= 0), "too_little_data"),
            (state.items.hold == "learning", "learning"),
            (state.items.hold == "rank_hold", "rank_hold"),
            (at_edge, "leaves_first_page"),
        ],
        size,
    )


def _pauses(
    plan: pd.DataFrame,
    response: Response,
    value: Gamma,
    estimate: ValueEstimate,
    state: AccountState,
    settings: Settings,
) -> dict[str, Any]:
    """Whether each keyword loses even at its lowest useful bid, and is allowed to stop.

    A lower comes first, unless one was tried, cannot be (no bid of ours, a blocked direction) or
    would not bite.
    """
    rules = settings.guardrails
    tried = state.lowered | plan["state_code"].isin(_NOT_LOWERED).to_numpy()
    tried |= (plan["lower_block"] != "").to_numpy() | plan["no_bite"].to_numpy()
    judged = keywords.bid_to_judge(
        response.bid, plan["lowest_bid"].to_numpy(), rules.step_limit, tried
    )
    cpc = keywords.lowest_cpc(response, judged)
    enough = keywords.enough_to_stop(
        estimate.exposure,
        estimate.rate.parent.mean,
        cpc,
        value,
        estimate.rate.posterior,
        rules.pause_evidence,
    )
    allowed = (plan["segment"] != "brand").to_numpy() & (plan["inactive_code"] == "").to_numpy()
    allowed &= not (state.freeze or state.outage)
    allowed &= (state.broken == "") & (state.items.hold == "") & (state.items.share_kept == 0)
    chance = value.above(cpc)
    may_pause = enough & allowed & (plan["impressions"].to_numpy() > 0)
    return {
        "p_above_lowest_cpc": chance,
        "lowest_cpc": cpc,
        "may_pause": may_pause,
        "pause": may_pause & (chance < rules.pause_probability),
    }
