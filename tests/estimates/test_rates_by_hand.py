"""The credibility routine against plain loops and against numbers worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from optimizer.estimates.posteriors import Floats, Ints
from optimizer.estimates.rates import (
    RateFit,
    best_parents,
    branching,
    estimate_dispersion,
    estimate_unit_cv2,
    fit_rates,
    predictive_score,
)

GROUP = np.array([0, 0, 0, 1, 1, 2, 2, 2])
CAMPAIGN = np.array([0, 0, 1])
ROOT = np.zeros(2, dtype=np.int64)
TREE = (GROUP, CAMPAIGN, ROOT)
AMOUNTS = np.array([310.0, 80.0, 0.0, 150.0, 420.0, 95.0, 0.0, 260.0])
ORDERS = np.array([5.0, 2.0, 1.0, 3.0, 6.0, 1.0, 2.0, 4.0])
CV2 = 0.6


def swept(
    x: list[Floats], e: list[Floats], means: list[Floats], tau2: tuple[float, ...]
) -> list[Floats]:
    """Weighted sums of the level above, appended to `x` and `e`; the weights."""
    weights = []
    for level, parent in enumerate(TREE):
        z = 1 / (1 + tau2[level] * means[level] * e[level])
        groups = 1 + int(parent.max())
        x.append(np.array([sum((z * x[level])[parent == g]) for g in range(groups)]))
        e.append(np.array([sum((z * e[level])[parent == g]) for g in range(groups)]))
        weights.append(z)
    return weights


def left_out(
    x: list[Floats], e: list[Floats], weights: list[Floats], tau2: tuple[float, ...], pooled: float
) -> tuple[list[Floats], list[Floats]]:
    """Prior mean and squared CV per level, each unit's branch left out, by loops."""
    means, cv2s = [ROOT * 0.0] * 3, [ROOT * 0.0] * 3
    up_mean, up_strength = np.array([pooled]), np.array([1.0])
    for level in (2, 1, 0):
        parent = TREE[level]
        shape = up_strength[parent] + x[level + 1][parent] - weights[level] * x[level]
        rate = up_strength[parent] / up_mean[parent]
        rate = rate + e[level + 1][parent] - weights[level] * e[level]
        means[level], cv2s[level] = shape / rate, 1 / shape
        up_mean = means[level]
        up_strength = 1 / (tau2[level] + cv2s[level] + tau2[level] * cv2s[level])
    return means, cv2s


def by_loops(
    tau2: tuple[float, ...], rounds: int
) -> tuple[list[Floats], list[Floats], Floats, Floats]:
    """Means and squared CVs per level, scaled leaf counts and exposures, after some rounds."""
    pooled = float(AMOUNTS.sum() / ORDERS.sum())
    means = [np.full(len(parent), pooled) for parent in TREE]
    cv2s: list[Floats] = []
    for _ in range(rounds):
        scale = CV2 * means[0] * (1 + tau2[0])
        x, e = [AMOUNTS / scale], [ORDERS / scale]
        weights = swept(x, e, means, tau2)
        means, cv2s = left_out(x, e, weights, tau2, pooled)
    return means, cv2s, x[0], e[0]


@pytest.fixture(scope="module")
def fit() -> RateFit:
    return fit_rates(AMOUNTS, ORDERS, TREE, unit_cv2=CV2)


def test_the_prior_is_that_of_loops_over_the_tree(fit: RateFit) -> None:
    means, cv2s, _, _ = by_loops(fit.tau2, 3)
    assert fit.parent.mean == pytest.approx(means[0], rel=1e-9)
    tau2 = fit.tau2[0]
    assert fit.parent.cv2 == pytest.approx(tau2 + cv2s[0] + tau2 * cv2s[0], rel=1e-9)


def test_the_posterior_is_that_of_loops_over_the_tree(fit: RateFit) -> None:
    _, _, counts, exposure = by_loops(fit.tau2, 3)
    shape = 1 / fit.parent.cv2
    assert fit.posterior.cv2 == pytest.approx(1 / (shape + counts), rel=1e-9)
    expected = (shape + counts) / (shape / fit.parent.mean + exposure)
    assert fit.posterior.mean == pytest.approx(expected, rel=1e-9)


