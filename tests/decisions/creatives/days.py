"""Small tests of creatives for the tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from optimizer.decisions.creatives import ArmDays


def lived(
    ctr: list[float],
    rng: np.random.Generator,
    *,
    days: int = 30,
    impressions: int = 1000,
    cvr: float | list[float] = 0.05,
    **more: Any,
) -> ArmDays:
    """Arms with these CTRs shown equally often; clicks cost 1, orders are worth 60."""
    shown = np.full((len(ctr), days), float(impressions))
    clicks = rng.binomial(impressions, np.array(ctr)[:, None], (len(ctr), days)).astype(float)
    rate = np.broadcast_to(np.reshape(cvr, (-1, 1)), (len(ctr), 1))
    orders = rng.binomial(clicks.astype(int), rate).astype(float)
    return ArmDays(
        impressions=shown,
        clicks=clicks,
        cost=clicks * 1.0,
        conversions=orders,
        value=orders * 60.0,
        **more,
    )
