"""The parts of the search for whole levels under one cap, each on its own."""

import numpy as np
import pytest

from optimizer.decisions import kernels_blocks as parts
from optimizer.decisions.allocation import SideCaps
from optimizer.decisions.allocation.books import open_books
from optimizer.decisions.allocation.steps import build_steps
from optimizer.decisions.allocation.tree import rules_of
from tests.decisions.accounts import accounts, any_accounts, keeps
from tests.decisions.instances import free
from tests.decisions.test_allocation_by_hand import tree

EACH = np.array([True] * 6)


def useful(cost, gain, allowed=EACH) -> tuple[list, list, list]:
    level, spend, worth = np.zeros(6, np.int64), np.zeros(6), np.zeros(6)
    told = (np.array(cost, float), np.array(gain, float), allowed[: len(cost)])
    size = parts.useful(*told, level, spend, worth)
    return level[:size].tolist(), spend[:size].tolist(), worth[:size].tolist()


def test_only_levels_that_bring_more_than_every_cheaper_one_are_useful() -> None:
    assert useful([3, 5, 6, 9], [7, 6, 8, 8]) == ([0, 2], [0, 3], [0, 1])
    assert useful([3, 5, 6], [7, 8, 9], np.array([False, True, True])) == ([1, 2], [0, 1], [0, 1])
    assert useful([3, 5], [7, 8], np.array([False, False])) == ([], [], [])


def test_of_levels_at_one_cost_the_best_is_useful() -> None:
    assert useful([3, 3, 3], [7, 5, 9]) == ([2], [0], [0])
    assert useful([3, 5, 5, 8], [7, 8, 9, 9.5]) == ([0, 2, 3], [0, 2, 5], [0, 2, 2.5])


def test_whole_numbers_on_one_line_lie_not_on_the_hull() -> None:
    out = np.zeros(5, np.int64)
    spend, worth = np.array([0.0, 1, 2, 4, 5]), np.array([0.0, 3, 6, 8, 10])
    assert parts.rises(spend, worth, 5, out) == 3
    assert out[:3].tolist() == [0, 2, 4]
    assert parts.rises(spend, worth, 4, out) == 3
    assert out[:3].tolist() == [0, 2, 3]


def test_steps_of_all_hulls_come_steepest_first_and_ties_in_order() -> None:
    spend, worth = np.array([[0.0, 2, 4], [0, 1, 0]]), np.array([[0.0, 8, 14], [0, 4, 0]])
    owner, to, extra, more = parts.open_steps(spend, worth, np.array([3, 2]), np.array([1, 0]))
    assert (owner.tolist(), to.tolist()) == ([0, 1, 1], [1, 1, 2])
    assert (extra.tolist(), more.tolist()) == ([1.0, 2.0, 2.0], [4.0, 8.0, 6.0])


def test_many_equal_steps_stay_in_the_order_of_keywords() -> None:
    worth = np.zeros((200, 2))
    worth[:, 1] = np.random.default_rng(0).integers(1, 4, 200)
    spend = np.tile([0.0, 1.0], (200, 1))
    owner, *_ = parts.open_steps(spend, worth, np.full(200, 2), np.arange(200))
    assert owner.tolist() == sorted(range(200), key=lambda k: -worth[k, 1])


def test_what_fits_whole_and_a_part_of_the_next() -> None:
    cost, gain = np.array([0.0, 2, 5]), np.array([0.0, 8, 14])
    for room, found in [(0, (0, 0)), (1, (0, 4)), (2, (1, 8)), (3, (1, 10)), (9, (2, 14))]:
        assert parts.linear(cost, gain, float(room)) == found


def test_a_choice_that_costs_more_must_bring_more() -> None:
    cost, gain = np.array([4.0, 1, 2, 2, 3]), np.array([9.0, 2, 3, 5, 5])
    assert parts.not_dominated(cost, gain, np.full(5, 9.0), 8.0).tolist() == [1, 2, 3, 0]
    bound = np.array([9.0, 8, 9, 9, 9])
    assert parts.not_dominated(cost, gain, bound, 8.0).tolist() == [2, 3, 0]


