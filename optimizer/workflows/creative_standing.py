"""Where a creative test stands in the queue: what was suggested, what is to be done next, what was served."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from optimizer.errors import NotFound
from optimizer.review.creative_suggestions import SLOT
from optimizer.store.protocol import Store

ASKED = ("test", "id", "version", "kind", "keyword_text", "decision", "delivery")
"""Columns of what was suggested for creatives, one row per suggestion of the newest review."""

_STATES = {
    "ended": "ended",
    "unmeasured": "report",
    "no_traffic": "report",
    "shares_off": "serving",
    "alone": "end",
    "winner": "end",
    "safe_to_stop": "end",
}


def asked_of_creatives(store: Store, account: str) -> pd.DataFrame:
    """Suggestions on creatives in the newest review, with the test of each; none without a review."""
    try:
        rows = store.suggestions(account)
    except NotFound:
        return pd.DataFrame(columns=list(ASKED))
    own = rows[rows["slot"].eq(SLOT) & ~rows["decision"].isin(["superseded", "expired"])]
    tests = [json.loads(text)["test"] for text in own["evidence"]]
    return own.assign(test=tests)[list(ASKED)].reset_index(drop=True)


def next_actions(tests: pd.DataFrame, asked: pd.DataFrame) -> list[str]:
    """What an operator does next about each of `tests` (CREATIVE_TESTS).

    decide, export, await (no report shows it yet), look (it is not as it was approved), define (nobody
    said how it is shown), report, serving, end, ended or wait.
    """
    by_test = dict(list(asked.groupby("test")))
    return [_next(row, by_test.get(row["test"])) for row in tests.to_dict("records")]


def _next(test: Mapping[Any, Any], asked: pd.DataFrame | None) -> str:
    if test["source"] == "discovered":
        return "define"
    if asked is not None and test["state"] != "ended":
        waiting = asked["decision"].eq("approved") & asked["delivery"].eq("not_exported")
        steps = {
            "decide": asked["decision"].eq("proposed"),
            "export": waiting,
            "look": asked["delivery"].isin(["failed", "drifted", "reverted"]),
            "await": asked["delivery"].eq("exported"),
        }
        for name, mask in steps.items():
            if mask.any():
                return name
    return _STATES.get(str(test["state"]), "wait")
