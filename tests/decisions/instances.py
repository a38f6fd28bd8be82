"""Small allocation problems shared by the tests."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from optimizer.decisions.allocation import Budgets, Gates, Options, ungated

NO_CAPS = Budgets(np.inf, np.array([np.inf]))


@dataclass(frozen=True)
class Nested:
    options: Options
    gates: Gates
    campaign: np.ndarray
    budgets: Budgets


def options(cost: list[list[float]], value: list[list[float]], hold: int) -> Options:
    shape = np.array(cost, dtype=float)
    held = np.full(len(shape), hold, dtype=np.int64)
    return Options(shape, np.array(value, dtype=float), np.ones(shape.shape, dtype=bool), held)


def nested(rng: np.random.Generator, keywords: int, levels: int, campaigns: int) -> Nested:
    """Logistic clicks in the bid, campaign and account budgets that bind; level 0 is off."""
    volume, middle = np.exp(rng.normal(1, 1.6, keywords)), np.exp(rng.normal(0, 0.5, keywords))
    steep, worth = rng.uniform(1.2, 4, (keywords, 1)), np.exp(rng.normal(-0.1, 0.8, (keywords, 1)))
    bids = middle[:, None] * np.geomspace(0.2, 4, levels - 1)
    clicks = volume[:, None] / (1 + (middle[:, None] / bids) ** steep)
    price = bids * (1 - 0.35 * clicks / volume[:, None]) * rng.uniform(0.75, 0.95, (keywords, 1))
    cost = np.pad(np.maximum.accumulate(clicks * price, axis=1), ((0, 0), (1, 0)))
    value = np.pad(clicks * worth, ((0, 0), (1, 0)))
    campaign = np.sort(rng.integers(0, campaigns, keywords))
    best = cost[np.arange(keywords), (value - cost).argmax(axis=1)]
    wanted = np.bincount(campaign, best, campaigns)
    caps = wanted * rng.uniform(0.4, 1.3, campaigns)
    held = np.zeros(keywords, dtype=np.int64)
    whole, gates = ungated(Options(cost, value, np.ones(cost.shape, dtype=bool), held))
    return Nested(whole, gates, campaign, Budgets(0.6 * np.minimum(caps, wanted).sum(), caps))


def linear_optimum(problem: Nested) -> float:
    """The best mixture of levels, by HiGHS."""
    keywords, levels = problem.options.cost.shape
    campaigns = len(problem.budgets.campaign)
    one = np.kron(np.eye(keywords), np.ones(levels))
    spend = problem.options.cost.ravel()
    member = problem.campaign[:, None] == np.arange(campaigns)
    by_campaign = np.repeat(member, levels, axis=0).T * spend
    found = linprog(
        -(problem.options.value - problem.options.cost).ravel(),
        A_ub=np.vstack([one, by_campaign, spend]),
        b_ub=np.concatenate(
            [np.ones(keywords), problem.budgets.campaign, [problem.budgets.account]]
        ),
        method="highs",
    )
    return -float(found.fun)
