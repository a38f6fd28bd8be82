"""Which settings of our own policies earn more than the defaults: Optuna asks, markets answer.

A trial is one choice of settings; its value on one (market, seed) is its profit beyond that of the
defaults on the same luck, as a share of the oracle's mean profit in that market, and these pairs are
what the Wilcoxon pruner stops hopeless trials by. The study lives in a storage named by a URL, so that
several processes and machines can work on one. Each trial draws from a generator of its own, made of the
seed and the trial's place, and its lives are judged in a fixed order: one process gives the same study
whatever it was interrupted by and however many workers live the lives.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from optimizer import __version__
from optimizer.errors import Infeasible, RefusedInput
from optimizer.planning.held_out import (
    LEAST_SEEDS,
    HeldOutMarket,
    Verdict,
    held_out_market,
    verdict,
)
from optimizer.planning.lives import Life, Task, check_market, live
from optimizer.planning.market import MarketSettings
from optimizer.planning.policies import PolicySettings
from optimizer.planning.search_space import (
    Range,
    SearchSpace,
    explored,
    rounded,
    values_of,
    with_values,
)
from optimizer.settings import Settings

TUNABLE = ("optimizer", "optimizer_explore")
PRUNE_BELOW = 0.1
JOURNAL = "journal:"
DEFAULT = "default"
WAITS = (0.1, 0.4, 0.0)
"""Seconds after each failure to open a storage: of two processes that make its tables one fails once."""
DECIDED = {True: "tuned", False: "kept"}
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Question:
    """What is tuned: `policy` in `markets` on `seeds`; `held_out` markets and `held_out_seeds` decide.

    `rules` are the defaults, `space` what may move, `days` the length of a life.
    """

    policy: str
    markets: Mapping[str, MarketSettings]
    seeds: tuple[int, ...]
    held_out: Mapping[str, MarketSettings]
    held_out_seeds: tuple[int, ...]
    days: int
    settings: Settings
    rules: PolicySettings
    space: SearchSpace

    @property
    def places(self) -> list[tuple[str, int]]:
        """Every (market, seed) that a trial is judged on."""
        return [(market, seed) for market in self.markets for seed in self.seeds]

    def task(self, market: str, seed: int, rules: PolicySettings, policy: str = "") -> Task:
        """One life under `rules`."""
        told = self.markets.get(market) or self.held_out[market]
        name = policy or self.policy
        return Task(market, told, name, seed, self.days, self.settings, rules)


@dataclass(frozen=True)
class Tuning:
    """What a study says so far; `values` of the best trial, `default` of the same settings now.

    `gain` is the best trial's mean over what it was tuned on, so it flatters. `verdict` is None where
    no trial beat the defaults or the study was interrupted. `rules` are the settings to use.
    """

    study: str
    policy: str
    trials: int
    pruned: int
    interrupted: bool
    default: Mapping[str, float]
    values: Mapping[str, float]
    gain: float
    verdict: Verdict | None
    rules: PolicySettings

    @property
    def accepted(self) -> bool:
        """Whether held-out lives bear the tuned settings out."""
        return self.verdict is not None and self.verdict.accepted

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values; the settings to use are in the file."""
        return {
            "study": self.study,
            "policy": self.policy,
            "decided": DECIDED[self.accepted],
            "trials": self.trials,
            "pruned": self.pruned,
            "interrupted": self.interrupted,
            "default": dict(self.default),
            "best": dict(self.values),
            "gain": self.gain,
            "held_out": None if self.verdict is None else self.verdict.to_json(),
        }


def tune(
    question: Question,
    *,
    storage: str,
    study: str | None,
    trials: int,
    seed: int,
    executor: Executor | None = None,
    tell: Tell = lambda step, done, total: None,
    lived: Callable[[Task], Life] = live,
) -> Tuning:
    """Go on with the study until it has `trials` finished ones, then let held-out lives decide.

    An interrupt (`KeyboardInterrupt`) ends it early and keeps what is finished. Raises `RefusedInput`
    for a question without an answer, a storage that cannot be used or a study of another question,
    `Infeasible` for markets with too few days. `tell` hears of "reference", "tune" and "held_out";
    `lived` makes a life of a task.
    """
    _check(question)
    name = study or study_name(question)
    crew, kept = _Crew(executor, lived, tell), _storage(storage)
    try:
        opened = _opened(question, kept, name)
        ended = _ended(opened, question, trials, seed, crew)
        return _told(opened, question, name, ended, crew)
    finally:
        _close(kept)


