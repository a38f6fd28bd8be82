"""Which tests of creatives an account has: those that are defined, and those that ad groups run anyway.

Of a discovered test, all creatives of an ad group that were shown lately, nobody has said who chooses
what is shown, so that it gives advice and never a winner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from optimizer.decisions.creatives import check_overlaps
from optimizer.errors import BadSettings
from optimizer.estimates.exposure import day_number
from optimizer.estimates.posteriors import Ints
from optimizer.settings import Account, CreativeMetric, CreativeTest

RECENT_DAYS = 14
"""Creatives shown within so many days make a test of their ad group."""

_FOREVER = day_number(date(2200, 1, 1))
_NONE = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Listed:
    """Tests and their arms: `creative` (row of the CREATIVES frame) and `test` (place in `tests`)."""

    tests: tuple[CreativeTest, ...]
    discovered: tuple[bool, ...]
    creative: Ints
    test: Ints

    def take(self, chosen: Sequence[int]) -> Listed:
        """The tests at these places, renumbered in this order."""
        place = np.full(len(self.tests), -1)
        place[list(chosen)] = np.arange(len(chosen))
        inside = place[self.test] >= 0
        order = np.argsort(place[self.test[inside]], kind="stable")
        return Listed(
            tuple(self.tests[number] for number in chosen),
            tuple(self.discovered[number] for number in chosen),
            self.creative[inside][order],
            place[self.test[inside]][order],
        )


def list_tests(
    creatives: pd.DataFrame, daily: pd.DataFrame, account: Account, as_of: date
) -> Listed:
    """The account's defined tests that have begun, then one of every other ad group with two arms."""
    begun = [one for one in account.creative_tests if one.start is None or one.start < as_of]
    members = [arms_of(one, creatives) for one in begun]
    _check_overlaps(begun, members, creatives)
    open_ = [
        rows for one, rows in zip(begun, members, strict=True) if _ends(one) >= day_number(as_of)
    ]
    taken = np.concatenate([_NONE, *open_])
    others = _discovered(creatives, daily, taken, as_of)
    metric = _discovered_metric(daily, account)
    named = [_named_after(creatives, rows, metric) for rows in others]
    sizes = [len(rows) for rows in (*members, *others)]
    return Listed(
        (*begun, *named),
        (False,) * len(begun) + (True,) * len(named),
        np.concatenate([_NONE, *members, *others]),
        np.repeat(np.arange(len(sizes)), sizes),
    )


def arms_of(test: CreativeTest, creatives: pd.DataFrame) -> Ints:
    """Rows of the creatives that a defined test compares.

    Raises `BadSettings`: `creative_unknown`, `creative_test_arms` (fewer than two) and
    `creative_split_ambiguous` (one share of its split stands for several creatives).
    """
    inside = creatives["campaign_name"].eq(test.campaign)
    if test.ad_group is not None:
        inside &= creatives["ad_group_name"].eq(test.ad_group)
    if test.arms:
        inside &= creatives["creative_id"].isin(test.arms) | creatives["creative_name"].isin(
            test.arms
        )
        own = creatives[inside]
        known = {*own["creative_id"].dropna(), *own["creative_name"]}
        missing = [arm for arm in test.arms if arm not in known]
        if missing:
            raise BadSettings("creative_unknown", test=test.name, creative=missing[0])
    rows = np.flatnonzero(inside.to_numpy(dtype=bool))
    if len(rows) < 2:
        raise BadSettings("creative_test_arms", test=test.name, arms=len(rows))
    _check_split(test, creatives.iloc[rows])
    return rows


def _check_split(test: CreativeTest, arms: pd.DataFrame) -> None:
    """A share is one creative's: of two with that id, in two ad groups, each would get all of it."""
    stated = arms["creative_id"].where(arms["creative_id"].isin(test.split), arms["creative_name"])
    counted = stated[stated.isin(test.split)].value_counts()
    if len(counted) and counted.iloc[0] > 1:
        many = {"creative": counted.index[0], "count": int(counted.iloc[0])}
        raise BadSettings("creative_split_ambiguous", test=test.name, **many)


def _check_overlaps(
    tests: Sequence[CreativeTest], members: Sequence[Ints], creatives: pd.DataFrame
) -> None:
    names = [one.name for one, rows in zip(tests, members, strict=True) for _ in rows]
    rows = np.concatenate([_NONE, *members])
    sizes = [len(part) for part in members]
    first, last = (
        np.repeat(np.array([bound(one) for one in tests], dtype=np.int64), sizes)
        for bound in (_starts, _ends)
    )
    check_overlaps(names, labels(creatives.iloc[rows]), first, last)


def labels(creatives: pd.DataFrame) -> list[str]:
    """Name and id of creatives: several may have one name."""
    told = creatives["creative_id"].fillna(creatives["entity_key"].astype(str))
    return [f"{name} ({key})" for name, key in zip(creatives["creative_name"], told, strict=True)]


def _starts(test: CreativeTest) -> int:
    return 0 if test.start is None else day_number(test.start)


def _ends(test: CreativeTest) -> int:
    return _FOREVER if test.end is None else day_number(test.end)


def _discovered(
    creatives: pd.DataFrame, daily: pd.DataFrame, taken: Ints, as_of: date
) -> list[Ints]:
    """Rows of the creatives of each ad group that showed two or more lately and is in no test."""
    since = pd.Timestamp(as_of - timedelta(days=RECENT_DAYS))
    shown = daily.loc[daily["first_day"].ge(since) & daily["impressions"].gt(0), "entity_key"]
    group = creatives.groupby(["campaign_name", "ad_group_name"], dropna=False, sort=False).ngroup()
    open_ = creatives["entity_key"].isin(shown) & ~group.isin(group.iloc[taken])
    rows = pd.Series(np.flatnonzero(open_), dtype="int64")
    by_group = rows.groupby(group[open_].to_numpy(), sort=False)
    return [part.to_numpy() for _, part in by_group if len(part) > 1]


def _discovered_metric(daily: pd.DataFrame, account: Account) -> CreativeMetric:
    """Profit where orders and their worth are known, else clicks."""
    valued = daily["value"].gt(0).any() or account.value_per_conversion is not None
    paid = daily["conversions"].gt(0).any() and daily["cost"].notna().any()
    return "profit_per_impression" if valued and paid else "ctr"


def _named_after(creatives: pd.DataFrame, rows: Ints, metric: CreativeMetric) -> CreativeTest:
    first = creatives.iloc[rows[0]]
    campaign, ad_group = first["campaign_name"], first["ad_group_name"]
    group = None if pd.isna(ad_group) else str(ad_group)
    name = str(campaign) if group is None else f"{campaign} / {group}"
    return CreativeTest(name=name, campaign=str(campaign), ad_group=group, metric=metric)


def bounds(tests: Sequence[CreativeTest]) -> tuple[Ints, Ints]:
    """First and last day of each test as numbers; all days where it says none."""
    return (
        np.array([_starts(one) for one in tests], dtype=np.int64),
        np.array([_ends(one) for one in tests], dtype=np.int64),
    )
