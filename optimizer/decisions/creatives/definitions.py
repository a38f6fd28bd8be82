"""Whether tests can be run as they are defined: overlaps, currencies, texts changed under one id."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from optimizer.errors import RefusedInput
from optimizer.estimates.posteriors import Ints


def check_overlaps(
    test: Sequence[str], creative: Sequence[str], first_day: Ints, last_day: Ints
) -> None:
    """Refuse two tests of one creative at a time: each would see what the other did to it.

    One entry per arm: its test and creative, and the days the test lasts, both included. Raises
    `RefusedInput("tests_overlap")` that names the first creative and its tests.
    """
    arms = pd.DataFrame(
        {"test": list(test), "creative": list(creative), "first": first_day, "last": last_day}
    ).sort_values(["creative", "first"], kind="stable")
    ended = arms.groupby("creative")["last"].cummax().groupby(arms["creative"]).shift()
    clash = np.flatnonzero((arms["first"] <= ended).to_numpy())
    if len(clash):
        name = arms["creative"].iloc[clash[0]]
        tests = ", ".join(dict.fromkeys(arms.loc[arms["creative"] == name, "test"]))
        raise RefusedInput("tests_overlap", creative=name, tests=tests)


def check_currencies(test: Sequence[str], currency: Sequence[str]) -> None:
    """Refuse a test whose arms are paid in several currencies. Raises `RefusedInput("test_currencies")`."""
    arms = pd.DataFrame({"test": list(test), "currency": list(currency)}).drop_duplicates()
    several = arms["test"][arms["test"].duplicated()]
    if len(several):
        name = several.iloc[0]
        found = ", ".join(sorted(arms.loc[arms["test"] == name, "currency"]))
        raise RefusedInput("test_currencies", test=name, currencies=found)


def present_text_since(text: npt.NDArray[np.object_]) -> Ints:
    """First day (column) of each arm's present text, from texts (arms, days); None where unknown.

    What was shown before under the same id was another creative: see `ArmDays.since`.
    """
    told = pd.DataFrame(text).ffill(axis=1).bfill(axis=1)
    same = told.eq(told.iloc[:, -1], axis=0) | told.isna()
    days = same.shape[1]
    kept = same.to_numpy()[:, ::-1].cumprod(axis=1).sum(axis=1)
    return np.asarray(days - kept, dtype=np.int64)
