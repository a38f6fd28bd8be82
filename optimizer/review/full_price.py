"""What a click costs once its campaign's budget no longer ends the day.

Platforms go on serving for a while after a budget is spent and charge nothing for it (over-delivery), so
that days which reached the budget show clicks at less than their price. Days that did not reach it tell
the price that more money would be charged.
"""

from __future__ import annotations

import numpy as np

from optimizer.estimates.exposure import Records
from optimizer.estimates.posteriors import Bools, Floats, Ints, group_sum

_REACHED = 0.97
_STRENGTH = 20.0
"""Clicks at the believed price that the days below the budget are weighed against."""
_MOST = 1.5


def full_price(
    rows: Records, charged: Floats, cpc: Floats, campaign: Ints, budget: Floats
) -> Floats:
    """Per campaign the price of a click on days that its `budget` did not end, over the believed `cpc`.

    `rows` at the present bids, `charged` their cost as reported; `cpc` and `campaign` per unit, `budget`
    per campaign, nan where unknown. 1 where no day reached it; never below, as days that stay below a
    budget are also those of cheap clicks.
    """
    size, number = len(budget), campaign[rows.unit]
    reached = _reached(rows, charged, number, budget)
    free = ~reached & (rows.first == rows.last)
    paid = group_sum(number[free], rows.cost[free], size)
    clicks = group_sum(number[free], rows.clicks[free], size)
    believed = group_sum(number[free], rows.clicks[free] * cpc[rows.unit[free]], size)
    usual = np.divide(believed, clicks, out=np.ones(size), where=clicks > 0)
    ratio = (paid + _STRENGTH * usual) / (believed + _STRENGTH * usual)
    ended = np.bincount(number[reached], minlength=size) > 0
    return np.where(ended, np.clip(ratio, 1.0, _MOST), 1.0)


def _reached(rows: Records, charged: Floats, number: Ints, budget: Floats) -> Bools:
    """Records of single days on which their campaign cost its budget."""
    single = rows.first == rows.last
    start = int(rows.first.min(initial=0))
    days = int(rows.last.max(initial=start)) - start + 1
    cell = number * days + rows.first - start
    spent = group_sum(cell[single], charged[single], len(budget) * days)
    result: Bools = single & (spent[cell] >= _REACHED * budget[number])
    return result
