"""Tests that cannot be run as they are defined."""

from __future__ import annotations

import numpy as np
import pytest

from optimizer.decisions.creatives import check_currencies, check_overlaps, present_text_since
from optimizer.errors import RefusedInput


def test_one_creative_in_two_tests_at_a_time_is_refused_by_name() -> None:
    with pytest.raises(RefusedInput, match="tests_overlap") as refused:
        check_overlaps(
            ["t1", "t1", "t2"], ["a", "b", "a"], np.array([0, 0, 9]), np.array([9, 9, 20])
        )
    assert refused.value.fields == {"creative": "a", "tests": "t1, t2"}


def test_one_after_the_other_is_fine() -> None:
    check_overlaps(
        ["t1", "t2", "t2"], ["a", "a", "b"], np.array([0, 10, 10]), np.array([9, 20, 20])
    )


def test_a_long_test_overlaps_with_the_one_after_next() -> None:
    with pytest.raises(RefusedInput, match="tests_overlap"):
        check_overlaps(
            ["t1", "t2", "t3"], ["a", "a", "a"], np.array([0, 2, 50]), np.array([60, 3, 55])
        )


def test_a_test_across_currencies_is_refused_by_name() -> None:
    check_currencies(["t1", "t1", "t2"], ["CNY", "CNY", "USD"])
    with pytest.raises(RefusedInput, match="test_currencies") as refused:
        check_currencies(["t1", "t2", "t2"], ["CNY", "USD", "CNY"])
    assert refused.value.fields == {"test": "t2", "currencies": "CNY, USD"}


def test_a_changed_text_starts_anew() -> None:
    texts = np.array(
        [
            ["x", "x", "y", "y"],
            ["x", None, "x", "x"],
            [None, None, None, None],
            ["y", "x", "y", None],
        ],
        dtype=object,
    )
    assert present_text_since(texts).tolist() == [2, 0, 0, 2]
