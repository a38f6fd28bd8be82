"""What would flip a suggestion: the conversion rate at which its kind changes, all else held.

A rate `ratio` times the estimate, its relative uncertainty kept, multiplies V, the marginal return
and its quantiles by `ratio`, while costs stay. So every slope and gate of the solve scales alike, and
at a given line the rates at which a keyword starts to rise, to fall and to stop have a closed form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from optimizer.decisions.allocation import Gates, Options
from optimizer.decisions.guardrails import Codes
from optimizer.estimates.posteriors import Bools, Floats, Gamma

FARTHEST = 50.0
"""A rate more than this many times above or below the estimate is no answer to "what if"."""

FAR_BELOW = 0.6
"""A CTR or CVR below this share of its peers' is a matter of the creative or the page, not the bid."""

_SURE = 0.9
_PAST = 1e-7
_SCAN_POINTS = 24
_BISECTIONS = 20


@dataclass(frozen=True)
class Turning:
    """Ratios to the present estimate, per keyword: below `stop` it pauses, else below `lower` its bid
    falls, from `rise` on its bid rises. 0 and inf where no rate brings that about."""

    stop: Floats
    lower: Floats
    rise: Floats

    def move(self, ratio: Floats) -> Codes:
        """pause | lower | raise | "" (the bid stays) at these ratios."""
        return np.select(
            [ratio < self.stop, ratio >= self.rise, ratio < self.lower],
            ["pause", "raise", "lower"],
            default="",
        )


def step_thresholds(options: Options, gates: Gates) -> tuple[Floats, Floats]:
    """The highest line at which each bid rises (-inf: never), and at which it does not fall (inf: never falls).

    The first step above the present level has the steepest slope of all levels above, the last step
    up to it the flattest of those below; evidence gates bound both.
    """
    rows = np.arange(len(options.cost))
    held = options.hold
    cost = options.cost - options.cost[rows, held][:, None]
    value = options.value - options.value[rows, held][:, None]
    slope = np.divide(value, cost, out=np.where(value > 0, np.inf, -np.inf), where=cost != 0)
    number = np.arange(options.cost.shape[1])[None, :]
    above = options.allowed & (number > held[:, None])
    below = options.allowed & (number < held[:, None])
    up = np.where(above, slope, -np.inf).max(axis=1)
    stay = np.where(below, slope, np.inf).min(axis=1)
    return np.minimum(up, gates.raise_gate), np.maximum(stay, gates.lower_gate)


def line_taken(line: Floats, up: Floats, stay: Floats, kind: Codes) -> Floats:
    """The line nearest to `line` at which each keyword does what was decided.

    Money that the step on the line could not use buys steps just below it; those keywords were
    decided at the threshold of their own step. A pause rests on no line and keeps it.
    """
    raised, lowered = kind == "raise", kind == "lower"
    just_above, just_below = up * (1 + _PAST), up * (1 - _PAST)
    above = np.where(lowered, stay * (1 + _PAST), np.where(raised, 0.0, just_above))
    below = np.where(raised, just_below, np.where(lowered, np.inf, stay * (1 - _PAST)))
    bounded = np.minimum(np.maximum(line, above), below)
    taken = np.isfinite(bounded) & (bounded > 0) & (kind != "pause")
    return np.where(taken, bounded, line)


def turning_points(
    up: Floats,
    stay: Floats,
    line: Floats,
    may_pause: Bools,
    lowest_cpc: Floats,
    value: Gamma,
    pause_probability: float,
) -> Turning:
    """Where each keyword's move changes at its `line`; P(ratio·V > CPC) = p solved for the ratio."""
    quantile = value.quantile(1.0 - pause_probability)
    stop = np.divide(lowest_cpc, quantile, out=np.full_like(line, np.inf), where=quantile > 0)
    lower = np.divide(line, stay, out=np.full_like(line, np.inf), where=stay > 0)
    rise = np.divide(line, up, out=np.full_like(line, np.inf), where=up > 0)
    return Turning(np.where(may_pause, stop, 0.0), lower, rise)


def flip_of_move(turning: Turning, kind: Codes) -> Floats:
    """Ratio at which each raise, lower or pause stops being one (nan: none would, or another kind).

    In the direction that speaks against it: a raise flips below, a lower and a pause above.
    """
    ratio = np.select(
        [kind == "raise", kind == "lower", kind == "pause"],
        [np.maximum(turning.rise, turning.stop), turning.lower, turning.stop],
        default=np.nan,
    )
    return within_reach(ratio)


def within_reach(ratio: Floats) -> Floats:
    """Ratios not farther than `FARTHEST` either way; nan beyond."""
    near = (ratio <= FARTHEST) & (ratio >= 1.0 / FARTHEST)
    return np.where(near, ratio, np.nan)


def first_change(kind_at: Callable[[Floats], Codes], kind: Codes, end: Floats) -> Floats:
    """Ratio between 1 and `end`, per row, at which `kind_at` first differs from `kind`; nan if nowhere.

    A scan in equal relative steps and a bisection of the step that changes: a kind that comes and goes
    within one step is passed over.
    """
    same, other = np.ones_like(end), np.full_like(end, np.nan)
    for point in np.linspace(0.0, 1.0, _SCAN_POINTS + 1)[1:]:
        ratio = end**point
        looking = np.isnan(other)
        changed = kind_at(ratio) != kind
        other = np.where(looking & changed, ratio, other)
        same = np.where(looking & ~changed, ratio, same)
    return _bisected(kind_at, kind, same, other)


def _bisected(
    kind_at: Callable[[Floats], Codes], kind: Codes, same: Floats, other: Floats
) -> Floats:
    for _ in range(_BISECTIONS):
        middle = np.sqrt(same * np.where(np.isnan(other), same, other))
        changed = kind_at(middle) != kind
        other = np.where(changed & ~np.isnan(other), middle, other)
        same = np.where(changed, same, middle)
    return other


def past(ratio: Floats, falling: Bools) -> Floats:
    """Just past a flip: below it where the rate has to fall for it, above it elsewhere."""
    return np.where(falling, ratio * (1 - _PAST), ratio * (1 + _PAST))


def far_below(own: Gamma, peers: Floats) -> Bools:
    """Whether a rate lies surely below `FAR_BELOW` of what its peers have; not where they have none."""
    known = np.isfinite(peers) & (peers > 0)
    bound = np.where(known, FAR_BELOW * peers, 0.0)
    result: Bools = known & (own.above(bound) < 1 - _SURE)
    return result