def _ended(study: optuna.Study, question: Question, trials: int, seed: int, crew: _Crew) -> bool:
    """Whether the study got all its trials before somebody interrupted it."""
    try:
        _run(study, question, _reference(study, question, crew), trials, seed, crew)
    except KeyboardInterrupt:
        return False
    return True


def study_name(question: Question) -> str:
    """The same question has the same study."""
    digest = hashlib.sha256(json.dumps(identity(question), sort_keys=True).encode()).hexdigest()
    return f"{question.policy}-{'+'.join(question.markets)}-{digest[:8]}"


def identity(question: Question) -> dict[str, str]:
    """What trials of one study must share, as digests by name."""
    shared = {
        "policy": question.policy,
        "markets": {name: one.model_dump() for name, one in question.markets.items()},
        "seeds": question.seeds,
        "days": question.days,
        "ranges": explored(question.space, question.policy).model_dump(),
        "defaults": question.rules.model_dump(),
        "settings": question.settings.model_dump(mode="json"),
        "version": __version__,
    }
    return {key: _digest(value) for key, value in shared.items()}


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _check(question: Question) -> None:
    if question.policy not in TUNABLE:
        raise RefusedInput("policy_not_tunable", policy=question.policy, known=", ".join(TUNABLE))
    both = sorted(set(question.markets) & set(question.held_out))
    if both:
        raise RefusedInput("held_out_market_tuned", market=both[0])
    if not (question.markets and question.held_out and question.seeds):
        raise RefusedInput("nothing_to_simulate")
    if len(question.held_out_seeds) < LEAST_SEEDS:
        asked = len(question.held_out_seeds)
        raise RefusedInput("held_out_too_few", asked=asked, nearest=LEAST_SEEDS)
    for name, market in {**question.markets, **question.held_out}.items():
        check_market(name, market, question.days)


