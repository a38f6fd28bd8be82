"""What stands between a solution and a suggestion, as reason codes per keyword ("" = nothing)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from optimizer.estimates.posteriors import Bools, Floats, Ints, group_sum
from optimizer.settings import Event, Guardrails

Codes = npt.NDArray[np.str_]
RowCodes: TypeAlias = "pd.Categorical[str]"
"""A code per row of a frame that may be long: a byte each, where text of one width takes sixty."""

NOT_BIDDABLE = ("content", "placement")
_OFF = ("PAUSED", "REMOVED")
_MISSING = 0.25
_SHORT = 0.75
# Days without orders come in runs by chance too, where orders come in pairs; a second pass knows the
# rate without the days that the first one found.
_SILENT_DISPERSION = 2.0
_SILENT_PASSES = 3


def first_code(conditions: Sequence[tuple[Bools | pd.Series[bool], str]], size: int) -> RowCodes:
    """The code of the first condition that holds, per row; "", the first category, where none does."""
    codes = list(dict.fromkeys(["", *(code for _, code in conditions)]))
    place = np.zeros(size, dtype=np.int8)
    for mask, code in reversed(conditions):
        place[np.asarray(mask, dtype=bool)] = codes.index(code)
    return pd.Categorical.from_codes(place, pd.Index(codes))


def _else(first: RowCodes, second: RowCodes) -> RowCodes:
    """`second` where `first` has no code; both as `first_code` makes them, of different codes."""
    names = first.categories.append(second.categories[1:])
    later = np.where(second.codes > 0, second.codes + len(first.categories) - 1, 0)
    return pd.Categorical.from_codes(np.where(first.codes > 0, first.codes, later), names)


def activity_codes(keywords: pd.DataFrame) -> RowCodes:
    """Why a keyword cannot be served or paused at all."""
    return first_code(
        [
            (keywords["target_type"].isin(NOT_BIDDABLE), "not_biddable"),
            (keywords["status"].isin(_OFF), "keyword_off"),
            (keywords["ad_group_status"].isin(_OFF), "ad_group_off"),
            (keywords["campaign_status"].isin(_OFF), "campaign_off"),
        ],
        len(keywords),
    )


def bid_codes(
    keywords: pd.DataFrame, impressions: Floats, today: date, rules: Guardrails
) -> RowCodes:
    """Why a keyword's bid is not for us to move, in the order an operator would look."""
    recent = np.datetime64(today - timedelta(days=rules.cool_down_days), "s")
    changed = keywords["last_change"].to_numpy().astype("datetime64[s]")
    movable = first_code(
        [
            (keywords["bidding_mode"] == "automated", "automated_bidding"),
            (keywords["bid"].isna() | (keywords["bid"] <= 0), "bid_unknown"),
            (impressions <= 0, "no_impressions"),
            (~np.isnat(changed) & (changed > recent), "cool_down"),
        ],
        len(keywords),
    )
    return _else(activity_codes(keywords), movable)


def event_freeze(events: Sequence[Event], today: date, window_days: int = 0) -> str | None:
    """Name of the event whose warm-up, days or aftermath cover `today`.

    The aftermath ends when the orders of the event's last clicks are in: `window_days`, or the
    event's own `after_days` where that is longer.
    """
    for event in events:
        first = event.start - timedelta(days=event.warmup_days)
        last = event.end + timedelta(days=max(event.after_days, window_days))
        if first <= today <= last:
            return event.name
    return None


def outage_probability(conversions: float, expected: float, dispersion: float) -> float:
    """P(at most this many conversions) if tracking worked: Poisson with dispersion ψ."""
    if expected <= 0:
        return 1.0
    return float(special.gammaincc(conversions / dispersion + 1.0, expected / dispersion))


def tracking_lost(
    conversions: float, expected: float, dispersion: float, rules: Guardrails
) -> bool:
    """Whether the account's conversions went missing: too few for chance, and short by a quarter.

    Where thousands are expected, chance alone would call every slightly worse day an outage.
    """
    chance = outage_probability(conversions, expected, dispersion)
    return chance < rules.outage_probability and conversions <= _SHORT * expected


def group_outages(seen: Floats, expected: Floats, dispersion: float, rules: Guardrails) -> Bools:
    """Groups (campaigns, items) whose conversions have all but stopped.

    As `outage_probability`, and at most `_MISSING` of what is expected: a group that merely
    converts worse than it did is a matter for its estimates.
    """
    due = np.maximum(expected, 1e-12) / dispersion
    chance = special.gammaincc(seen / dispersion + 1.0, due)
    gone = seen <= _MISSING * expected
    result: Bools = (expected > 0) & gone & (chance < rules.outage_probability)
    return result


def silent_days(day: Ints, seen: Floats, exposure: Floats, rules: Guardrails) -> Ints:
    """Days on which an account's conversions went missing: a tag outage, a page that was down.

    `day` in order, each once, with its conversions and exposure. Neighbouring days with next to none
    are judged together: there was an outage where chance would hardly bring so few at the rate of
    the other days. None where half of the exposure would go: that is what the account is like.
    """
    rate, quiet = 0.0, np.zeros(len(day), dtype=bool)
    for _ in range(_SILENT_PASSES):
        spoken = float(exposure[~quiet].sum())
        rate = float(seen[~quiet].sum()) / spoken if spoken > 0 else 0.0
        quiet = _quiet_runs(day, seen, rate * exposure, rules)
    few = float(exposure[quiet].sum()) < 0.5 * float(exposure.sum())
    return day[quiet] if few else day[:0]


def _quiet_runs(day: Ints, seen: Floats, expected: Floats, rules: Guardrails) -> Bools:
    low = (seen <= _MISSING * expected) & (expected > 0)
    starts = low & ~np.r_[False, low[:-1] & (np.diff(day) == 1)]
    run = np.where(low, np.cumsum(starts), 0)
    count = int(starts.sum()) + 1
    came, due = group_sum(run, seen, count), group_sum(run, expected, count)
    gone = group_outages(came, due, _SILENT_DISPERSION, rules)
    gone[0] = False
    result: Bools = gone[run]
    return result


def capped_campaigns(
    campaign: Ints, day: Ints, cost: Floats, budget: Floats, today: int, rules: Guardrails
) -> Bools:
    """Campaigns that spent at least `capped_share` of their budget on `capped_days` of the last 7 days.

    `budget` per campaign, nan where unknown; rows are (keyword, day).
    """
    recent = (day >= today - 7) & (day < today)
    count = len(budget)
    spent = group_sum(
        campaign[recent] * 7 + (today - 1 - day[recent]), cost[recent], count * 7
    ).reshape(count, 7)
    with np.errstate(invalid="ignore"):
        hit = spent >= rules.capped_share * budget[:, None]
    result: Bools = hit.sum(axis=1) >= rules.capped_days
    return result


def effective_multiplier(
    campaign_name: pd.Series[str], base: float, by_campaign: dict[str, float]
) -> Floats:
    """Factor from a bid to the most a click may cost: placement, hour, audience and dynamic rules."""
    found = campaign_name.map(by_campaign).astype("float64").fillna(base)
    return np.asarray(found, dtype=np.float64)
