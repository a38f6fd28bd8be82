"""Creative tests of one account on one morning: beliefs, shares, claims and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from optimizer.decisions.creatives import (
    ArmDays,
    Context,
    CreativeSums,
    Design,
    assess,
    metric_named,
    present_text_since,
)
from optimizer.estimates.conversion_lag import (
    LONGEST_LAG,
    Completion,
    Lags,
    estimate_lags,
    stated_lags,
)
from optimizer.estimates.exposure import day_number
from optimizer.estimates.posteriors import Floats, Ints, group_sum
from optimizer.estimates.seasonality import event_days
from optimizer.estimates.value_per_click import kept_share
from optimizer.review import creative_rows
from optimizer.review.creative_rows import COUNTS, Judged
from optimizer.review.creative_shares import share_panel
from optimizer.review.creative_tests import Listed, bounds, list_tests
from optimizer.review.maturity import lag_prior
from optimizer.settings import Account, Basis, CreativeTest, Settings
from optimizer.tables import (
    CREATIVE_ARMS,
    CREATIVE_SHARES,
    CREATIVE_TESTS,
    CREATIVE_TEXTS,
    Table,
    empty_table,
)

_NEEDED = ("impressions", "clicks")
_RIPE = 0.95


@dataclass(frozen=True)
class CreativeInputs:
    """Creatives of one account as known on one day: tables CREATIVES, CREATIVE_DAILY and VERSIONS.

    `shares` (CREATIVE_SHARES) were planned by earlier reviews; `texts` (CREATIVE_TEXTS) is what reports
    showed of them over time.
    """

    account: str
    platform: str
    currency: str
    creatives: pd.DataFrame
    daily: pd.DataFrame
    versions: pd.DataFrame
    attribution_basis: Basis = "click"
    shares: pd.DataFrame = field(default_factory=lambda: empty_table(CREATIVE_SHARES))
    texts: pd.DataFrame = field(default_factory=lambda: empty_table(CREATIVE_TEXTS))


@dataclass(frozen=True)
class CreativeReview:
    """Tables CREATIVE_TESTS and CREATIVE_ARMS, and how many rows told of several days at once.

    Those are in no test: what a period says of an arm cannot be compared day by day.
    """

    tests: pd.DataFrame
    arms: pd.DataFrame
    period_rows: int


def review_creatives(
    inputs: CreativeInputs, settings: Settings, as_of: date, seed: int = 0
) -> CreativeReview:
    """What every test of creatives says on the morning of `as_of`.

    Same data, settings and seed give the same answer. Raises `BadSettings` (`creative_unknown`,
    `creative_test_arms`, `creative_split_ambiguous`) where a defined test and the reports disagree,
    and `RefusedInput` (`tests_overlap`).
    """
    told, periods = material(inputs, settings, as_of)
    listed = list_tests(inputs.creatives, told.daily, settings.account, as_of)
    found = []
    ended = {one.name for one in listed.tests if one.end is not None and one.end < as_of}
    for number, part in enumerate(_alike(listed)):
        rng = np.random.default_rng([seed, number])
        creatives = inputs.creatives.iloc[part.creative]
        days = told.days_of(part)
        if not _measurable(part.tests[0], days, settings.account):
            found.append(creative_rows.unmeasured_rows(part, creatives, days))
            continue
        judged = judge(part, told, days, rng)
        arms = creative_rows.arm_rows(judged, rng)
        found.append((creative_rows.test_rows(judged, rng), arms))
    tests = _joined([one[0] for one in found], CREATIVE_TESTS)
    # What somebody defined is what somebody looks for.
    tests = tests.sort_values(["source", "test"], kind="stable", ignore_index=True)
    arms = _joined([one[1] for one in found], CREATIVE_ARMS)
    over = tests["test"].isin(ended) & tests["state"].ne("winner")
    tests["state"] = tests["state"].mask(over, "ended")
    arms["share_next"] = arms["share_next"].mask(arms["test"].isin(ended))
    return CreativeReview(tests, arms, periods)


@dataclass(frozen=True)
class Material:
    """What all tests of an account are judged from: `daily` rows of single days, completion, and the rest."""

    inputs: CreativeInputs
    settings: Settings
    as_of: date
    daily: pd.DataFrame
    lags: tuple[Lags, Lags]

    def days_of(self, listed: Listed) -> ArmDays:
        """Arms × days of the tests, from the day on which each arm's present text was first shown."""
        creatives = self.inputs.creatives.iloc[listed.creative]
        days = arm_days(listed, creatives, self.daily, self.lags, self.as_of)
        since = _text_since(self.inputs.texts, creatives["entity_key"], self._numbers(days))
        days = days.since(since) if since.any() else days
        if self.inputs.attribution_basis == "order":
            return ripe_days(days, self.lags[0].ordinary)
        return days

    def context(self, listed: Listed, days: ArmDays) -> Context:
        """What is known beside the days: margins, the ad groups' other creatives, planned shares."""
        creatives, account = self.inputs.creatives.iloc[listed.creative], self.settings.account
        group = _ad_groups(self.inputs.creatives)
        return Context(
            past=self._past(listed, group),
            group=group[listed.creative],
            kept=kept_share(account, _item_of(creatives, account), _worth(days, account)),
            value_per_conversion=account.value_per_conversion,
            propensity=self._propensity(listed, days),
        )

    def _past(self, listed: Listed, group: Ints) -> tuple[CreativeSums, Ints] | None:
        """Sums of the creatives of these tests' ad groups that are in none of them, and their ad groups."""
        others = np.isin(group, group[listed.creative])
        others[listed.creative] = False
        rows = np.flatnonzero(others)
        if len(rows) == 0:
            return None
        test = np.zeros(len(rows), dtype=np.int64)
        every = CreativeTest(name="past", campaign="past")
        past = self.days_of(Listed((every,), (True,), rows, test))
        return past.sums(), group[rows]

    def _propensity(self, listed: Listed, days: ArmDays) -> Floats | None:
        """Shares of each day that a plan or the test's stated split decided; None where none did."""
        tests = [listed.tests[place] for place in listed.test]
        creatives = self.inputs.creatives.iloc[listed.creative]
        if all(one.rotation == "platform" for one in tests):
            return None
        keys = creatives["entity_key"].to_numpy(dtype=np.int64)
        names = [one.name for one in tests]
        panel = share_panel(self.inputs.shares, names, keys, self._numbers(days))
        stated = [
            one.split.get(str(key), one.split.get(str(name), np.nan))
            for one, key, name in zip(
                tests, creatives["creative_id"], creatives["creative_name"], strict=True
            )
        ]
        panel = np.where(np.isnan(panel), np.array(stated)[:, None], panel)
        return None if np.isnan(panel).all() else panel

    def _numbers(self, days: ArmDays) -> Ints:
        today = day_number(self.as_of)
        return np.arange(today - days.impressions.shape[1], today)


