"""What was served of creatives since, for exports that no status column confirms."""

from __future__ import annotations

import pandas as pd

from optimizer.review.creative_shares import served_since
from optimizer.store.deliveries import SHOWN
from optimizer.store.protocol import BatchRecord
from optimizer.workflows.workspace import Workspace

_PLACE = ["campaign_name", "ad_group_name"]


def served_facts(
    workspace: Workspace, account: str, rows: pd.DataFrame, shown: pd.DataFrame
) -> pd.DataFrame:
    """Facts of the kinds `status` and `share` (columns of `Store.shown`) from impressions.

    `rows` as `Store.delivered`, `shown` as `Store.shown`. A creative without an impression on the
    newest day of its ad group is off; whatever a report says of its status comes before that.
    """
    own = rows[rows["slot"].eq("creative")]
    batches = [one for one in workspace.store.batches(account) if one.grain == "creative_day"]
    if own.empty or not batches:
        return pd.DataFrame(columns=list(SHOWN))
    newest = max(batches, key=lambda one: (one.as_of, one.sequence))
    since = own["as_of"].min().date()
    window = max((newest.as_of - since).days, 1)
    tables = workspace.store.creative_tables(account, newest.as_of, window)
    known = set(shown.loc[shown["fact"].eq("status"), "entity_key"].dropna())
    silent = own[~own["entity_key"].isin(known)]
    statuses = _statuses(silent, tables.creatives, tables.daily)
    shares = served_since(workspace.store.creative_shares(account), tables.daily, newest.as_of)
    served = shares[shares["served"].notna()].assign(
        entity_key="a" + shares["entity_key"].astype(str),
        fact="share",
        amount=shares["served"],
        day=pd.Timestamp(newest.as_of) - pd.Timedelta(days=1),
    )
    return _stamped(pd.concat([statuses, served], ignore_index=True), newest)


def _statuses(own: pd.DataFrame, creatives: pd.DataFrame, daily: pd.DataFrame) -> pd.DataFrame:
    """On or off on the newest whole day after the review on which the ad group showed anything."""
    named = creatives.assign(key="a" + creatives["entity_key"].astype(str))
    shown = daily[daily["impressions"].gt(0)].merge(named, on="entity_key")
    last = shown.groupby(_PLACE, dropna=False)["first_day"].max().rename("day").reset_index()
    asked = own.merge(last, on=_PLACE)
    asked = asked[asked["day"] > asked["as_of"]]
    on = set(zip(shown["key"], shown["first_day"], strict=True))
    served = [pair in on for pair in zip(asked["entity_key"], asked["day"], strict=True)]
    text = pd.Series(served, index=asked.index, dtype="bool").map(
        {True: "ENABLED", False: "PAUSED"}
    )
    return asked[["entity_key", "day"]].assign(fact="status", amount=None, text=text)


def _stamped(facts: pd.DataFrame, batch: BatchRecord) -> pd.DataFrame:
    stamped = facts.assign(
        as_of=pd.Timestamp(batch.as_of),
        batch_id=batch.batch_id,
        file_name=batch.file_name,
        imported_at=batch.imported_at,
    )
    return stamped.reindex(columns=list(SHOWN))
