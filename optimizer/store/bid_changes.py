"""Which bid each keyword had when, and who set it: table BID_CHANGES from what reports showed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from optimizer.tables import BID_CHANGES, MICROS, empty_table

_NEAR = 1e-6
_DAY = pd.Timedelta(days=1)


def bid_changes(
    observed: pd.DataFrame, randomised: pd.DataFrame, exported: pd.DataFrame
) -> pd.DataFrame:
    """Table BID_CHANGES.

    `observed` (entity_key, day, changed_on, bid_micros): what each report showed of its newest day,
    in order. `randomised` (entity_key, bid, first_day, last_day): bids a test exported. `exported`
    (entity_key, bid): other bids we exported. A test's bid counts as randomised only on days that
    reports bear out; any other bid that was not exported is an operator's.
    """
    shown = observed.assign(bid=observed["bid_micros"] / MICROS)
    live = _confirmed(randomised, shown)
    meant = _meant(_outside(_dated_after(shown, live), live), exported)
    columns = list(BID_CHANGES.columns)
    tests = live.rename(columns={"first_day": "day"}).assign(provenance="randomised")
    every = pd.concat([_handed_back(live, meant)[columns], meant[columns], tests[columns]])
    kept = every.drop_duplicates(["entity_key", "day"], keep="last")
    ordered = kept.sort_values(["entity_key", "day"], ignore_index=True)
    return ordered.astype(empty_table(BID_CHANGES).dtypes)


def _confirmed(randomised: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """Test bids on the days that reports bear out, and `row_after`: the report that shows another bid.

    A report from before the platform took the file, or after somebody moved the bid, takes its own
    days out of the test and no others. Days between a report with the test's bid and one with another
    are known only where the file tells the day of the change; else they are not counted.
    """
    seen = _within(randomised, shown)
    alike = seen[seen["alike"]]
    head = alike.drop_duplicates("run").set_index("run")
    tail = alike.drop_duplicates("run", keep="last").set_index("run")
    before = head["day_before"].fillna(head["first_day"] - _DAY)
    told = (head["changed_on"] > before) & (head["changed_on"] <= head["day"])
    first = head["first_day"].where(head["day_before"].isna(), head["day"])
    ended = (tail["changed_after"] > tail["day"]) & (tail["changed_after"] <= tail["day_after"])
    last = tail["last_day"].where(tail["day_after"].isna(), tail["day"])
    live = head.assign(
        first_day=first.where(~told, head["changed_on"]),
        last_day=last.where(~ended, tail["changed_after"] - _DAY),
    )
    names = [*randomised.columns, "row_after"]
    return live[names].reset_index(drop=True).astype(randomised.dtypes)


def _within(randomised: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """Each report of a test's days: whether it shows the test's bid, `run` of alike ones, neighbours."""
    spans = randomised.reset_index(drop=True).reset_index(names="span")
    columns = ["row", "entity_key", "day", "changed_on", "bid"]
    reports = shown.reset_index(names="row")[columns]
    seen = spans.merge(reports, on="entity_key", suffixes=("", "_shown"))
    seen = seen[(seen["day"] >= seen["first_day"]) & (seen["day"] <= seen["last_day"])]
    seen = seen.sort_values(["span", "day"], kind="stable")
    alike = pd.Series(
        np.isclose(seen["bid"], seen["bid_shown"], rtol=0, atol=_NEAR), index=seen.index
    )
    turned = alike.ne(alike.shift()) | seen["span"].ne(seen["span"].shift())
    of_span = seen.groupby("span")
    return seen.assign(
        alike=alike,
        run=turned.cumsum(),
        day_before=of_span["day"].shift(),
        day_after=of_span["day"].shift(-1),
        changed_after=of_span["changed_on"].shift(-1),
        row_after=of_span["row"].shift(-1),
    )


def _dated_after(shown: pd.DataFrame, live: pd.DataFrame) -> pd.DataFrame:
    """`shown` with a bid that ended a test early dated to the day after the test's last."""
    ended = live[live["row_after"].notna()]
    changed = shown["changed_on"].copy()
    changed.loc[ended["row_after"]] = (ended["last_day"] + _DAY).to_numpy()
    return shown.assign(changed_on=changed)


def _outside(shown: pd.DataFrame, live: pd.DataFrame) -> pd.DataFrame:
    """What reports showed on days that no confirmed test covers."""
    row = shown.reset_index(names="row")[["row", "entity_key", "day"]]
    pairs = row.merge(live[["entity_key", "first_day", "last_day"]], on="entity_key")
    inside = (pairs["day"] >= pairs["first_day"]) & (pairs["day"] <= pairs["last_day"])
    return shown[~shown.index.isin(pairs.loc[inside, "row"])]


def _meant(shown: pd.DataFrame, exported: pd.DataFrame) -> pd.DataFrame:
    """The first day of each bid, where it differs from the one before.

    A file tells the day of its last change; a change between two files is dated to the later one.
    """
    before = shown.groupby("entity_key")[["bid", "day"]].shift()
    moved = ~np.isclose(shown["bid"], before["bid"], rtol=0, atol=_NEAR)
    told = shown["changed_on"].notna() & ~(shown["changed_on"] <= before["day"])
    day = shown["day"].where(~told, shown["changed_on"])
    found = shown.assign(day=day)[moved]
    pairs = pd.MultiIndex.from_arrays([found["entity_key"], found["bid"].round(6)])
    ours = pairs.isin(pd.MultiIndex.from_arrays([exported["entity_key"], exported["bid"].round(6)]))
    return found.assign(provenance=np.where(ours, "optimizer", "human"))


def _handed_back(live: pd.DataFrame, meant: pd.DataFrame) -> pd.DataFrame:
    """The day after a test's last bid, under the bid known before or after it."""
    follows = live[["entity_key", "first_day"]].rename(columns={"first_day": "day"})
    next_day = (live["last_day"] + pd.Timedelta(days=1)).astype("datetime64[s]")
    ends = live.assign(day=next_day)[["entity_key", "day"]]
    left = ends.merge(follows, how="left", indicator=True)
    ends = left.loc[left["_merge"] == "left_only", ["entity_key", "day"]].sort_values("day")
    known = meant[["entity_key", "day", "bid", "provenance"]].sort_values("day")
    back = pd.merge_asof(ends, known, on="day", by="entity_key")
    return back.dropna(subset="bid").astype({"entity_key": "int64"})