def _opened(question: Question, storage: BaseStorage, name: str) -> optuna.Study:
    """The study, new or gone on with; the first process writes down what it is about."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    opened = optuna.create_study(
        storage=storage,
        study_name=name,
        direction="maximize",
        load_if_exists=True,
        pruner=_pruner(),
    )
    asked, known = identity(question), opened.user_attrs.get("identity")
    for key, value in asked.items():
        if known is not None and known.get(key) != value:
            raise RefusedInput("study_differs", study=name, key=key)
    if known is None:
        opened.set_user_attr("identity", asked)
    return opened


def _pruner() -> optuna.pruners.BasePruner:
    with warnings.catch_warnings():
        # It may change in a later version; the constraints name the one that was tried.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.pruners.WilcoxonPruner(p_threshold=PRUNE_BELOW)


def _storage(url: str) -> BaseStorage:
    """`journal:FILE`, or a database that SQLAlchemy knows; passwords stay out of messages."""
    for wait in WAITS:
        try:
            return _opened_storage(url)
        except Exception as error:  # those of drivers and SQLAlchemy, neither known here
            failed = error
            time.sleep(wait)
    shown = re.sub(r"://[^@/]*@", "://***@", url)
    why = type(failed).__name__
    raise RefusedInput("study_storage_unusable", storage=shown, why=why) from failed


def _opened_storage(url: str) -> BaseStorage:
    if url.startswith(JOURNAL):
        return JournalStorage(JournalFileBackend(url.removeprefix(JOURNAL)))
    waits = {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {}
    return RDBStorage(url, engine_kwargs={"pool_pre_ping": True, **waits})


def _close(storage: BaseStorage) -> None:
    if isinstance(storage, RDBStorage):
        storage.remove_session()
        storage.engine.dispose()


@dataclass(frozen=True)
class _Crew:
    """Who lives the lives, and who hears of it."""

    executor: Executor | None
    live: Callable[[Task], Life]
    tell: Tell

    def lives(self, tasks: Sequence[Task]) -> Iterator[Life]:
        """In the order of `tasks`, each as soon as it and those before it are known; the rest is dropped."""
        if self.executor is None:
            yield from map(self.live, tasks)
            return
        futures = [self.executor.submit(self.live, task) for task in tasks]
        try:
            for future in futures:
                yield future.result()
        finally:
            for future in futures:
                future.cancel()

    def counted(self, tasks: Sequence[Task], step: str) -> list[Life]:
        """All of them, each told of."""
        self.tell(step, 0, len(tasks))
        lives = []
        for life in self.lives(tasks):
            lives.append(life)
            self.tell(step, len(lives), len(tasks))
        return lives


@dataclass(frozen=True)
class _Reference:
    """Per place the defaults' profit, and per market the oracle's mean."""

    profit: Sequence[float]
    oracle: Mapping[str, float]


def _reference(study: optuna.Study, question: Question, crew: _Crew) -> _Reference:
    """What trials are measured against; lived once per study, then read from it."""
    known = study.user_attrs.get("reference")
    if known is None:
        known = _lived_reference(question, crew)
        study.set_user_attr("reference", known)
        study.add_trial(_default_trial(question))
    return _Reference(**known)


def _lived_reference(question: Question, crew: _Crew) -> dict[str, Any]:
    places, rules = question.places, question.rules
    tasks = [question.task(*place, rules) for place in places]
    tasks += [question.task(*place, rules, "oracle") for place in places]
    lives = crew.counted(tasks, "reference")
    ours, best = lives[: len(places)], lives[len(places) :]
    oracle = {
        market: float(
            np.mean(
                [one.earned.sum() for one, of in zip(best, places, strict=True) if of[0] == market]
            )
        )
        for market in question.markets
    }
    _require_profit(oracle)
    return {"profit": [float(one.earned.sum()) for one in ours], "oracle": oracle}


def _require_profit(oracle: Mapping[str, float]) -> None:
    for market, profit in oracle.items():
        if profit <= 0:
            raise Infeasible("market_without_profit", market=market)


def _default_trial(question: Question) -> optuna.trial.FrozenTrial:
    space = explored(question.space, question.policy)
    return optuna.trial.create_trial(
        params=values_of(question.rules, space),
        distributions=_distributions(question.rules, space),
        value=0.0,
        intermediate_values=dict.fromkeys(range(len(question.places)), 0.0),
        user_attrs={DEFAULT: True},
    )


def _distributions(rules: PolicySettings, space: SearchSpace) -> dict[str, BaseDistribution]:
    now = values_of(rules, space)
    return {key: _distribution(ends, now[key]) for key, ends in space.settings.items()}


def _distribution(ends: Range, now: float) -> BaseDistribution:
    if isinstance(now, int):
        return IntDistribution(int(ends.low), int(ends.high), log=ends.log)
    return FloatDistribution(ends.low, ends.high, log=ends.log)


def _run(
    study: optuna.Study,
    question: Question,
    known: _Reference,
    trials: int,
    seed: int,
    crew: _Crew,
) -> None:
    """Trials until there are enough; one under way when it is interrupted counts as failed."""
    space = _distributions(question.rules, explored(question.space, question.policy))
    while (done := _finished(study)) < trials:
        crew.tell("tune", done, trials)
        trial = study.ask()
        rng = _generator(study, trial, seed)
        study.sampler = optuna.samplers.TPESampler(seed=int(rng.integers(2**32)))
        try:
            values = {key: rounded(_suggested(trial, key, ends)) for key, ends in space.items()}
            gains = _gains(trial, question, known, values, rng, crew)
        except BaseException:
            study.tell(trial, state=TrialState.FAIL)
            raise
        whole = len(gains) == len(question.places)
        state = TrialState.COMPLETE if whole else TrialState.PRUNED
        study.tell(trial, float(np.mean(gains)) if whole else None, state=state)
    crew.tell("tune", trials, trials)


def _generator(study: optuna.Study, trial: optuna.Trial, seed: int) -> np.random.Generator:
    """Of the trial's place among those that did not fail, so that an interrupt changes nothing."""
    failed = len(study.get_trials(deepcopy=False, states=(TrialState.FAIL,)))
    return np.random.default_rng([seed, trial.number - failed])


