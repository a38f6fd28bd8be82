"""Which keywords to pause, which search terms to add as keywords and which to exclude."""

from __future__ import annotations

import numpy as np

from optimizer.curves.bid_landscape import Response
from optimizer.estimates.posteriors import Bools, Floats, Gamma

_PATIENT_STEPS = 3.0


def enough_to_stop(
    exposure: Floats, prior_rate: Floats, cpc: Floats, value: Gamma, rate: Gamma, evidence: float
) -> Bools:
    """Whether the matured clicks would have shown a paying word: e ≥ evidence / max(m, θ_breakeven).

    θ_breakeven is the conversion rate at which V equals the CPC.
    """
    per_conversion = value.mean / np.maximum(rate.mean, 1e-300)
    break_even = np.divide(
        cpc, per_conversion, out=np.full_like(cpc, np.inf), where=per_conversion > 0
    )
    result: Bools = exposure >= evidence / np.maximum(prior_rate, break_even)
    return result


def bid_to_judge(bid: Floats, lowest: Floats, step: float, tried: Bools) -> Floats:
    """Bid at which a keyword must lose before it is stopped.

    One step down once a lower was `tried` (or cannot be); three before, so that a word which one
    lower may save is lowered first and a hopeless one stops at once. Never below `lowest`.
    """
    steps = np.where(tried, 1.0, _PATIENT_STEPS)
    result: Floats = np.minimum(np.maximum(lowest, bid * (1.0 - step) ** steps), bid)
    return result


def lowest_cpc(response: Response, lowest_bid: Floats) -> Floats:
    """Expected CPC at the lowest useful bid."""
    ratio = np.log(np.maximum(lowest_bid, 1e-12) / response.bid)
    result: Floats = response.cpc * np.exp(response.cpc_exponent * np.minimum(ratio, 0.0))
    return result


def loses_everywhere(value: Gamma, cpc: Floats, probability: float) -> Bools:
    """Whether P(V > CPC) is below `probability`."""
    result: Bools = value.above(cpc) < probability
    return result


def worth_adding(value: Gamma, response: Response, line: Floats, probability: float) -> Bools:
    """P(V > Λ · marginal CPC) ≥ `probability`, marginal CPC = CPC·(ε+η)/ε."""
    marginal_cpc = (
        response.cpc * (response.elasticity + response.cpc_exponent) / response.elasticity
    )
    result: Bools = value.above(line * marginal_cpc) >= probability
    return result


def bid_for_term(value: Floats, response: Response, line: Floats, reach: float) -> Floats:
    """Bid at which the term's marginal return meets the line, within ±`reach` of the donor's bid.

    From V·ε = Λ·CPC·(ε+η) and CPC = κ₀(b/b₀)^η.
    """
    best_cpc = value * response.elasticity / (line * (response.elasticity + response.cpc_exponent))
    exponent = np.maximum(response.cpc_exponent, 0.1)
    ratio = (np.maximum(best_cpc, 1e-12) / response.cpc) ** (1.0 / exponent)
    result: Floats = response.bid * np.clip(ratio, 1.0 - reach, 1.0 + reach)
    return result
