"""Fixed worlds of creatives, and the policies that are let loose on them.

A world is drawn from one generator per seed: what is true of each arm on each day, and how late its
conversions come. A policy answers with shares of the day's impressions from what a report would
tell on that morning. Truth is kept apart from what is seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from optimizer.decisions.creatives import ArmDays, Design, assess

ORDER_VALUE = 60.0
MEAN_DELAY_DAYS = 5.0


@dataclass(frozen=True)
class World:
    """`ctr` per (arm, day), `cvr` per arm, `impressions` a day; conversions come late if `delayed`."""

    ctr: np.ndarray
    cvr: np.ndarray
    impressions: int
    delayed: bool = False

    @property
    def arms(self) -> int:
        """Number of arms."""
        return len(self.cvr)

    @property
    def days(self) -> int:
        """Length of the test."""
        return self.ctr.shape[1]

    def worth(self, metric: str) -> np.ndarray:
        """True CTR, or true value per impression, per (arm, day)."""
        return self.ctr if metric == "ctr" else self.ctr * self.cvr[:, None] * ORDER_VALUE


def batch_world(
    arms: int, impressions: int, concentration: float, rng: np.random.Generator, days: int = 30
) -> World:
    """CTR ~ Beta(.02 c, .98 c), the same every day."""
    ctr = rng.beta(0.02 * concentration, 0.98 * concentration, arms)
    return World(np.repeat(ctr[:, None], days, axis=1), np.full(arms, 0.03), impressions)


def value_world(rng: np.random.Generator, drift: float = 0.0, days: int = 30) -> World:
    """Eight arms whose CTR and conversion rate go against each other (ρ = −0.7, sd 25 % each)."""
    shock = rng.multivariate_normal([0, 0], [[1, -0.7], [-0.7, 1]], 8)
    ctr, cvr = np.maximum(1 + 0.25 * shock, 0.1).T * np.array([[0.02], [0.03]])
    walk = np.exp(np.cumsum(rng.normal(0, drift, (8, days)), axis=1) if drift else 0.0)
    return World(np.clip(ctr[:, None] * walk * np.ones(days), 0, 0.5), cvr, 20_000, delayed=True)


def completion(days: int, delay: float = MEAN_DELAY_DAYS) -> np.ndarray:
    """F on the morning after the last of `days`: a day's conversions half a day old on average."""
    age = np.arange(days - 1, -1, -1.0)
    return 1 - np.exp(-(age + 0.5) / delay)


class Report:
    """What a world's reports tell: impressions and clicks at once, conversions as they arrive."""

    def __init__(self, world: World, rng: np.random.Generator) -> None:
        self.world, self._rng = world, rng
        self.impressions = np.zeros((world.arms, 0))
        self.clicks = np.zeros((world.arms, 0))
        self.arrived = np.zeros((world.arms, 0))
        self._coming = np.zeros((world.arms, 0))

    @property
    def day(self) -> int:
        """Days lived so far."""
        return self.impressions.shape[1]

    def live(self, shares: np.ndarray) -> None:
        """One day under these shares."""
        shown = self._rng.multinomial(self.world.impressions, shares / shares.sum())
        clicks = self._rng.binomial(shown, self.world.ctr[:, self.day])
        orders = self._rng.binomial(clicks, np.clip(self.world.cvr, 0, 1))
        self.impressions = np.column_stack([self.impressions, shown])
        self.clicks = np.column_stack([self.clicks, clicks])
        self._coming = np.column_stack([self._coming, orders])
        self.arrived = np.column_stack([self.arrived, np.zeros(self.world.arms)])
        self._deliver()

    def _deliver(self) -> None:
        """Of each day's orders still to come those that come before the next morning."""
        known = completion(self.day) if self.world.delayed else np.ones(self.day)
        before = np.append(known[1:], 0.0)
        chance = np.divide(known - before, 1 - before, out=np.ones(self.day), where=before < 1)
        came = self._rng.binomial(self._coming.astype(int), np.clip(chance, 0, 1)[None, :])
        self._coming = self._coming - came
        self.arrived = self.arrived + came

    def seen(self, completed: bool = True, delay: float = MEAN_DELAY_DAYS) -> ArmDays:
        """As the operator's program reads it; not `completed`: as if all conversions were there."""
        late = self.world.delayed and completed
        return ArmDays(
            impressions=self.impressions,
            clicks=self.clicks,
            conversions=self.arrived,
            value=self.arrived * ORDER_VALUE,
            completion=completion(self.day, delay) if late else np.ones(self.day),
        )


Policy = Callable[[Report, np.random.Generator], np.ndarray]


def uniform(report: Report, rng: np.random.Generator) -> np.ndarray:
    return np.full(report.world.arms, 1 / report.world.arms)


def epsilon_greedy(metric: str, epsilon: float = 0.1) -> Policy:
    """All but `epsilon` to the arm with the best raw ratio so far; an arm unseen comes first."""

    def decide(report: Report, rng: np.random.Generator) -> np.ndarray:
        shares = np.full(report.world.arms, epsilon / report.world.arms)
        shown = report.impressions.sum(axis=1)
        got = (report.clicks if metric == "ctr" else report.arrived).sum(axis=1)
        ratio = np.divide(got, shown, out=np.full(len(shown), np.inf), where=shown > 0)
        shares[np.argmax(ratio)] += 1 - epsilon
        return shares if report.day else uniform(report, rng)

    return decide


def textbook_ts(draws: int = 500) -> Policy:
    """Clicks only, Beta(1, 1) priors, no floor: Thompson sampling as it is usually written."""

    def decide(report: Report, rng: np.random.Generator) -> np.ndarray:
        clicks, shown = report.clicks.sum(axis=1), report.impressions.sum(axis=1)
        drawn = rng.beta(1 + clicks, 1 + shown - clicks, (draws, report.world.arms))
        return np.bincount(drawn.argmax(axis=1), minlength=report.world.arms) / draws

    return decide


def ours(
    metric: str,
    *,
    floor: float = 0.1,
    even: bool = False,
    completed: bool = True,
    delay: float = MEAN_DELAY_DAYS,
) -> Policy:
    """The product's own morning on the days as reported; `delay` is the mean delay it believes in.

    `even`: its floor is even, as where claims are wanted.
    """
    design = Design(metric=metric, floor=floor, claims_wanted=even)  # type: ignore[arg-type]

    def decide(report: Report, rng: np.random.Generator) -> np.ndarray:
        days = report.seen(completed, delay) if report.day else None
        if days is None or (metric != "ctr" and not days.sums().value.any()):
            return uniform(report, rng)
        return assess(days, design, rng).share

    return decide


def regret(world: World, policy: Policy, metric: str, rng: np.random.Generator) -> float:
    """Share of what always showing the best arm brings that the policy forgoes."""
    worth, report, got = world.worth(metric), Report(world, rng), 0.0
    for day in range(world.days):
        shares = policy(report, rng)
        got += float(shares @ worth[:, day])
        report.live(shares)
    return 1 - got / float(worth.sum(axis=1).max())
