"""What a bid test would teach, what it would cost, and which keywords are worth testing.

Profit in L = log(bid / present bid) is c₀·G(L)·(V − Λκ·e^(ηL)), G as in `curves.bid_landscape`. Near
its top L* a bid loses ½h(L − L*)², h = c₀Λκη·(ε/(1−s) + η), s the click share. A test goes up and
down around the bid that the review sets anyway, so that it costs the curvature and no delay. It narrows
ε and η, which moves the mean of L*; the value of that news is the expected gain of the better move within
reach (Raiffa and Schlaifer 1961, preposterior analysis under quadratic loss). ε is a part shared by all
keywords and a part of each one's own, so that a few busy keywords teach the whole account.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from optimizer.curves.bid_landscape import Response, click_growth
from optimizer.estimates.posteriors import Bools, Floats, Gamma, Ints

# Day-to-day variation of one keyword's clicks beyond Poisson, and of the price of single clicks, both
# as coefficients of variation. Judgement: what adds noise to a test makes it look worth less.
_CLICK_CV = 0.3
_PRICE_CV = 0.6
_LEAST_EXPONENT = 0.1
# What `estimates.elasticity` asks of a test before it moves an exponent of a keyword's own, and, as a
# multiple of the prior's information, before it moves the shared one.
_ENOUGH = 1.0
_BELIEVED = 4.0
_GRID = 16


@dataclass(frozen=True)
class Subjects:
    """Keywords that live under the same response: beliefs, line Λ, and how far a bid may move.

    `centre` is the bid a test would go up and down around: what the review sets, test or not; `reach`
    is the log of the largest raise of one review; `movable` whose bid is for us to move at all;
    `common` the standard deviations, per keyword, of the parts of ε and η that move with all others'.
    """

    response: Response
    value: Gamma
    line: Floats
    centre: Floats
    reach: Floats
    movable: Bools
    common: tuple[Floats, Floats]


@dataclass(frozen=True)
class Trial:
    """How a test is run: `dither` as a share of the bid, for `days`; its news serves `days_after`."""

    dither: float
    days: int
    days_after: int


@dataclass(frozen=True)
class Choice:
    """Which keywords to test, and what the whole test is expected to bring over `days_after`.

    `value` is the sum over all keywords, tested or not; `own` per keyword, of which it alone profits.
    """

    tested: Bools
    value: float
    own: Floats


@dataclass(frozen=True)
class _News:
    """Per keyword how much of the variance of ε and of η a test removes."""

    elasticity: Floats
    exponent: Floats


def best_move(subjects: Subjects) -> Floats:
    """L* at the mean beliefs: log of the best bid over the present one, reach aside.

    log(Vε / (Λκ(ε+η))) / η on the power law; where clicks saturate, less by the ratio of the slopes.
    """
    response = subjects.response
    elasticity, exponent = _means(response)
    worth = np.maximum(subjects.value.mean, 1e-12) * elasticity
    price = np.maximum(subjects.line * response.cpc, 1e-12) * (elasticity + exponent)
    saturated = (elasticity + exponent) / _steepness(response)
    result: Floats = np.log(worth / price) * saturated / exponent
    return result


def information_gain(curvature: Floats, move: Floats, spread: Floats, reach: Floats) -> Floats:
    """Expected gain per day of acting on L* ~ N(move, spread²) instead of on `move`, within ±reach.

    E[½h(d(move)² − d(L*)²)] with d the distance to the nearest bid in reach, plus the spread itself:
    ½h(spread² + d(move)² − E d(L*)²); 0 where no news could change the move.
    """
    beyond = np.maximum(np.abs(move) - reach, 0.0)
    missed = _beyond_square(move - reach, spread) + _beyond_square(-move - reach, spread)
    gain: Floats = 0.5 * curvature * np.maximum(spread**2 + beyond**2 - missed, 0.0)
    return gain


def _beyond_square(mean: Floats, spread: Floats) -> Floats:
    """E[max(X, 0)²] for X ~ N(mean, spread²)."""
    safe = np.maximum(spread, 1e-12)
    z = mean / safe
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    result: Floats = (mean**2 + safe**2) * special.ndtr(z) + mean * safe * density
    return result


def dither_cost(subjects: Subjects, dither: float) -> Floats:
    """Expected profit per day lost while a bid is above and below its centre half of the time each.

    Measured against the centre itself, the bid without the test. Never less than the curvature at
    the top of the profit: a test that seems to pay by itself is a sign of a bid that should move.
    Not in it: moves that reviews of the coming weeks would have made of what they hear meanwhile.
    """
    up, down, instead = _profit(subjects, _around(subjects, dither)).T
    least = 0.5 * _curvature(subjects) * np.arctanh(dither) ** 2
    result: Floats = np.maximum(instead - 0.5 * (up + down), least)
    return result


def _around(subjects: Subjects, dither: float) -> Floats:
    """Bids above, below and at the centre, shape (keywords, 3)."""
    result: Floats = subjects.centre[:, None] * np.array([1 + dither, 1 - dither, 1.0])
    return result


def draw_dither_cost(
    subjects: Subjects,
    dither: float,
    volume: Gamma,
    draws: int,
    rng: np.random.Generator,
) -> Floats:
    """Draws of the sum of `dither_cost` over all subjects, shape (draws,).

    ε and η are drawn with their shared part; V and the volume of clicks each on its own.
    """
    response = subjects.response
    common = rng.standard_normal((2, draws))
    elasticity = _drawn(
        response.elasticity, response.elasticity_sd, subjects.common[0], common[0], rng
    )
    exponent = _drawn(
        response.cpc_exponent, response.cpc_exponent_sd, subjects.common[1], common[1], rng
    )
    value, clicks = subjects.value.draws(draws, rng), volume.draws(draws, rng)
    price = (subjects.line * response.cpc)[:, None]

    def profit(log_ratio: Floats) -> Floats:
        grown = click_growth(
            elasticity, log_ratio[:, None], response.click_share[:, None], response.won[:, None]
        )
        gained: Floats = clicks * grown * (value - price * np.exp(exponent * log_ratio[:, None]))
        return gained

    up, down, instead = np.log(_around(subjects, dither) / response.bid[:, None]).T
    result: Floats = (profit(instead) - 0.5 * (profit(up) + profit(down))).sum(axis=0)
    return result


def _drawn(
    mean: Floats, sd: Floats, shared: Floats, common: Floats, rng: np.random.Generator
) -> Floats:
    own = np.sqrt(np.maximum(sd**2 - shared**2, 0.0))[:, None]
    drawn = (
        mean[:, None]
        + shared[:, None] * common
        + own * rng.standard_normal((len(mean), len(common)))
    )
    result: Floats = np.maximum(drawn, 0.0)
    return result


def extra_spend(subjects: Subjects, dither: float) -> Floats:
    """Expected spend per day beyond that of the present bids: of the move to the centre, and of the
    dither, since costs grow faster above it than they shrink below.
    """
    cost = subjects.response.expected_cost(_around(subjects, dither))
    now = subjects.response.expected_cost(subjects.response.bid[:, None])
    result: Floats = cost[:, :2].mean(axis=1) - now[:, 0]
    return result


def _profit(subjects: Subjects, bids: Floats) -> Floats:
    response = subjects.response
    worth = subjects.value.mean[:, None] * response.expected_clicks(bids)
    result: Floats = worth - subjects.line[:, None] * response.expected_cost(bids)
    return result


def choose_tests(
    subjects: Subjects,
    trial: Trial,
    eligible: Bools,
    cost: Floats,
    cap: float,
    min_return: float,
    most: int,
    shared_share: float,
) -> Choice:
    """The tests worth most beyond `min_return` times their cost, under `cap` of cost per day.

    By value per cost, where a test's value is what it teaches about its own keyword and, through
    the shared part, about all others. Of that order the prefix is taken that leaves most over; the
    shared part counts from where the estimate would believe it, and by `shared_share` of its worth.
    """
    index = np.flatnonzero(eligible)
    tested, own = np.zeros(len(eligible), dtype=bool), np.zeros(len(eligible))
    if not len(index):
        return Choice(tested, 0.0, own)
    offers = _offers(subjects, trial, index, cost, shared_share)
    order = offers.best_first()[:most]
    value, spent = offers.totals(order)
    net = np.where(spent <= cap * trial.days, value - min_return * spent, -np.inf)
    best = int(np.argmax(net))
    if net[best] <= 0:
        return Choice(tested, 0.0, own)
    picked = order[: best + 1]
    tested[index[picked]] = True
    own[index[picked]] = offers.own[picked]
    return Choice(tested, float(value[best]), own)


@dataclass(frozen=True)
class _Shared:
    """One shared exponent: what each test tells of it, and what knowing it is worth to all.

    `value` at the information `known` over the prior's, a grid that starts at 0; below what the
    estimate would believe it is worth nothing.
    """

    weight: Floats
    known: Floats
    value: Floats

    def at(self, known: Floats) -> Floats:
        """Value of this much information."""
        found: Floats = np.where(known >= _BELIEVED, np.interp(known, self.known, self.value), 0.0)
        return found

    def slope(self) -> float:
        """Value of a piece of information on the way to all there is; 0 where all is not enough."""
        return float(self.at(self.known[-1:])[0] / self.known[-1])


@dataclass(frozen=True)
class _Offers:
    """Per keyword that could be tested: what it alone gains, what it tells of both shared exponents, price."""

    own: Floats
    shared: tuple[_Shared, _Shared]
    price: Floats

    def best_first(self) -> Ints:
        """Positions by value per price."""
        told = sum((one.slope() * one.weight for one in self.shared), self.own)
        return np.argsort(-told / self.price, kind="stable")

    def totals(self, order: Ints) -> tuple[Floats, Floats]:
        """Value and price of every prefix of `order`."""
        value = np.cumsum(self.own[order])
        for one in self.shared:
            value = value + one.at(np.cumsum(one.weight[order]))
        return value, np.cumsum(self.price[order])


def _means(response: Response) -> tuple[Floats, Floats]:
    return np.maximum(response.elasticity, 0.05), np.maximum(response.cpc_exponent, _LEAST_EXPONENT)


def _curvature(subjects: Subjects) -> Floats:
    response = subjects.response
    spend = response.clicks * response.cpc * subjects.line
    result: Floats = spend * _means(response)[1] * _steepness(response)
    return result


def _steepness(response: Response) -> Floats:
    """ε/(1−s) + η: how fast marginal cost per click outruns what the click is worth."""
    elasticity, exponent = _means(response)
    result: Floats = elasticity / np.maximum(1.0 - response.click_share, 0.05) + exponent
    return result


def _news_spread(subjects: Subjects, news: _News) -> Floats:
    """Standard deviation of the coming mean of L*.

    ∂L*/∂ε = 1/(ε·(ε/(1−s)+η)), ∂L*/∂η = −L*/η − 1/(η·(ε/(1−s)+η)).
    """
    elasticity, exponent = _means(subjects.response)
    steep = _steepness(subjects.response)
    by_elasticity = 1.0 / (elasticity * steep)
    by_exponent = np.clip(best_move(subjects), -subjects.reach, subjects.reach) / exponent
    by_exponent = by_exponent + 1.0 / (exponent * steep)
    result: Floats = np.sqrt(by_elasticity**2 * news.elasticity + by_exponent**2 * news.exponent)
    return result


def _precisions(subjects: Subjects, trial: Trial) -> tuple[Floats, Floats]:
    """Information (1/variance) that a test of each keyword gives on its own ε and η."""
    clicks = subjects.response.clicks
    seen = clicks * trial.days * np.arctanh(trial.dither) ** 2
    return seen / (1 + _CLICK_CV**2 * clicks), seen / _PRICE_CV**2


def _offers(
    subjects: Subjects, trial: Trial, index: Ints, cost: Floats, shared_share: float
) -> _Offers:
    response, precisions = subjects.response, _precisions(subjects, trial)
    variances = response.elasticity_sd**2, response.cpc_exponent_sd**2
    told = [
        _told_of_shared(variance[index], precision[index], sd[index])
        for variance, precision, sd in zip(variances, precisions, subjects.common, strict=True)
    ]
    return _Offers(
        own=_own_value(subjects, trial, index),
        shared=(
            _shared(subjects, trial, told[0], shared_share, of_exponent=False),
            _shared(subjects, trial, told[1], shared_share, of_exponent=True),
        ),
        price=np.maximum(cost[index], 1e-9) * trial.days,
    )


def _told_of_shared(variance: Floats, precision: Floats, shared_sd: Floats) -> Floats:
    """Information of each test on the shared part, as a multiple of the prior's: how much of its
    variance the shared part is against a keyword's own and that of the test.
    """
    own = np.maximum(variance - shared_sd**2, 0.0)
    result: Floats = shared_sd**2 / (own + 1.0 / np.maximum(precision, 1e-12))
    return result


def _shared(
    subjects: Subjects, trial: Trial, weight: Floats, counted: float, *, of_exponent: bool
) -> _Shared:
    """Value over `days_after`, to all keywords, of information on the shared ε or the shared η."""
    variance = subjects.common[int(of_exponent)] ** 2
    known = np.concatenate([[0.0], max(float(weight.sum()), 1e-9) * np.geomspace(1e-3, 1.0, _GRID)])
    none = np.zeros(len(subjects.line))
    gains = []
    for share in known / (1.0 + known):
        one = share * variance
        news = _News(none, one) if of_exponent else _News(one, none)
        gains.append(float(_gain(subjects, news).sum()))
    return _Shared(weight, known, counted * trial.days_after * np.array(gains))


def _own_value(subjects: Subjects, trial: Trial, index: Ints) -> Floats:
    """Over `days_after`, what each test brings its own keyword beyond a known shared part."""
    response, part = subjects.response, take(subjects, index)
    shared_elasticity, shared_exponent = (sd**2 for sd in part.common)
    on_elasticity, on_exponent = (one[index] for one in _precisions(subjects, trial))
    own = _News(
        _removed(response.elasticity_sd[index] ** 2, on_elasticity, shared_elasticity),
        _removed(response.cpc_exponent_sd[index] ** 2, on_exponent, shared_exponent),
    )
    both = _News(own.elasticity + shared_elasticity, own.exponent + shared_exponent)
    alone = _News(shared_elasticity, shared_exponent)
    gain: Floats = trial.days_after * np.maximum(_gain(part, both) - _gain(part, alone), 0.0)
    return gain


def _removed(variance: Floats, precision: Floats, shared: Floats) -> Floats:
    """Of a keyword's own variance, what a test with this precision removes, if it is believed at all."""
    own = np.maximum(variance - shared, 0.0)
    result: Floats = np.where(
        precision >= _ENOUGH, own**2 * precision / (1.0 + own * precision), 0.0
    )
    return result


def _gain(subjects: Subjects, news: _News) -> Floats:
    left = best_move(subjects) - np.log(subjects.centre / subjects.response.bid)
    gain = information_gain(
        _curvature(subjects), left, _news_spread(subjects, news), subjects.reach
    )
    return np.where(subjects.movable, gain, 0.0)


def take(subjects: Subjects, index: Ints) -> Subjects:
    """The subjects at `index`."""
    return Subjects(
        subjects.response.take(index),
        subjects.value.take(index),
        subjects.line[index],
        subjects.centre[index],
        subjects.reach[index],
        subjects.movable[index],
        (subjects.common[0][index], subjects.common[1][index]),
    )
