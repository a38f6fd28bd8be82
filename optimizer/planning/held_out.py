"""Whether tuned settings earn more than the defaults on markets and seeds they were not tuned on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats

from optimizer.planning.lives import Life
from optimizer.planning.scoreboard import Score, score

ALPHA = 0.05
FIGURES = ("profit", "oracle_share", "worst_decile", "deepest_loss", "spend", "false_pauses")
LEAST_SEEDS = 5
"""With fewer pairs the signed-rank test cannot reach 5 %, whatever they say."""


@dataclass(frozen=True)
class PairedTest:
    """Tuned against default on the same seeds, in shares of the oracle's profit.

    `gain` mean with its standard error `se`, over `pairs`; `p` of Wilcoxon's signed-rank test that the
    gain is not above 0, times `looks`: how many tuned settings were held to these seeds (Bonferroni).
    """

    gain: float
    se: float
    p: float
    pairs: int
    looks: int

    @property
    def passed(self) -> bool:
        """Whether the gain is there beyond chance."""
        return self.gain > 0 and self.p <= ALPHA


@dataclass(frozen=True)
class HeldOutMarket:
    """One market on held-out seeds; `tuned_in` says whether other seeds of it were tuned on."""

    market: str
    tuned_in: bool
    default: Score
    tuned: Score
    gains: tuple[float, ...]


@dataclass(frozen=True)
class Verdict:
    """Both tests, of held-out seeds and of held-out markets, with the figures of each market."""

    seeds: PairedTest
    markets: PairedTest
    by_market: tuple[HeldOutMarket, ...]

    @property
    def accepted(self) -> bool:
        """The defaults are kept unless both tests pass."""
        return self.seeds.passed and self.markets.passed

    def to_json(self) -> dict[str, Any]:
        """Both tests and the figures by market, as plain values."""
        return {
            "seeds": {**asdict(self.seeds), "passed": self.seeds.passed},
            "markets": {**asdict(self.markets), "passed": self.markets.passed},
            "by_market": {one.market: _figures(one) for one in self.by_market},
        }


def _figures(told: HeldOutMarket) -> dict[str, Any]:
    return {
        "tuned_in": told.tuned_in,
        **{
            name: {figure: getattr(of, figure) for figure in FIGURES}
            for name, of in (("default", told.default), ("tuned", told.tuned))
        },
        "gains": [round(gain, 5) for gain in told.gains],
    }


def paired_test(gains: Sequence[float], looks: int = 1) -> PairedTest:
    """`gains` of at least two seeds (Wilcoxon 1945; ties of 0 are split as Pratt's zsplit)."""
    told = np.asarray(gains, dtype=np.float64)
    found = stats.wilcoxon(told, alternative="greater", zero_method="zsplit")
    error = float(told.std(ddof=1) / np.sqrt(len(told)))
    return PairedTest(
        float(told.mean()), error, min(float(found.pvalue) * looks, 1.0), len(told), looks
    )


def held_out_market(
    market: str,
    tuned_in: bool,
    default: Sequence[Life],
    tuned: Sequence[Life],
    oracle: Sequence[Life],
) -> HeldOutMarket:
    """The lives of one market, seed by seed."""
    whole = mean_profit(oracle)
    gains = [
        float((b.earned.sum() - a.earned.sum()) / whole)
        for a, b in zip(default, tuned, strict=True)
    ]
    return HeldOutMarket(
        market, tuned_in, score(default, oracle), score(tuned, oracle), tuple(gains)
    )


def verdict(by_market: Sequence[HeldOutMarket], looks: int) -> Verdict:
    """Held-out seeds of the markets tuned in, and markets that were not, each tested as one."""
    gains: Mapping[bool, list[float]] = {
        tuned_in: [gain for one in by_market if one.tuned_in == tuned_in for gain in one.gains]
        for tuned_in in (True, False)
    }
    return Verdict(
        paired_test(gains[True], looks), paired_test(gains[False], looks), tuple(by_market)
    )


def mean_profit(lives: Sequence[Life]) -> float:
    """Of a life, orders at their expectation."""
    return float(np.mean([one.earned.sum() for one in lives]))
