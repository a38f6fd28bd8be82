"""From fractional plans to whole levels, step by step on problems worked out on paper."""

from dataclasses import replace

import numpy as np
import pytest

from optimizer.decisions.allocation import BudgetTree, Gates, Options, SideCaps, Target, ungated
from optimizer.decisions.allocation import rounding as parts
from optimizer.decisions.allocation.blocks import Sought
from optimizer.decisions.allocation.books import levels_at, open_books
from optimizer.decisions.allocation.steps import build_steps
from optimizer.decisions.allocation.tree import Settled, rules_of
from tests.decisions.instances import free, linear_optimum, nested
from tests.decisions.test_allocation_by_hand import problem, sides, target, tree

COST, VALUE = [[0, 10, 20], [1, 11, 31]], [[0, 50, 90], [2, 32, 52]]
# Slopes: 5 and 4 in the first word, 3 and 1 in the second.


def setting(money: BudgetTree, node: list[int], full: list[int], **more):
    """Steps of both words, and the books with `full` of them taken."""
    told, gates = free(COST, VALUE)
    steps = build_steps(told, np.array(node), money, gates, -np.inf, None)
    rules = rules_of(more.get("targets", ()), steps)
    crossing = more.get("sides", SideCaps.none(2))
    taken = np.array(full, dtype=np.int64)
    return told, steps, open_books(told, steps, money, rules, crossing, taken), taken


def test_steps_lie_in_the_order_of_the_tree() -> None:
    money = tree([-1, 0, 0], [99.0] * 3)
    _, steps, _, _ = setting(money, [2, 1], [0, 0])
    assert (steps.rows.tolist(), steps.node.tolist()) == ([1, 0], [1, 2])
    assert (steps.start.tolist(), steps.reached.tolist()) == ([0, 2, 4], [1, 2, 1, 2])
    assert (steps.threshold.tolist(), steps.extra.tolist()) == ([3, 1, 5, 4], [10, 20, 10, 10])
    assert (steps.lowest.tolist(), steps.base_cost.tolist()) == ([0, 0], [1.0, 0.0])
    assert (steps.base_value.tolist(), steps.start.dtype) == ([2.0, 0.0], np.int64)
    assert (steps.begin.tolist(), steps.end.tolist()) == ([0, 0, 1], [2, 1, 2])


def test_a_price_moves_thresholds_and_what_is_spent_anyway() -> None:
    _, steps, _, _ = setting(tree([-1], [99.0]), [0, 0], [0, 0])
    priced = steps.priced(np.array([2.0, 0.0]), np.array([3.0, 4.0]))
    assert priced.threshold.tolist() == [7.0, 5.0, -1e30, -1e30]
    assert priced.base_value.tolist() == [0.0, -4.0]
    assert (priced.extra is steps.extra, priced.base_cost is steps.base_cost) == (True, True)


