"""Small sets of accounts, and in plain words what a move may do to them."""

import numpy as np

from optimizer.decisions.kernels_rounding import Books


def accounts(parent=(-1,), left=None, spare=None, *, aims=(), per=(), sides=(), **more) -> Books:
    """Books of a tree: plenty is left below caps and above floors where nothing else is said.

    `aims` are (least, slack) per node of each target, `per` what a keyword counts towards each;
    `sides` is what is left of each group, `group` and `side` what keywords belong to and count.
    """
    plenty = [1e3] * len(parent)
    least, slack = ([row[part] for row in aims] for part in (0, 1))
    shape, words = (len(aims), len(parent)), (len(aims), -1)
    return Books(
        np.array(parent),
        np.array(left or plenty, dtype=float),
        np.array(spare or plenty, dtype=float),
        np.array(least, dtype=float).reshape(shape),
        np.array(per, dtype=float).reshape(words) if len(aims) else np.zeros((0, 9)),
        np.array(slack, dtype=float).reshape(shape),
        np.array(more.get("group", [-1] * 9)),
        np.array(more.get("side", [1] * 9), dtype=float),
        np.array(sides, dtype=float),
    )


def any_accounts(rng: np.random.Generator, keywords: int) -> Books:
    """Small whole numbers, so that moves often use up exactly what is left; some are overdrawn."""
    parent = np.array([-1, 0, 0, 1])
    aims, groups = int(rng.integers(0, 3)), int(rng.integers(1, 3))
    return Books(
        parent,
        rng.integers(-2, 9, 4).astype(float),
        rng.integers(-2, 9, 4).astype(float),
        rng.integers(0, 3, (aims, 4)).astype(float),
        rng.integers(0, 4, (aims, keywords)).astype(float),
        rng.integers(-3, 12, (aims, 4)).astype(float),
        rng.integers(-1, groups, keywords),
        rng.integers(1, 3, keywords).astype(float),
        rng.integers(-1, 12, groups).astype(float),
    )


def path(parent: np.ndarray, node: int) -> list[int]:
    """The node and everything above it."""
    return [] if node < 0 else [node, *path(parent, int(parent[node]))]


def changes(books: Books, node: int, cost: float, words: list[int], value) -> list[np.ndarray]:
    """What a move of `words` under one node adds to `left`, `spare`, `slack` and `side_left`."""
    on_path = np.isin(np.arange(len(books.parent)), path(books.parent, node))
    counted = (books.per[:, words] * np.array(value)).sum(axis=1)
    aims = counted[:, None] - books.least * cost
    sold = np.zeros(len(books.side_left))
    for word, more in zip(words, value, strict=True):
        if books.group[word] >= 0:
            sold[books.group[word]] += books.side[word] * more
    return [-cost * on_path, cost * on_path, aims * on_path, -sold]


def keeps(books: Books, node: int, cost: float, words: list[int], value) -> bool:
    """Whether the move leaves every account at 0 or above, or no lower than it was."""
    moved = changes(books, node, cost, words, value)
    moved[2] = np.where(books.least > 0, moved[2], 0.0)
    now = (books.left, books.spare, books.slack, books.side_left)
    return all(
        bool(((account + change >= 0) | (change >= 0)).all())
        for account, change in zip(now, moved, strict=True)
    )