def _suggested(trial: optuna.Trial, key: str, ends: BaseDistribution) -> float:
    if isinstance(ends, IntDistribution):
        return trial.suggest_int(key, ends.low, ends.high, log=ends.log)
    assert isinstance(ends, FloatDistribution)
    return trial.suggest_float(key, ends.low, ends.high, log=ends.log)


def _gains(
    trial: optuna.Trial,
    question: Question,
    known: _Reference,
    values: Mapping[str, float],
    rng: np.random.Generator,
    crew: _Crew,
) -> list[float]:
    """Gain by place in an order of the trial's own, until the pruner has seen enough."""
    rules, places = with_values(question.rules, values), question.places
    order = [int(place) for place in rng.permutation(len(places))]
    gains: list[float] = []
    tasks = [question.task(*places[place], rules) for place in order]
    for place, life in zip(order, crew.lives(tasks), strict=False):
        gain = (float(life.earned.sum()) - known.profit[place]) / known.oracle[places[place][0]]
        gains.append(gain)
        trial.report(gain, place)
        if trial.should_prune():
            break
    return gains


def _finished(study: optuna.Study) -> int:
    """Trials that ended, whole or pruned; the defaults' own is not counted."""
    states = (TrialState.COMPLETE, TrialState.PRUNED)
    ended = study.get_trials(deepcopy=False, states=states)
    return sum(DEFAULT not in one.user_attrs for one in ended)


def _told(study: optuna.Study, question: Question, name: str, ended: bool, crew: _Crew) -> Tuning:
    default = values_of(question.rules, explored(question.space, question.policy))
    pruned = len(study.get_trials(deepcopy=False, states=(TrialState.PRUNED,)))
    values, gain = _best(study, default)
    found = None
    if gain > 0 and ended:
        try:
            found = _verdict(study, question, values, crew)
        except KeyboardInterrupt:
            ended = False
    taken = found is not None and found.accepted
    return Tuning(
        study=name,
        policy=question.policy,
        trials=_finished(study),
        pruned=pruned,
        interrupted=not ended,
        default=default,
        values=values,
        gain=gain,
        verdict=found,
        rules=with_values(question.rules, values) if taken else question.rules,
    )


def _best(study: optuna.Study, default: Mapping[str, float]) -> tuple[dict[str, float], float]:
    """Settings and mean gain of the best whole trial; the defaults' where nothing gained."""
    whole = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    best = max(whole, key=lambda one: (one.value or 0.0, -one.number), default=None)
    if best is None or not best.value or best.value <= 0:
        return dict(default), 0.0
    return {key: rounded(best.params[key]) for key in default}, best.value


def _verdict(
    study: optuna.Study,
    question: Question,
    values: Mapping[str, float],
    crew: _Crew,
) -> Verdict:
    looks = _looks(study, question, values)
    tuned = with_values(question.rules, values)
    seeds = question.held_out_seeds
    names = [*question.markets, *question.held_out]
    tasks = [
        question.task(market, seed, rules, policy)
        for market in names
        for rules, policy in ((question.rules, ""), (tuned, ""), (question.rules, "oracle"))
        for seed in seeds
    ]
    lives = crew.counted(tasks, "held_out")
    size = len(seeds)
    parts = [lives[start : start + size] for start in range(0, len(lives), size)]
    told = [
        _of_market(market, question, parts[3 * place : 3 * place + 3])
        for place, market in enumerate(names)
    ]
    return verdict(told, looks)


def _of_market(market: str, question: Question, parts: Sequence[list[Life]]) -> HeldOutMarket:
    default, tuned, oracle = parts
    _require_profit({market: float(np.mean([one.earned.sum() for one in oracle]))})
    return held_out_market(market, market in question.markets, default, tuned, oracle)


def _looks(study: optuna.Study, question: Question, values: Mapping[str, float]) -> int:
    """How many different settings this study has held to these held-out lives, this one included."""
    held = {name: one.model_dump() for name, one in question.held_out.items()}
    key = f"looks {_digest([held, question.held_out_seeds])}"
    known: list[Mapping[str, float]] = study.user_attrs.get(key, [])
    if dict(values) not in known:
        known = [*known, dict(values)]
        study.set_user_attr(key, known)
    return len(known)
