"""Which policy earns most where: every policy in every market, on the same seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np

from optimizer.errors import RefusedInput
from optimizer.planning.lives import Life, Task, check_market, live
from optimizer.planning.market import MarketSettings
from optimizer.planning.policies import POLICIES, PolicySettings
from optimizer.settings import Settings

LATE_DAYS = 14
WORST = 0.1
CAPPED = 0.99
ORACLE = "oracle"
T = TypeVar("T")


@dataclass(frozen=True)
class Score:
    """One policy in one market over all seeds; money in the market's currency, over all days of a life.

    `profit` mean over seeds, orders at their expectation; `oracle_share` its share of the oracle's,
    `late_share` that of the last 14 days. `worst_decile` mean profit of the worst tenth of seeds;
    `deepest_loss` the lowest point of any seed's running total of realised profit (0: never below).
    `spend` mean; `budget_used` its share of the budget. `budget_breaches` days beyond it in all seeds,
    which hourly budgets, as in the shipped markets, never let happen; `capped_days` those that spent all
    but a hundredth of it. `pauses` and `false_pauses` in all seeds. Of reviews only: `promised` and
    `delivered`, sums over all reviews of profit per day; `promised_over_delivered` their ratio, None
    where nothing or a loss was delivered; `coverage80`, the share of promised 80 % intervals that held.
    `regret`: mean running difference to the oracle at the end of each week.
    """

    profit: float
    oracle_share: float | None
    worst_decile: float
    budget_breaches: int
    capped_days: int
    promised: float | None
    delivered: float | None
    promised_over_delivered: float | None
    late_share: float | None
    deepest_loss: float
    spend: float
    budget_used: float | None
    pauses: int
    false_pauses: int
    coverage80: float | None
    profit_se: float | None
    regret: tuple[float, ...]


@dataclass(frozen=True)
class Scoreboard:
    """Scores by market, then by policy in the order asked for; `seeds` and `days` of each life."""

    scores: Mapping[str, Mapping[str, Score]]
    seeds: tuple[int, ...]
    days: int

    def to_json(self) -> dict[str, dict[str, dict[str, Any]]]:
        """market → policy → figures."""
        return {
            market: {policy: asdict(score) for policy, score in scores.items()}
            for market, scores in self.scores.items()
        }

    def lost_to(self) -> dict[str, dict[str, list[str]]]:
        """Per market and policy of ours those that earned more, ours and the oracle left out.

        Only those of ours that lost to somebody are named; one of ours never hides another's loss.
        """
        return {
            market: better({policy: one.profit for policy, one in scores.items()})
            for market, scores in self.scores.items()
        }


def simulate(
    markets: Mapping[str, MarketSettings],
    policies: Sequence[str],
    seeds: Sequence[int],
    days: int,
    settings: Settings,
    rules: PolicySettings,
    executor: Executor | None = None,
    tell: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> Scoreboard:
    """Every policy's life in every market on every seed; the oracle's too, which the others are held to.

    Lives are tasks for `executor` (one after the other here without one); the scores do not depend on
    it. Raises `RefusedInput` for a policy nobody knows or no seeds, `Infeasible` for a market with too
    few days. `tell` hears of the step "simulate".
    """
    _check(markets, policies, seeds, days)
    played = [*policies, *([] if ORACLE in policies else [ORACLE])]
    tasks = [
        Task(name, market, policy, seed, days, settings, rules)
        for name, market in markets.items()
        for policy in played
        for seed in seeds
    ]
    lives = dict(zip([_key(one) for one in tasks], _lives(tasks, executor, tell), strict=True))
    scores = {
        name: {
            policy: score(
                [lives[name, policy, seed] for seed in seeds],
                [lives[name, ORACLE, seed] for seed in seeds],
            )
            for policy in policies
        }
        for name in markets
    }
    return Scoreboard(scores, tuple(seeds), days)


def score(lives: Sequence[Life], oracle: Sequence[Life]) -> Score:
    """The figures of one policy's lives against the oracle's on the same seeds."""
    daily, best = (np.stack([one.earned for one in each]) for each in (lives, oracle))
    profit = daily.sum(axis=1)
    spend = np.array([one.cost.sum() for one in lives])
    promises = np.concatenate([one.promises for one in lives])
    budget = sum(one.budget * len(one.cost) for one in lives if one.budget is not None)
    running = np.stack([one.realised for one in lives]).cumsum(axis=1)
    return Score(
        profit=float(profit.mean()),
        oracle_share=_ratio(profit.sum(), best.sum()),
        worst_decile=float(np.sort(profit)[: max(int(len(profit) * WORST), 1)].mean()),
        budget_breaches=sum(one.breaches for one in lives),
        capped_days=sum(_capped(one) for one in lives),
        promised=float(promises[:, 0].sum()) if len(promises) else None,
        delivered=float(promises[:, 3].sum()) if len(promises) else None,
        promised_over_delivered=_promised(promises),
        late_share=_ratio(daily[:, -LATE_DAYS:].sum(), best[:, -LATE_DAYS:].sum()),
        deepest_loss=min(float(running.min()), 0.0),
        spend=float(spend.mean()),
        budget_used=float(spend.sum() / budget) if budget else None,
        pauses=sum(one.pauses for one in lives),
        false_pauses=sum(one.false_pauses for one in lives),
        coverage80=_coverage(promises),
        profit_se=float(profit.std(ddof=1) / np.sqrt(len(profit))) if len(profit) > 1 else None,
        regret=_regret(daily, best),
    )


def _check(
    markets: Mapping[str, MarketSettings],
    policies: Sequence[str],
    seeds: Sequence[int],
    days: int,
) -> None:
    for policy in policies:
        if policy not in POLICIES:
            raise RefusedInput("policy_unknown", policy=policy, known=", ".join(POLICIES))
    if not (markets and policies and seeds) or days < 1:
        raise RefusedInput("nothing_to_simulate")
    for name, market in markets.items():
        check_market(name, market, days)


def _key(task: Task) -> tuple[str, str, int]:
    return task.name, task.policy, task.seed


def _lives(
    tasks: Sequence[Task], executor: Executor | None, tell: Callable[[str, int, int], None]
) -> list[Life]:
    """In the order of `tasks`."""
    tell("simulate", 0, len(tasks))
    if executor is None:
        return list(_counted((live(task) for task in tasks), len(tasks), tell))
    futures = [executor.submit(live, task) for task in tasks]
    for _ in _counted(as_completed(futures), len(tasks), tell):
        pass
    return [future.result() for future in futures]


def _counted(parts: Iterable[T], total: int, tell: Callable[[str, int, int], None]) -> Iterable[T]:
    for done, part in enumerate(parts, start=1):
        tell("simulate", done, total)
        yield part


def _ratio(amount: float, whole: float) -> float | None:
    """None where the oracle itself earns nothing."""
    return float(amount / whole) if whole > 0 else None


def _promised(promises: np.ndarray) -> float | None:
    """Sum of what was promised over that of what came; None where nothing came."""
    return _ratio(float(promises[:, 0].sum()), float(promises[:, 3].sum()))


def _coverage(promises: np.ndarray) -> float | None:
    if not len(promises):
        return None
    _, low, high, came = promises.T
    return float(((came >= low) & (came <= high)).mean())


def _regret(daily: np.ndarray, best: np.ndarray) -> tuple[float, ...]:
    running = (best - daily).mean(axis=0).cumsum()
    ends = [*range(6, len(running) - 1, 7), len(running) - 1]
    return tuple(round(float(running[end]), 2) for end in ends)


def _capped(life: Life) -> int:
    return 0 if life.budget is None else int((life.cost >= CAPPED * life.budget).sum())


def better(profit: Mapping[str, float]) -> dict[str, list[str]]:
    """Per policy of ours those of others but the oracle that earned more, where there are any."""
    ours = {name: one for name, one in profit.items() if name.startswith("optimizer")}
    rest = {name: one for name, one in profit.items() if name not in ours and name != ORACLE}
    found = {mine: [name for name, one in rest.items() if one > own] for mine, own in ours.items()}
    return {mine: names for mine, names in found.items() if names}
