from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest

from optimizer.errors import BadSettings, Infeasible, RefusedInput
from optimizer.planning.held_out import paired_test
from optimizer.planning.lives import Life, Task
from optimizer.planning.market import MarketSettings
from optimizer.planning.policies import PolicySettings
from optimizer.planning.search_space import (
    SearchSpace,
    explored,
    load_search_space,
    values_of,
    with_values,
)
from optimizer.planning.tuning import Question, Tuning, tune
from optimizer.settings import Configs, Settings, find_configs
from simulations.postgres import new_database, temporary_server

SHOP = MarketSettings.model_validate({"size": {"horizon_days": 60}})
SPACE = SearchSpace.model_validate(
    {"settings": {"guardrails.step_limit": {"low": 0.1, "high": 0.9}, "every_days": {"low": 3, "high": 14}}}
)  # fmt: skip
QUESTION = Question(
    "optimizer", {"shop": SHOP}, tuple(range(8)), {"other": SHOP}, tuple(range(8, 18)), 20,
    Settings(), PolicySettings(), SPACE,
)  # fmt: skip


def lived(task: Task, worth: float) -> Life:
    """A life whose profit depends on luck, and by `worth` on how near the step limit is to 0.7."""
    luck = np.random.default_rng([task.seed, len(task.name)])
    own = np.random.default_rng([task.seed, int(1e3 * task.rules.guardrails.step_limit)])
    gain = 0.0
    if task.policy != "oracle":
        gain = -30 + own.normal(0, 2) - worth * abs(task.rules.guardrails.step_limit - 0.7)
    days = np.full(task.days, (100 + luck.normal(0, 20) + gain) / task.days)
    return Life(days, days, days, None, 0, 0, 0, np.empty((0, 4)))


def telling(task: Task) -> Life:
    return lived(task, 50.0)


def luck_alone(task: Task) -> Life:
    return lived(task, 0.0)


def asked(folder: Path, question: Question = QUESTION, **told: Any) -> Tuning:
    told = {"trials": 12, "seed": 1, "study": None, "lived": telling, **told}
    return tune(question, storage=f"journal:{folder / 'study.log'}", **told)


def test_settings_that_earn_more_on_held_out_lives_are_taken(tmp_path: Path) -> None:
    told = asked(tmp_path)
    assert told.accepted
    assert abs(told.values["guardrails.step_limit"] - 0.7) < 0.2
    assert told.rules.guardrails.step_limit == told.values["guardrails.step_limit"]
    assert told.rules.every_days == told.values["every_days"]
    assert told.trials == 12
    assert told.pruned > 0


def test_luck_alone_leaves_the_defaults(tmp_path: Path) -> None:
    """Most studies find something that looks better where it was tuned; held-out lives know better."""
    taken = looked_better = 0
    for seed in range(15):
        seeds = tuple(range(100 * seed, 100 * seed + 8))
        later = tuple(range(100 * seed + 50, 100 * seed + 60))
        told = asked(
            tmp_path, replace(QUESTION, seeds=seeds, held_out_seeds=later), lived=luck_alone
        )
        assert told.accepted or told.rules == QUESTION.rules
        looked_better += told.gain > 0
        taken += told.accepted
    assert looked_better >= 5
    assert taken <= 1


def test_a_trial_stops_once_it_is_surely_worse(tmp_path: Path) -> None:
    told = asked(tmp_path, trials=15)
    study = optuna.load_study(study_name=told.study, storage=_journal(tmp_path))
    judged = {
        state: [len(one.intermediate_values) for one in study.trials if one.state.name == state]
        for state in ("PRUNED", "COMPLETE")
    }
    assert max(judged["PRUNED"]) < 8
    assert set(judged["COMPLETE"]) == {8}


def _journal(folder: Path) -> optuna.storages.JournalStorage:
    file = optuna.storages.journal.JournalFileBackend(str(folder / "study.log"))
    return optuna.storages.JournalStorage(file)


def test_the_same_seed_gives_the_same_study_however_lives_are_spread(tmp_path: Path) -> None:
    (tmp_path / "spread").mkdir()
    with ThreadPoolExecutor(3) as executor:
        spread = asked(tmp_path / "spread", executor=executor)
    assert asked(tmp_path) == spread
    assert asked(tmp_path, study="anew", seed=2).values != spread.values


def test_an_interrupted_study_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    left = [25]

    def impatient(task: Task) -> Life:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        return telling(task)

    broken = asked(tmp_path, lived=impatient)
    assert broken.interrupted
    assert 0 < broken.trials < 12
    assert broken.verdict is None
    assert broken.rules == QUESTION.rules
    (tmp_path / "whole").mkdir()
    assert asked(tmp_path) == asked(tmp_path / "whole")


def test_an_interrupt_before_the_first_trial_keeps_the_defaults(tmp_path: Path) -> None:
    def gone(task: Task) -> Life:
        raise KeyboardInterrupt

    told = asked(tmp_path, lived=gone)
    assert (told.interrupted, told.trials, told.gain, told.rules) == (True, 0, 0, QUESTION.rules)


