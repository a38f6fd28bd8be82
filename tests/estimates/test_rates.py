from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.estimates.posteriors import Gamma
from optimizer.estimates.rates import (
    RateFit,
    estimate_dispersion,
    estimate_unit_cv2,
    fit_rates,
)
from simulations.rate_worlds import BASES, Auction, Truth, rates_truth

FLAT = (np.zeros(2, dtype=np.int64),)


CLASSES = [(0, 0), (1, 2), (3, 10), (11, 10**9)]
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Case:
    """A world, what was seen of it per keyword, and what was made of that."""

    truth: Truth
    exposure: np.ndarray
    conversions: np.ndarray
    rate: RateFit
    value: RateFit

    @property
    def per_click(self) -> Gamma:
        return self.rate.posterior.times(self.value.posterior).scaled(self.truth.kept)

    def among(self, least: float, most: float) -> np.ndarray:
        return (self.conversions >= least) & (self.conversions <= most)


@lru_cache
def case(seed: int, variant: str = "base", basis: str = "click") -> Case:
    rng = np.random.default_rng(seed)
    truth = rates_truth(6000, rng, variant)
    seen = BASES[basis](truth, rng)
    exposure, conversions, amounts = seen.sums(6000)
    psi = estimate_dispersion(seen.conversions, seen.exposure, seen.unit, 6000)
    cv2 = estimate_unit_cv2(seen.amounts, seen.conversions, seen.unit, 6000, prior=0.64)
    rate = fit_rates(conversions, exposure, truth.parents, dispersion=psi)
    value = fit_rates(amounts, conversions, truth.parents, unit_cv2=cv2)
    return Case(truth, exposure, conversions, rate, value)


def inside(belief: Gamma, truth: np.ndarray) -> np.ndarray:
    low, high = belief.interval(0.8)
    return (truth >= low) & (truth <= high)


@pytest.mark.parametrize(
    ("variant", "least", "most"),
    [("base", *CLASSES[3])]
    + [
        (variant, *some)
        for variant in ("base", "brands", "pairs", "singletons", "shuffled", "dead_groups")
        for some in CLASSES[:3]
    ],
)
def test_four_in_five_true_rates_are_inside_whatever_was_seen(
    variant: str, least: int, most: int
) -> None:
    """The few keywords with many orders are counted over more worlds."""
    found = [
        inside(one.rate.posterior, one.truth.rate)[one.among(least, most)]
        for one in (case(seed, variant) for seed in (range(16) if least > 10 else SEEDS))
    ]
    assert 0.76 <= np.concatenate(found).mean() <= 0.88


@pytest.mark.parametrize("basis", ["click", "order"])
def test_the_value_of_a_click_is_covered_too(basis: str) -> None:
    cases = [case(seed, basis=basis) for seed in SEEDS]
    found = [inside(one.per_click, one.truth.value_per_click) for one in cases]
    assert 0.76 <= np.concatenate(found).mean() <= 0.88


@pytest.mark.parametrize("variant", ["base", "two_point", "shuffled", "dead_groups"])
@pytest.mark.parametrize(("least", "most"), CLASSES[:3])
def test_no_class_is_promised_more_than_it_brings(variant: str, least: int, most: int) -> None:
    """Rates times the clicks to come, believed over true; 1.2 and 0.8 with one Gamma for all."""
    promised = delivered = 0.0
    for one in (case(seed, variant) for seed in SEEDS):
        demand = one.truth.demand * one.among(least, most)
        promised += float(demand @ one.rate.posterior.mean)
        delivered += float(demand @ one.truth.rate)
    assert promised / delivered == pytest.approx(1.0, abs=0.09)


def test_small_accounts_do_not_take_luck_for_differences() -> None:
    """What one order is worth in 60 accounts of 240 keywords: true differences over believed ones."""
    together = square = 0.0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        truth = rates_truth(240, rng)
        _, number, amounts = BASES["click"](truth, rng).sums(240)
        believed = np.log(fit_rates(amounts, number, truth.parents, unit_cv2=0.9).posterior.mean)
        apart = believed - believed.mean()
        together += float(apart @ np.log(truth.value))
        square += float(apart @ apart)
    assert together / square == pytest.approx(0.9, abs=0.12)


@pytest.mark.parametrize("seed", SEEDS)
def test_bidding_the_posterior_mean_beats_the_group_mean_and_the_raw_rate(seed: int) -> None:
    one = case(seed)
    seen, group = np.maximum(one.exposure, 1e-9), one.truth.parents[0]
    rng = np.random.default_rng(seed)
    amounts = BASES["click"](rates_truth(6000, rng), rng).sums(6000)[2]
    of_group = np.bincount(group, amounts) / np.maximum(np.bincount(group, one.exposure), 1e-9)
    auction, worth = Auction.of(one.truth), one.truth.value_per_click
    ours = auction.share(one.per_click.mean, worth)
    assert ours > auction.share(of_group[group], worth) + 0.02
    assert ours > auction.share(amounts / seen, worth) + 0.1
    assert ours > 0.86


