"""What became of exported changes, in words: for the command line and the pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from optimizer.interfaces.locale import Translator
from optimizer.interfaces.marks import mark

HEADINGS = ("Keyword", "Action", "Approved", "Seen", "State", "Why", "Campaign", "Export")
UNMATCHED = ("Line", "Keyword", "Campaign", "Ad group", "Why", "The platform says")
_APPROVED_STATES = {"pause": "PAUSED", "resume": "ENABLED", "add_negative": "EXCLUDED"}


def delivery_lines(words: Translator, counts: Mapping[str, int]) -> list[str]:
    """How many exported changes came to which state; nothing where none did."""
    if not counts:
        return []
    return [words.text("Exported changes: {parts}", parts=counted(words, counts))]


def counted(words: Translator, counts: Mapping[str, int]) -> str:
    """3 confirmed live · 1 drifted."""
    parts = (
        f"{words.number(count, 0)} {words.code('delivery', state)}"
        for state, count in counts.items()
        if count
    )
    return " · ".join(parts)


def result_lines(words: Translator, answer: Mapping[str, Any]) -> list[str]:
    """What a platform's result file settled."""
    settled = delivery_lines(words, answer["deliveries"])
    count = answer["result_rows"]
    lists = words.text("A list of {count:whole} campaigns, with budgets and targets.", count=count)
    results = words.text("The platform's result file: {count:whole} rows.", count=count)
    return [
        lists if answer["kind"] == "campaigns" else results,
        *(settled or [words.text("It settles nothing that was not known.")]),
    ]


def unmatched_rows(words: Translator, rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Rows of a result file that settle nothing, as cells of UNMATCHED."""
    return [
        (
            str(row["line"]),
            *(
                words.plain(row[name])
                for name in ("keyword_text", "campaign_name", "ad_group_name")
            ),
            words.code("delivery_code", row["code"]),
            words.plain(row["text"]),
        )
        for row in rows
    ]


def delivery_rows(words: Translator, rows: pd.DataFrame) -> list[tuple[str, ...]]:
    """Exported changes with what was approved and what was seen, as cells of HEADINGS."""
    return [_cells(words, row) for row in rows.to_dict(orient="records")]


def _cells(words: Translator, row: Mapping[Any, Any]) -> tuple[str, ...]:
    kind = str(row["kind"])
    return (
        words.plain(row["keyword_text"]),
        f"{mark(kind)} {words.code('kind', kind)}",
        _value(words, row["approved_bid"], _APPROVED_STATES.get(kind)),
        _value(words, row["seen_value"], row["seen_state"]),
        words.code("delivery", str(row["delivery"])),
        _why(words, row),
        words.plain(row["campaign_name"]),
        str(row["export_id"]),
    )


def _value(words: Translator, amount: Any, state: Any) -> str:
    if pd.notna(amount):
        return words.bid(amount)
    return words.code("status", str(state)) if isinstance(state, str) else "–"


def _why(words: Translator, row: Mapping[Any, Any]) -> str:
    """The reason, the platform's own words, and the day or file that tells it."""
    code = row["code"]
    if not isinstance(code, str):
        return words.code("delivery_code", "not_seen_yet")
    day = words.day(row["seen_on"]) if pd.notna(row["seen_on"]) else ""
    own = (words.code("delivery_code", code), row["text"], day or row["file_name"])
    return " · ".join(str(part) for part in own if isinstance(part, str) and part)
