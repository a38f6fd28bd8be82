"""Arrays that cannot be written to, and records that are frozen dataclasses of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

Arrays = TypeVar("Arrays")


def frozen(values: np.ndarray) -> np.ndarray:
    """A read-only copy of `values`."""
    copy = np.array(values)
    copy.flags.writeable = False
    return copy


def stacked(parts: Sequence[Arrays]) -> Arrays:
    """One record of read-only arrays, each the concatenation of that of every part."""
    first: Any = parts[0]
    columns = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(first)
    }
    for column in columns.values():
        column.flags.writeable = False
    record: Arrays = type(first)(**columns)
    return record