def test_the_spread_between_keywords_is_recovered() -> None:
    """Squared CV of a lognormal with sd 0.5 is 0.28."""
    found = [case(seed).rate.tau2[0] for seed in SEEDS]
    assert np.mean(found) == pytest.approx(np.expm1(0.25), abs=0.04)


def test_a_level_of_only_children_adds_nothing() -> None:
    """One keyword per ad group and campaign: one spread, that of all three effects together.

    Its moment falls short by a fifth: the lognormal's far tail is cut at five deviations.
    """
    found = np.mean([case(seed, "singletons").rate.tau2 for seed in SEEDS], axis=0)
    assert found[:2].tolist() == [0.0, 0.0]
    assert found[2] == pytest.approx(np.expm1(0.57), rel=0.3)


def test_unseen_siblings_share_one_belief() -> None:
    counts, clicks = np.array([3.0, 0.0, 0.0, 1.0, 0.0]), np.array([90.0, 0.0, 0.0, 40.0, 0.0])
    group = (np.array([0, 0, 0, 1, 1]), np.zeros(2, dtype=np.int64))
    fit = fit_rates(counts, clicks, group)
    assert fit.posterior.mean[1] == fit.posterior.mean[2] == pytest.approx(fit.parent.mean[1])
    alone = fit_rates(
        counts[[0, 1, 3, 4]], clicks[[0, 1, 3, 4]], (group[0][[0, 1, 3, 4]], group[1])
    )
    assert fit.posterior.mean[[0, 1, 3, 4]] == pytest.approx(alone.posterior.mean)


def test_orders_without_clicks_are_not_unseen() -> None:
    fit = fit_rates(np.array([2.0, 0.0, 1.0]), np.array([0.0, 0.0, 60.0]), (np.zeros(3, int),))
    assert fit.posterior.mean[0] > fit.posterior.mean[1]


def test_a_lone_keyword_takes_its_own_rate_as_clicks_grow() -> None:
    fit = fit_rates(np.array([3000.0]), np.array([1e5]), (np.zeros(1, dtype=np.int64),))
    assert fit.posterior.mean[0] == pytest.approx(0.03, rel=0.01)


def test_amounts_are_weighed_by_hand() -> None:
    """With prior mean m and squared CV c it is (1/c + x/s) / (1/(c m) + e/s), s variance over mean."""
    amounts, orders = np.array([400.0, 90.0]), np.array([5.0, 2.0])
    fit = fit_rates(amounts, orders, FLAT, unit_cv2=0.5)
    shape, prior = 1 / fit.parent.cv2, fit.parent.mean
    scale = 0.5 * prior * (1 + fit.tau2[0])
    expected = (shape + amounts / scale) / (shape / prior + orders / scale)
    assert fit.posterior.mean == pytest.approx(expected, rel=1e-3)
    assert fit.posterior.cv2 == pytest.approx(1 / (shape + amounts / scale), rel=1e-3)


def test_doubt_about_the_group_reaches_a_keyword_as_far_as_it_leans_on_it() -> None:
    """By hand: v 0.2 and a prior of 1/a = 0.8; half of the belief is the group's, or all of it."""
    mean, parent = np.array([0.02, 0.03, 0.02]), Gamma(np.full(3, 0.02), np.full(3, 0.8))
    clicks = np.array([0.0, 62.5, 1e9])
    posterior = Gamma(mean, 1 / (mean * (1 / 0.016 + clicks)))
    told = RateFit(posterior, parent, np.full(3, 0.2), (0.5,), 1.0).shared_sd(clicks)
    assert told == pytest.approx(np.sqrt(0.2) * np.array([1.0, 0.5, 0.0]), abs=1e-6)


