"""What would be suggested at another conversion rate, the line and all other beliefs held.

Rows are plan rows with the column `line`, and `stretched` where lowers went beyond the assumed step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from optimizer.decisions import flips, keywords
from optimizer.decisions.allocation import BudgetTree, Gates, Options, allocate
from optimizer.decisions.flips import Turning
from optimizer.decisions.guardrails import Codes
from optimizer.estimates.posteriors import Bools, Floats
from optimizer.review.assembly import judged_against, unmoved_codes
from optimizer.review.plan import gamma_of
from optimizer.review.solving import keyword_options
from optimizer.review.terms import term_bids

_SCALED = ("rate_mean", "value_mean", "marginal_mean", "raise_gate", "lower_gate")
_WATCH = "watch"


def with_rates(rows: pd.DataFrame, ratio: Floats, context: Mapping[str, Any]) -> pd.DataFrame:
    """`rows` as the plan would hold them if each conversion rate were `ratio` times the estimate.

    The belief keeps its relative width. Volume, CPC, response, value per conversion and the step
    limit stay.
    """
    scaled = rows.assign(**{name: rows[name].to_numpy() * ratio for name in _SCALED})
    value = gamma_of(scaled, "value")
    chance = value.above(rows["lowest_cpc"].to_numpy(dtype=np.float64))
    stops = rows["may_pause"].to_numpy(dtype=bool)
    return scaled.assign(
        p_above_cpc=value.above(rows["cpc"].to_numpy(dtype=np.float64)),
        p_above_lowest_cpc=chance,
        pause=stops & (chance < context["rules"]["pause_probability"]),
    )


def judge_rates(rows: pd.DataFrame, ratio: Floats, context: Mapping[str, Any]) -> pd.DataFrame:
    """What the solve would do with each row at its line: `kind` and `proposed_bid`.

    `kind` is raise, lower, pause, watch or none; `proposed_bid` nan where the bid stays. The allocation
    itself decides, with money priced at the line instead of a budget.
    """
    again = with_rates(rows.reset_index(drop=True), ratio, context)
    bid, room = np.full(len(again), np.nan), np.zeros((len(again), 2), dtype=bool)
    for stretched in (False, True):
        index = np.flatnonzero((again["stretched"] == stretched) & (again["state_code"] == ""))
        bid[index], room[index] = _solved(again.iloc[index], context, stretched=stretched)
    kind = _kinds(again, bid, room, context)
    moves = np.isin(kind, ("raise", "lower"))
    return pd.DataFrame({"kind": kind, "proposed_bid": np.where(moves, bid, np.nan)})


def level_choices(
    part: pd.DataFrame, context: Mapping[str, Any], *, stretched: bool
) -> tuple[Floats, Options, Gates]:
    """Bids, their options and gates of rows whose bid is ours to move, as the solve sees them."""
    levels, options = keyword_options(part, context, stretched=stretched)
    gates = Gates(part["raise_gate"].to_numpy(), part["lower_gate"].to_numpy())
    return levels, options, gates


def _solved(
    part: pd.DataFrame, context: Mapping[str, Any], *, stretched: bool
) -> tuple[Floats, Bools]:
    """The level of each row at its own line, and whether it has lower and higher ones."""
    levels, options, gates = level_choices(part, context, stretched=stretched)
    line = part["line"].to_numpy(dtype=np.float64)
    priced = Options(options.cost, options.value / line[:, None], options.allowed, options.hold)
    at_line = Gates(gates.raise_gate / line, gates.lower_gate / line)
    unlimited = BudgetTree.flat(np.inf)
    found = allocate(priced, np.zeros(len(part), dtype=np.int64), unlimited, at_line)
    return levels[np.arange(len(part)), found.level], _room(options)


def _room(options: Options) -> Bools:
    number = np.arange(options.cost.shape[1])[None, :]
    below = (options.allowed & (number < options.hold[:, None])).any(axis=1)
    above = (options.allowed & (number > options.hold[:, None])).any(axis=1)
    return np.stack([below, above], axis=1)


def _kinds(rows: pd.DataFrame, bid: Floats, room: Bools, context: Mapping[str, Any]) -> Codes:
    present = rows["bid"].to_numpy(dtype=np.float64)
    rest = unmoved_codes(judged_against(rows, context), room)
    return np.select(
        [rows["pause"].to_numpy(dtype=bool), bid > present, bid < present, rest == _WATCH],
        ["pause", "raise", "lower", _WATCH],
        default="none",
    )


def keyword_flips(rows: pd.DataFrame, kind: Codes, context: Mapping[str, Any]) -> pd.DataFrame:
    """What conversion rate would flip each suggestion on a keyword.

    Columns `line` (at which it was decided), `flip_rate` (nan: none would, see `flip_reason`),
    `flip_side` (below | above), `flip_kind` (what it would become; none: no suggestion), and
    `flip_per_conversion`, the value per conversion that does the same.
    """
    rows = rows.reset_index(drop=True)
    up, stay, room = _thresholds(rows, context)
    line = flips.line_taken(rows["line"].to_numpy(dtype=np.float64), up, stay, kind)
    rows = rows.assign(line=line)
    turning = flips.turning_points(
        up,
        stay,
        line,
        rows["may_pause"].to_numpy(dtype=bool),
        rows["lowest_cpc"].to_numpy(dtype=np.float64),
        gamma_of(rows, "value"),
        context["rules"]["pause_probability"],
    )
    ratio = flips.flip_of_move(turning, kind)
    falling = kind == "raise"
    watched = np.flatnonzero(kind == _WATCH)
    if len(watched):
        falling[watched] = _falls(rows.iloc[watched])
        ratio[watched] = _flip_of_watch(
            rows.iloc[watched], _taken(turning, watched), falling[watched], room[watched], context
        )
    became = _kinds_near(rows, turning, flips.past(ratio, falling), room, context)
    return told_flips(rows, ratio, falling, became).assign(line=line)


def told_flips(rows: pd.DataFrame, ratio: Floats, falling: Bools, became: Codes) -> pd.DataFrame:
    """The columns of a flip from ratios to the estimate; a reason where there is none."""
    rate = rows["rate_mean"].to_numpy(dtype=np.float64)
    worth = rows["value_mean"].to_numpy(dtype=np.float64)
    known = (rate > 0) & (worth > 0)
    ratio = np.where(known, ratio, np.nan)
    found = np.isfinite(ratio)
    reason = np.select(
        [rate <= 0, worth <= 0, ~found], ["rate_zero", "value_zero", "no_rate"], default=""
    )
    return pd.DataFrame(
        {
            "flip_rate": ratio * rate,
            "flip_per_conversion": ratio * rows["per_conversion_mean"].to_numpy(dtype=np.float64),
            "flip_side": np.where(found, np.where(falling, "below", "above"), ""),
            "flip_kind": np.where(found, became, ""),
            "flip_reason": reason,
        }
    )


def _thresholds(rows: pd.DataFrame, context: Mapping[str, Any]) -> tuple[Floats, Floats, Bools]:
    """Per row the lines at which its bid rises and falls, and whether it has bids either way."""
    size = len(rows)
    up, stay = np.full(size, -np.inf), np.full(size, np.inf)
    room = np.zeros((size, 2), dtype=bool)
    for stretched in (False, True):
        index = np.flatnonzero((rows["stretched"] == stretched) & (rows["state_code"] == ""))
        _, options, gates = level_choices(rows.iloc[index], context, stretched=stretched)
        up[index], stay[index] = flips.step_thresholds(options, gates)
        room[index] = _room(options)
    return up, stay, room


def _taken(turning: Turning, index: Any) -> Turning:
    return Turning(turning.stop[index], turning.lower[index], turning.rise[index])


def _falls(rows: pd.DataFrame) -> Bools:
    """Whether a watched row would be lowered, were it surer, and so flips below."""
    result: Bools = (rows["marginal_mean"] <= rows["line"]).to_numpy()
    return result


def _flip_of_watch(
    rows: pd.DataFrame,
    turning: Turning,
    falling: Bools,
    room: Bools,
    context: Mapping[str, Any],
) -> Floats:
    """Away from the line: where a watched bid moves, or where watching it no longer says anything."""
    rows = rows.reset_index(drop=True)
    start = np.full(len(rows), _WATCH)
    move = np.where(falling, np.maximum(turning.lower, turning.stop), turning.rise)
    end = np.clip(flips.past(move, falling), 1 / flips.FARTHEST, flips.FARTHEST)
    inside = flips.first_change(
        lambda ratio: _kinds_near(rows, turning, ratio, room, context), start, end
    )
    at_move = np.isclose(inside, move, rtol=1e-6)
    return flips.within_reach(np.where(at_move, move, inside))


def _kinds_near(
    rows: pd.DataFrame,
    turning: Turning,
    ratio: Floats,
    room: Bools,
    context: Mapping[str, Any],
) -> Codes:
    """Kinds at these ratios from the turning points; the same as `judge_rates` without a solve."""
    move = turning.move(ratio)
    still = np.flatnonzero((move == "") & np.isfinite(ratio))
    kind = np.where(move == "", "none", move)
    part = with_rates(rows.iloc[still], ratio[still], context)
    rest = unmoved_codes(judged_against(part, context), room[still])
    kind[still] = np.where(rest == _WATCH, _WATCH, "none")
    return kind


def judge_term_rates(
    terms: pd.DataFrame, donors: pd.DataFrame, ratio: Floats, context: Mapping[str, Any]
) -> pd.DataFrame:
    """What each term at its column `line` would become: `kind` add_keyword, add_negative or none.

    `donors` are the plan rows that let the terms in. Only what the candidates' marks `add` and
    `negative` allow can come about: the rate changes, what was counted does not.
    """
    value = gamma_of(terms, "value").scaled(ratio)
    line, rules = terms["line"].to_numpy(dtype=np.float64), context["rules"]
    worth, bid = term_bids(terms, donors, value, line, context)
    never = keywords.loses_everywhere(
        value, terms["cpc"].to_numpy(dtype=np.float64), rules["negative_probability"]
    )
    kind = np.select(
        [terms["add"].to_numpy(dtype=bool) & worth, terms["may_exclude"].to_numpy(bool) & never],
        ["add_keyword", "add_negative"],
        default="none",
    )
    return pd.DataFrame({"kind": kind, "proposed_bid": np.where(worth, bid, np.nan)})


def term_flips(
    terms: pd.DataFrame, donors: pd.DataFrame, kind: Codes, context: Mapping[str, Any]
) -> pd.DataFrame:
    """What conversion rate would flip each suggestion on a search term; columns as `keyword_flips`."""
    terms, donors = terms.reset_index(drop=True), donors.reset_index(drop=True)

    def kind_at(ratio: Floats) -> Codes:
        known = np.where(np.isfinite(ratio), ratio, 1.0)
        found: Codes = judge_term_rates(terms, donors, known, context)["kind"].to_numpy()
        return found

    falling = kind == "add_keyword"
    end = np.where(falling, 1 / flips.FARTHEST, flips.FARTHEST)
    ratio = flips.within_reach(flips.first_change(kind_at, kind, end))
    settled = kind_at(np.ones(len(terms))) != kind
    ratio = np.where(settled, np.nan, ratio)
    told = told_flips(terms, ratio, falling, kind_at(flips.past(ratio, falling)))
    reason = np.where(settled, "line_moved", told["flip_reason"])
    return told.assign(line=terms["line"].to_numpy(), flip_reason=reason)
