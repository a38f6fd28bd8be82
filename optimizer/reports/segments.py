"""What the rows of one day and keyword say together before they are summed: costs told twice, hours served."""

from __future__ import annotations

import re
from typing import Final

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from optimizer.errors import RefusedInput
from optimizer.reports.queries import one_row
from optimizer.reports.rows import Reading

_REPEATS_REFUSED: Final = 0.8
_REPEATS_JUDGED: Final = 3
_OF_TRAFFIC: Final = re.compile("hour|device|network|小时|时段|设备", re.IGNORECASE)
_HOURS: Final = 24
_FULL_DAYS: Final = 3
_NOTICED: Final = 5.0
"""As many impressions must be expected of the silent hours at the end of a day to miss them."""
_BY_HOUR: Final = """
    SELECT campaign_name AS campaign, first_day AS day, hour, sum(impressions) AS impressions
    FROM segments WHERE hour IS NOT NULL AND impressions > 0 GROUP BY ALL ORDER BY ALL
"""
_REPEATED: Final = """
    SELECT count(*) AS split, count_if(alike) AS repeated FROM (
        SELECT count(DISTINCT (impressions, clicks, cost_micros)) = 1 AS alike
        FROM segments WHERE cost_micros > 0
        GROUP BY entity, first_day, last_day HAVING count(*) > 1
    )
"""


def count_repeated_costs(db: duckdb.DuckDBPyConnection, reading: Reading) -> int:
    """Keywords and days whose every segment shows the same impressions, clicks and cost.

    A file split by what was sold may tell the keyword's cost beside each item. Raises `RefusedInput`
    where most that are split look like that: their sum would count one cost several times. Hours,
    devices and networks split the traffic itself; those that are alike are so by chance.
    """
    names = [reading.layout.headers[at] for at in reading.layout.segments]
    if all(_OF_TRAFFIC.search(name) for name in names):
        return 0
    found = one_row(db, _REPEATED)
    split, repeated = int(found["split"] or 0), int(found["repeated"] or 0)
    if repeated >= _REPEATS_JUDGED and repeated >= _REPEATS_REFUSED * split:
        raise RefusedInput(
            "segments_repeat_cost", file=reading.file, columns=names, repeated=repeated, split=split
        )
    return repeated


def with_share_unserved(db: duckdb.DuckDBPyConnection, kept: str) -> str:
    """SELECT of `kept` rows with the share of the day for which their campaign was silent.

    As `lost_is_budget`, null where the hours do not tell.
    """
    unserved = share_unserved(db.sql(_BY_HOUR).df())
    days = pa.array(pd.to_datetime(unserved["day"]).dt.date, pa.date32())
    named = [unserved["campaign"].astype("object"), days, unserved["unserved"]]
    db.register("unserved", pa.table(named, names=["campaign", "day", "unserved"]))
    return (
        f"SELECT kept.*, unserved AS lost_is_budget FROM ({kept}) kept"
        " JOIN (SELECT thing, campaign_name FROM things) USING (thing)"
        " LEFT JOIN unserved ON campaign = campaign_name AND day = first_day"
    )


def share_unserved(hours: pd.DataFrame) -> pd.DataFrame:
    """Per campaign and day, the share of a usual day's impressions that fall after its last hour.

    `hours` has campaign, day, hour and impressions. What is usual is told by the days that reach the
    latest hour of the campaign, or of all campaigns where it has fewer than three of them; null where
    those are fewer too. A day ends early only where its silent hours would have brought some impressions.
    """
    wide = hours.pivot_table(
        index=["campaign", "day"], columns="hour", values="impressions", aggfunc="sum"
    )
    shown = wide.reindex(columns=range(_HOURS)).fillna(0.0).to_numpy()
    campaign = pd.factorize(wide.index.get_level_values("campaign"))[0]
    last = _HOURS - 1 - np.argmax(shown[:, ::-1] > 0, axis=1)
    reached = _usual_reach(shown, campaign, last)
    share = reached[np.arange(len(last)), last]
    missed = shown.sum(axis=1) * (1.0 - share) / share
    unserved = np.where(missed < _NOTICED, 0.0, 1.0 - share)  # nan stays: it is below nothing
    return wide.index.to_frame(index=False).assign(unserved=unserved)


def _usual_reach(shown: np.ndarray, campaign: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Per day and hour, the share of a usual day's impressions up to that hour; nan where unknown."""
    latest = np.zeros(campaign.max(initial=-1) + 1, dtype=np.int64)
    np.maximum.at(latest, campaign, last)
    full = last == latest[campaign]
    count = np.bincount(campaign[full], minlength=len(latest))
    own = np.zeros((len(latest), _HOURS))
    np.add.at(own, campaign[full], shown[full])
    longest = last == last.max(initial=0)
    every = shown[longest].sum(axis=0) if longest.sum() >= _FULL_DAYS else np.full(_HOURS, np.nan)
    usual = np.where((count >= _FULL_DAYS)[:, None], own, every)
    reach = np.cumsum(usual, axis=1) / usual.sum(axis=1, keepdims=True)
    return np.asarray(reach[campaign])
