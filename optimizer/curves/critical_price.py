"""What a click costs next to its bid tells where on its curve the bid stands.

A click of a search auction costs what it took to win it, so a bid that grows from u by du adds clicks
dX(u) at u each: C(b) = ∫₀ᵇ u dX(u). This is the envelope of bids (Varian 2009, "Online ad auctions",
American Economic Review 99) and a lower bound where one price is paid for all clicks of a place. On
Hill's curve of steepness h whose bid brings the share s of all clicks to be had,

    CPC / b = 1 - ₂F₁(1, 1; 2 + 1/h; s) / (1 + h)

so that the ratio falls from h / (1 + h) towards 0 as s grows: who pays a tenth of the bid has nobody
left to outbid.
"""

from __future__ import annotations

import numpy as np
from scipy.special import hyp2f1

from optimizer.estimates.posteriors import Floats

MOST_SHARE = 0.98
_SHARES = np.linspace(0.0, MOST_SHARE, 491)


def price_ratio(share: Floats, steepness: float) -> Floats:
    """CPC over bid at these shares of all clicks to be had, for Hill's curve of this `steepness` > 0."""
    saved = hyp2f1(1.0, 1.0, 2.0 + 1.0 / steepness, share) / (1.0 + steepness)
    result: Floats = 1.0 - np.asarray(saved, dtype=np.float64)
    return result


def share_at_price(ratio: Floats, steepness: float) -> Floats:
    """Share of all clicks to be had, from CPC over bid; between 0 and `MOST_SHARE`."""
    falling = price_ratio(_SHARES, steepness)
    result: Floats = np.interp(ratio, falling[::-1], _SHARES[::-1])
    return result
