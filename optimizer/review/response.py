"""How each keyword's clicks and price answer to its bid: measured, told by a simulator, or assumed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from optimizer.curves.bid_landscape import Response, click_growth
from optimizer.curves.simulator import simulated_exponents
from optimizer.estimates.bid_history import (
    Tested,
    bid_history,
    bid_in_force,
    capped_days,
    find_trials,
)
from optimizer.estimates.elasticity import (
    LARGEST_ELASTICITY,
    ExponentFit,
    ExponentPrior,
    estimate_cpc_exponent,
    estimate_elasticity,
)
from optimizer.estimates.exposure import Records
from optimizer.estimates.posteriors import Bools, Floats, Ints
from optimizer.review.click_share import click_shares
from optimizer.settings import Estimation, Settings

_FAR = 2.0
"""Largest log change of a bid over which past days are restated: a new account's bids go far."""


@dataclass(frozen=True)
class Learned:
    """Per keyword ε and η with standard deviations, what they rest on, and what all keywords share.

    `source` is assumed (stated prior), pooled (measured on other keywords), simulator or measured;
    `information` Σ n·Var(log b) of its own randomised days; `click_share` what the bid brings of all
    clicks to be had, `won_share` what its price says of that where neither tests nor a simulator tell.
    The common sds move all keywords alike.
    """

    elasticity: Floats
    elasticity_sd: Floats
    cpc_exponent: Floats
    cpc_exponent_sd: Floats
    information: Floats
    source: npt.NDArray[np.str_]
    click_share: Floats
    won_share: Floats
    elasticity_common_sd: float
    cpc_exponent_common_sd: float

    @property
    def assumed(self) -> Bools:
        """Keywords of whose own response nothing is known."""
        result: Bools = np.isin(self.source, ("assumed", "pooled"))
        return result

    def around(self, bid: Floats, clicks: Floats, cpc: Floats) -> Response:
        """The curves through the present bids; where the bid is unknown, through the CPC."""
        return Response(
            np.where(np.isnan(bid) | (bid <= 0), cpc, bid),
            clicks,
            cpc,
            self.elasticity,
            self.elasticity_sd,
            self.cpc_exponent,
            self.cpc_exponent_sd,
            self.assumed,
            self.click_share,
            self.won_share,
        )


@dataclass(frozen=True)
class _Simulated:
    """Per keyword what a simulator implies, nan where it is silent, and how far it is trusted."""

    elasticity: Floats
    elasticity_sd: Floats
    exponent: Floats
    exponent_sd: Floats


def learn_response(
    bid_changes: pd.DataFrame,
    landscapes: pd.DataFrame,
    rows: Records,
    daily: pd.DataFrame,
    keywords: pd.DataFrame,
    campaign: Ints,
    budget: Floats,
    settings: Settings,
    today: int,
) -> Learned:
    """Exponents of every keyword of `keywords`, from the randomised part of `bid_changes`.

    What a platform's simulator says in `landscapes` is the prior of the keywords it names. `rows`
    are the arrays of `daily`; `campaign` per keyword; `budget` per campaign, nan where unknown. A
    keyword that gets less of its clicks is expected to answer more to its bid: with Hill's curve
    ε = h(1 - s), so what is estimated and pooled is ε at the stated click share.
    """
    told = settings.estimation
    history = bid_history(bid_changes, keywords["entity_key"], today)
    bid = keywords["bid"].to_numpy(dtype=np.float64, na_value=np.nan)
    share, won = click_shares(daily, rows, history, bid, told, today)
    factor = (1 - share) / (1 - told.click_share)
    told_by = _simulated(landscapes, keywords, factor, told)
    learned = _with_simulator(_stated(share, won, told), told_by)
    if history.randomised.any():
        closed, start = capped_days(campaign, rows, budget, settings.guardrails.capped_share)
        tested = find_trials(history, rows, campaign, closed, start)
        learned = _measured(learned, tested, told_by, factor[tested.index], told)
    return replace(
        learned,
        elasticity=np.minimum(learned.elasticity * factor, LARGEST_ELASTICITY),
        elasticity_sd=learned.elasticity_sd * factor,
        won_share=np.where(learned.assumed, won, share),
    )


def at_present_bid(
    rows: Records, bid_changes: pd.DataFrame, keywords: pd.DataFrame, learned: Learned, today: int
) -> Records:
    """What each day would have brought under today's bid: impressions, clicks and cost restated.

    Clicks move along Hill's curve through the bid of then, the price of a click with (bid now / bid
    then)^η; without it a keyword that was lowered last week would still count the clicks, and the
    price, of its old bid. Days whose bid nobody knows, and rows of several days, stay as they are.
    """
    history = bid_history(bid_changes, keywords["entity_key"], today)
    bid = keywords["bid"].to_numpy(dtype=np.float64, na_value=np.nan)
    moved = np.zeros(len(bid), dtype=bool)
    moved[history.unit[history.bid != bid[history.unit]]] = True
    index = np.flatnonzero(moved[rows.unit] & (rows.first == rows.last))
    unit = rows.unit[index]
    then = bid_in_force(history, unit, rows.last[index])
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.log(bid[unit] / then)
    change = np.where(np.isfinite(change), np.clip(change, -_FAR, _FAR), 0.0)
    grown, dearer = np.ones(len(rows.unit)), np.ones(len(rows.unit))
    grown[index] = click_growth(
        learned.elasticity[unit], change, learned.click_share[unit], learned.won_share[unit]
    )
    dearer[index] = np.exp(learned.cpc_exponent[unit] * change)
    return replace(
        rows,
        impressions=rows.impressions * grown,
        clicks=rows.clicks * grown,
        cost=rows.cost * grown * dearer,
    )


