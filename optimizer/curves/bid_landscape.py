"""Clicks and price around the present bid b₀: a Hill curve through c₀ with slope ε, CPC = κ₀(b/b₀)^η.

With L = log(b/b₀) and s the share of all clicks to be had that b₀ brings,

    clicks = c₀ · G(L),   G(L) = 1 / (s + (1 - s)·exp(-εL/(1 - s)))

which is Hill's h = ε/(1 - s), level c₀ and slope ε at b₀, and ceiling c₀/s; s = 0 is the power law
(b/b₀)^ε, the usual local form in search advertising (Yang and Ghose 2010; Skiera and Abou Nabout
2013), which promises too much of a raise wherever clicks saturate. Above b₀ another share, that prices
say is won, may stand for s beside the same h. Used only inside the step window of bids. ε and η are
beliefs, so expectations carry their spread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from optimizer.estimates.posteriors import Bools, Floats, Gamma, Ints

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(7)
_SMALLEST_ELASTICITY = 0.05


@dataclass(frozen=True)
class Response:
    """Beliefs about the curve per keyword.

    `clicks` per day at the present bid, `cpc` there; `elasticity` ε and `cpc_exponent` η with their
    standard deviations; `assumed` marks keywords whose own ε nobody measured; `click_share` s. Above
    the present bid `won_share` stands in its place: more where prices say that less is left to win
    (None: the same).
    """

    bid: Floats
    clicks: Floats
    cpc: Floats
    elasticity: Floats
    elasticity_sd: Floats
    cpc_exponent: Floats
    cpc_exponent_sd: Floats
    assumed: Bools
    click_share: Floats = field(default_factory=lambda: np.zeros(1))
    won_share: Floats | None = None

    def __post_init__(self) -> None:
        """One click share for all keywords stands for each of them."""
        object.__setattr__(self, "click_share", np.broadcast_to(self.click_share, len(self.bid)))

    @property
    def won(self) -> Floats:
        """`won_share`, or what stands for it."""
        return self.click_share if self.won_share is None else self.won_share

    def expected_clicks(self, bids: Floats) -> Floats:
        """Mean clicks per day at `bids`, shape (keywords, levels)."""
        return self.clicks[:, None] * self._growth(self._log_ratio(bids))

    def expected_cost(self, bids: Floats) -> Floats:
        """Mean cost per day at `bids`, shape (keywords, levels); ε and η independent."""
        log_ratio = self._log_ratio(bids)
        spread = 0.5 * (self.cpc_exponent_sd[:, None] * log_ratio) ** 2
        dearer: Floats = np.exp(self.cpc_exponent[:, None] * log_ratio + spread)
        return (self.clicks * self.cpc)[:, None] * self._growth(log_ratio) * dearer

    def _log_ratio(self, bids: Floats) -> Floats:
        result: Floats = np.log(bids / self.bid[:, None])
        return result

    def _growth(self, log_ratio: Floats) -> Floats:
        """E[G]: G at the mean of ε and half its variance times G'', which is exact to σ²L²."""
        scale = log_ratio / (1.0 - self.click_share[:, None])
        share = _share_beside(log_ratio, self.click_share[:, None], self.won[:, None])
        rest = (1.0 - share) * np.exp(-self.elasticity[:, None] * scale)
        mean = 1.0 / (share + rest)
        lost = rest * mean
        bend = (self.elasticity_sd[:, None] * scale) ** 2 * lost * (2.0 * lost - 1.0)
        result: Floats = mean * (1.0 + 0.5 * bend)
        return result

    def take(self, index: Ints) -> Response:
        """The curves of the keywords at `index`."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return replace(
            self, **{name: one[index] for name, one in values.items() if one is not None}
        )


def click_growth(elasticity: Any, log_ratio: Any, click_share: Any, won_share: Any = None) -> Any:
    """G(L), clicks at a bid over clicks at the present one, in the arguments' own precision.

    `won_share` takes the place of `click_share` above the present bid (None: no other).
    """
    with np.errstate(over="ignore"):  # so low a bid buys nothing: 1 over infinity is the 0 meant
        lost = np.exp(elasticity * (-log_ratio / (1 - click_share)))
    share = click_share if won_share is None else _share_beside(log_ratio, click_share, won_share)
    return 1 / (share + (1 - share) * lost)


def _share_beside(log_ratio: Any, click_share: Any, won_share: Any) -> Any:
    return np.where(log_ratio > 0, won_share, click_share)


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
    beliefs = (
        response.elasticity,
        response.elasticity_sd,
        response.cpc_exponent,
        response.cpc_exponent_sd,
    )
    row, code = distinct_rows(beliefs)
    distinct = np.stack(beliefs, axis=1)[row]
    elasticity = np.maximum(distinct[:, :1] + distinct[:, 1:2] * first, _SMALLEST_ELASTICITY)
    exponent = np.maximum(distinct[:, 2:3] + distinct[:, 3:4] * second, 0.0)
    share = elasticity / (elasticity + exponent)
    return (share @ weight)[code], (share**2 @ weight)[code]


def distinct_rows(columns: Sequence[Floats]) -> tuple[Ints, Ints]:
    """A row of each combination of values, and which combination each row has; nothing is sorted."""
    code = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        place, values = pd.factorize(column)
        code = pd.factorize(code * len(values) + place)[0].astype(np.int64)
    row = np.empty(int(code.max(initial=-1)) + 1, dtype=np.int64)
    row[code] = np.arange(len(code))
    return row, code
