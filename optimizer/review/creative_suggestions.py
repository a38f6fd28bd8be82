"""What to do about the creatives of defined tests: suggestions beside those on bids, and their plan.

Platforms rarely take weights. Where they show enabled creatives by their own choice or in turn, shares
become on and off: losers, and creatives that are hardly ever the best, are paused. Where chance does as
it is asked (`randomised`: separate ad groups, an experiment, the shop's own splitter) the shares themselves
are handed over, all of a test or none. Tests that nobody defined are shown and never acted upon.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from optimizer.decisions.creatives import enabled_under_rotation, metric_named
from optimizer.estimates.posteriors import Bools, Floats, Ints, group_sum
from optimizer.review.creatives import CreativeReview
from optimizer.review.suggestions import suggestion_ids
from optimizer.settings import CreativeTest
from optimizer.tables import CREATIVE_SHARES, SUGGESTIONS, Table, empty_table

SLOT = "creative"
UNLIKELY = 0.05
"""P(best) below which a creative that can only be on or off is paused without a proof."""
LEAST_SHIFT = 0.05
"""Share of impressions below which a weight is not worth changing."""

_ACTED_ON = ("winner", "safe_to_stop", "running", "observational")
_WEIGHED = (*_ACTED_ON, "too_early")
_OFF = ("PAUSED", "REMOVED", "ARCHIVED")
_OVER = ("ended", "unmeasured", "no_traffic")
_Z80 = 1.2815515655446004
_PLACE = ("campaign_id", "campaign_name", "ad_group_id", "ad_group_name")
_GROUP = ["number", "campaign_name", "ad_group_name"]
_TOLD = (
    *("test", "metric", "mode", "rotation", "state", "leader", "days", "asked_for"),
    *("share_now", "share_planned", "share_asked", "p_best", "expected_loss", "evidence"),
    *("verdict", "impressions", "metric_mean", "metric_low", "metric_high", "leader_mean"),
    *("profit_mean", "profit_low", "profit_high", "profit_untold"),
)


@dataclass(frozen=True)
class CreativePlan:
    """Table SUGGESTIONS of what to change, and CREATIVE_SHARES of what is planned for every creative."""

    suggestions: pd.DataFrame
    shares: pd.DataFrame


def plan_creatives(
    found: CreativeReview,
    tests: Mapping[str, CreativeTest],
    creatives: pd.DataFrame,
    shares: pd.DataFrame,
    account: str,
    as_of: date,
) -> CreativePlan:
    """The plan for the defined `tests` on the morning of `as_of`.

    `creatives` is table CREATIVES, `shares` CREATIVE_SHARES of earlier mornings: what is in force.
    """
    arms = _open_arms(found, creatives)
    if arms.empty:
        return CreativePlan(empty_table(SUGGESTIONS), empty_table(CREATIVE_SHARES))
    weighed = arms["rotation"].eq("randomised").to_numpy()
    asked, now = _on_and_off(arms)
    given = _given(arms, tests, shares, as_of)
    arms = arms.assign(
        share_planned=arms["share_next"],
        share_asked=np.where(weighed, arms["share_next"], asked),
        share_now=np.where(weighed, given, now),
    )
    arms = arms.assign(asked_for=_asked_for(arms, weighed), **_changes(arms))
    arms["id"] = suggestion_ids(account, as_of, arms["key"].tolist(), [SLOT] * len(arms))
    acted = arms["asked_for"].ne("")
    return CreativePlan(_suggestions(arms[acted]), _shares(arms, acted, as_of))


def _open_arms(found: CreativeReview, creatives: pd.DataFrame) -> pd.DataFrame:
    """Arms of defined tests that go on, test by test, with what is said of their test and their place."""
    tests = found.tests[found.tests["source"].eq("defined") & ~found.tests["state"].isin(_OVER)]
    said = tests[
        ["test", "metric", "mode", "rotation", "state", "leader", "days", "impressions_per_day"]
    ]
    place = creatives[["entity_key", *_PLACE]]
    # A test that ended with a winner keeps that state; no share is planned for it any more.
    planned = found.arms[found.arms["share_next"].notna()]
    arms = planned.merge(said, on="test").merge(place, on="entity_key")
    arms = arms.sort_values(["test", "entity_key"], kind="stable", ignore_index=True)
    return arms.assign(key="a" + arms["entity_key"].astype(str), number=_numbers(arms["test"]))


def _numbers(test: pd.Series[str]) -> Ints:
    return np.asarray(pd.factorize(test)[0], dtype=np.int64)


def _first(number: Ints) -> Ints:
    return np.flatnonzero(np.diff(number, prepend=-1))


def _on_and_off(arms: pd.DataFrame) -> tuple[Floats, Floats]:
    """Even shares of those to be on, and of those on now, per test.

    None of an ad group is stopped where that would leave it none: the leader may be gone itself.
    """
    number = arms["number"].to_numpy()
    on = ~arms["status"].isin(_OFF).to_numpy() & arms["verdict"].ne("left").to_numpy()
    share = arms["share_next"].to_numpy(dtype=np.float64)
    wanted = enabled_under_rotation(share, _first(number))
    sure = arms["state"].isin(_ACTED_ON).to_numpy()
    unlikely = arms["p_best"].lt(UNLIKELY).to_numpy() & arms["mode"].ne("find").to_numpy()
    stop = on & sure & (arms["verdict"].eq("loser").to_numpy() | (unlikely & ~wanted))
    start = ~on & sure & wanted & arms["status"].eq("PAUSED").to_numpy()
    after = arms.assign(after=(on & ~stop) | start)
    left = after.groupby(_GROUP, dropna=False)["after"].transform("any").to_numpy()
    return _even(after["after"].to_numpy() | (on & ~left), number), _even(on, number)


def _even(on: Bools, number: Ints) -> Floats:
    count = group_sum(number, on.astype(np.float64), int(number.max()) + 1)[number]
    result: Floats = np.divide(on, count, out=np.zeros(len(on)), where=count > 0)
    return result


def _given(
    arms: pd.DataFrame, tests: Mapping[str, CreativeTest], shares: pd.DataFrame, as_of: date
) -> Floats:
    """The weights in force: of the newest plan that was handed over, else the stated split, else even."""
    earlier = shares[shares["in_force"] & (shares["as_of"] < pd.Timestamp(as_of))]
    newest = earlier.sort_values("as_of", kind="stable").drop_duplicates(
        ["test", "entity_key"], keep="last"
    )
    known = arms[["test", "entity_key"]].merge(newest, on=["test", "entity_key"], how="left")
    stated = np.array([_stated(tests[row["test"]], row) for row in arms.to_dict("records")])
    even = _even(np.ones(len(arms), dtype=np.bool_), arms["number"].to_numpy())
    found = known["asked"].to_numpy(dtype=np.float64)
    result: Floats = np.where(np.isnan(found), np.where(np.isnan(stated), even, stated), found)
    return result


def _stated(test: CreativeTest, arm: Mapping[Any, Any]) -> float:
    for name in (arm["creative_id"], arm["creative_name"]):
        if name in test.split:
            return float(test.split[name])
    return float("nan")


def _asked_for(arms: pd.DataFrame, weighed: Bools) -> Any:
    """pause, enable or weight; "" where a creative stays as it is."""
    moved = (arms["share_asked"] - arms["share_now"]).to_numpy()
    off = (arms["share_asked"].eq(0) & arms["share_now"].gt(0)).to_numpy()
    on = (arms["share_asked"].gt(0) & arms["share_now"].eq(0)).to_numpy()
    number = arms["number"].to_numpy()
    large = np.maximum.reduceat(np.abs(moved), _first(number))[number] >= LEAST_SHIFT
    may = arms["state"].isin(_WEIGHED).to_numpy()
    shift = weighed & may & large & (np.abs(moved) >= 0.005)
    loses = shift & off & arms["verdict"].eq("loser").to_numpy()
    return np.select(
        [loses, shift, ~weighed & off, ~weighed & on], ["pause", "weight", "pause", "enable"], ""
    )


def _changes(arms: pd.DataFrame) -> dict[str, Floats]:
    """Δ a day of giving each creative its asked share, against the mean of what is shown instead.

    Weights of a test are changed together: instead stands halfway between the present and the asked mix,
    so that its rows add up to the whole change and the one that gets all does not read 0. A creative
    that is stopped gives way to those shown afterwards.

    Δprofit is of profit per impression, whatever metric decides, with normal 80 % ends from those of
    the beliefs; 0 without an interval where no report tells cost, orders or their worth. Clicks and
    cost are of the counts so far.
    """
    number, asked = arms["number"].to_numpy(), arms["share_asked"].to_numpy()
    now, per_day = arms["share_now"].to_numpy(), arms["impressions_per_day"].to_numpy(np.float64)
    moved = per_day * (asked - now)
    together = arms["rotation"].eq("randomised").to_numpy()
    instead = np.where(together, 0.5 * (asked + now), asked)
    mean = arms["profit_mean"].to_numpy(dtype=np.float64)
    sd = (arms["profit_high"] - arms["profit_low"]).to_numpy(dtype=np.float64) / (2 * _Z80)
    gain = moved * (mean - _mixed(number, instead, mean))
    spread = np.abs(moved) * _contrast_sd(number, instead, sd)
    priced = np.isfinite(gain + spread)
    ratio = np.divide(gain, spread, out=np.full(len(arms), np.nan), where=priced & (spread > 0))
    ends = {"mean": gain, "low": gain - _Z80 * spread, "high": gain + _Z80 * spread}
    sign = np.where([metric_named(name).lower_is_better for name in arms["metric"]], -1.0, 1.0)
    # Several may have the leader's name, such as one text with two landing pages: it is the best of them.
    leading = arms.assign(score=sign * arms["metric_mean"])[
        arms["creative_name"].eq(arms["leader"])
    ]
    best = leading.sort_values("score", ascending=False, kind="stable").drop_duplicates("test")
    leaders = best.set_index("test")["metric_mean"]
    return {
        **{f"delta_profit_{end}": np.where(priced, value, 0.0) for end, value in ends.items()},
        "delta_clicks": moved * _per_impression(arms, "clicks", number, instead),
        "delta_cost": moved * _per_impression(arms, "cost", number, instead),
        "p_positive": np.where(np.isfinite(ratio), ndtr(ratio), np.nan),
        "profit_untold": np.where(priced, "", _untold(arms)),
        "leader_mean": arms["test"].map(leaders).to_numpy(dtype=np.float64),
    }


def _untold(arms: pd.DataFrame) -> Any:
    """What profit cannot be known without: cost, orders or their worth, the first that no report tells."""
    missing = [arms[name].isna().to_numpy() for name in ("cost", "conversions")]
    return np.select(missing, ["cost", "conversions"], "value")


def _mixed(number: Ints, weight: Floats, values: Floats) -> Floats:
    """Mean of each test's values under the weights."""
    sums = group_sum(number, np.where(weight > 0, weight * values, 0.0), int(number.max()) + 1)
    result: Floats = sums[number]
    return result