def material(inputs: CreativeInputs, settings: Settings, as_of: date) -> tuple[Material, int]:
    """What tests are judged from, and how many rows of several days are left out of it."""
    single = inputs.daily["first_day"].eq(inputs.daily["last_day"])
    lags = account_lags(inputs, settings)
    return Material(inputs, settings, as_of, inputs.daily[single], lags), int((~single).sum())


def _ad_groups(creatives: pd.DataFrame) -> Ints:
    """Number of the ad group of each creative."""
    named = creatives.groupby(["campaign_name", "ad_group_name"], dropna=False, sort=False)
    number: Ints = np.asarray(named.ngroup(), dtype=np.int64)
    return number


def _text_since(texts: pd.DataFrame, keys: pd.Series[int], days: Ints) -> Ints:
    """First column of each arm's present text: 0 where it never changed in these days or nobody knows."""
    own = texts[texts["entity_key"].isin(keys)]
    day = own["day"].to_numpy().astype("datetime64[D]").astype(np.int64) - days[0]
    seen = np.full((len(keys), len(days)), None, dtype=object)
    at = pd.Series(np.arange(len(keys)), index=keys.to_numpy())
    order = np.argsort(day, kind="stable")
    column = np.clip(day, 0, len(days) - 1)[order]
    for key, place, text in zip(
        own["entity_key"].to_numpy()[order], column, own["text"].iloc[order], strict=True
    ):
        seen[at.loc[[key]].to_numpy(), place] = text
    return present_text_since(seen) if len(own) else np.zeros(len(keys), dtype=np.int64)


def ripe_days(days: ArmDays, lag: Completion) -> ArmDays:
    """`days` without each arm's first ones, for orders dated to themselves.

    A new arm has clicks at once and their orders later, while an old one has the orders of older
    clicks: until all but a twentieth of a day's clicks have theirs, the new one looks worse than it is.
    """
    size = days.impressions.shape[1]
    first = np.where(days.ran.any(axis=1), days.ran.argmax(axis=1), size)
    waited = int(np.argmax(lag.at(np.arange(LONGEST_LAG + 1)) >= _RIPE))
    return days.since(first + waited)


