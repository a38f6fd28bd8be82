import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd

from optimizer.workflows.values import plain, unknown_as_none


def test_everything_becomes_json() -> None:
    value = {
        "unknown": [float("nan"), float("inf"), pd.NaT, pd.NA, None],
        "numbers": (np.int64(3), np.float64(0.5), Decimal("1.25"), np.bool_(True)),
        "when": {"day": date(2026, 1, 2), "at": pd.Timestamp("2026-01-02 03:04")},
        "frame": pd.DataFrame({"bid": [1.0, np.nan]}),
        "path": Path("a") / "b",
    }
    assert json.loads(json.dumps(plain(value), allow_nan=False)) == {
        "unknown": [None] * 5,
        "numbers": [3, 0.5, 1.25, True],
        "when": {"day": "2026-01-02", "at": "2026-01-02T03:04:00"},
        "frame": [{"bid": 1.0}, {"bid": None}],
        "path": str(Path("a") / "b"),
    }


def test_unknown_cells_of_a_row_are_none() -> None:
    row = {"bid": float("nan"), "until": pd.NaT, "text": "x", "n": 0}
    assert unknown_as_none(row) == {"bid": None, "until": None, "text": "x", "n": 0}
