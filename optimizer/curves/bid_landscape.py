"""Local power law around the present bid b₀: clicks = c₀(b/b₀)^ε, CPC = κ₀(b/b₀)^η.

Used only inside the step window of bids. ε and η are beliefs, so expectations carry their spread:
E[(b/b₀)^ε] = exp(μL + σ²L²/2) with L = log(b/b₀). Constant-elasticity response is the usual local
form in search advertising (Yang and Ghose 2010; Skiera and Abou Nabout 2013).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.estimates.posteriors import Bools, Floats, Gamma, Ints

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(7)
_SMALLEST_ELASTICITY = 0.05


@dataclass(frozen=True)
class Response:
    """Beliefs about the curve per keyword.

    `clicks` per day at the present bid, `cpc` there; `elasticity` ε and `cpc_exponent` η with their
    standard deviations; `assumed` marks keywords whose ε is the stated prior.
    """

    bid: Floats
    clicks: Floats
    cpc: Floats
    elasticity: Floats
    elasticity_sd: Floats
    cpc_exponent: Floats
    cpc_exponent_sd: Floats
    assumed: Bools

    def expected_clicks(self, bids: Floats) -> Floats:
        """Mean clicks per day at `bids`, shape (keywords, levels)."""
        return self.clicks[:, None] * self._growth(bids, self.elasticity, self.elasticity_sd)

    def expected_cost(self, bids: Floats) -> Floats:
        """Mean cost per day at `bids`, shape (keywords, levels); ε and η independent."""
        spread = np.hypot(self.elasticity_sd, self.cpc_exponent_sd)
        growth = self._growth(bids, self.elasticity + self.cpc_exponent, spread)
        return (self.clicks * self.cpc)[:, None] * growth

    def _growth(self, bids: Floats, mean: Floats, sd: Floats) -> Floats:
        log_ratio = np.log(bids / self.bid[:, None])
        result: Floats = np.exp(mean[:, None] * log_ratio + 0.5 * (sd[:, None] * log_ratio) ** 2)
        return result

    def take(self, index: Ints) -> Response:
        """The curves of the keywords at `index`."""
        return Response(*(getattr(self, name)[index] for name in self.__dataclass_fields__))


def marginal_return(response: Response, value: Gamma) -> Gamma:
    """What the next unit of money returns at the present bid: V·ε / ((ε+η)·CPC).

    The Gamma with the first two moments of V times those of ε/(ε+η), the latter by quadrature.
    """
    mean, square = _response_share_moments(response)
    share = Gamma(mean, np.maximum(square / mean**2 - 1.0, 0.0))
    return value.times(share).scaled(1.0 / response.cpc)


def _response_share_moments(response: Response) -> tuple[Floats, Floats]:
    """Mean and mean square of ε/(ε+η), both kept positive."""
    weight = (_WEIGHTS[:, None] * _WEIGHTS[None, :]).ravel() / _WEIGHTS.sum() ** 2
    first, second = (grid.ravel() for grid in np.meshgrid(_NODES, _NODES, indexing="ij"))
    beliefs = np.stack(
        [
            response.elasticity,
            response.elasticity_sd,
            response.cpc_exponent,
            response.cpc_exponent_sd,
        ],
        axis=1,
    )
    distinct, code = np.unique(beliefs, axis=0, return_inverse=True)
    elasticity = np.maximum(distinct[:, :1] + distinct[:, 1:2] * first, _SMALLEST_ELASTICITY)
    exponent = np.maximum(distinct[:, 2:3] + distinct[:, 3:4] * second, 0.0)
    share = elasticity / (elasticity + exponent)
    return (share @ weight)[code], (share**2 @ weight)[code]
