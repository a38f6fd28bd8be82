"""How each keyword's clicks and price answer to its bid: measured, told by a simulator, or assumed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from optimizer.curves.bid_landscape import Response
from optimizer.estimates.bid_history import bid_history, capped_days, find_trials
from optimizer.estimates.elasticity import (
    ExponentFit,
    ExponentPrior,
    estimate_cpc_exponent,
    estimate_elasticity,
)
from optimizer.estimates.exposure import Records
from optimizer.estimates.posteriors import Bools, Floats, Ints
from optimizer.settings import Settings


@dataclass(frozen=True)
class Learned:
    """Per keyword ε and η with standard deviations, what they rest on, and what all keywords share.

    `source` is assumed (stated prior), pooled (measured on other keywords), simulator or measured;
    `information` Σ n·Var(log b) of its own randomised days. The common sds move all keywords alike.
    """

    elasticity: Floats
    elasticity_sd: Floats
    cpc_exponent: Floats
    cpc_exponent_sd: Floats
    information: Floats
    source: npt.NDArray[np.str_]
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
        )


def learn_response(
    bid_changes: pd.DataFrame,
    rows: Records,
    keywords: pd.DataFrame,
    campaign: Ints,
    budget: Floats,
    settings: Settings,
    today: int,
) -> Learned:
    """Exponents of every keyword of `keywords`, from the randomised part of `bid_changes`.

    `campaign` per keyword; `budget` per campaign, nan where unknown.
    """
    clicks_prior, price_prior = _priors(settings)
    history = bid_history(bid_changes, keywords["entity_key"], today)
    if not history.randomised.any():
        return _stated(len(keywords), clicks_prior, price_prior)
    closed, start = capped_days(campaign, rows, budget, settings.guardrails.capped_share)
    tested = find_trials(history, rows, campaign, closed, start)
    units = len(tested.index)
    return _spread(
        len(keywords),
        tested.index,
        estimate_elasticity(tested.trials, tested.control, units, clicks_prior),
        estimate_cpc_exponent(tested.trials, units, price_prior),
        clicks_prior,
    )


def _priors(settings: Settings) -> tuple[ExponentPrior, ExponentPrior]:
    told = settings.estimation
    least = told.elasticity_information
    return (
        ExponentPrior(told.elasticity_mean, told.elasticity_sd, told.elasticity_common_sd, least),
        ExponentPrior(
            told.cpc_exponent_mean, told.cpc_exponent_sd, told.cpc_exponent_common_sd, least
        ),
    )


def _stated(size: int, clicks: ExponentPrior, price: ExponentPrior) -> Learned:
    """What is believed before any bid was tried."""
    return Learned(
        np.full(size, clicks.mean),
        np.full(size, clicks.sd),
        np.full(size, price.mean),
        np.full(size, price.sd),
        np.zeros(size),
        np.full(size, "assumed", dtype="<U9"),
        clicks.common_sd,
        price.common_sd,
    )


def _spread(
    size: int,
    index: Ints,
    elasticity: ExponentFit,
    exponent: ExponentFit,
    prior: ExponentPrior,
) -> Learned:
    """The fits of the tested keywords at `index`; all others get the pooled values."""
    source = np.full(size, "pooled" if elasticity.pooled_sd < prior.common_sd else "assumed", "<U9")
    source[index[elasticity.measured]] = "measured"
    return Learned(
        _placed(elasticity.pooled, index, elasticity.mean, size),
        _placed(elasticity.typical_sd, index, elasticity.sd, size),
        _placed(exponent.pooled, index, exponent.mean, size),
        _placed(exponent.typical_sd, index, exponent.sd, size),
        _placed(0.0, index, elasticity.information, size),
        source,
        elasticity.pooled_sd,
        exponent.pooled_sd,
    )


def _placed(usual: float, index: Ints, values: Floats, size: int) -> Floats:
    full = np.full(size, usual)
    full[index] = values
    return full
