"""What the days of an account say a click is worth: the part of a review that looks back.

`review_account` goes on from here; the predictive check asks the same beliefs, of a past day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from optimizer.decisions import goals
from optimizer.estimates.exposure import Records, day_number, records
from optimizer.estimates.hierarchy import Hierarchy, build_hierarchy
from optimizer.estimates.posteriors import Ints
from optimizer.estimates.segments import keyword_items, mark_segments
from optimizer.estimates.value_per_click import (
    ValueEstimate,
    estimate_value_per_click,
    informed_tree,
)
from optimizer.review import items
from optimizer.review.creative_mix import MixEffect, mix_effect
from optimizer.review.maturity import Campaigns, Maturity, estimate_maturity
from optimizer.review.suggestions import ReviewInputs
from optimizer.settings import Settings


@dataclass(frozen=True)
class Beliefs:
    """Estimates per keyword, in the order of `keywords`; `rows` what was counted.

    `settings` with what follows from the items' goals; `item` the index of each keyword's item;
    `changes` alerts about changes of items and creatives that make earlier days tell less; `mix` what
    the creatives ahead make of past days, None where they stay the same.
    """

    settings: Settings
    keywords: pd.DataFrame
    rows: Records
    segment: Ints
    item: Ints
    tree: Hierarchy
    maturity: Maturity
    value: ValueEstimate
    changes: Sequence[dict[str, Any]]
    mix: MixEffect | None = None


def estimate_beliefs(inputs: ReviewInputs, settings: Settings, today: date) -> Beliefs:
    """Lags and season first, then rates and values. Raises `RefusedInput("value_unknown")`."""
    settings = settings.model_copy(update={"account": goals.with_salvage(settings.account)})
    account, estimation = settings.account, settings.estimation
    keywords = inputs.keywords.reset_index(drop=True)
    rows = records(inputs.daily, keywords["entity_key"])
    segment = mark_segments(keywords["keyword_text"], account.segments)
    tree = build_hierarchy(keywords, segment)
    item = keyword_items(keywords, account.items)
    telling, changes = items.with_breaks(rows, item, settings, today)
    maturity = estimate_maturity(
        rows,
        inputs.versions,
        settings,
        inputs.platform,
        day_number(today),
        Campaigns.of(keywords["campaign_name"], tree.campaign),
        inputs.attribution_basis,
    )
    mix = mix_effect(inputs.creatives, keywords, maturity, today)
    if mix is not None:
        changes, telling = [*changes, *mix.explained(telling)], mix.told(telling)
    weights = maturity.weights
    tree = informed_tree(telling, weights, tree, keywords, item, segment, estimation.parent)
    value = estimate_value_per_click(
        telling, weights, tree, account, inputs.account, estimation.value_cv, item
    )
    return Beliefs(settings, keywords, rows, segment, item, tree, maturity, value, changes, mix)
