import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.decisions.allocation import Budgets, Gates, allocate, ungated
from optimizer.errors import Infeasible
from tests.decisions.instances import NO_CAPS, linear_optimum, nested, options

ONE_CAMPAIGN = np.zeros(2, dtype=np.int64)
seeds = st.integers(0, 10_000)


def budget(account: float) -> Budgets:
    return Budgets(account, np.array([np.inf]))


def test_two_keywords_share_the_budget_by_what_the_next_step_returns() -> None:
    # Slopes: 5, 2 for the first word, 4, 3 for the second; 30 buys the steps 5, 4 and 3.
    two = options([[0, 10, 20], [0, 10, 20]], [[0, 50, 70], [0, 40, 70]], hold=0)
    found = allocate(ungated(two)[0], ONE_CAMPAIGN, budget(30.0), ungated(two)[1])
    assert found.level.tolist() == [1, 2]
    assert (found.cost, found.objective, found.dual_price) == (30.0, 90.0, 2.0)
    assert found.gap == pytest.approx(0.0)


def test_money_that_returns_less_than_itself_is_not_spent() -> None:
    two = options([[0, 10, 20], [0, 10, 20]], [[0, 15, 24], [0, 8, 12]], hold=0)
    found = allocate(ungated(two)[0], ONE_CAMPAIGN, budget(1000.0), ungated(two)[1])
    assert found.level.tolist() == [1, 0]
    assert found.dual_price == 1.0


def test_a_level_inside_the_hull_is_skipped() -> None:
    one = options([[0, 10, 20]], [[0, 1, 60]], hold=0)
    found = allocate(ungated(one)[0], np.array([0]), budget(20.0), ungated(one)[1])
    assert found.level.tolist() == [2]


def test_log_curves_end_at_equal_marginal_returns() -> None:
    """value = a log(1 + c/s): spending is a/Λ - s, and the budget fixes Λ = Σa / (B + Σs)."""
    scale, offset, money = np.array([40.0, 90.0, 25.0]), np.array([5.0, 20.0, 3.0]), 60.0
    cost = np.tile(np.linspace(0, 60, 6001), (3, 1))
    curves = options(cost.tolist(), (scale[:, None] * np.log1p(cost / offset[:, None])).tolist(), 0)
    found = allocate(
        ungated(curves)[0], np.zeros(3, dtype=np.int64), budget(money), ungated(curves)[1]
    )
    line = scale.sum() / (money + offset.sum())
    assert found.dual_price == pytest.approx(line, rel=1e-3)
    assert cost[0, found.level] == pytest.approx(scale / line - offset, abs=0.02)


@pytest.mark.parametrize("seed", range(50))
def test_the_bound_is_the_linear_optimum_and_the_plan_one_step_away(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = nested(
        rng, int(rng.integers(3, 30)), int(rng.integers(3, 8)), int(rng.integers(1, 5))
    )
    found = allocate(problem.options, problem.campaign, problem.budgets, problem.gates)
    best = linear_optimum(problem)
    assert found.upper_bound == pytest.approx(best, rel=1e-8)
    steps = np.diff(problem.options.value - problem.options.cost, axis=1).clip(min=0)
    budgets_that_bind = (found.line > 1).sum() + 1
    assert best - found.objective <= budgets_that_bind * steps.max() + 1e-9
    assert found.objective <= best * (1 + 1e-9)


@settings(max_examples=50, deadline=None)
@given(seed=seeds, keywords=st.integers(1, 40), campaigns=st.integers(1, 6))
def test_no_budget_is_ever_passed(seed: int, keywords: int, campaigns: int) -> None:
    problem = nested(np.random.default_rng(seed), keywords, 6, campaigns)
    found = allocate(problem.options, problem.campaign, problem.budgets, problem.gates)
    spent = problem.options.cost[np.arange(keywords), found.level]
    assert spent.sum() <= problem.budgets.account + 1e-9
    caps = problem.budgets.campaign
    assert (np.bincount(problem.campaign, spent, len(caps)) <= caps + 1e-9).all()


@settings(max_examples=50, deadline=None)
@given(seed=seeds, share=st.floats(0.05, 1.5), spread=st.floats(0.01, 1.0))
def test_moves_pass_their_gate_at_the_line_found(seed: int, share: float, spread: float) -> None:
    rng = np.random.default_rng(seed)
    problem = nested(rng, 30, 7, 3)
    hold = rng.integers(0, 7, 30)
    held = options(problem.options.cost.tolist(), problem.options.value.tolist(), 0)
    held = type(held)(held.cost, held.value, held.allowed, hold)
    middle = np.exp(rng.normal(0.3, 0.6, 30))
    gates = Gates(middle * np.exp(-spread), middle * np.exp(spread))
    money = Budgets(problem.budgets.account * share, np.full(3, np.inf))
    found = allocate(held, problem.campaign, money, gates)
    line = found.line[problem.campaign]
    assert (gates.raise_gate[found.level > hold] >= line[found.level > hold]).all()
    assert (gates.lower_gate[found.level < hold] <= line[found.level < hold] + 1e-12).all()
    assert found.upper_bound >= found.objective - 1e-9


def test_a_sure_keyword_moves_and_an_unsure_one_waits() -> None:
    both = options([[8, 10, 12], [8, 10, 12]], [[30, 40, 49], [30, 40, 49]], hold=1)
    gates = Gates(np.array([3.0, 0.9]), np.array([6.0, 9.0]))
    found = allocate(both, ONE_CAMPAIGN, NO_CAPS, gates)
    assert found.level.tolist() == [2, 1]


@pytest.mark.parametrize("code", ["account_budget_unreachable", "campaign_budget_unreachable"])
def test_infeasible_names_the_budget_and_a_value_that_works(code: str) -> None:
    two = options([[6, 10, 20], [5, 10, 20]], [[9, 50, 70], [9, 40, 70]], hold=1)
    gates = Gates(np.full(2, 1.0), np.full(2, 5.0))

    def solve(money: float) -> float:
        of_account = code.startswith("account")
        caps = Budgets(money if of_account else 99.0, np.array([99.0 if of_account else money]))
        return allocate(two, ONE_CAMPAIGN, caps, gates).cost

    with pytest.raises(Infeasible) as refusal:
        solve(10.5)
    assert refusal.value.code == code
    assert refusal.value.fields["budget"] == 10.5
    assert solve(refusal.value.fields["nearest"]) == pytest.approx(11.0)


def test_a_raise_gate_above_the_lower_gate_is_a_defect() -> None:
    one = options([[0, 1]], [[0, 2]], hold=0)
    with pytest.raises(ValueError, match="raise_gate"):
        allocate(one, np.array([0]), NO_CAPS, Gates(np.array([2.0]), np.array([1.0])))
