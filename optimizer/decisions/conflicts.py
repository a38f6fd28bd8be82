"""Suggestions that stand against each other: one search bought twice, a pause where a term is to blame."""

from __future__ import annotations

import numpy as np

from optimizer.estimates.posteriors import Bools, Floats, Gamma, Ints


def bought_twice(text: Ints, ad_group: Ints, serving: Bools) -> Bools:
    """Serving keywords whose text serves in another ad group as well.

    Whatever their match types, both are eligible for the search that reads like them. Several match
    types of one text inside an ad group are how accounts are built, and no conflict.
    """
    twice = np.zeros(len(text), dtype=bool)
    rows = np.flatnonzero(serving)
    many = int(ad_group.max(initial=0)) + 1
    pairs = np.unique(text[rows] * many + ad_group[rows])
    groups = np.bincount(pairs // many, minlength=int(text.max(initial=-1)) + 1)
    twice[rows] = groups[text[rows]] > 1
    return twice


def best_of_each(group: Ints, worth: Floats, among: Bools) -> Ints:
    """Per row the row with the highest `worth` of its group, -1 for rows not `among` those compared.

    Of equals the first wins.
    """
    rows = np.flatnonzero(among)
    ranked = rows[np.lexsort((rows, -worth[rows], group[rows]))]
    numbers, first = np.unique(group[ranked], return_index=True)
    best = np.full(len(group), -1, dtype=np.int64)
    best[rows] = ranked[first[np.searchsorted(numbers, group[rows])]]
    return best


def rate_without(rate: Gamma, parent: Gamma, exposure: Floats, left_out: Floats) -> Floats:
    """Factor by which a conversion rate rises when `left_out` of its `exposure` never converted.

    A Gamma belief with shape a and weight b has mean a/b; the clicks left out take their part of what
    its own record added to the parent's weight, and no conversion.
    """
    weight, prior = _weight(rate), _weight(parent)
    own = np.maximum(weight - prior, 0.0)
    share = np.divide(left_out, exposure, out=np.zeros_like(exposure), where=exposure > 0)
    rest = weight - own * np.minimum(share, 1.0)
    factor: Floats = np.divide(weight, rest, out=np.ones_like(weight), where=rest > 0)
    return factor


def _weight(belief: Gamma) -> Floats:
    spread = belief.cv2 * belief.mean
    weight: Floats = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
    return weight


def price_without(clicks: Floats, cpc: Floats, gone_clicks: Floats, gone_cost: Floats) -> Floats:
    """CPC of the clicks that remain; the present one where hardly any do."""
    left = clicks - gone_clicks
    paid = clicks * cpc - gone_cost
    known = (left > _FEW * clicks) & (paid > 0)
    return np.divide(paid, left, out=cpc.copy(), where=known)


_FEW = 0.05


def pays_without(value: Gamma, cpc: Floats, probability: float) -> Bools:
    """Whether a click is then worth its price, and the keyword no longer one to stop."""
    result: Bools = (value.mean >= cpc) & (value.above(cpc) >= probability)
    return result