def test_of_many_equal_choices_the_first_stays() -> None:
    cost = np.random.default_rng(0).integers(0, 3, 200).astype(float)
    kept = parts.not_dominated(cost, 5.0 + cost, np.full(200, 9.0), 0.0)
    assert kept.tolist() == [cost.tolist().index(one) for one in (0, 1, 2)]


def test_sums_run_over_the_keywords_still_open() -> None:
    owner, extra, more = np.array([0, 2, 1, 2]), np.array([1.0, 2, 4, 8]), np.array([9.0, 7, 5, 3])
    cost, gain = parts.running(owner, extra, more, 1)
    assert (cost.tolist(), gain.tolist()) == ([0, 2, 6, 14], [0, 7, 12, 15])


def test_open_keywords_follow_the_steepest_steps() -> None:
    picked, order = np.array([7, 7, 7]), np.array([2, 0, 1])
    owner, to = np.array([2, 0, 1, 2]), np.array([1, 1, 3, 2])
    parts.follow(picked, order, owner, to, 1, 2)
    assert picked.tolist() == [3, 1, 7]
    parts.follow(picked, order, owner, to, 1, 0)
    assert picked.tolist() == [0, 0, 7]


def test_a_choice_is_traced_back_to_the_first_keyword() -> None:
    picked, order = np.array([9, 9, 9]), np.array([2, 0, 1])
    parent, option = np.array([[0, 0], [0, 0], [1, 0]]), np.array([[0, 0], [4, 5], [6, 7]])
    parts.trace(picked, order, parent, option, 2, 0)
    assert picked.tolist() == [6, 9, 5]


def test_keywords_with_most_to_spend_are_decided_however_late_they_come() -> None:
    # Seven bring 25 and leave room for three ones; five and five bring 30 of the ten.
    cost = np.array([[0.0, 1]] * parts._DECIDED + [[0, 7], [0, 5], [0, 5]])
    gain = np.array([[0.0, 0.01]] * parts._DECIDED + [[0, 25], [0, 15], [0, 15]])
    level, best, bound = parts.whole_block(cost, gain, gain >= 0, 10.0, 0.0, 500)
    assert (np.flatnonzero(level) - parts._DECIDED).tolist() == [1, 2]
    assert best == pytest.approx(30.0)
    assert bound >= best


def extended(room: float, least: float, best: float):
    """Nothing or 2 spent so far; now 0, 3 or 6 more, and 4 of cost and 8 of gain still open."""
    paid, got = np.array([0.0, 2.0]), np.array([0.0, 5.0])
    spend, worth = np.array([0.0, 3, 6]), np.array([0.0, 9, 12])
    running = (np.array([0.0, 4.0]), np.array([0.0, 8.0]))
    return parts.extend(paid, got, spend, worth, *running, room, least, best)


def test_choices_are_extended_while_they_fit_and_may_beat_the_best() -> None:
    cost, gain, bound, source, option, winner, fitting, passed = extended(7.0, 12.0, 11.0)
    assert (cost.tolist(), gain.tolist()) == ([3, 6, 2, 5], [9, 12, 5, 14])
    assert bound.tolist() == [9 + 8, 12 + 2, 5 + 8, 14 + 4]
    assert (source.tolist(), option.tolist()) == ([0, 0, 1, 1], [1, 2, 0, 1])
    assert (winner, fitting, passed) == (0, 1, 8.0)


def test_choices_that_cannot_beat_the_best_are_passed_over() -> None:
    *_, option, winner, fitting, passed = extended(7.0, 17.0, 17.0)
    assert (option.tolist(), winner, fitting, passed) == ([1], -1, 0, 17.0)
    # 2 and 3 spent bring 14: more than 13.5 without any of the open keyword's step.
    *_, option, winner, fitting, passed = extended(5.0, 13.0, 13.5)
    assert (option.tolist(), winner, fitting, passed) == ([1], 0, 0, 13.0)


