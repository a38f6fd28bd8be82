"""What a test of creatives is decided by: each metric as a belief to draw from and as a daily ratio.

Scores are higher-is-better everywhere in the arithmetic. The cost of a conversion, of which less is
better, has minus itself as score and is tested as its reciprocal, conversions per unit of cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from optimizer.decisions.outcomes import draw_gammas
from optimizer.errors import BadSettings, RefusedInput
from optimizer.estimates.creatives import ArmBeliefs
from optimizer.estimates.posteriors import Floats, Gamma, Singles

MetricName = Literal[
    "profit_per_impression", "ctr", "cvr", "value_per_click", "value_per_impression", "cpa"
]


@dataclass(frozen=True)
class Metric:
    """`numerator` over `denominator` of a day is what claims compare; `events` what must be seen.

    `needs` names the beliefs it is made of; `delayed` whether it waits for late conversions.
    """

    name: MetricName
    numerator: Literal["clicks", "conversions", "value", "profit"]
    denominator: Literal["impressions", "clicks", "cost"]
    events: Literal["clicks", "conversions"]
    needs: tuple[str, ...]
    lower_is_better: bool = False

    @property
    def delayed(self) -> bool:
        """Whether its days are settled only once their conversions have come."""
        return self.events == "conversions"

    @property
    def counts(self) -> bool:
        """Whether the numerator is a number of events, not an amount of money."""
        return self.numerator == self.events


_METRICS: dict[str, Metric] = {
    one.name: one
    for one in (
        Metric(
            "profit_per_impression",
            "profit",
            "impressions",
            "conversions",
            ("cvr", "value", "cpc"),
        ),
        Metric("ctr", "clicks", "impressions", "clicks", ()),
        Metric("cvr", "conversions", "clicks", "conversions", ("cvr",)),
        Metric("value_per_click", "value", "clicks", "conversions", ("cvr", "value")),
        Metric("value_per_impression", "value", "impressions", "conversions", ("cvr", "value")),
        Metric("cpa", "conversions", "cost", "conversions", ("cvr", "cpc"), lower_is_better=True),
    )
}
METRICS = tuple(_METRICS)
"""Names of all metrics, the default first."""


def metric_named(name: str) -> Metric:
    """The metric of this name. Raises `BadSettings("metric_unknown")`."""
    if name not in _METRICS:
        raise BadSettings("metric_unknown", metric=name, known=", ".join(METRICS))
    return _METRICS[name]


def require(metric: Metric, beliefs: ArmBeliefs) -> None:
    """Raise `RefusedInput("metric_needs")` where no report tells what the metric is made of."""
    for name in metric.needs:
        if getattr(beliefs, name) is None:
            raise RefusedInput("metric_needs", metric=metric.name, column=_TOLD_BY[name])


_TOLD_BY = {"cvr": "conversions", "value": "value", "cpc": "cost"}


def expected(metric: Metric, beliefs: ArmBeliefs) -> Floats:
    """The metric itself (not its score) at the beliefs' means, per arm."""
    require(metric, beliefs)
    result: Floats
    if metric.name == "profit_per_impression":
        per_click = _value_per_click(beliefs).mean - _told(beliefs.cpc).mean
        result = beliefs.ctr.mean * per_click
    elif metric.name == "cpa":
        result = _told(beliefs.cpc).mean / _told(beliefs.cvr).mean
    else:
        result = _single(metric, beliefs).mean
    return result


def draw_scores(
    metric: Metric, beliefs: ArmBeliefs, draws: int, rng: np.random.Generator
) -> Singles:
    """Draws (arms, draws) of the score: the metric, or minus it where lower is better."""
    require(metric, beliefs)
    if metric.name == "profit_per_impression":
        return _draw_profit(beliefs, draws, rng)
    if metric.name == "cpa":
        return _draw_minus_cpa(beliefs, draws, rng)
    return draw_gammas(_single(metric, beliefs), draws, rng)


def _draw_profit(beliefs: ArmBeliefs, draws: int, rng: np.random.Generator) -> Singles:
    """CTR·(V − CPC)."""
    result = draw_gammas(_value_per_click(beliefs), draws, rng)
    result -= draw_gammas(_told(beliefs.cpc), draws, rng)
    result *= draw_gammas(beliefs.ctr, draws, rng)
    return result


def _draw_minus_cpa(beliefs: ArmBeliefs, draws: int, rng: np.random.Generator) -> Singles:
    result = draw_gammas(_told(beliefs.cpc), draws, rng)
    result /= -np.maximum(draw_gammas(_told(beliefs.cvr), draws, rng), np.float32(1e-12))
    return result


def _single(metric: Metric, beliefs: ArmBeliefs) -> Gamma:
    """The metric as one Gamma: products of independent quantities by their first two moments."""
    match metric.name:
        case "ctr":
            return beliefs.ctr
        case "cvr":
            return _told(beliefs.cvr)
        case "value_per_click":
            return _value_per_click(beliefs)
        case _:
            return beliefs.ctr.times(_value_per_click(beliefs))


def _value_per_click(beliefs: ArmBeliefs) -> Gamma:
    return _told(beliefs.cvr).times(_told(beliefs.value))


def _told(belief: Gamma | None) -> Gamma:
    assert belief is not None
    return belief