def grouped(kind: str, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Group of 3,000 keywords in 100 groups, the groups' rates, the keywords' clicks and orders."""
    rng = np.random.default_rng(seed)
    group, level = np.repeat(np.arange(100), 30), 0.03 * rng.lognormal(-0.045, 0.3, 100)
    ratio = {
        "two_point": np.where(rng.random(3000) < 0.5, 0.4, 1.6),
        "lognormal": rng.lognormal(-0.4, np.sqrt(0.8), 3000),
        "gamma": rng.gamma(2.0, 0.5, 3000),
    }[kind]
    clicks = rng.exponential(300.0, 3000)
    return group, level, clicks, rng.poisson(clicks * level[group] * ratio).astype(float)


@pytest.mark.parametrize("kind", ["two_point", "lognormal", "gamma"])
def test_doubt_about_the_group_is_as_large_as_the_error_about_it(kind: str) -> None:
    """Of a keyword without clicks in every group, whose belief is its group's."""
    error, doubt = [], []
    for seed in range(4):
        group, level, clicks, orders = grouped(kind, seed)
        none, probes = np.zeros(100), 3000 + np.arange(100)
        tree = np.r_[group, np.arange(100)], np.zeros(100, dtype=np.int64)
        fit = fit_rates(np.r_[orders, none], np.r_[clicks, none], tree).take(probes)
        error.append(fit.posterior.mean / level - 1)
        doubt.append(fit.shared_sd(none))
    found, told = np.square(error).mean(), np.square(doubt).mean()
    assert 0.68 < np.sqrt(told / found) < 1.3


@pytest.mark.parametrize("kind", ["lognormal", "gamma"])
@pytest.mark.parametrize(("orders", "clicks"), [(0, 50), (1, 100), (2, 30), (5, 200), (20, 500)])
def test_doubt_about_the_group_is_what_the_belief_moves_with_it(
    kind: str, orders: int, clicks: int
) -> None:
    """Group 0's other keywords do a twentieth better: a keyword unseen moves wholly, this one partly."""
    group, _, seen, sold = grouped(kind, 1)
    probes, own = 3000 + np.arange(2), np.array([0.0, clicks])
    tree = np.r_[group, 0, 0], np.zeros(100, dtype=np.int64)
    before, after = (
        fit_rates(np.r_[sold, 0, orders], np.r_[seen / better, own], tree).take(probes)
        for better in (1.0, np.where(group == 0, 1.05, 1.0))
    )
    unseen, leaning = np.log(after.posterior.mean / before.posterior.mean)
    told = before.shared_sd(own) / np.sqrt(before.level_cv2)
    assert told == pytest.approx([1.0, leaning / unseen], abs=0.1)


def test_a_keywords_own_orders_stay_out_of_its_prior() -> None:
    group = (np.zeros(20, dtype=np.int64),)
    clicks = np.full(20, 100.0)
    few = fit_rates(np.r_[0.0, np.full(19, 3.0)], clicks, group)
    many = fit_rates(np.r_[12.0, np.full(19, 3.0)], clicks, group)
    assert many.parent.mean[1] > 1.05 * few.parent.mean[1]
    assert many.parent.mean[0] == pytest.approx(few.parent.mean[0], rel=0.06)


def test_nothing_seen_gives_finite_beliefs() -> None:
    fit = fit_rates(np.zeros(2), np.zeros(2), FLAT)
    assert np.isfinite([fit.posterior.mean, fit.posterior.cv2]).all()


def test_clicks_without_any_order_still_have_a_small_rate() -> None:
    fit = fit_rates(np.zeros(2), np.full(2, 500.0), FLAT)
    assert (fit.posterior.mean > 0).all()
    assert (fit.posterior.mean < 0.001).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 50), min_size=2, max_size=12), st.floats(0.01, 100))
def test_the_unit_of_exposure_does_not_matter(counts: list[int], scale: float) -> None:
    seen, group = np.array(counts) / 4, (np.zeros(len(counts), dtype=np.int64),)
    clicks = np.linspace(10, 300, len(counts))
    plain, scaled = fit_rates(seen, clicks, group), fit_rates(seen, clicks * scale, group)
    assert scaled.posterior.mean * scale == pytest.approx(plain.posterior.mean, rel=1e-6)
    assert scaled.posterior.cv2 == pytest.approx(plain.posterior.cv2, rel=1e-6)


@pytest.mark.parametrize("pair", [1, 2])
def test_orders_in_pairs_double_the_dispersion(pair: int) -> None:
    rng = np.random.default_rng(4)
    unit = np.repeat(np.arange(800), 30)
    clicks = rng.poisson(4.0, len(unit)).astype(float)
    orders = pair * rng.poisson(0.05 / pair * clicks)
    found = estimate_dispersion(orders.astype(float), clicks, unit, 800)
    assert found == pytest.approx(pair, rel=0.08)


def test_dispersion_is_about_days_not_about_keywords() -> None:
    """Keywords that differ tenfold are still Poisson from day to day."""
    rng = np.random.default_rng(5)
    unit = np.repeat(np.arange(800), 30)
    rate = np.repeat(rng.choice([0.01, 0.1], 800), 30)
    orders = rng.poisson(4.0 * rate).astype(float)
    assert estimate_dispersion(orders, np.full(len(unit), 4.0), unit, 800) == pytest.approx(
        1, abs=0.08
    )


def test_clustered_orders_widen_the_posterior() -> None:
    counts, clicks = np.array([4.0, 6.0]), np.array([100.0, 100.0])
    plain = fit_rates(counts, clicks, FLAT).posterior.cv2
    assert (fit_rates(counts, clicks, FLAT, dispersion=2.0).posterior.cv2 > plain).all()


@pytest.mark.parametrize("cv", [0.5, 1.0])
def test_the_spread_of_single_amounts_is_recovered(cv: float) -> None:
    rng, units, days = np.random.default_rng(6), 600, 20
    unit = np.repeat(np.arange(units), days)
    number = rng.poisson(1.5, len(unit))
    owner = np.repeat(np.arange(len(unit)), number)
    mean = np.exp(rng.normal(4, 0.4, units))[unit][owner]
    amounts = np.bincount(owner, mean * rng.gamma(1 / cv**2, cv**2, len(owner)), len(unit))
    found = estimate_unit_cv2(amounts, number.astype(float), unit, units, prior=2.0)
    assert found == pytest.approx(cv**2, rel=0.12)


def test_without_amounts_the_stated_spread_stands() -> None:
    one = np.zeros(1, dtype=np.int64)
    assert estimate_unit_cv2(np.zeros(1), np.zeros(1), one, 1, prior=0.64) == 0.64