def test_a_finished_study_is_not_tuned_again(tmp_path: Path) -> None:
    first = asked(tmp_path)
    steps: list[str] = []
    again = asked(tmp_path, tell=lambda step, done, total: steps.append(step))
    assert again == first
    assert "reference" not in steps
    assert steps.count("tune") == 1


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_processes_share_one_study(tmp_path: Path, kind: str) -> None:
    def shared(url: str) -> list[Tuning]:
        with ThreadPoolExecutor(2) as pool:
            told = {"storage": url, "study": "both", "trials": 8, "lived": telling}
            asked = [pool.submit(tune, QUESTION, **told, seed=seed) for seed in (1, 2)]
            return [one.result() for one in asked]

    if kind == "sqlite":
        found = shared(f"sqlite:///{tmp_path / 'studies.sqlite'}")
    else:
        with temporary_server() as server:
            database = new_database(server)
            tune(QUESTION, storage=database, study="both", trials=1, seed=0, lived=telling)
            found = shared(database)
    assert all(8 <= one.trials <= 9 for one in found)


def test_each_other_setting_held_to_the_same_lives_counts_as_a_look() -> None:
    gains = [0.05, 0.02, 0.03, -0.01, 0.04, 0.05, 0.02, 0.01]
    once, thrice = paired_test(gains), paired_test(gains, looks=3)
    assert thrice.p == pytest.approx(3 * once.p)
    assert once.passed
    assert once.gain == pytest.approx(0.02625)
    assert not paired_test([-gain for gain in gains]).passed
    assert not paired_test([0.0] * 6).passed


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"policy": "hold"}, "policy_not_tunable"),
        ({"held_out": {"shop": SHOP}}, "held_out_market_tuned"),
        ({"held_out": {}}, "nothing_to_simulate"),
        ({"seeds": ()}, "nothing_to_simulate"),
        ({"held_out_seeds": (1, 2, 3, 4)}, "held_out_too_few"),
        ({"days": 54}, "market_too_short"),
    ],
)
def test_what_cannot_be_tuned_is_refused_by_name(
    tmp_path: Path, parts: dict[str, object], code: str
) -> None:
    with pytest.raises((RefusedInput, Infeasible)) as refused:
        asked(tmp_path, replace(QUESTION, **parts))
    assert refused.value.code == code
    assert not (tmp_path / "study.log").exists()


def test_a_study_of_another_question_is_refused(tmp_path: Path) -> None:
    asked(tmp_path, study="mine", trials=1)
    with pytest.raises(RefusedInput) as refused:
        asked(tmp_path, replace(QUESTION, days=21), study="mine")
    assert (refused.value.code, refused.value.fields["key"]) == ("study_differs", "days")


@pytest.mark.parametrize("url", ["nonsense", "sqlite:////nowhere/at/all.db", "journal:/nowhere/x"])
def test_a_storage_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(RefusedInput) as refused:
        tune(QUESTION, storage=url, study=None, trials=1, seed=0, lived=telling)
    assert refused.value.code == "study_storage_unusable"


def test_a_password_is_never_told() -> None:
    url = "postgresql+psycopg://me:secret@127.0.0.1:1/studies?connect_timeout=1"
    with pytest.raises(RefusedInput) as refused:
        tune(QUESTION, storage=url, study=None, trials=1, seed=0, lived=telling)
    assert "secret" not in str(refused.value)


def test_a_market_in_which_nothing_can_be_earned_is_refused(tmp_path: Path) -> None:
    none = np.zeros(20)
    with pytest.raises(Infeasible, match="market_without_profit"):
        asked(tmp_path, lived=lambda task: replace(telling(task), earned=none))


def test_the_shipped_ranges_hold_the_shipped_settings() -> None:
    rules = PolicySettings()
    space = load_search_space(find_configs(), rules)
    assert with_values(rules, values_of(rules, space)) == rules
    assert "exploration.dither" not in explored(space, "optimizer").settings
    assert explored(space, "optimizer_explore") == space


@pytest.mark.parametrize(
    ("text", "code", "key"),
    [
        ("guardrails.nothing: {low: 0, high: 1}", "tuning_key_unknown", "guardrails.nothing"),
        ("early_days: {low: 0, high: 1}", "tuning_key_unknown", "early_days"),
        ("every_days: {low: 8, high: 9}", "tuning_range_misses_default", "every_days"),
        ("every_days: {low: 3.5, high: 9}", "tuning_ends_not_whole", "every_days"),
        ("every_days: {low: 9, high: 3}", "settings_invalid", "settings.every_days"),
        ("every_days: {low: 0, high: .nan}", "settings_invalid", "settings.every_days.high"),
        ("every_days: {low: 0, high: 9, log: true}", "settings_invalid", "settings.every_days"),
        ("guardrails.dead_band: {low: -1, high: 0.5}", "settings_invalid", "guardrails.dead_band"),
    ],
)  # fmt: skip
def test_ranges_that_make_no_sense_are_refused_by_name(
    tmp_path: Path, text: str, code: str, key: str
) -> None:
    (tmp_path / "tuning.yaml").write_text(f"settings:\n  {text}\n", encoding="utf-8")
    with pytest.raises(BadSettings) as refused:
        load_search_space(Configs(tmp_path), PolicySettings())
    assert (refused.value.code, refused.value.fields["key"]) == (code, key)
    assert refused.value.fields["file"] == str(tmp_path / "tuning.yaml")
