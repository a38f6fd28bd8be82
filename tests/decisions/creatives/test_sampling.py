"""P(best), losses and shares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from optimizer.decisions.creatives import (
    METRICS,
    ArmBeliefs,
    draw_scores,
    draw_uplift,
    earning_shares,
    enabled_under_rotation,
    even_shares,
    expected,
    finding_shares,
    floor_for_claims,
    judge_arms,
    metric_named,
)
from optimizer.decisions.creatives.sampling import Chances
from optimizer.errors import BadSettings, RefusedInput
from optimizer.estimates.posteriors import Gamma

CTR = metric_named("ctr")
ONE_TEST = np.array([0])


def believed(ctr: list[float], cv2: float = 1e-3, **others: list[float]) -> ArmBeliefs:
    """Beliefs with these means; conversion rate .03, value 60 and click price 1 unless given."""
    usual = {"cvr": [0.03] * len(ctr), "value": [60.0] * len(ctr), "cpc": [1.0] * len(ctr)}
    parts = [np.array(one) for one in (ctr, *(usual | others).values())]
    return ArmBeliefs(*(Gamma(part, np.full(len(part), cv2)) for part in parts))


def shares_of(best: list[float]) -> Chances:
    chance = np.array(best)
    return Chances(chance, chance, np.zeros(len(best)), 500)


def test_chance_of_the_better_of_two_is_the_beta_integral() -> None:
    """Gammas of one rate: P(X > Y) is an incomplete beta function."""
    a, b = 40.0, 50.0
    beliefs = ArmBeliefs(Gamma(np.array([a, b]), 1 / np.array([a, b])), None, None, None)
    found = judge_arms(CTR, beliefs, ONE_TEST, np.random.default_rng(0), draws=200_000)
    assert found.best[0] == pytest.approx(float(special.betainc(b, a, 0.5)), abs=0.004)
    assert found.best.sum() == pytest.approx(1.0, abs=1e-6)


def test_expected_loss_is_that_of_normals() -> None:
    """E max(0, d) for d ~ N(m, s²), s² the sum of both variances."""
    beliefs = believed([0.0200, 0.0201], cv2=1e-4)
    found = judge_arms(CTR, beliefs, ONE_TEST, np.random.default_rng(0), draws=200_000)
    m, s = 1e-4, np.sqrt(1e-4) * np.sqrt(0.02**2 + 0.0201**2)
    density = np.exp(-0.5 * (m / s) ** 2) / np.sqrt(2 * np.pi)
    assert found.loss[0] == pytest.approx(m * special.ndtr(m / s) + s * density, rel=0.02)
    assert found.loss[1] == pytest.approx(found.loss[0] - m, rel=0.03)


@pytest.mark.parametrize("metric", METRICS)
def test_draws_lie_around_the_metric(metric: str) -> None:
    told, beliefs = metric_named(metric), believed([0.02, 0.05], cpc=[1.0, 2.5])
    drawn = draw_scores(told, beliefs, 20_000, np.random.default_rng(0)).mean(axis=1)
    sign = -1 if told.lower_is_better else 1
    np.testing.assert_allclose(drawn, sign * expected(told, beliefs), rtol=0.01)


def test_metrics_are_what_their_names_say() -> None:
    beliefs = believed([0.02], cv2=0.0)
    found = {name: expected(metric_named(name), beliefs)[0] for name in METRICS}
    assert found["profit_per_impression"] == pytest.approx(0.02 * (0.03 * 60 - 1))
    assert found["value_per_impression"] == pytest.approx(0.02 * 0.03 * 60)
    assert found["value_per_click"] == pytest.approx(1.8)
    assert found["cpa"] == pytest.approx(1 / 0.03)
    assert (found["ctr"], found["cvr"]) == (0.02, 0.03)


def test_the_cheaper_conversion_is_the_better_one() -> None:
    """Same CTR, one arm's clicks cost more: every other metric but profit would see no difference."""
    beliefs = believed([0.02, 0.02], cpc=[1.0, 1.5])
    found = judge_arms(metric_named("cpa"), beliefs, ONE_TEST, np.random.default_rng(0))
    assert found.best.tolist() == [1.0, 0.0]
    assert found.loss[0] == 0
    assert found.loss[1] == pytest.approx(0.5 / 0.03, rel=0.02)