def _contrast_sd(number: Ints, weight: Floats, sd: Floats) -> Floats:
    """Of each arm's value less the mixed one, the arms' beliefs being apart from each other."""
    squares = np.where(weight > 0, (weight * sd) ** 2, 0.0)
    others = group_sum(number, squares, int(number.max()) + 1)[number] - squares
    result: Floats = np.sqrt(((1.0 - weight) * sd) ** 2 + np.maximum(others, 0.0))
    return result


def _per_impression(arms: pd.DataFrame, name: str, number: Ints, weight: Floats) -> Floats:
    """A count per impression less the mixed one; 0 where nothing was shown or the count is not told."""
    shown, count = (arms[each].to_numpy(dtype=np.float64) for each in ("impressions", name))
    known = (shown > 0) & np.isfinite(count)
    rate = np.divide(count, shown, out=np.zeros(len(arms)), where=known)
    told = _mixed(number, np.where(known, weight, 0.0), np.ones(len(arms)))
    mixed = _mixed(number, np.where(known, weight, 0.0), rate)
    mean = np.divide(mixed, told, out=np.zeros(len(arms)), where=told > 0)
    result: Floats = np.where(known & (told > 0), rate - mean, 0.0)
    return result


_REASONS = {"enable": "creative_wanted", "weight": "creative_weight"}