def stated_priors(told: Estimation) -> tuple[ExponentPrior, ExponentPrior]:
    """What is stated of ε and η."""
    least = told.elasticity_information
    return (
        ExponentPrior(told.elasticity_mean, told.elasticity_sd, told.elasticity_common_sd, least),
        ExponentPrior(
            told.cpc_exponent_mean, told.cpc_exponent_sd, told.cpc_exponent_common_sd, least
        ),
    )


def _stated(share: Floats, won: Floats, told: Estimation) -> Learned:
    """What is believed before any bid was tried, ε at the stated click share."""
    size = len(share)
    return Learned(
        np.full(size, told.elasticity_mean),
        np.full(size, told.elasticity_sd),
        np.full(size, told.cpc_exponent_mean),
        np.full(size, told.cpc_exponent_sd),
        np.zeros(size),
        np.full(size, "assumed", dtype="<U9"),
        share,
        won,
        told.elasticity_common_sd,
        told.cpc_exponent_common_sd,
    )


def _simulated(
    landscapes: pd.DataFrame, keywords: pd.DataFrame, factor: Floats, told: Estimation
) -> _Simulated:
    """Exponents that a platform's simulator implies, ε at the stated click share; nan elsewhere."""
    unit = pd.Index(keywords["entity_key"]).get_indexer(pd.Index(landscapes["entity_key"]))
    bid, clicks, cost = (
        landscapes[name].to_numpy(dtype=np.float64)[unit >= 0] for name in ("bid", "clicks", "cost")
    )
    present = keywords["bid"].to_numpy(dtype=np.float64, na_value=np.nan)
    found, exponent = simulated_exponents(
        unit[unit >= 0].astype(np.int64), bid, clicks, cost, present
    )
    return _Simulated(
        found / factor,
        told.simulator_sd / factor,
        exponent,
        np.full(len(factor), told.simulator_sd / 2),
    )


def _with_simulator(learned: Learned, told_by: _Simulated) -> Learned:
    """Keywords without a trial of their own take the simulator's word."""
    named = ~np.isnan(told_by.elasticity) & (learned.source != "measured")
    return replace(
        learned,
        elasticity=np.where(named, told_by.elasticity, learned.elasticity),
        elasticity_sd=np.where(named, told_by.elasticity_sd, learned.elasticity_sd),
        cpc_exponent=np.where(named, told_by.exponent, learned.cpc_exponent),
        cpc_exponent_sd=np.where(named, told_by.exponent_sd, learned.cpc_exponent_sd),
        source=np.where(named, "simulator", learned.source),
    )


def _measured(
    learned: Learned, tested: Tested, told_by: _Simulated, factor: Floats, told: Estimation
) -> Learned:
    """With what the tested keywords teach about themselves and, pooled, about the others."""
    trials, units, index = tested.trials, len(tested.index), tested.index
    clicks_prior, price_prior = stated_priors(told)
    scaled = replace(trials, log_bid=trials.log_bid * factor[trials.unit])
    own = (told_by.elasticity[index], told_by.elasticity_sd[index])
    clicks = estimate_elasticity(scaled, tested.control, units, _known(clicks_prior, *own))
    own = (told_by.exponent[index], told_by.exponent_sd[index])
    price = estimate_cpc_exponent(trials, units, _known(price_prior, *own))
    size = len(learned.source)
    pooled = "pooled" if clicks.pooled_sd < told.elasticity_common_sd else "assumed"
    source = np.full(size, pooled, dtype="<U9")
    source[index[clicks.measured]] = "measured"
    found = Learned(
        *_placed(clicks, index, size),
        *_placed(price, index, size),
        _at(index, clicks.information / factor**2, np.zeros(size)),
        source,
        learned.click_share,
        learned.won_share,
        clicks.pooled_sd,
        price.pooled_sd,
    )
    return _with_simulator(found, told_by)


def _known(prior: ExponentPrior, mean: Floats, sd: Floats) -> ExponentPrior:
    return replace(prior, unit_mean=mean, unit_sd=sd)


def _placed(fit: ExponentFit, index: Ints, size: int) -> tuple[Floats, Floats]:
    """Mean and sd of all keywords: those at `index` as fitted, the others as the typical one."""
    return (
        _at(index, fit.mean, np.full(size, fit.pooled)),
        _at(index, fit.sd, np.full(size, fit.typical_sd)),
    )


def _at(index: Ints, values: Floats, full: Floats) -> Floats:
    result = full.copy()
    result[index] = values
    return result
