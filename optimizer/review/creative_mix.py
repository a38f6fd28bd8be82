"""What the creatives shown mean for an ad group's keywords: rates under the mix ahead, and why.

Where the creatives of an ad group have changed, past clicks came of others than those ahead: they are
restated to the mix ahead and count the less, the less is known of how the two differ. Where the mix
stays, nothing moves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from optimizer.estimates.creative_mix import (
    LevelShift,
    Shown,
    level_shift,
    over_days,
    telling_weight,
)
from optimizer.estimates.creatives import CreativeSums, UnitSpread, estimate_creatives
from optimizer.estimates.exposure import Records, day_number
from optimizer.estimates.posteriors import Bools, Floats, Gamma, Ints, group_sum
from optimizer.estimates.rates import estimate_dispersion
from optimizer.review.maturity import Maturity
from optimizer.review.suggestions import CreativeRecord

RECENT_DAYS = 7
"""The mix of so many last days of an ad group is the mix ahead."""
LEAST_CHANGE = 0.25
"""Part of an ad group's impressions that must have moved to other creatives to speak of a change."""
CREATIVE_CHANGES = (
    "creative_text_changed",
    "creative_new",
    "creative_paused",
    "creative_shares_moved",
)
"""Codes of changes."""
_FRESH_DAYS = 3
_GONE_DAYS = 3
_PLACE = ["campaign_name", "ad_group_name"]


@dataclass(frozen=True)
class MixEffect:
    """Shifts per (ad group, day) from day number `start` on; `group` of each keyword, -1 without any.

    `conversion` is None where no report of creatives tells conversions. `changes` name what changed.
    """

    group: Ints
    start: int
    click: LevelShift
    conversion: LevelShift | None
    changes: Sequence[Mapping[str, Any]]

    def told(self, rows: Records) -> Records:
        """`rows` as they tell of conversions under the mix ahead: restated, uncertain ones counting less."""
        if self.conversion is None:
            return rows
        grown = np.exp(self._of(rows, self.conversion.log_ratio))
        weight = self._weight(rows, self.conversion)
        return replace(
            rows,
            impressions=rows.impressions * weight,
            clicks=rows.clicks * weight / grown,
            cost=rows.cost * weight,
            conversions=rows.conversions * weight,
            value=rows.value * weight,
        )

    def clicked(self, rows: Records) -> Records:
        """`rows` with the clicks, and their cost, that the mix ahead would have brought."""
        grown = np.exp(self._of(rows, self.click.log_ratio))
        return replace(rows, clicks=rows.clicks * grown, cost=rows.cost * grown)

    def _weight(self, rows: Records, shift: LevelShift) -> Floats:
        variance = self._of(rows, shift.variance)
        expected = rows.clicks * self._of(rows, shift.rate)
        return telling_weight(rows.unit, expected, variance, len(self.group))

    def _of(self, rows: Records, panel: Floats) -> Floats:
        first, last = rows.first - self.start, rows.last - self.start
        return over_days(panel, self.group[rows.unit], first, last)

    def explained(self, rows: Records) -> list[dict[str, Any]]:
        """The changes with what each does to days before it: ratios of CTR and conversion rate, weight."""
        if not self.changes:
            return []
        group, before = self.group[rows.unit], np.zeros(len(rows.unit), dtype=np.bool_)
        changed = np.array([one["number"] for one in self.changes])
        since = np.full(len(self.click.log_ratio), -(2**31))
        since[changed] = [day_number(date.fromisoformat(one["day"])) for one in self.changes]
        before = (group >= 0) & (rows.last < since[np.maximum(group, 0)])
        click = self._before(rows, group, before, self._of(rows, self.click.log_ratio))
        rate, weight = np.zeros_like(click), np.ones_like(click)
        if self.conversion is not None:
            rate = self._before(rows, group, before, self._of(rows, self.conversion.log_ratio))
            weight = self._before(rows, group, before, self._weight(rows, self.conversion), 1.0)
        return [
            {name: value for name, value in one.items() if name != "number"}
            | {
                "ctr_ratio": round(float(np.exp(click[one["number"]])), 4),
                "cvr_ratio": round(float(np.exp(rate[one["number"]])), 4),
                "weight": round(float(weight[one["number"]]), 4),
            }
            for one in self.changes
        ]

    def _before(
        self, rows: Records, group: Ints, inside: Bools, amounts: Floats, otherwise: float = 0.0
    ) -> Floats:
        """Mean over the clicks of the rows `inside`, per ad group."""
        groups = len(self.click.log_ratio)
        clicks = group_sum(group[inside], rows.clicks[inside], groups)
        summed = group_sum(group[inside], (rows.clicks * amounts)[inside], groups)
        mean: Floats = np.divide(summed, clicks, out=np.full(groups, otherwise), where=clicks > 0)
        return mean