def test_the_spread_repeats_itself_in_its_own_equation(fit: RateFit) -> None:
    """τ² = Σ w((x-me)² - me - v(me)²) + .1 P over Σ w(1+v)(me)² + P, with P worth two units."""
    means, cv2s, counts, exposure = by_loops(fit.tau2, 12)
    expected, v = means[0] * exposure, cv2s[0]
    w = 1 / (1 + (fit.tau2[0] + v) * expected) ** 2
    excess = float((w * ((counts - expected) ** 2 - expected - v * expected**2)).sum())
    information = w * (1 + v) * expected**2
    prior = 2 * max(float((information**2).sum() / information.sum()), 100.0)
    repeated = (excess + 0.1 * prior) / (information.sum() + prior)
    assert fit.tau2[0] == pytest.approx(repeated, rel=0.01)


def test_a_negative_share_of_an_amount_is_no_evidence_below_none() -> None:
    fit = fit_rates(np.array([0.0, 0.0]), np.array([3.0, 1.0]), (np.zeros(2, int),), unit_cv2=1.0)
    assert (fit.posterior.mean > 0).all()


def test_half_an_event_stands_in_where_none_was_seen() -> None:
    lone = (np.zeros(1, dtype=np.int64),)
    assert fit_rates(np.zeros(1), 50 * np.ones(1), lone).parent.mean[0] == pytest.approx(
        0.01, rel=0.1
    )
    assert fit_rates(np.zeros(1), np.zeros(1), lone).parent.mean[0] == pytest.approx(1.0)
    assert fit_rates(np.ones(1), 50 * np.ones(1), lone).parent.mean[0] == pytest.approx(
        0.02, rel=0.1
    )


def test_dispersion_by_hand() -> None:
    """Totals 4 and 2, half of the clicks each day: Σw(x-Xp)² = 2/5 + 2/3, Σw X p(1-p) = 2/5 + 1/3."""
    unit, clicks = np.array([0, 0, 1, 1]), np.array([10.0, 10.0, 3.0, 3.0])
    orders = np.array([3.0, 1.0, 2.0, 0.0])
    found = estimate_dispersion(orders, clicks, unit, 2, strength=5.0)
    assert found == pytest.approx((2 / 5 + 2 / 3 + 5) / (2 / 5 + 1 / 3 + 5))
    assert estimate_dispersion(orders, clicks, unit, 2) == pytest.approx(
        (2 / 5 + 2 / 3 + 20) / (2 / 5 + 1 / 3 + 20)
    )


def test_days_without_clicks_and_units_of_one_day_say_nothing_of_dispersion() -> None:
    unit, clicks = np.array([0, 1, 1]), np.array([10.0, 0.0, 0.0])
    assert estimate_dispersion(np.array([7.0, 0.0, 0.0]), clicks, unit, 2) == 1.0


def test_even_orders_are_less_dispersed_but_never_not_at_all() -> None:
    unit, clicks = np.repeat(np.arange(50), 20), np.ones(1000)
    found = estimate_dispersion(np.ones(1000), clicks, unit, 50, strength=0.0)
    assert found == 0.05


def test_the_spread_of_amounts_by_hand() -> None:
    """Orders of 10 and 30, one a day, prior φ=1: Σw(a-A/2)² = 200/(1+1/15), m² = 400/(1+φ/2)."""
    unit, number = np.zeros(2, dtype=np.int64), np.ones(2)
    found = estimate_unit_cv2(np.array([10.0, 30.0]), number, unit, 1, prior=1.0, strength=3.0)
    weight, phi = 1 / (1 + 1 / 15), 1.0
    for _ in range(5):
        known = weight * 400.0 * 2 / (2 + phi)
        phi = (weight * 200.0 + 3 * 400.0) / (known + 3 * 400.0)
    assert found == pytest.approx(phi)


def test_the_spread_of_amounts_is_the_same_in_any_currency() -> None:
    unit, number = np.array([0, 0, 1, 1]), np.array([1.0, 2.0, 1.0, 0.5])
    amounts = np.array([10.0, 70.0, 25.0, 5.0])
    found = [
        estimate_unit_cv2(amounts * scale, number, unit, 2, prior=0.64) for scale in (1.0, 1e-3)
    ]
    assert found[0] == pytest.approx(found[1])


def test_levels_of_only_children_are_merged() -> None:
    pairs, alone = np.array([0, 0, 1, 1]), np.array([1, 0])
    tree, kept = branching([pairs, alone, np.zeros(2, dtype=np.int64)])
    assert kept == [0, 2]
    assert [level.tolist() for level in tree] == [[0, 0, 1, 1], [0, 0]]


def test_a_chain_of_only_children_is_one_level() -> None:
    tree, kept = branching([np.array([1, 0, 2]), np.array([2, 0, 1]), np.array([0, 0, 1])])
    assert kept == [2]
    assert tree[0].tolist() == [0, 1, 0]