def test_the_cost_of_a_conversion_mirrors_its_reciprocal() -> None:
    """With clicks of one price CPA must rank arms as the conversion rate does."""
    beliefs = believed([0.02] * 3, cv2=0.01, cvr=[0.030, 0.033, 0.028], cpc=[1.0] * 3)
    sure = ArmBeliefs(beliefs.ctr, beliefs.cvr, beliefs.value, Gamma(np.ones(3), np.zeros(3)))
    one, other = (
        judge_arms(metric_named(name), sure, ONE_TEST, np.random.default_rng(1), draws=40_000)
        for name in ("cpa", "cvr")
    )
    np.testing.assert_allclose(one.best, other.best, atol=0.01)


def test_without_claims_the_floor_explores_where_an_arm_may_be_the_best() -> None:
    chances = judge_arms(
        CTR, believed([0.02, 0.019, 0.001], cv2=0.01), ONE_TEST, np.random.default_rng(0)
    )
    share = earning_shares(chances, ONE_TEST, np.ones(3, dtype=bool), 0.5, even=False)
    np.testing.assert_allclose(share, 0.5 * chances.eager + 0.5 * chances.best)
    assert share[2] == 0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=5),
    st.floats(0, 1),
    st.integers(0, 10_000),
    st.sampled_from(["earn", "top_two"]),
)
def test_shares_sum_to_one_and_keep_the_floor(
    sizes: list[int], floor: float, seed: int, mode: str
) -> None:
    rng = np.random.default_rng(seed)
    arms, first = sum(sizes), np.append(0, np.cumsum(sizes[:-1])).astype(np.int64)
    beliefs = believed(rng.uniform(0.01, 0.05, arms).tolist(), cv2=0.1)
    alive = rng.random(arms) < 0.8
    alive[first] = True
    chances = judge_arms(CTR, beliefs, first, rng, draws=50, alive=alive)
    give = earning_shares if mode == "earn" else finding_shares
    share = give(chances, first, alive, floor)
    np.testing.assert_allclose(np.add.reduceat(share, first), 1.0)
    running = np.repeat(np.add.reduceat(alive.astype(int), first), sizes)
    assert (share[alive] >= floor / running[alive] - 1e-12).all()
    assert (share[~alive] == 0).all()


def test_the_floor_is_on_the_total_not_per_arm() -> None:
    chances = shares_of([1.0] + [0.0] * 99)
    share = earning_shares(chances, ONE_TEST, np.ones(100, dtype=bool), 0.1)
    assert share[0] == pytest.approx(0.9 + 0.001)
    assert share[1:].sum() == pytest.approx(0.099)


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(5)), st.floats(0.01, 100.0))
def test_neither_the_order_of_arms_nor_their_scale_matters(order: list[int], scale: float) -> None:
    ctr = np.array([0.010, 0.0115, 0.013, 0.0125, 0.009])
    plain = judge_arms(
        CTR, believed(ctr.tolist(), cv2=0.02), ONE_TEST, np.random.default_rng(0), draws=20_000
    )
    moved = believed((ctr[order] * scale).tolist(), cv2=0.02)
    found = judge_arms(CTR, moved, ONE_TEST, np.random.default_rng(1), draws=20_000)
    np.testing.assert_allclose(found.best, plain.best[order], atol=0.025)
    np.testing.assert_allclose(found.loss, plain.loss[order] * scale, rtol=0.1)


def test_many_tests_at_once_are_each_their_own() -> None:
    beliefs = believed([0.02, 0.03, 0.05, 0.04, 0.01], cv2=1e-4)
    found = judge_arms(CTR, beliefs, np.array([0, 2]), np.random.default_rng(0))
    assert found.best.tolist() == [0, 1, 1, 0, 0]


