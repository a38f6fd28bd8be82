"""Each keyword of a bid test is asked for the spend that it adds itself."""

import numpy as np
import pandas as pd
import pytest

from optimizer.review.experiment_spend import added_spend
from optimizer.review.experiments import Experiment, propose_experiment
from optimizer.review.suggestions import ReviewResult
from optimizer.settings import Exploration, Settings
from optimizer.tables import HOLDS, empty_table

ASKED = Exploration(cost_share=0.05, min_return=1, payback_days=365, shared_share=1)


@pytest.fixture(scope="module")
def proposed(busy: ReviewResult, settings: Settings) -> Experiment:
    stated = settings.model_copy(update={"exploration": ASKED})
    rng = np.random.default_rng(5)
    found = propose_experiment(busy, empty_table(HOLDS), stated, rng)
    assert found is not None
    assert set(found.members["arm"]) == {"dither", "ramp"}
    return found


def spends(proposed: Experiment, plan: pd.DataFrame) -> np.ndarray:
    return added_spend(plan, proposed.members, proposed.steps)


def test_the_parts_add_up_to_what_the_test_states(proposed: Experiment, busy: ReviewResult):
    """Dithers are rounded towards the old bid, so that they add a little less than stated."""
    total = spends(proposed, busy.frames["plan"]).sum()
    assert proposed.extra_spend > 0
    assert 0.9 * proposed.extra_spend <= total <= proposed.extra_spend + 1e-9


def test_a_starved_word_adds_spend_though_it_has_no_clicks(
    proposed: Experiment, busy: ReviewResult
):
    members = proposed.members
    by_clicks = members["clicks"] / members["clicks"].sum() * proposed.extra_spend
    ramped = members["arm"].eq("ramp").to_numpy()
    added = spends(proposed, busy.frames["plan"])[ramped].sum()
    assert added > 2 * by_clicks[ramped].sum()


def test_a_keyword_that_the_review_no_longer_has_adds_nothing(
    proposed: Experiment, busy: ReviewResult
):
    plan, gone = busy.frames["plan"], proposed.members["entity_key"].iloc[0]
    left = plan[plan["entity_key"].astype(str).ne(gone)]
    added = spends(proposed, left)
    assert added[0] == 0
    assert added[1:] == pytest.approx(spends(proposed, plan)[1:], rel=0.2)