def judge(listed: Listed, told: Material, days: ArmDays, rng: np.random.Generator) -> Judged:
    """Tests of one design on the morning after the last of `days`."""
    context = told.context(listed, days)
    found = assess(days, design_of(listed.tests[0]), rng, context)
    return Judged(listed, told.inputs.creatives.iloc[listed.creative], days, context, found)


def _measurable(test: CreativeTest, days: ArmDays, account: Account) -> bool:
    """Whether anything tells what the metric is made of: without an order there is no value yet."""
    valued = account.value_per_conversion is not None or bool((days.sums().value > 0).any())
    known = {
        "cvr": not np.isnan(days.conversions).all(),
        "value": valued,
        "cpc": not np.isnan(days.cost).all(),
    }
    return all(known[name] for name in metric_named(test.metric).needs)


def account_lags(inputs: CreativeInputs, settings: Settings) -> tuple[Lags, Lags]:
    """F of counts and of value, the account's own: the completion that bids are judged by."""
    prior = lag_prior(settings, inputs.platform)
    if inputs.attribution_basis == "order":
        stated = stated_lags(prior, 1)
        return stated, stated
    events = event_days(settings.account.events)
    count = estimate_lags(inputs.versions, prior, [""], events)
    return count, estimate_lags(inputs.versions, prior, [""], events, column="value")


def design_of(test: CreativeTest) -> Design:
    """How a test is decided, as the arithmetic takes it."""
    return Design(
        metric=test.metric,
        mode=test.mode,
        assignment=test.rotation,
        floor=test.floor,
        claims_wanted=test.claims_wanted,
    )


def _alike(listed: Listed) -> list[Listed]:
    """Tests of one design together: they are one computation."""
    designs = [design_of(one) for one in listed.tests]
    return [
        listed.take([number for number, one in enumerate(designs) if one == design])
        for design in dict.fromkeys(designs)
    ]


def arm_days(
    listed: Listed,
    creatives: pd.DataFrame,
    daily: pd.DataFrame,
    lags: tuple[Lags, Lags],
    as_of: date,
) -> ArmDays:
    """Arms × days up to the day before `as_of`; days outside a test are empty.

    A row that leaves out a count which others of these tests tell is left out whole.
    """
    own = daily[daily["entity_key"].isin(creatives["entity_key"])]
    told = [name for name in COUNTS if name in _NEEDED or own[name].notna().any()]
    # A creative may be in several tests, one after the other.
    arms = pd.DataFrame({"entity_key": creatives["entity_key"], "arm": range(len(creatives))})
    own = own.dropna(subset=told).merge(arms, on="entity_key")
    arm = own["arm"].to_numpy(dtype=np.int64)
    day = own["first_day"].to_numpy().astype("datetime64[D]").astype(np.int64)
    starts, ends = (bound[listed.test[arm]] for bound in bounds(listed.tests))
    inside = (day >= starts) & (day <= ends)
    today = day_number(as_of)
    number = np.arange(day[inside].min(initial=today - 1), today)
    cell = arm[inside] * len(number) + (day[inside] - number[0])
    shape = (len(creatives), len(number))
    panels = {
        name: group_sum(cell, own[name].to_numpy(np.float64)[inside], shape[0] * shape[1])
        for name in told
    }
    known = [one.shares(number, today)[0] for one in lags]
    shaped = {name: panel.reshape(shape) for name, panel in panels.items()}
    return ArmDays(**shaped, completion=known[0], value_completion=known[1], test=listed.test)


def _item_of(creatives: pd.DataFrame, account: Account) -> Ints:
    """Index of the item that each creative's ad group sells; -1 for none."""
    number = {name: place for place, one in enumerate(account.items) for name in one.ad_groups}
    found = [number.get(name, -1) for name in creatives["ad_group_name"]]
    return np.array(found, dtype=np.int64)


def _worth(days: ArmDays, account: Account) -> Floats:
    """Value of a conversion over all arms, from which a unit cost is taken."""
    orders, value = np.nansum(days.conversions), np.nansum(days.value)
    stated = account.value_per_conversion or 0.0
    return np.full(len(days.test), value / orders if orders > 0 and value > 0 else stated)


def _joined(parts: Sequence[pd.DataFrame], table: Table) -> pd.DataFrame:
    """The parts under each other in order of names; the empty table for none."""
    if not parts:
        return empty_table(table)
    whole = pd.concat(parts, ignore_index=True)
    return whole.sort_values("test", kind="stable", ignore_index=True)