@pytest.mark.parametrize("chunk", [2, 5])
def test_chunks_of_keywords_give_the_same_steps(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = nested(np.random.default_rng(11), 9, 5, locks=False)
    held = replace(rows.options, hold=np.arange(9) % 5)
    gates = Gates(np.linspace(0.5, 2.0, 9), np.linspace(1.0, 3.0, 9))
    told = (held, rows.node, rows.tree, gates, 0.5, None)
    whole = build_steps(*told)
    assert (np.diff(whole.rows) < 0).any()
    monkeypatch.setattr("optimizer.decisions.allocation.steps.CHUNK", chunk)
    for name, part in vars(build_steps(*told)).items():
        np.testing.assert_array_equal(part, getattr(whole, name), name)
        assert part.dtype == getattr(whole, name).dtype


def test_the_books_say_what_is_left_everywhere() -> None:
    money = tree([-1, 0, 0], [50.0, 25.0, 9.0], [5.0, 30.0, 0.0])
    aims = (target([2, 3], [1.0, 0, 2.0], [7.0, 0, 1.0], [3.0, 0, 0.5]),)
    crossing = sides([1, 0], [0.1, 0.5], [40.0, 9.5])
    *_, books, _ = setting(money, [1, 2], [2, 1], targets=aims, sides=crossing)
    assert books.left.tolist() == [50 - 31, 25 - 20, 9 - 11]
    assert books.spare.tolist() == [31 - 5, 20 - 30, 11]
    # Counted 180 + 96; slack: brought - least·spent to begin with.
    assert books.slack.tolist() == [[4 + 276 - 31, 180.0, 0 + 96 - 22]]
    assert books.side_left.tolist() == [40 - 16, 0.5]
    assert (books.group.tolist(), books.side.tolist()) == ([1, 0], [0.1, 0.5])


def test_levels_follow_from_the_steps_taken() -> None:
    _, steps, _, _ = setting(tree([-1], [99.0]), [0, 0], [0, 0])
    for full, level in [([0, 0], [0, 0]), ([1, 2], [1, 2]), ([2, 0], [2, 0])]:
        assert levels_at(steps, np.array(full)).tolist() == level


def test_the_next_moves_come_steepest_first_and_the_last_flattest_first() -> None:
    told, steps, _, _ = setting(tree([-1], [99.0]), [0, 0], [0, 0])
    up = parts._next(told, steps, np.array([0, 0]))
    assert (up.keyword.tolist(), up.level.tolist(), up.cost.tolist()) == ([0, 1], [1, 1], [10, 10])
    assert (up.value.tolist(), up.opens.tolist()) == ([50.0, 30.0], [5.0, 3.0])
    up = parts._next(told, steps, np.array([2, 1]))
    assert (up.keyword.tolist(), up.level.tolist(), up.value.tolist()) == ([1], [2], [20.0])
    only = parts._next(told, steps, np.array([0, 0]), np.array([False, True]))
    assert only.keyword.tolist() == [1]
    down = parts._last(told, steps, np.array([1, 2]))
    assert (down.keyword.tolist(), down.level.tolist()) == ([1, 0], [2, 1])
    assert (down.cost.tolist(), down.value.tolist()) == ([20.0, 10.0], [20.0, 50.0])
    assert down.opens.tolist() == [1.0, 5.0]
    assert parts._last(told, steps, np.array([0, 1])).keyword.tolist() == [1]


def test_mending_gives_back_the_flattest_step_of_a_broken_cap() -> None:
    told, steps, books, full = setting(tree([-1], [35.0]), [0, 0], [2, 2])
    parts._mend(told, steps, books, full)
    assert (full.tolist(), books.left.tolist()) == ([2, 1], [4.0])


def test_mending_a_cap_leaves_other_campaigns_alone_and_keeps_floors() -> None:
    money = tree([-1, 0, 0], [99.0, 19.0, 99.0], [0.0, 0.0, 31.0])
    told, steps, books, full = setting(money, [1, 2], [2, 2])
    parts._mend(told, steps, books, full)
    assert full.tolist() == [1, 2]
    money = tree([-1, 0, 0], [50.0, 99.0, 99.0], [0.0, 0.0, 31.0])
    told, steps, books, full = setting(money, [1, 2], [2, 2])
    parts._mend(told, steps, books, full)
    assert (full.tolist(), books.spare.tolist()) == ([1, 2], [41.0, 10.0, 0.0])


def test_mending_a_side_cap_gives_back_what_it_counts() -> None:
    crossing = sides([0, -1], [0.1, 0.0], [6.0])
    told, steps, books, full = setting(tree([-1], [99.0]), [0, 0], [2, 2], sides=crossing)
    parts._mend(told, steps, books, full)
    assert (full.tolist(), books.side_left.tolist()) == ([1, 2], [1.0])


def test_mending_a_target_first_takes_what_improves_it() -> None:
    # 2·value ≥ 7·cost with 45 short elsewhere: word 0 brings 30 and then 10, word 1 loses.
    aim = target([2, 2], [7.0], [-30.0])
    told, steps, books, full = setting(tree([-1], [99.0]), [0, 0], [0, 0], targets=(aim,))
    parts._mend(told, steps, books, full)
    assert (full.tolist(), books.slack.tolist()) == ([2, 0], [[7.0]])


def test_mending_a_target_gives_back_what_ruins_it() -> None:
    aim = target([2, 2], [7.0], [-30.0])
    told, steps, books, full = setting(tree([-1], [99.0]), [0, 0], [2, 2], targets=(aim,))
    parts._mend(told, steps, books, full)
    assert (full.tolist(), books.slack.tolist()) == ([2, 0], [[7.0]])


def test_a_cap_is_mended_even_where_that_costs_a_target() -> None:
    # Only word 0 may give: strictly it may not, for the target lives by it.
    aims = (target([2, 2], [7, 0, 0], [-30, 0, 0]),)
    money = tree([-1, 0, 0], [99.0, 15.0, 99.0])
    told, steps, books, full = setting(money, [1, 2], [2, 0], targets=aims)
    parts._mend(told, steps, books, full)
    assert (full.tolist(), books.left[1]) == ([1, 0], 5.0)


def test_what_improves_a_target_brings_more_than_its_bar() -> None:
    aim = target([2, 3], [7.0, 5.0, 0.0], [-100, -100, 0])
    told, steps, books, _ = setting(tree([-1, 0, 0], [99.0] * 3), [1, 2], [0, 0], targets=(aim,))
    for taken, better in [([0, 0], [True, True]), ([1, 1], [True, False])]:
        move = parts._next(told, steps, np.array(taken))
        assert parts._improves(steps, books, move).tolist() == better
    books.slack[:] = 0.0
    assert not parts._improves(steps, books, move).any()


def test_a_floor_is_met_within_its_node_only() -> None:
    money = tree([-1, 0, 0], [99.0] * 3, [0.0, 0.0, 15.0])
    told, steps, books, full = setting(money, [1, 2], [0, 0])
    parts._meet_floor(told, steps, books, full, 2)
    assert (full.tolist(), books.spare.tolist()) == ([0, 2], [31.0, 0.0, 16.0])
    parts._meet_floor(told, steps, books, full, 0)
    assert full.tolist() == [0, 2]


def gated(raising: list[float], lowering: list[float], hold: list[int]):
    told, steps, _, _ = setting(tree([-1, 0, 0], [99.0] * 3), [2, 1], [0, 0])
    held = Options(told.cost, told.value, told.allowed, np.array(hold))
    return held, steps, Gates(np.array(raising), np.array(lowering))


def test_a_gate_opens_at_its_line_and_below_the_bid_always() -> None:
    held, steps, gates = gated([2.0, 4.0], [9.0, 9.0], [1, 0])
    may = parts._open_gate(held, steps, gates, np.array([4.0, 2.5]))
    both = np.array([0, 1])
    # Tree order: first the second row, whose gate is just open; then the first, shut above level 1.
    assert may(both, np.array([2, 2])).tolist() == [True, False]
    assert may(both, np.array([2, 1])).tolist() == [True, True]
    assert may(both[1:], np.array([2])).tolist() == [False]


def test_steps_up_to_the_bid_are_kept_where_no_cut_may_be_made() -> None:
    held, steps, gates = gated([-9.0, -9.0], [2.5, 4.0], [1, 2])
    kept = parts._kept_steps(held, steps, gates, np.array([4.0, 2.0]))
    assert (kept.tolist(), kept.dtype) == ([0, 1], np.int64)
    kept = parts._kept_steps(held, steps, gates, np.array([3.9, 2.5]))
    assert kept.tolist() == [2, 0]
    none = parts._kept_steps(held, steps, gates, np.array([9.0, 9.0]))
    assert (none.tolist(), none.dtype) == ([0, 0], np.int64)


def test_of_many_steps_only_the_best_are_looked_at() -> None:
    _, steps, books, _ = setting(tree([-1], [3.5]), [0, 0], [0, 0])
    index, every = np.array([1, 3]), np.array([True, True])
    # Left 2.5, ten times that is 25: the first step of 10 fits, the other of 20 no longer does.
    assert parts._worth_most(steps, books, index, every).tolist() == [True, True]
    books.left[:] = 0.9
    assert parts._worth_most(steps, books, index, every).tolist() == [True, False]
    books.left[:] = -5.0
    assert parts._worth_most(steps, books, index, every).tolist() == [True, False]


def rounded(cap: float, full: list[int], line: float, best: float = 1e9, **more):
    money = tree([-1], [cap], more.pop("floor", None))
    told, steps, books, taken = setting(money, [0, 0], full, **more)
    gates, price = ungated(told)[1], np.full(2, line)
    sought = Sought(np.ones(2), price, np.zeros(2), unbound(nodes=1), best)
    found = parts.round_plan(told, steps, gates, books, taken, 1.0, sought)
    return found.level.tolist(), found.full.tolist(), books.left.tolist(), taken.tolist()


def unbound(nodes: int) -> Settled:
    """Prices at which no cap of a node binds by itself."""
    none, free_of = np.full(nodes, -1), np.ones(nodes)
    nothing = np.zeros(0)
    return Settled(free_of, none, none, free_of, free_of, 0.0, none, nothing, nothing)


def test_rounding_spends_what_pays_and_tells_how_many_steps_that_is() -> None:
    assert rounded(35.0, [1, 0], 4.0) == ([2, 1], [2, 1], [4.0], [1, 0])
    assert rounded(25.0, [1, 0], 4.0) == ([2, 0], [2, 0], [4.0], [1, 0])
    # Within a ten-millionth of the bound nothing is looked for.
    assert rounded(35.0, [1, 0], 4.0, best=41.0) == ([1, 0], [1, 0], [24.0], [1, 0])
    assert rounded(35.0, [1, 0], 4.0, best=41.0 + 5e-6)[0] == [2, 1]
    assert rounded(35.0, [1, 0], 4.0, best=41.0 + 4e-6)[0] == [1, 0]


def test_rounding_mends_before_it_judges_what_is_missing() -> None:
    crossing = sides([0, -1], [0.1, 0.0], [6.0])
    # The plan of 90 is above the bound of 85, yet what is left of it after mending is not.
    assert rounded(31.0, [2, 2], 1.0, best=85.0, sides=crossing)[0] == [1, 1]


def test_rounding_meets_a_floor_without_profit() -> None:
    assert rounded(99.0, [2, 1], 0.5, best=0.0, floor=[40.0]) == ([2, 2], [2, 2], [48.0], [2, 1])


@pytest.mark.parametrize("seed", range(12))
def test_tiny_problems_with_targets_and_side_caps_keep_all_of_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    plain = nested(rng, 6, 4, locks=False)
    open_tree = BudgetTree(plain.tree.parent, plain.tree.cap, np.zeros(len(plain.tree.cap)))
    per, group = rng.uniform(2, 4, 6), rng.integers(-1, 2, 6)
    nodes = len(open_tree.parent)
    least = np.where(rng.random(nodes) < 0.5, 1.5, 0.0)
    aim = Target(per, least, rng.uniform(0, 1, nodes), rng.uniform(0, 0.2, nodes))
    limit = np.array([0.6 * plain.gained(plain.options.hold)[group == one].sum() for one in (0, 1)])
    crossing = SideCaps(group, np.ones(6), limit + 0.1)
    rows = problem(
        plain.options.cost,
        plain.options.value,
        plain.node,
        open_tree,
        targets=(aim,),
        sides=crossing,
    )
    best = linear_optimum(rows)
    if best is None:
        pytest.skip("no plan")
    found = rows.solve()
    assert found.upper_bound == pytest.approx(best, rel=1e-6, abs=1e-8)
    gained, spent = rows.gained(found.level), rows.spent(found.level)
    assert all(gained[group == one].sum() <= crossing.limit[one] + 1e-9 for one in (0, 1))
    assert (spent <= open_tree.cap + 1e-9).all()
    for node in np.flatnonzero(least):
        counted = (per * gained)[rows.under(node)].sum() + aim.brought[node]
        assert counted >= least[node] * (spent[node] + aim.spent[node]) - 1e-9


def exchanged(line: float, base: float = 1.0, shut: bool = False, kept: int = 0) -> list[int]:
    """Both words at one step, the account spent: the second step of word 0 for the first of word 1."""
    _, steps, books, full = setting(tree([-1], [21.0]), [0, 0], [1, 1])
    opened = lambda keywords, level: np.full(len(keywords), not shut)  # noqa: E731
    lines, least = np.array([line, 9.0]), np.array([0, kept])
    parts._exchange(steps, books, full, lines, base, opened, least)
    return full.tolist()


def test_only_steps_met_in_part_that_pay_are_exchanged() -> None:
    assert exchanged(4.0) == [2, 0]
    assert exchanged(4.001) == [1, 1]
    assert exchanged(4.0, base=4.0) == [1, 1]
    assert exchanged(4.0, shut=True) == [1, 1]
    assert exchanged(4.0, kept=1) == [1, 1]


def spent(cap: float, full: list[int], base: float, enough: float = 0.0) -> list[int]:
    told, steps, books, taken = setting(tree([-1], [cap]), [0, 0], full)
    opened = lambda keywords, level: np.full(len(keywords), True)  # noqa: E731
    parts._spend(told, steps, books, taken, base, enough, opened)
    return taken.tolist()


def test_spending_takes_every_step_that_pays_and_fits() -> None:
    assert spent(99.0, [0, 0], base=0.0) == [2, 2]
    assert spent(99.0, [2, 1], base=2.0) == [2, 1]
    assert spent(99.0, [2, 1], base=1.0) == [2, 2]
    assert spent(50.0, [0, 0], base=0.0) == [2, 1]
    assert spent(41.0, [2, 0], base=1.0, enough=60.0) == [2, 0]
    assert spent(41.0, [2, 0], base=1.0, enough=59.0) == [2, 1]


def filled(cap: float, cost, value, enough: float, money: BudgetTree | None = None) -> list[int]:
    told, gates = free(cost, value)
    money = money or tree([-1], [cap])
    node = np.arange(len(cost)) + 1 if len(money.parent) > 1 else np.zeros(len(cost), dtype=int)
    steps, none = build_steps(told, node, money, gates, -np.inf, None), np.zeros(len(cost), int)
    rules, no_sides = rules_of((), steps), SideCaps.none(len(cost))
    books, level = open_books(told, steps, money, rules, no_sides, none), none.copy()
    opened = lambda keywords, level: np.full(len(keywords), True)  # noqa: E731
    parts._fill_between(told, steps, books, none, level, 1.0, enough, opened)
    return level.tolist()


def test_levels_between_hull_levels_are_tried_steepest_first() -> None:
    cost, value = [[0, 5, 10, 20], [0, 4, 12, 12]], [[0, 6, 20, 60], [0, 5, 48, 48]]
    assert filled(9.0, cost, value, 4.0) == [1, 1]
    assert filled(5.0, cost, value, 4.0) == [0, 1]
    # Nine at slope 3 may bring 27, at slope 4 they may bring 36.
    assert filled(9.0, cost, value, 28.0) == [0, 1]
    assert filled(9.0, cost, value, 36.0) == [0, 0]


def test_room_of_less_than_a_twentieth_of_the_step_is_left() -> None:
    cost, value = [[0, 0.5, 20]], [[0, 1.0, 60]]
    assert filled(0.9, cost, value, 0.0) == [0]
    assert filled(1.1, cost, value, 0.0) == [1]


def test_levels_between_meet_the_floors_of_their_nodes_whatever_they_bring() -> None:
    cost = [[0, 5, 10, 20], [0, 5, 10, 20], [0.5, 5, 19, 20]]
    value = [[0, 0.5, 2, 9], [0, 0.5, 2, 9], [0, 30, 60, 100]]
    money = tree([-1, 0, 0, 0], [99.0] * 4, [0.0, 9.0, 4.0, 0.0])
    assert filled(99.0, cost, value, 1e9, money) == [2, 1, 0]


def test_a_move_may_improve_any_of_the_targets() -> None:
    aims = (target([2, 2], [9.0], [-100.0]), target([2, 2], [11.0], [-100.0]))
    told, steps, books, full = setting(tree([-1], [99.0]), [0, 0], [0, 0], targets=aims)
    move = parts._next(told, steps, full)
    assert parts._improves(steps, books, move).tolist() == [True, False]