def mix_effect(
    record: CreativeRecord | None, keywords: pd.DataFrame, maturity: Maturity, today: date
) -> MixEffect | None:
    """What changed creatives do to the keywords of their ad groups; None where none has changed."""
    rows = None if record is None else _rows(record, keywords)
    if record is None or rows is None:
        return None
    shown = rows.shown("impressions")
    recent = _recent(shown)
    ahead, before = shown.by_creative(recent), shown.by_creative(~recent)
    ahead = _with_plans(ahead, rows, record.shares, today)
    moved = 0.5 * group_sum(shown.of, np.abs(ahead - before), shown.groups)
    both = group_sum(shown.of, before, shown.groups) > 0
    changed = both & (moved >= LEAST_CHANGE)
    if not changed.any():
        return None
    ctr, cvr = _believed(rows, maturity, today)
    click = _only(level_shift(shown, ctr, ahead), changed)
    conversion = None
    if cvr is not None:
        clicked = ahead * ctr.mean
        total = group_sum(shown.of, clicked, shown.groups)[shown.of]
        later = np.divide(clicked, total, out=np.zeros(len(clicked)), where=total > 0)
        conversion = _only(level_shift(rows.shown("clicks"), cvr, later), changed)
    names = _changes(rows, shown, ahead, before, changed)
    return MixEffect(rows.of_keyword, rows.start, click, conversion, names)


def _only(shift: LevelShift, changed: Bools) -> LevelShift:
    kept = changed[:, None]
    return LevelShift(shift.log_ratio * kept, shift.variance * kept, shift.rate)


@dataclass(frozen=True)
class _Rows:
    """Single days of creatives in ad groups that hold keywords; a changed text is a creative of its own.

    `creatives` has a row per creative (entity_key, creative_name, campaign_name, ad_group_name,
    `changed`: its text did, under the same id); `of` the ad group of each; `start` the first day.
    """

    frame: pd.DataFrame
    creatives: pd.DataFrame
    of: Ints
    of_keyword: Ints
    start: int
    days: int

    def shown(self, name: str) -> Shown:
        """Impressions or clicks."""
        creative = self.frame["creative"].to_numpy()
        day = self.frame["number"].to_numpy() - self.start
        amount = self.frame[name].to_numpy(dtype=np.float64)
        groups = int(self.of.max()) + 1
        return Shown(self.of[creative], creative, day, amount, self.of, groups, self.days)


def _rows(record: CreativeRecord, keywords: pd.DataFrame) -> _Rows | None:
    """None where no ad group with keywords has days of creatives."""
    keyed = pd.MultiIndex.from_frame(keywords[_PLACE])
    place = pd.MultiIndex.from_frame(record.creatives[_PLACE])
    inside = record.creatives["ad_group_name"].notna().to_numpy() & place.isin(keyed)
    own = record.creatives[inside].reset_index(drop=True)
    daily = record.daily[record.daily["first_day"].eq(record.daily["last_day"])]
    daily = daily[daily["impressions"].gt(0) & daily["clicks"].notna()]
    at = pd.Index(own["entity_key"]).get_indexer(pd.Index(daily["entity_key"]))
    if not (at >= 0).any():
        return None
    number = daily["first_day"].to_numpy().astype("datetime64[D]").astype(np.int64)
    frame = daily.assign(creative=at, number=number)[at >= 0]
    frame, own = _split_texts(frame, own, record.texts)
    group, names = pd.factorize(pd.MultiIndex.from_frame(own[_PLACE]))
    start, last = int(frame["number"].min()), int(frame["number"].max())
    of_keyword = names.get_indexer(keyed).astype(np.int64)
    return _Rows(frame, own, group.astype(np.int64), of_keyword, start, last - start + 1)


