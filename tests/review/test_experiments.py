"""What a proposed bid test may and may not be."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.review.experiments import (
    Experiment,
    balanced_signs,
    propose_experiment,
    schedule,
)
from optimizer.review.last_change import forget_changes
from optimizer.review.suggestions import ReviewResult
from optimizer.settings import Exploration, Guardrails, Settings
from optimizer.tables import HOLDS, empty_table
from tests.review.conftest import TODAY

GENEROUS = Exploration(cost_share=0.05, min_return=1, payback_days=365, shared_share=1)
NO_HOLDS = empty_table(HOLDS)


def asked(result: ReviewResult, settings: Settings, **changes: object) -> Experiment | None:
    stated = settings.model_copy(update={"exploration": GENEROUS.model_copy(update=changes)})
    return propose_experiment(result, NO_HOLDS, stated, np.random.default_rng(5))


def paths(experiment: Experiment) -> pd.DataFrame:
    """Bids by keyword and week."""
    return experiment.steps.pivot_table(index="entity_key", columns="week", values="bid")


@pytest.fixture(scope="module")
def experiment(busy: ReviewResult, settings: Settings) -> Experiment:
    found = asked(busy, settings)
    assert found is not None
    return found


def test_nothing_is_proposed_without_a_budget(busy: ReviewResult, settings: Settings) -> None:
    assert asked(busy, settings, cost_share=0.0) is None


def test_nothing_is_proposed_to_a_young_account(busy: ReviewResult, settings: Settings) -> None:
    days = busy.context["data"]["days"]
    assert asked(busy, settings, history_days=days) is not None
    assert asked(busy, settings, history_days=days + 1) is None


def test_the_same_review_and_generator_give_the_same_test(
    busy: ReviewResult, settings: Settings, experiment: Experiment
) -> None:
    again = asked(busy, settings)
    assert again is not None
    assert again.steps.equals(experiment.steps)
    assert again.cost == experiment.cost


def test_the_stated_cost_stays_within_the_budget(
    busy: ReviewResult, settings: Settings, experiment: Experiment
) -> None:
    for share in (0.05, 0.002):
        found = asked(busy, settings, cost_share=share)
        assert found is None or found.cost.mean <= share * busy.summary.budget + 1e-9
    assert experiment.cost.low <= experiment.cost.mean <= experiment.cost.high


def test_every_dithered_bid_is_as_often_up_as_down(experiment: Experiment) -> None:
    arm = experiment.members.set_index("entity_key")["arm"]
    base = experiment.members.set_index("entity_key")["base_bid"]
    steps = experiment.steps[experiment.steps["week"] < experiment.weeks]
    dithered = steps[steps["entity_key"].map(arm).eq("dither")]
    ratio = dithered["bid"] / dithered["entity_key"].map(base)
    assert ((ratio - 1).abs() - 0.1).abs().max() < 0.026  # half a step of a bid of 20 steps
    balance = np.sign(ratio - 1).groupby(dithered["entity_key"]).sum()
    assert (balance == 0).all()
    assert (ratio - 1).abs().max() <= 0.1 + 1e-9  # rounded towards the old bid


def test_a_bid_too_small_to_move_two_steps_is_left_out(experiment: Experiment) -> None:
    dithered = experiment.members[experiment.members["arm"].eq("dither")]
    assert len(dithered) > 5
    assert (dithered["base_bid"] * 0.1 >= 0.02 - 1e-9).all()


def planning(
    result: ReviewResult, settings: Settings, share: float
) -> tuple[ReviewResult, str, float]:
    """The review, had it moved one keyword of the test to `share` of its bid."""
    rows, plan, found = result.suggestions, result.frames["plan"], asked(result, settings)
    assert found is not None
    dithered = found.members.loc[found.members["arm"].eq("dither"), "entity_key"]
    busy = plan[plan["entity_key"].astype(str).isin(dithered)].nlargest(1, "clicks")
    key, planned = str(busy["entity_key"].iloc[0]), round(float(busy["bid"].iloc[0]) * share, 2)
    moved = rows[rows["kind"].eq("raise")].head(1)
    moved = moved.assign(entity_key=key, binding="", proposed_bid=planned)
    others = rows[rows["entity_key"].ne(key)]
    return replace(result, suggestions=pd.concat([others, moved])), key, planned


def test_a_test_is_centred_at_the_bid_the_review_would_set(
    busy: ReviewResult, settings: Settings
) -> None:
    result, key, planned = planning(busy, settings, 1.07)
    found = asked(result, settings)
    assert found is not None
    path = paths(found).loc[key].to_numpy()
    assert path[-1] == planned
    assert sorted(np.sign(path[:-1] - planned)) == [-1, -1, 1, 1]
    assert np.abs(path[:-1] / planned - 1).max() <= 0.1 + 1e-9
    member = found.members.set_index("entity_key").loc[key]
    assert member["base_bid"] < planned  # what a stop gives back


def test_the_way_to_a_better_bid_is_no_cost_of_a_test(
    busy: ReviewResult, settings: Settings
) -> None:
    """Up and down around either bid costs its curvature: about as much here as there."""
    result, key, _ = planning(busy, settings, 1.07)
    here, there = (asked(one, settings) for one in (busy, result))
    assert here is not None
    assert there is not None
    costs = [one.members.set_index("entity_key").loc[key, "cost"] for one in (here, there)]
    assert 0 < costs[1] < 1.2 * costs[0]


def test_a_first_step_beyond_one_review_is_left_out(busy: ReviewResult, settings: Settings) -> None:
    """Raised by a fifth and up a tenth from there would be 32 % in one step."""
    result, key, _ = planning(busy, settings, 1.2)
    found = asked(result, settings)
    assert found is not None
    assert key not in set(found.members["entity_key"])


def test_the_last_step_gives_the_bid_back_that_the_review_kept(experiment: Experiment) -> None:
    last = experiment.steps[experiment.steps["week"].eq(experiment.weeks)].set_index("entity_key")
    dithered = experiment.members[experiment.members["arm"].eq("dither")].set_index("entity_key")
    assert last["bid"].reindex(dithered.index).equals(dithered["base_bid"].rename("bid"))


def test_a_starved_keyword_climbs_to_the_first_page(
    busy: ReviewResult, experiment: Experiment
) -> None:
    plan = busy.frames["plan"].assign(key=lambda frame: frame["entity_key"].astype(str))
    ramped = experiment.members[experiment.members["arm"].eq("ramp")]
    assert len(ramped)
    first_page = plan.set_index("key")["first_page_bid"].reindex(ramped["entity_key"])
    path = paths(experiment)
    path = path.loc[ramped["entity_key"]].to_numpy()
    before = np.column_stack([ramped["base_bid"], path[:, :-1]])
    assert (path <= first_page.to_numpy()[:, None] + 1e-9).all()
    assert (path <= before * 1.25 + 1e-9).all()
    assert (path >= before).all()


def test_a_week_swings_no_further_than_the_step_limit(
    busy: ReviewResult, settings: Settings
) -> None:
    tight = settings.model_copy(update={"guardrails": Guardrails(step_limit=0.1)})
    found = asked(busy, tight)
    assert found is not None
    dithered = found.members.loc[found.members["arm"].eq("dither"), "entity_key"]
    path = paths(found).loc[dithered]
    base = found.members.set_index("entity_key")["base_bid"].reindex(dithered)
    assert ((path.max(axis=1) / path.min(axis=1)) <= 1.1 + 0.02 / base).all()


def test_a_keyword_somebody_decided_on_is_left_out(
    busy: ReviewResult, settings: Settings, experiment: Experiment
) -> None:
    keys = experiment.members["entity_key"].head(3).tolist()
    holds = pd.DataFrame(
        {"entity_key": keys, "slot": "bid", "kind": "locked", "value": np.nan, "until": pd.NaT}
    )
    stated = settings.model_copy(update={"exploration": GENEROUS})
    found = propose_experiment(busy, holds, stated, np.random.default_rng(5))
    assert found is not None
    assert not set(keys) & set(found.members["entity_key"])


def test_no_keyword_moves_that_the_guardrails_hold(
    busy: ReviewResult, experiment: Experiment
) -> None:
    plan = busy.frames["plan"].assign(key=lambda frame: frame["entity_key"].astype(str))
    of_test = plan[plan["key"].isin(experiment.members["entity_key"])]
    assert set(of_test["raise_block"]) | set(of_test["lower_block"]) == {""}
    assert (of_test["inactive_code"] == "").all()
    assert not of_test["pause"].any()


def test_the_schedule_names_the_step_begun(experiment: Experiment) -> None:
    first = schedule(experiment, TODAY + timedelta(days=6)).set_index("entity_key")["bid"]
    second = schedule(experiment, TODAY + timedelta(days=7)).set_index("entity_key")["bid"]
    steps = experiment.steps.set_index(["week", "entity_key"])["bid"]
    assert first.equals(steps.loc[0])
    assert second.equals(steps.loc[1])
    assert schedule(experiment, TODAY - timedelta(days=1)).empty
    late = schedule(experiment, experiment.last_day + timedelta(days=90)).set_index("entity_key")
    assert late["bid"].equals(steps.loc[experiment.weeks])


@given(keywords=st.integers(0, 41), half=st.integers(1, 6), seed=st.integers(0, 99))
def test_signs_balance_over_weeks_and_over_pairs(keywords: int, half: int, seed: int) -> None:
    signs = balanced_signs(keywords, 2 * half, np.random.default_rng(seed))
    assert (signs.sum(axis=1) == 0).all()
    assert np.abs(signs.sum(axis=0)).max(initial=0) <= keywords % 2


def test_a_bid_that_the_test_moved_starts_no_cool_down() -> None:
    days = pd.to_datetime(["2026-05-03", "2026-05-30", "2026-04-20"]).astype("datetime64[s]")
    keywords = pd.DataFrame({"entity_key": [1, 2, 1], "last_change": days})
    spans = pd.DataFrame(
        {
            "entity_key": [1, 1],
            "first_day": pd.to_datetime(["2026-05-02", "2026-05-09"]),
            "last_day": pd.to_datetime(["2026-05-08", "2026-05-15"]),
        }
    )
    kept = forget_changes(keywords, spans)["last_change"]
    assert kept.isna().tolist() == [True, False, False]