def test_the_last_level_stays() -> None:
    tree, kept = branching([np.arange(2), np.arange(2)])
    assert kept == [1]
    assert tree[0].tolist() == [0, 1]


def test_the_predictive_score_is_that_of_the_negative_binomial() -> None:
    counts, clicks = np.array([3.0, 0.0, 1.0]), np.array([80.0, 60.0, 0.0])
    fit = fit_rates(counts, clicks, (np.zeros(3, dtype=np.int64),))
    shape = 1 / fit.parent.cv2[:2]
    chance = stats.nbinom.logpmf(
        counts[:2], shape, shape / (shape + fit.parent.mean[:2] * clicks[:2])
    )
    assert predictive_score(counts, clicks, fit) == pytest.approx(chance.sum())


def test_clustered_orders_are_scored_as_clusters() -> None:
    counts, clicks, flat = np.array([4.0, 2.0]), np.array([80.0, 60.0]), (np.zeros(2, int),)
    twice = fit_rates(counts, clicks, flat, dispersion=2.0)
    once = fit_rates(counts / 2, clicks / 2, flat)
    assert predictive_score(counts, clicks, twice) == pytest.approx(
        predictive_score(counts / 2, clicks / 2, once)
    )


def kinds(seed: int) -> tuple[Floats, Floats, dict[str, tuple[Ints, ...]]]:
    rng = np.random.default_rng(seed)
    kind, label = rng.integers(0, 2, 400), rng.integers(0, 20, 400)
    clicks = rng.uniform(20, 200, 400)
    orders = rng.poisson(np.array([0.01, 0.05])[kind] * clicks).astype(float)
    trees = {
        "label": (label, np.zeros(20, dtype=np.int64)),
        "kind": (kind, np.zeros(2, dtype=np.int64)),
    }
    return orders, clicks, trees


def test_the_tree_that_foretells_is_chosen_in_whatever_place() -> None:
    orders, clicks, trees = kinds(0)
    assert best_parents(orders, clicks, trees) == "kind"
    assert best_parents(orders, clicks, dict(reversed(trees.items()))) == "kind"


def test_the_first_tree_stays_unless_clearly_beaten() -> None:
    orders, clicks, trees = kinds(1)
    same = {"first": trees["label"], "second": trees["label"]}
    assert best_parents(orders, clicks, same) == "first"


def test_ten_thousand_idle_keywords_change_nothing() -> None:
    """Idle siblings add no counts, no exposure and no other belief than their group's."""
    busy, idle = np.arange(8), np.full(10_000, 1)
    more = (np.concatenate([GROUP, idle]), CAMPAIGN, ROOT)
    nothing = np.zeros(10_000)
    fit = fit_rates(np.r_[ORDERS, nothing], np.r_[AMOUNTS, nothing], more)
    few = fit_rates(ORDERS, AMOUNTS, TREE)
    assert fit.posterior.mean[busy] == pytest.approx(few.posterior.mean, rel=1e-9)
    assert len(np.unique(fit.posterior.mean[8:])) == 1


def test_a_sample_of_groups_finds_the_spread_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    group = np.repeat(np.arange(600), 10)
    rate = 0.03 * rng.gamma(4, 0.25, 600)[group] * rng.gamma(2, 0.5, 6000)
    clicks = rng.uniform(50, 300, 6000)
    orders, tree = rng.poisson(rate * clicks).astype(float), (group, np.zeros(600, dtype=np.int64))
    whole = fit_rates(orders, clicks, tree)
    monkeypatch.setattr("optimizer.estimates.rates._TAU2_SAMPLE", 2000)
    part = fit_rates(orders, clicks, tree)
    assert whole.tau2 == pytest.approx([0.5, 0.25], rel=0.15)
    assert part.tau2 == pytest.approx(whole.tau2, rel=0.25)
    assert part.posterior.mean == pytest.approx(whole.posterior.mean, rel=0.15)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 1e5), st.just(0.0) | st.floats(1e-3, 1e7), st.integers(0, 3)),
        min_size=1,
        max_size=12,
    ),
    st.floats(0.05, 20),
)
def test_numbers_are_finite_whatever_the_tree_saw(
    rows: list[tuple[float, float, int]], dispersion: float
) -> None:
    counts, clicks, group = (np.array(column) for column in zip(*rows, strict=True))
    fit = fit_rates(counts, clicks, (group, np.zeros(4, dtype=np.int64)), dispersion=dispersion)
    beliefs = [fit.posterior.mean, fit.posterior.cv2, fit.parent.mean, fit.parent.cv2]
    assert np.isfinite(beliefs).all()
    assert (np.array(beliefs) >= 0).all()