def test_one_seed_one_answer() -> None:
    beliefs = believed([0.02, 0.021] * 700, cv2=0.01)
    first = np.arange(0, 1400, 2)
    one, other = (judge_arms(CTR, beliefs, first, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one.best, other.best)


def test_an_eager_share_lies_beyond_the_chance() -> None:
    beliefs = believed([0.020, 0.0215], cv2=0.005)
    found = judge_arms(CTR, beliefs, ONE_TEST, np.random.default_rng(0), draws=100_000)
    z = 0.0015 / np.sqrt(0.005 * (0.02**2 + 0.0215**2))
    assert found.best[1] == pytest.approx(special.ndtr(z), abs=0.01)
    assert found.eager[1] == pytest.approx(special.ndtr(z * np.sqrt(2)), abs=0.01)


def test_a_test_without_arms_alive_gives_no_shares() -> None:
    beliefs, dead = believed([0.02, 0.03]), np.zeros(2, dtype=bool)
    found = judge_arms(CTR, beliefs, ONE_TEST, np.random.default_rng(0), alive=dead)
    assert np.isnan(found.loss).all()
    assert earning_shares(found, ONE_TEST, dead, 0.1).tolist() == [0.0, 0.0]


def test_top_two_shares_by_hand() -> None:
    """Second chances: p_j Σ_{i≠j} p_i/(1 − p_i), half each."""
    p = np.array([0.6, 0.3, 0.1])
    counts = Chances(p, p, np.zeros(3), 10**9)
    found = finding_shares(counts, ONE_TEST, np.ones(3, dtype=bool), 0.0)
    odds = p / (1 - p)
    wanted = 0.5 * p + 0.5 * p * (odds.sum() - odds)
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert found.sum() == pytest.approx(1.0)


def test_top_two_never_gives_a_sure_leader_everything() -> None:
    share = finding_shares(shares_of([1.0, 0.0]), ONE_TEST, np.ones(2, dtype=bool), 0.0)
    assert share.tolist() == pytest.approx([0.5, 0.5], abs=1e-3)


def test_two_or_three_arms_keep_a_fifth_each_for_claims() -> None:
    assert floor_for_claims(0.1, np.array([2, 3, 4])).tolist() == pytest.approx([0.4, 0.6, 0.1])


def test_even_shares_skip_arms_that_left() -> None:
    alive = np.array([True, False, True])
    assert even_shares(ONE_TEST, alive).tolist() == [0.5, 0.0, 0.5]


@pytest.mark.parametrize(
    ("shares", "enabled"),
    [
        ([0.5, 0.45, 0.05], [True, True, False]),
        ([0.05, 0.90, 0.05], [False, True, False]),
        ([0.3, 0.3, 0.4], [True, True, True]),
        ([1.0, 0.0], [True, False]),
        ([0.75, 0.25], [True, True]),
    ],
)
def test_rotation_enables_the_arms_whose_even_split_is_nearest(
    shares: list[float], enabled: list[bool]
) -> None:
    assert enabled_under_rotation(np.array(shares), ONE_TEST).tolist() == enabled


def test_uplift_is_that_of_the_difference() -> None:
    beliefs = believed([0.02, 0.03], cv2=1e-3)
    median, low, high = draw_uplift(
        CTR, beliefs, np.array([0, 0]), np.random.default_rng(0), draws=20_000, mass=0.9
    )
    sd = np.sqrt(1e-3 * (0.02**2 + 0.03**2))
    assert (median[0], low[0], high[0]) == (0, 0, 0)
    assert median[1] == pytest.approx(0.01, abs=3e-5)
    assert high[1] - low[1] == pytest.approx(2 * 1.645 * sd, rel=0.05)


def test_an_uplift_of_cost_is_negative_where_better() -> None:
    beliefs = believed([0.02, 0.02], cpc=[1.0, 0.8])
    median, _, high = draw_uplift(
        metric_named("cpa"), beliefs, np.array([0, 0]), np.random.default_rng(0)
    )
    assert median[1] == pytest.approx(-0.2 / 0.03, rel=0.05)
    assert high[1] < 0


def test_misuse_is_refused_by_name() -> None:
    beliefs = believed([0.02, 0.03])
    nothing = ArmBeliefs(beliefs.ctr, beliefs.cvr, None, beliefs.cpc)
    rng = np.random.default_rng(0)
    with pytest.raises(BadSettings, match="metric_unknown"):
        metric_named("roas")
    with pytest.raises(RefusedInput, match="metric_needs"):
        judge_arms(metric_named("value_per_click"), nothing, ONE_TEST, rng)
    with pytest.raises(BadSettings, match="too_few"):
        judge_arms(CTR, beliefs, ONE_TEST, rng, draws=0)
    with pytest.raises(BadSettings, match="share_out_of_range"):
        earning_shares(shares_of([0.5, 0.5]), ONE_TEST, np.ones(2, dtype=bool), 1.2)
