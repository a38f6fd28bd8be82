"""Acts that read, judge and write: done anew while somebody else's decision comes in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from optimizer.errors import Conflict

ATTEMPTS = 8
"""How often what somebody else moved in between is read again."""
T = TypeVar("T")
_IN_BETWEEN = ("suggestions_moved", "store_busy")


def done_anew(act: Callable[[], T]) -> T:
    """What `act` returns the first time that nobody comes in between.

    The loser judges what the other did, so that he is told who was first and sums count it. Raises
    `act`'s own `Conflict` at once, and the store's after the last attempt.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return act()
        except Conflict as conflict:
            if conflict.code not in _IN_BETWEEN:
                raise
    return act()