def _suggestions(arms: pd.DataFrame) -> pd.DataFrame:
    pause = arms["asked_for"].eq("pause")
    proven = pause & arms["verdict"].eq("loser")
    reason = arms["asked_for"].map(_REASONS).where(~pause, "creative_unlikely")
    rows = arms.assign(
        kind=pause.map({True: "pause", False: "shift_creative"}),
        slot=SLOT,
        linked_id=_linked(arms),
        keyword_id=arms["creative_id"],
        keyword_text=arms["creative_name"],
        match_type=None,
        segment="",
        bid=arms["share_now"].where(~pause),
        proposed_bid=arms["share_asked"].where(~pause),
        marginal_return=np.nan,
        line=np.nan,
        reason=reason.mask(proven, "creative_loser"),
        binding=None,
        evidence=_evidence(arms),
        entity_key=arms["key"],
    )
    return _typed(rows, SUGGESTIONS)


def _linked(arms: pd.DataFrame) -> pd.Series[Any]:
    """Weights of one test are decided together: each names the test's first."""
    first = arms.groupby("test")["id"].transform("first")
    apart = arms["rotation"].ne("randomised") | first.eq(arms["id"])
    return first.mask(apart, None)


def _evidence(arms: pd.DataFrame) -> list[str]:
    told = arms[list(_TOLD)].astype("object").where(arms[list(_TOLD)].notna(), None)
    return [json.dumps(row, ensure_ascii=False, default=_plain) for row in told.to_dict("records")]


