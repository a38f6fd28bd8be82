"""How complete each day of an account is, how it compares with other days, and what a click counts as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from optimizer.decisions import guardrails
from optimizer.estimates.conversion_lag import Completion, Lags, estimate_lags, stated_lags
from optimizer.estimates.exposure import (
    Records,
    Weights,
    exposure_weights,
    order_dated_totals,
    order_dated_weights,
)
from optimizer.estimates.posteriors import Floats, Ints, group_sum
from optimizer.estimates.seasonality import Seasonality, estimate_seasonality, event_days
from optimizer.settings import Basis, LagPrior, Settings


@dataclass(frozen=True)
class Maturity:
    """Completion of counts and of value, the season, and the weight of each record.

    `campaign` numbers the campaign of each keyword; `basis` says whether conversions are dated to
    the click or to the order; `silent` days whose conversions went missing: they teach nothing.
    """

    lags: tuple[Lags, Lags]
    season: Seasonality
    weights: Weights
    campaign: Ints
    basis: Basis = "click"
    silent: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def count(self) -> Completion:
        """The account's F of conversions on ordinary days."""
        return self.lags[0].ordinary

    @property
    def value(self) -> Completion:
        """The account's F of value on ordinary days."""
        return self.lags[1].ordinary


@dataclass(frozen=True)
class Campaigns:
    """`number` of each keyword's campaign, and the names of the campaigns."""

    number: Ints
    names: Sequence[str]

    @classmethod
    def of(cls, campaign_name: pd.Series[str], number: Ints) -> Campaigns:
        """The campaigns of keywords, from each one's campaign name and number."""
        first = np.unique(number, return_index=True)[1]
        return cls(number, [str(name) for name in campaign_name.to_numpy()[first]])


def estimate_maturity(
    rows: Records,
    versions: pd.DataFrame,
    settings: Settings,
    platform: str,
    now: int,
    campaigns: Campaigns,
    basis: Basis = "click",
) -> Maturity:
    """Lags first, then the season from exposure without one, then the weights with both.

    Order-dated reports have no run-off: their lag is the stated one.
    """
    lags = _lags(versions, settings, platform, campaigns.names, basis)
    flat = Seasonality(np.ones(7), ())
    ones = np.ones(len(rows.unit))
    none = Weights(ones, ones > 0, ones, ones)
    start = Maturity(lags, flat, none, campaigns.number, basis)
    start = replace(start, weights=weights_of(rows, campaigns.number, now, start, settings))
    start = replace(start, silent=_silent_days(rows, start, settings))
    start = replace(start, weights=_without(start.weights, rows, start.silent))
    season = _season(rows, now, start, settings)
    told = replace(start, season=season)
    return replace(told, weights=weights_of(rows, campaigns.number, now, told, settings))


def _lags(
    versions: pd.DataFrame, settings: Settings, platform: str, names: Sequence[str], basis: Basis
) -> tuple[Lags, Lags]:
    prior = lag_prior(settings, platform)
    if basis == "order":
        stated = stated_lags(prior, len(names))
        return stated, stated
    events = event_days(settings.account.events)
    count = estimate_lags(versions, prior, names, events)
    # Amounts differ more than counts do: until they say otherwise, value comes as orders come.
    like = count.ordinary
    return count, estimate_lags(versions, prior, names, events, column="value", like=like)


def lag_prior(settings: Settings, platform: str) -> LagPrior:
    """The account's stated lag, else the platform's, else the general one."""
    stated = settings.account.lag_prior or settings.estimation.lag_priors.get(platform)
    return stated or LagPrior()


def weights_of(
    rows: Records, campaign: Ints, now: int, maturity: Maturity, settings: Settings
) -> Weights:
    """Exposure weights of any records of the account; `campaign` per unit of `rows`."""
    recent = settings.guardrails.outage_days
    if maturity.basis == "order":
        return order_dated_weights(rows, now, maturity.count, maturity.season, recent)
    least = settings.estimation.min_completion
    weights = exposure_weights(rows, now, maturity.lags, campaign, maturity.season, least, recent)
    return _without(weights, rows, maturity.silent)


def _without(weights: Weights, rows: Records, silent: Ints) -> Weights:
    """`weights` with the records of silent days left out."""
    if not len(silent):
        return weights
    kept = ~np.isin(rows.last, silent)
    return replace(weights, exposure=weights.exposure * kept, used=weights.used & kept)


def _silent_days(rows: Records, maturity: Maturity, settings: Settings) -> Ints:
    """Of single days outside the calendar's events, whose slump is theirs; none where orders are dated
    to themselves, as a day's orders then belong to the clicks of many."""
    if maturity.basis == "order":
        return maturity.silent
    around = [np.arange(first, last + 1) for first, *_, last in event_days(settings.account.events)]
    ordinary = ~np.isin(rows.last, np.concatenate(around)) if around else True
    single = (rows.first == rows.last) & maturity.weights.used & ordinary
    days, code = _numbered(rows.last[single])
    seen = group_sum(code, rows.conversions[single], len(days))
    exposure = rows.clicks[single] * maturity.weights.exposure[single]
    due = group_sum(code, exposure, len(days))
    return guardrails.silent_days(days, seen, due, settings.guardrails)


def _season(rows: Records, now: int, maturity: Maturity, settings: Settings) -> Seasonality:
    """From single days only: a period has no weekday."""
    single = (rows.first == rows.last) & maturity.weights.used
    days, code = _numbered(rows.last[single])
    conversions = group_sum(code, rows.conversions[single], len(days))
    if maturity.basis == "order":
        days, conversions, exposure = _order_totals(rows, now, maturity, days, conversions)
    else:
        counted = rows.clicks[single] * maturity.weights.exposure[single]
        exposure = group_sum(code, counted, len(days))
    return estimate_seasonality(days, conversions, exposure, settings.account.events)


def _numbered(day: Ints) -> tuple[Ints, Ints]:
    """The days that occur, in order, and the place of each of `day` among them: without sorting them all."""
    start = int(day.min(initial=0))
    present = np.bincount(day - start) > 0
    return np.flatnonzero(present) + start, (np.cumsum(present) - 1)[day - start]


def _order_totals(
    rows: Records, now: int, maturity: Maturity, days: Ints, conversions: Floats
) -> tuple[Ints, Floats, Floats]:
    """Conversions and exposure of every counted day, days without a record among them."""
    single = rows.first == rows.last
    if not single.any():
        return days, conversions, conversions
    counted, exposure = order_dated_totals(
        rows.last[single], rows.clicks[single], maturity.count, now
    )
    seen = np.zeros(len(counted))
    at = np.searchsorted(counted, days)
    inside = at < len(counted)
    seen[at[inside]] = conversions[inside]
    return counted, seen, exposure


def completion_spread(rows: Records, maturity: Maturity, now: int) -> float:
    """Standard deviation of log exposure that doubt about F leaves to all keywords alike."""
    exposure = rows.clicks * maturity.weights.exposure
    total = float(exposure.sum())
    doubt = maturity.count.sd_at(now - 1 - rows.last)
    return float((exposure * doubt).sum()) / total if total > 0 else 0.0
