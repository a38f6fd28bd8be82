"""The predictive check: orders and value promised in the past on clicks that were then bought.

The belief of a past day, built from what was known then, is asked for the conversions of the clicks
actually bought in the days after it; volume is given, so only rates, values, lag and season are on
trial. Promised over delivered near 1 in every group, and 80 % intervals that cover 80 %, is what an
honest estimate looks like (Dawid 1982 on calibration).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from optimizer.errors import RefusedInput
from optimizer.estimates.exposure import Records, day_number, order_dated_weights, records
from optimizer.estimates.posteriors import Bools, Floats, Gamma, Ints, group_sum
from optimizer.estimates.rates import estimate_unit_cv2
from optimizer.review.beliefs import Beliefs, estimate_beliefs
from optimizer.review.maturity import (
    completion_spread,
    weights_of,
)
from optimizer.review.suggestions import Interval, ReviewInputs
from optimizer.settings import Settings
from optimizer.tables import HOLDS, LANDSCAPES, empty_table

AGO = 45
DAYS = 14
HISTORY = 28
INTERVAL = 0.8
SPARSITY = ("0", "1-2", "3-10", ">10")
_BOUNDS = (0.0, 2.0, 10.0)

Labels = npt.NDArray[np.str_]


@dataclass(frozen=True)
class Comparison:
    """One group of keywords: what was promised (with its 80 % interval) and what came.

    `amount` is "conversions" or "value" (account currency, before margin); `group` is "all", a
    sparsity class or a kind of suggestion; all numbers are sums over the days of the check.
    """

    amount: str
    by: str
    group: str
    keywords: int
    clicks: float
    promised: Interval
    delivered: float

    @property
    def ratio(self) -> float | None:
        """Promised over delivered; None where nothing came."""
        return self.promised.mean / self.delivered if self.delivered > 0 else None

    @property
    def inside(self) -> bool:
        """Whether what came lies in the interval."""
        return self.promised.low <= self.delivered <= self.promised.high


@dataclass(frozen=True)
class Calibration:
    """A predictive check: the belief of `believed_on` about the clicks of `first_day..last_day`.

    `rebuilt`: no report of that time exists, so the belief rests on the days before it as they are
    known now, and the lag is not on trial.
    """

    believed_on: date
    first_day: date
    last_day: date
    rebuilt: bool
    comparisons: tuple[Comparison, ...]

    def of(self, amount: str, by: str, group: str) -> Comparison | None:
        """One comparison, None where no keyword of the group was clicked."""
        for each in self.comparisons:
            if (each.amount, each.by, each.group) == (amount, by, group):
                return each
        return None


def checked_days(as_of: date) -> tuple[date, date, date]:
    """Day of the belief, first and last day of the clicks that a check as of `as_of` looks at."""
    then = as_of - timedelta(days=AGO)
    return then, then, then + timedelta(days=DAYS - 1)


def long_enough(daily: pd.DataFrame, as_of: date) -> bool:
    """Whether history reaches back four weeks before the belief and holds clicks after it."""
    then, first, last = checked_days(as_of)
    if daily.empty:
        return False
    early = daily["first_day"].min() <= pd.Timestamp(then - timedelta(days=HISTORY))
    inside = (daily["first_day"] >= pd.Timestamp(first)) & (daily["last_day"] <= pd.Timestamp(last))
    return bool(early and (daily.loc[inside, "clicks"] > 0).any())


def days_before(inputs: ReviewInputs, day: date) -> ReviewInputs:
    """`inputs` without what came from `day` on: days as they are known now, changes of bids.

    Holds and simulators are today's and say nothing of then.
    """
    until = pd.Timestamp(day)
    changed = inputs.keywords["last_change"]
    return replace(
        inputs,
        keywords=inputs.keywords.assign(last_change=changed.where(changed < until)),
        daily=_until(inputs.daily, "last_day", until),
        term_daily=_until(inputs.term_daily, "last_day", until),
        bid_changes=_until(inputs.bid_changes, "day", until),
        holds=empty_table(HOLDS),
        landscapes=empty_table(LANDSCAPES),
    )


def _until(frame: pd.DataFrame, column: str, until: pd.Timestamp) -> pd.DataFrame:
    return frame[frame[column] < until].reset_index(drop=True)


def check_predictions(
    then: ReviewInputs,
    now: ReviewInputs,
    settings: Settings,
    as_of: date,
    *,
    rebuilt: bool = False,
    kinds: Mapping[int, str] | None = None,
) -> Calibration:
    """Compare the belief of `then` with the clicks that `now` (as of `as_of`) shows.

    `kinds` maps entity keys to the suggestion of that time; keywords without one are "none". With
    `rebuilt`, `then` holds days as known now. Raises `RefusedInput("history_too_short")`.
    """
    if not long_enough(now.daily, as_of) or then.daily.empty:
        raise RefusedInput("history_too_short", account=now.account, days=AGO + HISTORY)
    believed_on, first, last = checked_days(as_of)
    known_on = as_of if rebuilt else believed_on
    belief = estimate_beliefs(then, settings, known_on)
    bought = _bought(now.daily, belief, first, last)
    promised = promise(belief, bought, settings, (known_on, as_of))
    labels = {"all": _everything(belief), "sparsity": sparsity(belief.value.conversions)}
    if kinds is not None:
        labels["kind"] = _kind_labels(belief.keywords["entity_key"], kinds)
    found = tuple(
        comparison for by, label in labels.items() for comparison in compare(promised, by, label)
    )
    return Calibration(believed_on, first, last, rebuilt, found)


def _bought(daily: pd.DataFrame, belief: Beliefs, first: date, last: date) -> Records:
    """Records of the days on trial of the keywords that were known then."""
    inside = (daily["first_day"] >= pd.Timestamp(first)) & (daily["last_day"] <= pd.Timestamp(last))
    known = daily["entity_key"].isin(belief.keywords["entity_key"])
    return records(daily[inside & known], belief.keywords["entity_key"])


@dataclass(frozen=True)
class Promise:
    """Per keyword: `expected` (conversions, value) of the clicks on trial, and what `came`.

    Squared relative errors: `rate` of the keyword's own rate, `shared` (a standard deviation) of its
    ad group's level, `worth` what its value per conversion adds (less than nothing where dearer
    orders go with fewer). `floors` of rate and worth: the account's level is known no better than
    its orders tell. `spread` doubt about completion, common to all; `noise` the variance that luck
    adds to (conversions, value).
    """

    group: Ints
    clicks: Floats
    expected: tuple[Floats, Floats]
    came: tuple[Floats, Floats]
    rate: Floats
    shared: Floats
    worth: Floats
    floors: tuple[float, float]
    spread: float
    noise: tuple[Floats, Floats]


def promise(
    belief: Beliefs, bought: Records, settings: Settings, days: tuple[date, date]
) -> Promise:
    """What `belief` says of the clicks of `bought`, and what came of them.

    `days`: the one that `belief` rests on, and the one whose reports `bought` is from.
    """
    known_on, as_of = days
    units = len(belief.keywords["entity_key"])
    rate, revenue = belief.value.rate, belief.value.revenue_per_click
    conversions = rate.posterior.mean * _exposure(belief, bought, settings, as_of)
    # Where rate and value go together this is not the value per conversion believed on its own.
    single = revenue.mean / rate.posterior.mean * _net_value(belief, bought, settings, as_of)
    amount_cv2 = _amount_cv2(belief, settings)
    shared = rate.shared_sd(belief.value.exposure / rate.dispersion)
    seen = max(float(belief.value.conversions.sum()), 1.0)
    stated = bought.conversions * belief.value.value.mean[bought.unit]
    valued = np.where(np.isnan(bought.value), stated, bought.value)
    return Promise(
        group=belief.tree.ad_group,
        clicks=group_sum(bought.unit, bought.clicks, units),
        expected=(conversions, conversions * single),
        came=(
            group_sum(bought.unit, bought.conversions, units),
            group_sum(bought.unit, valued, units),
        ),
        rate=np.maximum(rate.posterior.cv2 - shared**2, 0.0),
        shared=shared,
        worth=revenue.cv2 - rate.posterior.cv2,
        floors=(rate.dispersion / seen, amount_cv2 / seen),
        spread=completion_spread(belief.rows, belief.maturity, day_number(known_on)),
        noise=(
            rate.dispersion * conversions,
            conversions * single**2 * (rate.dispersion + amount_cv2),
        ),
    )


def _amount_cv2(belief: Beliefs, settings: Settings) -> float:
    """Squared CV of single order values: 0 where one value is stated for all."""
    rows, used = belief.rows, belief.maturity.weights.used
    if "value_per_conversion" in belief.value.assumed:
        return 0.0
    valued = used & ~np.isnan(rows.value)
    return estimate_unit_cv2(
        np.maximum(rows.value[valued], 0.0),
        rows.conversions[valued],
        rows.unit[valued],
        len(belief.keywords["entity_key"]),
        prior=settings.estimation.value_cv**2,
    )


def _exposure(belief: Beliefs, bought: Records, settings: Settings, as_of: date) -> Floats:
    """Clicks that should have converted by `as_of`, per keyword."""
    units, maturity = len(belief.keywords["entity_key"]), belief.maturity
    if maturity.basis == "click":
        now = day_number(as_of)
        weights = weights_of(bought, belief.tree.campaign, now, maturity, settings)
        return group_sum(bought.unit, bought.clicks * weights.exposure, units)
    # Orders of these days are owed to clicks before them too.
    whole = _joined(belief.rows, bought)
    end = day_number(checked_days(as_of)[2]) + 1
    weights = order_dated_weights(whole, end, maturity.count, maturity.season, DAYS)
    return group_sum(whole.unit, whole.clicks * weights.due, units)


def _joined(rows: Records, more: Records) -> Records:
    start = int(more.first.min()) if len(more.first) else np.iinfo(np.int64).max
    before = rows.last < start
    names = rows.__dataclass_fields__
    return Records(*(np.concatenate([getattr(rows, n)[before], getattr(more, n)]) for n in names))


def _net_value(belief: Beliefs, bought: Records, settings: Settings, as_of: date) -> Floats | float:
    """F_value / F_count of the days on trial, per keyword, weighted by clicks."""
    if belief.maturity.basis == "order":
        return 1.0
    campaign, now = belief.tree.campaign, day_number(as_of)
    weights = weights_of(bought, campaign, now, belief.maturity, settings)
    units = len(belief.keywords["entity_key"])
    clicks = group_sum(bought.unit, bought.clicks, units)
    net = group_sum(bought.unit, bought.clicks * weights.net_value, units)
    return np.divide(net, clicks, out=np.ones(units), where=clicks > 0)


def compare(promised: Promise, by: str, label: Labels) -> list[Comparison]:
    """One comparison per label and amount, of the keywords that were clicked or converted."""
    active = (promised.clicks > 0) | (promised.came[0] != 0)
    return [
        _comparison(promised, by, str(name), amount, active & (label == name))
        for amount in (0, 1)
        for name in np.unique(label[active])
    ]


def _comparison(promised: Promise, by: str, group: str, amount: int, of: Bools) -> Comparison:
    return Comparison(
        ("conversions", "value")[amount],
        by,
        group,
        int(of.sum()),
        float(promised.clicks[of].sum()),
        _total(promised, amount, of),
        float(promised.came[amount][of].sum()),
    )


def _total(promised: Promise, amount: int, of: Bools) -> Interval:
    """Mean and 80 % interval of the sum over the keywords `of`."""
    total = float(promised.expected[amount][of].sum())
    if total <= 0:
        return Interval(0.0, 0.0, 0.0)
    variance = _doubt(promised, amount, of, total) + float(promised.noise[amount][of].sum())
    # Sums of rare events are skewed: the Gamma with the same mean and variance is never negative.
    told = Gamma(np.array(total), np.array(variance / total**2))
    tail = (1.0 - INTERVAL) / 2
    return Interval(total, float(told.quantile(tail)), float(told.quantile(1.0 - tail)))


def _doubt(promised: Promise, amount: int, of: Bools, total: float) -> float:
    """Variance of the expected sum: each keyword's own doubt, its ad group's, everyone's."""
    mean = promised.expected[amount][of]
    groups = np.bincount(promised.group[of], mean * promised.shared[of])
    rate = float((mean**2 * promised.rate[of]).sum() + (groups**2).sum())
    worth = float((mean**2 * promised.worth[of]).sum())
    of_rate, of_worth = (floor * total**2 for floor in promised.floors)
    common = (promised.spread * total) ** 2
    return max(rate, of_rate) + common + (max(worth, of_worth) if amount else 0.0)


def sparsity(conversions: Floats) -> Labels:
    """Class of each keyword by the conversions known of it then."""
    return np.asarray(SPARSITY)[np.searchsorted(_BOUNDS, conversions, side="left")]


def _everything(belief: Beliefs) -> Labels:
    return np.full(len(belief.keywords["entity_key"]), "all")


def _kind_labels(entity_key: pd.Series[int], kinds: Mapping[int, str]) -> Labels:
    return entity_key.map(dict(kinds)).fillna("none").to_numpy(dtype=str)
