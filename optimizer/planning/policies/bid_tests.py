"""A bid test under way, as a policy lives it: its step of the week, its holds, its random days."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from optimizer.review.experiments import Experiment, schedule
from optimizer.tables import HOLDS, empty_table


def running(experiment: Experiment | None, today: date) -> pd.DataFrame:
    """The holds (table HOLDS) of a test on `today`."""
    if experiment is None or today > experiment.last_day:
        return empty_table(HOLDS)
    keys = experiment.members["entity_key"]
    frame = pd.DataFrame({"entity_key": keys, "slot": "bid", "kind": "experiment"})
    frame = frame.assign(value=np.nan, until=pd.Timestamp(experiment.last_day))
    return frame.astype(empty_table(HOLDS).dtypes)


def step_of_test(experiment: Experiment | None, today: date, bids: np.ndarray) -> np.ndarray:
    """`bids` with the test's step due today; nothing is due after the hand-back."""
    if experiment is None or today > experiment.last_day + timedelta(days=1):
        return bids
    due = schedule(experiment, today)
    changed = bids.copy()
    changed[due["entity_key"].astype(int) - 1] = due["bid"]
    return changed


def in_dither(experiment: Experiment | None, today: date, size: int) -> np.ndarray:
    """Which keywords' bids are random on `today`."""
    marked = np.zeros(size, dtype=bool)
    if experiment is not None and today <= experiment.last_day:
        members = experiment.members
        keys = members.loc[members["arm"].eq("dither"), "entity_key"].astype(int)
        marked[keys - 1] = True
    return marked


def spans(first_day: date, tested: np.ndarray) -> pd.DataFrame:
    """First and last day of each keyword's test; `tested` (days, keywords) marks random bids."""
    keyword = np.flatnonzero(tested.any(axis=0))
    first = tested[:, keyword].argmax(axis=0)
    last = len(tested) - 1 - tested[::-1, keyword].argmax(axis=0)
    start = np.datetime64(first_day, "s")
    return pd.DataFrame(
        {
            "entity_key": keyword + 1,
            "first_day": start + first.astype("timedelta64[D]"),
            "last_day": start + last.astype("timedelta64[D]"),
        }
    )
