"""What reports count beside clicks and orders, for the evidence of one suggestion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from optimizer.workflows.workspace import Workspace

_COUNTS: Final = ("add_to_cart", "favourites", "presale_orders", "presale_value", "new_customers")
_PARTS: Final = ("direct_value", "indirect_value")


def counted_beside(workspace: Workspace, account: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Sums of a suggestion's keyword or term over the review's window; empty where no report has any.

    `counted_beside` by code, with the days they cover; `direct_value` and `indirect_value` are parts
    of the value.
    """
    key = str(row["entity_key"])
    number = key.removeprefix("t")
    if not number.isdigit():
        return {}
    days = workspace.configs.estimation.window_days
    found = workspace.store.extra_counts(
        account,
        row["as_of"].date(),
        days,
        kind="search_term" if key.startswith("t") else "keyword",
        entity_key=int(number),
    )
    if found.empty:
        return {}
    sums = found[[*_COUNTS, *_PARTS]].sum(min_count=1).dropna().astype(float).to_dict()
    return {
        "counted_beside": {name: sums[name] for name in _COUNTS if sums.get(name)},
        "counted_first_day": found["first_day"].min().date().isoformat(),
        "counted_last_day": found["last_day"].max().date().isoformat(),
        **{name: sums[name] for name in _PARTS if name in sums},
    }
