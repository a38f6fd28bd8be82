"""Which level of each keyword to take, under an account budget and campaign budgets.

maximise Σ (value - cost) subject to one level per keyword and Σ cost ≤ each budget. Per keyword the
concave hull of (cost, value) gives steps with falling slopes; a campaign's line is
Λ_c = max(Λ_account, threshold at which its own budget is spent); a keyword takes its steps down to
Λ_c. Multiple-choice knapsack by Lagrangian: Sinha and Zoltners (1979); bidding by one ratio under a
budget: Zhou, Chakrabarty and Lukose (2008).

Gates make a change wait for evidence: a raise opens only while the line is at most `raise_gate`, a
lower only once it is at least `lower_gate`. Both are quantiles of the keyword's marginal return, so
P(marginal return above or below the line) is respected at whatever line the solution finds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.decisions import kernels
from optimizer.errors import Infeasible
from optimizer.estimates.posteriors import Bools, Floats, Ints, group_sum


@dataclass(frozen=True)
class Options:
    """Levels of each keyword, shape (keywords, levels), rising in cost; currency per day.

    `hold` is the level of the present bid and always allowed.
    """

    cost: Floats
    value: Floats
    allowed: Bools
    hold: Ints


@dataclass(frozen=True)
class Gates:
    """Per keyword: the highest line at which it may be raised, the lowest at which it may be lowered."""

    raise_gate: Floats
    lower_gate: Floats


@dataclass(frozen=True)
class Budgets:
    """Money per day for the keywords to be solved; inf where there is no cap."""

    account: float
    campaign: Floats


@dataclass(frozen=True)
class Allocation:
    """Chosen `level` per keyword; `line` Λ of each campaign; `dual_price` Λ of the account.

    `gap` is the certified distance of the objective from the best possible, as a share of it.
    """

    level: Ints
    line: Floats
    dual_price: float
    cost: float
    objective: float
    upper_bound: float
    gap: float


@dataclass(frozen=True)
class _Steps:
    owner: Ints
    reached: Ints
    slope: Floats
    threshold: Floats
    position: Ints
    extra: Floats
    lowest: Ints
    order: Ints


def ungated(options: Options) -> tuple[Options, Gates]:
    """The same problem without evidence gates: every level may be taken at any line."""
    keywords, levels = options.cost.shape
    whole = Options(
        options.cost, options.value, options.allowed, np.full(keywords, levels - 1, dtype=np.int64)
    )
    return whole, Gates(np.full(keywords, -np.inf), np.full(keywords, -np.inf))


def allocate(
    options: Options, campaign: Ints, budgets: Budgets, gates: Gates, *, floor: float = 1.0
) -> Allocation:
    """Best levels under `budgets`; `floor` is the line with slack budgets (1: money valued at par).

    Raises `Infeasible` naming the budget and the least that can be spent when even the lowest
    levels exceed it.
    """
    steps = _build_steps(options, gates)
    cost = np.take_along_axis(options.cost, steps.lowest[:, None], axis=1)[:, 0]
    left, campaign_left = _money_left(cost, campaign, budgets)
    campaign_line, counted = _campaign_lines(steps, campaign, campaign_left, floor)
    dual_price = _account_line(steps, counted, left, floor)
    line = np.maximum(campaign_line, dual_price)
    level = steps.lowest.copy()
    kernels.fill(
        steps.order,
        steps.owner,
        steps.reached,
        steps.position,
        _open(steps, options, gates, line[campaign], floor),
        campaign,
        options.cost,
        level,
        left,
        campaign_left.copy(),
    )
    return _certify(options, steps, campaign, budgets, level, line, dual_price, floor)


def _build_steps(options: Options, gates: Gates) -> _Steps:
    if (gates.raise_gate > gates.lower_gate).any():
        raise ValueError("raise_gate must not exceed lower_gate")
    owner, reached, slope, threshold, lowest = kernels.steps(
        options.cost,
        options.value,
        options.allowed,
        options.hold,
        gates.raise_gate,
        gates.lower_gate,
    )
    starts = np.searchsorted(owner, np.arange(len(lowest)))
    position = np.arange(len(owner)) - starts[owner] if len(owner) else owner
    before = np.where(position > 0, np.roll(reached, 1), lowest[owner])
    extra = options.cost[owner, reached] - options.cost[owner, before]
    order = np.argsort(-threshold, kind="stable")
    return _Steps(owner, reached, slope, threshold, position, extra, lowest, order)


def _money_left(cost: Floats, campaign: Ints, budgets: Budgets) -> tuple[float, Floats]:
    """Budgets after everyone's lowest level, or `Infeasible`."""
    least = group_sum(campaign, cost, len(budgets.campaign))
    over = np.flatnonzero(least > budgets.campaign * (1 + 1e-12))
    if len(over):
        worst = int(over[0])
        raise Infeasible(
            "campaign_budget_unreachable",
            campaign=worst,
            budget=float(budgets.campaign[worst]),
            nearest=float(least[worst]),
        )
    left = budgets.account - float(least.sum())
    if left < -1e-12 * abs(budgets.account):
        raise Infeasible(
            "account_budget_unreachable", budget=budgets.account, nearest=float(least.sum())
        )
    return left, budgets.campaign - least