@pytest.mark.parametrize("words", [1, 3])
def test_keywords_may_move_together_while_every_account_is_kept(words: int) -> None:
    rng, seen = np.random.default_rng(words), []
    for _ in range(400):
        books, node = any_accounts(rng, 5), int(rng.integers(0, 4))
        mine = rng.choice(5, words, replace=False)
        cost, gained = float(rng.integers(-4, 6)), rng.integers(-2, 5, words).astype(float)
        found = parts.stays_within(node, cost, mine, gained, books)
        assert found == keeps(books, node, cost, mine.tolist(), gained)
        seen.append(found)
    assert 0.1 < np.mean(seen) < 0.9


def test_a_sum_that_misses_its_cap_by_rounding_stays_within() -> None:
    books = accounts(left=[3.0])
    assert parts.stays_within(0, 3.0 + 1e-12, np.array([0]), np.zeros(1), books)
    assert not parts.stays_within(0, 3.0 + 1e-10, np.array([0]), np.zeros(1), books)


def test_levels_are_open_from_the_lowest_to_the_highest() -> None:
    allowed = np.array([[True, True, False, True, True], [True] * 5])
    found = parts.open_levels(allowed, np.array([1, 0]), np.array([3, 4]))
    assert found.tolist() == [[False, True, False, True, False], [True] * 5]
    assert allowed.sum() == 9


def solved(cap: list[float], level: list[int], picked: list[int], **more):
    """Words of 7, 5 and 5 in campaign 1 and one of 4 in campaign 2: gain 25, 15, 15 and 9."""
    told, gates = free([[0, 7], [0, 5], [0, 5], [0, 4]], [[0, 25], [0, 15], [0, 15], [0, 9]])
    money, node = tree([-1, 0, 0], [99.0, *cap]), np.array([1, 1, 1, 2])
    steps = build_steps(told, node, money, gates, 1.0, None)
    full, now = np.array(level), np.array(level)
    aims, crossing = more.get("targets", ()), more.get("sides", SideCaps.none(4))
    books = open_books(told, steps, money, rules_of(aims, steps), crossing, full)
    done, one = np.zeros(4, dtype=bool), np.ones(4)
    tail = (steps.start, steps.reached, np.zeros(4, int), np.full(4, more.get("highest", 1)))
    excess = parts.solve_blocks(
        np.array(picked), steps.begin, steps.end, steps.rows, *tail, told.cost, told.value,
        told.allowed, one, 2.0 * one, np.full(len(picked), more.get("dual", 1.0)),
        np.full(len(picked), 1e-9), 500, full, now, done, books,
    )  # fmt: skip
    assert full.tolist() == now.tolist()
    return now.tolist(), done.tolist(), excess, books


def test_a_campaign_gets_its_best_mixture_and_its_accounts_are_kept() -> None:
    # At price 2 less 1 the words bring 18, 10, 10: together 20 in a room of 10.
    level, done, excess, books = solved([10.0, 9.0], [1, 0, 0, 0], [1])
    assert (level, done) == ([0, 1, 1, 0], [True, True, True, False])
    assert (books.left.tolist(), books.spare.tolist()) == ([89, 0, 9], [10, 10, 0])
    # At price 2 the peaks are 11, 5 and 5; with 1 for each of the room of 10: 31.
    assert excess == 31.0 - 20.0


def test_the_best_mixture_stays_and_is_done() -> None:
    level, done, excess, books = solved([10.0, 9.0], [0, 1, 1, 1], [1, 2])
    assert (level, done, excess) == ([0, 1, 1, 1], [True] * 4, 11.0 + 1.0 + 9.0 - 5.0)
    assert books.left.tolist() == [99 - 14, 0, 5]


def test_a_campaign_overspent_whatever_its_levels_is_left_to_others() -> None:
    level, done, excess, _ = solved([-1.0, 9.0], [0, 0, 0, 0], [1, 2])
    assert (level, done) == ([0, 0, 0, 1], [False, False, False, True])
    assert excess == 1.0 + 9.0 - 5.0
