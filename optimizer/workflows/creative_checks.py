"""Whether what was approved for creatives is still what their tests ask for."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from optimizer.review.creative_suggestions import SLOT
from optimizer.workflows.creative_definitions import with_defined_tests
from optimizer.workflows.holdings import Holdings


def outdated_creatives(held: Holdings, rows: pd.DataFrame) -> tuple[dict[str, Any], ...]:
    """Approved `rows` whose test was changed or has ended since, or is defined no more.

    A change counts from the newest review on, and for a row approved before that from its approval.
    """
    own = rows[rows["slot"].eq(SLOT)]
    if own.empty:
        return ()
    now = max(batch.as_of for batch in held.workspace.store.batches(held.account))
    settings = with_defined_tests(held.workspace, held.account, held.settings)
    going = {
        one.name for one in settings.account.creative_tests if one.end is None or one.end >= now
    }
    changed = {
        one.name: one.changed_at for one in held.workspace.store.creative_tests(held.account)
    }
    return tuple(
        {"id": row["id"], "keyword_text": row["keyword_text"], "test": test}
        | {"code": "creative_suggestion_outdated"}
        for row in own.to_dict("records")
        if _outdated(test := json.loads(row["evidence"])["test"], row, held, going, changed)
    )


def _outdated(
    test: str, row: dict[Any, Any], held: Holdings, going: set[str], changed: dict[str, Any]
) -> bool:
    if test not in going:
        return True
    told = min(pd.Timestamp(row["decided_at"]), pd.Timestamp(held.run.created_at))
    return test in changed and pd.Timestamp(changed[test]) > told
