"""The days of the arms of many tests, as plain arrays, and their sums."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from optimizer.decisions.creatives.metrics import Metric
from optimizer.errors import BadSettings, RefusedInput
from optimizer.estimates.creatives import CreativeSums, UnitSpread
from optimizer.estimates.posteriors import Bools, Floats, Ints
from optimizer.estimates.rates import estimate_dispersion, estimate_unit_cv2

DISCOUNT = 0.95
"""Daily weight of CTR in allocation: creatives wear out. Conversion rates are not discounted."""

_LEAST_TOLD = 0.1
_ENOUGH_ROWS = 150_000
_BLOCK = 30_000
_COUNTS = ("impressions", "clicks", "cost", "conversions", "value")
_NEVER_NEGATIVE = ("impressions", "clicks", "cost", "conversions")


def _nothing() -> Floats:
    return np.empty(0)


@dataclass(frozen=True)
class ArmDays:
    """What each arm showed and brought on each day: arrays (arms, days), oldest day first.

    `impressions` and `clicks` are 0 where an arm did not run. `cost`, `conversions` and `value` may
    be left out: not reported. `completion` and `value_completion` are F per day, the share of its
    conversions (of their value) that is known (1 where left out). `test` numbers the test of each
    arm, 0 for all where left out, and must not fall: the arms of a test stand together.

    Lists will do. Raises `RefusedInput` for arrays that do not fit (`arm_days_shape`), what is not a
    finite number (`arm_days_not_finite`), and counts or cost below 0 (`arm_days_negative`); value
    may be negative (returns), clicks may exceed impressions and conversions clicks.

    >>> days = ArmDays(impressions=[[900, 1000], [900, 1000]], clicks=[[20, 22], [11, 30]])
    >>> days.clicks.sum(axis=1).tolist()
    [42.0, 41.0]
    """

    impressions: Floats
    clicks: Floats
    cost: Floats = field(default_factory=_nothing)
    conversions: Floats = field(default_factory=_nothing)
    value: Floats = field(default_factory=_nothing)
    completion: Floats = field(default_factory=_nothing)
    value_completion: Floats = field(default_factory=_nothing)
    test: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __post_init__(self) -> None:
        """Lists become arrays, what was left out gets its meaning, and all of it is checked."""
        shown = np.asarray(self.impressions, dtype=np.float64)
        if shown.ndim != 2 or 0 in shown.shape:
            raise RefusedInput("arm_days_shape", column="impressions", shape=shown.shape)
        for name in _COUNTS:
            self._set(name, _panel(name, getattr(self, name), shown.shape))
        self._set("completion", _shares("completion", self.completion, shown.shape[1], None))
        value = _shares("value_completion", self.value_completion, shown.shape[1], self.completion)
        self._set("value_completion", value)
        self._set("test", _tests(self.test, len(shown)))

    def _set(self, name: str, array: npt.NDArray[np.generic]) -> None:
        object.__setattr__(self, name, array)

    @cached_property
    def first(self) -> Ints:
        """Number of the first arm of each test."""
        return np.flatnonzero(np.diff(self.test, prepend=self.test[0] - 1))

    @cached_property
    def place(self) -> Ints:
        """Which test each arm belongs to, counting tests from 0 without gaps."""
        sizes = np.diff(self.first, append=len(self.test))
        return np.repeat(np.arange(len(self.first)), sizes)

    @cached_property
    def arms(self) -> Ints:
        """Number of arms of each test."""
        return np.diff(self.first, append=len(self.test))

    @property
    def ran(self) -> Bools:
        """(arms, days): whether the arm was shown that day."""
        return self.impressions > 0

    def matured(self, metric: Metric, least: float = 0.95) -> Bools:
        """Per day, whether what it brought is known well enough for a claim."""
        days = self.impressions.shape[1]
        if not metric.delayed:
            return np.ones(days, dtype=np.bool_)
        known = self.completion >= least
        return (
            known & (self.value_completion >= least) if metric.numerator != "conversions" else known
        )

    def since(self, first_day: Ints) -> ArmDays:
        """These days without those of each arm before `first_day` (its column).

        For a text that was changed under the same id: what came before was another creative.
        """
        kept = np.arange(self.impressions.shape[1])[None, :] >= np.asarray(first_day)[:, None]
        return replace(self, **{name: getattr(self, name) * kept for name in _COUNTS})

    def sums(self, discount: float = DISCOUNT) -> CreativeSums:
        """What is believed rests on these: CTR discounted by age, conversions completed by F.

        Days of which less than a tenth is known teach CTR and price only.
        """
        if not 0 < discount <= 1:
            raise BadSettings("share_out_of_range", name="discount", value=discount)
        days = self.impressions.shape[1]
        weight = discount ** np.arange(days - 1, -1, -1.0)
        told = (self.completion >= _LEAST_TOLD).astype(np.float64)
        settled = told * self.value_completion / np.maximum(self.completion, _LEAST_TOLD)
        return CreativeSums(
            self.impressions @ weight,
            self.clicks @ weight,
            self.clicks.sum(axis=1),
            self.cost.sum(axis=1),
            self.clicks @ (told * self.completion),
            self.conversions @ told,
            self.value @ told,
            self.conversions @ settled,
        )

    def spread(self) -> UnitSpread:
        """How much more than Poisson counts the days of an arm vary, over all tests."""
        rows = _Rows(self)
        stated = UnitSpread()
        click_price = rows.amounts(self.cost, self.clicks, stated.cpc)
        completed = self.clicks * self.completion
        ratio = self.value_completion / np.maximum(self.completion, _LEAST_TOLD)
        settled = self.conversions * ratio
        return UnitSpread(
            max(rows.counts(self.clicks, self.impressions), 1.0),
            max(rows.counts(self.conversions, completed), 1.0),
            rows.amounts(np.maximum(self.value, 0.0), settled, stated.value),
            click_price,
        )


def arm_blocks(first: Ints, shape: tuple[int, ...]) -> list[slice]:
    """Arms of whole tests, some 30,000 days of arms each, for arrays of this `shape` (arms, days)."""
    block = first * shape[1] // _BLOCK
    starts = first[np.flatnonzero(np.diff(block, prepend=-1))]
    ends = np.append(starts[1:], shape[0])
    return [slice(int(one), int(end)) for one, end in zip(starts, ends, strict=True)]


class _Rows:
    """The days of the arms one after the other, those on which the arm ran.

    Of very many arms every n-th: what is common to all is known long before.
    """

    def __init__(self, days: ArmDays) -> None:
        step = days.impressions.size // _ENOUGH_ROWS + 1
        arm, self._day = np.nonzero(days.ran[::step])
        self._arm = arm * step
        self._unit, self._units = arm, -(-len(days.test) // step)

    def counts(self, counts: Floats, exposure: Floats) -> float:
        """ψ of the counts; 1 where they are not known."""
        found, exposed = self._of(counts), self._of(exposure)
        if np.isnan(found).any() or len(found) == 0:
            return 1.0
        return estimate_dispersion(found, exposed, self._unit, self._units)

    def amounts(self, amounts: Floats, number: Floats, stated: float) -> float:
        """Squared CV of one amount; what is `stated` where nothing is known."""
        found, many = self._of(amounts), self._of(number)
        if np.isnan(found).any() or np.isnan(many).any() or not (found > 0).any():
            return stated
        return max(estimate_unit_cv2(found, many, self._unit, self._units, prior=stated), 1e-3)

    def _of(self, panel: Floats) -> Floats:
        result: Floats = panel[self._arm, self._day]
        return result


def _panel(name: str, given: npt.ArrayLike, shape: tuple[int, ...]) -> Floats:
    found = np.asarray(given, dtype=np.float64)
    if found.size == 0:
        return np.full(shape, np.nan)
    if found.shape != shape:
        raise RefusedInput("arm_days_shape", column=name, shape=found.shape)
    if not np.isfinite(found).all() and not np.isnan(found).all():
        raise RefusedInput("arm_days_not_finite", column=name)
    if name in _NEVER_NEGATIVE and (found < 0).any():
        raise RefusedInput("arm_days_negative", column=name)
    return found


def _shares(name: str, given: npt.ArrayLike, days: int, otherwise: Floats | None) -> Floats:
    found = np.asarray(given, dtype=np.float64)
    if found.size == 0:
        return np.ones(days) if otherwise is None else otherwise
    if found.shape != (days,):
        raise RefusedInput("arm_days_shape", column=name, shape=found.shape)
    if not np.isfinite(found).all() or (found < 0).any():
        raise RefusedInput("arm_days_not_finite", column=name)
    return found


def _tests(given: npt.ArrayLike, arms: int) -> Ints:
    found = np.asarray(given, dtype=np.int64)
    if found.size == 0:
        return np.zeros(arms, dtype=np.int64)
    if found.shape != (arms,):
        raise RefusedInput("arm_days_shape", column="test", shape=found.shape)
    if (np.diff(found) < 0).any():
        raise RefusedInput("arms_apart")
    return found
