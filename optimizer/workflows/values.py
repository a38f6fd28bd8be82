"""Results as plain JSON values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


def plain(value: Any) -> Any:
    """`value` as None, bool, int, float, str, list and dict only; unknown and infinite numbers are None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset | np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, pd.DataFrame):
        return plain(value.to_dict("records"))
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, np.generic):
        return _plain_scalar(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date | datetime):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else _text_or_self(value)


def _text_or_self(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def plain_record(value: Mapping[Any, Any]) -> dict[str, Any]:
    """A mapping as plain JSON values."""
    return {str(key): plain(item) for key, item in value.items()}


def unknown_as_none(record: Mapping[Any, Any]) -> dict[str, Any]:
    """A frame's row as a dict in which unknown is None; other values are left as they are."""
    return {str(name): None if _unknown(value) else value for name, value in record.items()}


def _unknown(value: Any) -> bool:
    return value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value))