def _split_texts(
    frame: pd.DataFrame, own: pd.DataFrame, texts: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Days before a creative's present text belong to a creative of its own, listed after all others."""
    first = _present_since(own["entity_key"], texts)
    own = own.assign(changed=first >= 0)
    row = frame["creative"].to_numpy()
    old = frame["number"].to_numpy() < first[row]
    if not old.any():
        return frame, own.assign(changed=False)
    copies = np.unique(row[old])
    number = len(own) + np.searchsorted(copies, row)
    added = own.iloc[copies].assign(changed=False)
    both = pd.concat([own, added], ignore_index=True)
    return frame.assign(creative=np.where(old, number, row)), both


def _present_since(keys: pd.Series[int], texts: pd.DataFrame) -> Ints:
    """Number of the day on which each creative's present text was first shown; -1 where it never changed."""
    day = texts["day"].to_numpy().astype("datetime64[D]").astype(np.int64)
    known = texts.assign(number=day).sort_values("number", kind="stable")
    key, number = known["entity_key"], known["number"]
    present = known["text"].eq(known.groupby(key)["text"].transform("last"))
    last_other = number.where(~present).groupby(key).transform("max")
    since = number[number > last_other].groupby(key).min()
    found: Ints = np.asarray(since.reindex(keys), dtype=np.float64)
    return np.where(np.isnan(found), -1, found).astype(np.int64)


def _recent(shown: Shown) -> Bools:
    """Rows of the last days of each ad group."""
    newest = np.full(shown.groups, -1)
    np.maximum.at(newest, shown.group, shown.day)
    result: Bools = shown.day > newest[shown.group] - RECENT_DAYS
    return result


def _with_plans(ahead: Floats, rows: _Rows, shares: pd.DataFrame, today: date) -> Floats:
    """`ahead` with the shares that were handed over in the last days, before reports can show them.

    A test's creatives share among them what they have of their ad group now.
    """
    since = pd.Timestamp(today) - pd.Timedelta(days=_FRESH_DAYS)
    fresh = shares[shares["in_force"] & shares["as_of"].ge(since)]
    if fresh.empty:
        return ahead
    newest = fresh.sort_values("as_of").drop_duplicates("entity_key", keep="last")
    asked = rows.creatives["entity_key"].map(newest.set_index("entity_key")["asked"])
    planned = asked.where(~rows.creatives["entity_key"].duplicated()).to_numpy(dtype=np.float64)
    inside = ~np.isnan(planned)
    part = np.where(inside, planned, 0.0)
    groups = int(rows.of.max()) + 1
    held = group_sum(rows.of, np.where(inside, ahead, 0.0), groups)[rows.of]
    total = group_sum(rows.of, part, groups)[rows.of]
    moved = np.divide(part * held, total, out=ahead.copy(), where=inside & (total > 0))
    result: Floats = np.where(inside & (total > 0), moved, ahead)
    return result


def _believed(rows: _Rows, maturity: Maturity, today: date) -> tuple[Gamma, Gamma | None]:
    """CTR and conversion rate of each creative, shrunk to its ad group."""
    frame, number = rows.frame, len(rows.creatives)
    creative = frame["creative"].to_numpy()
    shown, clicks, orders = (
        frame[name].to_numpy(dtype=np.float64) for name in ("impressions", "clicks", "conversions")
    )
    age = day_number(today) - 1 - frame["number"].to_numpy()
    known = np.ones(len(age)) if maturity.basis == "order" else maturity.count.at(age)
    due = np.where(np.isnan(orders), 0.0, clicks * known)
    told = not np.isnan(orders).all()
    seen = np.where(np.isnan(orders), 0.0, orders)
    spread = UnitSpread(
        max(estimate_dispersion(clicks, shown, creative, number), 1.0),
        max(estimate_dispersion(seen, due, creative, number), 1.0) if told else 1.0,
    )
    summed = [group_sum(creative, one, number) for one in (shown, clicks, due, seen)]
    nothing = np.full(number, np.nan)
    conversions = summed[3] if told else nothing
    sums = CreativeSums(
        summed[0], summed[1], summed[1], nothing, summed[2], conversions, nothing, nothing
    )
    found = estimate_creatives(sums, rows.of, spread=spread)
    return found.ctr, found.cvr


def _changes(
    rows: _Rows, shown: Shown, ahead: Floats, before: Floats, changed: Bools
) -> list[dict[str, Any]]:
    """What changed in each ad group, since when, and the creative that gained or lost most by it."""
    first, last = np.full(len(rows.of), shown.days), np.full(len(rows.of), -1)
    np.minimum.at(first, shown.creative, shown.day)
    np.maximum.at(last, shown.creative, shown.day)
    found = []
    for group in np.flatnonzero(changed):
        own = np.flatnonzero(rows.of == group)
        up = own[np.argmax((ahead - before)[own])]
        down = own[np.argmin((ahead - before)[own])]
        newest, oldest = last[own].max(), first[own].min()
        if rows.creatives["changed"].iloc[up]:
            code, who, day = "creative_text_changed", up, first[up]
        elif first[up] >= oldest + RECENT_DAYS:
            code, who, day = "creative_new", up, first[up]
        elif last[down] <= newest - _GONE_DAYS:
            code, who, day = "creative_paused", down, last[down] + 1
        else:
            code, who, day = "creative_shares_moved", up, newest - RECENT_DAYS + 1
        named = rows.creatives.iloc[who]
        when = str(np.datetime64(int(rows.start + day), "D"))
        found.append(
            {
                "code": code,
                "campaign": str(named["campaign_name"]),
                "ad_group": str(named["ad_group_name"]),
                "creative": str(named["creative_name"]),
                "day": when,
                "number": int(group),
            }
        )
    return found