def _campaign_lines(
    steps: _Steps, campaign: Ints, campaign_left: Floats, floor: float
) -> tuple[Floats, Floats]:
    """Threshold of the first step that no longer fits each campaign's budget (`floor`: all fit).

    And what each step costs the account: the part of its cost that its campaign can still pay.
    """
    lines, counted = np.full(len(campaign_left), floor), steps.extra.copy()
    step_campaign = campaign[steps.owner][steps.order]
    capped = np.isfinite(campaign_left)[step_campaign] & (steps.threshold[steps.order] > floor)
    index = steps.order[capped]
    if not len(index):
        return lines, counted
    by_campaign = np.argsort(step_campaign[capped], kind="stable")
    index, owner = index[by_campaign], step_campaign[capped][by_campaign]
    running = np.cumsum(steps.extra[index])
    starts = np.searchsorted(owner, owner)
    spent = running - (running[starts] - steps.extra[index][starts])
    room = campaign_left[owner]
    counted[index] = np.clip(room - (spent - steps.extra[index]), 0.0, steps.extra[index])
    over = np.flatnonzero(spent > room)
    first_over = over[np.unique(owner[over], return_index=True)[1]]
    lines[owner[first_over]] = steps.threshold[index[first_over]]
    return lines, counted


def _account_line(steps: _Steps, counted: Floats, left: float, floor: float) -> float:
    """Threshold of the first step that no longer fits the account.

    A campaign at its own line spends its whole budget, a part of the step on the line included.
    """
    index = steps.order[steps.threshold[steps.order] > floor]
    over = np.flatnonzero(np.cumsum(counted[index]) > left)
    return float(steps.threshold[index[over[0]]]) if len(over) else floor


def _open(steps: _Steps, options: Options, gates: Gates, line: Floats, floor: float) -> Bools:
    """Steps that may be taken at these lines: worth more than money itself, and past their gate."""
    owner = steps.owner
    upper = steps.reached > options.hold[owner]
    gate_open = ~upper | (gates.raise_gate[owner] >= line[owner])
    worth = np.where(upper, steps.slope, steps.threshold) >= floor
    result: Bools = gate_open & worth
    return result


def _certify(
    options: Options,
    steps: _Steps,
    campaign: Ints,
    budgets: Budgets,
    level: Ints,
    line: Floats,
    dual_price: float,
    floor: float,
) -> Allocation:
    """Objective at `floor`, and the Lagrangian bound at the lines found on what the gates allow."""
    rows = np.arange(len(level))
    spent, gained = options.cost[rows, level], options.value[rows, level]
    objective = float((gained - floor * spent).sum())
    best = steps.lowest.copy()
    above = steps.threshold >= line[campaign[steps.owner]]
    np.maximum.at(best, steps.owner[above], steps.reached[above])
    price = line[campaign]
    relaxed = np.maximum(
        options.value[rows, best] - price * options.cost[rows, best], gained - price * spent
    )
    bound = float(relaxed.sum())
    bound += _priced(dual_price - floor, budgets.account)
    bound += sum(
        _priced(own - dual_price, budget)
        for own, budget in zip(line, budgets.campaign, strict=True)
    )
    gap = (bound - objective) / max(abs(bound), 1e-9)
    return Allocation(level, line, dual_price, float(spent.sum()), objective, bound, max(gap, 0.0))


def _priced(price: float, budget: float) -> float:
    return price * budget if price > 0 else 0.0
