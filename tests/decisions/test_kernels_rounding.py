"""The loops from lines to whole levels, each on its own."""

import numpy as np
import pytest

from optimizer.decisions import kernels_rounding as parts
from tests.decisions.accounts import accounts, any_accounts, changes, keeps, path

#      0
#    1   2
#   3 4
PARENT = np.array([-1, 0, 0, 1, 1])


def anything(seed: int, count: int):
    """Accounts, a keyword, its node, and a move of it up or down."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        word, node = int(rng.integers(0, 5)), int(rng.integers(0, 4))
        cost, value = float(rng.integers(-5, 6)), float(rng.integers(-4, 5))
        yield any_accounts(rng, 5), word, node, cost, value


def test_a_move_is_allowed_where_it_makes_no_account_worse_than_empty() -> None:
    seen = []
    for books, word, node, cost, value in anything(1, 800):
        seen.append(parts.allowed_move(word, node, cost, value, books))
        assert seen[-1] == keeps(books, node, cost, [word], [value])
    assert 0.2 < np.mean(seen) < 0.8


def test_a_move_is_written_into_every_account_of_its_path() -> None:
    for books, word, node, cost, value in anything(2, 200):
        now = (books.left, books.spare, books.slack, books.side_left)
        moved = changes(books, node, cost, [word], [value])
        expected = [account + change for account, change in zip(now, moved, strict=True)]
        parts.book(word, node, cost, value, books)
        for account, after in zip(now, expected, strict=True):
            np.testing.assert_array_equal(account, after)


def test_giving_back_mends_what_is_overdrawn_and_rises() -> None:
    seen = []
    for books, word, node, cost, value in anything(3, 400):
        back = changes(books, node, -cost, [word], [-value])
        now = (books.left, books.slack, books.side_left)
        change = (back[0], back[2], back[3])
        mends = any(((a < 0) & (c > 0)).any() for a, c in zip(now, change, strict=True))
        seen.append(parts.broken(word, node, cost, value, books))
        assert seen[-1] == mends
    assert 0.2 < np.mean(seen) < 0.8


def test_what_is_given_back_must_be_spare_all_the_way_up() -> None:
    spare = np.array([6.0, 3.0, 9.0, 5.0, 2.0])
    for node, most in [(0, 6.0), (1, 3.0), (2, 6.0), (3, 3.0), (4, 2.0)]:
        assert parts.above_floors(node, most, PARENT, spare)
        assert not parts.above_floors(node, most + 0.1, PARENT, spare)


def test_what_stands_in_the_way_is_the_lowest_cap_and_the_most_it_is_passed_by() -> None:
    left = np.array([1.0, 7.0, 9.0, 4.0, 8.0])
    blocked = [parts.what_blocks(node, 7.0, PARENT, left) for node in range(5)]
    assert blocked == [(0, 6.0), (0, 6.0), (0, 6.0), (3, 6.0), (0, 6.0)]
    assert parts.what_blocks(3, 4.0, PARENT[[0, 1, 2, 3]], np.full(4, 4.0)) == (-1, 0.0)
    assert parts.what_blocks(3, 6.0, PARENT, np.array([5.0, 2, 9, 3, 9])) == (3, 4.0)


def test_amounts_are_summed_and_compared_along_the_tree() -> None:
    amount = np.array([5.0, 7.0, 3.0, 6.0, 8.0])
    assert parts.path_least(PARENT, amount).tolist() == [5, 5, 3, 5, 5]
    assert parts.path_least(PARENT, np.array([9.0, 4, 3, 6, 2])).tolist() == [9, 4, 3, 4, 2]
    assert parts.path_sum(PARENT, amount).tolist() == [5, 12, 8, 18, 20]
    assert amount.tolist() == [5, 7, 3, 6, 8]
    parts.sum_up(PARENT, amount)
    assert amount.tolist() == [29, 21, 3, 6, 8]


def test_the_last_step_that_opens_lowest_is_given_back_first() -> None:
    start, threshold = np.array([0, 2, 4, 6]), np.array([9.0, 4, 8, 3, 7, 2])
    full, held = np.array([1, 2, 1]), np.zeros(3, dtype=bool)
    told = (start, full, np.array([0, 0, 0]), threshold)
    assert parts.worst_last(0, 3, -1, *told, held) == 1
    assert parts.worst_last(0, 3, 1, *told, held) == 2
    assert parts.worst_last(0, 2, 1, *told, held[:2]) == 0
    assert parts.worst_last(1, 3, -1, *told, np.array([True, False])) == 2
    assert parts.worst_last(1, 1, -1, *told, held) == -1
    kept = (start, full, np.array([0, 2, 1]), threshold)
    assert parts.worst_last(0, 3, -1, *kept, held) == 0
    assert parts.worst_last(0, 3, 0, *kept, held) == -1


def multipliers(setter: list[int], binding: list[int], line: list[float]):
    """A cap of 10, 20 and 30, a floor of 4, 5 and 6; a target of 3 cost for 2 value, 7 ahead."""
    cap, floor = np.array([10.0, 20, 30]), np.array([4.0, 5, 6])
    least, ratio, slack = np.full((1, 3), 3.0), np.full((1, 3), 2.0), np.full((1, 3), 7.0)
    told = (np.array([-1, 0, 1]), cap, floor, least, ratio, slack, np.array(line))
    scale, price, total = parts.multipliers(*told, np.array(setter), np.array(binding), 1.0, 50.0)
    return scale.tolist(), price.tolist(), total


def test_lines_of_caps_and_floors_are_prices_on_cost() -> None:
    found = multipliers([0, 1, 2], [0, 1, 0], [2.0, 1.5, 4.0])
    assert found == ([1, 1, 1], [2.0, 1.5, 4.0], 1.0 * 10 - 0.5 * 5 + 2.5 * 30)
    assert multipliers([-1, -1, 2], [-1, -1, 0], [1.0, 1, 3.0])[1:] == ([1.0, 1.0, 3.0], 60.0)


def test_the_line_of_a_target_is_a_scale_on_value_and_a_price_on_cost() -> None:
    # Where money stops at 1.2: (1 + 2w)·1.2 = 1 + 3w, so that w is 1/3; below it a cap at 1.5.
    scale, price, total = multipliers([0, 0, 2], [2, 2, 0], [1.2, 1.2, 1.5])
    assert scale == pytest.approx([5 / 3] * 3)
    assert price == pytest.approx([2.0, 2.0, 2.5])
    assert total == pytest.approx(7 / 3 + 0.5 * 30)


@pytest.mark.parametrize("line", [1.5, 1.4999, 1.6])
def test_no_weight_of_a_target_is_more_than_the_steepest(line: float) -> None:
    scale, price, total = multipliers([0, 0, 0], [2, 2, 2], [line] * 3)
    assert (scale, price, total) == ([101.0] * 3, [151.0] * 3, 350.0)


def taken(books, cost, node=(0, 0, 0), **more) -> tuple[int, list[int]]:
    """How many of three words move, which; each step brings twice its cost."""
    full, value = np.zeros(3, dtype=np.int64), 2.0 * np.array(cost, dtype=float)
    order, opens = np.array(more.get("order", [0, 1, 2])), np.array(more.get("opens", [3.0, 2, 1]))
    tail = (opens, more.get("watched", -1), more.get("enough", 0.0))
    told = (order, np.array(node), full, np.array(cost, dtype=float), value)
    return parts.take(*told, books, *tail), full.tolist()


def test_steps_are_taken_in_order_where_they_are_allowed() -> None:
    books = accounts(left=[10.0])
    assert taken(books, [6, 5, 4]) == (2, [1, 0, 1])
    assert (books.left.tolist(), books.spare.tolist()) == ([0.0], [1010.0])
    assert taken(accounts(left=[9.0]), [6, 5, 4], order=[2, 0, 1]) == (1, [0, 0, 1])
    assert taken(accounts((-1, 0), [99.0, 5.0]), [6, 5, 4], (0, 1, 1)) == (2, [1, 1, 0])


def test_taking_ends_where_too_little_can_be_won_or_the_floor_is_met() -> None:
    # Of 10 left at 3 the first may win 30; then of 4 left at 2 the others win at most 8.
    assert taken(accounts(left=[10.0]), [6, 2, 2], enough=1.9) == (3, [1, 1, 1])
    assert taken(accounts(left=[10.0]), [6, 2, 2], enough=7.9) == (2, [1, 1, 0])
    assert taken(accounts(left=[10.0]), [6, 2, 2], enough=8.0) == (1, [1, 0, 0])
    assert taken(accounts(left=[10.0]), [6, 2, 2], enough=30.0) == (0, [0, 0, 0])
    for short, moves in [(-9.0, 3), (-8.0, 2), (-6.0, 1), (0.0, 0)]:
        books = accounts((-1, 0), spare=[1e3, short])
        assert taken(books, [6, 2, 2], (1, 1, 1), watched=1, enough=-np.inf)[0] == moves


def test_taking_keeps_targets_and_side_caps() -> None:
    aims = [([1.0], [-3.0])]
    books = accounts(aims=aims, per=[0.0, 1.0, 0.0])
    assert taken(books, [6, 5, 4]) == (1, [0, 1, 0])
    assert books.slack.tolist() == [[-3.0 + 10 - 5]]
    books = accounts(sides=[20.0, 7.0], group=[0, 1, 0], side=[1.0, 1.0, 2.0])
    assert taken(books, [6, 5, 2]) == (2, [1, 0, 1])
    assert books.side_left.tolist() == [20.0 - 12 - 8, 7.0]


def given(books, cost, value, strict: bool = True) -> tuple[int, list[int]]:
    full = np.ones(len(cost), dtype=np.int64)
    told = (np.arange(len(cost)), np.zeros(len(cost), dtype=np.int64), full)
    back = (np.array(cost, dtype=float), np.array(value, dtype=float))
    return parts.give_back(*told, *back, books, strict), full.tolist()


def test_steps_are_given_back_until_what_was_broken_is_mended() -> None:
    books = accounts(left=[-7.0])
    assert given(books, [4, 0, 3, 5], [8, 9, 6, 5]) == (2, [0, 1, 0, 1])
    assert (books.left.tolist(), books.spare.tolist()) == ([0.0], [993.0])


def test_floors_are_kept_and_targets_while_strict() -> None:
    assert given(accounts(left=[-7.0], spare=[4.0]), [5, 4, 1], [1, 1, 1]) == (1, [1, 0, 1])
    # Giving back 3 for 9 costs the target 6 of its 5; giving back 4 for 4 costs it nothing.
    aims, per = [([1.0], [5.0])], [1.0] * 3
    assert given(accounts(left=[-7.0], aims=aims, per=per), [3, 4], [9, 4]) == (1, [1, 0])
    books = accounts(left=[-7.0], aims=aims, per=per)
    assert given(books, [3, 4], [9, 4], strict=False) == (2, [0, 0])
    assert books.slack.tolist() == [[5.0 - 6]]


def exchanged(books, order, full, *, base=1.0, least_full=(0,) * 4, node=(0,) * 4, widest=9):
    """Two steps of four words: cost 4 and 4, opening at 9 and 6, 8 and 3, 7 and 4, 5 and 2."""
    start, threshold = np.arange(0, 10, 2), np.array([9.0, 6, 8, 3, 7, 4, 5, 2])
    tree = books.parent
    inside = [[at in path(tree, one) for one in node] for at in range(len(tree))]
    begin = np.array([row.index(True) for row in inside])
    end = begin + np.array([sum(row) for row in inside])
    now = np.array(full)
    told = (np.array(order), begin, end, start, threshold, np.full(8, 4.0), np.array(node), now)
    parts.exchange(*told, np.array(least_full), base, books, widest)
    return now.tolist()


def test_a_step_is_exchanged_for_the_worst_beside_it() -> None:
    books = accounts(left=[0.0])
    assert exchanged(books, [0], [1, 1, 2, 1]) == [2, 1, 1, 1]
    assert (books.left.tolist(), books.spare.tolist()) == ([0.0], [1000.0])
    # With 1 left the step lacks 3 and frees 4.
    books = accounts(left=[1.0])
    assert (exchanged(books, [0], [1, 1, 1, 2]), books.left[0]) == ([2, 1, 1, 1], 1.0)


def test_an_exchange_that_does_not_pay_is_undone() -> None:
    books = accounts(left=[-6.0])
    # Ten are lacking: steps opening at 2, 4 and 5 would go for one at 6.
    before = [part.copy() for part in books]
    assert exchanged(books, [0], [1, 1, 2, 2]) == [1, 1, 2, 2]
    for part, was in zip(books, before, strict=True):
        np.testing.assert_array_equal(part, was)
    assert exchanged(accounts(left=[-4.0]), [0], [1, 0, 0, 2], base=0.5) == [1, 0, 0, 2]
    assert exchanged(accounts(left=[-4.0]), [0], [1, 0, 0, 2], base=1.1) == [2, 0, 0, 0]
    # Nobody else has a step to give: what word 3 gave comes back.
    books = accounts(left=[-6.0])
    assert (exchanged(books, [0], [1, 0, 0, 1]), books.left[0]) == ([1, 0, 0, 1], -6.0)
    # Half a unit more than one step is lacking: the next worst goes too.
    assert exchanged(accounts(left=[-0.5]), [0], [1, 2, 2, 2]) == [2, 1, 2, 1]


def test_a_later_word_is_exchanged_where_an_earlier_one_may_not() -> None:
    books = accounts(left=[0.0])
    assert exchanged(books, [1, 0], [1, 1, 2, 0]) == [2, 1, 1, 0]
    assert exchanged(accounts(left=[0.0]), [0, 1], [1, 0, 1, 2]) == [2, 1, 1, 0]
    assert exchanged(accounts(left=[0.0]), [1], [2, 0, 0, 0]) == [1, 1, 0, 0]
    # What has room already is left to others.
    books = accounts((-1, 0, 0), [99.0, 0.0, 9.0])
    assert exchanged(books, [3, 0], [1, 1, 1, 1], node=(1, 1, 2, 2)) == [1, 1, 1, 1]
    books = accounts((-1, 0, 0), [99.0, 0.0, 9.0])
    assert exchanged(books, [3, 0], [1, 2, 1, 1], node=(1, 1, 2, 2)) == [2, 1, 1, 1]


def test_only_words_beside_it_that_may_give_are_asked() -> None:
    assert exchanged(accounts(left=[0.0]), [0], [1, 1, 1, 2], widest=4) == [2, 1, 1, 1]
    assert exchanged(accounts(left=[0.0]), [0], [1, 1, 1, 2], widest=3) == [1, 1, 1, 2]
    kept = exchanged(accounts(left=[0.0]), [0], [1, 1, 2, 2], least_full=(0, 0, 0, 2))
    assert kept == [2, 1, 1, 2]
    # The floor of campaign 2 holds its word; the next worst gives.
    books = accounts((-1, 0, 0), [0.0, 99.0, 99.0], [99.0, 99.0, 3.0])
    assert exchanged(books, [0], [1, 1, 2, 2], node=(1, 1, 1, 2)) == [2, 1, 1, 2]


def test_an_exchange_keeps_targets_and_side_caps_and_writes_them() -> None:
    # Word 3 gives 8, word 0 brings 24 of which the side cap lets in 24, and no less.
    for limit, full in [(24.0, [2, 1, 1, 1]), (23.0, [1, 1, 1, 2])]:
        books = accounts(left=[0.0], sides=[limit], group=[0, -1, -1, -1])
        assert exchanged(books, [0], [1, 1, 1, 2]) == full
        assert books.side_left.tolist() == [0.0 if full[0] == 2 else limit]
    # The target counts what word 3 sells thrice: its step is worth 24 - 4, that of word 2 only 12.
    for slack, full in [(20.0, [2, 1, 2, 1]), (19.0, [2, 1, 1, 2])]:
        books = accounts(left=[0.0], aims=[([1.0], [slack])], per=[1.0, 1.0, 1.0, 3.0])
        assert exchanged(books, [0], [1, 1, 2, 2]) == full
        assert books.slack.tolist() == [[20.0 if full[3] == 1 else 19.0 - 12 + 20]]


def risen(books, order, level, *, watched: int = -1, base: float = 1.0, allowed=None, top=3):
    """Two words of levels at cost 0, 2, 3, 6; the first brings 0, 4, 9, 10, the second 0, 6, 5, 9."""
    cost, value = np.array([[0.0, 2, 3, 6]] * 2), np.array([[0.0, 4, 9, 10], [0, 6, 5, 9]])
    may = np.ones((2, 4), dtype=bool) if allowed is None else np.array(allowed)
    now, rows = np.array(level), np.array([1, 0])
    told = (np.array(order), rows, np.zeros(2, dtype=np.int64), now, np.full(2, top))
    parts.between(*told, cost, value, may, base, books, watched)
    return now.tolist()


def test_a_word_rises_to_the_level_that_brings_most_of_those_that_fit() -> None:
    # Rows are turned round: word 0 earns 6, 5, 9 and word 1 earns 4, 9, 10.
    books = accounts(left=[5.0])
    assert risen(books, [0, 1], [0, 0]) == [1, 2]
    assert (books.left.tolist(), books.spare.tolist()) == ([0.0], [1005.0])
    assert risen(accounts(left=[5.0]), [1, 0], [0, 0]) == [1, 2]
    assert risen(accounts(left=[4.0]), [1, 0], [0, 0]) == [0, 2]
    assert risen(accounts(), [0, 1], [0, 0], base=4.0) == [0, 0]
    assert risen(accounts(), [1], [0, 0], base=0.0) == [0, 3]
    assert risen(accounts(), [1], [0, 0], base=0.0, top=2) == [0, 2]
    never = [[True, True, False, True]] * 2
    assert risen(accounts(), [1], [0, 0], allowed=never) == [0, 3]


def test_a_word_never_sinks_and_moves_only_for_a_gain() -> None:
    # Level 2 of word 0 earns less than level 1, level 3 of word 1 no more than level 2 at price 1/3.
    assert risen(accounts(), [0], [2, 0], top=2) == [2, 0]
    assert risen(accounts(), [1], [0, 2]) == [0, 2]
    assert risen(accounts(), [1], [0, 2], base=0.25) == [0, 3]


def test_a_floor_takes_the_level_that_just_meets_it_or_comes_nearest() -> None:
    for short, level in [(-1.0, 1), (-2.0, 1), (-2.5, 2), (-3.0, 2), (-4.0, 3), (-9.0, 3)]:
        books = accounts(spare=[short])
        assert risen(books, [1], [0, 0], watched=0, base=99.0) == [0, level]
    assert risen(accounts(spare=[0.0]), [1], [0, 0], watched=0) == [0, 0]
    books = accounts(spare=[-5.0], left=[4.0])
    assert risen(books, [0, 1], [0, 0], watched=0) == [2, 0]
    books = accounts(spare=[-9.0])
    assert (risen(books, [0, 1], [0, 0], watched=0), books.spare[0]) == ([3, 2], 0.0)


def test_levels_between_keep_targets_and_side_caps() -> None:
    books = accounts(sides=[8.0], group=[-1, 0])
    assert (risen(books, [1], [0, 0]), books.side_left[0]) == ([0, 1], 4.0)
    books = accounts(left=[1.0], sides=[8.0], group=[-1, 0])
    assert (risen(books, [1], [0, 1]), books.side_left[0]) == ([0, 2], 3.0)
    assert (books.left[0], books.spare[0]) == (0.0, 1001.0)
    books = accounts(aims=[([2.0], [0.0])], per=[1.0, 1.0])
    assert (risen(books, [1], [0, 0], base=0.0), books.slack[0, 0]) == ([0, 2], 3.0)
