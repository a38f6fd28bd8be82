"""How each keyword's clicks and price answer to its bid: measured, told by a simulator, or assumed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from optimizer.curves.bid_landscape import Response
from optimizer.estimates.bid_history import Tested, bid_history, capped_days, find_trials
from optimizer.estimates.elasticity import (
    LARGEST_ELASTICITY,
    ExponentFit,
    ExponentPrior,
    estimate_cpc_exponent,
    estimate_elasticity,
)
from optimizer.estimates.exposure import Records
from optimizer.estimates.impression_share import click_share, impression_share
from optimizer.estimates.posteriors import Bools, Floats, Ints
from optimizer.settings import Estimation, Settings

_RECENT_DAYS = 28


@dataclass(frozen=True)
class Learned:
    """Per keyword ε and η with standard deviations, what they rest on, and what all keywords share.

    `source` is assumed (stated prior), pooled (measured on other keywords), simulator or measured;
    `information` Σ n·Var(log b) of its own randomised days; `click_share` what the bid brings of all
    clicks to be had. The common sds move all keywords alike.
    """

    elasticity: Floats
    elasticity_sd: Floats
    cpc_exponent: Floats
    cpc_exponent_sd: Floats
    information: Floats
    source: npt.NDArray[np.str_]
    click_share: Floats
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
        )


def learn_response(
    bid_changes: pd.DataFrame,
    rows: Records,
    daily: pd.DataFrame,
    keywords: pd.DataFrame,
    campaign: Ints,
    budget: Floats,
    settings: Settings,
    today: int,
) -> Learned:
    """Exponents of every keyword of `keywords`, from the randomised part of `bid_changes`.

    `rows` are the arrays of `daily`; `campaign` per keyword; `budget` per campaign, nan where
    unknown. A keyword that gets less of its clicks is expected to answer more to its bid: with Hill's
    curve ε = h(1 - s), so what is estimated and pooled is ε at the stated click share.
    """
    told = settings.estimation
    share = _click_share(daily, rows, len(keywords), told, today)
    factor = (1 - share) / (1 - told.click_share)
    learned = _stated(share, told)
    history = bid_history(bid_changes, keywords["entity_key"], today)
    if history.randomised.any():
        closed, start = capped_days(campaign, rows, budget, settings.guardrails.capped_share)
        tested = find_trials(history, rows, campaign, closed, start)
        learned = _measured(learned, tested, factor[tested.index], told)
    return replace(
        learned,
        elasticity=np.minimum(learned.elasticity * factor, LARGEST_ELASTICITY),
        elasticity_sd=learned.elasticity_sd * factor,
    )


def _click_share(
    daily: pd.DataFrame, rows: Records, units: int, told: Estimation, today: int
) -> Floats:
    recent = rows.last >= today - _RECENT_DAYS
    columns = daily.reindex(columns=["impression_share", "lost_is_budget"])
    shares = columns.to_numpy(dtype=np.float64)[recent]
    shown = impression_share(
        rows.unit[recent], rows.impressions[recent], shares[:, 0], shares[:, 1], units
    )
    return click_share(shown, told.click_share_when_always_shown, told.click_share)


def _priors(told: Estimation) -> tuple[ExponentPrior, ExponentPrior]:
    least = told.elasticity_information
    return (
        ExponentPrior(told.elasticity_mean, told.elasticity_sd, told.elasticity_common_sd, least),
        ExponentPrior(
            told.cpc_exponent_mean, told.cpc_exponent_sd, told.cpc_exponent_common_sd, least
        ),
    )


def _stated(share: Floats, told: Estimation) -> Learned:
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
        told.elasticity_common_sd,
        told.cpc_exponent_common_sd,
    )


def _measured(learned: Learned, tested: Tested, factor: Floats, told: Estimation) -> Learned:
    """With what the tested keywords teach about themselves and, pooled, about the others."""
    trials, units = tested.trials, len(tested.index)
    clicks_prior, price_prior = _priors(told)
    scaled = replace(trials, log_bid=trials.log_bid * factor[trials.unit])
    clicks = estimate_elasticity(scaled, tested.control, units, clicks_prior)
    price = estimate_cpc_exponent(trials, units, price_prior)
    size = len(learned.source)
    pooled = "pooled" if clicks.pooled_sd < told.elasticity_common_sd else "assumed"
    source = np.full(size, pooled, dtype="<U9")
    source[tested.index[clicks.measured]] = "measured"
    return Learned(
        *_placed(clicks, tested.index, size),
        *_placed(price, tested.index, size),
        _at(tested.index, clicks.information / factor**2, np.zeros(size)),
        source,
        learned.click_share,
        clicks.pooled_sd,
        price.pooled_sd,
    )


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
