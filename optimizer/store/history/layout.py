"""What a file of the history holds: its columns by kind of entity, and the days it tells of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from optimizer.tables import NEGATIVES

KEY = ("entity_key", "first_day", "last_day")
STAMP = ("as_of", "sequence")
SUMS = ("impressions", "clicks", "cost_micros", "conversions", "value_micros")

_KEY_TYPES = {"entity_key": pa.int64(), "first_day": pa.date32(), "last_day": pa.date32()}
_STAMP_TYPES = {"as_of": pa.date32(), "sequence": pa.int32()}
_SUM_TYPES = {
    "impressions": pa.int64(),
    "clicks": pa.int64(),
    "cost_micros": pa.int64(),
    "conversions": pa.float64(),
    "value_micros": pa.int64(),
}
EXTRA_TYPES = {
    "add_to_cart": pa.float64(),
    "favourites": pa.float64(),
    "presale_orders": pa.float64(),
    "presale_value_micros": pa.int64(),
    "new_customers": pa.float64(),
    "direct_value_micros": pa.int64(),
    "indirect_value_micros": pa.int64(),
}
"""Columns of a keyword's fact file where its report counts them; files of other reports have none."""
_SHARE_TYPES = {
    "impression_share": pa.float64(),
    "impression_share_censor": pa.string(),
    "lost_is_budget": pa.float64(),
    "avg_position": pa.float64(),
}

SEEN = pa.schema(_KEY_TYPES | _STAMP_TYPES)
FACTS = {
    "keyword": pa.schema(_KEY_TYPES | _SUM_TYPES | _SHARE_TYPES | _STAMP_TYPES),
    "search_term": pa.schema(_KEY_TYPES | _SUM_TYPES | _STAMP_TYPES),
    "creative": pa.schema(_KEY_TYPES | _SUM_TYPES | _STAMP_TYPES),
    "negative": pa.schema(_KEY_TYPES | _SUM_TYPES | _STAMP_TYPES),
}
"""Schema of fact files by kind of entity."""

STATE_TYPES = {
    "keyword": {
        "status": pa.string(),
        "ad_group_status": pa.string(),
        "campaign_status": pa.string(),
        "bidding_mode": pa.string(),
        "bid_micros": pa.int64(),
        "bid_source": pa.string(),
        "first_page_bid_micros": pa.int64(),
        "campaign_budget_micros": pa.int64(),
        "quality_score": pa.int64(),
    },
    "search_term": {"term_status": pa.string()},
    "creative": {"status": pa.string(), "keyword_text": pa.string()},
    "negative": {},
}
"""State columns by kind of entity."""
STATES = {
    kind: pa.schema(
        {"entity_key": pa.int64(), "day": pa.date32(), "changed_on": pa.date32()}
        | types
        | _STAMP_TYPES
    )
    for kind, types in STATE_TYPES.items()
}
"""Schema of state files: one row per entity of a batch, as on its newest `day` there.

`changed_on` is the last day on which the file shows another bid than on the day before.
"""


NEGATIVES_FILE = pa.schema({name: pa.string() for name in NEGATIVES.columns} | {"day": pa.date32()})
"""Schema of a file of negatives in force on a download day."""


@dataclass(frozen=True)
class HistoryFile:
    """A listed file; its rows lie in `first_day..last_day`."""

    path: Path
    first_day: date
    last_day: date


@dataclass(frozen=True)
class Window:
    """Days `first..last` (a row belongs to its last day), as known from reports with as_of ≤ `as_of`.

    With `entity_key` the rows of that entity alone.
    """

    first: date
    last: date
    as_of: date
    entity_key: int | None = None
