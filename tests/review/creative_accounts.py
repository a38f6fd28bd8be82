"""Accounts of creatives for tests, as the store hands them out."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from optimizer.review.creatives import CreativeInputs
from optimizer.tables import CREATIVE_DAILY, CREATIVES, VERSIONS, Table, empty_table

TODAY = date(2026, 6, 30)


def typed(rows: pd.DataFrame, table: Table) -> pd.DataFrame:
    empty = empty_table(table)
    return rows.reindex(columns=list(empty.columns)).astype(empty.dtypes.to_dict())


def creative_inputs(
    ctr: tuple[float, ...] = (0.03, 0.02),
    days: int = 40,
    per_day: int = 4000,
    groups: tuple[str, ...] = ("shoes",),
) -> CreativeInputs:
    """In each ad group one creative per `ctr`, each shown `per_day` times a day until yesterday."""
    rng = np.random.default_rng(3)
    arms = [(group, rate) for group in groups for rate in ctr]
    keys = np.arange(1, len(arms) + 1)
    creatives = pd.DataFrame(
        {
            "entity_key": keys,
            "campaign_name": "spring",
            "ad_group_name": [group for group, _ in arms],
            "creative_id": [f"9{key}" for key in keys],
            "creative_name": [f"{group} {rate}" for group, rate in arms],
            "status": "ENABLED",
        }
    )
    clicks = rng.poisson([[rate * per_day] * days for _, rate in arms]).ravel()
    orders = rng.binomial(clicks, 0.1)
    when = [pd.Timestamp(TODAY - timedelta(days=days - number)) for number in range(days)]
    daily = pd.DataFrame(
        {
            "entity_key": np.repeat(keys, days),
            "first_day": when * len(arms),
            "last_day": when * len(arms),
            "impressions": per_day,
            "clicks": clicks,
            "cost": clicks * 0.5,
            "conversions": orders,
            "value": orders * 40.0,
        }
    )
    return CreativeInputs(
        "shop",
        "google_ads",
        "CNY",
        typed(creatives, CREATIVES),
        typed(daily, CREATIVE_DAILY),
        empty_table(VERSIONS),
    )
