"""Keywords starved by their bid: what a look at them may cost, what it may bring, and how to climb.

A keyword below the first page has hardly any clicks, so its response says nothing: c₀(b/b₀)^ε of
nothing is nothing. What it would get on the first page is taken from its ad group, what a click is
worth from its prior; the look is an option, lost clicks its price.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from optimizer.estimates.posteriors import Bools, Floats, Gamma, Ints

_TRAFFIC_SD = 0.5


@dataclass(frozen=True)
class Looks:
    """Starved keywords and their way up.

    `bid` now, `target` the bid that shows them; `clicks` more per day to be expected there, and the
    cost of each, `cpc`; `value` per click as a belief and `rate` of its orders per click; `line` Λ.
    """

    bid: Floats
    target: Floats
    clicks: Floats
    cpc: Floats
    value: Gamma
    rate: Gamma
    line: Floats


def look_cost(looks: Looks) -> Floats:
    """Expected loss per day at the target: clicks · E[(Λ·CPC − V)⁺], without the luck of the good ones."""
    price = looks.line * looks.cpc
    loss: Floats = looks.clicks * (price - looks.value.mean + _excess(looks.value, price))
    return loss


def draw_net_cost(looks: Looks, level_sd: float, draws: int, rng: np.random.Generator) -> Floats:
    """Draws of what all looks cost net of what they bring, per day; shape (draws,).

    `level_sd` is the spread of log V that all keywords share. Traffic nobody has seen yet may as well
    be half or twice what is expected, each on its own and all together.
    """
    size = len(looks.clicks)
    level, traffic = np.exp(np.array([[level_sd], [_TRAFFIC_SD]]) * rng.standard_normal((2, draws)))
    clicks = Gamma(looks.clicks, np.ones(size)).draws(draws, rng) * traffic
    price = (looks.line * looks.cpc)[:, None]
    net: Floats = (clicks * (price - level * looks.value.draws(draws, rng))).sum(axis=0)
    return net


def net_cost(looks: Looks) -> Floats:
    """Expected cost per day less what the clicks are worth; negative where a look pays from the start."""
    net: Floats = looks.clicks * (looks.line * looks.cpc - looks.value.mean)
    return net


def climbing(looks: Looks, bids: Floats) -> Looks:
    """The looks with the clicks they bring on the way up, averaged over `bids` (keywords, weeks)."""
    way = np.maximum(looks.target - looks.bid, 1e-9)[:, None]
    reached = np.clip((bids - looks.bid[:, None]) / way, 0.0, 1.0).mean(axis=1)
    return replace(looks, clicks=looks.clicks * reached)


def take(looks: Looks, index: Ints) -> Looks:
    """The looks at `index`."""
    return Looks(
        looks.bid[index],
        looks.target[index],
        looks.clicks[index],
        looks.cpc[index],
        looks.value.take(index),
        looks.rate.take(index),
        looks.line[index],
    )


def look_value(looks: Looks, days: int, days_after: int) -> Floats:
    """What the look brings over `days_after`: clicks · E[(V̂ − Λ·CPC)⁺], V̂ the belief's coming mean.

    After n clicks the mean has moved by the share n / (n + prior clicks) of the variance that the
    order rate has.
    """
    seen = looks.clicks * days
    prior_clicks = 1.0 / np.maximum(looks.rate.cv2 * looks.rate.mean, 1e-12)
    learnt = np.minimum(looks.rate.cv2, looks.value.cv2) * seen / (seen + prior_clicks)
    coming = Gamma(looks.value.mean, learnt)
    result: Floats = days_after * looks.clicks * _excess(coming, looks.line * looks.cpc)
    return result


def _excess(belief: Gamma, threshold: Floats) -> Floats:
    """E[(X − threshold)⁺] of a Gamma: m·P(X' > t) − t·P(X > t), X' with one more in its shape."""
    known = belief.cv2 <= 1e-12
    shape = 1.0 / np.where(known, 1.0, belief.cv2)
    scaled = threshold * shape / np.maximum(belief.mean, 1e-300)
    above = belief.mean * special.gammaincc(shape + 1, scaled) - threshold * special.gammaincc(
        shape, scaled
    )
    return np.where(known, np.maximum(belief.mean - threshold, 0.0), np.maximum(above, 0.0))


def choose_looks(
    value: Floats, cost: Floats, cap: float, min_return: float, days: int, most: int
) -> Bools:
    """Looks worth `min_return` times their cost, by value per cost, under `cap` of cost per day."""
    price = np.maximum(cost, 1e-9)
    order = np.argsort(-value / price, kind="stable")
    worth = (value > 0) & (value >= min_return * price * days)
    taken = np.where(worth[order], price[order], 0.0)
    inside = worth[order] & (np.cumsum(taken) <= cap)
    chosen = np.zeros(len(value), dtype=bool)
    chosen[order[inside][:most]] = True
    return chosen


def climb(bid: Floats, target: Floats, step_limit: float, step: float, weeks: int) -> Floats:
    """Bids per week, shape (keywords, weeks): each at most `step_limit` above the last, up to `target`.

    Whole currency steps, never above the target nor past the limit.
    """
    bids = np.empty((len(bid), weeks))
    last = bid
    for week in range(weeks):
        wanted = np.minimum(last * (1 + step_limit), target)
        last = np.maximum(last, np.round(np.floor(wanted / step + 1e-6) * step, 6))
        bids[:, week] = last
    return bids
