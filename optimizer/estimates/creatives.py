"""What is believed of creatives: CTR, conversion rate, value of a conversion and price of a click.

A creative is shrunk to the other creatives of its ad group, past ones included, and those to the
account, by the credibility routine that keywords use (`rates.fit_rates`): the prior is learnt by
moments and leaves the creative itself out. Two creatives and a thousand are one call.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import partial

import numpy as np

from optimizer.errors import RefusedInput
from optimizer.estimates.posteriors import Floats, Gamma, Ints
from optimizer.estimates.rates import fit_rates

_THREADS = 2


@dataclass(frozen=True)
class CreativeSums:
    """Sums per creative, each an array of one entry per creative.

    `impressions` and the `clicks` they brought may be discounted by age, together. `bought` clicks
    and their `cost` are whole. `conversions` and their `value` came of `completed` = Σ clicks·F(age)
    clicks; `settled` is how many of the conversions `value` speaks for, Σ conversions·F_value/F.
    NaN throughout stands for what no report tells.
    """

    impressions: Floats
    clicks: Floats
    bought: Floats
    cost: Floats
    completed: Floats
    conversions: Floats
    value: Floats
    settled: Floats

    def joined(self, other: CreativeSums) -> CreativeSums:
        """These creatives, then `other`'s."""
        names = [one.name for one in fields(self)]
        return CreativeSums(
            *(np.concatenate([getattr(self, name), getattr(other, name)]) for name in names)
        )


@dataclass(frozen=True)
class UnitSpread:
    """What single counts and amounts vary by.

    `clicks` and `conversions` are dispersions ψ (1: Poisson); `value` and `cpc` squared CVs of one
    conversion's value and of one click's price.
    """

    clicks: float = 1.0
    conversions: float = 1.0
    value: float = 0.64
    cpc: float = 0.36


@dataclass(frozen=True)
class ArmBeliefs:
    """Per creative: clicks per impression, conversions per click, value per conversion, cost per click.

    None where nothing was reported. `value` is as reported, before margin, unless scaled.
    """

    ctr: Gamma
    cvr: Gamma | None
    value: Gamma | None
    cpc: Gamma | None

    def take(self, index: Ints) -> ArmBeliefs:
        """The beliefs at `index`."""
        kept = (None if one is None else one.take(index) for one in self._parts)
        return ArmBeliefs(*kept)  # type: ignore[arg-type]

    def kept(self, share: Floats | float) -> ArmBeliefs:
        """Value times the share of it that counts after margin and refunds."""
        value = None if self.value is None else self.value.scaled(share)
        return ArmBeliefs(self.ctr, self.cvr, value, self.cpc)

    @property
    def _parts(self) -> tuple[Gamma | None, ...]:
        return self.ctr, self.cvr, self.value, self.cpc


def estimate_creatives(
    sums: CreativeSums,
    group: Ints,
    *,
    spread: UnitSpread | None = None,
    value_per_conversion: float | None = None,
) -> ArmBeliefs:
    """Beliefs about every creative of `sums`; `group` numbers the ad group (or test) of each.

    A stated `value_per_conversion` stands where no value was reported. Returns that bring an
    arm's value below 0 count as 0 here: no belief is of less than nothing (claims use them as
    they are).
    """
    noise = spread or UnitSpread()
    parents = _parents(group)
    fits = (
        partial(_click_rate, sums, parents, noise),
        partial(_conversion_rate, sums, parents, noise),
        partial(_conversion_value, sums, parents, noise, value_per_conversion),
        partial(_click_price, sums, parents, noise),
    )
    with ThreadPoolExecutor(_THREADS) as pool:
        found = [pool.submit(fit) for fit in fits]
    ctr, *others = (one.result() for one in found)
    assert ctr is not None
    return ArmBeliefs(ctr, *others)


def estimate_with_past(
    sums: CreativeSums, group: Ints, past: CreativeSums, past_group: Ints, **options: object
) -> ArmBeliefs:
    """Beliefs about the creatives of `sums` in the light of their ad groups' `past` ones."""
    groups = np.concatenate([group, past_group])
    believed = estimate_creatives(sums.joined(past), groups, **options)  # type: ignore[arg-type]
    return believed.take(np.arange(len(group)))


def _parents(group: Ints) -> Sequence[Ints]:
    """Creative ⊂ ad group ⊂ account, ad groups numbered without gaps."""
    if len(group) == 0:
        raise RefusedInput("no_arms")
    found, place = np.unique(group, return_inverse=True)
    return place.astype(np.int64), np.zeros(len(found), dtype=np.int64)


def _click_rate(sums: CreativeSums, parents: Sequence[Ints], noise: UnitSpread) -> Gamma | None:
    return fit_rates(sums.clicks, sums.impressions, parents, dispersion=noise.clicks).posterior


def _conversion_rate(
    sums: CreativeSums, parents: Sequence[Ints], noise: UnitSpread
) -> Gamma | None:
    if np.isnan(sums.conversions).all():
        return None
    counts, exposure = _known(sums.conversions, sums.completed)
    return fit_rates(counts, exposure, parents, dispersion=noise.conversions).posterior


def _conversion_value(
    sums: CreativeSums, parents: Sequence[Ints], noise: UnitSpread, stated: float | None
) -> Gamma | None:
    number = len(sums.value)
    if np.isnan(sums.value).all() or not (sums.value > 0).any():
        return None if stated is None else Gamma(np.full(number, stated), np.zeros(number))
    amounts, counts = _known(np.maximum(sums.value, 0.0), sums.settled)
    return fit_rates(amounts, counts, parents, unit_cv2=noise.value).posterior


def _click_price(sums: CreativeSums, parents: Sequence[Ints], noise: UnitSpread) -> Gamma | None:
    if np.isnan(sums.cost).all():
        return None
    cost, clicks = _known(sums.cost, sums.bought)
    return fit_rates(cost, clicks, parents, unit_cv2=noise.cpc).posterior


def _known(counts: Floats, exposure: Floats) -> tuple[Floats, Floats]:
    """Both 0, as if nothing was seen, where the counts are not known."""
    unknown = np.isnan(counts) | np.isnan(exposure)
    return np.where(unknown, 0.0, counts), np.where(unknown, 0.0, exposure)