def _plain(value: Any) -> Any:
    return value.item()


def _shares(arms: pd.DataFrame, acted: pd.Series[bool], as_of: date) -> pd.DataFrame:
    """The plan of every arm. What nothing is asked for stays as it is: its asked share is the present one."""
    kept = ~acted.groupby(arms["test"]).transform("any")
    rows = arms.assign(
        as_of=pd.Timestamp(as_of),
        share=arms["share_planned"],
        asked=arms["share_asked"].mask(kept, arms["share_now"]),
        suggestion_id=arms["id"].where(acted, None),
        taken=False,
        in_force=False,
    )
    return _typed(rows, CREATIVE_SHARES)


def open_creatives(rows: pd.DataFrame, holds: pd.DataFrame, day: date) -> pd.DataFrame:
    """`rows` (SUGGESTIONS on creatives) without those that somebody refused, put off or locked."""
    until = pd.to_datetime(holds["until"])
    active = holds[until.isna() | (until >= pd.Timestamp(day))]
    refused = active["slot"].eq(SLOT) & active["kind"].isin(["rejected", "snoozed", "locked"])
    keys = set(active.loc[refused, "entity_key"])
    gone = set(rows.loc[rows["entity_key"].isin(keys), "id"])
    gone |= set(rows.loc[rows["linked_id"].isin(gone), "id"])
    partners = rows.loc[rows["id"].isin(gone), "linked_id"].dropna()
    gone |= set(rows.loc[rows["id"].isin(partners) | rows["linked_id"].isin(partners), "id"])
    return rows[~rows["id"].isin(gone)].reset_index(drop=True)


def _typed(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    chosen = frame.reindex(columns=list(table.columns))
    return chosen.astype(empty_table(table).dtypes.to_dict())
